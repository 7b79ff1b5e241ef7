"""Bulk requests: documents sent many at a time, repeated for those the server was too busy for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Literal

import elasticsearch
from elasticsearch import Elasticsearch

from indexer.errors import ServerError
from indexer.loading.preparation import BulkDocument, PendingDocument
from indexer.records.document import encode_document
from indexer.server.server_errors import DISK_FULL_MESSAGE, WRITE_BLOCK

#: The most bytes of documents in one request that has several; one document may have more. Either
#: stays below what a server takes (http.max_content_length, 100 MB unless it is set).
REQUEST_BYTES: Final = 16 * 1024 * 1024

_BULK_ATTEMPTS: Final = 6

_BUSY_STATUS: Final = 429

_TOO_LARGE_STATUS: Final = 413

_MEGABYTE: Final = 1024 * 1024

#: The server refuses a document that is larger than this part of its heap: four times its size may
#: be a tenth of the heap (indexing_pressure.memory.limit).
_HEAP_PARTS: Final = 40

CONFLICT_STATUS: Final = 409

BAD_REQUEST_STATUS: Final = 400


def post_documents(
    client: Elasticsearch,
    index: str,
    action: Literal["create", "index"],
    items: Sequence[BulkDocument],
) -> dict[int, int]:
    """Send documents, and send again those that the server was too busy for.

    Returns the status (400 or 409) of each refused document by its position. Raises ServerError
    where the server stays too busy, has a full disk, or refuses for a reason of its own.
    """
    refused: dict[int, int] = {}
    pending = list(range(len(items)))
    for attempt in range(_BULK_ATTEMPTS):
        if not pending:
            break
        if attempt:
            time.sleep(2**attempt / 4)
        statuses = _send_documents(client, index, action, [items[number] for number in pending])
        busy = []
        for position, status in zip(pending, statuses, strict=True):
            if status == _BUSY_STATUS:
                busy.append(position)
            elif status in (CONFLICT_STATUS, BAD_REQUEST_STATUS):
                refused[position] = status
            elif status > BAD_REQUEST_STATUS:
                raise ServerError(
                    f"the server failed to store records ({status}); the records are not at fault. "
                    "Nothing was promoted; run the command again when the server is healthy."
                )
        pending = busy
    if pending:
        raise _explain_busy_server(client, [items[number] for number in pending])
    return refused


def _explain_busy_server(client: Elasticsearch, items: Sequence[BulkDocument]) -> ServerError:
    """A server with a small heap says that it is busy to a large record, however idle it is."""
    largest = max(items, key=lambda item: len(item.source))
    heap = _find_smallest_heap(client)
    if heap and len(largest.source) > heap // _HEAP_PARTS:
        place = f"{largest.location}: " if isinstance(largest, PendingDocument) else ""
        return ServerError(
            f"{place}the server does not take the record, which needs "
            f"{_count_megabytes(len(largest.source))} MB in the index: with a heap of "
            f"{heap // _MEGABYTE:,} MB, it takes up to about {heap // _HEAP_PARTS // _MEGABYTE:,} "
            f"MB. Give it a heap of {_count_megabytes(len(largest.source) * _HEAP_PARTS):,} MB "
            "(heap under [embedded], or -Xmx of your own server), or divide the narrative. Nothing "
            "was promoted."
        )
    records = "1 record" if len(items) == 1 else f"{len(items):,} records"
    return ServerError(
        f"the server was too busy for {records}, even after {_BULK_ATTEMPTS} attempts. Nothing was "
        "promoted; run the command again when it is less busy."
    )


def _find_smallest_heap(client: Elasticsearch) -> int:
    """The heap of the node with the smallest one, in bytes; 0 where the server does not say."""
    path = "nodes.*.jvm.mem.heap_max_in_bytes"
    try:
        nodes = client.nodes.info(metric="jvm", filter_path=path).body.get("nodes", {})
    except (elasticsearch.ApiError, elasticsearch.TransportError):
        return 0
    return min((node["jvm"]["mem"]["heap_max_in_bytes"] for node in nodes.values()), default=0)


def _count_megabytes(size: int) -> int:
    return size // _MEGABYTE + 1


def _send_documents(
    client: Elasticsearch, index: str, action: str, items: Sequence[BulkDocument]
) -> list[int]:
    """Send documents in one request, or in several if they are large; the status of each."""
    head = b'{"%b":{"_id":' % action.encode()
    statuses: list[int] = []
    lines: list[bytes] = []
    size = 0
    for item in items:
        if size + len(item.source) > REQUEST_BYTES and lines:
            statuses += _read_bulk_statuses(client, index, action, lines)
            lines, size = [], 0
        lines += (head + encode_document(item.reference) + b"}}", item.source)
        size += len(item.source)
    return statuses + _read_bulk_statuses(client, index, action, lines)


def _read_bulk_statuses(
    client: Elasticsearch, index: str, action: str, lines: Sequence[Any]
) -> list[int]:
    """The status of each document sent; "busy" for all where the server took none of them."""
    try:
        response = client.bulk(
            operations=lines,
            index=index,
            filter_path=[f"items.{action}.status", f"items.{action}.error.type"],
        ).body
    except elasticsearch.ApiError as error:
        if error.status_code == _TOO_LARGE_STATUS:
            size = _count_megabytes(sum(map(len, lines)))
            raise ServerError(
                f"the server, or a proxy before it, refuses {size} MB of records in one request "
                "(413). Let it take 100 MB: http.max_content_length of the server, and of nginx "
                "client_max_body_size. Nothing was promoted."
            ) from None
        if error.status_code == _BUSY_STATUS and (_BUSY_STATUS, error.error) != WRITE_BLOCK:
            return [_BUSY_STATUS] * (len(lines) // 2)
        raise
    items = [item[action] for item in response["items"]]
    if any((item["status"], item.get("error", {}).get("type")) == WRITE_BLOCK for item in items):
        raise ServerError(DISK_FULL_MESSAGE)
    return [item["status"] for item in items]
