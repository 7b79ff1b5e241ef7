"""Count the hidden rows and columns of a spreadsheet's sheets, which are read like others.

XLSX and ODS say it in their XML, which is searched as text: nothing is parsed or expanded. XLS and
XLSB do not tell.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from indexer.files import open_ordinary_input

_BLOCK_BYTES: Final = 1024 * 1024

_OVERLAP: Final = 4096

_MAX_SCANNED: Final = 1024**3

# The patterns are bounded, so that a sheet made to be slow is not: no part of one is tried twice.
_ROW: Final = re.compile(rb"<row\b[^<>]{0,1000}\bhidden=\"(?:1|true)\"")

_COLUMN: Final = re.compile(rb"<col\b[^<>]{0,1000}\bhidden=\"(?:1|true)\"")

_ODS_ROW: Final = re.compile(
    rb"<table:table-row\b[^<>]{0,1000}table:visibility=\"(?:collapse|filter)\""
)

_ODS_COLUMN: Final = re.compile(
    rb"<table:table-column\b[^<>]{0,1000}table:visibility=\"(?:collapse|filter)\""
)


class HiddenParts(Struct):
    """How many rows and how many groups of columns of a file are hidden."""

    rows: int = 0
    columns: int = 0


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
            for member in package.namelist():
                if members.fullmatch(member):
                    with package.open(member) as stream:
                        for window, start in _read_windows(stream):
                            parts.rows += sum(m.end() > start for m in row.finditer(window))
                            parts.columns += sum(m.end() > start for m in column.finditer(window))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
        return None
    return parts


def _read_windows(stream: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Overlapping pieces of a member, each with the length of what the one before had, too."""
    tail = b""
    scanned = 0
    while (block := stream.read(_BLOCK_BYTES)) and scanned < _MAX_SCANNED:
        scanned += len(block)
        window = tail + block
        yield window, len(tail)
        tail = window[-_OVERLAP:]
