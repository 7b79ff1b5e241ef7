"""What a letter leaves out is no term, and is told apart from what it counts."""

from __future__ import annotations

import pytest

from queries.drafting.phrases.terms import find_terms


@pytest.mark.parametrize(
    ("text", "terms", "excluded"),
    [
        ('How many mention "Vinted" and "Depop"?\nPlease exclude any crime that was later cancelled or "no-crimed".', ["Vinted", "Depop"], ["no-crimed"]),
        ('Count records with the word "drone", leaving out those with "toy drone" in them.', ["drone"], ["toy drone"]),
        ('Please do not include anything with the word "kite", but please count the word "balloon".', ["balloon"], ["kite"]),
        ('How many mention "kite", not counting those with "box kite"?', ["kite"], ["box kite"]),
        ('How many mention "gun" with the exception of "nail gun"?', ["gun"], ["nail gun"]),
        ('Records that mention "knife" and do not mention "butter knife".', ["knife"], ["butter knife"]),
        ('How many mention the words "spiked" or "spiking"?', ["spiked", "spiking"], []),
    ],
)  # fmt: skip
def test_what_is_left_out_is_no_term(text: str, terms: list[str], excluded: list[str]) -> None:
    phrase = find_terms(text)
    assert [term.term for term in phrase.terms] == terms
    assert list(phrase.excluded) == excluded


def test_what_a_list_holds_is_no_term() -> None:
    phrase = find_terms("How many mention any of the following breeds:", ["XL Bully", "Rottweiler"])
    assert [term.term for term in phrase.terms] == ["XL Bully", "Rottweiler"]


def test_a_long_list_of_names_is_read_once() -> None:
    phrase = find_terms(f"crimes involving {'Roblox, ' * 2_000}")
    assert [term.term for term in phrase.terms] == ["Roblox"]
    assert phrase.unsure
