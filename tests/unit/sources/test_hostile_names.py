"""Names of files, members and sheets that mean something to a pattern, a shell or an archive: each
stands for itself, and nothing with content is passed over."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from indexer.errors import SourceError
from indexer.sources import read_records
from indexer.sources.tables.open_file import LayoutRules, open_tables
from tests.support.command_line import Outcome, run_command
from tests.support.planted import plant_deep_folder

HEADER = ["Crime No", "Recorded", "HO Code", "MO"]

TEXT = "The caller was given the log number and nothing further was asked for at this stage."


def make_rows(prefix: str = "R") -> list[list[str]]:
    return [[f"{prefix}{number:04}", "13/06/2017", "22B", TEXT] for number in range(30)]


def make_csv(prefix: str = "R", header: list[str] = HEADER) -> str:
    return "".join(",".join(row) + "\n" for row in [header, *make_rows(prefix)])


def write_zip(path: Path, *members: tuple[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        for name, text in members:
            package.writestr(name, text)
    return path


def write_book(path: Path, *names: str) -> Path:
    """A workbook; names that openpyxl refuses are put into it afterwards."""
    book = openpyxl.Workbook(write_only=True)
    for number, _ in enumerate(names):
        sheet = book.create_sheet(f"SHEET{number}")
        for row in [HEADER, *make_rows(f"S{number}-")]:
            sheet.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    for number, name in enumerate(names):
        before = parts["xl/workbook.xml"]
        parts["xl/workbook.xml"] = before.replace(f'"SHEET{number}"', f'"{name}"')
    return write_zip(path, *parts.items())


def run_foidex(folder: Path, *arguments: object) -> Outcome:
    environment = {"FOIDEX_HOME": str(folder / "home")}
    return run_command(*arguments, environment=environment, folder=folder)


def check_written_profile(folder: Path, name: str) -> Outcome:
    """Write the profile of a file, and check the source that it describes."""
    outcome = run_foidex(folder, "inspect", name, "--write")
    assert outcome.code == 0, outcome.err
    return run_foidex(folder, "refresh", "--check")


def read_references(path: Path) -> list[Any]:
    tables = open_tables(path, LayoutRules(partial=True))
    return [row.cells[0] for table in tables for row in table.rows() if row.cells[0] != HEADER[0]]


@pytest.mark.parametrize("name", ["crimes[1].csv", "a*b.csv", "a?b.csv", "[!a].csv", "[x]/y.csv"])
def test_a_written_path_is_that_file_and_no_pattern(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(make_csv())
    (tmp_path / "aXb.csv").write_text(make_csv("X"))
    outcome = check_written_profile(tmp_path, name)
    assert "30 records read: 30 valid" in outcome.out + outcome.err


def test_a_name_that_is_no_utf_8_is_one_message(tmp_path: Path) -> None:
    name = os.fsdecode(b"x\xe9.csv")
    try:
        (tmp_path / name).write_text(make_csv())
    except OSError:
        pytest.skip("this file system has no such names")
    outcome = run_foidex(tmp_path, "inspect", name, "--write")
    assert (outcome.code, outcome.err.count("\n")) == (4, 1)
    assert "the name is not UTF-8, so foidex.toml cannot hold it. Rename the file." in outcome.err
    assert not (tmp_path / "foidex.toml").exists()


@pytest.mark.parametrize("name", ["*", "[1]", "20??", "&quot;]&#10;[server]", "a" * 200_000])
def test_a_sheet_of_any_name_is_read_as_the_profile_names_it(tmp_path: Path, name: str) -> None:
    write_book(tmp_path / "x.xlsx", name, "2018")
    outcome = check_written_profile(tmp_path, "x.xlsx")
    assert "60 records read: 60 valid" in outcome.out + outcome.err


def test_a_sheet_named_like_a_pattern_does_not_ignore_others(tmp_path: Path) -> None:
    """The sheet without records is ignored by its name, which as a pattern would be all."""
    path = write_book(tmp_path / "x.xlsx", "2017", "2018")
    book = openpyxl.load_workbook(path)
    book.create_sheet("NOTES").append(["Of interest to nobody"])
    book.save(path)
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace('"NOTES"', '"*"')
    write_zip(path, *parts.items())
    outcome = check_written_profile(tmp_path, "x.xlsx")
    assert "60 records read: 60 valid" in outcome.out + outcome.err


def test_a_column_named_like_a_pattern_hides_no_new_column(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(make_csv(header=[*HEADER, "*"]).replace("stage.\n", "stage.,z\n"))
    assert check_written_profile(tmp_path, "x.csv").code == 0
    path.write_text(make_csv(header=[*HEADER, "*", "New"]).replace("stage.\n", "stage.,z,n\n"))
    outcome = run_foidex(tmp_path, "refresh", "--check")
    assert outcome.code != 0
    assert '"New"' in outcome.err


def test_two_sheets_of_one_name_are_refused(tmp_path: Path) -> None:
    """The second can only be asked for by its name, which gives the first again."""
    path = write_book(tmp_path / "x.xlsx", "2018", "2018")
    with pytest.raises(SourceError, match=r"has two sheets of one name. Rename one of them."):
        open_tables(path, LayoutRules())


@pytest.mark.parametrize("name", ["./a.csv", ".a.csv", ".d/a.csv", "../a.csv", "__MACOSX/a.csv"])
def test_no_member_of_a_zip_is_passed_over(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "x.zip", (name, make_csv("A")), ("b.csv", make_csv("B")))
    assert len(read_references(path)) == 60


def test_what_a_mac_adds_to_a_zip_is_passed_over(tmp_path: Path) -> None:
    members = [("d/b.csv", make_csv("B")), ("d/.DS_Store", "\0"), ("__MACOSX/d/._b.csv", "\0")]
    path = write_zip(tmp_path / "x.zip", ("d/", ""), *members)
    assert len(read_references(path)) == 30


def test_a_folder_of_a_zip_that_has_content_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", ("a.csv/", make_csv("A")), ("b.csv", make_csv("B")))
    with pytest.raises(SourceError, match=r"holds a\.csv/"):
        read_references(path)


def test_two_zips_in_one_file_are_refused(tmp_path: Path) -> None:
    """Only the list of the second is read: the first would be lost in silence."""
    parts = [write_zip(tmp_path / name, (f"{name}.csv", make_csv(name))) for name in "AB"]
    (tmp_path / "x.zip").write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(SourceError, match="Give each zip by itself"):
        read_references(tmp_path / "x.zip")


def test_a_zip_of_a_great_many_folders_is_refused(tmp_path: Path) -> None:
    """Its list is read again for each member, which would take hours."""
    folders = [(f"{number}/", "") for number in range(5_000)]
    path = write_zip(tmp_path / "x.zip", ("b.csv", make_csv("B")), *folders)
    with pytest.raises(SourceError, match="holds 1 files in 5,001 entries"):
        read_references(path)


def test_a_spreadsheet_that_is_swapped_after_the_check_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that reads it gets the open file, and not its name."""
    if not Path("/dev/fd/0").exists():
        pytest.skip("this system has no path to an open file")
    path = write_book(tmp_path / "x.xlsx", "2018")
    secret = write_book(tmp_path / "secret.xlsx", "2018", "more")
    start = subprocess.Popen

    def swap(*arguments: Any, **options: Any) -> Any:
        path.unlink(missing_ok=True)
        path.symlink_to(secret)
        return start(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", swap)
    tables = open_tables(path, LayoutRules())
    assert [table.name for table in tables] == ["2018"]


@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
def test_a_file_whose_name_is_no_utf8_or_has_controls_is_read_and_named(
    tmp_path: Path, ending: str
) -> None:
    """Each record has a place of its own that can be stored, whatever the file is called."""
    record = b'{"crime_ref": "R%d", "recorded_on": "2018-05-01", "offence_code": "22B"}\n'
    table = b"crime_ref,recorded_on,offence_code,narrative\nR%d,2018-05-01,22B,x\n"
    names = [b"\xff", b"\xfe", b"a\nb", b"a\\nb", b"plain"]
    paths = [tmp_path / os.fsdecode(name + ending.encode()) for name in names]
    for number, path in enumerate(paths):
        path.write_bytes((record if ending == ".jsonl" else table) % number)
    raws = [raw for raw in read_records(paths) if not raw.blank]
    places = {raw.location.encode().decode() for raw in raws}
    assert len(places) == len(names)
    assert all(place.isprintable() for place in places)
    (plain,) = (place for place in places if place.startswith("plain"))
    assert plain in ("plain.jsonl:1", "plain.csv:2")


def test_members_whose_shown_names_are_alike_are_told_apart(tmp_path: Path) -> None:
    """A row at the place of another is taken for that row, sent twice."""
    start = "x" * 150
    names = (f"{start}1.csv", f"{start}2.csv", "plain.csv")
    path = write_zip(tmp_path / "a.zip", *((name, make_csv()) for name in names))
    tables = open_tables(path, LayoutRules())
    assert len({table.name for table in tables}) == 3
    assert tables[2].name == "a.zip/plain.csv"


def test_folders_without_end_that_a_pattern_reaches_are_one_message(tmp_path: Path) -> None:
    (tmp_path / "foidex.toml").write_text('[source]\npaths = ["in/**/*.jsonl"]\n')
    with plant_deep_folder(tmp_path / "in"):
        done = run_command(
            "refresh",
            "--check",
            environment={"FOIDEX_HOME": str(tmp_path / "home")},
            folder=tmp_path,
            expected_code=4,
        )
    assert "in/**/*.jsonl: " in done.err


@pytest.mark.timeout(60)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_that_a_pattern_finds_is_not_waited_for(tmp_path: Path) -> None:
    """Whoever may write in the folder can have put it there."""
    os.mkfifo(tmp_path / "a.jsonl")
    (tmp_path / "foidex.toml").write_text('[source]\npaths = ["*.jsonl"]\n')
    command = ["refresh", "--check"]
    done = run_command(
        *command,
        environment={"FOIDEX_HOME": str(tmp_path / "home")},
        folder=tmp_path,
        expected_code=4,
    )
    assert "a.jsonl: is not an ordinary file" in done.err
