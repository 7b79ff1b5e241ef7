"""What cannot match is left out of a search, and nothing else."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from queries.matching.term import build_term_query, parse_term
from queries.search.absent_words import (
    MATCHES_NOTHING,
    drop_absent_phrases,
    list_phrase_words,
)
from tests.support.fake_search import meets

_WORDS = ("live", "stream", "livestream", "box", "x")


def phrase(text: str) -> dict[str, Any]:
    return {"match_phrase": {"narrative": text}}


def pruned(query: dict[str, Any], *absent: str) -> dict[str, Any]:
    body = {"query": query, "aggs": {"one": {"filters": {"filters": {"a": query}}}}}
    dropped = drop_absent_phrases(body, frozenset(absent))
    assert dropped["aggs"]["one"]["filters"]["filters"]["a"] == dropped["query"]
    return dict(dropped["query"])


def test_the_words_of_every_phrase_are_found_once() -> None:
    term = build_term_query(parse_term("live stream")).to_dict()
    body = {"query": term, "aggs": {"a": {"filter": term}, "b": {"filter": phrase("x box")}}}
    words = list_phrase_words(body)
    assert {"live", "stream", "livestream", "x", "box"} <= words
    assert list_phrase_words({"query": {"term": {"status": "recorded"}}}) == frozenset()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (phrase("live box"), MATCHES_NOTHING),
        (phrase("live stream"), phrase("live stream")),
        (
            {"bool": {"should": [phrase("box"), phrase("live")], "minimum_should_match": 1}},
            phrase("live"),
        ),
        (
            {"bool": {"should": [phrase("box"), phrase("live")], "minimum_should_match": 2}},
            MATCHES_NOTHING,
        ),
        ({"bool": {"must_not": [phrase("box")]}}, {"match_all": {}}),
        ({"bool": {"must_not": [phrase("box"), phrase("live")]}}, {"bool": {"must_not": [phrase("live")]}}),
        ({"bool": {"filter": [phrase("live"), phrase("box")]}}, MATCHES_NOTHING),
        (
            {"bool": {"filter": [phrase("live")], "should": [phrase("box")]}},
            {"bool": {"filter": [phrase("live")], "should": [phrase("box")]}},
        ),
        ({"match_phrase": {"possessives": "box"}}, {"match_phrase": {"possessives": "box"}}),
    ],
)  # fmt: skip
def test_absent_words(query: dict[str, Any], expected: dict[str, Any]) -> None:
    assert pruned(query, "box") == expected


@pytest.mark.parametrize("absent", [*itertools.combinations(_WORDS, 2), ("stream",)])
def test_the_same_records_match(absent: tuple[str, ...]) -> None:
    terms = [build_term_query(parse_term(name)).to_dict() for name in ("live stream", "xbox")]
    texts = [" ".join(words) for words in itertools.permutations(_WORDS, 3)]
    left = [text for text in texts if not set(absent) & set(text.split())]
    queries = [
        *terms,
        {"bool": {"should": terms, "minimum_should_match": 2}},
        {"bool": {"must_not": terms}},
        {"bool": {"filter": [terms[0]], "must_not": [terms[1]]}},
    ]
    assert left
    for query in queries:
        short = pruned(query, *absent)
        for text in left:
            where = {"narrative": text}
            assert meets(where, short) == meets(where, query), (query, text)
