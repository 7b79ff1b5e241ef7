"""A refresh, and its server, killed at any moment: what is live is whole, and a rerun mends the rest."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from indexer.index.generations import (
    promote_generation,
    read_live_generation,
    roll_back_generation,
)
from queries.answering.adhoc import AdhocCount, count_adhoc_request
from tests.support.examples import repeats
from tests.support.night import DatabaseSource, FileSource, Night, begin, open_home
from tests.support.postgres import running


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    yield from open_home()


@pytest.fixture(scope="module")
def night(home: Path) -> Night:
    """Refreshes from a file."""
    return begin(home, FileSource(home / FileSource.alias))


@pytest.fixture(scope="module")
def night_of_database(home: Path) -> Iterator[Night]:
    """Refreshes from PostgreSQL."""
    with running() as postgres:
        yield begin(home, DatabaseSource(postgres.url()))


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize(
    ("source", "mode"),
    [
        ("night", "full"),
        ("night_of_database", "incremental"),
        pytest.param("night", "incremental", marks=pytest.mark.long),
        pytest.param("night_of_database", "full", marks=pytest.mark.long),
    ],
)
def test_a_refresh_killed_at_any_moment_leaves_a_whole_generation(
    source: str, mode: str, request: pytest.FixtureRequest
) -> None:
    """SIGKILL at random moments of its work, then a rerun that needs no hand and clears what was
    left. Only kills count that provably hit: the process died of the signal while the lock was its
    own. In the long run there are 100, 25 of each kind."""
    night: Night = request.getfixturevalue(source)
    options = {"full": [], "incremental": ["--incremental"]}
    chance = random.Random(f"{source} {mode}")
    hits = 0
    with night.client() as client:
        live = read_live_generation(client, night.alias).records
        night.source.fill(live + 20)
        work = night.work(client, *options[mode])
        work.await_building()
        started = time.monotonic()
        _, said = work.process.communicate()
        assert work.process.returncode == 0, said
        building = time.monotonic() - started
        total = night.check_clean(live + 20).records
        for turn in range((kills := repeats(1, 25)) * 4):
            before, total = total, total + 20
            night.source.fill(total)
            work = night.work(client, *options[mode])
            if turn % 5 != 4:  # in every fifth turn before or as it begins to build
                work.await_building()
                time.sleep(chance.uniform(0, building))
            if work.kill():
                hits += 1
                night.check({before, total})
                night.refresh(*options[mode])
            else:  # it was done before
                building *= 0.8
            content_hash = night.check_clean(total).content_hash
            if hits == kills:
                break
        assert hits == kills
        night.refresh(*options["full" if mode == "incremental" else "incremental"])
        assert night.check_clean(total).content_hash == content_hash


@pytest.mark.timeout(900)
def test_a_server_killed_during_a_refresh_and_started_again_is_whole(night: Night) -> None:
    """SIGKILL to the server at random moments of a refresh; it is started again and rerun."""
    chance = random.Random(8)
    with night.client() as client:
        before = read_live_generation(client, night.alias).records
    for turn in range(repeats(1, 10)):
        total = before + 20
        night.source.fill(total)
        with night.client() as client:
            work = night.work(client, *(["--incremental"] if turn % 2 else []))
            work.await_building()
        time.sleep(chance.uniform(0, 0.5))
        state = json.loads((night.home / "server.json").read_bytes())
        server = psutil.Process(state["pid"])
        at_work = work.process.poll() is None
        server.kill()
        server.wait(30)
        _, said = work.process.communicate(timeout=180)
        assert "Traceback" not in said
        assert at_work or work.process.returncode == 0
        night.check({before, total})
        night.refresh()
        before = night.check({total}).records


def test_a_promotion_sent_before_a_kill_makes_no_count_look_wrong(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of these tests, if the server carries it out between reading what is live and
    counting: a count is compared with the generation that it is of."""
    with night.client() as client:
        before = read_live_generation(client, night.alias)
        night.source.fill(before.records + 20)
        night.refresh()
        after = read_live_generation(client, night.alias)
        roll_back_generation(client, night.alias, before.name)
        promoted: list[str] = []

        def promote_and_count(*arguments: Any) -> AdhocCount:
            if not promoted:
                promote_generation(client, night.alias, after)
                promoted.append(after.name)
            return count_adhoc_request(*arguments)

        monkeypatch.setattr("tests.support.night.count_adhoc_request", promote_and_count)
        assert night.check({before.records, after.records}).name == after.name
        assert promoted


def test_sigterm_deletes_what_was_half_built_gives_the_lock_back_and_is_told(night: Night) -> None:
    night.refresh()  # clears what a test before this one may have left
    with night.client() as client:
        before = set(client.indices.get(index=f"{night.alias}-*").body)
        work = night.work(client)
        work.await_building()
        work.process.send_signal(signal.SIGTERM)
        _, said = work.process.communicate(timeout=60)
        assert work.process.returncode == 143, said
        assert "stopped" in said
        assert set(client.indices.get(index=f"{night.alias}-*").body) == before
        assert not client.exists(index=f"{night.alias}.lock", id="refresh")
    report = json.loads((night.home / f"{night.alias}-report.json").read_text())
    assert (report["outcome"], report["exit_code"]) == ("failed", 143)
    (line,) = [json.loads(one) for one in said.splitlines() if one.startswith("{")]
    assert (line["event"], line["exit_code"]) == ("refresh failed", 143)
    metrics = (night.home / f"{night.alias}.prom").read_text()
    labels = f'{{alias="{night.alias}"}}'
    assert f"foidex_refresh_success{labels} 0.0" in metrics
    assert f"foidex_refresh_exit_code{labels} 143.0" in metrics
    assert f"foidex_refresh_last_success_timestamp_seconds{labels}" in metrics
