"""Clean a narrative and cut it into segments that no term may cross: the matching rule for text.

Pure functions of text; this module knows nothing of records or of Elasticsearch. The rule:

- *Clean* text is NFKC, without soft hyphens, zero-width characters, variation selectors and NUL,
  with one kind of apostrophe, and with each letter folded whose case fold differs from its lower
  case ("ß" to "ss"). Other capitals stay, so that evidence reads as it was written; the index
  lowercases them. A combining mark without a letter or digit before it is removed, as broken text
  of a PDF has it ("live \u0301stream"): it cuts no word and parts no two.
- A *word* is a run of letters, digits and combining marks; an apostrophe between two letters
  belongs to it. *Soft* characters (white space and dashes) join the parts of a term. All other
  characters, and a blank line, are *hard*: spelling variants of a term never cross them.
- A *segment* ends where the next word starts after a hard character; the first one includes what
  stands before its first word. An underscore and a possessive 's are segments of their own.
  Segments are the values of the index field, and phrases never cross values: "Facebook's" mentions
  Facebook, and "Paul's club" does not mention "S Club". For terms that contain an 's ("what's
  app"), the segments it was cut out of are also indexed whole. Entries of a narrative are separated
  as if by a blank line.
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

# Marks a cut while a text is cut; clean text never contains it.
_CUT_MARK: Final = "\x00"

_ENTRY_BREAK: Final = "\n\n"  # between two entries

_SOFT: Final = re.compile(rf"[\s{DASHES}]")

_SOFT_ENDS: Final = frozenset(" \n\t\r")

_LAST_CHARACTER: Final = itemgetter(-1)

_INVISIBLE: Final = re.compile(
    "[\x00\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)

# Invisible too, but beyond the characters that a class finds as fast.
_RARE_SELECTORS: Final = re.compile("[\U000e0100-\U000e01ef]+")

_APOSTROPHES: Final = re.compile("[\u2018\u2019\u201b\u02bc\u02bb]")

# Accents typed as separate characters, often instead of an apostrophe. NFKC would turn each into a
# space and a mark, and so join the words beside it. The marks of Arabic have such characters too.
_ACCENTS: Final = re.compile(
    "[\u00a8\u00af\u00b4\u00b8\u02d8-\u02dd\u037a\u0384\u0385\u1fbd-\u1fc1\u1fcd-\u1fcf"
    "\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd\u1ffe\u2017\u203e\u309b\u309c\ufe49-\ufe4c\uffe3"
    "\ufc5e-\ufc63\ufe70\ufe72\ufe74\ufe76\ufe78\ufe7a\ufe7c\ufe7e]"
)


class _Alphabet(Struct, frozen=True):
    """The characters of an alphabet, as parts of regular expressions.

    ``word``, ``letter``, ``joint`` and ``mark`` each match one character: of a word, a letter, a
    hard character that may join two words, and a combining mark. ``inner``, ``soft`` and
    ``separators`` are contents of a character class: what is inside words, soft characters, and
    what Elasticsearch's tokenizer keeps in a word but the rule does not. ``extra_breaks`` are more
    alternatives where a segment ends; ``tail_guard`` is a look-ahead for what may follow a word.
    """

    word: str
    letter: str
    inner: str
    soft: str
    joint: str
    extra_breaks: str = ""
    separators: str = "_"
    tail_guard: str = ""
    mark: str = "(?!)"


class _AlphabetPatterns:
    """The compiled patterns of the rule for one alphabet."""

    def __init__(self, alphabet: _Alphabet) -> None:
        word, letter, inner, soft = alphabet.word, alphabet.letter, alphabet.inner, alphabet.soft
        separators = alphabet.separators
        plain = rf"{inner}{soft}'"
        whole_word = rf"{word}+(?:(?<={letter})'(?={letter}){word}+)*"
        hard = rf"(?:[^{plain}]|[{separators}]|(?<!{letter})'|'(?!{letter}))"
        self.words = re.compile(whole_word)
        self.marked = re.compile(rf"{letter}{alphabet.mark}+")
        self.stray_marks = re.compile(rf"(?<!{word}){alphabet.mark}+")
        # A gap between words is one cut, so the next segment starts with a word. The two runs of
        # character classes are matched in one step each.
        guard = alphabet.tail_guard
        tail = rf"(?:{guard}[^{inner}])*" if guard else rf"[^{inner}]*"
        self.segment = re.compile(rf"[{plain}]+{tail}|[^{plain}]+")
        self.opening = re.compile(rf"(?:[{soft}']|[^{plain}])+")
        # What a character class alone cannot decide: what the tokenizer would keep in a word, such
        # as an underscore; a blank line; an apostrophe that is not between two letters; and the
        # extra breaks of the alphabet.
        self.awkward = re.compile(
            # Alternatives that each start with one character let the engine skip ahead.
            rf"{'__*' if separators == '_' else f'[{separators}]+'}"
            rf"|\n[^\S\n]*\n|\r\r|\f|\u2029|'(?!{letter})|'(?<!{letter}'){alphabet.extra_breaks}"
        )
        self.possessive = re.compile(rf"(?<={letter})('[sS])(?!{word})")
        self.joint = re.compile(rf"{alphabet.joint}(?={word})(?<={word}.)", re.DOTALL)
        self.compound = re.compile(rf"{whole_word}(?:{hard}{whole_word})+")
        self.pieces = re.compile(rf"{whole_word}|{hard}")


# ASCII has patterns of its own: its character classes are bitmaps, which are three times as fast.
_ASCII: Final = _AlphabetPatterns(
    _Alphabet(
        word="[A-Za-z0-9]",
        letter="[A-Za-z]",
        inner="A-Za-z0-9_",
        soft=r"\- \t\n\r\f\v\x1c-\x1f",
        joint=r"[^A-Za-z0-9\- \t\n\r\f\v\x1c-\x1f]",
    )
)


# Latin letters, dashes, quotes and currencies, as NFKC leaves them: no marks, no circled numbers.
_BEYOND_LATIN: Final = re.compile("[^\x00-\u024f\u2010-\u203e\u20a0-\u20bf]")

_LATIN: Final = _AlphabetPatterns(
    _Alphabet(
        word=r"[^\W_]",
        letter=r"[^\W\d_]",
        inner=r"\w",
        soft=rf"\s{DASHES}",
        joint=rf"(?:[^\w\s{DASHES}]|_)",
    )
)


def _choose_patterns(text: str) -> _AlphabetPatterns:
    """The fastest patterns that are right for a clean text."""
    if text.isascii():
        return _ASCII
    return _build_unicode_patterns() if _BEYOND_LATIN.search(text) else _LATIN


# Signs that are not letters, but that the index's tokenizer keeps in a word.
_TOKENIZER_SIGNS: Final = (
    "\u02c2-\u02c5\u02d2-\u02d7\u02de\u02df\u02ed\u02ef-\u02ff\u055b\u055c\u055e\u05f3\u0600-\u0605\u066b"
    "\u06dd\u070f\u08e2\u203f\u2040\u2054\ua720\ua721\ua789\ua78a\uab5b\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f150-\U0001f169"
    "\U0001f170-\U0001f189"
)


@cache
def _build_unicode_patterns() -> _AlphabetPatterns:
    """The patterns for all scripts; compiled when first needed, because it takes 20 ms."""
    characters = [(character, category(character)) for character in map(chr, range(0x80, 0x1F200))]
    marks = "".join(character for character, kind in characters if kind[0] == "M")
    # Circled numbers and the like: word characters to Python, but not to the tokenizer.
    signs = "".join(character for character, kind in characters if kind in ("No", "Nl"))
    word = rf"(?:[^\W_{signs}]|[{marks}])"
    return _AlphabetPatterns(
        _Alphabet(
            word=word,
            letter=rf"[^\W\d_{signs}]",
            inner=rf"\w{marks}{_TOKENIZER_SIGNS}",
            soft=rf"\s{DASHES}",
            joint=rf"(?:[^\w\s{DASHES}{marks}]|[_{signs}])",
            extra_breaks=rf"|[{signs}]",
            separators=f"_{_TOKENIZER_SIGNS}",
            mark=f"[{marks}]",
            tail_guard=rf"(?!(?<=[\u05d0-\u05f2]{_CUT_MARK})')",  # a Hebrew letter's apostrophe
        )
    )


@cache
def _build_fold_table() -> tuple[re.Pattern[str], dict[str, str]]:
    """Letters whose case fold differs from their lower case, as a pattern and a table."""
    table = {
        character: character.casefold()
        for character in map(chr, (*range(0x80, 0x2000), *range(0xA640, 0xABC0)))
        if character.casefold() != character.lower() or len(character.lower()) > 1
    }
    return re.compile(f"[{''.join(table)}]"), table


def clean_text(text: str) -> str:
    """Return the text as the index holds it. Cleaning clean text changes nothing."""
    if text.isascii():
        return text.replace(_CUT_MARK, "").replace("`", "'")
    pattern, table = _build_fold_table()
    text = _ACCENTS.sub(_replace_accent, _INVISIBLE.sub("", text))
    text = _APOSTROPHES.sub("'", normalize("NFKC", text).replace("`", "'"))
    # Only other text has marks, but for those that folding makes of single letters.
    has_marks = _BEYOND_LATIN.search(text)
    if has_marks:
        if _RARE_SELECTORS.search(text):
            text = normalize("NFKC", _RARE_SELECTORS.sub("", text))
        # Before letters are folded, because the fold of a mark may be a letter.
        text = _build_unicode_patterns().stray_marks.sub("", text)
    text = pattern.sub(lambda match: table[match[0]], text)
    if has_marks:
        # A capital and its mark may have no single character where the small letter has one.
        text = _build_unicode_patterns().marked.sub(lambda match: fold_text(match[0]), text)
    return text if is_normalized("NFKC", text) else normalize("NFKC", text)


def _replace_accent(match: re.Match[str]) -> str:
    """An apostrophe for an accent by itself, and the mark itself for a mark of Arabic."""
    accent = match[0]
    return normalize("NFKC", accent).lstrip() if category(accent) == "Lo" else "'"


class SegmentedNarrative(Struct, frozen=True):
    """A clean text as the index holds it: ``"".join(segments)`` is the text."""

    segments: list[str]
    possessives: list[str]
    compounds: list[str]


def segment_narrative(*entries: str) -> SegmentedNarrative:
    """Cut the clean entries of a narrative into segments, and find its compounds.

    ``possessives`` are the segments that contained a possessive 's, whole.
    """
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
    # A hard character can join two words only at the end of a segment; the last one ends soft.
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
    """The segments of entries that need more than the character classes of the fast path."""
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
    """Positions in the text that may have a hard character between two words: segments' ends."""
    return [
        end - 1
        for segment, end in zip(segments, accumulate(map(len, segments)), strict=True)
        if segment[-1] not in _SOFT_ENDS
    ]


def find_compounds(text: str) -> list[str]:
    """The compounds of clean text, case folded, each once, in order.

    Every run of two to four neighbouring words of a longer compound is one too, so that "live.ly"
    is found in "www.live.ly/x". Runs of over 255 characters are left out: no term is that long.
    """
    patterns = _choose_patterns(text)
    joints = [match.start() for match in patterns.joint.finditer(text)]
    return _find_compounds_at(text, joints, patterns)


def _find_compounds_at(text: str, joints: list[int], patterns: _AlphabetPatterns) -> list[str]:
    """The compounds at the positions where hard characters may join two words."""
    runs: dict[str, None] = {}
    end = 0
    for joint in joints:
        if joint < end or not patterns.joint.match(text, joint):
            continue
        # The run between white space and dashes.
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
    """Fold the case of clean text, as the index does, to compare terms."""
    # The case fold of some letters is decomposed, such as that of "\u01f0".
    return text.lower() if text.isascii() else normalize("NFKC", text.casefold())


def find_words(text: str) -> list[str]:
    """The words of clean text, in order."""
    return _choose_patterns(text).words.findall(text)


def find_word_spans(text: str) -> list[tuple[int, int]]:
    """The start and end positions of the words of clean text, in order."""
    return [match.span() for match in _choose_patterns(text).words.finditer(text)]
