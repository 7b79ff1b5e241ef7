"""What of a request may not be what its author means, though it is valid. Pure; needs no index."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from queries.answer.condition import AgeCondition, OfPerson
from queries.layout.prose import join_list
from queries.questions.prepared import PreparedQuestion, prepare_question
from queries.request.reader import Request

#: Scripts without a space between words, or with endings joined to them, in which the index takes
#: all that stands between two spaces for one word; by how Unicode names their letters.
_UNSPACED_SCRIPTS: Final = {
    "THAI": "Thai",
    "LAO": "Lao",
    "KHMER": "Khmer",
    "MYANMAR": "Burmese",
    "KATAKANA": "katakana",
    "HANGUL": "Korean",
}


def list_cautions(request: Request) -> tuple[str, ...]:
    """A sentence for each thing that an officer may not expect, with what to write instead."""
    return (
        *_caution_about_scripts(request),
        *_caution_about_people(request),
        *_caution_about_ages(request),
        *_caution_about_reviews(request),
    )


def _caution_about_scripts(request: Request) -> Iterator[str]:
    """Terms that are not found inside a longer run of letters, where most of them stand."""
    mentions = [
        *request.scope.mentions,
        *(
            mention
            for question in request.questions
            for mention in prepare_question(question, request.scope).mentions
        ),
    ]
    wordings = dict.fromkeys(
        spelling.written for mention in mentions for spelling in mention.spellings
    )
    for wording in wordings:
        if script := _find_unspaced_script(wording):
            yield (
                f'"{wording}" is {script}. It is counted only where a space or punctuation stands '
                "on both sides of it, and not inside a longer run of such letters. If the records "
                "have texts in it, have somebody who reads it name the longer runs too, as aliases."
            )


def _find_unspaced_script(wording: str) -> str | None:
    script_names = (unicodedata.name(letter, "").split(" ")[0] for letter in wording)
    return next(
        (_UNSPACED_SCRIPTS[name] for name in script_names if name in _UNSPACED_SCRIPTS), None
    )


def _caution_about_people(request: Request) -> Iterator[str]:
    """Questions that count everybody of a list, of records chosen by one of them."""
    for question in request.questions:
        prepared = prepare_question(question, request.scope)
        if words := prepared.chosen_people:
            people = prepared.table_query.unit_noun.plural
            yield (
                f"{question.id} counts all {people} of its {request.noun.plural}, not only those "
                f"who were {words}: where: chooses {request.noun.plural}, not people. To count "
                f"people by their sex and age, use {_suggest_question(prepared)}."
            )


def _caution_about_ages(request: Request) -> Iterator[str]:
    """Records chosen by an age, which nobody of unknown age has."""
    scopes = [
        request.scope,
        *(prepare_question(question, request.scope).scope for question in request.questions),
    ]
    people = dict.fromkeys(
        entry.condition.people.singular
        for scope in scopes
        for entry in scope.field_filters
        if isinstance(entry.condition, OfPerson)
        and any(isinstance(part, AgeCondition) for part in entry.condition.parts)
    )
    for person in people:
        yield (
            f"where: chooses {request.noun.plural} by the age of a {person}. A {person} of unknown "
            "age meets no age, even if the source has one as a range, such as 10-15: count them "
            f"with kind: {person}s, which has a row for unknown ages."
        )


def _caution_about_reviews(request: Request) -> Iterator[str]:
    """Numbers that count mentions until people have read the records."""
    if request.review:
        numbers = join_list(list(dict.fromkeys(spec.number for spec in request.review)))
        yield (
            f"review: says when a record of {numbers} is relevant. Only people who read the "
            "records can tell: give their review with foidex answer --review NAME. Without it, the "
            "letter says that the records were not read."
        )


def _suggest_question(prepared: PreparedQuestion) -> str:
    unit = prepared.table_query.unit_noun.plural
    count = ", count: suspects" if unit == "suspects" else ""
    return f"kind: by, by: sex{count}, or kind: cross, rows: sex, columns: {{bands: [...]}}{count}"
