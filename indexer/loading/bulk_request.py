"""Bulk requests: documents sent many at a time, repeated for those the server was too busy for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Literal

import elasticsearch
from elasticsearch import Elasticsearch

from indexer.errors import ServerError
from indexer.loading.preparation import BulkDocument
from indexer.records.document import encode_document
from indexer.server.server_errors import DISK_FULL_MESSAGE, WRITE_BLOCK

#: The most bytes of documents in one request that has several; one document may have more. Either
#: stays below what a server takes (http.max_content_length, 100 MB unless it is set).
REQUEST_BYTES: Final = 16 * 1024 * 1024

_BULK_ATTEMPTS: Final = 6

_BUSY_STATUS: Final = 429

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
        raise ServerError(
            f"the server was too busy for {len(pending):,} records, even after {_BULK_ATTEMPTS} "
            "attempts. Nothing was promoted; run the command again when it is less busy."
        )
    return refused


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
        if error.status_code == _BUSY_STATUS and (_BUSY_STATUS, error.error) != WRITE_BLOCK:
            return [_BUSY_STATUS] * (len(lines) // 2)
        raise
    items = [item[action] for item in response["items"]]
    if any((item["status"], item.get("error", {}).get("type")) == WRITE_BLOCK for item in items):
        raise ServerError(DISK_FULL_MESSAGE)
    return [item["status"] for item in items]
