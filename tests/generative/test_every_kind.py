"""Disclosure control over every kind of question: what tables say of themselves is true, and
nothing that is withheld can be worked out."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from elasticsearch.dsl import Search, aggs
from elasticsearch.dsl.query import MatchAll
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from indexer.errors import DisclosureError
from queries.answering.build import build_request_body
from queries.disclosure.attack.attacker import attack_system
from queries.disclosure.policy import Policy
from queries.disclosure.populations import (
    build_answer_system,
    list_occurring,
    list_printed_cells,
)
from queries.disclosure.release import collect_known_bounds, protect_answer
from queries.questions.prepared import prepare_question
from queries.search.run import build_count_body
from tests.support.examples import examples
from tests.support.fake_search import answer
from tests.support.kinds import QUESTIONS, SCOPES, asking, records
from tests.support.published_reader import list_perhaps_zero
from tests.support.record_types import Shares

SOME = st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=4)


@pytest.mark.parametrize("scope", SCOPES)
@settings(max_examples=examples(6), deadline=None)
@given(records=records())
def test_what_tables_say_of_their_numbers_is_true(
    scope: str, records: list[dict[str, Any]]
) -> None:
    """An answer is refused where a relation does not hold, or one population has two numbers."""
    answer(asking(QUESTIONS, scope), records)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_search_is_as_the_dsl_writes_it(scope: str) -> None:
    """Also the second time, when much of it is kept from the first."""
    asked = asking(QUESTIONS, scope)
    every: dict[str, aggs.Agg[Any]] = {
        question.id: aggs.Filter(MatchAll(), aggs=prepare_question(question, asked.scope).build())
        for question in asked.questions
    }
    search = Search().query(asked.scope.query()).extra(size=0, track_total_hits=True)
    for name, one in every.items():
        search.aggs[name] = one
    written = json.dumps(search.to_dict())
    assert json.dumps(build_count_body(asked.scope.query(), every)) == written
    first = json.dumps(build_request_body(asked))
    answer(asked, [a_record()])
    assert json.dumps(build_request_body(asked)) == first


@settings(max_examples=examples(12, 30), deadline=None)
@given(
    questions=SOME,
    scope=st.sampled_from(SCOPES),
    records=records(40),
    threshold=st.integers(2, 6),
)
def test_no_withheld_number_of_any_kind_can_be_worked_out(
    questions: list[str], scope: str, records: list[dict[str, Any]], threshold: int
) -> None:
    asked = answer(asking(questions, scope), records)
    try:
        found = protect_answer(asked, Policy(threshold=threshold)).answer
    except DisclosureError:
        reject()  # Nothing is published. Were it often so, too few examples would be left.
    cells = list_printed_cells(found)
    before = {cell.location: cell.number for cell in list_printed_cells(asked)}
    for cell in cells:
        if cell.number is not None:
            assert cell.number == before[cell.location]
            assert not 0 < cell.number < threshold
    hidden = {cell.population for cell in cells if cell.number is None}
    known = collect_known_bounds(
        cells, Policy(threshold=threshold), occurring=list_occurring(found)
    )
    bounds = attack_system(build_answer_system(found), known, hidden)
    for interval in bounds.values():
        assert interval.high is None or interval.high - interval.low >= threshold


def test_what_is_left_of_a_category_is_told_apart_by_what_is_taken_from_it() -> None:
    """88 less 88A is not 88 less 88A and 88/3, which one answer may hold as well."""
    scope = "period: 2016/17\noffences: [{codes: [22B]}, {codes: [88]}, {codes: [88A]}]"
    questions = [
        "{kind: keywords, keywords: [beta, gamma], each_offence: true}",
        "{kind: by, by: offence}",
    ]
    asked = answer(asking(questions, scope), [a_record(offence_code="88/3")])
    found = protect_answer(asked, Policy(threshold=2)).answer
    assert any(cell.number is None for cell in list_printed_cells(found))


# A reader who needs no relation: he knows only how records are counted, and tries every set of a
# few of them.


def a_record(text: str = "", **more: Any) -> dict[str, Any]:
    return {
        "crime_ref": "R",
        "recorded_on": "2016-05-05",
        "offence_code": "22B",
        "narrative": text,
        **more,
    }


WORDS = [" ".join(chosen) for n in range(4) for chosen in itertools.combinations(["alpha", "beta", "gamma"], n)]  # fmt: skip

DAYS = ["2016-05-05", "2017-05-05"]

#: Questions, what the request is about, and every kind of record that they tell apart.
TRIED: dict[str, tuple[list[str], str, list[dict[str, Any]]]] = {
    "three terms together": (
        ["{kind: overlap, keywords: [alpha, beta, gamma]}"],
        SCOPES[0],
        [a_record(words) for words in WORDS],
    ),
    "terms by year": (
        ["{kind: cross, rows: {keywords: [alpha, beta]}, columns: financial_year}"],
        SCOPES[0],
        [a_record(words, recorded_on=day) for words in WORDS if "gamma" not in words for day in DAYS],
    ),
    "terms in periods": (
        ["{kind: keywords, keywords: [alpha, beta]}", "{kind: by, by: financial_year}"],
        SCOPES[1],
        [a_record(words, recorded_on=day) for words in WORDS if "gamma" not in words for day in DAYS],
    ),
    "offences by the sex of victims": (
        ["{kind: by, by: sex, count: offences}", "{kind: by, by: sex}"],
        SCOPES[0],
        [
            a_record(victims=[*({"sex": "F"} for _ in range(n)), *({"sex": "M"} for _ in range(m))])
            for n, m in sorted(itertools.product(range(4), repeat=2), key=sum)
        ],
    ),
    "victims of an age and sex": (
        [
            "{kind: by, by: sex}",
            "{kind: by, by: sex, count: offences, within: {where: {victim: {age: {to: 11}, sex: [F]}}}}",
            "{kind: by, by: sex, within: {where: {victim: {age: {to: 11}, sex: [F]}}}}",
        ],
        SCOPES[0],
        [
            a_record(
                victims=[
                    *({"sex": "F", "age": 9} for _ in range(children)),
                    *({"sex": "M", "age": 9} for _ in range(boys)),
                    *({"sex": "F", "age": 30} for _ in range(women)),
                ]
            )
            for children, boys, women in (
                (1, 1, 0), (1, 0, 0), (0, 1, 1), (0, 0, 0),
                *((2, n, m) for n in range(3) for m in range(2)), (0, 2, 1), (1, 1, 1), (1, 2, 1),
                (0, 0, 1), (0, 1, 0),
            )
        ],
    ),
    "bands that overlap": (
        [
            "{kind: cross, rows: {bands: [{to: 13}, {from: 12, to: 17}, {from: 16}]}, "
            "columns: {periods: [2016/17]}}",
        ],
        SCOPES[0],
        [
            a_record(victims=[{"age": age} for age in ages])
            for ages in (
                (13,), (9, 16), (9,), (15,), (16,), (30,), (None,), (),
                *((age,) * number for age in (9, 13, 15, 16, 30) for number in (2, 3)),
            )
        ],
    ),
    "flags by district": (
        ["{kind: cross, rows: flag, columns: district}"],
        SCOPES[0],
        [
            a_record(categories={"flag": flags, "district": district})
            for flags in ([], ["knife"], ["online"], ["knife", "online"])
            for district in ("North", "South")
        ],
    ),
    "status, and a narrower question": (
        ["{kind: by, by: status}", "{kind: by, by: district, within: {offences: [{codes: [88/1]}]}}"],
        f"{SCOPES[0]}\noffences: [{{codes: [22B]}}, {{codes: [88/1]}}]",
        [
            a_record(status=status, offence_code=code, categories={"district": district})
            for status in ("recorded", "cancelled")
            for code in ("22B", "88/1")
            for district in ("North", "South")
        ],
    ),
}  # fmt: skip


@cache
def every_set(name: str, most: int) -> tuple[list[str], Any]:
    """The places of the numbers, and of each set of up to so many records its numbers."""
    questions, scope, of_kinds = TRIED[name]
    asked = asking(questions, scope)
    each = [list_printed_cells(answer(asked, [one])) for one in of_kinds]
    counts = np.array([[cell.number for cell in cells] for cells in each])
    sets = np.array(
        [
            np.bincount(chosen, minlength=len(of_kinds) + 1)[:-1]
            for chosen in itertools.combinations_with_replacement(range(len(of_kinds) + 1), most)
        ]
    )
    return [cell.location for cell in each[0]], sets @ counts


@cache
def count_each_kind(name: str) -> dict[str, Shares]:
    """How often each number counts one record of each kind."""
    questions, scope, of_kinds = TRIED[name]
    each = [list_printed_cells(answer(asking(questions, scope), [one])) for one in of_kinds]
    return {
        cells[0].location: tuple(cell.number or 0 for cell in cells)
        for cells in zip(*each, strict=True)
    }


@pytest.mark.parametrize("name", TRIED)
@settings(max_examples=examples(12), deadline=None)
@given(data=st.data(), threshold=st.integers(2, 3))
def test_trying_every_set_of_records_finds_no_withheld_number(
    name: str, data: st.DataObject, threshold: int
) -> None:
    questions, scope, of_kinds = TRIED[name]
    # Many kinds leave room for few records; the first kinds are drawn, so that what is true is
    # never at the edge of what is tried.
    drawn, size, most = (3, 3, 6) if len(of_kinds) > 8 else (len(of_kinds), 6, 10)
    chosen = data.draw(st.lists(st.sampled_from(range(drawn)), min_size=1, max_size=size))
    places, numbers = every_set(name, most)
    records = [of_kinds[one] for one in chosen]
    whole = answer(asking(questions, scope), records)
    cells = list_printed_cells(protect_answer(whole, Policy(threshold=threshold)).answer)
    assert [cell.location for cell in cells] == places
    printed = {cell.location: cell.number for cell in cells}
    perhaps_zero = list_perhaps_zero(count_each_kind(name), printed)
    fits = np.logical_and.reduce(
        [
            possible == number
            if (number := printed[place]) is not None
            else possible >= (place not in perhaps_zero)
            for place, possible in zip(places, numbers.T, strict=True)
        ]
    )
    for place, possible in zip(places, numbers.T, strict=True):
        if printed[place] is None and any(count_each_kind(name)[place]):
            assert np.ptp(possible[fits]) >= threshold, place


@pytest.mark.parametrize("chosen", [(1, 6, 7, 7), (2, 5, 7, 7), (3, 4, 7, 7)])
def test_what_tells_a_small_difference_may_be_withheld_elsewhere(chosen: tuple[int, ...]) -> None:
    """Both numbers of the difference are withheld already, and others still tell it."""
    questions, scope, of_kinds = TRIED["three terms together"]
    whole = answer(asking(questions, scope), [of_kinds[one] for one in chosen])
    cells = list_printed_cells(protect_answer(whole, Policy(threshold=2)).answer)
    assert any(cell.number is None for cell in cells)
    assert any(cell.number for cell in cells)
