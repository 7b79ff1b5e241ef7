"""Rejects files: the records that a load set aside, and the reasons.

They are written by a load, listed in messages, and searched when a record is forgotten.
"""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, TextIO

import msgspec
from msgspec import Struct

from indexer.errors import OutputError, SourceError
from indexer.files import PRIVATE, Folder, find_part_target, open_folder, open_private_file
from indexer.loading.faults import list_kinds
from indexer.loading.rejected_tables import (
    TABLE_ENDING,
    RejectedTable,
    RejectsLayout,
    holds_formula,
    holds_reference,
    split_table,
)
from indexer.loading.tally import Tally
from indexer.sources.base import RawRecord, SourceRows

_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")

_CUT_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")

_SHORT_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


_REJECTS_NAME: Final = re.compile(rf".+(\.jsonl|{re.escape(TABLE_ENDING)})", re.DOTALL)

#: What a load calls its files: by the generation, with a number if there are several.
_OWN_NAME: Final = re.compile(
    rf"[a-z][a-z0-9_-]*-\d{{8}}-\d{{6}}(-\d+)*(\.jsonl|{re.escape(TABLE_ENDING)}|\.reasons\.txt)"
)

_FORMULA_WARNING: Final = (
    "A cell begins like a formula: open the rejects in a text editor, or import all columns as "
    "text."
)

_FORGOTTEN_NOTE: Final = (
    "It is, or may be, a record that was forgotten, so it is not in the file of rejects."
)

LineOwner = Literal["its", "another's", "unclear"]


class ForgottenRecords(Struct, frozen=True):
    """The references of forgotten records, and the name that a reference has in the source."""

    references: frozenset[str] = frozenset()
    field: str = "crime_ref"

    def hold(self, raw: RawRecord, line: bytes) -> bool:
        """Whether a record, or its line, is of one of them or cannot be told from one."""
        if not self.references:
            return False
        if isinstance(raw.origin, SourceRows):
            header = list(raw.origin.header)
            rows = [header, *([str(cell) for cell in row] for row in raw.origin.rows)]
            owners = (
                owner
                for reference in self.references
                for owner in _classify_rows(rows, reference, self.field)
            )
        else:
            owners = (
                _classify_rejects_line(line, reference, self.field) for reference in self.references
            )
        return any(owner != "another's" for owner in owners)


NOTHING_FORGOTTEN: Final = ForgottenRecords()


class Rejects:
    """Writes rejected records whole, and their reasons into a second file.

    A record is one line of JSON. One that was read from rows of a table is written as these rows,
    into a file that ends in .csv, with the columns of ``layout``.

    Both files are created with the first record and are readable by the owner only. With ``keep``
    an existing file is left alone and the next free name is used, in a folder that is foidex's own
    and private. Of a record that was forgotten, only the place and the reason are written.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep: bool = False,
        layout: RejectsLayout | None = None,
        forgotten: ForgottenRecords = NOTHING_FORGOTTEN,
    ) -> None:
        self.path = path
        self._forgotten = forgotten
        self._keep = keep
        self._table = RejectedTable(layout or RejectsLayout())
        self._records: dict[bool, BinaryIO] = {}
        self._reasons: TextIO | None = None

    @property
    def reasons(self) -> Path:
        """The file of the reasons."""
        return self.path.with_suffix(".reasons.txt")

    def add(self, raw: RawRecord, reason: str) -> None:
        """Write a record and its reason. Raises SourceError where they cannot be written."""
        is_table = isinstance(raw.origin, SourceRows)
        if isinstance(raw.origin, SourceRows) and holds_formula(raw.origin):
            reason = f"{reason} {_FORMULA_WARNING}"
        try:
            reasons = self._reasons or self._open_reasons(is_table=is_table)
            records = self._records.get(is_table) or self._open_records(is_table=is_table)
            line = self._encode_record(raw)
            if self._forgotten.hold(raw, line):
                reason = f"{reason} {_FORGOTTEN_NOTE}"
            else:
                records.write(line)
            reasons.write(f"{raw.location}: {reason}\n")
        except OSError as error:
            raise self._make_write_error(error) from None

    def _open_reasons(self, *, is_table: bool) -> TextIO:
        if is_table:
            self.path = self.path.with_suffix(TABLE_ENDING)
        with open_folder(self.path.parent, create=PRIVATE) as folder:
            if self._keep:
                folder.make_private()
                self.path = _find_unused_path(folder, self.path)
        self._reasons = open(  # noqa: SIM115 - closed by close()
            self.reasons, "w", encoding="utf-8", opener=open_private_file
        )
        return self._reasons

    def _open_records(self, *, is_table: bool) -> BinaryIO:
        """The file of one kind; the second kind, such as a deletion, stands beside the first."""
        path = self.path
        if self._records:
            path = path.with_suffix(TABLE_ENDING if is_table else ".jsonl")
        file = open(path, "wb", opener=open_private_file)  # noqa: SIM115 - closed by close()
        self._records[is_table] = file
        return file

    def _encode_record(self, raw: RawRecord) -> bytes:
        if isinstance(raw.origin, SourceRows):
            return self._table.encode(raw.origin)
        source = raw.origin or raw.raw
        line = source if isinstance(source, bytes) else msgspec.json.encode(source)
        return line if line.endswith(b"\n") else line + b"\n"

    def close(self) -> None:
        """Close the files, if any were opened. Raises SourceError where they cannot be written."""
        try:
            with ExitStack() as stack:
                for file in (*self._records.values(), self._reasons):
                    if file is not None:
                        stack.callback(file.close)  # which writes what is left, and may fail
        except OSError as error:
            raise self._make_write_error(error) from None

    def _make_write_error(self, error: OSError) -> SourceError:
        advice = "folder with FOIDEX_HOME" if self._keep else "file with --rejects"
        return SourceError(
            f"{self.path}: rejected records cannot be written ({error.strerror}), so the load "
            f"stopped. Free some space there, or choose another {advice}."
        )


def list_rejects_files(path: Path, *, tables: bool) -> tuple[Path, ...]:
    """Every file that may be written for a rejects file of this name; with ``tables``, records may
    be rows of tables, which are in a file of another ending."""
    reasons = path.with_suffix(".reasons.txt")
    if not tables:
        return (path, reasons)
    return (path, path.with_suffix(TABLE_ENDING), path.with_suffix(".jsonl"), reasons)


def is_written_here(folder: Folder, name: str) -> bool:
    """Whether a file of a rejects folder is one that a load wrote, or had begun to write, by its
    name and its owner."""
    own_name = find_part_target(name) or name
    return bool(_OWN_NAME.fullmatch(own_name)) and folder.is_own_file(name)


def list_reasons(tally: Tally) -> list[str]:
    """The first reasons, one a line; if there are more rejected records, all of them by kind."""
    unlisted = tally.rejected - len(tally.reasons)
    if not unlisted:
        return tally.reasons
    kinds = list_kinds(tally.faults.list_kinds())
    return [*tally.reasons, f"... and {unlisted:,} more. All of them by kind:", *kinds]


def _find_unused_path(folder: Folder, path: Path) -> Path:
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    candidates = itertools.chain([path], numbered)
    return next(candidate for candidate in candidates if folder.find_mode(candidate.name) is None)


class RejectsErasure(Struct, frozen=True):
    """One rejects file: how many lines were removed, and how many are unclear, since they name the
    reference and do not tell whose record they are. A person must check those."""

    path: str
    removed: int
    unclear: int


def erase_from_rejects(folder: Path, reference: str, reference_field: str) -> list[RejectsErasure]:
    """Remove a record's lines from the rejects files of a folder; returns the files concerned.

    ``reference_field`` is the name that the reference has in the source's records. Raises
    OutputError for a file that cannot be searched or replaced.
    """
    try:
        return list(_erase_from_folder(folder, reference, reference_field))
    except OSError as error:
        raise OutputError(
            f"{error.filename or folder}: cannot be searched for the record ({error.strerror}). "
            "Look into it yourself, move it away, and run the command again."
        ) from None


def _erase_from_folder(
    folder: Path, reference: str, reference_field: str
) -> Iterator[RejectsErasure]:
    try:
        opened = open_folder(folder, writes=True)
    except FileNotFoundError:
        return
    with opened:
        opened.remove_parts(_REJECTS_NAME)  # of a run that was killed in the middle of this
        yield from _erase_from_files(opened, reference, reference_field)


def _erase_from_files(
    folder: Folder, reference: str, reference_field: str
) -> Iterator[RejectsErasure]:
    for name in filter(_REJECTS_NAME.fullmatch, folder.list_names()):
        data = folder.read_file(name)
        if name.endswith(TABLE_ENDING):
            lines, rows = split_table(data)
            owners = _classify_rows(rows, reference, reference_field)
        else:
            lines = io.BytesIO(data).readlines()
            owners = [_classify_rejects_line(line, reference, reference_field) for line in lines]
        if removed_count := owners.count("its"):
            remaining_lines = [
                line for line, owner in zip(lines, owners, strict=True) if owner != "its"
            ]
            written_at = folder.find_change_time(name)
            folder.write_file(name, b"".join(remaining_lines), PRIVATE)
            folder.set_change_time(name, written_at)  # from which its age is counted
        if removed_count or "unclear" in owners:
            yield RejectsErasure(str(folder.path / name), removed_count, owners.count("unclear"))


def _classify_rows(rows: list[list[str]], reference: str, reference_field: str) -> list[LineOwner]:
    """Whose record each row of a table is, by the column of the references. A row without a
    reference continues the one before it; unclear is one that names the reference, and either
    continues another's record, or is in a table without such a column."""
    owners: list[LineOwner] = []
    column: int | None = None
    last: LineOwner = "another's"
    for row in rows:
        names = [name.removeprefix("\ufeff") for name in row]
        if column is None and reference_field in names:
            column = names.index(reference_field)
            owners.append("another's")
            continue
        if column is not None and column < len(row) and row[column].strip():
            last = "its" if holds_reference(row[column], reference) else "another's"
            owners.append(last)
        elif last == "another's" and any(reference in cell for cell in row):
            owners.append("unclear")  # of this row alone: the next may not name it
        else:
            owners.append(last)
    return owners


def _classify_rejects_line(line: bytes, reference: str, reference_field: str) -> LineOwner:
    """Whose record a line is; unclear where it names the reference but is not a record, or one
    without a reference, such as that of a source that calls it otherwise."""
    names = {reference_field, "crime_ref"}
    record = _parse_rejects_line(line)
    references = [
        text
        for field in names
        for value in (*_find_fields(record, [field]), *_find_fields(record, field.split(".")))
        if value is not None and (text := str(value).strip())
    ]
    if not references:
        return "unclear" if _may_name_reference(line, reference, names) else "another's"
    return "its" if reference in references else "another's"


def _find_fields(record: Any, path: list[str]) -> Iterator[Any]:
    """The values of a field by its path; objects are lists of pairs."""
    if not path:
        yield record
    elif isinstance(record, list):
        for pair in record:
            if isinstance(pair, tuple) and pair[0] == path[0]:
                yield from _find_fields(pair[1], path[1:])


def _may_name_reference(line: bytes, reference: str, field_names: set[str]) -> bool:
    """Whether a line that is not JSON, such as one cut short, names a reference, however it is
    escaped, or ends in the middle of it."""
    text = _CUT_ESCAPE.sub("", line.decode("utf-8", "replace").rstrip())
    text = _ESCAPE.sub(_unescape_character, text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins pairs
    if reference in text:
        return True
    key, _, value = text.rpartition(":")
    value = value.strip().removeprefix('"')
    is_cut = key.rstrip().endswith(tuple(f'"{name}"' for name in field_names))
    return is_cut and reference.startswith(value.rstrip("\ufffd"))


def _unescape_character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _SHORT_ESCAPES.get(match[2], match[2])


def _parse_rejects_line(line: bytes) -> list[tuple[str, Any]] | None:
    """The fields of a record; one that is given twice, which is why it was rejected, is there
    twice."""
    try:
        msgspec.json.decode(line, type=dict[str, Any])
        fields: list[tuple[str, Any]] = json.loads(line, object_pairs_hook=list)
        return fields
    except (ValueError, RecursionError):
        return None
