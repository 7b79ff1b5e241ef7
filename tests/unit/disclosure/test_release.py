"""What may be published: nothing that is withheld can be worked out, by hand and by brute force."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from indexer.config.model import DisclosureSettings, ForceSettings
from indexer.errors import DisclosureError
from queries.answer.condition import NamedCondition, build_age_condition
from queries.answer.types import (
    WITHHELD,
    Answer,
    Count,
    NearMissCount,
    NearMisses,
    QuestionAnswer,
    RuleOverride,
    format_json,
)
from queries.disclosure import release
from queries.disclosure.attack import suppression
from queries.disclosure.attack.attacker import Bounds, attack_system, find_narrow_intervals
from queries.disclosure.attack.constraints import (
    ConstraintSystem,
    LinearConstraint,
    Population,
    build_system,
)
from queries.disclosure.attack.suppression import (
    SuppressionProblem,
    choose_cells,
    tighten_constraints,
    withhold_closed_groups,
)
from queries.disclosure.policy import DisclosureSpec, Policy, resolve_policy
from queries.disclosure.populations import (
    build_answer_system,
    declare_constraints,
    list_occurring,
    list_printed_cells,
)
from queries.disclosure.release import (
    collect_known_bounds,
    list_small_counts,
    make_suppression_problem,
    protect_answer,
)
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.report import render_report_text
from tests.support.examples import examples
from tests.support.fake_search import answer as search_answer
from tests.support.kinds import asking
from tests.support.published_reader import list_perhaps_zero
from tests.support.record_types import Shares
from tests.support.rendered import rendered
from tests.support.tables import Record, a_record, answer, keywords, linked, offences, victims

FIVE = Policy(threshold=5)

DAY = date(2018, 8, 15)


def published(given_answer: Answer, policy: Policy = FIVE) -> Answer:
    return protect_answer(given_answer, policy).answer


def shown(question: QuestionAnswer) -> dict[str, tuple[Count, ...]]:
    rows = (*question.table.rows, question.table.total)
    return {row.label: row.counts for row in rows}


def by_code(**counts: int) -> list[Record]:
    return [
        a_record(code.removeprefix("c"), ages=()) for code, n in counts.items() for _ in range(n)
    ]


def intervals(found: Answer, policy: Policy = FIVE) -> dict[str, Bounds]:
    """What a reader of the published answer, and of nothing else, knows of each withheld number."""
    cells = list_printed_cells(found)
    hidden = {cell.population: cell.location for cell in reversed(cells) if cell.number is None}
    known = collect_known_bounds(cells, policy, occurring=list_occurring(found))
    bounds = attack_system(build_answer_system(found), known, hidden)
    return {hidden[one]: interval for one, interval in bounds.items()}


# The attacker, against brute force.

NAMES = [Population("offences", frozenset({NamedCondition(f"x:{n}")})) for n in range(4)]


@st.composite
def small_systems(draw: st.DrawFn) -> tuple[ConstraintSystem, dict[Population, int]]:
    """A few numbers with true relations of every kind among them."""
    counts = {one: draw(st.integers(1, 4)) for one in NAMES}
    relations = []
    for _ in range(draw(st.integers(1, 4))):
        shares = draw(st.lists(st.sampled_from([-1, 0, 1, 1]), min_size=4, max_size=4))
        terms = tuple((one, share) for one, share in zip(NAMES, shares, strict=True) if share)
        value = sum(counts[one] * share for one, share in terms)
        low = draw(st.sampled_from([None, value, value - 1]))
        high = draw(st.sampled_from([None, value, value + 1]))
        if terms:
            relations.append(LinearConstraint(terms, low, high, "drawn"))
    return ConstraintSystem(tuple(NAMES), tuple(relations)), counts


@given(small_systems(), st.sets(st.sampled_from(NAMES), min_size=1))
def test_the_attacker_finds_what_trying_every_value_finds(
    drawn: tuple[ConstraintSystem, dict[Population, int]], hidden: set[Population]
) -> None:
    system, counts = drawn
    most = 12
    bounds = {one: Bounds(1, most) if one in hidden else Bounds(n, n) for one, n in counts.items()}
    possible = []
    for drawn_values in itertools.product(
        *(range(b.low, (b.high or 0) + 1) for b in bounds.values())
    ):
        tried = dict(zip(bounds, drawn_values, strict=True))
        if all(
            (told.low is None or told.value(tried) >= told.low)
            and (told.high is None or told.value(tried) <= told.high)
            for told in system.constraints
        ):
            possible.append(tried)
    found = attack_system(system, bounds, hidden)
    for one in hidden:
        values = [tried[one] for tried in possible]
        assert found[one] == Bounds(min(values), max(values))
    for width in (1, 3, 6):
        narrow = find_narrow_intervals(
            system, bounds, sorted(hidden, key=lambda one: one.order), width
        )
        assert set(narrow) == {one for one in hidden if found[one].high - found[one].low < width}  # type: ignore[operator]


def test_an_open_number_has_no_upper_end() -> None:
    first, second = NAMES[:2]
    system = ConstraintSystem(
        (first, second), (LinearConstraint(((first, 1), (second, -1)), None, 0, "within"),)
    )
    found = attack_system(
        system, {first: Bounds(1, None), second: Bounds(1, None)}, [first, second]
    )
    assert found == {first: Bounds(1, None), second: Bounds(1, None)}


# By hand.


def test_a_total_less_the_visible_rows_gives_nothing_away() -> None:
    """The published failure: stars in the rows, yet 52 less the visible 46 is what they hide."""
    records = by_code(c21=46, c22B=4, c46=2)
    found = published(answer(records, offences(records, ["21", "22B", "46"])))
    rows = shown(found.questions[0])
    assert rows["Title of 22B"] == rows["Title of 46"] == (None,)
    # 4 and 2 alone would be known to be 1 to 5 of 6; the width of 5 needs 1 to 6.
    assert [rows["Title of 21"], rows["All offences asked about"]].count((None,)) == 1
    for interval in intervals(found).values():
        assert interval.high is None or interval.high - interval.low >= 5


def test_two_small_rows_that_are_wide_enough_need_no_third() -> None:
    records = by_code(c21=46, c22B=4, c46=3)
    found = published(answer(records, offences(records, ["21", "22B", "46"])))
    assert shown(found.questions[0]) == {
        "Title of 21": (46,),
        "Title of 22B": (None,),
        "Title of 46": (None,),
        "All offences asked about": (53,),
    }
    assert set(intervals(found).values()) == {Bounds(1, 6)}


@pytest.mark.parametrize(
    ("number", "printed"), [(0, 0), (1, None), (4, None), (5, 5), (6, 6)], ids=str
)
def test_the_threshold_is_the_first_number_that_is_printed(
    number: int, printed: int | None
) -> None:
    records = by_code(c21=number)
    found = published(answer(records, offences(records, ["21"])))
    assert shown(found.questions[0])["Title of 21"] == (printed,)
    assert found.scope.records == printed


def test_without_a_threshold_nothing_is_withheld() -> None:
    records = by_code(c21=1, c22B=3)
    given_answer = answer(records, offences(records, ["21", "22B"]))
    for policy in (Policy(), Policy(threshold=1)):
        found = published(given_answer, policy)
        assert shown(found.questions[0]) == shown(given_answer.questions[0])


def test_a_population_below_the_threshold_is_not_broken_down() -> None:
    """3 of 3: zeros in the other rows would say what all three have in common."""
    records = [a_record("22B", "Snapchat", ages=(15,)) for _ in range(3)]
    found = published(
        answer(
            records,
            offences(records, ["21", "22B"]),
            keywords(records, ["Snapchat", "Skype"], ["21", "22B"]),
            linked(3, 3),
            victims(records),
            codes=["21", "22B"],
        )
    )
    numbers = {(cell.part, cell.number) for cell in list_printed_cells(found)}
    parts = ("records", "offence", "term", "row", "total", "fact")
    assert numbers == {("status", 0), *((part, None) for part in parts)}
    assert found.questions[3].facts == {
        "offences": None, "offences_without_victim": None, "youngest": WITHHELD,
    }  # fmt: skip


def test_a_larger_population_keeps_its_zeros() -> None:
    records = [a_record("22B", "Snapchat", ages=(15,)) for _ in range(40)]
    found = published(answer(records, keywords(records, ["Snapchat", "Skype"], ["21", "22B"])))
    assert shown(found.questions[0])["Skype"] == (0, 0, 0)


def test_the_zeros_of_a_small_row_cannot_be_worked_out() -> None:
    """3 of 22B mention nothing: the columns of 21 alone would say so, term by term."""
    records = [a_record("21", "Snapchat") for _ in range(30)]
    records += [a_record("21", "Skype") for _ in range(20)]
    records += [a_record("22B") for _ in range(3)]
    found = published(answer(records, keywords(records, ["Snapchat", "Skype"], ["21", "22B"])))
    rows = shown(found.questions[0])
    assert {rows[name][2] for name in ("Snapchat", "Skype", "None of these")} == {None}
    for interval in intervals(found).values():
        assert interval.high is None or interval.high - interval.low >= 5


GIRL = {
    "crime_ref": "R1", "recorded_on": "2017-05-05", "offence_code": "22B", "outcome": 5,
    "narrative": "alpha", "victims": [{"age": 9, "sex": "F"}],
}  # fmt: skip

ABOUT_HER = (
    "{kind: victims, youngest: true, bands: [{to: 11}, {from: 12, to: 17}]}",
    "{kind: by, by: sex}",
    "{kind: by, by: outcome}",
    "{kind: keywords, keywords: [alpha, beta]}",
    "{kind: cross, rows: outcome, columns: offence}",
)


def test_one_girl_is_not_described_by_zeros_rows_or_spellings() -> None:
    """Nothing published says her age, her sex, the outcome, or the word in the record."""
    found = published(search_answer(asking(ABOUT_HER), [GIRL]))
    assert {cell.number for cell in list_printed_cells(found) if cell.part != "status"} == {None}
    outcomes, words, crossed = found.questions[2:]
    assert (outcomes.table.rows, crossed.table.rows, len(crossed.table.columns)) == ((), (), 1)
    assert [term.forms for term in words.terms] == [(), ()]
    letter = rendered(render_letter_text, found, ForceSettings(), DAY)
    assert "not found" not in letter


def test_six_girls_are_described() -> None:
    girls = [{**GIRL, "crime_ref": f"R{number}"} for number in range(6)]
    found = published(search_answer(asking(ABOUT_HER), girls))
    assert shown(found.questions[0])["Aged 12 to 17"] == (0,)
    assert len(found.questions[2].table.rows) == 1


def test_the_spellings_of_a_term_rounded_to_0_are_not_told() -> None:
    for number, told in ((0, ()), (2, ()), (20, ("Skype",))):
        records = [a_record("21", "Skype") for _ in range(number)] + by_code(c22B=30)
        (question,) = published(
            answer(records, keywords(records, ["Skype"])), Policy(rounding=5)
        ).questions
        assert tuple(form.form for form in question.terms[0].forms) == told


def test_the_same_number_is_withheld_in_every_table() -> None:
    records = by_code(c21=60, c22B=3)
    questions = (
        offences(records, ["21", "22B"]),
        keywords(records, ["Snapchat"], ["21", "22B"], "Q2"),
    )
    found = published(answer(records, *questions, codes=["21", "22B"]))
    rows = shown(found.questions[1])
    assert shown(found.questions[0])["Title of 22B"] == (None,)
    assert rows["All offences asked about"][2] is None
    assert rows["None of these"][2] is None
    assert [row.counts for row in found.scope.offences][1] == (None,)


def test_rows_that_may_overlap_but_do_not_are_guarded_as_a_sum() -> None:
    """A reader who supposes that no record is in two rows would be right."""
    records = [
        *(a_record("21", "Snapchat") for _ in range(20)),
        *(a_record("21", "Skype") for _ in range(3)),
        *(a_record("21") for _ in range(30)),
    ]
    found = published(answer(records, keywords(records, ["Snapchat", "Skype"])))
    hidden = [label for label, counts in shown(found.questions[0]).items() if counts == (None,)]
    assert "Skype" in hidden
    assert len(hidden) == 2


def test_rows_that_do_overlap_need_no_second_row() -> None:
    """53 less 30 less 20 is not the row: others mention both."""
    records = [
        *(a_record("21", "Snapchat") for _ in range(20)),
        *(a_record("21", "Snapchat", "Skype") for _ in range(3)),
        *(a_record("21") for _ in range(30)),
    ]
    found = published(answer(records, keywords(records, ["Snapchat", "Skype"])))
    assert [label for label, counts in shown(found.questions[0]).items() if counts == (None,)] == [
        "Skype"
    ]
    assert intervals(found)["Q2, Skype, Offences"] == Bounds(1, 23)


def test_a_part_that_differs_from_its_whole_by_a_few_is_withheld() -> None:
    """Two questions: victims of 0 to 15, and of 0 to 17; what lies between is 2."""
    records = [a_record("21", ages=(10,)) for _ in range(30)]
    records += [a_record("21", ages=(16,)) for _ in range(2)]
    records += [a_record("21", ages=(40,)) for _ in range(30)]
    found = published(
        answer(
            records,
            victims(records, [(0, 15)], "Q1", youngest=False),
            victims(records, [(0, 17)], "Q2", youngest=False),
        )
    )
    both = (shown(found.questions[0])["Aged 0 to 15"], shown(found.questions[1])["Aged 0 to 17"])
    assert None in both[0] + both[1]


def test_twenty_three_terms_by_five_offences_take_seconds() -> None:
    codes = ["21", "22B", "88/1", "88E", "71/17"]
    terms = [f"term {number}" for number in range(23)]
    records = [
        a_record(
            codes[(number * number) % 5],
            *(term for place, term in enumerate(terms) if (number * 7 + place) % (place * 4 + 6) == 0),
            ages=(number % 19,),
        )
        for number in range(700)
    ]  # fmt: skip
    asked = answer(
        records,
        offences(records, codes),
        keywords(records, terms, codes),
        victims(records),
        codes=codes,
    )
    start = time.monotonic()
    found = published(asked)
    assert time.monotonic() - start < 20
    assert sum(None in row.counts for row in found.questions[1].table.rows) > 5
    for interval in intervals(found).values():
        assert interval.high is None or interval.high - interval.low >= 5


# By chance.

CODES = ["21", "22B", "88E"]

TERMS = ["Snapchat", "Skype", "Omegle"]

records_drawn = st.lists(
    st.tuples(
        st.sampled_from(CODES),
        st.frozensets(st.sampled_from(TERMS), max_size=2),
        st.lists(st.sampled_from([None, 9, 13, 16, 30]), max_size=2).map(tuple),
    ),
    max_size=45,
)


def asked_of(records: Sequence[Record]) -> Answer:
    linked_count = sum("Skype" in terms for _, terms, _ in records)
    return answer(
        records,
        offences(records, CODES),
        keywords(records, TERMS, CODES),
        linked(linked_count, len(records)),
        victims(records),
        codes=CODES,
        left_out=len(records) % 4,
    )


@settings(max_examples=examples(60))
@given(records_drawn, st.integers(2, 10))
def test_no_withheld_number_can_be_worked_out(
    records: list[tuple[str, frozenset[str], tuple[int | None, ...]]], threshold: int
) -> None:
    policy = Policy(threshold=threshold)
    asked = asked_of(records)
    found = published(asked, policy)
    for before, after in zip(list_printed_cells(asked), list_printed_cells(found), strict=True):
        assert before.number is not None
        if after.number is not None:
            assert after.number == before.number
            assert not 0 < after.number < threshold
    for interval in intervals(found, policy).values():
        assert interval.high is None or interval.high - interval.low >= threshold


@settings(max_examples=examples(40))
@given(records_drawn, st.sampled_from([3, 5, 10]))
def test_no_rounded_number_can_be_worked_out(
    records: list[tuple[str, frozenset[str], tuple[int | None, ...]]], base: int
) -> None:
    policy = Policy(rounding=base)
    asked = asked_of(records)
    found = published(asked, policy)
    for before, after in zip(list_printed_cells(asked), list_printed_cells(found), strict=True):
        if after.number is not None:
            assert after.number % base == 0
            assert abs(after.number - (before.number or 0)) <= base // 2
    cells = list_printed_cells(found)
    wanted = {one.population for one in list_printed_cells(asked) if one.number}
    narrow = attack_system(build_answer_system(found), collect_known_bounds(cells, policy), wanted)
    for interval in narrow.values():
        assert interval.high is None or interval.high - interval.low >= (base - 1) // 2


# Every set of up to 11 records of two offences and two terms, as numbers of each kind of record.
KINDS = [(code, terms) for code in ("21", "22B") for terms in ((), ("a",), ("b",), ("a", "b"))]


@cache
def every_set_of_records() -> tuple[dict[str, Shares], dict[str, np.ndarray[Any, Any]]]:
    """Which kinds each printed number counts, and its value for each set, by its place."""
    sets = np.array(
        [
            np.bincount(chosen, minlength=len(KINDS) + 1)[:-1]
            for chosen in itertools.combinations_with_replacement(range(len(KINDS) + 1), 11)
        ]
    )
    tests: dict[str, Callable[[tuple[str, ...]], bool]] = {
        "a": lambda terms: "a" in terms,
        "b": lambda terms: "b" in terms,
        "None of these": lambda terms: not terms,
        "All offences asked about": lambda terms: True,  # noqa: ARG005
    }
    shares, found = {}, {}
    for label, test in tests.items():
        for column, codes in (("Offences", CODES), ("21", ["21"]), ("22B", ["22B"])):
            counted = tuple(int(test(terms) and code in codes) for code, terms in KINDS)
            shares[f"Q2, {label}, {column}"] = counted
            found[f"Q2, {label}, {column}"] = sets @ np.array(counted)
    return shares, found


@settings(max_examples=examples(60))
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=7), st.integers(2, 3))
def test_no_withheld_number_can_be_worked_out_by_trying_every_set_of_records(
    kinds: list[tuple[str, tuple[str, ...]]], threshold: int
) -> None:
    """This reader needs no relation: he knows only how records are counted and withheld."""
    records = [a_record(code, *terms) for code, terms in kinds]
    asked = answer(
        records,
        offences(records, ["21", "22B"]),
        keywords(records, ["a", "b"], ["21", "22B"]),
        codes=["21", "22B"],
    )
    every = list_printed_cells(published(asked, Policy(threshold=threshold)))
    shares, possible = every_set_of_records()
    printed = {cell.location: cell.number for cell in every if cell.location in shares}
    perhaps_zero = list_perhaps_zero(shares, printed)
    fits = np.logical_and.reduce(
        [
            numbers == number
            if (number := printed[place]) is not None
            else numbers >= (place not in perhaps_zero)
            for place, numbers in possible.items()
        ]
    )
    for place, numbers in possible.items():
        if printed[place] is None:
            assert numbers[fits].max() - numbers[fits].min() >= threshold


def test_a_part_is_at_most_its_whole() -> None:
    inner = Population("people", frozenset({build_age_condition((0, 15))}))
    outer = Population("people", frozenset({build_age_condition((0, 17))}))
    system = build_system([inner, outer], [])
    found = attack_system(system, {inner: Bounds(1, None), outer: Bounds(3, 3)}, [inner])
    assert found[inner] == Bounds(1, 3)


def problem_of(asked: Answer, policy: Policy) -> SuppressionProblem:
    cells = list_printed_cells(asked)
    counts = {cell.population: cell.number for cell in cells if cell.number is not None}
    stated = tighten_constraints(declare_constraints(asked), counts, policy.threshold)
    return withhold_closed_groups(
        make_suppression_problem(cells, counts, build_system(counts, stated), policy)
    )


def weight(problem: SuppressionProblem, hidden: Iterable[Population]) -> int:
    """In how many places numbers are withheld. The zeros of closed groups come with them."""
    return sum(problem.weights[one] for one in hidden if problem.counts[one])


def optimum(problem: SuppressionProblem) -> int:
    """The least weight of a choice that protects, by trying every one."""
    free = sorted(problem.may - problem.must, key=lambda one: one.order)

    def choices() -> Iterator[frozenset[Population]]:
        every = [
            problem.must | set(extra)
            for size in range(len(free) + 1)
            for extra in itertools.combinations(free, size)
        ]
        yield from sorted(every, key=lambda hidden: weight(problem, hidden))

    for choice in choices():
        hidden = problem.close_groups(choice)
        wanted = sorted(hidden, key=lambda one: one.order)
        if not find_narrow_intervals(
            problem.system, problem.attacker_bounds(hidden), wanted, problem.width
        ):
            return weight(problem, choice)
    raise AssertionError("everything withheld protects")


@settings(max_examples=examples(25))
@given(st.lists(st.integers(0, 9), min_size=2, max_size=5), st.integers(2, 6))
@pytest.mark.parametrize("exact", ["exact", "greedy"])
def test_no_more_is_withheld_than_needed(exact: str, rows: list[int], threshold: int) -> None:
    codes = ["21", "22B", "88E", "46", "8N"][: len(rows)]
    records = [
        a_record(code, *(["Skype"] if n % 2 else []))
        for code, rows_of in zip(codes, rows, strict=True)
        for n in range(rows_of)
    ]
    asked = answer(records, offences(records, codes), keywords(records, ["Skype"]))
    problem = problem_of(asked, Policy(threshold=threshold))
    assume(len(problem.may - problem.must) <= 7)
    with pytest.MonkeyPatch.context() as patch:
        if exact == "greedy":
            patch.setattr(suppression, "MAX_EXACT_CHOICES", 0)
        hidden = choose_cells(problem)
    wanted = sorted(hidden, key=lambda one: one.order)
    assert not find_narrow_intervals(
        problem.system, problem.attacker_bounds(hidden), wanted, problem.width
    )
    assert weight(problem, hidden) <= (1 if exact == "exact" else 2) * optimum(problem)


# Nothing of what is withheld is left anywhere.


def test_notes_forms_and_facts_do_not_tell_what_is_withheld() -> None:
    records = [a_record("22B", "Snapchat", "Skype", ages=(3,)) for _ in range(3)]
    records += [a_record("22B", "Skype", ages=(16,)) for _ in range(40)]
    asked = answer(records, keywords(records, ["Snapchat", "Skype"]), victims(records))
    assert any("add up to 46" in note for note in asked.questions[0].notes)
    found = published(asked)
    by_term, by_age = found.questions
    assert by_term.notes == ("A record may be in several rows; the total counts each once.",)
    assert [term.records for term in by_term.terms] == [None, 43]
    assert [[form.records for form in term.forms] for term in by_term.terms] == [[], [None]]
    assert by_age.facts["youngest"] == WITHHELD
    assert "add up" not in format_json(found)


@pytest.mark.parametrize(
    ("rule", "told"), [("withhold", WITHHELD), ("band", "aged 0 to 11"), ("give", 3)]
)
def test_the_age_of_the_youngest_of_few_is_not_told(rule: str, told: object) -> None:
    records = [a_record(ages=(3,)), *(a_record(ages=(16,)) for _ in range(40))]
    policy = msgspec.convert({"threshold": 5, "youngest": rule}, Policy)
    found = published(answer(records, victims(records)), policy)
    assert found.questions[0].facts["youngest"] == told


@pytest.mark.parametrize("rule", ["withhold", "band"])
def test_the_youngest_does_not_tell_a_rounded_none_from_a_few(rule: str) -> None:
    policy = msgspec.convert({"rounding": 5, "youngest": rule}, Policy)
    for number in (0, 1, 2):
        records = [a_record("22B", ages=(15,)) for _ in range(number)]
        found = published(answer(records, victims(records)), policy)
        assert found.questions[0].facts["youngest"] == WITHHELD


def test_the_age_of_the_youngest_of_many_is_told() -> None:
    records = [a_record(ages=(16,)) for _ in range(40)]
    found = published(answer(records, victims(records)))
    assert found.questions[0].facts["youngest"] == 16


def test_a_fact_that_no_one_explained_is_withheld_beside_withheld_numbers() -> None:
    records = by_code(c21=60, c22B=3)
    question = msgspec.structs.replace(offences(records, ["21", "22B"]), facts={"smallest": 3})
    assert published(answer(records, question)).questions[0].facts == {"smallest": WITHHELD}


def test_the_hash_of_the_records_behind_an_answer_is_not_published() -> None:
    asked = answer([], offences([], ["21"]))
    kept = msgspec.structs.replace(asked.provenance, basis="ef" * 32)
    found = published(msgspec.structs.replace(asked, provenance=kept))
    assert found.provenance == asked.provenance


def test_an_answer_with_a_hole_in_its_proof_is_not_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proof does not trust the choice: here only the small rows are withheld."""
    monkeypatch.setattr(release, "choose_cells", lambda problem: problem.must)
    records = by_code(c21=46, c22B=4, c46=2)
    with pytest.raises(DisclosureError, match=r"would be known to lie from \d to \d"):
        published(answer(records, offences(records, ["21", "22B", "46"])))


def test_the_solver_says_nothing_on_standard_output() -> None:
    code = "from queries.disclosure.attack.attacker import make_solver; s = make_solver(); s.addVar(0, 1); s.run()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (ran.stdout, ran.stderr) == (b"", b"")


# How it is told.


def everything(records: Sequence[Record]) -> Answer:
    return answer(
        records,
        offences(records, CODES),
        keywords(records, TERMS, CODES),
        linked(sum("Skype" in terms for _, terms, _ in records), len(records)),
        victims(records),
        codes=CODES,
        left_out=2,
    )


@pytest.mark.parametrize("policy", [FIVE, Policy(rounding=5)], ids=["threshold", "rounding"])
@pytest.mark.parametrize("number", [0, 1, 3, 40])
def test_a_published_answer_is_rendered_everywhere(number: int, policy: Policy) -> None:
    records = [a_record("22B", "Skype", ages=(15,)) for _ in range(number)]
    records += [a_record("21", "Omegle", "Skype", ages=(9, 12)) for _ in range(number // 2)]
    found = published(everything(records), policy)
    for renderer in (render_letter_text, render_letter_html, render_report_text):
        text = rendered(renderer, found, ForceSettings(), DAY)
        assert "None," not in text
        assert "None " not in text.replace("None of these", "").replace("None: ", "")
        hidden = any(None in row.counts for one in found.questions for row in one.table.rows)
        assert WITHHELD in text or not hidden
        assert "withheld number of cancelled records are" in text or policy.rounding


def test_the_officer_is_told_of_small_numbers() -> None:
    records = by_code(c21=46, c22B=4)
    asked = answer(records, offences(records, ["21", "22B"]))
    assert list_small_counts(asked, 5) == ["Q1, Title of 22B, Offences: 4"]
    assert list_small_counts(asked, 4) == []
    text = rendered(render_report_text, asked, ForceSettings(), DAY, flag=5)
    assert "  Q1, Title of 22B, Offences: 4\n" in text


# Whose policy it is.


def test_a_request_may_be_stricter_than_the_force() -> None:
    assert resolve_policy(DisclosureSettings(threshold=5), DisclosureSpec(threshold=10)) == Policy(
        10
    )
    assert resolve_policy(DisclosureSettings(), DisclosureSpec(rounding=5)) == Policy(rounding=5)
    assert resolve_policy(DisclosureSettings(threshold=5), DisclosureSpec()) == Policy(5)


@pytest.mark.parametrize(
    ("asked", "weaker"),
    [
        (
            DisclosureSpec(threshold=3),
            "numbers from 3 to 4 are given, where usually they are withheld",
        ),
        (
            DisclosureSpec(threshold=0, rounding=5),
            "numbers below 5 are given, where usually they are withheld",
        ),
        (
            DisclosureSpec(youngest="band"),
            "the youngest age is given as a band, where usually it is withheld",
        ),
    ],
)
def test_a_request_that_is_less_strict_needs_a_reason_which_is_kept(
    asked: DisclosureSpec, weaker: str
) -> None:
    force = DisclosureSettings(threshold=5)
    with pytest.raises(DisclosureError, match=weaker):
        resolve_policy(force, asked)
    assert resolve_policy(force, asked, "agreed with the data owner").overrides == (
        RuleOverride(weaker, "agreed with the data owner"),
    )
    told = msgspec.structs.replace(asked, reason="public already")
    found = published(answer([], offences([], ["21"])), resolve_policy(force, told))
    assert found.disclosure is not None
    assert found.disclosure.overrides == (RuleOverride(weaker, "public already"),)


def test_a_threshold_and_rounding_are_alternatives() -> None:
    with pytest.raises(DisclosureError, match="alternatives"):
        resolve_policy(DisclosureSettings(threshold=5), DisclosureSpec(rounding=5))


# Near misses: words of narratives.


def near(records: int, added: int, *places: str) -> NearMissCount:
    return NearMissCount("live stream", places or ("mentions",), f"word{records}", records, added)


def with_near(given_answer: Answer, *told: NearMissCount) -> Answer:
    return msgspec.structs.replace(
        given_answer, near_misses=NearMisses(5, complete=True, told=told)
    )


def test_a_near_miss_is_published_without_its_numbers_and_never_a_rare_one() -> None:
    records = by_code(c21=30, c22B=40)
    whole = with_near(
        answer(records, offences(records, ["21", "22B"])),
        near(9, 3),
        near(88, 10, "Q2"),
        near(10, 10),
    )
    assert published(whole).near_misses == NearMisses(
        5,
        complete=True,
        told=tuple(
            NearMissCount("live stream", (place,), f"word{n}", None, None)
            for place, n in (("Q2", 88), ("mentions", 10), ("mentions", 9))
        ),
    )
    stricter = published(whole, Policy(threshold=10)).near_misses
    assert stricter
    assert (stricter.least, [one.wording for one in stricter.told]) == (
        10,
        ["word88", "word10"],
    )
    rounded = published(whole, Policy(rounding=20)).near_misses
    assert rounded
    assert [one.wording for one in rounded.told] == ["word88"]


def test_a_near_miss_tells_nothing_of_a_scope_whose_size_is_withheld() -> None:
    """Five records of the scope hold it, so the scope would be known to have five or more."""
    records = by_code(c21=3)
    found = published(
        with_near(answer(records, offences(records, ["21"])), near(6, 6, "Q2"), near(7, 7))
    )
    assert found.scope.records is None
    assert found.near_misses
    assert [one.wording for one in found.near_misses.told] == ["word7"]


def test_a_near_miss_that_would_add_few_records_is_called_small() -> None:
    records = by_code(c21=30)
    assert list_small_counts(with_near(answer(records), near(9, 4), near(8, 8), near(7, 0)), 5) == [
        'annex, "word9", which no figure for "live stream" counts: 4'
    ]


def test_a_total_of_which_every_row_is_left_out_may_still_be_anything() -> None:
    """Its rows, which list what occurs, are no parts that add up to nothing."""
    record = {"crime_ref": "R0", "recorded_on": "2016-04-01", "offence_code": "22B"}
    scope = "period: {from: 2016-04-01, to: 2018-03-31}"
    closed = published(search_answer(asking(["{kind: offences}"], scope), [record]))
    assert closed.questions[0].table.rows == ()
    assert {bounds.low for bounds in intervals(closed).values()} == {1}
