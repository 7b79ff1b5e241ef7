"""A list of records on a real server: by hand, found, explained, replayed, published and written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine
from tests.support.force import FORCE_TOML

#: Month, outcome, district, and the ages and sexes of victims, of each record.
BY_HAND: list[tuple[str, int | None, str | None, list[tuple[int, str]]]] = [
    *[("05", 1, "North", [(9, "F")])] * 6,
    *[("05", None, "South", [(30, "F"), (15, "M")])] * 2,
    *[("06", 18, "North", [])] * 7,
    ("06", 1, None, [(9, "M")]),
]

RECORDS = [
    {
        "crime_ref": f"R{number:02}",
        "recorded_on": f"2019-{month}-{number % 28 + 1:02}",
        "offence_code": "22B",
        "narrative": "A report.",
        "victims": [{"age": age, "sex": sex} for age, sex in victims],
        **({"outcome": outcome} if outcome else {}),
    }
    for number, (month, outcome, _, victims) in enumerate(BY_HAND)
]

REQUEST = """\
reference: FOI/1
title: A list
period: {from: 2019-05-01, to: 2019-12-31}
questions:
  - {id: Q1, kind: list, fields: [offence, month, outcome]}
  - {id: Q2, kind: list, fields: [month, sex, {bands: [{to: 17}]}]}
"""


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    path = tmp_path / "request.yaml"
    path.write_text(REQUEST)
    return path


def test_a_list_counts_each_combination_and_its_records_are_found(
    foidex: CommandLine, load: Callable[..., Any], request_file: Path
) -> None:
    load(RECORDS)
    outcome = foidex("answer", request_file, "--format", "json")
    assert outcome.code == 0, outcome.err
    records, victims = (question["table"] for question in json.loads(outcome.out)["questions"])
    assert {tuple(row["values"][1:]): row["counts"] for row in records["rows"]} == {
        ("May 2019", "1 Charged or summonsed"): [6],
        ("May 2019", "Not recorded"): [2],
        ("June 2019", "1 Charged or summonsed"): [1],
        ("June 2019", "18 Investigation complete, no suspect identified"): [7],
    }
    assert records["total"]["counts"] == [16]
    assert records["fields"] == ["Offence", "Month", "Outcome"]
    assert {tuple(row["values"]): row["counts"] for row in victims["rows"]} == {
        ("May 2019", "Female", "Aged 17 and under"): [6],
        ("May 2019", "Female", "Any other known age"): [2],
        ("May 2019", "Male", "Aged 17 and under"): [2],
        ("June 2019", "Male", "Aged 17 and under"): [1],
    }
    for row, references in (
        ("Q1:22B; May 2019; not recorded", "R06\nR07\n"),
        ("Q1:22B | 2019-06-01 | 1", "R15\n"),
        ("Q2:May 2019; Male; Aged 17 and under", "R06\nR07\n"),
    ):
        found = foidex("find", "--request", request_file, "--row", row, "--refs-only")
        assert found.out == references, found.err
    explained = foidex("why", request_file, "R15", "--row", "Q1:22B | 2019-05-01 | 1")
    assert "it is in the row" in explained.out


def test_a_list_is_replayed_record_by_record(
    foidex: CommandLine, load: Callable[..., Any], request_file: Path, tmp_path: Path
) -> None:
    load(RECORDS)
    saved = tmp_path / "answer.json"
    saved.write_text(foidex("answer", request_file, "--format", "json").out)
    assert "same" in foidex("replay", saved).out.lower()
    changed = [{**one, "outcome": 18} if one["crime_ref"] == "R15" else one for one in RECORDS]
    load(changed)
    replayed = foidex("replay", saved)
    assert "R15" in replayed.out, replayed.out + replayed.err


def test_references_and_days_are_given_where_the_force_allows_them(
    foidex: CommandLine, load: Callable[..., Any], request_file: Path
) -> None:
    load(RECORDS)
    request_file.write_text(
        REQUEST.replace("[offence, month, outcome]", "[day, outcome], references: true")
    )
    refused = foidex("answer", request_file, "--format", "json")
    assert "set references = true under [lists]" in refused.err
    assert "set days = true under [lists]" in refused.err
    foidex.write("foidex.toml", b"[lists]\nreferences = true\ndays = true\n")
    table = json.loads(foidex("answer", request_file, "--format", "json").out)["questions"][0][
        "table"
    ]
    assert [row["references"] for row in table["rows"]][-1] == ["R15"]
    assert table["rows"][0]["values"] == ["1 May 2019", "1 Charged or summonsed"]


def test_a_published_list_has_no_line_of_few_records(
    foidex: CommandLine, load: Callable[..., Any], request_file: Path, tmp_path: Path
) -> None:
    load(RECORDS)
    foidex.write("foidex.toml", FORCE_TOML.encode())
    folder = tmp_path / "out"
    outcome = foidex("answer", request_file, "--publish", "--out", folder)
    assert outcome.code == 0, outcome.err
    (table,) = folder.rglob("*Q1*.csv")
    lines = list(csv.reader(io.StringIO(table.read_text())))
    assert lines[0] == ["Offence", "Month", "Outcome", "Offences"]
    assert all(line[-1].isdigit() and int(line[-1]) >= 5 for line in lines[1:])
    for path in folder.rglob("*"):
        if path.suffix in (".txt", ".html", ".json", ".csv"):
            assert '2019-06-01 | 1"' not in path.read_text()
