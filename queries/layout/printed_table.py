"""A table as it is printed: its columns, with those of shares beside their numbers. Pure."""

from __future__ import annotations

from msgspec import Struct

from queries.answer.shares import Share, ShareColumn, list_share_columns
from queries.answer.types import Count, Row, Table
from queries.layout.prose import format_number
from queries.tables.period_columns import split_column_key


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
