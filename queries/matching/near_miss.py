"""Near misses: wording close to a term that the term does not cover.

Pure: what to search for on the server, and what in a text is a near miss. Neighbouring words are
compared as one word, because hyphens and spaces do not distinguish terms. Words in a row are a near
miss of a term if, joined, they are

- the closed form of the term with another ending of up to five letters ("live streams",
  "livestreamed"; "live streamed" for "live streaming");
- the closed form with one letter wrong, missing, added or swapped with the next ("live straem"),
  its first letter being right;
- the closed form itself, split where the matching rule does not split it ("x box", "u s a");
- the closed form with other accents, or without them;
- one of its words in another inflection ("meets up" for "meet up", "parties" for "party");
- the closed form with a common word typed onto its start ("ontiktok"), as where an invisible
  character has stood for the space.

The words of a term with punctuation ("Live.ly") are near misses without the punctuation. What the
rule cuts apart ("U.S.A.", "1,000", a page break) is in ``broken_wording``. A term of three letters
or fewer has only splits, plurals, accents and abbreviations as near misses, because every short
word would be a typing error of another.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from elasticsearch.dsl.query import (
    Bool,
    Fuzzy,
    Intervals,
    MatchPhrase,
    MatchPhrasePrefix,
    Query,
    Regexp,
    Terms,
)
from elasticsearch.dsl.query import Prefix as StartsWith
from rapidfuzz.distance import OSA

from indexer.records.narrative import SegmentedNarrative
from queries.matching.broken_wording import (
    BrokenForm,
    BrokenWordingFinder,
    build_broken_query,
    list_dotted_forms,
    list_grouped_forms,
    list_page_forms,
)
from queries.matching.highlight import IndexedWord, TermForm, iter_segment_words
from queries.matching.inflection import (
    MIN_GLUED_LENGTH,
    MIN_STEM_LENGTH,
    build_accent_pattern,
    list_glued_words,
    list_inflections,
    strip_accents,
)
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
    ACCENTS = "with other accents, or none"
    GLUED = "joined to the word before it"
    DOTTED = "with full stops"
    GROUPED = "with its digits grouped"
    PAGE = "broken by a page"


#: What the matching rule cuts apart: no phrase finds it, so only reading a record shows it.
BROKEN_KINDS: Final = frozenset({NearMissKind.DOTTED, NearMissKind.GROUPED, NearMissKind.PAGE})


class NearMissForm(NamedTuple):
    """A wording in a text that is a near miss of a term.

    ``written`` is how the text writes one of the kinds that the rule cuts apart. One that was found
    in a text is there from ``start`` up to, not including, ``end``.
    """

    form: TermForm
    kind: NearMissKind
    written: str = ""
    start: int = 0
    end: int = 0


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
        self._short_closed = {
            form[0]
            for form in self.forms
            if len(form) == 1 and 1 < len(form[0]) < MIN_CLOSED_LENGTH and not term.compound
        }
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
        every_closed = [
            closed for closed in (*self.closed, *self._short_closed) if strip_accents(closed)
        ]
        self._plain_closed = {strip_accents(closed): closed for closed in every_closed}
        self._accent_words = own_words if every_closed and len(own_words) > 1 else ()
        self._listed_forms = self._list_forms(own_words, every_closed)
        self._glued_starts = {
            glued: start
            for closed in every_closed
            if len(closed) >= MIN_STEM_LENGTH
            for glued, start in list_glued_words(closed).items()
        }
        self._first_letters = {
            *(strip_accents(closed)[0] for closed in every_closed),
            *(strip_accents(form[0])[0] for form in self._listed_forms),
        }
        self._broken_forms = self._list_broken_forms(own_words, every_closed)
        self._broken_finders = {
            kind: BrokenWordingFinder(forms) for kind, forms in self._broken_forms.items()
        }
        self._max_length = self._find_max_length(every_closed)

    def _find_max_length(self, every_closed: Collection[str]) -> int:
        """The most letters of a near miss; with its spaces it must be short enough to be a term."""
        lengths = (
            max(map(len, self.closed), default=0) + MAX_ENDING_LENGTH,
            *(len("".join(form)) for form in self._listed_forms),
            *map(len, every_closed),
        )
        return min(MAX_TERM_LENGTH - MAX_TERM_PARTS, max(lengths))

    def _list_forms(
        self, own_words: TermForm, every_closed: Collection[str]
    ) -> dict[TermForm, NearMissKind]:
        """The near misses that can be listed, unless they are forms of the term."""
        if not every_closed:
            return {}
        listed: dict[TermForm, NearMissKind] = {}
        for closed in every_closed:
            listed |= dict.fromkeys(_list_letter_splits(closed), NearMissKind.SPLIT)
            listed |= {(word,): NearMissKind.ENDING for word in list_inflections(closed)}
            if len(closed) >= MIN_STEM_LENGTH:
                listed |= {(word,): NearMissKind.GLUED for word in list_glued_words(closed)}
        if len(own_words) > 1 and len(own_words[0]) >= MIN_STEM_LENGTH:
            listed |= {
                (glued, *own_words[1:]): NearMissKind.GLUED
                for glued in list_glued_words(own_words[0])
            }
        for index, word in enumerate(own_words if len(own_words) > 1 else ()):
            before, after = own_words[:index], own_words[index + 1 :]
            for pieces in _list_letter_splits(word):
                listed[*before, *pieces, *after] = NearMissKind.SPLIT
            for inflection in list_inflections(word):
                listed[*before, inflection, *after] = NearMissKind.ENDING
        counted = {*self.forms}
        return {
            form: kind
            for form, kind in listed.items()
            if form not in counted and len(form) <= MAX_TERM_PARTS
        }

    def _list_broken_forms(
        self, own_words: TermForm, every_closed: Collection[str]
    ) -> dict[NearMissKind, list[BrokenForm]]:
        """The forms that the matching rule cuts apart, by kind."""
        if not every_closed:
            return {}
        return {
            NearMissKind.DOTTED: list_dotted_forms(own_words),
            NearMissKind.GROUPED: list_grouped_forms(own_words),
            NearMissKind.PAGE: list_page_forms(self._phrase_forms[:MAX_PHRASE_FORMS]),
        }

    def query(self) -> Query | None:
        """The records that may contain a near miss; some contain only the term.

        None for a term that has no near misses.
        """
        queries: list[Query] = []
        for closed, stem in self.closed.items():
            queries.append(StartsWith(narrative=stem))
            if len(closed) >= MIN_TYPO_LENGTH:
                queries.append(
                    Fuzzy(narrative={"value": closed, **_ONE_LETTER_FUZZINESS, **_CONSTANT_SCORE})
                )
        for form in self._phrase_forms[:MAX_PHRASE_FORMS] if self.closed else ():
            queries += _build_phrase_queries(form)
        if self._accent_words:
            rules = [{"regexp": {"pattern": build_accent_pattern(w)}} for w in self._accent_words]
            queries.append(_build_ordered_query(rules))
        queries += [
            Regexp(narrative={"value": build_accent_pattern(closed), **_CONSTANT_SCORE})
            for closed in self._plain_closed.values()
        ]
        if single_words := sorted(form[0] for form in self._listed_forms if len(form) == 1):
            queries.append(Terms(narrative=single_words))
        queries += [
            MatchPhrase(narrative=" ".join(form)) for form in self._listed_forms if len(form) > 1
        ]
        return Bool(should=queries, minimum_should_match=1) if queries else None

    def broken_query(self) -> Query | None:
        """The records that may contain what the matching rule cuts apart; None if there is none."""
        return build_broken_query([form for forms in self._broken_forms.values() for form in forms])

    def find_broken_wordings(self, narrative: SegmentedNarrative) -> Iterator[NearMissForm]:
        """Each near miss that the matching rule cuts apart, as often as it occurs."""
        for kind, finder in self._broken_finders.items():
            for words, written, start, end in finder.find_wordings(narrative):
                # As a compound, an abbreviation has no full stop at its end.
                wordings = {(written,), (written.removesuffix("."),)}
                if self._requested_forms.isdisjoint(wordings):
                    yield NearMissForm(words, kind, written, start, end)

    def find_near_misses(self, narrative: SegmentedNarrative) -> Iterator[NearMissForm]:
        """Each near miss in a narrative, as often as it occurs."""
        if not self._plain_closed:
            return
        text = "".join(narrative.segments)
        for words in iter_segment_words(narrative):
            for first, word in enumerate(words):
                if strip_accents(word.text[0])[:1] in self._first_letters and not self._is_part(
                    word, text
                ):
                    yield from self._near_misses_at_start(words[first:])

    def _is_part(self, word: IndexedWord, text: str) -> bool:
        """Whether a short term only ends a word, as "kik" does in "askik": a longer term, or one
        with a capital ("onKik"), is taken for two words without a space."""
        start = self._glued_starts.get(word.text)
        if start is None or len(word.text) - start >= MIN_GLUED_LENGTH:
            return False
        return not re.match(r"[^\W_A-Z][A-Z]", text[word.start + start - 1 :])

    def _near_misses_at_start(self, words: list[IndexedWord]) -> list[NearMissForm]:
        """The near misses that start with the first word; none if a requested term starts there."""
        joined = ""
        form: TermForm = ()
        near_misses: list[NearMissForm] = []
        for word in words:
            before, joined, form = len(joined), joined + word.text, (*form, word.text)
            if form in self._requested_forms:
                return []
            if len(joined) > self._max_length or len(form) > MAX_TERM_PARTS:
                break
            kind = self._listed_forms.get(form) or self._classify(joined, before)
            if (
                kind
                and form not in self._requested_runs
                and self._requested_forms.isdisjoint(_iter_word_runs(form))
            ):
                if joined in self.closed and kind is NearMissKind.SPLIT:
                    near_misses.clear()  # "s n a p c h a t", and not its first seven letters
                near_misses.append(NearMissForm(form, kind, "", words[0].start, word.end))
        return near_misses

    def _classify(self, joined: str, before: int) -> NearMissKind | None:
        """How joined words differ from the term; None if they are not a near miss.

        Their last word starts at ``before``, and must be needed for the near miss.
        """
        if self._plain_closed.get(strip_accents(joined), joined) != joined:
            return NearMissKind.ACCENTS
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
            form in self.forms
            or form in self._listed_forms
            or self._classify("".join(form), len("".join(form[:-1]))) is not None
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


def _list_letter_splits(word: str) -> set[TermForm]:
    """The splits that the matching rule leaves out: one letter at either end, or each by itself."""
    if len(word) < 2:
        return set()
    letters = {tuple(word)} if len(word) <= MAX_TERM_PARTS else set()
    if word.isalpha() and len(word) < MIN_CLOSED_LENGTH:
        return letters  # "told us a" says nothing of the USA
    return {(word[0], word[1:]), (word[:-1], word[-1]), *letters}


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
            rules: list[dict[str, Any]] = [{"match": {"query": form_word}} for form_word in form]
            rules[index] = {"fuzzy": {"term": word, **_ONE_LETTER_FUZZINESS}}
            yield _build_ordered_query(rules)


def _build_ordered_query(rules: list[dict[str, Any]]) -> Query:
    """Words in a row, each by a rule of its own."""
    return Intervals(narrative={"all_of": {"intervals": rules, "ordered": True, "max_gaps": 0}})


def _iter_word_runs(form: TermForm) -> Iterator[TermForm]:
    for first in range(len(form)):
        for last in range(first + 1, len(form) + 1):
            yield form[first:last]
