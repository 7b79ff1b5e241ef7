"""Several searches of one generation: counts and records that are all of the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Query

from indexer.index.generations import open_live_generation
from indexer.records.coverage import COVERAGE_AGG, Coverage, CoverageSettings, parse_coverage
from queries.matching.highlight import NARRATIVE_FIELDS
from queries.questions.base import build_filters_agg, parse_filter_counts
from queries.search.exactness import (
    GENERATION_AGG,
    alias_moved_error,
    require_complete,
    require_exact,
)
from queries.tables.scope import all_of, build_counted_query


class SealedGeneration:
    """The generation that was live when this was made, read through the alias.

    Every method raises GenerationError where another generation is live by then, and InexactError
    where a number may be inexact.
    """

    def __init__(self, client: Elasticsearch, alias: str) -> None:
        self.generation = open_live_generation(client, alias)
        self._client = client
        self._alias = alias

    @cached_property
    def coverage(self) -> Coverage | None:
        """The days that the generation covers."""
        if self.generation.coverage:
            return self.generation.coverage
        body = self._ask(MatchAll(), size=0, aggregations={"coverage": COVERAGE_AGG})
        return parse_coverage(body["aggregations"]["coverage"], CoverageSettings())

    def numbers(self, record_filter: Query, queries: Sequence[Query]) -> list[int]:
        """Count, for each query, the counted records that match it and ``record_filter``."""
        if not queries:
            return []
        aggregation = aggs.Filter(build_counted_query(), aggs={"each": build_filters_agg(queries)})
        body = self._ask(record_filter, size=0, aggregations={"counted": aggregation.to_dict()})
        return parse_filter_counts(body["aggregations"]["counted"]["each"])

    def read(self, queries: Sequence[Query], limit: int) -> tuple[list[dict[str, Any]], int]:
        """The first ``limit`` counted records that match all the queries, by reference, and how
        many match. A record is its source: ``crime_ref`` and the narrative fields."""
        body = self._ask(
            all_of([build_counted_query(), *queries]),
            size=limit,
            sort=[{"crime_ref": "asc"}],
            source_includes=["crime_ref", *NARRATIVE_FIELDS],
        )
        return [hit["_source"] for hit in body["hits"]["hits"]], body["hits"]["total"]["value"]

    def _ask(
        self, query: Query, aggregations: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        body = require_exact(
            self._client.search(
                index=self._alias,
                query=query.to_dict(),
                aggregations={**(aggregations or {}), **GENERATION_AGG},
                track_total_hits=True,
                allow_partial_search_results=False,
                **options,
            ).body
        )
        if require_complete(body, self.generation) is None:
            raise alias_moved_error(self._alias)
        return body
