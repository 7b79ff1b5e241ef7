"""The number or bullet at the start of a line, and its place among those before it.

A number counts as one only if it continues a list, or may begin one: "21 (sexual activity ...)" is
an offence code, and "2 Harbour Parade" an address.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: A single "o" is the bullet of a word processor that was saved as text.
_BULLET: Final = re.compile(
    r"(?:[-\u2010-\u2015](?=\s|[^\W\d])|[*+o](?=\s)"
    r"|[\u2022\u2023\u2043\u2219\u25a0-\u25ff\u27a2\u2713\u2714\u00b7\uf000-\uf0ff])\s*(?=\S)"
)

_COUNTER: Final = r"(?P<token>\d{1,2}|[a-z]|[ivx]{1,5}|[A-Z]|[IVX]{1,5})"

_WORD: Final = r"(?P<word>(?:question|part|item|request|point)\s*(?:no\.?\s*)?|q\s?\.?\s?)"

#: What ends a number that has a word before it ("Question 2a:"), or stands alone on a line.
_NAMED_END: Final = r"(?:\(?[a-z]\)?)?(?:\s*[.):\-\u2013]+(?=\s|$|[A-Z])|$)\s*"

#: From the surest to the least sure. A style tells "1." from "1)" and from "(1)".
_FORMS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("Q", re.compile(rf"{_WORD}(?P<token>\d{{1,2}}){_NAMED_END}", re.IGNORECASE)),
    ("Q", re.compile(r"(?P<word>[Qq])(?P<token>\d{1,2})[a-z]?\s+")),
    ("()", re.compile(rf"\({_COUNTER}\)\s*")),
    ("[]", re.compile(rf"\[{_COUNTER}\]\s*")),
    (".n", re.compile(r"(?P<token>\d{1,2}(?:\.\d{1,2}){1,3})(?:\.?\)|\.|:)?(?:\s+|$)")),
    (")", re.compile(rf"{_COUNTER}\.?\)\s*")),
    (".", re.compile(rf"{_COUNTER}\.(?:\s+|$|(?=[A-Z][a-z]))")),
    (":", re.compile(rf"{_COUNTER}:\s+")),
    ("-", re.compile(r"(?P<token>\d{1,2})\s*[\-\u2013]\s+(?=[A-Z])")),
    ("bare", re.compile(r"(?P<token>\d{1,2})\s+(?=[A-Z][a-z]|A [a-z])")),
)  # fmt: skip

#: Styles that anything but a list may have too: an address, a date, a list of codes.
_WEAK_STYLES: Final = ("-", "bare", ":", ".n")

#: Styles of numbers that an initial or an address has too, if no other line has one.
WEAK_STYLES: Final = ("A.", "I.", "A:", "I:", "1bare", "1-", "1:")

_MONTH: Final = re.compile(
    r"(jan|febr?|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\b", re.IGNORECASE
)

#: The highest number at which a list may begin or go on after a gap.
_HIGHEST_LOOSE_NUMBER: Final = 20

_ROMAN_VALUES: Final = {"i": 1, "v": 5, "x": 10}


class MarkerReading(NamedTuple):
    """One way to read a marker: its style ("(a)"), and its values, of which "1.2" has two."""

    style: str
    values: tuple[int, ...]


class Marker(NamedTuple):
    """What stands before the text of an item: ``number`` as printed, None for a bullet.

    ``readings`` are the ways to read the number, ``length`` is that of the marker with its space.
    """

    number: str | None
    readings: tuple[MarkerReading, ...]
    length: int


def find_marker(text: str) -> Marker | None:
    """The marker at the start of a line, if there is one."""
    for form, pattern in _FORMS:
        match = pattern.match(text)
        if match is None:
            continue
        rest = text[match.end() :]
        if _MONTH.match(rest) and form in ("bare", "-", "."):
            return None
        readings = tuple(_read_token(form, match))
        if readings:
            return Marker(match[0].strip(), readings, match.end())
    bullet = _BULLET.match(text)
    if bullet and not text.startswith(("--", "**")):
        return Marker(None, (), bullet.end())
    return None


def _read_token(form: str, match: re.Match[str]) -> list[MarkerReading]:
    token = match["token"]
    if form == ".n":
        values = tuple(int(part) for part in token.split("."))
        return [MarkerReading(f"n{len(values)}{'z' if values[-1] == 0 else ''}", values)]
    if token.isdigit():
        return [MarkerReading(f"1{form}", (int(token),))]
    case = "a" if token.islower() else "A"
    readings = []
    if len(token) == 1:
        readings.append(MarkerReading(f"{case}{form}", (ord(token.lower()) - ord("a") + 1,)))
    if (value := read_roman(token)) is not None:
        readings.append(MarkerReading(f"{'i' if case == 'a' else 'I'}{form}", (value,)))
    return readings


def read_roman(token: str) -> int | None:
    """The value of a small Roman number; None for letters that are none."""
    digits = [_ROMAN_VALUES.get(letter, 0) for letter in token.lower()]
    if 0 in digits:
        return None
    value = sum(
        -digit if any(later > digit for later in digits[index + 1 : index + 2]) else digit
        for index, digit in enumerate(digits)
    )
    return value if write_roman(value) == token.lower() else None


def write_roman(value: int) -> str:
    """A number as a small Roman one, up to 3,999."""
    text = ""
    for worth, letters in (
        (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
        (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
    ):  # fmt: skip
        count, value = divmod(value, worth)
        text += letters * count
    return text


class ItemSeries:
    """The numbered lists that are open at a place of a letter, the outermost first."""

    def __init__(self) -> None:
        self._open: list[MarkerReading] = []

    @property
    def depth(self) -> int:
        """How many lists are open."""
        return len(self._open)

    def place(self, marker: Marker) -> int | None:
        """The level of a number, from 0, which is then the last of its list.

        None if it neither continues a list nor may begin one, so it numbers nothing.
        """
        for reading in marker.readings:
            for level in range(len(self._open) - 1, -1, -1):
                if _continues(self._open[level], reading):
                    return self._put(level, reading)
        for reading in marker.readings:
            if self._begins(reading):
                return self._put(self._find_style(reading.style), reading)
        for reading in marker.readings:
            if _is_loose(reading):
                return self._put(self._find_style(reading.style), reading)
        return None

    def _put(self, level: int, reading: MarkerReading) -> int:
        self._open[level:] = [reading]
        return level

    def _find_style(self, style: str) -> int:
        return next(
            (level for level, reading in enumerate(self._open) if reading.style == style),
            len(self._open),
        )

    def _begins(self, reading: MarkerReading) -> bool:
        if len(reading.values) == 1:
            return reading.values == (1,)
        if reading.values[-1] not in (0, 1):
            return False
        head = reading.values[:-1]
        return head == (1,) * len(head) or any(
            reading_above.values == head for reading_above in self._open
        )


def _continues(last: MarkerReading, reading: MarkerReading) -> bool:
    """Whether a number is the next of a list: 2 after 1, and 1.3 or 2.1 after 1.2."""
    if last.style != reading.style:
        return False
    for index, (before, value) in enumerate(zip(last.values, reading.values, strict=True)):
        if value != before:
            rest = reading.values[index + 1 :]
            return value == before + 1 and all(part in (0, 1) for part in rest)
    return False


def _is_loose(reading: MarkerReading) -> bool:
    """Whether a number may stand alone: a list may begin at 3, or lack a number."""
    style, value = reading.style, reading.values[0]
    if len(reading.values) > 1 or style[1:] in _WEAK_STYLES:
        return False
    if style[0] == "1":
        return 1 <= value <= _HIGHEST_LOOSE_NUMBER
    return style[1:] in ("()", ")") and style[0] == "a"
