"""Leaves out of a search the wordings that no record of a generation can have.

A term has up to hundreds of forms, and most contain a word that occurs nowhere in the generation
("live stre am"). A generation is sealed, so a word that is absent stays absent: the server is asked
once for each word, and keeps that answer in its own cache of requests as well.

Erasing a record can only make words absent that were present, which costs time and no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from weakref import WeakKeyDictionary

from elasticsearch import Elasticsearch

from indexer.index.generations import Generation
from queries.search.exactness import require_exact

_Query = dict[str, Any]

MATCHES_NOTHING: Final[_Query] = {"match_none": {}}

_MATCHES_EVERYTHING: Final[_Query] = {"match_all": {}}

_OCCURS: Final = ("must", "filter", "should", "must_not")

_MAX_WORDS_A_SEARCH: Final = 2_000

_MAX_WORDS_KEPT: Final = 100_000

#: For each client: the generation that it asked last, and whether each word occurs in it.
_known_words: WeakKeyDictionary[Elasticsearch, tuple[tuple[str, str], dict[str, bool]]] = (
    WeakKeyDictionary()
)


def find_absent_words(
    client: Elasticsearch, alias: str, generation: Generation, words: frozenset[str]
) -> frozenset[str]:
    """Which of the words occur in no narrative of the generation.

    Empty if another generation is live by now. Raises InexactError where the server's answer may be
    incomplete.
    """
    identity = (generation.name, generation.content_hash)
    known_identity, known = _known_words.get(client, (identity, {}))
    if known_identity != identity or len(known) > _MAX_WORDS_KEPT:
        known = {}
    unknown = sorted(words - known.keys())
    for start in range(0, len(unknown), _MAX_WORDS_A_SEARCH):
        batch = unknown[start : start + _MAX_WORDS_A_SEARCH]
        counts = _count_words(client, alias, generation, batch)
        if counts is None:
            return frozenset()
        known = {**known, **{word: count > 0 for word, count in counts.items()}}
    _known_words[client] = (identity, known)
    return frozenset(word for word in words if not known[word])


def _count_words(
    client: Elasticsearch, alias: str, generation: Generation, words: list[str]
) -> dict[str, int] | None:
    """The documents that contain each word; None if another generation answered."""
    filters = {word: {"match_phrase": {"narrative": word}} for word in words}
    body = require_exact(
        client.search(
            index=alias,
            size=0,
            track_total_hits=True,
            aggs={
                "index": {"terms": {"field": "_index", "size": 10}},
                "words": {"filters": {"filters": filters}},
            },
            allow_partial_search_results=False,
        ).body
    )
    names = [bucket["key"] for bucket in body["aggregations"]["index"]["buckets"]]
    if names != [generation.name]:
        return None
    buckets = body["aggregations"]["words"]["buckets"]
    return {word: buckets[word]["doc_count"] for word in words}


def list_phrase_words(body: dict[str, Any]) -> frozenset[str]:
    """The words of every phrase that a search looks for in narratives."""
    seen: set[int] = set()
    return frozenset(
        word for phrase in _iter_phrases(body, seen) for word in phrase.split(" ") if word
    )


def _iter_phrases(value: Any, seen: set[int]) -> Iterator[str]:
    if isinstance(value, dict):
        if id(value) in seen:  # the query of a term is one object in many places
            return
        seen.add(id(value))
        phrase = value.get("match_phrase")
        if isinstance(phrase, dict) and isinstance(phrase.get("narrative"), str):
            yield phrase["narrative"]
            return
    elif not isinstance(value, list | tuple):
        return
    for inner in value.values() if isinstance(value, dict) else value:
        yield from _iter_phrases(inner, seen)


def drop_absent_phrases(body: dict[str, Any], absent: frozenset[str]) -> dict[str, Any]:
    """The search without the phrases that contain an absent word; it counts the same records."""
    if not absent:
        return body
    pruner = _Pruner(absent)
    return {**body, "query": pruner.prune(body["query"]), "aggs": pruner.prune_aggs(body["aggs"])}


class _Pruner:
    """Replaces what cannot match by nothing, from the phrases outwards."""

    def __init__(self, absent: frozenset[str]) -> None:
        self._absent = absent
        self._done: dict[int, tuple[_Query, _Query]] = {}  # keeps the originals alive for their ids

    def prune_aggs(self, aggregations: dict[str, Any]) -> dict[str, Any]:
        return {name: self._prune_agg(agg) for name, agg in aggregations.items()}

    def _prune_agg(self, agg: dict[str, Any]) -> dict[str, Any]:
        pruned = dict(agg)
        if "aggs" in agg:
            pruned["aggs"] = self.prune_aggs(agg["aggs"])
        if "filter" in agg:
            pruned["filter"] = self.prune(agg["filter"])
        elif "filters" in agg:
            filters = agg["filters"]["filters"]
            kept = {name: self.prune(query) for name, query in filters.items()}
            pruned["filters"] = {**agg["filters"], "filters": kept}
        return pruned

    def prune(self, query: _Query) -> _Query:
        """The query without what cannot match: ``MATCHES_NOTHING`` if nothing is left."""
        if id(query) in self._done:
            return self._done[id(query)][1]
        ((kind, asked),) = query.items()
        pruners: dict[str, Callable[[_Query, Any], _Query]] = {
            "match_phrase": self._prune_phrase,
            "bool": self._prune_bool,
            "nested": self._prune_nested,
        }
        pruned = pruners[kind](query, asked) if kind in pruners else query
        self._done[id(query)] = (query, pruned)
        return pruned

    def _prune_phrase(self, query: _Query, asked: Any) -> _Query:
        phrase = asked.get("narrative")
        if isinstance(phrase, str) and not self._absent.isdisjoint(phrase.split(" ")):
            return MATCHES_NOTHING
        return query

    def _prune_nested(self, query: _Query, asked: Any) -> _Query:
        inner = self.prune(asked["query"])
        if inner is asked["query"]:
            return query
        if inner is MATCHES_NOTHING:
            return MATCHES_NOTHING
        return {"nested": {**asked, "query": inner}}

    def _prune_bool(self, query: _Query, asked: Any) -> _Query:
        clauses = {occur: asked[occur] for occur in _OCCURS if occur in asked}
        minimum = asked.get("minimum_should_match", 0)
        plain = all(isinstance(listed, list) for listed in clauses.values())
        if not plain or not isinstance(minimum, int) or ("should" in asked and not minimum):
            return query
        pruned = {occur: [self.prune(one) for one in listed] for occur, listed in clauses.items()}
        for occur in ("must", "filter"):
            if MATCHES_NOTHING in pruned.get(occur, ()):
                return MATCHES_NOTHING
        for occur in ("should", "must_not"):
            kept = [one for one in pruned.pop(occur, ()) if one != MATCHES_NOTHING]
            if kept:
                pruned[occur] = kept
        should = pruned.get("should", [])
        if len(should) < minimum:
            return MATCHES_NOTHING
        if not pruned:
            return _MATCHES_EVERYTHING
        if minimum == 1 and len(should) == 1 and len(pruned) == 1:
            return should[0]
        others = {name: value for name, value in asked.items() if name not in clauses}
        return {"bool": {**others, **pruned}}
