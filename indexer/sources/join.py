"""Join the tables of crimes, victims, suspects, links and narratives into records, by crime_ref.

The tables may be in any order and larger than memory: the other tables are first stored in a
temporary SQLite file, where each crime looks up its rows. Rows that belong to no crime come last,
as records that lack their fields, so that they are rejected and not lost. This module does not know
whether the tables are files or queries.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from indexer.config.field_map import FieldMap
from indexer.errors import SourceError
from indexer.records.categories import Categories, Category
from indexer.records.model import PEOPLE_LISTS
from indexer.sources.base import RawRecord
from indexer.sources.row_order import RowOrder
from indexer.sources.temporary_store import open_store
from indexer.suggestions import suggest_name

JOIN_KEY: Final = "crime_ref"

WHOLE_NUMBER_FIELDS: Final = frozenset({"outcome", "age"})

_CRIME_COLUMNS: Final = (
    JOIN_KEY, "recorded_on", "offence_code", "narrative", "status", "outcome", "updated_at",
)  # fmt: skip

REQUIRED_CRIME_FIELDS: Final = frozenset({JOIN_KEY, "recorded_on", "offence_code", "narrative"})

_MAX_UNKNOWN_COLUMNS: Final = 50

_WHOLE_NUMBER: Final = re.compile(r" *-?[0-9]{1,18} *")


class ChildTable(Struct, frozen=True):
    """A child table: the record's field that it fills, and that field's keys by column."""

    name: str
    field: str
    columns: dict[str, str]
    required: frozenset[str] = frozenset()

    def target_column(self, source_column: str, fields: FieldMap) -> str | None:
        """The name of a source's column in foidex, or None if it is ignored."""
        if fields.target_name(source_column) in (JOIN_KEY, "narrative", None):
            return fields.target_name(source_column)
        inner = fields.target_name(source_column, self.field)
        by_field = {field: column for column, field in self.columns.items()}
        return inner if inner is None else by_field.get(inner, inner)


CHILD_TABLES: Final = (
    *(
        ChildTable(people.field, people.field, {n: n for n in (people.reference, "age", "sex")})
        for people in PEOPLE_LISTS.values()
    ),
    ChildTable(
        "links", "linked", {"linked_crime_ref": JOIN_KEY, "linked_offence_code": "offence_code"}
    ),
    ChildTable("narratives", "narrative", {"narrative": "narrative"}, frozenset({"narrative"})),
)


class SourceRow(NamedTuple):
    """One row with our names, without its empty fields; ``error`` says why it is invalid.

    ``error_kind`` is what all rows of that fault share. A ``blank`` row only counts.
    ``position`` is its place among the rows of its record, if a column says so.
    """

    location: str
    size: int
    values: dict[str, Any]
    error: str | None = None
    position: int | float | str | None = None
    error_kind: str = ""
    blank: bool = False


class ChildRows(NamedTuple):
    """The rows of a child table, and what orders those of one record."""

    table: ChildTable
    rows: Iterator[SourceRow]
    order: RowOrder = RowOrder.QUERY


def list_crime_columns(
    children: Iterable[ChildTable], categories: Categories
) -> tuple[tuple[str, ...], frozenset[str]]:
    """The allowed and the required columns of the crimes, if these child tables exist."""
    inside = {table.field for table in children}
    columns = (*(name for name in _CRIME_COLUMNS if name not in inside), *categories)
    return columns, REQUIRED_CRIME_FIELDS - inside


def convert_whole_number(text: str) -> int | str:
    """The text as a whole number, or the text itself if it is not one."""
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text


def convert_category_value(category: Category, value: Any) -> Any:
    """A column's value as a category's value; unchanged if its meaning is not certain.

    Text is converted to the category's type, a list is separated by semicolons, and 0 and 1 stand
    for false and true.
    """
    if category.many and isinstance(value, str):
        value = [part.strip() for part in value.split(";") if part.strip()]
    if isinstance(value, list):
        return [_convert_category_item(category, item) for item in value]
    return _convert_category_item(category, value)


def _convert_category_item(category: Category, value: Any) -> Any:
    if category.type == "integer" and isinstance(value, str):
        return convert_whole_number(value)
    if category.type == "boolean" and type(value) is int and value in (0, 1):
        return bool(value)
    if category.type == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    return value


def join_records(
    name: str,
    crimes: Iterator[SourceRow],
    children: Sequence[ChildRows],
    categories: Categories,
) -> Iterator[RawRecord]:
    """Every record of the rows; ``name`` is the name of the table of crimes in messages.

    Raises SourceError if the temporary file cannot be written.
    """
    with open_store() as store:
        store.execute("CREATE TABLE seen (crime_ref TEXT PRIMARY KEY) WITHOUT ROWID")
        for child in children:
            _store_children(store, child)
        yield from _join_crimes(store, crimes, children, categories)
        yield from _join_orphans(store, name, children)


def _join_crimes(
    store: sqlite3.Connection,
    crimes: Iterator[SourceRow],
    children: Sequence[ChildRows],
    categories: Categories,
) -> Iterator[RawRecord]:
    for row in crimes:
        if row.blank:
            yield RawRecord(row.location, {}, 0, blank=True)
            continue
        raw = dict(row.values)
        error, kind = row.error, row.error_kind
        for name in categories.keys() & raw.keys():
            raw[name] = convert_category_value(categories[name], raw[name])
        reference = _get_owner(raw)
        if children:
            store.execute("INSERT OR IGNORE INTO seen VALUES (?)", (reference,))
        for child in children:
            stored_rows = _load_children(store, child, reference)
            if stored_rows or child.table.field == "narrative":
                raw[child.table.field] = _decode_children(child.table, stored_rows)
            if error is None and (order_error := _find_order_error(child, stored_rows)):
                error, kind = order_error, "the order of its entries is not certain"
        yield RawRecord(row.location, raw, row.size, error, kind)


def _join_orphans(
    store: sqlite3.Connection, name: str, children: Sequence[ChildRows]
) -> Iterator[RawRecord]:
    for child in children:
        table = child.table
        orphans = store.execute(
            f"SELECT owner, place FROM {table.name} WHERE owner NOT IN "  # noqa: S608 - our name
            "(SELECT crime_ref FROM seen) GROUP BY owner ORDER BY MIN(number)"
        )
        for reference, location in orphans:
            values = _decode_children(table, _load_children(store, child, reference))
            reason = f"its crime_ref is in no row of {name}. Add the row, or remove this one."
            kind = f"its crime_ref is in no row of {name}"
            yield RawRecord(location, {JOIN_KEY: reference, table.field: values}, 0, reason, kind)


def _get_owner(values: dict[str, Any]) -> str:
    """The reference that joins a row, or "" if it has none."""
    reference = values.get(JOIN_KEY)
    return reference if isinstance(reference, str) else ""


class _StoredRow(NamedTuple):
    inner: bytes
    position: int | float | str | None
    location: str


def _load_children(store: sqlite3.Connection, child: ChildRows, reference: str) -> list[_StoredRow]:
    """The rows of a record, in their order; equal ones of a column are sorted by content."""
    order = "number" if child.order is RowOrder.QUERY else "position, inner, number"
    rows = store.execute(
        f"SELECT inner, position, place FROM {child.table.name} "  # noqa: S608 - our names
        f"WHERE owner = ? ORDER BY {order}",
        (reference,),
    )
    return [_StoredRow(*row) for row in rows]


def _decode_children(table: ChildTable, rows: Iterable[_StoredRow]) -> list[Any]:
    values = [msgspec.msgpack.decode(row.inner) for row in rows]
    if table.field != "narrative":
        return values
    return [value.get("narrative", "") for value in values]


def _find_order_error(child: ChildRows, rows: Sequence[_StoredRow]) -> str | None:
    """Why the order of a narrative's entries is not certain, and the fix; None if it is."""
    if child.table.field != "narrative" or child.order is not RowOrder.COLUMN:
        return None
    for row, successor in pairwise(rows):
        if row.position is None:
            return (
                f"its entry {row.location} has no number, text or time in the column that "
                f"source.order.{child.table.name} names. Correct it."
            )
        if row.position == successor.position and row.inner != successor.inner:
            return (
                f"its entries {row.location} and {successor.location} have the same value in the "
                f"column that source.order.{child.table.name} names. Correct one."
            )
    return None


def _store_children(store: sqlite3.Connection, child: ChildRows) -> None:
    table = child.table
    store.execute(
        f"CREATE TABLE {table.name} "
        "(number INTEGER PRIMARY KEY, owner TEXT, place TEXT, inner BLOB, position)"
    )
    store.executemany(
        f"INSERT INTO {table.name} (owner, place, inner, position) "  # noqa: S608 - our name
        "VALUES (?, ?, ?, ?)",
        (
            (_get_owner(row.values), row.location, _encode_child(table, row), row.position)
            for row in child.rows
        ),
    )
    store.execute(f"CREATE INDEX {table.name}_owner ON {table.name} (owner)")


def _encode_child(table: ChildTable, row: SourceRow) -> bytes:
    inner = {table.columns[name]: value for name, value in row.values.items() if name != JOIN_KEY}
    return msgspec.msgpack.encode(inner)


def map_header(
    location: str,
    source_columns: Iterable[str],
    columns: Sequence[str],
    required: Iterable[str],
    map_column: Callable[[str], str | None],
) -> list[str | None]:
    """The name in foidex of each column, or None if it is ignored.

    Raises SourceError for a column that is unknown, duplicated or missing.
    """
    names = [map_column(name) for name in source_columns]
    unknown = [name for name in names if name is not None and name not in columns]
    if unknown:
        raise SourceError(f"{location}: {_describe_unknown_columns(unknown, columns)}")
    for name in names:
        if name is None:
            continue
        if names.count(name) > 1:
            raise SourceError(f'{location}: names the column "{name}" twice. Remove one.')
    if missing := sorted(set(required) - set(names)):
        raise SourceError(f'{location}: lacks the column "{missing[0]}". Add it.')
    return names


def _describe_unknown_columns(unknown: Sequence[str], columns: Sequence[str]) -> str:
    listing = f" The columns are {', '.join(columns)}."
    if len(unknown) == 1:
        hint = suggest_name(unknown[0], columns) or listing
        return f'has an unknown column "{unknown[0][:40]}".{hint}'
    names = ", ".join(f'"{name[:40]}"' for name in unknown[:_MAX_UNKNOWN_COLUMNS])
    more = len(unknown) - _MAX_UNKNOWN_COLUMNS
    rest = f" and {more:,} more" if more > 0 else ""
    return (
        f"has {len(unknown):,} unknown columns: {names}{rest}. Rename them, or list them under "
        f"ignore in [source].{listing}"
    )
