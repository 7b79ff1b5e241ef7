"""Answers for the documents' tests: text that wants to be code, and tables wide and long."""

from __future__ import annotations

from typing import Any

import msgspec

from queries.answer.types import Answer, Column, QuestionAnswer, Row, Table

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
