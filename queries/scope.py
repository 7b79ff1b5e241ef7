"""What a request is about, as filters: its periods, its offences, its mentions, its conditions.

Pure. The status of a record is not part of the scope: every answer says how many records in scope
its status left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final

import msgspec
from elasticsearch.dsl.query import Bool, MatchAll, Query, Range
from elasticsearch.dsl.query import Term as IsTerm
from elasticsearch.dsl.query import Terms as AreTerms
from msgspec import Struct

from indexer import offences
from indexer.categories import Categories
from indexer.records import DELETED
from queries import conditions, terms
from queries.terms import Term

COUNTED: Final = "recorded"
LEFT_OUT: Final = ("cancelled", "transferred")
PERIOD: Final = "period"
OFFENCES: Final = "offences"
MENTIONS: Final = "mentions"


class Period(Struct, frozen=True):
    """Days of ``recorded_on``, both included; None is open. ``name`` is what a column calls it."""

    start: date | None = None
    end: date | None = None
    name: str = ""

    @property
    def words(self) -> str:
        """The period in words."""
        match (self.start, self.end):
            case (None, None):
                return "at any time"
            case (None, date() as end):
                return f"up to {in_words(end)}"
            case (date() as start, None):
                return f"from {in_words(start)}"
            case _:
                assert self.start
                assert self.end
                return f"from {in_words(self.start)} to {in_words(self.end)}"

    @property
    def label(self) -> str:
        """What a column calls it."""
        return self.name or self.words

    @property
    def means(self) -> str:
        """The condition of its records."""
        return conditions.period((self.start, self.end))

    def query(self) -> Query:
        """The records of the period."""
        limits = {"gte": self.start, "lte": self.end}
        days = {name: day.isoformat() for name, day in limits.items() if day}
        return Range(recorded_on=days) if days else MatchAll()

    def holds(self, other: Period) -> bool:
        """Whether all of the other's days are of this one."""
        return (self.start or date.min) <= (other.start or date.min) and (
            other.end or date.max
        ) <= (self.end or date.max)

    def meets(self, other: Period) -> bool:
        """Whether they have a day in common."""
        return (self.start or date.min) <= (other.end or date.max) and (
            other.start or date.min
        ) <= (self.end or date.max)


class OffenceRow(Struct, frozen=True):
    """Offences counted as one row: canonical codes, each with all below it, and a label."""

    codes: tuple[str, ...]
    label: str

    @property
    def means(self) -> str:
        """The condition of its records."""
        return conditions.of_codes(self.codes)


class Company(Struct, frozen=True):
    """A term that must be in the same record, or at most ``within`` words from the term."""

    term: Term
    within: int | None = None

    @property
    def words(self) -> str:
        """The companion in words: "device" within 12 words."""
        quoted = f'"{self.term.written}"'
        if self.within is None:
            return quoted
        return f"{quoted} within {self.within} word{'' if self.within == 1 else 's'}"


class Mention(Struct, frozen=True, cache_hash=True):
    """A term as asked for: its aliases count as it, and it counts only in its ``company``."""

    term: Term
    aliases: tuple[Term, ...] = ()
    company: tuple[Company, ...] = ()
    exact: bool = False

    @property
    def label(self) -> str:
        """The requester's wording, and what else is asked of it."""
        return self._with_more(self.term.written)

    @property
    def quoted(self) -> str:
        """The label, with the wording in quotes."""
        return self._with_more(f'"{self.term.written}"')

    def _with_more(self, written: str) -> str:
        more = [f"with {other.words}" for other in self.company]
        more += ["exactly so written"] if self.exact else []
        return f"{written} ({', '.join(more)})" if more else written

    @property
    def key(self) -> tuple[object, ...]:
        """What is the same for two wordings that count the same records."""
        return (
            self.term.forms,
            frozenset(alias.forms for alias in self.aliases),
            frozenset((other.term.forms, other.within) for other in self.company),
        )

    @property
    def means(self) -> str:
        """The condition of its records: the same for two wordings that count the same ones."""
        return _means(self)

    @property
    def spellings(self) -> tuple[Term, ...]:
        """The term and its aliases."""
        return (self.term, *self.aliases)

    @property
    def width(self) -> int:
        """How many forms a search for it looks for."""
        spelled = sum(len(one.forms) for one in self.spellings)
        beside = sum(
            len(other.term.forms)
            if other.within is None
            else 2 * (spelled + len(self.spellings) * len(other.term.forms))
            for other in self.company
        )
        return spelled + beside

    def query(self) -> Query:
        """The records that mention it."""
        spelled = any_of([terms.query(one) for one in self.spellings])
        return all_of([spelled, *self._together(self.spellings)])

    def form_query(self, term: Term, form: tuple[str, ...]) -> Query:
        """The records that mention it in one form of one spelling."""
        found = terms.form_query(term, form)
        if not self.company:
            return found
        one_form = msgspec.structs.replace(term, forms=(form,))
        return all_of([found, *self._together((one_form,))])

    def _together(self, spellings: tuple[Term, ...]) -> list[Query]:
        return [
            terms.query(other.term)
            if other.within is None
            else any_of([terms.near(one, other.term, other.within) for one in spellings])
            for other in self.company
        ]


@lru_cache(2_000)
def _means(mention: Mention) -> str:
    plain = [
        sorted(map(" ".join, mention.term.forms)),
        sorted(sorted(map(" ".join, alias.forms)) for alias in mention.aliases),
        sorted(
            (
                sorted(map(" ".join, other.term.forms)),
                -1 if other.within is None else other.within,
            )
            for other in mention.company
        ),
    ]
    digest = hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:8]
    return f"term:{mention.term.forms[0][0].replace('|', '/')}~{digest}"


class Condition(Struct, frozen=True):
    """A field that must have one of a few values: ``words`` says it, ``filter`` holds it, and
    ``means`` is its condition."""

    words: str
    filter: Query
    means: str


class Scope(Struct, frozen=True):
    """The records a request is about.

    Of several ``periods`` a record is in any. ``categories`` are what the force declares; they are
    no filter, but tell what may be counted by.
    """

    periods: tuple[Period, ...] = ()
    offences: tuple[OffenceRow, ...] = ()
    mentions: tuple[Mention, ...] = ()
    conditions: tuple[Condition, ...] = ()
    categories: Categories = {}

    @property
    def period(self) -> Period:
        """From the first day of its periods to the last."""
        if not self.periods:
            return Period()
        starts = [one.start for one in self.periods]
        ends = [one.end for one in self.periods]
        return Period(
            None if None in starts else min(filter(None, starts)),
            None if None in ends else max(filter(None, ends)),
        )

    @property
    def when(self) -> str:
        """Its periods in words."""
        if len(self.periods) < 2:
            return self.period.words
        return "in any of " + ", ".join(one.label for one in self.periods)

    def narrowed(self, within: Scope) -> Scope:
        """The same with what a narrower scope says in the place of its own."""
        return msgspec.structs.replace(
            self,
            periods=within.periods or self.periods,
            offences=within.offences or self.offences,
            mentions=within.mentions or self.mentions,
            conditions=(*self.conditions, *within.conditions),
        )

    def filters(self) -> list[Query]:
        """What a record in scope satisfies."""
        return [query for _, query in self.parts()]

    def parts(self) -> list[tuple[str, Query]]:
        """What a record in scope satisfies, each by a name: PERIOD, OFFENCES, MENTIONS, or a
        condition's words."""
        found: list[tuple[str, Query]] = []
        if any(one.start or one.end for one in self.periods):
            found.append((PERIOD, any_of([one.query() for one in self.periods])))
        if self.offences:
            codes = [code for row in self.offences for code in row.codes]
            found.append((OFFENCES, offence_query(codes)))
        if self.mentions:
            found.append((MENTIONS, any_of([mention.query() for mention in self.mentions])))
        return [*found, *((condition.words, condition.filter) for condition in self.conditions)]

    @property
    def means(self) -> tuple[str, ...]:
        """The conditions of the records in scope."""
        found = [
            *(
                [conditions.period(*((one.start, one.end) for one in self.periods))]
                if self.periods
                else []
            ),
            *(
                [conditions.of_codes(c for row in self.offences for c in row.codes)]
                if self.offences
                else []
            ),
            *([conditions.any_term(one.means for one in self.mentions)] if self.mentions else []),
            *(one.means for one in self.conditions),
        ]
        return tuple(found)

    def query(self) -> Query:
        """The records in scope, whatever their status."""
        return Bool(filter=self.filters(), must_not=[IsTerm(status=DELETED)])


def apart(rows: Sequence[Sequence[str]]) -> bool:
    """Whether no record can be in two rows of codes."""
    table = offences.load()
    covered = [table.covered(codes) for codes in rows]
    return sum(map(len, covered)) == len(frozenset().union(*covered))


def offence_query(codes: list[str] | tuple[str, ...]) -> Query:
    """The records of any of the codes, or of a code below one."""
    return AreTerms(offence_path=sorted(set(codes)))


def counted_query() -> Query:
    """The records whose status counts."""
    return IsTerm(status=COUNTED)


def any_of(found: list[Query]) -> Query:
    """At least one of the queries."""
    return found[0] if len(found) == 1 else Bool(should=found, minimum_should_match=1)


def all_of(found: list[Query]) -> Query:
    """Every one of the queries."""
    return found[0] if len(found) == 1 else Bool(filter=found)


def none_of(found: list[Query]) -> Query:
    """None of the queries."""
    return Bool(must_not=found)


def in_words(day: date) -> str:
    """A day as a letter writes it: 1 April 2017."""
    return f"{day.day} {day:%B %Y}"
