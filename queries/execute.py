"""The only caller of Elasticsearch among the queries, and the exactness guard.

One search asks for everything: the records in scope by status, the forms of every term, and the
aggregations of every question. It also says which generation answered, so that the provenance can
never be that of another. A generation is sealed, so further pages of the same one are of the same
moment.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Query, Term
from msgspec import Struct

from indexer import generations
from indexer.categories import FIELD
from indexer.errors import GenerationError, InexactError, NoIndexError
from indexer.generations import Generation
from indexer.records import DELETED
from indexer.refresh import VERSION
from queries import consistency
from queries.answer import (
    Answer,
    PeriodAnswer,
    Provenance,
    QuestionAnswer,
    Row,
    ScopeAnswer,
    TermFound,
)
from queries.numbers import hashed
from queries.periods import side_by_side
from queries.questions.base import Question, bucketed, counts, terms_asked, terms_found
from queries.request import Request
from queries.scope import COUNTED, LEFT_OUT, Scope, all_of, counted_query, offence_query
from queries.spec import ScopeSpec

_SWAPS: Final = 3
_PAUSE: Final = 0.3
# A page after the first is alone in its search, and a server gives 65,536 buckets in all.
_LATER_PAGE: Final = 50_000
# Asks, beside anything else, which generation answers and how many records of it are seen.
WHOLE: Final[dict[str, Any]] = {
    "generation": {
        "global": {},
        "aggs": {
            "index": {"terms": {"field": "_index", "size": 10}},
            "records": {"filter": {"bool": {"must_not": {"term": {"status": DELETED}}}}},
        },
    }
}
_CATEGORY: Final = re.compile(rf'"{FIELD}\.([a-z0-9_]+)"')


class Found(Struct, frozen=True):
    """What one search brought: its body, checked, and the generation it is of."""

    body: dict[str, Any]
    query: dict[str, Any]
    alias: str
    generation: Generation
    records: int
    run_at: datetime


class Tally(Struct, frozen=True):
    """The scope's own numbers, before any question."""

    records: int
    left_out: dict[str, int]
    offences: tuple[Row, ...]
    terms: tuple[TermFound, ...]


class _Part(NamedTuple):
    """A question over all its periods, or over one of several: its aggregation's name and scope."""

    name: str
    scope: Scope
    filter: Query


def answer(client: Elasticsearch, alias: str, request: Request) -> Answer:
    """Answer every question of a request from one moment.

    Raises NoIndexError, InexactError where a number may be inexact or contradicts another,
    GenerationError where the
    index is not one of ours.
    """
    scope = request.scope
    found = search(client, alias, body(request))
    parts = {question.id: _parts(question, scope) for question in request.questions}
    for every in parts.values():
        for part in every:
            read_pages(client, found, part.name)
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
            periods=tuple(
                PeriodAnswer(one.label, one.start, one.end) for one in request.every_period
            ),
            conditions=tuple(one.words for one in scope.conditions),
            means=tuple(one.means for one in scope.conditions),
        ),
        questions=tuple(
            _answered(question, parts[question.id], found.body["aggregations"])
            for question in request.questions
        ),
        provenance=provenance(found),
    )
    consistency.check(answered)
    return answered


def body(request: Request) -> dict[str, Any]:
    """The one search that a request is, as the server takes it."""
    scope = request.scope
    asked: dict[str, aggs.Agg[Any]] = {
        part.name: aggs.Filter(part.filter, aggs=question.build(part.scope))
        for question in request.questions
        for part in _parts(question, scope)
    }
    return asking(scope.query(), {**_scope_aggregations(scope), **asked})


def asking(query: Query, aggregations: dict[str, aggs.Agg[Any]]) -> dict[str, Any]:
    """A search that counts and brings no record."""
    # Not by Search: its to_dict() walks what the parts' own have made a second time.
    return {
        "query": query.to_dict(),
        "aggs": {name: one.to_dict() for name, one in aggregations.items()},
        "size": 0,
        "track_total_hits": True,
    }


def to_json(request: Request) -> str:
    """The one search of a request as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(body(request)), indent=2).decode()


def _parts(question: Question, scope: Scope) -> list[_Part]:
    """The question over its whole scope and, where several stand side by side, over each period."""
    seen = question.seen(scope)
    filters = question.filters(scope)
    name = f"question_{question.id}"
    parts = [_Part(name, seen, _every(filters))]
    if question.side_by_side(seen):
        parts += [
            _Part(
                f"{name}@{place}",
                msgspec.structs.replace(seen, periods=(period,)),
                _every([*filters, period.query()]),
            )
            for place, period in enumerate(seen.periods)
        ]
    return parts


def _every(filters: list[Query]) -> Query:
    return all_of(filters) if filters else MatchAll()


def _answered(question: Question, parts: list[_Part], found: dict[str, Any]) -> QuestionAnswer:
    whole, *each = [question.parse(found[part.name], part.scope) for part in parts]
    if question.within:
        seen = parts[0].scope
        whole = msgspec.structs.replace(
            whole,
            within=narrower(seen, question.within),
            means=question.within.scope_with(seen.categories).means,
        )
    if not each:
        return whole
    return side_by_side(whole, each, parts[0].scope.periods)


def narrower(scope: Scope, within: ScopeSpec) -> str:
    """In words, what a question asks about beyond what its request does."""
    said = []
    if within.every_period:
        said.append(f"recorded {scope.when}")
    if within.offences:
        said.append(f"of {', '.join(code for row in scope.offences for code in row.codes)}")
    if within.mentions:
        said.append("mentioning " + " or ".join(one.quoted for one in scope.mentions))
    if within.where:
        narrowed = scope.conditions[len(scope.conditions) - len(within.where) :]
        said.append("where " + " and ".join(one.words for one in narrowed))
    return "; ".join(said)


def _scope_aggregations(scope: Scope) -> dict[str, aggs.Agg[Any]]:
    inside: dict[str, Any] = {}
    if scope.offences:
        inside["offences"] = bucketed(offence_query(row.codes) for row in scope.offences)
    if scope.mentions:
        inside |= terms_asked(scope.mentions)
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
            Row(str(number), row.label, (count,), codes=row.codes, means=(row.means,))
            for number, (row, count) in enumerate(zip(scope.offences, rows, strict=True))
        ),
        terms=terms_found(scope.mentions, inside) if scope.mentions else (),
    )


def counted(client: Elasticsearch, alias: str, query: Query) -> tuple[str, int]:
    """The generation that answers, and how many of its records are of a query.

    Raises as ``answer``.
    """
    found = search(client, alias, asking(query, {}))
    return found.generation.name, int(found.body["hits"]["total"]["value"])


def search(client: Elasticsearch, alias: str, body: dict[str, Any]) -> Found:
    """Run one search through the alias and check that its every number is exact."""
    declared = set(_CATEGORY.findall(msgspec.json.encode(body).decode()))
    for turn in range(1, _SWAPS + 1):
        generation = generations.readable(client, alias)
        if missing := sorted(declared - set(generation.categories)):
            raise GenerationError(
                f'{generation.name} was built before the category "{missing[0]}" was declared, so '
                "it cannot count by it. Refresh first: foidex refresh --full"
            )
        run_at = datetime.now(UTC).replace(microsecond=0)
        answered = _ask(client, alias, body)
        try:
            if (records := whole(answered, generation)) is not None:
                return Found(answered, body, alias, generation, records, run_at)
        except InexactError:
            # A record may be being forgotten just now; then the next try agrees.
            if turn == _SWAPS:
                raise
            time.sleep(_PAUSE)
    raise GenerationError(
        f'the alias "{alias}" moved {_SWAPS} times while it was asked. Ask again.'
    )


def _ask(client: Elasticsearch, alias: str, body: dict[str, Any]) -> dict[str, Any]:
    aggregations = {**body["aggs"], **WHOLE}
    return exact(
        client.search(
            index=alias, body={**body, "aggs": aggregations}, allow_partial_search_results=False
        ).body
    )


def whole(body: dict[str, Any], generation: Generation) -> int | None:
    """The records of the generation, once a search is known to have seen all of them.

    None where another generation answered. Raises NoIndexError for an empty one, InexactError
    where the server shows this user a part: it would count that part and call it all.
    """
    seen = body["aggregations"]["generation"]
    names = [bucket["key"] for bucket in seen["index"]["buckets"]]
    records = int(seen["records"]["doc_count"])
    if not names and not generation.records:
        raise NoIndexError("the live generation holds no records. Load some: foidex load PATH.")
    if names not in ([], [generation.name]):
        return None
    if records != generation.records:
        raise InexactError(
            f"the server shows this user {records:,} of the {generation.records:,} records of "
            f"{generation.name}, so every number would be short. Use a user whose role has no "
            "query; or, if records were changed by hand, load again."
        )
    return records


def read_pages(client: Elasticsearch, found: Found, name: str) -> None:
    """Read the composite aggregations below one to their ends, into the first pages' buckets.

    They stand inside filters and nested aggregations, which have one bucket.
    """
    for path in _composites(found.query["aggs"][name], (name,)):
        asked = _at(found.query["aggs"], path, "aggs")
        first = _at(found.body["aggregations"], path)
        size, after = len(first["buckets"]), first.get("after_key")
        full = asked["composite"]["size"]
        while after is not None and size == full:
            full = _LATER_PAGE
            composite = {**asked["composite"], "size": full, "after": after}
            page: dict[str, Any] = {**asked, "composite": composite}
            for depth in range(len(path) - 1, 0, -1):
                outer = _at(found.query["aggs"], path[:depth], "aggs")
                page = {**outer, "aggs": {path[depth]: page}}
            body = {"query": found.query["query"], "size": 0, "track_total_hits": True}
            answered = _ask(client, found.alias, {**body, "aggs": {name: page}})
            if whole(answered, found.generation) is None:
                raise moved(found.alias)
            more = _at(answered["aggregations"], path)
            first["buckets"] += more["buckets"]
            size, after = len(more["buckets"]), more.get("after_key")


def _composites(asked: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if "composite" in asked:
        yield path
    elif "filter" in asked or "nested" in asked:
        for name, inner in asked.get("aggs", {}).items():
            yield from _composites(inner, (*path, name))


def _at(body: dict[str, Any], path: Sequence[str], below: str | None = None) -> dict[str, Any]:
    """What stands at a path, each step of which is under the key ``below``, if there is one."""
    for place, step in enumerate(path):
        body = body[below][step] if below and place else body[step]
    return body


def provenance(found: Found) -> Provenance:
    """Where the numbers of a search come from."""
    generation = found.generation
    return Provenance(
        generation=generation.name,
        built_at=generation.built_at,
        watermark=generation.watermark,
        records=found.records,
        rejected=generation.rejected,
        sources=generation.sources,
        mapping_hash=generation.mapping_hash,
        query_hash=hashed(found.query),
        query=found.query,
        run_at=found.run_at,
        took_ms=found.body["took"],
        version=VERSION,
    )


def moved(alias: str) -> GenerationError:
    """What to say where another generation went live between two pages."""
    return GenerationError(f'the alias "{alias}" moved while it was read. Ask again.')


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
                # Of thousands of people, each is a key and a count with nothing inside.
                if len(bucket) > 2 or "key" not in bucket:
                    _exact_buckets(bucket)
