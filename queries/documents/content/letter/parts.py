"""The parts of a request in the requester's order, and which of them an answer covers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from queries.answer.types import Answer, QuestionAnswer, Row, Table, UncoveredPart
from queries.layout.prose import join_list

_NO_TABLE: Final = Table("", (), (), Row("total", "", (), "total"))


def split_paragraphs(text: str) -> tuple[str, ...]:
    """The paragraphs of a text in which a blank line starts one, each on one line."""
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def format_part_title(part_id: str, text: str) -> str:
    """The heading of a part: "Q1. How many?", "b) How many?"."""
    return f"{part_id}{'.' if part_id[-1:].isalnum() else ''} {text}".strip()


def make_uncovered_question(part: UncoveredPart) -> QuestionAnswer:
    """A part without numbers in the shape of a question, for templates that list all parts."""
    return QuestionAnswer(
        part.id, "not covered", part.text, _NO_TABLE, not_covered=part.not_covered
    )


def describe_parts(answer: Answer) -> str:
    """Which parts have figures and which do not; empty if all have."""
    ids = dict.fromkeys(question.part or question.id for question in answer.questions)
    partly = [question.part or question.id for question in answer.questions if question.not_covered]
    wholly = [name for name in ids if name not in partly]
    without = [part.id for part in answer.uncovered]
    if not (partly or without) or not answer.questions:
        return ""
    answers = " and ".join(
        filter(
            None,
            (
                name_parts(wholly) if wholly else "",
                f"some of {name_parts(partly)}" if partly else "",
            ),
        )
    )
    sentence = f"This letter gives figures for {answers} of your request"
    if not without:
        return f"{sentence}, and says what it does not answer."
    return f"{sentence}. It gives none for {name_parts(without)}."


def name_parts(ids: Sequence[str]) -> str:
    """The parts of some ids: "part 1", "parts 2 and b)"."""
    return f"part{'s' if len(ids) > 1 else ''} {join_list([*ids])}"
