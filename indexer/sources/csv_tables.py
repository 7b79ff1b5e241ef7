"""Records as CSV tables joined by crime_ref: crimes.csv, and victims, links, narratives if there.

The tables may be in any order and larger than memory: the smaller three are put into a temporary
SQLite file first and looked up as crimes.csv goes by. Rows of theirs that no row of crimes.csv
owns come last, as records that lack their fields, so they are rejected and not lost.
"""

from __future__ import annotations

import csv
import difflib
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from indexer.categories import Category
from indexer.errors import SourceError
from indexer.fieldmap import FieldMap
from indexer.sources.raw import RawRecord

CRIMES: Final = "crimes.csv"
KEY: Final = "crime_ref"
_FIELD_LIMIT: Final = 32 * 1024 * 1024
_CRIME_COLUMNS: Final = (
    KEY, "recorded_on", "offence_code", "narrative", "status", "outcome", "updated_at",
)  # fmt: skip
_WHOLE_NUMBERS: Final = frozenset({"outcome", "age"})
_WHOLE_NUMBER: Final = re.compile(r" *-?[0-9]{1,18} *")


class _Table(Struct, frozen=True):
    """A child table: its columns as the record's fields, and the field of the record it fills."""

    file: str
    field: str
    columns: dict[str, str]
    required: frozenset[str] = frozenset()


_CHILDREN: Final = (
    _Table("victims.csv", "victims", {name: name for name in ("victim_ref", "age", "sex")}),
    _Table(
        "links.csv",
        "linked",
        {"linked_crime_ref": "crime_ref", "linked_offence_code": "offence_code"},
    ),
    _Table("narratives.csv", "narrative", {"narrative": "narrative"}, frozenset({"narrative"})),
)


def read(path: Path, fields: FieldMap) -> Iterator[RawRecord]:
    """Every record of a crimes.csv (or a folder with one) and the tables beside it.

    Raises SourceError for a table whose header or encoding is wrong.
    """
    crimes = path / CRIMES if path.is_dir() else path
    csv.field_size_limit(_FIELD_LIMIT)
    tables = [
        (table, crimes.with_name(table.file))
        for table in _CHILDREN
        if crimes.name == CRIMES and crimes.with_name(table.file).is_file()
    ]
    with (
        tempfile.TemporaryDirectory(prefix="foidex-") as scratch,
        closing(sqlite3.connect(Path(scratch) / "children.db")) as children,
    ):
        children.execute("PRAGMA journal_mode = OFF")
        children.execute("PRAGMA synchronous = OFF")
        for table, file in tables:
            _store(children, table, file, fields)
        owned = [table for table, _ in tables]
        yield from _joined(crimes, children, owned, fields)
        yield from _orphans(children, owned)


def _joined(
    crimes: Path, children: sqlite3.Connection, tables: list[_Table], fields: FieldMap
) -> Iterator[RawRecord]:
    inside = {table.field for table in tables}
    columns = tuple(name for name in (*_CRIME_COLUMNS, *fields.categories) if name not in inside)
    required = {KEY, "recorded_on", "offence_code", "narrative"} - inside
    children.execute("CREATE TABLE seen (crime_ref TEXT PRIMARY KEY) WITHOUT ROWID")
    for row in _rows(crimes, columns, required, fields.ours):
        raw: dict[str, Any] = {
            name: _category(fields.categories[name], text)
            if name in fields.categories
            else _value(name, text)
            for name, text in row.fields.items()
            if text or name in required
        }
        reference = row.fields.get(KEY, "")
        if tables:
            children.execute("INSERT OR IGNORE INTO seen VALUES (?)", (reference,))
        for table in tables:
            if found := _owned(children, table, reference):
                raw[table.field] = found
        if "narrative" in inside:
            raw.setdefault("narrative", [])
        yield RawRecord(row.place, raw, row.size, row.error)


def _orphans(children: sqlite3.Connection, tables: list[_Table]) -> Iterator[RawRecord]:
    for table in tables:
        lost = children.execute(
            f"SELECT owner, place FROM {table.field} WHERE owner NOT IN "  # noqa: S608
            "(SELECT crime_ref FROM seen) GROUP BY owner ORDER BY MIN(number)"
        )
        for reference, place in lost:
            raw = {KEY: reference, table.field: _owned(children, table, reference)}
            reason = f"its crime_ref is in no row of {CRIMES}. Add the row, or remove this one."
            yield RawRecord(place, raw, 0, reason)


def _owned(children: sqlite3.Connection, table: _Table, reference: str) -> list[Any]:
    rows = children.execute(
        f"SELECT {', '.join(table.columns)} FROM {table.field} "  # noqa: S608 - names of ours
        "WHERE owner = ? ORDER BY number",
        (reference,),
    )
    found: list[Any] = []
    for values in rows:
        given = zip(table.columns.values(), values, strict=True)
        fields = {field: _value(field, text) for field, text in given if text}
        found.append(fields.get("narrative", "") if table.field == "narrative" else fields)
    return found


def _store(children: sqlite3.Connection, table: _Table, file: Path, fields: FieldMap) -> None:
    names = ("owner", "place", *table.columns)
    children.execute(
        f"CREATE TABLE {table.field} (number INTEGER PRIMARY KEY, {' TEXT, '.join(names)} TEXT)"
    )
    children.executemany(
        f"INSERT INTO {table.field} ({', '.join(names)}) "  # noqa: S608 - names of ours
        f"VALUES ({', '.join('?' * len(names))})",
        _child_rows(table, file, fields),
    )
    children.execute(f"CREATE INDEX {table.field}_owner ON {table.field} (owner)")


def _child_rows(table: _Table, file: Path, fields: FieldMap) -> Iterator[tuple[str, ...]]:
    column_of = {field: column for column, field in table.columns.items()}

    def ours(theirs: str) -> str | None:
        if fields.ours(theirs) in (KEY, "narrative", None):
            return fields.ours(theirs)
        inner = fields.ours(theirs, table.field)
        return inner if inner is None else column_of.get(inner, inner)

    for row in _rows(file, (KEY, *table.columns), {KEY, *table.required}, ours):
        if row.error:
            # Which record it belongs to cannot be told, so it cannot be set aside with it.
            raise SourceError(f"{file.parent / row.place}: {row.error}")
        yield row.fields[KEY], row.place, *(row.fields.get(name, "") for name in table.columns)


class _Row(NamedTuple):
    place: str
    size: int
    fields: dict[str, str]
    error: str | None = None


def _rows(
    file: Path,
    columns: tuple[str, ...],
    required: set[str],
    ours: Callable[[str], str | None],
) -> Iterator[_Row]:
    """Every row that is not blank, under our names; the header is checked against the columns."""
    line = 1
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text, strict=True)
            first = next(rows, None)
            header = _checked(file, first, columns, required, ours)
            line = rows.line_num + 1
            for row in rows:
                place = f"{file.name}:{line}"
                line = rows.line_num + 1
                if row == first:
                    again = "repeats the first line, the names of the columns. Remove the row."
                    yield _row(place, header, row)._replace(error=again)
                elif row:
                    yield _row(place, header, row)
    except UnicodeDecodeError:
        raise SourceError(f"{file}: is not UTF-8 text. Save it as CSV UTF-8.") from None
    except csv.Error:
        raise SourceError(
            f"{file}:{line}: is not CSV: a quote is not closed, or a field is over "
            f"{_FIELD_LIMIT // 1024 // 1024} MB. Correct the row."
        ) from None
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error.strerror}). Check its rights.") from None


def _row(place: str, header: list[str | None], row: list[str]) -> _Row:
    size = sum(map(len, row)) + len(row)
    fields = {name: text for name, text in zip(header, row, strict=False) if name}
    if len(row) == len(header):
        return _Row(place, size, fields)
    extra = {f"extra_{number}": text for number, text in enumerate(row[len(header) :], start=1)}
    return _Row(
        place,
        size,
        fields | extra,
        f"has {len(row)} columns where the header has {len(header)}. "
        "Quote the fields that hold commas or line breaks.",
    )


def _checked(
    file: Path,
    theirs: list[str] | None,
    columns: tuple[str, ...],
    required: set[str],
    ours: Callable[[str], str | None],
) -> list[str | None]:
    if theirs is None:
        raise SourceError(f"{file}: is empty. Its first line must name the columns.")
    header = [ours(name) for name in theirs]
    if not any(name in columns for name in header):
        # It may be a record, so it is not shown.
        raise SourceError(
            f"{file}:1: names no column foidex knows. The first line must name the columns, with "
            f"commas between: {', '.join(columns)}."
        )
    for name in header:
        if name is None:
            continue
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1)
            hint = (
                f'Did you mean "{near[0]}"?' if near else f"The columns are {', '.join(columns)}."
            )
            raise SourceError(f'{file}:1: has an unknown column "{name[:40]}". {hint}')
        if header.count(name) > 1:
            raise SourceError(f'{file}:1: names the column "{name}" twice. Remove one.')
    if missing := sorted(required - set(header)):
        raise SourceError(f'{file}:1: lacks the column "{missing[0]}". Add it.')
    return header


def _value(name: str, text: str) -> Any:
    """The text as a record's value: a whole number where the field has one and the text is one."""
    return int(text) if name in _WHOLE_NUMBERS and _WHOLE_NUMBER.fullmatch(text) else text


def _category(category: Category, text: str) -> Any:
    """The text as a category's value: many are apart by semicolons; what does not fit is kept."""
    if category.many:
        one = msgspec.structs.replace(category, many=False)
        return [_category(one, part.strip()) for part in text.split(";") if part.strip()]
    if category.type == "integer" and _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    if category.type == "boolean":
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    return text
