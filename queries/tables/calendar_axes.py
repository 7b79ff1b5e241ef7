"""Days, months, quarters and years: the period of a day, and the axis of such periods. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Final

from indexer.errors import RequestError
from queries.tables.axis_type import Axis, Bucket
from queries.tables.period import Period, format_long_date

_MAX_PERIODS: Final = 1_200

_YEAR: Final = re.compile(r"\d{4}")

_DAY_FORMATS: Final = ("%Y-%m-%d", "%Y-%m")

#: As labels have a day: "5 May 2017".
_LONG_DAY_FORMAT: Final = "%d %B %Y"


def find_day(day: date) -> Period:
    """The day itself, labelled "5 May 2017"."""
    return Period(day, day, format_long_date(day))


def find_month(day: date) -> Period:
    """The month of a day, labelled "May 2017"."""
    last = calendar.monthrange(day.year, day.month)[1]
    return Period(day.replace(day=1), day.replace(day=last), f"{day:%B %Y}")


def find_quarter(day: date) -> Period:
    """The quarter of the calendar year that a day is in, labelled "April to June 2017"."""
    first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    end = find_month(first.replace(month=first.month + 2)).end
    return Period(first, end, f"{first:%B} to {end:%B %Y}")


def find_calendar_year(day: date) -> Period:
    """The year of a day from January, labelled "2017"."""
    return Period(date(day.year, 1, 1), date(day.year, 12, 31), str(day.year))


def find_financial_year(day: date) -> Period:
    """The year of a day from 1 April to 31 March, labelled "2017/18".

    The calendar cuts the first and the last that there are short, and their labels say so.
    """
    start = day.year if day.month >= 4 else day.year - 1
    name = f"{start}/{(start + 1) % 100:02}"
    if start < date.min.year:
        return Period(date.min, date(start + 1, 3, 31), f"{name} (from January)")
    if start == date.max.year:
        return Period(date(start, 4, 1), date.max, f"{name} (to December)")
    return Period(date(start, 4, 1), date(start + 1, 3, 31), name)


PeriodFinder = Callable[[date], Period]

#: The calendar period of a day, by the name of the field of such periods.
PERIOD_FINDERS: Final[dict[str, PeriodFinder]] = {
    "day": find_day,
    "month": find_month,
    "quarter": find_quarter,
    "calendar_year": find_calendar_year,
    "financial_year": find_financial_year,
}


def build_dates_axis(heading: str, periods: Sequence[Period], find_period: PeriodFinder) -> Axis:
    """The days, months or years of the periods; if a period has an open end, of the records."""

    def make_bucket(day: date) -> Bucket:
        period = find_period(day)
        assert period.start
        return Bucket(period.start.isoformat(), period.label, period.query(), (period.condition,))

    def bucket_for_value(month: str) -> Bucket:
        return make_bucket(date.fromisoformat(month))

    def bucket_for_name(name: str) -> Bucket:
        return make_bucket(_find_named_day(name, find_period))

    calendar_periods = list_calendar_periods(periods, find_period)
    if calendar_periods:
        starts = [period.start for period in calendar_periods if period.start]
        return Axis(heading, tuple(map(make_bucket, starts)))
    source = {
        "date_histogram": {
            "field": "recorded_on",
            "calendar_interval": "day" if find_period is find_day else "month",
            "format": "yyyy-MM-dd",
        }
    }
    return Axis(
        heading,
        None,
        source=source,
        bucket_for_value=bucket_for_value,
        bucket_for_name=bucket_for_name,
    )


def list_calendar_periods(periods: Sequence[Period], find_period: PeriodFinder) -> list[Period]:
    """The calendar periods with a day in one of the periods; none if a period is open, or if there
    would be too many."""
    starts = list(_iter_period_starts(periods, find_period))
    return [find_period(start) for start in starts] if len(starts) <= _MAX_PERIODS else []


def _find_named_day(name: str, find_period: PeriodFinder) -> date:
    """A day of the calendar period that a name means: its first day, or its label.

    Raises RequestError if there is none.
    """
    for day_format in (*_DAY_FORMATS, *([_LONG_DAY_FORMAT] if find_period is find_day else [])):
        with suppress(ValueError):
            return datetime.strptime(name, day_format).date()  # noqa: DTZ007 - a day
    years = [int(year) for year in _YEAR.findall(name)]
    days = [date(year, month, 1) for year in years if year for month in range(1, 13)]
    for finder in (find_period, *PERIOD_FINDERS.values()):
        for day in days:
            with suppress(ValueError, OverflowError):  # a period that ends after the year 9999
                if finder(day).label.casefold() == name.casefold():
                    return day
    raise RequestError(f'there is no row "{name[:60]}". Rows are named as the answer has them.')


def _iter_period_starts(periods: Sequence[Period], find_period: PeriodFinder) -> Iterator[date]:
    """The first day of each month, or year, with a day in a period; none if a period is open."""
    starts = [period.start for period in periods if period.start and period.end]
    ends = [period.end for period in periods if period.start and period.end]
    if not periods or len(starts) < len(periods):
        return
    day: date = find_period(min(starts)).start or min(starts)
    for _ in range(_MAX_PERIODS + 1):
        calendar_period = find_period(day)
        assert calendar_period.end
        if any(calendar_period.overlaps(period) for period in periods):
            yield day
        if calendar_period.end >= max(filter(None, ends)) or calendar_period.end == date.max:
            return
        day = date.fromordinal(calendar_period.end.toordinal() + 1)
