"""Damaged and hostile files end in one message, in bounded memory."""

from __future__ import annotations

import resource
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import FoidexError, SourceError
from indexer.inspection.inspect_files import inspect_files
from indexer.sources import read_records
from indexer.sources.tables.open_file import LayoutRules, open_tables
from tests.support.dialects import FORMATS, Dialect, write_dialect
from tests.support.examples import examples
from tests.support.extracts import make_profile

ANY = LayoutRules(partial=True)

SHEET = "xl/worksheets/sheet1.xml"

BODY = (
    '<?xml version="1.0"?>{head}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
    '2006/main"><sheetData>{rows}</sheetData></worksheet>'
)


def write_sheet(path: Path, rows: str, head: str = "") -> Path:
    """An XLSX whose only sheet has the XML of these rows."""
    whole = BytesIO()
    book = openpyxl.Workbook()
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = BODY.format(head=head, rows=rows).encode() if name == SHEET else old.read(name)
            new.writestr(name, data)
    return path


def count_rows(path: Path) -> int:
    return sum(1 for table in open_tables(path, ANY) for _ in table.rows())


def test_a_cell_at_the_far_corner_of_a_sheet_ends_only_the_process_that_reads_it(
    tmp_path: Path,
) -> None:
    cell = '<row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'
    path = write_sheet(tmp_path / "x.xlsx", cell.format(1, "A") + cell.format(1_048_576, "XFD"))
    with pytest.raises(SourceError, match="needs more than 2,048 MB of memory"):
        count_rows(path)


def test_sixteen_thousand_columns_are_one_message(tmp_path: Path) -> None:
    path = write_sheet(
        tmp_path / "x.xlsx", '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'
    )
    with pytest.raises(SourceError, match="has 16,384 columns, and 2,000 are read at most"):
        count_rows(path)


def test_a_million_empty_rows_are_read_in_bounded_memory(tmp_path: Path) -> None:
    path = write_sheet(
        tmp_path / "x.xlsx",
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1000000"><c r="A1000000"><v>1</v></c></row>',
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert count_rows(path) == 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_xml_entities_do_not_expand(tmp_path: Path) -> None:
    entities = "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 100}">' for n in range(10)
    )
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row>'
    path = write_sheet(tmp_path / "x.xlsx", rows, f"<!DOCTYPE x [{entities}]>")
    with suppress(SourceError):  # refused, or read without the entities
        cells = [row.cells for table in open_tables(path, ANY) for row in table.rows()]
        assert len(str(cells)) < 1_000


def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "x")
        package.filelist[0].file_size = 5 * 1024**3
    with pytest.raises(SourceError, match="4,096 MB are read at most"):
        count_rows(path)


@pytest.mark.parametrize("name", ["x.xlsx", "x.xls", "x.xlsb", "x.ods"])
@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04" + b"\0" * 50, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000],
)
def test_what_is_not_a_spreadsheet_is_one_message(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match="is not a whole spreadsheet"):
        count_rows(path)


def cut(data: bytes, chance: int) -> bytes:
    return data[: chance % max(len(data), 1)]


def flip(data: bytes, chance: int) -> bytes:
    place = chance % max(len(data), 1)
    return data[:place] + bytes([data[place] ^ (1 + chance % 255)]) + data[place + 1 :]


def repeat(data: bytes, chance: int) -> bytes:
    place = chance % max(len(data), 1)
    return data[:place] + data[place : place + 200] * 20 + data[place:]


def insert(data: bytes, chance: int) -> bytes:
    signs: tuple[bytes, ...] = (b'"', b"\0", b"\xff", b"[", b"{", b"\n", b'=" ', b"9" * 400)
    place = chance % max(len(data), 1)
    return data[:place] + signs[chance % len(signs)] + data[place:]


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(FORMATS),
    st.sampled_from([cut, flip, repeat, insert]),
    st.integers(0, 10**6),
    st.integers(0, 50),
)
def test_a_damaged_file_is_read_or_is_one_message(
    tmp_path: Path, form: str, damage: Callable[[bytes, int], bytes], chance: int, seed: int
) -> None:
    dialect = Dialect(
        form,
        "utf-8",
        ",",
        "YYYY-MM-DD",
        "plain",
        "records",
        0,
        small_days=False,
        titles=0,
        extras=False,
        seed=seed,
    )
    extract = write_dialect(tmp_path, dialect)
    extract.path.write_bytes(damage(extract.path.read_bytes(), chance))
    profile = make_profile({"recorded_on": "Date Recorded", "narrative": "MO Text"}, ignore=["*"])
    for read in (
        lambda: inspect_files([extract.path], {}),
        lambda: list(read_records([extract.path], counts=Counter(), profile=profile)),
    ):
        assert require_plain(read_message(read))


def read_message(read: Callable[[], object]) -> str:
    """The message of an expected error, or none."""
    try:
        read()
    except FoidexError as error:
        return str(error)
    return ""


def require_plain(message: str) -> bool:
    """A message is one text with where and what, and no text of a record."""
    assert not message or "extract." in message
    assert "device was" not in message
    return not message or message.endswith((".", "?"))
