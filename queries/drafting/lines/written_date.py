"""Dates and times as the heads of quoted mails write them."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)

_MONTH_NAME: Final = r"(?P<month>jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"

_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)?[ -]+{_MONTH_NAME},?"
        r"[ -]+(?P<year>\d{4})\b",
        rf"\b{_MONTH_NAME} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})\b",
        r"\b(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})(?:T|\b)",
        r"\b(?P<day>\d{1,2})[/.](?P<number>\d{1,2})[/.](?P<year>\d{4}|\d{2})\b",
    )
)

_TIME: Final = re.compile(
    r"\b(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.]\d{2})?\s*(?P<half>[ap])?\.?m?\b",
    re.IGNORECASE,
)


def parse_written_datetime(text: str) -> datetime | None:
    """The day and time of a mail's head, without a time zone; None if the text holds no day.

    Numbers are read in the British order: day, month, year.
    """
    try:
        return parsedate_to_datetime(text.strip()).replace(tzinfo=None)
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    for form in _FORMS:
        if match := form.search(text):
            return _build_datetime(match, text[: match.start()] + " " + text[match.end() :])
    return None


def _build_datetime(match: re.Match[str], rest: str) -> datetime | None:
    fields = match.groupdict()
    month_name = fields.get("month")
    month = _MONTHS.index(month_name[:3].lower()) + 1 if month_name else int(fields["number"] or 0)
    year = int(fields["year"])
    clock = _TIME.search(rest)
    hour, minute = (int(clock["hour"]), int(clock["minute"])) if clock else (0, 0)
    if clock and clock["half"]:
        hour = hour % 12 + (12 if clock["half"].lower() == "p" else 0)
    try:
        day = datetime(year + 2000 if year < 100 else year, month, int(fields["day"]))  # noqa: DTZ001
    except ValueError:
        return None
    return day.replace(hour=hour, minute=minute) if hour < 24 and minute < 60 else day
