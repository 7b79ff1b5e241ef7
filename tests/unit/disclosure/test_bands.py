"""Age bands that overlap: what two of them share can be worked out, so it is protected."""

from __future__ import annotations

from queries.disclosure.policy import Policy
from queries.disclosure.release import protect_answer
from queries.request.reader import parse_request
from tests.support.fake_search import answer

REQUEST = (
    "reference: R\ntitle: T\nperiod: 2017/18\nquestions: "
    "[{id: Q1, kind: victims, bands: [{to: 17, label: Children}, {from: 16, to: 24}]}]"
)


def count_withheld(ages: dict[int | None, int]) -> int:
    """How many rows are withheld of victims of these ages, each of a record of its own."""
    every_age = [age for age, number in ages.items() for _ in range(number)]
    records = [
        {
            "crime_ref": f"R{number}",
            "recorded_on": "2017-05-05",
            "offence_code": "22B",
            "narrative": "",
            "victims": [{"age": age}],
        }
        for number, age in enumerate(every_age)
    ]
    found = answer(parse_request(REQUEST), records)
    published = protect_answer(found, Policy(threshold=5)).answer
    return sum(None in row.counts for row in published.questions[0].table.rows_and_total)


def test_the_few_in_two_bands_cannot_be_worked_out_from_the_rows_and_the_total() -> None:
    """Every number is large, and one victim is in both bands: 10 + 8 + 20 + 6 - 43."""
    assert count_withheld({9: 9, 16: 1, 20: 7, 40: 20, None: 6}) > 0


def test_many_in_two_bands_are_printed() -> None:
    assert count_withheld({9: 9, 16: 8, 20: 7, 40: 20, None: 6}) == 0
