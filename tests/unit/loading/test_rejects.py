"""Rejects files that are searched for an erased record."""

from __future__ import annotations

from pathlib import Path

import pytest

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
