"""The only caller of Elasticsearch among the queries, and the exactness guard.

One search asks for everything: the records in scope by status, the forms of every term, and the
aggregations of every question. It also says which generation answered, so that the provenance can
never be that of another. A generation is sealed, so further pages of the same one are of the same
moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl import Search, aggs
from elasticsearch.dsl.query import Query, Term
from msgspec import Struct

from indexer import generations
from indexer.errors import GenerationError, InexactError, NoIndexError
from indexer.generations import Generation
from indexer.records import DELETED
from indexer.refresh import VERSION
from queries import consistency
from queries.answer import Answer, Provenance, Row, ScopeAnswer, TermFound
from queries.questions.base import Question, bucketed, counts, forms_of, terms_found
from queries.request import Request
from queries.scope import COUNTED, LEFT_OUT, Scope, counted_query, offence_query

_SWAPS: Final = 3


class Found(Struct, frozen=True):
    """What one search brought: its body, checked, and the generation it is of."""

    body: dict[str, Any]
    query: dict[str, Any]
    generation: Generation
    records: int
    run_at: datetime


class Tally(Struct, frozen=True):
    """The scope's own numbers, before any question."""

    records: int
    left_out: dict[str, int]
    offences: tuple[Row, ...]
    terms: tuple[TermFound, ...]


def answer(client: Elasticsearch, alias: str, request: Request) -> Answer:
    """Answer every question of a request from one moment.

    Raises NoIndexError, InexactError where a number may be inexact or contradicts another,
    GenerationError where the
    index is not one of ours.
    """
    scope = request.scope
    asked: dict[str, aggs.Agg[Any]] = {
        question.id: aggs.Filter(counted_query(), aggs=question.build(scope))
        for question in request.questions
    }
    found = search(client, alias, scope.query(), {**_scope_aggregations(scope), **_named(asked)})
    for question in request.questions:
        _read_pages(client, found, question)
    tallied = _tally(found.body, scope)
    answered = Answer(
        reference=request.reference,
        title=request.title,
        request=msgspec.to_builtins(request),
        scope=ScopeAnswer(
            records=tallied.records,
            left_out={**tallied.left_out},
            period_from=scope.period.start,
            period_to=scope.period.end,
            offences=tallied.offences,
            terms=tuple(
                msgspec.structs.replace(term, wordings=request.wordings(mention))
                for term, mention in zip(tallied.terms, scope.mentions, strict=True)
            ),
        ),
        questions=tuple(
            question.parse(found.body["aggregations"][f"question_{question.id}"], scope)
            for question in request.questions
        ),
        provenance=provenance(found),
    )
    consistency.check(answered)
    return answered


def _named(asked: dict[str, aggs.Agg[Any]]) -> dict[str, aggs.Agg[Any]]:
    return {f"question_{name}": aggregation for name, aggregation in asked.items()}


def _scope_aggregations(scope: Scope) -> dict[str, aggs.Agg[Any]]:
    inside: dict[str, Any] = {}
    if scope.offences:
        inside["offences"] = bucketed(offence_query(row.codes) for row in scope.offences)
    if scope.mentions:
        inside["mentions"] = bucketed(mention.query() for mention in scope.mentions)
        inside["forms"] = forms_of(scope.mentions)
    return {
        "status": bucketed([Term(status=status) for status in (COUNTED, *LEFT_OUT)]),
        "counted": aggs.Filter(counted_query(), aggs=inside),
    }


def _tally(body: dict[str, Any], scope: Scope) -> Tally:
    inside = body["aggregations"]["counted"]
    recorded, *left_out = counts(body["aggregations"]["status"])
    if recorded + sum(left_out) != body["hits"]["total"]["value"]:
        raise InexactError(
            "some records in scope have a status foidex does not know, so no total is right. "
            "Load the records again."
        )
    rows = counts(inside["offences"]) if scope.offences else []
    return Tally(
        records=recorded,
        left_out=dict(zip(LEFT_OUT, left_out, strict=True)),
        offences=tuple(
            Row(str(number), row.label, (count,), codes=row.codes, means=row.means)
            for number, (row, count) in enumerate(zip(scope.offences, rows, strict=True))
        ),
        terms=terms_found(scope.mentions, counts(inside["mentions"]), inside["forms"])
        if scope.mentions
        else (),
    )


def search(
    client: Elasticsearch, alias: str, query: Query, aggregations: dict[str, aggs.Agg[Any]]
) -> Found:
    """Run one search through the alias and check that its every number is exact."""
    asking = Search().query(query).extra(size=0, track_total_hits=True)
    for name, aggregation in aggregations.items():
        asking.aggs[name] = aggregation
    body = asking.to_dict()
    generation_of: dict[str, Any] = {
        "global": {},
        "aggs": {
            "index": {"terms": {"field": "_index", "size": 10}},
            "records": {"filter": {"bool": {"must_not": {"term": {"status": DELETED}}}}},
        },
    }
    whole = {**body, "aggs": {**body["aggs"], "generation": generation_of}}
    for _ in range(_SWAPS):
        generation = generations.live(client, alias)
        run_at = datetime.now(UTC).replace(microsecond=0)
        answered = exact(
            client.search(index=alias, body=whole, allow_partial_search_results=False).body
        )
        seen = answered["aggregations"]["generation"]
        names = [bucket["key"] for bucket in seen["index"]["buckets"]]
        if names in ([], [generation.name]):
            if not names:
                raise NoIndexError(
                    "the live generation holds no records. Load some: foidex load PATH."
                )
            return Found(answered, body, generation, seen["records"]["doc_count"], run_at)
    raise GenerationError(
        f'the alias "{alias}" moved {_SWAPS} times while it was asked. Ask again.'
    )


def _read_pages(client: Elasticsearch, found: Found, question: Question) -> None:
    """Read a question's composite aggregation to its end, into the first page's buckets."""
    if question.PAGED is None:
        return
    path = (f"question_{question.id}", "victims", question.PAGED)
    first = _at(found.body["aggregations"], path)
    asked = found.query["aggs"][path[0]]
    inner = asked["aggs"]["victims"]["aggs"][question.PAGED]
    buckets, after = first["buckets"], first.get("after_key")
    full = inner["composite"]["size"]
    size = len(buckets)
    while after is not None and size == full:
        page = {"composite": {**inner["composite"], "after": after}}
        nested = {"nested": asked["aggs"]["victims"]["nested"], "aggs": {question.PAGED: page}}
        only = {path[0]: {"filter": asked["filter"], "aggs": {"victims": nested}}}
        answered = exact(
            client.search(
                index=found.generation.name,
                body={**found.query, "aggs": only},
                allow_partial_search_results=False,
            ).body
        )
        more = _at(answered["aggregations"], path)
        buckets += more["buckets"]
        size, after = len(more["buckets"]), more.get("after_key")


def _at(body: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    for step in path:
        body = body[step]
    return body


def provenance(found: Found) -> Provenance:
    """Where the numbers of a search come from."""
    canonical = msgspec.json.encode(found.query, order="deterministic")
    generation = found.generation
    return Provenance(
        generation=generation.name,
        built_at=generation.built_at,
        watermark=generation.watermark,
        records=found.records,
        rejected=generation.rejected,
        sources=generation.sources,
        mapping_hash=generation.mapping_hash,
        query_hash=hashlib.sha256(canonical).hexdigest(),
        query=found.query,
        run_at=found.run_at,
        took_ms=found.body["took"],
        version=VERSION,
    )


def exact(body: dict[str, Any]) -> dict[str, Any]:
    """The body of a search, once every number in it is known to be exact. Raises InexactError."""
    if body.get("timed_out"):
        raise InexactError("the search timed out, so its numbers may be short. Ask again.")
    shards = body["_shards"]
    if shards["failed"] or shards["successful"] != shards["total"]:
        raise InexactError(
            f"{shards['total'] - shards['successful']} of {shards['total']} shards did not answer, "
            "so the numbers may be short. Ask again when the cluster is whole."
        )
    if body.get("terminated_early"):
        raise InexactError("the search ended early, so its numbers may be short. Ask again.")
    total = body["hits"].get("total")
    if total is None or total["relation"] != "eq":
        raise InexactError("the total is a lower bound, so it is not given. Ask again.")
    _exact_buckets(body.get("aggregations", {}))
    return body


def _exact_buckets(aggregation: dict[str, Any]) -> None:
    if aggregation.get("sum_other_doc_count") or aggregation.get("doc_count_error_upper_bound"):
        raise InexactError(
            "an aggregation left buckets out, so its rows may be short. Narrow the request."
        )
    for name, value in aggregation.items():
        if isinstance(value, dict) and name != "key":
            _exact_buckets(value)
        elif name == "buckets":
            for bucket in value:
                _exact_buckets(bucket)
