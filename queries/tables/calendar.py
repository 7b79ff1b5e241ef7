"""TODO: say what queries.tables.calendar is for."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Final

from indexer.errors import RequestError
from queries.tables.axis import Axis, Bucket
from queries.tables.period import Period

_MAX_MONTHS: Final = 1_200


# -- dates -------------------------------------------------------------------------------------


def find_month(day: date) -> Period:
    last = calendar.monthrange(day.year, day.month)[1]
    return Period(day.replace(day=1), day.replace(day=last), f"{day:%B %Y}")


def find_quarter(day: date) -> Period:
    first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    end = find_month(first.replace(month=first.month + 2)).end
    return Period(first, end, f"{first:%B} to {end:%B %Y}")


def find_calendar_year(day: date) -> Period:
    return Period(date(day.year, 1, 1), date(day.year, 12, 31), str(day.year))


def find_financial_year(day: date) -> Period:
    start = day.year if day.month >= 4 else day.year - 1
    return build_financial_year(start)


def build_financial_year(start: int) -> Period:
    """The year from 1 April of a year to 31 March of the next, such as "2017/18"."""
    name = f"{start}/{(start + 1) % 100:02}"
    return Period(date(start, 4, 1), date(start + 1, 3, 31), name)


def build_dates_axis(
    heading: str, periods: Sequence[Period], find_period: Callable[[date], Period]
) -> Axis:
    """The months, or years, of the periods; of open ones, those that records are of."""

    def bucket(day: date) -> Bucket:
        period = find_period(day)
        assert period.start
        return Bucket(period.start.isoformat(), period.label, period.query(), (period.condition,))

    listed = list(_iter_period_starts(periods, find_period))
    if listed and len(listed) <= _MAX_MONTHS:
        return Axis(heading, tuple(map(bucket, listed)))

    def read(month: str) -> Bucket:
        return bucket(date.fromisoformat(month))

    source = {
        "date_histogram": {
            "field": "recorded_on",
            "calendar_interval": "month",
            "format": "yyyy-MM-dd",
        }
    }

    def named(name: str) -> Bucket:
        return bucket(_parse_period_day(name))

    return Axis(heading, None, source=source, bucket_for_value=read, bucket_for_name=named)


def _parse_period_day(name: str) -> date:
    """A day of the month or year of a name: 2017-05-01, May 2017, 2017/18, 2017."""
    if year := re.fullmatch(r"(\d{4})/\d{2}", name):
        return date(int(year[1]), 4, 1)
    for form in ("%Y-%m-%d", "%Y-%m", "%B %Y", "%Y"):
        with suppress(ValueError):
            last = name.rpartition(" to ")[2]
            return datetime.strptime(last, form).date()  # noqa: DTZ007 - a day
    raise RequestError(f'there is no row "{name[:60]}". Rows are named as the answer has them.')


def _iter_period_starts(
    periods: Sequence[Period], find_period: Callable[[date], Period]
) -> Iterator[date]:
    """The first day of each month, or year, that has a day in one of the periods, if all end."""
    starts = [period.start for period in periods if period.start and period.end]
    ends = [period.end for period in periods if period.start and period.end]
    if not periods or len(starts) < len(periods):
        return
    day: date = find_period(min(starts)).start or min(starts)
    for _ in range(_MAX_MONTHS + 1):
        calendar_period = find_period(day)
        assert calendar_period.end
        if any(calendar_period.overlaps(period) for period in periods):
            yield day
        if calendar_period.end >= max(filter(None, ends)) or calendar_period.end == date.max:
            return
        day = date.fromordinal(calendar_period.end.toordinal() + 1)
