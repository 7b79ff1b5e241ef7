"""Where records come from. A source yields each record, still raw, with its place.

``raw`` is the JSON line as it was read, or a mapping of Python values. Nothing is checked here but
what keeps a file from being read at all, which raises SourceError.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from indexer import fieldmap
from indexer.errors import SourceError
from indexer.fieldmap import FieldMap
from indexer.records import DELETED
from indexer.sources import csv_tables, jsonl
from indexer.sources.raw import RawRecord

_JSON_ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")

__all__ = ["RawRecord", "check", "read", "reads", "size", "tombstones"]


def read(paths: Iterable[Path], fields: FieldMap = fieldmap.PLAIN) -> Iterator[RawRecord]:
    """Every record of the files and folders, in order. Raises SourceError.

    Rows of CSV come under our names; JSON lines as they were read.
    """
    every = list(paths)
    names = Counter(_file(path).name for path in every)
    for path in every:
        raws = csv_tables.read(path, fields) if _opener(path) == "csv" else jsonl.read(path)
        if names[_file(path).name] > 1:  # a place is that of one record alone
            folder = _file(path).parent
            raws = (replace(raw, place=f"{folder / raw.place}") for raw in raws)
        yield from raws


def check(paths: Iterable[Path]) -> None:
    """Raise SourceError for a path that can never be read, before anything is built."""
    seen: set[Path] = set()
    for path in paths:
        _opener(path)
        file = _file(path).resolve()
        if file in seen:
            raise SourceError(f"{path}: is given twice. Name it once.")
        seen.add(file)


def reads(paths: Iterable[Path], file: Path) -> bool:
    """Whether a file is one of those that the paths stand for."""
    return file.exists() and any(
        file.samefile(one)
        for path in paths
        for one in (path, *_file(path).parent.glob("*.csv"))
        if one.exists()
    )


def _file(path: Path) -> Path:
    """The file that a path names, of a folder its crimes.csv."""
    return path / csv_tables.CRIMES if path.is_dir() else path


def tombstones(path: Path) -> Iterator[RawRecord]:
    """Word of a deletion for every reference of a text file, one a line. Raises SourceError."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if reference := line.strip():
                    raw = {"crime_ref": reference, "status": DELETED}
                    yield RawRecord(f"{path.name}:{number}", raw, 0)
    except UnicodeDecodeError:
        raise SourceError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}). Check its rights.") from None


def size(paths: Iterable[Path]) -> int:
    """The bytes of all files together, for a progress bar."""
    files = [
        file for path in paths for file in ([*path.glob("*.csv")] if path.is_dir() else [path])
    ]
    return sum(file.stat().st_size for file in files)


def _opener(path: Path) -> Literal["csv", "json"]:
    try:
        path.stat()
    except FileNotFoundError:
        raise SourceError(f"{path}: there is no such file. Check the path.") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    if path.is_dir():
        if not (path / csv_tables.CRIMES).is_file():
            raise SourceError(
                f"{path}: is a folder without {csv_tables.CRIMES}. Name the files, or a folder of "
                "CSV tables."
            )
        return "csv"
    if path.name.endswith(_JSON_ENDINGS):
        return "json"
    if path.suffix == ".csv":
        return "csv"
    raise SourceError(
        f"{path}: is not a kind of file foidex reads. Name it .jsonl, .jsonl.gz or .csv."
    )
