"""What sample fits the limit, second readings included."""

from __future__ import annotations

from fractions import Fraction

import pytest

from queries.review.interval import Interval
from queries.review.sample_plan import plan_sample


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
