"""Clean a text that is not ASCII.

Every character is looked up once, at the same cost in every script: what is substituted for it,
and whether it needs more than that. NFKC of a whole text takes 90 ns a character if one mark is out
of order or one character is a "\u2026", so it is taken of the short runs that it may change, each
with the character before it; a character that is in no run starts what is normalized by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Final, NamedTuple
from unicodedata import category, combining, decomposition, normalize

import numpy as np
from numpy.typing import NDArray

from indexer.records.characters import HEBREW, MARK
from indexer.records.characters.classes import (
    CODE_POINTS,
    LETTER_POINTS,
    build_classes,
    classify_characters,
    encode_codes,
)

_INVISIBLE: Final = (
    "\x00\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
)

# Tag characters, and the variation selectors beyond the basic plane.
_RARE_INVISIBLE: Final = (0xE0001, *range(0xE0020, 0xE0080), *range(0xE0100, 0xE01F0))

_APOSTROPHES: Final = "`\u2018\u2019\u201b\u02bc\u02bb"

# Accents typed as separate characters, often instead of an apostrophe. NFKC would turn each into a
# space and a mark, and so join the words beside it. The marks of Arabic have such characters too.
_ACCENTS: Final = (
    "\u00a8\u00af\u00b4\u00b8\u02d8-\u02dd\u037a\u0384\u0385\u1fbd-\u1fc1\u1fcd-\u1fcf"
    "\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd\u1ffe\u2017\u203e\u309b\u309c\ufe49-\ufe4c\uffe3"
    "\ufe70\ufe72\ufe74\ufe76\ufe78\ufe7a\ufe7c\ufe7e"
)

# Two marks each, and a letter with an apostrophe.
_EXPANSIONS: Final = str.maketrans(
    {
        **{mark: normalize("NFKC", mark).lstrip() for mark in map(chr, range(0xFC5E, 0xFC64))},
        "\u0149": "'n",
    }
)

# What a character needs after it was substituted, as a letter of a note: to be removed; NFKC, with
# what precedes it; to be put in order with the marks that precede it; as a mark, something to stand
# on; and to be folded.
_REMOVED, _UNSTABLE, _COMBINING, _MARKING, _FOLDING = b"rucmf"

_UNSTABLE_RUN: Final = re.compile(rb"[cu](?:(?<=u)|[cu])[cu]*")

_CHARACTER: Final = f"[A-Za-z0-9{HEBREW}{MARK}]"
_STRAY_MARKS: Final = re.compile(f"{MARK}(?<!{_CHARACTER}{MARK}){MARK}*")
_MARKED_CAPITAL: Final = re.compile(f"[A-Z]{MARK}+")


class _Tables(NamedTuple):
    """For each code point, what is substituted for it and the note of what else it needs; and the
    letters whose fold has several characters, as a pattern and a table."""

    substitutes: NDArray[np.uint32]
    notes: NDArray[np.uint8]
    folding: re.Pattern[str]
    folds: dict[str, str]


def clean_characters(text: str) -> str:
    """Clean a text that may hold any character."""
    tables = _build_tables()
    codes = tables.substitutes.take(encode_codes(text))
    notes = tables.notes.take(codes).tobytes()
    if _REMOVED in notes:
        codes, notes = codes[codes != 0], notes.replace(b"r", b"")
    text = codes.tobytes().decode("utf-32-le", "surrogatepass")
    is_unstable = _UNSTABLE in notes or _COMBINING in notes
    if is_unstable:
        text = _normalize_runs(text, notes)
    elif _MARKING not in notes and _FOLDING not in notes:
        return text
    has_marks = MARK in classify_characters(text)
    if has_marks:
        # Before letters are folded, because the fold of a mark may be a letter.
        text = _sub_classes(_STRAY_MARKS, lambda _: "", text)
    folded_text = tables.folding.sub(lambda match: tables.folds[match[0]], text)
    if has_marks:
        # A capital and its mark may have no single character where the small letter has one.
        folded_text = _sub_classes(
            _MARKED_CAPITAL, lambda run: normalize("NFKC", run.casefold()), folded_text
        )
    if folded_text == text:
        return text
    return _normalize_runs(folded_text, tables.notes.take(encode_codes(folded_text)).tobytes())


def _normalize_runs(text: str, notes: bytes) -> str:
    """NFKC of a text whose characters were substituted and noted."""
    pieces: list[str] = []
    end = 0
    for match in _UNSTABLE_RUN.finditer(notes):
        start = max(match.start() - 1, end)
        pieces += (text[end:start], _normalize_run(text[start : match.end()]))
        end = match.end()
    return "".join((*pieces, text[end:])) if pieces else text


@lru_cache(maxsize=10_000)
def _normalize_run(run: str) -> str:
    return normalize("NFKC", run.translate(_EXPANSIONS))


def _sub_classes(pattern: re.Pattern[str], replace: Callable[[str], str], text: str) -> str:
    """The text with all runs replaced whose classes a pattern describes."""
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(classify_characters(text)):
        pieces += (text[end : match.start()], replace(text[match.start() : match.end()]))
        end = match.end()
    return "".join((*pieces, text[end:])) if pieces else text


@cache
def _build_tables() -> _Tables:
    """Built when first needed, because it takes 25 ms."""
    substitutes = np.arange(CODE_POINTS, dtype=np.uint32)
    notes = np.full(CODE_POINTS, ord("."), dtype=np.uint8)
    folds = _list_folds()
    notes[list(map(ord, folds))] = _FOLDING
    marks = np.flatnonzero(build_classes() == ord(MARK))
    notes[marks] = _MARKING
    notes[[mark for mark in marks.tolist() if combining(chr(mark))]] = _COMBINING
    # None of these is ever composed with what follows it, so they can be folded first.
    for character, fold in folds.items():
        if len(fold) == 1 and character.isalpha():
            substitutes[ord(character)] = ord(fold)
    for character in filter(decomposition, map(chr, range(0x80, LETTER_POINTS))):
        code, normalized = ord(character), normalize("NFKC", character)
        if normalized == character:
            # The second part of what is composed: it may be composed with what precedes it.
            notes[ord(normalize("NFD", character)[-1])] = _UNSTABLE
        elif len(normalized) == 1:
            substitutes[code] = ord(normalized)
        else:
            notes[code] = _UNSTABLE
    notes[0x1161:0x1176] = notes[0x11A8:0x11C3] = _UNSTABLE  # the parts of Korean syllables
    for character in _list_characters(_ACCENTS):
        mark = normalize("NFKC", character).lstrip()
        substitutes[ord(character)] = ord(mark if category(character) == "Lo" else "'")
    for character in _list_characters(_APOSTROPHES):
        substitutes[ord(character)] = ord("'")
    substitutes[[*map(ord, _list_characters(_INVISIBLE)), *_RARE_INVISIBLE]] = 0
    notes[0] = _REMOVED
    # Twice, because a wide grave accent is a grave accent.
    return _Tables(substitutes.take(substitutes), notes, re.compile(f"[{''.join(folds)}]"), folds)


def _list_folds() -> dict[str, str]:
    """The letters whose case fold differs from their lower case, with it."""
    characters = map(chr, (*range(0x80, 0x2000), *range(0xA640, 0xABC0)))
    return {
        character: character.casefold()
        for character in characters
        if character.casefold() != character.lower() or len(character.lower()) > 1
    }


def _list_characters(content: str) -> Iterator[str]:
    """The characters of a character class of the basic plane."""
    members = re.compile(f"[{content}]")
    return filter(members.match, map(chr, range(0x10000)))
