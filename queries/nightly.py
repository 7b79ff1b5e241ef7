"""The nightly refresh as the command line runs it: from foidex.toml to report, metrics and log."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from glob import has_magic
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec

from indexer import fieldmap, refresh, report, retention, secret
from indexer.errors import ConfigurationError, FoidexError, SourceError
from indexer.overrides import Override
from indexer.progress import Progress
from indexer.refresh import Mode, Plan
from indexer.report import RefreshReport
from indexer.session import Session
from indexer.settings import Settings
from indexer.sources.database import Database
from queries import termbook, terms
from queries.termbook import Book


def plan(settings: Settings, progress: Progress) -> Plan:
    """What foidex.toml says to read. Raises ConfigurationError or SourceError."""
    source = settings.source
    where = settings.file or "foidex.toml"
    database = _database(settings, progress)
    if not source.paths and database is None:
        raise ConfigurationError(
            f'{where}: [source] names no paths. Add, for instance, paths = ["crimes.jsonl"], or '
            "a database."
        )
    if source.paths and database:
        raise ConfigurationError(f"{where}: [source] names paths and a database. Keep one.")
    book = termbook.of(settings)
    for canary in settings.refresh.canaries:
        mention(canary.term, book)
    return Plan(
        paths=_found(settings.folder, source.paths),
        rejects_folder=settings.home / "rejects",
        tombstones=_found(settings.folder, source.tombstones),
        fields=fieldmap.of(source.fields, source.ignore, settings.categories),
        database=database,
    )


def _database(settings: Settings, progress: Progress) -> Database | None:
    source = settings.source
    where = settings.file or "foidex.toml"
    if source.database and source.database_url_file:
        raise ConfigurationError(
            f"{where}: [source] gives database and database_url_file. Keep one."
        )
    url = source.database
    if source.database_url_file:
        url = secret.read(Path(source.database_url_file), "source.database_url_file", progress)
    queries = {name: sql for name, sql in msgspec.to_builtins(source.queries).items() if sql}
    if not url:
        if queries or source.watermark:
            raise ConfigurationError(
                f"{where}: [source] has queries or a watermark, but no database. Set "
                "FOIDEX_DATABASE_URL, database_url_file or database."
            )
        return None
    if "crimes" not in queries:
        raise ConfigurationError(
            f"{where}: [source.queries] lacks crimes, the SQL that selects the records. Add it."
        )
    fields = fieldmap.of(source.fields, source.ignore, settings.categories)
    if source.watermark and fields.ours(source.watermark) != "updated_at":
        raise ConfigurationError(
            f"{where}: source.watermark must be the column that is our updated_at. Select it AS "
            "updated_at, or map it in [source.fields]."
        )
    return Database(
        url=url,
        queries=queries,
        folder=settings.folder,
        watermark=source.watermark,
        overlap=timedelta(seconds=source.watermark_overlap_seconds),
    )


def _found(folder: Path, patterns: tuple[str, ...]) -> tuple[Path, ...]:
    """The files of the patterns, each pattern's in the order of their names."""
    found: list[Path] = []
    for pattern in patterns:
        if not has_magic(pattern):
            found.append(folder / pattern)
            continue
        base = Path(pattern)
        root, relative = (
            (Path(base.anchor), str(base.relative_to(base.anchor)))
            if base.is_absolute()
            else (folder, pattern)
        )
        matching = sorted(root.glob(relative))
        if not matching:
            _check_folder(root.joinpath(*takewhile(_is_plain, Path(relative).parts[:-1])))
            raise SourceError(
                f'{folder / pattern}: no file is of this pattern. Check "paths" of [source].'
            )
        found += matching
    return tuple(found)


def _is_plain(part: str) -> bool:
    return not has_magic(part)


def _check_folder(folder: Path) -> None:
    """Raise SourceError where a folder cannot be listed: a pattern finds nothing there, and says
    nothing."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise SourceError(
            f"{folder}: cannot be read ({error.strerror}). Check the path and its rights."
        ) from None


def mention(term: str, book: Book) -> dict[str, Any]:
    """The query of a canary's term. Raises RequestError."""
    return terms.query(terms.parse(term, openings=book.openings(term))).to_dict()


def check(session: Session, mode: Mode) -> None:
    """Read and check the configuration and the whole source, write nothing, and say what there is.

    Raises SourceError where more records would be rejected than are allowed.
    """
    settings = session.settings
    tally = refresh.check(plan(settings, session.progress), mode)
    print(
        f"{tally.read:,} records read: {tally.indexed:,} right, {tally.deleted:,} deletions, "
        f"{tally.rejected:,} wrong."
    )
    if tally.unknown_codes:
        codes = ", ".join(f"{code} ({number:,})" for code, number in tally.unknown_codes.items())
        print(f"Offence codes not in the table: {codes}.")
    if tally.rejected > settings.refresh.max_rejects:
        more = tally.rejected - len(tally.reasons)
        raise SourceError(
            "\n".join(
                [
                    *tally.reasons,
                    *([f"... and {more:,} more"] if more else []),
                    f"{tally.rejected:,} records would be rejected, and "
                    f"{settings.refresh.max_rejects:,} are allowed. Correct them.",
                ]
            )
        )


def run(session: Session, mode: Mode, overrides: frozenset[Override]) -> None:
    """Refresh, and leave the report, the metrics and the log, also of a run that failed."""
    settings = session.settings
    started_at = datetime.now(UTC).replace(microsecond=0)
    clock = time.monotonic()
    try:
        reading = plan(settings, session.progress)
        with session.client() as client:
            loaded = refresh.refresh(
                client,
                settings.index,
                reading,
                mode,
                settings.refresh,
                session.progress,
                overrides=overrides,
                mention=partial(mention, book=termbook.of(settings)),
            )
        if days := settings.refresh.max_age_days:
            retention.expire_rejects(settings.home / "rejects", days)
    except FoidexError as error:
        seconds = round(time.monotonic() - clock, 3)
        failed = RefreshReport(
            outcome="failed",
            exit_code=error.exit_code,
            mode=mode,
            started_at=started_at,
            seconds=seconds,
            error=str(error),
        )
        _leave(failed, settings)
        raise
    done = report.of(loaded, mode, started_at, time.monotonic() - clock)
    _leave(done, settings)
    for line in refresh.summary(loaded):
        print(line)


def _leave(done: RefreshReport, settings: Settings) -> None:
    report.log(done)
    if settings.refresh.report:
        report.write(done, settings.folder / settings.refresh.report)
    if settings.refresh.metrics:
        path = settings.folder / settings.refresh.metrics
        report.write_metrics(done, path, settings.index.alias)
