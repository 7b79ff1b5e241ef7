"""What the next extract says that is not as the first was: each message names it, and the way on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Outcome, run_command
from tests.support.extracts import write_extract

HEADER = "Crime No,Recorded,HO Code,MO,Victim Age,Team"


def make_lines(number: int = 30, *, code: str = "22B", age: str = "") -> list[str]:
    return [
        f"R{n},{n % 28 + 1:02}/07/2015,{code},The caller was told that a report had been made {n}"
        f" and that it would be read in full.,{age or n % 60},T{n % 2}"
        for n in range(number)
    ]


def run(folder: Path, *arguments: str) -> Outcome:
    environment = {"FOIDEX_HOME": str(folder / "home")}
    return run_command(*arguments, environment=environment, folder=folder)


def write_lines(folder: Path, *lines: str) -> None:
    write_extract(folder / "x.csv", "\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the profile of the first extract."""
    write_lines(tmp_path, HEADER, *make_lines())
    assert run(tmp_path, "inspect", "x.csv", "--write").code == 0
    outcome = run(tmp_path, "refresh", "--check")
    assert outcome.code == 0, outcome.err
    assert "lacks" not in outcome.out
    return tmp_path


def test_an_ignored_column_that_is_renamed_is_named(folder: Path) -> None:
    write_lines(folder, HEADER.replace("Team", "Beat"), *make_lines())
    assert '"Team" is missing; "Beat" is new' in run(folder, "refresh", "--check").err


def test_an_ignored_column_that_is_dropped_is_named_once_and_refuses_nothing(folder: Path) -> None:
    write_lines(folder, HEADER.removesuffix(",Team"), *(x.rpartition(",")[0] for x in make_lines()))
    outcome = run(folder, "refresh", "--check")
    assert outcome.code == 0, outcome.err
    assert '1 time: a table lacks "Team", which nothing reads.' in outcome.out


def test_a_row_of_totals_that_no_rule_skips_is_named_with_the_rule(folder: Path) -> None:
    write_lines(folder, HEADER, *make_lines(), "Total 2015,,30,,,")
    outcome = run(folder, "refresh", "--check")
    assert outcome.code == 4
    assert 'counts other rows: "Crime No" begins with total. Add {column = "Crime No", ' in (
        outcome.out + outcome.err
    )
    assert run(folder, "inspect", "x.csv", "--write").code == 0
    assert run(folder, "refresh", "--check").code == 0


def test_a_column_without_a_name_is_not_one_that_was_there(folder: Path) -> None:
    write_lines(folder, f"{HEADER},", *(f"{line},x" for line in make_lines()))
    outcome = run(folder, "refresh", "--check")
    assert "has a column without a name, (column 7), that is not empty. Name it" in outcome.err


def test_an_age_that_is_too_high_is_said_to_be(folder: Path) -> None:
    write_lines(folder, HEADER, *make_lines(), *make_lines(1, age="151"))
    outcome = run(folder, "refresh", "--check")
    assert "is a number over 120, not whole years" in outcome.out + outcome.err


def test_a_curly_quote_in_the_settings_is_named(folder: Path) -> None:
    file = folder / "foidex.toml"
    lines = file.read_text(encoding="utf-8").replace('"Crime No"', "“Crime No”", 1)
    file.write_text(lines, encoding="utf-8")
    assert "has a curly quote, “, as an editor of letters writes it" in (
        run(folder, "refresh", "--check").err
    )


def test_records_from_outside_the_days_of_their_code_are_one_line_of_the_check(
    folder: Path,
) -> None:
    """The most frequent codes are named, and of equally frequent ones the first by name."""
    codes = ["19J"] * 6 + ["8R"] * 2 + ["71/17", "71/1"]
    lines = [make_lines(code=codes[n % 10])[n] for n in range(30)]
    write_lines(folder, HEADER, *lines)
    (line,) = [x for x in run(folder, "refresh", "--check").out.splitlines() if "known days" in x]
    assert line == (
        "30 of 30 records are from before or after the known days of their offence code (19J 18, "
        "8R 6, 71/1 3 and 1 more), and counted like others. Check dates and codes if these are many; the "
        "days of a code: foidex offences 19J"
    )
