"""The verbs of a profile, one by one, on small extracts."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from indexer.config.profile import FieldRule
from indexer.errors import ConfigurationError, SourceError
from indexer.sources import read_records
from indexer.sources.base import SourceRows
from indexer.sources.database_connection import DatabaseSource
from indexer.sources.profile.dates import DateReader
from indexer.sources.profile.from_database import check_profiled_database, read_profiled_database
from indexer.sources.profile.grouping import JOINED
from indexer.sources.profile.mapper import EMPTY_STATUS_NOTE
from indexer.sources.profile.reading import CONTINUED, CONTINUES_SKIPPED
from indexer.sources.profile.row_rules import TORN
from indexer.sources.profile.values import RANGE_NOTE, ValueFaultError, make_converter
from tests.support.extracts import (
    list_errors,
    list_values,
    make_profile,
    read_extract,
    write_extract,
)

HEADER = "Crime No,Recorded,HO Code,MO"


def midnight(*day: int) -> datetime:
    return datetime.combine(date(*day), time())


ROW = "1,27/07/2015,22B,Text"


def read_lines(tmp_path: Path, lines: list[str], *changes: dict[str, Any], **keys: Any) -> Any:
    file = write_extract(tmp_path / "x.csv", "\n".join(lines) + "\n")
    return read_extract(file, make_profile(*changes, **keys))


def test_columns_are_renamed_and_dates_read(tmp_path: Path) -> None:
    (raw,) = read_lines(tmp_path, [HEADER, ROW])
    assert raw.raw == {
        "crime_ref": "1",
        "recorded_on": date(2015, 7, 27),
        "offence_code": "22B",
        "narrative": "Text",
    }
    assert raw.location == "x.csv:2"
    assert raw.origin == SourceRows(tuple(HEADER.split(",")), (ROW.split(","),))


def test_a_constant_needs_no_column(tmp_path: Path) -> None:
    raws = read_lines(tmp_path, [HEADER, ROW], {"status": {"constant": "transferred"}})
    assert list_values(raws, "status") == ["transferred"]


@pytest.mark.parametrize("more", [{}, {"victims.victim_ref": "Crime No"}])
def test_what_is_remembered_of_a_column_is_of_the_same_type(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    """1, true and 1.0 are equal to Python, and true is no age. With a reference, each column is
    remembered by itself."""
    row = {"Crime No": "1", "Recorded": "27/07/2015", "HO Code": "22B", "MO": "Text"}
    ages = [1, True, 1.0, "1", True, 1]
    lines = [json.dumps(row | {"Age": age}) for age in ages]
    file = write_extract(tmp_path / "x.jsonl", "\n".join(lines))
    raws = read_extract(file, make_profile({"victims.age": "Age", **more}))
    assert [bool(raw.error) for raw in raws] == [age is True for age in ages]
    victims = list_values(raws, "victims")
    assert [repr(victim["age"]) for (victim,) in victims] == ["1"] * 4


def test_columns_become_entries_in_their_order(tmp_path: Path) -> None:
    raws = read_lines(
        tmp_path,
        [f"{HEADER},Summary", f"{ROW},Second"],
        {"narrative": {"columns": ["Summary", "MO"]}},
    )
    assert list_values(raws, "narrative") == [["Second", "Text"]]


def test_values_are_mapped_without_regard_to_case_and_others_rejected(tmp_path: Path) -> None:
    values = {"Crime Recorded": "recorded", "No Crime": "cancelled", "-": ""}
    lines = [
        f"{HEADER},Status",
        *(f"{ROW},{text}" for text in ("CRIME  RECORDED", "no crime", "-", "", "New")),
    ]
    raws = read_lines(tmp_path, lines, {"status": {"column": "Status", "values": values}})
    assert list_values(raws, "status") == ["recorded", "cancelled", None, None]
    (error,) = list_errors(raws)
    assert error.startswith('"Status" is text of the shape aaa, which is not among the values')


@pytest.mark.parametrize(
    ("forms", "text", "expected"),
    [
        (["DD/MM/YYYY"], "03/04/2015", date(2015, 4, 3)),
        (["MM/DD/YYYY"], "03/04/2015", date(2015, 3, 4)),
        (["D/M/YY"], "9/4/18", date(2018, 4, 9)),
        (["D Month YYYY"], "27 July 2015", date(2015, 7, 27)),
        (["D Month YYYY"], "27  SEPTEMBER 2015", date(2015, 9, 27)),
        (["DD-MON-YY"], "01-Sep-15", date(2015, 9, 1)),
        (["DD/MM/YYYY hh:mm"], "03/04/2015 09:14", date(2015, 4, 3)),
        (["YYYYMMDD"], "20150403", date(2015, 4, 3)),
        (["YYYY-MM-DDThh:mm:ss"], "2016-07-27T00:00:00", date(2016, 7, 27)),
        (["DD.MM.YYYY", "YYYY/MM/DD"], "2015/04/03", date(2015, 4, 3)),
        (["DD/MM/YYYY"], "2015-04-03", date(2015, 4, 3)),
        (["excel"], 42559, date(2016, 7, 8)),
        (["excel"], "42559", date(2016, 7, 8)),
        (["excel-1904"], 41097, date(2016, 7, 8)),
        ([], midnight(2015, 4, 3), date(2015, 4, 3)),
        (["M/D/YYYY hh:mm:ss AM"], "4/3/2015 12:05:00 pm", date(2015, 4, 3)),
        (["YYYY-MM-DDThh:mm:ssZ"], "2018-03-31T22:59:59.999Z", date(2018, 3, 31)),
        (["YYYY-MM-DDThh:mm:ssZ"], "2018-03-31T23:00:00.000Z", date(2018, 4, 1)),
        (["YYYY-MM-DDThh:mm:ssZ"], "2018-04-01T00:30:00+0100", date(2018, 4, 1)),
        (["YYYY-MM-DDThh:mm:ssZ"], "2018-12-31T23:30:00Z", date(2018, 12, 31)),
        (["YYYY-MM-DD hh:mm:ss Z"], "2018-03-31 19:30:00 -05:00", date(2018, 4, 1)),
        (["DD/MM/YYYY hh:mm Z"], "31/03/2018 23:30 UTC", date(2018, 4, 1)),
        (["YYYY-MM-DDThh:mm:ssZ"], "2018-03-31T24:00:00Z", None),
        (["YYYY-MM-DDThh:mm:ssZ"], "2018-03-31T23:00:00+99:00", None),
        (["YYYY-MM-DDThh:mm:ssZ"], "2018-03-31T23:00:00", None),
        ([], datetime(2018, 3, 31, 23, 30, tzinfo=UTC), date(2018, 4, 1)),
        (["DD/MM/YYYY"], "31/02/2017", None),
        (["DD/MM/YYYY"], "3/4/2015", None),
        (["DD/MM/YYYY"], "03-04-2015", None),
        (["D/M/YY"], "9/4/98", None),
        (["D Month YYYY"], "27 Juli 2015", None),
        (["DD/MM/YYYY"], 42559, None),
        (["excel"], 7, None),
        (["excel"], float("nan"), None),
        (["excel"], True, None),
    ],
)
def test_a_date_is_read_by_its_forms_alone(
    forms: list[str], text: object, expected: date | None
) -> None:
    assert DateReader(forms).read(text) == expected


@pytest.mark.parametrize(
    "forms",
    [
        ["MM/YYYY"],
        ["DD/MM"],
        ["hello"],
        ["DD/DD/YYYY"],
        ["DD/MM/YYYY YYYY"],
        ["DD/MM/YYYY Z"],
        ["DD/MM/YYYY hh:mm AM Z"],
    ],
)
def test_what_is_not_the_form_of_a_date_is_refused(forms: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="is not the form of a date"):
        DateReader(forms)


@pytest.mark.parametrize(
    "forms", [["DD/MM/YYYY", "MM/DD/YYYY"], ["D/M/YY", "M/D/YY"], ["YYYY-MM-DD", "YYYY-DD-MM"]]
)
def test_two_forms_that_differ_in_day_and_month_alone_are_refused(forms: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="as different days"):
        DateReader(forms)


def convert(field: str, value: object, **rule: Any) -> object:
    return make_converter(field, "X", FieldRule(column="X", **rule))(value)


@pytest.mark.parametrize(
    ("value", "age"),
    [
        ("15", 15), ("15.0", 15), ("15,0", 15), ("15 years", 15), ("6 yrs", 6), ("15yo", 15),
        ("15 y/o", None), ("16 years old", 16), ("6 months", 0), ("18 months", 1), ("3 weeks", 0), ("60 weeks", 1), ("156 weeks", 2), ("157 weeks", 3),
        ("364 days", 0), ("400 days", 1),
        (15, 15), (15.0, 15), ("", None), (" ", None), (None, None), ("151", 151),
    ],
)  # fmt: skip
def test_ages_are_read_in_words(value: object, age: int | None) -> None:
    if value == "15 y/o":
        with pytest.raises(ValueFaultError, match="not an age in years"):
            convert("victims.age", value)
    else:
        assert convert("victims.age", value) == age


@pytest.mark.parametrize(
    "text", ["10-14", "12 \u2013 17", "10 to 14", "18+", "under 18", "over 65 years", "<5"]
)
def test_a_range_is_no_age_and_counts_as_unknown_only_if_the_profile_says_so(text: str) -> None:
    with pytest.raises(ValueFaultError, match="not an age"):
        convert("victims.age", text)
    assert convert("victims.age", text, ranges="unknown") is RANGE_NOTE


@pytest.mark.parametrize(
    ("value", "rule", "code"),
    [
        ("8602 - Take/make indecent photographs", {"titled": True}, "8602"),
        ("8N - Assault with injury", {"titled": True}, "8N"),
        ("86-2", {"titled": True}, "86-2"),
        ("086/02 ", {}, "086/02"),
        ('="08602"', {}, "08602"),
        (49, {}, "49"),
        (8602.0, {}, "8602"),
        (86.1, {"decimals": 2}, "86/10"),
        (86.02, {"decimals": 2}, "86/02"),
        ("86.1", {"decimals": 2}, "86/10"),
        ("", {}, None),
    ],
)
def test_codes_come_with_a_title_or_as_numbers(
    value: object, rule: dict[str, Any], code: str | None
) -> None:
    assert convert("offence_code", value, **rule) == code


@pytest.mark.parametrize(
    "value", [date(2024, 1, 8), midnight(2024, 1, 8), "08-Jan", "Jan-86", "8-Jan-24", "08/01/2024"]
)
def test_a_code_that_excel_turned_into_a_date_is_refused_with_the_way_out(value: object) -> None:
    with pytest.raises(ValueFaultError, match="Export it again with that column as text"):
        convert("offence_code", value)


def test_what_computers_add_to_a_decimal_number_is_not_a_decimal() -> None:
    assert convert("offence_code", 22.080000000000002, decimals=2) == "22/08"
    assert convert("offence_code", 71.17 + 1e-14, decimals=2) == "71/17"
    assert convert("offence_code", Decimal("86.100"), decimals=2) == "86/10"


def test_a_code_of_a_decimal_number_needs_its_decimals() -> None:
    with pytest.raises(ValueFaultError, match=r"86\.1 can be 86/1 or 86/10"):
        convert("offence_code", 86.1)


@pytest.mark.parametrize(
    "value", ["1.23E+11", " 1,2e11 ", '="2.019E+17"', 1.23e17, date(2024, 1, 8), 12.5]
)
def test_a_reference_that_excel_destroyed_is_refused(value: object) -> None:
    with pytest.raises(ValueFaultError, match="Export it again"):
        convert("crime_ref", value)


@pytest.mark.parametrize("reference", [1234567890123456, 201900000000100001])
def test_a_reference_of_more_digits_than_excel_keeps_is_refused(
    reference: int, tmp_path: Path
) -> None:
    """Its last digits are zeros in the file, so that two records had one reference."""
    book = openpyxl.Workbook()
    sheet = book["Sheet"]
    sheet.append(["Crime No", "Recorded", "HO Code", "MO"])
    for number in (reference // 1000 % 10**15, reference):
        sheet.append([number, "27/07/2015", "22B", "Text"])
    book.save(tmp_path / "x.xlsx")
    kept, refused = read_extract(tmp_path / "x.xlsx", make_profile())
    assert kept.error is None
    assert "Excel turned the reference into a date or rounded it" in str(refused.error)


@pytest.mark.parametrize("value", [86.17, "86.17", "86.10", 88.009, 71.01, Decimal("7.25")])
def test_a_code_with_more_decimals_than_the_profile_says_is_refused(value: object) -> None:
    """Rounded, 71.17 would be 71/2, another offence."""
    with pytest.raises(ValueFaultError, match="has more digits after the point than decimals = 1"):
        convert("offence_code", value, decimals=1)


@pytest.mark.parametrize(
    ("value", "code"), [(86.1, "86/10"), (71.17, "71/17"), (0.1 + 0.2, "0/30"), ("88.09", "88/09")]
)
def test_a_code_of_a_decimal_number_has_its_decimals(value: object, code: str) -> None:
    assert convert("offence_code", value, decimals=2) == code


@pytest.mark.parametrize("value", [12034, "12034", 12034.0])
def test_a_reference_with_more_digits_than_the_profile_says_is_refused(value: object) -> None:
    with pytest.raises(ValueFaultError, match=r"has 5 digits, and .* says digits = 4"):
        convert("crime_ref", value, digits=4)


def test_a_day_that_no_calendar_has_is_told_from_another_form() -> None:
    forms = ("D MON YYYY", "DD/MM/YYYY", "DD.MM.YY")
    expected = r"has the form DD/MM/YYYY, but no calendar has that day\. C"
    with pytest.raises(ValueFaultError, match=expected):
        convert("recorded_on", "31/02/2017", dates=forms)
    with pytest.raises(ValueFaultError, match=r"DD\.MM\.YY, .* or it is of a year to come\. C"):
        convert("recorded_on", "01.02.99", dates=forms)
    with pytest.raises(ValueFaultError, match="not a date of the form DD/MM/YYYY"):
        convert("recorded_on", "31.02.2017", dates=("DD/MM/YYYY",))


def test_the_time_zone_of_the_days_can_be_another() -> None:
    rule: dict[str, Any] = {"dates": ("YYYY-MM-DDThh:mm:ssZ",)}
    assert convert("recorded_on", "2018-03-31T23:30:00Z", **rule) == date(2018, 4, 1)
    assert convert("recorded_on", "2018-03-31T23:30:00Z", time_zone="UTC", **rule) == date(
        2018, 3, 31
    )


def test_an_empty_status_is_counted_since_it_counts_as_recorded(tmp_path: Path) -> None:
    lines = [f"{HEADER},Status", f"{ROW},", f"{ROW},-", f"{ROW},recorded"]
    status = {"column": "Status", "values": {"recorded": "recorded", "-": ""}}
    raws = read_lines(tmp_path, lines, {"status": status})
    note = f"{EMPTY_STATUS_NOTE}recorded"
    assert [raw.notes for raw in raws] == [(note,), (note,), ()]
    assert [raw.notes for raw in read_lines(tmp_path, [HEADER, ROW])] == [()]


def test_an_empty_status_of_several_rows_is_one(tmp_path: Path) -> None:
    lines = [f"{HEADER},Status,Age", f"{ROW},,5", f"{ROW},,7"]
    changes = {"status": "Status", "victims.age": "Age"}
    raws = read_lines(tmp_path, lines, changes, one_row_per="victim")
    assert [raw.notes for raw in raws] == [(f"{EMPTY_STATUS_NOTE}recorded",), ()]


@pytest.mark.parametrize("field", ["status", "victims.sex"])
def test_a_map_to_a_value_that_the_field_does_not_have_is_a_mistake_of_the_profile(
    tmp_path: Path, field: str
) -> None:
    rule = {"column": "MO", "values": {"no crime": "Cancelled"}}
    with pytest.raises(ConfigurationError, match=rf'{field} maps to "Cancelled", which is not'):
        read_lines(tmp_path, [HEADER, ROW], {field: rule})


def test_which_of_two_columns_of_one_name_was_renamed_is_not_guessed(tmp_path: Path) -> None:
    columns = dict.fromkeys(
        ["Crime No", "Recorded", "HO Code", "MO", "Code (5)", "Code (6)"], "any"
    )
    lines = ["Crime No,Recorded,HO Code,MO,Class,Code", f"{ROW},1,2"]
    changes = {"outcome": "Code (5)", "victims.age": "Code (6)"}
    with pytest.raises(
        SourceError, match=r'"Code \(5\)", "Code \(6\)" are missing; "Class", "Code" are new'
    ):
        read_lines(tmp_path, lines, changes, columns=columns)


def test_a_reference_that_is_a_number_gets_its_zeros_back() -> None:
    assert convert("crime_ref", 1203, digits=7) == "0001203"
    assert convert("crime_ref", "1203", digits=7) == "0001203"
    assert convert("crime_ref", 1203) == "1203"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("41/0001/18", "41/0001/18"),
        (" 41/0001/18 ", "41/0001/18"),
        ("E41", "E41"),
        ('="0012"', "0012"),
        ('= "0012"', '= "0012"'),
        ("  ", None),
        (True, True),
    ],
)
def test_a_reference_is_its_text_without_spaces_around_it(value: object, expected: object) -> None:
    assert convert("crime_ref", value) == expected


def test_a_code_of_two_columns_is_class_and_sub_code(tmp_path: Path) -> None:
    lines = ["Crime No,Recorded,Class,Sub,MO", "1,27/07/2015,022,08,x", "2,27/07/2015,46,,x"]
    raws = read_lines(tmp_path, lines, {"offence_code": {"columns": ["Class", "Sub"]}})
    assert list_values(raws, "offence_code") == ["022/08", "46"]


def test_linked_references_are_split(tmp_path: Path) -> None:
    raws = read_lines(
        tmp_path,
        [f"{HEADER},Linked", f"{ROW},A1; B2;", f"{ROW},"],
        {"linked.crime_ref": {"column": "Linked", "split": ";"}},
    )
    assert list_values(raws, "linked") == [[{"crime_ref": "A1"}, {"crime_ref": "B2"}], None]


VICTIMS = {
    "victims.age": {"column": "Age", "values": {"N/K": ""}, "ranges": "unknown"},
    "victims.sex": {"column": "Sex", "values": {"Female": "F", "Male": "M"}},
}


def test_a_victim_is_where_any_of_its_cells_is_filled(tmp_path: Path) -> None:
    raws = read_lines(
        tmp_path,
        [f"{HEADER},Age,Sex", f"{ROW},15,female", f"{ROW},N/K,", f"{ROW},10-14,MALE", f"{ROW},,"],
        VICTIMS,
    )
    assert list_values(raws, "victims") == [[{"age": 15, "sex": "F"}], [{}], [{"sex": "M"}], None]
    assert [raw.notes for raw in raws] == [(), (), (RANGE_NOTE,), ()]


SUSPECTS = {
    "suspects.age": {"column": "Age", "values": {"N/K": ""}, "ranges": "unknown"},
    "suspects.sex": {"column": "Sex", "values": {"Female": "F", "Male": "M"}},
    "suspects.suspect_ref": "ID",
}


def test_suspects_are_read_as_victims_are(tmp_path: Path) -> None:
    lines = [f"{HEADER},Age,Sex,ID", f"{ROW},15,female,P1", f"{ROW},10-14,MALE,P2"]
    raws = read_lines(tmp_path, lines, SUSPECTS, one_row_per="suspect")
    assert list_values(raws, "suspects") == [
        [{"age": 15, "sex": "F", "suspect_ref": "P1"}, {"sex": "M", "suspect_ref": "P2"}]
    ]
    assert raws[0].notes == (RANGE_NOTE,)


def test_the_same_suspect_twice_in_a_record_is_rejected(tmp_path: Path) -> None:
    lines = [f"{HEADER},Age,Sex,ID", f"{ROW},15,,P1", f"{ROW},16,,P1"]
    (error,) = list_errors(read_lines(tmp_path, lines, SUSPECTS, one_row_per="suspect"))
    assert "are of one suspect" in error


def test_rows_of_one_reference_become_one_record_wherever_they_stand(tmp_path: Path) -> None:
    rows = [(1, 15), (2, 30), (1, 16), (3, ""), (1, 15)]
    lines = [f"{HEADER},Age,Sex", *(f"{n},27/07/2015,22B,Text,{age}," for n, age in rows)]
    raws = read_lines(tmp_path, lines, VICTIMS, one_row_per="victim")
    assert list_values(raws, "victims") == [
        [{"age": 15}, {"age": 16}, {"age": 15}],
        [{"age": 30}],
        None,
    ]
    assert [raw.skipped_by for raw in raws if raw.blank] == [JOINED, JOINED]
    assert len(raws) == 5


def test_rows_of_one_record_that_differ_are_rejected_and_not_merged(tmp_path: Path) -> None:
    lines = [f"{HEADER},Age,Sex", f"{ROW},15,", f"{ROW}.,16,"]
    (error,) = list_errors(read_lines(tmp_path, lines, VICTIMS, one_row_per="victim"))
    assert error == 'its rows x.csv:2 and x.csv:3 differ in "narrative". Correct one.'


def test_the_same_victim_twice_in_a_record_is_rejected(tmp_path: Path) -> None:
    lines = [f"{HEADER},Age,Sex,ID", f"{ROW},15,,P1", f"{ROW},16,,P1"]
    change = {**VICTIMS, "victims.victim_ref": "ID"}
    (error,) = list_errors(read_lines(tmp_path, lines, change, one_row_per="victim"))
    assert "are of one victim" in error


@pytest.mark.parametrize(
    ("join", "narrative"),
    [("space", "one two three"), ("line", "one\ntwo\nthree"), ("entry", ["one", "two", "three"])],
)
def test_rows_that_continue_a_narrative_are_joined(
    tmp_path: Path, join: str, narrative: object
) -> None:
    lines = [HEADER, "1,27/07/2015,22B,one", ",,,two", " ,,,three", "2,27/07/2015,22B,four"]
    raws = read_lines(tmp_path, lines, continuation={"column": "MO", "join": join})
    assert list_values(raws, "narrative") == [narrative, "four"]
    assert [raw.skipped_by for raw in raws if raw.blank] == [CONTINUED, CONTINUED]


VOID = '"HO Code" is like void*'


@pytest.mark.parametrize(
    ("between", "rules"),
    [
        (["9,27/07/2015,void,nine"], [VOID, CONTINUES_SKIPPED, CONTINUES_SKIPPED]),
        (["9,27/07/2015,void,nine", ",,,"], [VOID, "", CONTINUES_SKIPPED, CONTINUES_SKIPPED]),
        (["9,27/07/2015,void"], [VOID, CONTINUES_SKIPPED, CONTINUES_SKIPPED]),
        (["8,27/07/2015,99Z"], None),  # rejected
        (["8,27/07/2015,22B,eight,"], None),
        ([",,,"], ["", CONTINUED, CONTINUED]),
        ([HEADER], [None, CONTINUED, CONTINUED]),
        ([",,,page 3"], [None, CONTINUED, CONTINUED]),
    ],
)
def test_a_row_that_continues_a_skipped_one_is_skipped_with_it(
    tmp_path: Path, between: list[str], rules: list[str | None] | None
) -> None:
    """Its text is of no other record. A blank row, the names of the columns and a part of a text
    are between the rows of one record."""
    parts = [",,,more", ",,,and more"]
    lines = [HEADER, "1,27/07/2015,22B,one", *between, *parts, "2,27/07/2015,22B,two"]
    skip = [
        {"column": "HO Code", "like": "void*"},
        {"column": "Crime No", "like": "crime no"},
        {"column": "MO", "like": "page *"},
    ]
    continuation = {"column": "MO", "join": "space"}
    raws = read_lines(tmp_path, lines, skip=skip, continuation=continuation)
    narratives = list_values(raws, "narrative")
    skipped = [raw.skipped_by for raw in raws if raw.blank]
    assert len(raws) == len(lines) - 1
    if rules is None:
        assert skipped == [CONTINUED, CONTINUED]
        assert (narratives[0], narratives[-1]) == ("one", "two")
        return
    assert [
        rule for rule, expected in zip(skipped, rules, strict=True) if expected is not None
    ] == [rule for rule in rules if rule is not None]
    is_joined = rules[-1] == CONTINUED
    assert narratives == ["one more and more" if is_joined else "one", "two"]


def test_a_record_is_rejected_with_a_row_that_continues_it_and_cannot_be_read(
    tmp_path: Path,
) -> None:
    """Text after a delimiter that is not quoted is beyond the last column; it is not lost."""
    lines = [HEADER, ROW, ",,,more, with a comma", "2,27/07/2015,22B,two"]
    raws = read_lines(tmp_path, lines, continuation={"column": "MO", "join": "space"})
    (error,) = list_errors(raws)
    assert error.startswith("its row x.csv:3 has 5 columns where the header has 4.")
    assert list_values(raws, "narrative")[-1] == "two"


def test_rows_are_skipped_by_rule_and_counted_with_it(tmp_path: Path) -> None:
    lines = ["Extract", ",,", HEADER, ROW, ",,,", "Total crimes: 1,,,", ",27/07/2015,22B,x"]
    skip = [{"column": "Crime No", "like": "total*"}, {"column": "Crime No", "empty": True}]
    raws = read_lines(tmp_path, lines, header_row=3, skip=skip)
    assert [raw.skipped_by for raw in raws if raw.blank] == [
        "",
        '"Crime No" is like total*',
        '"Crime No" is empty',
    ]
    assert len(list_values(raws, "crime_ref")) == 1


def test_short_rows_are_rejected_and_trailing_delimiters_are_not(tmp_path: Path) -> None:
    raws = read_lines(tmp_path, [HEADER, f"{ROW},,", "1,27/07/2015,22B", f"{ROW},x"])
    assert [bool(raw.error) for raw in raws] == [False, True, True]
    assert "has 3 columns where the header has 4" in str(raws[1].error)


PEOPLE = (
    '[{"ref": "A", "on": "2016-07-27T00:00:00", "ho": {"class": "086", "sub": "10"}, "text": '
    '[{"body": "one"}, {"body": "two"}], "people": [{"role": "VICTIM", "age": {"value": "16"}}, '
    '{"role": "SUSPECT", "age": {"value": "44"}}, {"role": "VICTIM", "age": null}]}]'
)


def test_objects_of_json_are_read_by_path_and_lists_by_condition(tmp_path: Path) -> None:
    profile = make_profile(
        {
            "crime_ref": "ref",
            "recorded_on": {"column": "on", "dates": ["YYYY-MM-DDThh:mm:ss"]},
            "offence_code": {"columns": ["ho.class", "ho.sub"]},
            "narrative": "text[].body",
            "victims.age": "people[].age.value",
        },
        where={"victims": {"column": "people[].role", "values": ["victim"]}},
    )
    (raw,) = read_extract(write_extract(tmp_path / "x.json", PEOPLE), profile)
    assert raw.raw == {
        "crime_ref": "A",
        "recorded_on": date(2016, 7, 27),
        "offence_code": "086/10",
        "narrative": ["one", "two"],
        "victims": [{"age": 16}, {}],
    }
    assert isinstance(raw.origin, bytes)
    assert len(raw.notes) == 1


def write_workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    book.save(path)
    return path


def test_sheets_are_read_and_their_dates_are_dates(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Crimes"], HEADER.split(","), ["001", midnight(2017, 4, 1), 49, "x"]]
    path = write_workbook(tmp_path / "x.xlsx", {"2017": rows, "2018": rows, "Notes": [["hello"]]})
    profile = make_profile(header_row=2, sheets=["201?"], ignore_sheets=["Notes"])
    raws = read_extract(path, profile)
    assert list_values(raws, "recorded_on") == [date(2017, 4, 1)] * 2
    assert list_values(raws, "offence_code") == ["49", "49"]
    assert [raw.location for raw in raws] == [
        f"x.xlsx, sheet {year}: row 3" for year in (2017, 2018)
    ]


def test_a_new_sheet_is_an_error_and_so_is_one_that_is_missing(tmp_path: Path) -> None:
    rows: list[list[Any]] = [HEADER.split(","), ["001", midnight(2017, 4, 1), 49, "x"]]
    path = write_workbook(tmp_path / "x.xlsx", {"2017": rows, "2018": rows})
    with pytest.raises(SourceError, match='has a new sheet "2018"'):
        read_extract(path, make_profile(sheets=["2017"]))
    with pytest.raises(SourceError, match='has no sheet "2016"'):
        read_extract(path, make_profile(sheets=["2016"]))
    assert len(read_extract(path, make_profile(sheets=["2017"], ignore_sheets=["*8"]))) == 1


COLUMNS = {"Crime No": "text", "Recorded": "date", "HO Code": "text", "MO": "text"}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Crime No,Recorded,HO Code,Method", '"MO" is now "Method"'),
        ("Crime No,Date Recorded,HO Code,MO", '"Recorded" is now "Date Recorded"'),
        ("Crime No,Recorded,HO Code", '"MO" is missing'),
        ("Crime No,Recorded,HO Code,MO,Beat", '"Beat" is new'),
        ("a,b,c,d", "it lacks 4 of 4 columns"),
    ],
)
def test_a_column_that_is_renamed_dropped_or_added_is_named(
    tmp_path: Path, header: str, message: str
) -> None:
    row = ",".join(ROW.split(",")[: header.count(",") + 1] + ["x"] * (header.count(",") - 3))
    with pytest.raises(SourceError, match=message):
        read_lines(tmp_path, [header, row], columns=COLUMNS)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{},2015-07-27x,22B,Text", 'the column "Recorded" was dates and is now text'),
        ("{},42212,22B,Text", 'the column "Recorded" was dates and is now numbers'),
        (
            "{},27.07.2015,22B,Text",
            "has dates of the form DD/MM/YYYY by .* first value is text of the shape 99.99.9999",
        ),
        ("{},27/07/2015,22B,5", 'the column "MO" was text and is now numbers'),
    ],
)
def test_a_column_of_another_type_is_named_with_old_and_new(
    tmp_path: Path, row: str, message: str
) -> None:
    lines = [HEADER, *(row.format(f"R{number}") for number in range(12))]
    with pytest.raises(SourceError, match=message):
        read_lines(tmp_path, lines, columns=COLUMNS)


def test_columns_may_change_places_and_ignored_ones_come_and_go(tmp_path: Path) -> None:
    lines = ["MO,HO Code,Team B,Recorded,Crime No", "Text,22B,x,27/07/2015,1"]
    raws = read_lines(tmp_path, lines, columns={**COLUMNS, "Team A": "text"}, ignore=["Team *"])
    assert list_values(raws, "narrative") == ["Text"]


@pytest.mark.parametrize(
    ("changes", "keys", "message"),
    [
        (
            {"recorded_on": {"column": "Recorded", "dates": ["DECIDE"]}},
            {},
            r"fields\.recorded_on\.dates",
        ),
        ({"status": {"column": "S", "values": {"NOC": "DECIDE"}}}, {}, r"fields\.status\.values"),
        ({}, {"encoding": "DECIDE"}, "encoding"),
        ({}, {"continuation": {"column": "MO", "join": "DECIDE"}}, r"continuation\.join"),
        ({"refrence": "X"}, {}, 'has "refrence", which is not a field'),
        ({"status": {}}, {}, "needs exactly one of column, columns and constant"),
        ({"status": {"column": "S", "dates": ["DD/MM/YYYY"]}}, {}, "has dates, which belongs to"),
        ({"status": {"column": "S", "time_zone": "UTC"}}, {}, "has time_zone, which belongs to"),
        ({"recorded_on": {"column": "R", "time_zone": "Europe"}}, {}, '"Europe", which is not kn'),
        ({"recorded_on": {"column": "R", "time_zone": "../x"}}, {}, '"../x", which is not known'),
        ({"recorded_on": {"column": "R", "time_zone": "BST"}}, {}, '"BST", which is not known'),
        ({}, {"columns": {"Crime No": "text"}}, "which .source.profile.columns. lacks"),
        ({}, {"skip": [{"column": "MO"}]}, "needs either like or empty"),
        ({}, {"where": {"victim": {"column": "MO", "values": []}}}, "not a list of a record"),
    ],
)
def test_a_profile_is_strict(changes: dict[str, Any], keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make_profile(changes, **keys)


def test_a_query_of_a_database_is_read_with_the_same_verbs(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as store:
        store.execute("CREATE TABLE c (ref INT, day TEXT, code TEXT, mo TEXT, age TEXT, team TEXT)")
        rows = [
            (1, "27/07/2015", "8602 - Title", "a", "15 years", "x"),
            (1, "27/07/2015", "8602 - Title", "a", "N/K", "y"),
            (2, "01/07/2015", "8N", "b", "", "x"),
        ]
        store.executemany("INSERT INTO c VALUES (?, ?, ?, ?, ?, ?)", rows)
        store.commit()
    database = DatabaseSource(
        url=f"sqlite:///{path}", queries={"crimes": "SELECT * FROM c"}, folder=tmp_path
    )
    profile = make_profile(
        {
            "crime_ref": {"column": "ref", "digits": 4},
            "recorded_on": {"column": "day", "dates": ["DD/MM/YYYY"]},
            "offence_code": {"column": "code", "titled": True},
            "narrative": "mo",
            "victims.age": {"column": "age", "values": {"N/K": ""}},
        },
        one_row_per="victim",
        ignore=["team"],
    )
    check_profiled_database(database, profile)
    raws = list(read_profiled_database(database, profile, {}))
    assert list_values(raws, "crime_ref") == ["0001", "0002"]
    assert list_values(raws, "victims") == [[{"age": 15}, {}], None]
    assert [raw.skipped_by for raw in raws if raw.blank] == [JOINED]
    renamed = make_profile({"crime_ref": "nr"}, ignore=["*"])
    with pytest.raises(SourceError, match=r"is not the row of names|is missing"):
        check_profiled_database(database, renamed)
    queries = {**database.queries, "victims": "SELECT 1"}
    more = DatabaseSource(url=database.url, queries=queries, folder=tmp_path)
    with pytest.raises(ConfigurationError, match="reads one query"):
        check_profiled_database(more, profile)


def test_a_word_for_no_value_is_no_value_in_any_column(tmp_path: Path) -> None:
    """SQL Server writes NULL. Elsewhere in a text the word stays."""
    more = {
        "victims.age": "Age",
        "linked.crime_ref": {"column": "Linked", "split": ";"},
        "narrative": {"columns": ["MO", "Note"]},
    }
    lines = [
        f"{HEADER},Note,Age,Linked",
        f"{ROW},NULL,NULL,NULL",
        "2,01/07/2015,22B,It said NULL,null, NULL ,X1",
        "NULL,01/07/2015,22B,Text,Note,18,NULL",
    ]
    raws = read_lines(tmp_path, lines, more, no_value=["NULL"])
    assert list_values(raws, "victims") == [None, None, [{"age": 18}]]
    assert list_values(raws, "linked") == [None, [{"crime_ref": "X1"}], None]
    texts = [["Text", ""], ["It said NULL", "null"], ["Text", "Note"]]
    assert list_values(raws, "narrative") == texts
    assert list_values(raws, "crime_ref") == ["1", "2", None]


def test_words_for_no_value_in_lists_of_json_keep_their_place(tmp_path: Path) -> None:
    row = {"Crime No": "1", "Recorded": "27/07/2015", "HO Code": "22B", "MO": "Text"}
    people = [{"age": 8, "sex": "NULL"}, {"age": "NULL", "sex": "F"}]
    file = write_extract(tmp_path / "x.jsonl", json.dumps(row | {"people": people}))
    more = {"victims.age": "people[].age", "victims.sex": "people[].sex"}
    (raw,) = read_extract(file, make_profile(more, no_value=["NULL"]))
    assert list_values([raw], "victims") == [[{"age": 8}, {"sex": "F"}]]


def test_an_empty_status_that_is_mapped_is_counted_as_that(tmp_path: Path) -> None:
    status = {"column": "Status", "values": {"Crime Recorded": "recorded", "": "cancelled"}}
    (raw,) = read_lines(tmp_path, [f"{HEADER},Status", f"{ROW},"], {"status": status})
    assert list_values([raw], "status") == ["cancelled"]
    assert raw.notes == (f"{EMPTY_STATUS_NOTE}cancelled",)


def test_the_unit_of_an_age_is_read_from_the_column_beside_it(tmp_path: Path) -> None:
    age = {"victims.age": {"columns": ["Age", "Unit"], "values": {"N/K": ""}}}
    pairs = ["8,months", "8,Years", "30,M", "8,", ",years", "N/K,years", "6 weeks,", "18,furlongs"]
    lines = [f"{HEADER},Age,Unit", *(f"{number}{ROW[1:]},{p}" for number, p in enumerate(pairs))]
    raws = read_lines(tmp_path, lines, age)
    victims = [dict(raw.raw).get("victims") for raw in raws[:-1]]
    assert victims == [[{"age": n}] for n in (0, 8, 2, 8)] + [None, [{}], [{"age": 0}]]
    assert raws[-1].error.startswith('"Age" is text of the shape 99 aaaaaaaa, not an age in years')


def test_the_units_of_a_list_are_in_step_with_its_ages(tmp_path: Path) -> None:
    row = {"Crime No": "1", "Recorded": "27/07/2015", "HO Code": "22B", "MO": "Text"}
    people = [{"age": {"value": 8, "unit": "months"}}, {"age": {"value": 8}}, {"sex": "F"}]
    file = write_extract(tmp_path / "x.jsonl", json.dumps(row | {"people": people}))
    age = {"columns": ["people[].age.value", "people[].age.unit"]}
    raws = read_extract(file, make_profile({"victims.age": age, "victims.sex": "people[].sex"}))
    assert list_values(raws, "victims") == [[{"age": 0}, {"age": 8}, {"sex": "F"}]]


@pytest.mark.parametrize(("unit", "years"), [("months", 2), ("years", 30), ("days", 0)])
def test_the_unit_of_a_column_of_ages_may_be_said(unit: str, years: int) -> None:
    assert convert("victims.age", 30, unit=unit) == years
    assert convert("victims.age", "30.0", unit=unit) == years
    assert convert("victims.age", "6 weeks", unit=unit) == 0


@pytest.mark.parametrize(
    ("end", "is_open"),
    [
        ("half of", True),
        ("", True),
        ("half of \u20ac", True),
        ("half of\n", False),
        ("half of\r\n", False),
        ("half of\r", False),
        ('"half of"', False),
        ("That is all.", False),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_text_that_may_end_within_its_last_cell_is_named(
    end: str, encoding: str, tmp_path: Path, *, is_open: bool
) -> None:
    text = f"Crime No,Recorded,HO Code,MO\nA1,27/07/2015,22B,Text\nA2,27/07/2015,22B,{end}"
    plain = write_extract(tmp_path / "x.csv", text, encoding)
    packed, zipped = tmp_path / "x.csv.gz", tmp_path / "x.zip"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with zipfile.ZipFile(zipped, "w") as package:
        package.write(plain, "in.csv")
    misnamed = tmp_path / "packed.csv"
    misnamed.write_bytes(packed.read_bytes())
    for path, name in [
        (plain, "x.csv"), (packed, "x.csv.gz"), (misnamed, "packed.csv"), (zipped, "x.zip/in.csv"),
    ]:  # fmt: skip
        raws = read_extract(path, make_profile())
        notes = [note for raw in raws for note in raw.notes]
        assert any(f"{name} ends without an end of its last" in note for note in notes) is is_open
        assert len(raws) == 2


def test_so_is_one_of_the_tables_beside_the_records(tmp_path: Path) -> None:
    header = "crime_ref,recorded_on,offence_code,narrative"
    write_extract(tmp_path / "crimes.csv", f"{header}\nA1,2015-07-27,22B,Text\n")
    write_extract(tmp_path / "victims.csv", "crime_ref,age\nA1,1")
    (raw,) = read_records([tmp_path])
    assert [note.split()[0] for note in raw.notes] == ["victims.csv"]


def test_a_file_of_a_zip_without_a_row_is_refused(tmp_path: Path) -> None:
    header = "Crime No,Recorded,HO Code,MO\n"
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as package:
        package.writestr("a.csv", f"{header}A1,27/07/2015,22B,Text\n")
        package.writestr("b.csv", header)
    with pytest.raises(SourceError, match=r"x\.zip/b\.csv: has no row below"):
        read_extract(tmp_path / "x.zip", make_profile())


def test_a_rest_of_a_text_that_a_rule_skips_is_told_from_other_rows(tmp_path: Path) -> None:
    """Its line break is not in quotation marks, so the record has lost it."""
    text = f"{HEADER}\nA1,27/07/2015,22B,Text\nand more\nA2,27/07/2015,22B,Text\nEnd,,,\n"
    profile = make_profile(skip=[{"column": "HO Code", "empty": True}])
    raws = read_extract(write_extract(tmp_path / "x.csv", text), profile)
    rules = [raw.skipped_by for raw in raws if raw.blank]
    assert rules == [f'"HO Code" is empty{TORN}', '"HO Code" is empty']
