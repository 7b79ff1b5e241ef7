"""Finds days, months and years in a text, each in one of a few fixed forms, day before month.

Nothing is guessed: what is in none of the forms, or is not in the calendar, is not a date.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Final, Literal

from msgspec import Struct

_MONTHS: Final = {
    name.casefold(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}

_MONTH: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))

_DATE_FORMS: Final = re.compile(
    rf"""
    (?<![\w/.])(?:(?<!\d-)|(?=[A-Z]))(?:
      (?P<iso>(?P<iy>\d{{4}})-(?P<im>\d\d)-(?P<id>\d\d))
    | (?P<slash>(?P<sd>\d{{1,2}})(?P<sep>[/.-])(?P<sm>\d{{1,2}})(?P=sep)(?P<sy>\d{{4}}|\d\d))
    | (?P<dmy>(?:(?P<d0>\d{{1,2}})(?:st|nd|rd|th)?\ ?(?:-|to|until|till|(?P<d0_and>and))\ ?(?:the\ )?)?(?P<dd>\d{{1,2}})(?:st|nd|rd|th)?(?:\ day)?(?:\ of)?\ (?P<dm>{_MONTH})\b\.?
        (?:,?\ (?:(?P<dy>\d{{4}})|'(?P<dys>\d\d)))?)
    | (?P<mdy>(?P<mm>{_MONTH})\.?\ (?P<md>\d{{1,2}})(?:st|nd|rd|th)?,?\ (?P<my>\d{{4}}))
    | (?P<month>(?P<om>{_MONTH})\b\.?(?:,?\ (?:of\ )?(?:(?P<oy>\d{{4}})|'(?P<oys>\d\d)))?)
    | (?P<years>(?P<a1>(?:19|20)\d\d)\ ?-\ ?(?P<a2>(?:19|20)\d\d))
    | (?P<fy>(?:fy\ ?)?(?P<f1>(?:19|20)\d\d)\ ?[/-]\ ?(?P<f2>(?:(?:19|20)\d\d)|\d\d))
    | (?P<short>(?P<h1>\d\d)\ ?[/-]\ ?(?P<h2>\d\d))
    | (?P<ending>fy\ ?'?(?P<e1>(?:20)?\d\d))
    | (?P<year>(?P<y1>(?:19|20)\d\d))
    )(?![\w/]|\.\d|(?<=\d)-\d)
    """,
    re.VERBOSE | re.IGNORECASE,
)

_BETWEEN: Final = re.compile(r"\bbetween (?:the )?$", re.IGNORECASE)

#: What a token is. An "ending" year is a financial year named by one year alone ("FY24"); "years"
#: are several from the first to the last.
DateKind = Literal["day", "month", "financial", "short", "ending", "year", "years"]


class DateToken(Struct, frozen=True):
    """A date in a text, from ``begin`` to ``stop``: its first and its last day.

    ``is_yearless`` if the text gives no year, so that it has to come from the other end of a range.
    """

    kind: DateKind
    begin: int
    stop: int
    first: date
    last: date
    is_yearless: bool = False

    def with_year(self, year: int) -> DateToken | None:
        """The same days in another year; None if that year lacks them."""
        with suppress(ValueError):
            first = self.first.replace(year=year)
            if self.kind == "month":
                return _make_month(self.begin, self.stop, year, first.month)
            return DateToken("day", self.begin, self.stop, first, self.last.replace(year=year))
        return None


def find_date_tokens(text: str) -> list[DateToken]:
    """The dates of a text in their order."""
    return list(_iterate_tokens(text))


def find_only_day(text: str) -> date | None:
    """The day that a text has, if it is a whole date and nothing else but a weekday or a place."""
    days = [
        token for token in find_date_tokens(text) if token.kind == "day" and not token.is_yearless
    ]
    return days[0].first if len(days) == 1 else None


def find_financial_days(start_year: int) -> tuple[date, date]:
    """The first and the last day of the financial year that begins in a year."""
    return date(start_year, 4, 1), date(start_year + 1, 3, 31)


def find_tax_days(start_year: int) -> tuple[date, date]:
    """The first and the last day of the tax year that begins in a year."""
    return date(start_year, 4, 6), date(start_year + 1, 4, 5)


def _iterate_tokens(text: str) -> Iterator[DateToken]:
    position = 0
    while match := _DATE_FORMS.search(text, position):
        token = None
        with suppress(ValueError):
            token = _read_token(match)
        if token:
            yield token
            position = token.stop
        else:
            # "20/21/22" is not a date: go on behind its first digits, not behind all of it.
            position = match.start() + 1


def _read_token(match: re.Match[str]) -> DateToken | None:
    """The token of a match, or None. Raises ValueError for a day that the calendar lacks."""
    begin, stop = match.span()
    day_fields = (("iso", "iy", "im", "id"), ("slash", "sy", "sm", "sd"), ("mdy", "my", "mm", "md"))
    for form, year, month, day in day_fields:
        if match[form]:
            month_number = _MONTHS.get(match[month].casefold()) or int(match[month])
            return _make_day(
                begin, stop, _complete_year(match[year]), month_number, int(match[day])
            )
    if match["dmy"]:
        return _read_day(match)
    return _read_month(match) if match["month"] else _read_year(match)


def _read_day(match: re.Match[str]) -> DateToken | None:
    """A day whose month is written in letters, or several ("1-15 May"), with or without a year."""
    begin, stop = match.span()
    if match["d0_and"] and not _BETWEEN.search(match.string, 0, begin):
        return None  # two days, and not those between them
    month = _MONTHS[match["dm"].casefold()]
    year_text = match["dy"] or match["dys"]
    year = _complete_year(year_text) if year_text else 2000
    first, last = (
        date(year, month, int(match["d0"] or match["dd"])),
        date(year, month, int(match["dd"])),
    )
    if first > last:
        return None
    return DateToken("day", begin, stop, first, last, is_yearless=not year_text)


def _read_month(match: re.Match[str]) -> DateToken | None:
    begin, stop = match.span()
    month, year_text = _MONTHS[match["om"].casefold()], match["oy"] or match["oys"]
    if year_text:
        return _make_month(begin, stop, _complete_year(year_text), month)
    if not match["om"][0].isupper():
        return None  # "may" and "march" are words
    token = _make_month(begin, stop, 2000, month)
    return DateToken("month", begin, stop, token.first, token.last, is_yearless=True)


def _read_year(match: re.Match[str]) -> DateToken | None:
    begin, stop = match.span()
    if match["year"]:
        year = int(match["y1"])
        return DateToken("year", begin, stop, date(year, 1, 1), date(year, 12, 31))
    if match["years"]:
        start_year, end_year = int(match["a1"]), int(match["a2"])
        if end_year == start_year + 1:
            return DateToken("financial", begin, stop, *find_financial_days(start_year))
        days = date(start_year, 1, 1), date(end_year, 12, 31)
        return DateToken("years", begin, stop, *days) if start_year < end_year else None
    if match["ending"]:
        return DateToken(
            "ending", begin, stop, *find_financial_days(_complete_year(match["e1"]) - 1)
        )
    start, end = (match["f1"], match["f2"]) if match["fy"] else (match["h1"], match["h2"])
    if int(end[-2:]) != (int(start[-2:]) + 1) % 100 or (
        len(end) == 4 and int(end) != int(start) + 1
    ):
        return None
    days = find_financial_days(_complete_year(start))
    return DateToken("financial" if match["fy"] else "short", begin, stop, *days)


def _complete_year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _make_day(begin: int, stop: int, year: int, month: int, day: int) -> DateToken:
    return DateToken("day", begin, stop, date(year, month, day), date(year, month, day))


def _make_month(begin: int, stop: int, year: int, month: int) -> DateToken:
    last = calendar.monthrange(year, month)[1]
    return DateToken("month", begin, stop, date(year, month, 1), date(year, month, last))
