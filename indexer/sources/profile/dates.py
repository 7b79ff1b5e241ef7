"""Read dates by a list of forms such as DD/MM/YYYY. Nothing is guessed.

A form is written with YYYY or YY, MM or M, DD or D, MON (Jul) or MONTH (July), hh, mm and ss, AM
(also PM), Z for a time zone (Z, UTC, GMT or +01:00), and the signs between them; D and M also read
two digits. "excel" is a day's number in Excel's calendar from 1900, "excel-1904" in that from 1904.

A time with a time zone is of the day that it was where the force is: 2018-03-31T23:30:00Z is of
1 April in the British summer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.config.profile import DEFAULT_TIME_ZONE
from indexer.errors import ConfigurationError

EXCEL_EPOCHS: Final = {"excel": date(1899, 12, 30), "excel-1904": date(1904, 1, 1)}

#: The days of Excel's calendar that a record can have: 1930 to 2099.
EXCEL_DAYS: Final = range(10_959, 73_051)

ISO_FORM: Final = "YYYY-MM-DD"

#: How a table of rejected rows has the time in a cell of a spreadsheet.
_ISO_TIME_FORM: Final = "YYYY-MM-DDThh:mm:ss"

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip

_MONTH_NUMBERS: Final = {
    name: number
    for number, month in enumerate(_MONTHS, start=1)
    for name in (month, month[:3], *(("sept",) if month == "september" else ()))
}

#: A time zone after a time.
ZONE_PATTERN: Final = r"Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?"

_TOKENS: Final = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short>[0-9]{2})",
    "MONTH": r"(?P<name>[A-Za-z]{3,9})",
    "MON": r"(?P<name>[A-Za-z]{3,4})",
    "AM": r"(?P<half>[AaPp][Mm])",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
    "hh": r"(?P<hour>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2}(?:\.[0-9]+)?)",
    "Z": rf"(?P<zone>{ZONE_PATTERN})",
}

_TOKEN: Final = re.compile("|".join(_TOKENS))


class DateForm:
    """One form of a date."""

    def __init__(self, text: str) -> None:
        """Raises ConfigurationError for what is not a form of a whole date."""
        self.text = text
        self.epoch = EXCEL_EPOCHS.get(text.lower())
        # "D Month YYYY" and "d/m/yy" are how people write a form.
        written = re.sub(r"(?i)month", "MONTH", text)
        written = re.sub(r"(?i)mon(?!th)", "MON", written)
        written = re.sub(r"[ydY]+", lambda match: match[0].upper(), written)
        tokens = _TOKEN.findall(written)
        self.shape = _TOKEN.sub(lambda match: "N" if "N" in match[0] else "9", written)
        if self.epoch is None and (
            not any(token in tokens for token in ("YYYY", "YY"))
            or not any(token in tokens for token in ("MM", "M", "MON", "MONTH"))
            or not any(token in tokens for token in ("DD", "D"))
            or len({token[0:1] + token[1:3] for token in tokens}) != len(tokens)
            or ("Z" in tokens and (not {"hh", "mm"} <= set(tokens) or "AM" in tokens))
        ):
            raise ConfigurationError(
                f'[source.profile] dates: "{text[:40]}" is not the form of a date, such as '
                "DD/MM/YYYY, D Month YYYY or YYYY-MM-DDThh:mm:ss. Correct it."
            )
        self.order = tuple(
            "year" if "Y" in token else "day" if "D" in token else "month"
            for token in tokens
            if token[0] in "YMD"
        )
        pattern, position = "", 0
        for match in _TOKEN.finditer(written):
            pattern += re.escape(written[position : match.start()]) + _TOKENS[match[0]]
            position = match.end()
        self._match = re.compile(pattern + re.escape(written[position:])).fullmatch

    def fits(self, text: str) -> bool:
        """Whether a text has this form, even of a day that no calendar has."""
        return self.epoch is None and self._match(text) is not None

    def read(self, text: str, zone: ZoneInfo) -> date | None:
        """The day that a text of this form names, of a time with a time zone that of ``zone``; None
        if it is of another form or no day."""
        if self.epoch is not None:
            return None
        match = self._match(text)
        if match is None:
            return None
        parts = match.groupdict()
        month = (
            _MONTH_NUMBERS.get(parts["name"].lower()) if "name" in parts else int(parts["month"])
        )
        year = int(parts["year"]) if "year" in parts else 2000 + int(parts["short"])
        if month is None or ("short" in parts and year > date.today().year):  # noqa: DTZ011
            return None
        try:
            if "zone" not in parts:
                return date(year, month, int(parts["day"]))
            hour, minute = int(parts["hour"]), int(parts["minute"])
            moment = datetime(
                year, month, int(parts["day"]), hour, minute, tzinfo=_read_offset(parts["zone"])
            )
            return moment.astimezone(zone).date()
        except (ValueError, OverflowError):
            return None


def _read_offset(text: str) -> timezone:
    """The offset of +01:00, +0100 or +01; of letters, none. Raises ValueError for a day or more."""
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


class DateReader:
    """Reads the dates of one column by a list of forms, the ISO form always among them; without
    any, with a time of the day, too."""

    def __init__(self, forms: Sequence[str], time_zone: str = DEFAULT_TIME_ZONE) -> None:
        """``time_zone`` is that of the days. Raises ConfigurationError for a form that is none, or
        two that differ only in the order of day and month."""
        self._zone = ZoneInfo(time_zone)
        self._forms = [DateForm(text) for text in forms]
        for number, form in enumerate(self._forms):
            for other in self._forms[:number]:
                if form.shape == other.shape and form.order != other.order:
                    raise ConfigurationError(
                        f'[source.profile] dates: "{other.text}" and "{form.text}" read the same '
                        "text as different days. Keep one."
                    )
        self.description = " or ".join(forms) if forms else ISO_FORM
        iso = DateForm(ISO_FORM)
        if not any(form.shape == iso.shape for form in self._forms):
            self._forms.append(iso)
        if not forms:
            self._forms.append(DateForm(_ISO_TIME_FORM))
        self._epoch = next((form.epoch for form in self._forms if form.epoch), None)

    def find_form(self, value: Any) -> str | None:
        """The form that a cell of text has, even of a day that no calendar has; None if it has
        none of the forms."""
        text = " ".join(value.split()) if isinstance(value, str) else ""
        return next((form.text for form in self._forms if form.fits(text)), None)

    def read(self, value: Any) -> date | None:
        """The day of a cell: of a date, of a text in one of the forms, or of a day's number."""
        if isinstance(value, datetime):
            return (value if value.tzinfo is None else value.astimezone(self._zone)).date()
        if isinstance(value, date):
            return value
        if isinstance(value, str):
            text = " ".join(value.split())
            for form in self._forms:
                if day := form.read(text, self._zone):
                    return day
            if self._epoch is None or not text.isdecimal():
                return None
            value = int(text)
        if self._epoch is None or isinstance(value, bool) or not isinstance(value, int | float):
            return None
        whole = int(value) if value == value else 0  # noqa: PLR0124 - not a number
        return self._epoch + timedelta(days=whole) if whole in EXCEL_DAYS else None
