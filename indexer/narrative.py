"""Cleaning of text and its segments: the boundaries of the matching rule, kept in the data.

Pure functions of text; knows nothing of records or of Elasticsearch. The rule:

- *clean* text is NFKC, without soft hyphens, zero-width characters and NUL, with one kind of
  apostrophe, and with every letter folded whose case fold is not its plain lower case ("ß" to
  "ss"). Plain capitals stay, so evidence reads as it was written: the index lowercases them.
- A *word* is a run of letters, digits and combining marks; an apostrophe between two letters
  belongs to it. *Soft* characters, white space and dashes, join the parts of a term. All else is
  *hard*: variants of a term never cross it. So is a blank line.
- A *segment* ends with all the hard characters before the next word, and the first also starts with
  those before it; an underscore and a possessive 's are segments of their own. Segments are the
  values of the index field, and phrases never cross values, so "Facebook's" is a mention of
  Facebook and "Paul's club" none of "S Club". For terms that hold an 's themselves ("what's app"),
  the segments it was cut from are kept whole beside them.
- A *compound* is two to four words joined by single hard characters ("live.ly", "m&s", "24/7").
  It is a term of its own, which segments alone could not tell from "live. Ly".
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple
from unicodedata import category, is_normalized, normalize

DASHES: Final = r"\-\u2010-\u2015\u2212"
COMPOUND_WORDS: Final = 4
COMPOUND_LENGTH: Final = 255

_STARTS: Final = " \n\t\r-'\""
# Marks a cut while a text is being cut; clean text never holds it.
_CUT: Final = "\x00"
_INVISIBLE: Final = re.compile(
    "[\x00\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_APOSTROPHES: Final = re.compile("[\u2018\u2019\u201b\u02bc\u02bb]")
# Accents typed as characters of their own, often for an apostrophe; NFKC would make of each a space
# and a mark, and so join the words beside it.
_ACCENTS: Final = re.compile(
    "[\u00a8\u00af\u00b4\u00b8\u02d8-\u02dd\u037a\u0384\u0385\u1fbd-\u1fc1\u1fcd-\u1fcf"
    "\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd\u1ffe\u2017\u203e\u309b\u309c\ufe49-\ufe4c]"
)


class _Patterns:
    """The rule's patterns over one alphabet. ASCII has a set of its own: its classes are bitmaps,
    three times as quick."""

    def __init__(  # noqa: PLR0913 - the classes of an alphabet
        self, word: str, letter: str, plain: str, soft: str, joint: str, alone: str, kept: str = ""
    ) -> None:
        whole = rf"{word}+(?:(?<={letter})'(?={letter}){word}+)*"
        hard = rf"(?:[^{plain}]|_|(?<!{letter})'|'(?!{letter}))"
        self.words = re.compile(whole)
        # A segment takes all hard characters before the next word, so a gap between words is one
        # cut; but not what the tokenizer would keep in the word.
        self.segment = re.compile(
            rf"[{plain}]*[^{plain}](?:{kept}[{soft}']*[^{plain}])*|[{plain}]+"
        )
        self.opening = re.compile(rf"(?:[{soft}']|[^{plain}])+")
        # What a character class alone cannot judge, or the index's tokenizer would keep in a word:
        # an underscore and its like, a blank line, an apostrophe not between two letters; and what
        # stands alone in this alphabet.
        self.awkward = re.compile(
            rf"[_\u203f\u2040\u2054]+|\n[^\S\n]*\n|\r\r|\f|\u2029|'(?:(?!{letter})|(?<!{letter}')){alone}"
        )
        self.possessive = re.compile(rf"(?<={letter})('[sS])(?!{word})")
        self.joint = re.compile(rf"{joint}(?<={word}.)(?={word})", re.DOTALL)
        self.chunk = re.compile(rf"[^{soft}]+")
        self.compound = re.compile(rf"{whole}(?:{hard}{whole})+")
        self.pieces = re.compile(rf"{whole}|{hard}")


_ASCII: Final = _Patterns(
    word="[A-Za-z0-9]",
    letter="[A-Za-z]",
    plain=r"A-Za-z0-9_\-' \t\n\r\f\v\x1c-\x1f",
    soft=r"\- \t\n\r\f\v\x1c-\x1f",
    joint=r"[^A-Za-z0-9\- \t\n\r\f\v\x1c-\x1f]",
    alone="",
)


# Latin letters, dashes, quotes and currencies, as NFKC leaves them: no marks, no circled numbers.
_BEYOND_LATIN: Final = re.compile("[^\x00-\u024f\u2010-\u203e\u20a0-\u20bf]")
_LATIN: Final = _Patterns(
    word=r"[^\W_]",
    letter=r"[^\W\d_]",
    plain=rf"\w\s'{DASHES}",
    soft=rf"\s{DASHES}",
    joint=rf"(?:[^\w\s{DASHES}]|_)",
    alone="",
)


def _patterns(text: str) -> _Patterns:
    """The quickest set that is right for a clean text."""
    if text.isascii():
        return _ASCII
    return _unicode() if _BEYOND_LATIN.search(text) else _LATIN


@cache
def _unicode() -> _Patterns:
    """The patterns over all scripts, made when the first text needs them: it takes 20 ms."""
    every = [(character, category(character)) for character in map(chr, range(0x80, 0x1F200))]
    marks = "".join(character for character, kind in every if kind[0] == "M")
    # Numbers in circles and their like: Python takes them for words, the tokenizer does not.
    signs = "".join(character for character, kind in every if kind in ("No", "Nl"))
    word = rf"(?:[^\W_{signs}]|[{marks}])"
    return _Patterns(
        word=word,
        letter=rf"[^\W\d_{signs}]",
        plain=rf"\w\s'{DASHES}{marks}",
        soft=rf"\s{DASHES}",
        joint=rf"(?:[^\w\s{DASHES}{marks}]|[_{signs}])",
        alone=rf"|[{signs}]|(?<!{word})[{marks}]",
        kept=rf"(?!(?<=[\u05d0-\u05f2]{_CUT})')",  # a Hebrew letter's apostrophe
    )


@cache
def _folds() -> tuple[re.Pattern[str], dict[str, str]]:
    """Letters whose case fold is not their own lower case, as a pattern and a table."""
    table = {
        character: character.casefold()
        for character in map(chr, (*range(0x80, 0x2000), *range(0xA640, 0xABC0)))
        if character.casefold() != character.lower() or len(character.lower()) > 1
    }
    return re.compile(f"[{''.join(table)}]"), table


def clean(text: str) -> str:
    """Return the text as the index holds it. Cleaning twice is cleaning once."""
    if text.isascii():
        return text.replace(_CUT, "").replace("`", "'")
    pattern, table = _folds()
    text = normalize("NFKC", _ACCENTS.sub("'", _INVISIBLE.sub("", text))).replace("`", "'")
    text = _APOSTROPHES.sub("'", text)
    text = pattern.sub(lambda match: table[match[0]], text)
    return text if is_normalized("NFKC", text) else normalize("NFKC", text)


class Cut(NamedTuple):
    """A clean text as the index holds it: ``"".join(segments)`` is the text."""

    segments: list[str]
    possessives: list[str]
    compounds: list[str]


def cut(text: str) -> Cut:
    """Cut clean text: its segments, those a possessive was cut out of (whole), its compounds."""
    patterns = _patterns(text)
    quoted = "'" in text
    if (
        quoted
        or "\n" in text
        or "_" in text
        or "\f" in text
        or "\r" in text
        or patterns is not _ASCII
    ) and patterns.awkward.search(text):
        marked = patterns.awkward.sub(rf"{_CUT}\g<0>{_CUT}", text)
        found = [
            piece
            for marked_piece in patterns.segment.findall(marked)
            if (piece := marked_piece.replace(_CUT, ""))
        ]
    else:
        found = patterns.segment.findall(text)
    if len(found) > 1 and not found[0][0].isalnum() and patterns.opening.fullmatch(found[0]):
        found[:2] = [found[0] + found[1]]
    # A hard character joins two words only where the next segment starts with a word.
    joined = [segment for segment in found[1:] if segment[0] not in _STARTS]
    together = compounds(text) if joined else []
    if not quoted or ("'s" not in text and "'S" not in text):
        return Cut(found, [], together)
    pieces: list[str] = []
    whole: list[str] = []
    for segment in found:
        parts = patterns.possessive.split(segment)
        if len(parts) > 1:
            whole.append(segment)
        pieces += filter(None, parts)
    return Cut(pieces, whole, together)


def compounds(text: str) -> list[str]:
    """The compounds of clean text, case folded, each once, in order.

    Every run of two to four neighbouring words of a longer compound is one too, so that "live.ly"
    is found in "www.live.ly/x". A run of over 255 characters is left out: no term is as long.
    """
    patterns = _patterns(text)
    found: dict[str, None] = {}
    for chunk in patterns.chunk.findall(text):
        # A chunk is what stands between spaces and dashes; most are a word and its full stop.
        if chunk.isalpha() or chunk[:-1].isalnum() or not patterns.joint.search(chunk):
            continue
        for whole in patterns.compound.findall(chunk):
            pieces = patterns.pieces.findall(whole)
            for first in range(0, len(pieces) - 2, 2):
                for last in range(first + 3, min(first + 2 * COMPOUND_WORDS, len(pieces) + 1), 2):
                    run = "".join(pieces[first:last]).casefold()
                    if len(run) <= COMPOUND_LENGTH:
                        found[run] = None
    return list(found)


def words(text: str) -> list[str]:
    """The words of clean text, in order."""
    return (_patterns(text)).words.findall(text)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of clean text stand: first character, and the one after the last."""
    return [match.span() for match in _patterns(text).words.finditer(text)]
