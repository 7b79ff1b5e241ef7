"""Columns for each of several periods: added to a table, and found by name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from queries.answer.types import (
    PEOPLE_UNITS,
    Column,
    FactMeta,
    QuestionAnswer,
    Relation,
    Row,
    Table,
)
from queries.tables.period import Period
from queries.tables.table_query import list_column_names

_PERIOD_MARK = "@"

_YEAR: Final = re.compile(r"\d{4}(/\d{2})?")

#: The heads of the column that counts all periods together: of years, and of other periods.
ALL_YEARS: Final = "All years"

ALL_PERIODS: Final = "All periods"

#: What such a head adds if some of the periods are not covered at all.
_COVERED_SUFFIX: Final = " covered"

#: Every head of the column that counts all periods together.
WHOLE_HEADS: Final = tuple(
    head + suffix for head in (ALL_YEARS, ALL_PERIODS) for suffix in ("", _COVERED_SUFFIX)
)


def merge_period_columns(
    overall: QuestionAnswer, period_answers: Sequence[QuestionAnswer], periods: Sequence[Period]
) -> QuestionAnswer:
    """The answer over all periods together, followed by the columns of each period alone."""
    table = overall.table
    single = len(table.columns) == 1
    columns = _name_total_columns(table.columns, periods)
    for index, period in enumerate(periods):
        columns += [
            Column(
                _format_period_key(column.key, index),
                period.label if single else _format_column_label(column.label, period),
                column.description,
                column.unit,
                (*column.means, period.condition.text),
            )
            for column in table.columns
        ]
    parts = [answer.table for answer in period_answers]
    rows = tuple(
        _extend_row(row, [_find_table_row(part, row.key) for part in parts], table)
        for row in table.rows
    )
    facts = dict(overall.facts)
    figures = list(overall.figures)
    notes = list(overall.notes)
    sums = list(overall.sums)
    for answer, period in zip(period_answers, periods, strict=True):
        facts |= {
            format_fact_name(name, period.label): value for name, value in answer.facts.items()
        }
        figures += [
            FactMeta(
                format_fact_name(fact.name, period.label),
                fact.unit,
                (*fact.means, period.condition.text),
            )
            for fact in answer.figures
        ]
        notes += [f"{period.label}: {note}" for note in answer.notes if note not in overall.notes]
        sums += answer.sums
    meeting = any(a.overlaps(b) for n, a in enumerate(periods) for b in periods[:n])
    if meeting:
        notes.append("The periods overlap, so the first column is less than their sum.")
    return msgspec.structs.replace(
        overall,
        table=Table(
            heading=table.heading,
            columns=tuple(columns),
            rows=rows,
            total=_extend_row(table.total, [part.total for part in parts], table),
            across="Period" if single else table.across,
            share=table.share,
            relations=tuple(_iter_period_relations(table, len(periods), meeting=meeting)),
        ),
        facts=facts,
        figures=tuple(figures),
        notes=tuple(notes),
        sums=tuple(sums),
    )


def _name_total_columns(columns: Sequence[Column], periods: Sequence[Period]) -> list[Column]:
    """The columns over all periods, with heads that say so."""
    name = name_all_periods(periods)
    return [
        msgspec.structs.replace(
            column, label=name if len(columns) == 1 else f"{column.label}, {_lower_first(name)}"
        )
        for column in columns
    ]


def name_all_periods(periods: Sequence[Period]) -> str:
    """The head of the column that counts all periods together."""
    are_years = all(_YEAR.fullmatch(period.label) for period in periods)
    return ALL_YEARS if are_years else ALL_PERIODS


def name_covered_periods(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of a table of which some periods are not covered: those over all periods together
    say that they count the covered ones."""
    heads = (ALL_YEARS, ALL_PERIODS)
    ends = tuple(f", {_lower_first(head)}" for head in heads)
    return tuple(
        msgspec.structs.replace(column, label=column.label + _COVERED_SUFFIX)
        if column.label in heads or column.label.endswith(ends)
        else column
        for column in columns
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def format_fact_name(name: str, label: str) -> str:
    """The name of a fact of one period."""
    return f"{name} [{label}]"


def _format_column_label(label: str, period: Period) -> str:
    return f"{label}, {period.label}"


def find_period_column(
    name: str, columns: Sequence[Column], periods: Sequence[Period]
) -> tuple[str, int | None]:
    """The column that a name means: its key without its period, and the index of the period.

    A name is a key of the answer, or what the answer prints above a column; the label of a period
    alone means the first column. A name that is none of these comes back with None.
    """
    key, index = split_column_key(name)
    if index is not None and index < len(periods):
        return key, index
    folded_name = name.casefold()
    for whole in WHOLE_HEADS:
        if folded_name == whole.casefold():
            return columns[0].key, None
        if folded_name.endswith(f", {whole.casefold()}"):
            return name[: -len(whole) - 2], None
    for index, period in enumerate(periods):
        if folded_name == period.label.casefold():
            return columns[0].key, index
        for column in columns:
            labels = (_format_column_label(own, period) for own in list_column_names(column))
            if folded_name in map(str.casefold, labels):
                return column.key, index
    return name, None


def split_fact_name(name: str) -> tuple[str, str | None]:
    """The name of a fact without its period, and the period's label; None for all periods."""
    fact, mark, label = name.removesuffix("]").partition(" [")
    return (fact, label) if mark else (name, None)


def _iter_period_relations(table: Table, period_count: int, *, meeting: bool) -> Iterator[Relation]:
    """What is certain of each period alone, and of the periods together."""
    for relation in table.relations:
        if relation.over == "rows":
            only = (
                *relation.only,
                *(_format_period_key(key, n) for key in relation.only for n in range(period_count)),
            )
            yield msgspec.structs.replace(relation, only=only)
        else:
            yield relation
            for index in range(period_count):
                total, *parts = (
                    _format_period_key(key, index) for key in (relation.total, *relation.parts)
                )
                yield msgspec.structs.replace(relation, total=total, parts=tuple(parts))
    for column in table.columns:
        parts = [_format_period_key(column.key, index) for index in range(period_count)]
        # A person may be a victim, or a suspect, in several periods.
        kind: Literal["sum", "union"] = "union" if meeting or column.unit in PEOPLE_UNITS else "sum"
        yield Relation(kind, column.key, tuple(parts), "columns")


def _format_period_key(column: str, index: int) -> str:
    return f"{column}{_PERIOD_MARK}{index}"


def split_column_key(key: str) -> tuple[str, int | None]:
    """A column's key without its period, and the index of the period; None for all periods."""
    name, mark, index = key.rpartition(_PERIOD_MARK)
    return (name, int(index)) if mark and index.isdigit() else (key, None)


def _find_table_row(table: Table, key: str) -> Row | None:
    return next((row for row in table.rows if row.key == key), None)


def _extend_row(row: Row, parts: Sequence[Row | None], table: Table) -> Row:
    width = len(table.columns)
    counts = [count for part in parts for count in (part.counts[:width] if part else (0,) * width)]
    return msgspec.structs.replace(row, counts=(*row.counts, *counts))
