"""Reads the records that a review is about: all of a number, or one of them with its text.

Of a text, what is kept is a hash: two records with the same hash have the same text, and a text
that has another hash than before was changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from elasticsearch import Elasticsearch
from elasticsearch.dsl.query import Query
from msgspec import Struct

from indexer.index.generations import Generation, open_live_generation
from indexer.index.paging import open_point_in_time, search_sealed_pages
from indexer.records.model import DELETED
from indexer.records.narrative import SegmentedNarrative
from queries.evidence.locate import RecordQuery
from queries.matching.highlight import NARRATIVE_FIELDS, narrative_from_source
from queries.search.exactness import (
    GENERATION_AGG,
    alias_moved_error,
    require_complete,
    require_exact,
)

_PAGE_SIZE: Final = 500

_REFERENCES_PER_PAGE: Final = 10_000

_MAX_REFERENCES: Final = 10_000

_HASH_BYTES: Final = 16

_FIELDS: Final = ("crime_ref", "recorded_on", "offence_code")


class PopulationRecord(Struct, frozen=True):
    """A record behind a number; ``content_hash`` stands for its text."""

    reference: str
    recorded_on: date
    offence_code: str
    content_hash: str


class OpenedRecord(Struct, frozen=True):
    """A record with its text, for a person who reads it, and the generation that it is from."""

    reference: str
    recorded_on: date
    offence_code: str
    content_hash: str
    narrative: SegmentedNarrative
    generation: str


def hash_text(segments: Sequence[str]) -> str:
    """The hash of a narrative, however it is cut into segments."""
    return hashlib.blake2b("".join(segments).encode(), digest_size=_HASH_BYTES).hexdigest()


def list_population(
    client: Elasticsearch, alias: str, selection: RecordQuery
) -> tuple[str, list[PopulationRecord]]:
    """The live generation, and every record behind a number in it, by reference.

    Raises NoIndexError, InexactError, and GenerationError where another generation goes live.
    """
    generation = open_readable_generation(client, alias)
    pages = _read_pages(client, alias, generation, selection.query.to_dict())
    records = [
        PopulationRecord(reference, day, code, hash_text(hit["_source"].get("narrative") or []))
        for hit in pages
        for reference, day, code in [_read_fields(hit)]
    ]
    return generation.name, records


def read_text_hashes(
    client: Elasticsearch, alias: str, references: Sequence[str]
) -> tuple[str, dict[str, str]]:
    """The live generation, and the hash of each text in it; records that it lacks are left out.

    Raises as ``list_population``.
    """
    generation = open_readable_generation(client, alias)
    hashes = {}
    for start in range(0, len(references), _MAX_REFERENCES):
        query = _build_references_query(references[start : start + _MAX_REFERENCES])
        for hit in _read_pages(client, alias, generation, query):
            hashes[_read_fields(hit)[0]] = hash_text(hit["_source"].get("narrative") or [])
    return generation.name, hashes


def open_records(
    client: Elasticsearch, alias: str, references: Sequence[str]
) -> list[OpenedRecord]:
    """Records with their text, by reference; those that the live generation lacks are left out.

    Raises as ``list_population``.
    """
    generation = open_readable_generation(client, alias)
    query = _build_references_query(references)
    pages = _read_pages(client, alias, generation, query)
    return [_make_opened_record(hit, generation.name) for hit in pages]


def read_known_records(
    client: Elasticsearch, alias: str, references: Sequence[str]
) -> list[OpenedRecord] | None:
    """Records with their text in one search, in any order; None where they are not all seen.

    For a caller who knows the hash of each text and compares it: what the server hides from this
    user, or has not, is not looked for. ``open_records`` says why one is not seen.
    """
    if len(references) > _PAGE_SIZE:
        return None
    body = client.search(
        index=alias,
        query=_build_references_query(references),
        size=len(references),
        source_includes=list(NARRATIVE_FIELDS),
        docvalue_fields=[{"field": name} for name in _FIELDS],
        track_total_hits=True,
        allow_partial_search_results=False,
    ).body
    hits = require_exact(body)["hits"]["hits"]
    generations = {hit["_index"] for hit in hits}
    seen = all({*_FIELDS} <= hit.get("fields", {}).keys() for hit in hits)
    if len(hits) != len(references) or len(generations) != 1 or not seen:
        return None
    return [_make_opened_record(hit, hit["_index"]) for hit in hits]


def iter_references(
    client: Elasticsearch, alias: str, generation: Generation, query: Query
) -> Iterator[str]:
    """The references of the records that match a query, a page at a time and without texts.

    Raises as ``list_population``.
    """
    for hit in _read_pages(client, alias, generation, query.to_dict(), texts=False):
        yield hit["fields"]["crime_ref"][0]


def iter_narratives(
    client: Elasticsearch, alias: str, generation: Generation, query: Query
) -> Iterator[tuple[str, SegmentedNarrative]]:
    """The reference and the text of each record that matches a query, a page at a time.

    Raises as ``list_population``.
    """
    for hit in _read_pages(client, alias, generation, query.to_dict()):
        yield hit["fields"]["crime_ref"][0], narrative_from_source(hit["_source"])


def open_readable_generation(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, of which the user may read whole records. Raises NoIndexError."""
    generation = open_live_generation(client, alias)
    with open_point_in_time(client, alias):
        pass  # This needs the privilege to read whole records, which a publisher's role lacks.
    return generation


def _build_references_query(references: Sequence[str]) -> dict[str, Any]:
    return {
        "bool": {
            "filter": [{"terms": {"crime_ref": list(references)}}],
            "must_not": [{"term": {"status": DELETED}}],
        }
    }


def _read_pages(
    client: Elasticsearch,
    alias: str,
    generation: Generation,
    query: dict[str, Any],
    *,
    texts: bool = True,
) -> Iterator[dict[str, Any]]:
    """The hits of a query, checked to be all of them and of one generation."""
    pages = search_sealed_pages(
        client,
        alias,
        query=query,
        size=_PAGE_SIZE if texts else _REFERENCES_PER_PAGE,
        source=list(NARRATIVE_FIELDS) if texts else False,
        docvalue_fields=[{"field": name} for name in (_FIELDS if texts else _FIELDS[:1])],
        track_total_hits=True,
        aggs=GENERATION_AGG,
    )
    for body in pages:
        if require_complete(require_exact(body), generation) is None:
            raise alias_moved_error(alias)
        yield from body["hits"]["hits"]


def _make_opened_record(hit: dict[str, Any], generation: str) -> OpenedRecord:
    reference, day, code = _read_fields(hit)
    return OpenedRecord(
        reference,
        day,
        code,
        hash_text(hit["_source"].get("narrative") or []),
        narrative_from_source(hit["_source"]),
        generation,
    )


def _read_fields(hit: dict[str, Any]) -> tuple[str, date, str]:
    reference, day, code = (hit["fields"][name][0] for name in _FIELDS)
    return reference, date.fromisoformat(day[:10]), code
