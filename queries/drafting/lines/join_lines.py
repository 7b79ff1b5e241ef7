"""Join the lines of a mail into paragraphs, items and rows.

A mail program breaks lines at a width, a person at the end of a thought. A line is joined with the
next one only if the first word of the next would not have fitted into the width.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from queries.drafting.letter_text import BlockKind, LetterBlock
from queries.drafting.lines.item_numbers import (
    WEAK_STYLES,
    ItemSeries,
    Marker,
    find_marker,
)
from queries.drafting.lines.line import ORNAMENTED, SOFT_HYPHEN, Line, squeeze_spaces

#: Narrower lines were broken by a person, as those of an address are.
_MIN_WIDTH: Final = 55

#: Longer lines were broken by nobody.
_MAX_WIDTH: Final = 100

#: How many full lines it takes to believe in a width where other lines are longer than any width.
_MIN_FULL_LINES: Final = 3

#: A line this full, in the middle of a sentence, was broken by a program with another width.
_NEARLY_FULL: Final = 0.75

_ENDS: Final = ".!?:;"

#: What a word may begin with in the middle of a sentence, beside a small letter and a digit.
_OPENS: Final = "\"'(\u2018\u201c"

#: Nobody ends a thought with one of these words, however wide the lines are.
_NEVER_LAST: Final = frozenset({"a", "an", "and", "of", "or", "the"})

#: What ends a letter on a line of its own, and is no end of a sentence.
_SIGN_OFF: Final = re.compile(
    r"(?:yours\s+(?:faithfully|sincerely|truly)|(?:(?:kind|best|warm)\s+)?regards|(?:best|kind)\s+wishes)\W*",
    re.IGNORECASE,
)

_ROW: Final = re.compile(r"\S[ ]*\t[ ]*\S")

_SIGNATURE_MARK: Final = re.compile(r"--\s?|_{2,}|-{3,}|\*{3,}|={3,}")

_BROKEN_AT_HYPHEN: Final = re.compile(r"\w[-\u2010\u2011]$")


def join_lines(lines: Sequence[Line], message: int = 0) -> list[LetterBlock]:
    """The blocks of the lines of one mail, in order."""
    builder = _BlockBuilder(find_wrap_width(lines), message, _find_lone_styles(lines))
    for line in lines:
        builder.add_line(line)
    return builder.finish_blocks()


def _find_lone_styles(lines: Sequence[Line]) -> frozenset[str]:
    """The weak styles of numbers that a single line has: "A. Smith", "1 Mint Street"."""
    markers = (find_marker(line.text) for line in lines if line.kind is None)
    counts = Counter(reading.style for marker in markers if marker for reading in marker.readings)
    return frozenset(style for style in WEAK_STYLES if counts[style] == 1)


def find_wrap_width(lines: Sequence[Line]) -> int | None:
    """The width at which a program broke the lines; None if none did."""
    longest = max((_measure(line) for line in lines), default=0)
    widths = [
        _measure(line)
        for line, following in pairwise(lines)
        if line.text and following.text and not find_marker(following.text)
    ]
    width = max((width for width in widths if width <= _MAX_WIDTH), default=0)
    if width < _MIN_WIDTH:
        return None
    if longest > _MAX_WIDTH:
        full = [length for length in widths if width - 12 <= length <= width]
        if len(full) < _MIN_FULL_LINES:
            return None
    return width


def _measure(line: Line) -> int:
    return line.indent + len(line.text)


def _must_break(line: Line, following: Line, width: int | None) -> bool:
    """Whether a line had no room for the first word of the following one."""
    if line.fills is not None:
        return line.fills
    if line.text.rsplit(maxsplit=1)[-1] in _NEVER_LAST:
        return True
    if width is None:
        return False
    length = _measure(line)
    word = following.text.split(maxsplit=1)[0]
    if length + 1 + len(word) > width:
        return True
    goes_on = line.text[-1] not in _ENDS and (
        word[0].islower() or word[0].isdigit() or word[0] in _OPENS
    )
    return goes_on and length > _NEARLY_FULL * width


class _BlockBuilder:
    """The blocks so far, and the one that is open."""

    def __init__(self, width: int | None, message: int, lone_styles: frozenset[str]) -> None:
        self._width = width
        self._message = message
        self._lone_styles = lone_styles
        self._blocks: list[LetterBlock] = []
        self._series = ItemSeries()
        self._bullet_indents: list[int] = []
        self._bullet_base = 0
        self._open: list[Line] = []
        # The kind, number and level of the open block.
        self._form: tuple[BlockKind, str | None, int] = (BlockKind.PARAGRAPH, None, 0)
        self._text_indent = 0

    def finish_blocks(self) -> list[LetterBlock]:
        """All blocks; the open one ends."""
        self._close()
        return self._blocks

    def add_line(self, line: Line) -> None:
        """Add the next line: it continues the open block, or begins one."""
        if not line.text or _SIGNATURE_MARK.fullmatch(line.text):
            self._close()
        elif line.kind is None and (ornamented := ORNAMENTED.fullmatch(line.text)):
            heading = msgspec.structs.replace(line, text=ornamented["text"], fills=False)
            self._begin(heading, (BlockKind.HEADING, None, 0))
        elif line.kind is not None:
            self._begin(line, (line.kind, line.number, line.level))
            self._text_indent = line.indent + 1
        elif marker := find_marker(line.text):
            self._add_marked_line(line, marker)
        elif self._continues(line):
            self._open.append(line)
        else:
            self._begin_plain(line)

    def _begin_plain(self, line: Line) -> None:
        is_row = _ROW.search(line.text)
        self._begin(line, (BlockKind.ROW if is_row else BlockKind.PARAGRAPH, None, 0))
        if not line.indent:
            self._bullet_indents = []

    def _continues(self, line: Line) -> bool:
        if not self._open or self._form[0] in (BlockKind.ROW, BlockKind.HEADING):
            return False
        if _SIGN_OFF.fullmatch(line.text):
            return False
        if _must_break(self._open[-1], line, self._width):
            return True
        return (
            self._form[0] is BlockKind.ITEM
            and 0 < self._text_indent - 1 <= line.indent
            and line.fills is None
        )

    def _add_marked_line(self, line: Line, marker: Marker) -> None:
        level = self._place(line, marker)
        if level is None:
            if self._continues(line):
                self._open.append(line)
            else:
                self._begin_plain(line)
            return
        rest = line.text[marker.length :]
        text_line = Line(text=rest, indent=line.indent + marker.length, fills=line.fills)
        self._begin(text_line, (BlockKind.ITEM, marker.number, level))
        self._text_indent = text_line.indent
        inner = find_marker(rest) if marker.number else None
        if inner and inner.number and any(reading.values == (1,) for reading in inner.readings):
            self._open = [Line(text="")]
            self._add_marked_line(text_line, inner)

    def _place(self, line: Line, marker: Marker) -> int | None:
        """The level of an item; None if its marker is none."""
        if marker.readings and all(
            reading.style in self._lone_styles for reading in marker.readings
        ):
            return None
        if marker.number is not None:
            level = self._series.place(marker)
            if level is not None:
                self._bullet_indents = []
            return level
        if not self._bullet_indents:
            follows_item = bool(self._blocks or self._open) and self._last_kind() is BlockKind.ITEM
            self._bullet_base = self._series.depth if follows_item else 0
        while self._bullet_indents and self._bullet_indents[-1] > line.indent:
            self._bullet_indents.pop()
        if not self._bullet_indents or self._bullet_indents[-1] < line.indent:
            self._bullet_indents.append(line.indent)
        return self._bullet_base + len(self._bullet_indents) - 1

    def _last_kind(self) -> BlockKind:
        return self._form[0] if self._open else self._blocks[-1].kind

    def _begin(self, line: Line, form: tuple[BlockKind, str | None, int]) -> None:
        self._close()
        self._open = [line]
        self._form = form
        self._text_indent = 0

    def _close(self) -> None:
        if not self._open:
            return
        kind, number, level = self._form
        text = _join_texts([line.text for line in self._open], keep_tabs=kind is BlockKind.ROW)
        if text or number:
            self._blocks.append(
                LetterBlock(text=text, kind=kind, number=number, level=level, message=self._message)
            )
        self._open = []


def _join_texts(texts: Sequence[str], *, keep_tabs: bool) -> str:
    joined = ""
    for text in texts:
        if joined.endswith(SOFT_HYPHEN):
            joined = joined.removesuffix(SOFT_HYPHEN) + text
        elif _BROKEN_AT_HYPHEN.search(joined) and text[:1].isalnum():
            joined += text
        else:
            joined = f"{joined} {text}" if joined else text
    joined = joined.removesuffix(SOFT_HYPHEN)
    if keep_tabs:
        return "\t".join(squeeze_spaces(cell) for cell in joined.split("\t"))
    return squeeze_spaces(joined)
