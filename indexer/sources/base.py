"""What sources share: the raw record that each yields, and the limit of one record's text."""

from __future__ import annotations

import io
from typing import IO, Any, Final

from msgspec import Struct

MAX_RECORD_BYTES: Final = 32 * 1024 * 1024


class SourceRows(Struct, frozen=True, gc=False):
    """The rows of a table that a record was read from, with the names of their columns."""

    header: tuple[str, ...]
    rows: tuple[list[Any], ...]


class RawRecord(Struct, frozen=True, gc=False):
    """A record that is not checked yet.

    ``location`` is "file:line"; ``raw`` is the JSON line, or a mapping of Python values; ``size``
    is the number of bytes read for it, or with it where more is read at once. ``error`` says why
    the source itself rejects it, and the fix; ``error_kind`` is what it has in common with all
    records of the same fault. A ``blank`` row or line is no record: it is yielded so that it is
    counted; ``skipped_by`` says why a row with text is none. ``notes`` are what is counted about
    the record. ``origin`` is what the record was read from, if ``raw`` is not that: the rows of a
    table, or a JSON object.
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
    """One record is longer than MAX_RECORD_BYTES."""


class RecordStream(io.BufferedIOBase):
    """The bytes of a text, of which only so many may be read for one record.

    So hardly more than that is ever in memory, even if the text has no line end at all.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.name = ""  # that a text's buffer has
        self._stream = stream
        self._size = 0

    def end_record(self) -> int:
        """Say that what is read from now on belongs to the next record; returns how many bytes were
        read since the last one, at least 1. They are read by the block, so most records have 1."""
        size, self._size = self._size, 0
        return size or 1

    def readable(self) -> bool:
        """It is."""
        return True

    def read1(self, size: int = -1, /) -> bytes:
        """Read what is there. Raises RecordTooLongError."""
        data: bytes = self._stream.read1(size)  # type: ignore[attr-defined]
        self._size += len(data)
        if self._size > MAX_RECORD_BYTES:
            raise RecordTooLongError
        return data

    def close(self) -> None:
        """Close it and what it reads from."""
        self._stream.close()
        super().close()
