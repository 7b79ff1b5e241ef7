"""Finds the query for the records behind a number of an answer. Pure.

A number is named by its question, its row and, where there are several, its column: either by
their labels in the answer or by their keys in the answer's JSON.
"""

from __future__ import annotations

from elasticsearch.dsl.query import Query
from msgspec import Struct

from indexer.errors import RequestError
from indexer.suggestions import suggest_name
from queries.answer.condition import Condition
from queries.questions.base import Question
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.tables.axis_type import drop_brackets
from queries.tables.period_columns import find_period_column
from queries.tables.scope import Mention, Scope, all_of, build_counted_query
from queries.tables.table_query import TOTAL_KEY


class RecordQuery(Struct, frozen=True):
    """A query for records, the terms to show in them, those of the row first, and the conditions
    of the number that counts them."""

    query: Query
    mentions: tuple[Mention, ...]
    conditions: tuple[Condition, ...] = ()


def locate_scope(scope: Scope) -> RecordQuery:
    """The counted records of a scope."""
    return RecordQuery(
        all_of([scope.query(), build_counted_query()]), scope.mentions, scope.record_conditions
    )


def locate_records(
    request: Request, question_id: str, row: str = TOTAL_KEY, column: str = ""
) -> RecordQuery:
    """The records behind a row or a cell. Raises RequestError where there is no such cell."""
    scope = request.scope
    prepared = prepare_question(find_question(request, question_id), scope)
    periods = prepared.scope.periods if prepared.has_period_columns else ()
    name, period_index = column, None
    if periods:
        name, period_index = find_period_column(column, prepared.list_columns(), periods)
    if period_index is not None:
        prepared = prepared.for_period(period_index)
    try:
        record_query = prepared.record_query(row, name or None)
    except RequestError as error:
        if not column or period_index is not None or not periods:
            raise
        labels = ", ".join(period.label for period in periods)
        raise RequestError(
            f"{error} The columns of one period are named after it: {labels}."
        ) from None
    table_query = prepared.table_query
    of_row = [
        mention
        for mention in table_query.mentions
        if table_query.is_total(row)
        or row.casefold()
        in (
            mention.label.casefold(),
            drop_brackets(mention.label).casefold(),
            mention.term.written.casefold(),
        )
    ]
    return RecordQuery(
        all_of([scope.query(), *prepared.filters, record_query]),
        tuple(dict.fromkeys([*of_row, *prepared.scope.mentions])),
        (
            *scope.record_conditions,
            *prepared.scope.record_conditions,
            *prepared.cell_conditions(row, name or None),
        ),
    )


def parse_cell_name(text: str) -> tuple[str, str]:
    """Split "Q2:Snapchat" into a question and a row; "Q2" alone is the total of the question."""
    question, _, row = text.partition(":")
    return question.strip(), row.strip() or TOTAL_KEY


def find_question(request: Request, name: str) -> Question:
    """A question by its id, whatever its capitals. Raises RequestError, with the closest id."""
    questions = {question.id.casefold(): question for question in request.questions}
    if question := questions.get(name.casefold()):
        return question
    ids = [question.id for question in request.questions]
    raise RequestError(
        f'there is no question "{name[:30]}" in the request.{suggest_name(name, ids)} There are '
        f"{', '.join(ids)}."
    )
