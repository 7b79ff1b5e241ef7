"""Kind ``by``: how many records in scope, or victims of them, a row for each value of a field."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.errors import RequestError
from queries import fields
from queries.grid import Grid, Unit
from queries.problems import Problem
from queries.questions.base import Question
from queries.scope import Scope


class By(Question, frozen=True, tag="by"):
    """Rows are the months, years, offences, groups, outcomes, sexes or values of a category.

    ``count`` is what is counted: offences, or victims where the field is one of theirs.
    """

    by: str
    count: Unit | None = None

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """A field that is none."""
        try:
            fields.axis(self.by, scope)
        except RequestError as error:
            yield Problem(".by", str(error))

    def side_by_side(self, scope: Scope) -> bool:
        """Not where the rows are of time themselves."""
        return super().side_by_side(scope) and self.by not in fields.TIMES

    def grid(self, scope: Scope) -> Grid:
        """The values as rows."""
        rows = fields.axis(self.by, scope)
        natural: Unit = "victims" if rows.level == "victim" else "offences"
        return Grid(rows, None, self.count or natural)
