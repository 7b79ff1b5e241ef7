"""Kind ``offences``: how many records in scope, a row for each offence the request lists."""

from __future__ import annotations

from queries import fields
from queries.grid import Grid
from queries.questions.base import Question
from queries.scope import Scope


class Offences(Question, frozen=True, tag="offences"):
    """Rows are the offences of the request, or every code found where it lists none."""

    def grid(self, scope: Scope) -> Grid:
        """The rows."""
        name = "offence_row" if scope.offences else "offence"
        return Grid(fields.axis(name, scope), None, "offences")
