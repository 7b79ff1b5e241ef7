"""Which records count in which numbers of an answer, as named queries and sums. Pure.

Every number but a *derived* one (a youngest age, a count of different people) is a sum over the
records in scope: of each, the product of a few scores. A score is 1 where a record is in a row, a
column, a period or among those asked about, and the number of its victims where victims are
counted. The scores come from queries that the server names for each record it lists, those of an
open axis from the record's own value; so the numbers are found a second time, record by record.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Final

import msgspec
from elasticsearch.dsl.query import Query, Term
from msgspec import Struct

from queries.answer.cells import CellKey, collect_numbers
from queries.answer.types import Answer, TermAnswer
from queries.questions.base import Question
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.tables.axis import Axis
from queries.tables.period_columns import split_column_key
from queries.tables.scope import (
    EXCLUDED_STATUSES,
    Mention,
    Scope,
    all_of_or_everything,
    build_counted_query,
    build_offence_query,
)

MAX_CLAUSES: Final = 800  # a search of a small server takes 1,024

_LEAF_QUERIES: Final = frozenset(
    ("match_phrase", "intervals", "match", "term", "terms", "range", "exists", "match_all")
)

_CELL_PREFIX: Final = "in_"

Scores = dict[str, int]

CellCounts = dict[CellKey, int]


class Membership(Struct):
    """What to ask of each record (``queries`` by name, ``open_axes`` by the start of a name), and
    ``sums``: the names whose scores, multiplied, are what a record counts in a number.

    ``mentions`` are the names of the scope's terms. One search holds ``max_clauses`` at most.
    """

    queries: dict[str, dict[str, Any]]
    open_axes: dict[str, Axis]
    sums: dict[CellKey, tuple[str, ...]]
    mentions: tuple[str, ...]
    by_last: dict[str, list[tuple[CellKey, tuple[str, ...]]]] = {}
    max_clauses: int = MAX_CLAUSES

    def __post_init__(self) -> None:
        """Sort the sums by their last name, which the fewest records have."""
        for cell_key, names in self.sums.items():
            self.by_last.setdefault(names[-1], []).append((cell_key, names))

    @property
    def cell_keys(self) -> tuple[CellKey, ...]:
        """The numbers that are sums."""
        return tuple(self.sums)

    def batches(self) -> list[list[dict[str, Any]]]:
        """The queries, in as few searches as the server takes them; at least one."""
        batches: list[list[dict[str, Any]]] = [[]]
        remaining = self.max_clauses
        for query in self.queries.values():
            weight = _count_clauses(query)
            if weight > remaining and batches[-1]:
                batches.append([])
                remaining = self.max_clauses
            batches[-1].append(query)
            remaining -= weight
        return batches

    def scores_of_values(self, document: dict[str, Any]) -> Scores:
        """The scores that a record's own values tell."""
        return {
            f"{start}{key}": 1
            for start, axis in self.open_axes.items()
            for key in _find_bucket_keys(axis, document)
        }

    def counts(self, scores: Scores) -> CellCounts:
        """What a record of these scores counts in each number, where it counts at all."""
        counts: CellCounts = {}
        for last in scores:
            for cell_key, names in self.by_last.get(last, ()):
                number = prod(scores.get(name, 0) for name in names)
                if number:
                    counts[cell_key] = number
        return counts

    def mentioned_terms(self, scores: Scores) -> tuple[int, ...]:
        """The scope's terms that a record mentions, by their numbers."""
        return tuple(number for number, name in enumerate(self.mentions) if scores.get(name))


def build_membership(request: Request, answer: Answer) -> Membership:
    """The membership of the records behind every number of an answer that is a sum."""
    return _MembershipBuilder().build(request, answer)


def build_mention_membership(scope: Scope) -> Membership:
    """Which of the scope's terms a record mentions, and no more."""
    builder = _MembershipBuilder()
    mentions = tuple(builder.record(mention.query()) for mention in scope.mentions)
    return Membership(builder.queries, {}, {}, mentions)


def sum_counts(counts: Iterator[CellCounts]) -> CellCounts:
    """The numbers that records add up to."""
    totals: CellCounts = {}
    for record_counts in counts:
        for cell_key, number in record_counts.items():
            totals[cell_key] = totals.get(cell_key, 0) + number
    return totals


def find_differing_cells(
    membership: Membership, totals: CellCounts, answer: Answer
) -> list[CellKey]:
    """The numbers of an answer that its records do not add up to."""
    answer_numbers = collect_numbers(answer)
    return [
        cell_key
        for cell_key in membership.cell_keys
        if answer_numbers[cell_key] != totals.get(cell_key, 0)
    ]


class _MembershipBuilder:
    """Names queries, the same query once."""

    def __init__(self) -> None:
        self.queries: dict[str, dict[str, Any]] = {}
        self.open_axes: dict[str, Axis] = {}
        self.sums: dict[CellKey, tuple[str, ...]] = {}
        self._names: dict[bytes, str] = {}

    def build(self, request: Request, answer: Answer) -> Membership:
        scope = request.scope
        counted_name = self.record(build_counted_query())
        self.sums[CellKey("", "records")] = (counted_name,)
        for status in EXCLUDED_STATUSES:
            self.sums[CellKey("", "status", status)] = (self.record(Term(status=status)),)
        for number, row in enumerate(scope.offences):
            name = self.record(build_offence_query(row.codes))
            self.sums[CellKey("", "offence", str(number))] = (counted_name, name)
        self._terms("", (counted_name,), scope.mentions, answer.scope.terms)
        for question, question_answer in zip(request.questions, answer.questions, strict=True):
            self._question(question, scope, question_answer)
        mentions = tuple(self.record(mention.query()) for mention in scope.mentions)
        return Membership(self.queries, self.open_axes, self.sums, mentions)

    def record(self, query: Query) -> str:
        """The name of a query of records, whose score is 1."""
        body = query.to_dict()
        name = self._name(b"r", body)
        self.queries[name] = {"constant_score": {"filter": body, "boost": 1.0, "_name": name}}
        return name

    def victims(self, query: Query) -> str:
        """The name of a query of victims, whose score is how many a record has."""
        body = query.to_dict()
        name = self._name(b"v", body)
        score_query = {"constant_score": {"filter": body, "boost": 1.0}}
        nested = {"path": "victims", "query": score_query, "score_mode": "sum", "_name": name}
        self.queries[name] = {"nested": nested}
        return name

    def _name(self, kind: bytes, body: dict[str, Any]) -> str:
        key = kind + msgspec.json.encode(body, order="deterministic")
        return self._names.setdefault(key, f"{kind.decode()}{len(self._names)}")

    def _terms(
        self,
        question: str,
        base_names: tuple[str, ...],
        mentions: tuple[Mention, ...],
        term_counts: tuple[TermAnswer, ...],
    ) -> None:
        """The terms, and each form that was found of one; a form that was not has no record."""
        for number, (mention, term) in enumerate(zip(mentions, term_counts, strict=True)):
            name = self.record(mention.query())
            self.sums[CellKey(question, "term", str(number))] = (*base_names, name)
            spelling_by_form = {
                " ".join(form): (spelling, form)
                for spelling in mention.spellings
                for form in spelling.forms
            }
            for form in term.forms:
                name = self.record(mention.form_query(*spelling_by_form[form.form]))
                cell_key = CellKey(question, "form", str(number), form.form)
                self.sums[cell_key] = (*base_names, name)

    def _question(self, question: Question, scope: Scope, question_answer: Any) -> None:
        prepared = prepare_question(question, scope)
        grid = prepared.table_query
        base_names = (self.record(prepared.query),)
        self._terms(question.id, base_names, grid.mentions, question_answer.terms)
        sides = [self._side(axis, f"{question.id}.{n}=") for n, axis in enumerate(grid.axes)]
        by_period = prepared.has_period_columns
        table = question_answer.table
        for column in table.columns:
            name, period_index = split_column_key(column.key) if by_period else (column.key, None)
            across = name.removeprefix(_CELL_PREFIX) if name.startswith(_CELL_PREFIX) else None
            if across is None and name != grid.unit:
                continue  # derived: different people
            period_names = (
                ()
                if period_index is None
                else (self.record(prepared.scope.periods[period_index].query()),)
            )
            for row in (*table.rows, table.total):
                total = row is table.total
                keys = [None if total else row.key, across]
                cell_key = CellKey(question.id, "total" if total else "row", row.key, column.key)
                chosen = [
                    (axis, side, key)
                    for axis, side, key in zip(grid.axes, sides, keys, strict=False)
                    if key is not None
                ]
                self.sums[cell_key] = (*base_names, *period_names, *self._cell(chosen, grid.unit))

    def _side(self, axis: Axis, start: str) -> dict[str, Query] | str:
        """The queries of a listed axis by key, or the start of the names of an open one."""
        if axis.buckets is None:
            self.open_axes[start] = axis
            return start
        return {bucket.key: bucket.query for bucket in axis.buckets}

    def _cell(
        self, chosen: list[tuple[Axis, dict[str, Query] | str, str]], unit: str
    ) -> tuple[str, ...]:
        """The names of a cell: of its column, its row, and of its victims."""
        names: list[str] = []
        victims: list[Query] = []
        for axis, side, key in reversed(chosen):
            if isinstance(side, str):
                names.append(f"{side}{key}")
            elif axis.level == "victim":
                victims.append(side[key])
            else:
                names.append(self.record(side[key]))
        if unit == "victims":
            names.append(self.victims(all_of_or_everything(victims)))
        return tuple(names)


def _find_bucket_keys(axis: Axis, document: dict[str, Any]) -> set[str]:
    """The buckets of an open axis that a record is in, by its value or values."""
    assert axis.bucket_for_value
    ((kind, source),) = axis.source.items()
    value: Any = document
    for step in source["field"].split("."):
        value = value.get(step) if isinstance(value, dict) else None
    values = value if isinstance(value, list) else [value]
    if not values and source.get("missing_bucket"):
        values = [None]
    present_values = [
        raw_value for raw_value in values if raw_value is not None or source.get("missing_bucket")
    ]
    assert kind in ("terms", "date_histogram")
    return {axis.bucket_for_value(raw_value).key for raw_value in present_values}


def _count_clauses(query: Any) -> int:
    """How many clauses a query is, near enough."""
    if isinstance(query, list):
        return sum(map(_count_clauses, query))
    if not isinstance(query, dict):
        return 0
    return sum(
        1 if name in _LEAF_QUERIES else _count_clauses(inner) for name, inner in query.items()
    )
