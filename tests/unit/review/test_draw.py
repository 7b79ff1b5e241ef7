"""The draw: again by anyone, extended without another sample, and fair to every record."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest

from queries.review.draw import (
    allocate_sample,
    choose_second_readings,
    draw_stratum,
    order_references,
)
from queries.review.types import DrawnRecord, Stratum

REFERENCES = [f"SYN-{number:05}" for number in range(200)]

TWENTY_PER_CENT = Fraction(20, 100)


def test_the_order_is_that_of_a_hash_that_anyone_can_compute() -> None:
    def key(reference: str) -> bytes:
        return hmac.new(b"a seed", f"order:{reference}".encode(), hashlib.sha256).digest()

    assert order_references(REFERENCES, "a seed") == sorted(REFERENCES, key=key)


def test_the_order_of_the_list_does_not_matter_and_the_seed_does() -> None:
    order = order_references(REFERENCES, "one")
    assert order_references(reversed(REFERENCES), "one") == order
    assert order_references(REFERENCES, "two") != order


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    small, large = (draw(sample) for sample in (60, 90))
    assert large[:60] == small
    assert [record.position for record in large] == list(range(1, 91))
    assert small[7].content_hash == f"hash of {small[7].reference}"


@pytest.mark.parametrize("share", ["0", "0.01", "0.2", "1/3", "0.5", "0.7", "1"])
def test_a_sample_of_any_size_has_its_share_of_second_readings(share: str) -> None:
    order, expected = order_references(REFERENCES, "a seed"), Fraction(share)
    chosen = choose_second_readings(order, "a seed", expected)
    for sample in range(len(order) + 1):
        number = sum(reference in chosen for reference in order[:sample])
        planned = -int(-sample * expected // 1)
        assert planned - 1 <= number <= planned


def test_every_record_is_drawn_and_read_twice_equally_often() -> None:
    # By hand: 4 of 10 records are drawn in 1,000 orders, 2 of them are read twice at a half.
    references, drawn, twice = REFERENCES[:10], Counter[str](), Counter[str]()
    for seed in map(str, range(1_000)):
        order = order_references(references, seed)
        drawn.update(order[:4])
        twice.update(choose_second_readings(order, seed, Fraction(1, 2)) & {*order[:4]})
    # Five standard deviations of a binomial: 77 around 400, 63 around 200.
    assert all(abs(drawn[reference] - 400) < 77 for reference in references)
    assert all(abs(twice[reference] - 200) < 63 for reference in references)


def test_second_readings_are_not_at_fixed_places() -> None:
    order = order_references(REFERENCES, "a seed")
    chosen = choose_second_readings(order, "a seed", TWENTY_PER_CENT)
    places = Counter(order.index(reference) % 5 for reference in chosen)
    assert len(places) == 5


def test_a_sample_is_allocated_in_proportion() -> None:
    # By hand: 60 of 600, 300 and 100 are 36, 18 and 6.
    assert allocate_sample({"a": 600, "b": 300, "c": 100}, 60) == {"a": 36, "b": 18, "c": 6}


def test_a_small_stratum_has_a_record_and_an_empty_one_none() -> None:
    assert allocate_sample({"a": 990, "b": 10, "c": 0}, 20) == {"a": 19, "b": 1, "c": 0}


def test_a_larger_sample_never_takes_fewer_of_a_stratum() -> None:
    populations = {"a": 603, "b": 291, "c": 97, "d": 7, "e": 1}
    allocations = [allocate_sample(populations, sample) for sample in range(5, 1_000)]
    assert [sum(sizes.values()) for sizes in allocations] == list(range(5, 1_000))
    for smaller, larger in pairwise(allocations):
        assert all(smaller[name] <= larger[name] <= populations[name] for name in populations)
    assert allocations[-1] == populations


@pytest.mark.parametrize("sample", [1, 11])
def test_a_sample_that_the_strata_cannot_give_is_refused(sample: int) -> None:
    with pytest.raises(ValueError, match="of each stratum"):
        allocate_sample({"a": 5, "b": 5}, sample)


def test_a_stratum_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="as many records as it says"):
        list(draw_stratum(["a"], {}, Stratum("", 2, 1), "seed", Fraction(0)))


def test_a_share_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="a share"):
        choose_second_readings(["a"], "seed", Fraction(2))


def draw(sample: int) -> list[DrawnRecord]:
    hashes = {reference: f"hash of {reference}" for reference in REFERENCES}
    stratum = Stratum("", len(REFERENCES), sample)
    return list(draw_stratum(REFERENCES, hashes, stratum, "a seed", TWENTY_PER_CENT))
