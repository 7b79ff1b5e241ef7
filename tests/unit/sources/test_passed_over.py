"""A table, or what says what it must hold, is never passed over although something is there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import SourceError
from indexer.sources import begin_extract_checks, read_records
from indexer.sources.extract import ExtractRules


def make_pipe(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no named pipes")
    os.mkfifo(path)


OBSTACLES: dict[str, Callable[[Path], None]] = {
    "pipe": make_pipe,
    "folder": Path.mkdir,
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "crimes.csv").write_text("crime_ref\n1\n")
    return tmp_path


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize(
    "name", ["victims.csv", "suspects.csv", "links.csv", "narratives.csv", "crimes.csv.count"]
)
def test_what_is_there_and_cannot_be_read_stops_the_load(
    folder: Path, name: str, kind: str
) -> None:
    OBSTACLES[kind](folder / name)
    for path in (folder, folder / "crimes.csv"):
        with pytest.raises(SourceError, match=f"{name}: is not an ordinary file, nor a link"):
            begin_extract_checks([path], [], ExtractRules())


def test_a_table_whose_name_is_written_otherwise_stops_the_load(folder: Path) -> None:
    (folder / "Victims.CSV").write_text("crime_ref,victim_ref\n1,1\n")
    if (folder / "victims.csv").exists():
        pytest.skip("capitals make no difference on this file system")
    with pytest.raises(SourceError, match=r"Victims\.CSV: is not read.*called victims\.csv"):
        begin_extract_checks([folder], [], ExtractRules())


@pytest.mark.parametrize(
    ("name", "table", "remedy"),
    [
        ("victim.csv", "victims", "Rename it"),
        ("Suspect.CSV", "suspects", "Rename it"),
        ("victims.csv.gz", "victims", "Unpack it, or save it as CSV"),
        ("links.zip", "links", "Unpack it, or save it as CSV"),
        ("victims.csv.zip", "victims", "Unpack it, or save it as CSV"),
        ("Narratives.xlsx", "narratives", "Unpack it, or save it as CSV"),
        ("suspects.ods", "suspects", "Unpack it, or save it as CSV"),
        ("narrative.txt", "narratives", "Unpack it, or save it as CSV"),
    ],
)
def test_a_table_in_another_form_stops_the_load(
    folder: Path, name: str, table: str, remedy: str
) -> None:
    """The records would have no victims, for instance, without a word."""
    (folder / name).touch()
    message = f"{name}: is not read, as the table must be called {table}.csv. {remedy}"
    for path in (folder, folder / "crimes.csv"):
        with pytest.raises(SourceError, match=re.escape(message)):
            begin_extract_checks([path], [], ExtractRules())
    (folder / f"{table}.csv").write_text("crime_ref\n1\n")
    begin_extract_checks([folder], [], ExtractRules())  # the table is there


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("crimes_2.csv", "crimes"),
        ("victims (1).csv", "victims"),
        ("Narratives-Part-2.CSV", "narratives"),
        ("links2024-01.csv.gz", "links"),
        ("victims.1.csv", "victims"),
        ("suspects 2.xlsx", "suspects"),
    ],
)
def test_a_part_or_copy_of_a_table_stops_the_load(folder: Path, name: str, table: str) -> None:
    """Exports in parts, and downloads of a name that is there, have such names."""
    (folder / name).write_text("crime_ref\n1\n")
    message = f"{name}: is not read, as the rows of this table must all be in {table}.csv"
    for path in (folder, folder / "crimes.csv"):
        with pytest.raises(SourceError, match=re.escape(message)):
            begin_extract_checks([path], [], ExtractRules())


def test_files_beside_a_link_to_the_newest_are_earlier_ones(folder: Path) -> None:
    for day in ("2024-01-01", "2024-01-02"):
        (folder / f"victims_{day}.csv").write_text("crime_ref,victim_ref\n1,1\n")
    (folder / "victims.csv").symlink_to("victims_2024-01-02.csv")
    begin_extract_checks([folder], [], ExtractRules())


def test_a_numbered_table_that_is_named_is_read(folder: Path) -> None:
    (folder / "crimes_2.csv").write_text("crime_ref\n2\n")
    begin_extract_checks([folder, folder / "crimes_2.csv"], [], ExtractRules())


@pytest.mark.parametrize(
    "name", ["victims.md", "victims-notes.csv", "victims.csv.bak", "lin.csv", "crimes_2.txt.bak"]
)
def test_other_files_beside_the_tables_are_none_of_foidex(folder: Path, name: str) -> None:
    (folder / name).touch()
    begin_extract_checks([folder], [], ExtractRules())


def test_a_link_to_a_table_is_a_table(folder: Path) -> None:
    (folder / "old.csv").write_text("crime_ref,victim_ref\n1,1\n")
    (folder / "victims.csv").symlink_to("old.csv")
    begin_extract_checks([folder], [], ExtractRules())


@pytest.mark.parametrize(
    ("names", "named"),
    [
        (["Crimes.csv"], ['"Crimes.csv" is not read']),
        (["linked.csv", "crimes - Copy.csv"], ['"crimes - Copy.csv", "linked.csv" are not read']),
        ([f"{letter}.xlsx" for letter in "abcdefg"], ['"e.xlsx" and 2 more are not read']),
        (["victims.csv", "crimes.csv.count", "notes.txt", ".old.csv", "report.json"], []),
    ],
)
def test_other_tables_beside_those_of_a_folder_are_named(
    names: list[str], named: list[str], tmp_path: Path
) -> None:
    """They may hold records; only their names say that they are none of the tables."""
    (tmp_path / "crimes.csv").write_text(
        "crime_ref,recorded_on,offence_code,narrative\nA1,2015-07-27,22B,Text\n"
    )
    for name in names:
        (tmp_path / name).write_text("crime_ref,age\nA1,5\n")
    (raw,) = read_records([tmp_path])
    assert len(raw.notes) == len(named)
    assert all(words in note for words, note in zip(named, raw.notes, strict=True))


def test_one_that_is_read_too_is_not_named(tmp_path: Path) -> None:
    text = "crime_ref,recorded_on,offence_code,narrative\n{},2015-07-27,22B,Text\n"
    (tmp_path / "crimes.csv").write_text(text.format("A1"))
    (tmp_path / "other.csv").write_text(text.format("A2"))
    raws = list(read_records([tmp_path, tmp_path / "other.csv"]))
    assert [raw.notes for raw in raws] == [(), ()]
