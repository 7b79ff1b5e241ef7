"""Offence codes: one canonical form, what a code covers, and refusal of what is not known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import ConfigurationError, RequestError
from indexer.records.offences import load_offence_table
from tests.support.paths import ROOT

TABLE = load_offence_table()

CLASSES = ROOT.parent / "shared" / "reference" / "offence_classes_2017_18.tsv"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("086/02", "86/2"),
        ("86/02", "86/2"),
        ("86/2", "86/2"),
        ("08602", "86/2"),
        ("8602", "86/2"),
        ("88-1", "88/1"),
        (" 071 / 17 ", "71/17"),
        ("22b", "22B"),
        ("022B", "22B"),
        ("22 B", "22B"),
        ("021", "21"),
        ("802", "802"),
        ("37.1", "37.1"),
        ("1/4.1/4.10/4.2", "1/4.1/4.10/4.2"),
        ("uk finance", "UK Finance"),
        ("9999", "99/99"),
        ("1299", "1299"),
        ("other", "OTHER"),
    ],
)
def test_all_ways_to_write_a_code_are_one(written: str, canonical: str) -> None:
    assert TABLE.canonical(written) == canonical


@given(st.integers(1, 999), st.integers(0, 99))
def test_padding_and_separators_change_no_code(category: int, sub: int) -> None:
    canonical = f"{category}/{sub}"
    for written in (f"{category:03}/{sub:02}", f"{category}-{sub}", f"{category:03}{sub:02}"):
        assert TABLE.canonical(written) == canonical


@given(st.text(max_size=12))
def test_the_canonical_form_is_its_own(written: str) -> None:
    canonical = TABLE.canonical(written)
    assert TABLE.canonical(canonical) == canonical


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("71/17", ("71/17", "71")),
        ("88/1", ("88/1", "88A", "88")),
        ("88/3", ("88/3", "88D", "88")),
        ("8/11", ("8/11", "10C", "10", "8")),
        ("4/1", ("4/1", "4.1", "1/4.1/4.10/4.2", "4")),
        ("1/1", ("1/1", "1", "1/4.1/4.10/4.2")),
        ("19/7", ("19/7", "19D", "19")),
        ("28/3", ("28/3", "28")),
        ("98/1", ("98/1", "98")),
        ("22/7", ("22/7", "22B", "22")),
        ("22B", ("22B", "22")),
        ("21", ("21",)),
        ("4.1", ("4.1", "1/4.1/4.10/4.2")),
        ("1/4.1/4.10/4.2", ("1/4.1/4.10/4.2",)),
        ("71/99", ("71/99", "71")),
        ("UK Finance", ("UK Finance",)),
    ],
)
def test_a_code_is_covered_by_its_class_and_category(code: str, path: tuple[str, ...]) -> None:
    assert TABLE.path(code) == path


def test_every_class_of_the_reference_list_is_known() -> None:
    if not CLASSES.is_file():
        pytest.skip(f"the reference list is not here: {CLASSES.name}")
    lines = CLASSES.read_text(encoding="utf-8").splitlines()
    codes = [line.split("\t")[0] for line in lines if not line.startswith("#")]
    assert len(codes) > 100
    assert all(TABLE.has_code(TABLE.canonical(code)) for code in codes)


def test_an_unknown_code_is_refused_with_the_nearest_known_ones() -> None:
    with pytest.raises(
        RequestError, match=r'"22F" is not known\. Nearest: .*22B \(Sexual activity'
    ):
        TABLE.require("22F")
    with pytest.raises(RequestError, match="Codes look like"):
        TABLE.require("burglary of some kind")


CLASS_HEADER = (
    "code\ttitle\tgroup\tsubgroup\tvalid_from\tfrom_status\tvalid_to\tto_status\treplaced_by\t"
    "split_from\tseen_in\n"
)

SUBCODE_HEADER = (
    "code\tclass\ttitle\tlist_title\tgroup\tlisted\tadded\tvalid_from\tfrom_status\tvalid_to\t"
    "to_status\n"
)


def write_tables(folder: Path, classes: str, subcodes: str = "") -> Path:
    (folder / "offence_classes.tsv").write_text(CLASS_HEADER + classes)
    (folder / "offence_subcodes.tsv").write_text(SUBCODE_HEADER + subcodes)
    return folder


def test_a_wrong_table_names_its_line(tmp_path: Path) -> None:
    write_tables(tmp_path, "21\tonly two\n")
    with pytest.raises(ConfigurationError, match=r"offence_classes.tsv:2: has 2 columns, not 11"):
        load_offence_table(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_offence_table(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("days", "fault"),
    [
        ("2017-13-01\tseen\t\topen", "month must be in 1..12"),
        ("2017-04-01\tperhaps\t\topen", '"perhaps" does not say how far a day is known'),
    ],
)
def test_a_day_that_cannot_be_read_names_its_line(tmp_path: Path, days: str, fault: str) -> None:
    write_tables(tmp_path, f"21\ta\tb\tc\t{days}\t\t\tO18\n")
    with pytest.raises(ConfigurationError) as caught:
        load_offence_table(tmp_path)
    assert str(caught.value) == f"offence_classes.tsv:2: {fault}. Correct the line."


def test_a_subcode_of_a_class_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_tables(tmp_path, "21\ta\tb\tc" + "\t" * 7 + "\n", "22/1\t22Z\tx" + "\t" * 8 + "\n")
    with pytest.raises(ConfigurationError, match='"22/1" belongs to class "22Z"'):
        load_offence_table(tmp_path)
