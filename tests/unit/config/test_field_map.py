"""The names of a source's fields as ours."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from indexer.config.field_map import build_field_map
from indexer.errors import ConfigurationError
from indexer.sources import read_records

FIELDS = {"crime_ref": "CrimeNo", "narrative": "MO", "victims.age": "AgeThen", "offence_code": "HO"}

MAP = build_field_map(FIELDS, ("District", "victims.name"))


def test_names_are_mapped_and_ignored_at_both_levels() -> None:
    theirs = {
        "CrimeNo": "1",
        "MO": "text",
        "District": "N",
        "recorded_on": "2020-01-01",
        "victims": [{"AgeThen": 15, "name": "x", "sex": "F"}],
    }
    assert MAP.apply(theirs) == {
        "crime_ref": "1",
        "narrative": "text",
        "recorded_on": "2020-01-01",
        "victims": [{"age": 15, "sex": "F"}],
    }


def test_two_fields_under_one_name_are_told() -> None:
    assert MAP.apply({"MO": "a", "narrative": "b"}) == {"narrative": "a", "narrative twice": "b"}


def test_what_is_no_object_stays_as_it_is() -> None:
    assert MAP.apply([1]) == [1]
    assert MAP.apply({"victims": 3}) == {"victims": 3}


@pytest.mark.parametrize(
    ("fields", "ignored", "message"),
    [
        ({"crime_no": "x"}, (), 'has "crime_no", which is not a field of a record'),
        ({"crime_ref": "x", "narrative": "x"}, (), 'maps both "crime_ref" and "narrative" to "x"'),
        ({"crime_ref": "x"}, ("x",), 'both name "x"'),
    ],
)
def test_a_wrong_map_is_told(
    fields: dict[str, str], ignored: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build_field_map(fields, ignored)


def test_the_columns_of_csv_tables_are_mapped_too(tmp_path: Path) -> None:
    tables = {
        "crimes.csv": [
            ["CrimeNo", "recorded_on", "HO", "District"],
            ["1", "2020-01-01", "21", "N"],
        ],
        "victims.csv": [["CrimeNo", "AgeThen", "name"], ["1", "15", "x"]],
        "narratives.csv": [["CrimeNo", "MO"], ["1", "first"], ["1", "second"]],
    }
    for name, rows in tables.items():
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    (found,) = read_records([tmp_path], MAP)
    assert found.raw == {
        "crime_ref": "1",
        "recorded_on": "2020-01-01",
        "offence_code": "21",
        "victims": [{"age": 15}],
        "narrative": ["first", "second"],
    }
