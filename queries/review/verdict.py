"""What the decisions on a record come to. Pure.

A decision counts only for the text that it was made on. A settling decision stands above the two
readings; without one, two readings that differ leave the record undecided. Decisions are never
overwritten: of several of one reading, the last stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from queries.review.types import Decision, DrawnRecord, Reading, Verdict


class ReviewStatus(StrEnum):
    """What is known of a drawn record. A conflict is of two readings that differ; a stale record
    was decided, and its text has changed since."""

    RELEVANT = "relevant"
    NOT_RELEVANT = "not relevant"
    UNSURE = "unsure"
    CONFLICT = "conflict"
    STALE = "stale"
    UNREAD = "unread"


class RecordReading(NamedTuple):
    """A drawn record and what its readings come to.

    ``first`` and ``second`` are the blind verdicts on its text as it is now, by different people;
    None where there is none.
    """

    record: DrawnRecord
    status: ReviewStatus
    first: Verdict | None = None
    second: Verdict | None = None


def read_decisions(
    drawn: Iterable[DrawnRecord],
    decisions: Sequence[Decision],
    current_hashes: Mapping[str, str] | None = None,
) -> list[RecordReading]:
    """What the decisions, in the order in which they were stored, come to for each drawn record.

    ``current_hashes`` are the content hashes of the records as they are now; by default, those when
    they were drawn. A record without one is not in the index any more, and what was decided of it
    is stale.
    """
    by_reference: dict[str, list[Decision]] = {}
    for decision in decisions:
        by_reference.setdefault(decision.reference, []).append(decision)
    return [
        _read_record(
            record,
            by_reference.get(record.reference, []),
            record.content_hash if current_hashes is None else current_hashes.get(record.reference),
        )
        for record in drawn
    ]


def _read_record(
    record: DrawnRecord, decisions: list[Decision], current_hash: str | None
) -> RecordReading:
    latest = {
        decision.reading: decision
        for decision in decisions
        if decision.content_hash == current_hash
    }
    if not latest:
        return RecordReading(record, ReviewStatus.STALE if decisions else ReviewStatus.UNREAD)
    first, second = latest.get(Reading.FIRST), latest.get(Reading.SECOND)
    if first and second and first.reviewer == second.reviewer:
        second = None  # one person's second thought is not a second reading
    return RecordReading(
        record,
        _find_status(first, second, latest.get(Reading.SETTLING)),
        first.verdict if first else None,
        second.verdict if second else None,
    )


def _find_status(
    first: Decision | None, second: Decision | None, settling: Decision | None
) -> ReviewStatus:
    if settling:
        return ReviewStatus(settling.verdict.value)
    verdicts = {decision.verdict for decision in (first, second) if decision}
    return ReviewStatus(verdicts.pop().value) if len(verdicts) == 1 else ReviewStatus.CONFLICT
