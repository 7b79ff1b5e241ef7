"""Count the hidden rows and columns of a spreadsheet's sheets, which are read like others.

XLSX and ODS say it in their XML, which is searched as text: nothing is parsed or expanded. XLS and
XLSB do not tell.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from indexer.files import open_ordinary_input

_BLOCK_BYTES: Final = 1024 * 1024

_OVERLAP: Final = 4096

_MAX_SCANNED: Final = 1024**3

# The patterns are bounded, so that a sheet made to be slow is not: no part of one is tried twice.
_ROW: Final = re.compile(
    rb"<(?:\w{1,20}:)?row\b[^<>]{0,1000}\bhidden=[\"'](?:1|true)[\"'][^<>]{0,1000}>"
)

_ROW_NUMBER: Final = re.compile(rb"\sr=[\"']([0-9]{1,7})[\"']")

_COLUMN: Final = re.compile(rb"<(?:\w{1,20}:)?col\b[^<>]{0,1000}\bhidden=[\"'](?:1|true)[\"']")

_ODS_ROW: Final = re.compile(
    rb"<table:table-row\b[^<>]{0,1000}table:visibility=[\"'](?:collapse|filter)[\"']"
)

_ODS_COLUMN: Final = re.compile(
    rb"<table:table-column\b[^<>]{0,1000}table:visibility=[\"'](?:collapse|filter)[\"']"
)


_SHEET: Final = re.compile(rb"<(?:\w{1,20}:)?sheet\s([^<>]{1,2000})>")

_RELATION: Final = re.compile(rb"<(?:\w{1,20}:)?Relationship\s([^<>]{1,2000})>")

_ATTRIBUTE: Final = re.compile(r"([\w:]{1,40})=\"([^\"]{0,1000})\"")

#: A list of sheets is short.
_MAX_LIST_BYTES: Final = 1_000_000

#: So many numbers of hidden rows of a sheet are kept to be shown.
_MAX_ROW_NUMBERS: Final = 1_000


class HiddenParts(Struct):
    """How many rows and how many groups of columns of a file are hidden. ``row_numbers`` are the
    first hidden rows of each sheet of an XLSX, by its name, or by that of its part."""

    rows: int = 0
    columns: int = 0
    row_numbers: dict[str, list[int]] = {}


def count_hidden_parts(path: Path) -> HiddenParts | None:
    """The hidden rows and columns of all sheets; None for a format that does not tell."""
    name = path.name.lower()
    if name.endswith((".xlsx", ".xlsm")):
        members, row, column = re.compile(r"xl/worksheets/[^/]*\.xml"), _ROW, _COLUMN
    elif name.endswith(".ods"):
        members, row, column = re.compile(r"content\.xml"), _ODS_ROW, _ODS_COLUMN
    else:
        return None
    parts = HiddenParts()
    try:
        with open_ordinary_input(path) as file, zipfile.ZipFile(file) as package:
            sheet_names = _read_sheet_names(package)
            for member in filter(members.fullmatch, package.namelist()):
                with package.open(member) as stream:
                    row_numbers = _count_parts_of_sheet(stream, (row, column), parts)
                if row_numbers:
                    parts.row_numbers[sheet_names.get(member, member)] = row_numbers
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
        return None
    return parts


def _count_parts_of_sheet(
    stream: IO[bytes], patterns: tuple[re.Pattern[bytes], re.Pattern[bytes]], parts: HiddenParts
) -> list[int]:
    """Add what is hidden in a member to ``parts``; returns the first numbers of such rows."""
    row, column = patterns
    row_numbers: list[int] = []
    for window, start in _read_windows(stream):
        parts.columns += sum(match.end() > start for match in column.finditer(window))
        for match in row.finditer(window):
            if match.end() > start:
                parts.rows += 1
                number = _ROW_NUMBER.search(match[0])
                if number and len(row_numbers) < _MAX_ROW_NUMBERS:
                    row_numbers.append(int(number[1]))
    return row_numbers


def _read_sheet_names(package: zipfile.ZipFile) -> dict[str, str]:
    """The names of the sheets of an XLSX by their parts, as far as its lists tell them plainly."""
    targets = {
        relation.get("Id", ""): relation.get("Target", "")
        for relation in _list_attributes(package, "xl/_rels/workbook.xml.rels", _RELATION)
    }
    names = {}
    for sheet in _list_attributes(package, "xl/workbook.xml", _SHEET):
        if target := targets.get(sheet.get("r:id", "")):
            part = target[1:] if target.startswith("/") else f"xl/{target}"
            names[part] = unescape(sheet.get("name", part))
    return names


def _list_attributes(
    package: zipfile.ZipFile, member: str, pattern: re.Pattern[bytes]
) -> list[dict[str, str]]:
    if member not in package.namelist():
        return []
    with package.open(member) as stream:
        content = stream.read(_MAX_LIST_BYTES)
    return [
        dict(_ATTRIBUTE.findall(match[1].decode("utf-8", "replace")))
        for match in pattern.finditer(content)
    ]


def _read_windows(stream: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Overlapping pieces of a member, each with the length of what the one before had, too."""
    tail = b""
    scanned = 0
    while (block := stream.read(_BLOCK_BYTES)) and scanned < _MAX_SCANNED:
        scanned += len(block)
        window = tail + block
        yield window, len(tail)
        tail = window[-_OVERLAP:]
