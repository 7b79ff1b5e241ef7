"""Coverage over strata, simulated on a grid with a second implementation in NumPy.

It is 10,000 reviews a cell. The second one finds the highest total from cumulative sums in floating
point; that it says what the library says is checked first, so its coverage is that of the library.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from queries.review.strata import SampleCounts, combine_strata, combine_tails

REVIEWS = 10_000

#: Sizes of strata, the share of each that is read, and the share of each that is relevant.
SIZES = {
    "two alike": (572, 572),
    "four alike": (286,) * 4,
    "eight alike": (143,) * 8,
    "one large": (900, 100, 80, 64),
    "halving": (572, 286, 143, 72, 36, 18, 9, 8),
}

READ_SHARES = (0.05, 0.3)

RELEVANT_SHARES = {
    "hardly any": (0.003,),
    "few": (0.03,),
    "a tenth": (0.1,),
    "a half": (0.5,),
    "nearly all": (0.97,),
    "mixed": (0.02, 0.9),
    "one only": (0.3, 0.0),
}

CELLS = [*product(SIZES, READ_SHARES, RELEVANT_SHARES)]


def make_cell(sizes: str, read: float, shares: str) -> list[tuple[int, int, int]]:
    """The population, the sample and the relevant records of each stratum."""
    given = RELEVANT_SHARES[shares]
    return [
        (size, max(1, round(size * read)), round(size * given[min(place, len(given) - 1)]))
        for place, size in enumerate(SIZES[sizes])
    ]


def list_costs(population: int, sample: int, found: int) -> Any:
    """What each further relevant record takes off the logarithm of the tail probability."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, population + 1)))])
    totals = np.arange(found, population - (sample - found) + 1)[:, None]
    held = np.arange(found + 1)[None, :]
    others = population - totals
    possible = (held <= totals) & (sample - held <= others)

    def log_comb(whole: Any, part: Any) -> Any:
        part = np.clip(part, 0, whole)
        return logs[whole] - logs[part] - logs[whole - part]

    ways = log_comb(totals, held) + log_comb(others, sample - held)
    ways = np.where(possible, ways - log_comb(population, sample), -np.inf)
    tails = np.logaddexp.reduce(ways, axis=1)
    return np.where(tails[1:] < -600, np.inf, tails[:-1] - tails[1:])


def find_limit(strata: int, level: float) -> float:
    """The cost at which the combined probability falls to a level, by bisection."""
    low, high = 0.0, 500.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if combine_tails(middle, strata) > level else (low, middle)
    return low


class Bounds:
    """The highest totals of one cell, by what was found in each stratum."""

    def __init__(self, cell: list[tuple[int, int, int]]) -> None:
        self._cell = cell
        self._limit = find_limit(len(cell), 0.025 * (1 - 1e-9))
        self._costs: dict[tuple[int, int, int], Any] = {}

    def find_highest(self, found: Any) -> int:
        parts = []
        for (population, sample, _), number in zip(self._cell, found, strict=True):
            key = (population, sample, int(number))
            if key not in self._costs:
                self._costs[key] = list_costs(*key)
            parts.append(self._costs[key])
        costs = np.cumsum(np.sort(np.concatenate(parts)))
        return int(sum(found)) + int(np.searchsorted(costs, self._limit))

    def find_range(self, found: Any) -> tuple[int, int]:
        samples = np.array([sample for _, sample, _ in self._cell])
        population = sum(size for size, _, _ in self._cell)
        return population - self.find_highest(samples - found), self.find_highest(found)


def draw_found(cell: list[tuple[int, int, int]], number: int, seed: int) -> Any:
    """What so many reviews find in each stratum."""
    generator = np.random.default_rng(seed)
    return np.column_stack(
        [
            generator.hypergeometric(relevant, population - relevant, sample, size=number)
            for population, sample, relevant in cell
        ]
    )


def measure_coverage(cell: list[tuple[int, int, int]], number: int, seed: int) -> float:
    truth = sum(relevant for _, _, relevant in cell)
    bounds = Bounds(cell)
    distinct, times = np.unique(draw_found(cell, number, seed), axis=0, return_counts=True)
    covered = [low <= truth <= high for low, high in map(bounds.find_range, distinct)]
    return float(times[covered].sum() / number)


@pytest.mark.parametrize("sizes", SIZES)
def test_the_second_implementation_gives_the_ranges_of_the_library(sizes: str) -> None:
    for place, (read, shares) in enumerate(product(READ_SHARES, RELEVANT_SHARES)):
        cell = make_cell(sizes, read, shares)
        for found in draw_found(cell, 2, place):
            counts = [
                SampleCounts(population, sample, int(number))
                for (population, sample, _), number in zip(cell, found, strict=True)
            ]
            interval = combine_strata(counts)
            assert Bounds(cell).find_range(found) == (interval.low, interval.high)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("sizes", SIZES)
def test_ten_thousand_reviews_of_each_cell_are_covered_as_stated(sizes: str) -> None:
    """With ``pytest -s``, prints the coverage of each cell."""
    for place, cell_name in enumerate(CELLS):
        if cell_name[0] != sizes:
            continue
        coverage = measure_coverage(make_cell(*cell_name), REVIEWS, place)
        print(*cell_name, coverage, sep=", ")
        # Three standard errors below 95 %.
        assert coverage >= 0.95 - 3 * (0.95 * 0.05 / REVIEWS) ** 0.5, cell_name
