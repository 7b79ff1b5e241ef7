"""The release ledger: an append-only file of what was published, one JSON line a release.

It holds printed numbers and what they count, never a withheld number nor a record. A lock beside it
lets one release at a time be checked and recorded.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from filelock import FileLock, Timeout

from indexer.errors import DisclosureError, OutputError
from queries.answer import Answer, Override
from queries.disclosure import differencing
from queries.disclosure.differencing import Entry
from queries.disclosure.policy import Policy
from queries.disclosure.release import Release, release

_WAIT: Final = 60  # seconds


class Outcome(NamedTuple):
    """A published answer, and what the officer is told: numbers that changed since they were last
    published."""

    answer: Answer
    changes: tuple[str, ...] = ()


def publish(answer: Answer, policy: Policy, path: Path | None, override: str = "") -> Outcome:
    """The answer as it may be published, checked against the ledger and recorded there.

    ``override`` is the reason to publish whatever earlier releases say. Raises DisclosureError
    where the release would give a number away, OutputError where the ledger cannot be written.
    """
    if path is None:
        return Outcome(release(answer, policy).answer)
    try:
        with FileLock(f"{path}.lock", timeout=_WAIT):
            return _publish(answer, policy, path, override.strip())
    except Timeout:
        raise DisclosureError(
            f"{path}: another release is being recorded for over {_WAIT} s. Try again."
        ) from None
    except OSError as error:
        raise OutputError(
            f"{path}: the ledger of releases cannot be written ({error.strerror}), so nothing is "
            "published. Make its folder writable, or name another under [disclosure]."
        ) from None


def _publish(answer: Answer, policy: Policy, path: Path, override: str) -> Outcome:
    earlier = read(path)
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
    entry = _entry(found, policy)
    if not any(_same(entry, one) for one in earlier):
        _append(path, entry)
    changes = differencing.changes(entry.figures, entry.generation, earlier[-1:])
    return Outcome(found.answer, tuple(changes))


def _refuse(told: list[str]) -> None:
    if told:
        raise DisclosureError(
            "together with earlier releases this one gives numbers away, so nothing is published:\n"
            + "\n".join(told)
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
    """The releases recorded, oldest first. Raises DisclosureError for a line that is none."""
    found = []
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(msgspec.json.decode(line, type=Entry))
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise DisclosureError(
                f"{path}:{number}: is not a release, so the new one cannot be held against it. "
                "Restore the ledger from a backup."
            ) from None
    return found


def _append(path: Path, entry: Entry) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(entry) + b"\n")
        file.flush()
        os.fsync(file.fileno())
