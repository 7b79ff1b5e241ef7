"""Open a file of any kind as its tables."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from indexer.errors import SourceError
from indexer.sources.tables.delimited import (
    DELIMITER_WORDS,
    Dialect,
    detect_dialect,
    read_delimited_rows,
)
from indexer.sources.tables.encoding import OpenBytes, check_encoding, detect_encoding
from indexer.sources.tables.json_objects import flatten_object, read_json_objects, write_one_line
from indexer.sources.tables.spreadsheet import (
    SPREADSHEET_ENDINGS,
    Workbook,
)
from indexer.sources.tables.table import SourceTable, TableRow
from indexer.sources.tables.zipped import list_members, open_packed
from indexer.terminal import show_apart, show_name

TEXT_ENDINGS: Final = (".csv", ".txt", ".tsv", ".tab")

JSON_ENDINGS: Final = (".jsonl", ".ndjson", ".json")

#: The kinds of file that a profile or ``inspect`` can be about.
TABLE_ENDINGS: Final = (
    *TEXT_ENDINGS,
    *JSON_ENDINGS,
    *(f"{ending}.gz" for ending in (*TEXT_ENDINGS, *JSON_ENDINGS)),
    *SPREADSHEET_ENDINGS,
    ".zip",
)


class LayoutRules(Struct, frozen=True):
    """What is known of the layout beforehand: the encoding and the delimiter of a text, and the
    patterns for the sheets of a spreadsheet. ``partial`` is true if unlisted ones may be there."""

    encoding: str | None = None
    delimiter: str | None = None
    sheets: tuple[str, ...] = ()
    ignore_sheets: tuple[str, ...] = ()
    partial: bool = False


def open_tables(path: Path, layout: LayoutRules) -> list[SourceTable]:
    """The tables of a file, each with what opens its rows. Raises SourceError."""
    name = path.name.lower()
    if name.endswith(SPREADSHEET_ENDINGS):
        return _open_sheets(path, layout)
    if name.endswith(".zip"):
        members = list_members(path)
        shown = show_apart(member for member, _ in members)
        return [
            _open_text(f"{path}/{label}", f"{path.name}/{label}", open_bytes, layout)
            for label, (member, open_bytes) in zip(shown, members, strict=True)
            if _require_text_member(path, member)
        ]
    open_bytes = partial(open_packed, path)
    if name.removesuffix(".gz").endswith(JSON_ENDINGS):
        rows = partial(_read_object_rows, str(path), path.name, open_bytes)
        return [SourceTable(path.name, rows, keyed=True, encoding="utf-8")]
    if name.removesuffix(".gz").endswith(TEXT_ENDINGS):
        return [_open_text(str(path), path.name, open_bytes, layout)]
    raise make_unknown_kind_error(path)


def make_unknown_kind_error(path: Path) -> SourceError:
    """The error for a file whose name ends in none of the endings of a table."""
    return SourceError(
        f"{path}: is not a kind of file that foidex reads. It reads {', '.join(TABLE_ENDINGS)}. "
        "Rename it, or save it as CSV UTF-8."
    )


def _require_text_member(path: Path, member: str) -> bool:
    if member.lower().endswith(TEXT_ENDINGS):
        return True
    raise SourceError(
        f"{path}: holds {show_name(member)}, and a zip may hold {', '.join(TEXT_ENDINGS)} only. "
        "Unpack it, and give the files of records."
    )


def _open_text(path: str, name: str, open_bytes: OpenBytes, layout: LayoutRules) -> SourceTable:
    encoding = (
        check_encoding(path, open_bytes, layout.encoding)
        if layout.encoding
        else detect_encoding(path, open_bytes)
    )
    dialect = detect_dialect(path, open_bytes, encoding)
    if layout.delimiter and dialect.delimiter != layout.delimiter:
        dialect = Dialect(layout.delimiter, "[source.profile] says so", dialect.sep_line)
    word = DELIMITER_WORDS.get(dialect.delimiter or "", dialect.delimiter)
    evidence = [f"{encoding.name}: {encoding.evidence}"]
    evidence.append(f"delimiter {word or 'not certain'}: {dialect.evidence}")
    return SourceTable(
        name,
        partial(read_delimited_rows, path, name, open_bytes, encoding, dialect),
        delimiter=dialect.delimiter,
        encoding="DECIDE" if encoding.mixed else encoding.name,
        evidence=tuple(evidence),
    )


def _open_sheets(path: Path, layout: LayoutRules) -> list[SourceTable]:
    tables = []
    workbook = Workbook(path)
    sheets = workbook.sheets
    for pattern in layout.sheets:
        if not any(fnmatchcase(sheet.name, pattern) for sheet in sheets):
            raise SourceError(
                f'{path}: has no sheet "{show_name(pattern)}", which [source.profile] sheets '
                f"names. Its sheets are {', '.join(show_name(sheet.name) for sheet in sheets)}. "
                "Correct sheets, or the export."
            )
    for sheet in sheets:
        is_chosen = not layout.sheets or _matches(sheet.name, layout.sheets)
        if _matches(sheet.name, layout.ignore_sheets):
            continue
        if not is_chosen and not layout.partial:
            if next(workbook.read_rows(sheet), None) is None:
                continue
            raise SourceError(
                f'{path}: has a new sheet "{show_name(sheet.name)}". Add it to sheets or to '
                "ignore_sheets of [source.profile]."
            )
        rows = partial(workbook.read_rows, sheet)
        tables.append(
            SourceTable(sheet.name, rows, hidden=sheet.hidden, uncomputed=sheet.uncomputed)
        )
    return tables


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _read_object_rows(path: str, name: str, open_bytes: OpenBytes) -> Iterator[TableRow]:
    for number, (value, source) in enumerate(read_json_objects(path, open_bytes), start=1):
        location = f"{name}, object {number}"
        data = write_one_line(source)
        error = None
        fields: dict[str, object] = {}
        if isinstance(value, dict):
            try:
                fields = flatten_object(value)
            except ValueError as reason:
                error = f"{reason}. Correct the export."
        else:
            error = "is not an object. A record is one JSON object."
        if "(a field that stands twice)" in str(list(fields)):
            error = "names a field twice. Keep one of the two."
        yield TableRow(location, [fields], len(data), error, data)
