"""A temporary SQLite file for what is read and may be larger than memory."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from indexer.errors import SourceError


@contextmanager
def open_store() -> Iterator[sqlite3.Connection]:
    """An empty store in a file without a name: even if the process is killed, no text stays.

    Raises SourceError if the file cannot be written.
    """
    with closing(sqlite3.connect("")) as store:
        try:
            store.execute("PRAGMA journal_mode = OFF")
            store.execute("PRAGMA synchronous = OFF")
            yield store
        except sqlite3.OperationalError as error:
            raise SourceError(
                f"{_find_store_folder()}: the tables cannot be joined there ({error}). Free some "
                "space, or set TMPDIR to another folder."
            ) from None


def _find_store_folder() -> str:
    """The folder that SQLite puts the file into: the first one that it may write to, full or not.

    That need not be the temporary folder of Python, which looks for another one if a disk is full.
    """
    named_folders = (os.environ.get(name) for name in ("SQLITE_TMPDIR", "TMPDIR"))
    folders = (*named_folders, "/var/tmp", "/usr/tmp")  # noqa: S108 - nothing is written by this name
    for folder in folders if os.name == "posix" else ():
        if folder and Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return tempfile.gettempdir()


class ReferenceSet:
    """A set of references in a store of its own."""

    def __init__(self, store: sqlite3.Connection, references: Iterable[str]) -> None:
        self._store = store
        store.execute("CREATE TABLE reference (text TEXT PRIMARY KEY) WITHOUT ROWID")
        store.executemany(
            "INSERT OR IGNORE INTO reference VALUES (?)", ((text,) for text in references)
        )

    def __contains__(self, reference: object) -> bool:
        if not isinstance(reference, str):
            return False
        row = self._store.execute("SELECT 1 FROM reference WHERE text = ?", (reference,)).fetchone()
        return row is not None
