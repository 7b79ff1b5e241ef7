"""What a replay says of what people read for an answer: how ranges follow, and what moved. Pure.

The decisions themselves are in the store of reviews. What is checked here needs only the answer:
its counts, from which each range follows, and the number of records that it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from queries.answer.cells import list_cells
from queries.answer.types import Answer
from queries.review.result import CountRange, Elusion, ReviewedPart, ReviewResult
from queries.review.strata import SampleCounts, combine_strata, find_highest_total
from queries.tables.table_query import TOTAL_KEY


def explain_reviews(answer: Answer, live: Answer) -> Iterator[str]:
    """A sentence or two for each review: its counts, its range, and whether the number moved."""
    numbers = {
        (cell.key.question, cell.key.row, cell.key.column): cell.value
        for cell in reversed(list_cells(live))
        if cell.key.part in ("row", "total")
    }
    for review in answer.reviews:
        question, _, row = review.number.partition(":")
        columns = [key[2] for key in reversed(numbers) if key[:2] == (question, row or TOTAL_KEY)]
        column = review.column or next(iter(columns), "")
        now = numbers.get((question, row or TOTAL_KEY, column))
        total = review.total
        moved = (
            "The index counts as many now."
            if now == total.mentioned
            else f"The index counts {now:,} now; the review is of the records as they were."
            if isinstance(now, int)
            else "The index has no such number now; the review is of the records as they were."
        )
        yield f"{_describe_result(review)} {moved}"
        yield from (_describe_elusion(elusion, review.confidence) for elusion in review.elusion)


def explain_texts(answer: Answer) -> Iterator[str]:
    """A sentence for each list with texts: how many it gave, and that only numbers are compared."""
    for question in answer.questions:
        approvals = question.approvals
        if approvals is not None:
            yield (
                f"{question.id} gave {approvals.approved:,} texts and withheld "
                f"{approvals.refused:,}, as people decided from {approvals.first_at[:10]} to "
                f"{approvals.last_at[:10]}. A replay compares numbers, not texts: foidex review "
                "approvals says which are still approved as they are now."
            )


def find_altered_reviews(answer: Answer) -> Iterator[str]:
    """What of the reviews does not fit together within the answer itself."""
    for review in answer.reviews:
        parts = review.strata or (review.total,)
        fits = (
            _add_up(review.total, parts)
            and _has_expected_range(review, review.total, parts)
            and all(_has_expected_range(review, part, (part,)) for part in review.strata)
            and all(_has_expected_bound(elusion, review.confidence) for elusion in review.elusion)
        )
        if not fits:
            yield (
                f'The range of the review "{review.name}" is not the one that follows from its '
                "counts: the answer was changed after it was made."
            )


def _add_up(total: ReviewedPart, parts: tuple[ReviewedPart, ...]) -> bool:
    """Whether the counts of the parts make up those of the total."""
    names = ("mentioned", "sampled", "decided", "relevant", "not_relevant")
    return all(
        getattr(total, name) == sum(getattr(part, name) or 0 for part in parts) for name in names
    )


def _has_expected_range(
    review: ReviewResult, part: ReviewedPart, samples: tuple[ReviewedPart, ...]
) -> bool:
    try:
        interval = combine_strata(
            [
                SampleCounts(
                    sample.mentioned or 0,
                    sample.sampled,
                    sample.relevant or 0,
                    sample.sampled - sample.decided,
                )
                for sample in samples
            ],
            Fraction(str(review.confidence)),
        )
    except ValueError:
        return False
    return part.range == CountRange(interval.low, interval.high)


def _has_expected_bound(elusion: Elusion, confidence: float) -> bool:
    try:
        sample = SampleCounts(
            elusion.population or 0, elusion.sampled, elusion.relevant or 0, elusion.undecided
        )
        bound = find_highest_total([sample], Fraction(str(confidence)))
    except ValueError:
        return False
    return elusion.at_most == bound


def _describe_elusion(elusion: Elusion, confidence: float) -> str:
    return (
        f'Records beside it were reviewed ("{elusion.name}", {elusion.records}, drawn from '
        f"{elusion.generation} with the seed {elusion.seed}): of {elusion.sampled:,} records of "
        f"{elusion.population or 0:,}, {elusion.relevant} relevant, {elusion.undecided} without a "
        f"decision; so no more than {elusion.at_most or 0:,} are relevant "
        f"({confidence * 100:g}%, one-sided)."
    )


def _describe_result(review: ReviewResult) -> str:
    total = review.total
    undecided = total.sampled - total.decided
    counts = f"{total.relevant} relevant, {total.not_relevant} not, {undecided} without a decision"
    low, high = (total.range.low, total.range.high) if total.range else (0, 0)
    return (
        f'{review.label} was reviewed ("{review.name}", drawn from {review.generation} with the '
        f"seed {review.seed}): of {total.sampled:,} records of {total.mentioned:,}, {counts}; so "
        f"{low:,} to {high:,} are relevant ({review.confidence * 100:g}%, {review.method})."
    )
