"""Any term at all on a real server: refused in words, or found where a naive reading finds it."""

from __future__ import annotations

import random
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.errors import RequestError
from indexer.records.narrative import clean_text, find_words, fold_text, segment_narrative
from queries.matching.term import Term, build_term_query, parse_term
from tests.support.narratives import as_records
from tests.support.oracle import cleaned, holds, prepared

SOFT = r"[\s\-\u2010-\u2015\u2212]"

#: Scripts without spaces: a term in them, or beside them, also counts inside longer text.
UNSPACED = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\ua4cf\uaa60-\uaadf\uf900-\ufaff\U00016fe0-\U0003ffff]"

SEED = 20180815

TERMS = 10_000

SYNTAX = [
    "*", "?", "~", '"', "AND", "OR", "NOT", "+", "-", "&&", "||", "!", "(", ")", "{", "}", "[", "]", "^", ":", "\\",
    "/", "/.*/", "field:", "narrative:", "crime_ref:*", "_exists_:", "[a TO z]", "<script>", "{{x}}", "';--", "%00",
    "\\u0041", "$.", '{"match_all":{}}', ".*", "a|b", "(?i)", "~2", "^4",
]  # fmt: skip

WORDS = [
    "live", "stream", "livestream", "snap", "chat", "snapchat", "app", "ly", "s", "it's", "O'Brien", "don't", "X", "3",
    "\u00e9t\u00e9", "stra\u00dfe", "\u0130stanbul", "\u01f0a", "\u0434\u0430", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u05e9\u05dc\u05d5\u05dd",
    "\u0645\u0631\u062d\u0628\u0627", "\u6771\u4eac", "\u304b\u306a", "\ud55c\uae00", "\u0e44\u0e17\u0e22", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u13a0\u13a1", "e\u0301te\u0301",
    "\u24b6", "\u2460", "x\u00b2",
]  # fmt: skip

JOINTS = [
    " ", "-", "", ".", "&", "/", "'", "\u2019", "'s ", "_", "\u2013", "\u00ad", "\u200b", "\u202e", "\u0301", "\u00a0",
    "\t", "\n", "\n\n", "\x00", ",", " \u2014 ", "@", "#", "\U0001f600", "\u200d", "\ufe0f", "\u00b4", "\uff0e", "\u0640",
    "\u02d7", "\u055b", " \u0301", "'\u0308", "-\u0345", "\U000e0101", "\ufe7c", "\u20dd",
]  # fmt: skip


def _newer(character: str) -> bool:
    """Whether the tokenizer's Unicode may lack it; it then counts as no letter there."""
    return unicodedata.ucd_3_2_0.category(character) == "Cn" != unicodedata.category(character)


def characters(rng: random.Random) -> str:
    """Any characters, of all planes and of those where mistakes live; also half ones."""
    ranges = [
        (0x00, 0x7F), (0x80, 0x24F), (0x250, 0x5FF), (0x600, 0x17FF), (0x1E00, 0x20CF), (0x2E80, 0xD7FF),
        (0xD800, 0xDFFF), (0xE000, 0xFFFF), (0x10000, sys.maxunicode),
    ]  # fmt: skip
    low, high = rng.choices(ranges, [6, 4, 2, 2, 2, 2, 0.3, 1, 1])[0]
    found = [chr(rng.randint(low, high)) for _ in range(rng.randint(1, 9))]
    return "".join(one for one in found if not _newer(one))


def written(rng: random.Random) -> str:
    """A term as anyone, or an attacker, may write it."""
    match rng.randrange(8):
        case 0:
            return characters(rng)
        case 1:
            return rng.choice(SYNTAX) + rng.choice(WORDS) + rng.choice(SYNTAX)
        case 2:
            return f"{rng.choice(WORDS)} {rng.choice(SYNTAX)} {rng.choice(WORDS)}"
        case 3:
            return (rng.choice(WORDS) + rng.choice(JOINTS)) * rng.choice([1, 2, 2_000])
        case 4:
            return rng.choice(WORDS) + characters(rng) + rng.choice(WORDS)
        case _:
            pieces = [rng.choice(WORDS) + rng.choice(JOINTS) for _ in range(rng.randint(1, 3))]
            return "".join(pieces)


def texts(rng: random.Random, asked: list[str]) -> dict[str, str]:
    """Narratives made of the terms themselves, as written or as other cases and joints have them."""
    found = {}
    spaced = [one for one in asked if not re.search(UNSPACED, one[:80])]
    for number in range(300):
        pieces = []
        for _ in range(rng.randint(1, 4)):
            chosen = rng.choice(asked if number % 4 == 0 else spaced)[:80]
            piece = chosen.encode("utf-8", "ignore").decode()
            pieces += [rng.choice([piece, piece.upper(), piece.title()]), rng.choice(JOINTS)]
        found[f"R{number}"] = "".join(pieces)
    return found


ALLOWED = {"bool", "should", "minimum_should_match", "match_phrase", "terms", "narrative", "possessives", "compounds"}  # fmt: skip


def leaves(query: Any) -> Iterator[str]:
    """The texts of a query, none of whose keys is of the term's making."""
    if isinstance(query, dict):
        assert set(query) <= ALLOWED
        for value in query.values():
            yield from leaves(value)
    elif isinstance(query, list):
        for value in query:
            yield from leaves(value)
    elif isinstance(query, str):
        yield query


def matches(client: Elasticsearch, index: str, queries: list[dict[str, Any]]) -> list[set[str]]:
    """The references of the records of each query, many queries a search."""
    found: list[set[str]] = []
    for start in range(0, len(queries), 500):
        filters = {str(n): query for n, query in enumerate(queries[start : start + 500])}
        inside = {"refs": {"terms": {"field": "crime_ref", "size": 1_000}}}
        asked = {"all": {"filters": {"filters": filters}, "aggs": inside}}
        buckets = client.search(index=index, size=0, aggs=asked)["aggregations"]["all"]["buckets"]
        each = [buckets[str(number)]["refs"]["buckets"] for number in range(len(filters))]
        found += [{one["key"] for one in references} for references in each]
    return found


def test_ten_thousand_terms_are_refused_or_found_as_the_rule_says(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    rng = random.Random(SEED)
    asked = [written(rng) for _ in range(TERMS)]
    parsed: dict[str, Term] = {}
    refusals: list[str] = []
    for one in asked:
        try:
            parsed.setdefault(one, parse_term(one))
        except RequestError as refused:
            refusals.append(str(refused))
    assert max(map(len, refusals)) < 500
    assert 0.3 < len(parsed) / TERMS < 0.9
    narratives = texts(rng, [*parsed, *asked])
    load(as_records(narratives))
    queries = [build_term_query(term).to_dict() for term in parsed.values()]
    for term, query in zip(parsed.values(), queries, strict=True):
        own = {" ".join(form) for form in term.forms}
        assert set(leaves(query)) <= own | {f"{form}'s" for form in own}
    plain = {reference: prepared(text) for reference, text in narratives.items()}
    unspaced = {reference for reference, text in plain.items() if re.search(UNSPACED, text)}
    # Not words that an apostrophe joins to a possessive.
    odd = re.compile(r"'s'\w")
    plain = {reference: text for reference, text in plain.items() if not odd.search(text)}
    assert len(unspaced) < 150
    assert len(plain) > 200
    # All forms of a term have the same letters: only texts that hold them need be read.
    letters = {reference: re.sub(SOFT, "", text) for reference, text in plain.items()}
    held = 0
    every = matches(client, index.alias, queries)
    for (one, term), found in zip(parsed.items(), every, strict=True):
        forms = [" ".join(form) for form in term.forms]
        closed = re.sub(SOFT, "", cleaned(forms[0]))
        close = [reference for reference, text in letters.items() if closed in text]
        right = {reference for reference in close if holds(plain[reference], forms)}
        found &= set(plain)
        assert right <= found, (one, term.forms[:3])
        assert found - right <= unspaced, (one, term.forms[:3])
        held += bool(right)
    assert held > TERMS / 20


def tokens(client: Elasticsearch, index: str, texts: list[str]) -> list[list[str]]:
    """The index's words of each text."""
    found: list[list[str]] = []
    for start in range(0, len(texts), 500):
        between = [f"0000\n{text}" for text in texts[start : start + 500]]
        body = client.indices.analyze(index=index, field="narrative", text=between)
        for one in body["tokens"]:
            if one["token"] == "0000":
                found.append([])
            else:
                found[-1].append(one["token"])
    return found


def test_the_index_has_the_words_that_the_rule_has(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    """Every character between two letters: one word of the rule is one of the index, and no sign
    stays in a word."""
    load(as_records({"R1": "x"}))
    apart: list[str] = []
    together: list[str] = []
    # But for ideographs, syllables and what is nobody's.
    every = [
        *range(0x80, 0x3400),
        *range(0xA000, 0xAC00),
        *range(0xF900, 0x1F200),
        0xE0001,
        *range(0xE0020, 0xE0080),
        *range(0xE0100, 0xE01F0),
    ]
    for character in map(chr, every):
        text = clean_text(f"x{character}y")
        if find_words(text) == [text]:
            if not _newer(character) and not re.search(UNSPACED, text):
                together.append(text)
        else:
            apart += [
                piece
                for piece in segment_narrative(text).segments
                if piece[0] in "xy" and find_words(piece)
            ]
    assert min(len(together), len(apart)) > 4_000
    assert tokens(client, index.alias, together) == [[fold_text(one).lower()] for one in together]
    for text, found in zip(apart, tokens(client, index.alias, apart), strict=True):
        assert set(map(str.lower, find_words(text))) <= set(found), ascii(text)
