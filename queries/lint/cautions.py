"""What of a request may not be what its author means, though it is valid. Pure; needs no index."""

from __future__ import annotations

from collections.abc import Iterator

from queries.questions.prepared import PreparedQuestion, prepare_question
from queries.request.reader import Request


def list_cautions(request: Request) -> tuple[str, ...]:
    """A sentence for each thing that an officer may not expect, with what to write instead."""
    return tuple(_caution_about_people(request))


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


def _suggest_question(prepared: PreparedQuestion) -> str:
    unit = prepared.table_query.unit_noun.plural
    count = ", count: suspects" if unit == "suspects" else ""
    return f"kind: by, by: sex{count}, or kind: cross, rows: sex, columns: {{bands: [...]}}{count}"
