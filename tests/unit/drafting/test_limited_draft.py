"""A letter is drafted in a process with limits, with the same draft as without."""

from __future__ import annotations

import time
from datetime import date

import pytest

from indexer.errors import LetterError
from queries.drafting.draft_file import draft_letter
from queries.drafting.letter_text import BlockKind, LetterBlock, LetterMessage, LetterText
from queries.drafting.limited_draft import draft_within_limits

TEXTS = (
    "Dear team,",
    "How many offences recorded between 1 April 2024 and 31 March 2025 mention Snapchat?",
    "Please break them down by the age of the victim: under 11, 11 to 15, 16 and 17.",
    "How many of them led to an arrest, and in the last three years?",
)


def make_letter(*texts: str) -> LetterText:
    return LetterText(
        file_name="letter.txt",
        messages=(LetterMessage(sender="Pat Example", sent=date(2026, 11, 2)),),
        blocks=tuple(LetterBlock(text=text, kind=BlockKind.PARAGRAPH) for text in texts),
        sha256="0" * 64,
    )


def test_the_draft_is_the_same_as_without_a_process() -> None:
    letter = make_letter(*TEXTS)
    assert draft_within_limits(letter) == draft_letter(letter)


def test_a_draft_that_needs_too_long_is_ended() -> None:
    letter = make_letter(*[f"{text} Case {number}." for number in range(700) for text in TEXTS])
    begun = time.monotonic()
    with pytest.raises(LetterError, match="more than 1 seconds"):
        draft_within_limits(letter, cpu_seconds=1)
    assert time.monotonic() - begun < 60


def test_a_letter_that_is_too_long_is_said_to_be_that() -> None:
    letter = make_letter(*["How many?"] * 30_000)
    with pytest.raises(LetterError, match="has more than 200,000 characters"):
        draft_within_limits(letter)
