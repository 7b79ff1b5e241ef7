"""A refresh, and its server, killed at any moment: what is live is whole, and a rerun mends the rest."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from elasticsearch import Elasticsearch

from indexer.errors import LockedError
from indexer.index.generations import count_documents, list_verified, read_live_generation
from indexer.index.lock import read_lock
from indexer.records.sample import MENTION_COUNT, generate_records
from indexer.server.connection import connect_server
from indexer.server.embedded.process import start_embedded_server, stop_embedded_server
from queries.answering.adhoc import count_adhoc_request
from queries.request.adhoc import build_adhoc_request
from tests.support.command_line import PROGRAM
from tests.support.examples import repeats
from tests.support.index_content import write_records
from tests.support.server import SILENT, end_home, new_home, settings_for

ALIAS = "crimes"


class Rig:
    """A server of the test's own, which may be killed, and a source to refresh from."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "night"
        self.folder.mkdir()
        self.settings = settings_for(home)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")},
            "FOIDEX_HOME": str(home),
            "FOIDEX_HEAP": "512m",
        }
        (self.folder / "foidex.toml").write_text(
            '[source]\npaths = ["source.jsonl"]\n[refresh]\nkeep = 2\nlease_seconds = 5\n'
            '[[refresh.canaries]]\nterm = "live stream"\nleast = 10\n'
        )

    def source(self, total: int) -> None:
        """The first of one list of records, so that a longer source holds a shorter one."""
        write_records(self.folder / "source.jsonl", list(generate_records(4_000))[:total])

    def command(self, *more: str) -> list[str]:
        return [PROGRAM, "--config", str(self.folder / "foidex.toml"), *more]

    def start(self, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command("refresh", *more), env=self.environment, cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def refresh(self, *more: str) -> None:
        """Refresh by hand-free reruns: a dead run's lease may have to run out first."""
        for _ in range(20):
            process = self.start(*more)
            _, said = process.communicate(timeout=120)
            if process.returncode == 0:
                return
            assert process.returncode == LockedError.exit_code, said
            time.sleep(0.5)
        pytest.fail("the lock was never given back")

    def client(self) -> Elasticsearch:
        return connect_server(start_embedded_server(self.settings, SILENT))

    def check(self, totals: set[int]) -> int:
        """The alias points at one whole, verified generation of one of the sizes."""
        with self.client() as client:
            live = read_live_generation(client, ALIAS)
            assert live.verified
            assert live.records in totals
            assert count_documents(client, live.name) == (live.records, 0)
            whole = count_adhoc_request(
                client, ALIAS, build_adhoc_request(["live stream", "livestreaming"])
            )
            counted = sum(n % 20 < MENTION_COUNT and n % 17 > 1 for n in range(live.records))
            assert whole.records == counted
            return live.records

    def work(self, client: Elasticsearch, *more: str) -> Work:
        """Start a refresh, and wait until it holds the lock, from when on it works."""
        eventually(lambda: read_lock(client, ALIAS) is None, "an earlier lock did not run out")
        before = set(client.indices.get(index=f"{ALIAS}-*").body)
        process = self.start(*more)
        work = Work(client, process, before)
        eventually(work.holds_lock, "the refresh did not take the lock", process)
        return work


class Work:
    """A refresh that is under way."""

    def __init__(
        self, client: Elasticsearch, process: subprocess.Popen[str], before: set[str]
    ) -> None:
        self.process = process
        self._client = client
        self._before = before

    def holds_lock(self) -> bool:
        lock = read_lock(self._client, ALIAS)
        return lock is not None and lock.holder.endswith(f"(process {self.process.pid})")

    def has_begun_to_build(self) -> bool:
        return bool(set(self._client.indices.get(index=f"{ALIAS}-*").body) - self._before)

    def await_building(self) -> None:
        eventually(self.has_begun_to_build, "the refresh did not begin to build", self.process)

    def kill(self) -> bool:
        """Kill it at once. Whether it was still at work."""
        self.process.kill()
        self.process.communicate()
        assert self.process.returncode in (-signal.SIGKILL, 0)
        return self.process.returncode == -signal.SIGKILL


def eventually(
    holds: Callable[[], bool], message: str, process: subprocess.Popen[str] | None = None
) -> None:
    """Wait until it holds, as long as the process runs."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, message
        assert process is None or process.poll() is None, f"{message}, and ended"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    home = new_home()
    made = Rig(home)
    try:
        made.source(2_000)
        made.refresh()
        yield made
    finally:
        stop_embedded_server(made.settings, SILENT)
        end_home(home)


@pytest.mark.timeout(1_800)
def test_a_refresh_killed_at_any_moment_leaves_a_whole_generation(rig: Rig) -> None:
    """SIGKILL at random moments of its work, then a rerun that needs no hand and clears what was
    left. Each kill hits a refresh that holds the lock, and all but some one that has begun to
    build; one that was too late is made again."""
    chance = random.Random(7)
    with rig.client() as client:
        work = rig.work(client)
        work.await_building()
        started = time.monotonic()
        work.process.communicate()
        building = time.monotonic() - started
        totals = {rig.check({2_000})}
        for turn in range(kills := repeats(4, 40)):
            total = 2_000 + 20 * turn
            rig.source(total)
            for _ in range(20):
                work = rig.work(client, *(["--incremental"] if turn % 2 else []))
                if turn % 5 != 4:  # in every fifth turn before or as it begins to build
                    work.await_building()
                    time.sleep(chance.uniform(0, building))
                if work.kill():
                    break
                totals = {rig.check({total})}  # it was done before
                building *= 0.8
            else:
                pytest.fail("the refresh was never killed in mid-work")
            totals = {rig.check({*totals, total})}
            if turn % 8 == 7 or turn == kills - 1:
                rig.refresh()
                totals = {rig.check({total})}
                names = set(client.indices.get(index=f"{ALIAS}-*").body)
                kept = {generation.name for generation in list_verified(client, ALIAS)}
                assert names == kept
                assert len(kept) <= 2


@pytest.mark.timeout(900)
def test_a_server_killed_during_a_refresh_and_started_again_is_whole(rig: Rig) -> None:
    """SIGKILL to the server at random moments of a refresh; it is started again and rerun."""
    chance = random.Random(8)
    with rig.client() as client:
        before = read_live_generation(client, ALIAS).records
    for turn in range(repeats(2, 10)):
        total = 3_000 + 20 * turn
        rig.source(total)
        with rig.client() as client:
            work = rig.work(client, *(["--incremental"] if turn % 2 else []))
            work.await_building()
        time.sleep(chance.uniform(0, 0.5))
        state = json.loads((rig.home / "server.json").read_bytes())
        server = psutil.Process(state["pid"])
        at_work = work.process.poll() is None
        server.kill()
        server.wait(30)
        _, said = work.process.communicate(timeout=180)
        assert "Traceback" not in said
        assert at_work or work.process.returncode == 0
        rig.check({before, total})
        rig.refresh()
        before = rig.check({total})


def test_sigterm_deletes_what_was_half_built_and_gives_the_lock_back(rig: Rig) -> None:
    rig.refresh()  # clears what a test before this one may have left
    with rig.client() as client:
        before = set(client.indices.get(index=f"{ALIAS}-*").body)
        work = rig.work(client)
        work.await_building()
        work.process.send_signal(signal.SIGTERM)
        _, said = work.process.communicate(timeout=60)
        assert work.process.returncode == 143, said
        assert "stopped" in said
        assert set(client.indices.get(index=f"{ALIAS}-*").body) == before
        assert not client.exists(index=f"{ALIAS}.lock", id="refresh")
