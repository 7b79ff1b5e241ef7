"""Reads a force's own table of offence codes, strictly, and adds it to the Home Office's or
replaces that by it."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from indexer.errors import ConfigurationError
from indexer.files import open_input
from indexer.records.offences.ranges import is_range
from indexer.records.offences.table import CodeScheme, OffenceTable
from indexer.records.offences.validity import Validity
from indexer.suggestions import suggest_name

MAX_OWN_CODES: Final = 20_000

_LINE_END: Final = re.compile("[\n\r]")

_MAX_TABLE_BYTES: Final = 5_000_000

_REQUIRED_COLUMNS: Final = ("code", "title")

_COLUMNS: Final = (*_REQUIRED_COLUMNS, "group", "parent", "valid_from", "valid_to")

#: The most characters of each text.
_MAX_LENGTHS: Final = {"code": 40, "title": 200, "group": 100, "parent": 40}


class OwnOffences(Struct, frozen=True):
    """A force's own table, and whether its codes are added to the Home Office's or are all."""

    path: Path
    scheme: CodeScheme = "home-office"


class _OwnRow(Struct, frozen=True):
    """A row that is valid by itself."""

    line: int
    code: str
    title: str
    group: str
    parent: str
    validity: Validity


def extend_offence_table(built_in: OffenceTable, own: OwnOffences) -> OffenceTable:
    """The Home Office's table with the force's codes, or in an own scheme these alone.

    Raises ConfigurationError, with file and line, for the first row that is wrong.
    """
    rows = _read_rows(own.path)
    base = built_in if own.scheme == "home-office" else OffenceTable({}, {}, {}, scheme="own")
    by_code: dict[str, _OwnRow] = {}
    lines: dict[str, int] = {}
    for row in rows:
        code = base.canonical(row.code) if own.scheme == "home-office" else row.code
        _check_code(own.path, row, code, base)
        if earlier := lines.get(code.upper()):
            fault = f'the code "{row.code}" is already on line {earlier}'
            raise _fault(own.path, row.line, fault, "Remove one of them.")
        lines[code.upper()] = row.line
        by_code[code] = row
    table = _merge(base, by_code, own.scheme)
    parents = {code: table.canonical(row.parent) for code, row in by_code.items() if row.parent}
    _check_parents(own.path, by_code, parents, table)
    table = _merge(base, by_code, own.scheme, parents)
    _check_groups(own.path, by_code, table)
    return table


def _merge(
    base: OffenceTable,
    rows: dict[str, _OwnRow],
    scheme: CodeScheme,
    parents: dict[str, str] | None = None,
) -> OffenceTable:
    groups = {code: row.group for code, row in rows.items() if row.group}
    days = {code: row.validity for code, row in rows.items() if row.validity.is_limited}
    return OffenceTable(
        titles={**base.titles, **{code: row.title for code, row in rows.items()}},
        groups={**base.groups, **groups},
        parents={**base.parents, **(parents or {})},
        composites=base.composites,
        validities={**base.validities, **days},
        scheme=scheme,
        own_codes=frozenset(rows),
    )


def _read_rows(path: Path) -> list[_OwnRow]:
    reader = csv.reader(
        io.StringIO(_read_text(path), newline=""),
        delimiter="\t" if path.suffix.lower() == ".tsv" else ",",
        strict=True,
    )
    rows = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_parse_row(path, reader.line_num, header, cells))
            if len(rows) > MAX_OWN_CODES:
                raise _fault(path, None, f"has more than {MAX_OWN_CODES:,} codes", "Remove some.")
    except csv.Error:
        fault = "cannot be read as CSV: a quote does not end, or stands inside a cell"
        raise _fault(path, reader.line_num, fault, "Correct it.") from None
    if not rows:
        raise _fault(path, None, "has no codes", "Add some, or remove table from [offences].")
    return rows


def _read_text(path: Path) -> str:
    try:
        with open_input(path) as file:
            content = file.read(_MAX_TABLE_BYTES + 1)
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
        raise _fault(path, None, fault, "Correct table in [offences].") from error
    if len(content) > _MAX_TABLE_BYTES:
        fault = f"is larger than {_MAX_TABLE_BYTES:,} bytes, the most that is read"
        raise _fault(path, None, fault, "Remove some codes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fault(path, line, "is not UTF-8 text", "Save the file as UTF-8.") from None


def _check_header(path: Path, header: list[str]) -> None:
    for number, name in enumerate(header):
        if name not in _COLUMNS:
            hint = suggest_name(name, _COLUMNS) or f" The columns are {', '.join(_COLUMNS)}."
            raise _fault(path, 1, f'has an unknown column "{name[:40]}"', hint.strip())
        if name in header[:number]:
            raise _fault(path, 1, f'has the column "{name}" twice', "Remove one.")
    for name in _REQUIRED_COLUMNS:
        if name not in header:
            raise _fault(path, 1, f'has no column "{name}"', "Add it.")


def _parse_row(path: Path, line: int, header: list[str], cells: list[str]) -> _OwnRow:
    if len(cells) != len(header):
        fault = f"has {len(cells)} cells, and the first line has {len(header)} columns"
        raise _fault(path, line, fault, "Put quotes around a cell with a comma.")
    if any(_LINE_END.search(cell) for cell in cells):
        fault = "ends a row with a cell of several lines: a quotation mark may not be closed"
        raise _fault(path, line, fault, "Write each cell on one line.")
    values = {name: " ".join(cell.split()) for name, cell in zip(header, cells, strict=True)}
    for name in _REQUIRED_COLUMNS:
        if not values[name]:
            raise _fault(path, line, f'has no "{name}"', "Fill it in.")
    for name, limit in _MAX_LENGTHS.items():
        text = values.get(name, "")
        if len(text) > limit or not text.isprintable():
            fault = f'"{name}" is not a text of at most {limit} printable characters'
            raise _fault(path, line, fault, "Correct it.")
    start, end = (_parse_day(path, line, name, values) for name in ("valid_from", "valid_to"))
    if start and end and end < start:
        raise _fault(path, line, f"ends ({end}) before it starts ({start})", "Swap the two days.")
    validity = Validity(start, "", end, "")
    group, parent = values.get("group", ""), values.get("parent", "")
    return _OwnRow(line, values["code"], values["title"], group, parent, validity)


def _parse_day(path: Path, line: int, name: str, values: dict[str, str]) -> date | None:
    if not (text := values.get(name, "")):
        return None
    try:
        return msgspec.convert(text, date)
    except msgspec.ValidationError:
        fault = f'"{name}" is "{text[:40]}", not a date (expected YYYY-MM-DD)'
        raise _fault(path, line, fault, "Correct it.") from None


def _check_code(path: Path, row: _OwnRow, code: str, base: OffenceTable) -> None:
    """Raise ConfigurationError for a code of the Home Office, or one that is read as several."""
    if base.has_code(code):
        raise _fault(
            path,
            row.line,
            f'"{row.code}" is already a code of the Home Office ({code} {base.title(code)[:60]})',
            "Remove the line, or choose another code.",
        )
    if is_range(base, row.code):
        fault = f'the code "{row.code}" means a range of codes of the Home Office'
        raise _fault(path, row.line, fault, "Choose another code.")
    if "," in row.code or ";" in row.code:
        fault = f'the code "{row.code}" has a comma or a semicolon, which separates codes'
        raise _fault(path, row.line, fault, "Choose another code.")


def _check_parents(
    path: Path, rows: dict[str, _OwnRow], parents: dict[str, str], table: OffenceTable
) -> None:
    """Raise ConfigurationError for a parent that is not known, or a code above itself."""
    for code, parent in parents.items():
        if not table.has_code(parent):
            hint = suggest_name(rows[code].parent, table.own_codes)
            fault = f'the parent "{rows[code].parent}" of "{code}" is not a known code'
            raise _fault(path, rows[code].line, fault, f"Correct it.{hint}")
        above, step = {code}, parent
        while step in parents and step not in above:
            above.add(step)
            step = parents[step]
        if step in above:
            fault = f'"{code}" is above itself, by way of its parent "{parent}"'
            raise _fault(path, rows[code].line, fault, "Correct the parent.")


def _check_groups(path: Path, rows: dict[str, _OwnRow], table: OffenceTable) -> None:
    """Raise ConfigurationError where a code has another group than the code above it: a record has
    one group."""
    for code, row in rows.items():
        above = next((table.group(step) for step in table.path(code)[1:]), None)
        if row.group and above and row.group != above:
            fault = f'"{code}" is of the group "{row.group}", but what is above it is of "{above}"'
            raise _fault(path, row.line, fault, "Leave out one group, or correct it.")


def _fault(path: Path, line: int | None, fault: str, remedy: str) -> ConfigurationError:
    location = f"{path}:{line}" if line else str(path)
    return ConfigurationError(f"{location}: {fault}. {remedy}")
