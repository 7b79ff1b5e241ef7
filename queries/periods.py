"""One table of several periods side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from queries.answer import Column, Figure, QuestionAnswer, Relation, Row, Table
from queries.scope import Period

_MARK = "@"


def side_by_side(
    whole: QuestionAnswer, each: Sequence[QuestionAnswer], periods: Sequence[Period]
) -> QuestionAnswer:
    """The answer over all periods, each once, with the columns of every period after its own."""
    table = whole.table
    single = len(table.columns) == 1
    columns = [*table.columns]
    for place, period in enumerate(periods):
        columns += [
            Column(
                _key(column.key, place),
                period.label if single else f"{column.label}, {period.label}",
                column.description,
                column.unit,
                (*column.means, period.means),
            )
            for column in table.columns
        ]
    parts = [one.table for one in each]
    rows = tuple(_joined(row, [_row(part, row.key) for part in parts], table) for row in table.rows)
    facts = dict(whole.facts)
    figures = list(whole.figures)
    notes = list(whole.notes)
    for one, period in zip(each, periods, strict=True):
        facts |= {fact_name(name, period.label): value for name, value in one.facts.items()}
        figures += [
            Figure(fact_name(fact.name, period.label), fact.unit, (*fact.means, period.means))
            for fact in one.figures
        ]
        notes += [f"{period.label}: {note}" for note in one.notes if note not in whole.notes]
    meeting = any(a.meets(b) for n, a in enumerate(periods) for b in periods[:n])
    if meeting:
        notes.append("The periods overlap, so the first column is less than their sum.")
    return msgspec.structs.replace(
        whole,
        table=Table(
            heading=table.heading,
            columns=tuple(columns),
            rows=rows,
            total=_joined(table.total, [part.total for part in parts], table),
            across="Period" if single else table.across,
            relations=tuple(_relations(table, len(periods), meeting=meeting)),
        ),
        facts=facts,
        figures=tuple(figures),
        notes=tuple(notes),
    )


def fact_name(name: str, label: str) -> str:
    """What a fact of one period is called."""
    return f"{name} [{label}]"


def _relations(table: Table, number: int, *, meeting: bool) -> Iterator[Relation]:
    """What is certain of each period by itself, and of the periods together."""
    for told in table.relations:
        if told.over == "rows":
            only = (*told.only, *(_key(one, n) for one in told.only for n in range(number)))
            yield msgspec.structs.replace(told, only=only)
        else:
            yield told
            for place in range(number):
                whole, *parts = (_key(one, place) for one in (told.whole, *told.parts))
                yield msgspec.structs.replace(told, whole=whole, parts=tuple(parts))
    for column in table.columns:
        parts = [_key(column.key, place) for place in range(number)]
        # A person may be a victim in several periods.
        kind: Literal["sum", "union"] = "union" if meeting or column.unit == "people" else "sum"
        yield Relation(kind, column.key, tuple(parts), "columns")


def _key(column: str, place: int) -> str:
    return f"{column}{_MARK}{place}"


def column_of(key: str) -> tuple[str, int | None]:
    """A column's key without its period, and the period's place; None for all periods."""
    name, mark, place = key.rpartition(_MARK)
    return (name, int(place)) if mark and place.isdigit() else (key, None)


def _row(table: Table, key: str) -> Row | None:
    return next((row for row in table.rows if row.key == key), None)


def _joined(row: Row, parts: Sequence[Row | None], table: Table) -> Row:
    wide = len(table.columns)
    counts = [count for part in parts for count in (part.counts[:wide] if part else (0,) * wide)]
    return msgspec.structs.replace(row, counts=(*row.counts, *counts))
