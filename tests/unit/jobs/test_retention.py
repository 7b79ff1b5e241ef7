"""What is deleted by its age, and when the clock is trusted for that."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.errors import OutputError
from indexer.files import Folder
from indexer.index.generations import Generation
from indexer.jobs.retention import ExpiredRejects, expire_rejects, find_clock_doubt


def build_generations(*days_ago: float) -> list[Generation]:
    now = datetime.now(UTC)
    return [
        Generation(f"crimes-{number}", now - timedelta(days=age), "1.0", "hash")
        for number, age in enumerate(days_ago)
    ]


@pytest.mark.parametrize(
    ("days_ago", "max_age_days"),
    [
        ((0, 1, 2, 31), 30),  # every night, one left from before
        ((0, 31), 30),  # every month
        ((34,), 30),
        ((0, 80), 90),  # younger than what is kept
        ((0, 1, -400), 30),  # dated by a clock that was ahead, and is right now
        ((0, 400), None),  # nothing is deleted for its age
        ((), 30),
    ],
)
def test_an_ordinary_pause_is_no_jump_of_the_clock(
    days_ago: tuple[float, ...], max_age_days: int | None
) -> None:
    assert not find_clock_doubt(build_generations(*days_ago), max_age_days)


@pytest.mark.parametrize(
    ("days_ago", "max_age_days"),
    [
        ((0, 36), 30),  # the clock jumped before this refresh
        ((0, 1, 2, 400), 30),  # or some nights ago, and nobody has looked
        ((36, 37), 30),  # or since the last one
        ((0, 91), 90),
    ],
)
def test_a_pause_longer_than_anything_is_kept_may_be_a_clock_that_jumped(
    days_ago: tuple[float, ...], max_age_days: int
) -> None:
    doubt = find_clock_doubt(build_generations(*days_ago), max_age_days)
    assert "nothing was deleted for its age" in doubt
    assert f"max_age_days = {max_age_days}" in doubt


OWN = (
    "crimes-20260101-010203.jsonl",
    "crimes-20260101-010203.csv",
    "crimes-20260101-010203-2.reasons.txt",
    "my_own-index-20260101-010203-2-3.jsonl",
    ".crimes-20260101-010203.csv.0123456789abcdef.part",
)

FOREIGN = (
    "crimes.csv",
    "corrected-20260101.csv",
    "crimes-20260101-010203.backup.jsonl",
    "rejects.jsonl",
    "download.part",
    ".notes.csv.0123456789abcdef.part",
)


def fill_folder(folder: Path) -> None:
    for name in (*OWN, *FOREIGN, "notes.txt"):
        (folder / name).write_text("x", encoding="utf-8")
        os.utime(folder / name, (0, 0))


def test_only_what_foidex_wrote_expires_and_the_rest_is_named(tmp_path: Path) -> None:
    fill_folder(tmp_path)
    for is_dry in (True, False):
        expired = expire_rejects(tmp_path, 30, dry_run=is_dry)
        assert sorted(expired.deleted) == sorted(OWN)
        assert expired.foreign == tuple(sorted(FOREIGN))
        assert expired.remark.startswith(f"{tmp_path}: not deleted for their age, as foidex did")
        assert f"{min(FOREIGN)}, " in expired.remark
        assert " and 1 more. If they hold records, delete them yourself" in expired.remark
    assert {path.name for path in tmp_path.iterdir()} == {*FOREIGN, "notes.txt"}
    for name in FOREIGN:
        (tmp_path / name).unlink()
    assert expire_rejects(tmp_path, 30).remark == ""


def test_a_folder_or_a_file_of_another_user_by_such_a_name_is_left(tmp_path: Path) -> None:
    (tmp_path / OWN[0]).mkdir()
    os.utime(tmp_path / OWN[0], (0, 0))
    assert expire_rejects(tmp_path, 30) == ExpiredRejects(tmp_path, (), (OWN[0],))
    if os.geteuid() == 0:
        (tmp_path / OWN[1]).touch()
        os.utime(tmp_path / OWN[1], (0, 0))
        os.chown(tmp_path / OWN[1], 65534, -1)
        assert expire_rejects(tmp_path, 30).foreign == (OWN[1], OWN[0])
        os.chown(tmp_path, 65534, -1)  # root, by hand, in the home of foidex's account
        assert expire_rejects(tmp_path, 30).deleted == (OWN[1],)


def test_a_folder_that_cannot_be_listed_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "rejects"
    file.touch()
    with pytest.raises(OutputError, match=r"rejects: rejects that are too old cannot be deleted"):
        expire_rejects(file, 30)


def test_a_file_that_another_run_deletes_meanwhile_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_folder(tmp_path)
    list_names = Folder.list_names
    monkeypatch.setattr(Folder, "list_names", lambda folder: [*list_names(folder), "gone-1.jsonl"])
    assert sorted(expire_rejects(tmp_path, 30).deleted) == sorted(OWN)
