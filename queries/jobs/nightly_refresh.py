"""The nightly refresh: plans it from foidex.toml, runs it, and writes report, metrics and log."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from glob import has_magic
from itertools import chain, takewhile
from pathlib import Path
from typing import Any, Final

import msgspec

from indexer.audit.log import get_exit_code
from indexer.config.decided_profile import require_decided_profile
from indexer.config.field_map import build_field_map
from indexer.config.model import Settings
from indexer.config.secrets import read_secret
from indexer.config.source_patterns import ignore_capitals, is_hidden_match, split_pattern
from indexer.errors import (
    ConfigurationError,
    FoidexError,
    LockedError,
    OutputError,
    SourceError,
)
from indexer.index.generations import Generation
from indexer.jobs.overrides import CheckOverride
from indexer.jobs.refresh import (
    RefreshMode,
    RefreshOptions,
    RefreshPlan,
    RefreshResult,
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
from indexer.jobs.summary import (
    describe_codes_outside_validity,
    describe_damage_found,
    describe_days,
    describe_notes,
    describe_skipped,
    describe_unknown_codes,
)
from indexer.loading.faults import RejectedRecordsError, describe_records, list_kinds
from indexer.loading.rejects import list_reasons
from indexer.loading.tally import Tally
from indexer.progress import Progress
from indexer.records.damage.kinds import RepairKind
from indexer.session import Session
from indexer.sources import check_paths
from indexer.sources.database_connection import DatabaseSource, check_database_driver
from indexer.sources.extract import is_sidecar
from indexer.terminal import describe_forging_name, escape_line
from queries.matching.term import build_term_query, parse_term
from queries.spec.term_book import TermBook, load_configured_term_book

#: ``glob`` calls itself for each folder of a pattern.
_MAX_PATTERN_PARTS: Final = 100

_BRACKETS_HINT: Final = " In a pattern, [ is written [[], because brackets hold a choice of signs."

#: A folder that the system makes on every disk, closed to all.
_LOST_AND_FOUND: Final = "lost+found"


def plan_refresh(settings: Settings, progress: Progress, workers: int | None = None) -> RefreshPlan:
    """The plan of a refresh by foidex.toml. Raises ConfigurationError or SourceError.

    What can be known to fail without the server, such as a driver that is not installed, does here.
    """
    source = settings.source
    config_name = settings.file or "foidex.toml"
    profile = require_decided_profile(settings)
    database = _configure_database(settings, progress)
    if not source.paths and database is None and settings.file is None:
        raise ConfigurationError(
            f"there is no foidex.toml in {Path.cwd()}, so there is no source. Run foidex in the "
            "folder of the file, or name it before the command: foidex --config FILE refresh. To "
            "load files without one: foidex load PATH"
        )
    if not source.paths and database is None:
        raise ConfigurationError(
            f"{config_name}: [source] names neither paths nor a database. Add, for instance, "
            'paths = ["crimes.jsonl"].'
        )
    if source.paths and database:
        raise ConfigurationError(f"{config_name}: [source] names paths and a database. Keep one.")
    book = load_configured_term_book(settings)
    for canary in settings.refresh.canaries:
        build_canary_query(canary.term, book)
    if database:
        check_database_driver(database)

    patterns = {"paths": source.paths, "tombstones": source.tombstones}

    def find_files() -> dict[str, tuple[Path, ...]]:
        return {key: _expand_patterns(settings.folder, patterns[key], key) for key in patterns}

    files = find_files()
    check_paths(files["paths"], profile)
    all_files = tuple(chain(*files.values()))
    for pattern in chain(*patterns.values()):
        _refuse_other_capitals(settings.folder, pattern, all_files)
    return RefreshPlan(
        paths=files["paths"],
        rejects_folder=settings.home / "rejects",
        tombstones=files["tombstones"],
        fields=build_field_map(source.fields, source.ignore, settings.categories),
        database=database,
        covers=settings.records.covers,
        repair=source.repaired_kinds,
        require=source.require,
        profile=profile,
        earliest=settings.records.earliest,
        workers=workers,
        find_files=lambda: tuple(chain(*find_files().values())),
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
    order = {name: column for name, column in msgspec.to_builtins(source.order).items() if column}
    if not url:
        if queries or order or source.watermark:
            raise ConfigurationError(
                f"{config_name}: [source] has queries or a watermark, but no database. Set "
                "FOIDEX_DATABASE_URL, database_url_file or database."
            )
        return None
    if "crimes" not in queries:
        raise ConfigurationError(
            f"{config_name}: [source.queries] lacks crimes, the SQL that selects the "
            "records. Add it."
        )
    for name in order.keys() - queries.keys():
        raise ConfigurationError(
            f"{config_name}: [source.order] names a column of {name}, but [source.queries] has no "
            f"query for it. Add the query, or remove the line."
        )
    fields = build_field_map(source.fields, source.ignore, settings.categories)
    if source.watermark and fields.target_name(source.watermark) != "updated_at":
        raise ConfigurationError(
            f"{config_name}: source.watermark must be the column for updated_at. Select it AS "
            "updated_at, or map it in [source.fields]."
        )
    return DatabaseSource(
        url=url,
        queries=queries,
        order=order,
        folder=settings.folder,
        watermark=source.watermark,
        overlap=timedelta(seconds=source.watermark_overlap_seconds),
    )


def _expand_patterns(folder: Path, patterns: tuple[str, ...], key: str) -> tuple[Path, ...]:
    """The files of each pattern in turn, ordered by name; ``key`` of [source] lists the patterns.

    Raises SourceError for a pattern that matches none, and for a file that is missing."""
    paths: list[Path] = []
    for pattern in patterns:
        root, steps = split_pattern(folder, pattern)
        if not steps:
            paths.append(root)
            _require_existing_file(root, key)
            continue
        if len(steps) > _MAX_PATTERN_PARTS:
            raise SourceError(
                f'{folder / pattern}: has more than {_MAX_PATTERN_PARTS} folders. Check "{key}" of '
                "[source]."
            )
        try:
            _refuse_closed_folders(root, steps)
            matches = _find_matches(root, steps)
        except OSError as error:
            raise _explain_unreadable(folder / pattern, error) from None
        except RecursionError:  # of what ** reaches
            raise SourceError(
                f"{folder / pattern}: reaches folders nested too deeply for any extract. Move them "
                "away, or write the pattern without **."
            ) from None
        except (ValueError, NotImplementedError):  # Python 3.11 and 3.12: "**" beside other text
            raise SourceError(
                f"{folder / pattern}: is not a pattern. ** must be a folder of its own, as in "
                "extract/**/*.jsonl."
            ) from None
        if not matches:
            _require_listable_folder(root.joinpath(*takewhile(_is_literal_part, steps[:-1])))
            raise SourceError(
                f'{folder / pattern}: no file matches this pattern. Check "{key}" of [source].'
                f"{_BRACKETS_HINT if '[' in pattern else ''}"
            )
        for path in matches:
            if refusal := describe_forging_name(path):
                raise SourceError(refusal)
            _refuse_pipe(path, pattern)
        paths += matches
    return tuple(paths)


def _find_matches(root: Path, steps: tuple[str, ...]) -> list[Path]:
    """What a pattern below a root matches, by name, but hidden and small files beside others."""
    return sorted(
        path
        for path in root.glob("/".join(steps))
        if not is_sidecar(path) and not is_hidden_match(path, root, steps)
    )


def _refuse_other_capitals(folder: Path, pattern: str, files: tuple[Path, ...]) -> None:
    """Raise SourceError for a file that a pattern would match but for its capitals, and that is not
    read: its records would be missing without a word."""
    root, steps = split_pattern(folder, pattern)
    if not steps:
        return
    others = _find_matches(root, (*steps[:-1], ignore_capitals(steps[-1])))
    for path in sorted({*others} - {*files}):
        if path.is_file():
            raise SourceError(
                f"{escape_line(str(path))}: is not read, as its name differs from the pattern "
                f"{pattern} in capitals. Rename it, add a pattern for it, or move it away."
            )


def _refuse_pipe(path: Path, pattern: str) -> None:
    """Raise SourceError for what a pattern must not find: a named pipe would be waited for, and
    whoever may write in the folder can have put it there. Other faults are found on reading."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise SourceError(
            f"{path}: is not an ordinary file, and was found by the pattern {pattern}. Move it "
            "away, or name it without a pattern if it is to be read."
        )


def _require_existing_file(path: Path, key: str) -> None:
    """Raise SourceError for a file that is not there; another fault is found when it is read."""
    try:
        path.stat()
    except FileNotFoundError:
        raise SourceError(
            f'{path}: there is no such file. Check "{key}" of [source] in foidex.toml, and whether '
            "the file has arrived."
        ) from None
    except OSError:
        pass


def _is_literal_part(part: str) -> bool:
    return not has_magic(part)


def _require_listable_folder(folder: Path) -> None:
    """Raise SourceError for a folder that cannot be listed: ``glob`` finds nothing in it, without
    an error."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise _explain_unreadable(folder, error) from None


def _explain_unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(
        f"{path}: cannot be read ({error.strerror}). Check the path and its permissions."
    )


def _refuse_closed_folders(root: Path, parts: tuple[str, ...]) -> None:
    """Raise SourceError for a folder that a pattern reaches and that cannot be looked into:
    ``glob`` passes over it and its records, without an error."""
    for number, part in enumerate(parts):
        for folder in root.glob("/".join(parts[:number])) if number else (root,):
            if folder.name == _LOST_AND_FOUND or not _find_folder(folder):
                continue
            if has_magic(part):
                _require_listable_folder(folder)
            else:
                _find_folder(folder / part)


def _find_folder(path: Path) -> bool:
    """Whether there is a folder; raise SourceError for a link that leads nowhere, or a path that
    cannot be looked at."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _explain_unreadable(path, error) from None
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        raise _explain_unreadable(path, error) from None


def build_canary_query(term: str, book: TermBook) -> dict[str, Any]:
    """The query for a canary's term, with the spellings of the term book. Raises RequestError."""
    return build_term_query(parse_term(term, openings=book.extra_spellings(term))).to_dict()


def check_configured_source(
    session: Session, mode: RefreshMode, overrides: frozenset[CheckOverride] = frozenset()
) -> Tally:
    """Read and check the configuration and the whole source, without writing anything.

    Raises ConfigurationError, and SourceError for a source that cannot be read.
    """
    return check_plan(
        plan_refresh(session.settings, session.progress, session.workers), mode, overrides
    )


def summarise_source_check(
    tally: Tally, repair: frozenset[RepairKind], *, is_refused: bool = False
) -> list[str]:
    """What a check of the source found, in lines for a person; of one that is refused, the refusal
    says what was rejected. ``repair`` are the kinds of damage that the source repairs."""
    lines = [
        f"{tally.read:,} records read: {tally.indexed:,} valid, {tally.deleted:,} deletions, "
        f"{tally.rejected:,} invalid."
    ]
    lines += describe_days(tally, datetime.now(UTC).date())
    lines += describe_skipped(tally.skipped, tally.skipped_by)
    lines += describe_notes(tally.notes)
    if not is_refused:
        lines += list_kinds(tally.faults.list_kinds())
    if tally.unknown_codes:
        lines.append(describe_unknown_codes(tally.unknown_codes))
    if tally.codes_outside_validity:
        lines.append(describe_codes_outside_validity(tally.codes_outside_validity, tally.indexed))
    return [*lines, *describe_damage_found(tally.damage.total(repair), tally.indexed)]


def explain_refused_rejects(tally: Tally, settings: Settings) -> str:
    """Why a refresh would be refused that rejects more records than foidex.toml allows, with the
    reasons of the rejects; empty if it would not be."""
    allowed = settings.refresh.max_rejects
    if tally.rejected <= allowed:
        return ""
    limit = f" (max_rejects allows {allowed:,})" if allowed else ""
    return "\n".join(
        [
            *list_reasons(tally),
            f"{tally.rejected:,} of {describe_records(tally.read)} would be rejected{limit}, so a "
            "refresh would load nothing. Correct them; or, to set them aside: foidex refresh "
            "--reject-invalid",
        ]
    )


def run_nightly_refresh(
    session: Session, mode: RefreshMode, overrides: frozenset[CheckOverride]
) -> RefreshResult:
    """Refresh, and write the report, the metrics and the logs, even if the refresh failed.

    A refresh that finds another one running leaves report and metrics to that one. Raises as
    ``refresh_index``, and UnwrittenOutputsError where the report or the metrics cannot be written,
    or old rejects not be deleted; all are tried, and nothing of the refresh is undone.
    """
    started_at = datetime.now(UTC).replace(microsecond=0)
    clock = time.monotonic()
    promoted: list[Generation] = []
    try:
        return _refresh_with_audit(session, mode, overrides, (started_at, clock), promoted)
    except UnwrittenOutputsError:
        raise
    except BaseException as error:  # also a signal, which ends the run like any other failure
        failure_report = RefreshReport(
            outcome="failed",
            exit_code=get_exit_code(error),
            mode=mode,
            started_at=started_at,
            seconds=round(time.monotonic() - clock, 3),
            rejected_kinds=error.kinds if isinstance(error, RejectedRecordsError) else (),
            error=_describe_failure(error, promoted),
        )
        if promoted:
            session.progress.warn(f"{promoted[0].name} is live, but the run failed after that.")
        log_refresh_report(failure_report)
        if not isinstance(error, LockedError):
            for output_error in _write_refresh_outputs(failure_report, session.settings):
                session.progress.warn(str(output_error))
        raise


class UnwrittenOutputsError(OutputError):
    """The report or the metrics of a refresh that succeeded could not be written, or old rejects
    not be deleted. ``refresh`` is what there is to say of it."""

    def __init__(self, message: str, refresh: RefreshResult) -> None:
        super().__init__(message)
        self.refresh = refresh


def _describe_failure(error: BaseException, promoted: list[Generation]) -> str:
    """What a report says of a failure, and of the generation that was made live before it, if any;
    of one that is no expected error, nothing of its text."""
    signal_number = get_exit_code(error) - 128
    if isinstance(error, FoidexError):
        text = str(error)
    elif signal_number > 0:
        text = f"stopped, by signal {signal_number}."
    else:
        text = f"a fault in foidex ({type(error).__name__})."
    if promoted:
        return f"{promoted[0].name} is live, but the run failed after that: {text}"
    return text if signal_number <= 0 else f"{text} Nothing was promoted."


def _refresh_with_audit(
    session: Session,
    mode: RefreshMode,
    overrides: frozenset[CheckOverride],
    start: tuple[datetime, float],
    promoted: list[Generation],
) -> RefreshResult:
    """Refresh as a run of the audit log, which has a line before anything is changed, and write the
    outputs. ``start`` is when it began, by the clock and by ``time.monotonic``; ``promoted`` takes
    the generation once it is live."""
    with session.run("refresh") as run:
        run.add_fields(arguments={"mode": mode, "allow": sorted(overrides)})
        run.begin()

        def note_promotion(generation: Generation) -> None:
            promoted.append(generation)
            run.add_fields(generation=generation.name, records=generation.records)

        result = _refresh_configured_source(session, mode, overrides, note_promotion)
        run.write()
        started_at, clock = start
        output_errors = _expire_old_rejects(session, result)
        refresh_report = build_refresh_report(result, mode, started_at, time.monotonic() - clock)
        if output_errors:  # what the program will end with
            exit_code = output_errors[0].exit_code
            refresh_report = msgspec.structs.replace(refresh_report, exit_code=exit_code)
        log_refresh_report(refresh_report)
        output_errors += _write_refresh_outputs(refresh_report, session.settings)
        if output_errors:
            reasons = " ".join(map(str, output_errors))
            raise UnwrittenOutputsError(f"{result.generation.name} is live, but {reasons}", result)
    return result


def _refresh_configured_source(
    session: Session,
    mode: RefreshMode,
    overrides: frozenset[CheckOverride],
    note_promotion: Callable[[Generation], None],
) -> RefreshResult:
    settings = session.settings
    refresh_plan = plan_refresh(settings, session.progress, session.workers)
    query_for_term = partial(build_canary_query, book=load_configured_term_book(settings))
    options = RefreshOptions(settings.refresh, query_for_term, mode, overrides, note_promotion)
    with session.client() as client:
        return refresh_index(client, settings.index, refresh_plan, options, session.progress)


def _expire_old_rejects(session: Session, result: RefreshResult) -> list[OutputError]:
    """Delete rejects by their age, as configured; returns why that could not be done."""
    settings = session.settings
    if (days := settings.refresh.max_age_days) and not result.clock_doubt:
        try:
            expired = expire_rejects(settings.home / "rejects", days)
        except OutputError as error:
            return [error]
        if expired.remark:
            session.progress.say(expired.remark)
    return []


def _write_refresh_outputs(refresh_report: RefreshReport, settings: Settings) -> list[OutputError]:
    """Write the report and the metrics, as configured; returns why one could not be written."""
    output_errors = []
    folder = settings.output_folder
    if settings.refresh.report:
        try:
            write_refresh_report(
                refresh_report, folder / settings.refresh.report, settings.index.alias
            )
        except OutputError as error:
            output_errors.append(error)
            if not refresh_report.exit_code:  # what the program will end with
                refresh_report = msgspec.structs.replace(refresh_report, exit_code=error.exit_code)
    if settings.refresh.metrics:
        try:
            write_metrics(refresh_report, folder / settings.refresh.metrics, settings.index.alias)
        except OutputError as error:
            output_errors.append(error)
    return output_errors
