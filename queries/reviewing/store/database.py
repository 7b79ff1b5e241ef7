"""The database of the store: SQLite in a private file, or PostgreSQL for a team.

A decision is on the disk when its transaction is over: SQLite writes ahead and waits for the disk
(WAL, synchronous=FULL), and PostgreSQL does by default.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from indexer.errors import ConfigurationError, ReviewError
from indexer.files import PRIVATE, is_there, open_folder, open_folder_of, require_own_parents
from indexer.sources.database_connection import redact_driver_message
from queries.reviewing.store.migration import migrate_schema

_BUSY_SECONDS: Final = 30

#: Every commit is on the disk, and at once in the file itself: a copy of it lacks no decision.
_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=1",
    "foreign_keys=ON",
)

#: Files that SQLite reads beside a store, if they are there.
_JOURNAL_ENDINGS: Final = ("-wal", "-shm", "-journal")

#: What helps, by the primary code of SQLite's error.
_ADVICE: Final = {
    sqlite3.SQLITE_BUSY: "Another program has it open and locked: end that, or try again.",
    sqlite3.SQLITE_CORRUPT: "Bring it back from a copy.",
    sqlite3.SQLITE_NOTADB: "Bring it back from a copy.",
    sqlite3.SQLITE_FULL: "Make room on its disk.",
    sqlite3.SQLITE_CANTOPEN: "Check that its disk has room, and that its folder can be written.",
    sqlite3.SQLITE_IOERR: "Check that its disk has room, and that its folder can be written.",
    sqlite3.SQLITE_READONLY: "Check that its folder can be written.",
}

#: What helps, by the SQLSTATE of PostgreSQL's error; it has none where nobody could sign in.
_POSTGRES_ADVICE: Final = {
    None: "Check that the database runs, and that its user may sign in: a password may be wrong, "
    "or have expired.",
    "42501": "Grant its user the rights that docs/review.md names.",
    "53100": "Make room on its disk.",
    "57P01": "It was stopped: try again once it runs.",
    "57P03": "It is starting or stopping: try again once it runs.",
}

_PRIMARY_CODE: Final = 0xFF

#: The device and inode of the file of a store.
_FileMark = tuple[int, int] | None

_WRITES: Final = "foidex_writes"

_POSTGRES_OPTIONS: Final = {
    "connect_timeout": "30",
    "fallback_application_name": "foidex review",
}

_SETTING: Final = "[review] store (or the file store_url_file)"


class ReviewDatabase:
    """A database that is open, with the schema that this foidex uses."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._one_writes = threading.Lock()  # SQLite has others look again and again instead

    def close(self) -> None:
        """Close its connections; those in use are closed when they are given back."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state. Raises ReviewError."""
        isolation = None if self._is_sqlite else "REPEATABLE READ"
        with self._begin(isolation) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on the disk at its end. On SQLite it is the only one that writes;
        on PostgreSQL the caller locks the row of the review. Raises ReviewError."""
        with ExitStack() as stack:
            isolation = None if self._is_sqlite else "READ COMMITTED"
            if self._is_sqlite:
                stack.enter_context(self._one_writes)
            yield stack.enter_context(self._begin(isolation, writes=True))

    @contextmanager
    def _begin(self, isolation: str | None, *, writes: bool = False) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                options: dict[str, Any] = {_WRITES: writes}
                if isolation:
                    options["isolation_level"] = isolation
                with connection.execution_options(**options).begin():
                    yield connection
        except exc.DBAPIError as error:
            raise ReviewError(
                f"the store of reviews cannot be used ({self._describe_failure(error)}). Nothing "
                f"of what was asked for was stored.{find_store_advice(error)}"
            ) from None

    def _describe_failure(self, error: exc.DBAPIError) -> str:
        """What the database says, without anything of a row: SQLite names tables and columns only,
        and Python quotes the text that it cannot read. No row was read where no statement ran."""
        if _is_of_content(error):
            return "a text in it is not UTF-8"
        if type(error.orig).__module__.startswith("sqlite3"):
            return str(error.orig)
        state = getattr(error.orig, "sqlstate", None)
        kind = type(error.orig).__name__
        if state:
            return f"{kind}, SQLSTATE {state}"
        return kind if error.statement else redact_driver_message(self._engine, error)


def find_store_advice(error: exc.DBAPIError) -> str:
    """What helps where the database of a store cannot be used; empty for anything else."""
    if _is_of_content(error):
        advice = _ADVICE.get(sqlite3.SQLITE_CORRUPT)
    elif isinstance(error.orig, sqlite3.Error):
        advice = _ADVICE.get(getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY_CODE)
    elif isinstance(error, exc.OperationalError | exc.ProgrammingError):
        advice = _POSTGRES_ADVICE.get(getattr(error.orig, "sqlstate", None))
    else:
        advice = None
    return f" {advice}" if advice else ""


def _is_of_content(error: exc.DBAPIError) -> bool:
    """Whether Python could not read what SQLite gave it: a text that is not UTF-8."""
    return isinstance(error.orig, sqlite3.OperationalError) and not hasattr(
        error.orig, "sqlite_errorcode"
    )


@contextmanager
def open_database(url_text: str, folder: Path = Path()) -> Iterator[ReviewDatabase]:
    """Open a store, and make or migrate it where that is needed.

    ``url_text`` is a SQLAlchemy URL, or the name of an SQLite file relative to ``folder``. A new
    file, and the folder that it is made in, can be read by their owner alone. Raises
    ConfigurationError and ReviewError.
    """
    url = _parse_url(url_text, folder)
    _require_place(url)
    database = _connect_database(url)
    try:
        yield database
    finally:
        database.close()


class DatabaseKeeper:
    """Keeps a store open between the pages of a service, for all of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[URL, _FileMark, ReviewDatabase] | None = None

    def open(self, url_text: str, folder: Path = Path()) -> ReviewDatabase:
        """The store, as ``open_database`` opens it; opened again where another file is in its
        place. Raises ReviewError too if it is gone: a new one would seem to be all there is."""
        url = _parse_url(url_text, folder)
        self._refuse_missing(url)
        mark = _require_place(url)
        with self._lock:
            if self._kept is None or self._kept[:2] != (url, mark):
                self._close()
                self._kept = (url, mark, _connect_database(url))
            return self._kept[2]

    def _refuse_missing(self, url: URL) -> None:
        with self._lock:
            was_open = self._kept is not None and self._kept[0] == url
        if (
            was_open
            and url.get_backend_name() == "sqlite"
            and not is_there(Path(url.database or ""))
        ):
            raise ReviewError(
                f"{url.database}: the store of reviews that was there is gone. Bring it back, or "
                "start the workbench again to begin a new one."
            )

    def close(self) -> None:
        """Close the store, if it is open."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._kept is not None:
            self._kept[2].close()
            self._kept = None


def _require_place(url: URL) -> _FileMark:
    """Make the file of a store where it is missing, and check that it is the user's alone.

    Returns what tells it from another file in its place; None for a database on a server. Raises
    ReviewError.
    """
    if url.get_backend_name() != "sqlite":
        return None
    path = Path(url.database or "")
    _require_own_files(path)
    try:
        status = path.stat()
    except OSError as error:
        raise _make_open_error(path, error) from None
    return status.st_dev, status.st_ino


def _connect_database(url: URL) -> ReviewDatabase:
    """A store with the schema of this foidex. Raises ConfigurationError and ReviewError."""
    database = ReviewDatabase(_build_engine(url))
    try:
        with database.write() as connection:
            migrate_schema(connection)
    except ReviewError as error:
        database.close()
        raise ReviewError(f"{_show_place(url)}: {error}") from None
    except BaseException:
        database.close()
        raise
    return database


def _parse_url(text: str, folder: Path) -> URL:
    if "://" not in text:
        return URL.create("sqlite", database=str(folder / text))
    try:
        url = make_url(text)
    except (exc.ArgumentError, ValueError):
        raise _make_url_error() from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            f'{_SETTING} is a database of the kind "{url.get_backend_name()}". Decisions are '
            "stored in SQLite or PostgreSQL. Name a file, or a URL such as "
            "postgresql+psycopg://host/database."
        )
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise ConfigurationError(
                f"{_SETTING} names no file, so decisions would be lost. Name a file."
            )
        return url.set(database=str(folder / url.database))
    return url


def _make_url_error() -> ConfigurationError:
    return ConfigurationError(
        f"{_SETTING} is not a SQLAlchemy URL. It looks like postgresql+psycopg://host/database."
    )


def _require_own_files(path: Path) -> None:
    """Make the file of a store and its folder, for their owner alone, where they are missing. Raise
    ReviewError if the store, or a file beside it, is another user's, or may become so.

    SQLite takes decisions from a journal that it finds beside a store, whoever wrote it and
    whenever it was put there. So nobody else may write in the folder. A file that is there is not
    opened: to close it again would take SQLite's locks from every connection of this process.
    """
    try:
        if not path.parent.is_dir():
            with open_folder(path.parent, create=PRIVATE):
                pass
        with open_folder_of(path) as (folder, name):
            require_own_parents(folder.path)
            folder.require_own()
            for ending in ("", *_JOURNAL_ENDINGS):
                folder.require_own_file(name + ending)
            folder.make_private_file(name)
    except OSError as error:
        raise _make_open_error(path, error) from None


def _make_open_error(path: Path, error: OSError) -> ReviewError:
    return ReviewError(
        f"{path}: the store of reviews cannot be opened ({error.strerror}). Check the path and "
        "its permissions, or name another store in [review] of foidex.toml."
    )


def _build_engine(url: URL) -> Engine:
    is_sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(
            url,
            max_overflow=-1,  # as many as there are threads
            pool_pre_ping=not is_sqlite,
            hide_parameters=True,
            connect_args={"timeout": _BUSY_SECONDS} if is_sqlite else _POSTGRES_OPTIONS,
        )
    except (exc.NoSuchModuleError, exc.ArgumentError):
        raise _make_url_error() from None
    except ImportError:
        raise ConfigurationError(
            f'the driver of "{url.drivername}" is not installed. For PostgreSQL, run: pip install '
            "'psycopg[binary]', and write postgresql+psycopg:// in the URL."
        ) from None
    if is_sqlite:
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    """Begin transactions explicitly, and have every commit on the disk."""

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _show_place(url: URL) -> str:
    """Where the store is, without user, password and options."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = (url.host or "") + (f":{url.port}" if url.port else "")
    return f"{url.get_backend_name()}://{host}/{url.database or ''}"
