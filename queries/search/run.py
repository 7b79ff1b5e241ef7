"""Runs the one search of a request, exactly: all its numbers are of one generation.

The search counts everything: the records in scope by status, the spellings of every term, and the
aggregations of every question. Its response also names the generation that answered, so that the
provenance is never that of another. A generation is sealed, so its further pages are of the same
moment.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Query
from msgspec import Struct

from indexer.errors import GenerationError, InexactError
from indexer.index.generations import Generation, open_live_generation
from indexer.records.categories import CATEGORIES_FIELD
from indexer.records.coverage import COVERAGE_AGG, Coverage, CoverageSettings, parse_coverage
from indexer.records.model import SUSPECTS
from queries.questions.repeated_people import (
    REPEATED_AGES,
    is_repeated_people_agg,
    read_repeated_ages,
)
from queries.search.absent_words import (
    drop_absent_phrases,
    find_absent_words,
    list_phrase_words,
)
from queries.search.exactness import (
    GENERATION_AGG,
    alias_moved_error,
    build_answered_agg,
    is_answered,
    require_complete,
    require_exact,
)
from queries.search.shared_counts import share_counts

_Path = tuple[str, ...]

_MAX_ALIAS_RETRIES: Final = 3

_RETRY_PAUSE: Final = 0.3

# Buckets of a composite aggregation a page, from the second page on. It has a search to itself,
# and a server returns at most 65,536 buckets a search.
LATER_PAGE_SIZE: Final = 50_000

_CATEGORY_FIELD: Final = re.compile(rf'"{CATEGORIES_FIELD}\.([a-z0-9_]+)"')


#: How a search names the suspects of a record.
_SUSPECT_FIELD: Final = f'"path":"{SUSPECTS.field}"'

#: Asks for the coverage of a generation that does not record its own.
_COVERAGE_AGG: Final[dict[str, Any]] = {"coverage": {"global": {}, "aggs": {"held": COVERAGE_AGG}}}


class SearchResult(Struct, frozen=True):
    """The checked response (``body``) to a search (``query``), and the generation it is of, with
    the days that it covers."""

    body: dict[str, Any]
    query: dict[str, Any]
    alias: str
    generation: Generation
    records: int
    run_at: datetime
    coverage: Coverage | None = None


class SearchEngine(Protocol):
    """Runs searches. ``LiveSearch`` asks the server; tests have an engine in plain Python."""

    def run_search(self, body: dict[str, Any]) -> SearchResult:
        """Run one search. Raises InexactError, NoIndexError or GenerationError."""

    def read_later_pages(self, result: SearchResult, aggregation: str) -> None:
        """Read what is left of the aggregations below an aggregation, into ``result``."""


class LiveSearch(Struct, frozen=True):
    """Searches the live generation of an alias."""

    client: Elasticsearch
    alias: str
    later_page_size: int = LATER_PAGE_SIZE

    def run_search(self, body: dict[str, Any]) -> SearchResult:
        """Run one search through the alias and check that every number in it is exact.

        Raises NoIndexError, InexactError, and GenerationError where the index is not one of
        foidex's, lacks a category of the search or the suspects that it asks for, or another goes
        live again and again.
        """
        return _run_search(self.client, self.alias, body)

    def read_later_pages(self, result: SearchResult, aggregation: str) -> None:
        """Read what is left of the aggregations below an aggregation, into the first response: the
        later pages of composite ones, and the ages of people who occur more than once.

        Raises GenerationError where another generation is live by then."""
        for path in _find_partial_aggs(result.query["aggs"][aggregation], (aggregation,)):
            asked = _resolve_path(result.query["aggs"], path, "aggs")
            if "composite" in asked:
                _read_composite_pages(self.client, result, path, self.later_page_size)
                continue
            response = _resolve_path(result.body["aggregations"], path)
            response[REPEATED_AGES] = read_repeated_ages(
                asked,
                response,
                result.body["_shards"]["total"],
                partial(_ask_in_place, self.client, result, path),
            )


def build_count_body(query: Query, aggregations: dict[str, aggs.Agg[Any]]) -> dict[str, Any]:
    """The body of a search that counts and returns no record."""
    # Not elasticsearch.dsl.Search: its to_dict() walks the dictionaries of the parts once more.
    return {
        "query": query.to_dict(),
        "aggs": {name: aggregation.to_dict() for name, aggregation in aggregations.items()},
        "size": 0,
        "track_total_hits": True,
    }


def count_records(client: Elasticsearch, alias: str, query: Query) -> tuple[SearchResult, int]:
    """The search of the live generation for a query, and how many of its records match.

    Raises as ``LiveSearch.run_search``.
    """
    result = _run_search(client, alias, build_count_body(query, {}))
    return result, int(result.body["hits"]["total"]["value"])


def _run_search(client: Elasticsearch, alias: str, body: dict[str, Any]) -> SearchResult:
    text = msgspec.json.encode(body).decode()
    declared = set(_CATEGORY_FIELD.findall(text))
    about_suspects = _SUSPECT_FIELD in text
    for attempt in range(1, _MAX_ALIAS_RETRIES + 1):
        generation = open_live_generation(client, alias)
        if missing := sorted(declared - set(generation.categories)):
            raise GenerationError(
                f'{generation.name} was built before the category "{missing[0]}" was declared, so '
                "it cannot count by it. Refresh first: foidex refresh --full"
            )
        if about_suspects and not generation.suspects:
            raise GenerationError(
                f"{generation.name} was built before suspects were indexed, so it cannot count "
                "them. Refresh first: foidex refresh --full"
            )
        run_at = datetime.now(UTC).replace(microsecond=0)
        try:
            if (found := _search_once(client, alias, generation, body)) is not None:
                counts, records, coverage = found
                return SearchResult(counts, body, alias, generation, records, run_at, coverage)
        except InexactError:
            # A record may be being erased at this moment; the next attempt then agrees.
            if attempt == _MAX_ALIAS_RETRIES:
                raise
            time.sleep(_RETRY_PAUSE)
    raise GenerationError(
        f'another generation went live under "{alias}" {_MAX_ALIAS_RETRIES} times during the '
        "query. Run the command again."
    )


class _Counts(NamedTuple):
    """A checked response, the records of the generation, and the days that it covers."""

    response: dict[str, Any]
    records: int
    coverage: Coverage | None


def _search_once(
    client: Elasticsearch, alias: str, generation: Generation, body: dict[str, Any]
) -> _Counts | None:
    """Run a search on a generation; None if another one answered."""
    absent = find_absent_words(client, alias, generation, list_phrase_words(body))
    needed = drop_absent_phrases(body, absent)
    shared = share_counts(list(needed["aggs"].items()))
    sent = {**needed, "aggs": shared.aggregations}
    coverage_agg = {} if generation.coverage else _COVERAGE_AGG
    # The two searches go to the same copies, and an erasure takes its record out before it changes
    # the number of records: if the second sees them all, so did the first.
    preference = uuid.uuid4().hex
    response = _search_exactly(
        client,
        alias,
        {**sent, "aggs": {**sent["aggs"], **build_answered_agg(generation)}},
        coverage_agg,
        preference,
    )
    if is_answered(response):
        # The same for every answer of a generation, so that the server has its response ready.
        everything = build_count_body(MatchAll(), {})
        line = _search_exactly(client, alias, everything, GENERATION_AGG, preference)
    else:  # nothing is in scope, or another generation answered
        line = response = _search_exactly(client, alias, sent, {**GENERATION_AGG, **coverage_agg})
    if (records := require_complete(line, generation)) is None:
        return None
    coverage = generation.coverage or _parse_coverage(response)
    counts = {**response, "aggregations": shared.restore(response["aggregations"])}
    return _Counts(counts, records, coverage)


def _parse_coverage(response: dict[str, Any]) -> Coverage | None:
    """The coverage of a generation that does not record its own: the days of its records."""
    return parse_coverage(response["aggregations"]["coverage"]["held"], CoverageSettings())


def _search_exactly(
    client: Elasticsearch,
    alias: str,
    body: dict[str, Any],
    extra_aggs: dict[str, Any],
    preference: str | None = None,
) -> dict[str, Any]:
    return require_exact(
        client.search(
            index=alias,
            body={**body, "aggs": {**body["aggs"], **extra_aggs}},
            allow_partial_search_results=False,
            preference=preference,
        ).body
    )


def _read_composite_pages(
    client: Elasticsearch, result: SearchResult, path: _Path, later_page_size: int
) -> None:
    aggregation = _resolve_path(result.query["aggs"], path, "aggs")
    first = _resolve_path(result.body["aggregations"], path)
    size, after = len(first["buckets"]), first.get("after_key")
    full = aggregation["composite"]["size"]
    while after is not None and size == full:
        full = later_page_size
        composite = {**aggregation["composite"], "size": full, "after": after}
        next_page = _ask_in_place(client, result, path, {**aggregation, "composite": composite})
        first["buckets"] += next_page["buckets"]
        size, after = len(next_page["buckets"]), next_page.get("after_key")


def _ask_in_place(
    client: Elasticsearch, result: SearchResult, path: _Path, aggregation: dict[str, Any]
) -> dict[str, Any]:
    """Search again with nothing but one aggregation, in the place of that at ``path``."""
    for depth in range(len(path) - 1, 0, -1):
        outer = _resolve_path(result.query["aggs"], path[:depth], "aggs")
        aggregation = {**outer, "aggs": {path[depth]: aggregation}}
    body = {"query": result.query["query"], "size": 0, "track_total_hits": True}
    response = _search_exactly(
        client, result.alias, {**body, "aggs": {path[0]: aggregation}}, GENERATION_AGG
    )
    if require_complete(response, result.generation) is None:
        raise alias_moved_error(result.alias)
    return _resolve_path(response["aggregations"], path)


def _find_partial_aggs(aggregation: dict[str, Any], path: _Path) -> Iterator[_Path]:
    """The aggregations whose first response may not be all. They stand inside filter and nested
    aggregations, which have one bucket."""
    if "composite" in aggregation or is_repeated_people_agg(aggregation):
        yield path
    elif "filter" in aggregation or "nested" in aggregation:
        for name, inner in aggregation.get("aggs", {}).items():
            yield from _find_partial_aggs(inner, (*path, name))


def _resolve_path(
    body: dict[str, Any], path: _Path, nesting_key: str | None = None
) -> dict[str, Any]:
    """The dictionary at a path; each step after the first is under ``nesting_key``, if given."""
    for depth, step in enumerate(path):
        body = body[nesting_key][step] if nesting_key and depth else body[step]
    return body
