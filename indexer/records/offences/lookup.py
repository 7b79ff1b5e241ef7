"""Finds offence codes by the words of their titles, or by the names that the public uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Final, Literal

from msgspec import Struct
from rapidfuzz import fuzz, process

from indexer.records.offences.active import load_offence_table
from indexer.records.offences.facts import (
    CommonName,
    NameKind,
    OffenceSubcode,
    load_code_facts,
    load_common_names,
)
from indexer.records.offences.ranges import list_codes
from indexer.records.offences.table import OffenceTable

_WORD: Final = re.compile(r"[^\W_]+")

_CLOSED_WORDS: Final = frozenset(
    {"a", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to"}
)

_MIN_SIMILARITY: Final = 82

_MIN_FUZZY_LENGTH: Final = 5

_MIN_PREFIX: Final = 3

_LONGEST_ENDING: Final = 3

#: Whether a code is a class, a sub-code, a category, or one of the force.
CodeKind = Literal["class", "sub-code", "category", "own"]

_RANKED_KINDS: Final[tuple[CodeKind, ...]] = ("own", "class", "sub-code", "category")


class FoundOffence(Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """One code. ``classes`` are those of a sub-code in the list of April 2026; ``validity`` says
    in words from when to when it is used, as far as known. ``recorded`` is false if no list of
    recorded crime that foidex knows has the sub-code."""

    code: str
    title: str
    group: str | None
    kind: CodeKind
    classes: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    validity: str = ""
    recorded: bool = True


class FoundName(Struct, frozen=True):
    """A name that the public uses: what it is, and the codes that hold it. For a flag, and for what
    no code holds, they are those where such records mostly are."""

    name: str
    kind: NameKind
    codes: tuple[str, ...]
    since: date | None
    certainty: str


class OffenceLookup(Struct, frozen=True):
    """What is known of some words. ``offences`` are the codes of the names, and then those whose
    titles have all the words; ``more`` is how many others there are. ``is_exact`` is false if no
    title has the words as they are written, so that similar words were taken."""

    words: str
    names: tuple[FoundName, ...]
    offences: tuple[FoundOffence, ...]
    more: int = 0
    is_exact: bool = True


def find_offences(words: str, limit: int = 20) -> OffenceLookup:
    """Look up a code, a name or words of titles; at most ``limit`` codes are listed."""
    table = load_offence_table()
    if all(map(table.has_code, named := list_codes(table, words))):
        below = sorted(table.covered(named) & table.titles.keys(), key=sort_code)
        codes = list(dict.fromkeys([*named, *below]))
        return _make_lookup(words, (), codes, limit, is_exact=True)
    tokens = [token for token in _split_words(words) if token not in _CLOSED_WORDS]
    names = () if table.scheme == "own" else tuple(_find_names(tokens))
    named_codes = [
        code for name in names for code in list_named_codes(name) if table.has_code(code)
    ]
    titled_codes, is_exact = _find_titled_codes(tokens)
    if names and not is_exact:
        titled_codes, is_exact = [], True
    codes = list(dict.fromkeys([*named_codes, *titled_codes]))
    return _make_lookup(words, names, codes, limit, is_exact=is_exact)


def _make_lookup(
    words: str, names: Iterable[CommonName], codes: list[str], limit: int, *, is_exact: bool
) -> OffenceLookup:
    found_names = (
        FoundName(name.name, name.kind, list_named_codes(name), name.since, name.certainty)
        for name in names
    )
    offences = tuple(map(describe_offence, codes[:limit]))
    return OffenceLookup(words, tuple(found_names), offences, max(len(codes) - limit, 0), is_exact)


def list_named_codes(name: CommonName) -> tuple[str, ...]:
    """The codes that hold what a name means: the narrow ones if it is only part of a class."""
    if name.kind == "subcode" and name.subcodes:
        return name.subcodes
    return name.classes + name.subcodes


def describe_offence(code: str) -> FoundOffence:
    """What is known of a canonical code of the table."""
    table = load_offence_table()
    validity = table.find_validity(code)
    subcode = None if code in table.own_codes else _load_subcodes().get(code)
    return FoundOffence(
        code,
        table.title(code),
        table.group(code),
        _find_kind(code, table),
        subcode.classes if subcode else (),
        validity.start,
        validity.end,
        validity.words,
        recorded=subcode is None or bool(subcode.lists),
    )


def _find_kind(code: str, table: OffenceTable) -> CodeKind:
    if code in table.own_codes:
        return "own"
    if code in _load_subcodes():
        return "sub-code"
    return "class" if code in _load_class_codes() else "category"


@cache
def _load_subcodes() -> dict[str, OffenceSubcode]:
    return {subcode.code: subcode for subcode in load_code_facts().subcodes}


@cache
def _load_class_codes() -> frozenset[str]:
    return frozenset(row.code for row in load_code_facts().classes)


def _find_names(tokens: list[str]) -> list[CommonName]:
    """The names that have all the words, or else the closest one."""
    names = load_common_names()
    whole = [name for name in names if _split_words(name.name) == tokens]
    if whole or not tokens:
        return whole
    matches = [
        name
        for name in names
        if all(
            any(_is_same_word(token, word) for word in _split_words(name.name)) for token in tokens
        )
    ]
    if matches:
        return matches
    closest = process.extractOne(
        " ".join(tokens),
        [name.name for name in names],
        scorer=fuzz.ratio,
        processor=str.casefold,
        score_cutoff=_MIN_SIMILARITY,
    )
    return [names[closest[2]]] if closest else []


def _find_titled_codes(tokens: list[str]) -> tuple[list[str], bool]:
    """The codes whose titles have all the words, and whether as they are written. Classes come
    first, then codes in a list of recorded crime."""
    if not tokens:
        return [], True
    codes_by_word = _index_titles()
    is_exact = True
    matches: set[str] | None = None
    for token in tokens:
        words = [word for word in codes_by_word if _is_same_word(token, word)]
        if not words and len(token) >= _MIN_FUZZY_LENGTH:
            is_exact = False
            words = _find_similar_words(token, codes_by_word)
        codes = set().union(*(codes_by_word[word] for word in words))
        matches = codes if matches is None else matches & codes
    return sorted(matches or (), key=_rank_code), is_exact


def _find_similar_words(token: str, words: Iterable[str]) -> list[str]:
    """The words that a mistyped one may be: they begin alike."""
    candidates = [word for word in words if len(word) >= _MIN_FUZZY_LENGTH and word[0] == token[0]]
    similar = process.extract(
        token, candidates, scorer=fuzz.ratio, score_cutoff=_MIN_SIMILARITY, limit=3
    )
    return [match[0] for match in similar]


def _rank_code(code: str) -> tuple[object, ...]:
    offence = describe_offence(code)
    return (not offence.recorded, _RANKED_KINDS.index(offence.kind), sort_code(code))


def _index_titles() -> dict[str, set[str]]:
    """The codes by each word of their titles."""
    table = load_offence_table()
    codes_by_word: dict[str, set[str]] = {}
    for code, title in table.titles.items():
        subcode = None if code in table.own_codes else _load_subcodes().get(code)
        text = f"{title} {subcode.list_title}" if subcode else title
        for word in _split_words(text):
            codes_by_word.setdefault(word, set()).add(code)
    return codes_by_word


def _split_words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _is_same_word(token: str, word: str) -> bool:
    """Whether a title's word is the one asked for, perhaps with an ending."""
    if token == word:
        return True
    if len(token) >= _MIN_PREFIX and word.startswith(token):
        return True
    is_shorter = len(word) > _MIN_PREFIX and len(token) - len(word) <= _LONGEST_ENDING
    return is_shorter and token.startswith(word)


def sort_code(code: str) -> tuple[object, ...]:
    """A key that sorts codes by their numbers: 8, 8A, 8/2, 8/10, 10A; others come last."""
    numbers = [int(number) for number in re.findall(r"\d+", code)]
    first = numbers[0] if code[:1].isdigit() else 10**6
    return (first, "/" in code, numbers[1:], code)
