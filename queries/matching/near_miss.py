"""Near misses: wording close to a term that the term does not cover.

Pure: what to search for on the server, and what in a text is a near miss. Neighbouring words are
compared as one word, because hyphens and spaces do not distinguish terms. Words in a row are a near
miss of a term if, joined, they are

- the closed form of the term with another ending of up to five letters ("live streams",
  "livestreamed"; "live streamed" for "live streaming");
- the closed form with one letter wrong, missing, added or swapped with the next ("live straem"),
  its first letter being right;
- the closed form itself, split where the matching rule does not split it ("x box").

The words of a term with punctuation ("Live.ly") are near misses without the punctuation. Terms of
three letters or fewer have no near misses, because every short word would be one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from elasticsearch.dsl.query import Bool, Fuzzy, Intervals, MatchPhrase, MatchPhrasePrefix, Query
from elasticsearch.dsl.query import Prefix as StartsWith
from rapidfuzz.distance import OSA

from indexer.records.narrative import SegmentedNarrative
from queries.matching.highlight import IndexedWord, TermForm, iter_segment_words
from queries.matching.term import (
    MAX_TERM_LENGTH,
    MAX_TERM_PARTS,
    Term,
    iter_joined_variants,
    parse_term,
    parse_term_parts,
)

MAX_ENDING_LENGTH: Final = 5

MIN_CLOSED_LENGTH: Final = 4

MIN_TYPO_LENGTH: Final = 5

MAX_PREFIX_EXPANSIONS: Final = 1_000

MAX_PHRASE_FORMS: Final = 100

_ENDINGS: Final = ("ing", "ed", "ers", "er", "es", "s", "e")


class NearMissKind(StrEnum):
    """How a wording differs from a term."""

    ENDING = "another ending"
    TYPO = "one letter away"
    SPLIT = "opened otherwise"
    UNPUNCTUATED = "without its punctuation"


class NearMissForm(NamedTuple):
    """A wording in a text that is a near miss of a term."""

    form: TermForm
    kind: NearMissKind


class NearMissMatcher:
    """Finds the near misses of one term, on the server and in texts."""

    def __init__(self, term: Term, requested_terms: Collection[Term]) -> None:
        """``requested_terms`` are all terms of the request: none of them is a near miss."""
        # For a term without variants, its own variants are near misses.
        self.forms = (
            term.forms if term.compound or len(term.forms) > 1 else parse_term(term.written).forms
        )
        self.closed = {
            form[0]: _strip_ending(form[0])
            for form in self.forms
            if len(form) == 1 and len(form[0]) >= MIN_CLOSED_LENGTH and not term.compound
        }
        self.compound = term.forms[0][0] if term.compound else None
        # A long term has many forms: its own words come first, and then their joinings.
        own_words = parse_term_parts(term.written)
        joined_forms = {*iter_joined_variants(own_words)}
        self._phrase_forms = sorted(
            (form for form in self.forms if len(form) > 1),
            key=lambda form: (form != own_words, form not in joined_forms),
        )
        self._requested_forms = {
            form for requested_term in requested_terms for form in requested_term.forms
        }
        # Part of a requested term ("stream" in "live stream") is not a near miss of another.
        self._requested_runs = {
            run
            for requested_term in requested_terms
            for run in _iter_word_runs(parse_term_parts(requested_term.written))
        }
        self._first_letters = {closed[0] for closed in self.closed}
        # With its spaces, a near miss must still be short enough to be a term.
        max_closed_length = MAX_TERM_LENGTH - MAX_TERM_PARTS
        self._max_length = min(
            max_closed_length, max(map(len, self.closed), default=0) + MAX_ENDING_LENGTH
        )

    def query(self) -> Query | None:
        """The records that may contain a near miss; some contain only the term.

        None for a term that has no near misses.
        """
        queries: list[Query] = []
        for closed, stem in self.closed.items():
            queries.append(StartsWith(narrative=stem))
            queries += [
                MatchPhrase(narrative=" ".join(form)) for form in _split_end_letters(closed)
            ]
            if len(closed) >= MIN_TYPO_LENGTH:
                queries.append(
                    Fuzzy(narrative={"value": closed, **_ONE_LETTER_FUZZINESS, **_CONSTANT_SCORE})
                )
        for form in self._phrase_forms[:MAX_PHRASE_FORMS] if self.closed else ():
            queries += _build_phrase_queries(form)
        return Bool(should=queries, minimum_should_match=1) if queries else None

    def find_near_misses(self, narrative: SegmentedNarrative) -> Iterator[NearMissForm]:
        """Each near miss in a narrative, as often as it occurs."""
        for words in iter_segment_words(narrative) if self.closed else ():
            for first, word in enumerate(words):
                if word.text[0] in self._first_letters:
                    yield from self._near_misses_at_start(words[first:])

    def _near_misses_at_start(self, words: list[IndexedWord]) -> list[NearMissForm]:
        """The near misses that start with the first word; none if a requested term starts there."""
        joined = ""
        form: TermForm = ()
        near_misses = []
        for word in words:
            before, joined, form = len(joined), joined + word.text, (*form, word.text)
            if form in self._requested_forms:
                return []
            if len(joined) > self._max_length or len(form) > MAX_TERM_PARTS:
                break
            kind = self._classify(joined, before)
            if (
                kind
                and form not in self._requested_runs
                and self._requested_forms.isdisjoint(_iter_word_runs(form))
            ):
                near_misses.append(NearMissForm(form, kind))
        return near_misses

    def _classify(self, joined: str, before: int) -> NearMissKind | None:
        """How joined words differ from the term; None if they are not a near miss.

        Their last word starts at ``before``, and must be needed for the near miss.
        """
        for closed, stem in self.closed.items():
            if before >= len(stem):
                continue
            if joined == closed:
                return NearMissKind.SPLIT
            if joined.startswith(stem) and len(joined) <= len(closed) + MAX_ENDING_LENGTH:
                return NearMissKind.ENDING
        for closed in self.closed:
            if (
                len(closed) >= MIN_TYPO_LENGTH
                and before < len(closed)
                and joined[0] == closed[0]
                and OSA.distance(joined, closed, score_cutoff=1) <= 1
            ):
                return NearMissKind.TYPO
        return None

    def is_close_to(self, term: Term) -> bool:
        """Whether another term is this one, or a near miss of it."""
        return any(
            form in self.forms or self._classify("".join(form), len("".join(form[:-1]))) is not None
            for form in term.forms
        )

    def without_punctuation(self) -> tuple[TermForm, ...]:
        """A compound without punctuation ("musical ly", "musically"), unless it is requested."""
        if self.compound is None:
            return ()
        words = tuple("".join(c if c.isalnum() else " " for c in self.compound).split())
        return tuple(
            form for form in (words, ("".join(words),)) if form not in self._requested_forms
        )


_ONE_LETTER_FUZZINESS: Final[dict[str, Any]] = {"fuzziness": 1, "prefix_length": 1}

_CONSTANT_SCORE: Final[dict[str, Any]] = {"rewrite": "constant_score"}


def _strip_ending(closed: str) -> str:
    """The closed form without its ending, if the rest is long enough to recognise it."""
    for ending in _ENDINGS:
        stem = closed.removesuffix(ending)
        if stem != closed and len(stem) >= MIN_TYPO_LENGTH:
            return stem
    return closed


def _split_end_letters(closed: str) -> tuple[TermForm, ...]:
    """The splits that the matching rule leaves out: one letter at either end."""
    return (closed[0], closed[1:]), (closed[:-1], closed[-1])


def _build_phrase_queries(form: TermForm) -> Iterator[Query]:
    """Phrases near a form of several words: with another ending, or one letter wrong in a word."""
    last = _strip_ending(form[-1])
    if len(last) >= 3:
        prefix = " ".join((*form[:-1], last))
        yield MatchPhrasePrefix(
            narrative={"query": prefix, "max_expansions": MAX_PREFIX_EXPANSIONS}
        )
    for index, word in enumerate(form):
        if len(word) >= MIN_TYPO_LENGTH:
            rules = [{"match": {"query": form_word}} for form_word in form]
            rules[index] = {"fuzzy": {"term": word, **_ONE_LETTER_FUZZINESS}}
            yield Intervals(
                narrative={"all_of": {"intervals": rules, "ordered": True, "max_gaps": 0}}
            )


def _iter_word_runs(form: TermForm) -> Iterator[TermForm]:
    for first in range(len(form)):
        for last in range(first + 1, len(form) + 1):
            yield form[first:last]
