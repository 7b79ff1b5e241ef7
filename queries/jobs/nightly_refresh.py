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

from indexer.config.field_map import build_field_map
from indexer.config.model import Settings
from indexer.config.secrets import read_secret
from indexer.errors import ConfigurationError, FoidexError, SourceError
from indexer.jobs.overrides import CheckOverride
from indexer.jobs.refresh import (
    RefreshMode,
    RefreshOptions,
    RefreshPlan,
    check_plan,
    refresh_index,
)
from indexer.jobs.report import (
    RefreshReport,
    build_refresh_report,
    log_refresh_report,
    write_metrics,
    write_refresh_report,
)
from indexer.jobs.retention import expire_rejects
from indexer.jobs.summary import summarise_refresh
from indexer.loading.rejects import list_reasons
from indexer.progress import Progress
from indexer.session import Session
from indexer.sources.database_connection import DatabaseSource
from queries.matching.term import build_term_query, parse_term
from queries.spec.term_book import TermBook, load_configured_term_book


def plan_refresh(settings: Settings, progress: Progress) -> RefreshPlan:
    """What foidex.toml says to read. Raises ConfigurationError or SourceError."""
    source = settings.source
    config_name = settings.file or "foidex.toml"
    database = _configure_database(settings, progress)
    if not source.paths and database is None:
        raise ConfigurationError(
            f'{config_name}: [source] names no paths. Add, for instance, paths = ["crimes.jsonl"], or '
            "a database."
        )
    if source.paths and database:
        raise ConfigurationError(f"{config_name}: [source] names paths and a database. Keep one.")
    book = load_configured_term_book(settings)
    for canary in settings.refresh.canaries:
        build_canary_query(canary.term, book)
    return RefreshPlan(
        paths=_expand_patterns(settings.folder, source.paths),
        rejects_folder=settings.home / "rejects",
        tombstones=_expand_patterns(settings.folder, source.tombstones),
        fields=build_field_map(source.fields, source.ignore, settings.categories),
        database=database,
    )


def _configure_database(settings: Settings, progress: Progress) -> DatabaseSource | None:
    source = settings.source
    config_name = settings.file or "foidex.toml"
    if source.database and source.database_url_file:
        raise ConfigurationError(
            f"{config_name}: [source] gives database and database_url_file. Keep one."
        )
    url = source.database
    if source.database_url_file:
        url = read_secret(Path(source.database_url_file), "source.database_url_file", progress)
    queries = {name: sql for name, sql in msgspec.to_builtins(source.queries).items() if sql}
    if not url:
        if queries or source.watermark:
            raise ConfigurationError(
                f"{config_name}: [source] has queries or a watermark, but no database. Set "
                "FOIDEX_DATABASE_URL, database_url_file or database."
            )
        return None
    if "crimes" not in queries:
        raise ConfigurationError(
            f"{config_name}: [source.queries] lacks crimes, the SQL that selects the records. Add it."
        )
    fields = build_field_map(source.fields, source.ignore, settings.categories)
    if source.watermark and fields.target_name(source.watermark) != "updated_at":
        raise ConfigurationError(
            f"{config_name}: source.watermark must be the column that is our updated_at. Select it AS "
            "updated_at, or map it in [source.fields]."
        )
    return DatabaseSource(
        url=url,
        queries=queries,
        folder=settings.folder,
        watermark=source.watermark,
        overlap=timedelta(seconds=source.watermark_overlap_seconds),
    )


def _expand_patterns(folder: Path, patterns: tuple[str, ...]) -> tuple[Path, ...]:
    """The files of the patterns, each pattern's in the order of their names."""
    paths: list[Path] = []
    for pattern in patterns:
        if not has_magic(pattern):
            paths.append(folder / pattern)
            continue
        base = Path(pattern)
        root, relative = (
            (Path(base.anchor), str(base.relative_to(base.anchor)))
            if base.is_absolute()
            else (folder, pattern)
        )
        matches = sorted(root.glob(relative))
        if not matches:
            _require_listable_folder(
                root.joinpath(*takewhile(_is_literal_part, Path(relative).parts[:-1]))
            )
            raise SourceError(
                f'{folder / pattern}: no file is of this pattern. Check "paths" of [source].'
            )
        paths += matches
    return tuple(paths)


def _is_literal_part(part: str) -> bool:
    return not has_magic(part)


def _require_listable_folder(folder: Path) -> None:
    """Raise SourceError where a folder cannot be listed: a pattern finds nothing there, and says
    nothing."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise SourceError(
            f"{folder}: cannot be read ({error.strerror}). Check the path and its rights."
        ) from None


def build_canary_query(term: str, book: TermBook) -> dict[str, Any]:
    """The query of a canary's term. Raises RequestError."""
    return build_term_query(parse_term(term, openings=book.extra_spellings(term))).to_dict()


def check_configured_source(session: Session, mode: RefreshMode) -> None:
    """Read and check the configuration and the whole source, write nothing, and say what there is.

    Raises SourceError where more records would be rejected than are allowed.
    """
    settings = session.settings
    tally = check_plan(plan_refresh(settings, session.progress), mode)
    print(
        f"{tally.read:,} records read: {tally.indexed:,} right, {tally.deleted:,} deletions, "
        f"{tally.rejected:,} wrong."
    )
    if tally.unknown_codes:
        codes = ", ".join(f"{code} ({number:,})" for code, number in tally.unknown_codes.items())
        print(f"Offence codes not in the table: {codes}.")
    if tally.rejected > settings.refresh.max_rejects:
        raise SourceError(
            "\n".join(
                [
                    *list_reasons(tally.reasons, tally.rejected),
                    f"{tally.rejected:,} records would be rejected, and "
                    f"{settings.refresh.max_rejects:,} are allowed. Correct them.",
                ]
            )
        )


def run_nightly_refresh(
    session: Session, mode: RefreshMode, overrides: frozenset[CheckOverride]
) -> None:
    """Refresh, and leave the report, the metrics and the log, also of a run that failed."""
    settings = session.settings
    started_at = datetime.now(UTC).replace(microsecond=0)
    clock = time.monotonic()
    try:
        refresh_plan = plan_refresh(settings, session.progress)
        with session.client() as client:
            loaded = refresh_index(
                client,
                settings.index,
                refresh_plan,
                RefreshOptions(
                    settings.refresh,
                    partial(build_canary_query, book=load_configured_term_book(settings)),
                    mode,
                    overrides,
                ),
                session.progress,
            )
        if days := settings.refresh.max_age_days:
            expire_rejects(settings.home / "rejects", days)
    except FoidexError as error:
        seconds = round(time.monotonic() - clock, 3)
        failure_report = RefreshReport(
            outcome="failed",
            exit_code=error.exit_code,
            mode=mode,
            started_at=started_at,
            seconds=seconds,
            error=str(error),
        )
        _write_refresh_outputs(failure_report, settings)
        raise
    refresh_report = build_refresh_report(loaded, mode, started_at, time.monotonic() - clock)
    _write_refresh_outputs(refresh_report, settings)
    for line in summarise_refresh(loaded):
        print(line)


def _write_refresh_outputs(refresh_report: RefreshReport, settings: Settings) -> None:
    log_refresh_report(refresh_report)
    if settings.refresh.report:
        write_refresh_report(refresh_report, settings.folder / settings.refresh.report)
    if settings.refresh.metrics:
        path = settings.folder / settings.refresh.metrics
        write_metrics(refresh_report, path, settings.index.alias)
