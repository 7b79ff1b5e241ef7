"""What would give more, from answers that are really protected."""

from __future__ import annotations

from datetime import date

import pytest

from indexer.errors import DisclosureError
from indexer.session import Session
from queries.answer.types import Answer
from queries.answering.suggestions import count_printed_numbers, suggest_changes, suggest_more
from queries.disclosure.ledger import PreparedRelease
from queries.disclosure.release import protect_answer
from queries.request.reader import Request, parse_request
from tests.support.fake_search import answer
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


def test_nothing_is_asked_where_the_number_of_records_itself_is_small() -> None:
    few = protect(answer_by_code(1, 1, 1))
    assert few.scope.records is None
    assert suggest_more(Session(), REQUEST, PreparedRelease(few, is_few=True)) == []


@pytest.mark.parametrize("seconds", [-1.0, 20.0])
def test_looking_for_suggestions_stops_in_time(seconds: float) -> None:
    published = protect(answer_merged(REQUEST))
    found = suggest_changes(REQUEST, published, answer_merged, protect, seconds)
    assert bool(found) == (seconds > 0)


def test_two_things_apart_give_every_number_where_their_table_gives_hardly_any() -> None:
    """A record of each of 6 offences in each of 12 months: 6 a month and 12 an offence."""
    request = parse_request(
        "reference: R\ntitle: T\nperiod: 2017/18\n"
        "questions: [{id: Q1, kind: cross, rows: month, columns: offence}]"
    )
    codes = ("21", "22B", "46", "8N", "88/1", "71/1")
    records = [
        {
            "crime_ref": f"R{month}{code}",
            "recorded_on": date(2017 + (month > 12), (month - 1) % 12 + 1, 5).isoformat(),
            "offence_code": code,
            "narrative": "",
        }
        for month in range(4, 16)
        for code in codes
    ]

    def answer_request(changed: Request) -> Answer:
        return answer(changed, records)

    published = protect(answer_request(request))
    current = count_printed_numbers(published)
    assert current.printed < current.every / 2
    best, *_ = suggest_changes(request, published, answer_request, protect)
    assert best.describe(current) == (
        "would give more: Q1: by month and by offence apart, a question for each: 20 of 20 numbers "
        f"given, instead of {current.printed:,} of {current.every:,}"
    )
