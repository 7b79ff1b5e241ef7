"""Checks that files hold a whole extract.

A file must stay as it is while it is read, and must be what the small files beside it say: for
crimes.jsonl, ``crimes.jsonl.count`` (its number of records) and ``crimes.jsonl.sha256`` (as
sha256sum writes it). Tables that belong together must be of about the same time. This module does
not know what a record is.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from msgspec import Struct

from indexer.errors import SourceError
from indexer.files import open_input, read_file
from indexer.sources.tables.encoding import OpenBytes
from indexer.sources.tables.zipped import list_members, open_packed
from indexer.terminal import show_name

SidecarKind = Literal["count", "sha256"]

#: The endings of the files that say what a file must hold.
SIDECAR_ENDINGS: Final = tuple(f".{kind}" for kind in get_args(SidecarKind))

#: Within how many hours the tables of one extract are written: fewer than from night to night.
MAX_HOURS_APART: Final = 12

_HOUR_NS: Final = 3_600_000_000_000

_BLOCK_BYTES: Final = 1024 * 1024

#: What a text ends with that is not cut within its last cell: the end of a line, of a cell
#: in quotation marks or of a sentence.
_WHOLE_ENDS: Final = (b"\n", b"\r", b'"', b".", b"!", b"?")

_END_BYTES: Final = 16

_COUNT: Final = re.compile(r"\s*([0-9]{1,18})\s*")

_MAX_SIDECAR_BYTES: Final = 1_000_000

_CHECKSUM: Final = re.compile(r"\\?([0-9a-fA-F]{64})(?: [ *](.+))?")


class ExtractRules(Struct, frozen=True):
    """``required`` are the small files that every file must have beside it; ``allowed`` names the
    checks ("changed", "expected", "apart") that the operator sets aside."""

    required: tuple[SidecarKind, ...] = ()
    allowed: frozenset[str] = frozenset()


class FileState(NamedTuple):
    """The size in bytes and the time of the last change, in nanoseconds, of an ordinary file."""

    size: int
    changed_at: int


class ExtractChecks:
    """The checks of the files of one load. ``failed`` names the checks that failed and that the
    operator set aside."""

    def __init__(
        self, files: Iterable[Path], optional_files: Iterable[Path], rules: ExtractRules
    ) -> None:
        """Note the state of every file. ``optional_files`` are read only if they exist."""
        self.failed: set[str] = set()
        self._rules = rules
        self._files = [*files, *(file for file in optional_files if file.exists())]
        self._absent_files = [file for file in optional_files if not file.exists()]
        self._sidecars = [sidecar for file in self._files for sidecar in list_sidecars(file)]
        self._states = {
            file: _read_state(file) for file in (*self._files, *optional_files, *self._sidecars)
        }

    def check_checksums(self) -> None:
        """Compare each file with its checksum, where it has one. Raises SourceError, also for one
        that is missing though something says what it must hold."""
        for file in self._absent_files:
            self._refuse_lone_sidecars(file)
        for sidecar in self._sidecars:
            self._refuse_passing_over(sidecar)
        for file in self._files:
            self._require_sidecars(file)
            sidecar = _find_sidecar(file, "sha256")
            if self._states[sidecar] is None or self._states[file] is None:
                continue
            checksum = self._read_checksum(sidecar, file.name)
            if checksum and _hash_file(file) != checksum:
                self._fail(
                    "expected",
                    f"{file}: its SHA-256 is not the one in {sidecar.name}, so it is not the file "
                    "that was sent. Copy both again",
                )

    def check_times(self, tables: Iterable[Path]) -> None:
        """Compare when the tables of one extract were written. Raises SourceError if one may be
        left from an earlier extract."""
        times = {table: state.changed_at for table in tables if (state := self._states.get(table))}
        if not times:
            return
        oldest, newest = min(times, key=times.__getitem__), max(times, key=times.__getitem__)
        hours = (times[newest] - times[oldest]) / _HOUR_NS
        if hours > MAX_HOURS_APART:
            self._fail(
                "apart",
                f"{oldest}: was written {hours:,.0f} hours before {newest.name}, so it may be left "
                "from an earlier extract. Export all tables together",
            )

    def check_counts(self, counts: Mapping[Path, int]) -> None:
        """Compare the records read of each file with its count, where it has one. Raises
        SourceError."""
        for file in self._files:
            sidecar = _find_sidecar(file, "count")
            if self._states[sidecar] is None:
                continue
            match = _COUNT.fullmatch(_read_sidecar(sidecar))
            if match is None:
                self._fail("expected", f"{sidecar}: is not a number of records. Write it again")
            elif int(match[1]) != counts.get(file, 0):
                self._fail(
                    "expected",
                    f"{file}: holds {counts.get(file, 0):,} records, but {sidecar.name} says "
                    f"{int(match[1]):,}. Copy both again",
                )

    def check_unchanged(self) -> None:
        """Raise SourceError if a file was changed, replaced or removed since the start."""
        for file, before in self._states.items():
            after = _read_state(file)
            if after != before:
                self._fail(
                    "changed",
                    f"{file}: {_describe_change(before, after)} while the records were read. Read "
                    "it again when it is complete, and let whoever writes it write another name "
                    "first and rename it at the end",
                )

    def check_no_more_files(self, paths: Iterable[Path], later_paths: Iterable[Path]) -> None:
        """Raise SourceError if the patterns of the source match files at the end that they did not
        match at the start: whoever writes the extract was not done."""
        for path in sorted({*later_paths} - {*paths}):
            self._fail(
                "changed",
                f"{path}: appeared while the records were read, and is not among them. Read again "
                "when all files are there, and let whoever writes them write into another folder "
                "first and rename that at the end",
            )

    def _refuse_passing_over(self, sidecar: Path) -> None:
        if self._states[sidecar] is None and os.path.lexists(sidecar):
            self._fail(
                "expected",
                f"{sidecar}: is not an ordinary file, nor a link to one that is there, so it says "
                "nothing. Copy it again, or remove it",
            )

    def _require_sidecars(self, file: Path) -> None:
        for kind in self._rules.required:
            sidecar = _find_sidecar(file, kind)
            if self._states[sidecar] is None:
                self._fail(
                    "expected",
                    f"{sidecar}: there is no such file, and [source] require asks for it. Copy it "
                    f"beside {file.name}",
                )

    def _refuse_lone_sidecars(self, file: Path) -> None:
        for sidecar in list_sidecars(file):
            if sidecar.exists():
                self._fail(
                    "expected",
                    f"{file}: there is no such file, but {sidecar.name} says what it must hold. "
                    "Copy both again, or remove both",
                )

    def _read_checksum(self, sidecar: Path, name: str) -> str | None:
        """The checksum of a file in lower case; None if there is none and that is allowed."""
        matches = [_CHECKSUM.fullmatch(line) for line in _read_sidecar(sidecar).splitlines()]
        for match in matches:
            if match and (match[2] is None or re.split(r"[/\\]", match[2])[-1] == name):
                return match[1].lower()
        self._fail(
            "expected",
            f"{sidecar}: has no SHA-256 of {name}. Write it with: "
            f"sha256sum {name} > {sidecar.name}",
        )
        return None

    def _fail(self, check: Literal["changed", "expected", "apart"], message: str) -> None:
        if check not in self._rules.allowed:
            raise SourceError(f"{message}; or run the command again with --allow {check}.")
        self.failed.add(check)


def describe_open_ends(file: Path) -> tuple[str, ...]:
    """What to note of a text, packed or not, that may end within its last cell; in a zip, of each
    that does."""
    try:
        texts = list_members(file) if file.suffix.lower() == ".zip" else [("", _open_text(file))]
        ends = [(name, _read_end(open_bytes)) for name, open_bytes in texts]
    except (OSError, EOFError, SourceError, zipfile.BadZipFile, zlib.error):
        return ()  # whoever reads it says so
    return tuple(
        f"{show_name(f'{file.name}/{name}' if name else file.name)} ends without an end of its "
        "last line, so it may be cut short, and its last cell with it"
        for name, end in ends
        if end and not end.endswith(_WHOLE_ENDS)
    )


def _open_text(file: Path) -> OpenBytes:
    return partial(open_packed, file)


def _read_end(open_bytes: OpenBytes) -> bytes:
    """The last bytes of a text. What is packed has to be read from its beginning."""
    with open_bytes() as text:
        if isinstance(text, io.BufferedReader) and text.seekable():
            text.seek(max(text.seek(0, os.SEEK_END) - _END_BYTES, 0))
        end = b""
        while block := text.read(_BLOCK_BYTES):
            end = (end + block)[-_END_BYTES:]
    return end.replace(b"\0", b"")  # of UTF-16


def is_sidecar(path: Path) -> bool:
    """Whether a file says what the file beside it must hold."""
    return path.name.endswith(SIDECAR_ENDINGS) and path.with_suffix("").exists()


def list_sidecars(file: Path) -> list[Path]:
    """The files that may be beside a file to say what it must hold, whether they exist or not."""
    return [_find_sidecar(file, kind) for kind in get_args(SidecarKind)]


def _find_sidecar(file: Path, kind: SidecarKind) -> Path:
    return file.with_name(f"{file.name}.{kind}")


def _read_state(file: Path) -> FileState | None:
    """The state of an ordinary file; None if there is none, as for a named pipe.

    The number of the file is left out: some network file systems change it without a reason.
    """
    try:
        status = file.stat()
    except OSError:
        return None
    return FileState(status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def _describe_change(before: FileState | None, after: FileState | None) -> str:
    if before is None:
        return "appeared"
    if after is None:
        return "was removed"
    if after.size == before.size:
        return "was written to or replaced"
    verb = "grew" if after.size > before.size else "shrank"
    return f"{verb} from {before.size:,} to {after.size:,} bytes"


def _read_sidecar(sidecar: Path) -> str:
    try:
        return read_file(sidecar, _MAX_SIDECAR_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        raise SourceError(
            f"{sidecar}: cannot be read ({error.strerror}). Check the file and its permissions."
        ) from None


def _hash_file(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with open_input(file) as content:
            while block := content.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise SourceError(
            f"{file}: cannot be read ({error.strerror}). Check its permissions."
        ) from None
    return digest.hexdigest()
