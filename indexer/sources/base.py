"""What sources share: the raw record that each yields, and the limit of one record's text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

MAX_RECORD_BYTES: Final = 32 * 1024 * 1024

_BLOCK_CHARACTERS: Final = 64 * 1024


class SourceRows(Struct, frozen=True, gc=False):
    """The rows of a table that a record was read from, with the names of their columns."""

    header: tuple[str, ...]
    rows: tuple[list[Any], ...]


class RawRecord(Struct, frozen=True, gc=False):
    """A record that is not checked yet.

    ``location`` is "file:line"; ``raw`` is the JSON line, or a mapping of Python values; ``size``
    is the number of bytes read for it. ``error`` says why the source itself rejects it, and the
    fix; ``error_kind`` is what it has in common with all records of the same fault. A ``blank``
    row or line is no record: it is yielded so that it is counted; ``skipped_by`` says why a row
    with text is none. ``notes`` are what is counted about the record. ``origin`` is what the record
    was read from, if ``raw`` is not that: the rows of a table, or a JSON object.
    """

    location: str
    raw: bytes | dict[str, Any]
    size: int
    error: str | None = None
    error_kind: str = ""
    blank: bool = False
    skipped_by: str = ""
    notes: tuple[str, ...] = ()
    origin: SourceRows | bytes | None = None


class RecordTooLongError(Exception):
    """The text of one record is longer than MAX_RECORD_BYTES characters."""


class RecordLines:
    """The lines of a text, of which only so many characters may belong to one record.

    Hardly more than that is ever in memory, even if the text has no line end at all.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._room = MAX_RECORD_BYTES

    def begin_record(self) -> int:
        """Say that the lines to come belong to the next record; returns how many characters the
        lines since the last one have."""
        size = MAX_RECORD_BYTES - self._room
        self._room = MAX_RECORD_BYTES
        return size

    def __iter__(self) -> Iterator[str]:
        """Raises RecordTooLongError."""
        pending: list[str] = []  # what is read of a line whose end is not
        is_whole = False
        while not is_whole:
            block = self._text.read(_BLOCK_CHARACTERS)
            is_whole = not block
            pending.append(block)
            if is_whole or "\n" in block or "\r" in block:
                # Python's ``splitlines`` knows more ends of lines than a file has.
                lines = io.StringIO("".join(pending), newline="").readlines()
                pending = [lines.pop()] if lines and not is_whole else []
                for line in lines:
                    self._room -= len(line)
                    if self._room < 0:
                        raise RecordTooLongError
                    yield line
            if sum(map(len, pending)) > self._room:
                raise RecordTooLongError
