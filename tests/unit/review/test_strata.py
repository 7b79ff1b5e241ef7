"""Strata together: never less sure than stated, and narrower than adding their intervals."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product
from math import comb, isclose, log

import pytest

from queries.review.interval import Interval, compute_interval, count_samples
from queries.review.strata import SampleCounts, combine_strata, combine_tails, find_highest_total

STATED = Fraction(95, 100)


def test_one_stratum_has_the_exact_interval() -> None:
    assert combine_strata([SampleCounts(1_144, 360, 180)]) == Interval(522, 622)


@pytest.mark.parametrize(("number", "cost"), [(1, 3.0), (2, 4.5), (5, 0.1), (5, 10.24)])
def test_tails_are_combined_by_the_chi_squared_distribution(number: int, cost: float) -> None:
    # The distribution of a sum of exponential variables, by another formula: the probability of
    # fewer than `number` events of a Poisson process.
    events = 0.0
    for index in range(number):
        probability = 1.0
        for step in range(1, index + 1):
            probability *= cost / step
        events += probability * 2.718281828459045**-cost
    assert isclose(combine_tails(cost, number), events, rel_tol=1e-9)


def test_the_published_five_per_cent_points_are_five_per_cent() -> None:
    # Chi-squared at 0.05 with 2, 4, 6 and 10 degrees of freedom (Fisher and Yates, Table IV).
    for number, point in [(1, 5.991), (2, 9.488), (3, 12.592), (5, 18.307)]:
        assert combine_tails(point / 2, number) == pytest.approx(0.05, abs=2e-5)


@pytest.mark.parametrize(
    "samples",
    [
        [(6, 3, 1), (9, 4, 2)],
        [(6, 3, 0), (9, 4, 4)],
        [(5, 1, 0), (5, 4, 2), (7, 2, 1)],
        [(4, 2, 2), (4, 2, 2), (6, 2, 0)],
    ],
)
def test_the_division_is_the_most_probable_of_all(samples: list[tuple[int, int, int]]) -> None:
    # By brute force: every way to divide every total among the strata.
    def tail(population: int, sample: int, found: int, relevant: int) -> float:
        return count_samples(population, relevant, sample, found) / comb(population, sample)

    possible = [range(found, size - (drawn - found) + 1) for size, drawn, found in samples]
    highest = max(
        sum(division)
        for division in product(*possible)
        if combine_tails(
            -sum(log(tail(*sample, part)) for sample, part in zip(samples, division, strict=True)),
            len(samples),
        )
        > 0.025
    )
    counts = [SampleCounts(*sample) for sample in samples]
    assert find_highest_total(counts, Fraction(975, 1000)) == highest


@pytest.mark.parametrize("strata", [[(8, 3), (8, 3)], [(10, 1), (5, 4)], [(5, 2), (4, 2), (3, 1)]])
def test_no_division_of_small_strata_is_covered_less_often_than_stated(
    strata: list[tuple[int, int]],
) -> None:
    intervals = {
        found: combine_strata(
            [SampleCounts(*stratum, part) for stratum, part in zip(strata, found, strict=True)]
        )
        for found in product(*(range(sample + 1) for _, sample in strata))
    }
    everything = 1
    for population, sample in strata:
        everything *= comb(population, sample)
    for division in product(*(range(population + 1) for population, _ in strata)):
        covering = sum(
            count_ways(strata, division, found)
            for found, interval in intervals.items()
            if interval.low <= sum(division) <= interval.high
        )
        assert covering >= STATED * everything, division


def count_ways(strata: list[tuple[int, int]], division: tuple[int, ...], found: object) -> int:
    """In how many ways samples of the strata hold just so many relevant records."""
    ways = 1
    for (population, sample), relevant, held in zip(strata, division, found, strict=True):  # type: ignore[call-overload]
        ways *= comb(relevant, held) * comb(population - relevant, sample - held)
    return ways


#: Strata of a grid: their populations and samples, and the share of each that is relevant.
GRID = {
    "two alike": [(572, 180, 0.5), (572, 180, 0.5)],
    "two, one rare": [(900, 90, 0.01), (200, 20, 0.9)],
    "five alike": [(200, 40, 0.3)] * 5,
    "ten, small ones": [(300, 60, 0.5), (200, 40, 0.1), *[(20, 4, 0.2)] * 8],
    "hardly any": [(500, 50, 0.002), (500, 50, 0.004), (100, 10, 0.0)],
}


@pytest.mark.parametrize("name", GRID)
def test_simulated_reviews_of_strata_are_covered_as_stated(name: str) -> None:
    check_simulated_coverage(name, 100)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", GRID)
def test_ten_thousand_reviews_of_strata_are_covered_as_stated(name: str) -> None:
    check_simulated_coverage(name, 10_000)


def check_simulated_coverage(name: str, reviews: int) -> None:
    """So many reviews miss the truth no more often than 5 %, but for chance."""
    generator, strata = random.Random(name), GRID[name]
    relevant = [round(population * share) for population, _, share in strata]
    covered, known = 0, dict[tuple[int, ...], Interval]()
    for _ in range(reviews):
        found = tuple(
            sum(record < number for record in generator.sample(range(population), sample))
            for (population, sample, _), number in zip(strata, relevant, strict=True)
        )
        if found not in known:
            known[found] = combine_strata(
                [
                    SampleCounts(population, sample, part)
                    for (population, sample, _), part in zip(strata, found, strict=True)
                ]
            )
        covered += known[found].low <= sum(relevant) <= known[found].high
    # Three standard errors below 95 %.
    assert covered / reviews >= 0.95 - 3 * (0.95 * 0.05 / reviews) ** 0.5


@pytest.mark.parametrize(
    ("strata", "narrower"),
    [([(572, 180, 90)] * 2, 0.85), ([(286, 90, 45)] * 4, 0.7), ([(143, 45, 22)] * 8, 0.6)],
)
def test_the_combination_is_narrower_than_the_sum_of_intervals(
    strata: list[tuple[int, int, int]], narrower: float
) -> None:
    interval = combine_strata([SampleCounts(*stratum) for stratum in strata])
    # Šidák's level for each, as Wright adds them.
    level = Fraction(float(STATED) ** (1 / len(strata)))
    parts = [compute_interval(*stratum, level) for stratum in strata]
    low, high = sum(part.low for part in parts), sum(part.high for part in parts)
    assert low < interval.low <= interval.high < high
    assert (interval.high - interval.low) < narrower * (high - low)


def test_a_stratum_that_was_read_completely_is_known() -> None:
    alone = combine_strata([SampleCounts(200, 40, 12)])
    both = combine_strata([SampleCounts(200, 40, 12), SampleCounts(30, 30, 7)])
    assert both == Interval(alone.low + 7, alone.high + 7)


def test_a_stratum_that_nobody_read_may_be_anything() -> None:
    alone = combine_strata([SampleCounts(200, 40, 12)])
    both = combine_strata([SampleCounts(200, 40, 12), SampleCounts(30, 0, 0)])
    assert both == Interval(alone.low, alone.high + 30)


@pytest.mark.parametrize("undecided", [1, 5, 20])
def test_undecided_records_are_covered_as_either(undecided: int) -> None:
    low = combine_strata([SampleCounts(300, 40, 10), SampleCounts(100, 20, 4)]).low
    high = combine_strata([SampleCounts(300, 40, 10 + undecided), SampleCounts(100, 20, 4)]).high
    both = combine_strata([SampleCounts(300, 40, 10, undecided), SampleCounts(100, 20, 4)])
    assert both == Interval(low, high)


def test_more_undecided_than_were_read_is_refused() -> None:
    with pytest.raises(ValueError, match="part of its population"):
        combine_strata([SampleCounts(300, 40, 10, 31), SampleCounts(100, 20, 4)])
