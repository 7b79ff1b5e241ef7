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
from queries.evidence.locate import find_question, locate_records, parse_cell_name
from queries.evidence.population import list_population
from queries.layout.coverage_text import format_coverage_days
from queries.request.letter_spec import LetterSpec
from queries.request.reader import Request
from queries.review.interval import CONFIDENCE
from queries.review.types import DrawnRecord, Review
from queries.reviewing.start import Draw, draw_population, make_seed
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.strata_kind import StrataKind
from queries.reviewing.turns import format_time
from queries.search.exactness import alias_moved_error
from queries.search.run import count_records
from queries.tables.table_query import TOTAL_KEY

#: The most records of a review: the place of each in the order is worked out and stored.
_MAX_POPULATION: Final = 100_000

_UNFIT_FOR_NAMES: Final = re.compile(r"[^\w.]+")


class ReviewOptions(Struct, frozen=True, kw_only=True):
    """What a review is asked to be.

    ``number`` and ``column`` name a number as ``find`` does. ``sample`` is None for all records;
    ``seed`` and ``name`` are made if they are None.
    """

    number: str
    criterion: str
    column: str = ""
    sample: int | None = None
    by: StrataKind | None = None
    second_share: Fraction = Fraction(20, 100)
    seed: str | None = None
    name: str | None = None


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
    if number > _MAX_POPULATION:
        raise ReviewError(
            f"{number:,} records are behind this number, and a review is of {_MAX_POPULATION:,} "
            "at most. Choose a row of it, or a shorter period."
        )
    generation, records = list_population(client, alias, selection)
    if generation != searched.generation.name or len(records) != number:
        raise alias_moved_error(alias)
    draw = Draw(options.sample, options.by, options.second_share, options.seed or make_seed())
    strata, drawn = draw_population(records, draw)
    review = Review(
        name=options.name or make_review_name(request.reference, question, row, options.column),
        request_reference=request.reference,
        request_hash=hash_json(msgspec.to_builtins(request)),
        number=f"{question}:{row}",
        criterion=options.criterion,
        seed=draw.seed,
        generation=generation,
        confidence=float(CONFIDENCE),
        second_share=float(draw.second_share),
        strata=strata,
        column=options.column,
        by=options.by.value if options.by else "",
    )
    return _make_stored(review, alias, request, user), drawn


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


def make_review_name(reference: str, question: str, row: str, column: str = "") -> str:
    """A name for a review that can be typed without quotes: FOI2018-03922-Q1."""
    parts = (reference, question, "" if row == TOTAL_KEY else row, column)
    words = (_UNFIT_FOR_NAMES.sub("-", part).strip("-") for part in parts)
    return "-".join(filter(None, words))[:200]
