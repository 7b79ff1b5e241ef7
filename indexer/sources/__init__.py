"""Where records come from. A source yields each record, still raw, with its place.

``raw`` is the JSON line as it was read, or a mapping of Python values. Nothing is checked here but
what keeps a file from being read at all, which raises SourceError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from indexer.errors import SourceError
from indexer.sources import csv_tables, jsonl
from indexer.sources.raw import RawRecord

_JSON_ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")

__all__ = ["RawRecord", "check", "read", "size"]


def read(paths: Iterable[Path]) -> Iterator[RawRecord]:
    """Every record of the files and folders, in order. Raises SourceError."""
    for path in paths:
        yield from _opener(path)(path)


def check(paths: Iterable[Path]) -> None:
    """Raise SourceError for a path that can never be read, before anything is built."""
    for path in paths:
        _opener(path)


def size(paths: Iterable[Path]) -> int:
    """The bytes of all files together, for a progress bar."""
    files = [
        file for path in paths for file in ([*path.glob("*.csv")] if path.is_dir() else [path])
    ]
    return sum(file.stat().st_size for file in files)


def _opener(path: Path) -> Callable[[Path], Iterator[RawRecord]]:
    if not path.exists():
        raise SourceError(f"{path}: there is no such file. Check the path.")
    if path.is_dir():
        if not (path / csv_tables.CRIMES).is_file():
            raise SourceError(
                f"{path}: is a folder without {csv_tables.CRIMES}. Name the files, or a folder of "
                "CSV tables."
            )
        return csv_tables.read
    if path.name.endswith(_JSON_ENDINGS):
        return jsonl.read
    if path.suffix == ".csv":
        return csv_tables.read
    raise SourceError(
        f"{path}: is not a kind of file foidex reads. Name it .jsonl, .jsonl.gz or .csv."
    )
