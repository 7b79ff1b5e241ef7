"""A temporary SQLite file for what is read and may be larger than memory."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

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
                f"{tempfile.gettempdir()}: the tables cannot be joined there ({error}). Free some "
                "space, or set SQLITE_TMPDIR to another folder."
            ) from None


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
