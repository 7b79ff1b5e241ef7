"""Kind ``offences``: how many records in scope, a row for each offence the request lists."""

from __future__ import annotations

from queries.questions.base import Question
from queries.tables.fields import build_field_axis
from queries.tables.scope import Scope
from queries.tables.table_query import TableQuery


class Offences(Question, frozen=True, tag="offences"):
    """Rows are the offences of the request, or every code found where it lists none."""

    def table_query(self, scope: Scope) -> TableQuery:
        """The rows."""
        name = "offence_row" if scope.offences else "offence"
        return TableQuery(build_field_axis(name, scope), None, "offences")
