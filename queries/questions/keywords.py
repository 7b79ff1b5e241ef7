"""Kind ``keywords``: how many records in scope mention each term of a list, or none of them."""

from __future__ import annotations

from collections.abc import Iterator

from queries.answer.present_rows import keep_present_rows
from queries.answer.types import QuestionAnswer
from queries.questions.base import Question
from queries.spec.problem import Problem
from queries.spec.scope_spec import TermList
from queries.spec.term_spec import find_term_problems, to_mention
from queries.tables.field_axes import build_field_axis
from queries.tables.request_axes import build_mentions_axis
from queries.tables.scope import Scope
from queries.tables.table_query import TableQuery


class Keywords(Question, frozen=True, tag="keywords"):
    """A row for each keyword, and one for records that mention none of them.

    ``each_offence`` adds a column for each row of offences of the request. With ``present``, only
    the keywords that a record mentions have rows.
    """

    keywords: TermList
    each_offence: bool = False
    present: bool = False

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Keywords that are not terms, or that are the same term."""
        del scope
        yield from find_term_problems(self.keywords, ".keywords", repeats=False)

    def table_query(self, scope: Scope) -> TableQuery:
        """The keywords as rows."""
        by_offence = self.each_offence and scope.offences
        return TableQuery(
            build_mentions_axis(tuple(map(to_mention, self.keywords))),
            build_field_axis("offence_row", scope) if by_offence else None,
            "offences",
        )

    def complete_answer(self, answer: QuestionAnswer) -> QuestionAnswer:
        """With ``present``, without the rows that count nothing."""
        return keep_present_rows(answer) if self.present else answer
