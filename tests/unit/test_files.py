"""Files are written whole or not at all, and private ones are readable by their owner only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.files import open_private_file, write_file


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
