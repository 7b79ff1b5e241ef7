"""Key word in context: where a term stands in a narrative, and the words around it.

Pure. It reads what the index holds, the three fields of a narrative, and finds in them what the
server finds: a record matches a term if and only if its narrative has a match here. Places are
those of the cleaned text, ``"".join(segments)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

from indexer.narrative import Cut, folded, word_spans
from queries.terms import Term

#: The fields of a document that ``held`` reads.
FIELDS: Final = ("narrative", "possessives", "compounds")

_POSSESSIVE: Final = "'s"
# What the index takes for a word of its own within a run of letters: a Chinese character, a
# Hiragana letter, a run of Katakana, a run of Thai, Lao, Myanmar or Khmer letters.
_ALONE: Final = re.compile(
    "[\u3041-\u3096\u309d-\u309f\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\u0300-\u036f\u3099\u309a]*"
    "|[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff][\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u0300-\u036f\u3099\u309a]*"
    "|[\u0e01-\u0edf\u1000-\u109f\u1780-\u17d3\u19e0-\u19ff]+"
)
# A full stop with a space, or a line's end: sentences as typed logs have them.
_SENTENCE: Final = re.compile(r"[.!?]+[\"')\]]*\s+|\n+")
_SPACE: Final = re.compile(r"\s+")


class Match(NamedTuple):
    """One mention: the form it is written in, from ``start`` up to, not including, ``end``."""

    start: int
    end: int
    form: tuple[str, ...]


class Context(NamedTuple):
    """A mention as it is written, and the text on either side of it."""

    before: str
    match: str
    after: str


class Word(NamedTuple):
    """A word as the index compares it, and where it stands."""

    text: str
    start: int
    end: int


def held(source: Mapping[str, Any]) -> Cut:
    """The narrative of a document's source, of which ``FIELDS`` are needed."""
    return Cut(*(source.get(name) or [] for name in FIELDS))


def matches(narrative: Cut, term: Term) -> list[Match]:
    """Every mention of a term, in the order of the text."""
    if term.compound:
        return _compounds(narrative, term.forms[0][0])
    possessive = [form for form in term.forms if any(map(_ends_so, form))]
    plain = [form for form in term.forms if form not in possessive]
    found = [match for words in segments(narrative) for match in _in_a_row(words, plain)]
    if possessive and narrative.possessives:
        for words in _whole(narrative):
            found += _in_a_row(words, possessive)
            found += (
                Match(start, end - len(_POSSESSIVE), form)
                for form in possessive
                for start, end, _ in _in_a_row(words, [(*form[:-1], form[-1] + _POSSESSIVE)])
            )
    return sorted(set(found))


def _ends_so(word: str) -> bool:
    return word.endswith(_POSSESSIVE)


def window(text: str, match: Match, width: int) -> Context:
    """The mention and up to ``width`` characters on either side of it, never half a word.

    White space is one space, and so is whatever does not print.
    """
    first, last = max(0, match.start - width), match.end + width
    before, after = text[first : match.start], text[match.end : last]
    if first and not text[first - 1].isspace():
        before = _SPACE.sub(" ", before).partition(" ")[2]
    if last < len(text) and not text[last].isspace():
        after = _SPACE.sub(" ", after).rpartition(" ")[0]
    return Context(
        _printed(before).lstrip(), _printed(text[match.start : match.end]), _printed(after).rstrip()
    )


def sentences(text: str, match: Match, number: int) -> Context:
    """The mention and the rest of its sentence, with so many more sentences on either side."""
    ends = [0, *(end.end() for end in _SENTENCE.finditer(text)), len(text)]
    first = max(place for place, end in enumerate(ends) if end <= match.start)
    last = min(place for place, end in enumerate(ends) if end >= match.end)
    start, stop = ends[max(0, first - number)], ends[min(len(ends) - 1, last + number)]
    return Context(
        _printed(text[start : match.start]).lstrip(),
        _printed(text[match.start : match.end]),
        _printed(text[match.end : stop]).rstrip(),
    )


def segments(narrative: Cut) -> Iterator[list[Word]]:
    """The words of each segment; no variant of a term crosses from one to the next."""
    offset = 0
    for segment in narrative.segments:
        yield list(_words(segment, offset))
        offset += len(segment)


def _words(segment: str, offset: int) -> Iterator[Word]:
    """The words the index has of a segment."""
    for start, end in word_spans(segment):
        for piece, first in _pieces(segment[start:end]):
            at = offset + start + first
            yield Word(folded(piece), at, at + len(piece))


def _pieces(word: str) -> list[tuple[str, int]]:
    """A word as the index cuts it, each piece with its place."""
    if word.isascii():
        return [(word, 0)]
    cuts = [0, *(place for alone in _ALONE.finditer(word) for place in alone.span()), len(word)]
    found = []
    for start, end in pairwise(cuts):
        # An apostrophe belongs to a word only between two letters that stay together.
        piece = word[start:end].lstrip("'")
        if text := piece.rstrip("'"):
            found.append((text, end - len(piece)))
    return found


def _in_a_row(words: list[Word], forms: list[tuple[str, ...]]) -> Iterator[Match]:
    """The places where the words of a form follow each other."""
    texts = [word.text for word in words]
    for form in forms:
        wanted = [piece for word in form for piece, _ in _pieces(word)]
        size = len(wanted)
        for first in range(len(texts) - size + 1):
            if texts[first] == wanted[0] and texts[first : first + size] == wanted:
                yield Match(words[first].start, words[first + size - 1].end, form)


def _whole(narrative: Cut) -> Iterator[list[Word]]:
    """The words of each segment that a possessive was cut out of, as it was before."""
    known = {*narrative.possessives}
    longest = max(map(len, known))
    offset = place = 0
    while place < len(narrative.segments):
        text, end, whole = narrative.segments[place], place + 1, None
        while end < len(narrative.segments) and len(text) <= longest:
            text += narrative.segments[end]
            end += 1
            if text in known:
                whole = (text, end)
        text, place = whole or (narrative.segments[place], place + 1)
        if whole:
            yield list(_words(text, offset))
        offset += len(text)


def _compounds(narrative: Cut, form: str) -> list[Match]:
    """Where a compound stands: from the start of a word to the end of one."""
    if not {form, form + _POSSESSIVE} & {*narrative.compounds}:
        return []
    # Clean text has as many letters when it is folded.
    text = folded("".join(narrative.segments))
    words = [word for segment in segments(narrative) for word in segment]
    starts = {word.start for word in words}
    ends = {word.end for word in words}
    found = (match.start() for match in re.finditer(f"(?={re.escape(form)})", text))
    return [
        Match(start, start + len(form), (form,))
        for start in found
        if start in starts and start + len(form) in ends
    ]


def _printed(text: str) -> str:
    """Text on one line, without what a terminal would obey."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return _SPACE.sub(" ", plain)
