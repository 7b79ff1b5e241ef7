"""The kinds of records that numbers tell apart: each kind of condition has its part of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from indexer.records.model import PEOPLE_LISTS, SUSPECTS
from queries.answer.condition import (
    SEX_FIELDS,
    WITHOUT_PEOPLE,
    AgeCondition,
    AnyTermCondition,
    CategoryCondition,
    Condition,
    FieldCondition,
    IntervalCondition,
    LinkCondition,
    NamedCondition,
    Not,
    OffenceCodeCondition,
    OffenceCondition,
    OffenceGroupCondition,
    OffencePiece,
    OfPerson,
    OfSuspect,
    OfVictim,
    PeriodCondition,
    SampleCondition,
    SeveralTermsCondition,
    SingleTermCondition,
    SuspectAgeCondition,
    TermCountCondition,
    TermPiece,
    TermsCondition,
    Together,
    build_age_condition,
    build_field_condition,
)
from queries.answer.types import ANY_STATUS, PEOPLE_OF_LIST, PEOPLE_UNITS
from queries.disclosure.attack.attacker import Bounds, are_consistent, attack_system
from queries.disclosure.attack.constraints import Population, build_system, make_population
from queries.disclosure.attack.record_kinds import MAX_KINDS, RecordKind, sum_kinds

GIRL = Together(frozenset({build_age_condition((0, 11)), build_field_condition("sex", ["F"])}))

TERMS = frozenset({"alpha", "beta", "gamma"})

#: One of each kind of condition, with the unit of numbers that have it.
EXAMPLES: dict[type[Condition], tuple[str, Condition]] = {
    PeriodCondition: ("offences", PeriodCondition(((736_000, 736_100),))),
    AgeCondition: ("victims", build_age_condition((0, 11))),
    SampleCondition: ("offences", SampleCondition(((1, 40),), order="a")),
    SuspectAgeCondition: ("suspects", build_age_condition((0, 11), people=SUSPECTS)),
    OffenceCondition: ("offences", OffenceCondition(frozenset({"22B"}))),
    OffenceCodeCondition: ("offences", OffenceCodeCondition("88/1")),
    OffenceGroupCondition: ("offences", OffenceGroupCondition("Sexual offences")),
    LinkCondition: ("offences", LinkCondition(frozenset({"86/2"}))),
    FieldCondition: ("offences", build_field_condition("outcome", ["1"])),
    CategoryCondition: ("offences", CategoryCondition("flag", frozenset({"knife"}), many=True)),
    AnyTermCondition: ("offences", AnyTermCondition(frozenset({"alpha"}))),
    SeveralTermsCondition: ("offences", SeveralTermsCondition(TERMS)),
    SingleTermCondition: ("offences", SingleTermCondition(TERMS)),
    TermCountCondition: ("offences", TermCountCondition(TERMS, 2)),
    Not: ("offences", Not(LinkCondition(frozenset({"86/2"})))),
    OfSuspect: ("offences", OfSuspect(build_field_condition("sex of suspect", ["F"]))),
    OfVictim: ("offences", OfVictim(build_field_condition("sex", ["F"]))),
    Together: ("offences", OfVictim(GIRL)),
    NamedCondition: ("offences", WITHOUT_PEOPLE["suspects"]),
}

#: Made by the attack itself, and never of a number that is printed; and what others are made of.
WITHOUT_EXAMPLE = {
    OffencePiece, TermPiece, RecordKind, IntervalCondition, OfPerson, TermsCondition,
}  # fmt: skip


def list_kinds(kind: type[Condition] = Condition) -> Iterator[type[Condition]]:
    """Every kind of condition that the program has."""
    for direct in kind.__subclasses__():
        if direct.__module__.startswith("queries.") and not direct.__name__.startswith("_"):
            yield direct
        yield from list_kinds(direct)


def test_every_kind_of_condition_has_an_example() -> None:
    assert {*list_kinds()} - WITHOUT_EXAMPLE == EXAMPLES.keys()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_of_condition_has_a_part_of_the_kinds_of_records(kind: type[Condition]) -> None:
    """One whose number were the sum of no kinds, or of all, would be known to be 0, or all."""
    unit, condition = EXAMPLES[kind]
    whole, part = (unit, frozenset[Condition]()), (unit, frozenset({condition}))
    sums = sum_kinds([whole, part], MAX_KINDS, presuming=True)
    assert sums
    assert set() < {*sums.parts[part]} < {*sums.parts[whole]}


def test_a_number_of_every_unit_but_of_different_people_is_a_sum_of_kinds() -> None:
    units = (
        "offences",
        "records",
        *PEOPLE_OF_LIST,
        *(f"{name} of records" for name in PEOPLE_OF_LIST),
    )
    for unit in units:
        sums = sum_kinds([(unit, frozenset())], MAX_KINDS, presuming=True)
        assert sums
        assert sums.parts[unit, frozenset()], unit
    assert {*units} | {*PEOPLE_UNITS} == {*ANY_STATUS, *ANY_STATUS.values(), *PEOPLE_UNITS}


def find_range(target: Population, known: dict[Population, int]) -> Bounds:
    bounds = {population: Bounds(number, number) for population, number in known.items()}
    system = build_system([target, *known], (), most_kinds=MAX_KINDS)
    assert are_consistent(system, bounds)
    return attack_system(system, bounds, [target])[target]


@pytest.mark.parametrize("name", ["victim", "suspect"])
def test_records_with_people_and_without_them_are_compared_with_the_people(name: str) -> None:
    """Of 9 records 7 have nobody, so 2 have the 3 people, and neither has more than 2 of them."""
    people = f"{name}s"
    without = make_population("offences", [WITHOUT_PEOPLE[people]])
    children = make_population(
        people, [EXAMPLES[AgeCondition if name == "victim" else SuspectAgeCondition][1]]
    )
    everybody, records = Population(people, frozenset()), Population("offences", frozenset())
    assert find_range(everybody, {records: 9, without: 9}) == Bounds(0, 0)
    assert find_range(everybody, {records: 9, without: 7}).low == 2
    assert find_range(without, {records: 9, everybody: 3}).low == 6
    assert find_range(children, {records: 9, everybody: 3}) == Bounds(0, 3)


@pytest.mark.parametrize("name", SEX_FIELDS)
def test_records_of_one_who_meets_two_conditions_are_compared_with_such_people(name: str) -> None:
    """A girl is one person; a boy and a woman of one record are not."""
    woman = build_field_condition(SEX_FIELDS[name], ["F"])
    child = build_age_condition((0, 11), people=PEOPLE_LISTS[name])
    of_person = {"victims": OfVictim, "suspects": OfSuspect}[name]
    girls, women = make_population(name, [child, woman]), make_population(name, [woman])
    with_girl = make_population("offences", [of_person(Together(frozenset({child, woman})))])
    with_women = make_population("offences", [of_person(woman)])
    assert find_range(girls, {with_girl: 4}).low == 4
    assert find_range(with_girl, {girls: 3}) == Bounds(1, 3)
    assert find_range(with_girl, {women: 6, with_women: 5, girls: 0}) == Bounds(0, 0)
    assert find_range(with_women, {with_girl: 4, women: 6}) == Bounds(4, 6)
