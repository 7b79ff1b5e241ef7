"""Links and files that another user could have made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_OTHER_USER = 65534


def plant_link(path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a link that belongs to another user than the one that foidex runs as."""
    path.symlink_to(target)
    give_away(path, monkeypatch)


@contextmanager
def plant_deep_folder(path: Path, depth: int = 1_200) -> Iterator[None]:
    """Folders in folders, deeper than Python calls itself; they are removed at the end."""
    names = [str(path) + "/d" * number for number in range(depth)]
    for name in names:
        os.mkdir(name)  # noqa: PTH102
    try:
        yield
    finally:
        for name in reversed(names):
            with suppress(FileNotFoundError):
                os.rmdir(name)  # noqa: PTH106


def make_open_folder(path: Path) -> Path:
    """A folder like /tmp: everybody may add files, and only their owners may remove them."""
    path.mkdir()
    path.chmod(0o1777)
    return path


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file, or a link itself, belong to another user than the one that foidex runs as."""
    if os.geteuid() == 0:
        os.lchown(path, _OTHER_USER, _OTHER_USER)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: _OTHER_USER)
