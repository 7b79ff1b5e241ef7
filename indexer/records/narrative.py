"""Clean a narrative and cut it into segments that no term may cross: the matching rule for text.

Pure functions of text; this module knows nothing of records or of Elasticsearch. The rule:

- *Clean* text is NFKC, without soft hyphens, zero-width and tag characters, variation selectors and
  NUL, with one kind of apostrophe, and with each letter folded whose case fold differs from its
  lower case ("ß" to "ss"). Other capitals stay, so that evidence reads as it was written; the index
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
from bisect import bisect_left
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from msgspec import Struct

from indexer.records.characters import HEBREW, MARK, NUMBER_SIGN

if TYPE_CHECKING:
    from collections.abc import Callable

#: The version of the matching rule, here and in ``queries.matching.term``: raised when a term may
#: count other records.
MATCHING_RULE: Final = 4

# The versions that clean or cut text otherwise than the one before.
_TEXT_RULES: Final = (3, 4)

COMPOUND_WORDS: Final = 4

COMPOUND_LENGTH: Final = 255

_ENTRY_BREAK: Final = "\n\n"  # between two entries

# Of the classes of a text's characters: one of a letter and of a word, and a word; the contents of
# a character class for what is soft, and for what the tokenizer may keep in a word.
_LETTER: Final = f"[A-Za-z{HEBREW}]"
_CHARACTER: Final = f"[A-Za-z0-9{HEBREW}{MARK}]"
_WORD: Final = f"{_CHARACTER}+(?:(?<={_LETTER})'(?={_LETTER}){_CHARACTER}+)*"
_SOFT: Final = r"\- \t\n\r\f\v\x1c-\x1f"
_INNER: Final = f"A-Za-z0-9{HEBREW}{MARK}_{NUMBER_SIGN}"

# A segment is words and soft characters, as far as a page break, a blank line, or an apostrophe
# that is not between two letters; and then all before the next word. A run of underscores and a
# number sign start one of their own; so do what is before the first word, and an apostrophe that
# follows a Hebrew letter, which the tokenizer would keep. A run of a class is matched in one step.
_RUN: Final = rf"[A-Za-z0-9{HEBREW}{MARK}\- \t\v\x1c-\x1f]"
_CONTINUED: Final = rf"'(?<={_LETTER}')(?={_LETTER})|\n(?![^\S\n]*\n)|\r(?!\r)"
_SEGMENTS: Final = re.compile(
    rf"(?:(?:{_RUN}|{_CONTINUED}){_RUN}*+(?:(?:{_CONTINUED}){_RUN}*+)*+|__*|{NUMBER_SIGN}|['\n\r\f])"
    rf"(?:(?<={HEBREW})(?=')|[^{_INNER}]*)"
    rf"|[^'{_SOFT}{_INNER}]+"
)
_SOFT_ENDS: Final = frozenset(" \n\t\r")
_LAST_CHARACTER: Final = itemgetter(-1)
_OPENING: Final = re.compile(f"[^{_INNER}]+")
_POSSESSIVE: Final = re.compile(f"('(?<={_LETTER}')[sS](?!{_CHARACTER}))")

# Between segments, and between their pieces; the classes of clean text contain neither.
_SEGMENT_MARK: Final = "\x80"
_PIECE_MARK: Final = "\x81"

# A hard character, and one that joins two words.
_HARD: Final = f"(?:[^'{_SOFT}{_INNER}]|_|(?<!{_LETTER})'|'(?!{_LETTER}))"
_JOINT: Final = re.compile(
    f"[^A-Za-z0-9{HEBREW}{MARK}{_SOFT}](?={_CHARACTER})(?<={_CHARACTER}.)(?<!{_LETTER}'(?={_LETTER}))",
    re.DOTALL,
)

_WORDS: Final = re.compile(_WORD)
_COMPOUNDS: Final = re.compile(f"{_WORD}(?:{_HARD}{_WORD})+")
_SOFT_CHARACTER: Final = re.compile(f"[{_SOFT}]")
_TO_SOFT: Final = re.compile(f".*[{_SOFT}]", re.DOTALL)  # the last one


def find_counting_rule(built_by: int) -> int:
    """The version of the matching rule that counts in text which version ``built_by`` cut.

    It is the newest of those that cut text as that one did: what a later one changed for terms
    alone applies, too. It is this program's where a new refresh would cut nothing otherwise.
    """
    return next((rule - 1 for rule in _TEXT_RULES if rule > built_by), max(built_by, MATCHING_RULE))


def clean_text(text: str) -> str:
    """Return the text as the index holds it. Cleaning clean text changes nothing."""
    if text.isascii():
        return text.replace("\x00", "").replace("`", "'")
    return _load_cleaner()(text)


def _classify_text(text: str) -> str:
    """The class of each character of a text; those of ASCII are classes of their own."""
    return text if text.isascii() else _load_classifier()(text)


@cache
def _load_cleaner() -> Callable[[str], str]:
    from indexer.records.characters.cleaning import clean_characters

    return clean_characters


@cache
def _load_classifier() -> Callable[[str], str]:
    from indexer.records.characters.classes import classify_characters

    return classify_characters


class SegmentedNarrative(Struct, frozen=True):
    """A clean text as the index holds it: ``"".join(segments)`` is the text."""

    segments: list[str]
    possessives: list[str]
    compounds: list[str]


def segment_narrative(*entries: str) -> SegmentedNarrative:
    """Cut the clean entries of a narrative into segments, and find its compounds.

    ``possessives`` are the segments that contained a possessive 's, whole.
    """
    text = _ENTRY_BREAK.join(filter(None, entries))
    classes = _classify_text(text)
    segments = _SEGMENTS.findall(classes)
    # The first segment includes what stands before its first word.
    if len(segments) > 1 and not classes[0].isalnum() and _OPENING.fullmatch(segments[0]):
        segments[:2] = [segments[0] + segments[1]]
    # A hard character can join two words only at the end of a segment.
    has_joints = not _SOFT_ENDS.issuperset(map(_LAST_CHARACTER, segments[:-1]))
    compounds = _list_compounds(text, classes) if has_joints else []
    wholes = _slice_text(text, segments)
    if "'" not in classes or ("'s" not in classes and "'S" not in classes):
        return SegmentedNarrative(wholes, [], compounds)
    marked = _PIECE_MARK.join(_POSSESSIVE.split(_SEGMENT_MARK.join(segments)))
    pieces = filter(None, marked.replace(_SEGMENT_MARK, _PIECE_MARK).split(_PIECE_MARK))
    possessives = [
        whole
        for whole, segment in zip(wholes, marked.split(_SEGMENT_MARK), strict=True)
        if _PIECE_MARK in segment
    ]
    return SegmentedNarrative(_slice_text(text, list(pieces)), possessives, compounds)


def _slice_text(text: str, pieces: list[str]) -> list[str]:
    """The text cut into as many pieces, each as long; the classes of ASCII are the text itself."""
    if text.isascii():
        return pieces
    slices: list[str] = []
    start = 0
    for piece in pieces:
        end = start + len(piece)
        slices.append(text[start:end])
        start = end
    return slices


def find_compounds(text: str) -> list[str]:
    """The compounds of clean text, case folded, each once, in order.

    Every run of two to four neighbouring words of a longer compound is one too, so that "live.ly"
    is found in "www.live.ly/x". Runs of over 255 characters are left out: no term is that long.
    """
    return _list_compounds(text, _classify_text(text))


def _list_compounds(text: str, classes: str) -> list[str]:
    """The compounds of a text and its classes."""
    runs: list[str] = []
    end = 0
    joints = list(map(re.Match.start, _JOINT.finditer(classes)))
    for joint in joints:
        if joint < end:
            continue
        # The run between white space and dashes.
        before, after = _TO_SOFT.match(classes, end, joint), _SOFT_CHARACTER.search(classes, joint)
        start, end = before.end() if before else end, after.start() if after else len(text)
        for compound in _COMPOUNDS.finditer(classes, start, end):
            first, last = compound.span()
            inner = joints[bisect_left(joints, first) : bisect_left(joints, last)]
            marks = [-1, *(position - first for position in inner), last - first]
            runs += _list_runs(fold_text(text[first:last]), marks)
    return list(dict.fromkeys(runs))


def _list_runs(text: str, marks: list[int]) -> list[str]:
    """Every run of two to COMPOUND_WORDS of the words between marks; the last ones repeat."""
    runs: list[str] = []
    ends = [*marks[2:], marks[-1], marks[-1]]
    for mark, second, third, fourth in zip(marks, ends, ends[1:], ends[2:], strict=False):
        start = mark + 1
        if fourth - start <= COMPOUND_LENGTH:
            runs += (text[start:second], text[start:third], text[start:fourth])
        else:
            lasts = [end for end in (second, third, fourth) if end - start <= COMPOUND_LENGTH]
            runs += [text[start:end] for end in lasts]
    return runs


def fold_text(text: str) -> str:
    """Fold the case of clean text, as the index does, to compare terms."""
    # The case fold of some letters is decomposed, such as that of "\u01f0".
    return text.lower() if text.isascii() else normalize("NFKC", text.casefold())


def find_words(text: str) -> list[str]:
    """The words of clean text, in order."""
    return [text[start:end] for start, end in find_word_spans(text)]


def find_word_spans(text: str) -> list[tuple[int, int]]:
    """The start and end positions of the words of clean text, in order."""
    return [match.span() for match in _WORDS.finditer(_classify_text(text))]
