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


class Progress(Struct, frozen=True, kw_only=True):
    """How far a review is: numbers of records, and of readings.

    ``conflicts`` are records that need a further decision; None until all second readings are done,
    because a reader could see from it what the other decided.
    ``stale`` are records whose text has changed since someone read it, ``gone`` those that the
    index no longer has.
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

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to read or to settle."""
        return (
            self.first_readings + len(self.gone) >= self.sample
            and self.second_readings >= self.second_readings_due
            and self.conflicts == 0
        )


def measure_progress(
    state: ReviewState,
    decisions: Sequence[Decision],
    current_hashes: Mapping[str, str] | None = None,
) -> Progress:
    """How far a review is. ``decisions`` are all that were ever made, for the times.

    ``current_hashes`` is as in ReviewState.list_readings.
    """
    readings = state.list_readings(current_hashes)
    present = [one for one in readings if not one.is_gone]
    return Progress(
        population=sum(stratum.population for stratum in state.review.strata),
        sample=len(readings),
        first_readings=sum(one.first is not None for one in present),
        second_readings=sum(one.second is not None for one in present),
        second_readings_due=sum(one.record.second_reading for one in present),
        conflicts=(sum(one.needs_settling for one in present) if state.is_unblinded else None),
        settled=sum(one.settling is not None for one in present),
        stale=tuple(one.record.reference for one in present if _is_stale(state, one)),
        gone=tuple(one.record.reference for one in readings if one.is_gone),
        reviewers=tuple(_measure_reviewers(decisions)),
    )


def _is_stale(state: ReviewState, readings: RecordState) -> bool:
    kept = {one.reading for one in (readings.first, readings.second, readings.settling) if one}
    return any(
        reading not in kept and (readings.record.reference, reading) in state.decisions
        for reading in Reading
    )


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
