"""TODO: say what indexer.loading.bulk_request is for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import elasticsearch
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import ServerError
from indexer.loading.tally import hash_content
from indexer.records.document import encode_document
from indexer.records.model import CrimeDocument, Tombstone
from indexer.server.server_errors import DISK_FULL_MESSAGE, WRITE_BLOCK
from indexer.sources.base import RawRecord

CHUNK_RECORDS: Final = 2_000

CHUNK_BYTES: Final = 4 * 1024 * 1024

_BULK_ATTEMPTS: Final = 6

_BUSY_STATUS: Final = 429

CONFLICT_STATUS: Final = 409

BAD_REQUEST_STATUS: Final = 400


class PendingDocument(Struct, frozen=True, gc=False):
    """A document on its way, as bytes: to keep thousands of segments alive costs more than to make
    them. ``content`` is the hash of a record, 0 of a tombstone; ``code`` is empty for one."""

    raw: RawRecord
    source: bytes
    reference: str
    updated_at: datetime | None
    content: int = 0
    tombstone: bool = True
    code: str = ""
    bare_links: int = 0


def prepare_document(
    raw: RawRecord, document: CrimeDocument | Tombstone, source: bytes = b""
) -> PendingDocument:
    reference, updated_at = document.crime_ref, document.updated_at
    if isinstance(document, Tombstone):
        return PendingDocument(raw, source, reference, updated_at)
    bare_links = (
        sum(link.offence_code is None for link in document.linked) if document.linked else 0
    )
    content = hash_content(source) if source else 0
    code = document.offence_code
    return PendingDocument(
        raw,
        source,
        reference,
        updated_at,
        content,
        tombstone=False,
        code=code,
        bare_links=bare_links,
    )


class DocumentChunk:
    """Records on their way in one request."""

    def __init__(self) -> None:
        self.items: list[PendingDocument] = []
        self.references: set[str] = set()
        self.size = 0

    def add(self, item: PendingDocument) -> None:
        self.items.append(item)
        self.references.add(item.reference)
        self.size += len(item.source) + len(item.reference)

    @property
    def full(self) -> bool:
        return len(self.items) >= CHUNK_RECORDS or self.size >= CHUNK_BYTES


def post_documents(
    client: Elasticsearch,
    index: str,
    action: Literal["create", "index"],
    items: list[PendingDocument],
) -> dict[int, int]:
    """Send documents, those again that the server was too busy for; the status of each refused."""
    refused: dict[int, int] = {}
    pending = list(range(len(items)))
    head = b'{"%b":{"_id":' % action.encode()
    for attempt in range(_BULK_ATTEMPTS):
        if not pending:
            break
        if attempt:
            time.sleep(2**attempt / 4)
        lines: list[bytes] = []
        for position in pending:
            item = items[position]
            lines += (head + encode_document(item.reference) + b"}}", item.source)
        statuses = _read_bulk_statuses(client, index, action, lines, len(pending))
        busy = []
        for position, status in zip(pending, statuses, strict=True):
            if status == _BUSY_STATUS:
                busy.append(position)
            elif status in (CONFLICT_STATUS, BAD_REQUEST_STATUS):
                refused[position] = status
            elif status > BAD_REQUEST_STATUS:
                raise ServerError(
                    f"the server refused records ({status}), which is no fault of theirs. "
                    "Nothing was promoted; load again when the server is well."
                )
        pending = busy
    if pending:
        raise ServerError(
            f"the server was too busy for {len(pending):,} records, also after {_BULK_ATTEMPTS} tries. "
            "Nothing was promoted; load again when it is quieter."
        )
    return refused


def _read_bulk_statuses(
    client: Elasticsearch, index: str, action: str, lines: Sequence[Any], number: int
) -> list[int]:
    """The status of each document sent; of all "busy" where the server had no room for any."""
    try:
        response = client.bulk(
            operations=lines,
            index=index,
            filter_path=[f"items.{action}.status", f"items.{action}.error.type"],
        ).body
    except elasticsearch.ApiError as error:
        if error.status_code == _BUSY_STATUS and (_BUSY_STATUS, error.error) != WRITE_BLOCK:
            return [_BUSY_STATUS] * number
        raise
    items = [item[action] for item in response["items"]]
    if any((item["status"], item.get("error", {}).get("type")) == WRITE_BLOCK for item in items):
        raise ServerError(DISK_FULL_MESSAGE)
    return [item["status"] for item in items]
