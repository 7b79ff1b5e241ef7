"""Kind ``cross``: a table of rows by columns, in which totals count each record once."""

from __future__ import annotations

from collections.abc import Iterator

from queries.questions.base import Question
from queries.spec.problem import Problem
from queries.spec.scope_spec import AxisSpec, parse_axis_spec
from queries.tables.scope import Scope
from queries.tables.table_query import CountedUnit, TableQuery, find_counted_people


class Cross(Question, frozen=True, tag="cross"):
    """``rows`` and ``columns`` are each the name of a field, or keywords, age bands or periods.

    ``count`` is what is counted: by default victims if a side is of victims, else offences. Where
    suspects are counted, their sex and their ages are meant.
    ``for_each`` is a third side, of which each value has a table of its own; a request that has
    been read holds a question for each instead, whose ``table_of`` is the id in the file.
    """

    rows: str | AxisSpec
    columns: str | AxisSpec
    count: CountedUnit | None = None
    for_each: str | AxisSpec | None = None
    table_of: str = ""

    @property
    def part(self) -> str:
        """The id of the question that ``for_each`` made it from."""
        return self.table_of

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Sides that cannot be counted by, alone or together."""
        if self.table_of:
            yield Problem(".table_of", '"table_of" is not a key of a request. Remove it.')
        has_problems = False
        for name in ("rows", "columns"):
            side = getattr(self, name)
            for problem in parse_axis_spec(side).problems(scope):
                has_problems = True
                path = "" if isinstance(side, str) else problem.path
                yield Problem(f".{name}{path}", problem.message)
        if has_problems or self.count != "offences":
            return
        axes = [parse_axis_spec(side).axis(scope) for side in (self.rows, self.columns)]
        if all(axis.level == "victim" for axis in axes):
            yield Problem(
                ".count",
                "both sides are of victims, and an offence may have several, so victims must be "
                "counted. Leave count: out.",
            )

    def has_period_columns(self, scope: Scope) -> bool:
        """Never: the question states its own columns."""
        del scope
        return False

    def table_query(self, scope: Scope) -> TableQuery:
        """The table."""
        people = find_counted_people(self.count)
        rows, columns = (
            parse_axis_spec(side).axis(scope, people) for side in (self.rows, self.columns)
        )
        of_victims = "victim" in (rows.level, columns.level)
        return TableQuery(rows, columns, self.count or ("victims" if of_victims else "offences"))
