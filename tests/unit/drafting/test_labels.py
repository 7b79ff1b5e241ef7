"""The numbers of parts: which text has one, and which follows which."""

from __future__ import annotations

import pytest

from queries.drafting.structure.labels import follows, read_label, split_inline, split_label


@pytest.mark.parametrize(
    ("text", "label", "rest"),
    [
        ("3. How many", "3", "How many"),
        ("(a) by sex", "a", "by sex"),
        ("iv) the outcome", "iv", "the outcome"),
        ("Q2 How many", "2", "How many"),
        ("Question 1: How many", "1", "How many"),
        ("Part B. Of these", "b", "Of these"),
        ("QUESTION FOUR", "4", ""),
        ("1.2 Of these", "1.2", "Of these"),
        ("2.0 In this letter", "2.0", "In this letter"),
    ],
)
def test_a_label_is_apart_from_its_words(text: str, label: str, rest: str) -> None:
    prefix, words = split_label(text)
    assert prefix
    assert (prefix.text, words) == (label, rest)


@pytest.mark.parametrize(
    "text",
    ["H. Babbington", "Questions 3 and 4 stay", "In 2022", "22B offences", "a five-year period", "I would like", "one of them"],
)  # fmt: skip
def test_a_sentence_is_not_a_label(text: str) -> None:
    assert split_label(text) == (None, text)


@pytest.mark.parametrize(
    ("first", "second"), [("1.", "2."), ("(a)", "(b)"), ("(h)", "(i)"), ("i)", "ii)"), ("Q1", "Q2")]
)
def test_a_label_follows_the_one_before_it(first: str, second: str) -> None:
    label, following = read_label(first), read_label(second)
    assert label
    assert following
    assert follows(label, following)
    assert not follows(following, label)


def test_parts_in_one_line_are_parts() -> None:
    stem, parts = split_inline(
        "The number of victims: (a) by sex; (b) by age; and (c) the youngest"
    )
    assert stem == "The number of victims:"
    assert [(label.text, text) for label, text in parts] == [
        ("a", "by sex"), ("b", "by age"), ("c", "the youngest"),
    ]  # fmt: skip


def test_a_reference_to_parts_is_not_a_list_of_parts() -> None:
    text = "For (a) and (b) above, by month"
    assert split_inline(text) == (text, [])
