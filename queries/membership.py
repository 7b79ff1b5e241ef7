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
from elasticsearch.dsl.query import MatchAll, Query, Term
from msgspec import Struct

from queries import numbers, periods
from queries.answer import Answer, TermFound
from queries.fields import Axis
from queries.numbers import Place
from queries.questions import Question
from queries.request import Request
from queries.scope import LEFT_OUT, Mention, Scope, all_of, counted_query, offence_query

_CLAUSES: Final = 800  # a search of a small server takes 1,024
_LEAVES: Final = frozenset(
    ("match_phrase", "intervals", "match", "term", "terms", "range", "exists", "match_all")
)
_CELL: Final = "in_"

Scores = dict[str, int]
Counts = dict[Place, int]


class Membership(Struct):
    """What to ask of each record (``queries`` by name, ``open_axes`` by the start of a name), and
    ``sums``: the names whose scores, multiplied, are what a record counts in a number.

    ``mentions`` are the names of the scope's terms.
    """

    queries: dict[str, dict[str, Any]]
    open_axes: dict[str, Axis]
    sums: dict[Place, tuple[str, ...]]
    mentions: tuple[str, ...]
    by_last: dict[str, list[tuple[Place, tuple[str, ...]]]] = {}

    def __post_init__(self) -> None:
        """Sort the sums by their last name, which the fewest records have."""
        for place, names in self.sums.items():
            self.by_last.setdefault(names[-1], []).append((place, names))

    @property
    def places(self) -> tuple[Place, ...]:
        """The numbers that are sums."""
        return tuple(self.sums)

    def batches(self) -> list[list[dict[str, Any]]]:
        """The queries, in as few searches as the server takes them; at least one."""
        found: list[list[dict[str, Any]]] = [[]]
        room = _CLAUSES
        for query in self.queries.values():
            weight = _leaves(query)
            if weight > room and found[-1]:
                found.append([])
                room = _CLAUSES
            found[-1].append(query)
            room -= weight
        return found

    def of_values(self, document: dict[str, Any]) -> Scores:
        """The scores that a record's own values tell."""
        return {
            f"{start}{key}": 1
            for start, axis in self.open_axes.items()
            for key in _keys(axis, document)
        }

    def counts(self, scores: Scores) -> Counts:
        """What a record of these scores counts in each number, where it counts at all."""
        found: Counts = {}
        for last in scores:
            for place, names in self.by_last.get(last, ()):
                number = prod(scores.get(name, 0) for name in names)
                if number:
                    found[place] = number
        return found

    def says(self, scores: Scores) -> tuple[int, ...]:
        """The scope's terms that a record mentions, by their numbers."""
        return tuple(number for number, name in enumerate(self.mentions) if scores.get(name))


def of(request: Request, answer: Answer) -> Membership:
    """The membership of the records behind every number of an answer that is a sum."""
    return _Builder().build(request, answer)


def of_mentions(scope: Scope) -> Membership:
    """Which of the scope's terms a record mentions, and no more."""
    builder = _Builder()
    mentions = tuple(builder.record(one.query()) for one in scope.mentions)
    return Membership(builder.queries, {}, {}, mentions)


def sums(counts: Iterator[Counts]) -> Counts:
    """The numbers that records add up to."""
    found: Counts = {}
    for one in counts:
        for place, number in one.items():
            found[place] = found.get(place, 0) + number
    return found


def differing(membership: Membership, added: Counts, answer: Answer) -> list[Place]:
    """The numbers of an answer that its records do not add up to."""
    said = numbers.of(answer)
    return [place for place in membership.places if said[place] != added.get(place, 0)]


class _Builder:
    """Names queries, the same query once."""

    def __init__(self) -> None:
        self.queries: dict[str, dict[str, Any]] = {}
        self.open_axes: dict[str, Axis] = {}
        self.sums: dict[Place, tuple[str, ...]] = {}
        self._names: dict[bytes, str] = {}

    def build(self, request: Request, answer: Answer) -> Membership:
        scope = request.scope
        counted = self.record(counted_query())
        self.sums[Place("", "records")] = (counted,)
        for status in LEFT_OUT:
            self.sums[Place("", "status", status)] = (self.record(Term(status=status)),)
        for number, row in enumerate(scope.offences):
            name = self.record(offence_query(row.codes))
            self.sums[Place("", "offence", str(number))] = (counted, name)
        self._terms("", (counted,), scope.mentions, answer.scope.terms)
        for question, answered in zip(request.questions, answer.questions, strict=True):
            self._question(question, scope, answered)
        mentions = tuple(self.record(one.query()) for one in scope.mentions)
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
        one = {"constant_score": {"filter": body, "boost": 1.0}}
        nested = {"path": "victims", "query": one, "score_mode": "sum", "_name": name}
        self.queries[name] = {"nested": nested}
        return name

    def _name(self, kind: bytes, body: dict[str, Any]) -> str:
        key = kind + msgspec.json.encode(body, order="deterministic")
        return self._names.setdefault(key, f"{kind.decode()}{len(self._names)}")

    def _terms(
        self,
        question: str,
        among: tuple[str, ...],
        mentions: tuple[Mention, ...],
        found: tuple[TermFound, ...],
    ) -> None:
        """The terms, and each form that was found of one; a form that was not has no record."""
        for number, (mention, term) in enumerate(zip(mentions, found, strict=True)):
            name = self.record(mention.query())
            self.sums[Place(question, "term", str(number))] = (*among, name)
            spelled = {" ".join(f): (one, f) for one in mention.spellings for f in one.forms}
            for form in term.forms:
                name = self.record(mention.form_query(*spelled[form.form]))
                place = Place(question, "form", str(number), form.form)
                self.sums[place] = (*among, name)

    def _question(self, question: Question, scope: Scope, answered: Any) -> None:
        seen = question.seen(scope)
        grid = question.grid(seen)
        filters = question.filters(scope)
        among = (self.record(all_of(filters) if filters else MatchAll()),)
        mentions = tuple(mention for axis in grid.axes for mention in axis.mentions)
        self._terms(question.id, among, mentions, answered.terms)
        sides = [self._side(axis, f"{question.id}.{n}=") for n, axis in enumerate(grid.axes)]
        by_period = question.side_by_side(seen)
        table = answered.table
        for column in table.columns:
            name, place = periods.column_of(column.key) if by_period else (column.key, None)
            across = name.removeprefix(_CELL) if name.startswith(_CELL) else None
            if across is None and name != grid.unit:
                continue  # derived: different people
            during = () if place is None else (self.record(seen.periods[place].query()),)
            for row in (*table.rows, table.total):
                total = row is table.total
                keys = [None if total else row.key, across]
                where = Place(question.id, "total" if total else "row", row.key, column.key)
                chosen = [
                    (axis, side, key)
                    for axis, side, key in zip(grid.axes, sides, keys, strict=False)
                    if key is not None
                ]
                self.sums[where] = (*among, *during, *self._cell(chosen, grid.unit))

    def _side(self, axis: Axis, start: str) -> dict[str, Query] | str:
        """The queries of a listed axis by key, or the start of the names of an open one."""
        if axis.buckets is None:
            self.open_axes[start] = axis
            return start
        return {one.key: one.query for one in axis.buckets}

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
            names.append(self.victims(all_of(victims) if victims else MatchAll()))
        return tuple(names)


def _keys(axis: Axis, document: dict[str, Any]) -> set[str]:
    """The buckets of an open axis that a record is in, by its value or values."""
    assert axis.read
    ((kind, source),) = axis.source.items()
    value: Any = document
    for step in source["field"].split("."):
        value = value.get(step) if isinstance(value, dict) else None
    values = value if isinstance(value, list) else [value]
    if not values and source.get("missing_bucket"):
        values = [None]
    known = [one for one in values if one is not None or source.get("missing_bucket")]
    assert kind in ("terms", "date_histogram")
    return {axis.read(one).key for one in known}


def _leaves(query: Any) -> int:
    """How many clauses a query is, near enough."""
    if isinstance(query, list):
        return sum(map(_leaves, query))
    if not isinstance(query, dict):
        return 0
    return sum(1 if name in _LEAVES else _leaves(inner) for name, inner in query.items())
