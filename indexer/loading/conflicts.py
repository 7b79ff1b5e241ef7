"""Decides what becomes of a document whose reference the index already holds.

It may be a duplicate, older or newer than what is held, or a version of a forgotten record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from elasticsearch import Elasticsearch

from indexer.errors import GenerationError
from indexer.loading.bulk_request import (
    BAD_REQUEST_STATUS,
    CONFLICT_STATUS,
    post_documents,
)
from indexer.loading.content_hash import hash_content, strip_resolved_codes
from indexer.loading.preparation import PendingDocument
from indexer.loading.tally import LineOutcome
from indexer.records.categories import CATEGORIES_FIELD
from indexer.records.model import DELETED, EXCLUDING_LOCATIONS, PEOPLE_LISTS

_PAGE_SIZE: Final = 1_000

DUPLICATE_KIND: Final = '"crime_ref" is already that of another record'

#: Where it is not known which record that is.
DUPLICATE_REASON: Final = '"crime_ref" is already that of an earlier record. Keep one of the two.'


def create_documents(
    client: Elasticsearch, index: str, items: list[PendingDocument]
) -> dict[int, LineOutcome]:
    """Create documents; one whose reference is taken already is rejected.

    Returns the outcomes, by their position, of those documents that were not simply created.
    Raises ServerError.
    """
    refused = post_documents(client, index, "create", items)
    positions = [position for position, status in refused.items() if status == CONFLICT_STATUS]
    outcomes: dict[int, LineOutcome] = {}
    newer_positions: list[int] = []
    for position, conflict in zip(
        positions, _fetch_conflicts(client, index, items, positions), strict=True
    ):
        item = items[position]
        if conflict.erased:
            outcomes[position] = _judge_erased(item, conflict.updated_at)
            if outcomes[position].kind == "indexed":
                newer_positions.append(position)
        # A conflict with our own location means a request was sent twice: it was created.
        elif conflict.location != item.location:
            outcomes[position] = _reject_duplicate(conflict.location)
    refused |= _replace_erased(client, index, items, newer_positions, outcomes)
    for position, status in refused.items():
        if status == BAD_REQUEST_STATUS:
            reason = "the server cannot index the record (400). Correct it."
            outcomes[position] = LineOutcome("rejected", reason, "the server cannot index it")
    return outcomes


def _replace_erased(
    client: Elasticsearch,
    index: str,
    items: list[PendingDocument],
    newer_positions: list[int],
    outcomes: dict[int, LineOutcome],
) -> dict[int, int]:
    """Index the records newer than the forgotten version, only the first of each reference.

    Returns the status of each refused document by its position in ``items``.
    """
    first_positions: dict[str, int] = {}
    for position in newer_positions:
        first_position = first_positions.setdefault(items[position].reference, position)
        if first_position != position:
            outcomes[position] = _reject_duplicate(items[first_position].location)
    sent_positions = list(first_positions.values())
    refused = post_documents(
        client, index, "index", [items[position] for position in sent_positions]
    )
    return {sent_positions[number]: status for number, status in refused.items()}


def count_held(client: Elasticsearch, index: str, references: list[str]) -> int:
    """How many of the references are those of records of an index, which may be open."""
    held = 0
    for start in range(0, len(references), _PAGE_SIZE):
        response = client.mget(
            index=index,
            ids=references[start : start + _PAGE_SIZE],
            source_includes=["status"],
        )
        held += sum(
            document.get("found", False) and document["_source"].get("status") != DELETED
            for document in response["docs"]
        )
    return held


def _reject_duplicate(location: str) -> LineOutcome:
    return LineOutcome(
        "rejected",
        f'"crime_ref" is already that of the record at {location}. Keep one of the two.',
        DUPLICATE_KIND,
    )


class ConflictingDocument(NamedTuple):
    """The document that already has a reference in an index that is being filled."""

    location: str
    updated_at: datetime | None

    @property
    def erased(self) -> bool:
        """Whether it is the tombstone of a forgotten record."""
        return self.location in EXCLUDING_LOCATIONS


def _fetch_conflicts(
    client: Elasticsearch, index: str, items: list[PendingDocument], positions: list[int]
) -> list[ConflictingDocument]:
    if not positions:
        return []
    ids = [items[position].reference for position in positions]
    fields = ["place", "updated_at"]
    documents = client.mget(index=index, ids=ids, source_includes=fields).body["docs"]
    return [
        ConflictingDocument(
            str(document["_source"]["place"]),
            _parse_updated_at(document["_source"].get("updated_at")),
        )
        for document in documents
    ]


def _parse_updated_at(text: str | None) -> datetime | None:
    return msgspec.convert(text, datetime) if text else None


def _judge_erased(item: PendingDocument, erased_version: datetime | None) -> LineOutcome:
    """The outcome of a line whose record was forgotten: it is indexed only if known to be newer.

    A deletion changes nothing: otherwise the index would no longer know that it was forgotten.
    """
    if item.tombstone:
        return LineOutcome("unchanged")
    if erased_version and item.updated_at and item.updated_at > erased_version:
        return LineOutcome("indexed", records=1, tombstones=-1, content=item.content)
    return LineOutcome("kept_out")


class StoredDocument(NamedTuple):
    """What the index holds under a reference. ``source_content`` is the content hash that it had
    before the codes of its links were found; ``contents`` are what it has, in words."""

    updated_at: datetime | None
    content: int
    tombstone: bool
    source_content: int
    erased: bool = False
    contents: frozenset[str] = frozenset()


def apply_document_changes(
    client: Elasticsearch,
    index: str,
    items: list[PendingDocument],
    latest_time: datetime | None = None,
) -> dict[int, LineOutcome]:
    """Apply changes, except those that are older than what the index holds.

    A version in the index that changed after ``latest_time`` is wrong about that: it counts as one
    without a time, or no later version could ever replace it.

    Returns the outcome of each document by its position. Raises ServerError, and GenerationError
    where the server refuses a document.
    """
    if not items:  # every record of a batch may be rejected
        return {}
    stored_documents = _fetch_stored_documents(client, index, items, latest_time)
    outcomes: dict[int, LineOutcome] = {}
    positions: list[int] = []
    for position, item in enumerate(items):
        stored = stored_documents.get(item.reference)
        outcome = _judge_change(item, stored)
        if outcome.kind in ("indexed", "deleted"):
            positions.append(position)
            contents = _list_contents(msgspec.json.decode(item.source))
            if outcome.kind == "indexed" and stored and not stored.tombstone:
                outcome = msgspec.structs.replace(
                    outcome, had=stored.contents, lost=stored.contents - contents
                )
            stored_documents[item.reference] = StoredDocument(
                item.updated_at, item.content, item.tombstone, item.content, contents=contents
            )
        outcomes[position] = outcome
    refused = post_documents(client, index, "index", [items[position] for position in positions])
    if refused:
        # Later outcomes were decided as if these had been stored.
        raise GenerationError(
            f"the server refused {len(refused):,} changed records, the first at "
            f"{items[positions[min(refused)]].location}. Nothing was promoted; "
            "correct the record."
        )
    return outcomes


def _judge_change(item: PendingDocument, stored: StoredDocument | None) -> LineOutcome:
    if stored and stored.erased:
        return _judge_erased(item, stored.updated_at)
    if stored and stored.updated_at and item.updated_at and item.updated_at < stored.updated_at:
        return LineOutcome("late")
    was_record = stored is not None and not stored.tombstone
    was_tombstone = stored is not None and stored.tombstone
    content_change = -stored.content if stored else 0
    if item.tombstone:
        return LineOutcome(
            "deleted",
            records=-int(was_record),
            tombstones=int(not was_tombstone),
            content=content_change,
        )
    if was_record and stored and stored.source_content == item.content:
        return LineOutcome("unchanged")
    return LineOutcome(
        "indexed",
        records=int(not was_record),
        tombstones=-int(was_tombstone),
        content=item.content + content_change,
    )


def _list_contents(source: dict[str, Any]) -> frozenset[str]:
    """What a document has, in words of a message; a deletion has nothing."""
    found = {name: bool(source.get(name)) for name in (*PEOPLE_LISTS, "outcome")}
    found["links"] = bool(source.get("linked"))
    found["text"] = any(map(str.strip, source.get("narrative") or ()))
    categories = source.get(CATEGORIES_FIELD) or {}
    found |= {f'"{category}"': value is not None for category, value in categories.items()}
    return frozenset(content for content, present in found.items() if present)


def _fetch_stored_documents(
    client: Elasticsearch,
    index: str,
    items: list[PendingDocument],
    latest_time: datetime | None,
) -> dict[str, StoredDocument]:
    ids = sorted({item.reference for item in items})
    documents = client.mget(index=index, ids=ids).body["docs"]
    stored_documents = {}
    for document in documents:
        if not document.get("found"):
            continue
        source = document["_source"]
        tombstone = source["status"] == DELETED
        erased = source["place"] in EXCLUDING_LOCATIONS
        updated_at = _parse_updated_at(source.get("updated_at"))
        if latest_time and updated_at and updated_at > latest_time and not erased:
            updated_at = None
        stored_documents[document["_id"]] = StoredDocument(
            updated_at,
            0 if tombstone else hash_content(source),
            tombstone,
            0 if tombstone else hash_content(strip_resolved_codes(source)),
            erased,
            _list_contents(source),
        )
    return stored_documents
