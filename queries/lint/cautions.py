"""What of a request may not be what its author means, though it is valid. Pure; needs no index."""

from __future__ import annotations

from collections.abc import Iterator

from queries.answer.condition import AgeCondition, OfPerson
from queries.layout.prose import join_list
from queries.questions.prepared import PreparedQuestion, prepare_question
from queries.request.reader import Request


def list_cautions(request: Request) -> tuple[str, ...]:
    """A sentence for each thing that an officer may not expect, with what to write instead."""
    return (
        *_caution_about_people(request),
        *_caution_about_ages(request),
        *_caution_about_reviews(request),
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
