"""What foidex writes at a path of the user's choice, each by its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from indexer.audit.log import AuditEntry, AuditLog
from indexer.jobs.report import RefreshReport, write_metrics, write_refresh_report
from indexer.loading.rejects import Rejects
from indexer.sources.base import RawRecord
from queries.disclosure.ledger import publish_release
from queries.documents.content.templates import copy_templates
from queries.evidence.basis import BasisHeader, write_basis
from tests.support.answers import sample_answer
from tests.support.tables import FIVE

NOW = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)

REPORT = RefreshReport("failed", 5, "full", NOW, 1.0)

HEADER = BasisHeader("g", "q", (), 0, None)

TEXT = b'{"crime_ref": "1"}\n'


def reject_record(path: Path, *, keep: bool = False) -> Path:
    rejects = Rejects(path, keep=keep)
    try:
        rejects.add(RawRecord("file:1", TEXT, 1), "reason")
    finally:
        rejects.close()
    return rejects.path


def release_answer(path: Path) -> None:
    publish_release(sample_answer(1234), FIVE, path)


def log_query(path: Path) -> None:
    AuditLog(path).append(AuditEntry(NOW, "user", "count", 0, "0.1.0"))


WRITERS: dict[str, Callable[[Path], object]] = {
    "rejects": reject_record,
    "ledger": release_answer,
    "audit log": log_query,
    "audit key": lambda path: AuditLog(path.with_name("audit.jsonl")).mark("1"),
    "basis": lambda path: write_basis(path.parent, HEADER, [], ()),
    "report": lambda path: write_refresh_report(REPORT, path, "crimes"),
    "metrics": lambda path: write_metrics(REPORT, path, "crimes"),
    "templates": lambda path: copy_templates(path.parent),
}
