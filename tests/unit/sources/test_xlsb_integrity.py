"""An XLSB is read whole or refused. There is no program here that writes one, so it is made from its
records.
"""

from __future__ import annotations

import random
import struct
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import SourceError
from indexer.sources.tables.open_file import LayoutRules, open_tables

ANY = LayoutRules(partial=True)

SHEET = "xl/worksheets/sheet1.bin"

RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"

TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

Record = tuple[int, bytes]


def write_record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(data)
    sizes = b""
    while size > 0x7F:
        sizes += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + sizes + bytes([size]) + data


def pack_text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def make_row(number: int) -> Record:
    return 0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0)


def make_text(column: int, text: str) -> Record:
    return 6, struct.pack("<II", column, 0) + pack_text(text)


def make_shared(column: int, number: int) -> Record:
    return 7, struct.pack("<III", column, 0, number)


def make_number(column: int, value: float) -> Record:
    return 5, struct.pack("<IId", column, 0, value)


def list_records(rows: int) -> list[Record]:
    """A sheet with a reference, a shared text and a number in each row."""
    found: list[Record] = [
        (129, b""),
        (148, struct.pack("<IIII", 0, rows - 1, 0, 2)),
        (145, b""),
    ]
    for row in range(rows):
        found += [make_row(row), make_text(0, f"R{row:03}"), make_shared(1, row % 3)]
        found.append(make_number(2, row + 0.5))
    return [*found, (146, b""), (130, b"")]


def write_xlsb(path: Path, records: list[Record] | bytes) -> Path:
    body = records if isinstance(records, bytes) else b"".join(write_record(*r) for r in records)
    sheet = struct.pack("<II", 0, 1) + pack_text("rId1") + pack_text("Data")
    texts = ["recorded", "cancelled", ""]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        )
        package.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{TYPES}/worksheet" '
            'Target="worksheets/sheet1.bin"/></Relationships>',
        )
        book = [(131, b""), (143, b""), (156, sheet), (144, b""), (132, b"")]
        package.writestr("xl/workbook.bin", b"".join(write_record(*record) for record in book))
        shared = [(159, struct.pack("<II", 3, 3)), *((19, b"\0" + pack_text(t)) for t in texts)]
        shared.append((160, b""))
        package.writestr("xl/sharedStrings.bin", b"".join(write_record(*r) for r in shared))
        package.writestr(SHEET, body)
    return path


def read_rows(path: Path) -> list[list[Any]]:
    return [row.cells for table in open_tables(path, ANY) for row in table.rows()]


def test_a_sound_xlsb_is_read_whole(tmp_path: Path) -> None:
    rows = read_rows(write_xlsb(tmp_path / "x.xlsb", list_records(300)))
    texts = ["recorded", "cancelled", ""]
    assert rows == [[f"R{row:03}", texts[row % 3], row + 0.5] for row in range(300)]


def double_row(records: list[Record]) -> None:
    records[7:7] = records[3:7]


def move_row(records: list[Record]) -> None:
    records[3:11] = [*records[7:11], *records[3:7]]


def drop_row_head(records: list[Record]) -> None:
    del records[7]


def double_cell(records: list[Record]) -> None:
    records.insert(5, records[4])


def end_early(records: list[Record]) -> None:
    records.insert(7, (146, b""))


def leave_out_the_end(records: list[Record]) -> None:
    del records[-2:]


def place_far_away(records: list[Record]) -> None:
    records[-3] = make_number(1 << 30, 1)


def say_another_number(records: list[Record]) -> None:
    records[7] = make_row(1 << 24)


@pytest.mark.parametrize(
    "change",
    [
        double_row,
        move_row,
        drop_row_head,
        double_cell,
        end_early,
        leave_out_the_end,
        place_far_away,
        say_another_number,
    ],
)
def test_records_that_contradict_each_other_are_refused(
    change: Callable[[list[Record]], None], tmp_path: Path
) -> None:
    records = list_records(20)
    change(records)
    with pytest.raises(SourceError, match=r"not what it says it holds|not a whole spreadsheet"):
        read_rows(write_xlsb(tmp_path / "x.xlsb", records))


@pytest.mark.parametrize("seed", [71, 72])
def test_no_damage_to_an_xlsb_loses_a_row_silently(seed: int, tmp_path: Path) -> None:
    """To the file, and to the records within it, which then have the right checksum."""
    chosen = random.Random(seed)
    sound = write_xlsb(tmp_path / "sound.xlsb", list_records(40))
    base = read_rows(sound)
    widths = [sum(cell != "" for cell in row) for row in base]
    results: Counter[str] = Counter()
    for turn in range(16):
        path = tmp_path / "x.xlsb"
        if turn % 2:
            data = bytearray(sound.read_bytes())
            data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
            path.write_bytes(data)
        else:
            body = bytearray(b"".join(write_record(*record) for record in list_records(40)))
            place = chosen.randrange(len(body))
            if turn % 4:
                body[place] = chosen.randrange(256)
            else:
                del body[place : place + chosen.randrange(1, 60)]
            write_xlsb(path, bytes(body))
        try:
            rows = read_rows(path)
        except SourceError:
            results["refused"] += 1
        else:
            results["read"] += 1
            assert [sum(cell != "" for cell in row) for row in rows] == widths
    assert results["refused"] > 6


def test_a_far_corner_of_an_xlsb_takes_bounded_memory(tmp_path: Path) -> None:
    records = list_records(2)
    records[-2:-2] = [make_row(1_048_575), make_number(16_383, 1)]
    with pytest.raises(SourceError, match="needs more than 2,048 MB of memory"):
        read_rows(write_xlsb(tmp_path / "x.xlsb", records))
