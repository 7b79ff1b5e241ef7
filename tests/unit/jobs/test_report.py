"""The metrics of a refresh: the times of the last success and change outlive runs that fail."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from indexer.errors import OutputError
from indexer.jobs.report import (
    RefreshReport,
    log_refresh_report,
    write_metrics,
    write_refresh_report,
)

STARTED = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)

FAILED = RefreshReport("failed", 5, "full", STARTED, 1.0)

LAST_SUCCESS = "foidex_refresh_last_success_timestamp_seconds"


LAST_CHANGE = "foidex_refresh_last_change_timestamp_seconds"


def read_time(path: Path, metric: str) -> float:
    (line,) = [line for line in path.read_text().splitlines() if line.startswith(metric)]
    return float(line.split()[-1])


def last_success(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith(LAST_SUCCESS)]


def test_failed_run_keeps_the_time_of_the_last_success(tmp_path: Path) -> None:
    path = tmp_path / "foidex.prom"
    write_metrics(RefreshReport("promoted", 0, "full", STARTED, 2.5), path, 'odd "alias" {x} ')
    (written,) = last_success(path)
    assert float(written.split()[-1]) == STARTED.timestamp() + 2.5
    for _ in range(2):
        write_metrics(FAILED, path, 'odd "alias" {x} ')
        assert last_success(path) == [written]


def test_time_of_the_last_success_is_left_out_where_none_is_known(tmp_path: Path) -> None:
    path = tmp_path / "foidex.prom"
    write_metrics(FAILED, path, "crimes")
    assert last_success(path) == []
    path.write_text(f"{LAST_SUCCESS}{{ is not a metric")
    write_metrics(FAILED, path, "crimes")
    assert last_success(path) == []


def write_nights(path: Path, nights: str) -> None:
    """Metrics of one refresh after the other, a day apart: "c" changed records, "u" left them
    unchanged, "f" failed."""
    for number, night in enumerate(nights):
        at = STARTED + timedelta(days=number)
        promoted = RefreshReport("promoted", 0, "full", at, 0.0, without_change=night == "u")
        failed = msgspec.structs.replace(FAILED, started_at=at)
        write_metrics(failed if night == "f" else promoted, path, "crimes")


@pytest.mark.parametrize(
    ("nights", "day"),
    [("c", 0), ("cuu", 0), ("cuc", 2), ("cufu", 0), ("cf", 0), ("cucf", 2), ("fcu", 1)],
)
def test_the_time_of_the_last_change_stays_until_a_refresh_changes_a_record(
    tmp_path: Path, nights: str, day: int
) -> None:
    """As where an extract no longer comes, and its records have no updated_at."""
    path = tmp_path / "foidex.prom"
    write_nights(path, nights)
    assert read_time(path, LAST_CHANGE) == (STARTED + timedelta(days=day)).timestamp()


def test_the_time_of_the_last_change_is_left_out_where_no_refresh_succeeded(tmp_path: Path) -> None:
    path = tmp_path / "foidex.prom"
    write_nights(path, "ff")
    assert LAST_CHANGE not in path.read_text()


def test_the_time_of_the_last_change_counts_from_the_first_success_that_knows_no_earlier_one(
    tmp_path: Path,
) -> None:
    """As after an upgrade, or where the file was deleted: the alert comes later, not never."""
    path = tmp_path / "foidex.prom"
    path.write_text(f'{LAST_SUCCESS}{{alias="crimes"}} 1.5e+09\n')
    write_nights(path, "uu")
    assert read_time(path, LAST_CHANGE) == STARTED.timestamp()


def test_a_last_change_of_a_time_to_come_does_not_outlive_the_clock_that_was_ahead(
    tmp_path: Path,
) -> None:
    path = tmp_path / "foidex.prom"
    ahead = STARTED + timedelta(days=400)
    write_metrics(RefreshReport("promoted", 0, "full", ahead, 0.0), path, "crimes")
    write_nights(path, "u")
    assert read_time(path, LAST_CHANGE) == STARTED.timestamp()


def test_metrics_of_another_index_are_neither_replaced_nor_taken_for_its_own(
    tmp_path: Path,
) -> None:
    """Two indexes with one home, whose files have the same name: the last success of the one would
    stay silent about the other."""
    path = tmp_path / "foidex.prom"
    write_metrics(RefreshReport("promoted", 0, "full", STARTED, 2.5), path, "north")
    before = path.read_text()
    with pytest.raises(OutputError, match=r"holds those of the index 'north'\. Give each index"):
        write_metrics(FAILED, path, "south")
    assert path.read_text() == before


def test_the_report_of_another_index_is_not_replaced(tmp_path: Path) -> None:
    """Two indexes with one home, whose files have the same name."""
    path = tmp_path / "report.json"
    write_refresh_report(FAILED, path, "north")
    before = path.read_bytes()
    assert json.loads(before)["alias"] == "north"
    with pytest.raises(OutputError, match=r"holds that of the index 'north'\. Give each index"):
        write_refresh_report(FAILED, path, "south")
    assert path.read_bytes() == before
    write_refresh_report(RefreshReport("promoted", 0, "full", STARTED, 2.5), path, "north")
    assert json.loads(path.read_bytes())["outcome"] == "promoted"


@pytest.mark.parametrize("content", ['{"outcome": "failed"}', "", "[1]", '{"alias": 5}', "\udcff"])
def test_a_report_that_does_not_say_whose_it_is_is_replaced(tmp_path: Path, content: str) -> None:
    """As one of an earlier version, or what is none."""
    path = tmp_path / "report.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    write_refresh_report(FAILED, path, "south")
    assert json.loads(path.read_bytes())["alias"] == "south"


@pytest.mark.parametrize(
    ("exit_code", "event", "level"),
    [(12, "refresh skipped", "warning"), (5, "refresh failed", "error")],
)
def test_a_run_that_finds_another_one_running_is_logged_as_skipped_and_not_as_failed(
    capsys: pytest.CaptureFixture[str], exit_code: int, event: str, level: str
) -> None:
    log_refresh_report(RefreshReport("failed", exit_code, "full", STARTED, 1.0))
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["exit_code"]) == (event, level, exit_code)


def test_a_person_at_a_terminal_gets_the_summary_and_no_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    log_refresh_report(FAILED)
    assert capsys.readouterr().err == ""
