"""What the generations remember of erasures: the tombstones of the records that were forgotten.

Every generation that is kept may know of an erasure that another does not know of, such as one that
was restored from an older backup. So what is remembered is what any of them remembers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.index.generations import Generation, list_verified
from indexer.index.paging import search_sealed_pages
from indexer.records.model import DELETED, EXCLUDING_LOCATIONS

_PAGE_SIZE: Final = 1_000


class UnknownErasures(Struct, frozen=True):
    """What one generation does not know of the erasures that others remember.

    Both are tombstones by reference: ``returned`` those of records that it holds, in a version that
    is not known to be newer than the erasure, ``missing`` those of others.
    """

    returned: dict[str, dict[str, Any]]
    missing: dict[str, dict[str, Any]]


def list_erasure_tombstones(client: Elasticsearch, name: str) -> list[dict[str, Any]]:
    """The tombstones of the records that a sealed generation forgot or keeps out, as objects."""
    deleted = {"term": {"status": DELETED}}
    return [
        hit["_source"]
        for page in search_sealed_pages(client, name, query=deleted, size=_PAGE_SIZE)
        for hit in page["hits"]["hits"]
        if hit["_source"]["place"] in EXCLUDING_LOCATIONS
    ]


def collect_erasure_tombstones(client: Elasticsearch, alias: str) -> dict[str, dict[str, Any]]:
    """The tombstones of the forgotten records of every generation that is kept, by reference; of
    one that was forgotten twice, that of the later erasure."""
    return _collect_tombstones(client, list_verified(client, alias))


def _collect_tombstones(
    client: Elasticsearch, generations: list[Generation]
) -> dict[str, dict[str, Any]]:
    newest: dict[str, dict[str, Any]] = {}
    for generation in generations:
        if not generation.tombstones:
            continue
        for tombstone in list_erasure_tombstones(client, generation.name):
            known_tombstone = newest.setdefault(tombstone["crime_ref"], tombstone)
            if _read_time(tombstone) > _read_time(known_tombstone):
                newest[tombstone["crime_ref"]] = tombstone
    return newest


def find_unknown_erasures(client: Elasticsearch, alias: str, name: str) -> UnknownErasures:
    """What the named generation does not know of the erasures that the others remember."""
    generations = list_verified(client, alias, with_hidden=True)
    others = [generation for generation in generations if generation.name != name]
    tombstones = _collect_tombstones(client, others)
    returned: dict[str, dict[str, Any]] = {}
    missing = dict(tombstones)
    references = list(tombstones)
    for start in range(0, len(references), _PAGE_SIZE):
        response = client.search(
            index=name,
            query={
                "bool": {"filter": {"terms": {"crime_ref": references[start : start + _PAGE_SIZE]}}}
            },
            size=_PAGE_SIZE,
            source_includes=["crime_ref", "status", "place", "updated_at"],
            allow_partial_search_results=False,
        )
        for hit in response["hits"]["hits"]:
            document = hit["_source"]
            tombstone = tombstones[document["crime_ref"]]
            if document["status"] != DELETED and not _is_newer(document, tombstone):
                returned[document["crime_ref"]] = missing.pop(document["crime_ref"])
            elif document.get("place") in EXCLUDING_LOCATIONS or _is_newer(document, tombstone):
                del missing[document["crime_ref"]]
    return UnknownErasures(returned, missing)


def _is_newer(document: dict[str, Any], tombstone: dict[str, Any]) -> bool:
    """Whether a document is of a later time than an erasure; one without a time is not."""
    return bool(document.get("updated_at")) and _read_time(document) > _read_time(tombstone)


def _read_time(document: dict[str, Any]) -> datetime:
    return msgspec.convert(document["updated_at"], datetime)
