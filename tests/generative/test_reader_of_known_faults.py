"""The reader of published answers finds every fault that was found by hand.

The numbers are those that were published while the fault was there, so these tests show what the
reader can do, and not what is published now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.support.fake_search import answer
from tests.support.kinds import asking
from tests.support.published_reader import (
    ImpossibleNumbersError,
    PublishedReader,
    Range,
    Reading,
    Rule,
)
from tests.support.record_types import (
    Numbers,
    Record,
    Shares,
    combine,
    count_kinds,
    list_numbers,
    multiply,
)
from tests.support.release_sequences import Attempt, attack_sequence

FIVE = Rule(threshold=5)

SCOPE = "period: {from: 2016-04-01, to: 2018-03-31}"

#: Records of four kinds: with neither word, either, or both.
MENTIONING = combine(text=["", "alpha", "beta", "alpha beta"])


def read(
    kinds: Sequence[Record],
    questions: Sequence[str],
    numbers: Mapping[str, int | None],
    scope: str = SCOPE,
    generation: int = 1,
) -> Reading:
    """A release of which only these numbers are looked at."""
    shares = count_kinds(asking(questions, scope), kinds)
    return Reading({name: shares[name] for name in numbers}, dict(numbers), FIVE, generation)


def only(kinds: Sequence[Record], **fields: object) -> Shares:
    """The number of records of which all these fields are so."""
    return tuple(
        int(all(kind.get(name) == value for name, value in fields.items())) for kind in kinds
    )


def test_an_alias_beside_its_parts() -> None:
    kinds = combine(text=["", "facebook", "fb", "facebook fb"])
    reading = read(
        kinds,
        ["{kind: keywords, keywords: [{term: Facebook, aliases: [FB]}]}", "{kind: overlap, keywords: [Facebook, FB]}"],
        {
            "Q1, Facebook, Offences": 36,
            "Q1, All offences asked about, Offences": 56,
            "Q2, Facebook, Offences": 34,
            "Q2, All of these, Offences": 6,
            "Q2, Any of these, Offences": None,
            "Q2, None of these, Offences": None,
            "Q2, FB, Offences": None,
        },
    )  # fmt: skip
    reader = PublishedReader([reading])
    assert reader.find_range(only(kinds, narrative="fb")) == Range(2, 2)
    assert reader.find_range(reading.shares["Q2, FB, Offences"]) == Range(8, 8)


def test_an_alias_that_is_not_printed_beside_its_parts() -> None:
    """The parts alone leave it open, so it is the alias that gives it away."""
    kinds = combine(text=["", "facebook", "fb", "facebook fb"])
    reading = read(
        kinds,
        ["{kind: overlap, keywords: [Facebook, FB]}"],
        {
            "Q1, All offences asked about, Offences": 56,
            "Q1, Facebook, Offences": 34,
            "Q1, All of these, Offences": 6,
            "Q1, FB, Offences": None,
        },
    )
    assert PublishedReader([reading]).find_range(only(kinds, narrative="fb")) == Range(0, 22)


def test_a_term_in_company_beside_the_term_alone() -> None:
    reading = read(
        MENTIONING,
        ["{kind: keywords, keywords: [alpha, {term: alpha, with: [beta]}]}"],
        {"Q1, alpha, Offences": 23, 'Q1, alpha (with "beta"), Offences': 20},
    )
    assert PublishedReader([reading]).find_range(only(MENTIONING, narrative="alpha")) == Range(3, 3)


def test_a_phrase_beside_one_of_its_words() -> None:
    kinds = combine(text=["", "xbox", "live", "xbox live", "live on xbox"])
    reading = read(
        kinds,
        ["{kind: keywords, keywords: [Xbox, Xbox live]}"],
        {"Q1, Xbox, Offences": 23, "Q1, Xbox live, Offences": 20},
    )
    apart = tuple(int("xbox" in k["narrative"] and k["narrative"] != "xbox live") for k in kinds)
    assert PublishedReader([reading]).find_range(apart) == Range(3, 3)


def test_a_phrase_beside_its_words_near_each_other() -> None:
    kinds = combine(text=["", "alpha", "beta", "alpha beta", "beta alpha", "alpha and beta"])
    reading = read(
        kinds,
        [
            "{kind: keywords, keywords: [alpha beta, {term: alpha, with: [{term: beta, within: 0}]}]}"
        ],
        {
            "Q1, alpha beta, Offences": 20,
            'Q1, alpha (with "beta" within 0 words), Offences': 23,
        },
    )
    other_way_round = only(kinds, narrative="beta alpha")
    assert PublishedReader([reading]).find_range(other_way_round) == Range(3, 3)


def test_records_chosen_by_a_suspect_beside_the_ages_of_their_suspects() -> None:
    """Each of the 11 records has a girl, so of 13 suspects who are no known adult 2 at most are of
    no known age."""
    girl, man, nobody_known = (
        {"age": age, "sex": sex} for age, sex in ((9, "F"), (30, "M"), (None, None))
    )
    others: tuple[list[dict[str, Any]], ...] = (
        [],
        [girl],
        [man],
        [nobody_known],
        [man, nobody_known],
        [girl, man],
    )
    kinds = combine(suspects=[[], [man], *([girl, *more] for more in others)])
    chosen = "where: {suspect: {age: {to: 11}, sex: [F]}}"
    reading = read(
        kinds,
        ["{kind: suspects, bands: [{to: 11}]}"],
        {
            "scope": 11,
            "Q1, Aged 11 and under, Suspects": None,
            "Q1, Any other known age, Suspects": 11,
            "Q1, Age not known, Suspects": None,
            "Q1, All suspects asked about, Suspects": 24,
        },
        f"{SCOPE}\n{chosen}",
    )
    reader = PublishedReader([reading])
    assert reader.find_range(reading.shares["Q1, Age not known, Suspects"]) == Range(1, 2)
    assert reader.find_range(reading.shares["Q1, Aged 11 and under, Suspects"]) == Range(11, 12)


def attack(times: Sequence[int], *readings: Reading) -> list[str]:
    attempt = Attempt("terms", [*readings], [], [], [[*times]])
    return [finding.name for finding in attack_sequence(attempt, FIVE)]


def test_a_range_that_earlier_releases_gave_is_not_what_a_release_gives_away() -> None:
    """64 of beta are of gamma, and 63 to 65 by the first release. In the other order the second
    gives that away."""
    words = ("", "alpha", "beta", "gamma", "alpha beta", "alpha gamma", "beta gamma")
    kinds = combine(text=[*words, "alpha beta gamma"])
    times = (20, 1, 0, 7, 1, 5, 6, 58)
    table = read(
        kinds,
        ["{kind: keywords, keywords: [alpha, beta, gamma]}"],
        {
            "scope": 98,
            "Q1, alpha, Offences": 65,
            "Q1, beta, Offences": 65,
            "Q1, gamma, Offences": 76,
            "Q1, None of these, Offences": 20,
        },
    )
    narrower = read(
        kinds,
        ["{kind: keywords, keywords: [gamma], within: {mentions: [beta]}}"],
        {"Q1, gamma, Offences": None},
    )
    both = narrower.shares["Q1, gamma, Offences"]
    assert PublishedReader([table]).find_range(both) == Range(63, 65)
    assert not attack(times, table, narrower)
    assert attack(times, narrower, table) == ["release 1, Q1, gamma, Offences"]


def test_a_number_that_earlier_releases_show_to_be_small_is_found_all_the_same() -> None:
    kinds, north = CONDITIONS["category"]
    whole = read(kinds, ["{kind: offences}"], {"scope": 50})
    part = read(kinds, ["{kind: offences}"], {"scope": 48}, f"{SCOPE}\n{north}")
    table = read(
        kinds,
        ["{kind: by, by: district}"],
        {"Q1, North, Offences": None, "Q1, South, Offences": None, "scope": 50},
    )
    assert attack((48, 2), whole, part, table) == ["release 3, Q1, South, Offences"]


def test_terms_of_the_scope_in_a_narrower_question() -> None:
    kinds = combine(text=["", "facebook", "snapchat", "facebook snapchat"], outcome=[1, 2])
    reading = read(
        kinds,
        ["{kind: keywords, keywords: [Snapchat], within: {where: {outcome: ['1']}}}"],
        {
            "scope": 10,
            "scope, term 1": None,
            "scope, term 2": None,
            "Q1, Snapchat, Offences": 0,
            "Q1, None of these, Offences": 9,
        },
        f"{SCOPE}\nmentions: [Facebook, Snapchat]",
    )
    found = PublishedReader([reading]).find_range(reading.shares["scope, term 2"])
    assert found == Range(1, 1)


DAYS = ("2016-05-05", "2016-06-05", "2016-07-05", "2017-01-05", "2017-05-05", "2017-12-05")

BY_DAY = combine(recorded_on=DAYS)


def nightly(generation: int, moved: int) -> list[Reading]:
    """Two releases of which the second starts in June. ``moved`` records came in between."""
    first = read(
        BY_DAY,
        [
            "{kind: by, by: quarter}",
            "{kind: by, by: financial_year}",
            "{kind: by, by: month, within: {period: {from: 2016-04-01, to: 2016-07-31}}}",
        ],
        {
            "scope": 119,
            "Q1, April to June 2016, Offences": 10,
            "Q1, July to September 2016, Offences": 9,
            "Q1, January to March 2017, Offences": 0,
            "Q1, April to June 2017, Offences": 60,
            "Q2, 2016/17, Offences": 19,
            "Q2, 2017/18, Offences": 100,
            "Q3, May 2016, Offences": None,
            "Q3, June 2016, Offences": None,
            "Q3, July 2016, Offences": 9,
        },
    )
    second = read(
        BY_DAY,
        ["{kind: by, by: quarter, within: {period: {from: 2017-04-01, to: 2018-03-31}}}",
         "{kind: offences, within: {period: {from: 2016-06-01, to: 2017-03-31}}}"],
        {
            "scope": 116 + moved,
            "Q1, April to June 2017, Offences": 60 + moved,
            "Q1, All offences asked about, Offences": 100 + moved,
            "Q2, All offences asked about, Offences": 16,
        },
        "period: {from: 2016-06-01, to: 2018-03-31}",
        generation,
    )  # fmt: skip
    return [first, second]


@pytest.mark.parametrize(("generation", "moved"), [(1, 0), (2, 0), (2, 1), (2, 3)])
def test_a_refresh_between_two_releases(generation: int, moved: int) -> None:
    first, second = nightly(generation, moved)
    may = first.shares["Q3, May 2016, Offences"]
    assert PublishedReader([first]).find_range(may) == Range(1, 9)
    assert PublishedReader([first, second]).find_range(may) == Range(3, 3)


def test_a_refresh_that_cannot_be_is_not_believed() -> None:
    """The same numbers of one generation contradict each other."""
    with pytest.raises(ImpossibleNumbersError):
        PublishedReader(nightly(1, 1)).find_range(only(BY_DAY))


def test_a_refresh_when_nothing_is_withheld() -> None:
    first = read(
        BY_DAY,
        ["{kind: by, by: financial_year}"],
        {"scope": 150, "Q1, 2016/17, Offences": 50, "Q1, 2017/18, Offences": 100},
    )
    second = read(
        BY_DAY,
        ["{kind: offences, within: {period: {from: 2016-04-01, to: 2016-12-31}}}",
         "{kind: offences, within: {period: {from: 2017-04-01, to: 2018-03-31}}}"],
        {"Q1, All offences asked about, Offences": 48, "Q2, All offences asked about, Offences": 101},
        generation=2,
    )  # fmt: skip
    last_months = only(BY_DAY, recorded_on="2017-01-05")
    assert PublishedReader([first]).find_range(last_months) == Range(0, 50)
    reader = PublishedReader([first, second])
    assert reader.find_range(last_months) == Range(2, 2)
    assert {*reader.given_up} == {"scope", "Q1, 2017/18, Offences"}


CONDITIONS = {
    "offences": (combine(offence_code=["22B", "88/1"]), "offences: [{codes: [22B]}]"),
    "sex": (combine(victims=[[{"sex": "F"}], [{"sex": "M"}]]), "where: {sex: [F]}"),
    "outcome": (combine(outcome=[1, 2]), "where: {outcome: ['1']}"),
    "category": (
        combine(categories=[{"district": "North"}, {"district": "South"}]),
        "where: {district: [North]}",
    ),
    "mentions": (combine(text=["alpha", "gamma"]), "mentions: [alpha]"),
}


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("order", ["all first", "condition first"])
def test_a_condition_that_the_other_release_lacks(name: str, order: str) -> None:
    kinds, condition = CONDITIONS[name]
    readings = [
        read(kinds, ["{kind: by, by: financial_year}"], {"scope": 50}),
        read(kinds, ["{kind: by, by: financial_year}"], {"scope": 48}, f"{SCOPE}\n{condition}"),
    ]
    for reading in readings:
        assert PublishedReader([reading]).find_range((0, 1)).width >= 48
    reader = PublishedReader(readings if order == "all first" else readings[::-1])
    assert reader.find_range((0, 1)) == Range(2, 2)


def test_a_condition_of_a_narrower_question_in_one_release() -> None:
    kinds, _ = CONDITIONS["outcome"]
    reading = read(
        kinds,
        ["{kind: offences, within: {where: {outcome: ['1']}}}"],
        {"scope": 50, "Q1, All offences asked about, Offences": 48},
    )
    assert PublishedReader([reading]).find_range((0, 1)) == Range(2, 2)


def test_two_names_of_one_population() -> None:
    days = ("2016-05-05", "2016-06-05", "2016-07-05")
    kinds = combine(text=["alpha", "beta", "alpha beta"], recorded_on=days)
    first = read(
        kinds,
        ["{kind: by, by: month}"],
        {
            "scope": 19,
            "Q1, May 2016, Offences": None,
            "Q1, June 2016, Offences": None,
            "Q1, July 2016, Offences": 9,
        },
        "period: {from: 2016-05-01, to: 2016-07-31}\nmentions: [alpha, beta]",
    )
    second = read(
        kinds,
        ["{kind: offences}"],
        {"scope": 7},
        "period: {from: 2016-06-01, to: 2016-06-30}\nmentions: [{term: alpha, aliases: [beta]}]",
    )
    may = first.shares["Q1, May 2016, Offences"]
    assert PublishedReader([first]).find_range(may) == Range(1, 9)
    assert PublishedReader([first, second]).find_range(may) == Range(3, 3)


def test_the_release_that_completes_a_difference_is_the_one_that_gives_it_away() -> None:
    """The third, a table by district, adds nothing; it must not be refused for the second."""
    kinds, north = CONDITIONS["category"]
    whole = read(kinds, ["{kind: offences}"], {"scope": 50})
    second = read(kinds, ["{kind: offences}"], {"scope": 48}, f"{SCOPE}\n{north}")
    table = read(
        kinds,
        ["{kind: by, by: district}"],
        {"Q1, North, Offences": None, "Q1, South, Offences": None, "scope": 50},
    )
    south = table.shares["Q1, South, Offences"]
    assert PublishedReader([whole]).find_range(south) == Range(0, 50)
    assert PublishedReader([whole, second]).find_range(south) == Range(2, 2)
    assert PublishedReader([whole, table]).find_range(south) == Range(1, 49)


def test_what_was_withheld_before_the_ledger_was_lost() -> None:
    kinds, _ = CONDITIONS["category"]
    questions = ["{kind: by, by: district}"]
    names = ("Q1, North, Offences", "Q1, South, Offences")
    before = read(kinds, questions, {"scope": 10, **dict.fromkeys(names)})
    after = read(kinds, questions, {names[0]: 7})
    assert PublishedReader([before]).find_range(before.shares[names[1]]) == Range(1, 9)
    assert PublishedReader([before, after]).find_range(before.shares[names[1]]) == Range(3, 3)


def test_a_small_population_that_lies_in_one_cell() -> None:
    """How many there are stays open; what they are does not."""
    people = [(age, sex) for age in (9, 13, 30, None) for sex in ("F", "M", None)]
    kinds = combine(victims=[[], *([{"age": age, "sex": sex}] for age, sex in people)])
    reading = read(
        kinds,
        ["{kind: victims, bands: [{to: 11}, {from: 12, to: 17}]}", "{kind: by, by: sex}"],
        {
            "Q1, Aged 11 and under, Victims": None,
            "Q1, Aged 12 to 17, Victims": 0,
            "Q1, Any other known age, Victims": 0,
            "Q1, Age not known, Victims": 0,
            "Q1, All victims asked about, Victims": None,
            "Q2, Female, Victims": None,
            "Q2, Male, Victims": 0,
            "Q2, Sex not recorded, Victims": 0,
        },
    )  # fmt: skip
    girls = [kind["victims"] == [{"age": 9, "sex": "F"}] for kind in kinds]
    others = tuple(
        int(bool(kind["victims"]) and not girl) for kind, girl in zip(kinds, girls, strict=True)
    )
    reader = PublishedReader([reading])
    assert reader.find_range(tuple(map(int, girls))).width > 5
    assert reader.find_range(others) == Range(0, 0)
    withheld_zeros: Numbers = dict.fromkeys(reading.numbers)
    careful = Reading(reading.shares, withheld_zeros, FIVE, 1, frozenset(reading.numbers))
    assert PublishedReader([careful]).find_range(others).width > 5


@pytest.mark.parametrize("times", [(3, 0, 9, 2), (0, 31, 1, 7)])
def test_shares_times_records_are_the_numbers_of_an_answer(times: tuple[int, ...]) -> None:
    request = asking(["{kind: overlap, keywords: [alpha, beta]}", "{kind: by, by: month}"])
    shares = count_kinds(request, MENTIONING)
    numbers = list_numbers(answer(request, multiply(MENTIONING, times)))
    assert numbers == {
        name: sum(share * number for share, number in zip(shares[name], times, strict=True))
        for name in numbers
    }
    assert shares.keys() == numbers.keys()
