"""Asks a sealed index which days its records cover."""

from __future__ import annotations

from datetime import date

from elasticsearch import Elasticsearch

from indexer.errors import GenerationError
from indexer.records.coverage import COVERAGE_AGG, Coverage, CoverageSettings, parse_coverage


def measure_coverage(
    client: Elasticsearch, name: str, declared: CoverageSettings, built_on: date
) -> Coverage | None:
    """The coverage of a sealed index; None if it holds no record.

    Raises ConfigurationError where the declared days end before they start, and GenerationError
    where not every shard answered.
    """
    response = client.search(
        index=name, size=0, aggs={"coverage": COVERAGE_AGG}, allow_partial_search_results=False
    ).body
    if response["timed_out"] or response["_shards"]["failed"]:
        raise GenerationError(f"{name}: not every shard answered. Load again.")
    return parse_coverage(response["aggregations"]["coverage"], declared, built_on)
