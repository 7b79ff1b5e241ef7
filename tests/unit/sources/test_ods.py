"""An ODS is read as the XLSX of the same cells: its reader gives some cells as empty, and leaves tabs
and line breaks out of texts, so these are read again."""

from __future__ import annotations

import random
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from indexer.errors import SourceError
from indexer.integrity.damage import DamageError, LeftOutError
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
    with pytest.raises(
        SourceError, match="cannot be read whole, and which ones is not certain: an ODS"
    ):
        read_rows(path)


NOTE = "<office:annotation><text:p>a<text:tab/>note</text:p></office:annotation><text:p>"

FUZZ_CELLS: list[tuple[str, Any]] = [
    (make_text("x<text:tab/>y").replace("<text:p>", NOTE, 1), "x\ty"),
    (make_cell(), ""),
    ("<table:covered-table-cell/>", ""),
    (make_text("plain"), "plain"),
    *((cell, value) for cell, value in CELLS if isinstance(value, str | float)),
    *SPECIAL_CELLS,
]


def make_sheet(chosen: random.Random) -> tuple[str, list[list[Any]]]:
    """The rows of a sheet, and what its cells are when each repetition is written out."""
    rows, grid = "", []
    for _ in range(chosen.randrange(1, 8)):
        cells, values = [make_text("R")], ["R"]
        for cell, value in chosen.choices(FUZZ_CELLS, k=chosen.randrange(6)):
            count = chosen.choice([1, 1, 1, 2, 5])
            repeat = f'<table:table-cell table:number-columns-repeated="{count}"'
            cells.append(cell.replace("<table:table-cell", repeat, 1))
            values += [value] * (count if "covered" not in cell else 1)
        count = chosen.choice([1, 1, 2, 30])
        row = make_row(*cells, attributes=f'table:number-rows-repeated="{count}"')
        group = chosen.choice(["", "", "table-row-group", "table-header-rows"])
        rows += f"<table:{group}>{row}</table:{group}>" if group else row
        grid += [values] * count
    return rows, grid


def require_same(read: list[Any], expected: list[Any]) -> None:
    """Each cell is what it should be; empty ones at the end of a row are of no account."""
    for position in range(max(len(read), len(expected))):
        cell = read[position] if position < len(read) else ""
        value = expected[position] if position < len(expected) else ""
        if value is UNCOMPUTED:
            assert isinstance(cell, UncomputedCell)
        else:
            assert ("" if cell is None else cell) == value


@pytest.mark.parametrize("seed", [92, 94, 95])
def test_random_sheets_are_read_as_each_cell_says(seed: int, tmp_path: Path) -> None:
    """Plain and special cells, repeated and in groups; all sheets in one file, for speed."""
    chosen = random.Random(seed)
    sheets = [make_sheet(chosen) for _ in range(60)]
    joint = '</table:table><table:table table:name="Sheet{}">'
    rows = sheets[0][0] + "".join(
        joint.format(number) + rows for number, (rows, _) in enumerate(sheets[1:])
    )
    path = write_ods(tmp_path / "x.ods", rows)
    tables = [[row.cells for row in table.rows()] for table in open_tables(path, LayoutRules())]
    assert len(tables) == len(sheets)
    for read, (_, expected) in zip(tables, sheets, strict=True):
        assert len(read) == len(expected)
        for row, values in zip(read, expected, strict=True):
            require_same(row, values)


def test_damaged_content_with_the_right_checksum_is_read_or_refused(tmp_path: Path) -> None:
    """No other error comes of it, and no cell of a sheet that is not there."""
    chosen = random.Random(93)
    sound = "".join(make_sheet(chosen)[0] for _ in range(8))
    results: Counter[str] = Counter()
    for _ in range(300):
        start = chosen.randrange(len(sound))
        end = start + chosen.choice([0, 1, 7, 60, 400])
        piece = chosen.choice(["", "<", ">", '"', "&", "9", sound[start:end] * 2, "<text:tab/>"])
        path = write_ods(tmp_path / "x.ods", sound[:start] + piece + sound[end:])
        with path.open("rb") as file:
            try:
                special = check_package(file).special
            except (DamageError, LeftOutError):
                results["refused"] += 1
            else:
                results["read"] += 1
                assert set(special) <= {0}
    assert min(results.values()) > 30
    assert len(results) == 2


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


def test_text_in_a_section_that_its_reader_passes_over_is_refused(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "a.ods", make_row(make_text("<![CDATA[live stream]]>")))
    with pytest.raises(SourceError, match="CDATA sections"):
        read_rows(path)
