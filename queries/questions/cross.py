"""Kind ``cross``: a table of rows by columns, whose totals count each record once."""

from __future__ import annotations

from collections.abc import Iterator

from queries.grid import Grid, Unit
from queries.problems import Problem
from queries.questions.base import Question
from queries.scope import Scope
from queries.spec import AxisSpec, axis_spec


class Cross(Question, frozen=True, tag="cross"):
    """``rows`` and ``columns`` are each the name of a field, or keywords, age bands or periods.

    ``count`` is what is counted: offences, or victims where an axis is of victims.
    """

    rows: str | AxisSpec
    columns: str | AxisSpec
    count: Unit | None = None

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Axes that are none, or that no one record tells together."""
        wrong = False
        for name in ("rows", "columns"):
            written = getattr(self, name)
            for problem in axis_spec(written).problems(scope):
                wrong = True
                path = "" if isinstance(written, str) else problem.path
                yield Problem(f".{name}{path}", problem.message)
        if wrong or self.count != "offences":
            return
        axes = [axis_spec(one).axis(scope) for one in (self.rows, self.columns)]
        if all(axis.level == "victim" for axis in axes):
            yield Problem(
                ".count",
                "both sides are of victims, and an offence may have several: count victims. "
                "Leave count: out.",
            )

    def side_by_side(self, scope: Scope) -> bool:
        """Never: its columns are what it is asked for."""
        del scope
        return False

    def grid(self, scope: Scope) -> Grid:
        """The table."""
        rows, columns = (axis_spec(one).axis(scope) for one in (self.rows, self.columns))
        of_victims = "victim" in (rows.level, columns.level)
        return Grid(rows, columns, self.count or ("victims" if of_victims else "offences"))
