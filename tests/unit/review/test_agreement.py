"""Agreement of two readers: published examples, their paradoxes, and what is not defined."""

from __future__ import annotations

import pytest

from queries.review.agreement import compute_ac1, compute_kappa, compute_raw_agreement
from queries.review.result import Coefficient

#: Gwet's table of three abstractors' categories, with kappa, AC1 and their standard errors as his
#: package irrCAC (2019) prints them.
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]

#: Two standard errors of a normal curve at 95 %.
QUANTILE = 1.959964


def test_kappa_and_its_error_are_those_of_a_published_table() -> None:
    kappa = check_coefficient(compute_kappa(ABSTRACTORS, 0.95))
    assert kappa.value == pytest.approx(0.7964094, abs=1e-7)
    assert (kappa.high - kappa.value) / QUANTILE == pytest.approx(0.05891072, abs=1e-7)


def test_ac1_and_its_error_are_those_of_a_published_table() -> None:
    ac1 = check_coefficient(compute_ac1(ABSTRACTORS, 0.95))
    assert ac1.value == pytest.approx(0.8493305, abs=1e-7)
    assert (ac1.high - ac1.value) / QUANTILE == pytest.approx(0.04321747, abs=1e-7)


def test_kappa_of_two_verdicts_is_that_of_a_published_table() -> None:
    # Fleiss and Paik, Statistical Methods for Rates and Proportions (2003), as computed by the
    # package statpsych: 0.6756757, from 0.5317210 to 0.8196303.
    kappa = check_coefficient(compute_kappa([[31, 12], [4, 58]], 0.95))
    assert (kappa.value, kappa.low, kappa.high) == pytest.approx(
        (0.6756757, 0.5317210, 0.8196303), abs=1e-6
    )


@pytest.mark.parametrize(
    ("counts", "raw", "kappa"),
    [
        # Feinstein and Cicchetti (1990), tables 1 to 4.
        ([[40, 9], [6, 45]], 0.85, 0.70),
        ([[80, 10], [5, 5]], 0.85, 0.32),
        ([[45, 15], [25, 15]], 0.60, 0.13),
        ([[25, 35], [5, 35]], 0.60, 0.26),
    ],
)
def test_the_paradoxes_of_kappa_are_those_of_the_paper(
    counts: list[list[int]], raw: float, kappa: float
) -> None:
    agreed = counts[0][0] + counts[1][1]
    assert check_coefficient(compute_raw_agreement(agreed, 100, 0.95)).value == raw
    assert check_coefficient(compute_kappa(counts, 0.95)).value == pytest.approx(kappa, abs=0.005)


def test_ac1_stays_high_where_nearly_all_is_of_one_kind() -> None:
    # Gwet (2002), 118 and 0 agreements of 125: kappa is -0.02, AC1 0.94.
    counts = [[118, 5], [2, 0]]
    assert check_coefficient(compute_kappa(counts, 0.95)).value == pytest.approx(-0.0234, abs=1e-4)
    assert check_coefficient(compute_ac1(counts, 0.95)).value == pytest.approx(0.9408, abs=1e-4)


def test_raw_agreement_has_the_interval_of_a_published_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for agreed, pairs, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        raw = check_coefficient(compute_raw_agreement(agreed, pairs, 0.95))
        assert (raw.low, raw.high) == pytest.approx((low, high), abs=5e-5)


def test_kappa_is_not_defined_where_both_gave_one_verdict_to_all() -> None:
    assert compute_kappa([[9, 0], [0, 0]], 0.95) is None
    assert check_coefficient(compute_ac1([[9, 0], [0, 0]], 0.95)) == Coefficient(1.0, 1.0, 1.0)


def test_no_pairs_say_nothing() -> None:
    nothing = [[0, 0], [0, 0]]
    assert compute_raw_agreement(0, 0, 0.95) is None
    assert compute_kappa(nothing, 0.95) is None
    assert compute_ac1(nothing, 0.95) is None


def test_an_interval_is_cut_to_what_a_coefficient_can_be() -> None:
    kappa = check_coefficient(compute_kappa([[2, 0], [1, 1]], 0.95))
    assert kappa.high == 1.0


def check_coefficient(coefficient: Coefficient | None) -> Coefficient:
    assert coefficient is not None
    assert -1 <= coefficient.low <= coefficient.value <= coefficient.high <= 1
    return coefficient
