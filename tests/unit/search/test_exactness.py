"""The guard: a number that may be inexact is not given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from indexer.errors import InexactError, NoIndexError
from indexer.index.generations import Generation
from queries.search.exactness import require_complete, require_exact


def body(**changes: Any) -> dict[str, Any]:
    return {
        "took": 3,
        "timed_out": False,
        "_shards": {"total": 2, "successful": 2, "skipped": 1, "failed": 0},
        "hits": {"total": {"value": 7, "relation": "eq"}},
        "aggregations": {
            "rows": {"buckets": {"0": {"doc_count": 1, "inner": {"sum_other_doc_count": 0}}}},
            "codes": {
                "doc_count_error_upper_bound": 0,
                "sum_other_doc_count": 0,
                "buckets": [{"key": "a", "doc_count": 2, "more": {"buckets": []}}],
            },
            "people": {"buckets": [{"key": {"sum_other_doc_count": 9}, "doc_count": 1}]},
        },
        **changes,
    }


def test_a_whole_answer_passes() -> None:
    assert require_exact(body()) == body()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timed_out": True}, "timed out"),
        ({"_shards": {"total": 2, "successful": 1, "failed": 1}}, "1 of 2 shards did not answer"),
        ({"_shards": {"total": 2, "successful": 1, "failed": 0}}, "1 of 2 shards did not answer"),
        ({"terminated_early": True}, "ended early"),
        ({"hits": {"total": {"value": 10_000, "relation": "gte"}}}, "a lower bound"),
        ({"hits": {}}, "a lower bound"),
        ({"aggregations": {"a": {"sum_other_doc_count": 1, "buckets": []}}}, "left buckets out"),
        ({"aggregations": {"a": {"doc_count_error_upper_bound": 1}}}, "left buckets out"),
        (
            {"aggregations": {"a": {"doc_count": 1, "b": {"buckets": {"0": {"c": {"sum_other_doc_count": 2}}}}}}},
            "left buckets out",
        ),
        (
            {"aggregations": {"a": {"buckets": [{"key": 1, "doc_count": 3, "c": {"doc_count_error_upper_bound": 2}}]}}},
            "left buckets out",
        ),
        (
            {"aggregations": {"a": {"buckets": [{"doc_count": 3, "c": {"sum_other_doc_count": 2}}]}}},
            "left buckets out",
        ),
    ],
)  # fmt: skip
def test_what_may_be_inexact_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InexactError, match=message):
        require_exact(body(**changes))


def seen(names: list[str], records: int) -> dict[str, Any]:
    buckets = [{"key": name, "doc_count": records} for name in names]
    return {
        "aggregations": {
            "generation": {"index": {"buckets": buckets}, "records": {"doc_count": records}}
        }
    }


def test_a_part_of_a_generation_is_never_taken_for_the_whole() -> None:
    live = Generation("crimes-1", datetime(2020, 1, 1, tzinfo=UTC), "1", "h", records=5)
    assert require_complete(seen(["crimes-1"], 5), live) == 5
    assert require_complete(seen(["crimes-2"], 5), live) is None
    assert require_complete(seen(["crimes-1", "crimes-2"], 5), live) is None
    for names, records in ((["crimes-1"], 4), ([], 0)):
        with pytest.raises(InexactError, match=f"{records} of the 5 records"):
            require_complete(seen(names, records), live)
    with pytest.raises(NoIndexError):
        require_complete(seen([], 0), Generation("crimes-1", live.built_at, "1", "h"))
