"""Files as they come: encodings, delimiters, JSON, zips, and limits on what they unpack to."""

from __future__ import annotations

import gzip
import json
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from indexer.errors import SourceError
from indexer.sources.tables.encoding import detect_encoding
from indexer.sources.tables.open_file import LayoutRules, open_tables
from indexer.sources.tables.table import name_columns
from tests.support.extracts import write_extract

ANY = LayoutRules(partial=True)


def read_cells(path: Path, layout: LayoutRules = ANY) -> list[list[Any]]:
    return [row.cells for table in open_tables(path, layout) for row in table.rows()]


@pytest.mark.parametrize(
    ("text", "encoding", "name", "evidence"),
    [
        ("plain", "ascii", "utf-8", "all of it ASCII"),
        ("caf\u00e9", "utf-8", "utf-8", "1 characters beyond ASCII"),
        ("caf\u00e9", "utf-8-sig", "utf-8", "begins with the mark of UTF-8"),
        ("caf\u00e9", "utf-16", "utf-16", "begins with the mark of UTF-16"),
        (
            "the desk\u2019s \u201cnote\u201d, \u00a320",
            "cp1252",
            "windows-1252",
            "byte 9 is not UTF-8",
        ),
    ],
)
def test_the_encoding_is_proved_and_the_evidence_given(
    text: str, encoding: str, name: str, evidence: str
) -> None:
    detected = detect_encoding("x.csv", lambda: BytesIO(text.encode(encoding)))
    assert detected.name == name
    assert evidence in detected.evidence
    assert not detected.mixed


def test_a_character_across_two_blocks_is_still_utf8() -> None:
    data = b"a" * (1024 * 1024 - 1) + "\u2019".encode() + "b\u2019".encode() * 4_000
    detected = detect_encoding("x.csv", lambda: BytesIO(data))
    assert detected.name == "utf-8"
    assert "4,001 characters beyond ASCII" in detected.evidence
    broken = b"a" * (1024 * 1024 - 1) + b"\xe2\x80b"
    detected = detect_encoding("x.csv", lambda: BytesIO(broken))
    assert detected.name == "windows-1252"
    assert "byte 1,048,576 is not" in detected.evidence


def test_a_text_of_two_encodings_is_known_as_mixed() -> None:
    data = "caf\u00e9 \u2019".encode() + b" \xa320"
    assert detect_encoding("x.csv", lambda: BytesIO(data)).mixed


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\x81\x8d", "neither UTF-8 nor Windows-1252"),
        ("a,b".encode("utf-16-le"), "null characters"),
        ("a".encode("utf-32"), "UTF-32"),
        (b"\xef\xbb\xbfcaf\xe9", "begins with the mark of UTF-8, but byte 7 is not"),
    ],
)
def test_text_that_is_none_of_the_three_encodings_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        detect_encoding("x.csv", lambda: BytesIO(data))


@pytest.mark.parametrize(
    ("declared", "written", "is_refused"),
    [
        ("windows-1252", "utf-8", 1),
        ("utf-8", "cp1252", 1),
        ("utf-16", "utf-8", 1),
        ("utf-8", "utf-16", 1),
        ("windows-1252", "cp1252", 0),
        ("utf-8", "utf-8-sig", 0),
    ],
)
def test_a_file_of_another_encoding_than_declared_is_refused(
    tmp_path: Path, declared: str, written: str, is_refused: int
) -> None:
    file = write_extract(tmp_path / "x.csv", "a,b\ncaf\u00e9,1\n", written)
    layout = LayoutRules(encoding=declared)
    if is_refused:
        with pytest.raises(SourceError, match=f'encoding = "{declared}"'):
            read_cells(file, layout)
    else:
        assert read_cells(file, layout)[1] == ["caf\u00e9", "1"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_that_cuts_the_rows_alike_is_found(tmp_path: Path, delimiter: str) -> None:
    rows = [["Ref", "Text", "Age"], *([str(n), 'a, b; "c" | d\te\nf', "15"] for n in range(9))]
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows]
    file = write_extract(tmp_path / "x.txt", "\r\n".join(map(delimiter.join, quoted)))
    assert read_cells(file) == rows
    (table,) = open_tables(file, ANY)
    assert table.delimiter == delimiter


def test_a_sep_line_names_the_delimiter_and_keeps_its_row(tmp_path: Path) -> None:
    file = write_extract(tmp_path / "x.csv", "\ufeffsep=;\r\na;b\r\n1,5;2\r\n")
    (table,) = open_tables(file, ANY)
    assert [(row.location, row.cells) for row in table.rows()] == [
        ("x.csv:1", ["sep=;"]),
        ("x.csv:2", ["a", "b"]),
        ("x.csv:3", ["1,5", "2"]),
    ]


def test_two_delimiters_that_fit_equally_are_not_decided(tmp_path: Path) -> None:
    file = write_extract(tmp_path / "x.csv", "a,b;c\n1,2;3\n")
    (table,) = open_tables(file, ANY)
    assert table.delimiter is None
    assert "two delimiters" in " ".join(table.evidence)


def test_a_file_that_ends_inside_quotes_is_cut_short(tmp_path: Path) -> None:
    file = write_extract(tmp_path / "x.csv", 'a,b\n1,"x\ny"\n2,"the end is\nmiss')
    with pytest.raises(SourceError, match=r"x\.csv:4: the file ends inside a quoted cell"):
        read_cells(file)


def test_the_sizes_of_rows_are_those_of_the_file(tmp_path: Path) -> None:
    """Batches and the bar of progress go by them; what is read by the block counts once."""
    path = tmp_path / "x.csv"
    path.write_bytes(b'a,"b\r\nc"\r\n' * 5_000)
    (table,) = open_tables(path, ANY)
    sizes = [row.size for row in table.rows()]
    assert len(sizes) == 5_000
    assert min(sizes) > 0
    assert path.stat().st_size <= sum(sizes) <= path.stat().st_size + len(sizes)
    assert max(sizes) <= 64 * 1024


def test_too_many_columns_are_one_message(tmp_path: Path) -> None:
    file = write_extract(tmp_path / "x.csv", ",".join(map(str, range(16_384))) + "\n")
    with pytest.raises(SourceError, match="has 16,384 columns, and 2,000 are read at most"):
        read_cells(file)


def test_headers_are_folded_and_numbered_where_they_repeat() -> None:
    names = name_columns(["Crime\u00a0No ", "Code", "", " Code", None])
    assert names == ["Crime No", "Code (2)", "(column 3)", "Code (4)", "(column 5)"]


RECORDS = [
    {"crime": {"ref": f"R{n}", "x": None}, "text": [{"b": "a"}, {"b": None}]} for n in range(3)
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "\n".join(map(json.dumps, RECORDS)),
        "\n\n".join(json.dumps(record, indent=1) for record in RECORDS),
        "\ufeff" + json.dumps(RECORDS),
    ],
)
def test_json_of_any_layout_gives_its_objects_with_their_paths(tmp_path: Path, text: str) -> None:
    file = write_extract(tmp_path / "x.json", text)
    assert read_cells(file) == [[{"crime.ref": f"R{n}", "text[].b": ["a", None]}] for n in range(3)]


def test_a_large_array_is_read_in_pieces(tmp_path: Path) -> None:
    records = [{"n": n, "text": "x" * (n % 7) * 1000 + "\u2019"} for n in range(3000)]
    file = write_extract(tmp_path / "x.json", json.dumps(records, ensure_ascii=False))
    assert file.stat().st_size > 5 * 1024 * 1024
    assert [cells[0]["n"] for cells in read_cells(file)] == list(range(3000))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}, {"a": ', "object 2 is not JSON, or the file ends before it does"),
        ('[{"a": 1}', "object 1 is not JSON, or the file ends before it does"),
        ('[{"a": 1}] {"a": 2}', "what follows object 1 is not JSON"),
        ('[{"a": 1} {"a": 2}]', "what follows object 1 is not JSON"),
        ("[" * 100_000, "nested too deeply|is not JSON"),
        ("hello", "object 1 is not JSON"),
    ],
)
def test_json_that_is_damaged_or_cut_short_is_one_message(
    tmp_path: Path, text: str, message: str
) -> None:
    file = write_extract(tmp_path / "x.json", text)
    with pytest.raises(SourceError, match=message):
        read_cells(file)


def test_a_zip_gives_the_rows_of_its_members(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("2017/a.csv", "r,t\n1,x\n")
        package.writestr("b.csv", "r;t\n2;y\n")
        package.writestr("__MACOSX/._b.csv", "no")
    locations = [row.location for table in open_tables(path, ANY) for row in table.rows()]
    assert read_cells(path) == [["r", "t"], ["1", "x"], ["r", "t"], ["2", "y"]]
    assert locations[1] == "x.zip/2017/a.csv:2"


def test_a_zip_and_a_gzip_that_unpack_to_too_much_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "x.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a.csv", b"a,b\n" + b"0" * 50_000_000)
    packed = tmp_path / "x.csv.gz"
    packed.write_bytes(gzip.compress(b"a,b\n" + b"0" * 50_000_000))
    for path in (bomb, packed):
        with pytest.raises(SourceError, match="expands to more than 200 times its size"):
            read_cells(path)


def test_damaged_packed_files_are_one_message(tmp_path: Path) -> None:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a.csv", "a,b\n" + "1,hello\n" * 1000)
    data = bytearray(whole.getvalue())
    data[60:70] = b"\xff" * 10
    for name, content in {
        "x.zip": bytes(data),
        "y.zip": whole.getvalue()[:100],
        "z.csv.gz": gzip.compress(b"a,b\n" * 10_000)[:-20],
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SourceError, match="cut short or damaged"):
            read_cells(path)


def test_one_process_lists_the_sheets_and_reads_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.Workbook()
    book["Sheet"].append(["a", 1.5])
    for name in ("2018", "2019", "2020"):
        for number in range(450):
            if not number:
                book.create_sheet(name)
            book[name].append([name, number])
    book.save(tmp_path / "x.xlsx")
    started: list[subprocess.Popen[bytes]] = []

    class Process(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:
            started.append(self)
            super().__init__(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", Process)
    tables = open_tables(tmp_path / "x.xlsx", ANY)
    cells = [[row.cells for row in table.rows()] for table in tables]
    assert cells[0] == [["a", 1.5]]
    assert cells[1:] == [[[name, n] for n in range(450)] for name in ("2018", "2019", "2020")]
    assert len(started) == 1
    assert [row.cells for row in tables[2].rows()] == cells[2]
    rows = tables[3].rows()
    assert next(rows).location == "x.xlsx, sheet 2020: row 1"
    assert len(started) == 3
    del rows, tables  # what nobody reads on has no process
    assert all(process.poll() is not None for process in started)


@pytest.mark.parametrize(
    ("text", "is_clear"),
    [
        ('{"a": {"b": 1}, "a.b": 2}', False),
        ('{"a.b": 2, "a": {"b": 1}}', False),
        ('{"a": [{"b": 1}], "a[].b": 2}', False),
        ('{"a": {"b": 1}, "a.b": null}', True),
    ],
)
def test_an_object_has_one_value_of_a_path(text: str, *, is_clear: bool, tmp_path: Path) -> None:
    (table,) = open_tables(write_extract(tmp_path / "x.json", text), LayoutRules())
    (row,) = table.rows()
    assert (row.error is None) is is_clear
