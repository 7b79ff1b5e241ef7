"""What an index covers, in sentences: the days, and which numbers are of others. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from indexer.records.coverage import Coverage, list_month_spans
from queries.answer.cells import collect_scope_conditions, list_cells
from queries.answer.condition import Condition, PeriodCondition, build_period_condition
from queries.answer.condition_text import parse_conditions
from queries.answer.covered_days import CoveredDays, find_covered_days
from queries.answer.types import NOT_COVERED, Answer
from queries.layout.prose import join_list
from queries.tables.period import format_long_date

_MAX_LABELS: Final = 6

_MEANING: Final = (
    '"Not covered" marks a number for days that the records do not cover. It does not mean that '
    "there were none."
)

_OTHER_DAYS: Final = (
    "The index also holds some records of other days, and a total that includes those days counts "
    "them."
)


class NamedPeriod(NamedTuple):
    """Days that have a name in a request or an answer, and all their conditions."""

    label: str
    conditions: tuple[Condition, ...]


def format_coverage_days(coverage: Coverage) -> str:
    """The days covered: "1 April 2018 to 31 March 2026"."""
    return f"{format_long_date(coverage.start)} to {format_long_date(coverage.end)}"


def describe_coverage(answer: Answer) -> tuple[str, ...]:
    """What a reader must know before the numbers; nothing if all of their days are covered."""
    if answer.coverage is None:
        return ()
    sentences = describe_covered_days(
        answer.coverage, collect_scope_conditions(answer.scope), _list_named_periods(answer)
    )
    is_marked = any(cell.value == NOT_COVERED for cell in list_cells(answer))
    return (*sentences, *([_MEANING] if is_marked else []))


def describe_covered_days(
    coverage: Coverage,
    base: tuple[Condition, ...],
    named_periods: Iterable[NamedPeriod],
    *,
    lists_uncovered: bool = False,
) -> tuple[str, ...]:
    """What is covered of the days of a request, and of its named periods; nothing if all is.

    ``base`` are the conditions of the request. With ``lists_uncovered`` the periods that are not
    covered are named.
    """
    total = find_covered_days(coverage, base)
    cover = f"The records cover {format_coverage_days(coverage)}."
    if total.state == "outside":
        return (cover, "All of the days asked about are outside these, so no number can be given.")
    named_days = dict.fromkeys(
        (period.label, find_covered_days(coverage, period.conditions)) for period in named_periods
    )
    partial = [(label, days) for label, days in named_days if days.state == "partly"]
    named_limits = {_describe_limits(days) for _, days in partial}
    if total.state == "partly" and _describe_limits(total) not in named_limits:
        partial.insert(0, ("the days asked about", total))
    uncovered = [label for label, days in named_days if days.state == "outside"]
    if not partial and not uncovered:
        return ()
    return (
        cover,
        *(
            _describe_total_days(label, days, coverage)
            if days is total
            else f"Of {label}, only the days {_describe_limits(days)} are counted."
            for label, days in partial
        ),
        *([f"Not covered: {_shorten_list(uncovered)}."] if lists_uncovered and uncovered else []),
        *([_OTHER_DAYS] if coverage.outside else []),
    )


def _describe_total_days(label: str, days: CoveredDays, coverage: Coverage) -> str:
    """What is counted of all days asked about, in the sentence after that about the coverage."""
    if (days.start, days.end) == (coverage.start, coverage.end):
        return f"Of {label}, only these are counted."
    return f"Of {label}, only those {_describe_limits(days)} are counted."


def _describe_limits(days: CoveredDays) -> str:
    assert days.start
    assert days.end
    if days.starts_late and not days.ends_early:
        return f"from {format_long_date(days.start)} on"
    if days.ends_early and not days.starts_late:
        return f"up to {format_long_date(days.end)}"
    return f"from {format_long_date(days.start)} to {format_long_date(days.end)}"


def _shorten_list(labels: list[str]) -> str:
    more = len(labels) - _MAX_LABELS
    return join_list([*labels[:_MAX_LABELS], f"{more:,} more"]) if more > 0 else join_list(labels)


def _list_named_periods(answer: Answer) -> Iterator[NamedPeriod]:
    """The periods of an answer, of its questions, and of their rows and columns."""
    scope = answer.scope
    base = collect_scope_conditions(scope)
    names: dict[PeriodCondition, str] = {}
    if len(scope.periods) > 1:
        for period in scope.periods:
            condition = build_period_condition((period.start, period.end))
            names[condition] = period.label
            yield NamedPeriod(period.label, (condition,))
    for question in answer.questions:
        own = parse_conditions(question.means)
        if _has_period(own):
            yield NamedPeriod(f"the period of {question.id}", (*base, *own))
        lines = [
            *((row.label, row.means) for row in question.table.rows),
            *((column.label, column.means) for column in question.table.columns),
        ]
        for label, means in lines:
            for period_condition in parse_conditions(means):
                if isinstance(period_condition, PeriodCondition):
                    name = names.setdefault(period_condition, label)
                    yield NamedPeriod(name, (*base, *own, period_condition))


def _has_period(conditions: Iterable[Condition]) -> bool:
    return any(isinstance(condition, PeriodCondition) for condition in conditions)


def describe_empty_months(coverage: Coverage | None, conditions: Iterable[Condition] = ()) -> str:
    """The months of a request that have no record at all, in a sentence; empty if there are none.

    ``conditions`` are those of the request: months of none of its days are left out. Many are named
    by their number and the first of them.
    """
    listing = _list_months(coverage.empty_months if coverage else (), conditions)
    if not listing:
        return ""
    return f"No record at all was recorded in {listing}. Check that the source is complete."


def describe_textless_months(
    coverage: Coverage | None, conditions: Iterable[Condition] = ()
) -> str:
    """Likewise, the months of a request whose records all have no text."""
    listing = _list_months(coverage.textless_months if coverage else (), conditions)
    if not listing:
        return ""
    return (
        f"No record of {listing} has any text, so no term can be found there. Check that the "
        "source is complete."
    )


def _list_months(all_months: tuple[date, ...], conditions: Iterable[Condition]) -> str:
    """Those of the months that the conditions include any day of, as spans, and how many."""
    periods = [condition for condition in conditions if isinstance(condition, PeriodCondition)]
    months = [
        month for month in all_months if all(_holds_day_of(period, month) for period in periods)
    ]
    spans = [span.format("%B %Y") for span in list_month_spans(months)]
    count = f" ({len(months):,} months)" if len(months) > 1 else ""
    return f"{_shorten_list(spans)}{count}" if spans else ""


def _holds_day_of(period: PeriodCondition, month: date) -> bool:
    """Whether a period has a day of a month, which is given by its first day."""
    last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
    return any(
        start <= last.toordinal() and month.toordinal() <= end for start, end in period.intervals
    )


def explain_inferred(coverage: Coverage | None) -> str:
    """That an end of the coverage was inferred from the records; empty if both are declared."""
    if coverage is None or not coverage.inferred:
        return ""
    ends = {"from": "first", "to": "last"}
    names = join_list([f"the {ends[name]}" for name in coverage.inferred])
    plural = len(coverage.inferred) > 1
    return (
        f"{names[:1].upper()}{names[1:]} of these days {'are those' if plural else 'is that'} of "
        f"{names} record."
    )


def warn_about_inferred(coverage: Coverage | None) -> str:
    """The same for an officer, with what to do."""
    explanation = explain_inferred(coverage)
    return (
        f"{explanation} To declare them, set covers in [records] of foidex.toml, and refresh."
        if explanation
        else ""
    )
