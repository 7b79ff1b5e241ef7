"""What a random sample that fits the limit would say, before anyone has read a record. Pure."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from typing import Final

from msgspec import Struct

from queries.review.interval import CONFIDENCE, Interval, compute_interval

#: The share of a sample that a second person reads, unless another is asked for.
SECOND_READING: Final = Fraction(20, 100)


class SamplePlan(Struct, frozen=True):
    """The largest sample that fits: how many of how many records are read, how many of these again
    by a second person, and the hours of both.

    ``if_half`` and ``if_tenth`` are the intervals for the relevant records of the whole population
    where a half or a tenth of the sample is relevant. No share gives a wider interval than a half.
    """

    population: int
    records: int
    second_readings: int
    hours: float
    confidence: float
    if_half: Interval
    if_tenth: Interval


def plan_sample(
    population: int, max_readings: int, minutes: Fraction, second_reading: Fraction = SECOND_READING
) -> SamplePlan | None:
    """The largest sample of which all readings, second ones included, are within ``max_readings``.

    None where everything fits, or nothing does. ``minutes`` is the time that a reading takes.
    """
    records = int(max_readings / (1 + second_reading))
    while records and records + _count_second_readings(records, second_reading) > max_readings:
        records -= 1
    if not records or records >= population:
        return None
    second_readings = _count_second_readings(records, second_reading)
    return SamplePlan(
        population=population,
        records=records,
        second_readings=second_readings,
        hours=round(float((records + second_readings) * minutes / 60), 2),
        confidence=float(CONFIDENCE),
        if_half=compute_interval(population, records, records // 2),
        if_tenth=compute_interval(population, records, records // 10),
    )


def find_sample_size(
    population: int,
    width: int,
    share: Fraction = Fraction(1, 2),
    confidence: Fraction = CONFIDENCE,
) -> int:
    """How many records must be read so that the interval is no wider than ``width`` records if
    ``share`` of them are relevant; a half gives the widest. All of them, if no fewer will do.

    Widths do not shrink with every single record, so a sample that is a little smaller may do too.
    Raises ValueError for a negative width.
    """
    if width < 0:
        raise ValueError("a width is not negative")

    def is_narrow(sample: int) -> bool:
        interval = compute_interval(population, sample, int(sample * share), confidence)
        return interval.high - interval.low <= width

    size = bisect_left(range(population), 1, key=is_narrow)
    while size < population and not is_narrow(size):
        size += 1
    return size


def _count_second_readings(records: int, share: Fraction) -> int:
    """A share of the records, rounded up."""
    return -int(-records * share // 1)
