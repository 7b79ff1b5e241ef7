"""Tables joined by crime_ref into records: crimes, and victims, links and narratives if there are.

The tables may be in any order and larger than memory: the smaller three are put into a temporary
SQLite file first and looked up as the crimes go by. Rows of theirs that no crime owns come last, as
records that lack their fields, so they are rejected and not lost. Knows nothing of what the tables
are read from.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from indexer.categories import Categories, Category
from indexer.errors import SourceError
from indexer.fieldmap import FieldMap
from indexer.sources.raw import RawRecord

KEY: Final = "crime_ref"
WHOLE_NUMBERS: Final = frozenset({"outcome", "age"})
_CRIME_COLUMNS: Final = (
    KEY, "recorded_on", "offence_code", "narrative", "status", "outcome", "updated_at",
)  # fmt: skip
REQUIRED: Final = frozenset({KEY, "recorded_on", "offence_code", "narrative"})
_WHOLE_NUMBER: Final = re.compile(r" *-?[0-9]{1,18} *")


class Table(Struct, frozen=True):
    """A child table: the field of the record it fills, and its columns as that field's fields."""

    name: str
    field: str
    columns: dict[str, str]
    required: frozenset[str] = frozenset()

    def ours(self, theirs: str, fields: FieldMap) -> str | None:
        """Our name of a column of theirs, or None where it is ignored."""
        if fields.ours(theirs) in (KEY, "narrative", None):
            return fields.ours(theirs)
        inner = fields.ours(theirs, self.field)
        by_field = {field: column for column, field in self.columns.items()}
        return inner if inner is None else by_field.get(inner, inner)


CHILDREN: Final = (
    Table("victims", "victims", {name: name for name in ("victim_ref", "age", "sex")}),
    Table("links", "linked", {"linked_crime_ref": KEY, "linked_offence_code": "offence_code"}),
    Table("narratives", "narrative", {"narrative": "narrative"}, frozenset({"narrative"})),
)


class Row(NamedTuple):
    """One row under our names, without what is empty; ``error`` says why it is no row."""

    place: str
    size: int
    values: dict[str, Any]
    error: str | None = None


def crime_columns(
    children: Iterable[Table], categories: Categories
) -> tuple[tuple[str, ...], frozenset[str]]:
    """The columns of the crimes, and those they must have, beside these tables."""
    inside = {table.field for table in children}
    columns = (*(name for name in _CRIME_COLUMNS if name not in inside), *categories)
    return columns, REQUIRED - inside


def whole(text: str) -> int | str:
    """The whole number that a text is, else the text."""
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text


def category_value(category: Category, value: Any) -> Any:
    """A column as a category's value, where that is certain: text as what it says, many apart by
    semicolons; 0 and 1 of a database that has no other way for false and true."""
    if category.many and isinstance(value, str):
        value = [part.strip() for part in value.split(";") if part.strip()]
    if isinstance(value, list):
        return [_category_value(category, one) for one in value]
    return _category_value(category, value)


def _category_value(category: Category, value: Any) -> Any:
    if category.type == "integer" and isinstance(value, str):
        return whole(value)
    if category.type == "boolean" and type(value) is int and value in (0, 1):
        return bool(value)
    if category.type == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    return value


def records(
    name: str,
    crimes: Iterator[Row],
    children: Sequence[tuple[Table, Iterator[Row]]],
    categories: Categories,
) -> Iterator[RawRecord]:
    """Every record of the rows; ``name`` is what messages call the table of crimes."""
    tables = [table for table, _ in children]
    # A file without a name: also where we are killed, no text is left in it.
    with closing(sqlite3.connect("")) as store:
        try:
            store.execute("PRAGMA journal_mode = OFF")
            store.execute("PRAGMA synchronous = OFF")
            store.execute("CREATE TABLE seen (crime_ref TEXT PRIMARY KEY) WITHOUT ROWID")
            for table, rows in children:
                _store(store, table, rows)
            yield from _owners(store, crimes, tables, categories)
            yield from _orphans(store, name, tables)
        except sqlite3.OperationalError as error:
            raise SourceError(
                f"{tempfile.gettempdir()}: the tables cannot be put together there ({error}). Free "
                "some room, or name another folder with SQLITE_TMPDIR."
            ) from None


def _owners(
    store: sqlite3.Connection,
    crimes: Iterator[Row],
    tables: list[Table],
    categories: Categories,
) -> Iterator[RawRecord]:
    for row in crimes:
        raw = dict(row.values)
        for name in categories.keys() & raw.keys():
            raw[name] = category_value(categories[name], raw[name])
        reference = _owner(raw)
        if tables:
            store.execute("INSERT OR IGNORE INTO seen VALUES (?)", (reference,))
        for table in tables:
            if found := _owned(store, table, reference):
                raw[table.field] = found
            elif table.field == "narrative":
                raw[table.field] = []
        yield RawRecord(row.place, raw, row.size, row.error)


def _orphans(store: sqlite3.Connection, name: str, tables: list[Table]) -> Iterator[RawRecord]:
    for table in tables:
        lost = store.execute(
            f"SELECT owner, place FROM {table.name} WHERE owner NOT IN "  # noqa: S608 - our name
            "(SELECT crime_ref FROM seen) GROUP BY owner ORDER BY MIN(number)"
        )
        for reference, place in lost:
            raw = {KEY: reference, table.field: _owned(store, table, reference)}
            reason = f"its crime_ref is in no row of {name}. Add the row, or remove this one."
            yield RawRecord(place, raw, 0, reason)


def _owner(values: dict[str, Any]) -> str:
    """The reference that joins a row; what is none joins with nothing of another kind."""
    reference = values.get(KEY)
    return reference if isinstance(reference, str) else ""


def _owned(store: sqlite3.Connection, table: Table, reference: str) -> list[Any]:
    rows = store.execute(
        f"SELECT inner FROM {table.name} WHERE owner = ? ORDER BY number",  # noqa: S608 - our name
        (reference,),
    )
    found = [msgspec.msgpack.decode(inner) for (inner,) in rows]
    if table.field != "narrative":
        return found
    return [one.get("narrative", "") for one in found]


def _store(store: sqlite3.Connection, table: Table, rows: Iterator[Row]) -> None:
    store.execute(
        f"CREATE TABLE {table.name} "
        "(number INTEGER PRIMARY KEY, owner TEXT, place TEXT, inner BLOB)"
    )
    store.executemany(
        f"INSERT INTO {table.name} (owner, place, inner) VALUES (?, ?, ?)",  # noqa: S608 - our name
        ((_owner(row.values), row.place, _inner(table, row)) for row in rows),
    )
    store.execute(f"CREATE INDEX {table.name}_owner ON {table.name} (owner)")


def _inner(table: Table, row: Row) -> bytes:
    inner = {table.columns[name]: value for name, value in row.values.items() if name != KEY}
    return msgspec.msgpack.encode(inner)


def header(
    where: str,
    theirs: Iterable[str],
    columns: Sequence[str],
    required: Iterable[str],
    ours: Callable[[str], str | None],
) -> list[str | None]:
    """Our name of each column, None where it is ignored.

    Raises SourceError for a column that is unknown, there twice, or missing.
    """
    found = [ours(name) for name in theirs]
    for name in found:
        if name is None:
            continue
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1)
            hint = (
                f'Did you mean "{near[0]}"?' if near else f"The columns are {', '.join(columns)}."
            )
            raise SourceError(f'{where}: has an unknown column "{name[:40]}". {hint}')
        if found.count(name) > 1:
            raise SourceError(f'{where}: names the column "{name}" twice. Remove one.')
    if missing := sorted(set(required) - set(found)):
        raise SourceError(f'{where}: lacks the column "{missing[0]}". Add it.')
    return found
