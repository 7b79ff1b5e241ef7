"""The matching rule: every hyphen and spacing variant of a term is the same term.

Pure; knows the names of the three index fields and nothing of requests. The *forms* of a term are
the ways to write it that count, each a tuple of words that spaces and dashes may separate:

- its parts with neighbours joined in every way, from one word to as written;
- each of these with one of its words opened once, into two parts of two letters or more ("pick up
  truck" for "pickup truck", "snap chat" for "snapchat");
- its one-word form opened twice into parts of three letters or more ("play station network", but
  never "to get her").

So of two wordings that differ only by hyphens and spaces each counts the other, unless more than
one opening lies between them. A part of one letter counts only where the term itself has it. A term
of one word that contains hard punctuation ("Live.ly", "M&S") has no variants: it is a compound,
found as it is written.

Forms that the rule does not give ("x box" for Xbox) may be added as *openings*: each counts with
its parts joined in every way, and the term and its openings are one term.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, Final
from unicodedata import category

import msgspec
from elasticsearch.dsl.query import Bool, MatchPhrase, Query, SpanNear, Terms

from indexer.errors import RequestError
from indexer.records.characters import DASHES
from indexer.records.narrative import (
    COMPOUND_WORDS,
    clean_text,
    find_compounds,
    find_words,
    fold_text,
)

MAX_TERM_LENGTH: Final = 100

MAX_TERM_PARTS: Final = 8

MIN_LETTERS_SPLIT_ONCE: Final = 2

_MAX_FORMS_COMPARED: Final = 100

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
    first. A compound has a single form, itself. ``core`` are the forms that its one-word form has
    as a term, and its parts joined in every way; empty if it has no variants.
    """

    written: str
    forms: tuple[tuple[str, ...], ...]
    compound: bool = False
    core: frozenset[tuple[str, ...]] = frozenset()

    @property
    def identity(self) -> frozenset[tuple[str, ...]]:
        """Equal for two wordings of one term: "live stream" and "livestream"."""
        return self.core or frozenset(self.forms)

    def merge_wording(self, other: Term) -> Term:
        """The term, counting also what another wording of it counts."""
        if self.forms == other.forms:
            return self
        return msgspec.structs.replace(self, forms=_sort_forms({*self.forms, *other.forms}))


def parse_term(written: str, *, variants: bool = True, openings: Sequence[str] = ()) -> Term:
    """Read a term.

    ``variants=False`` counts only its own words, separated by any spaces or dashes, and ignores
    the openings.

    Raises RequestError for a term or an opening that is empty, too long, or that the index cannot
    distinguish from other text.
    """
    return _parse_cached_term(written, variants, tuple(openings))


@lru_cache(2_000)
def _parse_cached_term(written: str, variants: bool, openings: tuple[str, ...]) -> Term:  # noqa: FBT001 - a cache key
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
    wordings = [term_parts, *(_parse_opening(written, opening) for opening in openings)]
    forms = {form for wording in wordings for form in _expand_forms(wording)}
    core = {form for wording in wordings for form in _expand_core(wording)}
    return Term(written=written, forms=_sort_forms(forms), core=frozenset(core))


def _sort_forms(forms: set[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted(forms, key=lambda form: (len(form), form)))


@lru_cache(2_000)
def choose_words(term: Term) -> tuple[str, ...]:
    """The words of a term: equal for two wordings that have the same forms.

    They are the form that has the most of the forms as a term, and the fewest words; of a term of
    very many forms, the parts as written.
    """
    if len(term.forms) == 1:
        return term.forms[0]
    written = parse_term_parts(term.written)
    if len(term.forms) > _MAX_FORMS_COMPARED:
        return written
    forms = frozenset(term.forms)
    expansions = {form: _expand_forms(form) for form in forms}
    return max(
        (form for form, expansion in expansions.items() if expansion <= forms),
        # Of forms that split four letters in two ways ("my life"), the one that is written.
        key=lambda form: (len(expansions[form]), -len(form), form == written, form),
        default=written,
    )


def parse_term_parts(written: str) -> tuple[str, ...]:
    """The parts of a term as written, cleaned. Raises RequestError as ``parse_term`` does."""
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
            f'term "{excerpt}" is the letter that ends every possessive, and the index cannot '
            "distinguish it there from a word. Ask for it with its neighbours."
        )
    if len(term_parts) > MAX_TERM_PARTS:
        raise RequestError(
            f'term "{excerpt}" has {len(term_parts)} words; the most is {MAX_TERM_PARTS}. '
            "Ask for its distinctive words, or for a shorter term with another (with: [...])."
        )
    if has_surrogate(cleaned):
        raise RequestError(
            f'term "{excerpt}" contains half a character, such as a byte that is not UTF-8. '
            "Remove it."
        )
    if _is_compound(term_parts):
        return term_parts
    for part in term_parts:
        if find_words(part) != [part]:
            raise RequestError(
                _explain_punctuation(excerpt, part, is_only_part=len(term_parts) == 1)
            )
    return term_parts


def has_surrogate(text: str) -> bool:
    """Whether text contains half a character: an unpaired surrogate, which UTF-8 cannot write."""
    return _SURROGATE.search(text) is not None


def _is_compound(term_parts: tuple[str, ...]) -> bool:
    return len(term_parts) == 1 and term_parts[0] in find_compounds(term_parts[0])


def _parse_opening(written: str, opening: str) -> tuple[str, ...]:
    opening_parts = parse_term_parts(opening)
    if _is_compound(opening_parts):
        raise RequestError(
            f'"{opening}" contains punctuation, so it is not an opening of "{written}". '
            "List it as an alias."
        )
    return opening_parts


def _explain_punctuation(excerpt: str, part: str, *, is_only_part: bool) -> str:
    marks = " ".join(dict.fromkeys(character for character in part if not find_words(character)))
    if not is_only_part:
        return (
            f'term "{excerpt}" contains punctuation ({marks}) next to other words, and a term does '
            "not extend over punctuation. Ask for a single word, with another (with: [...])."
        )
    return (
        f'term "{excerpt}" contains punctuation ({marks}) that the index does not distinguish: '
        f"only single marks between the words of a term count, and {COMPOUND_WORDS} words at most. "
        "Leave it out, or ask for the word alone."
    )


def iter_joined_variants(term_parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The parts of a term with neighbours joined in every way, from one word to as written."""
    for joins in product(("", " "), repeat=len(term_parts) - 1):
        spaced = "".join(map("".join, zip(term_parts, (*joins, ""), strict=True)))
        yield tuple(spaced.split(" "))


def _expand_forms(term_parts: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The forms of a term's parts."""
    forms = {*_split_word("".join(term_parts), 3, MIN_LETTERS_SPLIT_TWICE)}
    for spelling in iter_joined_variants(term_parts):
        forms.add(spelling)
        for index, part in enumerate(spelling):
            for pieces in _split_word(part, 2, MIN_LETTERS_SPLIT_ONCE):
                forms.add(replace_parts(spelling, index, index + 1, pieces))
    return forms


def _expand_core(term_parts: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The forms of a term's parts as one word, and the parts joined in every way."""
    return {*iter_joined_variants(term_parts), *_expand_forms(("".join(term_parts),))}


def _split_word(word: str, piece_count: int, min_letters: int) -> list[tuple[str, ...]]:
    """Every way to cut a word into a number of pieces of at least ``min_letters`` letters each."""
    if piece_count == 1:
        return [(word,)] if len(word) >= min_letters and find_words(word) == [word] else []
    return [
        (word[:cut], *rest)
        for cut in range(min_letters, len(word) - min_letters + 1)
        if category(word[cut])[0] != "M" and find_words(word[:cut]) == [word[:cut]]
        for rest in _split_word(word[cut:], piece_count - 1, min_letters)
    ]


def replace_parts(
    parts: tuple[str, ...], start: int, end: int, replacement: tuple[str, ...]
) -> tuple[str, ...]:
    """The parts of a term with those from ``start`` up to, not including, ``end`` replaced."""
    return (*parts[:start], *replacement, *parts[end:])


class _PrebuiltQuery(Query):
    """A query in many places of a search, serialised only once: a term has hundreds of forms."""

    name = "prebuilt"

    def __init__(self, query: Query) -> None:
        super().__init__()
        self._body: dict[str, Any] = query.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of the query, which callers must not change."""
        return self._body


@lru_cache(20_000)
def build_form_query(term: Term, form: tuple[str, ...]) -> Query:
    """The records whose narrative contains one form of a term."""
    text = " ".join(form)
    if term.compound:
        return _PrebuiltQuery(Terms(compounds=[text, f"{text}'s"]))
    if not any(word.endswith("'s") for word in form):
        return _PrebuiltQuery(MatchPhrase(narrative=text))
    # The narrative is cut where a word ends with 's; the field "possessives" has it whole.
    return _PrebuiltQuery(
        Bool(
            should=[MatchPhrase(possessives=text), MatchPhrase(possessives=f"{text}'s")],
            minimum_should_match=1,
        )
    )


def has_position(term: Term) -> bool:
    """Whether the distance of a term from another can be measured.

    Each of its words must be one word of the index. Compounds and possessives are in fields of
    their own, and have no position in the narrative.
    """
    words_of_forms = {word for form in term.forms for word in form}
    return not term.compound and all(
        _SINGLE_TOKEN.fullmatch(word) and not word.endswith("'s") for word in words_of_forms
    )


def build_proximity_query(term: Term, other_term: Term, max_distance: int) -> Query:
    """The records where at most ``max_distance`` words are between two terms.

    The terms may be in either order, and do not overlap. A run of punctuation between them counts
    as one word, and so does the start of a log entry; an underscore counts as two words, and a
    possessive 's as three.
    """
    # Spans find every pair, because no form of a term lies inside another. Intervals would too, but
    # they multiply the forms of one term by those of the other.
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
