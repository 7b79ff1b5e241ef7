"""Answers made from small records, with the rows, columns and relations that the kinds give theirs.

A record is (offence code, terms it mentions, ages of its victims).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Literal

import msgspec

from indexer.config.model import ForceSettings
from queries.answer.condition import (
    AnyTermCondition,
    Not,
    build_other_age_condition,
)
from queries.answer.types import (
    Answer,
    Column,
    FactMeta,
    Provenance,
    QuestionAnswer,
    Relation,
    Row,
    ScopeAnswer,
    SpellingCount,
    Table,
    TermAnswer,
)
from queries.disclosure.policy import Policy
from queries.documents.content.context import DocumentSettings
from queries.questions.base import write_overlap_note
from queries.tables.scope import rows_are_disjoint

Record = tuple[str, frozenset[str], tuple[int | None, ...]]

FIVE = Policy(threshold=5)

DESK = DocumentSettings(ForceSettings(), date(2018, 8, 15))

BANDS = ((0, 11), (12, 15), (16, 17))


def adding_up(codes: Sequence[Sequence[str]]) -> Literal["sum", "union"]:
    return "sum" if rows_are_disjoint(codes) else "union"


def beside_none(keys: Sequence[str], none: str, total: str) -> tuple[Relation, ...]:
    return (
        *(Relation("at_most", total, (key, none)) for key in keys),
        Relation("at_least", total, (*keys, none)),
    )


def count(records: Sequence[Record], test: Callable[[Record], bool]) -> int:
    return sum(map(test, records))


def offences(records: Sequence[Record], codes: Sequence[str], id_: str = "Q1") -> QuestionAnswer:
    rows = tuple(
        Row(str(number), f"Title of {code}", (sum(one[0] == code for one in records),), codes=(code,), means=(f"offence:{code}",))
        for number, code in enumerate(codes)
    )  # fmt: skip
    return QuestionAnswer(
        id=id_,
        kind="offences",
        text="",
        table=Table(
            "Offence",
            (Column("offences", "Offences"),),
            rows,
            Row("total", "All offences asked about", (len(records),), "total"),
            (Relation(adding_up([[code] for code in codes]), "total", tuple(row.key for row in rows)),),
        ),
    )  # fmt: skip


def keywords(
    records: Sequence[Record], terms: Sequence[str], codes: Sequence[str] = (), id_: str = "Q2"
) -> QuestionAnswer:
    def cells(test: Callable[[Record], bool]) -> tuple[int, ...]:
        chosen = [one for one in records if test(one)]
        return (len(chosen), *(sum(one[0] == code for one in chosen) for code in codes))

    rows = [
        Row(str(number), term, cells(_mentions(term)), means=(f"term:{term}",))
        for number, term in enumerate(terms)
    ]
    none = Row("none", "None of these", cells(lambda one: not one[1] & set(terms)), "none", means=(Not(AnyTermCondition(frozenset(terms))).text,))  # fmt: skip
    keys = tuple(f"offence_{number}" for number in range(len(codes)))
    together = (Relation(adding_up([[code] for code in codes]), "offences", keys, "columns"),)
    mentioned = [row.counts[0] or 0 for row in rows]
    table = Table(
        "Keyword",
        (Column("offences", "Offences"), *(Column(key, code, means=(f"offence:{code}",)) for key, code in zip(keys, codes, strict=True))),
        (*rows, none),
        Row("total", "All offences asked about", cells(bool), "total"),
        (*beside_none([row.key for row in rows], "none", "total"), *(together if codes else ())),
    )  # fmt: skip
    overlaps = write_overlap_note(table, "a record may mention several of them")
    return QuestionAnswer(
        id=id_,
        kind="keywords",
        text="",
        table=table,
        notes=tuple(note.text for note in overlaps),
        sums=tuple(note.noted for note in overlaps),
        terms=tuple(
            TermAnswer((term,), held, (SpellingCount(term, held),) if held else (), means=(f"term:{term}",))
            for term, held in zip(terms, mentioned, strict=True)
        ),
    )  # fmt: skip


def linked(number: int, records: int, id_: str = "Q3") -> QuestionAnswer:
    """How many of the records are linked to an offence of 86/2."""
    return QuestionAnswer(
        id=id_,
        kind="linked",
        text="",
        table=Table(
            "Linked to",
            (Column("offences", "Offences"),),
            (
                Row(
                    "86/2",
                    "Indecent photographs",
                    (number,),
                    codes=("86/2",),
                    means=("linked:86/2",),
                ),
                Row("none", "No such link", (records - number,), "none", means=("no linked:86/2",)),
            ),
            Row("total", "All offences asked about", (records,), "total"),
            (Relation("sum", "total", ("linked", "none")), Relation("union", "linked", ("86/2",))),
        ),
        facts={"linked": number},
        figures=(FactMeta("linked", means=("linked:86/2",)),),
    )


def victims(
    records: Sequence[Record],
    bands: Sequence[tuple[int, int]] = BANDS,
    id_: str = "Q4",
    *,
    youngest: bool = True,
) -> QuestionAnswer:
    ages = [age for one in records for age in one[2]]
    known = [age for age in ages if age is not None]

    def within(band: tuple[int, int]) -> int:
        return sum(band[0] <= age <= band[1] for age in known)

    rows = [
        Row(str(number), f"Aged {band[0]} to {band[1]}", (within(band),), means=(f"age:{band[0]}-{band[1]}",))
        for number, band in enumerate(bands)
    ]  # fmt: skip
    outside = len(known) - sum(map(within, bands))
    rows.append(Row("other", "Any other known age", (outside,), "other", means=(build_other_age_condition(bands).text,)))  # fmt: skip
    rows.append(Row("unknown", "Age not known", (len(ages) - len(known),), "unknown", means=("no age:0-120",)))  # fmt: skip
    without = count(records, lambda one: not one[2])
    return QuestionAnswer(
        id=id_,
        kind="victims",
        text="",
        table=Table(
            "Age of victim",
            (Column("victims", "Victims", unit="victims"),),
            tuple(rows),
            Row("total", "All victims", (len(ages),), "total"),
            (
                Relation("sum", "total", tuple(row.key for row in rows)),
                Relation("at_most", "offences", ("offences_without_victim",)),
                Relation("at_least", "offences", ("total", "offences_without_victim")),
            ),
        ),
        facts={
            "offences": len(records),
            "offences_without_victim": without,
            **({"youngest": min(known, default=None)} if youngest else {}),
        },
        figures=(
            FactMeta("offences"),
            FactMeta("offences_without_victim", means=("without victim",)),
        ),
    )


def answer(
    records: Sequence[Record],
    *questions: QuestionAnswer,
    codes: Sequence[str] = (),
    reference: str = "FOI/1",
    year: int = 2017,
    generation: str = "crimes-1",
    left_out: int = 0,
) -> Answer:
    return Answer(
        reference=reference,
        title="Made",
        request={"letter": {"to": "", "received": None, "asked": "", "clarified": ""}},
        scope=ScopeAnswer(
            records=len(records),
            left_out={"cancelled": left_out, "transferred": 0},
            period_from=date(year, 4, 1),
            period_to=date(year + 1, 3, 31),
            offences=offences(records, codes).table.rows,
            terms=(),
        ),
        questions=questions,
        provenance=Provenance(generation, datetime(2018, 8, 1, 3, tzinfo=UTC), None, 1_000_000, 0, ("crimes.jsonl",), "ab" * 32, "cd" * 32, {"query": {}}, datetime(2018, 8, 14, 9, 30, tzinfo=UTC), 8, "0.1.0"),
    )  # fmt: skip


def _mentions(term: str) -> Callable[[Record], bool]:
    return lambda one: term in one[1]


def a_record(code: str = "22B", *terms: str, ages: tuple[int | None, ...] = ()) -> Record:
    return code, frozenset(terms), ages


def answer_by_code(
    *numbers: int, reference: str = "FOI/1", generation: str = "crimes-1", codes: str = "21 22B 46"
) -> Answer:
    """A row for each code, and their total."""
    names = codes.split()
    records = [a_record(code) for code, n in zip(names, numbers, strict=True) for _ in range(n)]
    question = offences(records, names)
    return answer(records, question, codes=names, reference=reference, generation=generation)


def two_way(grid: Sequence[Sequence[int]], *, codes: Sequence[str] = ()) -> Answer:
    """One table of districts by offences that share no code, both of them sums, with these cells."""
    names = [*codes] or [f"22/{number + 1}" for number in range(len(grid[0]))]
    keys = [f"offence_{number}" for number in range(len(names))]
    columns = [sum(cells) for cells in zip(*grid, strict=True)]
    table = Table(
        "District",
        (Column("offences", "Offences"), *(Column(key, code, means=(f"offence:{code}",)) for key, code in zip(keys, names, strict=True))),
        tuple(
            Row(str(number), f"D{number}", (sum(cells), *cells), means=(f"category district:D{number}",))
            for number, cells in enumerate(grid)
        ),
        Row("total", "All offences asked about", (sum(columns), *columns), "total"),
        (
            Relation("sum", "total", tuple(str(number) for number in range(len(grid)))),
            Relation("sum", "offences", tuple(keys), "columns"),
        ),
    )  # fmt: skip
    made = answer([], QuestionAnswer(id="Q1", kind="by", text="", table=table))
    scope = msgspec.structs.replace(made.scope, records=sum(columns))
    return msgspec.structs.replace(made, scope=scope)
