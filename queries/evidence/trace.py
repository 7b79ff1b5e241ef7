"""The records behind an answer, one by one: what each is, and what it counts in every number.

Asks the server, page by page, always one generation: it is sealed, so all passes are of one
moment. The live one may be asked ``through`` its alias, for a user who may read no other. Keeps of
a record's text, victims and links a short hash, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch

from indexer.index.paging import search_sealed_pages
from indexer.records.model import DELETED, EXCLUDING_LOCATIONS
from queries.evidence.facts import NearScopeRecord, RecordFacts, TracedRecord
from queries.evidence.membership import Membership, Scores
from queries.search.exactness import alias_moved_error, require_exact
from queries.tables.scope import Scope

_PAGE_SIZE: Final = 2_000

_LIGHT_PAGE_SIZE: Final = 10_000

_MAX_REFERENCES: Final = 10_000

_HASH_BYTES: Final = 8

_FIELDS: Final = ("crime_ref", "recorded_on", "offence_code", "status")

_SOURCE: Final = (
    *_FIELDS, "outcome", "narrative", "victims", "linked", "categories", "updated_at", "place",
)  # fmt: skip


def trace_scope(
    client: Elasticsearch,
    generation: str,
    scope: Scope,
    membership: Membership,
    access_alias: str | None = None,
) -> Iterator[TracedRecord]:
    """Every record in scope, of any status, by reference. Raises as ``execute.answer``."""
    yield from _trace_records(client, generation, scope.query().to_dict(), membership, access_alias)


def trace_references(
    client: Elasticsearch,
    generation: str,
    references: Sequence[str],
    membership: Membership,
    access_alias: str | None = None,
) -> dict[str, RecordFacts]:
    """What a generation holds of these references, deletions too. Raises as ``execute.answer``."""
    facts: dict[str, RecordFacts] = {}
    ordered = sorted(references)
    for start in range(0, len(ordered), _MAX_REFERENCES):
        query = {"terms": {"crime_ref": ordered[start : start + _MAX_REFERENCES]}}
        for record in _trace_records(client, generation, query, membership, access_alias):
            facts[record.facts.crime_ref] = record.facts
    return facts


def list_near_records(
    client: Elasticsearch,
    generation: str,
    scope: Scope,
    max_records: int,
    access_alias: str | None = None,
) -> list[NearScopeRecord] | None:
    """The records that lack one thing to be in scope; None where they are more than ``most``."""
    parts = scope.list_filters()
    if not parts:
        return []
    bodies = [part.query.to_dict() for part in parts]
    named_queries = [
        {"constant_score": {"filter": body, "_name": str(number)}}
        for number, body in enumerate(bodies)
    ]
    outside = [{"term": {"status": DELETED}}, {"bool": {"filter": bodies}}]
    query = {
        "bool": {
            "filter": [{"match_all": {}}],  # so that of one part none need match
            "should": named_queries,
            "minimum_should_match": len(parts) - 1,
            "must_not": outside,
        }
    }
    near_records: list[NearScopeRecord] = []
    pages = _read_sealed_pages(
        client, generation, query, _LIGHT_PAGE_SIZE, access_alias, source=False, fields=_FIELDS
    )
    for body in pages:
        if body["hits"]["total"]["value"] > max_records:
            return None
        for hit in body["hits"]["hits"]:
            matched_names = hit.get("matched_queries", {})
            (unmet,) = (
                part for number, part in enumerate(parts) if str(number) not in matched_names
            )
            reference, day, code, status = (hit["fields"][name][0] for name in _FIELDS)
            near_records.append(
                NearScopeRecord(
                    reference, day, code, status, unmet.words or unmet.kind, unmet.field
                )
            )
    return near_records


def _trace_records(
    client: Elasticsearch,
    generation: str,
    query: dict[str, Any],
    membership: Membership,
    access_alias: str | None = None,
) -> Iterator[TracedRecord]:
    *others, last = membership.batches()
    earlier: dict[str, Scores] = {}
    for batch in others:
        for body in _read_sealed_pages(
            client,
            generation,
            _add_named_queries(query, batch),
            _PAGE_SIZE,
            access_alias,
            source=False,
        ):
            for hit in body["hits"]["hits"]:
                earlier.setdefault(hit["_id"], {}).update(_read_scores(hit))
    for body in _read_sealed_pages(
        client,
        generation,
        _add_named_queries(query, last),
        _PAGE_SIZE,
        access_alias,
        source=_SOURCE,
    ):
        for hit in body["hits"]["hits"]:
            document = hit["_source"]
            scores = (
                earlier.get(hit["_id"], {})
                | _read_scores(hit)
                | membership.scores_of_values(document)
            )
            facts = _make_record_facts(document, membership.mentioned_terms(scores))
            yield TracedRecord(facts, membership.counts(scores))


def _add_named_queries(query: dict[str, Any], batch: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"filter": [query], "should": batch, "minimum_should_match": 0}}


def _read_sealed_pages(  # noqa: PLR0913 - what of each record
    client: Elasticsearch,
    generation: str,
    query: dict[str, Any],
    size: int,
    access_alias: str | None,
    *,
    source: bool | Sequence[str],
    fields: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    pages = search_sealed_pages(
        client,
        access_alias or generation,
        query=query,
        size=size,
        source=list(source) if not isinstance(source, bool) else source,
        docvalue_fields=[{"field": name} for name in fields],
        include_named_queries_score=True,
        track_total_hits=True,
    )
    for body in pages:
        if any(hit["_index"] != generation for hit in body["hits"]["hits"]):
            raise alias_moved_error(access_alias or generation)
        yield require_exact(body)


def _read_scores(hit: dict[str, Any]) -> Scores:
    return {name: round(score) for name, score in hit.get("matched_queries", {}).items()}


def _make_record_facts(document: dict[str, Any], mentioned_terms: tuple[int, ...]) -> RecordFacts:
    if document["status"] == DELETED:
        timestamp = msgspec.convert(document["updated_at"], datetime)
        return RecordFacts(
            document["crime_ref"],
            status=DELETED,
            deleted_at=timestamp,
            erased=document["place"] in EXCLUDING_LOCATIONS,
        )
    return RecordFacts(
        crime_ref=document["crime_ref"],
        recorded_on=document["recorded_on"],
        offence_code=document["offence_code"],
        status=document["status"],
        outcome=document.get("outcome"),
        narrative=_hash_value("".join(document["narrative"])),
        victims=_hash_value(_sort_parts(document.get("victims", []))),
        linked=_hash_value(_sort_parts(document.get("linked", []))),
        categories=_hash_value(document.get("categories", {})),
        mentioned_terms=mentioned_terms,
    )


def _sort_parts(parts: list[Any]) -> list[Any]:
    """The parts in an order of their own, for the one they come in moves no number."""
    return sorted(parts, key=lambda part: msgspec.json.encode(part, order="deterministic"))


def _hash_value(value: Any) -> str:
    text = msgspec.json.encode(value, order="deterministic")
    return hashlib.blake2b(text, digest_size=_HASH_BYTES).hexdigest()
