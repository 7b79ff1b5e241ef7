"""Brings the schema of a store to the version that this foidex uses."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, exc, text

from indexer.errors import ReviewError

#: The table in which Alembic notes the version; stores of others in the same database have theirs.
VERSION_TABLE: Final = "foidex_review_version"

#: The SQLSTATE of PostgreSQL for an account that may not do that.
_NO_PRIVILEGE: Final = "42501"

# One migration at a time; any number will do, if it is always the same.
_LOCK_NUMBER: Final = 7_319_482_201


@cache
def _load_revisions() -> tuple[ScriptDirectory, tuple[Script, ...]]:
    """All versions of the schema, one line, the newest first; read from their files once."""
    script = ScriptDirectory(str(Path(__file__).parent))
    return script, tuple(script.walk_revisions())


def migrate_schema(connection: Connection) -> None:
    """Make what the schema lacks, in the transaction of the connection.

    Raises ReviewError if the store was made by a newer foidex, or is not one.
    """
    script, revisions = _load_revisions()
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
    migration = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    heads = migration.get_current_heads()
    names = [revision.revision for revision in revisions]
    if len(heads) > 1:
        raise ReviewError(
            "the store of reviews says that it has two versions, so it is damaged. Bring it back "
            "from a copy."
        )
    version = heads[0] if heads else None
    if version is None and connection.dialect.name == "sqlite":
        _require_no_tables(connection)
    if version is not None and version not in names:
        raise ReviewError(
            "the store of reviews was made by a newer version of foidex. Use that version, or "
            "name another store in [review] of foidex.toml."
        )
    missing = revisions if version is None else revisions[: names.index(version)]
    try:
        for revision in reversed(missing):
            with Operations.context(migration):
                revision.module.upgrade()
            migration.stamp(script, revision.revision)
    except exc.ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NO_PRIVILEGE:
            raise
        raise _explain_denial(version) from None


def _explain_denial(version: str | None) -> ReviewError:
    if version is None:
        return ReviewError(
            "the store of reviews has no tables yet, and this account may not make them. Start the "
            "first review as an account that may."
        )
    return ReviewError(
        "the tables of the store of reviews are those of an older version of foidex, and this "
        "account may not change them. Look at any review once as the account that made them, then "
        "give the others their rights again (docs/review.md)."
    )


def _require_no_tables(connection: Connection) -> None:
    """Raise ReviewError for a file that holds tables, and not a store."""
    if connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one():
        raise ReviewError(
            "it is a database of another program, or a store without its version, so nothing was "
            "written into it. Name another file in [review] store of foidex.toml, or bring the "
            "store back from a copy."
        )
