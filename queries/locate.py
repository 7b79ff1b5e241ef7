"""The records behind a number of an answer, as a query. Pure.

A number is named by its question, its row and, where there are several, its column: by what the
answer calls them, or by their keys in the answer's JSON.
"""

from __future__ import annotations

import difflib

import msgspec
from elasticsearch.dsl.query import Query
from msgspec import Struct

from indexer.errors import RequestError
from queries.periods import column_of
from queries.questions import Question
from queries.request import Request
from queries.scope import Mention, Scope, all_of, counted_query

TOTAL = "total"


class Located(Struct, frozen=True):
    """The query of the records, and the terms that put them there, first those of the row."""

    query: Query
    mentions: tuple[Mention, ...]


def whole(scope: Scope) -> Located:
    """The records of a scope that count."""
    return Located(all_of([scope.query(), counted_query()]), scope.mentions)


def behind(request: Request, question_id: str, row: str = TOTAL, column: str = "") -> Located:
    """The records behind a row, or a cell. Raises RequestError for one that is none."""
    question = _question(request, question_id)
    scope = request.scope
    seen = question.seen(scope)
    name, period = _column(question, seen, column)
    filters = [scope.query(), *question.filters(scope)]
    if period is not None:
        filters.append(seen.periods[period].query())
        seen = msgspec.structs.replace(seen, periods=(seen.periods[period],))
    try:
        filters.append(question.where(row, name or None, seen))
    except RequestError as error:
        if not column or period is not None or not question.side_by_side(seen):
            raise
        labels = ", ".join(one.label for one in seen.periods)
        raise RequestError(f"{error} Columns of one period are named by it: {labels}.") from None
    own = [one for axis in question.grid(seen).axes for one in axis.mentions]
    of_row = [
        one
        for one in own
        if row.casefold() in (one.label.casefold(), one.term.written.casefold(), TOTAL)
    ]
    return Located(all_of(filters), tuple(dict.fromkeys([*of_row, *seen.mentions])))


def parse(text: str) -> tuple[str, str]:
    """Read "Q2:Snapchat" as a question and a row; "Q2" alone is its total."""
    question, _, row = text.partition(":")
    return question.strip(), row.strip() or TOTAL


def _question(request: Request, name: str) -> Question:
    questions = {one.id.casefold(): one for one in request.questions}
    if found := questions.get(name.casefold()):
        return found
    ids = [one.id for one in request.questions]
    near = difflib.get_close_matches(name, ids, n=1, cutoff=0)[0]
    raise RequestError(
        f'there is no question "{name[:30]}" in the request. Did you mean "{near}"? There are '
        f"{', '.join(ids)}."
    )


def _column(question: Question, seen: Scope, column: str) -> tuple[str, int | None]:
    """A column without its period, and the period's place: "2017/18", "Offences, 2017/18"."""
    if not question.side_by_side(seen):
        return column, None
    name, place = column_of(column)
    if place is not None and place < len(seen.periods):
        return name, place
    for number, period in enumerate(seen.periods):
        if column.casefold() == period.label.casefold():
            return "", number
        if column.casefold().endswith(f", {period.label.casefold()}"):
            return column[: -len(period.label) - 2], number
    return column, None
