"""Keyword in context: find the mentions of a term in a narrative, and show the words around them.

Pure. It reads the three fields of a narrative in the index, and finds in them what the server
finds: a record matches a term if and only if its narrative has a match here. Positions are those in
the cleaned text, ``"".join(segments)``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from indexer.records.narrative import SegmentedNarrative, find_word_spans, fold_text
from queries.matching.term import Term

TermForm = tuple[str, ...]

#: The fields of a document that ``narrative_from_source`` reads.
NARRATIVE_FIELDS: Final = ("narrative", "possessives", "compounds")

_POSSESSIVE_ENDING: Final = "'s"

# What the index makes a separate word within a run of letters: a Chinese character, a Hiragana
# letter, or a run of Katakana, Thai, Lao, Myanmar or Khmer letters.
_STANDALONE_TOKEN: Final = re.compile(
    "[\u3041-\u3096\u309d-\u309f\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\u0300-\u036f\u3099\u309a]*"
    "|[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff][\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u0300-\u036f\u3099\u309a]*"
    "|[\u0e01-\u0edf\u1000-\u109f\u1780-\u17d3\u19e0-\u19ff]+"
)

# A full stop and a space, or the end of a line, as in typed logs.
_SENTENCE_END: Final = re.compile(r"[.!?]+[\"')\]]*\s+|\n+")

_WHITE_SPACE: Final = re.compile(r"\s+")


class TermMatch(NamedTuple):
    """One mention, from ``start`` up to, not including, ``end``, and the form it is written in."""

    start: int
    end: int
    form: tuple[str, ...]


class NarrativeSnippet(NamedTuple):
    """A mention as it is written, and the text on either side of it."""

    before: str
    match: str
    after: str


class IndexedWord(NamedTuple):
    """A word as the index compares it, from ``start`` up to, not including, ``end``."""

    text: str
    start: int
    end: int


def narrative_from_source(source: Mapping[str, Any]) -> SegmentedNarrative:
    """The narrative in the source of a document; only ``NARRATIVE_FIELDS`` of it are read."""
    return SegmentedNarrative(*(source.get(name) or [] for name in NARRATIVE_FIELDS))


def find_term_matches(narrative: SegmentedNarrative, term: Term) -> list[TermMatch]:
    """Every mention of a term, in order of position."""
    if term.compound:
        return _find_compound_matches(narrative, term.forms[0][0])
    possessive = tuple(form for form in term.forms if any(map(_is_possessive, form)))
    plain = tuple(form for form in term.forms if not any(map(_is_possessive, form)))
    term_matches = [
        match
        for words in iter_segment_words(narrative)
        for match in _iter_form_matches(words, plain)
    ]
    if possessive and narrative.possessives:
        for words in _iter_possessive_segments(narrative):
            term_matches += _iter_form_matches(words, possessive)
            term_matches += (
                TermMatch(start, end - len(_POSSESSIVE_ENDING), form)
                for form in possessive
                for start, end, _ in _iter_form_matches(
                    words, ((*form[:-1], form[-1] + _POSSESSIVE_ENDING),)
                )
            )
    return sorted(set(term_matches))


def find_spelling_matches(
    narrative: SegmentedNarrative, spellings: Iterable[Term]
) -> list[TermMatch]:
    """Every mention of a term in any of its spellings, each once, in order of position."""
    return sorted({match for term in spellings for match in find_term_matches(narrative, term)})


def _is_possessive(word: str) -> bool:
    return word.endswith(_POSSESSIVE_ENDING)


def make_character_snippet(text: str, match: TermMatch, width: int) -> NarrativeSnippet:
    """The mention and up to ``width`` characters on either side of it, in whole words.

    White space, and characters that cannot be printed, become single spaces.
    """
    first, last = max(0, match.start - width), match.end + width
    before, after = text[first : match.start], text[match.end : last]
    if first and not text[first - 1].isspace():
        before = _WHITE_SPACE.sub(" ", before).partition(" ")[2]
    if last < len(text) and not text[last].isspace():
        after = _WHITE_SPACE.sub(" ", after).rpartition(" ")[0]
    return NarrativeSnippet(
        _to_printable_line(before).lstrip(),
        _to_printable_line(text[match.start : match.end]),
        _to_printable_line(after).rstrip(),
    )


def make_sentence_snippet(text: str, match: TermMatch, number: int) -> NarrativeSnippet:
    """The mention, the rest of its sentence, and ``number`` more sentences on either side."""
    ends = [0, *(end.end() for end in _SENTENCE_END.finditer(text)), len(text)]
    first = max(index for index, end in enumerate(ends) if end <= match.start)
    last = min(index for index, end in enumerate(ends) if end >= match.end)
    start, stop = ends[max(0, first - number)], ends[min(len(ends) - 1, last + number)]
    return NarrativeSnippet(
        _to_printable_line(text[start : match.start]).lstrip(),
        _to_printable_line(text[match.start : match.end]),
        _to_printable_line(text[match.end : stop]).rstrip(),
    )


def iter_segment_words(narrative: SegmentedNarrative) -> Iterator[list[IndexedWord]]:
    """The words of each segment; no mention extends from one segment to the next."""
    offset = 0
    for segment in narrative.segments:
        yield list(_iter_index_words(segment, offset))
        offset += len(segment)


def _iter_index_words(segment: str, offset: int) -> Iterator[IndexedWord]:
    """The words that the index makes of a segment."""
    for start, end in find_word_spans(segment):
        for piece, first in _split_index_tokens(segment[start:end]):
            position = offset + start + first
            yield IndexedWord(fold_text(piece), position, position + len(piece))


def _split_index_tokens(word: str) -> list[tuple[str, int]]:
    """The pieces that the index makes of a word, each with its position in the word."""
    if word.isascii():
        return [(word, 0)]
    cuts = [
        0,
        *(cut for token in _STANDALONE_TOKEN.finditer(word) for cut in token.span()),
        len(word),
    ]
    pieces = []
    for start, end in pairwise(cuts):
        # An apostrophe is part of a word only between two letters of the same piece.
        piece = word[start:end].lstrip("'")
        if text := piece.rstrip("'"):
            pieces.append((text, end - len(piece)))
    return pieces


def _iter_form_matches(
    words: list[IndexedWord], forms: tuple[TermForm, ...]
) -> Iterator[TermMatch]:
    """The matches of each form: its words, one after the other."""
    texts = [word.text for word in words]
    forms_by_word = _group_forms(forms)
    for first, text in enumerate(texts):
        for form_pieces, form in forms_by_word.get(text, ()):
            last = first + len(form_pieces)
            if texts[first:last] == form_pieces:
                yield TermMatch(words[first].start, words[last - 1].end, form)


@lru_cache(1_000)
def _group_forms(forms: tuple[TermForm, ...]) -> dict[str, list[tuple[list[str], TermForm]]]:
    """Forms by the first word that the index makes of each, with all the words it makes of it."""
    forms_by_word = defaultdict(list)
    for form in forms:
        form_pieces = [piece for word in form for piece, _ in _split_index_tokens(word)]
        forms_by_word[form_pieces[0]].append((form_pieces, form))
    return dict(forms_by_word)


def _iter_possessive_segments(narrative: SegmentedNarrative) -> Iterator[list[IndexedWord]]:
    """The words of each segment from which a possessive was cut, with the possessive."""
    possessives = {*narrative.possessives}
    longest = max(map(len, possessives))
    offset = index = 0
    while index < len(narrative.segments):
        text, end, rejoined_segment = narrative.segments[index], index + 1, None
        while end < len(narrative.segments) and len(text) <= longest:
            text += narrative.segments[end]
            end += 1
            if text in possessives:
                rejoined_segment = (text, end)
        text, index = rejoined_segment or (narrative.segments[index], index + 1)
        if rejoined_segment:
            yield list(_iter_index_words(text, offset))
        offset += len(text)


def _find_compound_matches(narrative: SegmentedNarrative, form: str) -> list[TermMatch]:
    """The matches of a compound, each from the start of a word to the end of a word."""
    if not {form, form + _POSSESSIVE_ENDING} & {*narrative.compounds}:
        return []
    # Folding cleaned text does not change its length, so positions stay the same.
    text = fold_text("".join(narrative.segments))
    words = [word for segment in iter_segment_words(narrative) for word in segment]
    starts = {word.start for word in words}
    ends = {word.end for word in words}
    positions = (match.start() for match in re.finditer(f"(?={re.escape(form)})", text))
    return [
        TermMatch(start, start + len(form), (form,))
        for start in positions
        if start in starts and start + len(form) in ends
    ]


def _to_printable_line(text: str) -> str:
    """Text on one line, without the characters that control a terminal."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return _WHITE_SPACE.sub(" ", plain)
