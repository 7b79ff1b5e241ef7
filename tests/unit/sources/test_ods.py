"""An ODS is read as the XLSX of the same cells: its reader gives some cells as empty, and leaves tabs
and line breaks out of texts, so these are read again."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from indexer.errors import SourceError
from indexer.integrity.damage import DamageError
from indexer.integrity.package import check_package
from indexer.integrity.special_cells import UncomputedCell
from indexer.sources.tables.open_file import LayoutRules, open_tables

NAMES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
}


def write_ods(path: Path, rows: str) -> Path:
    """An ODS whose only sheet has these rows."""
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMES.items())
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", kind)
        package.writestr(
            "META-INF/manifest.xml",
            f'<m:manifest xmlns:m="{manifest}"><m:file-entry m:full-path="/" '
            f'm:media-type="{kind}"/></m:manifest>',
        )
        package.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body><office:spreadsheet>"
            f'<table:table table:name="Data">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def make_cell(attributes: str = "", text: str = "") -> str:
    inner = f"<text:p>{text}</text:p>" if text else ""
    return f"<table:table-cell {attributes}>{inner}</table:table-cell>"


def make_text(text: str) -> str:
    return make_cell('office:value-type="string"', text)


def make_row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def read_rows(path: Path) -> list[list[Any]]:
    return [row.cells for table in open_tables(path, LayoutRules()) for row in table.rows()]


VALUE = "office:value-type"

CELLS: list[tuple[str, Any]] = [
    (make_cell(f'table:formula="of:=A1" {VALUE}="string" office:string-value=""'), ""),
    (make_text("a   b").replace("a   b", 'a<text:s text:c="3"/>b'), "a   b"),
    (make_text("one</text:p><text:p>two"), "one\ntwo"),
    (make_text("a<text:span>b</text:span>c"), "abc"),
    (make_text("x").replace("<text:p>", "<office:annotation><text:p>note</text:p>"
     "</office:annotation><text:p>"), "x"),
    (make_cell(f'{VALUE}="float" office:value="12.5"', "12.50"), 12.5),
    (make_cell(f'{VALUE}="float" office:value="7"', "0000007"), 7),
    (make_cell(f'{VALUE}="currency" office:currency="GBP" office:value="12.5"', "£12.50"), 12.5),
    (make_cell(f'{VALUE}="percentage" office:value="0.25"', "25%"), 0.25),
    (make_cell(f'{VALUE}="date" office:date-value="2024-01-02"', "02/01/24"), date(2024, 1, 2)),
    (
        make_cell(f'{VALUE}="date" office:date-value="2024-01-02T13:30:00"', "x"),
        datetime(2024, 1, 2, 13, 30),  # noqa: DTZ001 - a sheet has no zones
    ),
    (make_cell(f'{VALUE}="boolean" office:boolean-value="true"', "TRUE"), True),
    (make_cell(f'table:formula="of:=1+1" {VALUE}="float" office:value="2"', "2"), 2),
]  # fmt: skip


def test_an_ods_is_read_as_the_xlsx_of_the_same_cells(tmp_path: Path) -> None:
    """Cells of each type; merged, repeated and hidden ones; rows in groups."""
    texts = make_row(make_text("R1"), *(cell for cell, _ in CELLS))
    values = ["R1", *(value for _, value in CELLS)]
    rows = (
        f"<table:table-header-rows>{make_row(*map(make_text, 'abc'))}</table:table-header-rows>"
        + texts
        + make_row(make_text("x"), make_text("y"), attributes='table:number-rows-repeated="3"')
        + make_row(make_cell(), attributes='table:number-rows-repeated="2"')
        + f"<table:table-row-group>{make_row(make_text('g'))}</table:table-row-group>"
        + make_row(make_text("h"), attributes='table:visibility="collapse"')
        + make_row(
            make_cell('table:number-columns-spanned="2" office:value-type="string"', "m"),
            "<table:covered-table-cell/>",
            make_cell('table:number-columns-repeated="2" office:value-type="string"', "n"),
        )
        + make_row(
            make_cell('table:number-columns-repeated="16384"'),
            attributes='table:number-rows-repeated="1048000"',
        )
    )
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (
        [*"abc"], values, *[["x", "y"]] * 3, [], [], ["g"], ["h"], ["m", None, "n", "n"],
    ):  # fmt: skip
        sheet.append(row)
    book.save(tmp_path / "x.xlsx")
    read = read_rows(write_ods(tmp_path / "x.ods", rows))
    assert read == read_rows(tmp_path / "x.xlsx")
    assert read[1] == values


UNCOMPUTED = UncomputedCell

SPECIAL_CELLS: list[tuple[str, Any]] = [
    (make_cell('table:formula="of:=1+1"'), UNCOMPUTED),
    (make_cell('table:formula="of:=1+1" office:value-type="float"'), UNCOMPUTED),
    (
        make_cell(
            'table:formula="of:=1/0" office:value-type="string" office:string-value="" '
            'calcext:value-type="error"',
            "#DIV/0!",
        ),
        "#DIV/0!",
    ),
    (
        make_cell(f'{VALUE}="float" office:value="0" calcext:value-type="error"', "#N/A"),
        "#N/A",
    ),
    (make_cell(f'{VALUE}="float" office:value="0" calcext:value-type="error"'), "#ERROR"),
    (make_text("live<text:line-break/>stream"), "live\nstream"),
    (make_text("a<text:tab/>b<text:s text:c='2'/>c</text:p><text:p>d &amp; e"), "a\tb  c\nd & e"),
    (make_cell("", "text of no type"), "text of no type"),
]


@pytest.mark.parametrize(("cell", "expected"), SPECIAL_CELLS)
@pytest.mark.parametrize("rows_above", [0, 3_000])
def test_a_cell_of_an_ods_that_its_reader_does_not_give_is_read_whole(
    cell: str, expected: Any, rows_above: int, tmp_path: Path
) -> None:
    above = make_row(make_text("x" * 100), make_text("y")) * rows_above
    path = write_ods(tmp_path / "x.ods", above + make_row(make_text("R1"), cell))
    read = read_rows(path)[rows_above][1]
    assert isinstance(read, UncomputedCell) if expected is UNCOMPUTED else read == expected


def test_such_a_cell_is_where_it_is_among_repeated_merged_and_grouped_ones(tmp_path: Path) -> None:
    """The same table with plain texts in those places is what the reader itself gives."""

    def make_rows(make: Callable[[str], str]) -> str:
        wide = make("w").replace("<table:table-cell", "<table:table-cell COLUMNS", 1)
        wide = wide.replace("COLUMNS", 'table:number-columns-repeated="2"')
        return (
            make_row(make_cell(), make_cell(), attributes='table:number-rows-repeated="3"')
            + f"<table:table-header-rows>{make_row(make_cell(), make('h'))}"
            "</table:table-header-rows>"
            + make_row(make_cell(), wide, make("b"), attributes='table:number-rows-repeated="2"')
            + f"<table:table-row-group>{make_row(make_cell(), make_text('m'), make('g'))}"
            "</table:table-row-group>"
            + make_row(
                make_cell(),
                make_cell('table:number-columns-spanned="2" office:value-type="string"', "m"),
                "<table:covered-table-cell/>",
                make("n"),
                attributes='table:visibility="collapse"',
            )
            + make_row(make_cell('table:number-columns-repeated="16384"'))
        )

    plain = read_rows(write_ods(tmp_path / "plain.ods", make_rows(make_text)))
    special = make_rows(lambda text: make_text(f"{text}<text:tab/>"))
    read = read_rows(write_ods(tmp_path / "special.ods", special))
    assert [[cell.rstrip("\t") for cell in row] for row in read] == plain
    assert sum(cell.endswith("\t") for row in read for cell in row) == 9


def test_a_note_and_a_second_sheet_are_apart(tmp_path: Path) -> None:
    note = "<office:annotation><text:p>a<text:tab/>note</text:p></office:annotation>"
    rows = make_row(make_text("x").replace("<text:p>", f"{note}<text:p>"))
    second = f'</table:table><table:table table:name="Other">{make_row(make_text("a<text:tab/>b"))}'
    assert read_rows(write_ods(tmp_path / "x.ods", rows + second)) == [["x"], ["a\tb"]]


@pytest.mark.parametrize(
    "rows",
    [
        make_row(make_cell(f'{VALUE}="string"', "a<text:tab/><draw:frame/>b")),
        f"<table:tracked-changes>{make_text('a<text:tab/>b')}</table:tracked-changes>",
        make_row(
            make_cell(f'{VALUE}="string" table:number-columns-repeated="99999"', "a<text:tab/>b")
        ),
        make_row(make_text("a<text:tab/>b"), attributes='table:number-rows-repeated="1000001"'),
    ],
)
def test_an_ods_of_which_no_cell_is_certain_is_refused(rows: str, tmp_path: Path) -> None:
    path = write_ods(tmp_path / "x.ods", make_row(make_text("R1")) + rows)
    with pytest.raises(SourceError, match="cannot be read whole from an ODS, and which ones is"):
        read_rows(path)


@pytest.mark.parametrize(("old", "new"), [(b"R1", b"R7"), (b"</office:body>", b"</office:Body>")])
def test_the_content_of_an_ods_is_compared_with_its_checksum(
    old: bytes, new: bytes, tmp_path: Path
) -> None:
    path = write_ods(tmp_path / "x.ods", make_row(make_text("R1")) * 9_000)
    content = path.read_bytes()
    position = content.rindex(old)
    path.write_bytes(content[:position] + new + content[position + len(old) :])
    with path.open("rb") as file, pytest.raises(DamageError):
        check_package(file)
