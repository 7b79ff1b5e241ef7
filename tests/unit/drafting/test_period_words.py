"""Periods that only some words or the date of a letter give."""

from __future__ import annotations

from datetime import date

import pytest

from queries.drafting.draft import Draft
from queries.drafting.drafting import draft_request
from queries.drafting.letter_text import LetterText
from queries.drafting.phrases.periods import find_periods
from tests.support.letter_texts import SENT, make_letter


def draft_undated(text: str) -> Draft:
    """The draft of a letter of which no mail program says when it was sent."""
    letter = make_letter(text)
    message = letter.messages[0]
    messages = (type(message)(sender=message.sender, subject=message.subject),)
    return draft_request(LetterText(file_name="a.txt", messages=messages, blocks=letter.blocks))


@pytest.mark.parametrize(
    "text",
    [
        "For last year (2023) please tell me:\n1. How many crimes by month?",
        "For the previous calendar year (i.e. 2023):\n1. How many crimes by month?",
    ],
)
def test_a_year_in_brackets_behind_its_words_is_the_period(text: str) -> None:
    periods = draft_request(make_letter(text)).periods
    assert [(period.start, period.end) for period in periods] == [
        (date(2023, 1, 1), date(2023, 12, 31))
    ]


@pytest.mark.parametrize("words", ["(Date of letter: 7 May 2025)", "Date: 7 May 2025", "Dated: Wednesday, 7 May 2025"])  # fmt: skip
def test_years_that_look_back_do_so_from_the_date_in_the_letter(words: str) -> None:
    draft = draft_undated(
        f"Please answer for each of the last two complete financial years. {words}\n1. How many crimes by month?"
    )
    assert draft.head.received == date(2025, 5, 7)
    assert [period.label for period in draft.periods] == ["2023/24", "2024/25"]
    assert not any("Date" in part.text for part in draft.parts)


def test_since_a_day_holds_up_to_the_letter_or_is_asked_about() -> None:
    text = 'I ask under the Freedom of Information Act 2000.\nSince the start of 2022, how many crimes mention "kite"?'
    [period] = draft_request(make_letter(text)).periods
    assert (period.start, period.end) == (date(2022, 1, 1), SENT)
    draft = draft_undated(text)
    assert draft.periods == ()
    [entry] = [entry for entry in draft.confirmations if "Up to which day?" in entry.question]
    assert "since 1 January 2022" in entry.question
    assert entry.sentence.startswith("Since the start")
    assert not any('"start"' in entry.question for entry in draft.confirmations)


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("for Jan-Dec 2023", ["2023-01-01/2023-12-31"]),
        ("from 1 Jan-31 Dec 2023", ["2023-01-01/2023-12-31"]),
        ("May 2022-July 2023", ["2022-05-01/2023-07-31"]),
        ("between 1 and 15 May 2023", ["2023-05-01/2023-05-15"]),
        ("from 1-15 May 2023", ["2023-05-01/2023-05-15"]),
        ("on 1 and 15 May 2023", []),
        ("between May and July 2023", ["2023-05-01/2023-07-31"]),
        ("in May and July 2023", ["2023-05-01/2023-05-31", "2023-07-01/2023-07-31"]),
    ],
)
def test_months_and_days_that_share_their_year_are_periods(words: str, days: list[str]) -> None:
    found = find_periods(f"How many crimes {words} mention it?", None)
    assert [f"{period.first}/{period.last}" for period in found] == days
    assert not any(period.doubt for period in found)


@pytest.mark.parametrize("words", ["in the second half of 2023", "in the summer of 2023"])
def test_a_part_of_a_year_is_asked_about(words: str) -> None:
    [period] = find_periods(f"How many crimes {words}?", None)
    assert "only a part of 2023" in period.doubt


def test_a_year_to_date_ends_with_the_letter_and_is_asked_about() -> None:
    *_, last = find_periods("How many crimes in 2023 and 2024 to date?", date(2024, 7, 8))
    assert (last.first, last.last, last.label) == (
        date(2024, 1, 1),
        date(2024, 7, 8),
        "2024 to date",
    )
    assert "had not ended" in last.doubt


def test_a_year_behind_months_of_another_may_mean_its_months() -> None:
    _, second = find_periods("How many crimes from July to September of 2020 and 2021?", None)
    assert "the same part of 2021" in second.doubt
