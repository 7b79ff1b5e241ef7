"""The fixtures of every suite that uses a server: FOIDEX_TEST_URL, else an embedded server.

Each test has an index of its own, whose name begins with "test-".
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.jobs.refresh import LoadOptions, RefreshResult, load_files
from indexer.server.address import ServerAddress
from indexer.server.connection import connect_server
from indexer.server.embedded.process import start_embedded_server, stop_embedded_server
from tests.support.command_line import CommandLine
from tests.support.server import SILENT, find_leaks, new_home, settings_for, tells

if TYPE_CHECKING:
    from tests.support.secured import Secured

Records = list[dict[str, Any]]


#: Names the home of the server that all processes of a run share.
SHARED_HOME = "SHARED_SERVER_HOME"


def pytest_configure(config: pytest.Config) -> None:
    """Name the home of the run's server, for this process and for those that run its tests."""
    if _shares_server(config):
        os.environ[SHARED_HOME] = str(new_home())
        # A run that is told to stop ends as one that is interrupted, and stops its server.
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the run's server. Fails the run where text of a record stands where none belongs."""
    if not _shares_server(session.config):
        return
    home = Path(os.environ.pop(SHARED_HOME))
    stop_embedded_server(settings_for(home), SILENT)
    leaks = find_leaks(home)
    shutil.rmtree(home, ignore_errors=True)
    if leaks:
        print(f"\nText of records stands in {', '.join(leaks)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _shares_server(config: pytest.Config) -> bool:
    """Whether this process is the one that answers for the run's server."""
    return not hasattr(config, "workerinput") and "FOIDEX_TEST_URL" not in os.environ


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test during which a record's text went to standard error or a log."""
    report = yield
    said = f"{report.capstderr}{report.caplog}"
    if call.when == "teardown" and report.passed and tells(said):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: text of a record went to standard error or a log"
    return report


@pytest.fixture(scope="session")
def server() -> Iterator[ServerAddress]:
    """The address of the run's server; never skipped, so a missing server fails.

    The first test that needs it starts it, whichever process it is in; the run stops it.
    """
    if url := os.environ.get("FOIDEX_TEST_URL"):
        yield ServerAddress(
            url, os.environ.get("FOIDEX_TEST_USER"), os.environ.get("FOIDEX_TEST_PASSWORD")
        )
        return
    yield start_embedded_server(settings_for(Path(os.environ[SHARED_HOME])), SILENT)


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A server of the suite's own that speaks TLS."""
    from tests.support.secured import running

    with running(tmp_path_factory.mktemp("authority")) as started:
        yield started


@pytest.fixture(scope="session")
def client(server: ServerAddress) -> Iterator[Elasticsearch]:
    with connect_server(server) as connected:
        yield connected


@pytest.fixture
def index(client: Elasticsearch) -> Iterator[IndexSettings]:
    """An alias of the test's own; only names that are a test's are ever deleted."""
    alias = f"test-{secrets.token_hex(4)}"
    yield IndexSettings(alias=alias)
    assert alias.startswith("test-")
    for name in client.indices.get(index=f"{alias}*", expand_wildcards="all").body:
        client.indices.delete(index=name)


@pytest.fixture
def load(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> Callable[..., RefreshResult]:
    """Load records into the test's index."""

    def run(records: Records, **options: Any) -> RefreshResult:
        path = tmp_path / "records.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
        rejects = tmp_path / "rejects"
        return load_files(client, index, [path], rejects, SILENT, LoadOptions(**options))

    return run


@pytest.fixture
def environment(server: ServerAddress, index: IndexSettings, tmp_path: Path) -> dict[str, str]:
    """The environment in which the command line uses the test's server and index."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    return {
        **kept,
        "FOIDEX_URL": server.url,
        "FOIDEX_USER": server.user or "",
        "FOIDEX_PASSWORD": server.password or "",
        "FOIDEX_INDEX": index.alias,
        "FOIDEX_HOME": str(tmp_path / "home"),
        "COLUMNS": "100",
    }


@pytest.fixture
def foidex(environment: dict[str, str], tmp_path: Path) -> CommandLine:
    """The program in the test's folder, with the test's server and index."""
    return CommandLine(tmp_path, environment)
