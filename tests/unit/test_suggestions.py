"""The name that an unknown one was probably meant to be."""

from __future__ import annotations

import pytest

from indexer.suggestions import find_closest_names, suggest_name

KEYS = ("reference", "title", "period", "questions")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("titel", ' Did you mean "title"?'),
        ("TITLE", ' Did you mean "title"?'),
        ("periods", ' Did you mean "period"?'),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_sentence_names_the_closest_known_name_if_one_is_close(name: str, sentence: str) -> None:
    assert suggest_name(name, KEYS) == sentence


def test_nothing_is_suggested_where_nothing_is_known() -> None:
    assert suggest_name("titel", ()) == ""


def test_closest_names_come_first_and_distant_ones_on_request() -> None:
    codes = ["22A", "22B", "86/2"]
    assert find_closest_names("22b", codes, limit=2) == ["22B", "22A"]
    assert find_closest_names("9", codes, limit=1) == []
    assert len(find_closest_names("9", codes, limit=3, min_similarity=0)) == 3
