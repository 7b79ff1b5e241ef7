"""The numbers that Word prints before paragraphs, which the text of a document does not hold.

Word keeps for each list (``w:abstractNum``) nine levels, each with a start, a format and a pattern
("%1.%2"); a paragraph names a list (``w:numId``) and a level, or its style does. The numbers are
counted here as Word counts them when it opens the file.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from docx.oxml.ns import qn

from queries.drafting.lines.item_numbers import write_roman

_LEVELS: Final = 9

_MAX_STYLE_DEPTH: Final = 20

_MAX_NUMBER: Final = 100_000

_PLACEHOLDER: Final = re.compile(r"%([1-9])")


class ItemNumber(NamedTuple):
    """The number of a paragraph as printed, None for a bullet; and its level, from 0."""

    number: str | None
    level: int


class _Level(NamedTuple):
    """A level of a list: ``restarts_after`` is the level, from 1, that starts it again; 0 if none
    does."""

    start: int
    format: str
    pattern: str
    restarts_after: int
    legal: bool


class _WordList(NamedTuple):
    """A list as a paragraph names it: whose counters it shares, its levels, and where it starts
    them again."""

    family: str
    levels: dict[int, _Level]
    starts: dict[int, int]


class WordNumbering:
    """Counts the numbered paragraphs of one document, in order."""

    def __init__(self, numbering: Any, styles: Any) -> None:
        self._families = _index_elements(numbering, "w:abstractNum", "w:abstractNumId")
        self._nums = _index_elements(numbering, "w:num", "w:numId")
        self._styles = _index_elements(styles, "w:style", "w:styleId")
        self._lists: dict[str, _WordList | None] = {}
        self._counters: dict[str, dict[int, int]] = {}
        self._started: set[str] = set()
        self._defaults = {
            style.get(qn("w:type")): name
            for name, style in self._styles.items()
            if style.get(qn("w:default")) in ("1", "true", "on")
        }

    def number_paragraph(self, properties: Any) -> ItemNumber | None:
        """The number of the next paragraph, by its ``w:pPr``; None if it has none."""
        position = self._find_place(properties)
        if position is None:
            return None
        name, level_index = position
        if name not in self._lists:
            self._lists[name] = self._read_list(name)
        word_list = self._lists[name]
        if word_list is None or level_index not in word_list.levels:
            return None
        level = word_list.levels[level_index]
        self._count(name, word_list, level_index)
        if level.format == "none" and not level.pattern:
            return None
        if level.format == "bullet":
            return ItemNumber(None, level_index)
        printed = self._print_number(word_list, level_index)
        return ItemNumber(printed or None, level_index) if printed else None

    def _find_place(self, properties: Any) -> tuple[str, int] | None:
        """The list and the level that a paragraph names itself, or by its style."""
        numbering_element = properties.find(qn("w:numPr")) if properties is not None else None
        name, level = _read_place(numbering_element)
        style = _read_value(properties, "w:pStyle") if properties is not None else None
        style = style or self._defaults.get("paragraph")
        if name is None and style:
            name, style_level = self._find_style_place(style)
            level = style_level if level is None else level
        if name is None or name == "0":
            return None
        return name, min(level or 0, _LEVELS - 1)

    def _find_style_place(self, style: str) -> tuple[str | None, int | None]:
        name: str | None = style
        for _ in range(_MAX_STYLE_DEPTH):
            element = self._styles.get(name or "")
            if element is None:
                break
            position = _read_place(element.find(f"{qn('w:pPr')}/{qn('w:numPr')}"))
            if position[0] is not None:
                return position[0], self._find_style_level(position[0], name) or position[1]
            name = _read_value(element, "w:basedOn")
        return None, None

    def _find_style_level(self, list_name: str, style: str | None) -> int | None:
        """The level of a list that is bound to a style."""
        family = self._find_family(list_name)
        for level in family.findall(qn("w:lvl")) if family is not None else ():
            if _read_value(level, "w:pStyle") == style:
                return _read_int(level.get(qn("w:ilvl")), 0)
        return None

    def _find_family(self, list_name: str) -> Any:
        """The list that another one is made from, even if a style of lists stands between them."""
        num = self._nums.get(list_name)
        family = self._families.get(_read_value(num, "w:abstractNumId") or "")
        link = _read_value(family, "w:numStyleLink")
        if link is None:
            return family
        return next(
            (
                entry
                for entry in self._families.values()
                if _read_value(entry, "w:styleLink") == link
            ),
            family,
        )

    def _read_list(self, name: str) -> _WordList | None:
        family = self._find_family(name)
        if family is None:
            return None
        levels = {
            _read_int(level.get(qn("w:ilvl")), 0): _read_level(level)
            for level in family.findall(qn("w:lvl"))
        }
        starts: dict[int, int] = {}
        for override in self._nums[name].findall(qn("w:lvlOverride")):
            index = _read_int(override.get(qn("w:ilvl")), 0)
            numbering_element = override.find(qn("w:lvl"))
            if numbering_element is not None:
                levels[index] = _read_level(numbering_element)
            start = _read_value(override, "w:startOverride")
            if start is not None:
                starts[index] = _read_int(start, 1)
        return _WordList(family.get(qn("w:abstractNumId"), ""), levels, starts)

    def _count(self, name: str, word_list: _WordList, index: int) -> None:
        counters = self._counters.setdefault(word_list.family, {})
        if name not in self._started:
            self._started.add(name)
            for position, start in word_list.starts.items():
                counters[position] = start - 1
        level = word_list.levels[index]
        counters[index] = counters.get(index, level.start - 1) + 1
        for deeper, entry in word_list.levels.items():
            if deeper > index and entry.restarts_after > index:
                counters.pop(deeper, None)

    def _print_number(self, word_list: _WordList, index: int) -> str:
        counters = self._counters[word_list.family]
        legal = word_list.levels[index].legal

        def print_level(match: re.Match[str]) -> str:
            position = int(match[1]) - 1
            level = word_list.levels.get(position)
            if level is None:
                return ""
            value = counters.get(position, level.start)
            return write_word_number(value, "decimal" if legal else level.format)

        return _PLACEHOLDER.sub(print_level, word_list.levels[index].pattern).strip()


def write_word_number(value: int, form: str) -> str:
    """A number in a format of Word; those that no letter is numbered with are written as digits."""
    if not 0 < value <= _MAX_NUMBER or form == "none":
        return "" if form == "none" else str(value)
    match form:
        case "lowerLetter" | "upperLetter":
            letter = chr(ord("a") + (value - 1) % 26) * min((value - 1) // 26 + 1, 50)
            return letter if form == "lowerLetter" else letter.upper()
        case "lowerRoman" | "upperRoman" if value < 4000:
            roman = write_roman(value)
            return roman if form == "lowerRoman" else roman.upper()
        case "decimalZero":
            return f"{value:02}"
        case "ordinal":
            tens = value % 100
            ending = "th" if 10 < tens < 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
            return f"{value}{ending}"
    return str(value)


def _read_level(level: Any) -> _Level:
    index = _read_int(level.get(qn("w:ilvl")), 0)
    return _Level(
        start=_read_int(_read_value(level, "w:start"), 0),
        format=_read_value(level, "w:numFmt") or "decimal",
        pattern=_read_value(level, "w:lvlText") or "",
        restarts_after=_read_int(_read_value(level, "w:lvlRestart"), index),
        legal=level.find(qn("w:isLgl")) is not None,
    )


def _read_place(numbering: Any) -> tuple[str | None, int | None]:
    """The list and the level of a ``w:numPr``."""
    if numbering is None:
        return None, None
    level = _read_value(numbering, "w:ilvl")
    return _read_value(numbering, "w:numId"), None if level is None else _read_int(level, 0)


def _read_value(element: Any, name: str) -> str | None:
    child = element.find(qn(name)) if element is not None else None
    value = child.get(qn("w:val")) if child is not None else None
    return str(value) if value is not None else None


def _read_int(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,6}", text) else default


def _index_elements(root: Any, tag: str, attribute: str) -> dict[str, Any]:
    if root is None:
        return {}
    return {str(element.get(qn(attribute))): element for element in root.findall(qn(tag))}
