"""Kinds of letters that generated ones showed to be misread in silence."""

from __future__ import annotations

from datetime import date

import pytest

from queries.drafting.draft import Draft
from queries.drafting.drafting import draft_request
from queries.drafting.letter_text import BlockKind, LetterBlock, LetterMessage, LetterText
from tests.support.letter_texts import SENT, make_letter

LATER = date(2024, 7, 20)

REQUEST = """
Please answer these questions about crimes in 2020 where the text mentions "kite" or "pedalo":
1. Please state:
(a) the number of crimes by month
(b) the number of crimes by outcome
2. How many crimes were recorded?
"""


def draft_text(text: str) -> Draft:
    return draft_request(make_letter(text))


def draft_later(later: str) -> Draft:
    return draft_request(make_letter(f"Hello\n{later}", REQUEST, sent=(LATER, SENT)))


def list_within(draft: Draft) -> dict[str, object]:
    return {part.number: part.fields.get("within") for part in draft.parts}


@pytest.mark.parametrize(
    "later",
    [
        "By 2020 I meant 2021.",
        "Sorry, where I wrote 2020 please read 2021.",
        'The word should be "drone" and not "kite".',
        '"kite" was a mistake for "drone".',
        'I forgot a word: "drone".',
        'Please do not search for "kite".',
        'Instead of "kite", please search for "drone".',
        "By 56A I meant 45.",
        "56A was a typo for 45.",
        "The code should be 86/2, not 86/10.",
    ],
)
def test_what_a_later_mail_exchanges_is_asked_and_nothing_is_changed(later: str) -> None:
    draft = draft_later(later)
    assert later in [entry.sentence for entry in draft.confirmations]
    assert [period.label for period in draft.periods] == ["2020"]
    assert [term.term for term in draft.mentions] == ["kite", "pedalo"]


@pytest.mark.parametrize("number", ["1(b)", "1b", "1 (b)"])
def test_a_part_of_a_part_is_taken_out_alone(number: str) -> None:
    draft = draft_later(f"Please leave out question {number}.")
    assert [part.number for part in draft.parts if part.withdrawn] == ["1b"]


def test_words_above_some_parts_limit_these_parts_alone() -> None:
    draft = draft_text(
        "About crimes in 2020 with code 8L or 45:\n1. For code 8L:\n(a) how many crimes by month?\n"
        "(b) how many crimes by outcome?\n2. How many crimes were recorded?"
    )
    assert list_within(draft) == {
        "1a": {"offences": [{"codes": ["8L"]}]},
        "1b": {"offences": [{"codes": ["8L"]}]},
        "2": None,
    }


@pytest.mark.parametrize(
    ("words", "age"),
    [
        ("where the victim was 15", {"from": 15, "to": 15}),
        ("with a victim aged 15", {"from": 15, "to": 15}),
        ("where the victim was at least 16", {"from": 16}),
    ],
)
def test_the_age_of_victims_is_a_condition(words: str, age: dict[str, int]) -> None:
    draft = draft_text(f"I ask about crimes in 2020 {words}.\n1. How many crimes?")
    assert draft.victim == {"age": age}


@pytest.mark.parametrize(
    "words",
    [
        "against under-18s",
        "where the victim had not turned 18",
        "in which the victim was a man or a boy",
        "that took place at night",
        "on trains and buses",
        "without a known suspect",
        'where officers wrote "tram"',
    ],
)
def test_a_limit_of_the_whole_request_that_no_rule_reads_is_asked_about(words: str) -> None:
    draft = draft_text(f"I ask about crimes in 2020 with code 45 {words}.\n1. How many by month?")
    assert any(words in entry.sentence for entry in draft.confirmations if not entry.part)


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("recorded on or after 1 June 2018 and on or before 31 May 2019", date(2018, 6, 1), date(2019, 5, 31)),
        ("in the twelve months from January 2020", date(2020, 1, 1), date(2020, 12, 31)),
        ("from 1 March 2020 up to and including 31 May 2020", date(2020, 3, 1), date(2020, 5, 31)),
    ],
)  # fmt: skip
def test_days_in_further_forms_are_read(words: str, first: date, last: date) -> None:
    draft = draft_text(f"I ask about crimes with code 45 {words}.\n1. How many by month?")
    assert [(period.start, period.end) for period in draft.periods] == [(first, last)]
    assert not draft.mentions


def test_two_parts_in_one_paragraph_are_two() -> None:
    draft = draft_text("In 2020, code 45:\n1) How many crimes by month; 2) How many by outcome.")
    assert [part.number for part in draft.parts] == ["1", "2"]


def test_a_question_without_a_verb_is_a_part_of_its_own() -> None:
    draft = draft_text("For code 45 in 2020.\nHow many crimes?\nA breakdown by outcome.")
    assert [part.fields.get("by") for part in draft.parts] == [None, "outcome"]


def test_what_is_said_of_all_questions_is_no_part_of_the_last() -> None:
    draft = draft_text("How many crimes by month?\nAll of my questions are about code 45 in 2020.")
    assert [row.codes for row in draft.offences] == [("45",)]
    assert draft.parts[-1].text == "How many crimes by month?"


def test_the_names_of_the_columns_of_a_table_are_no_item() -> None:
    rows = ["No.\tQuestion", "1\tHow many crimes by month?", "2\tHow many by outcome?"]
    letter = LetterText(
        file_name="letter.docx",
        messages=(LetterMessage(sent=SENT),),
        blocks=(
            LetterBlock(text='About crimes in 2020 that mention "kite":'),
            *(LetterBlock(text=row, kind=BlockKind.ROW) for row in rows),
        ),
    )
    draft = draft_request(letter)
    assert [part.number for part in draft.parts] == ["1", "2"]
    assert not any("Question" in entry.sentence for entry in draft.confirmations)


def test_records_with_a_victim_of_one_sex_are_asked_about_where_each_is_counted() -> None:
    draft = draft_text("Code 45, 2020:\n1. How many crimes where the victim was male?")
    assert any("one sex" in entry.question for entry in draft.confirmations)


def test_a_point_that_leads_to_others_without_a_number_is_asked_about() -> None:
    draft = draft_text(
        'About code 45 in 2020:\n* For crimes that mention "kite":\n* the number by month\n* the number by outcome'
    )
    assert any("leads to parts below it" in entry.question for entry in draft.confirmations)


def test_a_paragraph_that_only_names_something_is_a_part() -> None:
    """It was joined to the part before: the sexes were counted and the total was not."""
    draft = draft_text(
        'How many crimes in 2020 mention "kite"?\n\nThe gender of the victims, in numbers.\n\n'
        "The months, please.\n\nThe force is known to hold these."
    )
    kinds = [part.fields.get("kind") for part in draft.parts]
    assert kinds == ["offences", "by", None]
    assert [entry.part for entry in draft.confirmations if entry.part] == ["3"]
