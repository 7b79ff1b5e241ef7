"""A cluster that loses nodes: no record lost, no wrong number, and refusal where none can be given."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.errors import FoidexError, GenerationError, InexactError, ServerError
from indexer.index.generations import find_live_name, list_all_generations, read_live_generation
from indexer.jobs.refresh import LoadOptions, RefreshResult, load_files
from indexer.records.sample import MENTION_COUNT, generate_records
from indexer.server.connection import connect_server
from indexer.server.server_errors import translate_client_errors
from queries.answer.types import count_or_zero
from queries.answering.adhoc import count_adhoc_request
from queries.request.adhoc import build_adhoc_request
from tests.support.cluster import NODES, Cluster
from tests.support.server import SILENT, end_home, new_home

INDEX = IndexSettings(alias="crimes", shards=3, replicas=1)

RECORDS = 3_000

TERMS = ["live stream", "livestreaming"]


def expected(records: int) -> int:
    """What the sample is made to hold, by arithmetic."""
    return sum(n % 20 < MENTION_COUNT and n % 17 > 1 for n in range(records))


def counted(client: Elasticsearch) -> int:
    request = build_adhoc_request(TERMS)
    return count_or_zero(count_adhoc_request(client, INDEX.alias, request).records)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = new_home()
    yield folder
    end_home(folder)


@pytest.fixture(scope="module")
def cluster(home: Path) -> Iterator[Cluster]:
    """Three nodes with a first generation; every shard has two copies."""
    together = Cluster(home)
    try:
        load(together, home, RECORDS)
        yield together
    finally:
        together.stop()


def load(cluster: Cluster, home: Path, records: int, node: int = 0) -> RefreshResult:
    path = home / f"{records}.jsonl"
    path.write_bytes(
        b"".join(msgspec.json.encode(one) + b"\n" for one in generate_records(records))
    )
    with cluster.ours(node) as client:
        return load_files(
            client, INDEX, [path], home / "rejects", SILENT, LoadOptions(lease_seconds=30)
        )


class Reader:
    """Counts again and again through one node; keeps each number and each failure."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.failures: list[str] = []


@contextmanager
def reading(cluster: Cluster, node: int = 0) -> Iterator[Reader]:
    reader = Reader()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                with connect_server(cluster.nodes[node].address) as client:
                    while not done.is_set():
                        with translate_client_errors(cluster.nodes[node].address):
                            reader.numbers.append(counted(client))
                        time.sleep(0.1)
            except Exception as error:  # noqa: BLE001 - any failure fails the test
                reader.failures.append(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield reader
    finally:
        done.set()
        thread.join()


def blocked(client: Elasticsearch) -> bool:
    """Whether the server has found its disks full, and let nothing more be written."""
    found = client.indices.get_settings(index="crimes*", expand_wildcards="all").body
    return "read_only_allow_delete" in str(found)


def until(happens: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_node_killed_in_mid_build_loses_nothing(cluster: Cluster, home: Path) -> None:
    """The build has one copy of each shard, so it may fail; then the live generation is as it was.

    Either way a rerun, when the node is back, is whole, and nobody who counts sees a change.
    """
    with cluster.client() as client:
        before = read_live_generation(client, INDEX.alias)
        outcome: list[RefreshResult | Exception] = []

        def build() -> None:
            try:
                outcome.append(load(cluster, home, RECORDS + 500))
            except FoidexError as error:
                outcome.append(error)

        with reading(cluster) as reader:
            building = threading.Thread(target=build)
            building.start()
            until(lambda: len(client.indices.get(index="crimes-*").body) > 1)
            cluster.nodes[2].kill()
            time.sleep(3)
            cluster.nodes[2].start()
            building.join()
        (result,) = outcome
        print(type(result).__name__, result)  # either may be; with -rP it is seen which
        cluster.wait()
        live = read_live_generation(client, INDEX.alias)
        if isinstance(result, Exception):
            assert isinstance(result, ServerError | GenerationError)
            assert live == before
        else:
            assert live == result.generation
        assert not reader.failures
        assert set(reader.numbers) <= {expected(before.records), expected(live.records)}
        assert counted(client) == expected(live.records)
    again = load(cluster, home, RECORDS + 600)
    with cluster.ours() as client:
        assert again.generation.records == RECORDS + 600
        assert counted(client) == expected(RECORDS + 600)
        assert client.indices.get(index="crimes-*").body.keys() >= {again.generation.name}
        assert all(one.verified for one in list_all_generations(client, INDEX.alias))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_node_lost_and_back_changes_no_number(cluster: Cluster, home: Path) -> None:
    load(cluster, home, RECORDS)
    at_once = {"unassigned.node_left.delayed_timeout": "0"}  # else a minute
    with cluster.client() as client:
        client.indices.put_settings(index="crimes*", expand_wildcards="all", settings=at_once)
    with reading(cluster) as reader:
        cluster.nodes[1].kill()
        cluster.wait(nodes=2)  # the copies it held are made anew
        smaller = load(cluster, home, RECORDS)
        cluster.nodes[1].start()
        cluster.wait()
    assert not reader.failures
    assert set(reader.numbers) == {expected(RECORDS)}
    assert not smaller.generation.overrides


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_node_that_stands_still_makes_answers_slow_and_never_wrong(
    cluster: Cluster, home: Path
) -> None:
    """The one that leads the others, which holds up more than its own shards."""
    load(cluster, home, RECORDS)
    still = cluster.master()
    with reading(cluster, (still + 1) % NODES) as reader:
        cluster.nodes[still].pause()
        seen = len(reader.numbers)
        try:
            until(lambda: len(reader.numbers) > seen + 3, 120)
        finally:
            cluster.nodes[still].resume()
        cluster.wait()
    assert not reader.failures
    assert set(reader.numbers) == {expected(RECORDS)}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_full_disks_stop_a_refresh_in_words_and_no_answer(cluster: Cluster, home: Path) -> None:
    """Watermarks that no disk can keep: the server lets nothing be written."""
    load(cluster, home, RECORDS)
    marks = ("low", "high", "flood_stage")
    full = {f"cluster.routing.allocation.disk.watermark.{mark}": "900tb" for mark in marks}
    with cluster.client() as client:
        before = find_live_name(client, INDEX.alias)
        client.cluster.put_settings(persistent=full)
        try:
            until(lambda: blocked(client))
            with (
                reading(cluster) as reader,
                pytest.raises(ServerError, match="a disk of the server is full"),
            ):
                load(cluster, home, RECORDS + 500)
        finally:
            client.cluster.put_settings(persistent=dict.fromkeys(full))
        assert not reader.failures
        assert set(reader.numbers) == {expected(RECORDS)}
        assert find_live_name(client, INDEX.alias) == before
        until(lambda: not blocked(client))
    again = load(cluster, home, RECORDS + 500)
    assert again.generation.records == RECORDS + 500


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_disk_that_fills_up_in_mid_build_is_told_at_once(cluster: Cluster, home: Path) -> None:
    """The records come through a pipe, and the disk is full before the last of them."""
    load(cluster, home, RECORDS)
    records = home / "pipe.jsonl"
    os.mkfifo(records)
    outcome: list[Exception] = []

    def build() -> None:
        try:
            with cluster.ours() as client:
                load_files(client, INDEX, [records], home / "rejects", SILENT)
        except FoidexError as error:
            outcome.append(error)

    with cluster.client() as client:
        before = set(client.indices.get(index="crimes-*").body)
        building = threading.Thread(target=build)
        building.start()
        with suppress(BrokenPipeError), records.open("wb") as pipe:
            for number, one in enumerate(generate_records(RECORDS + 30_000)):
                if number == RECORDS:
                    until(lambda: bool(set(client.indices.get(index="crimes-*").body) - before))
                    (new,) = set(client.indices.get(index="crimes-*").body) - before
                    full = {"blocks.read_only_allow_delete": True}
                    client.indices.put_settings(index=new, settings=full)
                pipe.write(msgspec.json.encode(one) + b"\n")
        building.join()
        assert set(client.indices.get(index="crimes-*").body) == before
        assert counted(client) == expected(RECORDS)
    (error,) = outcome
    assert "a disk of the server is full" in str(error)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_without_a_copy_of_every_shard_no_number_is_given(cluster: Cluster, home: Path) -> None:
    load(cluster, home, RECORDS)
    cluster.nodes[1].kill()
    cluster.nodes[2].kill()
    with cluster.client() as plain:
        shards = plain.search(index=INDEX.alias, size=0).body["_shards"]
        assert shards["successful"] < shards["total"]  # what a careless client takes for an answer
    for _ in range(3):
        with pytest.raises((ServerError, InexactError)), cluster.ours() as client:
            counted(client)
    cluster.nodes[1].start()
    cluster.nodes[2].start()
    cluster.wait()
    with cluster.ours() as client:
        assert counted(client) == expected(RECORDS)
