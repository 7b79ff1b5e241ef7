"""What of a published answer is withheld, and under which section: a refusal by itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from indexer.config.model import ForceSettings
from indexer.errors import ConfigurationError
from queries.answer.types import (
    NOT_LISTED,
    WITHHELD,
    Answer,
    QuestionAnswer,
    has_marked_numbers,
    has_shortened_list,
    has_withheld_numbers,
)
from queries.documents.content.letter.parts import split_paragraphs
from queries.layout.prose import WITHHELD_SIGN, join_list
from queries.spec.act import Act

#: A number as an Act numbers its sections: 40(2), 38(1)(b), 31.
_SECTION_NUMBER: Final = re.compile(r"\b\d{1,3}[A-Z]?(?:\([0-9A-Za-z]+\))*")


class Exemption(Struct, frozen=True):
    """The section under which numbers are withheld; empty if the force names one that has no
    standard text. ``public_interest`` is how the force weighed it, if the section asks for that."""

    name: str
    number: str
    title: str
    public_interest: tuple[str, ...] = ()


def find_exemption(force: ForceSettings, act: Act) -> Exemption:
    """The section that the force's sentence names.

    Raises ConfigurationError if the public interest must be weighed under it and the force does not
    say how.
    """
    cited = [
        (name, number)
        for number in _SECTION_NUMBER.findall(force.exemption)
        if (name := act.find_section(number))
    ]
    if not cited:
        return Exemption("", "", "numbers withheld", split_paragraphs(force.public_interest))
    for name, number in cited:
        section = act.sections[name]
        if "public_interest" in section.needs and not force.public_interest.strip():
            raise ConfigurationError(
                f"[force] exemption relies on section {number} ({section.title}), under which the "
                "public interest must be weighed. Say under [force] what speaks for giving small "
                'numbers, what against, and how you weighed it: public_interest = "...". Only '
                "the force can say it; foidex never writes it for you."
            )
    name, number = cited[0]
    weighed = any("public_interest" in act.sections[name].needs for name, _ in cited)
    return Exemption(
        name,
        act.cite_section(number),
        act.sections[name].title,
        split_paragraphs(force.public_interest) if weighed else (),
    )


def list_withheld_parts(answer: Answer) -> tuple[str, ...]:
    """The parts of the request of whose numbers, lines or texts some are withheld."""
    return tuple(
        dict.fromkeys(
            question.part or question.id
            for question in answer.questions
            if answer.disclosure is not None and _is_withheld_in_part(question)
        )
    )


def is_refused_in_part(answer: Answer) -> bool:
    """Whether a published answer withholds anything, so that it is a refusal."""
    return has_withheld_numbers(answer) or bool(list_withheld_parts(answer))


def describe_withheld(answer: Answer) -> str:
    """What is withheld, in words: "numbers marked [c] and lines of a list"."""
    return join_list([*_list_withheld_kinds(answer)])


def _list_withheld_kinds(answer: Answer) -> Iterator[str]:
    lists = has_shortened_list(answer)
    texts = any(_has_refused_texts(question) for question in answer.questions)
    if has_marked_numbers(answer) or not (lists or texts):
        yield f"the numbers marked {WITHHELD_SIGN}"
    if lists:
        yield "some lines of a list"
    if texts:
        yield "some texts"


def _is_withheld_in_part(question: QuestionAnswer) -> bool:
    counts = [count for row in question.table.rows_and_total for count in row.counts]
    figures = [question.facts[figure.name] for figure in question.figures]
    return (
        None in (*counts, *figures)
        or WITHHELD in question.facts.values()
        or NOT_LISTED in question.facts
        or _has_refused_texts(question)
    )


def _has_refused_texts(question: QuestionAnswer) -> bool:
    return question.approvals is not None and question.approvals.refused > 0
