"""Tables that belong together were written together: one may be left from an earlier extract."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.errors import SourceError
from indexer.sources import begin_extract_checks
from indexer.sources.extract import MAX_HOURS_APART, ExtractRules

NOON = 1_700_000_000


def write_tables(folder: Path, **hours: float) -> Path:
    """Tables of these names, each so many hours after the first moment."""
    folder.mkdir(exist_ok=True)
    for name, hour in hours.items():
        path = folder / f"{name}.csv"
        path.write_text("crime_ref\n1\n")
        os.utime(path, (NOON + hour * 3600, NOON + hour * 3600))
    return folder


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        ({"crimes": 24, "victims": 0}, "victims.csv: was written 24 hours before crimes.csv"),
        ({"crimes": 0, "links": 24}, "crimes.csv: was written 24 hours before links.csv"),
        (
            {"crimes": 40, "links": 41, "narratives": 1, "victims": 40},
            "narratives.csv: was written 40 hours before links.csv",
        ),
    ],
)
def test_a_table_of_the_night_before_is_refused(
    tmp_path: Path, hours: dict[str, float], message: str
) -> None:
    folder = write_tables(tmp_path / "tables", **hours)
    for path in (folder, folder / "crimes.csv"):
        with pytest.raises(SourceError, match=f"{message}, so it may be left.*--allow apart"):
            begin_extract_checks([path], [], ExtractRules())
    checks = begin_extract_checks([folder], [], ExtractRules(allowed=frozenset({"apart"})))
    assert checks.failed == {"apart"}


def test_tables_of_one_night_and_files_that_do_not_belong_together_are_read(
    tmp_path: Path,
) -> None:
    tonight = write_tables(tmp_path / "new", crimes=0, victims=MAX_HOURS_APART, suspects=3)
    archive = write_tables(tmp_path / "old", crimes=-90_000, victims=-90_001)
    lone = tmp_path / "more.jsonl"
    lone.write_text("{}\n")
    checks = begin_extract_checks([tonight, archive, lone], [], ExtractRules())
    assert checks.failed == set()
