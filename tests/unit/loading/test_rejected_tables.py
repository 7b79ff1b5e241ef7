"""Rejected rows stay a table that the same profile reads after correction."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from indexer.config.field_map import build_field_map
from indexer.jobs.refresh import RefreshPlan
from indexer.loading.rejected_tables import RejectsLayout, make_rejects_layout
from indexer.loading.rejects import ForgottenRecords, Rejects, erase_from_rejects
from indexer.records.model import RecordError
from indexer.sources import read_records
from indexer.sources.base import RawRecord, SourceRows
from tests.support.extracts import list_values, make_profile, read_extract, write_extract

HEADER = "Crime No,Recorded,HO Code,MO,Age"

LONG_CODE = "9" * 99

COLUMNS = {"Crime No": "any", "Recorded": "any", "HO Code": "any", "MO": "text", "Age": "any"}

AGE = {"victims.age": "Age"}


def reject_all(folder: Path, raws: list[RawRecord], layout: RejectsLayout) -> Path:
    rejects = Rejects(folder / "rejects.jsonl", layout=layout)
    for raw in raws:
        if not raw.blank:
            rejects.add(raw, "reason")
    rejects.close()
    return rejects.path


@pytest.mark.parametrize("delimiter", [",", ";", "tab", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252"])
@pytest.mark.parametrize("header_row", [1, 3])
def test_a_rejected_row_is_read_again_by_the_profile_it_came_by(
    tmp_path: Path, delimiter: str, encoding: str, header_row: int
) -> None:
    """One bad date; once corrected, the record is the one that the source meant."""
    profile = make_profile(
        AGE, delimiter=delimiter, encoding=encoding, header_row=header_row, columns=COLUMNS
    )
    rows = ["title"] * (header_row - 1) + [
        HEADER,
        '1,31/02/2015,22B,"caf\u00e9, ""x""\ny",15',
        "2,01/02/2015,8N,caf\u00e9,",
    ]
    text = "\n".join(rows) + "\n"
    sign = "\t" if delimiter == "tab" else delimiter
    if sign != ",":
        text = text.replace("caf\u00e9, ", "caf\u00e9 ").replace(",", sign)
    codec = {"windows-1252": "cp1252"}.get(encoding, encoding)
    raws = read_extract(write_extract(tmp_path / "x.csv", text, codec), profile)
    path = reject_all(tmp_path, raws[:1], make_rejects_layout(profile))
    assert path.suffix == ".csv"
    content = path.read_bytes().decode("utf-8-sig" if codec == "utf-8" else codec)
    corrected = write_extract(tmp_path / "y.csv", content.replace("31/02", "28/02"), codec)
    (raw,) = read_extract(corrected, profile)
    assert raw.error is None
    text = "caf\u00e9, " if sign == "," else "caf\u00e9 "
    assert raw.raw == {
        "crime_ref": "1",
        "recorded_on": date(2015, 2, 28),
        "offence_code": "22B",
        "narrative": f'{text}"x"\ny',
        "victims": [{"age": 15}],
    }


def test_all_rows_of_a_rejected_group_are_there(tmp_path: Path) -> None:
    profile = make_profile(AGE, one_row_per="victim", columns=COLUMNS)
    lines = [HEADER, "1,01/02/2015,22B,x,15", "2,01/02/2015,8N,y,", "1,01/02/2015,22B,x,old"]
    raws = read_extract(write_extract(tmp_path / "x.csv", "\n".join(lines)), profile)
    path = reject_all(tmp_path, [raw for raw in raws if raw.error], make_rejects_layout(profile))
    again = read_extract(
        write_extract(tmp_path / "y.csv", path.read_text("utf-8-sig").replace("old", "16")), profile
    )
    assert list_values(again, "victims") == [[{"age": 15}, {"age": 16}]]


@pytest.mark.parametrize("day", [date(2015, 2, 1), datetime.fromisoformat("2015-02-01T13:30:00.5")])
def test_rows_of_a_spreadsheet_become_csv_that_the_profile_reads(day: date, tmp_path: Path) -> None:
    fields: dict[str, Any] = {**AGE, "recorded_on": {"column": "Recorded"}}
    profile = make_profile(fields, header_row=2, sheets=["Data"], columns=COLUMNS)
    origin = SourceRows(tuple(HEADER.split(",")), (["007", day, 49, "text", 151],))
    raw = RawRecord("x.xlsx, sheet Data: row 3", {}, 0, "error", origin=origin)
    path = reject_all(tmp_path, [raw], make_rejects_layout(profile))
    (read,) = read_extract(
        write_extract(tmp_path / "y.csv", path.read_text("utf-8-sig").replace("151", "15")), profile
    )
    assert read.raw == {
        "crime_ref": "007",
        "recorded_on": date(2015, 2, 1),
        "offence_code": "49",
        "narrative": "text",
        "victims": [{"age": 15}],
    }


def test_an_object_of_an_array_is_rejected_as_one_line(tmp_path: Path) -> None:
    file = write_extract(tmp_path / "x.json", '[\n {"crime_ref":\n "A"},\n {"crime_ref": "B"}]')
    raws = list(read_records([file], counts=Counter()))
    path = reject_all(tmp_path, raws, RejectsLayout())
    assert [raw.raw for raw in read_records([path], counts=Counter())] == [
        b'{"crime_ref":  "A"}\n',
        b'{"crime_ref": "B"}\n',
    ]


@pytest.mark.parametrize(
    ("content", "removed", "unclear"),
    [
        (f"Title\n{HEADER}\nA,1,2,x,3\nB,1,2,about A,3\n", 1, 0),
        (f"{HEADER}\nA,1,2,x,3\n,,,goes on,\nB,1,2,y,3\n", 2, 0),
        ("no names here\nA,1\n", 0, 1),
        ("ref,x\nB,1\nA,1\nC,2\nD,3\n", 0, 1),  # of another index: one row names it, not three
        (f"{HEADER}\nB,1,2,x,3\n,,,about A,\n,,,goes on,\n", 0, 1),
        (f"{HEADER}\nA,1,2,x,3\n,,,again A,\n,,,goes on,\nB,1,2,y,3\n", 3, 0),
        (f'{HEADER}\n"=""A""",1,2,x,3\n', 1, 0),
    ],
)
def test_forget_removes_the_rows_of_a_record(
    tmp_path: Path, content: str, removed: int, unclear: int
) -> None:
    path = write_extract(tmp_path / "crimes-1.csv", content)
    (erasure,) = erase_from_rejects(tmp_path, "A", "Crime No")
    assert (erasure.removed, erasure.unclear) == (removed, unclear)
    if "B,1,2" in content:
        assert "B,1,2" in path.read_text(encoding="utf-8")
        assert "A,1,2" not in path.read_text(encoding="utf-8")


def test_forget_finds_a_reference_by_its_path_in_json(tmp_path: Path) -> None:
    lines = '{"crime": {"reference": "A"}, "x": 1}\n{"crime": {"reference": "B"}, "links": ["A"]}\n'
    path = write_extract(tmp_path / "crimes-1.jsonl", lines)
    (erasure,) = erase_from_rejects(tmp_path, "A", "crime.reference")
    assert erasure.removed == 1
    assert path.read_text(encoding="utf-8") == lines.splitlines(keepends=True)[1]


def test_a_number_that_lost_its_zeros_is_found(tmp_path: Path) -> None:
    write_extract(tmp_path / "crimes-1.csv", f"{HEADER}\n1203,1,2,x,3\n")
    row: Any = erase_from_rejects(tmp_path, "0001203", "Crime No")
    assert row[0].removed == 1


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_forget_removes_a_text_whole_whatever_breaks_its_lines(
    tmp_path: Path, sign: str, encoding: str
) -> None:
    """Python's splitlines ends a line at a page break, which a writer of CSV does not quote."""
    header = ("Crime No", "MO")
    rows = [("A", f"first{sign}erased"), ("B", f"first{sign}stays"), ("A", ["x", f"y{sign}erased"])]
    raws = [
        RawRecord(f"x:{number}", {}, 0, "error", origin=SourceRows(header, ([ref, text],)))
        for number, (ref, text) in enumerate(rows)
    ]
    path = reject_all(tmp_path, raws, RejectsLayout(encoding))
    (erasure,) = erase_from_rejects(tmp_path, "A", "Crime No")
    assert (erasure.removed, erasure.unclear) == (3, 0)
    remaining = path.read_bytes().decode(encoding)
    assert "erased" not in remaining
    assert f"first{sign}stays" in remaining


@pytest.mark.parametrize(
    ("cell", "warned"),
    [
        ("=cmd|' /C calc'!A1", True), ("@SUM(A1)", True), ("+1-800", True), ("- was seen", True),
        ("\uff1d1+1", True), ("\t=1", True), ('="0012"', False), ("-15", False), ("+1.5", False),
        ("a=b", False), ("", False), (-3, False), (["plain", "=1+1"], True),
    ],
)  # fmt: skip
def test_a_cell_that_begins_like_a_formula_is_kept_and_named_in_the_reasons(
    tmp_path: Path, cell: Any, *, warned: bool
) -> None:
    """With a sign before it, the same profile would read another text from the corrected file."""
    origin = SourceRows(("Crime No", "MO"), (["A", cell],))
    path = reject_all(tmp_path, [RawRecord("x:1", {}, 0, origin=origin)], RejectsLayout())
    reasons = path.with_suffix(".reasons.txt").read_text(encoding="utf-8")
    assert reasons.startswith("x:1: reason")
    assert ("begins like a formula" in reasons) == warned
    if isinstance(cell, str):
        with path.open(encoding="utf-8-sig", newline="") as file:
            assert [*csv.reader(file)][1] == ["A", cell]


def test_a_forgotten_record_is_named_and_not_written(tmp_path: Path) -> None:
    profile = make_profile(AGE, columns=COLUMNS)
    rows = [HEADER, "0011,31/02/2015,22B,secret,15", "2,31/02/2015,8N,kept,"]
    raws = read_extract(write_extract(tmp_path / "x.csv", "\n".join(rows) + "\n"), profile)
    forgotten = ForgottenRecords(frozenset({"0011", "0099"}), "Crime No")
    layout = make_rejects_layout(profile)
    rejects = Rejects(tmp_path / "rejects.jsonl", layout=layout, forgotten=forgotten)
    for raw in raws:
        rejects.add(raw, "reason.")
    rejects.close()
    text = rejects.path.read_text(encoding="utf-8-sig")
    assert "kept" in text
    assert "secret" not in text
    first, second = rejects.reasons.read_text().splitlines()
    assert first.endswith("forgotten, so it is not in the file of rejects.")
    assert second.endswith(": reason.")


def explain_row(plan: RefreshPlan, raws: list[RawRecord]) -> list[str]:
    builder = plan.document_builder(datetime(2024, 1, 1, tzinfo=UTC))
    messages = []
    for raw in raws:
        with pytest.raises(RecordError) as error:
            builder.parse(raw)
        messages.append(str(error.value))
    return messages


def test_a_message_about_a_row_names_the_column_and_not_only_the_field(tmp_path: Path) -> None:
    """As when a corrected file of rejects is loaded: its columns are those of the source."""
    profile = make_profile({"victims.age": "Age of victim", "outcome": "outcome"})
    path = write_extract(
        tmp_path / "x.csv",
        "Crime No,Recorded,HO Code,MO,Age of victim,outcome\n"
        "A,01/02/2018,8N,x,930,\nB,,8N,x,1,\nC,01/02/2030,8N,x,1,\n"
        f"D,01/02/2018,8N,x,1,{'y' * 999}\n",
    )
    messages = explain_row(
        RefreshPlan((path,), tmp_path, profile=profile), read_extract(path, profile)
    )
    assert messages[0] == (
        '"Age of victim" (victims.age) is a number over 120, not whole years from 0 to 120, or '
        "empty. Correct it."
    )
    assert messages[1] == (
        '"recorded_on" is empty, and every record needs it. Fill it in. It is read from the column '
        '"Recorded".'
    )
    assert messages[2].endswith('It is read from the column "Recorded".')
    assert "It is read from" not in messages[3]  # the column has the name of the field


def test_a_message_about_two_columns_names_both(tmp_path: Path) -> None:
    profile = make_profile({"offence_code": {"columns": ["Class", "Sub"]}})
    path = write_extract(
        tmp_path / "x.csv", f"Crime No,Recorded,Class,Sub,MO\nA,01/02/2018,22,{'9' * 99},x\n"
    )
    (message,) = explain_row(
        RefreshPlan((path,), tmp_path, profile=profile), read_extract(path, profile)
    )
    assert message.endswith('It is read from the columns "Class" and "Sub".')


def test_a_message_about_a_renamed_field_names_that_of_the_source(tmp_path: Path) -> None:
    path = write_extract(
        tmp_path / "x.jsonl",
        '{"crime_ref": "A", "recorded_on": "2018-02-31", "offence_code": "8N", "text": "x"}\n'
        '{"crime_ref": "A", "recorded_on": "2018-02-01", "offence_code": "8N", "text": 5}\n',
    )
    fields = build_field_map({"narrative": "text"}, ())
    plan = RefreshPlan((path,), tmp_path, fields=fields)
    first, second = explain_row(plan, [*read_records([path], fields)])
    assert "It is read from" not in first
    assert second.endswith('It is read from the field "text".')
