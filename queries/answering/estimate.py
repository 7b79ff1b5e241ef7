"""Estimates what reading the records of a request would cost, and finds what fits the limit.

Under the Freedom of Information Act an authority may refuse a request that would cost more than
the appropriate limit, and must advise what it could answer within it. Every number is counted;
only the minutes that a record takes are an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple

from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Query
from msgspec import Struct

from queries.layout.text_table import align_rows
from queries.questions.base import build_filters_agg, parse_filter_counts
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.request.reading_cost import CostPart, ReadingCost
from queries.review.sample_plan import SECOND_READING, SamplePlan, plan_sample
from queries.search.run import SearchEngine, build_count_body
from queries.tables.scope import Scope, any_of, build_counted_query, build_offence_query

# Freedom of Information and Data Protection (Appropriate Limit and Fees) Regulations 2004 (SI
# 2004/3244): 600 pounds for central government, 450 for others, at 25 pounds an hour.
LIMIT_HOURS: Final = 18

CENTRAL_HOURS: Final = 24

_DAYS_PER_PAGE: Final = 10_000

_DAY_SOURCE: Final[Any] = {
    "date_histogram": {
        "field": "recorded_on",
        "calendar_interval": "day",
        "format": "yyyy-MM-dd",
    }
}

_COLUMN_FORMATS: Final = ("<46", ">9", ">8", "<")


class Estimate(Struct, frozen=True):
    """What reading would cost. ``total`` counts each record once, however many questions need it.

    ``latest`` is the longest period that ends with the request's and fits the limit, and ``months``
    the longest of whole months; None where no period fits. ``offences``, ``terms`` and ``periods``
    have the cost of each one on its own. ``sample`` is what a random sample that fits would say,
    None where everything fits or nothing does.
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
    sample: SamplePlan | None = None


class FittingPeriod(NamedTuple):
    """A period whose records can be read within the limit. Both days are included."""

    start: date
    end: date
    records: int

    def cost_part(self, cost: ReadingCost) -> CostPart:
        """What reading its records costs."""
        return cost.part(f"{self.start} to {self.end}", self.records)


class _LabelledQuery(NamedTuple):
    label: str
    query: Query


def estimate_cost(
    engine: SearchEngine,
    request: Request,
    cost: ReadingCost,
    second_reading: Fraction = SECOND_READING,
) -> Estimate:
    """Count what would have to be read. Raises as ``SearchEngine.run_search``.

    ``second_reading`` is the share of a sample that a second person reads.
    """
    scope = request.scope
    breakdowns = _list_breakdowns(scope)
    result = engine.run_search(_build_estimate_body(request, scope, breakdowns))
    engine.read_later_pages(result, "any")
    aggregation = result.body["aggregations"]["any"]
    by_day = parse_day_counts(aggregation)
    latest = find_latest_period(by_day, scope, cost)
    months = find_whole_months(by_day, latest)
    question_counts = parse_filter_counts(result.body["aggregations"]["questions"])
    parts = {
        name: tuple(
            cost.part(part.label, number)
            for part, number in zip(breakdown, parse_filter_counts(aggregation[name]), strict=True)
        )
        for name, breakdown in breakdowns.items()
        if breakdown
    }
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
                request.questions, question_counts[: len(request.questions)], strict=True
            )
        ),
        latest=latest.cost_part(cost) if latest else None,
        months=months.cost_part(cost) if months else None,
        offences=parts.get("offences", ()),
        terms=parts.get("terms", ()),
        periods=parts.get("periods", ()),
        sample=plan_sample(
            aggregation["doc_count"], cost.max_records, cost.minutes, second_reading
        ),
    )


def _list_breakdowns(scope: Scope) -> dict[str, list[_LabelledQuery]]:
    """The offences, terms and periods of a scope, each with the query for it alone."""
    return {
        "offences": [
            _LabelledQuery(row.label, build_offence_query(row.codes)) for row in scope.offences
        ],
        "terms": [_LabelledQuery(mention.label, mention.query()) for mention in scope.mentions],
        "periods": [_LabelledQuery(period.label, period.query()) for period in scope.periods],
    }


def _build_estimate_body(
    request: Request, scope: Scope, breakdowns: dict[str, list[_LabelledQuery]]
) -> dict[str, Any]:
    question_queries = _list_question_queries(request, scope)
    inside: dict[str, Any] = {
        name: build_filters_agg(part.query for part in breakdown)
        for name, breakdown in breakdowns.items()
        if breakdown
    }
    inside |= build_day_aggs()
    return build_count_body(
        scope.query(),
        {
            "questions": build_filters_agg(question_queries),
            "any": aggs.Filter(any_of(question_queries), aggs=inside),
        },
    )


def build_day_aggs() -> dict[str, aggs.Agg[Any]]:
    """The records of each day, to be read page by page."""
    return {"days": aggs.Composite(size=_DAYS_PER_PAGE, sources=[{"day": _DAY_SOURCE}])}


def parse_day_counts(aggregation: dict[str, Any]) -> dict[date, int]:
    """The number of records of each day, from the response to ``build_day_aggs``."""
    return {
        date.fromisoformat(bucket["key"]["day"]): int(bucket["doc_count"])
        for bucket in aggregation["days"]["buckets"]
    }


def _list_question_queries(request: Request, scope: Scope) -> list[Query]:
    """What each question is about; a request without any is about its scope."""
    queries = [prepare_question(question, scope).query for question in request.questions]
    return queries or [build_counted_query()]


def _find_last_day(by_day: dict[date, int], scope: Scope) -> date | None:
    """The last day of the request, or of its records where it is open."""
    return scope.period.end or max(by_day, default=None)


def find_latest_period(
    by_day: dict[date, int], scope: Scope, cost: ReadingCost
) -> FittingPeriod | None:
    """The longest period up to the end of the request that fits the limit.

    ``by_day`` is the number of records of each day. None where only a period without any records
    fits.
    """
    end = _find_last_day(by_day, scope)
    if end is None:
        return None
    first = scope.period.start or min(by_day, default=end)
    records = 0
    for day in sorted(by_day, reverse=True):
        if records + by_day[day] > cost.max_records:
            return _make_fitting_period(day + timedelta(days=1), end, by_day)
        records += by_day[day]
    return _make_fitting_period(first, end, by_day)


def find_whole_months(
    by_day: dict[date, int], latest: FittingPeriod | None
) -> FittingPeriod | None:
    """The longest period of whole months within ``latest`` that ends as it does.

    ``latest`` is the result of ``find_latest_period``. None where no such period has records.
    """
    if latest is None:
        return None
    start = latest.start
    if start.day > 1:
        start = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return _make_fitting_period(start, latest.end, by_day)


def _make_fitting_period(start: date, end: date, by_day: dict[date, int]) -> FittingPeriod | None:
    records = sum(number for day, number in by_day.items() if start <= day <= end)
    return FittingPeriod(start, end, records) if records else None


def format_estimate(estimate: Estimate) -> str:
    """The estimate for a person."""
    return "\n".join(_format_estimate_lines(estimate)) + "\n"


def _format_estimate_lines(estimate: Estimate) -> Iterator[str]:
    total = estimate.total
    side = "within" if total.fits else "over"
    yield f"{estimate.reference}: {total.records:,} records would have to be read."
    yield (
        f"At {estimate.minutes:g} minutes each that is {total.hours:,.1f} hours, {side} the limit "
        f"of {estimate.limit_hours} hours ({estimate.limit_records:,} records)."
    )
    yield ""
    yield from align_rows([("", "records", "hours", "fits")], _COLUMN_FORMATS)
    yield from _format_cost_table("Each question", (*estimate.questions, total))
    if not total.fits:
        fitting = {part.label: part for part in (estimate.latest, estimate.months) if part}
        yield from _format_cost_table(
            "The longest period up to the end that fits, by days and by whole months",
            fitting.values(),
            "none: the records of the last day alone are over the limit",
        )
        yield from _format_cost_table("Each offence alone", estimate.offences)
        yield from _format_cost_table("Each term alone", estimate.terms)
        if len(estimate.periods) > 1:
            yield from _format_cost_table("Each period alone", estimate.periods)
    if estimate.sample:
        yield from _format_sample(estimate.sample)
    yield ""
    yield f"From {estimate.generation}, built {estimate.built_at:%Y-%m-%d %H:%M} UTC."


def _format_sample(plan: SamplePlan) -> Iterator[str]:
    half, tenth = plan.if_half, plan.if_tenth
    yield "A random sample that fits"
    yield (
        f"  {plan.records:,} of {plan.population:,} records, {plan.second_readings:,} of them read "
        f"by a second person too: {plan.hours:,.1f} hours."
    )
    yield (
        f"  If half of them are relevant, between {half.low:,} and {half.high:,} of all records "
        f"are ({plan.confidence:.0%})."
    )
    yield f"  If one in ten is, between {tenth.low:,} and {tenth.high:,}."


def _format_cost_table(
    heading: str, parts: Iterable[CostPart], if_empty: str = ""
) -> Iterator[str]:
    """The heading and a line for each part; nothing where there is neither a part nor a text."""
    rows = [
        (f"  {part.label}", f"{part.records:,}", f"{part.hours:,.1f}", "yes" if part.fits else "no")
        for part in parts
    ]
    if rows or if_empty:
        yield heading
        yield from align_rows(rows, _COLUMN_FORMATS)
    if not rows and if_empty:
        yield f"  {if_empty}"
