"""How well two readers who did not see each other's decisions agree. Pure.

The table of two readers is a square of counts: a row for each verdict of the first, a column for
each of the second. Three coefficients, each with an interval from a normal curve (so it is rough
for few pairs, and is cut to what a coefficient can be):

- the share of pairs on which they agree, with the score interval of Wilson (JASA 22 (1927),
  209-212);
- kappa (Cohen, Educational and Psychological Measurement 20 (1960), 37-46), with the standard
  error of Fleiss, Cohen and Everitt (Psychological Bulletin 72 (1969), 323-327). It is low where
  nearly all records are of one kind, however well the readers agree (Feinstein and Cicchetti,
  Journal of Clinical Epidemiology 43 (1990), 543-549; Byrt, Bishop and Carlin, the same 46 (1993),
  423-429);
- AC1, made for that case (Gwet, British Journal of Mathematical and Statistical Psychology 61
  (2008), 29-48), with the standard error given there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple, TypeAlias

from queries.review.result import Agreement, AgreementTable, Coefficient
from queries.review.types import Verdict
from queries.review.verdict import RecordReading

#: Counts of pairs: rows are verdicts of the first reader, columns those of the second.
Counts: TypeAlias = Sequence[Sequence[int]]

_DECIDED = (Verdict.RELEVANT, Verdict.NOT_RELEVANT)


class _Shares(NamedTuple):
    """A table as shares of its pairs: of each cell, each row and each column."""

    pairs: int
    cells: list[list[float]]
    rows: list[float]
    columns: list[float]

    @property
    def agreed(self) -> float:
        return sum(self.cells[index][index] for index in range(len(self.rows)))


def measure_agreement(readings: Sequence[RecordReading], confidence: float) -> Agreement | None:
    """The agreement of all records that two people read as they are now; None if there is none.

    The table has the records that both decided. A record that one or both were unsure of is
    counted apart: it is neither an agreement nor a disagreement on whether it is relevant.
    """
    both = [
        (reading.first, reading.second) for reading in readings if reading.first and reading.second
    ]
    if not both:
        return None
    counts = [[both.count((first, second)) for second in _DECIDED] for first in _DECIDED]
    table = AgreementTable(*(number for row in counts for number in row))
    return Agreement(
        pairs=table.pairs,
        agreed=table.agreed,
        unsure=len(both) - table.pairs,
        raw=compute_raw_agreement(table.agreed, table.pairs, confidence),
        table=table,
        kappa=compute_kappa(counts, confidence),
        ac1=compute_ac1(counts, confidence),
    )


def compute_raw_agreement(agreed: int, pairs: int, confidence: float) -> Coefficient | None:
    """The share of pairs that agree, with Wilson's interval; None without pairs."""
    if not pairs:
        return None
    share, z = agreed / pairs, _find_quantile(confidence)
    spread = z * math.sqrt(share * (1 - share) / pairs + z * z / (4 * pairs * pairs))
    middle, scale = share + z * z / (2 * pairs), 1 + z * z / pairs
    low = 0.0 if agreed == 0 else (middle - spread) / scale
    high = 1.0 if agreed == pairs else (middle + spread) / scale
    return Coefficient(share, low, high)


def compute_kappa(counts: Counts, confidence: float) -> Coefficient | None:
    """Cohen's kappa; None where both readers gave one verdict to all, which leaves it undefined."""
    shares = _compute_shares(counts)
    if shares is None:
        return None
    categories = range(len(shares.rows))
    expected = sum(shares.rows[index] * shares.columns[index] for index in categories)
    if math.isclose(expected, 1):
        return None
    agreed = shares.agreed
    kappa = (agreed - expected) / (1 - expected)
    squares = sum(
        shares.cells[row][column]
        * ((row == column) - (1 - kappa) * (shares.columns[row] + shares.rows[column])) ** 2
        for row in categories
        for column in categories
    )
    centre = (agreed - 2 * (1 - kappa) * expected) ** 2
    variance = (squares - centre) / (shares.pairs * (1 - expected) ** 2)
    return _build_coefficient(kappa, variance, confidence)


def compute_ac1(counts: Counts, confidence: float) -> Coefficient | None:
    """Gwet's AC1; None without pairs."""
    shares = _compute_shares(counts)
    if shares is None:
        return None
    number = len(shares.rows)
    categories = range(number)
    middles = [(shares.rows[index] + shares.columns[index]) / 2 for index in categories]
    expected = sum(middle * (1 - middle) for middle in middles) / (number - 1)
    agreed = shares.agreed
    ac1 = (agreed - expected) / (1 - expected)
    squares = sum(
        shares.cells[row][column]
        * (
            (row == column)
            - 2 * (1 - ac1) * (1 - (middles[row] + middles[column]) / 2) / (number - 1)
        )
        ** 2
        for row in categories
        for column in categories
    )
    variance = (squares - (agreed - 2 * (1 - ac1) * expected) ** 2) / (
        shares.pairs * (1 - expected) ** 2
    )
    return _build_coefficient(ac1, variance, confidence)


def _compute_shares(counts: Counts) -> _Shares | None:
    pairs = sum(map(sum, counts))
    if not pairs:
        return None
    return _Shares(
        pairs,
        [[number / pairs for number in row] for row in counts],
        [sum(row) / pairs for row in counts],
        [sum(column) / pairs for column in zip(*counts, strict=True)],
    )


def _build_coefficient(value: float, variance: float, confidence: float) -> Coefficient:
    """A coefficient with the interval of a normal curve, cut to -1 and 1."""
    spread = _find_quantile(confidence) * math.sqrt(max(0.0, variance))
    return Coefficient(value, max(-1.0, value - spread), min(1.0, value + spread))


def _find_quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
