"""Working days, as the Acts count them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

_SATURDAY: Final = 5


def add_working_days(start: date, days: int, regions: Iterable[str]) -> date:
    """The day that is a number of working days after another; the first is the next one.

    A bank holiday of any of the ``regions`` of the United Kingdom (ENG, NIR, SCT, WLS) is not a
    working day.
    """
    from holidays import country_holidays

    calendars = [country_holidays("GB", subdiv=region) for region in regions]
    day = start
    while days:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY and not any(day in calendar for calendar in calendars):
            days -= 1
    return day
