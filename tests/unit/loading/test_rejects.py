"""Rejects files that are searched for an erased record."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.jobs.retention import expire_rejects
from indexer.loading.rejects import erase_from_rejects

REFERENCE = "41/Ä\U0001d11e7"


@pytest.mark.parametrize(
    "line",
    [
        b'{"crime_ref": "41\\/\\u00c4\\ud834\\udd1e7", "narrative": "cut sh',
        b'{"crime_ref": "41\\u002F\\u00C4\xf0\x9d\x84\x9e7", "narrative": "cut sh',
        '{"crime_ref": "41/Ä\U0001d11e7", "narrative": "cut sh'.encode(),
        b'{"narrative": "cut short", "crime_ref": "41\\u002f',
        b'{"narrative": "cut short", "crime_ref" : "41\\/\\u00c',
        b'{"narrative": "cut short", "crime_ref": "41/\xc3',
        b'{"narrative": "cut short", "crime_ref":',
    ],
)
def test_a_line_cut_short_is_unclear_however_its_reference_is_escaped(
    tmp_path: Path, line: bytes
) -> None:
    path = tmp_path / "rejects.jsonl"
    path.write_bytes(line + b"\n")
    (erasure,) = erase_from_rejects(tmp_path, REFERENCE, "crime_ref")
    assert (erasure.path, erasure.removed, erasure.unclear) == (str(path), 0, 1)
    assert path.read_bytes() == line + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        b'{"narrative": "cut short", "crime_ref": "42/',
        b'{"crime_ref": "41\\u002f\\u00c5", "narrative": "cut sh',
        b'{"crime_ref": "42/1", "narrative": "seen at 41',
        b"\\ \\u \\ud834",
    ],
)
def test_a_line_cut_short_of_another_record_is_not_reported(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "rejects.jsonl").write_bytes(line + b"\n")
    assert erase_from_rejects(tmp_path, REFERENCE, "crime_ref") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"number": REFERENCE},
        {"crime_ref": None, "x": REFERENCE},
        {"crime_ref": " ", "x": REFERENCE},
    ],
)
def test_a_record_without_a_reference_that_names_it_is_unclear(
    tmp_path: Path, fields: dict[str, str | None]
) -> None:
    """As one of another index, whose source calls the reference otherwise."""
    records = [{"number": "42/1"}, fields, {"crime_ref": "42/2", "x": REFERENCE}]
    text = "\n".join(map(json.dumps, records)) + "\n"
    (tmp_path / "rejects.jsonl").write_text(text)
    (erasure,) = erase_from_rejects(tmp_path, REFERENCE, "crime_ref")
    assert (erasure.removed, erasure.unclear) == (0, 1)
    assert (tmp_path / "rejects.jsonl").read_text() == text


def test_what_a_killed_run_left_of_a_file_is_removed_with_the_record(tmp_path: Path) -> None:
    """It holds other records, which nobody would find when they are forgotten."""
    part = tmp_path / ".crimes-1.jsonl.0123456789abcdef.part"
    part.write_text(json.dumps({"crime_ref": REFERENCE}))
    others = [tmp_path / ".notes.part", tmp_path / ".notes.txt.0123456789abcdef.part"]
    for other in others:
        other.write_text("of somebody else")
    assert erase_from_rejects(tmp_path, REFERENCE, "crime_ref") == []
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_a_file_from_which_a_record_was_removed_is_as_old_as_before(tmp_path: Path) -> None:
    """Or it would be kept longer than the force allows, each time that a record is forgotten."""
    path = tmp_path / "crimes-20260101-000000.jsonl"
    lines = [json.dumps({"crime_ref": reference}) for reference in (REFERENCE, "other")]
    path.write_text("\n".join(lines) + "\n")
    written_at = datetime.now(UTC).timestamp() - 30 * 86_400
    os.utime(path, (written_at, written_at))
    assert [
        erasure.removed for erasure in erase_from_rejects(tmp_path, REFERENCE, "crime_ref")
    ] == [1]
    assert path.read_text() == lines[1] + "\n"
    assert expire_rejects(tmp_path, 31).deleted == ()
    assert expire_rejects(tmp_path, 29).deleted == (path.name,)


def test_what_a_killed_run_left_is_too_old_some_day(tmp_path: Path) -> None:
    part = tmp_path / ".crimes-20260101-000000.jsonl.0123456789abcdef.part"
    part.write_text("{}")
    assert expire_rejects(tmp_path, 1).deleted == ()
    os.utime(part, (0, 0))
    assert expire_rejects(tmp_path, 1).deleted == (part.name,)
