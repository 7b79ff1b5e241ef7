"""A part about suspects is drafted as one of suspects, and never as one of victims."""

from __future__ import annotations

from typing import Any

import pytest

from queries.drafting.drafting import draft_request
from queries.drafting.request_mapping import build_request_mapping
from tests.support.letter_texts import make_letter


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            "How many suspects were there, broken down by sex?",
            {"kind": "by", "by": "sex", "count": "suspects"},
        ),
        (
            "How many victims were there, broken down by sex?",
            {"kind": "by", "by": "sex"},
        ),
        (
            "How many suspects were there, broken down by sex and by these ages: 10-17, 18 and over?",
            {"kind": "cross", "rows": "sex", "count": "suspects"},
        ),
    ],
)
def test_sex_and_ages_are_of_those_whom_the_letter_names(
    part: str, expected: dict[str, Any]
) -> None:
    letter = make_letter(f'I ask about crimes of 2022 that mention "bus".\n1. {part}')
    (question,) = build_request_mapping(draft_request(letter))["questions"]
    assert {key: question.get(key) for key in ("kind", "by", "rows", "count")} == {
        "kind": None,
        "by": None,
        "rows": None,
        "count": None,
        **expected,
    }
