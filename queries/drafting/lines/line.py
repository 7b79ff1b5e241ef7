"""A line of a letter, before its mails are separated and its lines joined."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from queries.drafting.letter_text import BlockKind

#: Characters that print nothing: zero width, marks of direction, and the mark of a byte order.
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

_SPACES: Final = re.compile(r"[^\S\t\n]+")

#: Quotations deeper than this count as one.
MAX_QUOTE_DEPTH: Final = 50

SOFT_HYPHEN: Final = "\u00ad"


class Line(Struct, frozen=True, kw_only=True):
    """A line without its line end; an empty one ends a paragraph.

    ``indent`` is in characters, ``quote_depth`` counts the marks of quotation before it. ``kind``,
    ``number`` and ``level`` are set where the file itself says what the line is. ``fills`` says
    whether the line was broken because its paragraph had no room left; None if only its length
    can tell.
    """

    text: str
    indent: int = 0
    quote_depth: int = 0
    kind: BlockKind | None = None
    number: str | None = None
    level: int = 0
    fills: bool | None = None


#: A line between marks, as a heading of plain text has them: "> What I ask <", "== 1 ==".
ORNAMENTED: Final = re.compile(
    r"(?:>+|={2,}|~{2,}|\*{2,}|#{1,6}|_{2,})\s*(?P<text>\S.*?)\s*(?:<+|={2,}|~{2,}|\*{2,}|#{1,6}|_{2,})"
)

#: What stands between two paragraphs.
BLANK: Final = Line(text="")


def clean_text(text: str) -> str:
    """A text without characters that print nothing, and with plain spaces; tabs and line ends stay.

    A soft hyphen inside a line is left out.
    """
    visible = _CONTROLS.sub(" ", _INVISIBLE.sub("", text))
    visible = re.sub(f"{SOFT_HYPHEN}(?!$)", "", visible, flags=re.MULTILINE)
    return _SPACES.sub(" ", visible).replace("\u2028", "\n").replace("\u2029", "\n")


def squeeze_spaces(text: str) -> str:
    """A text with every white space made one space, and none around it."""
    return " ".join(text.split())


def split_plain_lines(text: str) -> list[Line]:
    """The lines of a plain text, with their indents; marks of quotation (">") are counted."""
    return [_measure_line(line) for line in _split_text(text)]


def _split_text(text: str) -> list[str]:
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    return plain.split("\n")


_QUOTE_MARKS: Final = re.compile(r"(?:[ ]?>)+")


def _measure_line(raw: str) -> Line:
    marks = None if raw.rstrip().endswith("<") else _QUOTE_MARKS.match(raw)
    depth = min(marks[0].count(">"), MAX_QUOTE_DEPTH) if marks else 0
    rest = raw[marks.end() :].removeprefix(" ") if marks else raw
    text = _CONTROLS.sub(" ", _INVISIBLE.sub("", rest)).expandtabs(8)
    indent = len(text) - len(text.lstrip())
    inner = rest.strip()
    return Line(text=inner and clean_text(inner).strip(), indent=indent, quote_depth=depth)
