"""Find rows that a quotation mark which is not closed made part of a cell.

A text that begins with a quotation mark, and is not quoted, goes on to the next text that ends with
one: the rows between are no longer rows. Nothing else tells that they are missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec.structs import replace

from indexer.sources.tables.table import TableRow

ENCLOSED_KIND: Final = "a cell holds lines that look like rows of the table"

#: A row ends with any of these, in a file of an old Mac with the second alone.
_LINE_END: Final = re.compile("[\n\r]")

_RUN: Final = re.compile(r"[0-9]+|[A-Za-z]+")

#: A shorter reference, such as 12, stands in many texts, so that the rest of the line must fit too.
_SHORT_REFERENCE: Final = 4


class EnclosedRows:
    """Looks for lines within cells that have, in the same column, a reference of the same shape as
    that of their row.

    ``reference`` is the place of the column of the reference, ``header`` the names of all columns.
    """

    def __init__(self, reference: int, header: Sequence[str], delimiter: str) -> None:
        self._reference = reference
        self._header = header
        self._delimiter = delimiter
        self._shapes: dict[str, re.Pattern[str]] = {}

    def find_error(self, cells: Sequence[Any]) -> str | None:
        """Why a row cannot be read; None if it can."""
        for place, cell in enumerate(cells):
            if type(cell) is str and self._delimiter in cell and _LINE_END.search(cell):
                count = self._count_rows(cell, place, cells)
                if count:
                    name = self._header[place] if place < len(self._header) else "a cell"
                    lines = (
                        "a line that looks like a row"
                        if count == 1
                        else (f"{count:,} lines that look like rows")
                    )
                    return (
                        f'"{name}" holds {lines} of the table: a quotation mark may not be closed. '
                        "Correct it; or, if this is its text, put a space before the reference in "
                        "each such line."
                    )
        return None

    def check_rows(self, rows: Iterator[TableRow]) -> Iterator[TableRow]:
        """The same rows, with the error of each that has one."""
        for row in rows:
            error = None if row.error else self.find_error(row.cells)
            yield replace(row, error=error, error_kind=ENCLOSED_KIND) if error else row

    def _count_rows(self, cell: str, column: int, cells: Sequence[Any]) -> int:
        """The lines of the cell in a column that look like rows; the first begins in that column,
        so it is the rest of one, and has a reference only if that comes later."""
        reference = cells[self._reference] if self._reference < len(cells) else ""
        if type(reference) is not str or not reference.strip():
            return 0
        place, width = self._reference, len(self._header)
        shape = self._find_shape(reference.strip())
        is_short = len(reference.strip()) < _SHORT_REFERENCE
        count = 0
        for number, line in enumerate(cell.splitlines()):
            if number == 0 and column >= place:
                continue
            parts = [*[""] * (0 if number else column), *line.split(self._delimiter)]
            fits = len(parts) == width if is_short else len(parts) > max(place, 1)
            count += fits and shape.fullmatch(parts[place].strip('"')) is not None
        return count

    def _find_shape(self, reference: str) -> re.Pattern[str]:
        """The shape of a reference: runs of digits and of letters, of any length if there are
        several of them."""
        runs = _RUN.findall(reference)
        key = _RUN.sub(lambda match: "9" if match[0].isdecimal() else "a", reference)
        if len(runs) == 1:
            key += str(len(reference))
        shape = self._shapes.get(key)
        if shape is None:
            times = "+" if len(runs) > 1 else f"{{{len(runs[0]) if runs else 0}}}"
            pattern, position = "", 0
            for match in _RUN.finditer(reference):
                kind = "[0-9]" if match[0].isdecimal() else "[A-Za-z]"
                pattern += re.escape(reference[position : match.start()]) + kind + times
                position = match.end()
            shape = re.compile(pattern + re.escape(reference[position:]))
            if len(self._shapes) < 1_000:
                self._shapes[key] = shape
        return shape
