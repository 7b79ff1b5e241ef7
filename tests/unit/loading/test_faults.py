"""Rejected records are counted by the kind of their fault, and no value of a record is shown."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from indexer.config.field_map import EMPTY_FIELD_MAP
from indexer.errors import GenerationError
from indexer.loading.bulk_request import REQUEST_BYTES
from indexer.loading.faults import FaultTally, list_kinds
from indexer.loading.loader import BATCH_BYTES, BATCH_RECORDS, check_records
from indexer.loading.preparation import (
    MAX_DOCUMENT_BYTES,
    DocumentBuilder,
    prepare_batch,
)
from indexer.loading.rejects import list_reasons
from indexer.records.offences import load_offence_table
from indexer.sources import read_records
from tests.support.paths import ROOT

CANARY = "Zyzzyva"

MANY: list[dict[str, Any]] = [
    *({"recorded_on": f"{number % 28 + 1}/02/2018"} for number in range(1_204)),
    *({"victims": [{"age": 20}] * number + [{"age": 900}]} for number in range(5)),
    *({f"field_{letter}": CANARY, "sector": CANARY} for letter in "ab"),
    {"linked": [{}]},
]


def write_lines(path: Path, faults: list[dict[str, Any]]) -> Path:
    plain = {"recorded_on": "2022-01-01", "offence_code": "22B", "narrative": CANARY}
    lines = [{"crime_ref": str(number)} | plain | fault for number, fault in enumerate(faults)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def test_rejects_are_counted_by_kind_with_the_first_places(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "crimes.jsonl", MANY)
    builder = DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, datetime.now(UTC))
    tally = check_records(read_records([path]), builder)
    lines = list_reasons(tally)
    assert len(lines) == 10 + 1 + 5
    assert lines[10:14] == [
        "... and 1,202 more. All of them by kind:",
        '1,204 records: "recorded_on" is not a date (expected YYYY-MM-DD); '
        "first: crimes.jsonl:1, crimes.jsonl:2, crimes.jsonl:3",
        '5 records: "victims.age" is not whole years from 0 to 120, or null; '
        "first: crimes.jsonl:1205, crimes.jsonl:1206, crimes.jsonl:1207",
        '1 record: has 2 unknown fields: "field_a", "sector"; first: crimes.jsonl:1210',
    ]
    assert CANARY not in "".join(lines)
    assert sum(kind.records for kind in tally.faults.list_kinds()) == tally.rejected == 1_212


def test_few_rejects_are_listed_without_a_summary(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "crimes.jsonl", MANY[:10])
    builder = DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, datetime.now(UTC))
    tally = check_records(read_records([path]), builder)
    assert len(list_reasons(tally)) == 10
    assert list_kinds(tally.faults.list_kinds()) == [
        '10 records: "recorded_on" is not a date (expected YYYY-MM-DD); '
        "first: crimes.jsonl:1, crimes.jsonl:2, crimes.jsonl:3"
    ]


def test_kinds_without_end_are_counted_together() -> None:
    faults = FaultTally()
    for number in range(1_000):
        faults.add(f"fault {number}", f"file:{number}: fault {number}", f"file:{number}")
    kinds = faults.list_kinds()
    assert len(kinds) == 101
    assert (kinds[0].kind, kinds[0].records) == ("other faults", 900)
    lines = list_kinds(kinds)
    assert len(lines) == 21
    assert lines[-1] == "81 records: 81 more kinds"


def test_csv_faults_have_kinds_too(tmp_path: Path) -> None:
    (tmp_path / "crimes.csv").write_text(
        "crime_ref,recorded_on,offence_code,narrative\n"
        f"A,2022-01-01,22B\nB,2022-01-01,22B,{CANARY},more\nC,2022-01-01,,{CANARY}\n",
        encoding="utf-8",
    )
    (tmp_path / "victims.csv").write_text("crime_ref,age\nNO,20\nNEVER,30\n", encoding="utf-8")
    builder = DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, datetime.now(UTC))
    tally = check_records(read_records([tmp_path]), builder)
    assert [(kind.kind, kind.places) for kind in tally.faults.list_kinds()] == [
        ("has more or fewer columns than the header", ("crimes.csv:2", "crimes.csv:3")),
        ("its crime_ref is in no row of crimes.csv", ("victims.csv:2", "victims.csv:3")),
        ('"offence_code" is empty', ("crimes.csv:4",)),
    ]


def test_blank_lines_and_rows_are_counted_so_that_the_sum_is_what_was_read(tmp_path: Path) -> None:
    good = '{"crime_ref":"A","recorded_on":"2022-01-01","offence_code":"22B","narrative":""}\n'
    (tmp_path / "lines.jsonl").write_text(f"\n{good}  \n{good}{{}}\n\r\n", encoding="utf-8")
    (tmp_path / "crimes.csv").write_text(
        "crime_ref,recorded_on,offence_code,narrative\n,,,\nB,2022-01-01,22B,\n\n , ,,\n"
        "C,never,22B,\n",
        encoding="utf-8",
    )
    (tmp_path / "victims.csv").write_text("crime_ref,age\n,\nB,20\n,\n", encoding="utf-8")
    counts: Counter[Path] = Counter()
    builder = DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, datetime.now(UTC))
    paths = [tmp_path / "lines.jsonl", tmp_path]
    tally = check_records(read_records(paths, counts=counts), builder)
    assert (tally.read, tally.indexed, tally.rejected, tally.skipped) == (13, 3, 2, 8)
    tally.reconcile()
    assert {path.name: number for path, number in counts.items()} == {
        "lines.jsonl": 3,
        "crimes.csv": 2,
        "victims.csv": 1,
    }
    tally.skipped -= 1
    with pytest.raises(GenerationError, match="only 12 accounted for"):
        tally.reconcile()


def test_a_document_too_large_for_a_request_is_rejected_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, datetime.now(UTC))
    path = write_lines(tmp_path / "crimes.jsonl", [{"narrative": CANARY + "\x01" * 1_000}])
    (raw,) = read_records([path])
    size = len(prepare_batch([raw], builder).documents[0].source)
    assert size > 6_000  # a control character takes six bytes
    for limit, rejected in ((size, 0), (size - 1, 1)):
        monkeypatch.setattr("indexer.loading.preparation.MAX_DOCUMENT_BYTES", limit)
        tally = check_records(read_records([path]), builder)
        assert (tally.read, tally.rejected) == (1, rejected)
    assert "crimes.jsonl:1: needs 1 MB in the index" in tally.reasons[0]
    assert CANARY not in tally.reasons[0]


def test_a_full_request_is_smaller_than_a_server_takes() -> None:
    assert max(MAX_DOCUMENT_BYTES, REQUEST_BYTES) + BATCH_RECORDS * 1_000 < 100 * 1024 * 1024


def test_the_sizes_of_requests_are_documented_as_they_are() -> None:
    """A proxy is set by them."""
    text = " ".join((ROOT / "docs" / "records-and-sources.md").read_text("utf-8").split())
    batch, request = (size // 1024 // 1024 for size in (BATCH_BYTES, REQUEST_BYTES))
    assert f"prepares up to {BATCH_RECORDS:,} records or {batch} MB of the source at a time" in text
    assert f"in requests of at most {request} MB, a larger record alone" in text
