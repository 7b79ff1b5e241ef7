"""A force's own offence codes: added to the Home Office's, or a scheme of their own; strict."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from indexer.errors import ConfigurationError, RequestError
from indexer.records.offences import OffenceTable, load_offence_table
from indexer.records.offences.active import select_offence_table
from indexer.records.offences.lookup import find_offences
from indexer.records.offences.own_table import OwnOffences
from indexer.records.offences.table import CodeScheme

OWN_TABLE = """\
code,title,group,parent,valid_from,valid_to
A,Anti-social behaviour,Incidents,,,
a-12,Nuisance vehicle,,A,2015-04-01,
B,"Welfare check, by request",Calls,,,2020-03-31
"""


@pytest.fixture(autouse=True)
def _built_in_table_afterwards() -> Iterator[None]:
    yield
    select_offence_table(None)


def select(path: Path, content: str | bytes, scheme: CodeScheme = "home-office") -> OffenceTable:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    select_offence_table(None)
    select_offence_table(OwnOffences(path, scheme))
    return load_offence_table()


def test_own_codes_are_added_and_every_other_code_keeps_its_path(tmp_path: Path) -> None:
    built_in = load_offence_table()
    table = select(
        tmp_path / "codes.csv",
        "code,title,group,parent\nL1,Drone near a prison,,66\n86/77,Local,,\nL2,Other,Local,\n",
    )
    assert {code: table.path(code) for code in built_in.titles} == {
        code: built_in.path(code) for code in built_in.titles
    }
    assert table.canonical(" l1 ") == "L1"
    assert table.path("L1") == ("L1", "66")
    assert table.group("L1") == "Public order offences"
    assert (table.canonical("086/77"), table.path("86/77")) == ("86/77", ("86/77", "86"))
    assert (table.path("L2"), table.group("L2")) == (("L2",), "Local")
    assert "L1" in table.covered(["66"])
    assert table.canonical("08602") == "86/2"
    assert table.fingerprint != built_in.fingerprint


def test_an_own_scheme_has_its_codes_and_no_others(tmp_path: Path) -> None:
    table = select(tmp_path / "codes.csv", OWN_TABLE, "own")
    assert sorted(table.titles) == ["A", "B", "a-12"]
    assert table.canonical("A-12") == "a-12"
    assert table.path("a-12") == ("a-12", "A")
    assert (table.group("a-12"), table.group("B")) == ("Incidents", "Calls")
    assert table.canonical("08602") == "08602"  # not read as a Home Office code
    assert (table.path("08602"), table.path("22B")) == (("08602",), ("22B",))
    assert table.covered(["A"]) == {"A", "a-12"}
    assert table.is_outside_validity("B", date(2020, 4, 1))
    with pytest.raises(RequestError, match='"C" is not known'):
        table.require("C")
    assert [offence.code for offence in find_offences("welfare").offences] == ["B"]
    assert find_offences("upskirting").names == ()


def test_without_a_table_the_codes_are_the_home_offices_again(tmp_path: Path) -> None:
    select(tmp_path / "codes.csv", OWN_TABLE, "own")
    select_offence_table(None)
    assert load_offence_table().has_code("22B")


def test_a_table_may_be_tab_separated_and_have_a_mark_and_blank_lines(tmp_path: Path) -> None:
    content = "\ufeffcode\ttitle\r\n\r\nL1\tOne, with a comma\r\n\t\r\n"
    table = select(tmp_path / "codes.tsv", content)
    assert table.title("L1") == "One, with a comma"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", ':1: has no column "code". Add it.'),
        ("code,title\n", ": has no codes. Add some"),
        ("code,title,grp\nL1,x,y\n", ':1: has an unknown column "grp". Did you mean "group"?'),
        ("code,title,code\nL1,x,L2\n", ':1: has the column "code" twice'),
        ("code\nL1\n", ':1: has no column "title"'),
        ("code,title\nL1,x,y\n", ":2: has 3 cells, and the first line has 2 columns"),
        ("code,title\nL1,\n", ':2: has no "title". Fill it in.'),
        ('code,title\nL1,"x\nL2,y\nL3,z"\n', ":4: ends a row with a cell of several lines"),
        ('code,title\rL1,"x\rL2,y"\r', ":3: ends a row with a cell of several lines"),
        ("code,title\nL1,x\n\nl1,y\n", ':4: the code "l1" is already on line 2'),
        ("code,title\n08602,x\n", ':2: "08602" is already a code of the Home Office (86/2 '),
        ('code,title\n"L1,L2",x\n', ":2: the code"),
        (f"code,title\n{'L' * 41},x\n", ':2: "code" is not a text of at most 40'),
        ("code,title\nL1,x\x07y\n", ':2: "title" is not a text of at most 200 printable'),
        ("code,title,parent\nL1,x,L9\n", ':2: the parent "L9" of "L1" is not a known code'),
        ("code,title,parent\nL1,x,L2\nL2,y,L1\n", ':2: "L1" is above itself'),
        ("code,title,parent\nL1,x,L1\n", ':2: "L1" is above itself'),
        ("code,title,valid_from\nL1,x,2018-02-30\n", ':2: "valid_from" is "2018-02-30", not a'),
        ("code,title,valid_from,valid_to\nL1,x,2020-02-02,2019-01-01\n", ":2: ends (2019-01-01)"),
        ("code,title,group,parent\nL1,x,Theft offences,10C\n", ':2: "L1" is of the group "Theft'),
        ('code,title\n"L1,x\n', ":2: cannot be read as CSV"),
        (b"code,title\nL1,caf\xe9\n", ":2: is not UTF-8 text. Save the file as UTF-8."),
        ("code,title\n" + "L1,x\n" * 1_100_000, ": is larger than 5,000,000 bytes"),
    ],
)
def test_a_wrong_table_is_one_message_with_its_line(
    tmp_path: Path, content: str | bytes, fault: str
) -> None:
    path = tmp_path / "codes.csv"
    with pytest.raises(ConfigurationError) as caught:
        select(path, content)
    assert f"{path}{fault}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("code", ["19C-19K", "19 to 23", "71/1-16", "1 to 999"])
def test_an_own_code_that_means_a_range_is_refused(tmp_path: Path, code: str) -> None:
    """A request for the range would count only the records of that code."""
    with pytest.raises(ConfigurationError, match=f':2: the code "{code}" means a range of codes'):
        select(tmp_path / "codes.csv", f"code,title\n{code},x\n")
    table = select(tmp_path / "codes.csv", f"code,title\n{code},x\n", "own")
    assert table.title(table.canonical(code)) == "x"


@pytest.mark.parametrize("code", ["8N-DV", "A-12", "8N-1", "ASB to 3"])
def test_an_own_code_with_a_hyphen_that_means_no_range_is_taken(tmp_path: Path, code: str) -> None:
    table = select(tmp_path / "codes.csv", f"code,title\n{code},x\n")
    assert table.title(table.canonical(code)) == "x"


def test_a_table_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    select_offence_table(OwnOffences(tmp_path / "nowhere.csv"))
    with pytest.raises(ConfigurationError, match=r"nowhere\.csv: cannot be read .*Correct table"):
        load_offence_table()


def test_a_table_that_changed_is_read_again_by_the_next_session(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    assert select(path, "code,title\nL1,One\n").title("L1") == "One"
    path.write_text("code,title\nL1,Two\n")
    select_offence_table(OwnOffences(path))
    assert load_offence_table().title("L1") == "One"
    select_offence_table(OwnOffences(path), read_again=True)
    assert load_offence_table().title("L1") == "Two"
