"""Categories a force declares: as strict as built-in fields, and part of the mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from indexer.config.field_map import FieldMap
from indexer.config.loader import load_settings
from indexer.errors import ConfigurationError
from indexer.index.mapping import add_category_fields, load_index_schema
from indexer.records.categories import MAX_CATEGORIES, Category, check_categories
from indexer.records.contract import RecordContract
from indexer.records.document import build_document
from indexer.records.model import CrimeRecord, RecordError, Victim
from indexer.records.offences import load_offence_table
from indexer.records.parse import parse_record_line, parse_record_mapping
from indexer.sources.csv_tables import read_csv_tables

DECLARED = {
    "district": Category(values=("North", "South")),
    "flag": Category(many=True),
    "priority": Category(type="integer"),
    "online": Category(type="boolean"),
}

CONTRACT = RecordContract(DECLARED)

RECORD = {
    "crime_ref": "41/1/17", "recorded_on": "2017-06-03", "offence_code": "22B", "narrative": "Seen.",
}  # fmt: skip

VALUES = {"district": "North", "flag": ["a", "b"], "priority": 2, "online": True}


def read(**more: Any) -> CrimeRecord:
    found = parse_record_line(msgspec.json.encode(RECORD | more), CONTRACT)
    assert isinstance(found, CrimeRecord)
    return found


def test_declared_values_reach_the_document() -> None:
    document = build_document(read(**VALUES), load_offence_table(), "a:1", CONTRACT)
    assert document.categories == VALUES


def test_a_value_given_twice_counts_once() -> None:
    document = build_document(read(flag=["b", "a", "b"]), load_offence_table(), "a:1", CONTRACT)
    assert document.categories == {"flag": ["b", "a"]}


def test_a_value_that_is_not_there_is_left_out() -> None:
    document = build_document(read(district=None), load_offence_table(), "a:1", CONTRACT)
    assert document.categories == {}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"district": "West"}, '"district" is text of the shape aaaa, not one of North, South, or'),
        (
            {"flag": "a"},
            '"flag" is text of the shape a, not a list, each text of 1 to 100 printable',
        ),
        (
            {"flag": ["a\n"]},
            '"flag[0]" is text of the shape a\\n, not a list, each text of 1 to 100 printable',
        ),
        ({"flag": ["a\x00b"]}, '"flag[0]" is text of the shape a\\x00a, not a list'),
        ({"flag": ["a\u2028b"]}, '"flag[0]" is text of the shape a\\u2028a, not a list'),
        ({"flag": ["\x85"]}, '"flag[0]" is text of the shape \\x85, not a list'),
        ({"flag": ["a", 3]}, '"flag[1]" is a number of 1 characters, not a list, each text'),
        ({"priority": 2.5}, '"priority" is a number of 3 characters, not a whole number'),
        ({"online": "yes"}, '"online" is text of the shape aaa, not true or false, or null'),
        ({"ward": "x"}, 'has an unknown field "ward"'),
    ],
)
def test_a_declared_category_is_strict(more: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError) as error:
        read(**more)
    assert message in str(error.value)


def test_an_undeclared_category_is_an_unknown_field() -> None:
    with pytest.raises(RecordError, match='unknown field "district"'):
        parse_record_line(msgspec.json.encode(RECORD | {"district": "North"}))


def test_categories_are_columns_of_the_csv(tmp_path: Path) -> None:
    (tmp_path / "crimes.csv").write_text(
        "crime_ref,recorded_on,offence_code,narrative,district,flag,priority,online\n"
        "41/1/17,2017-06-03,22B,Seen.,North,a; b,2,TRUE\n",
        encoding="utf-8",
    )
    fields = FieldMap(categories=DECLARED)
    (raw,) = read_csv_tables(tmp_path, fields)
    assert isinstance(raw.raw, dict)
    assert parse_record_mapping(raw.raw, CONTRACT) == read(**VALUES)


def test_categories_are_part_of_the_mapping_and_its_hash() -> None:
    plain = load_index_schema()
    declared = add_category_fields(plain, DECLARED)
    assert declared.mappings["properties"]["categories"] == {
        "properties": {
            "district": {"type": "keyword"},
            "flag": {"type": "keyword"},
            "online": {"type": "boolean"},
            "priority": {"type": "integer"},
        }
    }
    assert declared.hash != plain.hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[categories.sex]", '"sex" is a field of every record'),
        ('[categories.n]\ntype="integer"\nvalues=["1"]', 'which only the type "keyword" has'),
        ('[categories.n]\ntipe="integer"', 'unknown key "tipe". Did you mean "type"?'),
        ("[categories.District]", "categories"),
    ],
)
def test_a_wrong_declaration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "foidex.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_settings({}, path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "name", sorted({*CrimeRecord.__struct_fields__, *Victim.__struct_fields__})
)
def test_a_category_may_not_have_the_name_of_a_field(tmp_path: Path, name: str) -> None:
    path = tmp_path / "foidex.toml"
    path.write_text(f"[categories.{name}]", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f'"{name}" is a field of every record'):
        load_settings({}, path)


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "\x7f", "a\x9fb", "a\u2029"])
def test_a_declared_value_has_no_control_character(value: str) -> None:
    declared = {"district": Category(values=("North", value))}
    with pytest.raises(
        ConfigurationError, match=r"categories\.district\]: value 2 of values has a"
    ):
        check_categories(declared, ())
    check_categories({"district": Category(values=("Ynys Môn", "N & S", "a\u00adb"))}, ())


def test_there_are_no_more_categories_than_the_index_has_room_for() -> None:
    declared = {f"c{number}": Category() for number in range(MAX_CATEGORIES)}
    check_categories(declared, ())
    with pytest.raises(ConfigurationError, match="declares 501 categories, and 500 is the most"):
        check_categories(declared | {"one_more": Category()}, ())
