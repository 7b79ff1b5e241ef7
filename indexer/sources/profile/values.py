"""Convert one cell to the value of a field: ages in words, codes with their titles, value maps.

A converter raises ValueFaultError for a value whose meaning is not certain; its text shows the
value's shape only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from indexer.config.profile import DEFAULT_TIME_ZONE, FieldRule
from indexer.records.categories import Category
from indexer.records.model import MAX_AGE, PERSON_REFERENCES
from indexer.records.validation_messages import describe_shape
from indexer.sources.join import convert_category_value
from indexer.sources.profile.dates import DateReader

Converter = Callable[[Any], Any]

#: What a converter returns for an age that is a range, beside None: it is counted.
RANGE_NOTE: Final = "an age that is a range, such as 10-14 or 18+, counts as unknown"

_AGE: Final = re.compile(
    r"(?P<years>[0-9]{1,3})(?:[.,]0+)?\s*(?:y|yr|yrs|year|years)?\.?(?:\s*(?:old|of age|o))?\.?",
    re.IGNORECASE,
)

_INFANT: Final = re.compile(
    r"(?P<number>[0-9]{1,3})\s*(?P<unit>d|day|w|wk|week|m|mth|month)s?\.?(?:\s*old)?", re.IGNORECASE
)

#: How many of a unit make a year, of which a leap year has a day more.
_UNITS_IN_YEAR: Final = {"m": 12, "w": 365.25 / 7, "d": 365.25}

_RANGE: Final = re.compile(
    r"[0-9]{1,3}\s*(?:-|–|to)\s*[0-9]{1,3}(?:\s*(?:yrs?|years?))?"
    r"|[0-9]{1,3}\s*(?:\+|plus|and over|or over)"
    r"|(?:under|over|below|above|less than|more than|<|>|<=|>=)\s*[0-9]{1,3}"
    r"(?:\s*(?:yrs?|years?))?",
    re.IGNORECASE,
)

_DECIMAL: Final = re.compile(r"[0-9]+[.][0-9]+")

_WHOLE: Final = re.compile(r"(-?[0-9]{1,18})(?:[.,]0+)?")

#: A code and its title. What goes on with digits is a code written apart ("86 - 2"), whose sub-code
#: would be lost.
_TITLED_CODE: Final = re.compile(
    r"\s*([0-9][0-9A-Za-z/.]*)\s*(?:[-–—:]\s+|\s[-–—:]\s*|\s\s+)(?![\s-]*[0-9]).*",
    re.DOTALL,
)

_DESTROYED_CODE: Final = re.compile(
    r"[0-9]{1,2}[-/ ](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:[-/ ][0-9]{2,4})?"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/ ][0-9]{2,4}"
    r"|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}",
    re.IGNORECASE,
)

#: The beginnings of rows that count others, and the most cells of such a row.
_TOTAL_WORDS: Final = ("total", "grand total", "count", "sum", "subtotal", "end of report")

_MAX_TOTAL_CELLS: Final = 3

_SCIENTIFIC: Final = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,3}", re.IGNORECASE)

#: How spreadsheets keep the leading zeros of a text: ="0012", or with its quotes doubled.
TEXT_FORMULA: Final = re.compile(r'="{1,2}([^"]*)"{1,2}')

_EXPORT_AS_TEXT: Final = "Export it again with that column as text."


class ValueFaultError(ValueError):
    """A cell has no certain meaning. ``kind`` is what all cells of that fault share."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


def fold_value(value: Any) -> str:
    """A value as the keys of a map are compared: white space folded, without regard to case."""
    return " ".join(str(value).split()).casefold()


def is_empty(value: Any) -> bool:
    """Whether a cell has no value: null, or text of spaces only."""
    return value is None or (isinstance(value, str) and not value.strip())


def find_total_word(cells: Sequence[Any], filled: Sequence[int]) -> str | None:
    """The word with which a row begins that counts others, if it has few cells; else None.
    ``filled`` are the places of those that have a value."""
    if not filled or len(filled) > _MAX_TOTAL_CELLS or len(cells) <= _MAX_TOTAL_CELLS:
        return None
    text = str(cells[filled[0]]).strip().casefold()
    return next((word for word in _TOTAL_WORDS if text.startswith(word)), None)


def is_destroyed_code(value: Any) -> bool:
    """Whether Excel turned an offence code into a date: 8/1 becomes 8 January."""
    return isinstance(value, date) or (
        isinstance(value, str) and _DESTROYED_CODE.fullmatch(value.strip()) is not None
    )


def is_destroyed_number(value: Any) -> bool:
    """Whether Excel rounded a long reference: 1.23E+11, also as a formula that gives that text."""
    if isinstance(value, str):
        return _SCIENTIFIC.fullmatch(_strip_formula(value.strip())) is not None
    return isinstance(value, float) and (abs(value) >= 1e15 or value != int(value))


def count_decimals(value: float | Decimal) -> int:
    """The decimals that a number needs; what arithmetic of computers adds to it does not count."""
    return len(f"{value:.9f}".rstrip("0").partition(".")[2])


def split_titled_code(value: str) -> str | None:
    """The code before a title ("8602 - Title"); None if there is no title."""
    match = _TITLED_CODE.fullmatch(value)
    return match[1] if match else None


def make_converter(
    field: str, column: str, rule: FieldRule, category: Category | None = None
) -> Converter:
    """What converts the cells of one column for a field ("victims.age")."""
    inner = field.rpartition(".")[2]
    mapped = {fold_value(key): value if value != "" else None for key, value in rule.values.items()}
    if inner in ("recorded_on", "updated_at"):
        convert = _make_day_converter(column, rule, keep_time=inner == "updated_at")
    elif inner == "age":
        convert = _make_age_converter(column, rule)
    elif inner == "outcome":
        convert = _make_whole_converter(column)
    elif inner == "offence_code":
        convert = _make_code_converter(column, rule)
    elif inner in ("crime_ref", *PERSON_REFERENCES):
        convert = _make_reference_converter(column, rule)
    elif category is not None:
        convert = _make_category_converter(category)
    elif inner == "narrative":
        convert = _convert_narrative
    else:
        convert = _make_word_converter(column, mapped)
    return _map_values(convert, mapped) if mapped else convert


def _map_values(convert: Converter, mapped: Mapping[str, Any]) -> Converter:
    def look_up(value: Any) -> Any:
        folded = "" if value is None else fold_value(value)
        return mapped[folded] if folded in mapped else convert(value)

    return look_up


def _make_word_converter(column: str, mapped: Mapping[str, Any]) -> Converter:
    """Values that are kept as they are; with a map, only those that it has."""

    def convert(value: Any) -> Any:
        if is_empty(value):
            return None
        if mapped:
            raise ValueFaultError(
                f'"{column}" is {describe_shape(value)}, which is not among the values that '
                "[source.profile.fields] maps. Correct it, or add it to the map.",
                f'"{column}" has a value that the profile does not map',
            )
        return value.strip() if isinstance(value, str) else value

    return convert


def _make_category_converter(category: Category) -> Converter:
    return lambda value: None if is_empty(value) else convert_category_value(category, value)


def _convert_narrative(value: Any) -> Any:
    if type(value) is str:
        return value
    if value is None:
        return ""
    return value if isinstance(value, list) else str(value)


def _make_day_converter(column: str, rule: FieldRule, *, keep_time: bool) -> Converter:
    reader = DateReader(rule.dates, rule.time_zone or DEFAULT_TIME_ZONE)
    forms = reader.description

    def convert(value: Any) -> Any:
        if is_empty(value) or (keep_time and not rule.dates):
            return None if is_empty(value) else value
        day = reader.read(value)
        if day is None and (form := reader.find_form(value)):
            future = "" if "YYYY" in form.upper() else ", or it is of a year to come"
            raise ValueFaultError(
                f'"{column}" has the form {form}, but no calendar has that day{future}. '
                "Correct it.",
                f'"{column}" is a day that no calendar has',
            )
        if day is None:
            raise ValueFaultError(
                f'"{column}" is {describe_shape(value)}, not a date of the form {forms}. '
                "Correct it.",
                f'"{column}" is not a date of the form {forms}',
            )
        return day

    return convert


def _make_age_converter(column: str, rule: FieldRule) -> Converter:
    def convert(value: Any) -> Any:
        if is_empty(value):
            return None
        if rule.unit is not None:
            value = join_age(value, rule.unit)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return int(value) if value == int(value) else value
        text = " ".join(str(value).split())
        if match := _AGE.fullmatch(text):
            return int(match["years"])
        if match := _INFANT.fullmatch(text):
            return int(int(match["number"]) / _UNITS_IN_YEAR[match["unit"][0].lower()])
        if rule.ranges == "unknown" and is_age_range(text):
            return RANGE_NOTE
        raise ValueFaultError(
            f'"{column}" is {describe_shape(value)}, not an age in years. Correct it, or add it to '
            "values of [source.profile.fields].",
            f'"{column}" is not an age in years',
        )

    return convert


def join_age(value: Any, unit: Any) -> Any:
    """An age with its unit: 8 and "months" are "8 months". What is no whole number, or has no unit
    beside it, stays as it is."""
    match = None if isinstance(value, bool) else _WHOLE.fullmatch(str(value).strip())
    return value if match is None or is_empty(unit) else f"{match[1]} {str(unit).strip()}"


def is_age_range(text: str) -> bool:
    """Whether a text is a range of ages, such as 10-14, 18+ or under 18."""
    return _RANGE.fullmatch(" ".join(text.split())) is not None


def is_age(text: str) -> bool:
    """Whether a text is one age: 15, 15.0, 15 years, 6 months."""
    folded = " ".join(text.split())
    return (_AGE.fullmatch(folded) or _INFANT.fullmatch(folded)) is not None


def is_high_age(text: str) -> bool:
    """Whether a text is a number of years that no person has reached, such as 151."""
    match = _AGE.fullmatch(" ".join(text.split()))
    return match is not None and int(match["years"]) > MAX_AGE


def _make_whole_converter(column: str) -> Converter:
    def convert(value: Any) -> Any:
        if is_empty(value):
            return None
        if isinstance(value, int):
            return value
        match = _WHOLE.fullmatch(str(value).strip())
        if match is None:
            raise ValueFaultError(
                f'"{column}" is {describe_shape(value)}, not a whole number. Correct it.',
                f'"{column}" is not a whole number',
            )
        return int(match[1])

    return convert


def _make_code_converter(column: str, rule: FieldRule) -> Converter:
    destroyed = (
        f'"{column}" has a date where an offence code should be: Excel turns codes such as 8/1 '
        f"into dates. {_EXPORT_AS_TEXT}"
    )

    def convert(value: Any) -> Any:
        if is_empty(value):
            return None
        if is_destroyed_code(value):
            raise ValueFaultError(destroyed, f'"{column}" has a date instead of an offence code')
        if isinstance(value, str):
            text = _strip_formula(value)
            if isinstance(rule.decimals, int) and _DECIMAL.fullmatch(text):
                decimals = len(text.partition(".")[2])
                return _make_decimal_code(column, text, decimals, rule.decimals)
            return (split_titled_code(text) or text) if rule.titled else text
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return value
        if isinstance(value, int) or value == int(value):
            return str(int(value))
        if not isinstance(rule.decimals, int):
            raise ValueFaultError(
                f'"{column}" is a decimal number, and 86.1 can be 86/1 or 86/10. Say decimals in '
                "[source.profile.fields], or export it again with that column as text.",
                f'"{column}" is a decimal number instead of an offence code',
            )
        return _make_decimal_code(column, value, count_decimals(value), rule.decimals)

    return convert


def _make_decimal_code(column: str, value: str | float | Decimal, found: int, decimals: int) -> str:
    """The code that a number stands for: 86/10 for 86.1 with two decimals. One in which more were
    found is refused, for rounded it would be another code."""
    if found > decimals:
        raise ValueFaultError(
            f'"{column}" has more digits after the point than decimals = {decimals} in '
            "[source.profile.fields] allows, so it would become another code. Correct decimals.",
            f'"{column}" has more digits after the point than decimals allows',
        )
    return f"{Decimal(value):.{decimals}f}".replace(".", "/")


def _make_reference_converter(column: str, rule: FieldRule) -> Converter:
    digits = rule.digits if isinstance(rule.digits, int) else 0

    def fill(text: str) -> str:
        if digits and len(text) > digits:
            raise ValueFaultError(
                f'"{column}" has {len(text)} digits, and [source.profile.fields] says digits = '
                f"{digits}. Correct digits, or the cell.",
                f'"{column}" has more digits than digits says',
            )
        return text.zfill(digits)

    def convert(value: Any) -> Any:
        if type(value) is str and not digits:
            text = value.strip()
            # As it most often is: no formula, and no number that was rounded.
            if text and text[0] != "=" and "E" not in text and "e" not in text:
                return text
        if is_empty(value):
            return None
        if isinstance(value, bool):
            return value
        if not is_destroyed_number(value) and not isinstance(value, date):
            if isinstance(value, str):
                text = _strip_formula(value)
                return fill(text) if text.isdecimal() else text
            return fill(str(int(value) if isinstance(value, float) else value))
        raise ValueFaultError(
            f'"{column}" is not whole: Excel turned the reference into a date or rounded it. '
            f"{_EXPORT_AS_TEXT}",
            f'"{column}" has a date or a rounded number instead of a reference',
        )

    return convert


def _strip_formula(text: str) -> str:
    match = TEXT_FORMULA.fullmatch(text) if text.startswith("=") else None
    return (match[1] if match else text).strip()
