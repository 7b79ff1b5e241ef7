"""Answers for the documents' tests: text that wants to be code, and tables wide and long."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from indexer.config.model import ForceSettings
from queries.answer.types import (
    Answer,
    Column,
    NearMissCount,
    NearMisses,
    Provenance,
    QuestionAnswer,
    Row,
    ScopeAnswer,
    SpellingCount,
    Table,
    TermAnswer,
)

#: A count that is not given.
HIDDEN: Any = None

#: Text that would be markup, a tag, a formula or code where somebody forgot to escape it.
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd()|'/c calc'!A0",
    "@SUM(1)",
    "#set page(width: 1cm)",
    "#panic() [",
    "{{ 7*7 }}",
    "{%p endfor %}",
    "$x$ @ref *b* _i_ `c` // d",
    "\\",
    '"quoted"); x',
    "<!-- -->",
    "]]>",
    "&amp;",
    "\u0007bell",
    "W" * 80,
)


FORCE = ForceSettings(
    name="Example <Constabulary>",
    address=("1 Example Street", "Exampleton"),
    contact="foi@example.org",
    signatory="A. Officer",
)


def count_table(heading: str, rows: list[Row], total: int, unit: str = "Offences") -> Table:
    return Table(heading, (Column("n", unit),), tuple(rows), Row("total", "All", (total,), "total"))


def sample_answer(records: int) -> Answer:
    """An answer in which every sentence of the templates has something to say."""
    found = 1 if records else 0
    return Answer(
        reference="FOI/1",
        title="A <request> & its answer",
        request={"letter": {"to": "Dear requester", "received": "2018-07-12", "asked": "How many?\n\nAnd where?", "clarified": ""}},
        scope=ScopeAnswer(
            records=records,
            left_out={"cancelled": 2, "transferred": found},
            period_from=date(2017, 4, 1),
            period_to=date(2018, 3, 31),
            offences=(),
            terms=(TermAnswer(("live stream", "live-stream"), records, (SpellingCount("live stream", records),)),),
        ),
        questions=(
            QuestionAnswer("Q1", "offences", "How many?", count_table("Offence", [Row("0", "Sexual activity", (records,), codes=("22B",))], records)),
            QuestionAnswer(
                "Q2", "keywords", "", count_table("Keyword", [Row("0", "Snapchat", (records,)), Row("1", "Skype", (found,)), Row("2", "Omegle", (0,)), Row("none", "None of these", (0,), "none")], records),
                notes=("A note.",),
            ),
            QuestionAnswer("Q3", "linked", "", count_table("Linked to", [Row("86/2", "Indecent photographs", (found,), codes=("86/2",)), Row("none", "No such link", (records - found,), "none")], records), facts={"linked": found}),
            QuestionAnswer("Q4", "victims", "", count_table("Age", [Row("0", "Aged 12 to 15", (records,)), Row("other", "Any other known age", (0,), "other"), Row("unknown", "Age not known", (0,), "unknown")], records, "Victims"), facts={"youngest": 15 if records else None}),
        ),
        provenance=Provenance("crimes-1", datetime(2018, 8, 1, 3, tzinfo=UTC), None, 20_000, 3, ("crimes.jsonl",), "ab" * 32, "cd" * 32, {"query": {}}, datetime(2018, 8, 14, 9, 30, tzinfo=UTC), 8, "0.1.0"),
        near_misses=NearMisses(5, records < 1234, (
            NearMissCount("live stream", ("mentions",), "livestreamed", 1234, 7),
            NearMissCount("live stream", ("mentions",), "live streams", 20, 20),
            NearMissCount("Skype", ("Q2",), "skyped", 6, 0),
        ) if records > 1 else ()) if records else None,
    )  # fmt: skip


def wide(rows: int, columns: int) -> Table:
    """A table whose every count tells its place; one in seven is not given."""
    return Table(
        heading="Keyword",
        columns=tuple(Column(f"c{place}", f"{2000 + place}/{place + 1:02}") for place in range(columns)),
        rows=tuple(
            Row(
                str(row),
                f"Term {row} with a label that is rather long and goes on" if row % 5 == 0 else f"Term {row}",
                tuple(HIDDEN if (row + place) % 7 == 6 else 100 * row + place for place in range(columns)),
            )
            for row in range(rows)
        ),
        total=Row("total", "All of them", tuple(9_000 + place for place in range(columns)), "total"),
    )  # fmt: skip


def hostile(base: Answer) -> Answer:
    """The answer with every text hostile, in a kind of question that has no sentences."""
    table = Table(
        heading=HOSTILE[0],
        columns=(Column("a", HOSTILE[1]), Column("b", HOSTILE[3], HOSTILE[5])),
        rows=tuple(Row(str(place), text, (place, HIDDEN), codes=(HOSTILE[0],)) for place, text in enumerate(HOSTILE)),
        total=Row("total", "-all", (5, HIDDEN), "total"),
    )  # fmt: skip
    letter = {"to": HOSTILE[0], "received": None, "asked": "\n\n".join(HOSTILE), "clarified": HOSTILE[3]}  # fmt: skip
    return msgspec.structs.replace(
        base,
        reference="../..\\FOI {{1}} <b>",
        title="; ".join(HOSTILE),
        questions=(QuestionAnswer("Q1", "new", "; ".join(HOSTILE), table, notes=HOSTILE),),
        request={"letter": letter},
    )


def tabled(base: Answer, table: Table) -> Answer:
    """The answer with one question, which has the table."""
    return msgspec.structs.replace(
        base, questions=(QuestionAnswer("Q1", "new", "How many?", table),)
    )
