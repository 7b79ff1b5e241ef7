"""A term and the ways to write it that count."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import RequestError
from queries.matching.term import build_form_query, build_term_query, parse_term
from tests.support.oracle import variants

PART = st.text("abcdefgh", min_size=2, max_size=8)


@pytest.mark.parametrize(
    "other",
    ["live-stream", "LIVE\u2013STREAM", "Live  Stream", "li\u00adve stream", "live\nstream"],
)
def test_hyphen_and_space_spellings_are_one_query(other: str) -> None:
    assert build_term_query(parse_term(other)) == build_term_query(parse_term("live stream"))


@given(PART, PART, st.sampled_from([" ", "-", " \u2013 ", "\n"]))
def test_two_words_and_the_two_in_one_word_are_one_term(
    first: str, second: str, joint: str
) -> None:
    spaced, closed = parse_term(first + joint + second), parse_term(first + second)
    assert closed.identity == spaced.identity
    assert {*closed.forms} <= {*spaced.forms}
    assert spaced.merge_wording(closed) == spaced
    assert closed.merge_wording(spaced).forms == spaced.forms


@pytest.mark.parametrize(
    ("one", "other"),
    [("to get her", "together"), ("S Club", "sclub"), ("pick up truck", "pickup truck")],
)
def test_wordings_that_the_closed_word_does_not_count_are_other_terms(one: str, other: str) -> None:
    assert parse_term(one).identity != parse_term(other).identity


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=5))
def test_forms_are_those_of_the_rule(written: list[str]) -> None:
    forms = sorted(" ".join(form) for form in parse_term("-".join(written)).forms)
    assert forms == variants(" ".join(written))


@pytest.mark.parametrize(
    "written", ["pickup truck", "pick-up truck", "pick up truck", "pick uptruck"]
)
def test_a_part_of_a_written_term_opens_into_parts_of_two_letters(written: str) -> None:
    forms = {" ".join(form) for form in parse_term(written).forms}
    assert forms >= {"pickup truck", "pick up truck", "pick uptruck", "pickuptruck"}


def test_one_part_is_opened_at_a_time() -> None:
    """Of two closed words only one is opened; and a closed word is opened twice into parts of
    three letters or more."""
    forms = {" ".join(form) for form in parse_term("airbag lifejacket").forms}
    assert forms >= {"air bag lifejacket", "airbag life jacket", "airbaglife jacket"}
    assert "air bag life jacket" not in forms
    assert "air bag life jacket" not in {" ".join(f) for f in parse_term("airbaglifejacket").forms}


def test_a_closed_name_opens_once_into_parts_of_two_letters() -> None:
    forms = parse_term("Skype").forms
    assert forms == (("skype",), ("sk", "ype"), ("sky", "pe"))


def test_a_long_name_opens_twice_into_parts_of_three_letters() -> None:
    assert ("play", "station", "network") in parse_term("Playstation network").forms
    assert ("to", "get", "her") not in parse_term("together").forms


def test_a_part_of_a_written_term_opens_too() -> None:
    assert ("snap", "chat", "id") in parse_term("Snapchat ID").forms
    assert ("pay", "pal", "me") in parse_term("PayPal me").forms


def test_one_letter_parts_are_found_only_where_they_are_written() -> None:
    assert ("x", "box") in parse_term("X-Box").forms
    assert ("x", "box") not in parse_term("Xbox").forms
    assert ("ms", "n") not in parse_term("MSN").forms


def test_every_joining_of_several_written_words_counts() -> None:
    forms = parse_term("pay as you go").forms
    for joins in itertools.product(("", " "), repeat=3):
        spaced = "pay{}as{}you{}go".format(*joins)
        assert tuple(spaced.split(" ")) in forms


def test_variants_none_holds_a_term_to_its_words() -> None:
    assert parse_term("We-Chat", variants=False).forms == (("we", "chat"),)


@pytest.mark.parametrize("written", ["Live.ly", "M&S", "24/7", "www.live.ly"])
def test_a_word_with_hard_punctuation_is_found_as_written(written: str) -> None:
    term = parse_term(written)
    assert term.compound
    assert term.forms == ((written.casefold(),),)


@pytest.mark.parametrize("written", ["@snapchat", "#snapchat", '"Snapchat"', "Snapchat."])
def test_marks_around_a_term_are_not_part_of_it(written: str) -> None:
    assert parse_term(written).forms == parse_term("snapchat").forms


def test_forms_with_a_possessive_are_looked_for_where_it_is_whole() -> None:
    term = parse_term("what’s app")
    whole = build_form_query(term, ("what's", "app")).to_dict()["bool"]["should"]
    assert whole == [
        {"match_phrase": {"possessives": "what's app"}},
        {"match_phrase": {"possessives": "what's app's"}},
    ]
    closed = build_form_query(term, ("what'sapp",)).to_dict()
    assert closed == {"match_phrase": {"narrative": "what'sapp"}}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "no letter or digit"),
        ("   ", "no letter or digit"),
        ("--&--", "no letter or digit"),
        ("\u200b", "no letter or digit"),
        ("a" * 1_000_000, "1,000,000 characters"),
        ("one two three four five six seven eight nine", "9 words"),
        ("s", "ends every possessive"),
        ("Live.ly app", "next to other words"),
        ("C++", "does not distinguish"),
        ("a..b", "does not distinguish"),
        ("a\udcffb", "half a character"),
        ("\u0301 \u20dd", "no letter or digit"),
    ],
)
def test_a_term_that_cannot_be_told_is_refused_in_words(written: str, words: str) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        parse_term(written)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("\u0301live stream", "live stream"),
        ("live \u0301\u0308stream", "live stream"),
        ("live.\u0301ly", "live.ly"),
        ("don'\u0301t", "don't"),
        ("live\U000e0101 stream", "live stream"),
    ],
)
def test_a_mark_without_a_letter_is_no_part_of_a_term(written: str, plain: str) -> None:
    assert parse_term(written).forms == parse_term(plain).forms
    assert parse_term(written).compound == parse_term(plain).compound


@given(st.text())
def test_any_text_is_a_term_or_refused(written: str) -> None:
    try:
        term = parse_term(written)
    except RequestError:
        return
    assert term.forms
    assert all(all(form) for form in term.forms)


def test_a_term_is_folded_as_the_index_folds_the_text() -> None:
    """The fold of some letters is taken apart; the index holds them as one, in any case."""
    for written in ("\u01f0a", "J\u030cA", "J\u030ca"):
        assert parse_term(written).forms == (("\u01f0a",),)


def test_a_word_opens_before_no_accent() -> None:
    for form in parse_term("ab\u0323\u0331cd").forms:
        assert all(not unicodedata.combining(word[0]) for word in form)
