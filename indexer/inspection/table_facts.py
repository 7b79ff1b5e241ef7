"""The layout of a table: its row of names, the rows above it, blank rows, totals, and rows that
continue others. One pass over the rows, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from indexer.errors import SourceError
from indexer.inspection.column_facts import ColumnFacts
from indexer.integrity.special_cells import MergedCell, UncomputedCell
from indexer.records.damage.cut_texts import is_cut
from indexer.records.offences import OffenceTable
from indexer.sources.profile.columns import find_cell_type
from indexer.sources.profile.row_rules import STRETCH_ROWS, is_row_of_names
from indexer.sources.profile.values import find_total_word, is_empty
from indexer.sources.tables.table import (
    SourceTable,
    TableRow,
    check_width,
    is_blank_row,
    name_columns,
)

_HEADER_ROWS: Final = 60

_MAX_HEADER_LENGTH: Final = 80

_HEADER_SHARE: Final = 0.6


class BlockStart(NamedTuple):
    """A row below blank ones that may begin another table: where it stands, and how many blank ones
    are above it. ``lone`` is the only column in which it has text, if nothing else tells."""

    location: str
    blank_rows: int
    lone: str


class TableFacts:
    """What is known of a table, or of several of one layout.

    ``header_row`` is the number of the row of names, from 1; None where there is none. ``totals``
    maps a column to the words with which rows of totals begin in it. ``lone`` counts, by column,
    the rows that have text in that column alone, and ``cut`` those of them that go on in the middle
    of a sentence of the row before. ``uncomputed`` counts the cells of records that have a
    formula and no value of it, by column, and ``merged`` those that are merged with the cell above.
    ``blocks`` has, by its ``lone``, the first
    row that stands below blank ones and may begin another table.
    """

    def __init__(self, header: list[str], header_row: int | None, offences: OffenceTable) -> None:
        self.header = header
        self.header_row = header_row
        self.columns = [ColumnFacts(name, offences) for name in header]
        self.tables: list[str] = []
        self.rows = 0
        self.blank_rows = 0
        self.bad_rows = 0
        self.totals: dict[str, set[str]] = {}
        self.total_rows = 0
        self.lone: Counter[str] = Counter()
        self.cut: Counter[str] = Counter()
        self.keyed = header_row is None
        self.objects_unread = 0
        self.uncomputed: Counter[str] = Counter()
        self.merged: Counter[str] = Counter()
        self.blocks: dict[str, BlockStart] = {}
        self._stretch = 0
        self._is_below = self._has_rows = False
        self._offences = offences
        self._last_cells: list[Any] = [""] * len(header)

    def begin_table(self, name: str) -> None:
        """Say that what is added from now on is of this table."""
        self.tables.append(name)
        self._stretch, self._is_below, self._has_rows = 0, False, False

    def column(self, name: str) -> ColumnFacts:
        """The facts of a column."""
        return next(column for column in self.columns if column.name == name)

    @property
    def null_words(self) -> Counter[str]:
        """The words of programs for no value, each with the number of its cells."""
        return sum((column.null_words for column in self.columns), Counter[str]())

    def describe_null_words(self) -> str:
        """The same in words; empty if there are none."""
        counts = ", ".join(f"{word} in {count:,} cells" for word, count in self.null_words.items())
        return counts and f"words that stand for no value: {counts}"

    def count_empty(self, column: ColumnFacts) -> int:
        """How many rows have no value in a column, without those that have text elsewhere alone."""
        lone = sum(self.lone.values()) - self.lone[column.name]
        return max(self.rows - column.filled - lone, 0)

    def add_row(self, row: TableRow) -> None:
        """Take a row below the names."""
        cells = row.cells
        width = len(self.header)
        uncomputed = self._empty_cells(cells, UncomputedCell)
        merged = self._empty_cells(cells, MergedCell)
        if is_blank_row(cells):
            self.blank_rows += 1
            self._stretch += self._has_rows
            return
        if len(cells) != width:
            if len(cells) > width and not is_blank_row(cells[width:]):
                self.bad_rows += 1
            cells = (cells + [""] * width)[:width]
        filled = [index for index, cell in enumerate(cells) if not is_empty(cell)]
        stretch, self._stretch = self._stretch, 0
        if not self._add_total(cells, filled) and not self._is_of_another(row, filled, stretch):
            if len(filled) == 1 and width > 2:
                (index,) = filled
                self.lone[self.header[index]] += 1
                self.cut[self.header[index]] += is_cut(
                    str(self._last_cells[index] or ""), str(cells[index] or "")
                )
            self._last_cells = cells
            self._has_rows = True
            self.uncomputed.update(uncomputed)
            self.merged.update(merged if len(filled) > 1 else ())
            self.rows += 1
            for column, cell in zip(self.columns, cells, strict=True):
                column.add(cell)

    def _empty_cells(self, cells: list[Any], kind: type) -> list[str]:
        """The columns of the cells of a kind that has no value; they become empty."""
        numbers = [number for number, cell in enumerate(cells) if type(cell) is kind]
        for number in numbers:
            cells[number] = ""
        return [self.header[number] for number in numbers]

    def _is_of_another(self, row: TableRow, filled: list[int], stretch: int) -> bool:
        """Whether a row is of another table, below a row of other names; or a row of the same
        names. ``stretch`` is the number of blank rows above it."""
        if not stretch or self._is_below:
            return self._is_below
        if len(filled) == 1:
            self._stretch = stretch  # it may be a title, with names below it
        has_names = is_row_of_names(row.cells)
        if stretch < STRETCH_ROWS and not has_names and len(filled) > 1:
            return False
        is_lone = stretch < STRETCH_ROWS and len(filled) == 1
        block = BlockStart(row.location, stretch, self.header[filled[0]] if is_lone else "")
        self.blocks.setdefault(block.lone, block)
        is_repeated = has_names and name_columns(row.cells) == self.header
        self._is_below = has_names and not is_repeated
        return has_names

    def _add_total(self, cells: Sequence[Any], filled: list[int]) -> bool:
        """Whether a row counts others: few cells, and the first begins with a word for it."""
        word = find_total_word(cells, filled)
        if word is None:
            return False
        self.totals.setdefault(self.header[filled[0]], set()).add(word)
        self.total_rows += 1
        return True

    def add_object(self, row: TableRow) -> None:
        """Take an object of JSON; its fields become columns."""
        if row.error:
            self.objects_unread += 1
            return
        self.rows += 1
        fields = row.cells[0]
        for name in fields:
            if name not in self.header:
                check_width(row.location, len(self.header) + 1)
                self.header.append(name)
                self.columns.append(ColumnFacts(name, self._offences))
        for column in self.columns:
            column.add(fields.get(column.name))


def find_header(rows: Sequence[TableRow]) -> int | None:
    """The index of the row of names among the first rows: text in nearly every column, none of it
    a number, a date or long; None if there is none."""
    widest = max((_count_filled(row.cells) for row in rows), default=0)
    for index, row in enumerate(rows):
        cells = [cell for cell in row.cells if not is_empty(cell)]
        if len(cells) < max(2, _HEADER_SHARE * widest):
            continue
        is_header = all(
            isinstance(cell, str)
            and find_cell_type(cell) == "text"
            and len(cell) <= _MAX_HEADER_LENGTH
            for cell in cells
        )
        return index if is_header else None
    return None


def _count_filled(cells: Sequence[Any]) -> int:
    return sum(not is_empty(cell) for cell in cells)


def open_rows(table: SourceTable) -> tuple[list[str], int | None, Iterator[TableRow]]:
    """The names of a table's columns, the number of their row, and the rows below it.

    Objects have no row of names. Raises SourceError for a table that cannot be read.
    """
    rows = table.rows()
    if table.keyed:
        return [], None, rows
    first = list(islice(rows, _HEADER_ROWS))
    index = find_header(first)
    if index is None:
        return [], None, chain(first, rows)
    header = name_columns(first[index].cells)
    check_width(first[index].location, len(header))
    return header, index + 1, chain(first[index + 1 :], rows)


def require_rows(facts: TableFacts, label: str) -> None:
    """Raise SourceError for a table without rows."""
    if not facts.rows:
        raise SourceError(f"{label}: has no rows below the names of its columns.")
