"""The exactness guard: checks that a response covers the whole generation and is exact. Pure.

A number from a response that fails a check is never given.
"""

from __future__ import annotations

from typing import Any, Final

from indexer.errors import GenerationError, InexactError, NoIndexError
from indexer.index.generations import Generation, require_every_record
from indexer.records.model import DELETED
from queries.questions.repeated_people import REPEATED_META

# Which generation answered, and how many of its records this user sees.
GENERATION_AGG: Final[dict[str, Any]] = {
    "generation": {
        "global": {},
        "aggs": {
            "index": {"terms": {"field": "_index", "size": 10}},
            "records": {"filter": {"bool": {"must_not": {"term": {"status": DELETED}}}}},
        },
    }
}


_ANSWERED: Final = "answered"


def build_answered_agg(generation: Generation) -> dict[str, Any]:
    """Counts the records of a search that are in a generation: all of its hits, or another one
    answered."""
    return {_ANSWERED: {"filter": {"term": {"_index": generation.name}}}}


def is_answered(body: dict[str, Any]) -> bool:
    """Whether a response with ``build_answered_agg`` proves that its generation answered.

    A search without a hit proves nothing.
    """
    hits = body["hits"]["total"]["value"]
    return bool(hits) and body["aggregations"][_ANSWERED]["doc_count"] == hits


def require_complete(body: dict[str, Any], generation: Generation) -> int | None:
    """Check that a response covers every record of the generation, and return their number.

    ``body`` is the response to a search that includes ``GENERATION_AGG``. Returns None where
    another generation answered. Raises NoIndexError for an empty generation, and InexactError
    where the server shows this user only some of the records: every count would be too low.
    """
    aggregation = body["aggregations"]["generation"]
    names = [bucket["key"] for bucket in aggregation["index"]["buckets"]]
    records = int(aggregation["records"]["doc_count"])
    if not names and not generation.records:
        raise NoIndexError(
            "the live generation has no records. Load some: foidex refresh or foidex load PATH."
        )
    if names not in ([], [generation.name]):
        return None
    require_every_record(generation, records)
    return records


def alias_moved_error(alias: str) -> GenerationError:
    """The error for another generation that went live between two pages."""
    return GenerationError(
        f'another generation went live under "{alias}" during the query. Run the command again.'
    )


def require_exact(body: dict[str, Any]) -> dict[str, Any]:
    """Check that every number in a response is exact, and return the response.

    Raises InexactError for a timeout, a failed shard, an early end, a total that is a lower bound,
    or an aggregation that left buckets out.
    """
    if body.get("timed_out"):
        raise InexactError(
            "the search timed out, so its counts may be too low. Run the command again."
        )
    shards = body["_shards"]
    if shards["failed"] or shards["successful"] != shards["total"]:
        raise InexactError(
            f"{shards['total'] - shards['successful']} of {shards['total']} shards did not answer, "
            "so the counts may be too low. Run the command again when the cluster is healthy."
        )
    if body.get("terminated_early"):
        raise InexactError(
            "the search ended early, so its counts may be too low. Run the command again."
        )
    total = body["hits"].get("total")
    if total is None or total["relation"] != "eq":
        raise InexactError(
            "the total is only a lower bound, so it is not given. Run the command again."
        )
    _require_exact_buckets(body.get("aggregations", {}))
    return body


def _require_exact_buckets(aggregation: dict[str, Any]) -> None:
    left_out = aggregation.get("sum_other_doc_count") or aggregation.get(
        "doc_count_error_upper_bound"
    )
    if left_out and REPEATED_META not in aggregation.get("meta", {}):
        raise InexactError(
            "an aggregation left buckets out, so its rows may be incomplete. Narrow the request."
        )
    for name, value in aggregation.items():
        if isinstance(value, dict) and name != "key":
            _require_exact_buckets(value)
        elif name == "buckets":
            for bucket in value:
                # Most buckets are only a key and a count: there is nothing inside to check.
                if len(bucket) > 2 or "key" not in bucket:
                    _require_exact_buckets(bucket)
