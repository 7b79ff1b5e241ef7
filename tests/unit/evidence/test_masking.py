"""Masking hides more than it must, and never the words themselves."""

from __future__ import annotations

import pytest

from queries.evidence.masking import MASK, mask_identifiers


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
