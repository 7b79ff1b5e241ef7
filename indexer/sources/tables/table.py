"""What all readers of tables share: rows, their limits, and cells as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from indexer.errors import SourceError
from indexer.integrity.special_cells import MergedCell, UncomputedCell
from indexer.sources.tables.spreadsheet_worker import (
    DATE_CODE,
    DATETIME_CODE,
    MERGED_CODE,
    UNCOMPUTED_CODE,
)

#: The most columns of a table. Excel allows 16,384; a list of records needs a few dozen.
MAX_COLUMNS: Final = 2_000


class TableRow(Struct, frozen=True, gc=False):
    """One row: where it stands ("crimes.csv:41"), its cells, and how many bytes were read with it.

    ``error`` says why it cannot be read, ``error_kind`` what all rows of that fault share.
    ``source`` is the text that it was read from, if that is no row of cells. ``is_short`` is true
    for a row that has fewer cells than it should.
    """

    location: str
    cells: list[Any]
    size: int = 0
    error: str | None = None
    source: bytes | None = None
    is_short: bool = False
    error_kind: str = ""


class SourceTable(Struct, frozen=True):
    """One table of a file: a file of text, a sheet, a member of a zip or the objects of JSON.

    ``name`` is that of the file or, of several in one, of the sheet or the member. ``rows`` opens
    its rows; those of a ``keyed`` table are objects and have no row of names. ``uncomputed`` is the
    number of cells of a sheet that are an UncomputedCell.
    """

    name: str
    rows: Callable[[], Iterator[TableRow]]
    hidden: bool = False
    keyed: bool = False
    delimiter: str | None = None
    encoding: str | None = None
    evidence: tuple[str, ...] = ()
    uncomputed: int = 0

    @property
    def is_sheet(self) -> bool:
        """Whether it is a sheet of a spreadsheet, which alone is in no encoding."""
        return self.encoding is None


def is_blank_row(cells: Sequence[Any]) -> bool:
    """Whether no cell has a value."""
    for cell in cells:
        if isinstance(cell, str):
            if cell and not cell.isspace():
                return False
        elif cell is not None and cell != []:
            return False
    return True


def name_columns(cells: Sequence[Any]) -> list[str]:
    """The name of each column: white space is folded; a name that stands twice, or an empty one,
    gets its number."""
    names = [" ".join(str(cell if cell is not None else "").split()) for cell in cells]
    return [
        f"(column {number})"
        if not name
        else f"{name} ({number})"
        if names.count(name) > 1
        else name
        for number, name in enumerate(names, start=1)
    ]


def check_width(location: str, width: int) -> None:
    """Raise SourceError for more columns than a table may have."""
    if width > MAX_COLUMNS:
        raise SourceError(
            f"{location}: has {width:,} columns, and {MAX_COLUMNS:,} are read at most. Export only "
            "the columns of the records."
        )


def _unwrap(code: int, data: memoryview) -> Any:
    text = bytes(data).decode()
    if code == UNCOMPUTED_CODE:
        return UncomputedCell()
    if code == MERGED_CODE:
        return MergedCell()
    if code == DATE_CODE:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text) if code == DATETIME_CODE else text


_DECODER: Final = msgspec.msgpack.Decoder(ext_hook=_unwrap)


def decode_rows(data: bytes) -> list[list[Any]]:
    """The rows of ``encode_rows``."""
    rows: list[list[Any]] = _DECODER.decode(data)
    return rows
