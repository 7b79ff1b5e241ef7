"""Sheets with more than one table, and with formulas that no program has computed: what is read is
certain, and what is not is asked about or refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import tomlkit

from tests.support.command_line import Outcome, run_command
from tests.support.extracts import write_extract

HEADER = ["Crime No", "Recorded", "HO Code", "Crime Status", "MO", "Team"]

NARRATIVE = "The caller was given the log number and the device was not examined at this stage."


def make_row(number: int, **cells: Any) -> list[Any]:
    columns = {
        "ref": f"R/{number:04}",
        "day": date(2024, 1, 1 + number % 28),
        "code": "86/2" if number % 2 else "22B",
        "status": "Crime Recorded",
        "text": f"{NARRATIVE} {number}",
        "team": f"Team {number % 3}",
        **cells,
    }
    return list(columns.values())


def make_rows(number: int = 40, first: int = 0) -> list[list[Any]]:
    return [make_row(first + index) for index in range(number)]


def write_book(folder: Path, **sheets: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name == "Hidden":
            sheet.sheet_state = "hidden"
    book.save(folder / "x.xlsx")


def run(folder: Path, *arguments: object) -> Outcome:
    environment = {"FOIDEX_HOME": str(folder / "home")}
    return run_command(*arguments, environment=environment, folder=folder)


def write_profile(folder: Path, name: str = "x.xlsx") -> str:
    outcome = run(folder, "inspect", name, "--write")
    assert outcome.code == 0, outcome.err
    return outcome.out


def check(folder: Path) -> Outcome:
    return run(folder, "refresh", "--check")


def set_keys(folder: Path, **keys: Any) -> None:
    """Set keys of [source.profile]; None removes one."""
    file = folder / "foidex.toml"
    document: Any = tomlkit.parse(file.read_text(encoding="utf-8"))
    profile = document["source"]["profile"]
    for key, value in keys.items():
        profile.pop(key, None)
        if value is not None:
            profile.update({key: value})
    file.write_text(tomlkit.dumps(document), encoding="utf-8")


# -- formulas without their values -----------------------------------------------------------------


def test_formulas_without_values_that_nothing_reads_do_not_refuse_a_file(tmp_path: Path) -> None:
    """In a title row, an ignored column, a skipped row, and sheets that hold no records."""
    rows = make_rows()
    for row in rows[:7]:
        row[5] = '=CONCATENATE("Team ",1)'
    write_book(
        tmp_path,
        Data=[
            ["Report of", "=TODAY()"],
            HEADER,
            *rows,
            ["Total", "=COUNTA(A3:A42)"],
        ],
        Notes=[["Printed", "=NOW()"]],
        Hidden=[["=A1"]],
    )
    out = write_profile(tmp_path)
    assert '9 cells have a formula without its value (7 in "Team"). Nothing reads them' in out
    assert out.count("1 cell has a formula without its value. Nothing reads it") == 2
    outcome = check(tmp_path)
    assert outcome.code == 0, outcome.err
    assert "40 valid, 0 deletions, 0 invalid" in outcome.out


def test_merged_cells_are_counted_and_refused_where_they_are_read(tmp_path: Path) -> None:
    write_book(tmp_path, Data=[HEADER, *make_rows()])
    write_profile(tmp_path)
    workbook = openpyxl.load_workbook(tmp_path / "x.xlsx")
    workbook["Data"].merge_cells("D5:D7")
    workbook.save(tmp_path / "x.xlsx")
    out = run(tmp_path, "inspect", "x.xlsx").out
    assert f'2 cells are merged with the cell above and have no value (2 in "{HEADER[3]}")' in out
    outcome = check(tmp_path)
    assert outcome.code == 4, outcome.out
    assert f'row 6: "{HEADER[3]}" is merged with the cell above' in outcome.err


@pytest.mark.parametrize("column", [0, 1, 2, 3, 4])
def test_a_formula_without_its_value_is_refused_in_a_cell_that_is_read(
    column: int, tmp_path: Path
) -> None:
    rows = make_rows()
    write_book(tmp_path, Data=[HEADER, *rows])
    write_profile(tmp_path)
    rows[30][column] = "=Z1"
    write_book(tmp_path, Data=[HEADER, *rows])
    assert "A load refuses it: open the file" in run(tmp_path, "inspect", "x.xlsx").out
    outcome = check(tmp_path)
    assert outcome.code == 4, outcome.out
    assert (
        f'x.xlsx, sheet Data: row 32: "{HEADER[column]}" has a formula without its value'
        in outcome.err
    )


def test_a_formula_without_its_value_is_refused_where_a_rule_reads_it(tmp_path: Path) -> None:
    """Whether the row is skipped is not known then."""
    rows = make_rows()
    write_book(tmp_path, Data=[HEADER, *rows, ["Total", 40]])
    write_profile(tmp_path)
    write_book(tmp_path, Data=[HEADER, *rows, ['="Total"', 40]])
    assert '"Crime No" has a formula without its value' in check(tmp_path).err


def test_rows_that_have_nothing_but_a_formula_that_is_read_are_not_lost(tmp_path: Path) -> None:
    """A reader ends a sheet at its last value."""
    write_book(tmp_path, Data=[HEADER, *make_rows()])
    write_profile(tmp_path)
    write_book(tmp_path, Data=[HEADER, *make_rows(), ["=Old!A2", "=Old!B2"]])
    outcome = check(tmp_path)
    assert outcome.code == 4
    assert "row 42" in outcome.err


def test_the_row_of_names_needs_the_values_of_its_formulas(tmp_path: Path) -> None:
    write_book(tmp_path, Data=[HEADER, *make_rows()])
    write_profile(tmp_path)
    write_book(tmp_path, Data=[[*HEADER[:5], "=A1"], *make_rows()])
    assert "row 1: the row of names has a formula without its value" in check(tmp_path).err


def test_an_error_in_a_status_is_not_an_empty_status(tmp_path: Path) -> None:
    rows = make_rows()
    write_book(tmp_path, Data=[HEADER, *rows])
    write_profile(tmp_path)
    rows[5][3] = "#N/A"  # written as an error
    write_book(tmp_path, Data=[HEADER, *rows])
    outcome = check(tmp_path)
    assert outcome.code == 4
    assert "39 valid, 0 deletions, 1 invalid" in outcome.out


# -- more than one table in a sheet ----------------------------------------------------------------

LOOKUP = [["Code", "Title"], ["22B", "Sexual grooming"], ["86/2", "Indecent photographs"]]


@pytest.mark.parametrize(
    ("below", "row"),
    [
        ([[], *LOOKUP], 43),
        ([[], [], *LOOKUP], 44),
        ([[], ["Codes used"], *LOOKUP], 43),
        ([[], [], [], *make_rows(5, 100)], 45),
        ([[], HEADER, *make_rows(5, 100)], 43),
        ([[], ["Produced by the records team"]], 43),
    ],
)
def test_what_stands_below_blank_rows_is_asked_about_and_refused_until_decided(
    below: list[list[Any]], row: int, tmp_path: Path
) -> None:
    write_book(tmp_path, Data=[HEADER, *make_rows()])
    assert "after_blank_rows" not in write_profile(tmp_path)
    write_book(tmp_path, Data=[HEADER, *make_rows(), *below])
    unasked = check(tmp_path)
    assert unasked.code == 4
    assert f"x.xlsx, sheet Data: row {row}: this row stands below" in unasked.err
    assert "after_blank_rows: rows go on below" in write_profile(tmp_path)
    undecided = check(tmp_path)
    assert undecided.code == 10
    assert "not decided yet: after_blank_rows" in undecided.err
    set_keys(tmp_path, after_blank_rows="skip")
    skipped = check(tmp_path)
    assert skipped.code == 0, skipped.err
    assert "40 valid, 0 deletions, 0 invalid" in skipped.out
    count = sum(map(bool, below))
    assert f"{count} row{'s were' if count > 1 else ' was'} skipped" in skipped.out
    assert "stands below blank rows" in skipped.out


@pytest.mark.parametrize("names", [[], [HEADER]])
def test_records_below_blank_rows_are_read_once_a_person_says_so(
    names: list[list[Any]], tmp_path: Path
) -> None:
    """A row that repeats the names of the columns is skipped, and counted."""
    below = [[], [], *names, *make_rows(5, 100)]
    write_book(tmp_path, Data=[HEADER, *make_rows(), *below])
    write_profile(tmp_path)
    set_keys(tmp_path, after_blank_rows="read")
    outcome = check(tmp_path)
    assert outcome.code == 0, outcome.err
    assert "45 valid, 0 deletions, 0 invalid" in outcome.out
    assert ("repeats the names of the columns" in outcome.out) == bool(names)


def test_another_table_that_is_read_as_records_is_rejected_row_by_row(tmp_path: Path) -> None:
    write_book(tmp_path, Data=[HEADER, *make_rows(), [], *LOOKUP])
    write_profile(tmp_path)
    set_keys(tmp_path, after_blank_rows="read")
    outcome = check(tmp_path)
    assert outcome.code == 4
    assert "40 valid, 0 deletions, 3 invalid" in outcome.out


@pytest.mark.parametrize(
    "rows",
    [
        [[], *make_rows()],
        [[], [], [], *make_rows()],
        [*make_rows(20), [], *make_rows(20, 20)],
        [*make_rows(40), [], [], []],
        [*make_rows(40), [], [], ["Total", 40]],
        [*make_rows(20), [], ["Total", 20], [], *make_rows(20, 20), [], ["Total", 20]],
    ],
)
def test_blank_rows_that_end_no_table_are_not_asked_about(
    rows: list[list[Any]], tmp_path: Path
) -> None:
    write_book(tmp_path, Data=[HEADER, *rows])
    assert "after_blank_rows" not in write_profile(tmp_path)
    outcome = check(tmp_path)
    assert outcome.code == 0, outcome.err
    assert "40 valid, 0 deletions, 0 invalid" in outcome.out


def test_sheets_of_one_layout_each_end_for_themselves(tmp_path: Path) -> None:
    """The last rows of one sheet are not above the first of the next."""
    write_book(
        tmp_path,
        A=[HEADER, *make_rows(), [], [], ["Total", 40]],
        B=[HEADER, *make_rows(40, 40)],
    )
    assert "after_blank_rows" not in write_profile(tmp_path)
    assert "80 valid, 0 deletions, 0 invalid" in check(tmp_path).out


def test_a_text_with_a_second_block_is_asked_about_like_a_sheet(tmp_path: Path) -> None:
    lines = [",".join(map(str, row)) for row in [HEADER, *make_rows(), [], *LOOKUP]]
    write_extract(tmp_path / "x.csv", "\n".join(lines) + "\n")
    assert "after_blank_rows: rows go on below a blank row" in write_profile(tmp_path, "x.csv")


def test_lines_of_a_text_without_a_delimiter_are_blank_and_short_ones_are_skipped(
    tmp_path: Path,
) -> None:
    """A program that writes rows leaves a line empty, and writes no more cells than it has."""
    lines = [",".join(map(str, row)) for row in [HEADER, *make_rows(), ["Total", 40]]]
    write_extract(tmp_path / "x.csv", "\n\n".join(lines) + "\n\n\n")
    assert "after_blank_rows" not in write_profile(tmp_path, "x.csv")
    outcome = check(tmp_path)
    assert outcome.code == 0, outcome.err + outcome.out
    assert "40 valid, 0 deletions, 0 invalid" in outcome.out


def test_a_second_block_of_a_text_is_skipped_whatever_its_width(tmp_path: Path) -> None:
    lines = [",".join(map(str, row)) for row in [HEADER, *make_rows(), [], *LOOKUP]]
    write_extract(tmp_path / "x.csv", "\n".join(lines) + "\n")
    write_profile(tmp_path, "x.csv")
    set_keys(tmp_path, after_blank_rows="skip")
    outcome = check(tmp_path)
    assert outcome.code == 0, outcome.err + outcome.out
    assert "3 rows were skipped: stands below blank rows" in outcome.out


def test_what_the_second_table_holds_does_not_change_what_is_said_of_the_first(
    tmp_path: Path,
) -> None:
    write_book(tmp_path, Data=[HEADER, *make_rows(), [], ["Code", "Title", "n"], ["22B", "x", "y"]])
    out = write_profile(tmp_path)
    assert "40 rows of data" in out
    assert "date    100%" in out


def place_beside(rows: list[list[Any]], beside: list[list[Any]]) -> list[list[Any]]:
    """Rows with others to the right of them, beyond an empty column."""
    return [
        [*row, None, *(beside[number] if number < len(beside) else [])]
        for number, row in enumerate(rows)
    ]


def test_a_table_beside_the_records_is_asked_about_and_refused_until_decided(
    tmp_path: Path,
) -> None:
    write_book(tmp_path, Data=place_beside([HEADER, *make_rows()], LOOKUP))
    assert "ignore: 2 columns stand beyond an empty column" in write_profile(tmp_path)
    assert "not decided yet: ignore" in check(tmp_path).err
    set_keys(tmp_path, ignore=["Team"])
    assert '"Code", which no field reads' in check(tmp_path).err
    set_keys(tmp_path, ignore=["Team", "Code", "Title"])
    assert "40 valid, 0 deletions, 0 invalid" in check(tmp_path).out


def test_two_tables_of_records_beside_each_other_are_not_one(tmp_path: Path) -> None:
    """The texts of two records must not become one record."""
    rows = place_beside([HEADER, *make_rows()], [HEADER, *make_rows(40, 40)])
    write_book(tmp_path, Data=rows)
    out = write_profile(tmp_path)
    assert "ignore: 6 columns stand beyond an empty column" in out
    text = (tmp_path / "foidex.toml").read_text(encoding="utf-8")
    assert 'in their order: "MO (5)" (the' in text
    assert check(tmp_path).code == 10


def test_columns_that_an_empty_one_separates_may_all_be_fields(tmp_path: Path) -> None:
    """Cells that were merged leave empty columns between those of one table."""
    rows = [[*row[:3], None, *row[3:5], None, row[5]] for row in [HEADER, *make_rows()]]
    write_book(tmp_path, Data=rows)
    assert "stand beyond an empty column" not in write_profile(tmp_path)
    assert "40 valid, 0 deletions, 0 invalid" in check(tmp_path).out
