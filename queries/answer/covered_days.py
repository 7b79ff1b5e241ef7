"""Which days of a number the index covers, by its conditions. Pure.

A number of days that are all outside the coverage is not covered. An open end of a period asks for
whatever is held, so it is never outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import reduce
from typing import Final, Literal, NamedTuple

from indexer.records.coverage import Coverage
from queries.answer.condition import Condition, Interval, PeriodCondition
from queries.answer.inference import intersect_conditions

CoverageState = Literal["inside", "partly", "outside"]

_FIRST_DAY: Final = date.min.toordinal()

_LAST_DAY: Final = date.max.toordinal()


def classify_period(coverage: Coverage, period: PeriodCondition) -> CoverageState:
    """Whether all days of a period are covered, some, or none."""
    start, end = coverage.start.toordinal(), coverage.end.toordinal()
    intervals = [_close_interval(interval, start, end) for interval in period.intervals]
    if all(last < start or first > end or last < first for first, last in intervals):
        return "outside"
    if all(start <= first and last <= end for first, last in intervals):
        return "inside"
    return "partly"


def _close_interval(interval: Interval, start: int, end: int) -> Interval:
    """An interval whose open ends are those of the coverage."""
    first, last = interval
    return (start if first == _FIRST_DAY else first, end if last == _LAST_DAY else last)


class CoveredDays(NamedTuple):
    """What of the days of a number is covered: from the first of them to the last.

    ``starts_late`` and ``ends_early`` say at which end days are missing.
    """

    state: CoverageState
    start: date | None = None
    end: date | None = None
    starts_late: bool = False
    ends_early: bool = False


def find_covered_days(coverage: Coverage, conditions: Iterable[Condition]) -> CoveredDays:
    """What of the days of a number is covered.

    It is outside if one of its periods is, or if the days that they have in common are. Periods
    with no day in common are of nothing, and their number is a 0.
    """
    periods = [condition for condition in conditions if isinstance(condition, PeriodCondition)]
    if any(classify_period(coverage, period) == "outside" for period in periods):
        return CoveredDays("outside")
    intervals = reduce(_intersect_periods, periods).intervals if periods else ()
    if not intervals:
        return CoveredDays("inside")
    state = classify_period(coverage, PeriodCondition(intervals))
    if state == "outside":
        return CoveredDays("outside")
    start, end = coverage.start.toordinal(), coverage.end.toordinal()
    closed = [_close_interval(interval, start, end) for interval in intervals]
    covered = [(max(a, start), min(b, end)) for a, b in closed if a <= end and b >= start]
    return CoveredDays(
        state,
        date.fromordinal(covered[0][0]),
        date.fromordinal(covered[-1][1]),
        closed[0][0] < start,
        closed[-1][1] > end,
    )


def is_outside_coverage(coverage: Coverage, conditions: Iterable[Condition]) -> bool:
    """Whether a number with these conditions is not covered."""
    return find_covered_days(coverage, conditions).state == "outside"


def _intersect_periods(first: PeriodCondition, second: PeriodCondition) -> PeriodCondition:
    shared = intersect_conditions(first, second)
    assert isinstance(shared, PeriodCondition)
    return shared
