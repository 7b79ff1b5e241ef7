"""A store in a folder that others may write to takes nothing from files that they put beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import exc

from indexer.config.model import ReviewSettings, Settings
from indexer.errors import ReviewError
from indexer.progress import Progress
from queries.reviewing.configured_store import open_existing_store
from queries.reviewing.store.database import (
    DatabaseKeeper,
    ReviewDatabase,
    find_store_advice,
    open_database,
)

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


@pytest.fixture
def keeper() -> Iterator[DatabaseKeeper]:
    keeper = DatabaseKeeper()
    yield keeper
    keeper.close()


def count_rows(database: ReviewDatabase, table: str) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_a_store_is_kept_open_until_another_file_is_in_its_place(
    store: Path, tmp_path: Path, keeper: DatabaseKeeper
) -> None:
    kept = keeper.open(str(store))
    assert keeper.open(str(store)) is kept
    restored = shutil.copy(store, tmp_path / "restored.sqlite")
    with closing(sqlite3.connect(restored)) as connection:
        connection.execute("CREATE TABLE restored (x)")
    Path(restored).replace(store)
    assert count_rows(keeper.open(str(store)), "restored") == 0


def test_a_store_that_is_kept_open_is_checked_for_each_page(
    store: Path, keeper: DatabaseKeeper
) -> None:
    keeper.open(str(store))
    store.parent.chmod(0o777)
    with pytest.raises(ReviewError, match="is a folder that other users can write to"):
        keeper.open(str(store))


def test_a_copy_of_the_file_alone_lacks_nothing_that_was_stored(
    store: Path, tmp_path: Path, keeper: DatabaseKeeper
) -> None:
    with keeper.open(str(store)).write() as connection:
        connection.exec_driver_sql("CREATE TABLE stored (x)")
    copy = shutil.copy(store, tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM stored").fetchone() == (0,)


def test_many_threads_write_to_a_store_that_is_kept_open(
    store: Path, keeper: DatabaseKeeper
) -> None:
    with keeper.open(str(store)).write() as connection:
        connection.exec_driver_sql("CREATE TABLE written (x)")

    def write_rows() -> None:
        for _ in range(10):
            with keeper.open(str(store)).write() as connection:
                connection.exec_driver_sql("INSERT INTO written VALUES (1)")

    threads = [threading.Thread(target=write_rows) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count_rows(keeper.open(str(store)), "written") == 200


@needs_root
def test_no_store_is_used_below_a_folder_that_another_user_could_exchange(
    store: Path, tmp_path: Path
) -> None:
    """The store is opened by its path, whose folder could be another one by then."""
    above = tmp_path / "above"
    above.mkdir()
    moved = Path(shutil.move(store.parent, above / "shared")) / store.name
    above.chmod(0o777)
    with pytest.raises(ReviewError, match="without a sticky bit"):
        list_planted_tables(moved)
    above.chmod(0o1777)
    assert list_planted_tables(moved) == []
    os.chown(above, ANOTHER_USER, ANOTHER_USER)
    with pytest.raises(ReviewError, match="above belongs to another user"):
        list_planted_tables(moved)


def test_opening_a_store_again_takes_its_locks_from_nobody(store: Path) -> None:
    """Closing the file, which a look at it did, gave up the locks of the whole process: the next
    process that closed the store took itself for the last, and removed the journal that decisions
    went on being written to.
    """
    keeper = DatabaseKeeper()
    insertion = "CREATE TABLE mark (number)", "INSERT INTO mark VALUES (1)"
    with keeper.open(str(store)).write() as connection:
        for statement in insertion:
            connection.exec_driver_sql(statement)
    kept = keeper.open(str(store))  # as the next page does
    visit = (
        "import sys; from queries.reviewing.store.database import open_database\n"
        "with open_database(sys.argv[1]) as store, store.read() as connection: pass"
    )
    subprocess.run([sys.executable, "-c", visit, str(store)], check=True, timeout=60)
    assert Path(f"{store}-wal").exists()
    with kept.write() as connection:
        connection.exec_driver_sql("INSERT INTO mark VALUES (2)")
    with closing(sqlite3.connect(store)) as other:
        assert other.execute("SELECT count(*) FROM mark").fetchone() == (2,)
    keeper.close()


def test_a_store_that_others_may_read_is_closed_to_them(store: Path) -> None:
    store.chmod(0o644)
    assert list_planted_tables(store) == []
    assert store.stat().st_mode & 0o777 == 0o600
    os.link(store, store.with_name("second"))
    with pytest.raises(ReviewError, match="has a second name"):
        list_planted_tables(store)


def test_a_store_that_is_gone_while_it_is_kept_open_is_not_made_anew(store: Path) -> None:
    """Everything that was decided would seem never to have been."""
    keeper = DatabaseKeeper()
    try:
        keeper.open(str(store))
        aside = store.rename(store.with_name("aside"))
        with pytest.raises(ReviewError, match="the store of reviews that was there is gone"):
            keeper.open(str(store))
        assert not store.exists()
        aside.rename(store)
        keeper.open(str(store))
    finally:
        keeper.close()


def test_nothing_is_written_into_the_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
    with pytest.raises(ReviewError, match="is a database of another program"):
        list_planted_tables(path)
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("theirs",)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("INSERT INTO foidex_review_version VALUES ('0000')", "two versions"),
        ("DROP TABLE foidex_review_version", "without its version"),
    ],
)
def test_a_store_whose_version_is_damaged_is_one_message(
    store: Path, statement: str, message: str
) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(ReviewError, match=message):
        list_planted_tables(store)


def test_a_store_that_is_no_database_is_to_be_brought_back(store: Path) -> None:
    for path in store.parent.iterdir():
        path.unlink()
    store.write_bytes(b"garbage" * 1000)
    with pytest.raises(ReviewError, match=r"not a database.* Bring it back from a copy"):
        list_planted_tables(store)


@pytest.mark.parametrize("content", [None, b""])
def test_a_store_that_is_only_looked_at_is_not_made(tmp_path: Path, content: bytes | None) -> None:
    store = tmp_path / "reviews.sqlite"
    settings = Settings(home=tmp_path, downloads=tmp_path, review=ReviewSettings(store=str(store)))
    if content is not None:
        store.write_bytes(content)
    with (
        pytest.raises(ReviewError, match="there is no store of reviews at "),
        open_existing_store(settings, Progress()),
    ):
        pass
    assert (store.read_bytes() if store.exists() else None) == content


def test_why_a_store_cannot_be_reached_is_told_without_the_user_and_the_password() -> None:
    with (
        pytest.raises(ReviewError, match="Connection refused") as told,
        open_database("postgresql+psycopg://ZQXUSER:ZQXWORD@127.0.0.1:1/reviews"),
    ):
        pass
    assert "ZQX" not in str(told.value)


@pytest.mark.parametrize(
    ("state", "kind", "advice"),
    [
        (None, exc.OperationalError, "may sign in: a password may be wrong, or have expired."),
        ("42501", exc.ProgrammingError, "Grant its user the rights that docs/review.md names."),
        ("57P01", exc.OperationalError, "It was stopped: try again once it runs."),
        ("40001", exc.OperationalError, ""),
    ],
)
def test_a_store_in_postgresql_that_cannot_be_used_is_told_with_what_helps(
    state: str | None, kind: type[exc.DBAPIError], advice: str
) -> None:
    refusal = Exception("of the driver")
    refusal.sqlstate = state  # type: ignore[attr-defined]
    told = find_store_advice(kind("SELECT 1", {}, refusal))
    assert told.endswith(advice)
    assert bool(told) is bool(advice)
