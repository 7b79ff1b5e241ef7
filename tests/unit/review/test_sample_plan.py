"""What sample fits the limit, second readings included."""

from __future__ import annotations

from fractions import Fraction

import pytest

from queries.review.interval import Interval, compute_interval
from queries.review.sample_plan import find_sample_size, plan_sample


def test_the_sample_of_the_reference_readings() -> None:
    plan = plan_sample(1_144, 360, Fraction(3), Fraction(0))
    assert plan is not None
    assert (plan.records, plan.second_readings, plan.hours) == (360, 0, 18.0)
    assert (plan.if_half, plan.if_tenth) == (Interval(522, 622), Interval(87, 148))


@pytest.mark.parametrize("share", ["0", "0.01", "0.2", "0.333", "0.5", "1"])
@pytest.mark.parametrize("limit", [1, 2, 7, 100, 359, 360])
def test_the_sample_is_the_largest_that_fits(share: str, limit: int) -> None:
    def readings(records: int) -> int:
        return records + -int(-records * Fraction(share) // 1)

    plan = plan_sample(10_000, limit, Fraction(3), Fraction(share))
    if plan is None:
        assert readings(1) > limit
        return
    assert plan.records + plan.second_readings == readings(plan.records) <= limit
    assert readings(plan.records + 1) > limit
    assert plan.hours == round((plan.records + plan.second_readings) / 20, 2)


@pytest.mark.parametrize(("population", "limit"), [(300, 360), (299, 360), (0, 360), (5, 0)])
def test_no_sample_where_everything_fits_or_nothing_does(population: int, limit: int) -> None:
    assert plan_sample(population, limit, Fraction(3)) is None


@pytest.mark.parametrize(("population", "width"), [(1_144, 100), (300, 40), (50, 0), (50, 50)])
def test_a_sample_of_the_size_for_a_width_is_that_narrow(population: int, width: int) -> None:
    size = find_sample_size(population, width)
    interval = compute_interval(population, size, size // 2)
    assert interval.high - interval.low <= width
    # A few records fewer, and it is wider.
    fewer = [compute_interval(population, n, n // 2) for n in range(max(0, size - 1), size)]
    assert all(interval.high - interval.low > width for interval in fewer)


def test_fewer_records_do_where_few_are_relevant() -> None:
    assert find_sample_size(1_144, 100, Fraction(1, 10)) < find_sample_size(1_144, 100)


def test_no_width_is_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        find_sample_size(50, -1)
