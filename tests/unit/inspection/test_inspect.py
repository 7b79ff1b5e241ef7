"""What inspect proves, asks and writes, on small extracts."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import tomlkit

from indexer.inspection.date_evidence import DateEvidence
from tests.support.command_line import Outcome, run_command
from tests.support.extracts import write_extract

NARRATIVE = "The caller was given the log number and the device was not examined at this stage."

HEADER = "Crime No,Date Recorded,HO Code,MO Text,Victim Age,Victim Gender,Crime Status"


def make_lines(number: int = 30, **cells: Any) -> list[str]:
    """Rows of a plain extract; a callable gives the cell of a row by its number."""
    columns = {
        "ref": lambda n: f"R{n:04}",
        "day": lambda n: f"{n % 28 + 1:02}/07/2015",
        "code": lambda n: "22B" if n % 2 else "86/02",
        "text": lambda n: f"{NARRATIVE} {n}",
        "age": lambda n: n % 60,
        "sex": lambda n: "Female" if n % 2 else "Male",
        "status": lambda _: "Crime Recorded",
        **cells,
    }
    return [",".join(str(make(n)) for make in columns.values()) for n in range(number)]


def inspect(folder: Path, *arguments: object) -> Outcome:
    environment = {"FOIDEX_HOME": str(folder / "home")}
    return run_command("inspect", *arguments, environment=environment, folder=folder)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xls", "xlsx", "ods", "zip"])
def test_a_file_that_is_not_there_is_told_as_such(tmp_path: Path, kind: str) -> None:
    outcome = inspect(tmp_path, f"x.{kind}")
    assert outcome.err.endswith(f"x.{kind}: there is no such file. Check the path.\n")


def write_and_inspect(folder: Path, lines: list[str], header: str = HEADER) -> tuple[str, Any]:
    write_extract(folder / "x.csv", "\n".join([header, *lines]) + "\n")
    outcome = inspect(folder, "x.csv", "--write")
    assert outcome.code == 0, outcome.err
    document: Any = tomlkit.parse((folder / "foidex.toml").read_text(encoding="utf-8"))
    return outcome.out, document["source"]["profile"].unwrap()


@pytest.mark.parametrize(
    ("texts", "proof", "forms"),
    [
        (["01/02/2015", "13/02/2015"], "proved", ["DD/MM/YYYY"]),
        (["01/02/2015", "02/13/2015"], "proved", ["MM/DD/YYYY"]),
        (["1/2/15", "27/9/18"], "proved", ["D/M/YY"]),
        (["01/02/2015", "12/12/2015"], "unprovable", []),
        (["13/02/2015", "02/13/2015"], "mixed", []),
        (["2015-02-01"], "proved", ["YYYY-MM-DD"]),
        (["2015-02-01T00:00:00"], "proved", ["YYYY-MM-DDThh:mm:ss"]),
        (["13/02/2015 09:14", "01/02/2015 9:14"], "proved", ["DD/MM/YYYY hh:mm"]),
        (["2/13/2015 9:14 PM", "1/2/2015 12:00 AM"], "proved", ["M/D/YYYY hh:mm AM"]),
        (["2015-02-01T00:00:00.1Z", "2015-02-01T00:00:00+01"], "proved", ["YYYY-MM-DDThh:mm:ssZ"]),
        (["2015-02-01 00:00:00 +01:00"], "proved", ["YYYY-MM-DD hh:mm:ss Z"]),
        (["27 July 2015", "3 May 2016"], "proved", ["D Month YYYY"]),
        (["01-May-15", "30-Sep-17"], "proved", ["DD-MON-YY"]),
        (["July 4, 2015", "May 12, 2016"], "proved", ["Month D, YYYY"]),
        (["13.02.2015", "2015/02/01"], "proved", ["DD.MM.YYYY", "YYYY/MM/DD"]),
        (["01/02/03", "04/05/06"], "unprovable", []),
    ],
)
def test_the_order_of_day_and_month_is_proved_or_not(
    texts: list[str], proof: str, forms: list[str]
) -> None:
    evidence = DateEvidence()
    for text in texts:
        evidence.add(text)
    result = evidence.find_forms()
    assert result
    assert (result.proof, list(result.forms)) == (proof, forms)


@pytest.mark.parametrize(
    ("texts", "spans"),
    [
        (
            ["03/04/2018", "01/12/2017", "05/02/2018"],
            ["2017-12-01 to 2018-04-03", "2017-01-12 to 2018-05-02"],
        ),
        (
            ["03/04/18", "01/12/17"],
            ["2017-12-01 to 2018-04-03", "2017-01-12 to 2018-03-04", "2001-12-17 to 2003-04-18"],
        ),
    ],
)
def test_the_days_of_each_order_are_said(texts: list[str], spans: list[str]) -> None:
    """Whoever knows the period of the export knows the order by them."""
    evidence = DateEvidence()
    for text in texts:
        evidence.add(text)
    forms = evidence.find_forms()
    assert forms
    assert [*forms.spans] == spans
    assert len(forms.candidates) == len(spans)


@pytest.mark.parametrize("texts", [["hello"], ["12-17", "18+"], ["1.2"], ["41/0012345/17"]])
def test_what_is_no_date_has_no_form(texts: list[str]) -> None:
    evidence = DateEvidence()
    for text in texts:
        evidence.add(text)
    assert evidence.find_forms() is None


@pytest.mark.parametrize(
    ("texts", "evidence"),
    [
        (["01/02/03", "04/05/06"], "DD/MM/YY, MM/DD/YY and YY/MM/DD each read all 2 dates"),
        (["01/02/03"], "DD/MM/YY, MM/DD/YY and YY/MM/DD each read the one date"),
        (["01/02/2003"], "DD/MM/YYYY and MM/DD/YYYY both read the one date"),
    ],
)
def test_forms_that_read_all_dates_are_listed(texts: list[str], evidence: str) -> None:
    dates = DateEvidence()
    for text in texts:
        dates.add(text)
    forms = dates.find_forms()
    assert forms
    assert forms.evidence == evidence


def test_a_plain_extract_is_mapped_without_a_question(tmp_path: Path) -> None:
    out, profile = write_and_inspect(tmp_path, make_lines())
    assert "DECIDE" not in out
    assert profile["fields"] == {
        "crime_ref": {"column": "Crime No"},
        "recorded_on": {"column": "Date Recorded", "dates": ["DD/MM/YYYY"]},
        "offence_code": {"column": "HO Code"},
        "status": {"column": "Crime Status", "values": {"Crime Recorded": "recorded"}},
        "victims.age": {"column": "Victim Age"},
        "victims.sex": {"column": "Victim Gender", "values": {"Male": "M", "Female": "F"}},
        "narrative": {"column": "MO Text"},
    }
    checked = run_command(
        "refresh", "--check", environment={"FOIDEX_HOME": str(tmp_path)}, folder=tmp_path
    )
    assert checked.out.startswith("30 records read: 30 valid, 0 deletions, 0 invalid.")


def test_each_key_has_a_comment_above_it(tmp_path: Path) -> None:
    write_and_inspect(tmp_path, make_lines())
    lines = (tmp_path / "foidex.toml").read_text(encoding="utf-8").splitlines()
    fields = lines[
        lines.index("[source.profile.fields]") + 1 : lines.index("[source.profile.columns]")
    ]
    keys = [number for number, line in enumerate(fields) if line and not line.startswith("#")]
    assert len(keys) == 7
    assert all(fields[number - 1].startswith("# ") for number in keys)


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        ({"day": lambda n: f"{n % 12 + 1:02}/07/2015"}, 'dates = ["DECIDE"]'),
        ({"status": lambda n: "Crime Recorded" if n else "Held"}, 'Held = "DECIDE"'),
        ({"sex": lambda n: "Female" if n else "Q"}, 'Q = "DECIDE"'),
        ({"age": lambda n: n or "10-14"}, 'ranges = "DECIDE"'),
        ({"age": lambda n: n or "young"}, 'young = "DECIDE"'),
        ({"code": lambda n: "22B" if n else "08-Jan"}, 'decimals = "DECIDE"'),
    ],
)
def test_what_is_not_proved_is_a_question(cells: dict[str, Any], part: str, tmp_path: Path) -> None:
    out, _ = write_and_inspect(tmp_path, make_lines(**cells))
    text = (tmp_path / "foidex.toml").read_text(encoding="utf-8")
    assert part in text
    assert "# DECIDE: " in text
    assert "to decide (1):" in out
    checked = run_command(
        "refresh", "--check", environment={"FOIDEX_HOME": str(tmp_path)}, folder=tmp_path
    )
    assert checked.code == 10


def test_running_again_keeps_what_a_person_wrote(tmp_path: Path) -> None:
    lines = make_lines(day=lambda n: f"{n % 12 + 1:02}/07/2015")
    _, profile = write_and_inspect(tmp_path, lines)
    file = tmp_path / "foidex.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace('dates = ["DECIDE"]', 'dates = ["MM/DD/YYYY"]').replace(
        'Male = "M"', 'Male = "U"'
    )
    text = f"# ours\n[index]\nalias = 'own' # keep\n{text}"
    file.write_text(text, encoding="utf-8")
    _, profile = write_and_inspect(tmp_path, lines)
    assert file.read_text(encoding="utf-8") == text.replace("# DECIDE: ", "# decided: ")
    assert profile["fields"]["recorded_on"]["dates"] == ["MM/DD/YYYY"]


def read_comments(folder: Path, key: str) -> list[str]:
    """The lines of comments directly above a key in foidex.toml."""
    lines = (folder / "foidex.toml").read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(f"{key} = "))
    first = place
    while lines[first - 1].startswith("#"):
        first -= 1
    return lines[first:place]


def test_no_comment_asks_for_what_is_decided_or_proved(tmp_path: Path) -> None:
    unproved = make_lines(day=lambda n: f"{n % 12 + 1:02}/07/2015")
    write_and_inspect(tmp_path, unproved)
    asked = read_comments(tmp_path, "recorded_on")
    assert " ".join(line.removeprefix("# ") for line in asked) == (
        "DECIDE: DD/MM/YYYY and MM/DD/YYYY both read all 30 dates. Ask whoever made the file, and "
        "write DD/MM/YYYY (2015-07-01 to 2015-07-12) or MM/DD/YYYY (2015-01-07 to 2015-12-07)"
    )
    write_and_inspect(tmp_path, unproved)
    assert read_comments(tmp_path, "recorded_on") == asked
    _, profile = write_and_inspect(tmp_path, make_lines())
    assert profile["fields"]["recorded_on"]["dates"] == ["DD/MM/YYYY"]
    assert read_comments(tmp_path, "recorded_on") == ["# DD/MM/YYYY is proved: 16 days are over 12"]


def test_a_column_is_full_only_if_each_cell_is(tmp_path: Path) -> None:
    lines = make_lines(300)
    out, _ = write_and_inspect(tmp_path, lines)
    (row,) = [line for line in out.splitlines() if line.startswith("  Date Recorded ")]
    assert " 100% " in row
    lines[0] = make_lines(1, day=lambda _: "")[0]
    out, _ = write_and_inspect(tmp_path, lines)
    (row,) = [line for line in out.splitlines() if line.startswith("  Date Recorded ")]
    assert " 99% " in row


def test_a_question_of_an_answered_map_is_asked_again_for_a_new_value(tmp_path: Path) -> None:
    states = {0: "Held"}
    lines = make_lines(status=lambda n: states.get(n, "Crime Recorded"))
    write_and_inspect(tmp_path, lines)
    file = tmp_path / "foidex.toml"
    asked = read_comments(tmp_path, "status")
    assert [line[:10] for line in asked if "DECIDE" in line] == ["# DECIDE: "]
    file.write_text(file.read_text(encoding="utf-8").replace('"DECIDE"', '"recorded"'))
    out, _ = write_and_inspect(tmp_path, lines)
    assert "no key of [source] was missing, and none was written." in out
    answered = [line.replace("# DECIDE: ", "# decided: ") for line in asked]
    assert read_comments(tmp_path, "status") == answered
    states[1] = "Parked"  # the question is about this one alone
    write_and_inspect(tmp_path, make_lines(status=lambda n: states.get(n, "Crime Recorded")))
    assert read_comments(tmp_path, "status")[:2] == [
        "# by its name",
        "# DECIDE: what says DECIDE in the map are values of no known meaning. Write recorded, "
        "cancelled or",
    ]


def test_the_first_question_of_a_map_stands_below_its_reason(tmp_path: Path) -> None:
    write_and_inspect(tmp_path, make_lines())
    (reason,) = read_comments(tmp_path, "status")
    write_and_inspect(tmp_path, make_lines(status=lambda n: "Held" if n else "Crime Recorded"))
    comments = read_comments(tmp_path, "status")
    assert comments[0] == reason
    assert comments[1].startswith("# DECIDE: ")


def test_a_row_that_may_continue_another_is_among_what_is_to_decide(tmp_path: Path) -> None:
    lines = [part for line in make_lines() for part in (line, f",,,{NARRATIVE},,,")]
    out, _ = write_and_inspect(tmp_path, lines)
    assert "to decide (1):\n    continuation.join: these rows continue the text" in out
    assert out.endswith('Decide what says DECIDE there, and then run "foidex refresh --check".\n')
    file = tmp_path / "foidex.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('join = "DECIDE"', 'join = "space"'), encoding="utf-8")
    out, profile = write_and_inspect(tmp_path, lines)
    assert profile["continuation"]["join"] == "space"
    assert out.endswith('Read it, and then run "foidex refresh --check".\n')


def test_what_was_decided_is_not_asked_again(tmp_path: Path) -> None:
    lines = make_lines(sex=lambda n: "Female" if n else "Q", age=lambda n: n or "10-14")
    out, _ = write_and_inspect(tmp_path, lines)
    assert "to decide (2):" in out
    file = tmp_path / "foidex.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('Q = "DECIDE"', 'Q = "U"'), encoding="utf-8")
    out, _ = write_and_inspect(tmp_path, lines)
    assert "to decide (1):\n    victims.age: 1 are ranges" in out
    assert "  decided already in foidex.toml: victims.sex\n" in out
    assert "victims.sex: what says DECIDE" not in out
    out, _ = write_and_inspect(tmp_path, [*lines, *make_lines(sex=lambda _: "R")])
    assert "victims.sex: what says DECIDE" in out  # a value that is new
    assert "to decide (2):" in inspect(tmp_path, "x.csv").out  # foidex.toml is not looked at


def test_a_number_that_is_no_age_is_not_counted_as_one(tmp_path: Path) -> None:
    """A load rejects it."""
    (tmp_path / "a.csv").write_text(
        "\n".join([HEADER, *make_lines(age=lambda n: (n or 151) if n != 1 else "200 years")])
    )
    assert (
        "28 of 30 are ages, and 2 over 120, which a load rejects" in inspect(tmp_path, "a.csv").out
    )


def test_columns_of_one_name_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    lines = [f"{line},{n % 22 + 1}" for n, line in enumerate(make_lines())]
    out, profile = write_and_inspect(tmp_path, lines, f"{HEADER.replace('HO ', '')},Code")
    assert profile["fields"]["offence_code"] == {"column": "DECIDE"}
    assert (
        'Write one of "Code (3)" (30 of 30 are known offence codes), "Code (8)" (whole numbers '
        "from 1 to 22, as outcomes are), and give the others a field, such as outcome = "
        '{column = "Code (8)"}, or add them to ignore'
    ) in out


def test_of_columns_of_one_name_the_only_one_that_fits_is_named(tmp_path: Path) -> None:
    lines = [f"{line},none" for line in make_lines()]
    out, profile = write_and_inspect(tmp_path, lines, f"{HEADER.replace('HO ', '')},Code")
    assert profile["fields"]["offence_code"] == {"column": "DECIDE"}
    assert (
        'By what they hold, only "Code (3)" (30 of 30 are known offence codes) fits. Write it, or '
        "the other one"
    ) in out


def test_running_again_adds_what_is_new_and_asks_again_what_is_open(tmp_path: Path) -> None:
    unprovable = make_lines(day=lambda n: f"{n % 12 + 1:02}/07/2015")
    write_and_inspect(tmp_path, unprovable)
    lines = [f"{line},{n}" for n, line in enumerate(make_lines())]
    _, profile = write_and_inspect(tmp_path, lines, f"{HEADER},Beat")
    assert profile["fields"]["recorded_on"]["dates"] == ["DD/MM/YYYY"]
    assert profile["columns"]["Beat"] == "number"
    assert profile["ignore"] == ["Beat"]


def test_values_are_shown_only_if_a_person_asks(tmp_path: Path) -> None:
    write_extract(tmp_path / "x.csv", "\n".join([HEADER, *make_lines()]))
    assert "Female" not in inspect(tmp_path, "x.csv").out
    assert "Female" in inspect(tmp_path, "x.csv", "--show-values").out


def test_a_file_without_a_row_of_names_is_not_guessed(tmp_path: Path) -> None:
    write_extract(tmp_path / "x.csv", "\n".join(make_lines()))
    assert "no row of names" in inspect(tmp_path, "x.csv").out
    outcome = inspect(tmp_path, "x.csv", "--write")
    assert outcome.code == 4
    assert "no table is plainly one of records" in outcome.err
    assert "R0001" not in outcome.out + outcome.err


def test_two_files_of_one_layout_prove_together_and_of_two_are_refused(tmp_path: Path) -> None:
    for name, first in (("a.csv", 1), ("b.csv", 13)):
        lines = make_lines(
            9,
            day=lambda n, first=first: f"{n + first:02}/07/2015",
            ref=lambda n, name=name: f"{name}{n}",
        )
        write_extract(tmp_path / name, "\n".join([HEADER, *lines]) + "\n")
    assert "to decide" in inspect(tmp_path, "a.csv").out
    assert "to decide" not in inspect(tmp_path, "a.csv", "b.csv").out
    write_extract(
        tmp_path / "b.csv", "\n".join([f"{HEADER},Beat", *(f"{line},x" for line in make_lines())])
    )
    assert "laid out differently" in inspect(tmp_path, "a.csv", "b.csv", "--write").err


def test_a_spreadsheet_with_dates_and_text_mixed_is_not_trusted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(HEADER.split(","))
    for number, line in enumerate(make_lines()):
        cells: list[Any] = line.split(",")
        if number % 28 + 1 <= 12:
            cells[1] = date(2015, number % 28 + 1, 7)
        sheet.append(cells)
    book.save(tmp_path / "x.xlsx")
    out = inspect(tmp_path, "x.xlsx").out
    assert "Excel read some days as months" in out


def test_a_toml_that_is_broken_is_one_message(tmp_path: Path) -> None:
    write_extract(tmp_path / "x.csv", "\n".join([HEADER, *make_lines()]))
    (tmp_path / "foidex.toml").write_text("[source\n", encoding="utf-8")
    outcome = inspect(tmp_path, "x.csv", "--write")
    assert outcome.code == 10
    assert (tmp_path / "foidex.toml").read_text(encoding="utf-8") == "[source\n"


def test_a_table_of_two_thousand_columns_is_one_screen(tmp_path: Path) -> None:
    """The columns that may be a field are listed wherever they stand; the rest is counted."""
    others = [f"Other {number}" for number in range(1_992)]
    header = ",".join([*others, HEADER])
    lines = [",".join(["x"] * len(others) + [line]) for line in make_lines()]
    out, profile = write_and_inspect(tmp_path, lines, header)
    assert len(out.splitlines()) < 60
    assert "  and 1,959 more columns; --write writes the names of all" in out
    assert all(f"\n  {name} " in out for name in HEADER.split(","))
    assert len(profile["columns"]) == 1_999


def test_many_tables_and_findings_are_counted_and_not_all_listed(tmp_path: Path) -> None:
    names = [f"Part {number}" for number in range(300)]
    header = ",".join([HEADER, *names])
    rows = [line + "," * len(names) for line in make_lines(60)]
    rows += ["," * (7 + number) + "text" + "," * (299 - number) for number in range(300)]
    content = "\n".join([header, *rows]) + "\n"
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as package:
        for number in range(30):
            package.writestr(f"{number}.csv", content)
    outcome = inspect(tmp_path, "x.zip")
    assert outcome.code == 0, outcome.err
    assert len(outcome.out.splitlines()) < 100
    assert "and 9 more tables that are empty or laid out as above" in outcome.out
    assert "and 290 more columns that are alone in a row" in outcome.out


def test_objects_of_json_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    record = {"crime_ref": "R1", "recorded_on": "2017-06-13", "narrative": NARRATIVE}
    records = [record, {**record, "a\n": 1}, [1]]
    (tmp_path / "x.json").write_text(json.dumps(records))
    outcome = inspect(tmp_path, "x.json")
    assert "1 objects of JSON\n  2 more cannot be read" in outcome.out


def test_columns_about_suspects_are_theirs_and_not_those_of_victims(tmp_path: Path) -> None:
    header = f"{HEADER},Suspect Ref,Suspect Age,Suspect Gender"
    lines = [
        f"{line},S{number},{20 + number % 30},{'Male' if number % 2 else 'Female'}"
        for number, line in enumerate(make_lines())
    ]
    out, profile = write_and_inspect(tmp_path, lines, header)
    assert "DECIDE" not in out
    fields = profile["fields"]
    assert fields["suspects.suspect_ref"] == {"column": "Suspect Ref"}
    assert fields["suspects.age"] == {"column": "Suspect Age"}
    assert fields["suspects.sex"] == {
        "column": "Suspect Gender",
        "values": {"Female": "F", "Male": "M"},
    }
    assert fields["victims.age"] == {"column": "Victim Age"}
    assert "victims.victim_ref" not in fields


@pytest.mark.parametrize(
    ("codes", "decimals", "part"),
    [
        ([22.08, 86.1], 2, "decimals = 2 is proved: 1 are written like 86.02"),
        ([71.17, 86.1], "DECIDE", "1 with 2 decimals. Write 2 if"),
        ([86.1, 71.2], "DECIDE", "none with two decimals: 86.1 can be 86/10 or 86/1"),
    ],
)
def test_the_decimals_of_a_code_are_proved_or_asked_and_never_fewer(
    codes: list[float], decimals: object, part: str, tmp_path: Path
) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet
    sheet.append(HEADER.split(","))
    for number in range(20):
        code = codes[number] if number < len(codes) else 22
        cells = (f"R{number}", date(2015, 7, 1), code, NARRATIVE, 20, "Male", "Crime Recorded")
        sheet.append(cells)
    workbook.save(tmp_path / "x.xlsx")
    outcome = inspect(tmp_path, "x.xlsx", "--write")
    assert outcome.code == 0, outcome.err
    document: Any = tomlkit.parse((tmp_path / "foidex.toml").read_text(encoding="utf-8"))
    assert document["source"]["profile"]["fields"]["offence_code"]["decimals"] == decimals
    assert part in outcome.out


def test_an_empty_status_is_asked_about(tmp_path: Path) -> None:
    lines = make_lines(status=lambda n: "Crime Recorded" if n > 2 else "")
    out, profile = write_and_inspect(tmp_path, lines)
    assert profile["fields"]["status"]["values"] == {"Crime Recorded": "recorded", "": "DECIDE"}
    assert "status: 3 records have an empty status. Write recorded, cancelled or" in out
    file = tmp_path / "foidex.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("DECIDE", "cancelled"))
    checked = run_command(
        "refresh", "--check", environment={"FOIDEX_HOME": str(tmp_path)}, folder=tmp_path
    )
    assert '3 times: a status that is empty, or "" in the map, counts as cancelled.' in checked.out


def test_rows_that_cut_a_sentence_are_counted_and_said_when_they_stay_apart(tmp_path: Path) -> None:
    first = f"{NARRATIVE} The caller was asked for the live"
    lines = make_lines(6, text=lambda _: first, status=lambda _: "Crime Recorded")
    rows = [
        part
        for line in lines
        for part in (line, f",,,stream. {NARRATIVE},,,", f",,,{NARRATIVE},,,")
    ]
    out, _ = write_and_inspect(tmp_path, rows)
    assert "6 of 12 go on in the middle of a sentence." in out
    assert "an empty status" not in out
    file = tmp_path / "foidex.toml"
    text = file.read_text(encoding="utf-8").replace('["DECIDE"]', '["DD/MM/YYYY"]')
    for join, notes in (("entry", 1), ("space", 0)):
        file.write_text(text.replace('join = "DECIDE"', f'join = "{join}"'), encoding="utf-8")
        checked = run_command(
            "refresh", "--check", environment={"FOIDEX_HOME": str(tmp_path)}, folder=tmp_path
        )
        assert checked.out.startswith("18 records read: 6 valid"), checked.out
        assert checked.out.count("6 times: an entry goes on in the middle of a sent") == notes
        assert "12 rows were joined to another: continues the row before it." in checked.out


@pytest.mark.parametrize(
    ("name", "units", "rule"),
    [
        ("unit", ["years", "months"], {"columns": ["persons[].age.value", "persons[].age.unit"]}),
        ("unit", ["years", "U"], {"column": "persons[].age.value", "unit": "DECIDE"}),
        ("in", ["Yrs", "Months"], {"columns": ["persons[].age.value", "persons[].age.in"]}),
        ("in", ["no", "yes"], {"column": "persons[].age.value"}),
    ],
)
def test_the_unit_of_an_age_is_read_or_asked_and_not_ignored(
    name: str, units: list[str], rule: dict[str, Any], tmp_path: Path
) -> None:
    rows = [
        {
            "crime_ref": f"R{n}",
            "recorded_on": "2015-07-01",
            "offence_code": "22B",
            "text": f"{NARRATIVE} {n}",
            "persons": [{"age": {"value": n % 60, name: units[n % 2]}}],
        }
        for n in range(30)
    ]
    write_extract(tmp_path / "x.jsonl", "\n".join(map(json.dumps, rows)))
    assert inspect(tmp_path, "x.jsonl", "--write").code == 0
    document: Any = tomlkit.parse((tmp_path / "foidex.toml").read_text(encoding="utf-8"))
    assert document["source"]["profile"]["fields"]["victims.age"].unwrap() == rule


def test_an_age_that_is_named_in_months_is_asked_about(tmp_path: Path) -> None:
    out, profile = write_and_inspect(
        tmp_path, make_lines(), HEADER.replace("Victim Age", "Victim Age (Months)")
    )
    assert profile["fields"]["victims.age"]["unit"] == "DECIDE"
    assert "the ages may not be in years" in out


def check(folder: Path) -> Outcome:
    environment = {"FOIDEX_HOME": str(folder)}
    return run_command("refresh", "--check", environment=environment, folder=folder)


def test_a_time_with_a_time_zone_is_of_the_day_that_it_was_in_the_country(tmp_path: Path) -> None:
    """A system writes half past midnight of 1 August, in the British summer, as of 31 July."""
    hours: dict[str, Any] = {"day": lambda n: f"2015-07-31T{21 + n % 3}:30:00.000Z"}
    out, profile = write_and_inspect(tmp_path, make_lines(**hours))
    assert "the times have a time zone, so each day is that in Europe/London" in out
    assert profile["fields"]["recorded_on"] == {
        "column": "Date Recorded",
        "dates": ["YYYY-MM-DDThh:mm:ssZ"],
        "time_zone": "Europe/London",
    }
    assert "recorded_on is from 2015-07-31 to 2015-08-01" in check(tmp_path).out


def test_words_of_programs_for_no_value_are_found_and_written(tmp_path: Path) -> None:
    """A column of ages of which most are NULL is one of ages."""
    cells: dict[str, Any] = {
        "age": lambda n: n if n % 3 == 0 else "NULL",
        "sex": lambda n: "Female" if n % 3 == 0 else "NULL",
    }
    out, profile = write_and_inspect(tmp_path, make_lines(**cells))
    assert "words that stand for no value: NULL in 40 cells" in out
    assert profile["no_value"] == ["NULL"]
    assert profile["fields"]["victims.age"] == {"column": "Victim Age"}
    assert profile["fields"]["victims.sex"]["values"] == {"Female": "F"}
    assert check(tmp_path).out.startswith("30 records read: 30 valid")


def test_plain_numbers_are_asked_about_with_the_days_that_each_answer_gives(tmp_path: Path) -> None:
    out, _ = write_and_inspect(tmp_path, make_lines(day=lambda n: 42_000 + n))
    assert "excel (2014-12-27 to 2015-01-25) or excel-1904 (2018-12-28 to 2019-01-26)" in out


@pytest.mark.parametrize(
    ("days", "lines"),
    [
        ({}, ["recorded_on is from 2015-07-01 to 2015-07-28.\n"]),
        (
            {0: "13/07/1965", 1: "14/07/1967"},
            [
                "recorded_on is from 1965-07-13 to 2015-07-28.\n",
                "2 records are of 1967 or before, and none of the 47 years between 1967 and 2015.",
            ],
        ),
    ],
)
def test_a_check_prints_the_days_and_the_years_that_stand_apart(
    days: dict[int, str], lines: list[str], tmp_path: Path
) -> None:
    def make_day(number: int) -> str:
        return days.get(number) or f"{number % 28 + 1:02}/07/2015"

    write_and_inspect(tmp_path, make_lines(day=make_day))
    out = check(tmp_path).out
    for line in lines:
        assert line in out
    assert out.count("none of the") == len(lines) - 1


def test_a_check_rejects_the_second_record_of_a_reference(tmp_path: Path) -> None:
    write_and_inspect(tmp_path, make_lines(ref=lambda n: f"R{n}"))
    assert check(tmp_path).code == 0
    write_extract(tmp_path / "x.csv", "\n".join([HEADER, *make_lines(ref=lambda n: f"R{n % 29}")]))
    outcome = check(tmp_path)
    assert outcome.code == 4
    assert outcome.out.startswith("30 records read: 29 valid, 0 deletions, 1 invalid.")
    assert 'x.csv:31: "crime_ref" is already that of an earlier record.' in outcome.err


def test_running_again_adds_a_new_value_to_a_map_that_was_decided(tmp_path: Path) -> None:
    write_and_inspect(tmp_path, make_lines())
    file = tmp_path / "foidex.toml"
    decided = file.read_text(encoding="utf-8").replace(
        '"Crime Recorded" = "recorded"', '"Crime Recorded" = "transferred"'
    )
    file.write_text(decided, encoding="utf-8")
    states = {0: "Held", 1: "No Crime", 2: "crime recorded"}
    lines = make_lines(status=lambda n: states.get(n, "Crime Recorded"))
    out, profile = write_and_inspect(tmp_path, lines)
    assert profile["fields"]["status"]["values"] == {
        "Crime Recorded": "transferred", "Held": "DECIDE", "No Crime": "cancelled",
    }  # fmt: skip
    assert "2 keys of [source] were written.\nDecide what says DECIDE there" in out
    _, again = write_and_inspect(tmp_path, lines)
    assert again["fields"]["status"]["values"] == profile["fields"]["status"]["values"]


def test_files_of_two_layouts_are_named_once(tmp_path: Path) -> None:
    write_extract(tmp_path / "a.csv", "\n".join([HEADER, *make_lines()]))
    other = [f"{line},1" for line in make_lines()]
    write_extract(tmp_path / "b.csv", "\n".join([f"{HEADER},Beat", *other]))
    outcome = inspect(tmp_path, "a.csv", "b.csv", "--write")
    assert "b.csv: is laid out differently from a.csv, and one profile" in outcome.err


def test_hidden_rows_are_said_with_their_sheet_and_number(tmp_path: Path) -> None:
    """So that a person can look at what is hidden, and is read."""
    workbook = openpyxl.Workbook()
    for title in ("Cover & notes", "Crimes"):
        sheet = workbook.create_sheet(title)
        for line in [HEADER, *make_lines(20)]:
            sheet.append(line.split(","))
    for number in (3, 4, 5, 9):
        workbook["Crimes"].row_dimensions[number].hidden = True
    workbook["Cover & notes"].row_dimensions[2].hidden = True
    workbook.save(tmp_path / "a.xlsx")
    out = inspect(tmp_path, "a.xlsx").out
    assert "a.xlsx: 5 rows and 0 groups of columns are hidden; they are in the file, and are" in out
    assert "Hidden rows: Cover & notes, 2; Crimes, 3 to 5, 9." in out

    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as package,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as rewritten,
    ):
        for member in package.namelist():
            content = package.read(member)
            rewritten.writestr(member, content.replace(b'hidden="1"', b"hidden='1'"))
    assert "Hidden rows: Cover & notes, 2; Crimes, 3 to 5, 9." in inspect(tmp_path, "b.xlsx").out


@pytest.mark.parametrize(
    ("moment", "is_taken"),
    [("2019-04-02T03:11:00Z", True), ("2019-04-02 03:11:00", False), ("02/04/2019", False)],
)
def test_a_time_without_a_zone_is_not_taken_for_the_last_change(
    tmp_path: Path, moment: str, *, is_taken: bool
) -> None:
    """Every record would be rejected for it."""
    lines = [f"{line},{moment}" for line in make_lines(30)]
    _, profile = write_and_inspect(tmp_path, lines, f"{HEADER},Last Changed")
    assert ("updated_at" in profile["fields"]) is is_taken
    assert ("Last Changed" in profile.get("ignore", [])) is not is_taken


def test_a_mixed_encoding_is_to_decide_with_and_without_writing(tmp_path: Path) -> None:
    """Without --write, nobody would learn of it before foidex.toml says DECIDE."""
    text = "\n".join([HEADER, *make_lines()])
    mixed = f"{text}\nR9,01/07/2015,22B,caf\u00e9,3,Male,Crime Recorded\n".encode()
    (tmp_path / "x.csv").write_bytes(mixed + mixed.splitlines()[1].replace(b"caller", b"caf\xe9"))
    question = (
        "    encoding: part of it is UTF-8 and part is not. Ask for one encoding; or write "
        "windows-1252\n"
    )
    assert question in inspect(tmp_path, "x.csv").out
    assert question in inspect(tmp_path, "x.csv", "--write").out
    file = tmp_path / "foidex.toml"
    asked = (
        "# DECIDE: part of it is UTF-8 and part is not. Ask for one encoding; or write windows-1252"
    )
    assert f'{asked}\nencoding = "DECIDE"\n' in file.read_text()
    file.write_text(file.read_text().replace('encoding = "DECIDE"', 'encoding = "windows-1252"'))
    out = inspect(tmp_path, "x.csv", "--write").out
    assert question not in out
    assert "decided already in foidex.toml: encoding" in out


def test_who_of_several_people_is_a_victim_is_asked_where_no_word_says_it(tmp_path: Path) -> None:
    """A person of any role was a victim."""
    lines = [f"{line},{'VSW'[n % 3]}" for n, line in enumerate(make_lines())]
    told, profile = write_and_inspect(tmp_path, lines, f"{HEADER},Role")
    assert profile["where"] == {"victims": {"column": "Role", "values": ["DECIDE"]}}
    assert "may say who is a victim" in told


@pytest.mark.parametrize(
    ("names", "whose"),
    [
        ("Age of Offender,Gender", "DECIDE"),
        ("Accused Age,Sex", "DECIDE"),
        ("Age of Offender,Victim Gender", "Victim Gender"),
        ("Officer,Gender", "Gender"),
    ],
)
def test_whose_sex_a_column_holds_is_asked_beside_the_age_of_others(
    names: str, whose: str, tmp_path: Path
) -> None:
    """The sex of the one became that of victims."""
    header = HEADER.replace("Victim Age", "Days").replace("Victim Gender", "Flag")
    lines = [f"{line},{20 + n % 9},{'MF'[n % 2]}" for n, line in enumerate(make_lines())]
    _, profile = write_and_inspect(tmp_path, lines, f"{header},{names}")
    assert profile["fields"]["victims.sex"]["column"] == whose


def test_the_age_of_suspects_is_theirs_wherever_their_name_stands(tmp_path: Path) -> None:
    lines = [f"{line},{20 + n % 9}" for n, line in enumerate(make_lines())]
    _, profile = write_and_inspect(tmp_path, lines, f"{HEADER},Age of Suspect")
    assert profile["fields"]["suspects.age"] == {"column": "Age of Suspect"}
    assert profile["fields"]["victims.age"] == {"column": "Victim Age"}


@pytest.mark.parametrize("name", ["Date Of Offence", "Committed From", "Date Occurred"])
def test_a_day_of_the_offence_is_no_day_of_recording_for_certain(name: str, tmp_path: Path) -> None:
    header = HEADER.replace("Date Recorded", name)
    _, profile = write_and_inspect(tmp_path, make_lines(), header)
    assert profile["fields"]["recorded_on"]["column"] == "DECIDE"
    written = (tmp_path / "foidex.toml").read_text(encoding="utf-8")
    assert f"{name} may be the day of the offence" in written


@pytest.mark.parametrize("code", ["86 - 2 - Title of it", "086  02"])
def test_a_code_written_apart_is_no_code_with_a_title(code: str, tmp_path: Path) -> None:
    """Its sub-code was taken for the title."""
    _, profile = write_and_inspect(tmp_path, make_lines(code=lambda _: code))
    assert profile["fields"]["offence_code"]["column"] == "DECIDE"
