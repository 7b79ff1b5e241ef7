"""In which order a database gives the rows of one record: by a column, by the query, or in none.

The entries of a narrative are text in sequence, so their order is part of the record. SQL keeps an
order only for the outermost ORDER BY of a statement. This module does not connect to a database.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from indexer.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlglot import exp

# The names that sqlglot has for SQLAlchemy's kinds of database.
_DIALECTS: Final = {
    "postgresql": "postgres",
    "sqlite": "sqlite",
    "mysql": "mysql",
    "mariadb": "mysql",
    "oracle": "oracle",
    "mssql": "tsql",
}

_DEPTH_CHANGES: Final = {"L_PAREN": 1, "R_PAREN": -1}

_MAX_STORED_INTEGER: Final = 2**63 - 1


class UnreadableTime(str):
    """The text of a date or a time that Python has no value for, such as "infinity"."""

    __slots__ = ()


class RowOrder(Enum):
    """What puts the rows of one record in order."""

    COLUMN = "a column that is read with them"
    QUERY = "the order in which they are read"
    NONE = "nothing, so they are sorted by what they contain"


def orders_rows_of_record(sql: str, kind: str, is_reference: Callable[[str], bool]) -> bool:
    """Whether a query's outermost ORDER BY names more than the record's reference.

    ``kind`` is SQLAlchemy's name of the database. A query that cannot be understood has no order.
    Raises ConfigurationError if the parser is not installed.
    """
    try:
        import sqlglot
        from sqlglot.errors import SqlglotError
    except ImportError:
        raise ConfigurationError(
            "reading a database needs sqlglot. Run: pip install 'foidex[database]'"
        ) from None
    depth = 0
    try:
        for token in sqlglot.tokenize(sql, _DIALECTS[kind]):
            kind_name = token.token_type.name
            depth += _DEPTH_CHANGES.get(kind_name, 0)
            if kind_name == "ORDER_BY" and depth == 0:
                break
        else:
            return False
    except SqlglotError:
        return False
    try:
        tree = sqlglot.parse_one(sql, dialect=_DIALECTS[kind])
    except SqlglotError:  # newer syntax; there is an ORDER BY, whatever it names
        return True
    return not _is_ordered_by_reference(tree, is_reference)


def _is_ordered_by_reference(tree: exp.Expr, is_reference: Callable[[str], bool]) -> bool:
    """Whether a query is ordered by the reference alone: by its name, its alias or its number."""
    from sqlglot import exp

    order = tree.args.get("order")
    if order is None or not isinstance(tree, exp.Query):
        return False
    names = {name.lower() for name in _list_reference_names(tree.selects, is_reference)}
    return all(
        is_reference(name) or name.lower() in names
        for name in (key.this.name for key in order.expressions if isinstance(key, exp.Ordered))
    )


def _list_reference_names(
    selects: Iterable[exp.Expr], is_reference: Callable[[str], bool]
) -> Iterable[str]:
    for number, column in enumerate(selects, start=1):
        if is_reference(column.alias_or_name):
            yield from (str(number), column.alias_or_name, column.unalias().name)


def convert_position(value: Any) -> int | float | str | None:
    """An order column's value as one that can be sorted; None if it is missing or cannot be.

    Two values may become equal, but never change places. Times with a time zone become UTC.
    """
    if isinstance(value, (bool, UnreadableTime)):  # text would put the year 12000 before 2020
        return None
    if isinstance(value, datetime):
        moment = convert_to_utc(value) if value.tzinfo else value
        return moment.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and value.is_finite() and abs(value) <= _MAX_STORED_INTEGER:
        value = int(value) if value == value.to_integral_value() else value
    if isinstance(value, int):
        return value if abs(value) <= _MAX_STORED_INTEGER else float(Decimal(value))
    if isinstance(value, (Decimal, float)):
        return None if math.isnan(value) else float(value)
    return value if isinstance(value, str) else None


def convert_to_utc(value: datetime) -> datetime:
    """A time with a time zone in UTC; the last or first hours that there are keep their figures."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return value.replace(tzinfo=UTC)
