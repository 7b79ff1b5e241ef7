"""Read raw records from files: JSON or CSV tables in foidex's own fields, or any by a profile.

Only what keeps a file from being read at all is checked here, and raises SourceError.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from indexer.config.field_map import EMPTY_FIELD_MAP, FieldMap
from indexer.config.profile import SourceProfile
from indexer.errors import SourceError
from indexer.files import open_input
from indexer.records.model import DELETED
from indexer.sources.base import MAX_RECORD_BYTES, RawRecord, RecordStream, RecordTooLongError
from indexer.sources.csv_tables import (
    CRIMES_FILE,
    describe_unread_tables,
    list_child_files,
    read_csv_tables,
    refuse_numbered_tables,
)
from indexer.sources.extract import (
    ExtractChecks,
    ExtractRules,
    describe_open_ends,
    list_sidecars,
)
from indexer.sources.jsonl import read_json_lines
from indexer.sources.profile.reading import read_profiled_file
from indexer.sources.tables.open_file import (
    JSON_ENDINGS,
    TABLE_ENDINGS,
    TEXT_ENDINGS,
    make_unknown_kind_error,
)
from indexer.terminal import name_place

__all__ = [
    "RawRecord",
    "begin_extract_checks",
    "check_paths",
    "measure_sources",
    "paths_include_file",
    "read_records",
    "read_tombstones",
]


def read_records(
    paths: Iterable[Path],
    fields: FieldMap = EMPTY_FIELD_MAP,
    counts: Counter[Path] | None = None,
    profile: SourceProfile | None = None,
) -> Iterator[RawRecord]:
    """Every record of the files and folders, in order; blank lines and rows are marked as such.

    With a profile, files are read as it says. Raises SourceError.

    CSV rows have the record's field names already; JSON lines are as they were read. ``counts``
    takes the number of lines that are not blank, or of rows, of each file.
    """
    path_list = list(paths)
    counts = Counter() if counts is None else counts
    names = Counter(_resolve_file(path).name for path in path_list)
    for path in path_list:
        raws = (
            read_profiled_file(path, profile, fields.categories, counts)
            if profile
            else read_csv_tables(path, fields, counts)
            if _detect_format(path) == "csv"
            else _count_records(path, read_json_lines(path), counts)
        )
        if names[_resolve_file(path).name] > 1:  # a location must belong to one record only
            folder = _resolve_file(path).parent
            raws = (replace(raw, location=f"{folder / raw.location}") for raw in raws)
        files = [_resolve_file(path)]
        notes = [] if profile else [describe_unread_tables(files[0], path_list)]
        if not profile:
            files += (child for _, child in list_child_files(files[0]))
        notes += chain.from_iterable(describe_open_ends(file) for file in files if _is_text(file))
        yield from _name_places(path, _note_files(raws, tuple(filter(None, notes))))


def _is_text(file: Path) -> bool:
    return file.name.lower().removesuffix(".gz").endswith((*TEXT_ENDINGS, ".zip"))


def _note_files(raws: Iterator[RawRecord], notes: tuple[str, ...]) -> Iterator[RawRecord]:
    """The same records; the first has notes of the files that they are read from."""
    for raw in islice(raws, 1):
        yield replace(raw, notes=raw.notes + notes) if notes else raw
    yield from raws


def _name_places(path: Path, raws: Iterator[RawRecord]) -> Iterator[RawRecord]:
    """The same records, each with a place that can be stored, whatever its file is called."""
    if str(path).isprintable():  # what else is in a place was made so
        return raws
    return (replace(raw, location=name_place(raw.location)) for raw in raws)


def _count_records(
    path: Path, raws: Iterator[RawRecord], counts: Counter[Path]
) -> Iterator[RawRecord]:
    for raw in raws:
        counts[path] += not raw.blank
        yield raw


def begin_extract_checks(
    paths: Iterable[Path], tombstones: Iterable[Path], rules: ExtractRules
) -> ExtractChecks:
    """Note the state of every file that will be read, and compare it with its checksum, and the
    times of tables that belong together.

    Raises SourceError, also for a part or a copy of a table that is not read.
    """
    files = [_resolve_file(path) for path in paths]
    refuse_numbered_tables(files)
    children = {file: [child for _, child in list_child_files(file)] for file in files}
    checks = ExtractChecks([*files, *tombstones], [*chain(*children.values())], rules)
    for file in files:
        checks.check_times([file, *children[file]])
    checks.check_checksums()
    return checks


def check_paths(paths: Iterable[Path], profile: SourceProfile | None = None) -> None:
    """Raise SourceError for a path that cannot be read, or is given twice."""
    files: set[Path] = set()
    for path in paths:
        _check_table_path(path) if profile else _detect_format(path)
        file = _resolve_file(path).resolve()
        if file in files:
            raise SourceError(f"{path}: is given twice. Give it once.")
        files.add(file)


def paths_include_file(paths: Iterable[Path], file: Path) -> bool:
    """Whether a file is among the files that would be read for the paths, or beside them to say
    what they must hold."""
    return file.exists() and any(
        file.samefile(sidecar)
        for path in paths
        for candidate in (_resolve_file(path), *_resolve_file(path).parent.glob("*.csv"))
        for sidecar in (candidate, *list_sidecars(candidate))
        if sidecar.exists()
    )


def _resolve_file(path: Path) -> Path:
    """The file that a path names; for a folder, its crimes.csv."""
    return path / CRIMES_FILE if path.is_dir() else path


def read_tombstones(path: Path, counts: Counter[Path] | None = None) -> Iterator[RawRecord]:
    """A deletion for every reference in a text file, one a line; blank lines are marked as such.

    Raises SourceError.

    ``counts`` takes the number of references.
    """
    counts = Counter() if counts is None else counts
    yield from _name_places(path, _count_records(path, _read_references(path), counts))


def _read_references(path: Path) -> Iterator[RawRecord]:
    number = 0
    try:
        stream = RecordStream(open_input(path))
        with io.TextIOWrapper(stream, encoding="utf-8-sig") as text:
            for number, line in enumerate(text, start=1):
                stream.end_record()
                if reference := line.strip():
                    raw = {"crime_ref": reference, "status": DELETED}
                    yield RawRecord(f"{path.name}:{number}", raw, 0)
                else:
                    yield RawRecord(f"{path.name}:{number}", b"", 0, blank=True)
    except UnicodeDecodeError:
        raise SourceError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from None
    except RecordTooLongError:
        raise SourceError(
            f"{path}:{number + 1}: the line is longer than {MAX_RECORD_BYTES // 1024 // 1024} MB, "
            "so this is no list of references. Write one reference a line."
        ) from None
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read ({error.strerror}). Check its permissions."
        ) from None


def measure_sources(paths: Iterable[Path]) -> int:
    """The total size of all files in bytes, for a progress bar."""
    files = [
        file for path in paths for file in ([*path.glob("*.csv")] if path.is_dir() else [path])
    ]
    return sum(file.stat().st_size for file in files)


def _check_table_path(path: Path) -> None:
    _require_existing(path)
    if path.is_dir():
        raise SourceError(
            f"{path}: is a folder, and [source.profile] describes files. Name them, for instance "
            f"{path.name}/*.csv"
        )
    if not path.name.lower().endswith(TABLE_ENDINGS):
        raise make_unknown_kind_error(path)


def _require_existing(path: Path) -> None:
    try:
        path.stat()
    except FileNotFoundError:
        raise SourceError(f"{path}: there is no such file. Check the path.") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None


def _detect_format(path: Path) -> Literal["csv", "json"]:
    _require_existing(path)
    if path.is_dir():
        if not (path / CRIMES_FILE).is_file():
            raise SourceError(
                f"{path}: is a folder without {CRIMES_FILE}. Give the files, or a folder of "
                "CSV tables."
            )
        return "csv"
    if path.name.removesuffix(".gz").endswith(JSON_ENDINGS):
        return "json"
    if path.suffix == ".csv":
        return "csv"
    if path.name.lower().endswith(TABLE_ENDINGS):
        raise SourceError(
            f"{path}: has columns of its own, so foidex needs a profile to read it. Run "
            f'"foidex inspect {path} --write" to write one.'
        )
    raise make_unknown_kind_error(path)
