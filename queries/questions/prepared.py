"""A question ready to be asked of a scope: its filters and its table, built once and passed on.

Pure. Whoever asks, explains or traces a question starts here instead of building the parts again.
"""

from __future__ import annotations

from typing import Any

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Query
from msgspec import Struct

from queries.answer.condition import Condition
from queries.answer.types import Column, QuestionAnswer
from queries.questions.base import Question
from queries.tables.field_filter import describe_chosen_people, explain_chosen_people
from queries.tables.scope import Mention, Scope, all_of_or_everything, build_counted_query
from queries.tables.table_query import TableQuery


class PreparedQuestion(Struct, frozen=True):
    """A question of a request over one scope.

    ``scope`` is the request's scope as the question narrows it, and ``narrowing`` what narrows it.
    A record in the request's scope is asked about if it matches all of the ``filters``.
    """

    question: Question
    scope: Scope
    narrowing: Scope | None
    table_query: TableQuery
    filters: tuple[Query, ...]

    @property
    def query(self) -> Query:
        """The records in the request's scope that are asked about."""
        return all_of_or_everything(list(self.filters))

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """The terms that the question itself asks for, in its narrower scope and in its table."""
        return (*(self.narrowing.mentions if self.narrowing else ()), *self.table_query.mentions)

    @property
    def has_period_columns(self) -> bool:
        """Whether each of several periods gets columns of its own."""
        return self.question.has_period_columns(self.scope)

    @property
    def chosen_people(self) -> str:
        """Who the people are for whom its records were chosen, where everybody of their list is
        counted; empty if nobody was."""
        conditions = [entry.condition for entry in self.scope.field_filters]
        return describe_chosen_people(conditions, self.table_query.unit)

    def for_period(self, index: int) -> PreparedQuestion:
        """The same question about one of its periods alone."""
        period = self.scope.periods[index]
        return msgspec.structs.replace(
            self,
            scope=msgspec.structs.replace(self.scope, periods=(period,)),
            filters=(*self.filters, period.query()),
        )

    def build(self) -> dict[str, aggs.Agg[Any]]:
        """The aggregations to ask for, each by a name of the question's own."""
        return self.question.build(self.table_query)

    def parse(self, response: dict[str, Any]) -> QuestionAnswer:
        """The answer, from the aggregations' bodies and ``doc_count``, the records asked about."""
        return self.question.parse(response, self.table_query)

    def complete_answer(self, answer: QuestionAnswer) -> QuestionAnswer:
        """The answer of ``parse``, once it has the columns of all periods."""
        conditions = [entry.condition for entry in self.scope.field_filters]
        unit, noun = self.table_query.unit, self.table_query.noun
        complete = self.question.complete_answer(answer)
        return msgspec.structs.replace(
            complete, notes=(*complete.notes, *explain_chosen_people(conditions, unit, noun))
        )

    def list_columns(self) -> list[Column]:
        """The columns of the table, without those of an open axis or of single periods."""
        return self.question.list_columns(self.table_query)

    def record_query(self, row: str, column: str | None) -> Query:
        """The records behind a row, or a cell. Raises RequestError if there is none of the name."""
        return self.question.record_query(row, column, self.table_query)

    def cell_conditions(self, row: str, column: str | None) -> tuple[Condition, ...]:
        """The conditions of a row, or a cell. Raises as ``record_query``."""
        return self.question.cell_conditions(row, column, self.table_query)


def prepare_question(question: Question, scope: Scope) -> PreparedQuestion:
    """Build the parts of a question that is asked within the scope of its request."""
    narrowing = question.subscope.scope_with(scope.categories) if question.subscope else None
    question_scope = scope.narrow(narrowing) if narrowing else scope
    table_query = msgspec.structs.replace(
        question.table_query(question_scope), noun=question_scope.noun
    )
    filters = narrowing.filters() if narrowing else []
    if not any(axis.any_status for axis in table_query.axes):
        filters = [build_counted_query(), *filters]
    return PreparedQuestion(question, question_scope, narrowing, table_query, tuple(filters))
