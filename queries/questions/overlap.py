"""Kind ``overlap``: which terms of a list are mentioned together, and which alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from elasticsearch.dsl.query import Bool, Query
from msgspec import Meta

from queries.answer.condition import (
    build_any_term_condition,
    build_several_terms_condition,
    build_single_term_condition,
)
from queries.answer.types import (
    FactMeta,
    NotedSum,
    QuestionAnswer,
    Relation,
    Table,
    count_or_zero,
)
from queries.questions.base import OverlapNote, Question
from queries.spec.problem import Problem
from queries.spec.term_spec import Wording, find_term_problems, to_mention
from queries.tables.axis_type import Axis, Bucket
from queries.tables.request_axes import build_mentions_axis
from queries.tables.scope import Scope, any_of
from queries.tables.table_query import TOTAL_KEY, TableQuery, make_column_key

_MAX_KEYWORDS: Final = 30

_FACT_ROWS: Final = ("any", "several")


class Overlap(Question, frozen=True, tag="overlap"):
    """A row for each term, and rows for any, two or more, all, and none of the terms.

    The columns are the records that mention no other term, that mention another term, and that
    mention each of the terms.
    """

    keywords: Annotated[tuple[Wording, ...], Meta(min_length=2, max_length=_MAX_KEYWORDS)]

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Keywords that are not terms, or that are the same term."""
        del scope
        yield from find_term_problems(self.keywords, ".keywords", repeats=False)

    def table_query(self, scope: Scope) -> TableQuery:
        """The terms, by the other terms mentioned with them."""
        del scope
        terms_axis = build_mentions_axis(tuple(map(to_mention, self.keywords)))
        *terms, none = terms_axis.buckets or ()
        queries = [term.query for term in terms]
        names = [name for term in terms for name in term.means]
        several_condition = (build_several_terms_condition(names),)
        several = _build_minimum_query(queries, 2)
        rows = (
            *terms,
            Bucket(
                "any", "Any of these", any_of(queries), (build_any_term_condition(names),), "other"
            ),
            Bucket("several", "Two or more of these", several, several_condition, "other"),
            Bucket(
                "all",
                "All of these",
                _build_minimum_query(queries, len(queries)),
                tuple(names),
                "other",
            ),
            none,
        )
        single_query = Bool(filter=[any_of(queries)], must_not=[several])
        columns = (
            Bucket(
                "alone", "Only one of these", single_query, (build_single_term_condition(names),)
            ),
            Bucket("another", "With another", several, several_condition),
            *(msgspec.structs.replace(term, label=f"With {term.label}") for term in terms),
        )
        return TableQuery(
            msgspec.structs.replace(terms_axis, buckets=rows),
            Axis("Together with", columns, partition=False),
            "offences",
        )

    def has_period_columns(self, scope: Scope) -> bool:
        """Never: the question has columns of its own."""
        del scope
        return False

    def parse(self, response: dict[str, Any], table_query: TableQuery) -> QuestionAnswer:
        """Read the rows, and the facts of how many records mention any or several of the terms."""
        table = table_query.parse_response(response)
        table = msgspec.structs.replace(table, relations=_build_overlap_relations(table))
        row_counts = {row.key: count_or_zero(row.counts[0]) for row in table.rows}
        row_sum = sum(row_counts[row.key] for row in table.rows if row.kind == "asked")
        noted = NotedSum(row_sum, row_counts["any"])
        note = (
            f"The rows of the words by themselves {noted.text} that mention any, because a record "
            "may mention several of them."
        )
        return self.make_answer(
            table,
            response,
            table_query,
            facts={name: row_counts[name] for name in _FACT_ROWS},
            figures=tuple(
                FactMeta(row.key, means=row.means) for row in table.rows if row.key in _FACT_ROWS
            ),
            overlaps=[OverlapNote(note, noted)] if row_sum > row_counts["any"] else (),
        )


def _build_overlap_relations(table: Table) -> tuple[Relation, ...]:
    """What is certain of any, several, all and none of the terms, of one alone, and of pairs."""
    terms = tuple(row.key for row in table.rows if row.kind == "asked")
    rows = (*terms, "any", "several", "all")
    single_key, another_key = map(make_column_key, ("alone", "another"))
    return (
        Relation("union", "any", terms),
        Relation("sum", TOTAL_KEY, ("any", "none")),
        Relation("at_most", "any", ("several",)),
        Relation("at_most", "several", ("all",)),
        *(Relation("at_most", term, ("all",)) for term in terms),
        Relation("sum", "any", terms, only=(single_key,)),
        Relation("at_least", "several", terms, only=(another_key,), times=2),
        Relation("sum", "offences", (single_key, another_key), "columns", rows),
        *(
            Relation(
                "union",
                another_key,
                tuple(make_column_key(other_term) for other_term in terms if other_term != term),
                "columns",
                (term,),
            )
            for term in terms
        ),
    )


def _build_minimum_query(queries: list[Query], number: int) -> Query:
    return Bool(should=queries, minimum_should_match=number)
