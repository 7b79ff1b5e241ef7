"""What every kind of question has: a table to ask for, its answer, and the records behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Query
from msgspec import Meta, Struct

from queries.answer.types import QuestionAnswer, SpellingCount, Table, TermAnswer
from queries.spec.problem import Problem
from queries.spec.scope_spec import ScopeSpec
from queries.tables.axis import Axis
from queries.tables.scope import Mention, Scope, build_counted_query
from queries.tables.table_query import TableQuery

QuestionId = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,19}$")]


class Question(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    kw_only=True,
    rename={"subscope": "within"},
):
    """A question of a request. A kind says what to ask and how to read what comes back.

    ``text`` is the question as the requester put it, for the letter, ``within`` a narrower scope
    than the request's. ``build`` and ``parse`` do no input or output; ``parse`` reads only what
    ``build`` asked for. Aggregations run over the records that ``filters`` lets through. The scope
    they are given is already the narrower one. Rows, columns and counted facts say what they mean,
    and the table which relations hold among its numbers whatever the records are: what is withheld
    depends on it.
    """

    id: QuestionId
    text: str = ""
    subscope: ScopeSpec | None = None

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """What is wrong beyond the types."""
        del scope
        yield from ()

    def narrowed_scope(self, scope: Scope) -> Scope:
        """The scope of the request as this question narrows it."""
        if self.subscope is None:
            return scope
        return scope.narrow(self.subscope.scope_with(scope.categories))

    def filters(self, scope: Scope) -> list[Query]:
        """What a record in the request's scope must satisfy to be asked about."""
        narrower = self.subscope.scope_with(scope.categories).filters() if self.subscope else []
        any_status = any(
            axis.any_status for axis in self.table_query(self.narrowed_scope(scope)).axes
        )
        return narrower if any_status else [build_counted_query(), *narrower]

    def mentions(self, scope: Scope) -> tuple[Mention, ...]:
        """The terms it asks for itself, of its table and of its narrower scope."""
        subscope_mentions = (
            self.subscope.scope_with(scope.categories).mentions if self.subscope else ()
        )
        axes = self.table_query(self.narrowed_scope(scope)).axes
        return (*subscope_mentions, *(mention for axis in axes for mention in axis.mentions))

    def table_query(self, scope: Scope) -> TableQuery:
        """The table."""
        raise NotImplementedError

    def build(self, scope: Scope) -> dict[str, aggs.Agg[Any]]:
        """The aggregations to ask for, by a name of the question's own."""
        table_query = self.table_query(scope)
        mentions = [mention for axis in table_query.axes for mention in axis.mentions]
        return {**table_query.build(), **(build_term_aggs(mentions) if mentions else {})}

    def parse(self, response: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """The answer, from the aggregations' bodies and ``doc_count``, the records asked about."""
        table_query = self.table_query(scope)
        table = table_query.parse_response(response)
        return self.make_answer(
            table, response, scope, notes=_collect_overlap_notes(table_query, table)
        )

    def record_query(self, row: str, column: str | None, scope: Scope) -> Query:
        """The records asked about that are behind a row, or a cell. Raises RequestError."""
        return self.table_query(scope).record_query(row, column)

    def has_period_columns(self, scope: Scope) -> bool:
        """Whether several periods are columns of the table."""
        return len(scope.periods) > 1

    def make_answer(
        self, table: Table, response: dict[str, Any], scope: Scope, **details: Any
    ) -> QuestionAnswer:
        """The answer with a table."""
        mentions = [mention for axis in self.table_query(scope).axes for mention in axis.mentions]
        return QuestionAnswer(
            id=self.id,
            kind=str(self.__struct_config__.tag),
            text=self.text,
            table=table,
            terms=parse_term_answers(mentions, response) if mentions else (),
            **details,
        )


def _collect_overlap_notes(table_query: TableQuery, table: Table) -> tuple[str, ...]:
    """Why rows or columns add up to more than their total, where they do."""
    rows, *columns = table_query.axes
    unit = table.columns[0].label.lower()[:-1]
    notes: list[str] = []
    if not rows.partition:
        notes += write_overlap_note(table, _explain_overlap(rows, unit))
    if columns and not columns[0].partition:
        total, *column_counts = [count or 0 for count in table.total.counts]
        if sum(column_counts) > total:
            notes.append(
                f"The columns add up to {sum(column_counts):,}, more than the total of {total:,}, because "
                f"{_explain_overlap(columns[0], unit)}. The total counts each once."
            )
    return tuple(notes)


def _explain_overlap(axis: Axis, unit: str) -> str:
    if axis.mentions:
        return "a record may mention several of them"
    return f"one {unit} may belong to several of them"


def build_filters_agg(queries: Iterable[Query]) -> aggs.Filters:
    """One bucket a query, named "0", "1", ..."""
    return aggs.Filters(filters={str(number): query for number, query in enumerate(queries)})


def parse_filter_counts(aggregation: dict[str, Any]) -> list[int]:
    """The counts of ``bucketed``, in order."""
    buckets = aggregation["buckets"]  # which the server sorts by name: "10" before "2"
    return [buckets[name]["doc_count"] for name in sorted(buckets, key=int)]


def build_term_aggs(mentions: Iterable[Mention]) -> dict[str, aggs.Agg[Any]]:
    """A bucket for each mention, and for each form of each spelling of it, in order."""
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
    """Each mention with its records and the forms found, from what ``terms_asked`` brought."""
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
        means=(mention.condition,),
    )


def write_overlap_note(table: Table, reason: str) -> tuple[str, ...]:
    """Why the rows of a table add up to more than its total, where they do."""
    summed = sum(row.counts[0] or 0 for row in table.rows)
    total = table.total.counts[0] or 0
    if summed <= total:
        return ()
    return (
        f"The rows add up to {summed:,}, more than the total of {total:,}, because {reason}. "
        "The total counts each once.",
    )
