"""Whose turn it is: which record a reviewer reads next, and which decisions may still be changed.

Pure. The rules of blindness are here and nowhere else: a second reading is never given to the
first reader, and what one reader decided plays no part in what the other is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from queries.review.types import Decision, DrawnRecord, Reading, Review, Verdict

#: The content hash of a record that the index no longer has.
GONE: Final = ""

DecisionKey = tuple[str, Reading]


def format_time(moment: datetime) -> str:
    """A time as decisions have it: UTC, ISO 8601, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Claim(Struct, frozen=True):
    """A record that is reserved for a reading: for whom, and until when (UTC, ISO 8601)."""

    reference: str
    reading: Reading
    reviewer: str
    lapses_at: str

    def is_live(self, now: str) -> bool:
        """Whether the record is still reserved."""
        return self.lapses_at > now


class Ending(Struct, frozen=True):
    """That no second reading is made any more: why, when (UTC, ISO 8601), and who decided it."""

    reason: str
    ended_at: str
    ended_by: str


class ReviewState(Struct, frozen=True, kw_only=True):
    """All that a store knows of a review.

    ``records`` are those of the sample, in the order in which they are read. ``history`` has every
    decision, the oldest first, and ``decisions`` the last one of each reading of a record.
    ``settling`` are the references that were opened to be settled: whoever opened one has seen both
    decisions on it. ``extended_after`` are those whose second decision was made before the sample
    got its present size. ``ending`` is there if second readings were ended.
    """

    review: Review
    records: tuple[DrawnRecord, ...]
    decisions: Mapping[DecisionKey, Decision]
    history: tuple[Decision, ...] = ()
    claims: tuple[Claim, ...] = ()
    settling: frozenset[str] = frozenset()
    extended_after: frozenset[str] = frozenset()
    ending: Ending | None = None

    @property
    def is_unblinded(self) -> bool:
        """Whether all second readings are done, or were ended. Until then, nothing shows what was
        decided on a record that is read twice, nor how often readers agree."""
        return self.ending is not None or not self.count_missing_seconds()

    def count_missing_seconds(self) -> int:
        """How many records of the sample have no second decision, and were to have one."""
        return sum(
            record.second_reading and self.lacks_second(record.reference) for record in self.records
        )

    def lacks_second(self, reference: str) -> bool:
        """Whether nobody read a record a second time, or only a text before the one of the last
        first reading: then who reads it again must not learn of that."""
        first, second = (
            self.decisions.get((reference, reading)) for reading in (Reading.FIRST, Reading.SECOND)
        )
        return second is None or (first is not None and first.content_hash != second.content_hash)

    def list_readings(self, current_hashes: Mapping[str, str] | None = None) -> list[RecordState]:
        """Each record with the decisions that hold for its present text.

        ``current_hashes`` has the content hashes of records whose text has changed since they were
        drawn, with GONE for those that are gone.
        """
        hashes = current_hashes or {}
        return [self._make_record_state(record, hashes) for record in self.records]

    def _make_record_state(self, record: DrawnRecord, hashes: Mapping[str, str]) -> RecordState:
        first, second, settling = (
            self._find_decision(record, reading, hashes)
            for reading in (Reading.FIRST, Reading.SECOND, Reading.SETTLING)
        )
        return RecordState(
            record,
            hashes.get(record.reference, record.content_hash),
            first,
            second,
            settling,
            may_be_read_twice=self.ending is None,
        )

    def _find_decision(
        self, record: DrawnRecord, reading: Reading, hashes: Mapping[str, str]
    ) -> Decision | None:
        decision = self.decisions.get((record.reference, reading))
        current_hash = hashes.get(record.reference, record.content_hash)
        if decision is None or current_hash in (GONE, decision.content_hash):
            return decision
        return None


class RecordState(Struct, frozen=True):
    """A record, the hash of its present text, and the decisions that hold for that text.

    ``may_be_read_twice`` is false once second readings were ended.
    """

    record: DrawnRecord
    content_hash: str
    first: Decision | None = None
    second: Decision | None = None
    settling: Decision | None = None
    may_be_read_twice: bool = True

    @property
    def is_gone(self) -> bool:
        """Whether the index no longer has the record."""
        return self.content_hash == GONE

    @property
    def awaits_second(self) -> bool:
        """Whether it has been read once and is to be read a second time."""
        return self.is_read_twice and self.first is not None and self.second is None

    @property
    def is_read_twice(self) -> bool:
        """Whether there is a second reading of it, or one is still to be made."""
        return self.record.second_reading and (self.may_be_read_twice or self.second is not None)

    @property
    def needs_settling(self) -> bool:
        """Whether it was read as often as it must be, and what is true is still open."""
        verdicts = self._list_verdicts()
        return (
            self.settling is None
            and bool(verdicts)
            and (len(set(verdicts)) > 1 or Verdict.UNSURE in verdicts)
        )

    @property
    def is_decided(self) -> bool:
        """Whether nothing remains to be done about it."""
        return bool(self._list_verdicts()) and not self.needs_settling

    def _list_verdicts(self) -> list[Verdict]:
        """The verdicts of the readings; none before all readings are done."""
        if self.first is None or self.awaits_second:
            return []
        return [decision.verdict for decision in (self.first, self.second) if decision]

    def find_open_reading(self, reviewer: str) -> Reading | None:
        """The reading that is still to be done and that this reviewer may do."""
        if self.is_gone:
            return None
        if self.first is None:
            is_second_reader = self.second is not None and self.second.reviewer == reviewer
            return None if is_second_reader else Reading.FIRST
        if self.awaits_second and self.first.reviewer != reviewer:
            return Reading.SECOND
        return None


class Turn(Struct, frozen=True):
    """Records with one and the same text, reserved for one reading by one reviewer.

    ``is_change`` is true if the reviewer decided on them before and thinks again.
    """

    review: str
    reading: Reading
    reviewer: str
    records: tuple[DrawnRecord, ...]
    is_change: bool = False

    @property
    def references(self) -> tuple[str, ...]:
        """The references of its records."""
        return tuple(record.reference for record in self.records)


def choose_turn(
    state: ReviewState,
    reviewer: str,
    now: str,
    current_hashes: Mapping[str, str] | None = None,
    *,
    settle: bool = False,
) -> Turn | None:
    """What a reviewer reads next: what is already reserved for them, then a record that nobody has
    read, then one to be read a second time; with ``settle``, a conflict. None if there is nothing.

    Nothing is settled before all second readings are done: whoever settles sees what both decided,
    and which records are offered says where readers agree.
    """
    if settle and not state.is_unblinded:
        return None
    taken = {
        (claim.reference, claim.reading): claim.reviewer
        for claim in state.claims
        if claim.is_live(now)
    }
    candidates: list[tuple[int, Reading, RecordState]] = []
    for readings in state.list_readings(current_hashes):
        reading = _find_reading(readings, reviewer, settle=settle)
        if reading is None:
            continue
        holder = taken.get((readings.record.reference, reading), "")
        if holder in ("", reviewer):
            candidates.append((0 if holder else int(reading), reading, readings))
    if not candidates:
        return None
    _, reading, chosen = min(candidates, key=lambda candidate: candidate[0])
    if settle:  # readers may have decided differently on records with the same text
        return Turn(state.review.name, reading, reviewer, (chosen.record,))
    return Turn(
        state.review.name,
        reading,
        reviewer,
        tuple(
            readings.record
            for _, other_reading, readings in candidates
            if (other_reading, readings.content_hash) == (reading, chosen.content_hash)
        ),
    )


def _find_reading(readings: RecordState, reviewer: str, *, settle: bool) -> Reading | None:
    if not settle:
        return readings.find_open_reading(reviewer)
    return Reading.SETTLING if readings.needs_settling and not readings.is_gone else None


def list_fixed(state: ReviewState, references: Iterable[str], reading: Reading) -> list[str]:
    """Of these records, those whose decision may not be changed any more.

    A first one is fixed once there is a second; a second one once its reader may have learned of
    the first: all second readings are done, or it was made before the sample was extended, or
    someone opened the record to settle it.
    """
    return [reference for reference in references if _is_fixed(state, reference, reading)]


def _is_fixed(state: ReviewState, reference: str, reading: Reading) -> bool:
    if reference in state.settling or (reference, Reading.SETTLING) in state.decisions:
        return True
    second = state.decisions.get((reference, Reading.SECOND))
    if second is None:
        return False
    return reading is Reading.FIRST or state.is_unblinded or reference in state.extended_after


def order_records(records: Sequence[DrawnRecord]) -> list[DrawnRecord]:
    """Records in the order in which they are read: by their places, all strata in turn."""
    return sorted(records, key=lambda record: (record.position, record.stratum))
