"""Kind ``overlap``: which of a list of terms are mentioned together, and which alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from elasticsearch.dsl.query import Bool, Query
from msgspec import Meta

from queries import conditions, fields, wording
from queries.answer import Figure, QuestionAnswer, Relation, Table
from queries.fields import Axis, Bucket
from queries.grid import Grid, column_key
from queries.problems import Problem
from queries.questions.base import Question
from queries.scope import Scope, any_of
from queries.wording import Wording

_MOST: Final = 30
_FACTS: Final = ("any", "several")


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
        names = [name for term in terms for name in term.means]
        two = (conditions.several_terms(names),)
        several = _at_least(queries, 2)
        rows = (
            *terms,
            Bucket("any", "Any of these", any_of(queries), (conditions.any_term(names),), "other"),
            Bucket("several", "Two or more of these", several, two, "other"),
            Bucket("all", "All of these", _at_least(queries, len(queries)), tuple(names), "other"),
            none,
        )
        alone = Bool(filter=[any_of(queries)], must_not=[several])
        columns = (
            Bucket("alone", "Only one of these", alone, (conditions.one_term(names),)),
            Bucket("another", "With another", several, two),
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
        table = msgspec.structs.replace(table, relations=_relations(table))
        held = {row.key: row.counts[0] or 0 for row in table.rows}
        each = sum(held[row.key] for row in table.rows if row.kind == "asked")
        note = (
            f"The rows of the words by themselves add up to {each:,}, more than the total of "
            f"{held['any']:,} that mention any, because a record may mention several of them."
        )
        return self.answered(
            table,
            found,
            scope,
            facts={name: held[name] for name in _FACTS},
            figures=tuple(
                Figure(row.key, means=row.means) for row in table.rows if row.key in _FACTS
            ),
            notes=(note,) if each > held["any"] else (),
        )


def _relations(table: Table) -> tuple[Relation, ...]:
    """What is certain of any, several, all and none of the terms, of one alone and of pairs."""
    terms = tuple(row.key for row in table.rows if row.kind == "asked")
    rows = (*terms, "any", "several", "all")
    alone, another = map(column_key, ("alone", "another"))
    return (
        Relation("union", "any", terms),
        Relation("sum", "total", ("any", "none")),
        Relation("at_most", "any", ("several",)),
        Relation("at_most", "several", ("all",)),
        *(Relation("at_most", term, ("all",)) for term in terms),
        Relation("sum", "any", terms, only=(alone,)),
        Relation("at_least", "several", terms, only=(another,), times=2),
        Relation("sum", "offences", (alone, another), "columns", rows),
        *(
            Relation(
                "union",
                another,
                tuple(column_key(other) for other in terms if other != term),
                "columns",
                (term,),
            )
            for term in terms
        ),
    )


def _at_least(queries: list[Query], number: int) -> Query:
    return Bool(should=queries, minimum_should_match=number)
