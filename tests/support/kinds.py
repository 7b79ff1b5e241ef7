"""A request with every kind of question, and small sets of records for it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from indexer.config.model import ListSettings
from indexer.records.categories import Category
from queries.request.reader import Request, parse_request
from tests.support.fake_search import day

CATEGORIES = {
    "district": Category(values=("North", "South")),
    "flag": Category(values=("knife", "online"), many=True),
    "team": Category(),
}

#: What is asked, each as a question's text in YAML.
QUESTIONS = (
    "{kind: offences}",
    "{kind: keywords, keywords: [beta, gamma], each_offence: true}",
    "{kind: keywords, keywords: [beta, delta, gamma], present: true}",
    "{kind: linked, codes: [86/2, 88A]}",
    "{kind: victims, youngest: true, bands: [{to: 11}, {from: 12, to: 17}]}",
    "{kind: victims, bands: [{to: 13, label: Young}, {from: 9, to: 16}, {from: 13}]}",
    "{kind: cross, rows: {bands: [{to: 15}, {from: 13, label: Older}]}, columns: sex}",
    "{kind: victims, youngest: true}",
    "{kind: victims, youngest: true, youngest_sex: true, bands: [{to: 13}]}",
    "{kind: suspects, youngest: true, youngest_sex: true, bands: [{to: 11}, {from: 12, to: 17}]}",
    "{kind: suspects, bands: [{to: 13, label: Young}, {from: 9, to: 16}, {from: 13}]}",
    "{kind: by, by: financial_year}",
    "{kind: by, by: month}",
    "{kind: by, by: day, within: {period: {from: 2017-04-01, to: 2017-06-30}}}",
    "{kind: by, by: offence}",
    "{kind: by, by: offence_group}",
    "{kind: by, by: status}",
    "{kind: by, by: outcome}",
    "{kind: by, by: sex}",
    "{kind: by, by: sex, count: offences}",
    "{kind: by, by: district}",
    "{kind: by, by: flag}",
    "{kind: by, by: team, count: victims}",
    "{kind: by, by: status, count: victims}",
    "{kind: list, fields: [offence, month, outcome], references: true}",
    "{kind: list, fields: [financial_year, {bands: [{to: 13}]}, sex, district]}",
    "{kind: list, fields: [month, {bands: [{to: 13}]}, sex], count: suspects}",
    "{kind: list, fields: [outcome, district], count: victims}",
    "{kind: list, fields: [day, status], within: {period: {from: 2017-04-01, to: 2017-06-30}}}",
    "{kind: list, fields: [team, district]}",
    "{kind: overlap, keywords: [beta, gamma]}",
    "{kind: overlap, keywords: [alpha, beta, gamma]}",
    "{kind: cross, rows: {keywords: [beta, gamma]}, columns: financial_year}",
    "{kind: cross, rows: status, columns: {keywords: [beta, gamma]}}",
    "{kind: cross, rows: offence, columns: {periods: [{from: 2016-07-01, to: 2017-06-30}, "
    "{from: 2017-05-01, to: 2018-01-31}]}}",
    "{kind: cross, rows: {bands: [{to: 11}, {from: 12, to: 17}]}, columns: sex}",
    "{kind: cross, rows: {bands: [{to: 15}]}, columns: district, count: offences}",
    "{kind: cross, rows: flag, columns: offence_group}",
    "{kind: cross, rows: {keywords: [beta, gamma]}, columns: district, for_each: financial_year}",
    "{kind: cross, rows: sex, columns: {bands: [{to: 13}]}, for_each: district, share: row}",
    "{kind: keywords, keywords: [gamma], within: {offences: [{codes: [88/1]}]}}",
    "{kind: by, by: district, within: {period: {from: 2017-04-01, to: 2017-09-30}}}",
    "{kind: by, by: sex, within: {where: {sex: [F]}}}",
    "{kind: by, by: sex, within: {where: {victim: {age: {to: 13}, sex: [F]}}}}",
    "{kind: cross, rows: {bands: [{to: 11}, {from: 12, to: 13}]}, columns: sex, "
    "within: {where: {victim: {age: {to: 13}, sex: [F]}}}}",
    "{kind: by, by: district, within: {where: {suspect: {age: {to: 13}, sex: [M]}}}}",
    "{kind: suspects, bands: [{to: 13}], within: {where: {suspect: {sex: [M]}}}}",
    "{kind: by, by: outcome, within: {where: {outcome: ['1', '2'], flag: [knife]}}}",
    "{kind: keywords, keywords: [beta], within: {mentions: [gamma]}}",
    "{kind: by, by: sex, count: suspects}",
    "{kind: by, by: outcome, count: suspects}",
    "{kind: cross, rows: sex, columns: {bands: [{to: 11}, {from: 12, to: 17}]}, count: suspects}",
    "{kind: cross, rows: district, columns: sex, count: suspects}",
)  # fmt: skip

#: What the whole request is about.
SCOPES = (
    "period: {from: 2016-04-01, to: 2018-03-31}",
    "periods: [2016/17, 2017/18]",
    "periods: [{from: 2016-04-01, to: 2017-06-30}, {from: 2017-04-01, to: 2018-03-31}]",
    "period: {from: 2016-04-01, to: 2018-03-31}\n"
    "offences: [{codes: [22B]}, {codes: [88]}, {codes: [88A]}]",
    "periods: [2016/17, 2017/18]\nmentions: [alpha, beta]\noffences: [{codes: [88]}, {codes: [88A]}]",
    "periods: [2016/17, 2017/18]\nwhere: {district: [North, South], sex: [F, M]}",
    "period: {from: 2016-04-01, to: 2018-03-31}\nwhere: {victim: {age: {to: 15}, sex: [F]}}",
    "period: {from: 2016-04-01, to: 2018-03-31}\n"
    "where: {victim: {age: {to: 15}}, suspect: {age: {to: 15}, sex: [M]}}",
)


def asking(questions: Sequence[str], scope: str = SCOPES[0], more: str = "") -> Request:
    """A request with the questions; those that count by rows the scope lacks are never among them."""
    listed = "\n".join(f"  - {{id: Q{n}, {one[1:]}" for n, one in enumerate(questions, 1))
    text = f"reference: FOI/1\ntitle: Made\n{scope}\n{more}\nquestions:\n{listed}\n"
    return parse_request(
        text, categories=CATEGORIES, lists=ListSettings(references=True, days=True)
    )


PERSON = st.fixed_dictionaries(
    {},
    optional={
        "age": st.sampled_from([3, 9, 13, 15, 16, 30]),
        "sex": st.sampled_from(["F", "M"]),
    },
)


@st.composite
def records(draw: st.DrawFn, most: int = 30) -> list[dict[str, Any]]:
    """Records of a few offences, days, words, victims, links and categories."""
    referenced = draw(st.booleans())
    found = []
    for number in range(draw(st.integers(0, most))):
        victims = draw(st.lists(PERSON, max_size=2))
        if referenced:
            victims = [
                {**one, "victim_ref": reference}
                for one, reference in zip(victims, draw(st.permutations("abc")), strict=False)
            ]
        suspects = draw(st.lists(PERSON, max_size=2))
        if referenced:
            suspects = [
                {**one, "suspect_ref": reference}
                for one, reference in zip(suspects, draw(st.permutations("abc")), strict=False)
            ]
        categories = {
            "district": draw(st.sampled_from([None, "North", "South"])),
            "flag": draw(st.lists(st.sampled_from(["knife", "online"]), unique=True)),
            "team": draw(st.sampled_from([None, "a", "b|c"])),
        }
        found.append(
            {
                "crime_ref": f"R{number}",
                "recorded_on": day(draw(st.integers(0, 729))),
                "offence_code": draw(st.sampled_from(["22B", "88/1", "88/3", "88E", "22/77"])),
                "status": draw(st.sampled_from(["recorded"] * 5 + ["cancelled"])),
                "outcome": draw(st.sampled_from([None, 1, 2])),
                "narrative": " ".join(draw(st.lists(st.sampled_from(["alpha", "beta", "gamma"])))),
                "victims": victims,
                "suspects": suspects,
                "linked": [{"offence_code": code} for code in draw(st.lists(st.sampled_from(["86/2", "88/1"]), max_size=1))],
                "categories": {name: value for name, value in categories.items() if value},
            }
        )  # fmt: skip
    return found


@cache
def weighted_records() -> tuple[dict[str, Any], ...]:
    """Some records of every kind, always the same. Each stands for so many others that hardly a
    number is printed twice, nor is also a date, a code or a place in a list."""
    dice = random.Random(5)
    return tuple(
        {
            "crime_ref": f"R{number}",
            "weight": dice.randrange(10_000, 100_000),
            "recorded_on": day(dice.randrange(730)),
            "offence_code": dice.choice(["22B", "88/1", "88/3", "88E"]),
            "status": dice.choice(["recorded"] * 5 + ["cancelled"]),
            "outcome": dice.choice([None, 1, 2]),
            "narrative": " ".join(dice.sample(["alpha", "beta", "gamma"], dice.randrange(4))),
            "victims": [
                {"age": dice.choice([None, 9, 13, 16, 30]), "sex": dice.choice("FM")}
                for _ in range(dice.randrange(3))
            ],
            "suspects": [
                {"age": dice.choice([None, 9, 13, 16, 30]), "sex": dice.choice("FM")}
                for _ in range(dice.randrange(3))
            ],
            "linked": [{"offence_code": dice.choice(["86/2", "88/1"])}] * dice.randrange(2),
            "categories": {"district": dice.choice(["North", "South"]), "flag": dice.sample(["knife", "online"], dice.randrange(3))},
        }
        for number in range(60)
    )  # fmt: skip
