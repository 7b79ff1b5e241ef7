"""Which records count in which numbers of an answer, as named queries and sums. Pure.

Every number except a *derived* one (a youngest age, a count of different people) is a sum over the
records in scope: for each record, the product of a few scores. A score is 1 if the record is in a
row, a column, a period or among those asked about, and the number of its people of a list where
those are counted. The server names the queries that each record matches, which gives the scores;
those of an open axis come from the record's own value. So the numbers are found a second time,
record by record.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Final

import msgspec
from elasticsearch.dsl.query import Query, Term
from msgspec import Struct

from indexer.records.model import PEOPLE_LISTS
from queries.answer.cells import Cell, CellKey, collect_numbers, list_cells
from queries.answer.types import NOT_COVERED, Answer
from queries.questions.prepared import PreparedQuestion, prepare_question
from queries.request.reader import Request
from queries.tables.axis_type import Axis
from queries.tables.period_columns import split_column_key
from queries.tables.scope import (
    Mention,
    Scope,
    all_of_or_everything,
    build_counted_query,
    build_offence_query,
)
from queries.tables.table_query import find_bucket_key

MAX_CLAUSES: Final = 800  # a search of a small server takes 1,024

_LEAF_QUERIES: Final = frozenset(
    ("match_phrase", "intervals", "match", "term", "terms", "range", "exists", "match_all")
)

Scores = dict[str, int]

CellCounts = dict[CellKey, int]


class Membership(Struct):
    """What to ask about each record, and how the numbers follow from it.

    ``queries`` are by name, ``open_axes`` by the start of a name. ``sums`` are, for each number,
    the names whose scores, multiplied, are what a record counts in it. ``mentions`` are the names
    of the scope's terms. One search has ``max_clauses`` at most.
    """

    queries: dict[str, dict[str, Any]]
    open_axes: dict[str, Axis]
    sums: dict[CellKey, tuple[str, ...]]
    mentions: tuple[str, ...]
    by_last: dict[str, list[tuple[CellKey, tuple[str, ...]]]] = {}
    max_clauses: int = MAX_CLAUSES

    def __post_init__(self) -> None:
        """Group the sums by their last name, which the fewest records have."""
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
        """The scores that follow from a record's own values."""
        return {
            f"{start}{key}": 1
            for start, axis in self.open_axes.items()
            for key in _find_bucket_keys(axis, document)
        }

    def counts(self, scores: Scores) -> CellCounts:
        """What a record with these scores counts in each number that it counts in."""
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
    """The membership for every number of an answer that is a sum over records."""
    return _MembershipBuilder().build(request, answer)


def build_mention_membership(scope: Scope) -> Membership:
    """The membership for the scope's terms alone."""
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
    """Gives each query a name, and equal queries the same one."""

    def __init__(self) -> None:
        self.queries: dict[str, dict[str, Any]] = {}
        self.open_axes: dict[str, Axis] = {}
        self.sums: dict[CellKey, tuple[str, ...]] = {}
        self._names: dict[bytes, str] = {}

    def build(self, request: Request, answer: Answer) -> Membership:
        scope = request.scope
        # What is not covered has no number, so no record counts in it.
        cells = [cell for cell in list_cells(answer) if cell.value != NOT_COVERED]
        self._add_scope(scope, [cell for cell in cells if not cell.key.question])
        for question in request.questions:
            parts = _QuestionParts(prepare_question(question, scope), self)
            own_cells = [cell for cell in cells if cell.key.question == question.id]
            for cell in _order_question_cells(own_cells):
                self.sums[cell.key] = parts.names_of(cell)
        mentions = tuple(self.record(mention.query()) for mention in scope.mentions)
        return Membership(self.queries, self.open_axes, self.sums, mentions)

    def _add_scope(self, scope: Scope, cells: list[Cell]) -> None:
        counted_name = self.record(build_counted_query())
        for cell in cells:
            match cell.key:
                case CellKey(part="records"):
                    names: tuple[str, ...] = (counted_name,)
                case CellKey(part="status", row=status):
                    names = (self.record(Term(status=status)),)
                case CellKey(part="offence", row=number):
                    codes = scope.offences[int(number)].codes
                    names = (counted_name, self.record(build_offence_query(codes)))
                case key:
                    names = (counted_name, self.record(_find_term_query(key, scope.mentions)))
            self.sums[cell.key] = names

    def record(self, query: Query) -> str:
        """The name of a query of records, whose score is 1."""
        body = query.to_dict()
        name = self._name(b"r", body)
        self.queries[name] = {"constant_score": {"filter": body, "boost": 1.0, "_name": name}}
        return name

    def people(self, query: Query, unit: str) -> str:
        """The name of a query of victims, or suspects, whose score is how many a record has."""
        body = query.to_dict()
        name = self._name(unit[:1].encode(), body)
        score_query = {"constant_score": {"filter": body, "boost": 1.0}}
        nested = {"path": unit, "query": score_query, "score_mode": "sum", "_name": name}
        self.queries[name] = {"nested": nested}
        return name

    def _name(self, kind: bytes, body: dict[str, Any]) -> str:
        key = kind + msgspec.json.encode(body, order="deterministic")
        return self._names.setdefault(key, f"{kind.decode()}{len(self._names)}")


def _find_term_query(key: CellKey, mentions: tuple[Mention, ...]) -> Query:
    """The records that mention the term of a cell, or mention it in the cell's form."""
    mention = mentions[int(key.row)]
    if key.part == "term":
        return mention.query()
    spelling, form = next(
        (spelling, form)
        for spelling in mention.spellings
        for form in spelling.forms
        if " ".join(form) == key.column
    )
    return mention.form_query(spelling, form)


def _order_question_cells(cells: list[Cell]) -> list[Cell]:
    """The cells that are sums over records, terms first and then column by column.

    The order decides the names of the queries and the order of numbers in a basis, so a basis of
    the same answer is the same file as that of an earlier version.
    """
    sums = [cell for cell in cells if not cell.is_derived]
    columns = {column: index for index, column in enumerate(_list_columns(sums))}
    return sorted(sums, key=lambda cell: columns[cell.key.column] if _is_in_table(cell) else -1)


def _list_columns(cells: list[Cell]) -> dict[str, None]:
    return dict.fromkeys(cell.key.column for cell in cells if _is_in_table(cell))


def _is_in_table(cell: Cell) -> bool:
    return cell.key.part in ("row", "total")


class _QuestionParts:
    """What the numbers of one question are made of."""

    def __init__(self, prepared: PreparedQuestion, builder: _MembershipBuilder) -> None:
        self.prepared = prepared
        self.builder = builder
        self.table_query = prepared.table_query
        self.base_names = (builder.record(prepared.query),)
        self.sides = [
            self._side(axis, f"{prepared.question.id}.{n}=")
            for n, axis in enumerate(self.table_query.axes)
        ]

    def _side(self, axis: Axis, start: str) -> dict[str, Query] | str:
        """The queries of a listed axis by key, or the start of the names of an open one."""
        if axis.buckets is None:
            self.builder.open_axes[start] = axis
            return start
        return {bucket.key: bucket.query for bucket in axis.buckets}

    def names_of(self, cell: Cell) -> tuple[str, ...]:
        """The names whose scores, multiplied, are what a record counts in a cell."""
        if not _is_in_table(cell):
            query = _find_term_query(cell.key, self.table_query.mentions)
            return (*self.base_names, self.builder.record(query))
        column, period_index = cell.key.column, None
        if self.prepared.has_period_columns:
            column, period_index = split_column_key(column)
        period_names: tuple[str, ...] = ()
        if period_index is not None:
            period = self.prepared.scope.periods[period_index]
            period_names = (self.builder.record(period.query()),)
        is_total = cell.key.part == "total"
        row_keys = (None,) if is_total else self.table_query.split_row_key(cell.key.row)
        cell_names = self._cell_names(*row_keys, find_bucket_key(column))
        return (*self.base_names, *period_names, *cell_names)

    def _cell_names(self, *keys: str | None) -> tuple[str, ...]:
        """The names of a cell by its keys on the axes, None for all: of its column, its row, and
        its people."""
        names: list[str] = []
        people: list[Query] = []
        sides = zip(self.table_query.axes, self.sides, keys, strict=False)
        for axis, side, key in reversed([entry for entry in sides if entry[2] is not None]):
            assert key is not None
            if isinstance(side, str):
                names.append(f"{side}{key}")
            elif axis.level != "record":
                people.append(side[key])
            else:
                names.append(self.builder.record(side[key]))
        if (unit := self.table_query.unit) in PEOPLE_LISTS:
            names.append(self.builder.people(all_of_or_everything(people), unit))
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
    """How many clauses a query has, approximately."""
    if isinstance(query, list):
        return sum(map(_count_clauses, query))
    if not isinstance(query, dict):
        return 0
    return sum(
        1 if name in _LEAF_QUERIES else _count_clauses(inner) for name, inner in query.items()
    )
