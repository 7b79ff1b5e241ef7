"""Read records from JSON Lines, plain or gzip, one line at a time whatever the file's size.

A JSON array, and objects of several lines, are read one object at a time.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from indexer.errors import SourceError
from indexer.files import is_file, open_input
from indexer.sources.base import MAX_RECORD_BYTES, RawRecord
from indexer.sources.tables.json_objects import read_json_objects, write_one_line
from indexer.sources.tables.zipped import open_packed

# Records compress to about a tenth; a file made to fill a disk, to a thousandth or less.
_MAX_INFLATION: Final = 200

_INFLATION_GRACE: Final = 1024 * 1024

#: The most gzip data that may give nothing at all: a file of nothing but ends would take hours.
_MAX_BARREN_BYTES: Final = 1024 * 1024

_GZIP: Final = b"\x1f\x8b"

_UTF8_BOM: Final = b"\xef\xbb\xbf"

_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")


class _BarrenDataError(Exception):
    """Too much gzip data gave nothing."""


class _PackedFile:
    """A gzip file that is read until a limit of bytes, which is set again at each line."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.remaining = _MAX_BARREN_BYTES

    def read(self, size: int = -1) -> bytes:
        """Bytes for the gzip reader. Raises _BarrenDataError."""
        data = self._file.read(size)
        self.remaining -= len(data)
        if self.remaining < 0:
            raise _BarrenDataError
        return data


class _PackedLines:
    """The lines of a gzip file, in bounded time even if it holds nothing."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._packed = _PackedFile(file)
        self._lines = gzip.GzipFile(fileobj=self._packed)  # type: ignore[call-overload]

    def readline(self, size: int) -> bytes:
        """The next line, or its first ``size`` bytes. Raises _BarrenDataError."""
        self._packed.remaining = _MAX_BARREN_BYTES
        self._lines.peek(1)
        self._packed.remaining = _MAX_BARREN_BYTES + size
        line: bytes = self._lines.readline(size)
        return line


def read_json_lines(path: Path) -> Iterator[RawRecord]:
    """Every line, blank ones marked as such. Raises SourceError for a file that cannot be read."""
    try:
        with open_input(path) as file:
            yield from _read_lines(path, file)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise SourceError(
            f"{path}: the gzip data is cut short or damaged. Copy the file again."
        ) from None
    except _BarrenDataError:
        raise SourceError(
            f"{path}: over {_MAX_BARREN_BYTES // 1024 // 1024} MB of its gzip data hold nothing, "
            "which records never do. Check where the file came from."
        ) from None
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read ({error.strerror}). Check its permissions."
        ) from None


def _read_lines(path: Path, file: io.BufferedReader) -> Iterator[RawRecord]:
    head = file.peek(2)
    packed = head.startswith(_GZIP)
    lines = _PackedLines(file) if packed else file
    name = path.name
    number = 0
    is_first = True
    packed_position = 0
    unpacked_size = 0
    while line := lines.readline(MAX_RECORD_BYTES):
        number += 1
        unpacked_size += len(line)
        if (
            packed
            and unpacked_size > _INFLATION_GRACE
            and file.seekable()
            and unpacked_size > _MAX_INFLATION * file.tell()
        ):
            raise SourceError(
                f"{path}:{number}: the gzip data expands to more than {_MAX_INFLATION} times "
                "its size, which records never do. Check where the file came from."
            )
        if number == 1:
            line = _strip_byte_order_mark(path, line)
        if len(line) == MAX_RECORD_BYTES and not line.endswith(b"\n"):
            raise SourceError(
                f"{path}:{number}: the line is longer than {MAX_RECORD_BYTES // 1024 // 1024} "
                "MB, so this is not JSON Lines. Write one record a line."
            )
        if line.isspace() or not line:
            yield RawRecord(f"{name}:{number}", b"", 0, blank=True)
            continue
        if is_first:
            if _begins_other_json(line):
                yield from _read_objects(path)
                return
            is_first = False
        size = len(line)
        if packed and file.seekable():
            size, packed_position = file.tell() - packed_position, file.tell()
        yield RawRecord(f"{name}:{number}", line, size)


def _begins_other_json(line: bytes) -> bool:
    """Whether the first line shows that this is JSON, but not one record a line."""
    start = line.strip()
    return start.startswith(b"[") or start == b"{"


def _read_objects(path: Path) -> Iterator[RawRecord]:
    """The records of a JSON array, or of objects of several lines. Raises SourceError for what
    cannot be opened a second time, such as a named pipe."""
    if not is_file(path):
        raise SourceError(
            f"{path}: holds one JSON array or objects of several lines, which are read from a file "
            "only. Write them to a file first."
        )
    objects = read_json_objects(str(path), partial(open_packed, path))
    for number, (_, source) in enumerate(objects, start=1):
        line = write_one_line(source)
        yield RawRecord(f"{path.name}, object {number}", line, len(line))


def _strip_byte_order_mark(path: Path, line: bytes) -> bytes:
    if line.startswith(_UTF16_BOMS):
        raise SourceError(f"{path}: is UTF-16 text. Save it as UTF-8.")
    return line.removeprefix(_UTF8_BOM)
