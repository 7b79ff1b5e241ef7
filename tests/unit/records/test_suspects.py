"""Suspects of a record: read and checked as victims are, and kept apart from them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from indexer.records.document import build_document, encode_document
from indexer.records.model import MAX_NESTED, CrimeRecord, RecordError
from indexer.records.offences import load_offence_table
from indexer.records.parse import parse_record_line


def parse(**fields: Any) -> CrimeRecord:
    line = {"crime_ref": "A", "recorded_on": "2019-06-01", "offence_code": "22B", "narrative": "x"}
    record = parse_record_line(msgspec.json.encode(line | fields))
    assert isinstance(record, CrimeRecord)
    return record


def index(record: CrimeRecord) -> dict[str, Any]:
    document = build_document(record, load_offence_table(), "x:1")
    found: dict[str, Any] = msgspec.json.decode(encode_document(document))
    return found


def test_suspects_are_indexed_beside_victims() -> None:
    people = {
        "victims": [{"victim_ref": "P1", "age": 15}],
        "suspects": [{"suspect_ref": "P1", "age": 40, "sex": "M"}, {}],
    }
    document = index(parse(**people))
    assert {name: document[name] for name in people} == people


def test_a_record_without_suspects_is_indexed_as_before() -> None:
    assert "suspects" not in index(parse())
    assert index(parse(suspects=[])) == index(parse())


@pytest.mark.parametrize(
    ("suspects", "message"),
    [
        ([{"victim_ref": "P1"}], 'an unknown field "victim_ref" in "suspects[0]"'),
        ([{"age": 121}], '"suspects[0].age" is a number over 120, not whole years'),
        ([{"suspect_ref": ""}], '"suspects[0].suspect_ref" is '),
        (["P1"], '"suspects[0]" is text of the shape a9, not an object'),
        ({}, '"suspects" is '),
    ],
)
def test_a_suspect_that_breaks_the_contract_is_refused(suspects: Any, message: str) -> None:
    with pytest.raises(RecordError) as error:
        parse(suspects=suspects)
    assert message in str(error.value)


def test_people_and_links_together_have_a_limit() -> None:
    half = MAX_NESTED // 2
    parse(victims=[{}] * half, suspects=[{}] * half)
    with pytest.raises(RecordError) as error:
        parse(victims=[{}] * half, suspects=[{}] * half, linked=[{"crime_ref": "B"}])
    assert 'has 5,000 in "victims", 5,000 in "suspects" and 1 in "linked"; a record' in str(
        error.value
    )
