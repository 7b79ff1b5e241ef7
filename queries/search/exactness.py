"""TODO: say what queries.search.exactness is for."""

from __future__ import annotations

from typing import Any, Final

from indexer.errors import GenerationError, InexactError, NoIndexError
from indexer.index.generations import Generation
from indexer.records.model import DELETED

# Asks, beside anything else, which generation answers and how many records of it are seen.
GENERATION_AGG: Final[dict[str, Any]] = {
    "generation": {
        "global": {},
        "aggs": {
            "index": {"terms": {"field": "_index", "size": 10}},
            "records": {"filter": {"bool": {"must_not": {"term": {"status": DELETED}}}}},
        },
    }
}


def require_complete(body: dict[str, Any], generation: Generation) -> int | None:
    """The records of the generation, once a search is known to have seen all of them.

    None where another generation answered. Raises NoIndexError for an empty one, InexactError
    where the server shows this user a part: it would count that part and call it all.
    """
    aggregation = body["aggregations"]["generation"]
    names = [bucket["key"] for bucket in aggregation["index"]["buckets"]]
    records = int(aggregation["records"]["doc_count"])
    if not names and not generation.records:
        raise NoIndexError("the live generation holds no records. Load some: foidex load PATH.")
    if names not in ([], [generation.name]):
        return None
    if records != generation.records:
        raise InexactError(
            f"the server shows this user {records:,} of the {generation.records:,} records of "
            f"{generation.name}, so every number would be short. Use a user whose role has no "
            "query; or, if records were changed by hand, load again."
        )
    return records


def alias_moved_error(alias: str) -> GenerationError:
    """What to say where another generation went live between two pages."""
    return GenerationError(f'the alias "{alias}" moved while it was read. Ask again.')


def require_exact(body: dict[str, Any]) -> dict[str, Any]:
    """The body of a search, once every number in it is known to be exact. Raises InexactError."""
    if body.get("timed_out"):
        raise InexactError("the search timed out, so its numbers may be short. Ask again.")
    shards = body["_shards"]
    if shards["failed"] or shards["successful"] != shards["total"]:
        raise InexactError(
            f"{shards['total'] - shards['successful']} of {shards['total']} shards did not answer, "
            "so the numbers may be short. Ask again when the cluster is whole."
        )
    if body.get("terminated_early"):
        raise InexactError("the search ended early, so its numbers may be short. Ask again.")
    total = body["hits"].get("total")
    if total is None or total["relation"] != "eq":
        raise InexactError("the total is a lower bound, so it is not given. Ask again.")
    _require_exact_buckets(body.get("aggregations", {}))
    return body


def _require_exact_buckets(aggregation: dict[str, Any]) -> None:
    if aggregation.get("sum_other_doc_count") or aggregation.get("doc_count_error_upper_bound"):
        raise InexactError(
            "an aggregation left buckets out, so its rows may be short. Narrow the request."
        )
    for name, value in aggregation.items():
        if isinstance(value, dict) and name != "key":
            _require_exact_buckets(value)
        elif name == "buckets":
            for bucket in value:
                # Of thousands of people, each is a key and a count with nothing inside.
                if len(bucket) > 2 or "key" not in bucket:
                    _require_exact_buckets(bucket)
