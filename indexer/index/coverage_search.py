"""Asks a sealed index which days its records cover."""

from __future__ import annotations

from datetime import date

from elasticsearch import Elasticsearch

from indexer.errors import GenerationError
from indexer.records.contract import DayLimits
from indexer.records.coverage import (
    COVERAGE_AGG,
    Coverage,
    CoverageSettings,
    build_days_outside_query,
    parse_coverage,
)


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
        raise GenerationError(f"{name}: not every shard answered. Run the command again.")
    return parse_coverage(response["aggregations"]["coverage"], declared, built_on)


def require_days_within(client: Elasticsearch, name: str, limits: DayLimits) -> None:
    """Raise GenerationError if a sealed index holds records of days that no record may name.

    They are of a generation that was built with other limits, or by a version that had none.
    """
    response = client.count(
        index=name, query=build_days_outside_query(limits.earliest, limits.latest)
    ).body
    if response["_shards"]["failed"]:
        raise GenerationError(f"{name}: not every shard answered. Refresh again.")
    if number := response["count"]:
        raise GenerationError(
            f"{number:,} of the records that the live generation holds have a recorded_on before "
            f"{limits.earliest} or after {limits.latest} (tomorrow by the clock of this machine), "
            "so nothing was promoted. Run foidex refresh --full, which names them; or, if the days "
            "are right, correct the clock, or earliest in [records] of foidex.toml."
        )
