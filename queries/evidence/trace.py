"""The records behind an answer, one by one: what each is, and what it counts in every number.

Asks the server page by page, and always one generation: it is sealed, so all passes see the same
records. The live one can be asked through its alias, for a user who may read nothing else. Of a
record's text, people and links only a short hash is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

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
    *_FIELDS, "outcome", "narrative", "victims", "suspects", "linked", "categories", "updated_at",
    "place",
)  # fmt: skip


def trace_scope(
    client: Elasticsearch,
    generation: str,
    scope: Scope,
    membership: Membership,
    access_alias: str | None = None,
) -> Iterator[TracedRecord]:
    """Every record in scope, of any status, by reference.

    ``access_alias`` is asked in place of the generation if it is given. Raises ServerError, and
    InexactError if the alias moved or a response is not complete.
    """
    index = _SealedIndex(client, generation, access_alias)
    yield from _trace_records(index, scope.query().to_dict(), membership)


def trace_references(
    client: Elasticsearch,
    generation: str,
    references: Sequence[str],
    membership: Membership,
    access_alias: str | None = None,
) -> dict[str, RecordFacts]:
    """What a generation has for these references, deletions too. Raises as ``trace_scope``."""
    index = _SealedIndex(client, generation, access_alias)
    facts: dict[str, RecordFacts] = {}
    ordered = sorted(references)
    for start in range(0, len(ordered), _MAX_REFERENCES):
        query = {"terms": {"crime_ref": ordered[start : start + _MAX_REFERENCES]}}
        for record in _trace_records(index, query, membership):
            facts[record.facts.crime_ref] = record.facts
    return facts


def trace_record(
    client: Elasticsearch,
    generation: str,
    reference: str,
    membership: Membership,
    access_alias: str | None = None,
) -> TracedRecord | None:
    """One record by its reference, in scope or not; None if there is none.

    Its counts are those that it has if it is in scope. Raises as ``trace_scope``.
    """
    index = _SealedIndex(client, generation, access_alias)
    query = {"term": {"crime_ref": reference}}
    return next(_trace_records(index, query, membership), None)


def list_near_records(
    client: Elasticsearch,
    generation: str,
    scope: Scope,
    max_records: int,
    access_alias: str | None = None,
) -> list[NearScopeRecord] | None:
    """The records that fail exactly one filter of the scope; None if more than ``max_records`` do.

    Raises as ``trace_scope``.
    """
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
            "filter": [{"match_all": {}}],  # so that with a single filter none need match
            "should": named_queries,
            "minimum_should_match": len(parts) - 1,
            "must_not": outside,
        }
    }
    near_records: list[NearScopeRecord] = []
    index = _SealedIndex(client, generation, access_alias)
    for body in index.read_pages(query, _LIGHT_PAGE_SIZE, fields=_FIELDS):
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
    index: _SealedIndex, query: dict[str, Any], membership: Membership
) -> Iterator[TracedRecord]:
    *others, last = membership.batches()
    earlier: dict[str, Scores] = {}
    for batch in others:
        for body in index.read_pages(_add_named_queries(query, batch), _PAGE_SIZE):
            for hit in body["hits"]["hits"]:
                earlier.setdefault(hit["_id"], {}).update(_read_scores(hit))
    for body in index.read_pages(_add_named_queries(query, last), _PAGE_SIZE, source=_SOURCE):
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


class _SealedIndex(NamedTuple):
    """A generation to read, and the alias to read it through, if its name may not be read."""

    client: Elasticsearch
    generation: str
    access_alias: str | None

    def read_pages(
        self,
        query: dict[str, Any],
        size: int,
        *,
        source: Sequence[str] = (),
        fields: Sequence[str] = (),
    ) -> Iterator[dict[str, Any]]:
        """The response of each page of the records of a query, with these parts of each record."""
        index = self.access_alias or self.generation
        pages = search_sealed_pages(
            self.client,
            index,
            query=query,
            size=size,
            source=list(source) or False,
            docvalue_fields=[{"field": name} for name in fields],
            include_named_queries_score=True,
            track_total_hits=True,
        )
        for body in pages:
            if any(hit["_index"] != self.generation for hit in body["hits"]["hits"]):
                raise alias_moved_error(index)
            yield require_exact(body)


def _read_scores(hit: dict[str, Any]) -> Scores:
    return {name: round(score) for name, score in hit.get("matched_queries", {}).items()}


def _make_record_facts(document: dict[str, Any], mentioned_terms: tuple[int, ...]) -> RecordFacts:
    if document["status"] == DELETED:
        timestamp = msgspec.convert(document["updated_at"], datetime).astimezone(UTC)
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
        # As of records read before there were suspects, where there are none.
        suspects=_hash_value(_sort_parts(people)) if (people := document.get("suspects")) else "",
        linked=_hash_value(_sort_parts(document.get("linked", []))),
        categories=_hash_value(document.get("categories", {})),
        mentioned_terms=mentioned_terms,
    )


def _sort_parts(parts: list[Any]) -> list[Any]:
    """The parts in a fixed order, because the order they come in changes no number."""
    return sorted(parts, key=lambda part: msgspec.json.encode(part, order="deterministic"))


def _hash_value(value: Any) -> str:
    text = msgspec.json.encode(value, order="deterministic")
    return hashlib.blake2b(text, digest_size=_HASH_BYTES).hexdigest()
