"""Conditions: every text that an answer holds is read back as the same condition."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records.offences import load_offence_table
from queries.answer.cells import list_cells
from queries.answer.condition import (
    WITHOUT_REFERENCE,
    WITHOUT_VICTIM,
    AnyTermCondition,
    CategoryCondition,
    Condition,
    FieldCondition,
    NamedCondition,
    Not,
    OffenceCodeCondition,
    OffenceCondition,
    OffenceGroupCondition,
    OfVictim,
    SeveralTermsCondition,
    SingleTermCondition,
    build_age_condition,
    build_link_condition,
    build_offence_condition,
    build_other_age_condition,
    build_period_condition,
    build_victim_condition,
)
from queries.answer.condition_text import parse_condition
from queries.answer.inference import (
    covers_condition,
    intersect_conditions,
    partition_conditions,
    simplify_conditions,
)
from queries.disclosure.populations import list_printed_cells
from tests.support.fake_search import answer
from tests.support.kinds import QUESTIONS, SCOPES, asking, weighted_records

CODES = sorted(load_offence_table().titles)

DAYS = st.none() | st.dates(date(2010, 1, 1), date(2020, 12, 31))

AGES = st.tuples(st.integers(0, 120), st.integers(0, 120)).map(lambda pair: (min(pair), max(pair)))

VALUES = st.frozensets(st.none() | st.text(min_size=1, max_size=6), max_size=4)

TERMS = st.frozensets(
    st.from_regex(r"[a-z0-9 :%,/-]{1,8}~[0-9a-f]{8}", fullmatch=True), min_size=1, max_size=4
)

PLAIN: st.SearchStrategy[Condition] = st.one_of(
    st.lists(st.tuples(DAYS, DAYS), max_size=3)
    .filter(lambda spans: all(not a or not b or a <= b for a, b in spans))
    .map(lambda spans: build_period_condition(*spans)),
    st.lists(AGES, max_size=3).map(lambda bands: build_age_condition(*bands)),
    st.lists(AGES, max_size=3).map(build_other_age_condition),
    st.lists(st.sampled_from(CODES), max_size=4).map(build_offence_condition),
    st.sampled_from(CODES).map(OffenceCodeCondition),
    st.sampled_from([None, *sorted(set(load_offence_table().groups.values()))]).map(
        OffenceGroupCondition
    ),
    st.lists(st.sampled_from(CODES), max_size=4).map(build_link_condition),
    st.builds(FieldCondition, st.sampled_from(["sex", "outcome", "status"]), VALUES),
    st.builds(CategoryCondition, st.sampled_from(["district", "any_flag"]), VALUES, st.booleans()),
    TERMS.map(AnyTermCondition),
    TERMS.map(SeveralTermsCondition),
    TERMS.map(SingleTermCondition),
    st.lists(
        AGES.map(build_age_condition) | VALUES.map(lambda sexes: FieldCondition("sex", sexes)),
        min_size=1,
        max_size=2,
        unique_by=lambda condition: condition.dimension,
    ).map(build_victim_condition),
    st.sampled_from([WITHOUT_VICTIM, WITHOUT_REFERENCE]),
    st.integers(0, 9).map(lambda number: NamedCondition(f"Q1 row:{number}")),
)

CONDITIONS = st.recursive(PLAIN, lambda inner: inner.map(Not) | inner.map(OfVictim), max_leaves=3)


@given(CONDITIONS)
def test_a_condition_is_read_from_its_text(condition: Condition) -> None:
    assert parse_condition(condition.text) == condition
    assert hash(parse_condition(condition.text)) == hash(condition)
    assert parse_condition(condition.text).dimension == condition.dimension


@given(CONDITIONS, CONDITIONS)
def test_two_conditions_with_one_text_are_one_condition(
    first: Condition, second: Condition
) -> None:
    assert (first == second) == (first.text == second.text)


@pytest.mark.parametrize("scope", SCOPES)
def test_every_text_in_an_answer_is_read_back_unchanged(scope: str) -> None:
    whole = answer(asking(QUESTIONS, scope), weighted_records())
    texts = {*whole.scope.means}
    for question in whole.questions:
        table = question.table
        all_means = [
            *(column.means for column in table.columns),
            *(row.means for row in table.rows_and_total),
            *(figure.means for figure in question.figures),
            *(term.means for term in question.terms),
        ]
        texts |= {*question.means, *(text for means in all_means for text in means)}
    texts |= {
        text for cell in list_printed_cells(whole) for text in cell.population.condition_texts
    }
    texts |= {condition.text for cell in list_cells(whole) for condition in cell.conditions}
    assert len(texts) > 30
    for text in texts:
        assert parse_condition(text).text == text


@pytest.mark.parametrize(
    "text",
    ["age:x", "age:1-2-3", "period:2017", "period:2017-99-01/", "sex", "part of a", ":", "x:0"],
)
def test_a_text_that_cannot_be_read_is_a_name(text: str) -> None:
    assert parse_condition(text) == NamedCondition(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("age:12-15,0-11", "age:0-15"),
        ("offence:88/1,22B", "offence:22B,88/1"),
        ("sex:M|F", "sex:F|M"),
        ("victim no sex:M|F", "victim no sex:F|M"),
    ],
)
def test_a_text_in_another_order_is_the_same_condition(text: str, canonical: str) -> None:
    assert parse_condition(text) == parse_condition(canonical)
    assert parse_condition(text).text == canonical


AGES_OF = range(121)


@given(st.lists(AGES, min_size=1, max_size=3), st.lists(AGES, min_size=1, max_size=3))
def test_ages_are_compared_and_intersected_as_sets(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    def members(bands: list[tuple[int, int]]) -> set[int]:
        return {age for age in AGES_OF if any(a <= age <= b for a, b in bands)}

    a, b = build_age_condition(*first), build_age_condition(*second)
    assert covers_condition(a, b) == (members(second) < members(first))
    shared = intersect_conditions(a, b)
    assert shared == build_age_condition(*((age, age) for age in members(first) & members(second)))


#: Classes with sub-codes of another category, the categories of both, and others.
CODES_ACROSS = st.sampled_from(["8", "10", "10C", "8/11", "71", "71/17", "88", "88A", "22B", "21"])


@given(
    st.lists(CODES_ACROSS, min_size=1, max_size=3), st.lists(CODES_ACROSS, min_size=1, max_size=3)
)
def test_offence_codes_are_intersected_as_what_they_count(
    first: list[str], second: list[str]
) -> None:
    shared = intersect_conditions(build_offence_condition(first), build_offence_condition(second))
    table = load_offence_table()
    assert isinstance(shared, OffenceCondition)
    assert table.covered(shared.codes) == table.covered(first) & table.covered(second)


@given(st.lists(st.lists(AGES, min_size=1, max_size=2), min_size=1, max_size=4))
def test_ages_are_cut_into_pieces_that_do_not_overlap(bands: list[list[tuple[int, int]]]) -> None:
    conditions = tuple(dict.fromkeys(build_age_condition(*band) for band in bands))
    pieces = partition_conditions(conditions)
    every = {piece for parts in pieces.values() for piece in parts}
    ages = {piece: _ages(piece.text) for piece in every}
    assert sum(map(len, ages.values())) == len(set().union(*ages.values()))
    for condition, parts in pieces.items():
        assert set().union(*(ages[piece] for piece in parts)) == _ages(condition.text)


def _ages(text: str) -> set[int]:
    bands = (part.split("-") for part in text.removeprefix("age:").split(","))
    return {age for first, last in bands for age in range(int(first), int(last) + 1)}


@given(st.lists(CONDITIONS, max_size=6), st.randoms())
def test_conditions_are_simplified_alike_in_any_order(
    conditions: list[Condition], dice: random.Random
) -> None:
    once = simplify_conditions(sorted(conditions, key=str))
    assert simplify_conditions(sorted(once, key=str)) == once
    assert once == simplify_conditions(sorted(dice.sample(conditions, len(conditions)), key=str))


def test_what_one_victim_meets_together_implies_each_part_and_follows_from_all_of_them() -> None:
    aged, girls = build_age_condition((0, 15)), FieldCondition("sex", frozenset("F"))
    both = build_victim_condition([aged, girls])
    assert both.text == "victim age:0-15&sex:F"
    assert covers_condition(build_victim_condition([build_age_condition((0, 17))]), both)
    assert covers_condition(OfVictim(girls), both)
    assert not covers_condition(both, OfVictim(girls))
    assert not covers_condition(build_victim_condition([build_age_condition((0, 11))]), both)
    younger = build_age_condition((0, 11))
    assert simplify_conditions([both, younger, girls]) == {younger, girls}
    assert simplify_conditions([both, OfVictim(aged), OfVictim(girls)]) == {both}
    assert simplify_conditions([both, younger]) == {both, younger}
