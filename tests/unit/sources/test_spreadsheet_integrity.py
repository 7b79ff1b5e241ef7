"""A spreadsheet from which not all can be read that it says it holds is refused, never shortened.

``legacy/xlwt.xls`` holds 300 synthetic records, written by xlwt.
"""

from __future__ import annotations

import random
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import olefile
import openpyxl
import pytest

from indexer.errors import SourceError
from indexer.integrity.damage import DamageError
from indexer.integrity.special_cells import SpecialCells, UncomputedCell
from indexer.integrity.xls_container import read_workbook_stream
from indexer.integrity.xls_records import compare_rows, read_sheet_cells
from indexer.integrity.xls_strings import measure_shared_strings
from indexer.integrity.xlsx_order import check_row_order
from indexer.sources.tables.open_file import LayoutRules, open_tables
from tests.support.paths import ROOT

ANY = LayoutRules(partial=True)

LEGACY = ROOT / "tests/data/legacy"

FILES = ["xlwt.xls"]

SECTOR = 512

SHEET = "xl/worksheets/sheet1.xml"


def read_rows(path: Path) -> list[list[Any]]:
    return [row.cells for table in open_tables(path, ANY) for row in table.rows()]


def count_values(rows: list[list[Any]]) -> list[int]:
    return [sum(cell != "" for cell in row) for row in rows]


def read_stream(data: bytes) -> bytes:
    return read_workbook_stream(BytesIO(data))


def find_records(stream: bytes | bytearray, kind: int) -> Iterator[int]:
    """Where the records of a kind begin."""
    position = 0
    while position + 4 <= len(stream):
        record_kind, size = struct.unpack_from("<HH", stream, position)
        if record_kind == kind:
            yield position
        position += 4 + size


def change_stream(path: Path, change: Callable[[bytearray], None]) -> None:
    """Change the workbook in an XLS in its place."""
    stream = bytearray(read_stream(path.read_bytes()))
    change(stream)
    with olefile.OleFileIO(str(path), write_mode=True) as container:
        container.write_stream("Workbook", bytes(stream))


@pytest.mark.parametrize("name", FILES)
def test_a_sound_xls_is_read_whole(name: str) -> None:
    rows = read_rows(LEGACY / name)[:301]
    assert len(rows) == 301
    assert rows[0][:3] == ["Crime Ref", "Recorded", "Code"]
    assert [row[0] for row in rows[1:]] == [f"R{number:05}" for number in range(300)]
    assert all(str(row[4]).startswith(f"Entry {number}: ") for number, row in enumerate(rows[1:]))


@pytest.mark.parametrize("name", FILES)
def test_no_damaged_sector_of_an_xls_loses_a_row_silently(name: str, tmp_path: Path) -> None:
    """A sector full of zeros is what a copy that failed leaves."""
    data = (LEGACY / name).read_bytes()
    base = count_values(read_rows(LEGACY / name))
    refused = 0
    chosen = random.Random(name).sample(range(0, len(data), SECTOR), 12)
    for position in chosen:
        path = tmp_path / "damaged.xls"
        path.write_bytes(data[:position] + bytes(SECTOR) + data[position + SECTOR :])
        try:
            rows = read_rows(path)
        except SourceError:
            refused += 1
        else:
            assert count_values(rows) == base
    assert refused > 8


def zero_row_number(stream: bytearray) -> None:
    """Move the last text cell to the first row."""
    *_, last = find_records(stream, 0x00FD)
    stream[last + 4 : last + 6] = b"\0\0"


def drop_string(stream: bytearray) -> None:
    """Let a cell name a string that the workbook does not have."""
    *_, last = find_records(stream, 0x00FD)
    stream[last + 10 : last + 14] = b"\xff\xff\0\0"


def blank_cell(stream: bytearray) -> None:
    """Make a text cell a record of another kind, which a reader skips."""
    *_, last = find_records(stream, 0x00FD)
    stream[last : last + 2] = struct.pack("<H", 0x00FE)


def end_early(stream: bytearray) -> None:
    """Make a cell in the middle the end of the sheet."""
    cells = [*find_records(stream, 0x00FD)]
    middle = cells[len(cells) // 2]
    stream[middle : middle + 4] = struct.pack("<HH", 0x000A, 0)


def hide_sheet(stream: bytearray) -> None:
    """Take the first sheet from the list of sheets."""
    first, *_ = find_records(stream, 0x0085)
    stream[first : first + 2] = struct.pack("<H", 0x0086)


def swap_dimensions(stream: bytearray) -> None:
    """Say that the sheet has more rows than it has."""
    first, *_ = find_records(stream, 0x0200)
    stream[first + 8 : first + 12] = struct.pack("<I", 400)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "change", [zero_row_number, drop_string, end_early, hide_sheet, swap_dimensions]
)
def test_what_an_xls_says_and_what_it_holds_must_agree(
    name: str, change: Callable[[bytearray], None], tmp_path: Path
) -> None:
    path = tmp_path / "changed.xls"
    path.write_bytes((LEGACY / name).read_bytes())
    change_stream(path, change)
    with pytest.raises(SourceError, match=r"not what it says it holds|not a whole spreadsheet"):
        read_rows(path)


def test_rows_that_a_reader_leaves_out_or_adds_are_noticed() -> None:
    data = (LEGACY / "xlwt.xls").read_bytes()
    cells = read_sheet_cells(read_stream(data))[0]
    rows = read_rows(LEGACY / "xlwt.xls")[:301]
    assert len([*compare_rows(cells, rows)]) == 301
    wrong_rows: list[list[list[Any]]] = [rows[:-1], [*rows[:5], *rows[6:]], [[""] * 7, *rows]]
    for wrong in wrong_rows:
        with pytest.raises(DamageError):
            [*compare_rows(cells, wrong)]


def make_strings(*texts: bytes, count: int | None = None) -> bytes:
    number = len(texts) if count is None else count
    return struct.pack("<II", number, number) + b"".join(
        struct.pack("<HB", len(text), 0) + text for text in texts
    )


def test_shared_strings_go_on_in_the_next_record() -> None:
    whole = make_strings(b"app", b"", b"live stream")
    assert measure_shared_strings([whole]) == [3, 0, 11]
    cut = whole.index(b"stream")
    wide = "stream".encode("utf-16-le")
    assert measure_shared_strings([whole[:cut], b"\0stream"]) == [3, 0, 11]
    assert measure_shared_strings([whole[:cut], b"\1" + wide]) == [3, 0, 11]


@pytest.mark.parametrize(
    "chunks",
    [
        [b"\0" * 4],
        [make_strings(b"app", count=2)],
        [make_strings(b"app") + b"\0"],
        [make_strings(b"app"), b"\0"],
        [make_strings(b"a\0p")],
        [make_strings(b"app")[:-1]],
        [make_strings(b"app").replace(b"\3\0\0", b"\3\0\xf0")],
    ],
)
def test_strings_that_do_not_fill_their_records_are_damage(chunks: list[bytes]) -> None:
    with pytest.raises(DamageError):
        measure_shared_strings(chunks)


def write_sheet(path: Path, rows: str, replacement: bytes | None = None) -> Path:
    """An XLSX whose only sheet has the XML of these rows."""
    whole = BytesIO()
    openpyxl.Workbook().save(whole)
    body = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
        f'2006/main"><sheetData>{rows}</sheetData><sheetProtection/></worksheet>'
    ).encode()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, (replacement or body) if name == SHEET else old.read(name))
    return path


def make_row(number: int | str, *cells: str) -> str:
    inner = "".join(f'<c r="{cell}"><v>{index}</v></c>' for index, cell in enumerate(cells, 1))
    return f'<row r="{number}">{inner}</row>'


@pytest.mark.parametrize(
    "rows",
    [
        make_row(4, "A4") + make_row(5, "A5") + make_row(5, "A5"),
        make_row(5, "A5", "B5") + make_row(5, "C5"),
        make_row(5, "A5") + make_row(4, "A4") + make_row(6, "A6"),
        make_row(1, "A1") + make_row(2, "A9"),
        make_row(1, "A1") + make_row(2, "A1") + make_row(3, "A3"),
        make_row(1, "A1", "A1"),
        make_row(1, "B1", "A1"),
        make_row(1, "A1", "AA1", "Z1"),
        make_row(0, "A0"),
        "<row><c><v>1</v></c></row>" + make_row(1, "A1"),
        make_row(1, "A1").replace('"', "'") + make_row(1, "B1"),
        make_row(1, "A1").replace("<row r", '<row spans="1:2"\n r') + make_row(1, "B1"),
        make_row(2, "A2") + "<row/>" + make_row(3, "A3"),
        make_row(1, "A1") + '<row r="2"><cow r="3"/><c r="A3"><v>1</v></c></row>',
    ],
)
def test_rows_and_cells_of_an_xlsx_that_are_twice_or_out_of_order_are_refused(
    rows: str, tmp_path: Path
) -> None:
    path = write_sheet(tmp_path / "x.xlsx", rows)
    with pytest.raises(SourceError, match="what can be read of it is not what it says it holds"):
        read_rows(path)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (make_row(1, "A1", "C1") + make_row(3, "B3"), [[1, "", 2], ["", "", ""], ["", 1, ""]]),
        ("<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>", [[1, 2], [3, ""]]),
        (make_row(1, "A1") + '<row r="2"/>' + make_row(3, "A3"), [[1], [""], [1]]),
        (make_row(1, "Z1", "AA1"), [[1, 2]]),
        ("", []),
    ],
)
def test_rows_and_cells_of_an_xlsx_in_order_are_read(
    rows: str, expected: list[list[object]], tmp_path: Path
) -> None:
    read = read_rows(write_sheet(tmp_path / "x.xlsx", rows))
    assert [row[-len(expected[0]) :] for row in read] == expected if expected else read == []


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A1"><f>B1&amp;C1</f></c>',
        '<c r="A1" s="2"><f>B1</f><v></v></c>',
        '<c r="A1"><f t="shared" si="0"/><v /></c>',
        '<x:c r="A1"><x:f>B1</x:f></x:c>',
        "<c><f>B1</f></c>",
    ],
)
def test_a_formula_without_its_value_is_no_empty_cell(cell: str, tmp_path: Path) -> None:
    """A reader gives it as an empty cell, and an empty status counts as recorded."""
    rows = make_row(1, "B1") + f'<row r="2">{cell.replace("A1", "A2")}<c r="B2"><v>5</v></c></row>'
    path = write_sheet(tmp_path / "x.xlsx", rows)
    assert [table.uncomputed for table in open_tables(path, ANY)] == [1]
    (empty, number), (formula, five) = read_rows(path)
    assert (empty, number, five) == ("", 1, 5)
    assert isinstance(formula, UncomputedCell)


def test_formulas_without_values_are_found_where_there_is_nothing_else(tmp_path: Path) -> None:
    """A reader leaves out the rows and columns that have no value, whatever formulas they have."""
    formula = "<f>1</f><v></v></c>"
    rows = (
        f'<row r="2"><c r="A2">{formula}<c r="B2"><v>1</v></c></row>'
        f'<row r="4"><c r="D4">{formula}</row>'
    )
    first, second, third, fourth = read_rows(write_sheet(tmp_path / "x.xlsx", rows))
    assert first == third == [""] * 4
    assert [second[1:], fourth[:3]] == [[1, "", ""], [""] * 3]
    assert isinstance(second[0], UncomputedCell)
    assert isinstance(fourth[3], UncomputedCell)


def test_a_formula_is_found_wherever_a_block_of_reading_ends(tmp_path: Path) -> None:
    """A row that is longer than a block is read in pieces, and no piece ends in a cell."""
    cells = "".join(
        f"<c><f>{'1+' * (200 + index % 9)}1</f><v></v></c>"
        if index % 2
        else f"<c><v>{index}</v></c>"
        for index in range(1_900)
    )
    (row,) = read_rows(write_sheet(tmp_path / "x.xlsx", f'<row r="1">{cells}</row>'))
    assert [isinstance(cell, UncomputedCell) for cell in row] == [
        index % 2 == 1 for index in range(1_900)
    ]


def test_a_formula_in_a_sheet_that_no_list_names_makes_the_file_refused(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "x.xlsx", '<row r="1"><c r="A1"><f>B1</f></c></row>')
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "y.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"/sheet1.xml", b"/sheet9.xml"))
        new.writestr("xl/worksheets/sheet9.xml", old.read(SHEET))
    with pytest.raises(SourceError, match="has cells with a formula and without its value"):
        read_rows(tmp_path / "y.xlsx")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="A2" t="e"><v>#N/A</v></c>', "#N/A"),
        ("<c r='A2' s='1' t='e'><f>1/0</f><v>#DIV/0!</v></c>", "#DIV/0!"),
        ('<x:c t="e"><x:f t="shared" si="0"/><x:v>#REF!</x:v></x:c>', "#REF!"),
    ],
)
def test_an_error_is_its_text_and_not_empty(cell: str, text: str, tmp_path: Path) -> None:
    """An empty status counts as recorded, and "#N/A" is no status."""
    rows = make_row(1, "B1") + f'<row r="2">{cell}<c r="B2"><v>5</v></c></row>'
    assert read_rows(write_sheet(tmp_path / "x.xlsx", rows)) == [["", 1], [text, 5]]


def test_an_error_that_the_reader_lacks_is_named_and_no_damage(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1" t="e"><v>#SPILL!</v></c></row>'
    with pytest.raises(SourceError, match="new in Excel, such as #SPILL! or #CALC!") as error:
        read_rows(write_sheet(tmp_path / "x.xlsx", rows))
    assert "damaged" not in str(error.value)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('<c r="A1"><f>B1</f><v>7</v></c>', 7),
        ('<c r="A1" t="str"><f>B1</f><v>x</v></c>', "x"),
        ('<c r="A1" t="str"><f>B1</f><v></v></c>', ""),
        ('<c r="A1" t="str"><f>B1</f></c>', ""),
    ],
)
def test_a_formula_is_the_value_that_the_file_holds(
    cell: str, value: object, tmp_path: Path
) -> None:
    rows = f'<row r="1">{cell}<c r="B1"><v>5</v></c></row>'
    assert [row[-2:] for row in read_rows(write_sheet(tmp_path / "x.xlsx", rows))] in (
        [[value, 5]],
        [[5]],  # the first column is empty
    )


def test_a_sheet_without_rows_may_have_an_empty_tag(tmp_path: Path) -> None:
    body = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/>'
        b"</worksheet>"
    )
    assert read_rows(write_sheet(tmp_path / "x.xlsx", "", body)) == []


def test_a_row_that_is_cut_by_a_block_of_reading_is_one_row(tmp_path: Path) -> None:
    """A block of a megabyte ends somewhere in a tag."""
    rows = "".join(make_row(number, f"A{number}", f"B{number}") for number in range(1, 40_000))
    assert len(rows) > 2 * 1024 * 1024
    assert len(read_rows(write_sheet(tmp_path / "x.xlsx", rows))) == 39_999


def change_sheet(rows: str, chosen: random.Random) -> str:
    """A sheet with one attribute, tag or row changed, taken out, doubled or moved."""
    pieces = re.split(chosen.choice(["(?=<row)", "(?=<row)|(?=<c )|(?= r=)"]), rows)
    place, other = chosen.randrange(len(pieces)), chosen.randrange(len(pieces))
    piece = pieces[place]
    match chosen.randrange(6):
        case 0:
            del pieces[place]
        case 1:
            pieces.insert(other, piece)
        case 2:
            pieces[place], pieces[other] = pieces[other], piece
        case 3:
            pieces[place] = re.sub("[0-9]", lambda _: str(chosen.randrange(1, 4)), piece, count=1)
        case 4:
            pieces[place] = re.sub("[A-Z]", lambda _: chosen.choice("ABCZ"), piece, count=1)
        case 5:
            names = ["<c", "<row", "<x:c", "<is:c", "<tf.s-:row", "<c\n", "<row\t"]
            pieces.insert(place, chosen.choice(names) + chosen.choice(["/>", "><v>1</v></c>"]))
    return "".join(pieces)


def find_special_cells(rows: str) -> SpecialCells | None:
    """What a check says of a sheet; None for one that is not in order."""
    sheet = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
    try:
        return check_row_order(sheet[:20], BytesIO(sheet[20:]))
    except DamageError:
        return None


def is_in_order(rows: str) -> bool:
    return find_special_cells(rows) is not None


def test_how_rows_are_written_does_not_change_the_verdict_on_their_order() -> None:
    """Rows that look like most are proved in another way than others."""
    chosen = random.Random(71)
    sound = "".join(make_row(row, f"A{row}", f"B{row}", f"AA{row}") for row in range(9, 13))
    assert is_in_order(sound)
    verdicts: Counter[bool] = Counter()
    for _ in range(1_000):
        rows = change_sheet(sound, chosen)
        verdict = is_in_order(rows)
        assert verdict is is_in_order(f"<!-- <rPr> -->{rows}"), rows
        verdicts[verdict] += 1
    assert min(verdicts.values()) > 150


def make_mixed_row(number: int) -> str:
    """A row with each kind of cell; every fourth has a formula without a value, and one between
    them an error."""
    cells = [
        f'<c r="A{number}" t="inlineStr"><is><t xml:space="preserve"> a &lt;b&gt; </t></is></c>',
        f'<c r="B{number}" s="3" t="s"><v>1</v></c><c r="C{number}" s="1"/>',
        f'<c r="Z{number}"><f>A1+1</f><v>2</v></c>',
        f'<c r="AA{number}" t="str"><f t="shared" si="0"/><v>x</v></c><c r="AB{number}"></c>',
    ]
    special = {0: "><f>A1</f><v></v>", 2: ' t="e"><v>#N/A</v>'}
    cells.append(f'<c r="AC{number}"{special.get(number % 4, "><v>1</v>")}</c>')
    return f'<row r="{number}" spans="1:30">{"".join(cells)}</row>'


@pytest.mark.parametrize("step", [1, 2])
def test_rows_of_known_columns_get_the_verdict_of_rows_that_are_read_one_by_one(step: int) -> None:
    """From the second piece on, rows of columns that were seen are one pattern, in which the form
    of a column is that of its cells above; every second one has an error or no value."""
    chosen = random.Random(78)
    text = "x" * 20_000
    long_cell = f't="inlineStr"><is><t>{text}</t></is></c>'
    above = "".join(
        make_mixed_row(row).replace(' s="3" t="s"><v>1</v></c>', f" {long_cell}")
        for row in range(1, 32, step)
    )
    sound = "".join(make_mixed_row(row) for row in (33, 35))
    verdicts: Counter[bool] = Counter()
    for turn in range(120):
        changed = change_sheet(sound, chosen) if turn else sound
        rows = above + changed + (make_mixed_row(36 + turn % 4) if turn % 3 else "")
        verdict = find_special_cells(rows)
        assert verdict == find_special_cells(f"<!-- <rPr> -->{rows}"), changed
        verdicts[verdict is not None] += 1
    assert min(verdicts.values()) > 20


@pytest.mark.parametrize("size", [50_000, 80_000, 300_000])
def test_long_rows_are_in_order_wherever_a_block_of_reading_ends(size: int) -> None:
    """A piece of a sheet is smaller."""
    cell = f'<c r="B{{}}" t="inlineStr"><is><t>{"x" * size}</t></is></c>'
    rows = [f'<row r="{row}"><c r="A{row}"/>{cell.format(row)}</row>' for row in range(1, 12)]
    assert is_in_order("".join(rows))
    assert not is_in_order("".join([*rows, rows[-1]]))
    assert not is_in_order("".join(rows).replace('r="B7"', 'r="A7"'))


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_part_of_a_package_that_fails_its_checksum_is_refused(place: str, tmp_path: Path) -> None:
    """A reader stops where the rows end, and does not see that the part is damaged."""
    path = write_sheet(tmp_path / "x.xlsx", make_row(1, "A1"))
    data = path.read_bytes()
    old, new = (b"<v>1</v>", b"<v>7</v>") if place == "before" else (b"sheetProt", b"sheetprot")
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))
    with pytest.raises(SourceError, match=r"not what it says it holds|not a whole spreadsheet"):
        read_rows(path)


def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "x.xlsx", make_row(1, "A1"))
    with zipfile.ZipFile(path, "a") as package, pytest.warns(UserWarning, match="Duplicate name"):
        package.writestr(SHEET, package.read(SHEET))
    with pytest.raises(SourceError, match="not what it says it holds"):
        read_rows(path)


STRAY = b"<table:table-cell table:formula='=B1'/>"


@pytest.mark.parametrize("content", [b"", b"not XML", STRAY])
def test_a_stray_part_named_like_that_of_an_ods_makes_no_ods_of_an_xlsx(
    content: bytes, tmp_path: Path
) -> None:
    """Its own cells would not be looked at: a formula without its value would be an empty cell."""
    rows = (
        make_row(1, "A1", "B1") + '<row r="2"><c r="A2"><f>B1</f></c><c r="B2"><v>5</v></c></row>'
    )
    path = write_sheet(tmp_path / "x.xlsx", rows)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("content.xml", content)
    assert [table.uncomputed for table in open_tables(path, ANY)] == [1]
    _, (formula, five) = read_rows(path)
    assert isinstance(formula, UncomputedCell)
    assert five == 5
    data = path.read_bytes()
    if content:  # and what is stray must be whole, too
        path.write_bytes(data.replace(content, content[::-1]))
        with pytest.raises(SourceError, match="not what it says it holds"):
            read_rows(path)


def test_a_package_of_two_kinds_is_refused(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "x.xlsx", make_row(1, "A1"))
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", STRAY)
    with pytest.raises(SourceError, match="not what it says it holds"):
        read_rows(path)


def test_a_value_in_a_section_that_its_reader_passes_over_is_refused(tmp_path: Path) -> None:
    """Such a cell was read as empty; the same section in a shared string is read."""
    plain, changed = tmp_path / "plain.xlsx", tmp_path / "changed.xlsx"
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a", 1])
    book.save(plain)
    with zipfile.ZipFile(plain) as package, zipfile.ZipFile(changed, "w") as copy:
        for name in package.namelist():
            data = package.read(name)
            if name == SHEET:
                assert b"<v>1</v>" in data
                data = data.replace(b"<v>1</v>", b"<v><![CDATA[1]]></v>")
            copy.writestr(name, data)
    assert read_rows(plain) == [["a", 1]]
    with pytest.raises(SourceError, match="CDATA sections"):
        read_rows(changed)
