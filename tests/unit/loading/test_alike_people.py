"""People of one record whom nothing tells apart are counted, and said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from indexer.config.field_map import FieldMap
from indexer.loading.loader import check_records
from indexer.loading.preparation import DocumentBuilder
from indexer.records.offences import load_offence_table
from indexer.sources.base import RawRecord

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def count_notes(*records: dict[str, Any]) -> dict[str, int]:
    raws = [
        RawRecord(
            f"a.jsonl:{number}",
            {
                "crime_ref": f"R{number}",
                "recorded_on": "2020-06-01",
                "offence_code": "8N",
                "narrative": "",
                **record,
            },
            0,
        )
        for number, record in enumerate(records, start=1)
    ]
    builder = DocumentBuilder(load_offence_table(), FieldMap(), NOW)
    tally = check_records(raws, builder)
    assert tally.reasons == []
    return dict(tally.notes)


def test_records_with_people_whom_nothing_tells_apart_are_noted_by_their_list() -> None:
    girl, man = {"age": 14, "sex": "F"}, {"age": 40}
    notes = count_notes(
        {"victims": [girl, girl, girl]},
        {"victims": [girl, girl], "suspects": [man, man]},
        {"victims": [girl], "suspects": [man]},
    )
    assert notes == {
        "a record has two victims alike in age and sex, and no victim_ref tells them apart. Where "
        "a join repeated a row, both count": 2,
        "a record has two suspects alike in age and sex, and no suspect_ref tells them apart. "
        "Where a join repeated a row, both count": 1,
    }


@pytest.mark.parametrize(
    "victims",
    [
        [{"age": 14}, {"age": 14, "sex": "F"}],
        [{"victim_ref": "V-1", "age": 14}, {"victim_ref": "V-2", "age": 14}],
        [{"victim_ref": "V-1", "age": 14}, {"age": 14}],
        [{}, {}],
        [],
    ],
)
def test_other_people_are_not_noted(victims: list[dict[str, Any]]) -> None:
    assert count_notes({"victims": victims}) == {}
