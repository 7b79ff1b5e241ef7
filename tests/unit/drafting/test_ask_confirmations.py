"""The questions that a draft asks: numbers choose, Enter takes the first, s leaves it open."""

from __future__ import annotations

from typing import Any

import pytest

from queries.drafting.ask_confirmations import ask_confirmations
from queries.drafting.draft import Choice, Confirmation, Draft, DraftHead

DRAFT = Draft(
    head=DraftHead(),
    confirmations=(
        Confirmation(
            part="1",
            sentence="How many grooming offences?",
            question="Which codes?",
            choices=(
                Choice("88A"),
                Choice("88A and 71/17", {"offences": [{"codes": ["88A", "71/17"]}]}),
            ),
        ),
        Confirmation(
            sentence="last year",
            question="Which year?",
            choices=(Choice("2017"), Choice("2018", {"period": "2018"}), Choice("none")),
        ),
    ),
)

MAPPING: dict[str, Any] = {
    "reference": "FOI/1",
    "period": "2017",
    "offences": [{"codes": ["88A"]}],
    "questions": [],
    "confirm": [{"question": "Which codes?"}, {"question": "Which year?"}],
}


class Terminal:
    """A person who types some lines and then is gone."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.shown: list[str] = []

    def ask(self, prompt: str) -> str:
        self.shown.append(prompt)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    def answer(self) -> dict[str, Any]:
        return ask_confirmations(DRAFT, MAPPING, self.ask, self.shown.append)


def test_numbers_change_the_request_and_take_the_entry_away() -> None:
    found = Terminal("2", "2\n").answer()
    assert found == {
        "reference": "FOI/1",
        "period": "2018",
        "offences": [{"codes": ["88A", "71/17"]}],
        "questions": [],
    }


def test_enter_takes_what_was_drafted() -> None:
    found = Terminal("", "\n").answer()
    assert found == {key: value for key, value in MAPPING.items() if key != "confirm"}


@pytest.mark.parametrize("lines", [("2", "s"), ("2", " S "), ("2",)])
def test_what_is_left_open_stays(lines: tuple[str, ...]) -> None:
    found = Terminal(*lines).answer()
    assert found["confirm"] == [{"question": "Which year?"}]
    assert found["period"] == "2017"
    assert found["offences"] == [{"codes": ["88A", "71/17"]}]


def test_nothing_is_asked_after_the_input_has_ended() -> None:
    terminal = Terminal()
    assert terminal.answer() == MAPPING
    assert not any("Which year?" in text for text in terminal.shown)


def test_another_reply_is_asked_again() -> None:
    terminal = Terminal("3", "x", "0", "1", "3")
    found = terminal.answer()
    assert found["offences"] == MAPPING["offences"]
    assert "confirm" not in found
    assert sum("Type a number from 1 to 2" in text for text in terminal.shown) == 3


def test_a_question_shows_its_place_its_sentence_and_its_choices() -> None:
    terminal = Terminal("1")
    terminal.answer()
    assert terminal.shown[0] == (
        "\n(1 of 2, part 1) Which codes?\n"
        '  The letter: "How many grooming offences?"\n'
        "  1 88A\n"
        "  2 88A and 71/17"
    )
    assert terminal.shown[1] == "  1 to 2, Enter for 1, s to leave it open: "


def test_what_is_to_be_changed_in_the_file_stays_to_confirm() -> None:
    entry = Confirmation(
        sentence="near schools",
        question="Is the question right without it?",
        choices=(
            Choice("Keep it as drafted"),
            Choice("Change its question", stays_open=True),
        ),
    )
    draft = Draft(head=DraftHead(), confirmations=(entry,))
    mapping: dict[str, Any] = {"confirm": [{"question": entry.question}]}
    kept = ask_confirmations(draft, mapping, lambda _: "2", lambda _: None)
    assert kept["confirm"] == mapping["confirm"]
    assert "confirm" not in ask_confirmations(draft, mapping, lambda _: "1", lambda _: None)
