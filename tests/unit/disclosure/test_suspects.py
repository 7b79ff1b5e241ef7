"""What is known of suspects: within which groups they are, and that victims are others."""

from __future__ import annotations

from itertools import permutations

import pytest

from indexer.records.model import SUSPECTS
from queries.answer.condition import (
    Condition,
    build_age_condition,
    build_field_condition,
    build_person_condition,
    build_victim_condition,
)
from queries.answer.condition_text import describe_condition, parse_condition
from queries.answer.inference import covers_condition
from queries.answer.types import PEOPLE_OF_LIST
from queries.disclosure.attack.constraints import Population, build_system
from queries.disclosure.attack.nesting import NestingIndex
from queries.disclosure.attack.record_kinds import sum_kinds
from queries.disclosure.policy import Policy
from queries.disclosure.populations import list_printed_cells
from queries.disclosure.release import protect_answer
from queries.request.reader import parse_request
from tests.support.fake_search import answer

VICTIM_CHILD = build_age_condition((0, 17))

SUSPECT_CHILD = build_age_condition((0, 17), people=SUSPECTS)


def test_an_age_of_a_suspect_is_written_read_and_described() -> None:
    assert SUSPECT_CHILD.text == "age of suspect:0-17"
    assert parse_condition(SUSPECT_CHILD.text) == SUSPECT_CHILD
    assert describe_condition(SUSPECT_CHILD) == "aged 0 to 17"
    assert covers_condition(SUSPECT_CHILD, build_age_condition((3, 9), people=SUSPECTS))


def test_nothing_follows_from_an_age_of_a_suspect_for_a_victim() -> None:
    ages = (VICTIM_CHILD, SUSPECT_CHILD, build_victim_condition([VICTIM_CHILD]))
    followed = {(a, b) for a, b in permutations(ages, 2) if covers_condition(a, b)}
    assert followed == {(ages[2], VICTIM_CHILD)}


def test_suspects_are_part_of_their_records_and_not_of_victims() -> None:
    """A group of records that is withheld is broken down by its suspects as by its victims."""
    everybody = {
        unit: Population(unit, frozenset())
        for unit in ("offences", "victims", "suspects", *PEOPLE_OF_LIST.values())
    }
    index = NestingIndex(everybody.values())

    def list_parts(unit: str) -> set[str]:
        return {part.unit for part in index.find_parts([everybody[unit]], everybody.values())}

    assert list_parts("offences") == {"victims", "suspects", "people", "suspected people"}
    assert list_parts("suspects") == {"suspected people"}
    assert list_parts("victims") == {"people"}


@pytest.mark.parametrize("name", ["victims", "suspects"])
def test_different_people_are_no_more_than_the_people_of_their_list(name: str) -> None:
    people, different = (Population(unit, frozenset()) for unit in (name, PEOPLE_OF_LIST[name]))
    (constraint,) = build_system([people, different], ()).constraints
    assert dict(constraint.terms) == {different: 1, people: -1}
    assert constraint.high == 0


def test_records_chosen_by_one_suspect_are_no_more_than_such_suspects_of_them() -> None:
    """A record with a girl has a child, also where only the people of such records are counted."""
    parts = [SUSPECT_CHILD, build_field_condition("sex of suspect", ["F"])]
    chosen = build_person_condition(parts, SUSPECTS)
    records = Population("offences", frozenset({chosen}))
    children = Population("suspects", frozenset({chosen, SUSPECT_CHILD}))
    (constraint,) = build_system([records, children], ()).constraints
    assert dict(constraint.terms) == {records: 1, children: -1}
    assert constraint.high == 0


def test_few_suspects_are_withheld_and_so_is_what_gives_them_away() -> None:
    text = (
        "reference: R\ntitle: T\nperiod: 2017/18\nquestions: [{id: Q1, kind: suspects, "
        "youngest: true, youngest_sex: true, bands: [{to: 17}, {from: 18}]}]"
    )
    ages = [12, 15, *[30] * 12]
    records = [
        {
            "crime_ref": f"R{number}",
            "recorded_on": "2017-06-01",
            "offence_code": "22B",
            "narrative": "",
            "suspects": [{"suspect_ref": f"S{number}", "age": age, "sex": "M"}],
        }
        for number, age in enumerate(ages)
    ]
    published = protect_answer(answer(parse_request(text), records), Policy(threshold=5)).answer
    (question,) = published.questions
    counts = {row.label: row.counts for row in question.table.rows_and_total}
    assert counts["Aged 17 and under"] == (None, None)
    assert counts["All suspects asked about"] == (14, 14) or None in counts["Aged 18 and over"]
    assert {question.facts["youngest"], question.facts["youngest_sex"]} == {"[c]"}
    printed = {cell.number for cell in list_printed_cells(published)}
    assert not printed & {1, 2, 3, 4}


def test_a_record_is_chosen_by_a_suspect_as_by_a_victim() -> None:
    """What one suspect must be is written, read, described, and compared only with suspects."""
    parts = [SUSPECT_CHILD, build_field_condition("sex of suspect", ["M"])]
    boy, child = (
        build_person_condition(parts, SUSPECTS),
        build_person_condition(parts[:1], SUSPECTS),
    )
    assert boy.text == "suspect age of suspect:0-17&sex of suspect:M"
    assert parse_condition(boy.text) == boy
    assert describe_condition(boy) == "with a suspect aged 0 to 17 and with sex M"
    victim = build_victim_condition([VICTIM_CHILD])
    followed = {(a, b) for a, b in permutations((boy, child, victim), 2) if covers_condition(a, b)}
    assert followed == {(child, boy)}


def test_kinds_of_records_tell_apart_how_their_suspects_meet_conditions() -> None:
    """A record with a boy has a child; one with a child and a man may have no boy."""
    age, sex = SUSPECT_CHILD, build_field_condition("sex of suspect", ["M"])
    met: dict[str, list[Condition]] = {"child": [age], "male": [sex], "boy": [age, sex]}
    conditions = {
        name: frozenset({build_person_condition(parts, SUSPECTS)}) for name, parts in met.items()
    }
    numbers = {name: ("offences", entry) for name, entry in conditions.items()}
    sums = sum_kinds(numbers.values(), 100, presuming=True)
    assert sums
    parts = {name: set(sums.parts[number]) for name, number in numbers.items()}
    assert parts["boy"] < parts["child"] & parts["male"]
    assert parts["child"] - parts["male"]


def test_the_suspects_of_records_that_are_chosen_by_one_are_no_fewer() -> None:
    chosen = frozenset({build_person_condition([SUSPECT_CHILD], SUSPECTS)})
    records, suspects = Population("offences", chosen), Population("suspects", chosen)
    (constraint,) = build_system([records, suspects], ()).constraints
    assert (dict(constraint.terms), constraint.high) == ({records: 1, suspects: -1}, 0)


CHOSEN = parse_request(
    "reference: R\ntitle: T\nperiod: {from: 2017-01-01, to: 2018-12-31}\n"
    "where: {victim: {age: {to: 17}}}\nquestions:\n"
    "  - {id: Q1, kind: suspects, within: {where: {suspect: {sex: [M, U], age: {from: 18}}}}}\n"
    "  - {id: Q2, kind: victims, bands: [{to: 11}]}\n"
    "  - {id: Q3, kind: by, by: sex, count: suspects}\n"
    "  - {id: Q4, kind: offences}\n"
)


@pytest.mark.parametrize("threshold", [0, 5])
def test_a_table_says_that_it_counts_more_people_than_chose_its_records(threshold: int) -> None:
    """Whether or not a number of it is withheld, and only if people of the same list did."""
    record = {
        "recorded_on": "2017-05-01",
        "offence_code": "22B",
        "narrative": "",
        "victims": [{"age": 9}],
        "suspects": [{"sex": "M", "age": 30}, {"sex": "F", "age": 30}],
    }
    records = [{"crime_ref": f"R{number}", **record} for number in range(3)]
    policy = Policy(threshold, 0, "give")
    published = protect_answer(answer(CHOSEN, records), policy).answer
    by_id = {question.id: question for question in published.questions}
    assert by_id["Q1"].table.total.counts[0] == (None if threshold else 6)
    sentences = {
        name: [note for note in question.notes if "not only those" in note]
        for name, question in by_id.items()
    }
    assert sentences == {
        "Q1": [
            "All suspects of these offences are counted, not only those who were male or of "
            "unknown sex and aged 18 or over."
        ],
        "Q2": [
            "All victims of these offences are counted, not only those who were aged 17 or under."
        ],
        "Q3": [],
        "Q4": [],
    }
