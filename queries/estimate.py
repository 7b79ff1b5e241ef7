"""What reading would cost: the records of a request, in hours, against the limit; and what fits.

Under the Freedom of Information Act an authority may refuse what would cost more than the
appropriate limit, and must advise what it could answer within it. Every number is counted, none
estimated but the minutes a record takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from elasticsearch import Elasticsearch
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Query
from msgspec import Struct

from queries import execute
from queries.questions import Question
from queries.questions.base import bucketed, counts
from queries.request import Request
from queries.scope import Scope, all_of, any_of, offence_query

# Freedom of Information and Data Protection (Appropriate Limit and Fees) Regulations 2004 (SI
# 2004/3244): 600 pounds for central government, 450 for others, at 25 pounds an hour.
LIMIT_HOURS: Final = 18
CENTRAL_HOURS: Final = 24
_PAGE: Final = 10_000
_DAY: Final[Any] = {
    "date_histogram": {
        "field": "recorded_on",
        "calendar_interval": "day",
        "format": "yyyy-MM-dd",
    }
}
_LABEL: Final = 46


class Part(Struct, frozen=True):
    """Records to read, the hours that takes, and whether those are within the limit."""

    label: str
    records: int
    hours: float
    fits: bool


class Estimate(Struct, frozen=True):
    """What reading would cost. ``total`` counts each record once, whatever questions ask of it.

    ``latest`` is the longest period that ends with the request's and fits, ``months`` the longest
    of whole months; None where there is none. ``offences``, ``terms`` and ``periods`` are each
    alone.
    """

    reference: str
    minutes: float
    limit_hours: int
    limit_records: int
    generation: str
    built_at: datetime
    total: Part
    questions: tuple[Part, ...]
    latest: Part | None
    months: Part | None
    offences: tuple[Part, ...]
    terms: tuple[Part, ...]
    periods: tuple[Part, ...]


class Cost(Struct, frozen=True):
    """How long a record takes to read, and how long all may take."""

    minutes: Fraction
    limit: int

    @property
    def most(self) -> int:
        """The most records that fit."""
        return int(self.limit * 60 / self.minutes)

    def part(self, label: str, records: int) -> Part:
        """The records with their cost."""
        hours = records * self.minutes / 60
        return Part(label, records, round(float(hours), 2), hours <= self.limit)


def estimate(client: Elasticsearch, alias: str, request: Request, cost: Cost) -> Estimate:
    """Count what would have to be read. Raises as ``execute.answer``."""
    scope = request.scope
    each = [_asked_about(question, scope) for question in request.questions]
    alone = {
        "offences": [(row.label, offence_query(row.codes)) for row in scope.offences],
        "terms": [(one.label, one.query()) for one in scope.mentions],
        "periods": [(one.label, one.query()) for one in scope.periods],
    }
    inside: dict[str, Any] = {
        name: bucketed(query for _, query in listed) for name, listed in alone.items() if listed
    }
    inside["days"] = aggs.Composite(size=_PAGE, sources=[{"day": _DAY}])
    found = execute.search(
        client,
        alias,
        execute.asking(
            scope.query(),
            {"questions": bucketed(each), "any": aggs.Filter(any_of(each), aggs=inside)},
        ),
    )
    execute.read_pages(client, found, "any")
    whole = found.body["aggregations"]["any"]
    by_day = {
        date.fromisoformat(bucket["key"]["day"]): int(bucket["doc_count"])
        for bucket in whole["days"]["buckets"]
    }
    latest = _latest(by_day, scope, cost)

    def parts(name: str) -> tuple[Part, ...]:
        held = counts(whole[name]) if alone[name] else []
        return tuple(
            cost.part(label, number) for (label, _), number in zip(alone[name], held, strict=True)
        )

    return Estimate(
        reference=request.reference,
        minutes=float(cost.minutes),
        limit_hours=cost.limit,
        limit_records=cost.most,
        generation=found.generation.name,
        built_at=found.generation.built_at,
        total=cost.part("In all, each record once", whole["doc_count"]),
        questions=tuple(
            cost.part(question.id, number)
            for question, number in zip(
                request.questions, counts(found.body["aggregations"]["questions"]), strict=True
            )
        ),
        latest=latest,
        months=_months(by_day, latest, scope, cost),
        offences=parts("offences"),
        terms=parts("terms"),
        periods=parts("periods"),
    )


def _asked_about(question: Question, scope: Scope) -> Query:
    filters = question.filters(scope)
    return all_of(filters) if filters else MatchAll()


def _end(by_day: dict[date, int], scope: Scope) -> date | None:
    """The last day of the request, or of its records where it is open."""
    return scope.period.end or max(by_day, default=None)


def _latest(by_day: dict[date, int], scope: Scope, cost: Cost) -> Part | None:
    """The longest period up to the request's end that fits; None where only one without a record
    does."""
    end = _end(by_day, scope)
    if end is None:
        return None
    first = scope.period.start or min(by_day, default=end)
    records = 0
    for day in sorted(by_day, reverse=True):
        if records + by_day[day] > cost.most:
            return _from(day + timedelta(days=1), end, by_day, cost)
        records += by_day[day]
    return _from(first, end, by_day, cost)


def _months(by_day: dict[date, int], latest: Part | None, scope: Scope, cost: Cost) -> Part | None:
    """The longest period of whole months up to the request's end that fits."""
    end = _end(by_day, scope)
    if latest is None or end is None:
        return None
    start = date.fromisoformat(latest.label[:10])
    if start.day > 1:
        start = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return _from(start, end, by_day, cost)


def _from(start: date, end: date, by_day: dict[date, int], cost: Cost) -> Part | None:
    records = sum(number for day, number in by_day.items() if start <= day <= end)
    return cost.part(f"{start} to {end}", records) if records else None


def text(found: Estimate) -> str:
    """The estimate for a person."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Estimate) -> Iterator[str]:
    total = found.total
    side = "within" if total.fits else "over"
    yield f"{found.reference}: {total.records:,} records would have to be read."
    yield (
        f"At {found.minutes:g} minutes each that is {total.hours:,.1f} hours, {side} the limit of "
        f"{found.limit_hours} hours ({found.limit_records:,} records)."
    )
    yield ""
    yield f"{'':<{_LABEL}}  {'records':>9}  {'hours':>8}  fits"
    yield from _table("Each question", (*found.questions, total))
    if not total.fits:
        yield "The longest period up to the end that fits, by days and by whole months"
        narrower = {one.label: one for one in (found.latest, found.months) if one}
        yield from _rows(narrower.values())
        if not narrower:
            yield "  none: the last day with a record is too much by itself"
        yield from _table("Each offence alone", found.offences)
        yield from _table("Each term alone", found.terms)
        if len(found.periods) > 1:
            yield from _table("Each period alone", found.periods)
    yield ""
    yield f"From {found.generation}, built {found.built_at:%Y-%m-%d %H:%M} UTC."


def _table(heading: str, parts: Sequence[Part]) -> Iterator[str]:
    if parts:
        yield heading
        yield from _rows(parts)


def _rows(parts: Iterable[Part]) -> Iterator[str]:
    for one in parts:
        label = one.label if len(one.label) <= _LABEL - 2 else f"{one.label[: _LABEL - 5]}..."
        fits = "yes" if one.fits else "no"
        yield f"  {label:<{_LABEL - 2}}  {one.records:>9,}  {one.hours:>8,.1f}  {fits}"
