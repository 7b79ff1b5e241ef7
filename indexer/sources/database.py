"""Records straight from a database through a SQLAlchemy URL, all of one moment.

A query a table, read through one read-only transaction with a cursor on the server, a few hundred
rows at a time, and joined as CSV tables are. So the database sorts nothing for us, its collation
does not matter, and it has one cursor open at a time. No message holds a value, a user or a
password: what a database says is shown only where it speaks of the query.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from msgspec import Struct

from indexer.errors import ConfigurationError, SourceError
from indexer.fieldmap import FieldMap
from indexer.sources import joined
from indexer.sources.joined import CHILDREN, KEY, Row, Table
from indexer.sources.raw import RawRecord

if TYPE_CHECKING:  # slow to import, and an extra
    from sqlalchemy import Connection, CursorResult, Engine, FromClause
    from sqlalchemy.sql.elements import ColumnElement
    from sqlalchemy.sql.expression import Executable

CRIMES: Final = "crimes"
_MOMENT: Final = "updated_at"
_ROWS: Final = 500
_REFERENCES: Final = frozenset({KEY, "victim_ref", "linked_crime_ref"})
_PLAIN: Final = (str, bool, int, float, Decimal, datetime, date, time, timedelta, bytes, UUID, dict)
# What makes a transaction see one moment, and no more than read. SQLite's is so of itself.
_ONE_MOMENT: Final[dict[str, dict[str, Any]]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    "sqlite": {},
    "mysql": {"isolation_level": "REPEATABLE READ"},
    "mariadb": {"isolation_level": "REPEATABLE READ"},
    "oracle": {"isolation_level": "SERIALIZABLE"},
    "mssql": {"isolation_level": "SNAPSHOT"},
}
# Their drivers fetch a whole result unless asked for a cursor on the server.
_GREEDY: Final = ("postgresql", "mysql", "mariadb")
_LIBPQ: Final = ("psycopg", "psycopg2")
_LIBPQ_OPTIONS: Final = {
    "connect_timeout": "30",
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "fallback_application_name": "foidex",
}
_SECRET: Final = re.compile(r"user|pass|secret|token|key|pwd|uid", re.IGNORECASE)
_OF_THE_QUERY: Final = re.compile(
    r"(no such|near|ambiguous|unrecognized token|incomplete input|wrong number of arg)\b"
)
_SHOWN: Final = 300
_BIG: Final = 10**18


class Database(Struct, frozen=True):
    """Where the records are: ``queries`` has SQL by table; ``folder`` is what a file is beside.

    ``watermark`` is the column that an increment is read by, less ``overlap``.
    """

    url: str
    queries: dict[str, str]
    folder: Path = Path()
    watermark: str | None = None
    overlap: timedelta = timedelta(hours=1)

    def __repr__(self) -> str:
        return f"Database({self.shown})"

    @property
    def shown(self) -> str:
        """The address as messages may show it: without user, password or options."""
        url = _url(self)
        host = (url.host or "") + (f":{url.port}" if url.port else "")
        return f"{url.get_backend_name()}://{host}/{url.database or ''}"


def check(database: Database, fields: FieldMap, *, incremental: bool = False) -> None:
    """Raise ConfigurationError or SourceError for what can never be read, before anything is built:
    the address, the queries and the names of their columns."""
    with _connected(database) as connection:
        for table in _tables(database):
            _header(connection, database, table, fields)
        if incremental and database.watermark:
            _newer(connection, database, fields, datetime.now(UTC))


def read(
    database: Database, fields: FieldMap, since: datetime | None = None
) -> Iterator[RawRecord]:
    """Every record, or those that changed ``since`` and those that do not say when.

    Raises SourceError where the connection breaks or a query is refused.
    """
    with _connected(database) as connection:
        narrow = _newer(connection, database, fields, since) if since else None

        def rows(table: Table | None) -> Iterator[Row]:
            return _rows(connection, database, table, fields, narrow)

        children = [(table, rows(table)) for table in CHILDREN if table.name in database.queries]
        yield from joined.records(CRIMES, rows(None), children, fields.categories)


def since(
    database: Database, watermark: datetime | None, built_at: datetime | None
) -> datetime | None:
    """From when an increment reads; None for everything.

    A moment in the future, by a wrong clock of theirs, must not hide what changes until then, so
    nothing after the live generation was begun counts.
    """
    if database.watermark is None or watermark is None or built_at is None:
        return None
    return min(watermark, built_at) - database.overlap


# -- the connection --------------------------------------------------------------------------------


def _url(database: Database) -> Any:
    try:
        from sqlalchemy import exc, make_url
    except ImportError:
        raise ConfigurationError(
            "reading a database needs SQLAlchemy. Run: pip install 'foidex[database]'"
        ) from None
    try:
        url = make_url(database.url)
    except (exc.ArgumentError, ValueError):
        raise _no_url() from None
    if url.get_backend_name() == "sqlite" and url.database and not _in_memory(url.database):
        url = url.set(database=str(database.folder / url.database))
    return url


def _no_url() -> ConfigurationError:
    return ConfigurationError(
        "source.database (or FOIDEX_DATABASE_URL, or the file database_url_file) is not a "
        "SQLAlchemy URL. It looks like postgresql+psycopg://host/database."
    )


def _no_option(database: Database) -> ConfigurationError:
    return ConfigurationError(
        f"{database.shown}: an option of the database's URL is none of its driver's. Correct "
        "what stands after the question mark."
    )


def _in_memory(name: str) -> bool:
    return name == ":memory:" or name.startswith("file:")


def _engine(database: Database) -> Engine:
    url = _url(database)
    from sqlalchemy import create_engine, exc
    from sqlalchemy.pool import NullPool

    kind = url.get_backend_name()
    if kind not in _ONE_MOMENT:
        raise ConfigurationError(
            f'"{kind}" is no database that foidex can read at one moment. Use one of '
            f"{', '.join(sorted(_ONE_MOMENT))}, or files."
        )
    try:
        libpq = url.get_driver_name() in _LIBPQ
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
        raise _no_option(database) from None
    except (exc.NoSuchModuleError, exc.ArgumentError):
        raise _no_url() from None
    except ImportError:
        package = {"psycopg": "psycopg[binary]"}.get(url.get_driver_name(), url.get_driver_name())
        raise ConfigurationError(
            f'the driver of "{url.drivername}" is not installed. Install it beside foidex, for '
            f"instance: pip install '{package}'"
        ) from None
    dialect = engine.dialect
    if dialect.is_async or (kind in _GREEDY and not dialect.supports_server_side_cursors):
        raise ConfigurationError(
            f'the driver "{dialect.driver}" cannot read a table in parts. Name another, for '
            "instance postgresql+psycopg."
        )
    if kind == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    """Let a transaction begin where we say, not at the first change."""
    from sqlalchemy import event

    path = engine.url.database
    if path and not _in_memory(path) and not Path(path).is_file():
        raise SourceError(f"{path}: there is no such file. Check the URL of the database.")

    @event.listens_for(engine, "connect")
    def _manual(connection: Any, _: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")


@contextmanager
def _connected(database: Database) -> Iterator[Connection]:
    """A connection in a read-only transaction. Raises ConfigurationError or SourceError."""
    engine = _engine(database)
    from sqlalchemy import event, exc

    opened: list[Any] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _opened(_: Connection, cursor: Any, *_more: object) -> None:
        opened.append(cursor)

    try:
        connection = _open(engine)
    except exc.DBAPIError as error:
        raise SourceError(
            f"{database.shown}: the database cannot be reached, or refuses us"
            f"{_said_on_connecting(engine, error)}. Check its address and the user's rights."
        ) from None
    except TypeError:
        raise _no_option(database) from None
    try:
        yield connection
    finally:
        # Nothing was written, so nothing is rolled back, which a lost connection would refuse.
        connection.invalidate()
        connection.close()
        for cursor in opened:  # that of a lost connection closes only now
            with suppress(Exception):
                cursor.close()
        engine.dispose()


def _open(engine: Engine) -> Connection:
    kind = engine.dialect.name
    connection = engine.connect()
    try:
        if kind == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
        return connection.execution_options(**_ONE_MOMENT[kind])
    except BaseException:
        connection.close()
        raise


def _said_on_connecting(engine: Engine, error: Any) -> str:
    """What the driver says of a connection that failed, which is before it knows of any record."""
    text = " ".join(str(error.orig).split()) or type(error.orig).__name__
    url = engine.url
    options = [value for key, value in url.query.items() if _SECRET.search(key)]
    for secret in (url.username, url.password, *options):
        if isinstance(secret, str) and secret:
            # A short one may be part of any word.
            word = re.escape(secret) if len(secret) > 3 else rf"\b{re.escape(secret)}\b"
            text = re.sub(word, "***", text)
    return f" ({text[:_SHOWN]})"


# -- queries ---------------------------------------------------------------------------------------


def _tables(database: Database) -> list[Table | None]:
    """The tables that are asked for; None is that of the crimes."""
    return [None, *(table for table in CHILDREN if table.name in database.queries)]


def _name(table: Table | None) -> str:
    return table.name if table else CRIMES


def _statement(database: Database, table: Table | None) -> Any:
    """The query as it was written. A colon in it is a colon, never a parameter."""
    from sqlalchemy import text

    sql = database.queries[_name(table)].strip().removesuffix(";")
    return text(sql.replace(":", r"\:"))


def _execute(connection: Connection, statement: Executable, name: str) -> CursorResult[Any]:
    from sqlalchemy import exc

    try:
        options = {"stream_results": True, "yield_per": _ROWS}
        result = connection.execute(statement, execution_options=options)
    except exc.DBAPIError as error:
        raise _broken(error, name, 0) from None
    if not result.returns_rows:
        raise SourceError(f"source.queries.{name}: gives no rows. Write a SELECT.")
    return result


def _broken(error: Any, name: str, done: int) -> SourceError:
    orig = error.orig
    code = str(getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None) or "")
    lite = str(getattr(orig, "sqlite_errorname", None) or "")
    if code.startswith("42"):  # a syntax error or an access rule: it quotes the query alone
        said = str(orig.diag.message_primary)
    elif lite == "SQLITE_ERROR" and _OF_THE_QUERY.match(str(orig)):
        said = str(orig)
    else:
        what = " ".join(filter(None, (type(orig).__name__, code, lite)))
        return SourceError(
            f"the database failed us after {done:,} rows of {name} ({what}), so nothing was "
            "promoted. See its log, and run again."
        )
    return SourceError(f"source.queries.{name}: {said[:_SHOWN]}. Correct the query.")


def _header(
    connection: Connection, database: Database, table: Table | None, fields: FieldMap
) -> tuple[list[str], list[str | None]]:
    """Their names of a query's columns, and ours."""
    with closing(_execute(connection, _statement(database, table), _name(table))) as result:
        theirs = list(result.keys())
    return theirs, _checked(database, table, fields, theirs)


def _checked(
    database: Database, table: Table | None, fields: FieldMap, theirs: Sequence[str]
) -> list[str | None]:
    where = f"source.queries.{_name(table)}"
    if table is None:
        children = [child for child in CHILDREN if child.name in database.queries]
        columns, required = joined.crime_columns(children, fields.categories)
        return joined.header(where, theirs, columns, required, fields.ours)
    return joined.header(
        where,
        theirs,
        (KEY, *table.columns),
        {KEY, *table.required},
        lambda name: table.ours(name, fields),
    )


class _Newer(Struct, frozen=True):
    """The crimes that an increment reads: their subquery, their key, and which of them."""

    crimes: Any
    key: str
    condition: Any


def _newer(connection: Connection, database: Database, fields: FieldMap, since: datetime) -> _Newer:
    """What narrows the queries to what changed since. Raises SourceError, ConfigurationError."""
    from sqlalchemy import or_

    kind = connection.dialect.name
    if kind not in ("postgresql", "sqlite"):
        raise ConfigurationError(
            f"source.watermark is for postgresql and sqlite, not for {kind}. Leave it out: an "
            "incremental refresh then compares every record."
        )
    theirs, ours = _header(connection, database, None, fields)
    if _MOMENT not in ours:
        raise SourceError(
            f'source.queries.crimes: lacks the column "{_MOMENT}", which source.watermark is to '
            "be. Select it, or leave source.watermark out."
        )
    crimes = _subquery(database, None, theirs, ours)
    column = crimes.c[theirs[ours.index(_MOMENT)]]
    # What does not say when it changed may have changed.
    condition = or_(*_conditions(kind, column, since))
    return _Newer(crimes, theirs[ours.index(KEY)], condition)


def _conditions(
    kind: str, column: ColumnElement[Any], since: datetime
) -> Iterator[ColumnElement[bool]]:
    from sqlalchemy import DateTime, bindparam, func

    if kind == "sqlite":  # where a moment is text, of several forms
        start = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        yield func.julianday(column) >= func.julianday(start)
        yield func.julianday(column).is_(None)
    else:
        yield column >= bindparam("since", since, DateTime(timezone=True))
        yield column.is_(None)


def _subquery(
    database: Database, table: Table | None, theirs: list[str], ours: list[str | None]
) -> FromClause:
    from sqlalchemy import column

    kept: list[Any] = [column(name) for name, mine in zip(theirs, ours, strict=True) if mine]
    found: FromClause = _statement(database, table).columns(*kept).subquery(_name(table))
    return found


def _narrowed(
    connection: Connection,
    database: Database,
    table: Table | None,
    fields: FieldMap,
    narrow: _Newer,
) -> Executable:
    """The query, but only of the crimes that changed."""
    from sqlalchemy import select

    if table is None:
        return select(narrow.crimes).where(narrow.condition)
    theirs, ours = _header(connection, database, table, fields)
    child = _subquery(database, table, theirs, ours)
    changed = select(narrow.crimes.c[narrow.key]).where(narrow.condition)
    return select(child).where(child.c[theirs[ours.index(KEY)]].in_(changed))


# -- rows ------------------------------------------------------------------------------------------


def _rows(
    connection: Connection,
    database: Database,
    table: Table | None,
    fields: FieldMap,
    narrow: _Newer | None,
) -> Iterator[Row]:
    """Every row of a query under our names; each is at "crimes row 41"."""
    from sqlalchemy import exc

    name = _name(table)
    statement = (
        _narrowed(connection, database, table, fields, narrow)
        if narrow
        else _statement(database, table)
    )
    number = 0
    try:
        with closing(_execute(connection, statement, name)) as result:
            ours = _checked(database, table, fields, list(result.keys()))
            for number, row in enumerate(result, start=1):
                yield _row(f"{name} row {number}", ours, row)
    except exc.DBAPIError as error:
        raise _broken(error, name, number) from None


def _row(place: str, ours: list[str | None], row: Sequence[Any]) -> Row:
    values = {}
    for name, value in zip(ours, row, strict=True):
        if name is None:
            continue
        if value is not None:
            values[name] = _value(name, value)
        elif name == "narrative":  # Oracle knows no other empty text
            values[name] = ""
        elif name in joined.REQUIRED:
            values[name] = None
    return Row(place, 0, values)


def _value(name: str, value: Any) -> Any:  # noqa: PLR0911 - one a kind
    """A value as a record has it, where that is certain; else as it is, to be refused.

    A day may come as a moment at midnight without a time zone, a whole number as text or with a
    fraction of nought, a reference as a number or UUID; moments with a time zone come in UTC.
    """
    if isinstance(value, list):
        return [_value(name, one) for one in value]
    if isinstance(value, memoryview):
        value = bytes(value)
    if not isinstance(value, _PLAIN):
        return {type(value).__name__: str(value)}  # a kind of the database's own: no field's
    if name in joined.WHOLE_NUMBERS:
        return joined.whole(value) if isinstance(value, str) else _without_fraction(value)
    if name in _REFERENCES and isinstance(value, (int, float, Decimal, UUID)):
        plain = _without_fraction(value)
        return str(plain) if type(plain) in (int, UUID) else value
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC)
        return value.date() if name == "recorded_on" and value.time() == time() else value
    return value


def _without_fraction(value: Any) -> Any:
    whole = isinstance(value, (float, Decimal)) and math.isfinite(value) and value == value // 1
    return int(value) if whole and abs(value) < _BIG else value
