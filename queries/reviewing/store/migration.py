"""Brings the schema of a store to the version that this foidex uses."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text

from indexer.errors import ReviewError

#: The table in which Alembic notes the version; stores of others in the same database have theirs.
VERSION_TABLE: Final = "foidex_review_version"

# One migration at a time; any number will do, if it is always the same.
_LOCK_NUMBER: Final = 7_319_482_201


@cache
def _load_revisions() -> tuple[ScriptDirectory, tuple[Script, ...]]:
    """All versions of the schema, one line, the newest first; read from their files once."""
    script = ScriptDirectory(str(Path(__file__).parent))
    return script, tuple(script.walk_revisions())


def migrate_schema(connection: Connection) -> None:
    """Make what the schema lacks, in the transaction of the connection.

    Raises ReviewError if the store was made by a newer foidex.
    """
    script, revisions = _load_revisions()
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
    migration = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    done = migration.get_current_revision()
    names = [revision.revision for revision in revisions]
    if done is not None and done not in names:
        raise ReviewError(
            "the store of reviews was made by a newer version of foidex. Use that version, or "
            "name another store in [review] of foidex.toml."
        )
    missing = revisions if done is None else revisions[: names.index(done)]
    for revision in reversed(missing):
        with Operations.context(migration):
            revision.module.upgrade()
        migration.stamp(script, revision.revision)
