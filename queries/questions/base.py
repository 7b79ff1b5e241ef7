"""The base of every kind of question: what to ask for, and how to read the answer.

Pure: a question does no input or output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Query
from msgspec import Meta, Struct

from indexer.records.noun import Noun
from queries.answer.condition import Condition
from queries.answer.shares import explain_shares
from queries.answer.types import (
    Column,
    NotedSum,
    QuestionAnswer,
    SpellingCount,
    Table,
    TermAnswer,
    count_or_zero,
)
from queries.spec.problem import Problem
from queries.spec.scope_spec import ScopeSpec
from queries.tables.axis_type import Axis
from queries.tables.scope import Mention, Scope
from queries.tables.table_query import TableQuery

#: As a requester numbers the parts of a letter: "Q1", "1", "b)", "3a", "(ii)", "2.1".
QuestionId = Annotated[str, Meta(pattern=r"^\(?[A-Za-z0-9][A-Za-z0-9_.()-]{0,18}$")]


class Question(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    kw_only=True,
    rename={"subscope": "within"},
):
    """A question of a request. A kind decides what to ask for and how to read the response.

    ``share`` also prints each number as per cent of the total of its column (true), or of its row.
    ``text`` is the question as the requester put it, for the letter; ``subscope`` is a scope
    narrower than the request's. Every scope passed to a method is already the narrowed one.
    ``note`` and ``not_covered`` are the officer's words: what to know of the numbers, and what of
    the question they do not answer.
    ``table_query`` builds the table once; the other methods take it, and ``parse`` reads only what
    ``build`` asked for. Rows, columns and counted facts state their conditions, and the table
    states which relations hold among its numbers for any records: what is withheld depends on them.
    """

    id: QuestionId
    text: str = ""
    subscope: ScopeSpec | None = None
    note: str = ""
    not_covered: str = ""
    share: Literal["column", "row"] | bool = False

    @property
    def part(self) -> str:
        """The id that the request gives the part that it is of; empty if that is its own."""
        return ""

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """What is wrong with the question beyond its types."""
        del scope
        yield from ()

    def narrowed_scope(self, scope: Scope) -> Scope:
        """The scope of the request as this question narrows it."""
        if self.subscope is None:
            return scope
        return scope.narrow(self.subscope.scope_with(scope.categories))

    def table_query(self, scope: Scope) -> TableQuery:
        """The table to ask for."""
        raise NotImplementedError

    def has_period_columns(self, scope: Scope) -> bool:
        """Whether each of several periods gets columns of its own.

        If so, the table must be the same for any of them.
        """
        return len(scope.periods) > 1

    def build(self, table_query: TableQuery) -> dict[str, aggs.Agg[Any]]:
        """The aggregations to ask for, each by a name of the question's own."""
        mentions = table_query.mentions
        return {**table_query.build(), **(build_term_aggs(mentions) if mentions else {})}

    def parse(self, response: dict[str, Any], table_query: TableQuery) -> QuestionAnswer:
        """The answer, from the aggregations' bodies and ``doc_count``, the records asked about."""
        table = table_query.parse_response(response)
        overlaps = _collect_overlap_notes(table_query, table)
        return self.make_answer(table, response, table_query, overlaps=overlaps)

    def complete_answer(self, answer: QuestionAnswer) -> QuestionAnswer:
        """The answer of ``parse``, once it has the columns of all periods."""
        return answer

    def list_columns(self, table_query: TableQuery) -> list[Column]:
        """The columns of the table that are known before it is asked for."""
        return table_query.list_columns()

    def record_query(self, row: str, column: str | None, table_query: TableQuery) -> Query:
        """The records asked about that are behind a row, or a cell.

        Raises RequestError if there is none of the name.
        """
        return table_query.record_query(row, column)

    def cell_conditions(
        self, row: str, column: str | None, table_query: TableQuery
    ) -> tuple[Condition, ...]:
        """The conditions of a row, or a cell. Raises as ``record_query``."""
        return table_query.cell_conditions(row, column)

    def make_answer(
        self,
        table: Table,
        response: dict[str, Any],
        table_query: TableQuery,
        *,
        overlaps: Sequence[OverlapNote] = (),
        **details: Any,
    ) -> QuestionAnswer:
        """The answer that gives a table; ``details`` are further fields of the answer.

        The notes of ``overlaps`` come before those of ``details``.
        """
        if self.share:
            share = "column" if self.share is True else self.share
            table = msgspec.structs.replace(table, share=share)
        details["notes"] = (
            *(note.text for note in overlaps),
            *dict.fromkeys(axis.note for axis in table_query.axes if axis.note),
            *details.get("notes", ()),
            *explain_shares(table),
        )
        mentions = table_query.mentions
        return QuestionAnswer(
            id=self.id,
            kind=str(self.__struct_config__.tag),
            text=self.text,
            table=table,
            terms=parse_term_answers(mentions, response) if mentions else (),
            sums=tuple(note.noted for note in overlaps),
            open_axes=table_query.open_axes,
            **details,
        )


class OverlapNote(NamedTuple):
    """A note on numbers that add up to more than their total, and the sum that it states."""

    text: str
    noted: NotedSum


def _collect_overlap_notes(table_query: TableQuery, table: Table) -> tuple[OverlapNote, ...]:
    """Why rows or columns add up to more than their total, where they do."""
    rows, *columns = table_query.axes
    notes: list[OverlapNote] = []
    if not rows.partition and not rows.note:
        notes += write_overlap_note(table, _explain_overlap(rows, table_query.unit_noun))
    if columns and not columns[0].partition and not columns[0].note:
        total, *column_counts = map(count_or_zero, table.total.counts)
        reason = _explain_overlap(columns[0], table_query.unit_noun)
        notes += _compare_sum("columns", sum(column_counts), total, reason)
    return tuple(notes)


def _explain_overlap(axis: Axis, noun: Noun) -> str:
    if axis.mentions:
        return "a record may mention several of them"
    return f"one {noun.singular} may belong to several of them"


def write_overlap_note(table: Table, reason: str) -> tuple[OverlapNote, ...]:
    """Why the rows of a table add up to more than its total; empty where they do not."""
    row_sum = sum(count_or_zero(row.counts[0]) for row in table.rows)
    return _compare_sum("rows", row_sum, count_or_zero(table.total.counts[0]), reason)


def _compare_sum(side: str, side_sum: int, total: int, reason: str) -> tuple[OverlapNote, ...]:
    if side_sum <= total:
        return ()
    noted = NotedSum(side_sum, total)
    text = f"The {side} {noted.text}, because {reason}. The total counts each once."
    return (OverlapNote(text, noted),)


def build_filters_agg(queries: Iterable[Query]) -> aggs.Filters:
    """A bucket for each query, named "0", "1", ..."""
    return aggs.Filters(filters={str(number): query for number, query in enumerate(queries)})


def parse_filter_counts(aggregation: dict[str, Any]) -> list[int]:
    """The counts of ``build_filters_agg``, in order."""
    # The server sorts the buckets by name: "10" comes before "2".
    buckets = aggregation["buckets"]
    return [buckets[name]["doc_count"] for name in sorted(buckets, key=int)]


def build_term_aggs(mentions: Iterable[Mention]) -> dict[str, aggs.Agg[Any]]:
    """A bucket for each mention, and for each form of each of its spellings, in order."""
    all_mentions = tuple(mentions)
    forms = (
        mention.form_query(term, form)
        for mention in all_mentions
        for term in mention.spellings
        for form in term.forms
    )
    return {
        "mentions": build_filters_agg(mention.query() for mention in all_mentions),
        "forms": build_filters_agg(forms),
    }


def parse_term_answers(
    mentions: Iterable[Mention], response: dict[str, Any]
) -> tuple[TermAnswer, ...]:
    """Each mention, its records and the forms found, from the response to ``build_term_aggs``."""
    form_counts = iter(parse_filter_counts(response["forms"]))
    return tuple(
        _build_term_answer(mention, records, form_counts)
        for mention, records in zip(
            mentions, parse_filter_counts(response["mentions"]), strict=True
        )
    )


def _build_term_answer(mention: Mention, records: int, form_counts: Iterator[int]) -> TermAnswer:
    forms = {" ".join(form): next(form_counts) for term in mention.spellings for form in term.forms}
    most_first = sorted(forms.items(), key=lambda item: (-item[1], item[0]))
    return TermAnswer(
        wordings=(mention.term.written,),
        records=records,
        forms=tuple(SpellingCount(form, count) for form, count in most_first if count),
        exact=mention.exact,
        aliases=tuple(alias.written for alias in mention.aliases),
        company=tuple(co_term.words for co_term in mention.cooccurrences),
        means=(mention.condition.text,),
    )
