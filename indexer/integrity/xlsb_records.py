"""The cells of an XLSB by its records, to be compared with what a reader gives of them.

Every part of an XLSB has a checksum, so a copy that failed is noticed. What is noticed here is a
file whose parts contradict each other: a reader skips records that it does not know, and of two
rows or cells at one place it keeps one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import unpack_from
from typing import Final
from zipfile import ZipFile

from indexer.integrity.damage import DamageError
from indexer.integrity.xls_records import SheetCells

WORKBOOK_PART: Final = "xl/workbook.bin"

_RELATIONS_PART: Final = "xl/_rels/workbook.bin.rels"

_TEXTS_PART: Final = "xl/sharedStrings.bin"

_RELATION: Final = re.compile(r"<(?:[\w.-]+:)?Relationship\s[^>]*>")

_ATTRIBUTE: Final = re.compile(r"\b(Id|Target)\s*=\s*[\"']([^\"']*)[\"']")

# The kinds of records.
_ROW: Final = 0

_BLANK_CELL: Final = 1

_RICH_TEXT_CELL: Final = 62

#: A text in the cell, the text of a formula, and rich text.
_TEXT_CELLS: Final = frozenset({6, 8, _RICH_TEXT_CELL})

_SHARED_TEXT_CELL: Final = 7

_ERROR_CELLS: Final = frozenset({3, 11})

_CELLS: Final = frozenset({*range(1, 12), _RICH_TEXT_CELL})

_SHARED_TEXT: Final = 19

_BEGIN_SHEET: Final = 129

_END_SHEET: Final = 130

_BEGIN_ROWS: Final = 145

_END_ROWS: Final = 146

_SHEET: Final = 156

_MAX_ROW: Final = 1_048_575

_MAX_COLUMN: Final = 16_383


def read_xlsb_cells(package: ZipFile) -> list[SheetCells]:
    """The cells of each sheet of an XLSB, in the order of its list of sheets.

    Raises DamageError where its records contradict each other, or do not reach to the end.
    """
    empty_texts = _find_empty_texts(package)
    return [
        _read_sheet(package.read(name), empty_texts) if name.endswith(".bin") else SheetCells()
        for name in _list_parts(package)
    ]


def _iter_records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each record's kind, where its content begins, and its size."""
    position, end = 0, len(data)
    try:
        while position < end:
            kind = data[position]
            position += 1
            if kind & 0x80:
                kind = kind & 0x7F | (data[position] & 0x7F) << 7
                position += 1
            size = 0
            for shift in (0, 7, 14, 21):
                byte = data[position]
                position += 1
                size |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
            yield kind, position, size
            position += size
    except IndexError:
        raise DamageError("a record is cut short") from None
    if position != end:
        raise DamageError("a record is longer than its part")


def _list_parts(package: ZipFile) -> list[str]:
    """The part of each sheet."""
    targets: dict[str, str] = {}
    for relation in _RELATION.findall(package.read(_RELATIONS_PART).decode()):
        attributes = dict(_ATTRIBUTE.findall(relation))
        target = attributes.get("Target", "")
        # It starts from the top, or from the folder of the workbook.
        name = target[1:] if target.startswith("/") else f"xl/{target}"
        targets[attributes.get("Id", "")] = name
    names = []
    data = package.read(WORKBOOK_PART)
    for kind, start, _ in _iter_records(data):
        if kind == _SHEET:
            (length,) = unpack_from("<I", data, start + 8)
            names.append(targets[data[start + 12 : start + 12 + 2 * length].decode("utf-16-le")])
    return names


def _find_empty_texts(package: ZipFile) -> frozenset[int]:
    """The numbers of the shared texts that are empty."""
    if _TEXTS_PART not in package.namelist():
        return frozenset()
    data = package.read(_TEXTS_PART)
    lengths = [
        unpack_from("<I", data, start + 1)[0]
        for kind, start, _ in _iter_records(data)
        if kind == _SHARED_TEXT
    ]
    return frozenset(number for number, length in enumerate(lengths) if not length)


def _read_sheet(data: bytes, empty_texts: frozenset[int]) -> SheetCells:
    sheet = SheetCells()
    row, column, is_inside, kinds = -1, -1, False, []
    for kind, start, size in _iter_records(data):
        if kind in (_BEGIN_SHEET, _BEGIN_ROWS, _END_ROWS, _END_SHEET):
            kinds.append(kind)
            is_inside = kind == _BEGIN_ROWS
        elif kind == _ROW:
            (number,) = unpack_from("<I", data, start)
            if not is_inside or not row < number <= _MAX_ROW:
                raise DamageError("a row occurs twice or out of order")
            row, column = number, -1
        elif kind in _CELLS:
            (number,) = unpack_from("<I", data, start)
            if (
                not is_inside
                or row < 0
                or not column < number <= _MAX_COLUMN
                or size < 8 + (kind in _ERROR_CELLS)
            ):
                raise DamageError("a cell occurs twice or out of order")
            column = number
            if kind in _ERROR_CELLS:
                sheet.add_error(row, column, data[start + 8])
            _add_cell(sheet, row, column, is_certain=_is_certain(data, kind, start, empty_texts))
    if kinds not in ([], [_BEGIN_SHEET, _BEGIN_ROWS, _END_ROWS, _END_SHEET]):
        raise DamageError("a sheet does not begin and end once")
    return sheet


def _add_cell(sheet: SheetCells, row: int, column: int, *, is_certain: bool | None) -> None:
    if is_certain is not None:
        cells = sheet.certain if is_certain else sheet.possible
        cells[row] = cells.get(row, 0) | 1 << column


def _is_certain(data: bytes, kind: int, start: int, empty_texts: frozenset[int]) -> bool | None:
    """Whether a cell holds a value: an error may be one; None where there is none."""
    if kind in _ERROR_CELLS:
        return False
    if kind == _SHARED_TEXT_CELL:
        return None if unpack_from("<I", data, start + 8)[0] in empty_texts else True
    if kind in _TEXT_CELLS:
        # Rich text has a byte of flags before it.
        (length,) = unpack_from("<I", data, start + (9 if kind == _RICH_TEXT_CELL else 8))
        return True if length else None
    return None if kind == _BLANK_CELL else True
