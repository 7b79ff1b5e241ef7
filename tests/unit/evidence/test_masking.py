"""Masking hides more than it must, and never the words themselves."""

from __future__ import annotations

import pytest

from queries.evidence.masking import MASK, find_words, hide_spans, mask_identifiers


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the caller said on 07700 900123 that", f"the caller said on {MASK} {MASK} that"),
        ("seen by Mary Ann at High Street", f"seen by {MASK} {MASK} at {MASK} {MASK}"),
        ("He was there. The app was his", "He was there. The app was his"),
        ("write to a.b@example.org or @some_one", f"write to {MASK} or {MASK}"),
        ("see https://example.org/x?y=1 for it", f"see {MASK} for it"),
        ("plate AB12 CDE, born 1.2.2003", f"plate {MASK} {MASK}, born {MASK}.{MASK}.{MASK}"),
        ("O'Brien and o'clock", f"{MASK} and o'clock"),
        ("MET AT THE STATION", f"{MASK} AT THE {MASK}"),
        ("", ""),
    ],
)
def test_what_may_identify_a_person_is_hidden(text: str, shown: str) -> None:
    assert mask_identifiers(text) == shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("sam", f"{MASK} met samuel;\n{MASK} left with big  sam's dog"),
        ("BIG SAM", f"sam met samuel;\nSam left with {MASK}'s dog"),
        (".", "sam met samuel;\nSam left with big  sam's dog"),
        ("  ", "sam met samuel;\nSam left with big  sam's dog"),
    ],
)
def test_words_are_hidden_wherever_they_stand_as_words(words: str, shown: str) -> None:
    text = "sam met samuel;\nSam left with big  sam's dog"
    if words == "sam":
        shown = shown.replace("big  sam's", f"big  {MASK}'s")
    assert hide_spans(text, find_words(text, words)) == shown


def test_parts_that_overlap_are_hidden_as_one() -> None:
    assert hide_spans("0123456789", [(4, 6), (1, 3), (5, 8), (3, 4)]) == f"0{MASK}{MASK}{MASK}89"
