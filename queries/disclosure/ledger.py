"""The release ledger: an append-only file of what was published, one JSON line a release.

It holds printed numbers and what they count, never a withheld number nor a record. A lock beside it
lets one release at a time be checked and recorded.

A release is recorded when all of it is ready, and before any of it is given away: what fails before
leaves no line, and nothing is ever given that has none.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from textwrap import shorten
from typing import Final, NamedTuple

import msgspec
from filelock import FileLock, Timeout

from indexer.audit import sync_folder
from indexer.errors import DisclosureError, OutputError
from queries.answer import Answer, Override
from queries.disclosure import differencing
from queries.disclosure.differencing import Entry
from queries.disclosure.policy import Policy
from queries.disclosure.release import Release, release

_WAIT: Final = 60  # seconds
_MOST_LINES: Final = 5
_LONGEST_LINE: Final = 400


def _nothing() -> None:
    """Record nowhere."""


class Outcome(NamedTuple):
    """A published answer, and what the officer is told: numbers that changed since they were last
    published."""

    answer: Answer
    changes: tuple[str, ...] = ()


class Prepared(NamedTuple):
    """An outcome that nobody has seen yet. ``record`` it once all made from it is ready, and before
    any of that is given away; it raises OutputError where the ledger cannot be written."""

    answer: Answer
    changes: tuple[str, ...] = ()
    record: Callable[[], None] = _nothing


def publish(answer: Answer, policy: Policy, path: Path | None, override: str = "") -> Outcome:
    """The answer as it may be published, checked against the ledger and recorded there.

    Raises as ``prepared``, and OutputError where the ledger cannot be written.
    """
    with prepared(answer, policy, path, override) as ready:
        ready.record()
        return Outcome(ready.answer, ready.changes)


@contextmanager
def prepared(
    answer: Answer, policy: Policy, path: Path | None, override: str = ""
) -> Iterator[Prepared]:
    """The answer as it may be published, checked against the ledger; others wait meanwhile.

    ``override`` is the reason to publish whatever earlier releases say. Raises DisclosureError
    where the release would give a number away, OutputError where the ledger cannot be read or
    locked.
    """
    if path is None:
        yield Prepared(release(answer, policy).answer)
        return
    with _locked(path):
        earlier = read(path)
        found = _checked(answer, policy, earlier, override.strip())
        entry = _entry(found, policy)

        def record() -> None:
            if not any(_same(entry, one) for one in earlier):
                _append(path, entry)

        changes = differencing.changes(entry.figures, entry.generation, earlier[-1:])
        yield Prepared(found.answer, tuple(changes), record)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = FileLock(f"{path}.lock", timeout=_WAIT)
    try:
        lock.acquire()
    except Timeout:
        raise DisclosureError(
            f"{path}: another release is being recorded for over {_WAIT} s. Try again."
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        yield
    finally:
        lock.release()


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: the ledger of releases cannot be written ({error.strerror}), so nothing is "
        "published. Make its folder writable, or name another under [disclosure]."
    )


def _checked(answer: Answer, policy: Policy, earlier: list[Entry], override: str) -> Release:
    """The release, held against earlier ones. Raises DisclosureError."""
    told = differencing.exposed(answer, policy, earlier)
    if override:
        found = release(answer, policy)
    else:
        _refuse(told)
        found = release(
            answer,
            policy,
            withheld_before=differencing.withheld_before(earlier),
            public=differencing.public(answer, earlier),
        )
    told += differencing.problems(found, policy, earlier)
    if not override:
        _refuse(told)
    elif told:
        found = _overridden(found, told, override)
    return found


def _refuse(told: list[str]) -> None:
    if told:
        # A few say what to change, also where one release gives away hundreds.
        lines = [shorten(line, _LONGEST_LINE, placeholder=" ...") for line in told[:_MOST_LINES]]
        if more := len(told) - len(lines):
            lines.append(f"and {more:,} more.")
        raise DisclosureError(
            "together with earlier releases this one gives numbers away, so nothing is published:\n"
            + "\n".join(lines)
            + "\nAsk for less, withhold more, or record why it may go out: --override REASON."
        )


def _overridden(found: Release, told: list[str], reason: str) -> Release:
    disclosure = found.answer.disclosure
    assert disclosure
    rule = f"earlier releases ({len(told)} number{'s' if len(told) > 1 else ''} given away)"
    overrides = (*disclosure.overrides, Override(rule, reason))
    answer = msgspec.structs.replace(
        found.answer, disclosure=msgspec.structs.replace(disclosure, overrides=overrides)
    )
    return msgspec.structs.replace(found, answer=answer)


def _entry(found: Release, policy: Policy) -> Entry:
    answer = found.answer
    figures = differencing.figures(answer)
    content = msgspec.json.encode((answer.scope, answer.questions, answer.disclosure))
    assert answer.disclosure
    return Entry(
        reference=answer.reference,
        title=answer.title,
        released_at=datetime.now(UTC).replace(microsecond=0),
        generation=answer.provenance.generation,
        threshold=policy.threshold,
        rounding=policy.rounding,
        youngest=policy.youngest,
        answer=hashlib.sha256(content).hexdigest(),
        figures=figures,
        relations=differencing.relations(found, figures),
        overrides=answer.disclosure.overrides,
    )


def _same(one: Entry, other: Entry) -> bool:
    """Whether a release is one that was recorded before: the same letter in another format."""
    return (one.reference, one.generation, one.answer) == (
        other.reference,
        other.generation,
        other.answer,
    )


def read(path: Path) -> list[Entry]:
    """The releases recorded, oldest first.

    Raises DisclosureError for a line that is none, OutputError where the file cannot be read.
    """
    found = []
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unwritable(path, error) from None
    for number, line in enumerate(lines, start=1):
        try:
            found.append(msgspec.json.decode(line, type=Entry))
        except (msgspec.DecodeError, UnicodeDecodeError):
            remedy = (
                "Restore the ledger from a backup."
                if line.endswith(b"\n")
                else "It was cut short, and its release never given: remove the line."
            )
            raise DisclosureError(
                f"{path}:{number}: is not a release, so the new one cannot be held against it. "
                + remedy
            ) from None
    return found


def _append(path: Path, entry: Entry) -> None:
    """Add a line and see it on the disk; of one that fails nothing stays. Raises OutputError."""
    line = msgspec.json.encode(entry) + b"\n"
    try:
        with path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                _write(file, line)
            except BaseException:
                file.truncate(end)
                raise
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None


def _write(file: FileIO, line: bytes) -> None:
    if file.write(line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)
