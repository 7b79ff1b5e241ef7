"""A cell that is merged with the one above has no value of its own, and is not read as empty."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from indexer.config.profile import SourceProfile
from indexer.errors import SourceError
from indexer.integrity.special_cells import MergedCell, list_merged_cells
from indexer.sources.tables.open_file import LayoutRules, open_tables
from tests.support.extracts import list_values, make_profile, read_extract

HEADER = ["Crime No", "Recorded", "HO Code", "MO", "Team"]

ROWS: list[list[Any]] = [
    [f"41/{number:05}/17", date(2017, 7, 27), "22B", f"Text {number}", "East"]
    for number in range(4)
]

OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def write_merged(path: Path, merged: str, rows: list[list[Any]] = ROWS) -> Path:
    """An XLSX of the header and the rows, with these cells merged."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (HEADER, *rows):
        sheet.append(row)
    for cells in merged.split():
        sheet.merge_cells(cells)
    workbook.save(path)
    return path


def ignore_team(**keys: Any) -> SourceProfile:
    return make_profile(ignore=["Team"], **keys)


@pytest.mark.parametrize(
    ("merged", "message"),
    [
        ("D3:D4", 'row 4: "MO" is merged with the cell above'),
        ("D3:D5", 'row 4: "MO" is merged with the cell above'),
        ("A3:A4", 'row 4: "Crime No" is merged with the cell above'),
        ("C4:E5", 'row 5: "HO Code" is merged with the cell above'),
    ],
)
def test_a_merged_cell_that_is_read_is_refused(merged: str, message: str, tmp_path: Path) -> None:
    """Its text would be missing in all rows but the first."""
    with pytest.raises(SourceError, match=message):
        read_extract(write_merged(tmp_path / "x.xlsx", merged), ignore_team())


@pytest.mark.parametrize("merged", ["E2:E5", "D3:E3"])
def test_one_that_nothing_reads_is_empty(merged: str, tmp_path: Path) -> None:
    raws = read_extract(write_merged(tmp_path / "x.xlsx", merged), ignore_team())
    assert list_values(raws, "narrative") == [f"Text {number}" for number in range(4)]


def test_merged_cells_without_a_value_are_empty(tmp_path: Path) -> None:
    rows = [
        [*row[:3], "" if number in (1, 2) else row[3], row[4]] for number, row in enumerate(ROWS)
    ]
    raws = read_extract(write_merged(tmp_path / "x.xlsx", "D3:D4", rows), ignore_team())
    assert [text or "" for text in list_values(raws, "narrative")] == ["Text 0", "", "", "Text 3"]


def test_a_record_may_be_two_rows_high(tmp_path: Path) -> None:
    """Nothing but merged cells is a blank row."""
    empty: list[Any] = [None] * len(HEADER)
    rows = [row for record in ROWS for row in (record, empty)]
    merged = " ".join(
        f"{column}{row}:{column}{row + 1}" for column in "ABCDE" for row in (2, 4, 6, 8)
    )
    raws = read_extract(write_merged(tmp_path / "x.xlsx", merged, rows), ignore_team())
    assert list_values(raws, "narrative") == [f"Text {number}" for number in range(4)]


def test_a_text_may_go_on_beside_merged_cells(tmp_path: Path) -> None:
    rows = [ROWS[0], [None, None, None, "and more", None], *ROWS[1:]]
    merged = " ".join(f"{column}2:{column}3" for column in "ABCE")
    profile = ignore_team(continuation={"column": "MO", "join": "space"})
    raws = read_extract(write_merged(tmp_path / "x.xlsx", merged, rows), profile)
    assert list_values(raws, "narrative")[0] == "Text 0 and more"
    with pytest.raises(SourceError, match='row 3: "Crime No" is merged'):
        read_extract(tmp_path / "x.xlsx", ignore_team())


@pytest.mark.parametrize(("span", "is_merged"), [("2", True), ("1", False)])
def test_the_cells_of_an_ods_are_marked_too(span: str, tmp_path: Path, *, is_merged: bool) -> None:
    text = '<table:table-cell office:value-type="string"{}><text:p>x</text:p></table:table-cell>'
    spanned = text.format(f' table:number-rows-spanned="{span}" table:number-columns-spanned="1"')
    plain = text.format("")
    covered = "<table:covered-table-cell/>"
    rows = [plain + plain, plain + spanned, plain + covered, plain + plain]
    content = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    names = " ".join(f'xmlns:{name}="{OFFICE}:{name}:1.0"' for name in ("office", "table", "text"))
    with zipfile.ZipFile(tmp_path / "x.ods", "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{OFFICE}:manifest:1.0"/>')
        package.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body><office:spreadsheet>"
            f'<table:table table:name="Data">{content}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    (table,) = open_tables(tmp_path / "x.ods", LayoutRules(partial=True))
    cells = [row.cells[1] for row in table.rows()]
    assert [type(cell) is MergedCell for cell in cells] == [False, False, is_merged, False]


def test_too_many_merged_cells_are_not_kept_in_memory() -> None:
    with pytest.raises(MemoryError):
        list_merged_cells([((0, 0), (900_000, 0)), ((0, 1), (900_000, 1))])
