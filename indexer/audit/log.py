"""The audit log: one line for each query, written before its result is printed, and two for each
change of the index, the first before anything is changed.

It is a file of JSON lines that only its owner can read, appended to under a lock, synced to the
disk, and chained (``indexer.audit.chain``). It records what was asked and by whom, never a record's
text or reference. An erased record is recorded by a mark: the HMAC-SHA256 of its reference, with a
key in a file beside the log. A plain hash would reveal the reference to anyone who tries them all.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import filelock
import msgspec
import psutil
from msgspec import Struct

from indexer.audit import AUDIT_KEY_NAME
from indexer.audit.chain import (
    ChainCheck,
    Continuation,
    build_chain_line,
    check_chain,
    hash_line,
    split_last_line,
)
from indexer.errors import BrokenChainError, FoidexError, OutputError
from indexer.files import (
    PRIVATE,
    PRIVATE_MODE,
    Permissions,
    open_file,
    open_folder,
    open_ordinary_input,
    read_whole,
    refuse_planted,
    sync_folder,
    write_file,
)

_KEY_BYTES: Final = 32

_MARK_FIELD: Final = "crime_ref_hmac_sha256"

#: Which index a record was erased from; lines of earlier versions do not say it.
ALIAS_FIELD: Final = "alias"

_OPENED_MARK_FIELD: Final = "opened_crime_ref_hmac_sha256"

_UNKEYED_MARK_FIELD: Final = "crime_ref_sha256"  # in lines written before there was a key

_RESULT_WITHHELD: Final = "and every query must be logged, so no result is given"

_NOTHING_CHANGED: Final = "and every change must be logged, so nothing was changed"

_OUTCOME_UNLOGGED: Final = (
    "so it shows that this run began, but not how it ended: the change may be done, so run the "
    "command again"
)

_LOCK_TIMEOUT_SECONDS: Final = 30

_BLOCK_BYTES: Final = 64 * 1024

#: More than any line has: a file with a hole may have one of any length.
_MAX_LINE_BYTES: Final = 16_000_000

_MAX_NAME_LENGTH: Final = 100


class AuditEntry(
    Struct, frozen=True, omit_defaults=True, rename={"timestamp": "at", "arguments": "asked"}
):
    """One line of the log.

    ``request`` and ``numbers`` are SHA-256 hashes. ``arguments`` ("asked" in the file) is the query
    of a command line without a request file. ``records`` is the number of records returned, or
    counted in scope. ``begins`` is true of a line written before a change; the next line of that
    run has the outcome. ``of`` is the hash of the run's previous line, if it has one. ``ledger`` is
    the head of the ledger of releases after a release was recorded in it. ``continues`` is in the
    first line of a log whose earlier lines are in an archive. ``signed_in`` is the person who used
    the workbench, which ``user`` runs.
    """

    timestamp: datetime
    user: str
    command: str
    exit_code: int
    version: str
    sudo_user: str | None = None
    reference: str | None = None
    request: str | None = None
    arguments: dict[str, Any] | None = None
    generation: str | None = None
    numbers: str | None = None
    records: int | None = None
    begins: bool = False
    of: str | None = None
    ledger: dict[str, Any] | None = None
    continues: Continuation | None = None
    signed_in: str | None = None


class AuditLog:
    """The log at a path. The file need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_name = f"{path.name}.lock"

    def append(self, entry: AuditEntry, consequence: str = _RESULT_WITHHELD) -> str:
        """Write a line to the disk and return its hash.

        Raises OutputError if it cannot be written; ``consequence`` is the end of its message.
        """
        with self.hold_lock(consequence):
            return self._append(entry)

    def require_appendable(self) -> None:
        """Raise OSError if the log, or the file of its lock, is there and a line could not be
        appended. Nothing is written, and the lock is not taken."""
        for path, flags in (
            (self.path, os.O_RDWR | os.O_APPEND),
            (self.path.with_name(self._lock_name), os.O_RDWR),
        ):
            with suppress(FileNotFoundError):
                file = open_file(path, flags)
                try:
                    refuse_planted(path, file)
                finally:
                    os.close(file)

    @contextmanager
    def hold_lock(self, consequence: str) -> Iterator[None]:
        """Let one run write at a time. Raises OutputError, also for an OSError inside."""
        try:
            with (
                open_folder(self.path.parent, create=PRIVATE) as folder,
                folder.hold_lock(self._lock_name, _LOCK_TIMEOUT_SECONDS, PRIVATE_MODE),
            ):
                yield
        except filelock.Timeout:
            reason = f"another run held its lock for {_LOCK_TIMEOUT_SECONDS} seconds"
            raise self._unwritable_error(reason, consequence) from None
        except OSError as error:
            raise self._unwritable_error(str(error.strerror), consequence) from None

    def _append(self, entry: AuditEntry) -> str:
        is_new = not self.path.exists()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        file = open_file(self.path, flags, Permissions(PRIVATE_MODE))
        try:
            refuse_planted(self.path, file)  # whoever owns it could read who asked what
            tail = _read_log_tail(file)
            # A line that a crash cut short gets an end, so that the next one is a line of its own.
            separator = b"\n" if tail and not tail.endswith(b"\n") else b""
            line = build_chain_line(msgspec.to_builtins(entry), tail + separator)
            if os.write(file, separator + line) != len(separator + line):
                raise OSError(errno.ENOSPC, "the disk is full")
            os.fsync(file)
        finally:
            os.close(file)
        if is_new:
            sync_folder(self.path.parent)
        return hash_line(line)

    def _unwritable_error(self, reason: str, consequence: str) -> OutputError:
        return OutputError(
            f"{self.path}: the audit log cannot be written ({reason}), {consequence}. Make the "
            "log writable, or name another folder in [audit] of foidex.toml."
        )

    def mark(self, reference: str) -> str:
        """The mark that stands for a record's reference in the log. Creates the key if needed.

        Raises OutputError if the key cannot be created, BrokenChainError if it cannot be used.
        """
        with self.hold_lock(_NOTHING_CHANGED):
            key = self._read_key()
            return _hash_reference(self._create_key() if key is None else key, reference)

    def _read_key(self) -> bytes | None:
        path = self.path.with_name(AUDIT_KEY_NAME)
        try:
            with open_ordinary_input(path) as file:
                refuse_planted(path, file.fileno())  # who knows it can try every reference
                key = read_whole(file, _BLOCK_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BrokenChainError(
                f"{path}: the key of the audit log cannot be read ({error.strerror}). Run as its "
                "owner."
            ) from None
        if len(key) != _KEY_BYTES:
            raise BrokenChainError(
                f"{path}: is not a key of the audit log, which has {_KEY_BYTES} bytes. Restore it "
                "from a copy. Or move it away: a new key is made, which does not recognise records "
                "that were forgotten before."
            )
        return key

    def _create_key(self) -> bytes:
        key = secrets.token_bytes(_KEY_BYTES)
        write_file(self.path.with_name(AUDIT_KEY_NAME), key, private=True)
        return key

    def find_erasures(
        self, reference: str, lines: Iterable[dict[str, Any]] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The lines of runs that erased a record, or let it come back: of this log, or of others.

        Lines made with another key are not recognised. Raises BrokenChainError.
        """
        key = self._read_key()
        marks = {_UNKEYED_MARK_FIELD: hashlib.sha256(_encode_reference(reference)).hexdigest()}
        if key is not None:
            marks[_MARK_FIELD] = _hash_reference(key, reference)
        for entry in self.read_lines() if lines is None else lines:
            arguments = entry.get("asked")
            if isinstance(arguments, dict) and any(
                arguments.get(name) == marks[name] for name in marks
            ):
                yield entry

    def check(self, noted_head: str = "") -> ChainCheck:
        """Check the chain; whether it has a noted head is left to the caller.

        Raises BrokenChainError.
        """
        with self.open_log() as file:
            result = check_chain(self.iterate_lines(file), noted_head)
        if result.breaks:
            total = f" ({len(result.breaks):,} breaks in all)" if len(result.breaks) > 1 else ""
            raise BrokenChainError(
                f"{self.path}: {result.breaks[0]}{total}. Keep the file as it is, and compare it "
                "with a copy."
            )
        return result

    def read_lines(self, number: int | None = None) -> Iterator[dict[str, Any]]:
        """The last ``number`` lines, or all, oldest first, without torn lines.

        Raises BrokenChainError.
        """
        with self.open_log() as file:
            lines = self.iterate_lines(file)
            for line in lines if number is None else deque(lines, maxlen=number):
                try:
                    entry = msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    continue
                if isinstance(entry, dict):
                    yield entry

    def iterate_lines(self, file: BinaryIO) -> Iterator[bytes]:
        """The lines of the open log, as they are. Raises BrokenChainError."""
        number = 0
        while line := file.readline(_MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > _MAX_LINE_BYTES:
                raise BrokenChainError(
                    f"{self.path}: line {number:,} is longer than {_MAX_LINE_BYTES:,} bytes, which "
                    "no line of a log is. Keep the file as it is, and compare it with a copy."
                )
            yield line

    @contextmanager
    def open_log(self) -> Iterator[BinaryIO]:
        """Open the log for reading. Raises BrokenChainError."""
        try:
            with open_ordinary_input(self.path) as file:
                yield file
        except FileNotFoundError:
            raise BrokenChainError(
                f"{self.path}: there is no audit log. If queries were run before, it was removed; "
                "otherwise run one first."
            ) from None
        except OSError as error:
            raise BrokenChainError(
                f"{self.path}: the audit log cannot be read ({error.strerror}). It must be an "
                "ordinary file that this account may read."
            ) from None


class AuditRun:
    """One run of a command, which leaves one line: by ``write``, or when it fails.

    A run that changes something first leaves another line, by ``begin``. If a run fails after its
    line (the reader of a pipe went away, or the server was lost between pages), a further line
    says so and names the one before. Without a log nothing is written.
    """

    def __init__(
        self,
        log: AuditLog | None,
        command: str,
        version: str,
        sudo_user: str | None,
        signed_in: str | None = None,
    ) -> None:
        self._log = log
        self._fields: dict[str, Any] = {
            "command": command,
            "version": version,
            "user": psutil.Process().username(),
            "sudo_user": sanitize_user_name(sudo_user) if sudo_user else None,
            "signed_in": sanitize_user_name(signed_in) if signed_in else None,
        }
        self._last_hash: str | None = None
        self._logged_exit_code: int | None = None

    def add_fields(self, **fields: Any) -> None:
        """Add fields of the run's AuditEntry."""
        self._fields |= fields

    def add_erased_reference(self, reference: str, alias: str) -> None:
        """Add the mark of the record that is erased, and the alias of its index.

        Raises OutputError or BrokenChainError.
        """
        if self._log is not None:
            mark = self._log.mark(reference)
            self.add_fields(arguments={_MARK_FIELD: mark, ALIAS_FIELD: alias})

    def add_opened_reference(self, reference: str, **arguments: Any) -> None:
        """Add the mark of the one record that is opened, and what else was asked.

        Raises OutputError or BrokenChainError.
        """
        if self._log is not None:
            arguments[_OPENED_MARK_FIELD] = self._log.mark(reference)
            self.add_fields(arguments=arguments)

    def begin(self) -> None:
        """Write the line of a run that is about to change something. Raises OutputError."""
        self._append(0, _NOTHING_CHANGED, begins=True)
        self._logged_exit_code = None  # the outcome needs a line, too

    def write(self, exit_code: int = 0, **fields: Any) -> None:
        """Write the line of a run with its exit code, before its result is printed.

        Raises OutputError.
        """
        self.add_fields(**fields)
        self._append(exit_code, _OUTCOME_UNLOGGED if self._last_hash else _RESULT_WITHHELD)

    def write_with(self, write: Callable[[AuditEntry], Continuation]) -> Continuation:
        """Leave the writing of the run's line to a function, even without a log."""
        result = write(self._build_entry(0))
        self._logged_exit_code = 0
        return result

    def _append(self, exit_code: int, consequence: str, *, begins: bool = False) -> None:
        self._logged_exit_code = exit_code
        if self._log is not None:
            entry = self._build_entry(exit_code, begins=begins, of=self._last_hash)
            self._last_hash = self._log.append(entry, consequence)

    def _build_entry(self, exit_code: int, **fields: Any) -> AuditEntry:
        timestamp = datetime.now(UTC).replace(microsecond=0)
        return AuditEntry(timestamp=timestamp, exit_code=exit_code, **self._fields, **fields)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if error is None:
            assert self._logged_exit_code is not None, "a run that must be logged wrote no line"
        elif (code := get_exit_code(error)) != self._logged_exit_code:
            try:
                self._append(code, _OUTCOME_UNLOGGED if self._last_hash else _RESULT_WITHHELD)
            except OutputError:
                if not isinstance(error, OutputError):  # the first error says more
                    raise


def get_exit_code(error: BaseException) -> int:
    """The exit code of the program after an error."""
    if isinstance(error, OSError) and error.filename is None:  # from standard output
        return OutputError.exit_code
    code = getattr(error, "exit_code", FoidexError.exit_code)
    return code if isinstance(code, int) else FoidexError.exit_code


def _hash_reference(key: bytes, reference: str) -> str:
    return hmac.digest(key, _encode_reference(reference), "sha256").hex()


def _encode_reference(reference: str) -> bytes:
    """A reference as bytes, even if it is not valid text and is refused later."""
    return reference.encode("utf-8", "replace")


def sanitize_user_name(name: str) -> str:
    """A user's name without signs that could mislead a reader of a file, and not too long."""
    return re.sub(r"[^\w.@\\-]", "?", name)[:_MAX_NAME_LENGTH]


def _read_log_tail(file: int) -> bytes:
    """The end of the open log, from its last whole line on. Raises OSError if that is too far."""
    start = os.lseek(file, 0, os.SEEK_END)
    tail = b""
    while start:
        if len(tail) > _MAX_LINE_BYTES:
            raise OSError(errno.EFBIG, f"its last {len(tail):,} bytes are no line of a log")
        size = min(max(_BLOCK_BYTES, len(tail)), start)
        start -= size
        os.lseek(file, start, os.SEEK_SET)
        tail = os.read(file, size) + tail
        # The first line may be incomplete.
        complete_lines = tail if not start else tail[tail.find(b"\n") + 1 :]
        last_line, torn_text = split_last_line(complete_lines)
        if last_line:
            return last_line + torn_text
    return tail
