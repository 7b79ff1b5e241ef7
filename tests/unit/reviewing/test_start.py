"""The draw of a review: strata, places of all records, and what does not suit a population."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from indexer.errors import ReviewError
from queries.reviewing.prepare import make_review_name
from queries.reviewing.start import (
    Draw,
    count_second_readings,
    draw_population,
    extend_strata,
    warn_of_small_counts,
)
from queries.reviewing.strata_kind import StrataKind
from tests.support.stored_reviews import make_population


def make_draw(sample: int | None, by: StrataKind | None = None) -> Draw:
    return Draw(sample, by, Fraction(1, 5), "seed")


def test_every_record_has_its_place_and_the_first_are_the_sample() -> None:
    strata, drawn = draw_population(make_population(50), make_draw(20))
    assert [record.position for record in drawn] == [*range(1, 51)]
    assert len({record.reference for record in drawn}) == 50
    assert [(one.name, one.population, one.sample) for one in strata] == [("", 50, 20)]
    assert count_second_readings(drawn, strata) == 4


def test_without_a_number_all_are_read() -> None:
    strata, _ = draw_population(make_population(7), make_draw(None))
    assert strata[0].sample == 7


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (StrataKind.OFFENCE, ["19C", "22B", "88E"]),
        (StrataKind.YEAR, ["2023"]),
        (StrataKind.FINANCIAL_YEAR, ["2022/23", "2023/24"]),
    ],
)
def test_strata_are_parts_of_the_population(by: StrataKind, names: list[str]) -> None:
    strata, drawn = draw_population(make_population(48), make_draw(12, by))
    assert [one.name for one in strata] == names
    assert sum(one.population for one in strata) == 48
    assert sum(one.sample for one in strata) == 12
    assert Counter(record.stratum for record in drawn) == {
        one.name: one.population for one in strata
    }


@pytest.mark.parametrize(
    ("number", "sample", "by", "message"),
    [
        (0, 5, None, "no record is behind this number"),
        (5, 6, None, "more than the 5 records"),
        (9, 2, StrataKind.OFFENCE, "less than one record for each of the 3 strata"),
    ],
)
def test_a_sample_that_does_not_suit_is_refused(
    number: int, sample: int, by: StrataKind | None, message: str
) -> None:
    with pytest.raises(ReviewError, match=message):
        draw_population(make_population(number), make_draw(sample, by))


def test_an_extension_takes_no_record_away() -> None:
    strata, _ = draw_population(make_population(60), make_draw(12, StrataKind.OFFENCE))
    larger = extend_strata(strata, 20)
    assert sum(one.sample for one in larger) == 20
    assert all(new.sample >= old.sample for old, new in zip(strata, larger, strict=True))
    with pytest.raises(ReviewError, match="has 12 records already"):
        extend_strata(strata, 11)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("FOI2018/03922", "Q1", "total"), "FOI2018-03922-Q1"),
        (("FOI 1", "Q2", "Snap chat", "2017/18"), "FOI-1-Q2-Snap-chat-2017-18"),
    ],
)
def test_a_name_is_made_of_what_is_reviewed(parts: tuple[str, ...], name: str) -> None:
    assert make_review_name(*parts) == name


@pytest.mark.parametrize(("minimum", "words"), [(5, "only 1 to 4"), (10, "only 1 to 9")])
def test_a_small_sample_is_warned_of_by_the_rule_of_the_force(minimum: int, words: str) -> None:
    assert words in warn_of_small_counts(minimum)


@pytest.mark.parametrize("minimum", [0, 1])
def test_where_every_number_is_given_no_sample_is_warned_of(minimum: int) -> None:
    assert warn_of_small_counts(minimum) == ""
