"""Kind ``keywords``: how many records in scope mention each of a list of terms, and none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from queries import fields, wording
from queries.grid import Grid
from queries.problems import Problem
from queries.questions.base import Question
from queries.scope import Scope
from queries.spec import MAX_TERMS
from queries.wording import Wording


class Keywords(Question, frozen=True, tag="keywords"):
    """A row for each keyword, and one for none of them.

    ``each_offence`` adds a column for each offence of the request.
    """

    keywords: Annotated[tuple[Wording, ...], Meta(min_length=1, max_length=MAX_TERMS)]
    each_offence: bool = False

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Keywords that are no term, or the same term twice."""
        del scope
        yield from wording.problems(self.keywords, ".keywords", repeats=False)

    def grid(self, scope: Scope) -> Grid:
        """The keywords as rows."""
        by_offence = self.each_offence and scope.offences
        return Grid(
            fields.mentions_axis(tuple(map(wording.mention, self.keywords))),
            fields.axis("offence_row", scope) if by_offence else None,
            "offences",
        )
