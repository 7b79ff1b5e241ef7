"""Files are written whole or not at all, and private ones are readable by their owner only."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from indexer.files import (
    PRIVATE_MODE,
    UnsafePathError,
    open_folder,
    open_private_file,
    read_file,
    read_whole,
    replace_file,
    write_file,
)


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("private", [True, False])
def test_file_replaces_an_older_one_and_leaves_no_other(tmp_path: Path, *, private: bool) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    path.chmod(0o666)
    umask = os.umask(0o022)
    try:
        write_file(path, b"new", private=private)
    finally:
        os.umask(umask)
    assert path.read_bytes() == b"new"
    assert mode_of(path) == (0o600 if private else 0o644)
    assert [*tmp_path.iterdir()] == [path]


def test_failed_write_leaves_the_older_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


_KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from indexer import files
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
files.write_file(Path(sys.argv[1]), b"half")
"""


def test_the_next_write_removes_what_a_killed_one_began(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    command = [sys.executable, "-c", _KILLED_WRITER, str(path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    (part,) = tmp_path.iterdir()
    os.utime(part, (1, 1))
    other = part.with_name(part.name.replace("report", "another"))
    other.write_bytes(part.read_bytes())
    os.utime(other, (1, 1))
    write_file(path, b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, other])


@pytest.mark.parametrize("state", ["young", "locked", "link", "folder"])
def test_what_another_write_may_need_is_not_removed(tmp_path: Path, state: str) -> None:
    part = tmp_path / ".report.json.0000000000000000.part"
    if state == "folder":
        part.mkdir()
    elif state == "link":
        part.symlink_to("nothing")
    else:
        part.touch()
    if state != "young":
        os.utime(part, (1, 1), follow_symlinks=False)
    with part.open("rb") if state == "locked" else nullcontext() as file:
        if file:
            fcntl.flock(file, fcntl.LOCK_EX)
        write_file(tmp_path / "report.json", b"whole")
    assert os.path.lexists(part)
    assert (tmp_path / "report.json").read_bytes() == b"whole"


def test_many_writes_at_once_and_killed_ones_leave_one_file(tmp_path: Path) -> None:
    """What more killed runs left than write at once is removed by later writes as well."""
    path = tmp_path / "report.json"
    command = [sys.executable, "-c", _KILLED_WRITER, str(path)]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert {writer.wait() for writer in writers} == {-signal.SIGKILL}
    parts = list(tmp_path.iterdir())
    assert len(parts) == 3
    for part in parts:
        os.utime(part, (1, 1))
    texts = [b"%d" % number * 1000 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_file(path, text), texts))
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_bytes() in texts


def test_a_write_does_not_list_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take longer with each file that is there, and there may be tens of thousands."""

    def refuse(*_: object) -> None:
        raise AssertionError("the folder is listed")

    for function in ("listdir", "scandir"):
        monkeypatch.setattr(os, function, refuse)
    write_file(tmp_path / "new", b"one")
    write_file(tmp_path / "new", b"two")
    assert (tmp_path / "new").read_bytes() == b"two"


def test_private_file_is_never_readable_by_others_even_if_it_was(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    path.write_bytes(b"an older and longer text")
    path.chmod(0o644)
    for name in (path, tmp_path / "new.jsonl"):
        with open(name, "wb", opener=open_private_file) as file:
            assert mode_of(name) == 0o600
            file.write(b"text")
        assert name.read_bytes() == b"text"


def test_device_keeps_its_mode() -> None:
    before = mode_of(Path(os.devnull))
    with open(os.devnull, "wb", opener=open_private_file) as file:
        file.write(b"text")
    assert mode_of(Path(os.devnull)) == before


def test_a_file_with_a_hole_is_not_read_into_memory(tmp_path: Path) -> None:
    """Whoever names no limit has one; the message names the file."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match=r"too large.*sparse"):
        read_file(path)
    with open_folder(tmp_path) as folder, pytest.raises(OSError, match=r"too large.*sparse"):
        folder.read_file("sparse")


def test_a_file_that_grows_while_it_is_read_is_read_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"x" * 10)
    assert read_file(path, 10) == b"x" * 10
    assert read_file(path, 9_999_999) == b"x" * 10
    with pytest.raises(OSError, match="too large"):
        read_file(path, 9)
    endless = Path("/dev/zero")  # its size is 0, as that of a file that is only just begun
    if endless.exists():
        with (
            pytest.raises(OSError, match="too large"),
            endless.open("rb") as file,
        ):
            read_whole(file, 5_000_000)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_a_file_is_given_away_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Afterwards its owner could have put another file there, which would be given away then."""
    path = tmp_path / "foidex.toml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    os.chown(path, 54_321, 54_322)
    victim = tmp_path / "victim"
    victim.write_bytes(b"of root")
    replace = os.replace

    def replace_and_swap(*arguments: object, **options: object) -> None:
        replace(*arguments, **options)  # type: ignore[arg-type]
        path.unlink()
        path.hardlink_to(victim)

    monkeypatch.setattr(os, "replace", replace_and_swap)
    replace_file(path, b"new")
    assert victim.stat().st_uid == 0
    monkeypatch.undo()
    path.unlink()
    path.write_bytes(b"old")
    os.chown(path, 54_321, 54_322)
    replace_file(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (54_321, 54_322)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no modes")
def test_nobody_else_may_read_a_lock_and_so_hold_it(tmp_path: Path) -> None:
    with open_folder(tmp_path) as folder, folder.hold_lock("file.lock", 0):
        assert mode_of(tmp_path / "file.lock") & 0o007 == 0
    with open_folder(tmp_path) as folder, folder.hold_lock("private.lock", 0, PRIVATE_MODE):
        assert mode_of(tmp_path / "private.lock") == 0o600


def test_a_lock_is_taken_on_a_disk_that_lets_no_mode_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a stick's, which documents are written to."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", refuse)
    with open_folder(tmp_path) as folder, folder.hold_lock("file.lock", 0):
        assert (tmp_path / "file.lock").exists()


def test_a_link_among_the_devices_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's /dev/stdout would be a file from then on, for every program of the machine."""
    link = tmp_path / "stdout"
    link.symlink_to("/proc/self/fd/1")
    monkeypatch.setattr("indexer.files._DEVICES", os.path.realpath(tmp_path))
    with pytest.raises(UnsafePathError, match="is not an ordinary file"):
        write_file(link, b"x")
    assert link.is_symlink()
    monkeypatch.setattr("indexer.files._DEVICES", "/dev")
    write_file(link, b"x")
    assert link.read_bytes() == b"x"
