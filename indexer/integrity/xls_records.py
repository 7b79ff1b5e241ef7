"""What the records of an XLS say of its sheets: which rows and columns hold a value.

BIFF, the format in an XLS, has no checksum, and a reader skips what it does not know. So its
records are walked here from the first to the last: each must follow the one before, each sheet must
end, and its cells must lie where it says. See [MS-XLS] 2.1 and 2.4 for the records.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from struct import unpack_from
from typing import Any, Final, NamedTuple

from indexer.integrity.damage import DamageError
from indexer.integrity.special_cells import COLUMNS, ERRORS, OTHER_ERROR, SpecialCells
from indexer.integrity.xls_strings import measure_shared_strings

_BOF: Final = 0x0809

_EOF: Final = 0x000A

_BOUNDSHEET: Final = 0x0085

_SST: Final = 0x00FC

_CONTINUE: Final = 0x003C

_DIMENSIONS: Final = 0x0200

_ROW: Final = 0x0208

_FORMULA: Final = 0x0006

_STRING: Final = 0x0207

_NUMBER: Final = 0x0203

_LABEL: Final = 0x0204

_BOOLEAN_OR_ERROR: Final = 0x0205

_RK: Final = 0x027E

_SHARED_LABEL: Final = 0x00FD

_RICH_LABEL: Final = 0x00D6

_SEVERAL_RK: Final = 0x00BD

#: The sizes of cells that have only one; and what else may stand among the rows and cells.
_CELL_SIZES: Final = {_SHARED_LABEL: 10, _RK: 10, _NUMBER: 14, _BOOLEAN_OR_ERROR: 8, 0x0201: 6}

_OTHER_CELLS: Final = frozenset({_ROW, _FORMULA, _LABEL, _RICH_LABEL, _SEVERAL_RK, 0x00BE})

#: STRING, CONTINUE, DBCELL, ARRAY, TABLE, SHRFMLA, UNCALCED, HLINK and its tooltip.
_BESIDE_CELLS: Final = frozenset(
    {_STRING, _CONTINUE, 0x00D7, 0x0221, 0x0236, 0x04BC, 0x005E, 0x01B8, 0x0800}
)

#: The longest record, and numbers above those of any record.
_MAX_BYTES: Final = 8224

_MAX_KIND: Final = 0x1FFF

_MAX_COLUMN: Final = 255

#: The size of the dimensions of a sheet until Excel 95, which had fewer rows.
_OLD_DIMENSIONS_SIZE: Final = 10

#: The share of cells whose rows are written before them, where a writer writes rows.
_MOST: Final = 0.9

#: The end of a formula's result that is not a number, and the kinds of such a result.
_NO_NUMBER: Final = 0xFFFF

_RESULT_IS_TEXT: Final = 0

_RESULT_IS_BOOLEAN: Final = 1

_RESULT_IS_ERROR: Final = 2


class _Record(NamedTuple):
    kind: int
    start: int  # of its data
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


class SheetCells:
    """The cells of one sheet, as a bit for each column by row, both from 0.

    ``certain`` hold a value; ``possible`` may hold one: errors, and formulas without a result.
    ``errors`` are the errors among them.
    """

    def __init__(self) -> None:
        self.certain: dict[int, int] = {}
        self.possible: dict[int, int] = {}
        self.errors: SpecialCells = {}

    def add_error(self, row: int, column: int, number: int) -> None:
        """Note the error that a cell holds, by its number."""
        self.errors[row * COLUMNS + column] = ERRORS.get(number, OTHER_ERROR)

    def count_row(self, row: int) -> tuple[int, int]:
        """The fewest and the most values in a row."""
        certain = self.certain.get(row, 0).bit_count()
        return certain, certain + self.possible.get(row, 0).bit_count()


def compare_rows(cells: SheetCells, rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """The rows that a reader gives of a sheet, from its first row.

    Raises DamageError for a row with fewer or more values than the records have, or if the rows end
    too early.
    """
    end = 0
    for number, row in enumerate(rows):
        fewest, most = cells.count_row(number)
        if not fewest <= len(row) - row.count("") <= most:
            raise DamageError("a row has other cells than its records")
        yield row
        end = number + 1
    if any(number >= end for number in cells.certain):
        raise DamageError("rows are missing")


def read_sheet_cells(stream: bytes) -> list[SheetCells]:
    """The cells of each sheet of a workbook stream, in the order of the sheets.

    Raises DamageError where the records contradict each other, or do not reach to the end.
    """
    try:
        return _read_sheets(stream)
    except struct.error as error:
        raise DamageError(f"a record is too short: {error}") from None


def _read_sheets(stream: bytes) -> list[SheetCells]:
    sheet_starts = []
    strings: list[int] = []
    shared_chunks: list[bytes] = []
    previous = end = 0
    for record in _iter_records(stream, 0):
        end = record.end
        if record.kind == _BOUNDSHEET:
            sheet_starts.append(unpack_from("<I", stream, record.start)[0])
        elif record.kind == _SST or (record.kind == _CONTINUE and previous == _SST):
            shared_chunks.append(stream[record.start : record.end])
        if record.kind != _CONTINUE:
            previous = record.kind
    if shared_chunks:
        strings = measure_shared_strings(shared_chunks)
    sheets = []
    spans = [(0, end)]
    for start in sheet_starts:
        sheet = _CellReader(stream, strings)
        for record in _iter_records(stream, start):
            sheet.add(record)
            end = record.end
        spans.append((start, end))
        sheets.append(sheet.finish())
    _require_every_sheet(stream, spans)
    return sheets


def _iter_records(stream: bytes, start: int) -> Iterator[_Record]:
    """The records of one part of a workbook, from its BOF to its EOF; not those of charts in it."""
    position, depth = start, 0
    while True:
        if position + 4 > len(stream):
            raise DamageError("a part has no end")
        kind, size = unpack_from("<HH", stream, position)
        record = _Record(kind, position + 4, size)
        if not 0 < kind <= _MAX_KIND or size > _MAX_BYTES or record.end > len(stream):
            raise DamageError("this is not a record")
        if depth == 0 and kind != _BOF:
            raise DamageError("a part has no beginning")
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
        if depth <= 1:
            yield record
        if depth == 0:
            return
        position = record.end


def _require_every_sheet(stream: bytes, spans: list[tuple[int, int]]) -> None:
    """Raise DamageError where parts overlap, or another follows one and is in no list."""
    spans = sorted(spans)
    starts = [start for start, _ in spans[1:]] + [len(stream)]
    for (_, end), following in zip(spans, starts, strict=True):
        if end > following:
            raise DamageError("two sheets overlap")
        if following - end >= 4 and unpack_from("<H", stream, end)[0] == _BOF:
            raise DamageError("a sheet is in no list")


class _CellReader:
    """Collects the cells of one sheet while its records are read in order."""

    def __init__(self, stream: bytes, strings: list[int]) -> None:
        self._stream = stream
        self._strings = strings
        self._cells = SheetCells()
        self._rows: set[int] = set()
        self._dimensions: tuple[int, int, int, int] | None = None
        self._formula: tuple[int, int] | None = None
        self._previous = (-1, -1)
        self._is_after_others = False
        self._count = self._count_in_rows = self._count_in_order = 0
        self._adders: dict[int, Callable[[_Record], None]] = {
            _SHARED_LABEL: self._add_shared_label,
            _RK: self._add_number,
            _NUMBER: self._add_number,
            _SEVERAL_RK: self._add_several,
            _LABEL: self._add_label,
            _RICH_LABEL: self._add_label,
            _BOOLEAN_OR_ERROR: self._add_boolean_or_error,
            _FORMULA: self._add_formula,
            _STRING: self._add_result,
            _ROW: self._add_row,
            _DIMENSIONS: self._add_dimensions,
        }

    def add(self, record: _Record) -> None:
        """Take the next record. Raises DamageError."""
        kind = record.kind
        if record.size != _CELL_SIZES.get(kind, record.size):
            raise DamageError("a cell has another size")
        if kind in _CELL_SIZES or kind in _OTHER_CELLS:
            if self._is_after_others:
                raise DamageError("another record is among the cells")
        elif kind not in _BESIDE_CELLS:
            self._is_after_others = bool(self._rows or self._count)
        if add := self._adders.get(kind):
            add(record)

    def finish(self) -> SheetCells:
        """The cells, once all records were added."""
        cells = self._cells
        # Not every writer keeps the order of the format; one that writes the rows does.
        is_structured = self._count_in_rows > _MOST * self._count
        if is_structured and min(self._count_in_rows, self._count_in_order) < self._count:
            raise DamageError("a cell is out of order, or in no row")
        if self._dimensions is not None:
            first_row, end_row, first_column, end_column = self._dimensions
            rows = {*cells.certain, *cells.possible}
            if rows and not first_row <= min(rows) <= max(rows) < end_row:
                raise DamageError("cells lie outside the rows of the sheet")
            columns = 0
            for bits in (*cells.certain.values(), *cells.possible.values()):
                columns |= bits
            if columns >> end_column or columns & ((1 << first_column) - 1):
                raise DamageError("cells lie outside the columns of the sheet")
            rows |= self._rows
            if self._rows and end_row > max(rows) + 1:
                raise DamageError("the last rows are missing")
        return cells

    def _add_row(self, record: _Record) -> None:
        self._rows.add(unpack_from("<H", self._stream, record.start)[0])

    def _add_dimensions(self, record: _Record) -> None:
        form = "<HHHH" if record.size == _OLD_DIMENSIONS_SIZE else "<IIHH"
        self._dimensions = unpack_from(form, self._stream, record.start)

    def _add_shared_label(self, record: _Record) -> None:
        row, column, _, index = unpack_from("<HHHI", self._stream, record.start)
        if index >= len(self._strings):
            raise DamageError("a cell has no string")
        if self._strings[index]:
            self._hold(row, column)

    def _add_number(self, record: _Record) -> None:
        self._hold(*unpack_from("<HH", self._stream, record.start))

    def _add_label(self, record: _Record) -> None:
        row, column, _, length = unpack_from("<HHHH", self._stream, record.start)
        if length:
            self._hold(row, column)

    def _add_boolean_or_error(self, record: _Record) -> None:
        row, column, _, number, is_error = unpack_from("<HHHBB", self._stream, record.start)
        self._hold(row, column, certain=not is_error)
        if is_error:
            self._cells.add_error(row, column, number)

    def _hold(self, row: int, column: int, *, certain: bool = True) -> None:
        self._count += 1
        self._count_in_rows += row in self._rows
        self._count_in_order += (row, column) > self._previous
        self._previous = (row, column)
        if column > _MAX_COLUMN:
            raise DamageError("a cell lies beyond the last column")
        bit = 1 << column
        cells = self._cells.certain if certain else self._cells.possible
        if (self._cells.certain.get(row, 0) | self._cells.possible.get(row, 0)) & bit:
            raise DamageError("two cells are at one place")
        cells[row] = cells.get(row, 0) | bit

    def _add_several(self, record: _Record) -> None:
        row, first = unpack_from("<HH", self._stream, record.start)
        (last,) = unpack_from("<H", self._stream, record.end - 2)
        if last < first or record.size != 6 + 6 * (last - first + 1):
            raise DamageError("a run of numbers has another length")
        for column in range(first, last + 1):
            self._hold(row, column)

    def _add_formula(self, record: _Record) -> None:
        row, column, _, kind, _, number = unpack_from("<HHHBBB", self._stream, record.start)
        (mark,) = unpack_from("<H", self._stream, record.start + 12)
        self._hold(row, column, certain=mark != _NO_NUMBER or kind == _RESULT_IS_BOOLEAN)
        if (mark, kind) == (_NO_NUMBER, _RESULT_IS_ERROR):
            self._cells.add_error(row, column, number)
        # A text follows in a record of its own.
        self._formula = (row, column) if (mark, kind) == (_NO_NUMBER, _RESULT_IS_TEXT) else None

    def _add_result(self, record: _Record) -> None:
        if self._formula is None:
            raise DamageError("a text belongs to no formula")
        (length,) = unpack_from("<H", self._stream, record.start)
        row, column = self._formula
        if length:
            bit = 1 << column
            self._cells.possible[row] &= ~bit
            self._cells.certain[row] = self._cells.certain.get(row, 0) | bit
        self._formula = None
