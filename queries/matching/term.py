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
from indexer.records.narrative import (
    COMPOUND_WORDS,
    DASHES,
    clean_text,
    find_compounds,
    find_words,
    fold_text,
)

MAX_TERM_LENGTH: Final = 100

MAX_TERM_PARTS: Final = 8

MIN_LETTERS_SPLIT_ONCE: Final = 2

MIN_LETTERS_SPLIT_TWICE: Final = 3

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_SOFT_SEPARATORS: Final = re.compile(rf"[\s{DASHES}]+")

_LEADING_MARKS: Final = "@#\"'\u201c\u201d"

# Words in letters of scripts that the tokenizer never splits between letters.
_SINGLE_TOKEN: Final = re.compile("['\u0030-\u058f\u1e00-\u1fff]+")

_TRAILING_MARKS: Final = "\"'\u201c\u201d.,;:!?"


class Term(msgspec.Struct, frozen=True, cache_hash=True):
    """One term as the matching rule sees it.

    ``written`` is the requester's wording, ``forms`` the ways to write it that count, closed forms
    first; a compound has the one form, itself.
    """

    written: str
    forms: tuple[tuple[str, ...], ...]
    compound: bool = False


def parse_term(written: str, *, variants: bool = True, openings: Sequence[str] = ()) -> Term:
    """Read a term.

    ``variants=False`` holds it to its own words, apart by any spaces or dashes, and leaves the
    openings out.

    Raises RequestError for a term, or an opening, that is empty, too long, or cannot be told from
    other text.
    """
    return _parse_cached_term(written, variants, tuple(openings))


@lru_cache(2_000)
def _parse_cached_term(written: str, variants: bool, openings: tuple[str, ...]) -> Term:  # noqa: FBT001 - a key
    term_parts = parse_term_parts(written)
    if _is_compound(term_parts):
        if variants and openings:
            raise RequestError(
                f'term "{written}" is found as it is written, so it has no openings. Remove them, '
                "or list them as aliases."
            )
        return Term(written=written, forms=(term_parts,), compound=True)
    if not variants:
        return Term(written=written, forms=(term_parts,))
    forms = _expand_forms(term_parts, (term_parts,))
    for opening in openings:
        spellings = tuple(iter_joined_variants(_parse_opening(written, opening)))
        forms |= _expand_forms(spellings[-1], spellings)
    return Term(written=written, forms=tuple(sorted(forms, key=lambda form: (len(form), form))))


def parse_term_parts(written: str) -> tuple[str, ...]:
    """The parts of a term as written, cleaned. Raises RequestError as ``parse``."""
    cleaned = fold_text(clean_text(written).strip().lstrip(_LEADING_MARKS).rstrip(_TRAILING_MARKS))
    excerpt = written if len(written) <= MAX_TERM_LENGTH else f"{written[:MAX_TERM_LENGTH]}..."
    if len(cleaned) > MAX_TERM_LENGTH:
        raise RequestError(
            f'term "{excerpt}" has {len(cleaned):,} characters; the most is {MAX_TERM_LENGTH}. '
            "Ask for its distinctive words."
        )
    term_parts = tuple(part for part in _SOFT_SEPARATORS.split(cleaned) if part)
    if not any(map(find_words, term_parts)):
        raise RequestError(
            f'term "{excerpt}" has no letter or digit, so it would match nothing. Give a word.'
        )
    if term_parts == ("s",):
        raise RequestError(
            f'term "{excerpt}" is the letter that ends every possessive, where the index cannot tell '
            "it from a word. Ask for it with its neighbours."
        )
    if len(term_parts) > MAX_TERM_PARTS:
        raise RequestError(
            f'term "{excerpt}" has {len(term_parts)} words; the most is {MAX_TERM_PARTS}. '
            "Ask for its distinctive words, or for a shorter term in company (with: [...])."
        )
    if _SURROGATE.search(cleaned):
        raise RequestError(
            f'term "{excerpt}" holds half a character, such as a byte that is no UTF-8. Remove it.'
        )
    if any(_has_lone_accent(part) for part in term_parts):
        raise RequestError(
            f'term "{excerpt}" has an accent with no letter before it. Write the letter, or leave '
            "the accent out."
        )
    if _is_compound(term_parts):
        return term_parts
    for part in term_parts:
        if find_words(part) != [part]:
            raise RequestError(
                _explain_punctuation(excerpt, part, is_only_part=len(term_parts) == 1)
            )
    return term_parts


def _has_lone_accent(part: str) -> bool:
    """Whether a combining mark follows no letter, so that it is no part of a word."""
    return not part.isascii() and any(
        category(character)[0] == "M" and not find_words(before)
        for before, character in pairwise(f".{part}")
    )


def _is_compound(term_parts: tuple[str, ...]) -> bool:
    return len(term_parts) == 1 and term_parts[0] in find_compounds(term_parts[0])


def _parse_opening(written: str, opening: str) -> tuple[str, ...]:
    opening_parts = parse_term_parts(opening)
    if _is_compound(opening_parts):
        raise RequestError(
            f'"{opening}" holds punctuation, so it is no opening of "{written}". '
            "List it as an alias."
        )
    return opening_parts


def _explain_punctuation(excerpt: str, part: str, *, is_only_part: bool) -> str:
    marks = " ".join(dict.fromkeys(character for character in part if not find_words(character)))
    if not is_only_part:
        return (
            f'term "{excerpt}" holds punctuation ({marks}) beside other words, and no variant of a '
            "term crosses punctuation. Ask for the one word, in company (with: [...])."
        )
    return (
        f'term "{excerpt}" holds punctuation ({marks}) that the index does not tell apart: it must '
        f"stand singly between the words of a term, of which there may be {COMPOUND_WORDS}. "
        "Leave it out, or ask for the word alone."
    )


def iter_joined_variants(term_parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The parts of a term with neighbours joined in every way, from closed to as they are."""
    for joins in product(("", " "), repeat=len(term_parts) - 1):
        spaced = "".join(map("".join, zip(term_parts, (*joins, ""), strict=True)))
        yield tuple(spaced.split(" "))


def _expand_forms(
    term_parts: tuple[str, ...], spellings: tuple[tuple[str, ...], ...]
) -> set[tuple[str, ...]]:
    """The forms of these parts; in each of ``ways``, joinings of them, a part may open."""
    closed = "".join(term_parts)
    forms = {*iter_joined_variants(term_parts)}
    forms.update(
        _split_word(closed, 2, MIN_LETTERS_SPLIT_ONCE),
        _split_word(closed, 3, MIN_LETTERS_SPLIT_TWICE),
    )
    for spelling in spellings:
        if len(spelling) > 1:
            min_letters = MIN_LETTERS_SPLIT_ONCE if len(spelling) > 2 else MIN_LETTERS_SPLIT_TWICE
            for index, part in enumerate(spelling):
                for pieces in _split_word(part, 2, min_letters):
                    forms.add((*spelling[:index], *pieces, *spelling[index + 1 :]))
    return forms


def _split_word(word: str, piece_count: int, min_letters: int) -> list[tuple[str, ...]]:
    """Every way to cut a word into so many pieces of at least so many letters each."""
    if piece_count == 1:
        return [(word,)] if len(word) >= min_letters and find_words(word) == [word] else []
    return [
        (word[:cut], *rest)
        for cut in range(min_letters, len(word) - min_letters + 1)
        if category(word[cut])[0] != "M" and find_words(word[:cut]) == [word[:cut]]
        for rest in _split_word(word[cut:], piece_count - 1, min_letters)
    ]


class _PrebuiltQuery(Query):
    """A query that stands in many places of a search, turned into a dictionary once."""

    name = "kept"

    def __init__(self, query: Query) -> None:
        super().__init__()
        self._body: dict[str, Any] = query.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of the query, which is never to be changed."""
        return self._body


@lru_cache(20_000)
def build_form_query(term: Term, form: tuple[str, ...]) -> Query:
    """The records that hold one form of a term."""
    text = " ".join(form)
    if term.compound:
        return _PrebuiltQuery(Terms(compounds=[text, f"{text}'s"]))
    if not any(word.endswith("'s") for word in form):
        return _PrebuiltQuery(MatchPhrase(narrative=text))
    # Where a word ends with 's the narrative is cut, and the field beside it is whole.
    return _PrebuiltQuery(
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
        _SINGLE_TOKEN.fullmatch(word) and not word.endswith("'s") for word in words_of_forms
    )


def build_proximity_query(term: Term, other_term: Term, max_distance: int) -> Query:
    """The records where two terms stand with at most so many words between them.

    In either order, and not overlapping. A run of punctuation between them counts as one word, as
    does the next log entry; an underscore as two, a possessive 's as three.
    """
    # No form of a term lies inside another, so spans find every pair; intervals would, too, but
    # multiply the forms of the one by those of the other.
    term_span, other_span = _build_term_span(term), _build_term_span(other_term)
    return Bool(
        should=[
            SpanNear(clauses=pair, slop=max_distance, in_order=True)
            for pair in ([term_span, other_span], [other_span, term_span])
        ],
        minimum_should_match=1,
    )


def _build_term_span(term: Term) -> dict[str, Any]:
    spans = [_build_form_span(form) for form in term.forms]
    return spans[0] if len(spans) == 1 else {"span_or": {"clauses": spans}}


def _build_form_span(form: tuple[str, ...]) -> dict[str, Any]:
    clauses = [{"span_term": {"narrative": word.lower()}} for word in form]
    if len(clauses) == 1:
        return clauses[0]
    return {"span_near": {"clauses": clauses, "slop": 0, "in_order": True}}


@lru_cache(2_000)
def build_term_query(term: Term) -> Query:
    """The records that mention a term."""
    queries = [build_form_query(term, form) for form in term.forms]
    return (
        queries[0]
        if len(queries) == 1
        else _PrebuiltQuery(Bool(should=queries, minimum_should_match=1))
    )
