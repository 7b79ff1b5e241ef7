"""Values of options that are wrong: one exit code for all of them, and plain words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import Outcome, run_command

REQUEST = """\
reference: FOI/1
title: Livestreams
period: {from: 2017-04-01, to: 2019-03-31}
mentions: [livestream]
questions:
  - {id: Q1, kind: by, by: financial_year}
  - {id: Q2, kind: cross, rows: {keywords: [livestream]}, columns: calendar_year}
  - {id: Q3, kind: cross, rows: {keywords: [livestream]}, columns: month}
"""

Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the program in a folder with a request, a district, and no server that answers."""
    (tmp_path / "request.yaml").write_text(REQUEST)
    (tmp_path / "foidex.toml").write_text('[categories.district]\nvalues = ["North"]\n')
    environment = {
        "FOIDEX_HOME": str(tmp_path / "home"),
        "FOIDEX_URL": "http://127.0.0.1:1",
        "HOME": str(tmp_path),
        "COLUMNS": "400",
    }

    def go(*arguments: str, code: int) -> Outcome:
        return run_command(*arguments, environment=environment, folder=tmp_path, expected_code=code)

    return go


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("count x --from 2017-13-01", """'--from': "2017-13-01" is not a date (expected YYYY-MM-DD)"""),
        ("count x --period 2017-13-01..2018-01-01", """'--period': "2017-13-01..2018-01-01" is not a period. Write a year (2017/18 or 2017) or two days"""),
        ("find x --period 2017 --period soon", """'--period': "soon" is not a period."""),
        ("count x --where district", """'--where': "district" is not a condition. Write a field and its value: district=North."""),
        ("count x --where =North", """'--where': "=North" is not a condition."""),
        ("count x --with y --near x", """'--near': "x" is not a whole number. Correct it."""),
        ("count x --with y --near 1000", """'--near': "1000" is not 100 or less. Correct the number."""),
        ("find x --context -1", """'--context': "-1" is not 0 or more. Correct the number."""),
        ("find x --format tabel", """'--format': 'tabel' is not one of 'table', 'jsonl', 'csv'."""),
        ("estimate request.yaml --minutes long", """'--minutes': "long" is not a number. Correct it."""),
        ("sample 1.5", """"1.5" is not a whole number. Correct it."""),
        ("sample 999999999", """"999999999" is not 100,000,000 or less. Correct the number."""),
    ],
)  # fmt: skip
def test_a_wrong_value_of_an_option_is_a_wrong_command_line(
    run: Run, arguments: str, message: str
) -> None:
    outcome = run(*arguments.split(), code=2)
    assert message in outcome.err
    assert "Input should" not in outcome.err
    assert "Value error" not in outcome.err


@pytest.mark.parametrize(
    "arguments", ["--by distrct", "--by term --by distrct", "--where distrct=North"]
)
def test_a_mistyped_field_suggests_the_declared_one(run: Run, arguments: str) -> None:
    outcome = run("count", "x", *arguments.split(), code=3)
    assert '"distrct". Did you mean "district"?' in outcome.err


def test_a_victim_is_said_as_in_a_request_file(run: Run) -> None:
    asked = ("count", "livestream", "--explain", "--where")
    said = run(*asked, "victim={age: {to: 17}, sex: [F]}", code=0).out
    assert "where at least one victim was female and aged 17 or under" in said
    refused = run(*asked, "victim={age: {too: 17}}", code=2).err
    assert 'Write "victim={age: {to: 17}, sex: [F]}".' in refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--row Q1 --column 22B", 'there is no column "22B". The table has the column "Offences".'),
        ("--row Q2 --column 2917", 'there is no row or column "2917". Did you mean "2017"? There are 2017, 2018, 2019.'),
        ("--column 2018", "--column names a column of a table. Name its row, too, with --row."),
    ],
)  # fmt: skip
def test_a_column_that_is_not_there_lists_those_that_are(
    run: Run, arguments: str, message: str
) -> None:
    assert message in run("find", "--request", "request.yaml", *arguments.split(), code=3).err


def test_many_columns_are_listed_in_part_with_their_number(run: Run, tmp_path: Path) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(REQUEST.replace("2017-04-01", "2016-04-01"))
    outcome = run("find", "--request", "request.yaml", "--row", "Q3", "--column", "x", code=3)
    assert "There are April 2016, May 2016, " in outcome.err
    assert outcome.err.endswith("August 2018, September 2018 and 6 more.\n")
