"""A table as it is printed: its columns, with those of shares beside their numbers. Pure."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from queries.answer.condition import AgeCondition
from queries.answer.condition_text import parse_conditions
from queries.answer.shares import Share, ShareColumn, list_share_columns
from queries.answer.types import ASKED_ABOUT, Column, Conditions, Count, Row, Table
from queries.layout.prose import format_number
from queries.tables.period_columns import split_column_key

_CODE: Final = "Code"

#: A longer head, of five lines and more, is replaced by its code.
_LONGEST_HEAD: Final = 60


class PrintedColumn(Struct, frozen=True):
    """A column of numbers, or of ``shares``. ``period`` is the number of its period, if it has
    one."""

    label: str
    index: int
    period: int | None
    shares: ShareColumn | None = None

    def get_value(self, row: Row, table: Table) -> Count | Share:
        """Its number of a row, or the share in whole per cent."""
        return self.shares.compute(row, table) if self.shares else row.counts[self.index]

    def format_cell(self, row: Row, table: Table) -> str:
        """Its cell of a row, as documents print it."""
        if not self.shares:
            return format_number(row.counts[self.index])
        share = self.shares.compute(row, table)
        if isinstance(share, int):
            return f"{share}%"
        return share if share == "n/a" else format_number(share)


def omit_impossible(table: Table) -> Table:
    """The table without rows and columns of ages that its bands leave to nobody: "any other known
    age" beside bands that hold every age."""
    indexes = [
        index for index, column in enumerate(table.columns) if not _is_impossible(column.means)
    ]
    rows = [row for row in table.rows if not _is_impossible(row.means)]
    if len(indexes) == len(table.columns) and len(rows) == len(table.rows):
        return table
    *rows, total = (
        msgspec.structs.replace(row, counts=tuple(row.counts[index] for index in indexes))
        for row in (*rows, table.total)
    )
    columns = tuple(table.columns[index] for index in indexes)
    return msgspec.structs.replace(table, columns=columns, rows=tuple(rows), total=total)


def turn_table(table: Table) -> Table:
    """A table of two sides with its rows as columns, and its columns after the first as rows. The
    total of everything stays in its corner."""
    total_column, *side_columns = table.columns
    columns = tuple(
        Column(row.key, row.label, ", ".join(row.codes), total_column.unit, row.means)
        for row in table.rows
    )
    rows = tuple(
        Row(
            column.key,
            column.label,
            tuple(row.counts[index] for row in (table.total, *table.rows)),
            codes=(column.description,) if column.description else (),
            means=column.means,
        )
        for index, column in enumerate(side_columns, 1)
    )
    counts = tuple(row.counts[0] for row in (table.total, *table.rows))
    return msgspec.structs.replace(
        table,
        heading=table.across,
        across=table.heading,
        columns=(total_column, *columns),
        rows=rows,
        total=msgspec.structs.replace(table.total, counts=counts),
        relations=(),
    )


def shorten_total(table: Table) -> Table:
    """The table with its total as people read it: "All offences"."""
    label = table.total.label.removesuffix(ASKED_ABOUT)
    return msgspec.structs.replace(table, total=msgspec.structs.replace(table.total, label=label))


def head_by_codes(table: Table) -> Table:
    """The table with columns headed by their codes, if the names of some are too long for a head;
    the names are their descriptions then. Columns of several periods stay as they are."""
    coded_columns = [column for column in table.columns if column.description]
    has_periods = any(split_column_key(column.key)[1] is not None for column in table.columns)
    if has_periods or all(len(column.label) <= _LONGEST_HEAD for column in coded_columns):
        return table
    columns = tuple(
        msgspec.structs.replace(
            column, label=name_codes(column.description), description=column.label
        )
        if column.description
        else column
        for column in table.columns
    )
    return msgspec.structs.replace(table, columns=columns)


def is_headed_by_code(column: Column) -> bool:
    """Whether the head of a column is its code, as ``head_by_codes`` writes it."""
    return bool(column.description) and column.label.startswith((f"{_CODE} ", f"{_CODE}s "))


def name_codes(codes: str) -> str:
    """Codes as a head that cannot be taken for a figure: "Code 21", "Codes 88/1, 88/2"."""
    return f"{_CODE}{'s' if ',' in codes or ' to ' in codes else ''} {codes}"


def _is_impossible(means: Conditions) -> bool:
    """Whether nobody can meet the conditions: an age that is none."""
    return any(
        isinstance(condition, AgeCondition) and not condition.intervals
        for condition in parse_conditions(means)
    )


def list_printed_columns(table: Table) -> list[PrintedColumn]:
    """The columns of a table as they are printed."""
    shares = list_share_columns(table)
    columns = []
    for index, column in enumerate(table.columns):
        period = split_column_key(column.key)[1]
        columns.append(PrintedColumn(column.label, index, period))
        if index in shares:
            columns.append(PrintedColumn(f"{column.label}, %", index, period, shares[index]))
    return columns
