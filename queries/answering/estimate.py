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
from msgspec import Struct

from queries.questions.base import build_filters_agg, parse_filter_counts
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.search.run import build_count_body, read_composite_pages, run_search
from queries.tables.scope import Scope, any_of, build_offence_query

# Freedom of Information and Data Protection (Appropriate Limit and Fees) Regulations 2004 (SI
# 2004/3244): 600 pounds for central government, 450 for others, at 25 pounds an hour.
LIMIT_HOURS: Final = 18

CENTRAL_HOURS: Final = 24

_PAGE: Final = 10_000

_DAY_SOURCE: Final[Any] = {
    "date_histogram": {
        "field": "recorded_on",
        "calendar_interval": "day",
        "format": "yyyy-MM-dd",
    }
}

_LABEL_WIDTH: Final = 46


class CostPart(Struct, frozen=True):
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
    total: CostPart
    questions: tuple[CostPart, ...]
    latest: CostPart | None
    months: CostPart | None
    offences: tuple[CostPart, ...]
    terms: tuple[CostPart, ...]
    periods: tuple[CostPart, ...]


class ReadingCost(Struct, frozen=True):
    """How long a record takes to read, and how long all may take."""

    minutes: Fraction
    limit: int

    @property
    def max_records(self) -> int:
        """The most records that fit."""
        return int(self.limit * 60 / self.minutes)

    def part(self, label: str, records: int) -> CostPart:
        """The records with their cost."""
        hours = records * self.minutes / 60
        return CostPart(label, records, round(float(hours), 2), hours <= self.limit)


def estimate_cost(
    client: Elasticsearch, alias: str, request: Request, cost: ReadingCost
) -> Estimate:
    """Count what would have to be read. Raises as ``execute.answer``."""
    scope = request.scope
    question_queries = [prepare_question(question, scope).query for question in request.questions]
    single_queries = {
        "offences": [(row.label, build_offence_query(row.codes)) for row in scope.offences],
        "terms": [(mention.label, mention.query()) for mention in scope.mentions],
        "periods": [(period.label, period.query()) for period in scope.periods],
    }
    inside: dict[str, Any] = {
        name: build_filters_agg(query for _, query in labelled)
        for name, labelled in single_queries.items()
        if labelled
    }
    inside["days"] = aggs.Composite(size=_PAGE, sources=[{"day": _DAY_SOURCE}])
    result = run_search(
        client,
        alias,
        build_count_body(
            scope.query(),
            {
                "questions": build_filters_agg(question_queries),
                "any": aggs.Filter(any_of(question_queries), aggs=inside),
            },
        ),
    )
    read_composite_pages(client, result, "any")
    aggregation = result.body["aggregations"]["any"]
    by_day = {
        date.fromisoformat(bucket["key"]["day"]): int(bucket["doc_count"])
        for bucket in aggregation["days"]["buckets"]
    }
    latest = _find_latest_period(by_day, scope, cost)

    def parts(name: str) -> tuple[CostPart, ...]:
        part_counts = parse_filter_counts(aggregation[name]) if single_queries[name] else []
        return tuple(
            cost.part(label, number)
            for (label, _), number in zip(single_queries[name], part_counts, strict=True)
        )

    return Estimate(
        reference=request.reference,
        minutes=float(cost.minutes),
        limit_hours=cost.limit,
        limit_records=cost.max_records,
        generation=result.generation.name,
        built_at=result.generation.built_at,
        total=cost.part("In all, each record once", aggregation["doc_count"]),
        questions=tuple(
            cost.part(question.id, number)
            for question, number in zip(
                request.questions,
                parse_filter_counts(result.body["aggregations"]["questions"]),
                strict=True,
            )
        ),
        latest=latest,
        months=_find_whole_months(by_day, latest, scope, cost),
        offences=parts("offences"),
        terms=parts("terms"),
        periods=parts("periods"),
    )


def _find_last_day(by_day: dict[date, int], scope: Scope) -> date | None:
    """The last day of the request, or of its records where it is open."""
    return scope.period.end or max(by_day, default=None)


def _find_latest_period(
    by_day: dict[date, int], scope: Scope, cost: ReadingCost
) -> CostPart | None:
    """The longest period up to the request's end that fits; None where only one without a record
    does."""
    end = _find_last_day(by_day, scope)
    if end is None:
        return None
    first = scope.period.start or min(by_day, default=end)
    records = 0
    for day in sorted(by_day, reverse=True):
        if records + by_day[day] > cost.max_records:
            return _make_period_part(day + timedelta(days=1), end, by_day, cost)
        records += by_day[day]
    return _make_period_part(first, end, by_day, cost)


def _find_whole_months(
    by_day: dict[date, int], latest: CostPart | None, scope: Scope, cost: ReadingCost
) -> CostPart | None:
    """The longest period of whole months up to the request's end that fits."""
    end = _find_last_day(by_day, scope)
    if latest is None or end is None:
        return None
    start = date.fromisoformat(latest.label[:10])
    if start.day > 1:
        start = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return _make_period_part(start, end, by_day, cost)


def _make_period_part(
    start: date, end: date, by_day: dict[date, int], cost: ReadingCost
) -> CostPart | None:
    records = sum(number for day, number in by_day.items() if start <= day <= end)
    return cost.part(f"{start} to {end}", records) if records else None


def format_estimate(estimate: Estimate) -> str:
    """The estimate for a person."""
    return "\n".join(_format_estimate_lines(estimate)) + "\n"


def _format_estimate_lines(estimate: Estimate) -> Iterator[str]:
    total = estimate.total
    side = "within" if total.fits else "over"
    yield f"{estimate.reference}: {total.records:,} records would have to be read."
    yield (
        f"At {estimate.minutes:g} minutes each that is {total.hours:,.1f} hours, {side} the limit of "
        f"{estimate.limit_hours} hours ({estimate.limit_records:,} records)."
    )
    yield ""
    yield f"{'':<{_LABEL_WIDTH}}  {'records':>9}  {'hours':>8}  fits"
    yield from _format_cost_table("Each question", (*estimate.questions, total))
    if not total.fits:
        yield "The longest period up to the end that fits, by days and by whole months"
        fitting_parts = {part.label: part for part in (estimate.latest, estimate.months) if part}
        yield from _format_cost_rows(fitting_parts.values())
        if not fitting_parts:
            yield "  none: the last day with a record is too much by itself"
        yield from _format_cost_table("Each offence alone", estimate.offences)
        yield from _format_cost_table("Each term alone", estimate.terms)
        if len(estimate.periods) > 1:
            yield from _format_cost_table("Each period alone", estimate.periods)
    yield ""
    yield f"From {estimate.generation}, built {estimate.built_at:%Y-%m-%d %H:%M} UTC."


def _format_cost_table(heading: str, parts: Sequence[CostPart]) -> Iterator[str]:
    if parts:
        yield heading
        yield from _format_cost_rows(parts)


def _format_cost_rows(parts: Iterable[CostPart]) -> Iterator[str]:
    for part in parts:
        label = (
            part.label
            if len(part.label) <= _LABEL_WIDTH - 2
            else f"{part.label[: _LABEL_WIDTH - 5]}..."
        )
        fits = "yes" if part.fits else "no"
        yield f"  {label:<{_LABEL_WIDTH - 2}}  {part.records:>9,}  {part.hours:>8,.1f}  {fits}"
