"""Rejected rows of tables, written and searched as a table that the same profile reads again.

Every cell is written as it was: a sign before what a spreadsheet takes for a formula would come
back as part of the record.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, Final
from unicodedata import normalize

from msgspec import Struct

from indexer.config.profile import SourceProfile
from indexer.sources.base import SourceRows
from indexer.sources.profile.values import TEXT_FORMULA

#: The ending of a rejects file that is a table.
TABLE_ENDING: Final = ".csv"

_TITLE: Final = "Rejected records. Correct them, and load this file with the same profile."

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

_HARMLESS: Final = re.compile(rf"[+-]?[0-9.,]*|{TEXT_FORMULA.pattern}")

_CODECS: Final = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252"}


class RejectsLayout(Struct, frozen=True):
    """How a table of rejected rows is written: as the profile expects it."""

    encoding: str = "utf-8"
    delimiter: str = ","
    header_row: int = 1
    columns: tuple[str, ...] = ()


def make_rejects_layout(profile: SourceProfile) -> RejectsLayout:
    """The layout that a profile reads; without an encoding of its own, CSV in UTF-8."""
    return RejectsLayout(
        profile.encoding or "utf-8",
        profile.delimiter_character or ",",
        profile.header_row,
        tuple(profile.columns),
    )


class RejectedTable:
    """Encodes rejected rows one after another, the names of the columns before the first."""

    def __init__(self, layout: RejectsLayout) -> None:
        self._layout = layout
        self._columns: tuple[str, ...] = ()

    def encode(self, origin: SourceRows) -> bytes:
        """The rows of a record, as bytes to append to the file."""
        text = io.StringIO()
        rows = csv.writer(text, delimiter=self._layout.delimiter)
        is_first = not self._columns
        if is_first:
            self._columns = self._layout.columns or origin.header
            rows.writerows([[_TITLE]] * (self._layout.header_row - 1))
            rows.writerow(self._columns)
        places = [
            origin.header.index(name) if name in origin.header else None for name in self._columns
        ]
        for cells in origin.rows:
            values = ["" if index is None else cells[index] for index in places]
            rows.writerows(_split_entries(values))
        codec = _CODECS[self._layout.encoding]
        if not is_first:  # the mark stands at the beginning only
            codec = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(codec, codec)
        elif codec == "utf-16":
            return b"\xff\xfe" + text.getvalue().encode("utf-16-le")
        return text.getvalue().encode(codec, "replace")


def _split_entries(values: list[Any]) -> Iterator[list[str]]:
    """A row as text; entries that continued it get rows of their own again."""
    longest = max([len(value) for value in values if isinstance(value, list)], default=1)
    for number in range(longest):
        yield [
            _write_cell(value[number] if number < len(value) else "")
            if isinstance(value, list)
            else _write_cell(value if number == 0 else "")
            for value in values
        ]


def _write_cell(value: Any) -> str:
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def holds_formula(origin: SourceRows) -> bool:
    """Whether a spreadsheet would run a cell of the rows as a formula: one that begins as such, and
    is neither a number nor text with its leading zeros."""
    for cells in origin.rows:
        for row in _split_entries(cells):
            for cell in row:
                text = normalize("NFKC", cell[:1]) + cell[1:]
                if text.startswith(_FORMULA_STARTS) and not _HARMLESS.fullmatch(text):
                    return True
    return False


def split_table(data: bytes) -> tuple[list[bytes], list[list[str]]]:
    """The rows of a rejects table, each as its bytes and as its cells; what cannot be read as a
    row is one of one cell."""
    for codec in ("utf-16", "utf-8", "cp1252"):
        if codec == "utf-16" and not data.startswith(b"\xff\xfe"):
            continue
        try:
            text = data.decode(codec)
            break
        except UnicodeDecodeError:
            continue
    else:
        return [data], [[data.decode("latin-1")]]
    output_codec = "utf-16-le" if codec == "utf-16" else codec
    delimiter = _find_delimiter(text)
    lines = _split_lines(text)
    reader = csv.reader(iter(lines), delimiter=delimiter)
    rows: list[list[str]] = []
    pieces: list[bytes] = []
    position = 0
    for row in reader:
        piece = "".join(lines[position : reader.line_num])
        position = reader.line_num
        rows.append(row)
        pieces.append(piece.encode(output_codec))
    if codec == "utf-16" and pieces:
        pieces[0] = b"\xff\xfe" + pieces[0]
    return pieces, rows


def _split_lines(text: str) -> list[str]:
    """Lines as the writer ends them. A page break or U+2028 in a cell ends none, although Python's
    ``splitlines`` says so."""
    return io.StringIO(text, newline="").readlines()


def _find_delimiter(text: str) -> str:
    """The delimiter of the row of names, which is the first row with several cells."""
    for line in _split_lines(text):
        if not line.startswith((_TITLE, f'"{_TITLE}', "\ufeff" + _TITLE)):
            return max(",;\t|", key=line.count)
    return ","


def holds_reference(cell: str, reference: str) -> bool:
    """Whether a cell is a reference, also as a number that lost its leading zeros."""
    match = TEXT_FORMULA.fullmatch(cell)
    text = (match[1] if match else cell).strip()
    return text == reference or (text.isdecimal() and text.zfill(len(reference)) == reference)
