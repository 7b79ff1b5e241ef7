"""Group rows of one reference into one record: one row for each person, link or entry.

The rows may be anywhere in the table and larger than memory: they are kept in a temporary SQLite
file meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from indexer.config.profile import LIST_OF_UNIT, RowUnit
from indexer.records.model import PEOPLE_LISTS
from indexer.sources.base import RawRecord, SourceRows
from indexer.sources.profile.mapper import EMPTY_STATUS_NOTE, MappedRow, RowMapper
from indexer.sources.tables.spreadsheet_worker import encode_rows
from indexer.sources.tables.table import decode_rows
from indexer.sources.temporary_store import open_store

JOINED: Final = "belongs to the record of an earlier row"


class GroupedRow(NamedTuple):
    """A row to be grouped: where it stands, its reference ("" if it has none), and its cells."""

    location: str
    reference: str
    cells: list[Any]
    error: str | None = None


def group_rows(
    rows: Iterable[GroupedRow], mapper: RowMapper, header: tuple[str, ...], unit: RowUnit
) -> Iterator[RawRecord]:
    """A record for each reference, in the order of their first rows, and a skipped row for each
    other row. A row without a reference is a record of its own.

    Raises SourceError if the temporary file cannot be written.
    """
    with open_store() as store:
        store.execute(
            "CREATE TABLE row (number INTEGER PRIMARY KEY, owner TEXT, place TEXT, cells BLOB, "
            "fault TEXT)"
        )
        store.executemany(
            "INSERT INTO row (owner, place, cells, fault) VALUES (?, ?, ?, ?)",
            ((row.reference, row.location, encode_rows([row.cells]), row.error) for row in rows),
        )
        store.execute("CREATE INDEX row_owner ON row (owner)")
        ordered = store.execute(
            "SELECT owner, place, cells, fault FROM row JOIN (SELECT owner AS name, MIN(number) AS "
            "first FROM row GROUP BY owner) ON owner = name ORDER BY first, number"
        )
        group: list[GroupedRow] = []
        for owner, place, cells, fault in ordered:
            row = GroupedRow(place, owner, decode_rows(cells)[0], fault)
            if group and (group[0].reference != owner or not owner):
                yield from _make_record(group, mapper, header, unit)
                group = []
            group.append(row)
        if group:
            yield from _make_record(group, mapper, header, unit)


def _make_record(
    group: list[GroupedRow], mapper: RowMapper, header: tuple[str, ...], unit: RowUnit
) -> Iterator[RawRecord]:
    mapped = [mapper.map_row(row.cells) for row in group]
    first = mapped[0]
    values, error, kind = first.values, first.error, first.error_kind
    for row, mapping in zip(group, mapped, strict=True):
        if error is None and row.error:
            error, kind = row.error, "a row cannot be read"
        if error is None and mapping.error:
            error, kind = f"its row {row.location}: {mapping.error}", mapping.error_kind
    if error is None and len(group) > 1:
        error, kind = _merge_rows(values, group, mapped, unit)
    notes = first.notes + tuple(
        note
        for mapping in mapped[1:]
        for note in mapping.notes
        if not note.startswith(EMPTY_STATUS_NOTE)  # a record has one status
    )
    origin = SourceRows(header, tuple(row.cells for row in group))
    yield RawRecord(group[0].location, values, 0, error, kind, notes=notes, origin=origin)
    for row in group[1:]:
        yield RawRecord(row.location, {}, 0, blank=True, skipped_by=JOINED)


def _merge_rows(
    values: dict[str, Any], group: list[GroupedRow], mapped: list[MappedRow], unit: RowUnit
) -> tuple[str | None, str]:
    """Put the entries of all rows into the first one's list; returns why that is not certain."""
    list_name = LIST_OF_UNIT.get(unit, "")
    entries: list[Any] = []
    for row, mapping in zip(group, mapped, strict=True):
        own = mapping.values.get(list_name, [])
        entries += own if isinstance(own, list) else [own]
        for name in (values.keys() | mapping.values.keys()) - {list_name}:
            if values.get(name) != mapping.values.get(name):
                return (
                    f'its rows {group[0].location} and {row.location} differ in "{name}". Correct '
                    "one.",
                    f'rows of one record differ in "{name}"',
                )
    people = PEOPLE_LISTS.get(list_name)
    references = [
        entry[people.reference]
        for entry in entries
        if people and isinstance(entry, dict) and people.reference in entry
    ]
    if people and len(set(references)) != len(references):
        return (
            f"two of its rows from {group[0].location} on are of one {people.singular}. Remove "
            "one.",
            f"two rows of a record are of one {people.singular}",
        )
    if entries:
        values[list_name] = entries
    return None, ""
