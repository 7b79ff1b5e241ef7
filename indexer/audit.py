"""The audit log: a line for each run that asks, before its result is printed; and two for each that
forgets, one before anything is removed.

A file of JSON lines for its owner's eyes only, appended to under a lock, synced to the disk, and
chained (``indexer.chain``). Holds what was asked and by whom; never a record's text or reference.
Of a record that is forgotten it holds a mark: the HMAC-SHA256 of its reference, with a key that
lies beside the log. A plain hash would give the reference away to whoever tries them all.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import filelock
import msgspec
import psutil
from msgspec import Struct

from indexer import chain
from indexer.chain import Checked
from indexer.errors import BrokenChainError, FoidexError, OutputError

NAME: Final = "audit.jsonl"
KEY: Final = "audit.key"
_KEY_BYTES: Final = 32
_MARK: Final = "crime_ref_hmac_sha256"
_PLAIN_MARK: Final = "crime_ref_sha256"  # of lines written before there was a key
_NO_RESULT: Final = "and no query goes unlogged, so no result is given"
_NOTHING_DONE: Final = "and nothing is removed unlogged, so nothing was changed"
_UNTOLD: Final = (
    "so it says that this run began, and not how it ended: what was asked may be done. Run it again"
)
_WAIT: Final = 30
_BLOCK: Final = 64 * 1024
_PRIVATE: Final = 0o600
_LONGEST_NAME: Final = 100


class Entry(Struct, frozen=True, omit_defaults=True):
    """One line. ``request`` and ``numbers`` are SHA-256 hashes; ``asked`` is what a command line
    without a request file asks; ``records`` are those it returned, or counted in scope.

    ``begins`` is true of a line that was written before anything was changed; the next one of that
    run says what came of it. ``of`` is the hash of an earlier line of the run, also where it failed
    after its line was written.
    """

    at: datetime
    user: str
    command: str
    exit_code: int
    version: str
    sudo_user: str | None = None
    reference: str | None = None
    request: str | None = None
    asked: dict[str, Any] | None = None
    generation: str | None = None
    numbers: str | None = None
    records: int | None = None
    begins: bool = False
    of: str | None = None


class Log:
    """The log at a path, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, entry: Entry, otherwise: str = _NO_RESULT) -> str:
        """Write a line to the disk and return its hash.

        Raises OutputError, which says what follows where it cannot be written: ``otherwise``.
        """
        with self._locked(otherwise):
            return self._append(entry)

    @contextmanager
    def _locked(self, otherwise: str) -> Iterator[None]:
        """Let one run write at a time. Raises OutputError, also for what cannot be written."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with filelock.FileLock(f"{self.path}.lock", timeout=_WAIT, mode=_PRIVATE):
                yield
        except filelock.Timeout:
            why = f"another run held its lock for {_WAIT} seconds"
            raise self._unwritable(why, otherwise) from None
        except OSError as error:
            raise self._unwritable(str(error.strerror), otherwise) from None

    def _append(self, entry: Entry) -> str:
        new = not self.path.exists()
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _PRIVATE)
        try:
            end = _end(file)
            # What a crash cut short gets an end, so that the line after it stands alone.
            cut = b"\n" if end and not end.endswith(b"\n") else b""
            line = chain.line(msgspec.to_builtins(entry), end + cut)
            if os.write(file, cut + line) != len(cut + line):
                raise OSError(errno.ENOSPC, "the disk is full")
            os.fsync(file)
        finally:
            os.close(file)
        if new:
            sync_folder(self.path.parent)
        return chain.digest(line)

    def _unwritable(self, why: str, otherwise: str) -> OutputError:
        return OutputError(
            f"{self.path}: the audit log cannot be written ({why}), {otherwise}. Make it writable, "
            "or name another folder in [audit] of foidex.toml."
        )

    def mark(self, reference: str) -> str:
        """What stands for a record's reference in a line; makes the key where there is none.

        Raises OutputError where it cannot be made, BrokenChainError where it cannot be used.
        """
        with self._locked(_NOTHING_DONE):
            key = self._key()
            return _mark(self._new_key() if key is None else key, reference)

    def _key(self) -> bytes | None:
        path = self.path.with_name(KEY)
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BrokenChainError(
                f"{path}: the key of the audit log cannot be read ({error.strerror}). Run as its "
                "owner."
            ) from None
        if len(key) != _KEY_BYTES:
            raise BrokenChainError(
                f"{path}: is no key of the audit log, which has {_KEY_BYTES} bytes. Put it back "
                "from a copy; or move it away, and a new one is made, which tells no record that "
                "was forgotten before."
            )
        return key

    def _new_key(self) -> bytes:
        key = secrets.token_bytes(_KEY_BYTES)
        write_private(self.path.with_name(KEY), key)
        sync_folder(self.path.parent)
        return key

    def forgotten(self, reference: str) -> Iterator[dict[str, Any]]:
        """The lines of runs that forgot a record, or let it come back; those made with another key
        cannot be told. Raises as ``check``."""
        key = self._key()
        marks = {_PLAIN_MARK: hashlib.sha256(_bytes(reference)).hexdigest()}
        if key is not None:
            marks[_MARK] = _mark(key, reference)
        for said in self.last():
            asked = said.get("asked")
            if isinstance(asked, dict) and any(asked.get(name) == marks[name] for name in marks):
                yield said

    def check(self, noted: str = "") -> Checked:
        """Check the chain, also against a head that was noted. Raises BrokenChainError."""
        with self._open() as file:
            found = chain.check(file, noted)
        if found.broken:
            more = f" ({len(found.broken):,} breaks in all)" if len(found.broken) > 1 else ""
            raise BrokenChainError(
                f"{self.path}: {found.broken[0]}{more}. Keep the file as it is, and compare it "
                "with a copy."
            )
        return found

    def last(self, number: int | None = None) -> Iterator[dict[str, Any]]:
        """The last lines, oldest first; a line that is none is left out. Raises as ``check``."""
        with self._open() as file:
            lines = file if number is None else deque(file, maxlen=number)
            for line in lines:
                try:
                    said = msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if isinstance(said, dict):
                    yield said

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        try:
            with self.path.open("rb") as file:
                yield file
        except FileNotFoundError:
            raise BrokenChainError(
                f"{self.path}: there is no audit log. Where anything was asked before, it was "
                "removed; else ask something first."
            ) from None
        except OSError as error:
            raise BrokenChainError(
                f"{self.path}: the audit log cannot be read ({error.strerror}). Run as its owner."
            ) from None


class Run:
    """One run of a command, which leaves one line: by ``write``, or where it fails. One that
    changes something leaves a line before that, by ``begin``.

    Where it fails after that (a reader that went away, a server lost between pages), a second line
    says so and names the first. Without a log nothing is written.
    """

    def __init__(self, log: Log | None, command: str, version: str, sudo_user: str | None) -> None:
        self._log = log
        self._known: dict[str, Any] = {
            "command": command,
            "version": version,
            "user": psutil.Process().username(),
            "sudo_user": _plain(sudo_user) if sudo_user else None,
        }
        self._written: str | None = None
        self._said: int | None = None

    def about(self, **known: Any) -> None:
        """Remember what is known of the run: fields of an Entry."""
        self._known |= known

    def forgets(self, reference: str) -> None:
        """Remember, by its mark, the record that is forgotten. Raises as ``Log.mark``."""
        if self._log is not None:
            self.about(asked={_MARK: self._log.mark(reference)})

    def begin(self) -> None:
        """Write that a run is about to change something. Raises OutputError."""
        self._append(0, _NOTHING_DONE, begins=True)
        self._said = None  # what comes of it is to be said, too

    def write(self, exit_code: int = 0, **known: Any) -> None:
        """Write the line of a run, and what it will exit with, before its result is printed.

        Raises OutputError.
        """
        self.about(**known)
        self._append(exit_code, _UNTOLD if self._written else _NO_RESULT)

    def _append(self, exit_code: int, otherwise: str, *, begins: bool = False) -> None:
        self._said = exit_code
        if self._log is not None:
            now = datetime.now(UTC).replace(microsecond=0)
            known = {**self._known, "begins": begins, "of": self._written}
            entry = Entry(at=now, exit_code=exit_code, **known)
            self._written = self._log.append(entry, otherwise)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if error is None:
            assert self._said is not None, "a run that asked wrote no line"
        elif (code := exit_code_of(error)) != self._said:
            try:
                self._append(code, _UNTOLD if self._written else _NO_RESULT)
            except OutputError:
                if not isinstance(error, OutputError):  # which tells more of what cannot be written
                    raise


def exit_code_of(error: BaseException) -> int:
    """What the program exits with after an error."""
    if isinstance(error, OSError) and error.filename is None:  # of the output
        return OutputError.exit_code
    code = getattr(error, "exit_code", FoidexError.exit_code)
    return code if isinstance(code, int) else FoidexError.exit_code


def _mark(key: bytes, reference: str) -> str:
    return hmac.digest(key, _bytes(reference), "sha256").hex()


def _bytes(reference: str) -> bytes:
    """A reference as bytes, also one that is no text and is refused later."""
    return reference.encode("utf-8", "replace")


def _plain(name: str) -> str:
    return re.sub(r"[^\w.@\\-]", "?", name)[:_LONGEST_NAME]


def _end(file: int) -> bytes:
    """The end of a file, from its last whole line on."""
    start = os.lseek(file, 0, os.SEEK_END)
    end = b""
    while start:
        size = min(_BLOCK, start)
        start -= size
        end = os.pread(file, size, start) + end
        # The first line may be half read.
        known = end if not start else end[end.find(b"\n") + 1 :]
        last, torn = chain.last_whole(known)
        if last:
            return last + torn
    return end


def write_private(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, synced, and for its owner's eyes from the first moment.

    Raises OSError.
    """
    handle, scratch = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        Path(scratch).replace(file)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make a new file's name last, which is an entry of its folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
