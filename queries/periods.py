"""One table of several periods side by side. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from queries.answer import Column, QuestionAnswer, Row, Table
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
                f"{column.key}{_MARK}{place}",
                period.label if single else f"{column.label}, {period.label}",
                column.description,
            )
            for column in table.columns
        ]
    parts = [one.table for one in each]
    rows = tuple(_joined(row, [_row(part, row.key) for part in parts], table) for row in table.rows)
    facts = dict(whole.facts)
    notes = list(whole.notes)
    for one, period in zip(each, periods, strict=True):
        facts |= {f"{name} [{period.label}]": value for name, value in one.facts.items()}
        notes += [f"{period.label}: {note}" for note in one.notes if note not in whole.notes]
    if any(a.meets(b) for n, a in enumerate(periods) for b in periods[:n]):
        notes.append("The periods overlap, so the first column is less than their sum.")
    return msgspec.structs.replace(
        whole,
        table=Table(
            heading=table.heading,
            columns=tuple(columns),
            rows=rows,
            total=_joined(table.total, [part.total for part in parts], table),
            across="Period" if single else table.across,
        ),
        facts=facts,
        notes=tuple(notes),
    )


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
