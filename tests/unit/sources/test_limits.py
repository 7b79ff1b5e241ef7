"""What a file or a record may be, checked before the server sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.config.field_map import EMPTY_FIELD_MAP
from indexer.errors import SourceError
from indexer.records.model import CrimeRecord, RecordError
from indexer.records.parse import parse_mapped_line, parse_record_line, parse_record_mapping
from indexer.sources.csv_tables import read_csv_tables
from indexer.sources.jsonl import read_json_lines

HEADER = "crime_ref,recorded_on,offence_code,narrative,outcome\n"


def record(**more: Any) -> dict[str, Any]:
    plain = {"crime_ref": "A", "recorded_on": "2022-01-01", "offence_code": "22B", "narrative": "x"}
    return plain | more


def read_rows(tmp_path: Path, text: str) -> list[Any]:
    file = tmp_path / "crimes.csv"
    file.write_text(text, encoding="utf-8")
    return [raw.raw for raw in read_csv_tables(file, EMPTY_FIELD_MAP) if not raw.blank]


@pytest.mark.parametrize(("victims", "links"), [(10_001, 0), (0, 10_001), (6_000, 6_000)])
def test_more_victims_and_links_than_the_server_takes_are_refused(victims: int, links: int) -> None:
    raw = record(victims=[{"age": 20}] * victims, linked=[{"offence_code": "22B"}] * links)
    with pytest.raises(RecordError, match=r"a record may have 10,000 together") as refusal:
        parse_record_mapping(raw)
    assert f"{victims:,} in" in str(refusal.value)
    assert f"{links:,} in" in str(refusal.value)
    with pytest.raises(RecordError, match="10,000 together"):
        parse_record_line(json.dumps(raw).encode())


@pytest.mark.parametrize("sign", ["\0", "\n", "\t", "\x7f", "\x85", "\u2028"])
@pytest.mark.parametrize("place", ["start{}", "{}end", "mid{}dle"])
@pytest.mark.parametrize("field", ["crime_ref", "offence_code", "victim_ref", "linked", "deleted"])
def test_a_control_character_in_an_identifier_is_refused_and_not_printed(
    sign: str, place: str, field: str
) -> None:
    text = place.format(sign)
    raws: dict[str, dict[str, Any]] = {
        "victim_ref": record(victims=[{"victim_ref": text}]),
        "linked": record(linked=[{"crime_ref": text}]),
        "deleted": {"crime_ref": text, "status": "deleted"},
    }
    with pytest.raises(RecordError, match="printable characters") as refusal:
        parse_record_mapping(raws.get(field, record(**{field: text})))
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("people", ["victims", "suspects"])
def test_a_person_who_is_in_a_record_twice_is_refused(people: str) -> None:
    """A join that repeats rows, or a table that was exported twice, would double all numbers."""
    reference = f"{people[:-1]}_ref"
    persons = [{"age": 12}, {reference: "V1", "age": 12}, {reference: "V1", "age": 12}]
    with pytest.raises(RecordError) as refusal:
        parse_record_mapping(record(**{people: persons}))
    assert str(refusal.value).startswith(
        f'"{people}[2]" has the {reference} of another {people[:-1]} of this record. Remove one'
    )
    parse_record_mapping(record(**{people: [*persons[:2], {"age": 12}, {reference: "V2"}]}))


@pytest.mark.parametrize("text", [" 22B", "22B ", "22B\u00a0", " "])
@pytest.mark.parametrize("field", ["crime_ref", "offence_code", "victim_ref", "linked", "deleted"])
def test_a_space_around_an_identifier_is_refused(text: str, field: str) -> None:
    """ "25" and "25 " would be two records, and nothing of the code "22B" would be counted."""
    raws: dict[str, dict[str, Any]] = {
        "victim_ref": record(victims=[{"victim_ref": text}]),
        "linked": record(linked=[{"crime_ref": text}]),
        "deleted": {"crime_ref": text, "status": "deleted"},
    }
    with pytest.raises(RecordError, match="printable characters, without spaces around it"):
        parse_record_mapping(raws.get(field, record(**{field: text})))


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "#NAME?", "###", "Err:502"])
@pytest.mark.parametrize("field", ["crime_ref", "victim_ref", "linked"])
def test_an_error_of_a_spreadsheet_is_no_reference(text: str, field: str) -> None:
    """All people whose reference was lost would be one person."""
    raws: dict[str, dict[str, Any]] = {
        "victim_ref": record(victims=[{"victim_ref": text}]),
        "linked": record(linked=[{"crime_ref": text}]),
    }
    with pytest.raises(RecordError, match="not an error such as #N/A"):
        parse_record_mapping(raws.get(field, record(**{field: text})))
    parse_record_mapping(record(crime_ref=f"{text}1"))


@pytest.mark.parametrize(
    "line",
    [
        '{"crime_ref": "A", "crime_ref": "B", "recorded_on": "2022-01-01", "offence_code": "22B", '
        '"narrative": "x"}',
        '{"crime_ref" : "A", "crime_re\\u0066" : "A", "recorded_on": "2022-01-01", '
        '"offence_code": "22B", "narrative": "x"}',
        '{"crime_ref": "A", "recorded_on": "2022-01-01", "offence_code": "22B", "narrative": "x", '
        '"victims": [{"age": 20}, {"age": 20, "age": 30}]}',
        '{"crime_ref": "A", "status": "deleted", "crime_ref": "B"}',
    ],
    ids=["record", "escaped", "victim", "deletion"],
)
def test_a_field_that_is_given_twice_is_refused(line: str) -> None:
    for parse in (
        parse_record_line,
        lambda text: parse_mapped_line(text, lambda raw: raw),
    ):
        with pytest.raises(RecordError, match=r'names the field "(crime_ref|age)" twice'):
            parse(line.encode())


def test_text_that_looks_like_fields_is_no_field() -> None:
    text = 'He wrote "age": 20, "age": 30 and {"crime_ref": "B"}.'
    parsed = parse_record_line(json.dumps(record(narrative=text)).encode())
    assert isinstance(parsed, CrimeRecord)
    assert parsed.narrative == text


@pytest.mark.parametrize(
    ("indent", "content", "number"),
    [(2, [record(), record()], 2), (None, [record(), record()], 2), (2, record(), 1)],
)
def test_json_that_is_not_one_record_a_line_is_read_object_by_object(
    tmp_path: Path, indent: int | None, content: Any, number: int
) -> None:
    path = tmp_path / "crimes.json"
    path.write_text("\n" + json.dumps(content, indent=indent))
    raws = list(read_json_lines(path))
    assert [json.loads(raw.raw) for raw in raws if not raw.blank] == [record()] * number  # type: ignore[arg-type]
    assert raws[-1].location == f"crimes.json, object {number}"
    assert all(b"\n" not in bytes(raw.raw) for raw in raws)  # type: ignore[arg-type]


def test_a_json_array_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "crimes.json"
    path.write_text(json.dumps([record(), record()])[:-20])
    with pytest.raises(SourceError, match="object 2 is not JSON, or the file ends before it does"):
        list(read_json_lines(path))


def test_every_unknown_column_is_named(tmp_path: Path) -> None:
    unknown = [f"own_{number}" for number in range(13)]
    with pytest.raises(SourceError, match="has 13 unknown columns") as refusal:
        read_rows(tmp_path, HEADER.strip() + "," + ",".join(unknown) + "\n")
    assert all(f'"{name}"' in str(refusal.value) for name in unknown)


def test_blank_rows_of_a_spreadsheet_are_skipped(tmp_path: Path) -> None:
    row = "A,2022-01-01,22B,Report.,1\n"
    rows = read_rows(tmp_path, HEADER + row + ",,,,\n  , ,,,\n" + row.replace("A", "B"))
    assert [raw["crime_ref"] for raw in rows] == ["A", "B"]


@pytest.mark.parametrize("cell", ['"=""0012"""', '=""0012""', '"=""""0012"""""'])
def test_the_text_formula_of_a_spreadsheet_is_its_text(tmp_path: Path, cell: str) -> None:
    row = f'{cell},2022-01-01,22B,"=""0012""",=""3""\n'
    (raw,) = read_rows(tmp_path, HEADER + row)
    assert (raw["crime_ref"], raw["narrative"], raw["outcome"]) == ("0012", '="0012"', 3)
