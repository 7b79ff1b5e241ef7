"""Finds the age bands that a text names: "11 and under", "12 to 15", "under 16", "18+"."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from indexer.records.model import MAX_AGE

_AGED: Final = r"(?:aged?|ages|of)?\s*"

_YEARS: Final = r"(?:\s*(?:years?|yrs?)(?:[ -]olds?| of age)?|\s*y/?os?\b)?"

_FORMS: Final = re.compile(
    rf"""
    (?<![\w/.\u00a3$-])(?:
      between\s+(?:the\ ages\ of\s+)?(?P<first>\d{{1,3}}){_YEARS}\s+and\s+(?P<last>\d{{1,3}}){_YEARS}
    | (?P<low>\d{{1,3}}){_YEARS}\s*(?:-|to|through|and(?=\s+\d+\s*(?:\)|;|$)))\s*(?P<high>\d{{1,3}}){_YEARS}
    | (?P<ored>\d{{1,3}})\s+or\s+(?P<next>\d{{1,3}}){_YEARS}
    | (?P<upto>\d{{1,3}}){_YEARS}\s*(?:and|or|&)\s*(?:under|below|younger|less)
    | (?P<from>\d{{1,3}}){_YEARS}\s*(?:(?:and|or|&)\s*(?:over|above|older|more|upwards?|up)|\+|plus\b)
    | at\ least\s+(?:the\ age\ of\ )?{_AGED}(?P<least>\d{{1,3}}){_YEARS}
    | (?:aged|victims?\ (?:was|were|is|are)(?:\ aged)?)\s+(?P<exact>\d{{1,3}}){_YEARS}(?!\s*(?:[-+,&/]|(?:to|and|or|plus|through|per)\b))
    | (?:under|below|younger\ than|less\ than)\s*(?:the\ age\ of\ )?{_AGED}(?P<below>\d{{1,3}})s?{_YEARS}
    | (?:up\ to(?:\ and\ including)?)\s*(?:the\ age\ of\ )?{_AGED}(?P<until>\d{{1,3}}){_YEARS}
    | (?:over|above|older\ than|more\ than)\s*(?:the\ age\ of\ )?{_AGED}(?P<above>\d{{1,3}})s?{_YEARS}
    )(?![\w/%]|\.\d)
    """,
    re.VERBOSE | re.IGNORECASE,
)

_AGE_WORDS: Final = re.compile(
    r"\b(?:age|ages|aged|age[- ](?:band|group|range)s?|years?[- ]olds?|younger|bands?|brackets?|victims?|suspects?|"
    r"child|children|adults?|people|persons?|offenders?|complainants?)\b",
    re.IGNORECASE,
)


class Band(Struct, frozen=True, order=True):
    """Ages in whole years, first and last included; None leaves an end open.

    ``words`` is how the text writes it; ``is_doubtful`` if "over 18" may or may not hold 18.
    """

    low: int | None
    high: int | None
    words: str = ""
    is_doubtful: bool = False

    @property
    def fields(self) -> dict[str, int]:
        """The band as a request file has it."""
        ends = {"from": self.low, "to": self.high}
        return {name: age for name, age in ends.items() if age is not None}

    def overlaps(self, neighbour: Band) -> bool:
        """Whether an age is in both."""
        top, other_top = (MAX_AGE if band.high is None else band.high for band in (self, neighbour))
        return (self.low or 0) <= other_top and (neighbour.low or 0) <= top


def find_bands(text: str) -> list[Band]:
    """The age bands of a text that speaks of ages or people, in their order, each once."""
    if not _AGE_WORDS.search(text):
        return []
    bands: dict[tuple[int | None, int | None], Band] = {}
    for match in _FORMS.finditer(text):
        band = _read_band(match)
        if band and all(age is None or age <= MAX_AGE for age in (band.low, band.high)):
            bands.setdefault((band.low, band.high), band)
    return list(bands.values())


def cover_bands(text: str) -> str:
    """The text without its age bands."""
    return _FORMS.sub(" ", text)


def find_overlap(bands: list[Band]) -> tuple[Band, Band] | None:
    """The first two bands that have an age in common."""
    pairs = (
        (band, neighbour) for number, band in enumerate(bands) for neighbour in bands[number + 1 :]
    )
    return next(((band, neighbour) for band, neighbour in pairs if band.overlaps(neighbour)), None)


def _read_band(match: re.Match[str]) -> Band | None:
    words = match[0].strip()
    if low_text := match["low"] or match["first"]:
        low, high = int(low_text), int(match["high"] or match["last"])
        return Band(low or None, high, words) if low < high else None
    if match["ored"]:
        first, second = int(match["ored"]), int(match["next"])
        return Band(first, second, words) if second == first + 1 else None
    if upto := match["upto"] or match["until"]:
        return Band(None, int(upto), words)
    if low_text := match["from"] or match["least"] or match["exact"]:
        return Band(int(low_text), int(low_text) if match["exact"] else None, words)
    if match["below"]:
        below = int(match["below"])
        return Band(None, below - 1, words) if below else None
    return Band(int(match["above"]) + 1, None, words, is_doubtful=True)
