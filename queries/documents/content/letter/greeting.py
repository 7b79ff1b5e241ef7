"""Whom a letter is to, how it greets that person, and how it ends. Pure.

A name is used as it is written. Only a title with initials and one surname is shortened, and no
title is ever guessed.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from queries.request.letter_spec import LetterSpec

#: What a letter calls a person whose name it does not know.
_UNNAMED: Final = "requester"

_DEAR: Final = re.compile(r"^dear\b\s*", re.IGNORECASE)

#: A title, initials, and a surname of one word: "Mr D. Hale", "Dr A B O'Neil".
_TITLED: Final = re.compile(
    r"(?P<title>Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor)\.? "
    r"(?:(?:[A-Z]\.?[ -]?){1,4}(?<=[ .]) ?)?"
    r"(?P<surname>(?=..)[A-Z][^\W\d_]*(?:['\u2019-][^\W\d_]+)*)"
)

#: Words after "Dear" that name nobody.
_NO_NAMES: Final = frozenset(
    {"sir", "sirs", "madam", "requester", "applicant", "all", "or", "and", "colleague"}
)


class Recipient(Struct, frozen=True):
    """The ``lines`` of a name and address above a letter, its ``greeting`` and its ``closing``,
    both without a comma. There are no lines if only a greeting is known."""

    lines: tuple[str, ...]
    greeting: str
    closing: str


def build_recipient(letter: LetterSpec) -> Recipient:
    """Whom a letter is to: as ``to`` and ``greeting`` say, and else the requester."""
    lines = tuple(line.strip() for line in letter.to.splitlines() if line.strip())
    is_greeting = len(lines) == 1 and _DEAR.match(lines[0]) is not None
    written = letter.greeting.strip() or (lines[0] if is_greeting else "")
    greeting = written.rstrip(" ,.:") if written else f"Dear {_find_name(lines)}"
    return Recipient(
        lines=() if is_greeting else lines,
        greeting=greeting,
        closing="Yours sincerely" if _has_name(greeting) else "Yours faithfully",
    )


def _find_name(lines: tuple[str, ...]) -> str:
    name = lines[0].partition(",")[0].strip() if lines else ""
    if not name or "@" in name:
        return _UNNAMED
    titled = _TITLED.fullmatch(name)
    return f"{titled['title']} {titled['surname']}" if titled else name


def _has_name(greeting: str) -> bool:
    words = re.findall(r"[^\W\d_]+", _DEAR.sub("", greeting).lower())
    return bool(_DEAR.match(greeting)) and not set(words) <= _NO_NAMES
