"""Which records a request is about: its periods, offences, mentions and field filters. Pure.

Status is not part of the scope: every answer says how many records in scope were left out because
of their status.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec
from elasticsearch.dsl.query import Bool, MatchAll, Query
from elasticsearch.dsl.query import Term as IsTerm
from elasticsearch.dsl.query import Terms as AreTerms
from msgspec import Struct

from indexer.records.categories import Categories
from indexer.records.model import DELETED
from indexer.records.noun import OFFENCE, Noun
from indexer.records.offences import load_offence_table
from queries.answer.condition import (
    AnyTermCondition,
    Condition,
    build_any_term_condition,
    build_offence_condition,
    build_period_condition,
)
from queries.answer.term_name import build_near_name, build_plain_name, define_name
from queries.matching.term import (
    Term,
    build_form_query,
    build_proximity_query,
    build_term_query,
    choose_words,
)
from queries.tables.period import Period

COUNTED_STATUS: Final = "recorded"

EXCLUDED_STATUSES: Final = ("cancelled", "transferred")

PERIOD_FILTER: Final = "period"

OFFENCES_FILTER: Final = "offences"

MENTIONS_FILTER: Final = "mentions"

FilterKind = Literal["period", "offences", "mentions", "field"]


class OffenceRow(Struct, frozen=True):
    """Offences counted as one row: canonical codes, each with all below it, and a label."""

    codes: tuple[str, ...]
    label: str

    @property
    def condition(self) -> Condition:
        """The condition of its records."""
        return build_offence_condition(self.codes)


class Cooccurrence(Struct, frozen=True):
    """A term that must be in the same record: at most ``max_distance`` words away, if given."""

    term: Term
    max_distance: int | None = None

    @property
    def words(self) -> str:
        """The required term in words: "device" within 12 words."""
        quoted = f'"{self.term.written}"'
        if self.max_distance is None:
            return quoted
        return f"{quoted} within {self.max_distance} word{'' if self.max_distance == 1 else 's'}"


class Mention(Struct, frozen=True, cache_hash=True):
    """A term as requested. Its aliases count as the term; ``cooccurrences`` are required too.

    ``openings`` are, by a term of it, the further ways to write it that were given.
    """

    term: Term
    aliases: tuple[Term, ...] = ()
    cooccurrences: tuple[Cooccurrence, ...] = ()
    exact: bool = False
    openings: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def label(self) -> str:
        """The requester's wording, followed by what else the mention requires."""
        return self._with_qualifiers(self.term.written)

    @property
    def quoted(self) -> str:
        """The label, with the wording in quotes."""
        return self._with_qualifiers(f'"{self.term.written}"')

    def _with_qualifiers(self, written: str) -> str:
        qualifiers = [f"with {cooccurrence.words}" for cooccurrence in self.cooccurrences]
        qualifiers += ["exactly so written"] if self.exact else []
        return f"{written} ({', '.join(qualifiers)})" if qualifiers else written

    @property
    def key(self) -> tuple[object, ...]:
        """A key that is equal for two wordings of the same term."""
        return (
            self.term.identity,
            frozenset(alias.identity for alias in self.aliases),
            frozenset(
                (cooccurrence.term.identity, cooccurrence.max_distance)
                for cooccurrence in self.cooccurrences
            ),
        )

    def merge_wording(self, other: Mention) -> Mention:
        """The mention, counting also what another with the same key counts."""
        return msgspec.structs.replace(
            self,
            term=self.term.merge_wording(other.term),
            aliases=tuple(_merge_spellings(alias, other.aliases) for alias in self.aliases),
            cooccurrences=tuple(
                msgspec.structs.replace(
                    cooccurrence,
                    term=_merge_spellings(
                        cooccurrence.term, [entry.term for entry in other.cooccurrences]
                    ),
                )
                for cooccurrence in self.cooccurrences
            ),
        )

    @property
    def condition(self) -> Condition:
        """The condition of its records; equal for two wordings that count the same records."""
        return _build_mention_condition(self)

    @property
    def spellings(self) -> tuple[Term, ...]:
        """The term and its aliases."""
        return (self.term, *self.aliases)

    @property
    def form_count(self) -> int:
        """How many forms a search for the mention looks for."""
        spelling_forms = sum(len(spelling.forms) for spelling in self.spellings)
        cooccurrence_forms = sum(
            len(cooccurrence.term.forms)
            if cooccurrence.max_distance is None
            else 2 * (spelling_forms + len(self.spellings) * len(cooccurrence.term.forms))
            for cooccurrence in self.cooccurrences
        )
        return spelling_forms + cooccurrence_forms

    def query(self) -> Query:
        """The records that mention it."""
        spelling_query = any_of([build_term_query(spelling) for spelling in self.spellings])
        return all_of([spelling_query, *self._cooccurrence_queries(self.spellings)])

    def form_query(self, term: Term, form: tuple[str, ...]) -> Query:
        """The records that mention it in one form of one spelling."""
        query = build_form_query(term, form)
        if not self.cooccurrences:
            return query
        single_form = msgspec.structs.replace(term, forms=(form,))
        return all_of([query, *self._cooccurrence_queries((single_form,))])

    def _cooccurrence_queries(self, spellings: tuple[Term, ...]) -> list[Query]:
        return [
            build_term_query(cooccurrence.term)
            if cooccurrence.max_distance is None
            else any_of(
                [
                    build_proximity_query(spelling, cooccurrence.term, cooccurrence.max_distance)
                    for spelling in spellings
                ]
            )
            for cooccurrence in self.cooccurrences
        ]


def _merge_spellings(term: Term, others: Sequence[Term]) -> Term:
    """A term, counting also what those of the others that are the same term count."""
    for other in others:
        if other.identity == term.identity:
            term = term.merge_wording(other)
    return term


@lru_cache(2_000)
def _build_mention_condition(mention: Mention) -> AnyTermCondition:
    forms = _list_forms(mention.term)
    aliases = sorted(map(_list_forms, mention.aliases))
    cooccurrences = sorted(
        (
            _list_forms(cooccurrence.term),
            -1 if cooccurrence.max_distance is None else cooccurrence.max_distance,
        )
        for cooccurrence in mention.cooccurrences
    )
    digest = _hash_forms(forms, aliases, cooccurrences)
    name = build_plain_name(choose_words(mention.term), digest, exact=mention.exact)
    if aliases or cooccurrences:
        name = define_name(name, _list_clauses(mention))
    return AnyTermCondition(frozenset({name}))


def _list_clauses(mention: Mention) -> Iterator[list[str]]:
    """What a mention is made of: any of its spellings, and each term required with it."""
    spellings = [_name_plain_term(spelling, exact=mention.exact) for spelling in mention.spellings]
    yield spellings
    for cooccurrence in mention.cooccurrences:
        other_name = _name_plain_term(cooccurrence.term)
        distance = cooccurrence.max_distance
        if distance is None:
            yield [other_name]
        else:
            yield [build_near_name(spelling, other_name, distance) for spelling in spellings]


def _name_plain_term(term: Term, *, exact: bool = False) -> str:
    return build_plain_name(choose_words(term), _hash_forms(_list_forms(term), [], []), exact=exact)


def _list_forms(term: Term) -> list[str]:
    return sorted(map(" ".join, term.forms))


def _hash_forms(*forms: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(forms).encode()).hexdigest()[:8]


class FieldFilter(Struct, frozen=True):
    """A field that must have one of a few values.

    ``field`` is its name in ``where:``, ``words`` the filter as a phrase for readers, ``query`` the
    filter for the server, and ``condition`` the condition of the records that pass.
    """

    field: str
    words: str
    query: Query
    condition: Condition


class ScopeFilter(Struct, frozen=True):
    """One of the filters that make up a scope.

    ``field`` and ``words`` are those of the field filter where ``kind`` is "field", else empty.
    """

    kind: FilterKind
    query: Query
    field: str = ""
    words: str = ""


class Scope(Struct, frozen=True):
    """The records a request is about.

    A record is in scope if it is in any of the ``periods``, is of any of the ``offences``, has any
    of the ``mentions`` and passes every one of the ``field_filters``. ``categories`` are those that
    the force declares; they do not filter, they are further fields to count by. ``noun`` is what a
    record is called.
    """

    periods: tuple[Period, ...] = ()
    offences: tuple[OffenceRow, ...] = ()
    mentions: tuple[Mention, ...] = ()
    field_filters: tuple[FieldFilter, ...] = ()
    categories: Categories = {}
    noun: Noun = OFFENCE

    @property
    def period(self) -> Period:
        """From the first day of its periods to the last."""
        if not self.periods:
            return Period()
        starts = [period.start for period in self.periods]
        ends = [period.end for period in self.periods]
        return Period(
            None if None in starts else min(filter(None, starts)),
            None if None in ends else max(filter(None, ends)),
        )

    @property
    def periods_in_words(self) -> str:
        """Its periods in words, to follow "recorded": "in 2017/18 or in 2018/19"."""
        if len(self.periods) < 2:
            return self.period.words
        return " or ".join(period.phrase for period in self.periods)

    def narrow(self, narrower: Scope) -> Scope:
        """A copy in which what the narrower scope states replaces what this one states."""
        return msgspec.structs.replace(
            self,
            periods=narrower.periods or self.periods,
            offences=narrower.offences or self.offences,
            mentions=narrower.mentions or self.mentions,
            field_filters=(*self.field_filters, *narrower.field_filters),
        )

    def filters(self) -> list[Query]:
        """The queries that every record in scope matches."""
        return [scope_filter.query for scope_filter in self.list_filters()]

    def list_filters(self) -> list[ScopeFilter]:
        """The filters that every record in scope passes, each with its kind."""
        filters: list[ScopeFilter] = []
        if any(period.start or period.end for period in self.periods):
            period_query = any_of([period.query() for period in self.periods])
            filters.append(ScopeFilter(PERIOD_FILTER, period_query))
        if self.offences:
            codes = [code for row in self.offences for code in row.codes]
            filters.append(ScopeFilter(OFFENCES_FILTER, build_offence_query(codes)))
        if self.mentions:
            mentions_query = any_of([mention.query() for mention in self.mentions])
            filters.append(ScopeFilter(MENTIONS_FILTER, mentions_query))
        return [
            *filters,
            *(
                ScopeFilter("field", field_filter.query, field_filter.field, field_filter.words)
                for field_filter in self.field_filters
            ),
        ]

    @property
    def record_conditions(self) -> tuple[Condition, ...]:
        """The conditions of the records in scope."""
        record_conditions: list[Condition] = [
            *(
                [build_period_condition(*((period.start, period.end) for period in self.periods))]
                if self.periods
                else []
            ),
            *(
                [build_offence_condition(c for row in self.offences for c in row.codes)]
                if self.offences
                else []
            ),
            *(
                [build_any_term_condition(mention.condition for mention in self.mentions)]
                if self.mentions
                else []
            ),
            *(field_filter.condition for field_filter in self.field_filters),
        ]
        return tuple(record_conditions)

    def query(self) -> Query:
        """The records in scope, whatever their status."""
        return Bool(filter=self.filters(), must_not=[IsTerm(status=DELETED)])


def rows_are_disjoint(rows: Sequence[Sequence[str]]) -> bool:
    """Whether no record can be in two rows of codes."""
    table = load_offence_table()
    covered = [table.covered(codes) for codes in rows]
    return sum(map(len, covered)) == len(frozenset().union(*covered))


def build_offence_query(codes: list[str] | tuple[str, ...]) -> Query:
    """The records of any of the codes, or of a code below one of them."""
    return AreTerms(offence_path=sorted(set(codes)))


def build_counted_query() -> Query:
    """The records whose status counts."""
    return IsTerm(status=COUNTED_STATUS)


def any_of(queries: list[Query]) -> Query:
    """A query that matches at least one of the queries."""
    return queries[0] if len(queries) == 1 else Bool(should=queries, minimum_should_match=1)


def all_of(queries: list[Query]) -> Query:
    """A query that matches every one of the queries."""
    return queries[0] if len(queries) == 1 else Bool(filter=queries)


def all_of_or_everything(queries: list[Query]) -> Query:
    """Every one of the queries; without any, every record."""
    return all_of(queries) if queries else MatchAll()


def none_of(queries: list[Query]) -> Query:
    """A query that matches none of the queries."""
    return Bool(must_not=queries)
