"""The order of the rows and cells of an XLSX: each once, and where its row says.

Excel refuses a sheet in which a row or a cell occurs twice or out of order, or a cell names another
row than its own; a reader that does not look keeps one of two, or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import IO, Final
from zipfile import ZipFile

from indexer.integrity.damage import DamageError

_CHUNK_BYTES: Final = 1 << 20

#: Nothing in a sheet's rows has a longer tag.
_MAX_TAG_BYTES: Final = 1 << 16

_WORKSHEET: Final = re.compile(rb"<(?:[\w.-]+:)?worksheet[\s>]")

_BEGIN: Final = re.compile(rb"<(?:[\w.-]+:)?sheetData(?:\s[^>]*?)?(/?)>")

_END: Final = re.compile(rb"</(?:[\w.-]+:)?sheetData[\s>]")

#: The beginning of a row or a cell, with the letters and the number in its attribute r, if any.
#: What is mostly not there is tried last: there are a million of these in a sheet.
_ELEMENT: Final = re.compile(
    rb"<(?:[\w.-]+:)??(row|c)(?=[\s/>])"
    rb"(?:\s(?:[^>]*?\s)??r\s*=\s*[\"']([A-Za-z]*)([0-9]+)[\"'])?"
)


def check_row_order(package: ZipFile) -> None:
    """Raise DamageError where a sheet has a row or a cell twice or out of order, or a cell in a row
    that is not its own."""
    for info in package.infolist():
        if not info.filename.lower().endswith(".xml"):
            continue
        with package.open(info) as part:
            if _WORKSHEET.search(part.read(4096)):
                part.seek(0)
                _check_part(part)


def _check_part(part: IO[bytes]) -> None:
    row = column = 0
    row_digits = b""
    for text in _iter_sheet_data(part):
        # What it is, and its letters and number, which may be empty.
        for kind, letters, digits in _ELEMENT.findall(text):
            if kind == b"row":
                number = int(digits) if digits else row + 1
                if number <= row or letters:
                    raise DamageError("a row occurs twice or out of order")
                row, column, row_digits = number, 0, digits
                continue
            if digits and digits != row_digits and int(digits) != row:
                raise DamageError("a cell names another row")
            number = _read_column(letters) if digits else column + 1
            if number <= column:
                raise DamageError("a cell occurs twice or out of order")
            column = number


@cache
def _read_column(letters: bytes) -> int:
    """The number of a column, from 1: 28 for AB."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _iter_sheet_data(part: IO[bytes]) -> Iterator[bytes]:
    """The XML between the tags of ``sheetData``, in pieces that cut no tag."""
    rest = b""
    inside = False
    while data := part.read(_CHUNK_BYTES):
        rest += data
        if not inside:
            if not (begin := _BEGIN.search(rest)):
                rest = rest[-_MAX_TAG_BYTES:]
                continue
            if begin[1]:
                return
            rest, inside = rest[begin.end() :], True
        if end := _END.search(rest):
            yield rest[: end.start()]
            return
        cut = rest.rfind(b"<")
        if cut < 0 or len(rest) - cut > _MAX_TAG_BYTES:
            cut = len(rest)
        yield rest[:cut]
        rest = rest[cut:]
    if inside:
        raise DamageError("the rows do not end")
