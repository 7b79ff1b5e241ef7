"""Read records from one query of a database by the profile, as from a table of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from indexer.config.profile import SourceProfile
from indexer.errors import ConfigurationError
from indexer.records.categories import Categories
from indexer.sources.base import RawRecord
from indexer.sources.database import CRIMES_TABLE, read_plain_rows
from indexer.sources.database_connection import DatabaseSource
from indexer.sources.profile.columns import check_header
from indexer.sources.profile.reading import ProfiledRows, read_profiled_rows
from indexer.sources.tables.spreadsheet_worker import keep_finite
from indexer.sources.tables.table import TableRow

_LOCATION: Final = "source.queries.crimes"


def check_profiled_database(database: DatabaseSource, profile: SourceProfile) -> None:
    """Check the query and the names of its columns. Raises ConfigurationError or SourceError."""
    if others := sorted((database.queries.keys() | database.order.keys()) - {CRIMES_TABLE}):
        raise ConfigurationError(
            f"[source.queries] has {others[0]} beside [source.profile], which reads one query. "
            "Join the tables in crimes, with one_row_per in the profile, or remove the profile."
        )
    with closing(read_plain_rows(database)) as rows:
        check_header(_LOCATION, list(next(rows)), profile)


def read_profiled_database(
    database: DatabaseSource, profile: SourceProfile, categories: Categories
) -> Iterator[RawRecord]:
    """Every record, and every row that is skipped with its rule. Raises SourceError."""
    with closing(read_plain_rows(database)) as rows:
        header = list(next(rows))
        check_header(_LOCATION, header, profile)
        table_rows = (
            TableRow(f"{CRIMES_TABLE} row {number}", [_convert_cell(cell) for cell in row])
            for number, row in enumerate(rows, start=1)
        )
        yield from read_profiled_rows(
            _LOCATION, ProfiledRows(header, table_rows), profile, categories
        )


def _convert_cell(cell: Any) -> Any:
    """A database's value as a table's cell."""
    if isinstance(cell, float):
        return keep_finite(cell)
    if isinstance(cell, Decimal):
        if not cell.is_finite():
            return str(cell)
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return cell.astimezone(UTC)
    return str(cell) if isinstance(cell, UUID) else cell
