"""A store in a folder that others may write to takes nothing from files that they put beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from indexer.errors import ReviewError
from queries.reviewing.store.database import open_database

ANOTHER_USER = 54_321

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away"
)


def list_planted_tables(path: Path) -> list[str]:
    with open_database(str(path)) as store, store.read() as connection:
        rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'planted'")
        return [row[0] for row in rows]


def make_journal(store: Path, folder: Path) -> Path:
    """A journal as SQLite writes it, with a table that the store does not have."""
    copy = folder / "copy.sqlite"
    shutil.copy(store, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE planted (x)")
        connection.commit()
        return Path(shutil.copy(f"{copy}-wal", folder / "journal"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    path = folder / "reviews.sqlite"
    assert list_planted_tables(path) == []
    return path


def test_a_journal_of_this_user_is_read(store: Path, tmp_path: Path) -> None:
    """Which shows that the journal of these tests is one that SQLite takes."""
    shutil.copy(make_journal(store, tmp_path), f"{store}-wal")
    assert list_planted_tables(store) == ["planted"]


@needs_root
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_a_journal_of_another_user_is_refused(store: Path, tmp_path: Path, ending: str) -> None:
    planted = Path(shutil.copy(make_journal(store, tmp_path), f"{store}{ending}"))
    os.chown(planted, ANOTHER_USER, ANOTHER_USER)
    with pytest.raises(ReviewError, match=rf"reviews\.sqlite{ending} belongs to another user"):
        list_planted_tables(store)
    planted.unlink()
    assert list_planted_tables(store) == []


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no modes of others")
@pytest.mark.parametrize("mode", [0o1777, 0o757])
def test_no_store_is_used_where_others_may_write(store: Path, mode: int) -> None:
    """They could put a journal there after any look at it."""
    store.parent.chmod(mode)
    with pytest.raises(ReviewError, match="is a folder that other users can write to"):
        list_planted_tables(store)
    store.parent.chmod(0o755)
    assert list_planted_tables(store) == []


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_a_pipe_or_a_folder_in_place_of_a_journal_is_one_message(store: Path, ending: str) -> None:
    planted = Path(f"{store}{ending}")
    planted.mkdir()
    with pytest.raises(ReviewError, match="is not an ordinary file"):
        list_planted_tables(store)
    planted.rmdir()
    os.mkfifo(planted)
    with pytest.raises(ReviewError, match="is not an ordinary file"):
        list_planted_tables(store)
