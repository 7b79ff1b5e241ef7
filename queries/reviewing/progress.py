"""How far a review is. It counts readings, and says nothing of what was decided. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from msgspec import Struct

from queries.review.types import Decision, Reading
from queries.reviewing.turns import RecordState, ReviewState


class ReviewerProgress(Struct, frozen=True):
    """What one reviewer has read; ``median_seconds`` is None if no time is known."""

    reviewer: str
    readings: int
    median_seconds: float | None


class ReviewProgress(Struct, frozen=True, kw_only=True):
    """How far a review is: numbers of records, and of readings.

    ``conflicts`` are records that need a further decision; None until all second readings are done,
    because a reader could see from it what the other decided.
    ``second_readings_ended`` are the records of which there will be no second reading, because
    second readings were ended. ``stale`` are records to be read again, as their text has changed,
    ``gone`` those that the index no longer has.
    """

    population: int
    sample: int
    first_readings: int
    second_readings: int
    second_readings_due: int
    conflicts: int | None
    settled: int
    stale: tuple[str, ...]
    gone: tuple[str, ...]
    reviewers: tuple[ReviewerProgress, ...]
    second_readings_ended: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to read or to settle."""
        return (
            self.first_readings + len(self.gone) >= self.sample
            and self.second_readings >= self.second_readings_due
            and self.conflicts == 0
        )


def measure_progress(
    state: ReviewState, current_hashes: Mapping[str, str] | None = None
) -> ReviewProgress:
    """How far a review is. ``current_hashes`` is as in ReviewState.list_readings."""
    readings = state.list_readings(current_hashes)
    present = [record for record in readings if not record.is_gone]
    return ReviewProgress(
        population=sum(stratum.population for stratum in state.review.strata),
        sample=len(readings),
        first_readings=sum(record.first is not None for record in present),
        second_readings=sum(record.second is not None for record in present),
        second_readings_due=sum(record.is_read_twice for record in present),
        conflicts=(
            sum(record.needs_settling for record in present) if state.is_unblinded else None
        ),
        settled=sum(record.settling is not None for record in present),
        stale=tuple(record.record.reference for record in present if _is_stale(state, record)),
        gone=tuple(record.record.reference for record in readings if record.is_gone),
        reviewers=tuple(_measure_reviewers(state.history)),
        second_readings_ended=state.count_missing_seconds() if state.ending else 0,
    )


def _is_stale(state: ReviewState, readings: RecordState) -> bool:
    """Whether a reading of it that is open was made before, of another text."""
    open_readings: tuple[Reading, ...] = ()
    if readings.first is None:
        open_readings = (Reading.FIRST, Reading.SECOND)
    elif readings.awaits_second:
        open_readings = (Reading.SECOND,)
    return any((readings.record.reference, reading) in state.decisions for reading in open_readings)


def _measure_reviewers(decisions: Sequence[Decision]) -> list[ReviewerProgress]:
    numbers = Counter(decision.reviewer for decision in decisions)
    return [
        ReviewerProgress(reviewer, numbers[reviewer], _find_median(decisions, reviewer))
        for reviewer in sorted(numbers)
    ]


def _find_median(decisions: Sequence[Decision], reviewer: str) -> float | None:
    times = [
        decision.seconds
        for decision in decisions
        if decision.reviewer == reviewer and decision.seconds is not None
    ]
    return float(median(times)) if times else None
