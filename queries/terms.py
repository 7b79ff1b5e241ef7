"""A term to a query: every hyphen and spacing variant of a term is the same term.

Pure; knows the names of the three index fields and nothing of requests. The *forms* of a term are
the ways to write it that count, each a tuple of words that may stand apart by spaces and dashes:

- closed: all its parts as one word;
- its parts as written, and every joining of neighbours among them;
- the closed form opened once into two parts of two letters or more ("snap chat"), or twice into
  three parts of three letters or more ("play station network", but never "to get her");
- its parts as written with one of them opened into two parts of three letters or more ("snap chat
  id"), which adds nothing where all parts have three letters.

So "live stream", "live-stream" and "livestream" give one query. A term whose one word holds hard
punctuation ("Live.ly", "M&S") has no variants: it is a compound, found as it is written.

What the rule does not give ("x box" for Xbox) may be given to it, as *openings*: each counts with
every joining of its parts, and the term and its openings are one term.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, Final
from unicodedata import category

import msgspec
from elasticsearch.dsl.query import Bool, MatchPhrase, Query, SpanNear, Terms

from indexer.errors import RequestError
from indexer.narrative import COMPOUND_WORDS, DASHES, clean, compounds, folded, words

MAX_LENGTH: Final = 100
MAX_PARTS: Final = 8
OPEN_ONCE: Final = 2
OPEN_TWICE: Final = 3

_HALF: Final = re.compile("[\ud800-\udfff]")
_SOFT_RUN: Final = re.compile(rf"[\s{DASHES}]+")
_BEFORE: Final = "@#\"'\u201c\u201d"
# Words in letters of scripts that the tokenizer never splits between letters.
_ONE_TOKEN: Final = re.compile("['\u0030-\u058f\u1e00-\u1fff]+")
_AFTER: Final = "\"'\u201c\u201d.,;:!?"


class Term(msgspec.Struct, frozen=True, cache_hash=True):
    """One term as the matching rule sees it.

    ``written`` is the requester's wording, ``forms`` the ways to write it that count, closed forms
    first; a compound has the one form, itself.
    """

    written: str
    forms: tuple[tuple[str, ...], ...]
    compound: bool = False


def parse(written: str, *, variants: bool = True, openings: Sequence[str] = ()) -> Term:
    """Read a term.

    ``variants=False`` holds it to its own words, apart by any spaces or dashes, and leaves the
    openings out.

    Raises RequestError for a term, or an opening, that is empty, too long, or cannot be told from
    other text.
    """
    return _parse(written, variants, tuple(openings))


@lru_cache(2_000)
def _parse(written: str, variants: bool, openings: tuple[str, ...]) -> Term:  # noqa: FBT001 - a key
    own = parts(written)
    if _is_compound(own):
        if variants and openings:
            raise RequestError(
                f'term "{written}" is found as it is written, so it has no openings. Remove them, '
                "or list them as aliases."
            )
        return Term(written=written, forms=(own,), compound=True)
    if not variants:
        return Term(written=written, forms=(own,))
    found = _forms(own, (own,))
    for opening in openings:
        ways = tuple(joinings(_opening(written, opening)))
        found |= _forms(ways[-1], ways)
    return Term(written=written, forms=tuple(sorted(found, key=lambda form: (len(form), form))))


def parts(written: str) -> tuple[str, ...]:
    """The parts of a term as written, cleaned. Raises RequestError as ``parse``."""
    cleaned = folded(clean(written).strip().lstrip(_BEFORE).rstrip(_AFTER))
    shown = written if len(written) <= MAX_LENGTH else f"{written[:MAX_LENGTH]}..."
    if len(cleaned) > MAX_LENGTH:
        raise RequestError(
            f'term "{shown}" has {len(cleaned):,} characters; the most is {MAX_LENGTH}. '
            "Ask for its distinctive words."
        )
    found = tuple(part for part in _SOFT_RUN.split(cleaned) if part)
    if not any(map(words, found)):
        raise RequestError(
            f'term "{shown}" has no letter or digit, so it would match nothing. Give a word.'
        )
    if found == ("s",):
        raise RequestError(
            f'term "{shown}" is the letter that ends every possessive, where the index cannot tell '
            "it from a word. Ask for it with its neighbours."
        )
    if len(found) > MAX_PARTS:
        raise RequestError(
            f'term "{shown}" has {len(found)} words; the most is {MAX_PARTS}. '
            "Ask for its distinctive words, or for a shorter term in company (with: [...])."
        )
    if _HALF.search(cleaned):
        raise RequestError(
            f'term "{shown}" holds half a character, such as a byte that is no UTF-8. Remove it.'
        )
    if any(_lone_accent(part) for part in found):
        raise RequestError(
            f'term "{shown}" has an accent with no letter before it. Write the letter, or leave '
            "the accent out."
        )
    if _is_compound(found):
        return found
    for part in found:
        if words(part) != [part]:
            raise RequestError(_unclear(shown, part, alone=len(found) == 1))
    return found


def _lone_accent(part: str) -> bool:
    """Whether a combining mark follows no letter, so that it is no part of a word."""
    return not part.isascii() and any(
        category(character)[0] == "M" and not words(before)
        for before, character in pairwise(f".{part}")
    )


def _is_compound(found: tuple[str, ...]) -> bool:
    return len(found) == 1 and found[0] in compounds(found[0])


def _opening(written: str, opening: str) -> tuple[str, ...]:
    found = parts(opening)
    if _is_compound(found):
        raise RequestError(
            f'"{opening}" holds punctuation, so it is no opening of "{written}". '
            "List it as an alias."
        )
    return found


def _unclear(shown: str, part: str, *, alone: bool) -> str:
    marks = " ".join(dict.fromkeys(character for character in part if not words(character)))
    if not alone:
        return (
            f'term "{shown}" holds punctuation ({marks}) beside other words, and no variant of a '
            "term crosses punctuation. Ask for the one word, in company (with: [...])."
        )
    return (
        f'term "{shown}" holds punctuation ({marks}) that the index does not tell apart: it must '
        f"stand singly between the words of a term, of which there may be {COMPOUND_WORDS}. "
        "Leave it out, or ask for the word alone."
    )


def joinings(found: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The parts of a term with neighbours joined in every way, from closed to as they are."""
    for joins in product(("", " "), repeat=len(found) - 1):
        spaced = "".join(map("".join, zip(found, (*joins, ""), strict=True)))
        yield tuple(spaced.split(" "))


def _forms(found: tuple[str, ...], ways: tuple[tuple[str, ...], ...]) -> set[tuple[str, ...]]:
    """The forms of these parts; in each of ``ways``, joinings of them, a part may open."""
    closed = "".join(found)
    forms = {*joinings(found)}
    forms.update(_openings(closed, 2, OPEN_ONCE), _openings(closed, 3, OPEN_TWICE))
    for way in ways:
        if len(way) > 1:
            least = OPEN_ONCE if len(way) > 2 else OPEN_TWICE
            for place, part in enumerate(way):
                for opened in _openings(part, 2, least):
                    forms.add((*way[:place], *opened, *way[place + 1 :]))
    return forms


def _openings(word: str, pieces: int, least: int) -> list[tuple[str, ...]]:
    """Every way to cut a word into so many pieces of at least so many letters each."""
    if pieces == 1:
        return [(word,)] if len(word) >= least and words(word) == [word] else []
    return [
        (word[:cut], *rest)
        for cut in range(least, len(word) - least + 1)
        if category(word[cut])[0] != "M" and words(word[:cut]) == [word[:cut]]
        for rest in _openings(word[cut:], pieces - 1, least)
    ]


class _Kept(Query):
    """A query that stands in many places of a search, turned into a dictionary once."""

    name = "kept"

    def __init__(self, query: Query) -> None:
        super().__init__()
        self._kept: dict[str, Any] = query.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of the query, which is never to be changed."""
        return self._kept


@lru_cache(20_000)
def form_query(term: Term, form: tuple[str, ...]) -> Query:
    """The records that hold one form of a term."""
    text = " ".join(form)
    if term.compound:
        return _Kept(Terms(compounds=[text, f"{text}'s"]))
    if not any(word.endswith("'s") for word in form):
        return _Kept(MatchPhrase(narrative=text))
    # Where a word ends with 's the narrative is cut, and the field beside it is whole.
    return _Kept(
        Bool(
            should=[MatchPhrase(possessives=text), MatchPhrase(possessives=f"{text}'s")],
            minimum_should_match=1,
        )
    )


def has_position(term: Term) -> bool:
    """Whether its distance from another term can be measured: each of its words is one of the
    index's, and not a compound's or a possessive's, which stand apart there."""
    words_of_forms = {word for form in term.forms for word in form}
    return not term.compound and all(
        _ONE_TOKEN.fullmatch(word) and not word.endswith("'s") for word in words_of_forms
    )


def near(term: Term, other: Term, within: int) -> Query:
    """The records where two terms stand with at most so many words between them.

    In either order, and not overlapping. A run of punctuation between them counts as one word, as
    does the next log entry; an underscore as two, a possessive 's as three.
    """
    # No form of a term lies inside another, so spans find every pair; intervals would, too, but
    # multiply the forms of the one by those of the other.
    one, two = _any_span(term), _any_span(other)
    return Bool(
        should=[
            SpanNear(clauses=pair, slop=within, in_order=True) for pair in ([one, two], [two, one])
        ],
        minimum_should_match=1,
    )


def _any_span(term: Term) -> dict[str, Any]:
    found = [_span(form) for form in term.forms]
    return found[0] if len(found) == 1 else {"span_or": {"clauses": found}}


def _span(form: tuple[str, ...]) -> dict[str, Any]:
    found = [{"span_term": {"narrative": word.lower()}} for word in form]
    if len(found) == 1:
        return found[0]
    return {"span_near": {"clauses": found, "slop": 0, "in_order": True}}


@lru_cache(2_000)
def query(term: Term) -> Query:
    """The records that mention a term."""
    queries = [form_query(term, form) for form in term.forms]
    return queries[0] if len(queries) == 1 else _Kept(Bool(should=queries, minimum_should_match=1))
