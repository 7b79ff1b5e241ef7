"""Kind ``overlap``: which of a list of terms are mentioned together, and which alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from elasticsearch.dsl.query import Bool, Query
from msgspec import Meta

from queries import fields, wording
from queries.answer import QuestionAnswer
from queries.fields import Axis, Bucket
from queries.grid import Grid
from queries.problems import Problem
from queries.questions.base import Question, overlap_note
from queries.scope import Scope, any_of
from queries.wording import Wording

_MOST: Final = 30


class Overlap(Question, frozen=True, tag="overlap"):
    """A row for each term: how many records mention it, it alone, it and another, it and each.

    Rows below are for any of them, several, all, and none.
    """

    keywords: Annotated[tuple[Wording, ...], Meta(min_length=2, max_length=_MOST)]

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Keywords that are no term, or the same term twice."""
        del scope
        yield from wording.problems(self.keywords, ".keywords", repeats=False)

    def grid(self, scope: Scope) -> Grid:
        """The terms by what is mentioned with them."""
        del scope
        each = fields.mentions_axis(tuple(map(wording.mention, self.keywords)))
        *terms, none = each.buckets or ()
        queries = [term.query for term in terms]
        several = _at_least(queries, 2)
        rows = (
            *terms,
            Bucket("any", "Any of these", any_of(queries), "other"),
            Bucket("several", "Two or more of these", several, "other"),
            Bucket("all", "All of these", _at_least(queries, len(queries)), "other"),
            none,
        )
        alone = Bool(filter=[any_of(queries)], must_not=[several])
        columns = (
            Bucket("alone", "Only one of these", alone),
            Bucket("another", "With another", several),
            *(msgspec.structs.replace(term, label=f"With {term.label}") for term in terms),
        )
        return Grid(
            msgspec.structs.replace(each, buckets=rows),
            Axis("Together with", columns, partition=False),
            "offences",
        )

    def side_by_side(self, scope: Scope) -> bool:
        """Never: its columns are what it is asked for."""
        del scope
        return False

    def parse(self, found: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """Read the rows."""
        table = self.grid(scope).read(found)
        held = {row.key: row.counts[0] for row in table.rows}
        each = [row.counts[0] for row in table.rows if row.kind == "asked"]
        why = "a record may mention several of them"
        return self.answered(
            table,
            found,
            scope,
            facts={"any": held["any"], "several": held["several"]},
            notes=overlap_note(each, held["any"], why),
        )


def _at_least(queries: list[Query], number: int) -> Query:
    return Bool(should=queries, minimum_should_match=number)
