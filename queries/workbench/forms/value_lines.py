"""Values of a request as lines that people write, and back: periods, offences, terms, ages.

Each pair of functions takes the value as ``parse_yaml`` reads it. A value that has no such lines
gives None: the form does not show it, and leaves it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from queries.spec.term_spec import TermSpec

_DAYS: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\s*(?:to|until|-|\u2013)\s*(\d{4}-\d{2}-\d{2})")

_YEAR: Final = re.compile(r"\d{4}(/\d{2})?")

_BAND: Final = re.compile(
    r"(?:(\d{1,3})\s*(?:-|\u2013|to)\s*(\d{1,3})|(under|over)\s+(\d{1,3})|(\d{1,3}))", re.IGNORECASE
)

_TERM: Final = re.compile(r"(?P<term>[^()]+?)\s*(?:\((?P<options>[^()]*)\))?")

_NEAR: Final = re.compile(
    r"(?P<term>.+?)\s+within\s+(?P<distance>\d+)(?:\s+words?)?", re.IGNORECASE
)

_AS_WRITTEN: Final = "only as written"

_LIST: Final = re.compile(r"list:\s*(\S.*)", re.IGNORECASE)

#: Between the words of a list on one line; those of brackets stay together.
_LIST_SEPARATOR: Final = re.compile(r";(?![^()]*\))")

_PEOPLE: Final = ("victim", "suspect")


class LineError(Exception):
    """A line that cannot be read. The message says what is expected, and ``part`` in which part of
    a field it stands, if a field has several."""

    def __init__(self, message: str, part: str = "") -> None:
        super().__init__(message)
        self.part = part


class LineStyle(Struct, frozen=True):
    """How a list of values is written, one a line."""

    read: Callable[[str], Any]
    write: Callable[[Any], str | None]
    hint: str

    def read_lines(self, text: str) -> list[Any]:
        """The values of the lines. Raises LineError."""
        return [self.read(line) for line in map(str.strip, text.splitlines()) if line]

    def write_lines(self, values: Any) -> str | None:
        """The lines of a list of values, None if one of them has none, or not the same value."""
        if not isinstance(values, list):
            return None
        lines = [self.write(value) for value in values]
        if any(line is None for line in lines):
            return None
        text = "\n".join(filter(None, lines))
        try:
            return text if self.read_lines(text) == values else None
        except LineError:
            return None


class MapStyle(Struct, frozen=True):
    """How named values are written, one a line, with a colon after the name."""

    read: Callable[[str, str], Any]
    write: Callable[[str, Any], str | None]
    hint: str

    def read_lines(self, text: str) -> dict[str, Any]:
        """The values of the lines, by their names. Raises LineError."""
        values: dict[str, Any] = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            name, colon, rest = (part.strip() for part in line.partition(":"))
            if not (name and colon and rest):
                raise LineError("Write a name, a colon and what belongs to it, as in the example")
            if name in values:
                raise LineError(f"Write {name[:40]} on one line only")
            values[name] = self.read(name, rest)
        return values

    def write_lines(self, values: Any) -> str | None:
        """The lines of named values, None if one of them has none, or not the same value."""
        if values == []:
            return ""
        if not isinstance(values, dict):
            return None
        lines = [self.write(name, value) for name, value in values.items()]
        if any(line is None for line in lines):
            return None
        text = "\n".join(f"{name}: {line}" for name, line in zip(values, lines, strict=True))
        try:
            return text if self.read_lines(text) == values else None
        except LineError:
            return None


class TermStyle(LineStyle, frozen=True):
    """Words one a line, or a list of the request by its name alone."""

    def read_lines(self, text: str) -> Any:
        """The words, or the list. Raises LineError."""
        if named := _LIST.fullmatch(text.strip()):
            return {"list": named[1].strip()}
        return LineStyle.read_lines(self, text)

    def write_lines(self, values: Any) -> str | None:
        """The lines of words, or of a list that is named."""
        if isinstance(values, dict) and values.keys() == {"list"}:
            return f"list: {values['list']}"
        text = LineStyle.write_lines(self, values)
        return None if text is None or _LIST.fullmatch(text) else text


def _read_period(line: str) -> Any:
    written, _, label = (part.strip() for part in line.partition(":"))
    days = _DAYS.fullmatch(written)
    if days is None and _YEAR.fullmatch(written) and not label:
        return written
    if days is None:
        raise LineError("Enter periods such as 2017/18, 2017 or 2017-04-01 to 2018-03-31")
    period = {"from": days[1], "to": days[2]}
    return period | ({"label": label} if label else {})


def _write_period(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not {"from", "to"} <= value.keys() <= {"from", "to", "label"}:
        return None
    label = f": {value['label']}" if "label" in value else ""
    return f"{value['from']} to {value['to']}{label}"


def _read_offence(line: str) -> Any:
    codes, _, label = (part.strip() for part in line.partition(":"))
    row: dict[str, Any] = {"codes": [code.strip() for code in codes.split(",") if code.strip()]}
    if not row["codes"]:
        raise LineError("Enter the code of an offence first, such as 88/1: Meeting a child")
    return row | ({"label": label} if label else {})


def _write_offence(value: Any) -> str | None:
    if not isinstance(value, dict) or not {"codes"} <= value.keys() <= {"codes", "label"}:
        return None
    if not isinstance(value["codes"], list):
        return None
    label = f": {value['label']}" if "label" in value else ""
    return ", ".join(value["codes"]) + label


def _read_term(line: str) -> Any:
    match = _TERM.fullmatch(line)
    if match is None:
        raise LineError("Write brackets only once, after the word, such as Facebook (also FB)")
    if match["options"] is None:
        return match["term"]
    term: dict[str, Any] = {"term": match["term"]}
    for option in map(str.strip, match["options"].split(";")):
        word, _, rest = option.partition(" ")
        if option.lower() == _AS_WRITTEN:
            term["variants"] = "none"
        elif word.lower() == "also" and rest:
            term["aliases"] = [name.strip() for name in rest.split(",")]
        elif word.lower() == "with" and rest:
            term["with"] = [_read_required(name.strip()) for name in rest.split(",")]
        else:
            raise LineError(
                f'In brackets, write "also ...", "with ..." or "{_AS_WRITTEN}", with ; between them'
            )
    return term


def _read_required(text: str) -> Any:
    near_match = _NEAR.fullmatch(text)
    return {"term": near_match["term"], "within": near_match["distance"]} if near_match else text


def _write_term(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not value.keys() <= {"term", "variants", "aliases", "with"}:
        return None
    options = []
    for key, item in value.items():
        if key == "variants" and item == "none":
            options.append(_AS_WRITTEN)
        elif key == "aliases" and isinstance(item, list):
            options.append(f"also {', '.join(map(str, item))}")
        elif key == "with" and isinstance(item, list):
            options.append(f"with {', '.join(map(_write_required, item))}")
        elif key != "term":
            return None
    return f"{value.get('term')} ({'; '.join(options)})" if options else None


def write_term_line(spec: TermSpec) -> str:
    """The line of a term of a request."""
    return _write_term(msgspec.json.decode(msgspec.json.encode(spec))) or spec.term


def _write_required(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value.get('term')} within {value.get('within')}"
    return str(value)


def _read_band(line: str) -> Any:
    ages, _, label = (part.strip() for part in line.partition(":"))
    match = _BAND.fullmatch(ages)
    if match is None:
        raise LineError("Enter ages such as 0 to 11, under 18, over 64 or 16, one a line")
    low, high, side, limit, single = match.groups()
    band: dict[str, str] = {}
    if single:
        band = {"from": str(int(single)), "to": str(int(single))}
    elif side is None:
        band = {"from": str(int(low)), "to": str(int(high))}
    elif side.lower() == "under":
        band = {"to": str(int(limit) - 1)}
    else:
        band = {"from": str(int(limit) + 1)}
    return band | ({"label": label} if label else {})


def _write_band(value: Any) -> str | None:
    if not isinstance(value, dict) or not value.keys() <= {"from", "to", "label"}:
        return None
    low, high = value.get("from"), value.get("to")
    if not all(age is None or str(age).isdecimal() for age in (low, high)) or low is high is None:
        return None
    if low is None:
        ages = f"under {int(str(high)) + 1}"
    elif high is None:
        ages = f"over {int(low) - 1}"
    else:
        ages = low if low == high else f"{low} to {high}"
    return ages + (f": {value['label']}" if "label" in value else "")


def _read_condition(name: str, text: str) -> Any:
    """The values that a field may have, or what a person must be."""
    if name not in _PEOPLE:
        return _split_values(text)
    person: dict[str, Any] = {}
    for part in map(str.strip, text.split(";")):
        word, _, rest = part.partition(" ")
        if word.lower() == "sex" and rest.strip():
            person["sex"] = _split_values(rest)
        else:
            person["age"] = _read_band(part)
    return person


def _write_condition(name: str, value: Any) -> str | None:
    if name not in _PEOPLE:
        return ", ".join(value) if _is_list_of_text(value) else None
    if not isinstance(value, dict) or not value.keys() <= {"age", "sex"}:
        return None
    parts = [] if "age" not in value else [_write_band(value["age"])]
    if "sex" in value:
        parts.append(f"sex {', '.join(value['sex'])}" if _is_list_of_text(value["sex"]) else None)
    written = [part for part in parts if part is not None]
    return "; ".join(written) if len(written) == len(parts) else None


def _split_values(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _read_list(_: str, text: str) -> Any:
    return [_read_term(part.strip()) for part in _LIST_SEPARATOR.split(text) if part.strip()]


def _write_list(_: str, value: Any) -> str | None:
    if not isinstance(value, list):
        return None
    words = [_write_term(word) for word in value]
    known = [word for word in words if word is not None]
    return "; ".join(known) if len(known) == len(words) else None


def _read_code(line: str) -> Any:
    return line


def _write_code(value: Any) -> str | None:
    return value if isinstance(value, str) else None


PERIODS: Final = LineStyle(
    _read_period,
    _write_period,
    "One a line, such as 2017/18, 2017 or 2017-04-01 to 2018-03-31. Several become columns.",
)

OFFENCES: Final = LineStyle(
    _read_offence,
    _write_offence,
    "One row of a table a line: its codes, and after a colon what it is called, such as "
    "88/1, 88/2: Meeting a child. Leave empty for all offences.",
)

TERMS: Final = TermStyle(
    _read_term,
    _write_term,
    "One a line, such as Snapchat. Spellings with hyphens and spaces are found by themselves. In "
    "brackets you may add: Facebook (also FB), Hinge (with app), Hinge (with app within 5 words), "
    "WeChat (only as written). A list of the request is taken by its name alone: list: platforms.",
)

CONDITIONS: Final = MapStyle(
    _read_condition,
    _write_condition,
    "One a line: a field and the values that it may have, such as outcome: 1, 18. A line such as "
    "victim: under 18; sex F keeps the records with such a victim; suspect does the same.",
)

LISTS: Final = MapStyle(
    _read_list,
    _write_list,
    "One list a line: its name, and its words with ; between them, such as "
    "platforms: TikTok; Facebook (also FB). Questions take it with list: platforms.",
)

BANDS: Final = LineStyle(
    _read_band,
    _write_band,
    "One a line, such as 0 to 11, under 18, over 64 or 16. A name may follow a colon.",
)

CODES: Final = LineStyle(_read_code, _write_code, "One a line, such as 86/2.")
