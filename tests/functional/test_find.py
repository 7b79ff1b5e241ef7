"""The records behind a number, at the command line, on a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer.config.field_map import FieldMap
from indexer.config.model import IndexSettings
from indexer.records.categories import Category
from queries.answering.build import compute_answer
from queries.evidence.hits import iter_hits
from queries.evidence.locate import locate_records
from queries.request.reader import read_request
from tests.support.command_line import Outcome, run_command
from tests.support.counted_records import reference_records
from tests.support.paths import ROOT

REQUEST = ROOT / "tests" / "data" / "requests" / "reference.yaml"


@pytest.fixture
def find(environment: dict[str, str], load: Callable[..., Any]) -> Callable[..., Any]:
    load(reference_records())

    def run(*options: str) -> Outcome:
        return run_command("find", *options, environment=environment)

    return run


def test_the_record_behind_a_row_is_shown_with_its_word(find: Callable[..., Any]) -> None:
    run = find("--request", str(REQUEST), "--row", "Q2:Snapchat", "--format", "jsonl")
    (line,) = run.out.splitlines()
    hit = json.loads(line)
    assert hit["crime_ref"] == "41/0000001/17"
    assert hit["shown"][0]["match"].casefold() == "snap chat"
    assert not run.err


def test_a_cell_of_another_column_has_no_record(find: Callable[..., Any]) -> None:
    run = find("--request", str(REQUEST), "--row", "q2:snapchat", "--column", "88E", "--refs-only")
    assert (run.code, run.out) == (0, "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--row", "Q1"], "--row and --column need a request file"),
        (["x", "--request", str(REQUEST)], "terms and --request both say what to find"),
        (["--request", str(REQUEST), "--row", "Q9:x"], 'no question "Q9" in the request'),
        (["--request", str(REQUEST), "--row", "Q2:Snapchit"], 'Did you mean "Snapchat"?'),
        (["--request", str(REQUEST), "--row", "Q1", "--column", "x"], 'there is no column "x"'),
        (["--request", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    ],
)
def test_what_is_not_there_is_said(
    find: Callable[..., Any], options: list[str], message: str
) -> None:
    run = find(*options)
    assert run.code == 3
    assert message in run.err
    assert "Traceback" not in run.err
    assert not run.out


def test_every_number_of_an_answer_has_its_records_behind_it(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    """Each row and cell of the reference answer, where offences are counted."""
    load(reference_records())
    asked = read_request(REQUEST)
    answer = compute_answer(client, index.alias, asked)
    for question in answer.questions[:3]:
        table = question.table
        for row in (*table.rows, table.total):
            for column, number in zip(table.columns, row.counts, strict=True):
                located = locate_records(asked, question.id, row.key, column.key)
                found = list(iter_hits(client, index.alias, located))
                assert len(found) == number, (question.id, row.label, column.label)


WARDS = ["Not Recorded", "Not Recorded", "Total", "North", None, None, None]

DISTRICTS = ["North", "north", "north"]


@pytest.fixture
def find_in_wards(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> Callable[..., Outcome]:
    """A command in a folder whose foidex.toml declares two categories."""
    records = [
        {
            "crime_ref": str(number),
            "recorded_on": "2020-05-05",
            "offence_code": "22B",
            "narrative": "",
            "ward": ward,
            "district": DISTRICTS[number] if number < len(DISTRICTS) else None,
        }
        for number, ward in enumerate(WARDS)
    ]
    declared = {"ward": Category(), "district": Category(values=("North", "north"))}
    load(records, fields=FieldMap(categories=declared))
    (tmp_path / "foidex.toml").write_text(
        '[categories.ward]\n[categories.district]\nvalues = ["North", "north"]\n'
    )
    (tmp_path / "request.yaml").write_text(
        "reference: W\ntitle: W\nquestions:\n  - {id: Q1, kind: by, by: ward}\n"
        "  - {id: Q2, kind: by, by: district}\n"
    )
    return lambda *options: run_command(*options, environment=environment, folder=tmp_path)


@pytest.mark.parametrize(
    ("row", "references"),
    [
        ("Q1:Not Recorded", "0 1"),
        ("Q1:Not recorded", "4 5 6"),
        ("Q1:Total", "2"),
        ("Q1:total", "0 1 2 3 4 5 6"),
        ("Q2:north", "1 2"),
        ("Q2:North", "0"),
        ("Q2:NORTH", "0"),
    ],
)
def test_a_row_whose_name_differs_by_capitals_from_another_has_its_own_records(
    find_in_wards: Callable[..., Outcome], row: str, references: str
) -> None:
    outcome = find_in_wards("find", "--request", "request.yaml", "--row", row, "--refs-only")
    assert outcome.out.split() == references.split()


def test_a_value_like_the_row_without_one_is_told_from_it(
    find_in_wards: Callable[..., Outcome],
) -> None:
    rows = find_in_wards("answer", "request.yaml").out
    assert '"Not Recorded" is written' in rows
    assert re.search(r"^ *Not recorded +3$", rows, re.MULTILINE)


def test_a_value_that_no_record_has_is_said_by_count_and_lint(
    find_in_wards: Callable[..., Outcome], tmp_path: Path
) -> None:
    counted = find_in_wards("count", "--where", "ward=north", "--where", "ward=North")
    assert "all records               1" in counted.out
    assert "fits this: the ward is north. Values are compared letter by letter" in counted.err
    assert not find_in_wards("count", "--where", "ward=North").err
    request = tmp_path / "where.yaml"
    request.write_text(
        "reference: W\ntitle: W\nwhere: {ward: [North]}\nquestions:\n"
        "  - {id: Q1, kind: by, by: ward, within: {where: {ward: [Nort]}}}\n"
    )
    linted = " ".join(find_in_wards("lint", request).out.split())
    assert (
        "No record that is counted, of any day or offence, fits this: the ward is Nort." in linted
    )
