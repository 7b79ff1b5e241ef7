"""Disks that fill up and sources that change in mid-refresh: all or nothing, and a rerun is clean."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from indexer.errors import SourceError
from indexer.index.generations import read_live_generation
from tests.support.examples import repeats
from tests.support.index_content import write_records
from tests.support.night import (
    DatabaseSource,
    FileSource,
    Night,
    await_that,
    begin,
    list_records,
    open_home,
)
from tests.support.postgres import running

OPTIONS = {"full": [], "incremental": ["--incremental"]}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    yield from open_home()


@pytest.fixture(scope="module")
def night(home: Path) -> Night:
    """Refreshes from a file."""
    return begin(home, FileSource(home / FileSource.alias))


@pytest.fixture(scope="module")
def night_of_database(home: Path) -> Iterator[Night]:
    """Refreshes from PostgreSQL."""
    with running() as postgres:
        yield begin(home, DatabaseSource(postgres.url()))


@contextmanager
def mount_small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A real disk of a size, for as long as it is needed."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk can only be mounted by root, and not in every container")
    try:
        yield folder
    finally:
        unmount = ["umount", str(folder)]
        await_that(
            lambda: not subprocess.run(unmount, capture_output=True, check=False).returncode,
            "the disk is still in use",
        )
        shutil.rmtree(folder)


def require_refusal(process: subprocess.Popen[str], *sentences: str) -> None:
    """It ends with the code of a source's fault and one message, which gives the fix."""
    _, said = process.communicate(timeout=120)
    assert process.returncode == SourceError.exit_code, said
    assert "Traceback" not in said
    for sentence in sentences:
        assert sentence in said


# -- disks that fill up ------------------------------------------------------------------------------


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["full", pytest.param("incremental", marks=pytest.mark.long)])
def test_a_temporary_folder_that_fills_up_changes_nothing(
    night_of_database: Night, mode: str
) -> None:
    """The tables of entries and victims are joined there; the disk fills while they are read."""
    night = night_of_database
    before = read_total(night)
    night.source.fill(before + 4_000)
    with mount_small_disk(night.home / "small", "256k") as disk, night.client() as client:
        work = night.work(client, *OPTIONS[mode], TMPDIR=str(disk))
        require_refusal(
            work.process, f"{disk}: the tables cannot be joined there", "is full", "set TMPDIR to"
        )
    night.check_clean(before)
    night.refresh(*OPTIONS[mode])
    night.check_clean(before + 4_000)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("rejected", "mode"),
    [
        (1, "full"),
        (40, "incremental"),
        pytest.param(1, "incremental", marks=pytest.mark.long),
        pytest.param(40, "full", marks=pytest.mark.long),
    ],
)
def test_a_folder_of_rejects_that_is_full_changes_nothing(
    night: Night, rejected: int, mode: str
) -> None:
    """Also for so little that it would be written only when the file is closed."""
    before = read_total(night)
    wrong = [{**record, "narrative": 7} for record in list_records(before + rejected)[before:]]
    assert isinstance(night.source, FileSource)
    write_records(night.source.path, [*list_records(before), *wrong])
    with mount_small_disk(night.home / "rejects", "4k") as disk, night.client() as client:
        disk.chmod(0o700)
        (disk / "other").write_bytes(bytes(4_096))
        work = night.work(client, *OPTIONS[mode])
        told = "rejected records cannot be written", "No space left", "folder with FOIDEX_HOME."
        require_refusal(work.process, *told)
    night.check_clean(before)
    night.source.fill(before + rejected)
    night.refresh(*OPTIONS[mode])
    night.check_clean(before + rejected)


# -- files that change while they are read -------------------------------------------------------------


def grow(path: Path) -> None:
    total = path.read_bytes().count(b"\n")
    with path.open("ab") as file:
        file.write(msgspec.json.encode(list_records(total + 1)[-1]) + b"\n")


def shrink(path: Path) -> None:
    """By a few whole lines, which is fewer than the check of the total looks for."""
    last = b"".join(path.read_bytes().splitlines(keepends=True)[-20:])
    os.truncate(path, path.stat().st_size - len(last))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 3 // 4)


def rotate(path: Path) -> None:
    """Write the next extract beside it, and rename it."""
    path.with_suffix(".new").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    path.with_suffix(".new").replace(path)


def vanish(path: Path) -> None:
    path.unlink()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("change", "mode"),
    [
        (grow, "incremental"),
        (shrink, "full"),
        (cut, "incremental"),
        (rotate, "full"),
        (vanish, "incremental"),
        pytest.param(grow, "full", marks=pytest.mark.long),
        pytest.param(shrink, "incremental", marks=pytest.mark.long),
        pytest.param(cut, "full", marks=pytest.mark.long),
        pytest.param(rotate, "incremental", marks=pytest.mark.long),
        pytest.param(vanish, "full", marks=pytest.mark.long),
    ],
)
def test_a_file_that_changes_while_it_is_read_changes_nothing(
    night: Night, change: Callable[[Path], None], mode: str
) -> None:
    """The process is stopped with a part of the file read and a generation begun."""
    assert isinstance(night.source, FileSource)
    path = night.source.path
    for _ in range(repeats(1, 3)):
        before = read_total(night)
        total = before + 40
        night.source.fill(total)
        with night.client() as client:
            work = night.work(client, *OPTIONS[mode])
            assert work.stop_reading(path), "the file was read before it could be changed"
            change(path)
            work.process.send_signal(signal.SIGCONT)
            require_refusal(work.process, path.name, "while the records were read")
        night.check_clean(before)
        night.source.fill(total + 1)
        night.refresh(*OPTIONS[mode])
        night.check_clean(total + 1)


def read_total(night: Night) -> int:
    """How many records are live."""
    with night.client() as client:
        return read_live_generation(client, night.alias).records
