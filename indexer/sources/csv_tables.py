"""Records as CSV tables: crimes.csv, and victims.csv, links.csv, narratives.csv if there are."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from indexer.errors import SourceError
from indexer.fieldmap import FieldMap
from indexer.sources import joined
from indexer.sources.joined import CHILDREN, KEY, Row, Table
from indexer.sources.raw import RawRecord

CRIMES: Final = "crimes.csv"
_FIELD_LIMIT: Final = 32 * 1024 * 1024


def read(path: Path, fields: FieldMap) -> Iterator[RawRecord]:
    """Every record of a crimes.csv (or a folder with one) and the tables beside it.

    Raises SourceError for a table whose header or encoding is wrong.
    """
    crimes = path / CRIMES if path.is_dir() else path
    csv.field_size_limit(_FIELD_LIMIT)
    beside = [
        (table, crimes.with_name(f"{table.name}.csv"))
        for table in CHILDREN
        if crimes.name == CRIMES and crimes.with_name(f"{table.name}.csv").is_file()
    ]
    columns, required = joined.crime_columns((table for table, _ in beside), fields.categories)
    rows = _rows(crimes, columns, required, fields.ours)
    children = [(table, _child_rows(table, file, fields)) for table, file in beside]
    yield from joined.records(CRIMES, rows, children, fields.categories)


def _child_rows(table: Table, file: Path, fields: FieldMap) -> Iterator[Row]:
    def ours(theirs: str) -> str | None:
        return table.ours(theirs, fields)

    for row in _rows(file, (KEY, *table.columns), {KEY, *table.required}, ours):
        if row.error:
            # Which record it belongs to cannot be told, so it cannot be set aside with it.
            raise SourceError(f"{file.parent / row.place}: {row.error}")
        yield row


def _rows(
    file: Path,
    columns: tuple[str, ...],
    required: Iterable[str],
    ours: Callable[[str], str | None],
) -> Iterator[Row]:
    """Every row that is not blank, under our names; the header is checked against the columns."""
    line = 1
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text, strict=True)
            first = next(rows, None)
            header = _checked(file, first, columns, required, ours)
            kept = frozenset(required)
            line = rows.line_num + 1
            for row in rows:
                place = f"{file.name}:{line}"
                line = rows.line_num + 1
                if row == first:
                    again = "repeats the first line, the names of the columns. Remove the row."
                    yield _row(place, header, row, kept)._replace(error=again)
                elif row:
                    yield _row(place, header, row, kept)
    except UnicodeDecodeError:
        raise SourceError(f"{file}: is not UTF-8 text. Save it as CSV UTF-8.") from None
    except csv.Error:
        raise SourceError(
            f"{file}:{line}: is not CSV: a quote is not closed, or a field is over "
            f"{_FIELD_LIMIT // 1024 // 1024} MB. Correct the row."
        ) from None
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error.strerror}). Check its rights.") from None


def _row(place: str, header: list[str | None], row: list[str], kept: frozenset[str]) -> Row:
    """A row without what is empty, but for what a record must have."""
    size = sum(map(len, row)) + len(row)
    values = {
        name: _value(name, text)
        for name, text in zip(header, row, strict=False)
        if name and (text or name in kept)
    }
    if len(row) == len(header):
        return Row(place, size, values)
    extra = {f"extra_{number}": text for number, text in enumerate(row[len(header) :], start=1)}
    return Row(
        place,
        size,
        values | extra,
        f"has {len(row)} columns where the header has {len(header)}. "
        "Quote the fields that hold commas or line breaks.",
    )


def _checked(
    file: Path,
    theirs: list[str] | None,
    columns: tuple[str, ...],
    required: Iterable[str],
    ours: Callable[[str], str | None],
) -> list[str | None]:
    if theirs is None:
        raise SourceError(f"{file}: is empty. Its first line must name the columns.")
    if not any(ours(name) in columns for name in theirs):
        # It may be a record, so it is not shown.
        raise SourceError(
            f"{file}:1: names no column foidex knows. The first line must name the columns, with "
            f"commas between: {', '.join(columns)}."
        )
    return joined.header(f"{file}:1", theirs, columns, required, ours)


def _value(name: str, text: str) -> Any:
    """The text as a record's value: a whole number where the field has one and the text is one."""
    return joined.whole(text) if name in joined.WHOLE_NUMBERS else text
