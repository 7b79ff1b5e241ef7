"""The guard: a number that may be inexact is not given."""

from __future__ import annotations

from typing import Any

import pytest

from indexer.errors import InexactError
from queries.execute import exact


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
    assert exact(body()) == body()


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
            {"aggregations": {"a": {"buckets": [{"key": 1, "c": {"doc_count_error_upper_bound": 2}}]}}},
            "left buckets out",
        ),
    ],
)  # fmt: skip
def test_what_may_be_inexact_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InexactError, match=message):
        exact(body(**changes))
