"""Nightly refreshes to be disturbed: a server of the test's own, a source that grows, and kills.

A refresh is at work from when it holds the lock until it gives it back.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from elasticsearch import Elasticsearch

from indexer.index.generations import (
    Generation,
    count_documents,
    list_verified,
    read_live_generation,
)
from indexer.index.lock import read_lock
from indexer.records.sample import MENTION_COUNT, generate_records
from indexer.server.connection import connect_server
from indexer.server.embedded.process import start_embedded_server, stop_embedded_server
from queries.answering.adhoc import count_adhoc_request
from queries.request.adhoc import build_adhoc_request
from tests.support.command_line import PROGRAM
from tests.support.index_content import write_records
from tests.support.server import SILENT, end_home, new_home, settings_for

_REFRESH = """
[refresh]
keep = 2
lease_seconds = 600
report = "{alias}-report.json"
metrics = "{alias}.prom"
[[refresh.canaries]]
term = "live stream"
least = 10
"""

_QUERIES = """
[source]
watermark = "updated_at"
watermark_overlap_seconds = 0
[source.queries]
crimes = "SELECT crime_ref, recorded_on, offence_code, status, updated_at FROM crimes"
victims = "SELECT crime_ref, victim_ref, age, sex FROM victims"
narratives = "SELECT crime_ref, narrative FROM narratives ORDER BY number"
"""

_TABLES = (
    "CREATE TABLE crimes (crime_ref text, recorded_on date, offence_code text, status text, updated_at timestamptz)",
    "CREATE TABLE victims (crime_ref text, victim_ref text, age int, sex text)",
    "CREATE TABLE narratives (crime_ref text, number int, narrative text)",
)  # fmt: skip


@cache
def _list_all_records() -> list[dict[str, Any]]:
    return list(generate_records(10_000))


def list_records(total: int) -> list[dict[str, Any]]:
    """The first of one list of records, so that a longer list holds a shorter one."""
    records = _list_all_records()[:total]
    assert len(records) == total
    return records


class FileSource:
    """Records in a file."""

    alias = "crimes"
    settings = '[source]\npaths = ["source.jsonl"]\n'

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.environment: dict[str, str] = {}
        self.path = folder / "source.jsonl"

    def fill(self, total: int) -> None:
        """Hold so many records, and no more."""
        write_records(self.path, list_records(total))


class DatabaseSource:
    """Records in the tables of a PostgreSQL. A record's time of change is when it is added."""

    alias = "tables"
    settings = _QUERIES

    def __init__(self, url: str) -> None:
        self.environment = {"FOIDEX_DATABASE_URL": url}
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        self._total = 0
        with self._engine.begin() as connection:
            for statement in _TABLES:
                connection.exec_driver_sql(statement)

    def fill(self, total: int) -> None:
        """Hold so many records, at least as many as before."""
        added = list_records(total)[self._total :]
        self._total = total
        with self._engine.begin() as connection:
            self._insert(connection, "crimes", added, {"updated_at": sa.func.clock_timestamp()})
            for name, field in (("victims", "victims"), ("narratives", "narrative")):
                rows = [
                    {"crime_ref": record["crime_ref"]}
                    | ({"number": number, "narrative": part} if isinstance(part, str) else part)
                    for record in added
                    for number, part in enumerate(record.get(field, []))
                ]
                self._insert(connection, name, rows, {})

    @staticmethod
    def _insert(
        connection: sa.Connection, name: str, rows: list[dict[str, Any]], values: dict[str, Any]
    ) -> None:
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        columns = set(table.columns.keys()) - values.keys()
        if rows:
            kept = [{key: row.get(key) for key in columns} for row in rows]
            connection.execute(table.insert().values(values), kept)


class Night:
    """A server of the tests' own, which may be killed, and a source to refresh from.

    Nights of several sources may share a home: each has an index of its own.
    """

    def __init__(self, home: Path, source: FileSource | DatabaseSource) -> None:
        self.home = home
        self.alias = source.alias
        self.folder = home / source.alias
        self.source = source
        self.settings = settings_for(home)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")},
            "FOIDEX_HOME": str(home),
            "FOIDEX_HEAP": "512m",
            **source.environment,
        }
        self.folder.mkdir(exist_ok=True)
        index = f'[index]\nalias = "{self.alias}"\n'
        (self.folder / "foidex.toml").write_text(
            index + source.settings + _REFRESH.format(alias=self.alias)
        )

    def start(self, *more: str, **environment: str) -> subprocess.Popen[str]:
        """Begin a refresh."""
        return subprocess.Popen(
            [PROGRAM, "--config", str(self.folder / "foidex.toml"), "refresh", *more],
            env=self.environment | environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def refresh(self, *more: str) -> None:
        """Refresh. The lock of a run that was killed on this machine holds nobody up."""
        process = self.start(*more)
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said

    def client(self) -> Elasticsearch:
        """A client of the server, which is started where it does not run."""
        return connect_server(start_embedded_server(self.settings, SILENT))

    def check(self, totals: set[int]) -> Generation:
        """The alias points at one whole, verified generation of one of the sizes."""
        with self.client() as client:
            # A promotion that a killed process had sent may still be carried out in between. So the
            # count is compared with the generation that it says it is of.
            request = build_adhoc_request(["live stream", "livestreaming"])
            for _ in range(3):
                live = read_live_generation(client, self.alias)
                whole = count_adhoc_request(client, self.alias, request)
                if whole.generation == live.name:
                    break
            assert live.verified
            assert live.records in totals
            assert count_documents(client, live.name) == (live.records, 0)
            counted = sum(n % 20 < MENTION_COUNT and n % 17 > 1 for n in range(live.records))
            assert (whole.generation, whole.records) == (live.name, counted)
            return live

    def check_clean(self, total: int) -> Generation:
        """Also nothing is left of what was disturbed: no lock, and no generation half built."""
        live = self.check({total})
        with self.client() as client:
            names = set(client.indices.get(index=f"{self.alias}-*").body)
            assert names == {generation.name for generation in list_verified(client, self.alias)}
            assert len(names) <= 2
            assert read_lock(client, self.alias) is None
        return live

    def work(self, client: Elasticsearch, *more: str, **environment: str) -> Work:
        """Start a refresh, and wait until it holds the lock, from when on it works."""
        await_that(lambda: read_lock(client, self.alias) is None, "an earlier lock did not run out")
        before = set(client.indices.get(index=f"{self.alias}-*").body)
        process = self.start(*more, **environment)
        work = Work(client, process, self.alias, before)
        await_that(work.holds_lock, "the refresh did not take the lock", process)
        return work


def open_home() -> Iterator[Path]:
    """A home for nights, until their tests are over. For a fixture."""
    home = new_home()
    try:
        yield home
    finally:
        stop_embedded_server(settings_for(home), SILENT)
        end_home(home)


def begin(home: Path, source: FileSource | DatabaseSource) -> Night:
    """A night with something live."""
    night = Night(home, source)
    source.fill(2_000)
    night.refresh()
    return night


class Work:
    """A refresh that is under way."""

    def __init__(
        self,
        client: Elasticsearch,
        process: subprocess.Popen[str],
        alias: str,
        before: set[str],
    ) -> None:
        self.process = process
        self._alias = alias
        self._client = client
        self._before = before

    def holds_lock(self) -> bool:
        """Whether the lock is this process's, which it gives back when all is done."""
        client = self._client.options(ignore_status=404)
        found = client.get(index=f"{self._alias}.lock", id="refresh").body
        return bool(found.get("found")) and found["_source"]["process"] == self.process.pid

    def has_begun_to_build(self) -> bool:
        """Whether there is an index that was not there before."""
        return bool(set(self._client.indices.get(index=f"{self._alias}-*").body) - self._before)

    def await_building(self) -> None:
        """Wait until it builds a generation."""
        await_that(self.has_begun_to_build, "the refresh did not begin to build", self.process)

    def kill(self) -> bool:
        """Kill it at once. Whether that hit it at work: it died of it, and left its lock behind."""
        self.process.kill()
        self.process.communicate()
        assert self.process.returncode in (-signal.SIGKILL, 0)
        return self.process.returncode == -signal.SIGKILL and self.holds_lock()

    def stop_reading(self, path: Path) -> bool:
        """Stop the process while it has read a part of a file. Whether it could be done."""
        while self.process.poll() is None:
            if (read := self._find_position(path)) and self.has_begun_to_build():
                self.process.send_signal(signal.SIGSTOP)
                read = self._find_position(path)
                return read is not None and 0 < read < path.stat().st_size
        return False

    def _find_position(self, path: Path) -> int | None:
        """How many bytes of an open file the process has read."""
        folder = Path(f"/proc/{self.process.pid}")
        for link in folder.glob("fd/*"):
            try:
                if link.readlink() == path:
                    text = (folder / "fdinfo" / link.name).read_text()
                    return int(re.findall(r"^pos:\s*(\d+)", text, re.MULTILINE)[0])
            except OSError:
                continue
        return None


def await_that(
    holds: Callable[[], bool], message: str, process: subprocess.Popen[str] | None = None
) -> None:
    """Wait until it holds, as long as the process runs."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, message
        assert process is None or process.poll() is None, f"{message}, and ended"
        time.sleep(0.01)
