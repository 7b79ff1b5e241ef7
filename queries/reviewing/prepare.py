"""Prepares a new review: reads the records behind a number, and draws the sample from them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import ReviewError
from queries.answer.cells import hash_json
from queries.answer.covered_days import is_outside_coverage
from queries.evidence.locate import (
    RecordQuery,
    find_question,
    locate_records,
    parse_cell_name,
)
from queries.evidence.population import list_population
from queries.layout.coverage_text import format_coverage_days
from queries.request.letter_spec import LetterSpec
from queries.request.reader import Request
from queries.review.interval import CONFIDENCE
from queries.review.types import DrawnRecord, Review, ReviewedRecords, Stratum
from queries.reviewing.start import Draw, draw_population, make_seed
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.strata_kind import StrataKind
from queries.reviewing.turns import format_time
from queries.reviewing.uncounted import UncountedDraw, draw_uncounted, locate_uncounted
from queries.search.exactness import alias_moved_error
from queries.search.run import count_records
from queries.tables.table_query import TOTAL_KEY

#: The most records of a review: the place of each in the order is worked out and stored.
_MAX_POPULATION: Final = 100_000

_KIND_NAMES: Final = {
    ReviewedRecords.NEAR_MISSES: "near-misses",
    ReviewedRecords.WITHOUT_MENTION: "no-mention",
}

_UNFIT_FOR_NAMES: Final = re.compile(r"[^\w.]+")


class ReviewOptions(Struct, frozen=True, kw_only=True):
    """What a review is asked to be.

    ``number`` and ``column`` name a number as ``find`` does. ``sample`` is None for all records;
    ``seed`` and ``name`` are made if they are None. ``records`` are those that the number counts,
    or those beside it that its words may miss, which have no strata.
    """

    number: str
    criterion: str
    column: str = ""
    sample: int | None = None
    by: StrataKind | None = None
    second_share: Fraction = Fraction(20, 100)
    seed: str | None = None
    name: str | None = None
    records: ReviewedRecords = ReviewedRecords.MENTIONS


def prepare_review(
    client: Elasticsearch, alias: str, request: Request, options: ReviewOptions, user: str
) -> tuple[StoredReview, list[DrawnRecord]]:
    """A review as it can be stored, with every record of its population.

    Raises RequestError where there is no such number, ReviewError where the sample does not suit
    it, and as ``list_population``.
    """
    question, row = parse_cell_name(options.number)
    question = find_question(request, question).id
    selection = locate_records(request, question, row, options.column)
    searched, number = count_records(client, alias, selection.query)
    if searched.coverage and is_outside_coverage(searched.coverage, selection.conditions):
        raise ReviewError(
            f"the records cover {format_coverage_days(searched.coverage)}, and this number is of "
            "other days: it is not covered, so there is nothing to review."
        )
    if number > _MAX_POPULATION and options.records is ReviewedRecords.MENTIONS:
        raise ReviewError(
            f"{number:,} records are behind this number, and a review is of {_MAX_POPULATION:,} "
            "at most. Choose a row of it, or a shorter period."
        )
    seed = options.seed or make_seed()
    selected = (question, row, selection)
    generation, strata, drawn = _draw((client, alias), request, selected, options, seed)
    if generation != searched.generation.name:
        raise alias_moved_error(alias)
    if options.records is ReviewedRecords.MENTIONS and len(drawn) != number:
        raise alias_moved_error(alias)
    review = Review(
        name=options.name or _make_name(request, question, row, options),
        request_reference=request.reference,
        request_hash=hash_json(msgspec.to_builtins(request)),
        number=f"{question}:{row}",
        criterion=options.criterion,
        seed=seed,
        generation=generation,
        confidence=float(CONFIDENCE),
        second_share=float(options.second_share),
        strata=strata,
        column=options.column,
        by=options.by.value if options.by else "",
        records=options.records,
    )
    return _make_stored(review, alias, request, user), drawn


def _draw(
    source: tuple[Elasticsearch, str],
    request: Request,
    selected: tuple[str, str, RecordQuery],
    options: ReviewOptions,
    seed: str,
) -> tuple[str, tuple[Stratum, ...], list[DrawnRecord]]:
    """The generation, the strata and the records in their order, of the client and the alias."""
    question, row, selection = selected
    if options.records is ReviewedRecords.MENTIONS:
        generation, records = list_population(*source, selection)
        draw = Draw(options.sample, options.by, options.second_share, seed)
        return generation, *draw_population(records, draw)
    if options.by is not None:
        raise ReviewError(
            "a sample of records beside a number has no strata: what it says is a bound for all of "
            "them. Leave out --by."
        )
    uncounted_draw = UncountedDraw(
        records=options.records,
        sample=options.sample,
        second_share=options.second_share,
        seed=seed,
    )
    uncounted = locate_uncounted(request, question, row, options.column)
    generation, stratum, drawn = draw_uncounted(*source, uncounted, uncounted_draw)
    return generation, (stratum,), drawn


def _make_stored(review: Review, alias: str, request: Request, user: str) -> StoredReview:
    # The letter names the requester, whom no reviewer needs to know.
    nameless = msgspec.structs.replace(request, letter=LetterSpec())
    return StoredReview(
        review=review,
        alias=alias,
        request=msgspec.json.encode(nameless).decode(),
        created_at=format_time(datetime.now(UTC)),
        created_by=user,
    )


def _make_name(request: Request, question: str, row: str, options: ReviewOptions) -> str:
    name = make_review_name(request.reference, question, row, options.column)
    if options.records is ReviewedRecords.MENTIONS:
        return name
    return f"{name[:180]}-{_KIND_NAMES[options.records]}"


def make_review_name(reference: str, question: str, row: str, column: str = "") -> str:
    """A name for a review that can be typed without quotes: FOI2018-03922-Q1."""
    parts = (reference, question, "" if row == TOTAL_KEY else row, column)
    words = (_UNFIT_FOR_NAMES.sub("-", part).strip("-") for part in parts)
    return "-".join(filter(None, words))[:200]
