"""What is not covered is neither withheld nor a number, and gives nothing away."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from indexer.errors import DisclosureError
from indexer.records.coverage import Coverage
from queries.answer.cells import list_cells
from queries.answer.types import NOT_COVERED, Answer
from queries.disclosure.differencing import collect_published_numbers, collect_published_relations
from queries.disclosure.policy import Policy
from queries.disclosure.populations import list_printed_cells
from queries.disclosure.release import protect_answer
from queries.request.reader import parse_request
from tests.support.examples import examples
from tests.support.fake_search import answer, day
from tests.support.kinds import QUESTIONS, SCOPES, asking, records

THREE = Policy(threshold=3)


def record(recorded_on: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {
        "crime_ref": "R",
        "recorded_on": recorded_on,
        "offence_code": "22B",
        "narrative": text,
        **more,
    }


def months(held: list[dict[str, Any]], coverage: Coverage) -> Answer:
    return answer(
        parse_request(
            "reference: FOI/1\ntitle: T\nperiod: {from: 2018-01-01, to: 2018-03-31}\n"
            "questions:\n  - {id: Q1, kind: by, by: month}\n"
        ),
        held,
        coverage,
    )


def shown(found: Answer) -> list[Any]:
    return [row.counts[0] for row in found.questions[0].table.rows_and_total]


FEBRUARY = Coverage(date(2018, 2, 1), date(2018, 3, 31))

HELD = [*[record("2018-02-05")] * 7, *[record("2018-03-05")] * 2]


def test_a_small_number_beside_a_month_that_is_not_covered_is_protected() -> None:
    """The total counts what there is, so the total less February is March, whatever January says."""
    found = protect_answer(months(HELD, FEBRUARY), THREE).answer
    january, february, march, total = shown(found)
    assert january == NOT_COVERED
    assert march is None
    assert None in (february, total)
    assert found.disclosure
    assert found.disclosure.withheld == shown(found).count(None)


def test_the_rows_of_a_table_are_protected_from_who_knows_what_is_covered() -> None:
    """Each row is its February and its March; January leaves no room in which to hide either."""
    held = [
        *[record("2018-02-05")] * 7,
        *[record("2018-03-05")] * 20,
        *[record("2018-02-05", offence_code="88/1")] * 9,
        *[record("2018-03-05", offence_code="88/1")] * 2,
    ]
    whole = answer(
        parse_request(
            "reference: FOI/1\ntitle: T\nperiod: {from: 2018-01-01, to: 2018-03-31}\n"
            "questions:\n  - {id: Q1, kind: cross, rows: offence, columns: month}\n"
        ),
        held,
        FEBRUARY,
    )
    # Printed elsewhere, so that others must be withheld.
    (public,) = {cell.population for cell in list_printed_cells(whole) if cell.number == 7}
    release = protect_answer(whole, THREE, public=frozenset({public}))
    table = release.answer.questions[0].table
    assert [row.counts[1] for row in table.rows_and_total] == [NOT_COVERED] * 3
    printed = [(row.counts[2], row.counts[3], row.counts[0]) for row in table.rows_and_total]
    sizes = np.arange(31)
    a, b, c, d = np.meshgrid(sizes, sizes, sizes, sizes, indexing="ij", sparse=True)
    numbers = [(a, b, a + b), (c, d, c + d), (a + c, b + d, a + b + c + d)]
    cells = [
        (x, number)
        for row, line in zip(printed, numbers, strict=True)
        for x, number in zip(row, line, strict=True)
    ]
    fits = np.logical_and.reduce(
        np.broadcast_arrays(*(number >= 1 if x is None else number == x for x, number in cells))
    )
    assert any(x is None for x, _ in cells)
    for x, number in cells:
        if x is None:
            assert np.ptp(np.broadcast_to(number, fits.shape)[fits]) >= 3


def test_nothing_is_withheld_because_of_a_month_that_is_not_covered() -> None:
    found = protect_answer(months([record("2018-02-05")] * 7, FEBRUARY), THREE).answer
    assert shown(found) == [NOT_COVERED, 7, 0, 7]


def test_a_few_records_of_other_days_cannot_be_worked_out() -> None:
    """They are in the total and in no row that is printed."""
    held = [*[record("2018-01-05")] * 2, *[record("2018-02-05")] * 7, *[record("2018-03-05")] * 9]
    strays = Coverage(date(2018, 2, 1), date(2018, 3, 31), outside=True)
    found = protect_answer(months(held, strays), THREE).answer
    january, *others = shown(found)
    assert january == NOT_COVERED
    assert None in others


def test_a_release_says_nothing_of_the_days_before() -> None:
    release = protect_answer(months(HELD, FEBRUARY), Policy(threshold=0))
    numbers = collect_published_numbers(release)
    assert not any("2018-01-01/2018-01-31" in text for one in numbers for text in one.conditions)
    assert all(
        low is not None or high is not None
        for _, low, high in (
            (one.terms, one.low, one.high) for one in collect_published_relations(release, numbers)
        )
    )


def test_the_empty_months_of_the_index_are_not_published() -> None:
    coverage = Coverage(date(2018, 1, 1), date(2018, 3, 31), empty_months=(date(2018, 1, 1),))
    found = protect_answer(months(HELD, coverage), THREE).answer
    assert found.coverage == Coverage(date(2018, 1, 1), date(2018, 3, 31))


@settings(max_examples=examples(6, 20), deadline=None)
@given(
    records=records(30),
    questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3),
    scope=st.sampled_from(SCOPES),
    start=st.integers(0, 700),
    policy=st.sampled_from([Policy(threshold=3), Policy(threshold=5), Policy(rounding=5)]),
    outside=st.booleans(),
)
def test_what_is_not_covered_stays_so_and_nothing_else_becomes_so(
    records: list[dict[str, Any]],
    questions: list[str],
    scope: str,
    start: int,
    policy: Policy,
    outside: bool,  # noqa: FBT001 - drawn
) -> None:
    first = day(start)
    held = [one for one in records if outside or one["recorded_on"] >= first]
    coverage = Coverage(date.fromisoformat(first), date(2018, 3, 31), outside=outside)
    whole = answer(asking(questions, scope), held, coverage)
    try:
        found = protect_answer(whole, policy).answer
    except DisclosureError:
        reject()
    after = {cell.key: cell.value for cell in list_cells(found)}
    for cell in list_cells(whole):
        if cell.key in after and cell.key.part != "form":
            assert (after[cell.key] == NOT_COVERED) == (cell.value == NOT_COVERED)


# A reader who tries every set of a few records of the days that are covered.

TERMS = ["", "alpha", "beta", "alpha beta"]

TRIED = {
    "terms by year": "{kind: cross, rows: {keywords: [alpha, beta]}, columns: financial_year}",
    "years": "{kind: by, by: financial_year}",
    "periods": "{kind: keywords, keywords: [alpha, beta]}",
}


@pytest.mark.parametrize("question", TRIED.values(), ids=TRIED)
@settings(max_examples=examples(15), deadline=None)
@given(chosen=st.lists(st.integers(0, 3), min_size=1, max_size=6), threshold=st.integers(2, 3))
def test_trying_every_set_of_covered_records_finds_no_withheld_number(
    question: str, chosen: list[int], threshold: int
) -> None:
    """He knows that none is of the first year, as the letter says what the records cover."""
    coverage = Coverage(date(2017, 4, 1), date(2018, 3, 31))
    asked = asking([question], SCOPES[1])
    of_kinds = [record("2017-05-05", words) for words in TERMS]
    each = np.array(
        [
            [cell.number for cell in list_printed_cells(answer(asked, [one], coverage))]
            for one in of_kinds
        ]
    )
    possible_sets = np.array(
        [
            np.bincount(tried, minlength=5)[:-1]
            for tried in itertools.combinations_with_replacement(range(5), 10)
        ]
    )
    numbers = possible_sets @ each
    whole = answer(asked, [of_kinds[one] for one in chosen], coverage)
    cells = list_printed_cells(protect_answer(whole, Policy(threshold=threshold)).answer)
    fits = np.logical_and.reduce(
        [
            possible >= 1 if cell.number is None else possible == cell.number
            for cell, possible in zip(cells, numbers.T, strict=True)
        ]
    )
    for cell, possible in zip(cells, numbers.T, strict=True):
        if cell.number is None:
            assert np.ptp(possible[fits]) >= threshold, cell.location
