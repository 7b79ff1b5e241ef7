"""The last check of a draft: what the rules lose is put back, and asked about."""

from __future__ import annotations

from queries.drafting.composing.accounting import add_missing_parts, is_accounted_for
from queries.drafting.draft import Draft, DraftHead, DraftPart
from queries.drafting.structure.parts import LetterPart, number_apart

QUESTION = DraftPart(number="1", text="How many?", fields={"kind": "offences"})


def test_a_part_that_no_rule_took_is_put_back_and_asked_about() -> None:
    empty = DraftPart(number="3", text="And this?")
    draft = Draft(head=DraftHead(), parts=(QUESTION, empty))
    letter_parts = [
        LetterPart("1", "How many?"),
        LetterPart("2", "What else?"),
        LetterPart("3", "And this?"),
    ]
    whole = add_missing_parts(draft, letter_parts)
    assert [part.number for part in whole.parts] == ["1", "2", "3"]
    assert whole.parts[0] == QUESTION
    assert all(map(is_accounted_for, whole.parts))
    assert [entry.part for entry in whole.confirmations] == ["2", "3"]


def test_a_sentence_of_a_later_mail_and_a_letter_without_parts_are_asked_about() -> None:
    draft = Draft(head=DraftHead(subject="Kites"))
    whole = add_missing_parts(draft, [], ["Please count kites too."])
    assert [entry.sentence for entry in whole.confirmations] == ["Please count kites too.", "Kites"]


def test_parts_with_the_same_number_are_told_apart() -> None:
    parts = number_apart([LetterPart("1", "a"), LetterPart("1", "b"), LetterPart("2", "c")])
    assert [part.number for part in parts] == ["1", "1-2", "2"]
