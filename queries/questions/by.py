"""Kind ``by``: how many records in scope, or victims of them, a row for each value of a field."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.errors import RequestError
from queries.questions.base import Question
from queries.spec.problem import Problem
from queries.tables.fields import TIME_FIELDS, build_field_axis
from queries.tables.scope import Scope
from queries.tables.table_query import TableQuery, TableUnit


class By(Question, frozen=True, tag="by"):
    """Rows are the months, years, offences, groups, outcomes, sexes or values of a category.

    ``count`` is what is counted: offences, or victims where the field is one of theirs.
    """

    by: str
    count: TableUnit | None = None

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """A field that is none."""
        try:
            build_field_axis(self.by, scope)
        except RequestError as error:
            yield Problem(".by", str(error))

    def has_period_columns(self, scope: Scope) -> bool:
        """Not where the rows are of time themselves."""
        return super().has_period_columns(scope) and self.by not in TIME_FIELDS

    def table_query(self, scope: Scope) -> TableQuery:
        """The values as rows."""
        rows = build_field_axis(self.by, scope)
        natural: TableUnit = "victims" if rows.level == "victim" else "offences"
        return TableQuery(rows, None, self.count or natural)
