"""Reads reviews from the store of decisions, and puts their results into an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from elasticsearch import Elasticsearch
from msgspec import UNSET
from msgspec.structs import replace

from indexer.errors import InexactError, RequestError, ReviewError
from indexer.session import Session
from indexer.terminal import count_noun
from queries.answer.types import Answer
from queries.answering.reviewed_numbers import ElusionReview, advise_new_review, attach_reviews
from queries.disclosure.consistency import check_consistency
from queries.evidence.locate import locate_records, parse_cell_name
from queries.evidence.population import list_population, read_text_hashes
from queries.layout.prose import join_list
from queries.request.criteria import find_criterion
from queries.request.reader import Request
from queries.review.result import ReviewResult
from queries.review.summary import summarise_elusion, summarise_review
from queries.review.types import ReviewedRecords
from queries.reviewing.configured_store import open_existing_store

if TYPE_CHECKING:
    from queries.reviewing.store.review_store import ReviewStore


def attach_stored_reviews(
    session: Session,
    client: Elasticsearch,
    answer: Answer,
    request: Request,
    names: Sequence[str],
) -> Answer:
    """The answer with the results of the named reviews.

    Raises ReviewError where there is no such review or its second readings are not done,
    RequestError where it is not of a number of the answer or has another criterion than the
    request, and as ``read_text_hashes``.
    """
    alias = session.settings.index.alias
    with open_existing_store(session.settings, session.progress) as store:
        summaries = [
            summarise_stored_review(store, client, alias, name) for name in dict.fromkeys(names)
        ]
        drawn = {
            summary.name: {record.reference for record in store.list_population(summary.name)}
            for summary in summaries
        }
    results = [summary for summary in summaries if isinstance(summary, ReviewResult)]
    elusions = [summary for summary in summaries if isinstance(summary, ElusionReview)]
    for result in results:
        _require_criterion(request, result)
        if result.total.stale:
            records = count_noun(result.total.stale, "record", "records")
            session.progress.say(
                f"{records} of the review {result.name} changed or went after somebody read them, "
                "and count as not decided. foidex review status names them."
            )
    reviewed_answer = attach_reviews(answer, results, elusions)
    _require_same_parts(reviewed_answer, results)
    for result in results:
        _require_same_records(client, alias, request, result, drawn[result.name])
    return reviewed_answer


def _require_same_records(
    client: Elasticsearch, alias: str, request: Request, result: ReviewResult, drawn: set[str]
) -> None:
    """Raise RequestError if a number counts records now that nobody could read, though as many:
    the letter would say that all were read. Raises as ``list_population``."""
    question, row = parse_cell_name(result.number)
    selection = locate_records(request, question, row, result.column)
    _, records = list_population(client, alias, selection)
    others = sum(record.reference not in drawn for record in records)
    if others:
        raise RequestError(
            f"{count_noun(others, 'record', 'records')} of {result.number} came after the review "
            f'"{result.name}" was drawn, and as many left, so what people decided is of other '
            f"records. {advise_new_review(result)}"
        )


def _require_same_parts(reviewed_answer: Answer, results: Sequence[ReviewResult]) -> None:
    """Raise RequestError if a part of a review has another number of records than the answer, where
    the whole number is the same: as many records left it as were added."""
    try:
        check_consistency(reviewed_answer)
    except InexactError:
        names = join_list([f'"{result.name}"' for result in results if result.strata])
        raise RequestError(
            f"the review {names} was drawn from parts of its number that count other records now, "
            "though the whole number is the same. Start a review of the records as they are now "
            "with foidex review start. With the same seed, what was decided can be taken over; "
            "docs/review.md says how."
        ) from None


def summarise_stored_review(
    store: ReviewStore, client: Elasticsearch, alias: str, name: str
) -> ReviewResult | ElusionReview:
    """The result of a review for the texts of the live generation.

    Raises ReviewError where there is no such review, it is of another index, or its second readings
    are not done, and as ``read_text_hashes``.
    """
    stored = store.find(name)
    if stored.alias != alias:
        raise ReviewError(
            f'the review "{name}" is of the index {stored.alias}, and this answer of {alias}. Use '
            "the foidex.toml of that index."
        )
    state = store.read_state(name)
    if not state.is_unblinded:
        raise ReviewError(
            f'the review "{name}" has second readings that are still to be made, and until then '
            "nothing shows what was decided. Make them: foidex review next. If nobody else can: "
            "foidex review end-second-readings."
        )
    references = [record.reference for record in state.records]
    _, hashes = read_text_hashes(client, alias, references)
    review, decisions = state.review, [*state.decisions.values()]
    if review.records is not ReviewedRecords.MENTIONS:
        elusion = summarise_elusion(review, state.records, decisions, current_hashes=hashes)
        return ElusionReview(name, review.number, review.column, review.criterion, elusion)
    result = summarise_review(review, state.records, decisions, current_hashes=hashes)
    return replace(result, not_read_twice=state.count_missing_seconds() or UNSET)


def _require_criterion(request: Request, result: ReviewResult) -> None:
    """Raise RequestError if the request states another criterion than people decided by."""
    criterion = find_criterion(request.review, result.number, result.column)
    if criterion and criterion.split() != result.criterion.split():
        raise RequestError(
            f'the request says that a record of {result.number} is relevant if "{criterion}", and '
            f'the review "{result.name}" was decided by "{result.criterion}". Correct the request, '
            "or start a review with its criterion."
        )
