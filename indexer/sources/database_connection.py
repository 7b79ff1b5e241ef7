"""Connect to a database of records, in a read-only transaction that sees one state of it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from indexer.errors import ConfigurationError, SourceError
from indexer.files import is_file
from indexer.sources.row_order import UnreadableTime

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# What makes a transaction read-only and see one state of the data. SQLite's does so by default.
_SNAPSHOT_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    "sqlite": {},
    "mysql": {"isolation_level": "REPEATABLE READ"},
    "mariadb": {"isolation_level": "REPEATABLE READ"},
    "oracle": {"isolation_level": "SERIALIZABLE"},
    "mssql": {"isolation_level": "SNAPSHOT"},
}

# Their drivers fetch a whole result unless they use a cursor on the server.
_SERVER_CURSOR_BACKENDS: Final = ("postgresql", "mysql", "mariadb")

_LIBPQ_DRIVERS: Final = ("psycopg", "psycopg2")

_LIBPQ_OPTIONS: Final = {
    "connect_timeout": "30",
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "fallback_application_name": "foidex",
    # Whatever the role or the database sets: a database of SQL_ASCII would send bytes.
    "client_encoding": "utf8",
}

#: psycopg reads no times and intervals in the other styles, which a role or a database may set.
_READABLE_STYLES: Final = ("SET DateStyle TO ISO", "SET IntervalStyle TO postgres")

_SECRET_OPTION: Final = re.compile(r"user|pass|secret|token|key|pwd|uid", re.IGNORECASE)

#: The types of PostgreSQL that hold more than those of Python: infinity, years before 1 and after
#: 9999, and 24:00.
_TIME_TYPES: Final = ("date", "timestamp", "timestamptz", "time", "timetz", "interval")

MAX_MESSAGE_LENGTH: Final = 300


class DatabaseSource(Struct, frozen=True):
    """A database of records: ``queries`` maps a table to its SQL.

    ``order`` maps a table to the column of its query that orders the rows of one record.
    The path of an SQLite file is relative to ``folder``. An increment reads what the column
    ``watermark`` says is newer than the live generation, less ``overlap``.
    """

    url: str
    queries: dict[str, str]
    folder: Path = Path()
    watermark: str | None = None
    overlap: timedelta = timedelta(hours=1)
    order: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"DatabaseSource({self.redacted_url})"

    @property
    def redacted_url(self) -> str:
        """The address for messages, without user, password and options."""
        url = _parse_database_url(self)
        host = (url.host or "") + (f":{url.port}" if url.port else "")
        return f"{url.get_backend_name()}://{host}/{url.database or ''}"


# -- the connection --------------------------------------------------------------------------------


def _parse_database_url(database: DatabaseSource) -> Any:
    try:
        from sqlalchemy import exc, make_url
    except ImportError:
        raise ConfigurationError(
            "reading a database needs SQLAlchemy. Run: pip install 'foidex[database]'"
        ) from None
    try:
        url = make_url(database.url)
    except (exc.ArgumentError, ValueError):
        raise _make_url_error() from None
    if url.get_backend_name() == "sqlite" and url.database and not _is_in_memory(url.database):
        url = url.set(database=str(database.folder / url.database))
    return url


def _make_url_error() -> ConfigurationError:
    return ConfigurationError(
        "source.database (or FOIDEX_DATABASE_URL, or the file database_url_file) is not a "
        "SQLAlchemy URL. It looks like postgresql+psycopg://host/database."
    )


def _make_option_error(database: DatabaseSource) -> ConfigurationError:
    return ConfigurationError(
        f"{database.redacted_url}: its driver does not know an option of the database's URL. "
        "Correct what follows the question mark."
    )


def _is_in_memory(name: str) -> bool:
    return name == ":memory:" or name.startswith("file:")


def _build_engine(database: DatabaseSource) -> Engine:
    url = _parse_database_url(database)
    from sqlalchemy import create_engine, exc
    from sqlalchemy.pool import NullPool

    kind = url.get_backend_name()
    if kind not in _SNAPSHOT_OPTIONS:
        raise ConfigurationError(
            f'"{kind}" is not a database that foidex can read in one state. Use one of '
            f"{', '.join(sorted(_SNAPSHOT_OPTIONS))}, or files."
        )
    try:
        libpq = url.get_driver_name() in _LIBPQ_DRIVERS
        options = {key: value for key, value in _LIBPQ_OPTIONS.items() if key not in url.query}
        with warnings.catch_warnings():
            warnings.simplefilter("error", exc.SAWarning)
            engine = create_engine(
                url,
                poolclass=NullPool,
                hide_parameters=True,
                connect_args=options if libpq else {},
            )
    except exc.SAWarning:
        raise _make_option_error(database) from None
    except (exc.NoSuchModuleError, exc.ArgumentError):
        raise _make_url_error() from None
    except ImportError:
        package = {"psycopg": "psycopg[binary]"}.get(url.get_driver_name(), url.get_driver_name())
        raise ConfigurationError(
            f'the driver of "{url.drivername}" is not installed. Install it with foidex, for '
            f"example: pip install '{package}'"
        ) from None
    dialect = engine.dialect
    if dialect.is_async or (
        kind in _SERVER_CURSOR_BACKENDS and not dialect.supports_server_side_cursors
    ):
        raise ConfigurationError(
            f'the driver "{dialect.driver}" cannot read a table in parts. Use another, for '
            "example postgresql+psycopg."
        )
    if kind == "sqlite":
        _prepare_sqlite(engine)
    elif url.get_driver_name() == "psycopg":
        _prepare_psycopg(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    """Begin transactions explicitly, not at the first change."""
    from sqlalchemy import event

    path = engine.url.database
    if path and not _is_in_memory(path) and not is_file(Path(path)):
        raise SourceError(f"{path}: there is no such file. Check the URL of the database.")

    @event.listens_for(engine, "connect")
    def _manual(connection: Any, _: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")


def _prepare_psycopg(engine: Engine) -> None:
    """Ask for dates and times in the style that the driver reads, and keep those that Python has
    no value for as their text, so their row can be named.

    Otherwise the driver refuses the whole answer, and the refresh with it.
    """
    import psycopg
    from psycopg.adapt import Loader
    from sqlalchemy import event

    def make_loader(kind: str) -> type[Loader]:
        strict_type = psycopg.adapters.get_loader(psycopg.postgres.types[kind].oid, Loader.format)

        class TolerantLoader(Loader):
            def __init__(self, oid: int, context: Any = None) -> None:
                super().__init__(oid, context)
                self._strict: Any = strict_type and strict_type(oid, context)

            def load(self, data: Any) -> Any:
                try:
                    return self._strict.load(data)
                except psycopg.DataError:
                    return UnreadableTime(bytes(data).decode("ascii", "replace"))

        return TolerantLoader

    @event.listens_for(engine, "connect")
    def _tolerate(connection: Any, _: object) -> None:
        for style in _READABLE_STYLES:
            connection.execute(style)
        connection.commit()
        for kind in _TIME_TYPES:
            connection.adapters.register_loader(kind, make_loader(kind))


def check_database_driver(database: DatabaseSource) -> None:
    """Raise ConfigurationError for a URL that is none, or whose driver is missing or unfit.

    Nothing is connected to.
    """
    _build_engine(database).dispose()


@contextmanager
def connect_database(database: DatabaseSource) -> Iterator[Connection]:
    """A connection in a read-only transaction. Raises ConfigurationError or SourceError."""
    engine = _build_engine(database)
    from sqlalchemy import event, exc

    opened: list[Any] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _opened(_: Connection, cursor: Any, *_arguments: object) -> None:
        opened.append(cursor)

    try:
        connection = _open_transaction(engine)
    except exc.DBAPIError as error:
        raise SourceError(
            f"{database.redacted_url}: the database cannot be reached, or refused the connection"
            f" ({redact_driver_message(engine, error)}). Check its address and "
            "the user's rights."
        ) from None
    except TypeError:
        raise _make_option_error(database) from None
    try:
        yield connection
    finally:
        # Nothing was written, so there is no rollback, which a lost connection would refuse.
        connection.invalidate()
        connection.close()
        for cursor in opened:  # the cursor of a lost connection closes only now
            with suppress(Exception):
                cursor.close()
        engine.dispose()


def _open_transaction(engine: Engine) -> Connection:
    kind = engine.dialect.name
    connection = engine.connect()
    try:
        if kind == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
        return connection.execution_options(**_SNAPSHOT_OPTIONS[kind])
    except BaseException:
        connection.close()
        raise


def redact_driver_message(engine: Engine, error: Any) -> str:
    """The driver's message about a failed connection, without secrets.

    It cannot hold content: no record was read yet.
    """
    text = " ".join(str(error.orig).split()) or type(error.orig).__name__
    url = engine.url
    options = [value for key, value in url.query.items() if _SECRET_OPTION.search(key)]
    for secret in (url.username, url.password, *options):
        if isinstance(secret, str) and secret:
            # A short one may be part of another word.
            word = re.escape(secret) if len(secret) > 3 else rf"\b{re.escape(secret)}\b"
            text = re.sub(word, "***", text)
    return text[:MAX_MESSAGE_LENGTH]
