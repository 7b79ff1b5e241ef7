"""An estimate counts what would have to be read, and offers what fits: by hand and naively."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from queries.answering.estimate import (
    LIMIT_HOURS,
    Estimate,
    estimate_cost,
    format_estimate,
)
from queries.request.reader import parse_request
from queries.request.reading_cost import CostPart, ReadingCost
from queries.search.run import LiveSearch
from tests.support.command_line import run_command
from tests.support.fake_search import SmallPages

REQUEST = """
reference: R1
title: T
period: {from: 2018-01-01, to: 2018-04-30}
mentions: [live stream, Snapchat]
offences: [{codes: [22B], label: Under 16}, {codes: [21], label: Under 13}]
questions:
  - {id: Q1, kind: offences}
  - {id: Q2, kind: offences, within: {period: {from: 2018-03-01, to: 2018-03-31}}}
  - {id: Q3, kind: offences, within: {offences: [{codes: [21]}]}}
"""

DAYS = {
    "2017-12-31": 5,
    "2018-01-10": 3,
    "2018-02-20": 2,
    "2018-03-05": 1,
    "2018-03-20": 2,
    "2018-04-30": 1,
    "2018-05-01": 5,
}


def held() -> list[dict[str, Any]]:
    """Nine in scope, of which three, the first of each of three days, are of 21, and one is of
    Snapchat; others are outside."""
    days = [(day, place) for day, number in DAYS.items() for place in range(number)]
    found = [
        {
            "crime_ref": f"R{number}",
            "recorded_on": day,
            "offence_code": "21" if place == 0 and day < "2018-03-10" else "22B",
            "narrative": "Snapchat" if day == "2018-04-30" else "live stream",
        }
        for number, (day, place) in enumerate(days)
    ]
    return [
        *found,
        {**found[0], "crime_ref": "X1", "status": "cancelled", "recorded_on": "2018-03-01"},
        {**found[0], "crime_ref": "X2", "offence_code": "88/1", "recorded_on": "2018-03-01"},
        {**found[0], "crime_ref": "X3", "narrative": "", "recorded_on": "2018-03-01"},
    ]


def of(client: Elasticsearch, index: IndexSettings, minutes: str, text: str = REQUEST) -> Estimate:
    cost = ReadingCost(Fraction(minutes), LIMIT_HOURS)
    return estimate_cost(LiveSearch(client, index.alias), parse_request(text), cost)


def said(parts: tuple[CostPart, ...]) -> list[tuple[str, int]]:
    return [(one.label, one.records) for one in parts]


def test_records_hours_and_what_fits_by_hand(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    """At 360 minutes a record three fit into 18 hours."""
    load(held())
    found = of(client, index, "360")
    assert (found.limit_records, found.total.records, found.total.hours) == (3, 9, 54.0)
    assert not found.total.fits
    assert said(found.questions) == [("Q1", 9), ("Q2", 3), ("Q3", 3)]
    assert [one.fits for one in found.questions] == [False, True, True]
    assert found.latest
    assert (found.latest.label, found.latest.records) == ("2018-03-06 to 2018-04-30", 3)
    assert found.months
    assert (found.months.label, found.months.records) == ("2018-04-01 to 2018-04-30", 1)
    assert said(found.offences) == [("Under 16", 6), ("Under 13", 3)]
    assert said(found.terms) == [("live stream", 8), ("Snapchat", 1)]
    text = format_estimate(found)
    assert "9 records would have to be read" in text
    assert "over the limit of 18 hours (3 records)" in text
    # Of two records and a second reading of one: with 1 of 2 relevant, 1 to 8 of 9 are; with none,
    # 7 at most, for one sample in 36 then holds none.
    assert "2 of 9 records, 1 of them read by a second person too: 18.0 hours." in text
    assert "If half of them are relevant, between 1 and 8 of all records are (95%)." in text
    assert "If one in ten is, between 0 and 7." in text


def test_the_total_counts_once_what_several_questions_ask_about(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(held())
    found = of(client, index, "3", REQUEST.replace("  - {id: Q1, kind: offences}\n", ""))
    assert said(found.questions) == [("Q2", 3), ("Q3", 3)]
    assert found.total.records == 5
    assert found.total.fits
    assert found.sample is None
    assert "random sample" not in format_estimate(found)
    assert found.latest
    assert found.latest.label == "2018-01-01 to 2018-04-30"


@pytest.mark.parametrize(("minutes", "records", "fits"), [("120", 9, True), ("120.1", 8, False)])
def test_exactly_the_limit_fits(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any],
    minutes: str, records: int, fits: bool,  # noqa: FBT001 - what is expected
) -> None:  # fmt: skip
    load(held())
    found = of(client, index, minutes)
    assert (found.limit_records, found.total.fits) == (records, fits)


def test_a_period_without_a_record_is_not_offered(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(held())
    # One record fits; two are of the last day that has any.
    found = of(client, index, "1000", REQUEST.replace("to: 2018-04-30", "to: 2018-03-31"))
    assert (found.latest, found.months) == (None, None)
    assert "the records of the last day alone are over the limit" in format_estimate(found)


def test_days_are_read_beyond_the_first_page(
    client: Elasticsearch,
    index: IndexSettings,
    load: Callable[..., Any],
) -> None:
    load(held())
    engine = SmallPages(LiveSearch(client, index.alias, later_page_size=2), first_page_size=2)
    cost = ReadingCost(Fraction(200), LIMIT_HOURS)
    found = estimate_cost(engine, parse_request(REQUEST), cost)
    assert found.latest
    assert (found.latest.label, found.latest.records) == ("2018-02-21 to 2018-04-30", 4)


def test_the_command_prints_text_and_json(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> None:
    load(held())
    path = tmp_path / "request.yaml"
    path.write_text(REQUEST, encoding="utf-8")
    command = ["estimate", str(path), "--minutes", "200", "--central", "--format", "json"]
    run = run_command(*command, environment=environment, expected_code=0)
    found = json.loads(run.out)
    assert (found["limit_hours"], found["limit_records"], found["total"]["records"]) == (24, 7, 9)
