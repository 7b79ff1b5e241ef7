"""What a replay says of reviews: how a range follows from its counts, and what moved."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from queries.answering.reviewed_numbers import attach_reviews
from queries.replay.reviews import explain_reviews, find_altered_reviews
from queries.review.result import CountRange, ReviewResult
from tests.support.reviews import count_answer, review_by_offence, review_simply


def test_a_reviewed_number_is_explained_by_its_counts() -> None:
    answer = attach_reviews(count_answer(), [review_simply()])
    assert [*explain_reviews(answer, count_answer())] == [
        'Q1, All offences asked about, Offences was reviewed ("contact", drawn from '
        "crimes-20260101-000000 with the seed a seed): of 360 records of 1,144, 180 relevant, 180 "
        "not, 0 without a decision; so 522 to 622 are relevant (95%, exact). The index counts as "
        "many now."
    ]


def test_a_number_that_moved_is_stated_beside_its_review() -> None:
    answer = attach_reviews(count_answer(), [review_simply()])
    (text,) = explain_reviews(answer, count_answer(violence=806))
    assert text.endswith("The index counts 1,150 now; the review is of the records as they were.")


@pytest.mark.parametrize("review", [review_simply(), review_by_offence(120, 60)])
def test_a_range_that_does_not_follow_from_its_counts_is_noticed(review: ReviewResult) -> None:
    answer = attach_reviews(count_answer(), [review])
    assert [*find_altered_reviews(answer)] == []
    (placed,) = answer.reviews
    for total in (
        replace(placed.total, range=CountRange(0, 622)),
        replace(placed.total, relevant=181),
        replace(placed.total, relevant=500),
    ):
        altered = replace(placed, total=total)
        (warning,) = find_altered_reviews(replace(answer, written_reviews=(altered,)))
        assert "was changed after it was made" in warning
