"""What a later mail changes is changed, or it is asked about; nothing else is touched."""

from __future__ import annotations

from datetime import date

import pytest

from queries.drafting.draft import Draft
from queries.drafting.drafting import draft_request
from tests.support.letter_texts import SENT, make_letter

REQUEST = """
Dear FOI Team
For 2020, 2021, 2022, 2023 and 2024:
1. How many offences mention "school" or "academy"?
2. Of those, how many mention each of: machete, zombie knife, kitchen knife?
3. How many involved a teacher as victim?
4. How many by month?
"""

LATER = date(2024, 7, 20)


def draft_chain(later: str) -> Draft:
    return draft_request(make_letter(f"Hi\n{later}", REQUEST, sent=(LATER, SENT)))


def list_withdrawn(draft: Draft) -> list[str]:
    return [part.number for part in draft.parts if part.withdrawn]


def list_asked(draft: Draft) -> list[str]:
    return [entry.sentence for entry in draft.confirmations]


@pytest.mark.parametrize(
    "later",
    [
        "I am happy to limit this to 2023 and 2024 only.",
        "I am content to restrict it to just 2023 and 2024.",
        "Please narrow the request to the years 2023 and 2024.",
    ],
)
def test_years_to_which_a_later_mail_limits_the_request_are_its_period(later: str) -> None:
    assert [period.label for period in draft_chain(later).periods] == ["2023", "2024"]


@pytest.mark.parametrize(
    ("later", "numbers"),
    [
        ("Please drop question 3, and for question 2 just have Machete and Zombie knife.", ["3"]),
        ("Please drop questions 3 and 4.", ["3", "4"]),
        ("I no longer need an answer to question 3, question 4 stays as it is.", ["3"]),
        ("Please withdraw question 1, question 3 and question 4.", ["1", "3", "4"]),
        ("Question 3 can be left out.", ["3"]),
        ("You may leave question 4 out.", ["4"]),
        ("No need for question 3.", ["3"]),
        ("For question 2 please leave out the kitchen knife.", []),
    ],
)
def test_only_the_numbers_beside_a_withdrawal_are_taken_back(
    later: str, numbers: list[str]
) -> None:
    assert list_withdrawn(draft_chain(later)) == numbers


@pytest.mark.parametrize(
    ("later", "asked"),
    [
        ("Please drop question 3, and for question 2 just have Machete.", "for question 2 just have Machete."),
        ("For question 2 just have machete and zombie knife.", "For question 2 just have machete and zombie knife."),
        ("For question 4 only 2023.", "For question 4 only 2023."),
        ("I would be happy to leave out the weapons.", "I would be happy to leave out the weapons."),
        ("I am grateful; we mean the main site only.", "I am grateful; we mean the main site only."),
        ("I can do without the months.", "I can do without the months."),
        ("Forget about 3 and 4.", "Forget about 3 and 4."),
        ("Yes to option B.", "Yes to option B."),
        ("Perhaps it is best to focus on school.", "Perhaps it is best to focus on school."),
        ("Your figures for 2023 were useful last time.", "Your figures for 2023 were useful last time."),
        ("Please ignore question 3 and question 4 should be by quarter.", "Please ignore question 3 and question 4 should be by quarter."),
        ("Please drop question 3 except for 2023.", "Please drop question 3 except for 2023."),
    ],
)  # fmt: skip
def test_a_change_that_no_rule_reads_is_asked_about_and_changes_nothing(
    later: str, asked: str
) -> None:
    draft = draft_chain(later)
    assert asked in list_asked(draft)
    assert [period.label for period in draft.periods] == ["2020", "2021", "2022", "2023", "2024"]
    assert [term.term for term in draft.mentions] == ["school", "academy"]


def test_a_list_below_a_change_is_not_lost() -> None:
    draft = draft_chain("For question 2 just have:\n* machete\n* zombie knife")
    assert any("machete, zombie knife" in sentence for sentence in list_asked(draft))


@pytest.mark.parametrize("later", ["Many thanks for your help.", "Thank you for the call.", "I look forward to your reply.", "I hope that you are well.", "As I said on 3 March 2023, I need this urgently."])  # fmt: skip
def test_courtesy_is_not_asked_about(later: str) -> None:
    assert list_asked(draft_chain(later)) == list_asked(
        draft_request(make_letter(REQUEST, sent=(SENT,)))
    )
