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

_LAST_CHANGE_METRIC: Final = "foidex_refresh_last_change_timestamp_seconds"

_TIME_METRICS: Final = {
    _LAST_SUCCESS_METRIC: "When a refresh last succeeded.",
    _LAST_CHANGE_METRIC: "When a refresh last changed any record.",
}


class RefreshReport(Struct, frozen=True):
    """One run of the refresh, successful or not. ``seconds`` is its wall time. ``without_change``
    says that it found the very records of the generation before."""

    outcome: Literal["promoted", "failed"]
    exit_code: int
    mode: RefreshMode
    started_at: datetime
    seconds: float
    generation: Generation | None = None
    without_change: bool = False
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
        without_change=loaded.unchanged,
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

    A failed run has no counts. The times of the last success and of the last change are carried
    over from the file that is replaced, so they stay known. A file with the metrics of another
    index is not replaced: nobody would learn that its refresh fails.
    """
    earlier_times = _read_earlier_times(path)
    if others := sorted(earlier_times.keys() - {alias}):
        raise _make_foreign_error(path, "metrics", others[0])
    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: float) -> None:
        Gauge(name, text, ["alias"], registry=registry).labels(alias).set(value)

    end = report.started_at.timestamp() + report.seconds
    gauge(
        "foidex_refresh_success",
        "1 if the last refresh succeeded, otherwise 0.",
        report.outcome == "promoted",
    )
    gauge("foidex_refresh_exit_code", "Exit code of the last refresh.", report.exit_code)
    gauge("foidex_refresh_end_timestamp_seconds", "When the last refresh ended.", end)
    gauge("foidex_refresh_duration_seconds", "How long the last refresh took.", report.seconds)
    times = _find_last_times(report, end, earlier_times.get(alias, {}))
    for name, text in _TIME_METRICS.items():
        if name in times:
            gauge(name, text, times[name])
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
        without_text = damage.without_text
        gauge("foidex_refresh_records_without_text", "Records that have no text.", without_text)
    try:
        write_file(path, generate_latest(registry))
    except OSError as error:
        raise OutputError(f"{path}: the metrics cannot be written ({error.strerror}).") from None


def _find_last_times(
    report: RefreshReport, end: float, earlier_times: dict[str, float]
) -> dict[str, float]:
    """When a refresh last succeeded, and last changed any record, each by the name of its metric.

    Where no earlier change is known, as after an upgrade, the time counts from this success. One
    to come, of a clock that was ahead, would keep the alert silent until then.
    """
    if report.outcome != "promoted":
        return earlier_times
    earlier_change = earlier_times.get(_LAST_CHANGE_METRIC, end)
    change = min(earlier_change, end) if report.without_change else end
    return {_LAST_SUCCESS_METRIC: end, _LAST_CHANGE_METRIC: change}


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


def _read_earlier_times(path: Path) -> dict[str, dict[str, float]]:
    """The times that a metrics file gives for each index that it is about, by the name of their
    metric; empty where it cannot be read."""
    times_by_alias: dict[str, dict[str, float]] = {}
    try:
        text = _read_earlier_file(path, _MAX_METRICS_BYTES).decode()
        for metric in text_string_to_metric_families(text):
            for sample in metric.samples:
                if alias := sample.labels.get("alias"):
                    times = times_by_alias.setdefault(alias, {})
                    if sample.name in _TIME_METRICS:
                        times[sample.name] = sample.value
    except (OSError, ValueError):
        return {}
    return times_by_alias


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
    return {
        "damaged": damage.damaged,
        "repaired": damage.repaired,
        "cut_texts": cut,
        "without_text": damage.without_text,
    }


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
            without_change=report.without_change,
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
