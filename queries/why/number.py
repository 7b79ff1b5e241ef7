"""The conditions of one number that is named by its question, its row and its column. Pure."""

from __future__ import annotations

from queries.evidence.locate import find_question
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.tables.period_columns import find_period_column
from queries.tables.table_query import TOTAL_KEY
from queries.why.record_checks import (
    Document,
    RecordCheck,
    build_period_check,
    list_question_checks,
)


def list_number_checks(request: Request, question: str, row: str, column: str) -> list[RecordCheck]:
    """What a number asks of a record beyond the scope. Raises RequestError for an unknown one."""
    prepared = prepare_question(find_question(request, question), request.scope)
    checks = list_question_checks(prepared)
    periods = prepared.scope.periods if prepared.has_period_columns else ()
    name, period_index = column, None
    if periods:
        name, period_index = find_period_column(column, prepared.list_columns(), periods)
    if period_index is not None:
        checks.append(build_period_check(periods[period_index]))
    if not prepared.table_query.is_total(row):
        query = prepared.record_query(row, None)
        checks.append(RecordCheck(f'it is in the row "{row}"', query, _say_nothing))
    if name:
        query = prepared.record_query(TOTAL_KEY, name)
        checks.append(RecordCheck(f'it is in the column "{name}"', query, _say_nothing))
    if name and not prepared.table_query.is_total(row):
        # Of a table of victims, one and the same victim must be in both.
        query = prepared.record_query(row, name)
        checks.append(RecordCheck("it is in both at once", query, _say_nothing))
    return checks


def _say_nothing(document: Document) -> str:
    del document
    return ""
