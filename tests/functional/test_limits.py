"""The limits of a record and of the index: what foidex takes, a real server takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from indexer.records.categories import MAX_CATEGORIES
from indexer.records.model import MAX_NESTED
from tests.support.command_line import CommandLine

PLAIN: dict[str, Any] = {"recorded_on": "2022-01-01", "offence_code": "22B", "narrative": "x"}

WIDE = "\U00010400"  # a letter of four bytes, whose lower case has four, too

AT_THE_LIMIT: tuple[dict[str, Any], ...] = (
    {"crime_ref": "N", "victims": [{"age": 20}] * (MAX_NESTED - 1), "linked": [{"crime_ref": "N"}]},
    {"crime_ref": WIDE * 100, "offence_code": "22B", "victims": [{"victim_ref": WIDE * 100}]},
    {"crime_ref": "C", "c0": WIDE * 100, "c499": WIDE * 100},
    {"crime_ref": "W", "narrative": "livestream " + "\u6f22" * 40_000 + " " + "\u0430" * 40_000},
    {"crime_ref": "K", "narrative": f"{'x' * 40_000}.{'y' * 40_000}/{'z' * 40_000}"},
    {"crime_ref": "D", "narrative": f"{WIDE * 40_000}.{WIDE * 40_000}"},
)

OVER_THE_LIMIT: tuple[dict[str, Any], ...] = (
    {"crime_ref": "N", "victims": [{"age": 20}] * MAX_NESTED, "linked": [{"crime_ref": "N"}]},
    {"crime_ref": "x" * 101},
    {"crime_ref": "O", "offence_code": "2" * 41},
    {"crime_ref": "V", "victims": [{"victim_ref": "x" * 101}]},
    {"crime_ref": "C", "c0": "x" * 101},
)


def write_source(folder: Path, records: tuple[dict[str, Any], ...]) -> dict[str, str]:
    lines = [json.dumps(PLAIN | record) for record in records]
    (folder / "crimes.jsonl").write_text("".join(f"{line}\n" for line in lines))
    sections = "".join(f"[categories.c{number}]\n" for number in range(MAX_CATEGORIES))
    config = folder / "foidex.toml"
    config.write_text(f'[source]\npaths = ["crimes.jsonl"]\n{sections}')
    return {"FOIDEX_CONFIG": str(config)}


def test_what_is_at_a_limit_is_loaded_and_what_is_over_it_is_rejected_before_the_server(
    foidex: CommandLine, tmp_path: Path
) -> None:
    configured = write_source(tmp_path, AT_THE_LIMIT)
    for arguments in (("refresh", "--check"), ("refresh", "--full"), ("refresh", "--incremental")):
        outcome = foidex(*arguments, **configured)
        assert outcome.code == 0, outcome.err
        assert f"{len(AT_THE_LIMIT)} records read" in outcome.out
    assert foidex("count", "livestream", "--format", "json", **configured).code == 0
    configured = write_source(tmp_path, OVER_THE_LIMIT)
    for arguments in (("refresh", "--check"), ("refresh", "--full"), ("refresh", "--incremental")):
        outcome = foidex(*arguments, **configured)
        assert outcome.code == 4
        for line in range(1, len(OVER_THE_LIMIT) + 1):
            assert f"crimes.jsonl:{line}: " in outcome.err
        assert "the server cannot index" not in outcome.err
