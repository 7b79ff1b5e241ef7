"""Extracts made to break a reader, or the terminal of whoever reads its messages."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from indexer.errors import SourceError
from indexer.inspection.hidden_parts import count_hidden_parts
from indexer.sources.tables.open_file import LayoutRules, open_tables
from indexer.terminal import escape_controls, escape_line, show_name
from tests.support.command_line import Outcome, run_command
from tests.support.extracts import make_profile, read_extract

HEADER = "Crime No,Recorded,HO Code,MO"

TEXT = "The caller was given the log number and nothing further was asked for at this stage."

ROWS = "\n".join([HEADER, *(f"R{number:04},13/06/2017,22B,{TEXT}" for number in range(30))]) + "\n"

SIGNS = "\x1b[31m\u202e\x07"


def inspect(folder: Path, *arguments: object) -> Outcome:
    environment = {"FOIDEX_HOME": str(folder / "home")}
    return run_command("inspect", *arguments, environment=environment, folder=folder)


def write_zip(path: Path, *members: tuple[str, str], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as package:
        for name, text in members:
            package.writestr(name, text)
    return path


def read_cells(path: Path) -> list[list[Any]]:
    tables = open_tables(path, LayoutRules(partial=True))
    return [row.cells for table in tables for row in table.rows()]


def require_plain_text(outcome: Outcome) -> None:
    for text in (outcome.out, outcome.err):
        assert text.replace("\n", "").isprintable(), ascii(text)
        assert "Traceback" not in text


def test_names_are_shown_without_their_control_characters() -> None:
    assert escape_controls(f"a{SIGNS}\nb") == "a\\x1b[31m\\u202e\\x07\nb"
    assert escape_line("a\nfoidex: b") == "a\\nfoidex: b"
    assert escape_controls("caf\u00e9 \u4e16") == "caf\u00e9 \u4e16"
    assert len(show_name("a" * 60_000)) == 120


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("header.csv", ROWS.replace("MO\n", f"MO {SIGNS} text\n")),
        (f"file{SIGNS}.csv", ROWS),
        (f"kind{SIGNS}.exe", ROWS),
        ("values.csv", ROWS.replace("22B", f"22{SIGNS}B")),
    ],
)
def test_no_control_character_of_a_text_reaches_the_terminal(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    require_plain_text(inspect(tmp_path, name, "--write"))


@pytest.mark.parametrize("ending", [".csv", ".exe"])
def test_no_name_in_a_zip_writes_to_the_terminal_or_forges_a_line(
    tmp_path: Path, ending: str
) -> None:
    write_zip(tmp_path / "x.zip", (f"a{SIGNS}\nfoidex: done{ending}", ROWS))
    outcome = inspect(tmp_path, "x.zip")
    require_plain_text(outcome)
    assert "\nfoidex: done" not in outcome.out + outcome.err
    assert "\\nfoidex: done" in outcome.out + outcome.err


def test_a_very_long_name_in_a_zip_is_cut(tmp_path: Path) -> None:
    write_zip(tmp_path / "x.zip", ("a" * 60_000 + ".csv", ROWS))
    outcome = inspect(tmp_path, "x.zip")
    assert outcome.code == 0
    assert max(map(len, outcome.out.splitlines())) < 300


def test_no_name_of_a_field_of_json_writes_to_the_terminal(tmp_path: Path) -> None:
    for name in (f"a{SIGNS}\n[source]", "\ud800"):
        (tmp_path / "x.json").write_text(json.dumps([{name: TEXT}] * 20))
        require_plain_text(inspect(tmp_path, "x.json"))
        row = next(open_tables(tmp_path / "x.json", LayoutRules())[0].rows())
        assert row.error == "has a field whose name has control characters. Correct the export."


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_zip_of_any_packing_is_one_message(tmp_path: Path, packing: int) -> None:
    path = write_zip(tmp_path / "x.zip", ("a.csv", ROWS), packing=packing)
    data = bytearray(path.read_bytes())
    data[60:100] = bytes(byte ^ 0x55 for byte in data[60:100])
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"cut short or damaged|cannot be unpacked"):
        read_cells(path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5_000])
def test_a_number_of_json_that_is_none_is_kept_as_text_and_rejected(
    tmp_path: Path, number: str
) -> None:
    record = {"Crime No": "R1", "Recorded": "13/06/2017", "HO Code": "22B", "MO": TEXT, "Age": 0}
    text = json.dumps([record] * 20).replace('"Age": 0', f'"Age": {number}')
    (tmp_path / "x.json").write_text(text)
    require_plain_text(inspect(tmp_path, "x.json"))
    profile = make_profile({"victims.age": "Age"})
    [first, *_] = read_extract(tmp_path / "x.json", profile)
    assert first.error is not None
    assert '"Age" is text of the shape' in first.error


def test_a_number_of_a_spreadsheet_that_is_beyond_all_limits_is_a_cell(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["A", "B"])
    sheet.append([1e300, 5.0])
    book.save(tmp_path / "x.xlsx")
    assert read_cells(tmp_path / "x.xlsx") == [["A", "B"], [1e300, 5]]
    with zipfile.ZipFile(tmp_path / "x.xlsx") as package:
        parts = {name: package.read(name) for name in package.namelist()}
    part = "xl/worksheets/sheet1.xml"
    parts[part] = parts[part].replace(b"<v>1e+300</v>", b"<v>1e999</v>")
    assert b"1e999" in parts[part]
    write_zip(tmp_path / "y.xlsx", *((name, data.decode()) for name, data in parts.items()))
    assert read_cells(tmp_path / "y.xlsx") == [["A", "B"], ["inf", 5]]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.zip", "x.xlsx"])
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    """A table is read more than once: a pipe would give it once, or never."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(SourceError, match="is not an ordinary file"):
        read_cells(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no modes")
def test_a_private_foidex_toml_stays_private_when_a_profile_is_written(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(ROWS)
    target = tmp_path / "real.toml"
    target.write_text('[server]\npassword = "synthetic"\nurl = "http://localhost:9200"\n')
    target.chmod(0o600)
    (tmp_path / "foidex.toml").symlink_to("real.toml")
    outcome = inspect(tmp_path, "x.csv", "--write")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "foidex.toml").is_symlink()
    assert "[source.profile]" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("piece", ["<row ", ' hidden="1"', "<row" + " a" * 600])
def test_a_sheet_made_to_be_slow_is_searched_once(tmp_path: Path, piece: str) -> None:
    hidden = '<row r="1" hidden="1"><c/></row>'
    text = f"{hidden}<row r='2'{piece * (2_000_000 // len(piece))}{hidden}"
    parts = count_hidden_parts(write_zip(tmp_path / "x.xlsx", ("xl/worksheets/sheet1.xml", text)))
    assert parts is not None
    assert 2 <= parts.rows <= 3


def test_half_a_character_in_json_rejects_its_record_only(tmp_path: Path) -> None:
    record = {"Crime No": "R1", "Recorded": "13/06/2017", "HO Code": "22B", "MO": TEXT}
    records = [record, {**record, "MO": ["a", "\ud83d b"]}, {**record, "MO": "\U0001f600"}]
    (tmp_path / "x.json").write_text(json.dumps(records))
    errors = [raw.error for raw in read_extract(tmp_path / "x.json", make_profile())]
    assert errors[1] is not None
    assert "half of a character" in errors[1]
    assert (errors[0], errors[2]) == (None, None)
