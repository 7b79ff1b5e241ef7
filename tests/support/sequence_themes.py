"""What random sequences of releases ask about: their periods, their questions, and every kind of
record that these tell apart.

A reader who does not know every kind of record that may be would hold true numbers to be
impossible, so a theme lists all that its questions tell apart, and people that records may have
more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations, combinations_with_replacement
from typing import Any, NamedTuple

from tests.support.published_reader import Addition
from tests.support.record_types import Record, combine

#: A day of each stretch that the periods below tell apart.
DAYS = ("2016-05-05", "2016-08-05", "2017-02-05", "2017-05-05", "2017-12-05")

PERIODS = (
    "period: {from: 2016-04-01, to: 2018-03-31}",
    "period: {from: 2016-07-01, to: 2018-03-31}",
    "period: {from: 2016-04-01, to: 2017-03-31}",
    "period: {from: 2016-04-01, to: 2016-12-31}",
    "periods: [2016/17, 2017/18]",
    "periods: [{from: 2016-04-01, to: 2016-12-31}, {from: 2016-07-01, to: 2018-03-31}]",
)

OF_ANY = (
    "{kind: offences}",
    "{kind: by, by: financial_year}",
    "{kind: by, by: financial_year, within: {period: {from: 2016-07-01, to: 2017-09-30}}}",
    "{kind: offences, within: {period: {from: 2016-07-01, to: 2017-03-31}}}",
)


def _has_woman(people: list[dict[str, Any]]) -> object:
    return any(person.get("sex") == "F" for person in people)


class Theme(NamedTuple):
    """What the requests of a sequence ask about, and every kind of record that they tell apart.

    Of ``further`` kinds no record is made: a reader holds them to be possible all the same.
    ``always`` is part of every request. Numbers of records tell records of the same ``people`` (the
    name of a list) apart by ``told_apart`` alone.
    """

    drawn: Sequence[Record]
    questions: Sequence[str]
    conditions: Sequence[str]
    further: Sequence[Record] = ()
    always: str = ""
    people: str = "victims"
    told_apart: Callable[[list[dict[str, Any]]], object] = _has_woman

    @property
    def kinds(self) -> list[Record]:
        """Every kind of record."""
        return [*self.drawn, *self.further]


THEMES = {
    "terms": Theme(
        combine(text=["", "alpha", "beta", "alpha beta", "alpha and then beta"], recorded_on=DAYS),
        (
            "{kind: keywords, keywords: [alpha, beta]}",
            "{kind: keywords, keywords: [{term: alpha, aliases: [beta]}]}",
            "{kind: keywords, keywords: [alpha, {term: alpha, with: [beta]}]}",
            "{kind: keywords, keywords: [alpha, alpha beta]}",
            "{kind: overlap, keywords: [alpha, beta]}",
            "{kind: keywords, keywords: [beta], within: {mentions: [alpha]}}",
            "{kind: cross, rows: {keywords: [alpha, beta]}, columns: financial_year}",
        ),
        ("mentions: [alpha]", "mentions: [alpha, beta]", "mentions: [{term: alpha, aliases: [beta]}]"),
    ),
    "offences": Theme(
        combine(
            text=["", "beta"], recorded_on=DAYS, offence_code=["22B", "88/1", "88/3", "88E", "22/77"]
        ),
        (
            "{kind: by, by: offence}",
            "{kind: by, by: offence_group}",
            "{kind: keywords, keywords: [beta]}",
            "{kind: keywords, keywords: [beta], within: {offences: [{codes: [88/1]}]}}",
        ),
        ("offences: [{codes: [22B]}, {codes: [88]}, {codes: [88A]}]", "offences: [{codes: [22B]}]", "mentions: [beta]"),
        further=combine(text=["", "beta"], recorded_on=DAYS, offence_code=["88/2", "88/4", "22/3"]),
    ),
    "fields": Theme(
        combine(
            recorded_on=DAYS,
            outcome=[None, 1, 2],
            categories=[
                {name: value for name, value in (("district", district), ("flag", flag)) if value}
                for district in (None, "North", "South")
                for flag in ([], ["knife"], ["online"], ["knife", "online"])
            ],
        ),
        (
            "{kind: by, by: outcome}",
            "{kind: by, by: district}",
            "{kind: by, by: flag}",
            "{kind: cross, rows: flag, columns: district}",
            "{kind: by, by: district, within: {where: {outcome: ['1', '2'], flag: [knife]}}}",
        ),
        ("where: {district: [North]}", "where: {district: [North, South]}", "where: {outcome: ['1']}"),
    ),
    "links": Theme(
        combine(
            recorded_on=DAYS,
            status=["recorded", "cancelled"],
            linked=[
                [{"offence_code": code} for code in codes]
                for codes in ((), ("86/2",), ("88/1",), ("86/2", "88/1"))
            ],
        ),
        ("{kind: by, by: status}", "{kind: linked, codes: [86/2, 88A]}", "{kind: linked, codes: [88A]}"),
        (),
    ),
    "victims": Theme(
        combine(
            recorded_on=DAYS,
            victims=[
                *([{"age": age, "sex": sex}] * times
                  for age in (9, 13, 16, 30, None) for sex in ("F", "M", None) for times in (1, 2, 3, 5, 12)),
                [],
                [{"age": 9, "sex": "F"}, {"age": 13, "sex": "M"}],
                [{"age": 16, "sex": "M"}, {"age": 16, "sex": "F"}],
            ],
        ),
        (
            "{kind: victims, bands: [{to: 11}, {from: 12, to: 17}], youngest: false}",
            "{kind: victims, bands: [{to: 15}], youngest: false}",
            "{kind: by, by: sex}",
            "{kind: cross, rows: {bands: [{to: 11}, {from: 12, to: 17}]}, columns: sex}",
            "{kind: by, by: sex, within: {where: {sex: [F]}}}",
        ),
        ("where: {sex: [F]}",),
        further=combine(
            recorded_on=DAYS,
            victims=[
                [{"age": 9, "sex": sex}, {"age": age, "sex": other}]
                for sex, others in (("F", ("F", "M", None)), ("M", ("M", None)))
                for age in (9, 13, 16, 30, None) for other in others
            ],
        ),
    ),
}  # fmt: skip


# -- what the themes above leave out ---------------------------------------------------------------

#: One person of each age and sex that questions tell apart, and of those that are not recorded.
VICTIMS: tuple[dict[str, Any], ...] = tuple(
    {"age": age, "sex": sex} for age in (9, 30, None) for sex in ("F", "M", None)
)

GIRL = VICTIMS[0]


def _tell_victims_apart(victims: list[dict[str, Any]]) -> object:
    """Which conditions on one victim a record meets."""
    return (
        GIRL in victims,
        frozenset(victim["age"] for victim in victims),
        frozenset(victim["sex"] for victim in victims),
    )


def _list_sets_of_victims() -> Iterator[list[dict[str, Any]]]:
    """A smallest set of victims for each of these."""
    seen = set()
    for size in range(1, len(VICTIMS) + 1):
        for chosen in combinations(VICTIMS, size):
            victims = [*chosen]
            if (key := _tell_victims_apart(victims)) not in seen:
                seen.add(key)
                yield victims


SETS_OF_VICTIMS = [*_list_sets_of_victims()]

#: Tables by sex and age count each pair of these, so a reader thinks of every few people, and of one
#: more than each set.
FEW_PEOPLE = [
    *([*few] for size in (1, 2, 3) for few in combinations_with_replacement(VICTIMS, size)),
    *([*people, more] for people in SETS_OF_VICTIMS for more in VICTIMS),
]

MONTHS = [
    f"{year}-{month:02}-20"
    for year, months in ((2016, range(4, 13)), (2017, range(1, 13)), (2018, range(1, 4)))
    for month in months
]

#: An age of each stretch that the bands of suspects tell apart.
SUSPECT_AGES = (5, 9, 13, 14, 16, 17, 30, None)

WIDER_THEMES = {
    "distances": Theme(
        combine(
            text=["", "alpha", "beta", "alpha beta", "beta alpha", "alpha and beta", "alpha and then beta"],
            recorded_on=DAYS,
        ),
        (
            "{kind: keywords, keywords: [alpha, {term: alpha, with: [{term: beta, within: 0}]}]}",
            "{kind: keywords, keywords: [beta, {term: beta, with: [{term: alpha, within: 1}]}]}",
            "{kind: keywords, keywords: [alpha beta, {term: alpha, with: [{term: beta, within: 1}]}]}",
            "{kind: overlap, keywords: [alpha, {term: beta, with: [{term: alpha, within: 1}]}]}",
            "{kind: cross, rows: {keywords: [{term: beta, with: [{term: alpha, within: 0}]}]}, columns: financial_year}",
        ),
        (
            "mentions: [{term: alpha, with: [{term: beta, within: 1}]}]",
            "mentions: [{term: alpha, with: [beta]}]",
        ),
    ),
    "lists": Theme(
        combine(
            text=["", "alpha", "beta", "gamma", "alpha beta gamma", "beta gamma", "alpha gamma", "alpha beta"],
            recorded_on=DAYS,
        ),
        (
            "{kind: keywords, keywords: {list: platforms}, present: true}",
            "{kind: keywords, keywords: [beta, gamma], present: true}",
            "{kind: keywords, keywords: {list: platforms}, present: true, share: true}",
            "{kind: keywords, keywords: [alpha, gamma], present: true, within: {mentions: [beta]}}",
            "{kind: overlap, keywords: [alpha, beta, gamma]}",
            "{kind: overlap, keywords: [alpha, beta, gamma], share: true, within: {mentions: [beta]}}",
        ),
        ("mentions: [alpha]", "mentions: {list: platforms}"),
        always="lists: {platforms: [alpha, beta, gamma]}",
    ),
    "one victim": Theme(
        combine(
            recorded_on=DAYS,
            victims=[[], *SETS_OF_VICTIMS, *([one] * times for one in VICTIMS for times in (3, 12))],
        ),
        (
            "{kind: by, by: sex}",
            "{kind: by, by: sex, count: offences}",
            "{kind: victims, bands: [{to: 11}], within: {where: {victim: {age: {to: 11}, sex: [F]}}}}",
            "{kind: by, by: sex, within: {where: {victim: {age: {to: 11}, sex: [F]}}}}",
            "{kind: cross, rows: {bands: [{to: 11}]}, columns: sex, within: {where: {sex: [F]}}}",
            "{kind: by, by: financial_year, within: {where: {victim: {age: {to: 11}}}}}",
            "{kind: cross, rows: {bands: [{to: 11}]}, columns: financial_year, count: offences}",
            "{kind: victims, bands: [{to: 11}], share: true}",
        ),
        ("where: {victim: {age: {to: 11}, sex: [F]}}", "where: {victim: {sex: [F]}}", "where: {sex: [M]}"),
        further=combine(
            recorded_on=DAYS,
            victims=FEW_PEOPLE,
        ),
        told_apart=_tell_victims_apart,
    ),
    "suspects": Theme(
        combine(
            recorded_on=DAYS,
            outcome=[None, 1],
            suspects=[
                [],
                *([{"age": age}] * times for age in SUSPECT_AGES for times in (1, 2, 5, 12)),
            ],
        ),
        (
            "{kind: suspects, bands: [{to: 11}, {from: 12, to: 17}]}",
            "{kind: suspects, bands: [{to: 13}, {from: 9, to: 16}]}",
            "{kind: suspects, share: true}",
            "{kind: suspects, bands: [{to: 15}], within: {where: {outcome: ['1']}}}",
            "{kind: by, by: outcome}",
        ),
        ("where: {outcome: ['1']}",),
        further=combine(
            recorded_on=DAYS,
            outcome=[None, 1],
            suspects=[[{"age": 9}, {"age": age}] for age in SUSPECT_AGES],
        ),
        people="suspects",
        told_apart=bool,
    ),
    "one suspect": Theme(
        combine(
            recorded_on=DAYS,
            suspects=[[], *SETS_OF_VICTIMS, *([one] * times for one in VICTIMS for times in (3, 12))],
        ),
        (
            "{kind: suspects, bands: [{to: 11}]}",
            "{kind: suspects, bands: [{to: 11}], within: {where: {suspect: {age: {to: 11}, sex: [F]}}}}",
            "{kind: suspects, within: {where: {suspect: {sex: [F]}}}}",
            "{kind: by, by: sex, count: suspects}",
            "{kind: cross, rows: sex, columns: {bands: [{to: 11}]}, count: suspects}",
            "{kind: by, by: financial_year, count: suspects}",
            "{kind: by, by: financial_year, within: {where: {suspect: {age: {to: 11}}}}}",
        ),
        ("where: {suspect: {age: {to: 11}, sex: [F]}}", "where: {suspect: {sex: [M]}}"),
        further=combine(
            recorded_on=DAYS,
            suspects=FEW_PEOPLE,
        ),
        people="suspects",
        told_apart=_tell_victims_apart,
    ),
    "connections": THEMES["links"]._replace(
        questions=(
            "{kind: linked, codes: [86/2, 88A], share: true}",
            "{kind: linked, codes: [86/2], within: {period: {from: 2016-07-01, to: 2017-03-31}}}",
            "{kind: by, by: status}",
            "{kind: offences, share: true}",
        ),
    ),
    "for each": THEMES["fields"]._replace(
        questions=(
            "{kind: cross, rows: flag, columns: district, for_each: financial_year, share: row}",
            "{kind: cross, rows: outcome, columns: {by: flag}, for_each: district}",
            "{kind: by, by: flag, share: true}",
            "{kind: by, by: flag, within: {where: {flag: [knife]}}}",
        ),
        conditions=("where: {flag: [knife]}", "where: {outcome: ['1']}"),
    ),
    "one by one": THEMES["fields"]._replace(
        questions=(
            "{kind: list, fields: [outcome, district]}",
            "{kind: list, fields: [outcome, financial_year]}",
            "{kind: list, fields: [district], within: {where: {outcome: ['1']}}}",
            "{kind: by, by: outcome}",
        ),
    ),
    "calendar": Theme(
        combine(text=["", "beta"], recorded_on=DAYS, offence_code=["22B", "46"]),
        (
            "{kind: by, by: calendar_year}",
            "{kind: by, by: quarter}",
            "{kind: by, by: month}",
            "{kind: by, by: day, within: {period: {from: 2016-08-01, to: 2016-08-08}}}",
            "{kind: cross, rows: {keywords: [beta]}, columns: quarter}",
            "{kind: cross, rows: {keywords: [beta]}, columns: {periods: [2016, 2016/17]}}",
        ),
        ("mentions: [beta]", "where: {offence_group: [Sexual offences]}"),
        further=combine(
            text=["", "beta"],
            recorded_on=[*MONTHS, *(f"2016-08-0{day}" for day in (1, 2, 3, 4, 6, 7, 8))],
            offence_code=["22B", "46"],
        ),
    ),
    "rows of offences": THEMES["offences"]._replace(
        questions=(
            "{kind: by, by: offence_row}",
            "{kind: keywords, keywords: [beta], each_offence: true}",
            "{kind: cross, rows: {keywords: [beta]}, columns: offence_row}",
            "{kind: by, by: offence, within: {offences: [{codes: [88]}]}}",
        ),
        conditions=("mentions: [beta]",),
        always="offences: [{codes: [22B]}, {codes: [88]}, {codes: [88A]}]",
    ),
}  # fmt: skip

WIDER_THEMES["suspects one by one"] = WIDER_THEMES["one suspect"]._replace(
    questions=(
        "{kind: list, fields: [sex], count: suspects}",
        "{kind: list, fields: [sex, {bands: [{to: 11}]}], count: suspects}",
        "{kind: list, fields: [financial_year, sex], count: suspects}",
        "{kind: by, by: sex, count: suspects}",
        "{kind: suspects, bands: [{to: 11}]}",
    ),
)

EVERY_THEME = {**THEMES, **WIDER_THEMES}


@cache
def list_additions(name: str) -> tuple[Addition, ...]:
    """Each person that a record of a theme may have more."""
    theme = EVERY_THEME[name]
    place_of = {repr(kind): place for place, kind in enumerate(theme.kinds)}
    carriers: dict[object, set[int]] = {}
    for place, kind in enumerate(theme.kinds):
        if kind.get(theme.people):
            carriers.setdefault(_describe_carrier(theme, kind), set()).add(place)
    return tuple(
        Addition(
            place_of[repr(kind)],
            place_of[repr({**kind, theme.people: kind[theme.people][:-1]})],
            frozenset(carriers[_describe_carrier(theme, kind)]),
        )
        for kind in theme.further
        if theme.people in kind
    )


def _describe_carrier(theme: Theme, kind: Record) -> object:
    """What numbers of records tell of a record with people."""
    others = {key: value for key, value in kind.items() if key != theme.people}
    return repr(others), theme.told_apart(kind[theme.people])
