"""Near misses: wording close to a term that the term does not cover.

Pure: what to look for on the server, and what is near in a text. Two neighbouring words are
compared as one, as hyphens and spaces do not tell terms apart. A run of words is near a term where,
written closed, it is

- the term's closed form with another ending ("live streams", "livestreamed"; "live streamed" of
  "live streaming"), of up to five letters;
- the closed form with one letter wrong, left out, added or changed with its neighbour ("live
  straem"), its first letter right;
- the closed form itself, opened where the rule does not open it ("x box").

A term with punctuation ("Live.ly") is near to its words without. Terms of three letters or fewer
have no near misses: every word is near to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from elasticsearch.dsl.query import Bool, Fuzzy, Intervals, MatchPhrase, MatchPhrasePrefix, Query
from elasticsearch.dsl.query import Prefix as StartsWith
from rapidfuzz.distance import OSA

from indexer.narrative import Cut
from queries import context, terms
from queries.context import Word
from queries.terms import Term

Form = tuple[str, ...]

ENDING: Final = 5
LEAST: Final = 4
LEAST_TYPED: Final = 5
EXPANSIONS: Final = 1_000
MAX_FORMS: Final = 100
_ENDINGS: Final = ("ing", "ed", "ers", "er", "es", "s", "e")


class Kind(StrEnum):
    """How a wording is near a term."""

    ENDING = "another ending"
    TYPED = "one letter away"
    OPENED = "opened otherwise"
    UNPUNCTUATED = "without its punctuation"


class Near(NamedTuple):
    """A wording of a text that is near a term."""

    form: Form
    kind: Kind


class Target:
    """A term, to be compared with the wording of texts."""

    def __init__(self, term: Term, asked: Collection[Term]) -> None:
        """``asked`` is every term of the request: what is asked for is no miss."""
        # A term that is held to its words is near to its own variants.
        self.forms = (
            term.forms if term.compound or len(term.forms) > 1 else terms.parse(term.written).forms
        )
        self.closed = {
            form[0]: _stem(form[0])
            for form in self.forms
            if len(form) == 1 and len(form[0]) >= LEAST and not term.compound
        }
        self.compound = term.forms[0][0] if term.compound else None
        self._asked = {form for other in asked for form in other.forms}
        # A word of a term that is asked for ("stream" of "live stream") is no miss of another.
        self._within = {run for other in asked for run in _runs(terms.parts(other.written))}
        self._first = {closed[0] for closed in self.closed}
        # With its spaces, a near miss must still be a term that could be asked for.
        most = terms.MAX_LENGTH - terms.MAX_PARTS
        self._longest = min(most, max(map(len, self.closed), default=0) + ENDING)

    def query(self) -> Query | None:
        """The records that may hold a near miss; some hold the term alone. None, for a term that
        has no near misses."""
        found: list[Query] = []
        for closed, stem in self.closed.items():
            found.append(StartsWith(narrative=stem))
            found += [MatchPhrase(narrative=" ".join(form)) for form in _letters_apart(closed)]
            if len(closed) >= LEAST_TYPED:
                found.append(Fuzzy(narrative={"value": closed, **_ONE_LETTER, **_ALL}))
        for form in self.forms[:MAX_FORMS] if self.closed else ():
            if len(form) > 1:
                found += _in_words(form)
        return Bool(should=found, minimum_should_match=1) if found else None

    def near(self, narrative: Cut) -> Iterator[Near]:
        """Each wording of a narrative that is near the term, as often as it is there."""
        for words in context.segments(narrative) if self.closed else ():
            for first, word in enumerate(words):
                if word.text[0] in self._first:
                    yield from self._from(words[first:])

    def _from(self, words: list[Word]) -> list[Near]:
        """The near wordings that start with the first of the words; none, where a term that is
        asked for does."""
        joined = ""
        form: Form = ()
        found = []
        for word in words:
            before, joined, form = len(joined), joined + word.text, (*form, word.text)
            if form in self._asked:
                return []
            if len(joined) > self._longest or len(form) > terms.MAX_PARTS:
                break
            kind = self._kind(joined, before)
            if kind and form not in self._within and self._asked.isdisjoint(_runs(form)):
                found.append(Near(form, kind))
        return found

    def _kind(self, joined: str, before: int) -> Kind | None:
        """How a closed run of words is near; its last word starts at ``before``, and must be
        needed."""
        for closed, stem in self.closed.items():
            if before >= len(stem):
                continue
            if joined == closed:
                return Kind.OPENED
            if joined.startswith(stem) and len(joined) <= len(closed) + ENDING:
                return Kind.ENDING
        for closed in self.closed:
            if (
                len(closed) >= LEAST_TYPED
                and before < len(closed)
                and joined[0] == closed[0]
                and OSA.distance(joined, closed, score_cutoff=1) <= 1
            ):
                return Kind.TYPED
        return None

    def beside(self, term: Term) -> bool:
        """Whether a term asked for is this one, or as near to it as a near miss."""
        return any(
            form in self.forms or self._kind("".join(form), len("".join(form[:-1]))) is not None
            for form in term.forms
        )

    def without_punctuation(self) -> tuple[Form, ...]:
        """A compound's words apart and closed ("musical ly", "musically"): not asked for either."""
        if self.compound is None:
            return ()
        words = tuple("".join(c if c.isalnum() else " " for c in self.compound).split())
        return tuple(form for form in (words, ("".join(words),)) if form not in self._asked)


_ONE_LETTER: Final[dict[str, Any]] = {"fuzziness": 1, "prefix_length": 1}
_ALL: Final[dict[str, Any]] = {"rewrite": "constant_score"}


def _stem(closed: str) -> str:
    """The closed form without its ending, if what is left is long enough to tell it by."""
    for ending in _ENDINGS:
        stem = closed.removesuffix(ending)
        if stem != closed and len(stem) >= LEAST_TYPED:
            return stem
    return closed


def _letters_apart(closed: str) -> tuple[Form, ...]:
    """The openings that the rule leaves out: one letter at either end."""
    return (closed[0], closed[1:]), (closed[:-1], closed[-1])


def _in_words(form: Form) -> Iterator[Query]:
    """The phrases near a form of several words: another ending, or a word with a letter wrong."""
    last = _stem(form[-1])
    if len(last) >= 3:
        begun = " ".join((*form[:-1], last))
        yield MatchPhrasePrefix(narrative={"query": begun, "max_expansions": EXPANSIONS})
    for place, word in enumerate(form):
        if len(word) >= LEAST_TYPED:
            rules = [{"match": {"query": other}} for other in form]
            rules[place] = {"fuzzy": {"term": word, **_ONE_LETTER}}
            yield Intervals(
                narrative={"all_of": {"intervals": rules, "ordered": True, "max_gaps": 0}}
            )


def _runs(form: Form) -> Iterator[Form]:
    for first in range(len(form)):
        for last in range(first + 1, len(form) + 1):
            yield form[first:last]
