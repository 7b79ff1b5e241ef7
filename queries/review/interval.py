"""How many records of a population are relevant, from a simple random sample without replacement.

The interval is exact for a finite population: it holds every number of relevant records for which
the sample is not improbable on either side, so its coverage is at least the stated confidence
whatever that number is. It inverts the hypergeometric distribution, as Clopper and Pearson (1934)
invert the binomial; for finite populations see Buonaccorsi, The American Statistician 41 (1987),
215-218. Numbers of samples are counted as integers, so nothing is rounded.
"""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from math import comb
from typing import Final

from msgspec import Struct

#: The confidence of what is stated, unless another is asked for.
CONFIDENCE: Final = Fraction(95, 100)


class Interval(Struct, frozen=True):
    """The fewest and the most records of a population that may be relevant."""

    low: int
    high: int


def compute_interval(
    population: int, sample: int, relevant: int, confidence: Fraction = CONFIDENCE
) -> Interval:
    """The interval for the relevant records of ``population``, of which ``sample`` were read.

    ``relevant`` of those read were relevant. Raises ValueError where
    0 <= relevant <= sample <= population and 0 < confidence < 1 do not hold.
    """
    if not 0 <= relevant <= sample <= population or not 0 < confidence < 1:
        raise ValueError("a sample is part of its population, and a confidence is within 0 and 1")
    one_sided = (1 + confidence) / 2
    # The records that are not relevant are counted by the same rule.
    not_relevant = compute_upper_bound(population, sample, sample - relevant, one_sided)
    return Interval(
        low=population - not_relevant,
        high=compute_upper_bound(population, sample, relevant, one_sided),
    )


def compute_upper_bound(
    population: int, sample: int, relevant: int, confidence: Fraction = CONFIDENCE
) -> int:
    """The most records of ``population`` that may be relevant, with one-sided confidence.

    Raises ValueError as ``compute_interval``.
    """
    if not 0 <= relevant <= sample <= population or not 0 < confidence < 1:
        raise ValueError("a sample is part of its population, and a confidence is within 0 and 1")
    # The largest number with which so few in the sample are not improbable.
    improbable = int(comb(population, sample) * (1 - confidence))  # rounded down, a whole count
    numbers = range(relevant, population - (sample - relevant) + 1)
    first_improbable = bisect_left(
        numbers,
        -improbable,
        key=lambda number: -count_samples(population, number, sample, relevant),
    )
    return numbers[first_improbable - 1]


def count_samples(population: int, relevant: int, sample: int, most: int) -> int:
    """How many samples of a population hold at most ``most`` of its relevant records."""
    others = population - relevant
    in_sample = max(0, sample - others)
    if most < in_sample:
        return 0
    with_so_many = comb(relevant, in_sample) * comb(others, sample - in_sample)
    total = with_so_many
    for held in range(in_sample, min(most, relevant, sample)):
        with_so_many = (
            with_so_many * (relevant - held) * (sample - held)
            // ((held + 1) * (others - sample + held + 1))
        )  # fmt: skip
        total += with_so_many
    return total
