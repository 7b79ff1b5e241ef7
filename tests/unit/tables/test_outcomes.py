"""Outcomes of a request by number or by name."""

from __future__ import annotations

import pytest

from indexer.errors import RequestError
from queries.tables.field_filter import build_field_filter
from queries.tables.field_values import (
    describe_outcome,
    load_outcome_names,
    load_outcome_titles,
    parse_outcome,
)


def test_every_outcome_is_read_by_its_number_its_title_and_its_name() -> None:
    for number, title in load_outcome_titles().items():
        assert parse_outcome(str(number)) == number
        assert parse_outcome(f" {title.upper()} ") == number
        assert parse_outcome(load_outcome_names()[number]) == number


@pytest.mark.parametrize(
    ("text", "number"), [("charged", 1), ("Youth caution", 2), ("community", 8), ("012", 12)]
)
def test_the_first_words_of_a_title_are_enough_if_no_other_has_them(text: str, number: int) -> None:
    assert parse_outcome(text) == number


def test_words_of_several_outcomes_are_refused_with_those() -> None:
    with pytest.raises(RequestError) as caught:
        parse_outcome("named suspect")
    assert "may be any of the outcomes 11 (Named suspect below" in str(caught.value)
    assert "1 (Charged" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "23", "chargedd", "", "-1", "suspects", "²", "charge("])
def test_an_outcome_that_there_is_not_is_refused_with_all_of_them(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_outcome(text)
    for number, name in load_outcome_names().items():
        assert f"{number} {name}" in str(caught.value)


def test_a_filter_by_name_is_the_filter_by_number() -> None:
    named = build_field_filter("outcome", ["charged", "1", "14"], {})
    numbered = build_field_filter("outcome", ["1", "14"], {})
    assert named.condition == numbered.condition
    assert named.query.to_dict() == numbered.query.to_dict()


def test_a_sentence_has_the_words_of_an_outcome_before_its_number() -> None:
    assert describe_outcome(1) == '"Charged or summonsed" (number 1)'
    charged = build_field_filter("outcome", ["charged", "8"], {})
    assert charged.words == f"the outcome is {describe_outcome(1)} or {describe_outcome(8)}"
