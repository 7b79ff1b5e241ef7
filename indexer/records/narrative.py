"""Cleaning of text and its segments: the boundaries of the matching rule, kept in the data.

Pure functions of text; knows nothing of records or of Elasticsearch. The rule:

- *clean* text is NFKC, without soft hyphens, zero-width characters and NUL, with one kind of
  apostrophe, and with every letter folded whose case fold is not its plain lower case ("ß" to
  "ss"). Plain capitals stay, so evidence reads as it was written: the index lowercases them.
- A *word* is a run of letters, digits and combining marks; an apostrophe between two letters
  belongs to it. *Soft* characters, white space and dashes, join the parts of a term. All else is
  *hard*: variants of a term never cross it. So is a blank line.
- A *segment* ends where the next word starts after a hard character, and the first also starts with
  what is before it; an underscore and a possessive 's are segments of their own. Segments are the
  values of the index field, and phrases never cross values, so "Facebook's" is a mention of
  Facebook and "Paul's club" none of "S Club". For terms that hold an 's themselves ("what's app"),
  the segments it was cut from are kept whole beside them. Entries are apart as by a blank line.
- A *compound* is two to four words joined by single hard characters ("live.ly", "m&s", "24/7").
  It is a term of its own, which segments alone could not tell from "live. Ly".
"""

from __future__ import annotations

import re
from functools import cache
from itertools import accumulate
from operator import itemgetter
from typing import Final
from unicodedata import category, is_normalized, normalize

from msgspec import Struct

DASHES: Final = r"\-\u2010-\u2015\u2212"

COMPOUND_WORDS: Final = 4

COMPOUND_LENGTH: Final = 255

# Marks a cut while a text is being cut; clean text never holds it.
_CUT_MARK: Final = "\x00"

_ENTRY_BREAK: Final = "\n\n"  # two entries

_SOFT: Final = re.compile(rf"[\s{DASHES}]")

_SOFT_ENDS: Final = frozenset(" \n\t\r")

_LAST_CHARACTER: Final = itemgetter(-1)

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


class _AlphabetPatterns:
    """The rule's patterns over one alphabet. ASCII has a set of its own: its classes are bitmaps,
    three times as quick."""

    def __init__(  # noqa: PLR0913 - the classes of an alphabet
        self, word: str, letter: str, inner: str, soft: str, joint: str, extra_breaks: str = "",
        separators: str = "_", tail_guard: str = "", mark: str = "(?!)",
    ) -> None:  # fmt: skip
        plain = rf"{inner}{soft}'"
        whole_word = rf"{word}+(?:(?<={letter})'(?={letter}){word}+)*"
        hard = rf"(?:[^{plain}]|[{separators}]|(?<!{letter})'|'(?!{letter}))"
        self.words = re.compile(whole_word)
        self.marked = re.compile(rf"{letter}{mark}+")
        # A gap between words is one cut, so the next segment starts with a word; two runs of
        # classes, which the engine takes in one step each.
        tail = rf"(?:{tail_guard}[^{inner}])*" if tail_guard else rf"[^{inner}]*"
        self.segment = re.compile(rf"[{plain}]+{tail}|[^{plain}]+")
        self.opening = re.compile(rf"(?:[{soft}']|[^{plain}])+")
        # What a character class alone cannot judge: what the tokenizer would keep in a word, such
        # as an underscore; a blank line; an apostrophe not between two letters; and what stands
        # alone in this alphabet.
        self.awkward = re.compile(
            # Alternatives that start with one character each let the engine skip to one of them.
            rf"{'__*' if separators == '_' else f'[{separators}]+'}"
            rf"|\n[^\S\n]*\n|\r\r|\f|\u2029|'(?!{letter})|'(?<!{letter}'){extra_breaks}"
        )
        self.possessive = re.compile(rf"(?<={letter})('[sS])(?!{word})")
        self.joint = re.compile(rf"{joint}(?={word})(?<={word}.)", re.DOTALL)
        self.compound = re.compile(rf"{whole_word}(?:{hard}{whole_word})+")
        self.pieces = re.compile(rf"{whole_word}|{hard}")


_ASCII: Final = _AlphabetPatterns(
    word="[A-Za-z0-9]",
    letter="[A-Za-z]",
    inner="A-Za-z0-9_",
    soft=r"\- \t\n\r\f\v\x1c-\x1f",
    joint=r"[^A-Za-z0-9\- \t\n\r\f\v\x1c-\x1f]",
)


# Latin letters, dashes, quotes and currencies, as NFKC leaves them: no marks, no circled numbers.
_BEYOND_LATIN: Final = re.compile("[^\x00-\u024f\u2010-\u203e\u20a0-\u20bf]")

_LATIN: Final = _AlphabetPatterns(
    word=r"[^\W_]",
    letter=r"[^\W\d_]",
    inner=r"\w",
    soft=rf"\s{DASHES}",
    joint=rf"(?:[^\w\s{DASHES}]|_)",
)


def _choose_patterns(text: str) -> _AlphabetPatterns:
    """The quickest set that is right for a clean text."""
    if text.isascii():
        return _ASCII
    return _build_unicode_patterns() if _BEYOND_LATIN.search(text) else _LATIN


# Signs that are no letters, and that the index's tokenizer keeps in a word all the same.
_TOKENIZER_SIGNS: Final = (
    "\u02c2-\u02c5\u02d2-\u02d7\u02de\u02df\u02ed\u02ef-\u02ff\u055b\u055c\u055e\u05f3\u0600-\u0605\u066b"
    "\u06dd\u070f\u08e2\u203f\u2040\u2054\ua720\ua721\ua789\ua78a\uab5b\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f150-\U0001f169"
    "\U0001f170-\U0001f189"
)


@cache
def _build_unicode_patterns() -> _AlphabetPatterns:
    """The patterns over all scripts, made when the first text needs them: it takes 20 ms."""
    characters = [(character, category(character)) for character in map(chr, range(0x80, 0x1F200))]
    marks = "".join(character for character, kind in characters if kind[0] == "M")
    # Numbers in circles and their like: Python takes them for words, the tokenizer does not.
    signs = "".join(character for character, kind in characters if kind in ("No", "Nl"))
    word = rf"(?:[^\W_{signs}]|[{marks}])"
    return _AlphabetPatterns(
        word=word,
        letter=rf"[^\W\d_{signs}]",
        inner=rf"\w{marks}{_TOKENIZER_SIGNS}",
        soft=rf"\s{DASHES}",
        joint=rf"(?:[^\w\s{DASHES}{marks}]|[_{signs}])",
        extra_breaks=rf"|[{signs}]|(?<!{word})[{marks}]",
        separators=f"_{_TOKENIZER_SIGNS}",
        mark=f"[{marks}]",
        tail_guard=rf"(?!(?<=[\u05d0-\u05f2]{_CUT_MARK})')",  # a Hebrew letter's apostrophe
    )


@cache
def _build_fold_table() -> tuple[re.Pattern[str], dict[str, str]]:
    """Letters whose case fold is not their own lower case, as a pattern and a table."""
    table = {
        character: character.casefold()
        for character in map(chr, (*range(0x80, 0x2000), *range(0xA640, 0xABC0)))
        if character.casefold() != character.lower() or len(character.lower()) > 1
    }
    return re.compile(f"[{''.join(table)}]"), table


def clean_text(text: str) -> str:
    """Return the text as the index holds it. Cleaning twice is cleaning once."""
    if text.isascii():
        return text.replace(_CUT_MARK, "").replace("`", "'")
    pattern, table = _build_fold_table()
    text = normalize("NFKC", _ACCENTS.sub("'", _INVISIBLE.sub("", text))).replace("`", "'")
    text = _APOSTROPHES.sub("'", text)
    text = pattern.sub(lambda match: table[match[0]], text)
    if _BEYOND_LATIN.search(text):
        # A capital and its mark may have no one character, where the small letter has one.
        text = _build_unicode_patterns().marked.sub(lambda match: fold_text(match[0]), text)
    return text if is_normalized("NFKC", text) else normalize("NFKC", text)


class SegmentedNarrative(Struct, frozen=True):
    """A clean text as the index holds it: ``"".join(segments)`` is the text."""

    segments: list[str]
    possessives: list[str]
    compounds: list[str]


def segment_narrative(*entries: str) -> SegmentedNarrative:
    """Cut the clean entries of a narrative: segments, those a possessive was cut out of (whole),
    compounds."""
    texts = [entry for entry in entries if entry]
    text = _CUT_MARK.join(texts)
    patterns = _choose_patterns(text)
    quoted = "'" in text
    awkward = (
        quoted
        or "\n" in text
        or "_" in text
        or "\f" in text
        or "\r" in text
        or patterns is not _ASCII
    ) and patterns.awkward.search(text)
    segments: list[str] = []
    for entry in texts:
        if awkward or not entry[0].isalnum():
            segments = _segment_carefully(text, patterns, awkward=bool(awkward))
            break
        segments += patterns.segment.findall(entry)
        segments[-1] += _ENTRY_BREAK
    if not segments:
        return SegmentedNarrative([], [], [])
    # A hard character joins two words only where a segment ends with it; the last ends soft here.
    has_joints = not _SOFT_ENDS.issuperset(map(_LAST_CHARACTER, segments))
    segments[-1] = segments[-1].removesuffix(_ENTRY_BREAK)
    compound_terms = (
        _find_compounds_at("".join(segments), _find_joints(segments), patterns)
        if has_joints
        else []
    )
    if not quoted or ("'s" not in text and "'S" not in text):
        return SegmentedNarrative(segments, [], compound_terms)
    pieces: list[str] = []
    possessives: list[str] = []
    for segment in segments:
        if "'" not in segment or len(parts := patterns.possessive.split(segment)) == 1:
            pieces.append(segment)
            continue
        possessives.append(segment)
        pieces += filter(None, parts)
    return SegmentedNarrative(pieces, possessives, compound_terms)


def _segment_carefully(text: str, patterns: _AlphabetPatterns, *, awkward: bool) -> list[str]:
    """The segments of marked entries where a class of characters alone cannot judge."""
    text = text.replace(_CUT_MARK, _ENTRY_BREAK + _CUT_MARK)
    if awkward:
        text = patterns.awkward.sub(_mark_cut, text)
    segments = [
        piece
        for segment in patterns.segment.findall(text)
        if (piece := segment.replace(_CUT_MARK, "") if _CUT_MARK in segment else segment)
    ]
    if (
        len(segments) > 1
        and not segments[0][0].isalnum()
        and patterns.opening.fullmatch(segments[0])
    ):
        segments[:2] = [segments[0] + segments[1]]
    if segments:
        segments[-1] += _ENTRY_BREAK
    return segments


def _mark_cut(match: re.Match[str]) -> str:
    return f"{_CUT_MARK}{match[0]}{_CUT_MARK}"


def _find_joints(segments: list[str]) -> list[int]:
    """Where the text may have a hard character between two words: before a segment's end."""
    return [
        end - 1
        for segment, end in zip(segments, accumulate(map(len, segments)), strict=True)
        if segment[-1] not in _SOFT_ENDS
    ]


def find_compounds(text: str) -> list[str]:
    """The compounds of clean text, case folded, each once, in order.

    Every run of two to four neighbouring words of a longer compound is one too, so that "live.ly"
    is found in "www.live.ly/x". A run of over 255 characters is left out: no term is as long.
    """
    patterns = _choose_patterns(text)
    joints = [match.start() for match in patterns.joint.finditer(text)]
    return _find_compounds_at(text, joints, patterns)


def _find_compounds_at(text: str, joints: list[int], patterns: _AlphabetPatterns) -> list[str]:
    """The compounds at the places where hard characters may join two words."""
    runs: dict[str, None] = {}
    end = 0
    for joint in joints:
        if joint < end or not patterns.joint.match(text, joint):
            continue
        # What stands between white space and dashes.
        start = joint
        while start > end and not _SOFT.match(text, start - 1):
            start -= 1
        soft = _SOFT.search(text, joint)
        end = soft.start() if soft else len(text)
        for compound in patterns.compound.findall(text, start, end):
            pieces = patterns.pieces.findall(compound)
            for first in range(0, len(pieces) - 2, 2):
                for last in range(first + 3, min(first + 2 * COMPOUND_WORDS, len(pieces) + 1), 2):
                    run = fold_text("".join(pieces[first:last]))
                    if len(run) <= COMPOUND_LENGTH:
                        runs[run] = None
    return list(runs)


def fold_text(text: str) -> str:
    """Clean text as terms are compared: in small letters, as the index has it."""
    # The fold of some letters is taken apart, such as that of "\u01f0".
    return text.lower() if text.isascii() else normalize("NFKC", text.casefold())


def find_words(text: str) -> list[str]:
    """The words of clean text, in order."""
    return (_choose_patterns(text)).words.findall(text)


def find_word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of clean text stand: first character, and the one after the last."""
    return [match.span() for match in _choose_patterns(text).words.finditer(text)]
