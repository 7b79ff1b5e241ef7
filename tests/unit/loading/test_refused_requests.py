"""What is said if the server takes no documents: it is busy, its heap is small, or they are large."""

from __future__ import annotations

from typing import Any

import elasticsearch
import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig, ObjectApiResponse

from indexer.errors import ServerError
from indexer.loading.bulk_request import post_documents
from indexer.loading.preparation import BulkDocument

MEGABYTE = 1024 * 1024


class RefusingClient:
    """A server that refuses every document with one status, for itself or for the request."""

    def __init__(self, status: int, heap: int = 0, *, whole: bool = False) -> None:
        self.status = status
        self.heap = heap
        self.whole = whole
        self.nodes = self

    def bulk(self, operations: list[Any], **_: object) -> ObjectApiResponse[Any]:
        meta = ApiResponseMeta(
            self.status, "1.1", HttpHeaders(), 0.0, NodeConfig("http", "localhost", 9200)
        )
        if self.whole:
            raise elasticsearch.ApiError("refused", meta, "<html>")
        items = [{"create": {"status": self.status}}] * (len(operations) // 2)
        return ObjectApiResponse({"items": items}, meta)

    def info(self, **_: object) -> ObjectApiResponse[Any]:
        heap = {"jvm": {"mem": {"heap_max_in_bytes": self.heap}}}
        meta = ApiResponseMeta(
            200, "1.1", HttpHeaders(), 0.0, NodeConfig("http", "localhost", 9200)
        )
        return ObjectApiResponse({"nodes": {"a": heap} if self.heap else {}}, meta)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def refuse(client: RefusingClient, *sizes: int) -> str:
    items = [BulkDocument(str(number), b"x" * size) for number, size in enumerate(sizes)]
    with pytest.raises(ServerError) as told:
        post_documents(client, "crimes-1", "create", items)  # type: ignore[arg-type]
    return str(told.value)


def test_a_record_too_large_for_the_heap_is_not_a_busy_server() -> None:
    told = refuse(RefusingClient(429, heap=512 * MEGABYTE), 10, 24 * MEGABYTE)
    assert "needs 25 MB in the index: with a heap of 512 MB, it takes up to about 12 MB" in told
    assert "Give it a heap of 961 MB" in told
    assert "busy" not in told


@pytest.mark.parametrize("heap", [0, 1024 * MEGABYTE])
def test_a_busy_server_is_one(heap: int) -> None:
    told = refuse(RefusingClient(429, heap=heap), 24 * MEGABYTE)
    assert told.startswith("the server was too busy for 1 record, even after 6 attempts.")


def test_a_proxy_that_takes_too_little_is_not_a_request_with_too_many_terms() -> None:
    told = refuse(RefusingClient(413, whole=True), 2 * MEGABYTE)
    assert "refuses 3 MB of records in one request (413). Let it take 100 MB" in told
