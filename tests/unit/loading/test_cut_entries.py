"""Records whose text seems to be cut into entries are counted, and said, whatever the source."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from indexer.config.field_map import FieldMap
from indexer.loading.loader import check_records
from indexer.loading.preparation import DocumentBuilder
from indexer.loading.tally import CUT_ENTRY
from indexer.records.offences import load_offence_table
from indexer.sources.base import RawRecord

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def count_cut_entries(*narratives: list[str] | str) -> int:
    raws = [
        RawRecord(
            f"a.jsonl:{number}",
            {
                "crime_ref": f"R{number}",
                "recorded_on": "2020-06-01",
                "offence_code": "8N",
                "narrative": narrative,
            },
            0,
        )
        for number, narrative in enumerate(narratives, start=1)
    ]
    tally = check_records(raws, DocumentBuilder(load_offence_table(), FieldMap(), NOW))
    assert tally.reasons == []
    return tally.notes[CUT_ENTRY]


def test_records_with_an_entry_that_goes_on_in_a_sentence_are_counted_once_each() -> None:
    cut = ["Caller was asked for the live", "stream and the", "account."]
    assert count_cut_entries(cut, ["Seen live ", " stream."], ["Closed."]) == 2


@pytest.mark.parametrize(
    "narrative",
    [
        ["Caller was asked.", "stream named"],
        ["Caller was asked for the live", "Stream named"],
        ["Caller was asked", "", "stream named"],
        "Caller was asked for the live\nstream",
        [],
    ],
)
def test_whole_sentences_are_not_called_cut(narrative: list[str] | str) -> None:
    assert count_cut_entries(narrative) == 0
