"""What a request is about, as filters: its period, its offences, its mentions.

Pure. The status of a record is not part of the scope: every answer says how many records in scope
its status left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from elasticsearch.dsl.query import Bool, Query, Range
from elasticsearch.dsl.query import Term as IsTerm
from elasticsearch.dsl.query import Terms as AreTerms
from msgspec import Struct

from indexer import offences
from indexer.records import DELETED
from queries import terms
from queries.terms import Term

COUNTED: Final = "recorded"
LEFT_OUT: Final = ("cancelled", "transferred")


class Period(Struct, frozen=True):
    """Days of ``recorded_on``, both included; None is open."""

    start: date | None = None
    end: date | None = None

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


class OffenceRow(Struct, frozen=True):
    """Offences counted as one row: canonical codes, each with all below it, and a label."""

    codes: tuple[str, ...]
    label: str

    @property
    def means(self) -> str:
        """The condition of its records."""
        return offences_mean(self.codes)


class Mention(Struct, frozen=True):
    """A term as asked for: its aliases count as it, and ``company`` must be in the same record."""

    term: Term
    aliases: tuple[Term, ...] = ()
    company: tuple[Term, ...] = ()
    exact: bool = False

    @property
    def label(self) -> str:
        """The requester's wording."""
        return self.term.written

    @property
    def key(self) -> tuple[object, ...]:
        """What is the same for two wordings that count the same records."""
        return (
            self.term.forms,
            frozenset(alias.forms for alias in self.aliases),
            frozenset(other.forms for other in self.company),
        )

    @property
    def means(self) -> str:
        """The condition of its records: the same for two wordings that count the same ones."""
        plain = [
            sorted(map(" ".join, self.term.forms)),
            sorted(sorted(map(" ".join, alias.forms)) for alias in self.aliases),
            sorted(sorted(map(" ".join, other.forms)) for other in self.company),
        ]
        digest = hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:8]
        return f"term:{self.term.forms[0][0].replace('|', '/')}~{digest}"

    @property
    def spellings(self) -> tuple[Term, ...]:
        """The term and its aliases."""
        return (self.term, *self.aliases)

    def query(self) -> Query:
        """The records that mention it."""
        spelled = any_of([terms.query(one) for one in self.spellings])
        return all_of([spelled, *(terms.query(one) for one in self.company)])


class Scope(Struct, frozen=True):
    """The records a request is about."""

    period: Period = Period()
    offences: tuple[OffenceRow, ...] = ()
    mentions: tuple[Mention, ...] = ()

    def query(self) -> Query:
        """The records in scope, whatever their status."""
        filters: list[Query] = []
        if self.period.start or self.period.end:
            limits = {"gte": self.period.start, "lte": self.period.end}
            days = {name: day.isoformat() for name, day in limits.items() if day}
            filters.append(Range(recorded_on=days))
        if self.offences:
            filters.append(offence_query([code for row in self.offences for code in row.codes]))
        if self.mentions:
            filters.append(any_of([mention.query() for mention in self.mentions]))
        return Bool(filter=filters, must_not=[IsTerm(status=DELETED)])


def offences_mean(codes: Iterable[str]) -> str:
    """The condition of the records of any of the codes."""
    return f"offence:{','.join(sorted(set(codes)))}"


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
