"""TODO: say what indexer.loading.rejects is for."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from indexer.errors import SourceError
from indexer.sources.base import RawRecord


class Rejects:
    """The rejected records, whole, one JSON line each, with their reasons in a file beside.

    Both are made when the first record comes, for their owner's eyes only. ``keep`` takes the next
    free name where the file is there already, instead of writing over it.
    """

    def __init__(self, path: Path, *, keep: bool = False) -> None:
        self.path = path
        self._keep = keep
        self._records: BinaryIO | None = None
        self._reasons: TextIO | None = None

    @property
    def reasons(self) -> Path:
        """The file of the reasons."""
        return self.path.with_suffix(".reasons.txt")

    def add(self, raw: RawRecord, reason: str) -> None:
        """Set a record aside. Raises SourceError where it cannot be written."""
        try:
            if self._records is None or self._reasons is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path = _find_unused_path(self.path) if self._keep else self.path
                self._records = os.fdopen(_open_rejects_file(self.path), "wb")
                self._reasons = os.fdopen(_open_rejects_file(self.reasons), "w", encoding="utf-8")
            line = raw.raw if isinstance(raw.raw, bytes) else msgspec.json.encode(raw.raw)
            self._records.write(line if line.endswith(b"\n") else line + b"\n")
            self._reasons.write(f"{raw.location}: {reason}\n")
        except OSError as error:
            raise SourceError(
                f"{self.path}: rejected records cannot be written ({error.strerror}), so the load "
                "stopped. Name another file with --rejects."
            ) from None

    def close(self) -> None:
        """Close the files, if there are any."""
        for file in (self._records, self._reasons):
            if file is not None:
                file.close()


def _find_unused_path(path: Path) -> Path:
    if not path.exists():
        return path
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(candidate for candidate in numbered if not candidate.exists())


def _open_rejects_file(path: Path) -> int:
    if path.is_file():
        path.chmod(0o600)  # it may be an older one, with any rights
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
