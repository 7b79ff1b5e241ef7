"""How many records of several strata are relevant, from a sample of each. Pure.

Each stratum is a population with a simple random sample of its own. A total is possible if there is
a way to divide it among the strata with which the samples are not improbable together: the tail
probabilities of the strata are combined by Fisher's method (Statistical Methods for Research
Workers, 4th edition, 1932, section 21.1), whose level holds for probabilities of counts, and the
division that makes them most probable decides. So the interval covers the truth at least as often
as it says. The test is that of Stark and Ottoboni, "Inference about binary populations from
stratified samples" (Statistics 240 notes, University of California, Berkeley).

Its alternatives: adding intervals of each stratum at a stricter level (Wright, Exact Confidence
Bounds when Sampling from Small Finite Universes, 1991) gives twice to three times the width, and
the largest probability of the estimate itself (Wendell and Schmee, JASA 91 (1996), 825-830) cannot
be computed for more than about three strata.

The division is found by adding one record after another where it costs least. That is exact,
because the logarithm of a tail probability is concave: the samples lost with each further relevant
record are a product of two binomial coefficients, a log-concave sequence, and so are its sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from heapq import merge
from itertools import pairwise
from math import comb
from typing import Final

from msgspec import Struct

from queries.review.interval import CONFIDENCE, Interval, compute_interval, compute_upper_bound

#: Tail probabilities are counted in integers and combined in floating point; so much of one counts
#: for the wider interval.
_MARGIN: Final = 1e-9


class SampleCounts(Struct, frozen=True):
    """A sample of a population: how many of it are relevant, and how many undecided, which may be
    either."""

    population: int
    sample: int
    relevant: int
    undecided: int = 0

    @property
    def most_relevant(self) -> int:
        """How many of the sample may be relevant."""
        return self.relevant + self.undecided


def combine_strata(samples: Sequence[SampleCounts], confidence: Fraction = CONFIDENCE) -> Interval:
    """The interval for the relevant records of all strata together; of one, the exact one.

    It covers each undecided record as relevant and as not relevant. Raises ValueError as
    ``compute_interval``.
    """
    one_sided = (1 + confidence) / 2
    population = sum(sample.population for sample in samples)
    for sample in samples:  # says what is impossible of it
        compute_interval(sample.population, sample.sample, sample.most_relevant, confidence)
    others = [
        SampleCounts(
            sample.population,
            sample.sample,
            sample.sample - sample.most_relevant,
            sample.undecided,
        )
        for sample in samples
    ]
    return Interval(
        low=population - find_highest_total(others, one_sided),
        high=find_highest_total(samples, one_sided),
    )


def find_highest_total(samples: Sequence[SampleCounts], confidence: Fraction) -> int:
    """The most records of all strata together that may be relevant, with one-sided confidence."""
    # What was read completely is known, and of what was not read at all, all may be relevant.
    known = sum(
        sample.most_relevant if sample.sample == sample.population else sample.population
        for sample in samples
        if sample.sample in (0, sample.population)
    )
    open_samples = [sample for sample in samples if 0 < sample.sample < sample.population]
    if len(open_samples) < 2:
        return known + sum(
            compute_upper_bound(sample.population, sample.sample, sample.most_relevant, confidence)
            for sample in open_samples
        )
    least = float(1 - confidence) * (1 - _MARGIN)
    total = known + sum(sample.most_relevant for sample in open_samples)
    cost = 0.0
    for step in merge(*map(_list_costs, open_samples)):
        cost += step
        if combine_tails(cost, len(open_samples)) <= least:
            break
        total += 1
    return total


def combine_tails(cost: float, number: int) -> float:
    """The combined probability of independent tail probabilities by Fisher's method.

    ``cost`` is minus the sum of their natural logarithms. Twice that is at most a chi-squared
    variable with two degrees of freedom for each; its survival function has this closed form.
    """
    term = total = 1.0
    for index in range(1, number):
        term *= cost / index
        total += term
    return math.exp(-cost) * total


def _list_costs(sample: SampleCounts) -> Iterator[float]:
    """What each further relevant record takes off the logarithm of the probability of so few in the
    sample, beginning with as many as were found; growing."""
    for before, after in pairwise(_count_tails(sample)):
        yield math.log(before) - math.log(after)


def _count_tails(sample: SampleCounts) -> Iterator[int]:
    """For each possible number of relevant records, how many samples hold as few as were found."""
    population, size, found = sample.population, sample.sample, sample.most_relevant
    samples = comb(population, size)
    yield samples
    if found == size:
        for _ in range(population - size):
            yield samples
        return
    # One more relevant record than `number` loses the samples that hold it, and as many of the
    # others as were found.
    lost = comb(population - 1 - found, size - found - 1)
    for number in range(found, population - (size - found)):
        samples -= lost
        yield samples
        rest = population - 1 - number
        lost = lost * (number + 1) * (rest - (size - found - 1)) // ((number + 1 - found) * rest)
