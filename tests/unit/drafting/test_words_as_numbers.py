"""Parts that words number, and sentences about how to reach the requester."""

from __future__ import annotations

import pytest

from queries.drafting.drafting import draft_request
from queries.drafting.phrases.plain_text import hide_phone_numbers
from queries.drafting.request_mapping import build_request_mapping
from tests.support.letter_texts import make_letter


def list_texts(text: str) -> list[str]:
    return [part.text for part in draft_request(make_letter(text)).parts]


def test_words_that_count_parts_off_begin_one_each() -> None:
    texts = list_texts(
        'We ask about crimes of 2022.\nFirst, how many there were. Second, how many mention "bus". '
        "Third, which day of the week they happened on. Fourth, whether the offender was known to the victim. "
        "Lastly, how many suspects were aged 10-17."
    )
    assert [text.split(",")[0] for text in texts] == [
        "First",
        "Second",
        "Third",
        "Fourth",
        "Lastly",
    ]


def test_words_that_count_parts_off_may_stand_in_one_sentence() -> None:
    texts = list_texts(
        "First, how many crimes were there in 2022; second, the offence types; and thirdly, by month."
    )
    assert [text.split(",")[0] for text in texts] == ["First", "second", "thirdly"]


@pytest.mark.parametrize(
    "sentence",
    [
        "If you have any questions please ring me on 01632 960123.",
        "Please call me if this is a problem.",
        "Finally, thank you for your help.",
    ],
)
@pytest.mark.parametrize("number", ["", "1. "])
def test_how_to_reach_the_requester_is_no_part_and_not_asked(sentence: str, number: str) -> None:
    letter = f'{number}How many crimes in 2022 mention "bus"?\n'
    draft = draft_request(make_letter(letter + sentence))
    assert len(draft.parts) == 1
    assert draft.confirmations == draft_request(make_letter(letter)).confirmations


@pytest.mark.parametrize("phone", ["01632 960123", "+44 1632 960123", "07700 900 123", "(01632) 960-123", "+44 (0)1632 960123"])  # fmt: skip
def test_a_phone_number_is_in_no_draft(phone: str) -> None:
    letter = make_letter(f'1. How many crimes in 2022 mention "bus" (tell me on {phone} too)?')
    assert phone[-4:] not in str(build_request_mapping(draft_request(letter)))


@pytest.mark.parametrize("text", ["08815 08816 08817", "codes 08815 08816", "01/04/2021 to 31/03/2022", "01 04 2021 - 31 03 2022", "FOI/2025/0881"])  # fmt: skip
def test_codes_and_dates_are_no_phone_numbers(text: str) -> None:
    assert hide_phone_numbers(text) == text
