"""The nightly refresh as the command line runs it: from foidex.toml to report, metrics and log."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from glob import has_magic
from pathlib import Path
from typing import Any

from indexer import fieldmap, refresh, report
from indexer.errors import ConfigurationError, FoidexError, SourceError
from indexer.refresh import Mode, Plan
from indexer.report import RefreshReport
from indexer.session import Session
from indexer.settings import Settings
from indexer.verification import Override
from queries import termbook, terms
from queries.termbook import Book


def plan(settings: Settings) -> Plan:
    """What foidex.toml says to read. Raises ConfigurationError or SourceError."""
    if not settings.source.paths:
        where = settings.file or "foidex.toml"
        raise ConfigurationError(
            f'{where}: [source] names no paths. Add, for instance, paths = ["crimes.jsonl"].'
        )
    book = termbook.of(settings)
    for canary in settings.refresh.canaries:
        mention(canary.term, book)
    return Plan(
        paths=_found(settings.folder, settings.source.paths),
        rejects_folder=settings.home / "rejects",
        tombstones=_found(settings.folder, settings.source.tombstones),
        fields=fieldmap.of(settings.source.fields, settings.source.ignore, settings.categories),
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
            raise SourceError(
                f'{folder / pattern}: no file is of this pattern. Check "paths" of [source].'
            )
        found += matching
    return tuple(found)


def mention(term: str, book: Book) -> dict[str, Any]:
    """The query of a canary's term. Raises RequestError."""
    return terms.query(terms.parse(term, openings=book.openings(term))).to_dict()


def check(session: Session) -> None:
    """Read and check the configuration and the whole source, write nothing, and say what there is.

    Raises SourceError where more records would be rejected than are allowed.
    """
    settings = session.settings
    tally = refresh.check(plan(settings))
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
        reading = plan(settings)
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
