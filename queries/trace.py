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

from indexer import paging
from indexer.records import DELETED, KEEPING_OUT
from queries import execute
from queries.facts import Facts, Near, Traced
from queries.membership import Membership, Scores
from queries.scope import Scope

_PAGE: Final = 2_000
_LIGHT_PAGE: Final = 10_000
_REFERENCES: Final = 10_000
_HASH_BYTES: Final = 8
_FIELDS: Final = ("crime_ref", "recorded_on", "offence_code", "status")
_SOURCE: Final = (
    *_FIELDS, "outcome", "narrative", "victims", "linked", "categories", "updated_at", "place",
)  # fmt: skip


def in_scope(
    client: Elasticsearch,
    generation: str,
    scope: Scope,
    membership: Membership,
    through: str | None = None,
) -> Iterator[Traced]:
    """Every record in scope, of any status, by reference. Raises as ``execute.answer``."""
    yield from _traced(client, generation, scope.query().to_dict(), membership, through)


def named(
    client: Elasticsearch,
    generation: str,
    references: Sequence[str],
    membership: Membership,
    through: str | None = None,
) -> dict[str, Facts]:
    """What a generation holds of these references, deletions too. Raises as ``execute.answer``."""
    found: dict[str, Facts] = {}
    ordered = sorted(references)
    for start in range(0, len(ordered), _REFERENCES):
        query = {"terms": {"crime_ref": ordered[start : start + _REFERENCES]}}
        for one in _traced(client, generation, query, membership, through):
            found[one.facts.crime_ref] = one.facts
    return found


def near(
    client: Elasticsearch, generation: str, scope: Scope, most: int, through: str | None = None
) -> list[Near] | None:
    """The records that lack one thing to be in scope; None where they are more than ``most``."""
    parts = scope.parts()
    if not parts:
        return []
    bodies = [query.to_dict() for _, query in parts]
    named = [
        {"constant_score": {"filter": body, "_name": str(number)}}
        for number, body in enumerate(bodies)
    ]
    outside = [{"term": {"status": DELETED}}, {"bool": {"filter": bodies}}]
    query = {
        "bool": {
            "filter": [{"match_all": {}}],  # so that of one part none need match
            "should": named,
            "minimum_should_match": len(parts) - 1,
            "must_not": outside,
        }
    }
    found: list[Near] = []
    pages = _pages(client, generation, query, _LIGHT_PAGE, through, source=False, fields=_FIELDS)
    for body in pages:
        if body["hits"]["total"]["value"] > most:
            return None
        for hit in body["hits"]["hits"]:
            satisfied = hit.get("matched_queries", {})
            (lacks,) = (
                name for number, (name, _) in enumerate(parts) if str(number) not in satisfied
            )
            reference, day, code, status = (hit["fields"][name][0] for name in _FIELDS)
            found.append(Near(reference, day, code, status, lacks))
    return found


def _traced(
    client: Elasticsearch,
    generation: str,
    query: dict[str, Any],
    membership: Membership,
    through: str | None = None,
) -> Iterator[Traced]:
    *others, last = membership.batches()
    earlier: dict[str, Scores] = {}
    for batch in others:
        for body in _pages(client, generation, _named(query, batch), _PAGE, through, source=False):
            for hit in body["hits"]["hits"]:
                earlier.setdefault(hit["_id"], {}).update(_scores(hit))
    for body in _pages(client, generation, _named(query, last), _PAGE, through, source=_SOURCE):
        for hit in body["hits"]["hits"]:
            document = hit["_source"]
            scores = earlier.get(hit["_id"], {}) | _scores(hit) | membership.of_values(document)
            facts = _facts(document, membership.says(scores))
            yield Traced(facts, membership.counts(scores))


def _named(query: dict[str, Any], batch: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"filter": [query], "should": batch, "minimum_should_match": 0}}


def _pages(  # noqa: PLR0913 - what of each record
    client: Elasticsearch,
    generation: str,
    query: dict[str, Any],
    size: int,
    through: str | None,
    *,
    source: bool | Sequence[str],
    fields: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    pages = paging.sealed_pages(
        client,
        through or generation,
        query=query,
        size=size,
        source=list(source) if not isinstance(source, bool) else source,
        docvalue_fields=[{"field": name} for name in fields],
        include_named_queries_score=True,
        track_total_hits=True,
    )
    for body in pages:
        if any(hit["_index"] != generation for hit in body["hits"]["hits"]):
            raise execute.moved(through or generation)
        yield execute.exact(body)


def _scores(hit: dict[str, Any]) -> Scores:
    return {name: round(score) for name, score in hit.get("matched_queries", {}).items()}


def _facts(document: dict[str, Any], says: tuple[int, ...]) -> Facts:
    if document["status"] == DELETED:
        moment = msgspec.convert(document["updated_at"], datetime)
        return Facts(
            document["crime_ref"],
            status=DELETED,
            deleted_at=moment,
            forgotten=document["place"] in KEEPING_OUT,
        )
    return Facts(
        crime_ref=document["crime_ref"],
        recorded_on=document["recorded_on"],
        offence_code=document["offence_code"],
        status=document["status"],
        outcome=document.get("outcome"),
        narrative=_hash("".join(document["narrative"])),
        victims=_hash(_ordered(document.get("victims", []))),
        linked=_hash(_ordered(document.get("linked", []))),
        categories=_hash(document.get("categories", {})),
        says=says,
    )


def _ordered(parts: list[Any]) -> list[Any]:
    """The parts in an order of their own, for the one they come in moves no number."""
    return sorted(parts, key=lambda part: msgspec.json.encode(part, order="deterministic"))


def _hash(value: Any) -> str:
    text = msgspec.json.encode(value, order="deterministic")
    return hashlib.blake2b(text, digest_size=_HASH_BYTES).hexdigest()
