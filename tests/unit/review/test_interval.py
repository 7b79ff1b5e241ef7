"""The interval: by brute force, its coverage of every population, and as others have worked it out."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb

import pytest

from queries.review.interval import Interval, compute_interval, count_samples


@pytest.mark.parametrize("population", range(1, 9))
def test_samples_are_counted_as_by_drawing_each(population: int) -> None:
    for sample in range(population + 1):
        drawn = list(combinations(range(population), sample))
        for relevant in range(population + 1):
            held = [sum(record < relevant for record in one) for one in drawn]
            for most in range(-1, sample + 2):
                expected = sum(number <= most for number in held)
                assert count_samples(population, relevant, sample, most) == expected


@pytest.mark.parametrize(
    ("population", "sample", "confidence"),
    [
        *((population, sample, "0.95") for population in (1, 2, 7, 30) for sample in (1, 2, 7, 30)),
        (60, 20, "0.90"),
        (60, 20, "0.99"),
        (400, 60, "0.95"),
    ],
)
def test_no_number_of_relevant_records_is_covered_less_often_than_stated(
    population: int, sample: int, confidence: str
) -> None:
    sample, stated = min(sample, population), Fraction(confidence)
    check_coverage(population, sample, stated)


@pytest.mark.long
@pytest.mark.parametrize("sample", [1, 18, 360, 1_000, 1_999])
def test_two_thousand_records_are_covered_as_stated(sample: int) -> None:
    check_coverage(2_000, sample, Fraction(95, 100))


def check_coverage(population: int, sample: int, stated: Fraction) -> None:
    """Every number of relevant records is inside the intervals of so many of all samples."""
    intervals = [compute_interval(population, sample, found, stated) for found in range(sample + 1)]
    for relevant in range(population + 1):
        others = population - relevant
        covering = sum(
            comb(relevant, found) * comb(others, sample - found)
            for found, interval in enumerate(intervals)
            if sample - found <= others and interval.low <= relevant <= interval.high
        )
        assert covering >= stated * comb(population, sample), (relevant, sample)


def test_a_sample_that_would_have_answered_a_refused_request() -> None:
    # 1,144 hits of which 360 fit into 18 hours. The design states 522 to 622 for 180 relevant.
    assert compute_interval(1_144, 360, 180) == Interval(522, 622)


def test_reading_everything_leaves_no_doubt() -> None:
    assert compute_interval(50, 50, 13) == Interval(13, 13)


def test_reading_nothing_says_nothing() -> None:
    assert compute_interval(50, 0, 0) == Interval(0, 50)


def test_none_relevant_in_the_sample_is_not_none_in_all() -> None:
    # By hand: with M relevant of 20, 10 read and none found, C(20-M, 10) / C(20, 10) is 0.0433 for
    # M = 4 and 0.0163 for M = 5, and 0.025 is left for this tail.
    assert compute_interval(20, 10, 0) == Interval(0, 4)


@pytest.mark.parametrize(("population", "sample", "relevant"), [(5, 6, 1), (5, 3, 4), (5, 3, -1)])
def test_an_impossible_sample_is_refused(population: int, sample: int, relevant: int) -> None:
    with pytest.raises(ValueError, match="part of its population"):
        compute_interval(population, sample, relevant)


@pytest.mark.parametrize("confidence", [Fraction(0), Fraction(1)])
def test_an_impossible_confidence_is_refused(confidence: Fraction) -> None:
    with pytest.raises(ValueError, match="a confidence"):
        compute_interval(5, 3, 1, confidence)
