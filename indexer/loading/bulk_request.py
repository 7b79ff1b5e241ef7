"""Bulk requests: documents sent many at a time, repeated for those the server was too busy for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import elasticsearch
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import ServerError
from indexer.loading.content_hash import hash_content
from indexer.records.document import encode_document
from indexer.records.model import CrimeDocument, RecordError, Tombstone
from indexer.server.server_errors import DISK_FULL_MESSAGE, WRITE_BLOCK
from indexer.sources.base import RawRecord

CHUNK_RECORDS: Final = 2_000

CHUNK_BYTES: Final = 4 * 1024 * 1024

#: The most bytes of one document. With a chunk it stays below what a server takes in one request
#: (http.max_content_length, 100 MB unless it is set).
MAX_DOCUMENT_BYTES: Final = 64 * 1024 * 1024

_BULK_ATTEMPTS: Final = 6

_BUSY_STATUS: Final = 429

CONFLICT_STATUS: Final = 409

BAD_REQUEST_STATUS: Final = 400


class BulkDocument(Struct, frozen=True, gc=False):
    """A document to send: its id, and its JSON."""

    reference: str
    source: bytes


class PendingDocument(BulkDocument, frozen=True, gc=False):
    """A document read and not yet sent. It is kept as bytes: thousands of live segment lists would
    slow the garbage collector more than encoding them does.

    For a tombstone ``content`` is 0 and ``code`` is empty; for a record they are its content hash
    and its offence code.
    """

    raw: RawRecord
    updated_at: datetime | None
    content: int = 0
    tombstone: bool = True
    code: str = ""
    bare_links: int = 0
    damage: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


def prepare_document(raw: RawRecord, document: CrimeDocument | Tombstone) -> PendingDocument:
    """Encode a document for sending, with what the tally needs to know about it.

    Raises RecordError for one that is too large for a request.
    """
    source = encode_document(document)
    if len(source) > MAX_DOCUMENT_BYTES:
        limit = MAX_DOCUMENT_BYTES // 1024 // 1024
        raise RecordError(
            f"needs {len(source) // 1024 // 1024 + 1:,} MB in the index, and {limit} MB is the "
            "most. Divide its narrative, or remove control characters from it.",
            f"needs more than {limit} MB in the index",
        )
    if isinstance(document, Tombstone):
        return PendingDocument(document.crime_ref, source, raw, document.updated_at)
    return PendingDocument(
        document.crime_ref,
        source,
        raw,
        document.updated_at,
        content=hash_content(document),
        tombstone=False,
        code=document.offence_code,
        bare_links=sum(link.offence_code is None for link in document.linked),
        damage=document.damage,
        repaired=document.repaired,
    )


class DocumentChunk:
    """The documents of one request."""

    def __init__(self) -> None:
        self.items: list[PendingDocument] = []
        self.references: set[str] = set()
        self.size = 0

    def add(self, item: PendingDocument) -> None:
        """Take one more document."""
        self.items.append(item)
        self.references.add(item.reference)
        self.size += len(item.source) + len(item.reference)

    @property
    def full(self) -> bool:
        """Whether it is large enough to send."""
        return len(self.items) >= CHUNK_RECORDS or self.size >= CHUNK_BYTES


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


def _read_bulk_statuses(
    client: Elasticsearch, index: str, action: str, lines: Sequence[Any], number: int
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
            return [_BUSY_STATUS] * number
        raise
    items = [item[action] for item in response["items"]]
    if any((item["status"], item.get("error", {}).get("type")) == WRITE_BLOCK for item in items):
        raise ServerError(DISK_FULL_MESSAGE)
    return [item["status"] for item in items]
