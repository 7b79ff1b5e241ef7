"""Rejects files: the records that a load set aside, and the reasons.

They are written by a load, listed in messages, and searched when a record is forgotten.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from indexer.errors import SourceError
from indexer.files import open_private_file
from indexer.sources.base import RawRecord


class Rejects:
    """Writes rejected records whole, one JSON line each, and their reasons into a second file.

    Both files are created with the first record and are readable by the owner only. With ``keep``
    an existing file is left alone and the next free name is used.
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
        """Write a record and its reason. Raises SourceError where they cannot be written."""
        try:
            if self._records is None or self._reasons is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path = _find_unused_path(self.path) if self._keep else self.path
                self._records = open(  # noqa: SIM115 - closed by close()
                    self.path, "wb", opener=open_private_file
                )
                self._reasons = open(  # noqa: SIM115 - closed by close()
                    self.reasons, "w", encoding="utf-8", opener=open_private_file
                )
            line = raw.raw if isinstance(raw.raw, bytes) else msgspec.json.encode(raw.raw)
            self._records.write(line if line.endswith(b"\n") else line + b"\n")
            self._reasons.write(f"{raw.location}: {reason}\n")
        except OSError as error:
            raise SourceError(
                f"{self.path}: rejected records cannot be written ({error.strerror}), so the load "
                "stopped. Choose another file with --rejects."
            ) from None

    def close(self) -> None:
        """Close the files, if any were opened."""
        for file in (self._records, self._reasons):
            if file is not None:
                file.close()


def _find_unused_path(path: Path) -> Path:
    if not path.exists():
        return path
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(candidate for candidate in numbered if not candidate.exists())
