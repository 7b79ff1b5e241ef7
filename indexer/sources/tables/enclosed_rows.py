"""Find rows that a quotation mark which is not closed made part of a cell.

A text that begins with a quotation mark, and is not quoted, goes on to the next text that ends with
one: the rows between are no longer rows. Nothing else tells that they are missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec.structs import replace

from indexer.errors import SourceError
from indexer.sources.tables.table import TableRow

ENCLOSED_KIND: Final = "a cell holds lines that look like rows of the table"

#: A row ends with any of these, in a file of an old Mac with the second alone.
_LINE_END: Final = re.compile("[\n\r]")

_RUN: Final = re.compile(r"[0-9]+|[A-Za-z]+")

#: A shorter reference, such as 12, stands in many texts, so that the rest of the line must fit too.
_SHORT_REFERENCE: Final = 4

#: Every digit as 9 and every letter as a: what references of one system share, whole cells too.
_EXACT_SHAPE: Final = bytes(
    ord("9") if chr(byte).isdigit() else ord("a") if chr(byte).isalpha() else byte
    for byte in range(128)
) + bytes(range(128, 256))

#: The most shapes of references that are remembered: no table has so many.
_MAX_SHAPES: Final = 1_000

_ADVICE: Final = (
    "a quotation mark may not be closed. Correct it; or, if this is its text, put a space before "
    "the reference in each such line."
)


def _find_exact_shape(text: str) -> bytes:
    return text.encode().translate(_EXACT_SHAPE)


def _is_telling(shape: bytes) -> bool:
    """Whether hardly a text has a word of this shape: it has digits, and more than one run."""
    is_long = len(shape) >= _SHORT_REFERENCE
    return is_long and b"9" in shape and len(_RUN.findall(shape.decode(errors="replace"))) > 1


class EnclosedRows:
    """Looks for lines within cells that have, in the same column, a reference of the same shape as
    that of their row or of any other; or whose cells have the shapes of those of their row.

    A table may have references of several shapes, of two systems for instance.

    ``reference`` is the place of the column of the reference, ``header`` the names of all columns.
    """

    def __init__(self, reference: int, header: Sequence[str], delimiter: str) -> None:
        self._reference = reference
        self._header = header
        self._delimiter = delimiter
        self._shapes: dict[str, re.Pattern[str]] = {}
        self._exact_shapes: set[bytes] = set()
        self._doubtful: dict[bytes, str] = {}

    def find_error(self, cells: Sequence[Any], location: str = "") -> str | None:
        """Why a row, at its location, cannot be read; None if it can."""
        if self._reference < len(cells) and type(reference := cells[self._reference]) is str:
            shape = _find_exact_shape(reference)
            if shape not in self._exact_shapes and len(self._exact_shapes) < _MAX_SHAPES:
                self._exact_shapes.add(shape)
        for place, cell in enumerate(cells):
            if type(cell) is str and self._delimiter in cell and _LINE_END.search(cell):
                count = self._count_rows(cell, place, cells, location)
                if count:
                    name = self._header[place] if place < len(self._header) else "a cell"
                    lines = (
                        "a line that looks like a row"
                        if count == 1
                        else (f"{count:,} lines that look like rows")
                    )
                    return f'"{name}" holds {lines} of the table: {_ADVICE}'
        return None

    def check_end(self, path: str) -> None:
        """Raise SourceError if a cell holds a line with a reference of the shape that only a later
        row has."""
        for shape, location in self._doubtful.items():
            if shape in self._exact_shapes:
                raise SourceError(
                    f"{path}: the row {location} holds a line that looks like a row of the table, "
                    f"as others further down have such a reference: {_ADVICE}"
                )

    def check_rows(self, path: str, rows: Iterator[TableRow]) -> Iterator[TableRow]:
        """The same rows, with the error of each that has one. Raises SourceError."""
        for row in rows:
            error = None if row.error else self.find_error(row.cells, row.location)
            yield replace(row, error=error, error_kind=ENCLOSED_KIND) if error else row
        self.check_end(path)

    def _count_rows(self, cell: str, column: int, cells: Sequence[Any], location: str) -> int:
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
            is_row = fits and shape.fullmatch(parts[place].strip('"')) is not None
            if not is_row and len(parts) > max(place, 1):
                is_row = self._has_other_reference(parts, location)
            count += is_row or (number > 0 and self._resembles_row(parts, column, cells))
        return count

    def _has_other_reference(self, parts: Sequence[str], location: str) -> bool:
        """Whether a line has a reference like that of any row so far; one that is like none is
        compared with those of later rows, too."""
        shape = _find_exact_shape(parts[self._reference].strip('"'))
        if not _is_telling(shape):
            return False
        if shape not in self._exact_shapes and len(self._doubtful) < _MAX_SHAPES:
            self._doubtful.setdefault(shape, location)
        return shape in self._exact_shapes

    def _resembles_row(self, parts: Sequence[str], column: int, cells: Sequence[Any]) -> bool:
        """Whether a line has as many cells as the table, a reference, and in another column a cell
        with digits, such as a day, of the same shape as that of the row."""
        reference = parts[self._reference] if self._reference < len(parts) else ""
        if len(parts) != len(self._header) or not any(map(str.isdigit, reference)):
            return False
        return not reference.startswith(" ") and any(
            place not in (column, self._reference)
            and type(cell) is str
            and _is_telling(shape := _find_exact_shape(cell))
            and shape == _find_exact_shape(part.strip('"'))
            for place, (cell, part) in enumerate(zip(cells, parts, strict=False))
        )

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
