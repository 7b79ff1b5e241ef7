"""Packed files, the members of a zip and gzip: read as streams that may not unpack to too much."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import re
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from indexer.errors import SourceError
from indexer.files import open_ordinary_input
from indexer.sources.tables.encoding import OpenBytes
from indexer.terminal import show_name

#: Records pack to about a tenth; a file made to fill a disk, to a thousandth or less.
MAX_INFLATION: Final = 200

_GRACE_BYTES: Final = 1024 * 1024

_MAX_MEMBERS: Final = 1_000

#: With folders and what a Mac adds: the list is read again for each member.
_MAX_ENTRIES: Final = 5_000

_GZIP: Final = b"\x1f\x8b"

# What a Mac adds: the properties of each file, and of each folder.
_MAC_ENTRY: Final = re.compile(r"__MACOSX/(?:.*/)?\._[^/]*|(?:.*/)?\.DS_Store")


class PackedStream(io.RawIOBase):
    """Packed data, read unpacked, that refuses to become MAX_INFLATION times its size.

    ``owners`` are closed with it.
    """

    def __init__(self, label: str, stream: IO[bytes], packed_size: int, *owners: Any) -> None:
        self._label = label
        self._stream = stream
        self._room = max(_GRACE_BYTES, MAX_INFLATION * packed_size)
        self._owners = owners

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read unpacked data. Raises SourceError where it is damaged, or too much."""
        try:
            data = self._stream.read(len(buffer))
        except (zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError):
            raise SourceError(
                f"{self._label}: the packed data is cut short or damaged. Copy it again."
            ) from None
        self._room -= len(data)
        if self._room < 0:
            raise SourceError(
                f"{self._label}: expands to more than {MAX_INFLATION} times its size, which "
                "records never do. Check where the file came from."
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close it and what it reads from."""
        if not self.closed:
            for owner in (self._stream, *self._owners):
                owner.close()
        super().close()


def explain_unreadable(path: Path, error: OSError) -> SourceError:
    """The error for a file that cannot be opened, with what helps."""
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{path}: there is no such file. Check the path.")
    return SourceError(f"{path}: cannot be read ({error.strerror}). Check its permissions.")


def list_members(path: Path) -> list[tuple[str, OpenBytes]]:
    """The files of a zip by name, each with what opens it. Raises SourceError."""
    try:
        with open_ordinary_input(path) as file, zipfile.ZipFile(file) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise SourceError(f"{path}: the zip is cut short or damaged. Copy it again.") from None
    except OSError as error:
        raise explain_unreadable(path, error) from None
    # Folders, and nothing that has content.
    infos = [
        info
        for info in entries
        if not (info.is_dir() and not info.file_size) and not _MAC_ENTRY.fullmatch(info.filename)
    ]
    if min((info.header_offset for info in entries), default=0):
        raise SourceError(
            f"{path}: begins with data that its list of files does not name, as two zips in one "
            "do, and only the last would be read. Give each zip by itself."
        )
    if not infos or len(infos) > _MAX_MEMBERS or len(entries) > _MAX_ENTRIES:
        raise SourceError(
            f"{path}: holds {len(infos):,} files in {len(entries):,} entries, and 1 to "
            f"{_MAX_MEMBERS:,} in at most {_MAX_ENTRIES:,} are read. Check the export."
        )
    names = [info.filename for info in infos]
    if len(set(names)) != len(names):
        raise SourceError(f"{path}: holds two files of one name. Check the export.")
    if any(info.flag_bits & 1 for info in infos):
        raise SourceError(f"{path}: has a password. Unpack it first.")
    return [(name, partial(_open_member, path, name)) for name in names]


def _open_member(path: Path, name: str) -> IO[bytes]:
    label = f"{path}/{show_name(name)}"
    file = open_ordinary_input(path)
    try:
        package = zipfile.ZipFile(file)
        info = package.getinfo(name)
        stream = package.open(info)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, ValueError):
        file.close()
        raise SourceError(f"{label}: cannot be unpacked. Copy it again.") from None
    packed_size = min(info.compress_size, os.fstat(file.fileno()).st_size)
    return io.BufferedReader(PackedStream(label, stream, packed_size, package, file))


def open_packed(path: Path) -> IO[bytes]:
    """The data of a file, unpacked if it is gzip. Raises SourceError."""
    try:
        file = open_ordinary_input(path)
    except OSError as error:
        raise explain_unreadable(path, error) from None
    if file.peek(2)[:2] != _GZIP:
        return file
    size = os.fstat(file.fileno()).st_size
    unpacked: IO[bytes] = gzip.GzipFile(fileobj=file)  # type: ignore[assignment]
    return io.BufferedReader(PackedStream(str(path), unpacked, size, file))
