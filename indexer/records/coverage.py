"""Coverage: the days for which an index holds records.

The force declares it, or it is taken from the first and the last record. Outside it a number is not
covered, and never 0. Building the aggregation and reading its response are pure.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

from msgspec import Struct

from indexer.errors import ConfigurationError
from indexer.records.model import DELETED

_HELD_RECORDS: Final[dict[str, Any]] = {"bool": {"must_not": {"term": {"status": DELETED}}}}

_FIELD: Final = "recorded_on"

_EPOCH: Final = date(1970, 1, 1)

_DAY_MILLISECONDS: Final = 86_400_000

#: Asks for the first and the last day of the records, and for the months that have any, and text.
COVERAGE_AGG: Final[dict[str, Any]] = {
    "filter": _HELD_RECORDS,
    "aggs": {
        "first": {"min": {"field": _FIELD}},
        "last": {"max": {"field": _FIELD}},
        "months": {
            "date_histogram": {
                "field": _FIELD,
                "calendar_interval": "month",
                "format": "yyyy-MM-dd",
                "min_doc_count": 1,
            },
            "aggs": {"with_text": {"filter": {"exists": {"field": "narrative"}}}},
        },
    },
}


class CoverageSettings(
    Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """The first and the last day for which the index holds records, as the force declares them.

    An end that is missing is the day of the first, or of the last, record.
    """

    start: date | None = None
    end: date | None = None


class Coverage(Struct, frozen=True, omit_defaults=True, rename={"start": "from", "end": "to"}):
    """The first and the last day for which an index holds records.

    ``inferred`` are the ends that foidex.toml does not declare: they are the days of the first and
    the last record. ``empty_months`` are the first days of the months within it that have no record
    at all, and ``textless_months`` of those whose records all have no text. ``outside`` is true if
    the index holds records of other days.
    """

    start: date
    end: date
    inferred: tuple[Literal["from", "to"], ...] = ()
    empty_months: tuple[date, ...] = ()
    textless_months: tuple[date, ...] = ()
    outside: bool = False


def build_days_outside_query(earliest: date, latest: date) -> dict[str, Any]:
    """The query for the records of days before ``earliest`` or after ``latest``."""
    within = {"range": {_FIELD: {"gte": str(earliest), "lte": str(latest)}}}
    return {"bool": {"filter": [_HELD_RECORDS], "must_not": [within]}}


def parse_coverage(
    aggregation: dict[str, Any], declared: CoverageSettings, built_on: date | None = None
) -> Coverage | None:
    """The coverage, from the response to ``COVERAGE_AGG``; None without a record.

    No record can be recorded after ``built_on``, so a later declared end is cut to that day. Raises
    ConfigurationError where the declared days end before they start.
    """
    if not aggregation["doc_count"]:
        return None
    first, last = (_parse_day(aggregation[name]["value"]) for name in ("first", "last"))
    declared_end = declared.end
    if declared_end and built_on:
        declared_end = min(declared_end, max(built_on, last))
    start, end = declared.start or first, declared_end or last
    if start > end:
        raise ConfigurationError(
            f"[records] covers: the days from {start} to {end} end before they start (the records "
            f"are of {first} to {last}). Correct covers in foidex.toml."
        )
    ends: dict[Literal["from", "to"], date | None] = {"from": declared.start, "to": declared.end}
    texts = {
        date.fromisoformat(bucket["key_as_string"]): bucket["with_text"]["doc_count"]
        for bucket in aggregation["months"]["buckets"]
    }
    return Coverage(
        start,
        end,
        inferred=tuple(name for name, day in ends.items() if day is None),
        empty_months=tuple(month for month in _iter_whole_months(start, end) if month not in texts),
        textless_months=tuple(
            month
            for month, number in texts.items()
            if not number and start.replace(day=1) <= month <= end
        ),
        outside=first < start or end < last,
    )


class MonthSpan(NamedTuple):
    """Months that follow each other: the first day of the first, and of the last."""

    first: date
    last: date

    def format(self, month_format: str) -> str:
        """The span in words; ``month_format`` is that of ``date.strftime``."""
        first, last = (f"{month:{month_format}}" for month in self)
        return first if first == last else f"{first} to {last}"


def list_month_spans(months: Sequence[date]) -> list[MonthSpan]:
    """The months, given by their first days in order, as spans."""
    if not months:
        return []
    ends = [
        (earlier, later)
        for earlier, later in pairwise(months)
        if (later.year * 12 + later.month) - (earlier.year * 12 + earlier.month) != 1
    ]
    firsts = [months[0], *(later for _, later in ends)]
    lasts = [*(earlier for earlier, _ in ends), months[-1]]
    return list(map(MonthSpan, firsts, lasts))


def _parse_day(milliseconds: float) -> date:
    return _EPOCH + timedelta(days=int(milliseconds // _DAY_MILLISECONDS))


def _iter_whole_months(start: date, end: date) -> Iterator[date]:
    """The first day of each month whose days are all from ``start`` to ``end``."""
    year, month = start.year, start.month
    while (year, month) <= (end.year, end.month):
        first = date(year, month, 1)
        if start <= first and first.replace(day=calendar.monthrange(year, month)[1]) <= end:
            yield first
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
