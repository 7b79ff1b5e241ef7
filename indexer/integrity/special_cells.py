"""The cells of a sheet that a reader gives as empty though they are not: formulas without a value,
errors such as #N/A, and what is merged with the cell above. A reader leaves out rows and columns
that have no other cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

#: What such a cell is, by its position: ``row * COLUMNS + column``, both from 0.
SpecialCells: TypeAlias = dict[int, str]

#: The number of columns of a sheet.
COLUMNS: Final = 16_384

#: What a cell is that has a formula and no value of it. Others are the texts of their errors.
UNCOMPUTED: Final = ""

#: What a cell is that is merged with the one above it.
MERGED: Final = "merged"

#: An error that is none of those that Excel has always had.
OTHER_ERROR: Final = "#ERROR"

#: The errors by the number that XLS and XLSB have for them.
ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}

#: A table of records has no more merged cells than these.
_MAX_MERGED_CELLS: Final = 1_000_000

#: Of more cells than these, a sheet that has only such cells would not end.
_MAX_CELLS: Final = 500_000_000


class UncomputedCell:
    """A cell with a formula and no value of it."""

    def __str__(self) -> str:
        return ""


class MergedCell:
    """A cell that is merged with the one above it, which has a value."""

    def __str__(self) -> str:
        return ""


def list_merged_cells(
    ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]],
) -> SpecialCells:
    """The cells of ranges that are below the first, in the column of the value. A range is the
    position of its first and its last cell. Raises MemoryError for too many."""
    cells: SpecialCells = {}
    for (first_row, column), (last_row, _) in ranges:
        if len(cells) + last_row - first_row > _MAX_MERGED_CELLS:
            raise MemoryError
        rows = range(first_row + 1, last_row + 1)
        cells.update((row * COLUMNS + column, MERGED) for row in rows)
    return cells


def count_uncomputed(cells: SpecialCells) -> int:
    """How many cells have a formula and no value of it."""
    return sum(kind == UNCOMPUTED for kind in cells.values())


def mark_rows(
    special_cells: SpecialCells, rows: Iterable[list[Any]], first_column: int
) -> Iterator[list[Any]]:
    """The rows that a reader gives of a sheet, from its first row and from ``first_column``: with
    the texts of errors, an UncomputedCell and a MergedCell where such cells are, and with the rows
    and columns that have no other.

    Raises MemoryError for a sheet that they make too large.
    """
    columns = [position % COLUMNS for position in special_cells]
    first = min([first_column, *columns])
    width = max(columns) + 1 - first
    end = max(special_cells) // COLUMNS + 1
    if width * end > _MAX_CELLS:
        raise MemoryError
    marks = iter(sorted(special_cells.items()))
    position, kind = next(marks)
    padding = [""] * (first_column - first)
    above: list[Any] = []
    for number, row in enumerate(_lengthen(rows, end)):
        cells = padding + row
        width = max(width, len(cells))  # that of the first row, which the reader's have in common
        cells += [""] * (width - len(cells))
        while position // COLUMNS == number:
            column = position % COLUMNS - first
            if kind != MERGED:
                cells[column] = kind or UncomputedCell()
            elif cells[column] == "" and column < len(above) and above[column] != "":
                cells[column] = MergedCell()
            position, kind = next(marks, (-1, UNCOMPUTED))
        above = cells
        yield cells


def _lengthen(rows: Iterable[list[Any]], end: int) -> Iterator[list[Any]]:
    """The rows, and then as many without a cell as there are until ``end``."""
    number = 0
    for row in rows:
        yield row
        number += 1
    for _ in range(number, end):
        yield []
