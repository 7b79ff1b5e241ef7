"""Results of reviews as tidy rows: one for each number, stratum, and sample beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from queries.review.result import (
    Agreement,
    Elusion,
    RecordCount,
    ReviewedPart,
    ReviewResult,
)


class ReviewRow(TypedDict):
    """What was read of some records, and what that says of all.

    ``records`` are "mentions" (those that the number counts), "near misses" or "without a mention".
    ``stratum`` is empty for all of them. ``low`` and ``high`` are the range of relevant records;
    beside a number only ``high`` is known. ``withheld`` is true if a number is None because it is
    withheld. ``pairs`` were read by two people, who ``agreed`` on so many; None if nobody did.
    """

    review: str
    number: str
    column: str
    label: str
    records: str
    stratum: str
    population: int | None
    sampled: int
    relevant: int | None
    not_relevant: int | None
    no_decision: int
    low: int | None
    high: int | None
    withheld: bool
    confidence: float
    method: str
    pairs: int | None
    agreed: int | None
    kappa: float | None
    ac1: float | None
    seed: str
    generation: str
    criterion: str


def list_review_rows(reviews: Iterable[ReviewResult]) -> list[ReviewRow]:
    """A row for each reviewed number, then for its strata, then for the samples beside it."""
    return [
        row
        for review in reviews
        for row in (
            _make_part_row(review, review.total),
            *(_make_part_row(review, part) for part in review.strata),
            *(_make_elusion_row(review, elusion) for elusion in review.elusion),
        )
    ]


def _make_part_row(review: ReviewResult, part: ReviewedPart) -> ReviewRow:
    is_total = part is review.total
    agreement = review.agreement if isinstance(review.agreement, Agreement) and is_total else None
    return ReviewRow(
        review=review.name,
        number=review.number,
        column=review.column,
        label=review.label,
        records="mentions",
        stratum="" if is_total else part.label,
        population=part.mentioned,
        sampled=part.sampled,
        relevant=part.relevant,
        not_relevant=part.not_relevant,
        no_decision=part.undecided + part.stale + part.unread,
        low=part.range.low if part.range else None,
        high=part.range.high if part.range else None,
        withheld=None in (part.mentioned, part.relevant, part.not_relevant, part.range),
        confidence=review.confidence,
        method=review.method,
        pairs=agreement.pairs if agreement else None,
        agreed=agreement.agreed if agreement else None,
        kappa=agreement.kappa.value if agreement and agreement.kappa else None,
        ac1=agreement.ac1.value if agreement and agreement.ac1 else None,
        seed=review.seed,
        generation=review.generation,
        criterion=review.criterion,
    )


def _make_elusion_row(review: ReviewResult, elusion: Elusion) -> ReviewRow:
    row = _make_part_row(review, review.total)
    row |= {
        "review": elusion.name,
        "records": elusion.records,
        "population": elusion.population,
        "sampled": elusion.sampled,
        "relevant": elusion.relevant,
        "not_relevant": _count_not_relevant(elusion),
        "no_decision": elusion.undecided,
        "low": None,
        "high": elusion.at_most,
        "withheld": elusion.at_most is None,
        "method": "one-sided",
        "pairs": None,
        "agreed": None,
        "kappa": None,
        "ac1": None,
        "seed": elusion.seed,
        "generation": elusion.generation,
    }
    return row


def _count_not_relevant(elusion: Elusion) -> RecordCount:
    if elusion.relevant is None:
        return None
    return elusion.sampled - elusion.undecided - elusion.relevant
