"""Kind ``offences``: how many records in scope are of each offence."""

from __future__ import annotations

from queries.questions.base import Question
from queries.tables.field_axes import build_field_axis
from queries.tables.scope import Scope
from queries.tables.table_query import TableQuery


class Offences(Question, frozen=True, tag="offences"):
    """A row for each row of offences of the request; if it lists none, for each code found."""

    def table_query(self, scope: Scope) -> TableQuery:
        """The offences as rows."""
        name = "offence_row" if scope.offences else "offence"
        return TableQuery(build_field_axis(name, scope), None, "offences")
