"""What would give more, from answers that are really protected."""

from __future__ import annotations

import pytest

from indexer.errors import DisclosureError
from queries.answer.types import Answer
from queries.answering.suggestions import count_printed_numbers, suggest_changes
from queries.disclosure.release import protect_answer
from queries.request.reader import Request, parse_request
from tests.support.tables import FIVE, answer_by_code

REQUEST = parse_request(
    "reference: R\ntitle: T\nperiod: 2017/18\n"
    "offences: [{codes: ['21']}, {codes: [22B]}, {codes: ['46']}]\n"
    "questions: [{id: Q1, kind: offences}]"
)


def protect(answer: Answer) -> Answer:
    return protect_answer(answer, FIVE).answer


def answer_merged(request: Request) -> Answer:
    """21 has 46, 22B has 4 and 46 has 3 records, whatever rows they are counted in."""
    numbers = {"21": 46, "22B": 4, "46": 3}
    rows = [sum(numbers[code] for code in row.codes) for row in request.offences]
    return answer_by_code(*rows, codes=" ".join(row.codes[0] for row in request.offences))


def test_merged_rows_give_more_and_the_number_is_the_one_that_is_published() -> None:
    published = protect(answer_merged(REQUEST))
    assert count_printed_numbers(published) == (2, 4)
    (best, *_) = suggest_changes(REQUEST, published, answer_merged, protect)
    assert best.words == "the 2 rows of offences with a withheld number as one row (22B, 46)"
    assert best.describe(count_printed_numbers(published)) == (
        "would give more: the 2 rows of offences with a withheld number as one row (22B, 46): "
        "3 of 3 numbers given, instead of 2 of 4"
    )


def test_nothing_is_suggested_where_nothing_is_withheld_or_nothing_can_be_published() -> None:
    full = answer_by_code(46, 9, 8)
    assert suggest_changes(REQUEST, protect(full), answer_merged, protect) == []

    def refuse(answer: Answer) -> Answer:
        raise DisclosureError(answer.reference)

    published = protect(answer_merged(REQUEST))
    assert suggest_changes(REQUEST, published, answer_merged, refuse) == []


def test_a_change_that_would_still_give_no_number_is_not_suggested() -> None:
    def answer_few(request: Request) -> Answer:
        numbers = {"21": 1, "22B": 1, "46": 1}
        rows = [sum(numbers[code] for code in row.codes) for row in request.offences]
        return answer_by_code(*rows, codes=" ".join(row.codes[0] for row in request.offences))

    published = protect(answer_few(REQUEST))
    assert count_printed_numbers(published).printed == 0
    assert suggest_changes(REQUEST, published, answer_few, protect) == []


def test_nothing_is_asked_where_the_number_of_records_itself_is_withheld() -> None:
    def ask(request: Request) -> Answer:
        raise AssertionError(request.reference)

    few = protect(answer_by_code(1, 1, 1))
    assert few.scope.records is None
    assert suggest_changes(REQUEST, few, ask, protect) == []


@pytest.mark.parametrize("seconds", [-1.0, 20.0])
def test_looking_for_suggestions_stops_in_time(seconds: float) -> None:
    published = protect(answer_merged(REQUEST))
    found = suggest_changes(REQUEST, published, answer_merged, protect, seconds)
    assert bool(found) == (seconds > 0)
