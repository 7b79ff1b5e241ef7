"""The release ledger: an append-only file of what was published, one JSON line a release.

It contains printed numbers and what they count, but no withheld number and no record. A lock file
beside it lets one release at a time be checked and recorded.

A release is recorded when all of it is ready, and before any of it is given away: a release that
fails earlier leaves no line, and nothing without a line is ever given away.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from textwrap import shorten
from typing import Final, NamedTuple

import msgspec
from filelock import Timeout

from indexer.errors import DisclosureError, OutputError
from indexer.files import PRIVATE_MODE, Permissions, open_file, open_folder, read_file
from queries.answer.types import Answer, RuleOverride
from queries.disclosure.differencing import (
    LedgerEntry,
    collect_published_numbers,
    collect_published_relations,
    collect_withheld,
    find_differencing_problems,
    find_exposed_numbers,
    find_public_numbers,
    list_changed_numbers,
)
from queries.disclosure.policy import Policy
from queries.disclosure.release import Release, protect_answer

LOCK_SECONDS: Final = 60

# Of a new file. Whoever shares a ledger gives a group the right to it, and it keeps that.
_LEDGER_PERMISSIONS: Final = Permissions(PRIVATE_MODE)

_MAX_LINES: Final = 5

_MAX_LINE_LENGTH: Final = 400


def _record_nowhere() -> None:
    """Record nowhere."""


class PublishedAnswer(NamedTuple):
    """A published answer, and messages about numbers that changed since the last release."""

    answer: Answer
    changes: tuple[str, ...] = ()


class PreparedRelease(NamedTuple):
    """A release that is not published yet.

    Call ``record`` once everything made from it is ready, and before any of that is given away. It
    raises OutputError if the ledger cannot be written.
    """

    answer: Answer
    changes: tuple[str, ...] = ()
    record: Callable[[], None] = _record_nowhere


def publish_release(
    answer: Answer, policy: Policy, path: Path | None, override: str = ""
) -> PublishedAnswer:
    """The answer as it may be published, checked against the ledger and recorded there.

    Raises as ``prepare_release``, and OutputError if the ledger cannot be written.
    """
    with prepare_release(answer, policy, path, override) as pending_release:
        pending_release.record()
        return PublishedAnswer(pending_release.answer, pending_release.changes)


@contextmanager
def prepare_release(
    answer: Answer,
    policy: Policy,
    path: Path | None,
    override: str = "",
    lock_seconds: float = LOCK_SECONDS,
) -> Iterator[PreparedRelease]:
    """The answer as it may be published, checked against the ledger, which stays locked meanwhile.

    ``override`` is the reason to publish even if earlier releases speak against it, and
    ``lock_seconds`` how long to wait for another release. Raises DisclosureError if the release
    would give a number away or another one takes longer, OutputError if the ledger cannot be read
    or locked.
    """
    if path is None:
        yield PreparedRelease(protect_answer(answer, policy).answer)
        return
    with _lock_ledger(path, lock_seconds):
        earlier = read_ledger(path)
        new_release = _check_release(answer, policy, earlier, override.strip())
        entry = _make_ledger_entry(new_release, policy)

        def record() -> None:
            if not any(_is_same_release(entry, past_entry) for past_entry in earlier):
                _append_entry(path, entry)

        changes = list_changed_numbers(entry.figures, entry.generation, earlier[-1:])
        yield PreparedRelease(new_release.answer, tuple(changes), record)


@contextmanager
def _lock_ledger(path: Path, seconds: float) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(open_folder(path.parent))
            stack.enter_context(folder.hold_lock(f"{path.name}.lock", seconds))
        except Timeout:
            raise DisclosureError(
                f"{path}: another release has been recording for over {seconds:g} s. Try again."
            ) from None
        except OSError as error:
            raise _make_ledger_error(path, error) from None
        yield


def _make_ledger_error(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: the ledger of releases cannot be written ({error.strerror}), so nothing is "
        "published. Make its folder writable, or choose another under [disclosure]."
    )


def _check_release(
    answer: Answer, policy: Policy, earlier: list[LedgerEntry], override: str
) -> Release:
    """The release, checked against earlier ones. Raises DisclosureError."""
    messages = find_exposed_numbers(answer, policy, earlier)
    if override:
        new_release = protect_answer(answer, policy)
    else:
        _refuse_release(messages)
        new_release = protect_answer(
            answer,
            policy,
            withheld_before=collect_withheld(earlier),
            public=find_public_numbers(answer, earlier),
        )
    messages += find_differencing_problems(new_release, policy, earlier)
    if not override:
        _refuse_release(messages)
    elif messages:
        new_release = _record_override(new_release, messages, override)
    return new_release


def _refuse_release(messages: list[str]) -> None:
    if messages:
        # A few lines show what to change, even if one release gives away hundreds of numbers.
        lines = [
            shorten(line, _MAX_LINE_LENGTH, placeholder=" ...") for line in messages[:_MAX_LINES]
        ]
        if remainder := len(messages) - len(lines):
            lines.append(f"and {remainder:,} more.")
        raise DisclosureError(
            "somebody who has this release and earlier ones could work out small numbers, so "
            "nothing is published. They are:\n"
            + "\n".join(f"  - {line}" for line in lines)
            + "\nAsk for the same periods, offences and words as the earlier release, or for fewer "
            "tables. If the numbers may be known, say why: --override REASON. The answer then "
            "states the reason."
        )


def _record_override(new_release: Release, messages: list[str], reason: str) -> Release:
    disclosure = new_release.answer.disclosure
    assert disclosure
    rule = f"earlier releases ({len(messages)} number{'s' if len(messages) > 1 else ''} given away)"
    overrides = (*disclosure.overrides, RuleOverride(rule, reason))
    answer = msgspec.structs.replace(
        new_release.answer, disclosure=msgspec.structs.replace(disclosure, overrides=overrides)
    )
    return msgspec.structs.replace(new_release, answer=answer)


def _make_ledger_entry(new_release: Release, policy: Policy) -> LedgerEntry:
    answer = new_release.answer
    figures = collect_published_numbers(answer)
    content = msgspec.json.encode((answer.scope, answer.questions, answer.disclosure))
    assert answer.disclosure
    return LedgerEntry(
        reference=answer.reference,
        title=answer.title,
        released_at=datetime.now(UTC).replace(microsecond=0),
        generation=answer.provenance.generation,
        threshold=policy.threshold,
        rounding=policy.rounding,
        youngest=policy.youngest,
        answer=hashlib.sha256(content).hexdigest(),
        figures=figures,
        relations=collect_published_relations(new_release, figures),
        overrides=answer.disclosure.overrides,
    )


def _is_same_release(first: LedgerEntry, second: LedgerEntry) -> bool:
    """Whether a release was recorded before: the same letter in another format."""
    return (first.reference, first.generation, first.answer) == (
        second.reference,
        second.generation,
        second.answer,
    )


def read_ledger(path: Path) -> list[LedgerEntry]:
    """The releases recorded, oldest first.

    Raises DisclosureError for a line that is not a release, OutputError if the file cannot be read.
    """
    entries = []
    try:
        lines = read_file(path).splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _make_ledger_error(path, error) from None
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(msgspec.json.decode(line, type=LedgerEntry))
        except (msgspec.DecodeError, UnicodeDecodeError):
            remedy = (
                "Restore the ledger from a backup."
                if line.endswith(b"\n")
                else "It was cut short, and its release was never published: remove the line."
            )
            raise DisclosureError(
                f"{path}:{number}: is not a release, so the new one cannot be checked against it. "
                + remedy
            ) from None
    return entries


def _append_entry(path: Path, entry: LedgerEntry) -> None:
    """Add a line and sync it to the disk; a line that fails leaves nothing. Raises OutputError."""
    line = msgspec.json.encode(entry) + b"\n"
    try:
        handle = open_file(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _LEDGER_PERMISSIONS)
        with FileIO(handle, "ab") as file:
            end = file.seek(0, os.SEEK_END)
            try:
                _write_ledger_line(file, line)
            except BaseException:
                file.truncate(end)
                raise
        with open_folder(path.parent) as folder:
            folder.sync()
    except OSError as error:
        raise _make_ledger_error(path, error) from None


def _write_ledger_line(file: FileIO, line: bytes) -> None:
    if file.write(line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)
