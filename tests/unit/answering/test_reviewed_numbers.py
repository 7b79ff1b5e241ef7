"""Results of reviews beside the numbers of an answer: only where they belong."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from indexer.errors import RequestError
from queries.answer.types import NOT_COVERED, Answer, format_json
from queries.answering.reviewed_numbers import attach_reviews
from queries.review.summary import summarise_review
from queries.review.types import Stratum
from tests.support.reviews import (
    count_answer,
    draw_records,
    make_review,
    review_by_offence,
    review_simply,
)

PERIOD = "period:2017-04-01/2018-03-31"


def test_a_review_has_the_conditions_of_its_number() -> None:
    answer = attach_reviews(count_answer(), [review_simply()])
    (review,) = answer.reviews
    assert (review.number, review.unit) == ("Q1:total", "offences")
    assert review.label == "Q1, All offences asked about, Offences"
    assert set(review.total.means) == {PERIOD, "offence:49,8N", "term:snapchat"}


def test_a_stratum_of_offences_has_the_title_and_the_condition_of_its_code() -> None:
    (review,) = attach_reviews(count_answer(), [review_by_offence(120, 60)]).reviews
    violence, theft = review.strata
    assert violence.label == "Assault with injury (8N)"
    # A record of a code below them has a stratum of its own.
    assert violence.means[-1] == "offence code:8N"
    assert theft.means[-1] == "offence code:49"


@pytest.mark.parametrize(
    ("by", "label", "condition"),
    [
        ("year", "2017", "period:2017-01-01/2017-12-31"),
        ("financial-year", "2017/18", "period:2017-04-01/2018-03-31"),
        ("district", "North", "stratum of contact: North"),
    ],
)
def test_other_strata_are_years_or_only_names(by: str, label: str, condition: str) -> None:
    drawn_from = make_review(Stratum(label, 1_144, 20), by=by)
    result = summarise_review(drawn_from, draw_records(drawn_from), [])
    (review,) = attach_reviews(count_answer(), [result]).reviews
    assert (review.strata[0].label, review.strata[0].means[-1]) == (label, condition)


@pytest.mark.parametrize("number", ["Q1", "q1:total", "Q1:All offences asked about"])
def test_a_number_is_found_however_it_is_written(number: str) -> None:
    review = replace(review_simply(), number=number, column="offences")
    (placed,) = attach_reviews(count_answer(), [review]).reviews
    assert (placed.number, placed.column) == ("Q1:total", "offences")


def test_a_row_is_found_by_its_label() -> None:
    review = replace(review_simply(population=800), number="Q1:violence")
    (placed,) = attach_reviews(count_answer(), [review]).reviews
    assert (placed.number, placed.total.mentioned) == ("Q1:0", 800)


@pytest.mark.parametrize(
    ("number", "column", "message"),
    [
        ("Q2", "", 'has no question "Q2"'),
        ("Q1:Robbery", "", "which the answer does not have"),
        ("Q1", "Victims", 'column "Victims", which the answer does not have'),
        ("Q1:Theft", "", "was drawn from 1,144 records of Q1:Theft, and the answer counts 344"),
    ],
)
def test_a_review_of_other_records_is_refused(number: str, column: str, message: str) -> None:
    review = replace(review_simply(), number=number, column=column)
    with pytest.raises(RequestError, match=message):
        attach_reviews(count_answer(), [review])


def test_a_review_of_other_records_is_refused_with_the_seed_that_keeps_its_decisions() -> None:
    review = replace(review_simply(), number="Q1:Theft")
    with pytest.raises(RequestError, match=f"With the same seed, {review.seed}, what was decided"):
        attach_reviews(count_answer(), [review])


def test_a_number_that_is_not_covered_has_no_review() -> None:
    answer = count_answer()
    (question,) = answer.questions
    total = replace(question.table.total, counts=(NOT_COVERED,))
    question = replace(question, table=replace(question.table, total=total))
    with pytest.raises(RequestError, match="does not count records"):
        attach_reviews(replace(answer, questions=(question,)), [review_simply()])


def test_a_reviewed_answer_is_read_as_it_was_written() -> None:
    answer = attach_reviews(count_answer(), [review_simply(), review_by_offence(120, 60)])
    assert msgspec.json.decode(format_json(answer), type=Answer) == answer


def test_an_answer_without_reviews_is_written_as_before() -> None:
    assert "reviews" not in msgspec.json.decode(format_json(attach_reviews(count_answer(), [])))
