"""Read records from a database, with one query for each table, in one read-only transaction.

Rows come from a cursor on the server, a few hundred at a time, and are joined like CSV tables. So
the database need not sort, its collation does not matter, and one cursor is open at a time. A query
whose ORDER BY matters is run as it is written: inside another query the order could be lost. No
message holds a value, a user or a password: the database's own text is shown only if it is about
the query.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from indexer.config.field_map import FieldMap
from indexer.errors import ConfigurationError, SourceError
from indexer.records.model import PERSON_REFERENCES
from indexer.sources.base import RawRecord
from indexer.sources.database_connection import (
    MAX_MESSAGE_LENGTH,
    DatabaseSource,
    connect_database,
)
from indexer.sources.join import (
    CHILD_TABLES,
    JOIN_KEY,
    REQUIRED_CRIME_FIELDS,
    WHOLE_NUMBER_FIELDS,
    ChildRows,
    ChildTable,
    SourceRow,
    convert_whole_number,
    join_records,
    list_crime_columns,
    map_header,
)
from indexer.sources.row_order import (
    RowOrder,
    UnreadableTime,
    convert_position,
    convert_to_utc,
    orders_rows_of_record,
)
from indexer.sources.temporary_store import ReferenceSet, open_store
from indexer.suggestions import suggest_name

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, FromClause
    from sqlalchemy.sql.elements import ColumnElement
    from sqlalchemy.sql.expression import Executable

CRIMES_TABLE: Final = "crimes"

_WATERMARK_FIELD: Final = "updated_at"

_FETCH_SIZE: Final = 500

_REFERENCE_COLUMNS: Final = frozenset({JOIN_KEY, *PERSON_REFERENCES, "linked_crime_ref"})

#: What has no space at its end but in a column of a fixed width, which is filled with them.
_FILLED_COLUMNS: Final = _REFERENCE_COLUMNS | {
    "offence_code", "linked_offence_code", "status", "sex"
}  # fmt: skip

_PLAIN_TYPES: Final = (
    str,
    bool,
    int,
    float,
    Decimal,
    datetime,
    date,
    time,
    timedelta,
    bytes,
    UUID,
    dict,
)

_QUERY_ERROR: Final = re.compile(
    r"(no such|near|ambiguous|unrecognized token|incomplete input|wrong number of arg)\b"
)

#: The SQLSTATE of a user who may not read a table.
_NO_PRIVILEGE: Final = "42501"

#: The numbers of MySQL and MariaDB for the same, of a table and of a column.
_MYSQL_NO_PRIVILEGE: Final = (1142, 1143)

_MYSQL_ACCOUNT: Final = re.compile("'[^']*'@'[^']*'")

#: The SQLSTATE of a text that is not in the encoding of its database, as SQL_ASCII allows.
_NOT_ENCODED: Final = "22021"

_WHOLE_NUMBER_LIMIT: Final = 10**18

#: A float of this size or more may be another whole number than was written.
_EXACT_FLOAT_LIMIT: Final = 2**53


def check_database(
    database: DatabaseSource, fields: FieldMap, *, incremental: bool = False
) -> None:
    """Check the address, the queries and the names of their columns before anything is built.

    Raises ConfigurationError or SourceError.
    """
    with connect_database(database) as connection:
        for table in _list_tables(database):
            _read_query_header(connection, database, table, fields)
            if table:
                _find_row_order(connection, database, table, fields)
        if incremental and database.watermark:
            _build_increment(connection, database, fields, datetime.now(UTC))


def read_database(
    database: DatabaseSource, fields: FieldMap, since: datetime | None = None
) -> Iterator[RawRecord]:
    """Every record, or those that changed after ``since`` or have no time of change.

    Raises SourceError if the connection breaks or a query is refused.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(connect_database(database))
        tables = [table for table in _list_tables(database) if table]
        orders = [_find_row_order(connection, database, table, fields) for table in tables]
        increment = None
        if since:
            increment = _build_increment(connection, database, fields, since)
            if RowOrder.QUERY in orders:
                store = stack.enter_context(open_store())
                references = ReferenceSet(store, _read_changed_references(connection, increment))
                increment = replace(increment, references=references)

        def read_children(table: ChildTable, order: RowOrder) -> ChildRows:
            rows = _read_child_rows(connection, database, (table, order), fields, increment)
            return ChildRows(table, rows, order)

        children = [read_children(*child) for child in zip(tables, orders, strict=True)]
        statement = _select_changed_crimes(increment) if increment else None
        rows = _read_query_rows(connection, database, None, fields, statement)
        yield from join_records(CRIMES_TABLE, rows, children, fields.categories)


def read_plain_rows(database: DatabaseSource) -> Generator[Sequence[Any]]:
    """The names of the columns of the query of crimes, and then its rows as the database has them.

    Raises SourceError if the connection breaks or the query is refused.
    """
    from sqlalchemy import exc

    count = 0
    with connect_database(database) as connection:
        statement = _build_statement(database, None)
        try:
            with closing(_execute_query(connection, statement, CRIMES_TABLE)) as result:
                yield list(result.keys())
                for row in result:
                    count += 1
                    yield row
        except exc.DBAPIError as error:
            raise _explain_query_error(error, CRIMES_TABLE, count) from None


def find_increment_start(
    database: DatabaseSource, watermark: datetime | None, built_at: datetime | None
) -> datetime | None:
    """The time from which an increment reads, or None to read everything.

    A watermark in the future, from a wrong clock, must not hide changes until then, so it counts
    as no later than the start of the live generation's refresh.
    """
    if database.watermark is None or watermark is None or built_at is None:
        return None
    return min(watermark, built_at) - database.overlap


# -- queries ---------------------------------------------------------------------------------------


def _list_tables(database: DatabaseSource) -> list[ChildTable | None]:
    """The tables that have a query; None stands for the crimes."""
    return [None, *(table for table in CHILD_TABLES if table.name in database.queries)]


def _get_table_name(table: ChildTable | None) -> str:
    return table.name if table else CRIMES_TABLE


def _get_query(database: DatabaseSource, table: ChildTable | None) -> str:
    return database.queries[_get_table_name(table)].strip().removesuffix(";")


def _find_row_order(
    connection: Connection, database: DatabaseSource, table: ChildTable, fields: FieldMap
) -> RowOrder:
    """What orders the rows of one record. Raises SourceError for a narrative without an order."""
    if table.name in database.order:
        return RowOrder.COLUMN

    def is_reference(column: str) -> bool:
        names = {column, column.lower()}  # some databases ignore the case of names
        return JOIN_KEY in {table.target_column(name, fields) for name in names}

    query = _get_query(database, table)
    if orders_rows_of_record(query, connection.dialect.name, is_reference):
        return RowOrder.QUERY
    if table.field != "narrative":
        return RowOrder.NONE
    raise SourceError(
        f"source.queries.{table.name}: does not order the entries of a record, so the database "
        "may give them in another order each time, and terms near each other may then not be. "
        "Select the column that numbers the entries and name it in [source.order], for example: "
        f'{table.name} = "entry_no". Or end the query with ORDER BY and that column.'
    )


def _build_statement(database: DatabaseSource, table: ChildTable | None) -> Any:
    """The configured query. A colon in it is a colon, never a parameter."""
    from sqlalchemy import text

    return text(_get_query(database, table).replace(":", r"\:"))


def _execute_query(connection: Connection, statement: Executable, name: str) -> CursorResult[Any]:
    from sqlalchemy import exc

    try:
        options = {"stream_results": True, "yield_per": _FETCH_SIZE}
        result = connection.execute(statement, execution_options=options)
    except exc.DBAPIError as error:
        raise _explain_query_error(error, name, 0) from None
    if not result.returns_rows:
        raise SourceError(f"source.queries.{name}: does not return rows. Write a SELECT.")
    return result


def _explain_query_error(error: Any, name: str, row_count: int) -> SourceError:
    from sqlalchemy import exc

    orig = error.orig
    code = str(getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None) or "")
    lite = str(getattr(orig, "sqlite_errorname", None) or "")
    if code.startswith("42"):  # a syntax error or an access rule, which quotes only the query
        message = _read_query_fault(orig)
    elif lite == "SQLITE_ERROR" and _QUERY_ERROR.match(str(orig)):
        message = str(orig)
    elif isinstance(error, exc.DataError) and not code:  # the driver's word, not the database's
        return SourceError(
            f"{name}: after row {row_count:,} there is a value that the driver of the database "
            f"cannot read ({type(orig).__name__}), such as a date before the year 1 or after "
            "9999, so nothing was promoted. Correct it, or select that column as text."
        )
    elif code == _NOT_ENCODED:
        return SourceError(
            f"{name}: after row {row_count:,} there is a text that is not in the encoding of the "
            "database, so nothing was promoted. If that is SQL_ASCII, name the encoding of its "
            "texts at the end of the database's URL: ?client_encoding=latin1. Or correct the text."
        )
    else:
        details = " ".join(filter(None, (type(orig).__name__, code, lite)))
        return SourceError(
            f"the database failed after {row_count:,} rows of {name} ({details}), so nothing was "
            "promoted. See the database's log, then run the refresh again."
        )
    remedy = "Correct the query."
    if code == _NO_PRIVILEGE or next(iter(orig.args), 0) in _MYSQL_NO_PRIVILEGE:
        remedy = "Ask for the right to read it, or correct the query."
    return SourceError(f"source.queries.{name}: {message[:MAX_MESSAGE_LENGTH]}. {remedy}")


def _read_query_fault(orig: Any) -> str:
    """What a database says of a query. MySQL names the user where a right is missing."""
    if hasattr(orig, "diag"):
        return str(orig.diag.message_primary)
    return _MYSQL_ACCOUNT.sub("***", str(orig.args[-1])).rstrip(".")


def _read_query_header(
    connection: Connection, database: DatabaseSource, table: ChildTable | None, fields: FieldMap
) -> tuple[list[str], list[str | None]]:
    """The names of a query's columns, in the source and in foidex."""
    with closing(
        _execute_query(connection, _build_statement(database, table), _get_table_name(table))
    ) as result:
        source_columns = list(result.keys())
    return source_columns, _check_query_header(database, table, fields, source_columns)


def _check_query_header(
    database: DatabaseSource,
    table: ChildTable | None,
    fields: FieldMap,
    source_columns: Sequence[str],
) -> list[str | None]:
    location = f"source.queries.{_get_table_name(table)}"
    if table is None:
        children = [child for child in CHILD_TABLES if child.name in database.queries]
        columns, required = list_crime_columns(children, fields.categories)
        return map_header(location, source_columns, columns, required, fields.target_name)
    order_column = database.order.get(table.name)
    if order_column is not None and source_columns.count(order_column) != 1:
        count = "names twice" if order_column in source_columns else "lacks"
        hint = suggest_name(order_column, source_columns)
        raise SourceError(
            f'{location}: {count} the column "{order_column[:40]}", which '
            f"source.order.{table.name} needs. Select it once.{hint}"
        )

    def map_column(source_column: str) -> str | None:
        name = table.target_column(source_column, fields)
        is_field = name == JOIN_KEY or name in table.columns
        return name if is_field or source_column != order_column else None

    return map_header(
        location,
        source_columns,
        (JOIN_KEY, *table.columns),
        {JOIN_KEY, *table.required},
        map_column,
    )


class _Increment(Struct, frozen=True):
    """The crimes that an increment reads: their subquery, its key column, and the condition.

    ``references`` are those of these crimes, if a query must be run as it is written.
    """

    crimes: Any
    key: str
    condition: Any
    references: ReferenceSet | None = None


def _build_increment(
    connection: Connection, database: DatabaseSource, fields: FieldMap, since: datetime
) -> _Increment:
    """What limits the queries to later changes. Raises SourceError or ConfigurationError."""
    from sqlalchemy import or_

    kind = connection.dialect.name
    if kind not in ("postgresql", "sqlite"):
        raise ConfigurationError(
            f"source.watermark works with postgresql and sqlite, not with {kind}. Remove it: an "
            "incremental refresh then compares every record."
        )
    source_columns, field_names = _read_query_header(connection, database, None, fields)
    if _WATERMARK_FIELD not in field_names:
        raise SourceError(
            f'source.queries.crimes: lacks the column "{_WATERMARK_FIELD}", which source.watermark '
            "needs. Select it, or remove source.watermark."
        )
    crimes = _build_subquery(database, None, source_columns, field_names)
    column = crimes.c[source_columns[field_names.index(_WATERMARK_FIELD)]]
    # A record without a time of change may have changed.
    condition = or_(*_build_increment_conditions(kind, column, since))
    return _Increment(crimes, source_columns[field_names.index(JOIN_KEY)], condition)


def _build_increment_conditions(
    kind: str, column: ColumnElement[Any], since: datetime
) -> Iterator[ColumnElement[bool]]:
    from sqlalchemy import DateTime, bindparam, func

    if kind == "sqlite":  # which stores times as text in several forms
        start = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        yield func.julianday(column) >= func.julianday(start)
        yield func.julianday(column).is_(None)
    else:
        yield column >= bindparam("since", since, DateTime(timezone=True))
        yield column.is_(None)


def _build_subquery(
    database: DatabaseSource,
    table: ChildTable | None,
    source_columns: list[str],
    field_names: list[str | None],
) -> FromClause:
    from sqlalchemy import column

    columns: list[Any] = [
        column(name)
        for name, field_name in zip(source_columns, field_names, strict=True)
        if field_name or name == database.order.get(_get_table_name(table))
    ]
    subquery: FromClause = (
        _build_statement(database, table).columns(*columns).subquery(_get_table_name(table))
    )
    return subquery


def _select_changed_crimes(increment: _Increment) -> Executable:
    from sqlalchemy import select

    return select(increment.crimes).where(increment.condition)


def _read_changed_references(connection: Connection, increment: _Increment) -> Iterator[str]:
    from sqlalchemy import exc, select

    statement = select(increment.crimes.c[increment.key]).where(increment.condition)
    count = 0
    try:
        with closing(_execute_query(connection, statement, CRIMES_TABLE)) as result:
            for (value,) in result:
                count += 1
                reference = convert_value(JOIN_KEY, value)
                if isinstance(reference, str):
                    yield reference
    except exc.DBAPIError as error:
        raise _explain_query_error(error, CRIMES_TABLE, count) from None


def _narrow_query(
    connection: Connection,
    database: DatabaseSource,
    table: ChildTable,
    fields: FieldMap,
    increment: _Increment,
) -> Executable:
    """A query whose own order does not matter, limited to the crimes that changed."""
    from sqlalchemy import select

    source_columns, field_names = _read_query_header(connection, database, table, fields)
    child = _build_subquery(database, table, source_columns, field_names)
    changed = select(increment.crimes.c[increment.key]).where(increment.condition)
    return select(child).where(child.c[source_columns[field_names.index(JOIN_KEY)]].in_(changed))


# -- rows ------------------------------------------------------------------------------------------


def _read_child_rows(
    connection: Connection,
    database: DatabaseSource,
    child: tuple[ChildTable, RowOrder],
    fields: FieldMap,
    increment: _Increment | None,
) -> Iterator[SourceRow]:
    """The rows of a child table that an increment needs, or all of them."""
    table, order = child
    if increment is None:
        yield from _read_query_rows(connection, database, table, fields)
    elif order is RowOrder.QUERY and increment.references is not None:
        for row in _read_query_rows(connection, database, table, fields):
            if row.values.get(JOIN_KEY) in increment.references:
                yield row
    else:
        statement = _narrow_query(connection, database, table, fields, increment)
        yield from _read_query_rows(connection, database, table, fields, statement)


def _read_query_rows(
    connection: Connection,
    database: DatabaseSource,
    table: ChildTable | None,
    fields: FieldMap,
    statement: Executable | None = None,
) -> Iterator[SourceRow]:
    """Every row of a query, or of the statement made from it; its location is "crimes row 41"."""
    from sqlalchemy import exc

    name = _get_table_name(table)
    statement = _build_statement(database, table) if statement is None else statement
    number = 0
    try:
        with closing(_execute_query(connection, statement, name)) as result:
            source_columns = list(result.keys())
            field_names = _check_query_header(database, table, fields, source_columns)
            order_column = database.order.get(name)
            order_index = source_columns.index(order_column) if order_column else None
            for number, row in enumerate(result, start=1):
                yield build_query_row(f"{name} row {number}", field_names, row, order_index)
    except exc.DBAPIError as error:
        raise _explain_query_error(error, name, number) from None


def build_query_row(
    location: str,
    field_names: list[str | None],
    row: Sequence[Any],
    order_index: int | None = None,
) -> SourceRow:
    """A row of a query's answer; a column without a field name is passed over.

    ``order_index`` is the index of the column that orders the rows of a record.
    """
    values = {}
    for name, value in zip(field_names, row, strict=True):
        if name is None or (_is_blank(value) and name not in REQUIRED_CRIME_FIELDS):
            continue
        if value is not None:
            values[name] = convert_value(name, value)
        elif name == "narrative":  # Oracle stores empty text as null
            values[name] = ""
        elif name in REQUIRED_CRIME_FIELDS:
            values[name] = None
    position = None if order_index is None else convert_position(row[order_index])
    return SourceRow(location, 0, values, position=position)


def _is_blank(value: Any) -> bool:
    """Whether it is text without content, which a column of a fixed width fills with spaces."""
    return isinstance(value, str) and not value.strip(" ")


def convert_value(name: str, value: Any) -> Any:  # noqa: PLR0911 - one case a type
    """A database's value as a record's value; unchanged, and so refused, if that is not certain.

    A date may be a midnight without a time zone, a whole number may be text or have a fraction of
    zero, and a reference may be a number or a UUID. Times with a time zone become UTC. A reference,
    a code and the like may end in spaces, with which a column of a fixed width is filled.
    """
    if isinstance(value, list):
        return [convert_value(name, item) for item in value]
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, UnreadableTime):
        return str(value)
    if not isinstance(value, _PLAIN_TYPES):
        return {type(value).__name__: str(value)}  # a type of its own, which no field accepts
    if name in _FILLED_COLUMNS and isinstance(value, str):
        return value.rstrip(" ")
    if name in WHOLE_NUMBER_FIELDS:
        return convert_whole_number(value) if isinstance(value, str) else _drop_fraction(value)
    if name in _REFERENCE_COLUMNS and isinstance(value, (int, float, Decimal, UUID)):
        plain = _drop_fraction(value)
        return str(plain) if type(plain) in (int, UUID) else value
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return convert_to_utc(value)
        return value.date() if name == "recorded_on" and value.time() == time() else value
    return value


def _drop_fraction(value: Any) -> Any:
    is_number = isinstance(value, (float, Decimal)) and math.isfinite(value)
    # A decimal of more digits than the limit cannot be divided, so its size is looked at first.
    limit = _EXACT_FLOAT_LIMIT if isinstance(value, float) else _WHOLE_NUMBER_LIMIT
    if is_number and abs(value) < limit and value == value // 1:
        return int(value)
    return value
