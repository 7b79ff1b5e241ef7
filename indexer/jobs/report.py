"""What a refresh leaves for the operator: a JSON report, Prometheus metrics and a log.

None of them ever holds a record's text, a name or a credential.
"""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import structlog
from msgspec import Struct
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from indexer.errors import LockedError, OutputError
from indexer.files import open_ordinary_input, read_whole, refuse_planted, write_file
from indexer.index.generations import Generation
from indexer.jobs.refresh import RefreshMode, RefreshResult
from indexer.jobs.summary import list_empty_months
from indexer.loading.faults import RejectedKind
from indexer.records.damage.kinds import DAMAGE_WORDS, TextDamage

_COUNT_FIELDS: Final = {
    "read": "Records that the last refresh read from the source.",
    "indexed": "Records that the last refresh wrote into the new generation.",
    "rejected": "Records that the last refresh set aside because they break the rules.",
    "deleted": "Deletions that the last refresh applied.",
    "late": "Records that the last refresh ignored because a newer version is in the index.",
    "unchanged": "Records of the source that were in the index already.",
    "kept_out": "Records that the last refresh left out because they were erased.",
    "skipped": "Blank rows and lines of the source.",
    "records": "Records in the generation that the last refresh made live.",
    "unresolved_links": "Links without a code to a record that is not in the index.",
}


_MAX_METRICS_BYTES: Final = 1_000_000

_MAX_REPORT_BYTES: Final = 100_000_000

_LAST_SUCCESS_METRIC: Final = "foidex_refresh_last_success_timestamp_seconds"


class RefreshReport(Struct, frozen=True):
    """One run of the refresh, successful or not. ``seconds`` is its wall time."""

    outcome: Literal["promoted", "failed"]
    exit_code: int
    mode: RefreshMode
    started_at: datetime
    seconds: float
    generation: Generation | None = None
    previous: str | None = None
    cleared: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    rejects: str | None = None
    reasons: tuple[str, ...] = ()
    rejected_kinds: tuple[RejectedKind, ...] = ()
    error: str | None = None


def build_refresh_report(
    loaded: RefreshResult, mode: RefreshMode, started_at: datetime, seconds: float
) -> RefreshReport:
    """The report of a refresh that succeeded."""
    return RefreshReport(
        outcome="promoted",
        exit_code=0,
        mode=mode,
        started_at=started_at,
        seconds=round(seconds, 3),
        generation=loaded.generation,
        previous=loaded.previous,
        cleared=loaded.cleared,
        pruned=loaded.pruned,
        rejects=str(loaded.rejects) if loaded.rejects else None,
        reasons=loaded.reasons,
        rejected_kinds=loaded.rejected_kinds,
    )


class _ReportOwner(Struct, frozen=True):
    """What a report says of whose it is; those of earlier versions do not."""

    alias: str = ""


def write_refresh_report(report: RefreshReport, path: Path, alias: str) -> None:
    """Write the report as JSON, whole or not at all. Raises OutputError, also for a file with the
    report of another index, which is not replaced: its operator would read this one for it."""
    owner = _read_report_owner(path)
    if owner not in ("", alias):
        raise _make_foreign_error(path, "report", owner)
    fields = {"alias": alias, **msgspec.structs.asdict(report)}
    text = msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"
    try:
        write_file(path, text)
    except OSError as error:
        raise OutputError(f"{path}: the report cannot be written ({error.strerror}).") from None


def write_metrics(report: RefreshReport, path: Path, alias: str) -> None:
    """Write metrics in the Prometheus text format. Raises OutputError.

    A failed run has no counts. ``foidex_refresh_last_success_timestamp_seconds`` is carried over
    from the file that is replaced, so the time of the last success stays known. A file with the
    metrics of another index is not replaced: nobody would learn that its refresh fails.
    """
    successes = _read_last_successes(path)
    if others := sorted(successes.keys() - {alias}):
        raise _make_foreign_error(path, "metrics", others[0])
    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: float) -> None:
        Gauge(name, text, ["alias"], registry=registry).labels(alias).set(value)

    end = report.started_at.timestamp() + report.seconds
    success = end if report.outcome == "promoted" else successes.get(alias)
    gauge(
        "foidex_refresh_success",
        "1 if the last refresh succeeded, otherwise 0.",
        report.outcome == "promoted",
    )
    gauge("foidex_refresh_exit_code", "Exit code of the last refresh.", report.exit_code)
    gauge("foidex_refresh_end_timestamp_seconds", "When the last refresh ended.", end)
    gauge("foidex_refresh_duration_seconds", "How long the last refresh took.", report.seconds)
    if success is not None:
        gauge(_LAST_SUCCESS_METRIC, "When a refresh last succeeded.", success)
    if report.generation:
        for name, text in _COUNT_FIELDS.items():
            gauge(f"foidex_refresh_{name}", text, getattr(report.generation, name))
        if report.generation.watermark:
            gauge(
                "foidex_refresh_newest_update_timestamp_seconds",
                "The newest updated_at of the records.",
                report.generation.watermark.timestamp(),
            )
        empty = len(report.generation.coverage.empty_months) if report.generation.coverage else 0
        gauge("foidex_refresh_empty_months", "Months covered that have no record at all.", empty)
        damage = report.generation.damage or TextDamage()
        _set_damage_gauges(registry, damage, alias)
        cut = sum(group.texts for group in damage.cut)
        gauge("foidex_refresh_cut_texts", "Texts that seem to be cut off at a length.", cut)
    try:
        write_file(path, generate_latest(registry))
    except OSError as error:
        raise OutputError(f"{path}: the metrics cannot be written ({error.strerror}).") from None


def _set_damage_gauges(registry: CollectorRegistry, damage: TextDamage, alias: str) -> None:
    for name, text, total, counts in (
        ("damaged", "Records with damaged text", damage.damaged, damage.kinds),
        ("repaired", "Records with repaired text", damage.repaired, damage.repaired_kinds),
    ):
        gauge = Gauge(f"foidex_refresh_{name}_records", f"{text}.", ["alias"], registry=registry)
        gauge.labels(alias).set(total)
        kind_gauge = Gauge(
            f"foidex_refresh_{name}_records_by_kind",
            f"{text}, by the kind of damage.",
            ["alias", "kind"],
            registry=registry,
        )
        for kind in DAMAGE_WORDS:
            kind_gauge.labels(alias, kind).set(counts.get(kind, 0))


def _make_foreign_error(
    path: Path, key: Literal["report", "metrics"], foreign_alias: str
) -> OutputError:
    """That a file is not replaced, because it is about another index. ``key`` names it."""
    content, other_key = ("that", "metrics") if key == "report" else ("those", "report")
    return OutputError(
        f"{path}: the {key} cannot be written, because it holds {content} of the index "
        f"{foreign_alias!a}. Give each index a file of its own ({key}, and {other_key}, under "
        "[refresh]); if the alias was renamed, delete the file."
    )


def _read_earlier_file(path: Path, max_bytes: int) -> bytes:
    """What an earlier run wrote. Raises OSError, also for what anybody can have put there."""
    with open_ordinary_input(path) as file:
        refuse_planted(path, file.fileno())  # or nobody learns that no refresh succeeds
        return read_whole(file, max_bytes)


def _read_report_owner(path: Path) -> str:
    """The alias of the index that a report is about; empty where it cannot be read."""
    try:
        text = _read_earlier_file(path, _MAX_REPORT_BYTES)
        return msgspec.json.decode(text, type=_ReportOwner).alias
    except (OSError, ValueError, msgspec.DecodeError, RecursionError):
        return ""


def _read_last_successes(path: Path) -> dict[str, float | None]:
    """The time of the last success of each index that a metrics file is about; empty where it
    cannot be read."""
    successes: dict[str, float | None] = {}
    try:
        text = _read_earlier_file(path, _MAX_METRICS_BYTES).decode()
        for metric in text_string_to_metric_families(text):
            for sample in metric.samples:
                if alias := sample.labels.get("alias"):
                    is_time = sample.name == _LAST_SUCCESS_METRIC
                    successes[alias] = sample.value if is_time else successes.get(alias)
    except (OSError, ValueError):
        return {}
    return successes


def _describe_coverage(generation: Generation) -> dict[str, Any]:
    coverage = generation.coverage
    return {
        "covers": f"{coverage.start} to {coverage.end}" if coverage else None,
        "empty_months": list_empty_months(coverage)[0] if coverage else [],
        "empty_month_count": len(coverage.empty_months) if coverage else 0,
    }


def _describe_damage(generation: Generation) -> dict[str, Any]:
    damage = generation.damage or TextDamage()
    cut = sum(group.texts for group in damage.cut)
    return {"damaged": damage.damaged, "repaired": damage.repaired, "cut_texts": cut}


def configure_logger() -> Any:
    """The log of a refresh on standard error, in JSON lines."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    return structlog.get_logger()


def log_refresh_report(report: RefreshReport) -> None:
    """Log one line for each kind of rejected records, with examples, and one for the run.

    The message of a failed run is not in it: the program prints that once, as for every command.
    On a terminal there is no log: the summary and the message say the same to a person.
    """
    if sys.stderr.isatty():
        return
    refresh_log = configure_logger()
    for rejected in report.rejected_kinds:
        refresh_log.warning(
            "records rejected",
            kind=rejected.kind,
            records=rejected.records,
            examples=list(rejected.examples),
        )
    generation = report.generation
    if generation:
        counts = {name: getattr(generation, name) for name in _COUNT_FIELDS}
        refresh_log.info(
            "refresh promoted",
            generation=generation.name,
            previous=report.previous,
            mode=report.mode,
            seconds=report.seconds,
            overrides=list(generation.overrides),
            cleared=list(report.cleared),
            pruned=list(report.pruned),
            **_describe_coverage(generation),
            **_describe_damage(generation),
            **counts,
        )
    elif report.exit_code == LockedError.exit_code:  # another refresh runs: no failure
        refresh_log.warning("refresh skipped", **_describe_run(report))
    else:
        refresh_log.error("refresh failed", **_describe_run(report))


def _describe_run(report: RefreshReport) -> dict[str, object]:
    return {"mode": report.mode, "exit_code": report.exit_code, "seconds": report.seconds}
