"""The records behind a number of an answer, as a query. Pure.

A number is named by its question, its row and, where there are several, its column: by what the
answer calls them, or by their keys in the answer's JSON.
"""

from __future__ import annotations

import msgspec
from elasticsearch.dsl.query import Query
from msgspec import Struct

from indexer.errors import RequestError
from indexer.suggestions import suggest_name
from queries.questions.base import Question
from queries.request.reader import Request
from queries.tables.period_columns import split_column_key
from queries.tables.scope import Mention, Scope, all_of, build_counted_query

TOTAL_ROW = "total"


class RecordQuery(Struct, frozen=True):
    """The query of the records, and the terms that put them there, first those of the row."""

    query: Query
    mentions: tuple[Mention, ...]


def locate_scope(scope: Scope) -> RecordQuery:
    """The records of a scope that count."""
    return RecordQuery(all_of([scope.query(), build_counted_query()]), scope.mentions)


def locate_records(
    request: Request, question_id: str, row: str = TOTAL_ROW, column: str = ""
) -> RecordQuery:
    """The records behind a row, or a cell. Raises RequestError for one that is none."""
    question = _find_question(request, question_id)
    scope = request.scope
    question_scope = question.narrowed_scope(scope)
    name, period_index = _resolve_period_column(question, question_scope, column)
    filters = [scope.query(), *question.filters(scope)]
    if period_index is not None:
        filters.append(question_scope.periods[period_index].query())
        question_scope = msgspec.structs.replace(
            question_scope, periods=(question_scope.periods[period_index],)
        )
    try:
        filters.append(question.record_query(row, name or None, question_scope))
    except RequestError as error:
        if (
            not column
            or period_index is not None
            or not question.has_period_columns(question_scope)
        ):
            raise
        labels = ", ".join(period.label for period in question_scope.periods)
        raise RequestError(f"{error} Columns of one period are named by it: {labels}.") from None
    own_mentions = [
        mention for axis in question.table_query(question_scope).axes for mention in axis.mentions
    ]
    of_row = [
        mention
        for mention in own_mentions
        if row.casefold() in (mention.label.casefold(), mention.term.written.casefold(), TOTAL_ROW)
    ]
    return RecordQuery(all_of(filters), tuple(dict.fromkeys([*of_row, *question_scope.mentions])))


def parse_cell_name(text: str) -> tuple[str, str]:
    """Read "Q2:Snapchat" as a question and a row; "Q2" alone is its total."""
    question, _, row = text.partition(":")
    return question.strip(), row.strip() or TOTAL_ROW


def _find_question(request: Request, name: str) -> Question:
    questions = {question.id.casefold(): question for question in request.questions}
    if question := questions.get(name.casefold()):
        return question
    ids = [question.id for question in request.questions]
    raise RequestError(
        f'there is no question "{name[:30]}" in the request.{suggest_name(name, ids)} There are '
        f"{', '.join(ids)}."
    )


def _resolve_period_column(
    question: Question, question_scope: Scope, column: str
) -> tuple[str, int | None]:
    """A column without its period, and the period's place: "2017/18", "Offences, 2017/18"."""
    if not question.has_period_columns(question_scope):
        return column, None
    name, index = split_column_key(column)
    if index is not None and index < len(question_scope.periods):
        return name, index
    for number, period in enumerate(question_scope.periods):
        if column.casefold() == period.label.casefold():
            return "", number
        if column.casefold().endswith(f", {period.label.casefold()}"):
            return column[: -len(period.label) - 2], number
    return column, None
