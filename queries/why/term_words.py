"""How a narrative relates to a term: where it mentions it, or what comes close, and why that does
not count. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from indexer.records.narrative import SegmentedNarrative
from queries.evidence.masking import mask_identifiers
from queries.layout.prose import join_list
from queries.matching.highlight import (
    IndexedWord,
    TermMatch,
    find_spelling_matches,
    find_term_matches,
    iter_segment_words,
    make_character_snippet,
)
from queries.matching.near_miss import NearMissForm, NearMissKind, NearMissMatcher
from queries.matching.term import Term, parse_term_parts
from queries.tables.scope import Mention
from queries.why.explanation import Passage

_MAX_PASSAGES: Final = 3

_CONTEXT_WIDTH: Final = 40

_WORDS_BESIDE: Final = 2

_SEGMENT_END: Final = " | "


class _Word(NamedTuple):
    """A word of the index and the number of its segment."""

    word: IndexedWord
    segment: int


class NarrativeWords:
    """The narrative of one record: its text, and its words as the index has them."""

    def __init__(self, narrative: SegmentedNarrative, *, mask: bool = False) -> None:
        self.narrative = narrative
        self.text = "".join(narrative.segments)
        self._mask: Callable[[str], str] = mask_identifiers if mask else str
        self._words = [
            _Word(word, number)
            for number, words in enumerate(iter_segment_words(narrative))
            for word in words
        ]

    def find_mentions(self, mention: Mention) -> dict[str, int]:
        """How often each form of the mention's spellings is written."""
        matches = find_spelling_matches(self.narrative, mention.spellings)
        return dict(Counter(" ".join(match.form) for match in matches))

    def show_mentions(self, mention: Mention) -> tuple[Passage, ...]:
        """The first mentions, each with the text on either side."""
        matches = find_spelling_matches(self.narrative, mention.spellings)
        return tuple(self._show("counts", match) for match in matches[:_MAX_PASSAGES])

    def show_close_words(
        self, mention: Mention, requested_terms: Collection[Term]
    ) -> tuple[Passage, ...]:
        """What comes close to a term that is not mentioned: its words with something hard between
        them, and its near misses."""
        notes: dict[TermMatch, str] = {}
        for term in mention.spellings:
            # First what the rule cuts apart: a page break says more than "a blank line".
            for miss in self._find_misses(term, requested_terms):
                match = TermMatch(miss.start, miss.end, ())
                notes.setdefault(match, f"near miss: {miss.kind.value}")
            for start, end, _ in self._find_crossing(term):
                note = "its words, with punctuation or a blank line between them"
                notes.setdefault(TermMatch(start, end, ()), note)
        return tuple(
            self._show(notes[match], match, cut=True) for match in sorted(notes)[:_MAX_PASSAGES]
        )

    def _find_misses(self, term: Term, requested_terms: Collection[Term]) -> Iterator[NearMissForm]:
        """Each near miss of a term, and where it is."""
        matcher = NearMissMatcher(term, requested_terms)
        yield from matcher.find_broken_wordings(self.narrative)
        yield from matcher.find_near_misses(self.narrative)
        for form in matcher.without_punctuation():
            unpunctuated = Term(" ".join(form), (form,))
            for start, end, _ in find_term_matches(self.narrative, unpunctuated):
                yield NearMissForm(form, NearMissKind.UNPUNCTUATED, "", start, end)

    def count_parts(self, mention: Mention) -> dict[str, int]:
        """How often the narrative has each word of the first spelling that has several; empty if it
        has none of them."""
        texts = Counter(word.text for word, _ in self._words)
        for parts in _list_written_parts(mention):
            if any(texts[part] for part in parts):
                return {part: texts[part] for part in parts}
        return {}

    def show_parts(self, mention: Mention) -> tuple[Passage, ...]:
        """The first place of each word in a spelling whose words are all there, but apart."""
        counts = self.count_parts(mention)
        if not all(counts.values()):
            return ()
        first_words = {word.text: word for word, _ in reversed(self._words) if word.text in counts}
        matches = sorted(TermMatch(word.start, word.end, ()) for word in first_words.values())
        return tuple(self._show("stands apart", match, cut=True) for match in matches)[
            :_MAX_PASSAGES
        ]

    def _find_crossing(self, term: Term) -> Iterator[TermMatch]:
        """Where the words of a form follow each other, but not within one segment."""
        texts = [word.text for word, _ in self._words]
        for form in term.forms:
            size = len(form)
            for first in range(len(texts) - size + 1):
                if tuple(texts[first : first + size]) != form:
                    continue
                words = self._words[first : first + size]
                if words[0].segment != words[-1].segment:
                    yield TermMatch(words[0].word.start, words[-1].word.end, form)

    def _show(self, note: str, match: TermMatch, *, cut: bool = False) -> Passage:
        before, words, after = make_character_snippet(self.text, match, _CONTEXT_WIDTH)
        return Passage(
            note,
            self._mask(before),
            words,
            self._mask(after),
            self._format_cut(match) if cut else "",
        )

    def _format_cut(self, match: TermMatch) -> str:
        """The words of a match and those beside it, with a bar where a segment ends."""
        inside = [
            number
            for number, (word, _) in enumerate(self._words)
            if word.start < match.end and word.end > match.start
        ]
        first = max(0, inside[0] - _WORDS_BESIDE)
        shown = self._words[first : inside[-1] + _WORDS_BESIDE + 1]
        pieces = [shown[0].word.text]
        for before, after in pairwise(shown):
            pieces += [" " if before.segment == after.segment else _SEGMENT_END, after.word.text]
        return self._mask("".join(pieces))


def _list_written_parts(mention: Mention) -> list[tuple[str, ...]]:
    """The words of each spelling that is written with several."""
    parts = [parse_term_parts(term.written) for term in mention.spellings if not term.compound]
    return [one for one in parts if len(one) > 1]


def explain_absence(words: NarrativeWords, mention: Mention) -> tuple[str, tuple[Passage, ...]]:
    """Why a narrative does not mention a term, in a sentence, and the words that are closest."""
    counts = words.count_parts(mention)
    if not counts:
        return "Not mentioned, and nothing is close to it.", ()
    listed = join_list([f'"{part}" ({_format_times(n)})' for part, n in counts.items() if n])
    if all(counts.values()):
        reason = f"Not mentioned. The narrative has all of its words, but apart: {listed}."
        return reason, words.show_parts(mention)
    return f"Not mentioned. Of its words the narrative has only {listed}.", ()


def explain_presence(forms: dict[str, int]) -> str:
    """How a term is written in a narrative that mentions it, in a sentence."""
    listed = [f'"{form}" ({_format_times(times)})' for form, times in forms.items()]
    return f"Mentioned, as {join_list(listed)}." if listed else "Mentioned."


def _format_times(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times:,} times")
