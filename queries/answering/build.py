"""TODO: say what queries.answering.build is for."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Query, Term
from msgspec import Struct

from indexer.errors import InexactError
from indexer.version import VERSION
from queries.answer.cells import hash_json
from queries.answer.types import (
    Answer,
    PeriodAnswer,
    Provenance,
    QuestionAnswer,
    Row,
    ScopeAnswer,
    TermAnswer,
)
from queries.disclosure.consistency import check_consistency
from queries.questions.base import (
    Question,
    build_filters_agg,
    build_term_aggs,
    parse_filter_counts,
    parse_term_answers,
)
from queries.request.reader import Request
from queries.search.run import SearchResult, build_count_body, read_composite_pages, run_search
from queries.spec.scope_spec import ScopeSpec
from queries.tables.period_columns import merge_period_columns
from queries.tables.scope import (
    COUNTED_STATUS,
    EXCLUDED_STATUSES,
    Scope,
    all_of,
    build_counted_query,
    build_offence_query,
)


class ScopeCounts(Struct, frozen=True):
    """The scope's own numbers, before any question."""

    records: int
    left_out: dict[str, int]
    offences: tuple[Row, ...]
    terms: tuple[TermAnswer, ...]


class _QuestionSearch(NamedTuple):
    """A question over all its periods, or over one of several: its aggregation's name and scope."""

    name: str
    scope: Scope
    filter: Query


def compute_answer(client: Elasticsearch, alias: str, request: Request) -> Answer:
    """Answer every question of a request from one moment.

    Raises NoIndexError, InexactError where a number may be inexact or contradicts another,
    GenerationError where the
    index is not one of ours.
    """
    scope = request.scope
    result = run_search(client, alias, build_request_body(request))
    parts = {
        question.id: _list_question_searches(question, scope) for question in request.questions
    }
    for searches in parts.values():
        for part in searches:
            read_composite_pages(client, result, part.name)
    scope_counts = _parse_scope_counts(result.body, scope)
    answer = Answer(
        reference=request.reference,
        title=request.title,
        request=msgspec.to_builtins(request),
        scope=ScopeAnswer(
            records=scope_counts.records,
            left_out={**scope_counts.left_out},
            period_from=scope.period.start,
            period_to=scope.period.end,
            offences=scope_counts.offences,
            terms=tuple(
                msgspec.structs.replace(term, wordings=request.wordings(mention))
                for term, mention in zip(scope_counts.terms, scope.mentions, strict=True)
            ),
            periods=tuple(
                PeriodAnswer(period.label, period.start, period.end)
                for period in request.every_period
            ),
            conditions=tuple(condition.words for condition in scope.field_filters),
            means=tuple(condition.condition for condition in scope.field_filters),
        ),
        questions=tuple(
            _parse_question_answer(question, parts[question.id], result.body["aggregations"])
            for question in request.questions
        ),
        provenance=build_provenance(result),
    )
    check_consistency(answer)
    return answer


def build_request_body(request: Request) -> dict[str, Any]:
    """The one search that a request is, as the server takes it."""
    scope = request.scope
    question_aggs: dict[str, aggs.Agg[Any]] = {
        part.name: aggs.Filter(part.filter, aggs=question.build(part.scope))
        for question in request.questions
        for part in _list_question_searches(question, scope)
    }
    return build_count_body(scope.query(), {**_build_scope_aggs(scope), **question_aggs})


def format_request_body(request: Request) -> str:
    """The one search of a request as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(build_request_body(request)), indent=2).decode()


def _list_question_searches(question: Question, scope: Scope) -> list[_QuestionSearch]:
    """The question over its whole scope and, where several stand side by side, over each period."""
    question_scope = question.narrowed_scope(scope)
    filters = question.filters(scope)
    name = f"question_{question.id}"
    parts = [_QuestionSearch(name, question_scope, _combine_filters(filters))]
    if question.has_period_columns(question_scope):
        parts += [
            _QuestionSearch(
                f"{name}@{index}",
                msgspec.structs.replace(question_scope, periods=(period,)),
                _combine_filters([*filters, period.query()]),
            )
            for index, period in enumerate(question_scope.periods)
        ]
    return parts


def _combine_filters(filters: list[Query]) -> Query:
    return all_of(filters) if filters else MatchAll()


def _parse_question_answer(
    question: Question, parts: list[_QuestionSearch], aggregations: dict[str, Any]
) -> QuestionAnswer:
    overall, *by_period = [question.parse(aggregations[part.name], part.scope) for part in parts]
    if question.subscope:
        question_scope = parts[0].scope
        overall = msgspec.structs.replace(
            overall,
            within=describe_narrowing(question_scope, question.subscope),
            means=question.subscope.scope_with(question_scope.categories).record_conditions,
        )
    if not by_period:
        return overall
    return merge_period_columns(overall, by_period, parts[0].scope.periods)


def describe_narrowing(scope: Scope, narrowing: ScopeSpec) -> str:
    """In words, what a question asks about beyond what its request does."""
    clauses = []
    if narrowing.every_period:
        clauses.append(f"recorded {scope.periods_in_words}")
    if narrowing.offences:
        clauses.append(f"of {', '.join(code for row in scope.offences for code in row.codes)}")
    if narrowing.mentions:
        clauses.append("mentioning " + " or ".join(mention.quoted for mention in scope.mentions))
    if narrowing.where:
        conditions = scope.field_filters[len(scope.field_filters) - len(narrowing.where) :]
        clauses.append("where " + " and ".join(condition.words for condition in conditions))
    return "; ".join(clauses)


def _build_scope_aggs(scope: Scope) -> dict[str, aggs.Agg[Any]]:
    inside: dict[str, Any] = {}
    if scope.offences:
        inside["offences"] = build_filters_agg(
            build_offence_query(row.codes) for row in scope.offences
        )
    if scope.mentions:
        inside |= build_term_aggs(scope.mentions)
    return {
        "status": build_filters_agg(
            [Term(status=status) for status in (COUNTED_STATUS, *EXCLUDED_STATUSES)]
        ),
        "counted": aggs.Filter(build_counted_query(), aggs=inside),
    }


def _parse_scope_counts(body: dict[str, Any], scope: Scope) -> ScopeCounts:
    inside = body["aggregations"]["counted"]
    recorded, *left_out = parse_filter_counts(body["aggregations"]["status"])
    if recorded + sum(left_out) != body["hits"]["total"]["value"]:
        raise InexactError(
            "some records in scope have a status foidex does not know, so no total is right. "
            "Load the records again."
        )
    rows = parse_filter_counts(inside["offences"]) if scope.offences else []
    return ScopeCounts(
        records=recorded,
        left_out=dict(zip(EXCLUDED_STATUSES, left_out, strict=True)),
        offences=tuple(
            Row(str(number), row.label, (count,), codes=row.codes, means=(row.condition,))
            for number, (row, count) in enumerate(zip(scope.offences, rows, strict=True))
        ),
        terms=parse_term_answers(scope.mentions, inside) if scope.mentions else (),
    )


def build_provenance(result: SearchResult) -> Provenance:
    """Where the numbers of a search come from."""
    generation = result.generation
    return Provenance(
        generation=generation.name,
        built_at=generation.built_at,
        watermark=generation.watermark,
        records=result.records,
        rejected=generation.rejected,
        sources=generation.sources,
        mapping_hash=generation.mapping_hash,
        query_hash=hash_json(result.query),
        query=result.query,
        run_at=result.run_at,
        took_ms=result.body["took"],
        version=VERSION,
    )
