"""Answers a request: builds its one search, runs it, and reads the answer from the response."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Query, Term
from msgspec import UNSET, Struct, UnsetType

from indexer.errors import InexactError, RequestError
from indexer.records.coverage import Coverage
from indexer.records.offences import load_offence_table
from indexer.version import VERSION
from queries.answer.cells import hash_json
from queries.answer.condition import format_conditions
from queries.answer.types import (
    Answer,
    PeriodAnswer,
    Provenance,
    QuestionAnswer,
    ReadingLimit,
    Row,
    ScopeAnswer,
    TermAnswer,
)
from queries.answering.coverage import apply_coverage
from queries.answering.estimate import (
    build_day_aggs,
    find_latest_period,
    find_whole_months,
    parse_day_counts,
)
from queries.disclosure.consistency import check_consistency
from queries.questions.base import (
    build_filters_agg,
    build_term_aggs,
    parse_filter_counts,
    parse_term_answers,
)
from queries.questions.prepared import PreparedQuestion, prepare_question
from queries.request.reader import Request
from queries.search.run import LiveSearch, SearchEngine, SearchResult, build_count_body
from queries.tables.period_columns import merge_period_columns
from queries.tables.scope import (
    COUNTED_STATUS,
    EXCLUDED_STATUSES,
    Scope,
    build_counted_query,
    build_offence_query,
)


class ScopeCounts(Struct, frozen=True):
    """The numbers of the scope itself, before any question."""

    records: int
    left_out: dict[str, int]
    offences: tuple[Row, ...]
    terms: tuple[TermAnswer, ...]


#: The aggregation of the records in scope by day, for a letter that relies on the cost limit.
_READING: Final = "reading"


class _QuestionSearch(NamedTuple):
    """A question over all its periods, or over one of them, and the name of its aggregation."""

    name: str
    question: PreparedQuestion


def compute_answer(client: Elasticsearch, alias: str, request: Request) -> Answer:
    """Answer every question of a request from the live generation of an alias.

    Raises NoIndexError, GenerationError where the index is not one of foidex's, and InexactError
    where a number may be inexact or contradicts another.
    """
    return compute_answer_with(LiveSearch(client, alias), request)


def compute_answer_with(engine: SearchEngine, request: Request) -> Answer:
    """Answer every question of a request with a search engine, from one moment.

    Raises as the engine, and InexactError where one number contradicts another.
    """
    return apply_coverage(*count_answer_with(engine, request))


def count_answer(
    client: Elasticsearch, alias: str, request: Request
) -> tuple[Answer, Coverage | None]:
    """The numbers of the live generation for all days, and the days that it covers.

    Raises as ``compute_answer``.
    """
    return count_answer_with(LiveSearch(client, alias), request)


def count_answer_with(engine: SearchEngine, request: Request) -> tuple[Answer, Coverage | None]:
    """The numbers of a search engine for all days, and the days that its index covers.

    Raises as ``compute_answer_with``.
    """
    scope = request.scope
    searches_by_question = _plan_question_searches(request)
    result = engine.run_search(_build_search_body(request, searches_by_question))
    for searches in searches_by_question:
        for search in searches:
            engine.read_later_pages(result, search.name)
    if request.reading_cost:
        engine.read_later_pages(result, _READING)
    scope_counts = _parse_scope_counts(result.body, scope)
    answer = Answer(
        reference=request.reference,
        title=request.title,
        request=msgspec.to_builtins(request),
        scope=_make_scope_answer(scope_counts, request, scope),
        questions=tuple(
            _parse_question_answer(searches, result.body["aggregations"])
            for searches in searches_by_question
        ),
        provenance=build_provenance(result),
        written_uncovered=request.uncovered or UNSET,
        reading_limit=_parse_reading_limit(result.body, request),
    )
    check_consistency(answer)
    return answer, result.coverage


def _make_scope_answer(scope_counts: ScopeCounts, request: Request, scope: Scope) -> ScopeAnswer:
    return ScopeAnswer(
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
            PeriodAnswer(period.label, period.start, period.end) for period in request.every_period
        ),
        conditions=tuple(condition.words for condition in scope.field_filters),
        means=format_conditions(field_filter.condition for field_filter in scope.field_filters),
    )


def build_request_body(request: Request) -> dict[str, Any]:
    """The body of the one search that answers a request."""
    return _build_search_body(request, _plan_question_searches(request))


def format_request_body(request: Request) -> str:
    """The body of the one search that answers a request, as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(build_request_body(request)), indent=2).decode()


def _plan_question_searches(request: Request) -> list[list[_QuestionSearch]]:
    """For each question, the searches over its whole scope and over each period with columns."""
    prepared_questions = [
        prepare_question(question, request.scope) for question in request.questions
    ]
    return [_list_question_searches(prepared) for prepared in prepared_questions]


def _list_question_searches(prepared: PreparedQuestion) -> list[_QuestionSearch]:
    name = f"question_{prepared.question.id}"
    searches = [_QuestionSearch(name, prepared)]
    if prepared.has_period_columns:
        searches += [
            _QuestionSearch(f"{name}@{index}", prepared.for_period(index))
            for index in range(len(prepared.scope.periods))
        ]
    return searches


def _build_search_body(
    request: Request, searches_by_question: list[list[_QuestionSearch]]
) -> dict[str, Any]:
    question_aggs: dict[str, aggs.Agg[Any]] = {
        search.name: aggs.Filter(search.question.query, aggs=search.question.build())
        for searches in searches_by_question
        for search in searches
    }
    if request.reading_cost:
        _, records = _find_reading(request)
        question_aggs[_READING] = aggs.Filter(records, aggs=build_day_aggs())
    scope = request.scope
    return build_count_body(scope.query(), {**_build_scope_aggs(scope), **question_aggs})


def _find_reading(request: Request) -> tuple[Scope, Query]:
    """The scope of the records that would have to be read, and which of the request's they are.

    Raises RequestError for a question that does not count records.
    """
    question = request.reading_question
    if question is None:
        return request.scope, build_counted_query()
    prepared = prepare_question(question, request.scope)
    if prepared.table_query.unit != "offences" or any(
        axis.any_status for axis in prepared.table_query.axes
    ):
        raise RequestError(
            f"records_of: {question.id} does not count the records that would have to be read, but "
            "victims, or records of every status. Name a part that counts them."
        )
    return prepared.scope, prepared.query


def _parse_reading_limit(body: dict[str, Any], request: Request) -> ReadingLimit | UnsetType:
    """The cost limit of a letter that relies on it, with the longest period that fits it."""
    cost = request.reading_cost
    if cost is None:
        return UNSET
    by_day = parse_day_counts(body["aggregations"][_READING])
    question, (scope, _) = request.reading_question, _find_reading(request)
    latest = find_latest_period(by_day, scope, cost)
    period = find_whole_months(by_day, latest) or latest
    return ReadingLimit(
        minutes=float(cost.minutes),
        limit_hours=cost.limit,
        start=period.start if period else None,
        end=period.end if period else None,
        question=question.id if question else "",
    )


def _parse_question_answer(
    searches: list[_QuestionSearch], aggregations: dict[str, Any]
) -> QuestionAnswer:
    prepared = searches[0].question
    overall, *by_period = [search.question.parse(aggregations[search.name]) for search in searches]
    question = prepared.question
    overall = msgspec.structs.replace(
        overall, note=question.note, not_covered=question.not_covered, part=question.part
    )
    if prepared.narrowing:
        overall = msgspec.structs.replace(
            overall,
            within=describe_narrowing(prepared.narrowing),
            means=format_conditions(prepared.narrowing.record_conditions),
        )
    if by_period:
        overall = merge_period_columns(overall, by_period, prepared.scope.periods)
    return prepared.complete_answer(overall)


def describe_narrowing(narrowing: Scope) -> str:
    """In words, how a question narrows the scope of its request."""
    clauses = []
    if narrowing.periods:
        clauses.append(f"recorded {narrowing.periods_in_words}")
    if narrowing.offences:
        rows = [f"{row.label} ({', '.join(row.codes)})" for row in narrowing.offences]
        clauses.append(f"of {', or of '.join(rows)}")
    if narrowing.mentions:
        clauses.append(
            "mentioning " + " or ".join(mention.quoted for mention in narrowing.mentions)
        )
    if narrowing.field_filters:
        filters = narrowing.field_filters
        clauses.append("where " + " and ".join(field_filter.words for field_filter in filters))
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
            "some records in scope have a status that foidex does not know, so no total would be "
            "right. Load the records again."
        )
    rows = parse_filter_counts(inside["offences"]) if scope.offences else []
    return ScopeCounts(
        records=recorded,
        left_out=dict(zip(EXCLUDED_STATUSES, left_out, strict=True)),
        offences=tuple(
            Row(str(number), row.label, (count,), codes=row.codes, means=(row.condition.text,))
            for number, (row, count) in enumerate(zip(scope.offences, rows, strict=True))
        ),
        terms=parse_term_answers(scope.mentions, inside) if scope.mentions else (),
    )


def build_provenance(result: SearchResult) -> Provenance:
    """The provenance of an answer: the generation, the search, and when it ran."""
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
        damage=generation.damage or UNSET,
        written_matching_rule=generation.counting_rule,
        offence_table=load_offence_table().fingerprint,
    )
