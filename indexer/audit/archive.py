"""Archives of the audit log: earlier lines in files of their own, still one chain with the log.

An archive is a whole copy of the log at one moment, beside it. The first line of the log that
continues it names it, with the number of its lines and its head. So the hash of any later line
covers every archive, and none can be changed or exchanged unnoticed. The copy is complete and
synced before the log is replaced in one step: a run that is killed in between leaves a copy too
many, and loses no line.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from indexer.audit.chain import ChainCheck, Continuation, build_chain_line
from indexer.audit.log import ALIAS_FIELD, AuditEntry, AuditLog
from indexer.errors import BrokenChainError
from indexer.files import PRIVATE, Folder, UnsafePathError, is_there, open_folder

_ARCHIVE_NAME: Final = re.compile(r"audit-[\d-]+-(\d{1,9})\.jsonl")

_NOT_ARCHIVED: Final = "so nothing was archived and the log is as it was"

_KEEP_FILE: Final = "Keep the file as it is, and compare it with a copy."


class ErasureCounts(Struct, frozen=True):
    """How many records were forgotten from an index (``own``), or only from ``others``. Of the own,
    ``unnamed`` are those whose lines do not say from which, as lines of earlier versions."""

    own: int = 0
    unnamed: int = 0
    others: int = 0


class FirstLine(Struct, frozen=True):
    """What the first line of a log may say of an archive."""

    continues: Continuation | None = None


class LogFile(Struct, frozen=True):
    """The log or one of its archives. ``continues`` is the archive before it, if there is one."""

    path: Path
    continues: Continuation | None


class LogHistory(Struct, frozen=True):
    """The log with its archives, oldest first, as far back as the folder has them.

    ``missing`` is the archive before the oldest of them, if it is not there. ``unfinished`` are
    copies of the log that a killed run left.
    """

    files: tuple[LogFile, ...]
    missing: Continuation | None = None
    unfinished: tuple[str, ...] = ()


class HistoryCheck(Struct, frozen=True):
    """The result of a check: the chain of each file, oldest first. See ``ChainCheck``.

    ``noted_file`` is the one with the noted head.
    """

    history: LogHistory
    chains: tuple[ChainCheck, ...]
    noted_file: LogFile | None = None
    noted_line: int | None = None


def read_history(log: AuditLog) -> LogHistory:
    """Find the archives of a log, from its first line back. Raises BrokenChainError."""
    archives = _list_archives(log.path.parent)
    files = [LogFile(log.path, _read_continuation(log))]
    missing = None
    while (continues := files[0].continues) and missing is None:
        path = log.path.parent / Path(continues.file).name
        if is_there(path):
            _require_earlier(files[0], path)
            files.insert(0, LogFile(path, _read_continuation(AuditLog(path))))
        else:
            missing = continues
    newest = files[-1].continues.number if files[-1].continues else 0
    is_archive = _ARCHIVE_NAME.fullmatch(log.path.name)
    unfinished = [] if is_archive else [name for name in archives if archives[name] > newest]
    earlier = [name for name in archives if missing and archives[name] < missing.number]
    if missing and earlier:
        raise BrokenChainError(
            f"{log.path.parent}: {missing.file} is missing, although earlier archives are there, "
            f"such as {earlier[-1]}. Put it back from a copy."
        )
    for name in unfinished:
        _require_copy(log, log.path.with_name(name))
    return LogHistory(tuple(files), missing, tuple(unfinished))


def check_history(log: AuditLog, noted_head: str = "") -> HistoryCheck:
    """Check a log with its archives, and that one of them has a noted head, if given.

    Raises BrokenChainError.
    """
    history = read_history(log)
    chains = tuple(AuditLog(file.path).check(noted_head) for file in history.files)
    for file, chain, after in zip(history.files, chains, history.files[1:], strict=False):
        continues = after.continues
        if continues and (chain.line_count, chain.head) != (continues.lines, continues.head):
            raise BrokenChainError(
                f"{file.path}: has {chain.line_count:,} lines and the head {chain.head}, but "
                f"{after.path.name} continues one of {continues.lines:,} lines with the head "
                f"{continues.head}, so lines were added, cut off or changed. {_KEEP_FILE}"
            )
    for file, chain in zip(history.files, chains, strict=True):
        if chain.noted_line is not None:
            return HistoryCheck(history, chains, file, chain.noted_line)
    if noted_head:
        missing = history.missing
        elsewhere = f", or the line is in {missing.file}, which is missing" if missing else ""
        raise BrokenChainError(
            f"{log.path}: no line has the hash that was noted, so the end was cut off or changed "
            f"since then{elsewhere}. {_KEEP_FILE}"
        )
    return HistoryCheck(history, chains)


def read_history_lines(history: LogHistory) -> Iterator[dict[str, Any]]:
    """The lines of a log and its archives, oldest first. Raises BrokenChainError."""
    for file in history.files:
        yield from AuditLog(file.path).read_lines()


def count_erased_records(log: AuditLog, alias: str) -> ErasureCounts:
    """How many records the log and its archives note as forgotten, and not as let back since.

    Raises BrokenChainError.
    """
    erased_marks: defaultdict[str, set[str]] = defaultdict(set)
    for entry in read_history_lines(read_history(log)):
        if entry.get("begins") or entry.get("exit_code") != 0:
            continue
        arguments = entry.get("asked")
        if not isinstance(arguments, dict):
            continue
        noted_alias = str(arguments.get(ALIAS_FIELD, ""))
        marks = {str(mark) for name, mark in arguments.items() if name != ALIAS_FIELD}
        if entry.get("command") == "forget":
            erased_marks[noted_alias] |= marks
        elif entry.get("command") == "forget --undo":
            for affected_alias in (noted_alias, "") if noted_alias else [*erased_marks]:
                erased_marks[affected_alias] -= marks
    own = erased_marks[alias] | erased_marks[""]
    others = set().union(*erased_marks.values()) - own
    return ErasureCounts(len(own), len(erased_marks[""] - erased_marks[alias]), len(others))


def archive_log(log: AuditLog, entry: AuditEntry) -> Continuation:
    """Move the lines of the log to an archive; the entry becomes the first line of the new log.

    Raises OutputError if it cannot be written, BrokenChainError if the log is not intact.
    """
    with log.hold_lock(_NOT_ARCHIVED):
        history = check_history(log).history
        continues = _describe_archive(log, history)
        with open_folder(log.path.parent, writes=True) as folder:
            if stat.S_ISLNK(folder.find_mode(log.path.name) or 0):
                raise UnsafePathError(log.path, "is a link")
            _copy_log(log, folder, continues.file)
            for name in history.unfinished:
                if name != continues.file:
                    folder.remove_file(name)
            fields = msgspec.to_builtins(msgspec.structs.replace(entry, continues=continues))
            folder.write_file(log.path.name, build_chain_line(fields, b""), PRIVATE)
    return continues


def _describe_archive(log: AuditLog, history: LogHistory) -> Continuation:
    chain = log.check()
    before = history.files[-1].continues
    number = before.number + 1 if before else 1
    ledgers: dict[str, dict[str, Any]] = {}
    for fields in before.ledgers if before else ():
        _note_ledger(ledgers, fields)
    days = []
    for line in log.read_lines():
        days.append(str(line.get("at"))[:10])
        _note_ledger(ledgers, line.get("ledger"))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    ends = [day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else today for day in (days or [today])]
    name = f"audit-{ends[0]}-{ends[-1]}-{number}.jsonl"
    return Continuation(name, number, chain.line_count, chain.head, tuple(ledgers.values()))


def _note_ledger(ledgers: dict[str, dict[str, Any]], fields: object) -> None:
    """Keep what a line notes of a ledger, under its alias; anything else is not kept."""
    alias = fields.get("alias") if isinstance(fields, dict) else None
    if isinstance(fields, dict) and isinstance(alias, str):
        ledgers[alias] = fields


def _copy_log(log: AuditLog, folder: Folder, name: str) -> None:
    """Give the log's content a second name, whole or not at all, and sync it."""
    part_name = f".{name}.part"
    folder.remove_file(part_name)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with (
            log.open_log() as source,
            os.fdopen(folder.open_file(part_name, flags, PRIVATE), "wb") as copy,
        ):
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        folder.move_file(part_name, folder, name)
    except OSError:
        folder.remove_file(part_name)
        raise
    folder.sync()


def _list_archives(path: Path) -> dict[str, int]:
    """The names of archives in a folder with their numbers, in the order of these."""
    try:
        with open_folder(path) as folder:
            names = folder.list_names()
    except OSError:
        return {}  # what reads the log says why
    numbers = {name: int(match[1]) for name in names if (match := _ARCHIVE_NAME.fullmatch(name))}
    return dict(sorted(numbers.items(), key=lambda item: item[1]))


def _read_continuation(log: AuditLog) -> Continuation | None:
    with log.open_log() as file:
        line = next(log.iterate_lines(file), b"")
    try:
        return msgspec.json.decode(line, type=FirstLine).continues
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # torn, or not a line; the check says so


def _require_earlier(file: LogFile, path: Path) -> None:
    """Refuse a file that continues one which is not older: the search would never end."""
    continues = _read_continuation(AuditLog(path))
    if file.continues and continues and continues.number >= file.continues.number:
        raise BrokenChainError(
            f"{path}: continues archive {continues.number}, although it is number "
            f"{file.continues.number} itself. {_KEEP_FILE}"
        )


def _require_copy(log: AuditLog, path: Path) -> None:
    """Refuse an archive that the log does not name, unless the log starts with its content."""
    with log.open_log() as lines, AuditLog(path).open_log() as copy:
        while block := copy.read(1 << 20):
            if lines.read(len(block)) != block:
                raise BrokenChainError(
                    f"{path}: is not an archive that {log.path.name} continues, nor a copy of its "
                    "first lines. The log may have been replaced: compare both with copies of them."
                )
