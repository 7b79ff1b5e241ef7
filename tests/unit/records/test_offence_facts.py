"""The tables of offence codes in ``mappings/``: whole, without contradiction, and as the changes say."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest

from indexer.records.offences import load_offence_table
from indexer.records.offences.facts import load_code_facts, load_common_names
from indexer.records.offences.validity import Validity, join_validities
from tests.support.paths import ROOT

TABLE = load_offence_table()

FACTS = load_code_facts()

REFERENCE = ROOT.parent / "shared" / "reference"


def test_the_tables_have_every_code_once() -> None:
    """A class has one row for each title; nothing else occurs twice."""
    assert len(FACTS.subcodes) == 3_052
    assert len(FACTS.classes) == 191
    assert len({row.code for row in FACTS.classes}) == 185
    assert len({subcode.code for subcode in FACTS.subcodes}) == len(FACTS.subcodes)
    assert max(Counter((row.code, row.title) for row in FACTS.classes).values()) == 1
    names = [name.name.casefold() for name in load_common_names()]
    assert len(names) == len(set(names)) == 104


@pytest.mark.parametrize("name", ["subcodes.tsv", "classes_by_year.tsv"])
def test_every_code_of_the_reference_lists_is_known(name: str) -> None:
    if not (path := REFERENCE / name).is_file():
        pytest.skip(f"the reference list is not here: {name}")
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) > 180
    for row in rows:
        assert TABLE.has_code(TABLE.canonical(row["code"])), row["code"]
        assert TABLE.canonical(row["code"]) == row["code"]


def test_every_code_is_valid_on_its_first_and_last_day_and_on_no_day_outside() -> None:
    """The rows of a renamed class meet without a gap."""
    for code, validity in TABLE.validities.items():
        day = timedelta(days=1)
        for edge, outside in ((validity.start, -day), (validity.end, day)):
            if edge:
                assert not TABLE.is_outside_validity(code, edge), code
                assert TABLE.is_outside_validity(code, edge + outside), code
        if validity.start and validity.end:
            assert validity.start < validity.end, code
    renamed: dict[str, list[Validity]] = {}
    for row in FACTS.classes:
        renamed.setdefault(row.code, []).append(row.validity)
    for code, rows in renamed.items():
        for earlier, later in pairwise(rows):
            assert earlier.end is not None, code
            assert later.start == earlier.end + timedelta(days=1), code


def test_every_class_that_a_table_names_is_in_the_table() -> None:
    codes = {row.code for row in FACTS.classes}
    for row in FACTS.classes:
        assert codes >= {*row.replaced_by} - {""}, row.code
    for name in load_common_names():
        assert name.kind in ("flag", "none", "outcome") or name.classes or name.subcodes, name
        for code in (*name.classes, *name.subcodes):
            assert code == "AF" or TABLE.has_code(code), (name.name, code)


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("19J", date(2019, 4, 1), None),
        ("8S", date(2017, 4, 1), None),
        ("8T", date(2020, 4, 1), None),
        ("8Q", date(2014, 4, 1), None),
        ("28E", date(2017, 4, 1), date(2023, 3, 31)),
        ("28I", date(2023, 4, 1), None),
        ("28A", None, date(2017, 3, 31)),
        ("5A", date(2008, 4, 1), date(2012, 3, 31)),
        ("71/17", date(2017, 4, 3), None),
        ("8/67", date(2015, 12, 29), None),
        ("8/73", date(2018, 12, 1), None),
        ("8/71", None, date(2024, 1, 30)),
        ("49/3", date(2024, 8, 24), None),
        ("4.8", None, None),
        ("21", None, None),
    ],
)
def test_a_code_lives_as_the_changes_over_time_say(
    code: str, first: date | None, last: date | None
) -> None:
    validity = TABLE.find_validity(code)
    assert (validity.start, validity.end) == (first, last)


def test_a_day_that_is_not_known_sets_no_limit_and_is_said() -> None:
    removed = TABLE.find_validity("125/12")
    assert removed.words == ""  # no day is known, so nothing limits it
    (subcode,) = (row for row in FACTS.subcodes if row.code == "125/12")
    assert (subcode.lists, subcode.validity.end_status) == (("2018",), "unknown")
    assert subcode.validity.words == "ended on a day that is not known"
    assert not TABLE.is_outside_validity("125/12", date(1990, 1, 1))


def test_the_life_of_a_renamed_class_is_that_of_all_its_titles() -> None:
    rows = [
        Validity(None, "seen", date(2023, 3, 31), "seen"),
        Validity(date(2023, 4, 1), "seen", None, "open"),
    ]
    assert join_validities(rows) == Validity(None, "seen", None, "open")
    assert TABLE.title("4.8").startswith("Causing death or serious injury")


def test_a_record_has_one_group_whichever_code_of_its_path_says_so() -> None:
    """A search for a group finds any code of the path, so they must agree."""
    for code in TABLE.titles:
        groups = {TABLE.groups[step] for step in TABLE.path(code) if step in TABLE.groups}
        assert len(groups) <= 1, code
    assert TABLE.group("8/11") == "Possession of weapons offences"
    assert TABLE.group("8/6") == "Violence against the person"
    assert TABLE.group("8") is None  # its codes are of several groups


def test_what_covers_a_code_covers_everything_below_it() -> None:
    for code in TABLE.titles:
        path = TABLE.path(code)
        for step in path:
            assert set(TABLE.path(step)) <= set(path), (code, step)


def test_a_subcode_of_several_classes_is_below_none_of_them() -> None:
    several = {row.code for row in FACTS.subcodes if len(row.classes) > 1}
    assert len(several) == 26
    rape = {code for code in several if code.startswith("19/")}
    assert {code for code in several if code in TABLE.parents} == rape
    assert len(rape) == 12
