"""Kind ``by``: the records in scope, or their victims, by the values of a field."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.errors import RequestError
from queries.questions.base import Question
from queries.spec.problem import Problem
from queries.tables.field_axes import TIME_FIELDS, build_field_axis
from queries.tables.scope import Scope
from queries.tables.table_query import CountedUnit, TableQuery, TableUnit, find_counted_people


class By(Question, frozen=True, tag="by"):
    """A row for each value of a field, such as each month, outcome or value of a category.

    ``count`` is what is counted: by default victims for a field of victims, else offences. Where
    suspects are counted, their sex is meant. ``average`` also says how many there are in a day, or
    another calendar period, on average.
    """

    by: str
    count: CountedUnit | None = None
    average: bool = False

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """A field that cannot be counted by."""
        try:
            build_field_axis(self.by, scope)
        except RequestError as error:
            yield Problem(".by", str(error))
            return
        if self.average and (self.by not in TIME_FIELDS or len(scope.periods) != 1):
            yield Problem(
                ".average",
                f"average: is of calendar periods ({', '.join(TIME_FIELDS)}) within one period of "
                "the request. Leave it out, or count by one of these.",
            )

    def has_period_columns(self, scope: Scope) -> bool:
        """As for any question, but not if the rows are periods themselves."""
        return super().has_period_columns(scope) and self.by not in TIME_FIELDS

    def table_query(self, scope: Scope) -> TableQuery:
        """The values as rows."""
        rows = build_field_axis(self.by, scope, find_counted_people(self.count))
        default_unit: TableUnit = "victims" if rows.level == "victim" else "offences"
        return TableQuery(rows, None, self.count or default_unit)
