"""Rows that a quotation mark which is not closed would take into a cell are not lost in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from indexer.config.field_map import FieldMap
from indexer.errors import SourceError
from indexer.sources.csv_tables import read_csv_tables
from indexer.sources.tables.enclosed_rows import ENCLOSED_KIND, EnclosedRows
from tests.support.extracts import list_errors, make_profile, read_extract, write_extract

ROWS = [f"41/{number:07}/17,27/07/2015,22B,Text {number}" for number in range(8)]


def open_and_close(rows: list[str], first: int, last: int) -> list[str]:
    """Rows of which one text begins with a quotation mark, and a later one ends with one."""
    changed = list(rows)
    changed[first] = changed[first].replace("Text", '"Text')
    changed[last] += '"'
    return changed


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("last", "words"), [(3, "a line that looks"), (6, "4 lines that look")])
def test_rows_of_an_extract_are_not_taken_into_a_cell(
    last: int, words: str, line_end: str, tmp_path: Path
) -> None:
    lines = ["Crime No,Recorded,HO Code,MO", *open_and_close(ROWS, 2, last)]
    file = write_extract(tmp_path / "x.csv", line_end.join(lines) + line_end)
    raws = read_extract(file, make_profile())
    (error,) = list_errors(raws)
    assert error.startswith(f'"MO" holds {words}')
    assert [raw.error_kind for raw in raws if raw.error] == [ENCLOSED_KIND]
    assert [raw.location for raw in raws if raw.error] == ["x.csv:4"]


def test_nor_are_those_of_the_tables_beside_the_records(tmp_path: Path) -> None:
    """A row of these belongs to a record that is not known, so the load fails."""
    crimes = ["crime_ref,recorded_on,offence_code,narrative"]
    crimes += [row.replace("27/07/2015", "2015-07-27") for row in ROWS]
    write_extract(tmp_path / "crimes.csv", "\n".join(crimes) + "\n")
    assert not any(raw.error for raw in read_csv_tables(tmp_path, FieldMap()))
    entries = [f"41/{number:07}/17,Text {number}" for number in range(8)]
    lines = ["crime_ref,narrative", *open_and_close(entries, 2, 3)]
    write_extract(tmp_path / "narratives.csv", "\n".join(lines) + "\n")
    with pytest.raises(SourceError, match=r'narratives\.csv:4: "narrative" holds a line that'):
        list(read_csv_tables(tmp_path, FieldMap()))
    (tmp_path / "narratives.csv").unlink()
    lines = [crimes[0], *open_and_close(crimes[1:], 0, 7)]
    write_extract(tmp_path / "crimes.csv", "\n".join(lines) + "\n")
    (raw,) = read_csv_tables(tmp_path, FieldMap())
    assert raw.error_kind == ENCLOSED_KIND


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["41/0000001/17", "On\n41/0000002/17,27/07/2015", "22B", "Text"], True),
        (["41/0000001/17", "27/07/2015", "22B", 'On\n"41/12/17","27/07/2015","22B","Text"'], True),
        (["1234567", "27/07/2015", "22B", "On\r\n1234568,27/07/2015,22B,Text"], True),
        (["7", "27/07/2015", "22B", "On\n8,27/07/2015,22B,Text"], True),
        (["41/0000001/17", "27/07/2015", "22B", "On\n41/0000002/17 and 41/0000003/17, too"], False),
        (["41/0000001/17", "27/07/2015", "22B", "On\n 41/0000002/17,27/07/2015,22B,Text"], False),
        (["41/0000001/17", "27/07/2015", "22B", "41/0000002/17,27/07/2015,22B,Text"], False),
        (["7", "27/07/2015", "22B", "On\n8,000 pounds"], False),
        (["1234567", "27/07/2015", "22B", "On\n2017,2018 and 2019"], False),
        (["", "27/07/2015", "22B", "On\n,"], False),
        ([None, None, None, "On\n8,27/07/2015,22B,Text"], False),
    ],
)
def test_a_line_of_text_is_no_row(*, cells: list[Any], found: bool) -> None:
    rows = EnclosedRows(0, ["Crime No", "Recorded", "HO Code", "MO"], ",")
    assert (rows.find_error(cells) is not None) is found


def test_the_reference_may_stand_in_another_column() -> None:
    rows = EnclosedRows(1, ["Team", "Crime No", "MO"], ";")
    assert rows.find_error(["A", "X-1234/5", "On\nB;X-1235/5;Text"])
    assert not rows.find_error(["A", "X-1234/5", "On\nX-1235/5;B;Text"])
    assert not rows.find_error(["A"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Begins,27/07/2015,41/0000001/17\nends", True),
        ('Begins,27/07/2015,"41/0000001/17"\nends', True),
        ("Begins,41/0000001/17\nends", False),
        ("Begins,27/07/2015,see 41/0000001/17\nends", False),
    ],
)
def test_a_text_before_the_reference_may_take_in_only_the_rest_of_its_row(
    *, text: str, found: bool
) -> None:
    """The row has the next one's reference then, and its own is in the first line of the text."""
    rows = EnclosedRows(3, ["Team", "MO", "Recorded", "Crime No"], ",")
    cells = ["A", text, "28/07/2015", "41/0000002/17"]
    assert (rows.find_error(cells) is not None) is found


OTHER_ROWS = [f"41CY/{number:05}/17,28/07/2015,86/2,Text {number}" for number in range(4)]

HEADER = "Crime No,Recorded,HO Code,MO"


def test_a_table_may_have_references_of_another_system(tmp_path: Path) -> None:
    """Its rows have days of the same shape, even if no row outside the text has such a reference."""
    lines = [HEADER, *open_and_close([*ROWS[:3], *OTHER_ROWS], 2, 6)]
    file = write_extract(tmp_path / "x.csv", "\n".join(lines) + "\n")
    (error,) = list_errors(read_extract(file, make_profile()))
    assert error.startswith('"MO" holds 4 lines that look like rows')


@pytest.mark.parametrize("is_earlier", [True, False])
def test_a_line_with_a_reference_like_that_of_any_row_is_one(
    tmp_path: Path, *, is_earlier: bool
) -> None:
    """Of narratives there is nothing else to know a row by."""
    write_extract(
        tmp_path / "crimes.csv",
        "crime_ref,recorded_on,offence_code\nA/1,2015-07-27,22B\nBC0001,2015-07-27,22B\n",
    )
    known = "BC0001,Text"
    entries = ['A/1,"Text', "BC0001,Text", 'BC0001,Text"']
    lines = ["crime_ref,narrative", *([known, *entries] if is_earlier else [*entries, known])]
    write_extract(tmp_path / "narratives.csv", "\n".join(lines) + "\n")
    with pytest.raises(SourceError, match=r"a quotation mark may not be closed"):
        list(read_csv_tables(tmp_path, FieldMap()))


@pytest.mark.parametrize(
    "text",
    [
        "Seen\nThen,on 28/07/2015,22B,left",
        "Seen\n A1,28/07/2015,22B,left",
        "Seen\nUnit 5,28/7/15,nothing,left",
        "Seen\nmp3,player",
    ],
)
def test_other_lines_of_text_are_not_taken_for_rows(text: str, tmp_path: Path) -> None:
    lines = [HEADER, *ROWS, f'41/0000009/17,27/07/2015,22B,"{text}"', *OTHER_ROWS]
    file = write_extract(tmp_path / "x.csv", "\n".join(lines) + "\n")
    assert not list_errors(read_extract(file, make_profile()))
