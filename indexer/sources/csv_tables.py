"""Read records from CSV tables: crimes.csv, with optional victims, suspects, links and
narratives.csv."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from indexer.config.field_map import FieldMap
from indexer.errors import SourceError
from indexer.files import open_input
from indexer.sources.base import MAX_RECORD_BYTES, RawRecord, RecordStream, RecordTooLongError
from indexer.sources.join import (
    CHILD_TABLES,
    JOIN_KEY,
    WHOLE_NUMBER_FIELDS,
    ChildRows,
    ChildTable,
    SourceRow,
    convert_whole_number,
    join_records,
    list_crime_columns,
    map_header,
)
from indexer.sources.tables.enclosed_rows import ENCLOSED_KIND, EnclosedRows
from indexer.sources.tables.open_file import TABLE_ENDINGS
from indexer.sources.tables.spreadsheet import SPREADSHEET_ENDINGS
from indexer.terminal import name_place, show_name

CRIMES_FILE: Final = "crimes.csv"

#: Of a table in any form that somebody may deliver.
_OTHER_ENDINGS: Final = frozenset(
    (*TABLE_ENDINGS, *(f".csv.{packing}" for packing in ("zip", "bz2", "xz", "zst", "7z")))
)

#: Of a table that may hold records; a text or JSON beside the tables may be anything.
_RECORD_ENDINGS: Final = (".csv", ".csv.gz", ".tsv", *SPREADSHEET_ENDINGS)

_MAX_NAMES: Final = 5

#: What follows the name of a table in that of a part or a copy: "_2", " (1)", "-part-2", "2024-01".
_NUMBERED: Final = re.compile(r"[ _.()-]*(?:part)?[ _.()-]*[0-9][0-9 _.()-]*")

# How spreadsheets keep the leading zeros of a text: ="0012", or with its quotes doubled.
_TEXT_FORMULA: Final = re.compile(r'="{1,2}([^"]*)"{1,2}')


def list_child_files(crimes: Path) -> list[tuple[ChildTable, Path]]:
    """The tables that belong to a table of crimes, with their files, whether they exist or not.

    Raises SourceError for one that is there and would be passed over: then every victim, for
    instance, would be missing without a word.
    """
    if crimes.name != CRIMES_FILE:
        return []
    files = [(table, crimes.with_name(f"{table.name}.csv")) for table in CHILD_TABLES]
    for _, file in files:
        _refuse_passing_over(file)
    return files


def _refuse_passing_over(file: Path) -> None:
    if file.is_file():
        return
    if os.path.lexists(file):
        raise SourceError(
            f"{file}: is not an ordinary file, nor a link to one that is there, so its rows would "
            "be missing. Put the table there, or remove it."
        )
    with suppress(OSError):  # a folder that cannot be listed, or is not there
        for other in sorted(os.listdir(file.parent)):  # noqa: PTH208 - names, not paths
            if _is_other_form(other, file.stem):
                is_text = other.lower().endswith(".csv")
                remedy = "Rename it" if is_text else "Unpack it, or save it as CSV, under this name"
                raise SourceError(
                    f"{file.with_name(other)}: is not read, as the table must be called "
                    f"{file.name}. {remedy}, or move it to another folder."
                )


def refuse_numbered_tables(files: Iterable[Path]) -> None:
    """Raise SourceError for a part or a copy of a table beside it, such as victims_2.csv, that is
    not among the files to read: its rows would be missing without a word."""
    file_list = list(files)
    source_files = {file.resolve() for file in file_list}
    for folder in sorted({file.parent for file in file_list if file.name == CRIMES_FILE}):
        file_names = []
        with suppress(OSError):  # a folder that cannot be listed
            file_names = sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
        for file_name in file_names:
            table = _find_numbered_table(file_name)
            # Beside a link to the newest there are earlier ones.
            if table is None or (folder / f"{table}.csv").is_symlink():
                continue
            if (folder / file_name).resolve() not in source_files:
                raise SourceError(
                    f"{folder / file_name}: is not read, as the rows of this table must all be in "
                    f"{table}.csv. Add them to it, or move the file to another folder."
                )


def describe_unread_tables(crimes: Path, paths: Iterable[Path]) -> str:
    """What to note of other tables beside a crimes.csv, which are not read and none of the paths
    names; empty if there are none. Beside a link to the newest there are earlier ones."""
    if crimes.name != CRIMES_FILE or crimes.is_symlink():
        return ""
    read_names = {CRIMES_FILE, *(f"{table.name}.csv" for table in CHILD_TABLES)}
    read_names |= {path.name for path in paths}
    file_names: list[str] = []
    with suppress(OSError):  # a folder that cannot be listed
        file_names = sorted(os.listdir(crimes.parent))  # noqa: PTH208 - names, not paths
    unread_names = [
        show_name(name)
        for name in file_names
        if name.lower().endswith(_RECORD_ENDINGS)
        and name not in read_names
        and not name.startswith((".", "~"))
    ]
    if not unread_names:
        return ""
    listing = ", ".join(f'"{name}"' for name in unread_names[:_MAX_NAMES])
    more = len(unread_names) - _MAX_NAMES
    return (
        f"beside the tables of a folder {listing}{f' and {more:,} more' if more > 0 else ''} "
        f"{'is' if len(unread_names) == 1 else 'are'} not read, because no table has such a name"
    )


def _find_numbered_table(file_name: str) -> str | None:
    """The table that a file is named after, with a number, in any form that a table can have."""
    stem = _find_table_stem(file_name)
    tables = (CRIMES_FILE.removesuffix(".csv"), *(table.name for table in CHILD_TABLES))
    return next(
        (
            table
            for table in tables
            if stem is not None
            and stem.startswith(table)
            and _NUMBERED.fullmatch(stem.removeprefix(table))
        ),
        None,
    )


def _is_other_form(name: str, table_name: str) -> bool:
    """Whether the name of a file is plainly that of a table that has another kind, capitals, or
    the singular."""
    return _find_table_stem(name) in (table_name, table_name.removesuffix("s"))


def _find_table_stem(file_name: str) -> str | None:
    """The name of a file in small letters and without its ending; None if no table ends so."""
    lowered = file_name.lower()
    endings = [ending for ending in _OTHER_ENDINGS if lowered.endswith(ending)]
    return lowered.removesuffix(max(endings, key=len)) if endings else None


def read_csv_tables(
    path: Path, fields: FieldMap, counts: Counter[Path] | None = None
) -> Iterator[RawRecord]:
    """Every record of a crimes.csv (or a folder with one) and the tables beside it.

    ``counts`` takes the number of rows of each file. Raises SourceError for a table whose header or
    encoding is wrong.
    """
    crimes = path / CRIMES_FILE if path.is_dir() else path
    csv.field_size_limit(MAX_RECORD_BYTES)
    child_files = [(table, file) for table, file in list_child_files(crimes) if file.is_file()]
    columns, required = list_crime_columns((table for table, _ in child_files), fields.categories)
    counts = Counter() if counts is None else counts
    rows = _count_rows(
        crimes, _read_csv_rows(crimes, columns, required, fields.target_name), counts
    )
    blanks: Counter[Path] = Counter()
    children = [
        ChildRows(table, _count_rows(file, _read_child_rows(table, file, fields, blanks), counts))
        for table, file in child_files
    ]
    yield from join_records(CRIMES_FILE, rows, children, fields.categories)
    for file in blanks.elements():
        yield RawRecord(file.name, {}, 0, blank=True)


def _count_rows(
    file: Path, rows: Iterator[SourceRow], counts: Counter[Path]
) -> Iterator[SourceRow]:
    for row in rows:
        counts[file] += not row.blank
        yield row


def _read_child_rows(
    table: ChildTable, file: Path, fields: FieldMap, blanks: Counter[Path]
) -> Iterator[SourceRow]:
    """Every row that is not blank; ``blanks`` takes the number of the others."""

    def map_column(source_column: str) -> str | None:
        return table.target_column(source_column, fields)

    for row in _read_csv_rows(
        file, (JOIN_KEY, *table.columns), {JOIN_KEY, *table.required}, map_column
    ):
        if row.blank:
            blanks[file] += 1
            continue
        if row.error:
            # It is unknown which record it belongs to, so it cannot be rejected with that record.
            raise SourceError(f"{file.parent / row.location}: {row.error}")
        yield row


def _read_csv_rows(
    file: Path,
    columns: tuple[str, ...],
    required: Iterable[str],
    map_column: Callable[[str], str | None],
) -> Iterator[SourceRow]:
    """Every row with our names, blank ones marked; the header is checked against the columns."""
    line = 1
    try:
        stream = RecordStream(open_input(file))
        with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text, strict=True)
            first = next(rows, None)
            header = _check_csv_header(file, first, columns, required, map_column)
            required_columns = frozenset(required)
            enclosed = EnclosedRows(header.index(JOIN_KEY), first or [], ",")
            name = name_place(file.name)
            line = rows.line_num + 1
            stream.end_record()
            for row in rows:
                stream.end_record()
                location = f"{name}:{line}"
                line = rows.line_num + 1
                if row == first:
                    reason = "repeats the first line with the names of the columns. Remove the row."
                    yield _parse_csv_row(location, header, row, required_columns)._replace(
                        error=reason, error_kind="repeats the names of the columns"
                    )
                elif any(map(str.strip, row)):
                    parsed = _parse_csv_row(location, header, row, required_columns)
                    if parsed.error is None and (error := enclosed.find_error(row, location)):
                        parsed = parsed._replace(error=error, error_kind=ENCLOSED_KIND)
                    yield parsed
                else:
                    yield SourceRow(location, 0, {}, blank=True)
            enclosed.check_end(str(file))
    except UnicodeDecodeError:
        raise SourceError(
            f"{file}: is not UTF-8 text. If it has columns of its own, run "
            f'"foidex inspect {file} --write" to write a profile that reads it as it is; do not '
            "save it in a spreadsheet, which changes codes such as 8/1. Or export it as UTF-8."
        ) from None
    except (csv.Error, RecordTooLongError):
        raise SourceError(
            f"{file}:{line}: is not CSV: a quote is not closed, or the row is over "
            f"{MAX_RECORD_BYTES // 1024 // 1024} MB. Correct the row."
        ) from None
    except OSError as error:
        raise SourceError(
            f"{file}: cannot be read ({error.strerror}). Check its permissions."
        ) from None


def _parse_csv_row(
    location: str, header: list[str | None], row: list[str], required_columns: frozenset[str]
) -> SourceRow:
    """A row without its empty fields, except those that a record must have."""
    size = sum(map(len, row)) + len(row)
    values = {
        name: _parse_csv_value(name, text)
        for name, text in zip(header, row, strict=False)
        if name and (text or name in required_columns)
    }
    if len(row) == len(header):
        return SourceRow(location, size, values)
    extra = {f"extra_{number}": text for number, text in enumerate(row[len(header) :], start=1)}
    return SourceRow(
        location,
        size,
        values | extra,
        f"has {len(row)} columns where the header has {len(header)}. "
        "Quote the fields that hold commas or line breaks.",
        error_kind="has more or fewer columns than the header",
    )


def _check_csv_header(
    file: Path,
    source_columns: list[str] | None,
    columns: tuple[str, ...],
    required: Iterable[str],
    map_column: Callable[[str], str | None],
) -> list[str | None]:
    if source_columns is None:
        raise SourceError(f"{file}: is empty. Its first line must name the columns.")
    if not any(map_column(name) in columns for name in source_columns):
        # The line may be a record, so it is not shown.
        raise SourceError(
            f"{file}:1: names no column that foidex knows. The first line must name the "
            f"columns, separated by commas: {', '.join(columns)}. "
            "If it has columns of its own or another delimiter, run "
            f'"foidex inspect {file} --write" to write a profile that reads it.'
        )
    return map_header(f"{file}:1", source_columns, columns, required, map_column)


def _parse_csv_value(name: str, text: str) -> Any:
    """The text as a record's value: a whole number if the field and the text are of that kind."""
    if name != "narrative" and (formula := _TEXT_FORMULA.fullmatch(text)):
        text = formula[1]
    return convert_whole_number(text) if name in WHOLE_NUMBER_FIELDS else text
