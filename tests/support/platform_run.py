"""What must work without POSIX: every module is imported, and all that needs no server runs.

Run as a program, in a folder of its own: ``python -m tests.support.platform_run``. It prints one
line for each thing that worked.
"""

from __future__ import annotations

import json
import os
import pkgutil
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path

from tests.support.without_posix import hide_posix

_NOW = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)


def import_every_module() -> Iterator[str]:
    """Import every module of foidex."""
    number = 0
    for package in ("indexer", "queries"):
        folder = import_module(package).__path__
        for module in pkgutil.walk_packages(folder, f"{package}."):
            import_module(module.name)
            number += 1
    yield f"{number} modules"


def run_commands() -> Iterator[str]:
    """Run the commands that need no server."""
    from queries.cli import run

    Path("requests").mkdir()
    Path("foidex.toml").write_text(
        '[source]\npaths = ["crimes.jsonl"]\n[audit]\nfolder = "audit"\n'
        '[server]\nurl = "http://127.0.0.1:9"\nretries = 0\n',
        encoding="utf-8",
    )
    for code, arguments in (
        (0, ["--version"]),
        (0, ["sample", "50", "--out", "crimes.jsonl"]),
        (0, ["refresh", "--check"]),
        (0, ["templates", "init", "mine"]),
        (5, ["count", "Snapchat"]),  # refused: no server is there, and the log says so
        (0, ["audit", "verify"]),
        (0, ["audit", "head"]),
        (0, ["audit", "show"]),
        (17, ["doctor"]),
        (5, ["status"]),
        (5, ["refresh"]),
    ):
        result = run(arguments)
        if result != code:
            sys.exit(f"foidex {' '.join(arguments)} exited with {result}")
        yield f"foidex {' '.join(arguments)}"


def refuse_embedded_server() -> Iterator[str]:
    """Say that the embedded server does not run here."""
    from queries.cli import run

    Path("foidex.toml").unlink()
    for code, arguments in (
        (9, ["up"]),
        (9, ["up", "--fetch-only"]),
        (0, ["down"]),
        (5, ["status"]),
        (17, ["doctor"]),
        (9, ["demo"]),
    ):
        result = run(arguments)
        if result != code:
            sys.exit(f"foidex {' '.join(arguments)} exited with {result}")
        yield f"without a server: foidex {' '.join(arguments)}"


def write_every_file() -> Iterator[str]:
    """Write what an answer leaves, twice where that is another thing."""
    from indexer.audit.log import AuditEntry, AuditLog
    from indexer.jobs.report import RefreshReport, write_metrics, write_refresh_report
    from indexer.jobs.retention import expire_rejects
    from indexer.loading.rejects import Rejects, erase_from_rejects
    from indexer.sources.base import RawRecord
    from queries.disclosure.ledger import publish_release, read_ledger
    from queries.disclosure.policy import Policy
    from queries.documents.content.context import DocumentSettings
    from queries.documents.document_set import write_document_set
    from queries.evidence.basis import BasisHeader, read_basis, write_basis
    from tests.support.answers import FORCE, sample_answer

    settings = DocumentSettings(FORCE, date(2018, 8, 15), Path("mine"))
    for number in (1234, 1234, 4321):
        written = write_document_set(sample_answer(number), Path("answers") / "one", settings)
    assert written.changes
    assert not [*Path("answers").rglob(".*")]
    yield "documents"
    publish_release(sample_answer(1234), Policy(threshold=5), Path("releases.jsonl"))
    assert len(read_ledger(Path("releases.jsonl"))) == 1
    yield "ledger"
    digest = write_basis(Path("audit"), BasisHeader("g", "q", (), 0, None), [], ())
    assert read_basis(Path("audit"), digest)
    yield "basis"
    log = AuditLog(Path("audit", "audit.jsonl"))
    for command in ("count", "find"):
        log.append(AuditEntry(_NOW, "user", command, 0, "0.1.0"))
    log.mark("1")
    assert log.check()
    yield "audit log"
    rejects = Rejects(Path("rejects", "g-20260101-000000.jsonl"), keep=True)
    rejects.add(RawRecord("file:1", b'{"crime_ref": "1"}', 1), "reason")
    rejects.close()
    assert erase_from_rejects(Path("rejects"), "1", "crime_ref")[0].removed == 1
    os.utime("rejects/g-20260101-000000.jsonl", (0, 0))
    assert expire_rejects(Path("rejects"), 1).deleted == ("g-20260101-000000.jsonl",)
    yield "rejects"
    report = RefreshReport("failed", 5, "full", _NOW, 1.0)
    write_refresh_report(report, Path("report.json"), "crimes")
    write_metrics(report, Path("foidex.prom"), "crimes")
    assert json.loads(Path("report.json").read_bytes())["exit_code"] == 5
    yield "report and metrics"


def refuse_links() -> Iterator[str]:
    """Refuse links in a folder of documents, which each name is checked for here."""
    from indexer.errors import OutputError
    from queries.documents.content.context import DocumentSettings
    from queries.documents.document_set import write_document_set
    from tests.support.answers import FORCE, sample_answer

    settings = DocumentSettings(FORCE, date(2018, 8, 15))
    for name in ("tables", ".foidex-new", "manifest.json", "FOI-1.letter.txt"):
        folder = Path("planted", name.strip("."))
        folder.mkdir(parents=True)
        Path("victim").mkdir(exist_ok=True)
        (folder / name).symlink_to(Path("victim").absolute())
        try:
            write_document_set(sample_answer(1234), folder, settings)
        except OutputError:
            assert not [*Path("victim").iterdir()]
        else:
            sys.exit(f"{name}: a link was followed")
    yield "links refused"


def main() -> None:
    """Hide POSIX from foidex, and do everything."""
    hide_posix()
    for part in (
        import_every_module,
        run_commands,
        write_every_file,
        refuse_links,
        refuse_embedded_server,
    ):
        for line in part():
            print("worked:", line, flush=True)


if __name__ == "__main__":
    main()
