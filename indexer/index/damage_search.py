"""Asks a sealed index how many of its records have damaged or repaired text."""

from __future__ import annotations

from typing import Any, Final

from elasticsearch import Elasticsearch

from indexer.errors import GenerationError
from indexer.records.damage.cut_texts import CutTexts
from indexer.records.damage.kinds import DAMAGE_WORDS, RepairKind, TextDamage, sort_kinds
from indexer.records.model import DELETED

#: The fields of the mapping that say which kinds of damage a record has, and which were repaired.
DAMAGE_FIELD: Final = "damage"

REPAIRED_FIELD: Final = "repaired"

#: The records that have no text at all.
WITHOUT_TEXT: Final[dict[str, Any]] = {
    "bool": {
        "must_not": [{"exists": {"field": "narrative"}}, {"term": {"status": DELETED}}],
    }
}


def measure_damage(
    client: Elasticsearch,
    name: str,
    repair: frozenset[RepairKind] | tuple[str, ...],
    cut: tuple[CutTexts, ...],
) -> TextDamage:
    """The damage of all records of an index, which was filled with these repairs. ``cut`` are the
    texts that were cut off, which no search finds.

    Raises GenerationError where not every shard answered.
    """
    response = client.search(
        index=name,
        size=0,
        aggs={
            **{field: _build_field_agg(field) for field in (DAMAGE_FIELD, REPAIRED_FIELD)},
            "without_text": {"filter": WITHOUT_TEXT},
        },
        allow_partial_search_results=False,
    ).body
    if response["timed_out"] or response["_shards"]["failed"]:
        raise GenerationError(f"{name}: not every shard answered. Run the command again.")
    damage, repaired = (response["aggregations"][field] for field in (DAMAGE_FIELD, REPAIRED_FIELD))
    return TextDamage(
        repair=sort_kinds(repair),
        damaged=damage["doc_count"],
        kinds=_read_kind_counts(damage),
        repaired=repaired["doc_count"],
        repaired_kinds=_read_kind_counts(repaired),
        cut=cut,
        without_text=response["aggregations"]["without_text"]["doc_count"],
    )


def _build_field_agg(field: str) -> dict[str, Any]:
    kinds = {kind: {"term": {field: kind}} for kind in DAMAGE_WORDS}
    return {
        "filter": {"exists": {"field": field}},
        "aggs": {"kinds": {"filters": {"filters": kinds}}},
    }


def _read_kind_counts(aggregation: dict[str, Any]) -> dict[str, int]:
    """The kinds that occur, each with its number of records."""
    buckets = aggregation["kinds"]["buckets"]
    return {kind: buckets[kind]["doc_count"] for kind in DAMAGE_WORDS if buckets[kind]["doc_count"]}
