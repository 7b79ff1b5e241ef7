"""Reads the texts that a list would show: those of its lines of enough records, as they are now."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.config.model import Settings
from indexer.errors import DisclosureError, RequestError
from queries.answer.types import Row
from queries.answering.build import count_answer
from queries.disclosure.policy import resolve_policy
from queries.evidence.locate import find_question
from queries.evidence.population import OpenedRecord, open_records
from queries.questions.list_of_records import TEXT_FIELD, ListQuestion
from queries.request.letter_spec import LetterSpec
from queries.request.reader import Request
from queries.reviewing.approvals import ReleaseText
from queries.search.exactness import alias_moved_error


class ReleaseTexts(Struct, frozen=True):
    """The texts that a list would show, line by line, and the generation that they are from."""

    generation: str
    texts: tuple[ReleaseText, ...]


def has_text_lists(request: Request) -> bool:
    """Whether a request has a list that gives texts."""
    return any(
        isinstance(question, ListQuestion) and question.has_texts for question in request.questions
    )


def list_text_questions(request: Request, names: tuple[str, ...] = ()) -> list[ListQuestion]:
    """The lists of a request that give texts; only those of the names, if there are any.

    Raises RequestError where there is no such list.
    """
    questions = [
        question
        for question in request.questions
        if isinstance(question, ListQuestion) and question.has_texts
    ]
    if not names:
        if questions:
            return questions
        raise RequestError(
            f"{request.reference}: no question gives texts, so none is to be approved. Add the "
            f'field {TEXT_FIELD} to a question of "kind: list".'
        )
    named = [find_question(request, name) for name in names]
    for question in named:
        if question not in questions:
            raise RequestError(
                f"{question.id} gives no texts. Name a list with the field {TEXT_FIELD}, or leave "
                "--question out."
            )
    return [question for question in questions if question in named]


def find_least_records(settings: Settings, request: Request) -> int:
    """The fewest records of a line whose texts may be given, by the rule of the force.

    Raises DisclosureError where numbers are rounded: texts that are given can be counted.
    """
    policy = resolve_policy(settings.disclosure, request.disclosure, "not published here")
    if policy.rounding > 1:
        raise DisclosureError(
            f"{request.reference}: numbers are rounded to {policy.rounding}, and whoever counts "
            "the texts of a line knows its number. Leave narrative out of the list, or set a "
            'threshold instead of rounding under "disclosure:" in the request.'
        )
    return policy.minimum_group if policy.is_active else 1


def read_release_texts(
    client: Elasticsearch, alias: str, request: Request, question: ListQuestion, min_records: int
) -> ReleaseTexts:
    """The texts of a list's lines of at least ``min_records`` records.

    Raises as ``compute_answer`` and ``open_records``.
    """
    plain = msgspec.structs.replace(question, fields=question.grouping_fields, references=True)
    own_request = msgspec.structs.replace(
        request, questions=(plain,), uncovered=(), letter=LetterSpec(), review=()
    )
    answer, _ = count_answer(client, alias, own_request)
    table = answer.questions[0].table
    rows = [row for row in table.rows if len(row.references) >= min_records]
    references = [reference for row in rows for reference in row.references]
    records = {
        record.reference: record
        for record in (open_records(client, alias, references) if references else ())
    }
    generation = answer.provenance.generation
    if {*references} != {*records} or any(
        record.generation != generation for record in records.values()
    ):
        raise alias_moved_error(alias)
    texts = tuple(text for row in rows for text in _make_texts(row, records, table.fields))
    return ReleaseTexts(generation, texts)


def _make_texts(
    row: Row, records: dict[str, OpenedRecord], headings: tuple[str, ...]
) -> Iterator[ReleaseText]:
    for reference in row.references:
        record = records[reference]
        yield ReleaseText(
            reference=reference,
            recorded_on=record.recorded_on,
            offence_code=record.offence_code,
            content_hash=record.content_hash,
            text="".join(record.narrative.segments),
            line=row.key,
            headings=headings,
            values=row.values,
        )
