"""What of the days that a request asks about the records do not cover. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.records.coverage import Coverage
from queries.answer.condition import PeriodCondition
from queries.layout.coverage_text import (
    NamedPeriod,
    describe_covered_days,
    describe_empty_months,
    describe_textless_months,
    format_coverage_days,
    warn_about_inferred,
)
from queries.questions.prepared import prepare_question
from queries.request.reader import Request


def describe_request_coverage(
    request: Request, coverage: Coverage | None, *, asks_about_terms: bool = True
) -> tuple[str, ...]:
    """The days that the records cover, and what of the request is of other days; of one that asks
    about terms, also the months without any text."""
    if coverage is None:
        return ()
    notes = describe_covered_days(
        coverage,
        request.scope.record_conditions,
        _list_named_periods(request),
        lists_uncovered=True,
    )
    more = (
        warn_about_inferred(coverage),
        describe_empty_months(coverage, request.scope.record_conditions),
        describe_textless_months(coverage, request.scope.record_conditions)
        if asks_about_terms
        else "",
    )
    return (
        *(notes or (f"The records cover {format_coverage_days(coverage)}.",)),
        *filter(None, more),
    )


def _list_named_periods(request: Request) -> Iterator[NamedPeriod]:
    """The periods of a request, of its questions, and of their rows and columns."""
    scope = request.scope
    base = scope.record_conditions
    if len(scope.periods) > 1:
        yield from (NamedPeriod(period.label, (period.condition,)) for period in scope.periods)
    for question in request.questions:
        prepared = prepare_question(question, scope)
        own = prepared.narrowing.record_conditions if prepared.narrowing else ()
        if prepared.narrowing and prepared.narrowing.periods:
            yield NamedPeriod(f"the period of {question.id}", (*base, *own))
            if len(prepared.narrowing.periods) > 1:
                for period in prepared.narrowing.periods:
                    yield NamedPeriod(period.label, (*base, *own, period.condition))
        for axis in prepared.table_query.axes:
            for bucket in axis.buckets or ():
                if any(isinstance(condition, PeriodCondition) for condition in bucket.means):
                    yield NamedPeriod(bucket.label, (*base, *own, *bucket.means))
