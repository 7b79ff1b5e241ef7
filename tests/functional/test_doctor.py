"""The doctor on real servers: each fault is made, and found with its remedy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.doctor import cluster
from indexer.doctor.cluster import check_clock_skew
from indexer.doctor.privileges import COMMAND_PRIVILEGES
from indexer.errors import InexactError, LockedError
from indexer.index.generations import build_index_meta, create_generation
from indexer.index.lock import hold_lock, read_lock
from indexer.index.mapping import load_index_schema
from indexer.jobs.refresh import RefreshResult
from tests.support.command_line import CommandLine
from tests.support.findings import UNSOUND, list_findings, sole_finding

RECORD = {"crime_ref": "A", "recorded_on": "2019-06-01", "offence_code": "22B", "narrative": "x"}


def test_all_is_well_once_records_are_loaded(
    foidex: CommandLine, load: Callable[..., RefreshResult]
) -> None:
    assert sole_finding(list_findings(foidex), "generation") == (
        "warning",
        "nothing has been loaded yet. Run: foidex refresh (from the source in foidex.toml) or "
        "foidex load PATH. After a loss, run foidex restore first: a new index does not know which "
        "records were forgotten.",
    )
    load([RECORD])
    found = list_findings(foidex)
    assert {one.level for every in found.values() for one in every} == {"ok"}
    assert list(found) == [
        "configuration", "home folder", "tls", "server", "rights", "clock", "health", "disk",
        "generation", "text", "unfinished", "lock", "backups",
    ]  # fmt: skip
    assert [one.message for one in found["rights"]] == [f"this user may {one.may}." for one in COMMAND_PRIVILEGES]  # fmt: skip
    told = foidex("doctor")
    assert told.code == 0
    assert len(told.out.splitlines()) == 17


def test_records_that_are_not_to_be_seen_are_a_problem(
    foidex: CommandLine,
    load: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
) -> None:
    """Every count is refused then, so what watches the index must not stay green."""
    live = load([RECORD, RECORD | {"crime_ref": "B"}]).generation.name
    assert foidex("status", "--max-age", "26h").code == 0
    told = f"the server shows this user 1 of the 2 records of {live}"
    only_one = {"term": {"crime_ref": "A"}}

    def require_told() -> None:
        (found,) = list_findings(foidex, UNSOUND)["records"]
        assert (found.level, found.message.startswith(told)) == ("problem", True)
        status = foidex("status", "--max-age", "26h")
        assert (status.code, told in status.err) == (InexactError.exit_code, True)

    client.indices.put_alias(index=live, name=index.alias, filter=only_one)
    require_told()
    client.indices.put_alias(index=live, name=index.alias)
    (hit,) = client.search(index=live, query=only_one)["hits"]["hits"]
    client.indices.put_settings(index=live, settings={"index.blocks.write": False})
    client.delete(index=live, id=hit["_id"], refresh=True)
    require_told()


def test_a_live_generation_that_was_deleted_by_hand_is_a_problem(
    foidex: CommandLine, load: Callable[..., RefreshResult], client: Elasticsearch
) -> None:
    kept, live = (load([RECORD]).generation.name for _ in range(2))
    client.indices.delete(index=live)
    told = f"no generation is live, though {kept} is kept. Make it live: foidex rollback {kept}"
    assert sole_finding(list_findings(foidex, UNSOUND), "generation") == ("problem", told)
    done = foidex("rollback")
    assert done.code == 0
    assert done.out.startswith(f"{kept} is live again, with 1 records. None was live.")


def test_a_rollback_from_an_alias_at_several_names_what_it_pointed_at(
    foidex: CommandLine, load: Callable[..., RefreshResult], client: Elasticsearch
) -> None:
    older, newer = (load([RECORD]).generation for _ in range(2))
    alias = foidex.environment["FOIDEX_INDEX"]
    client.indices.put_alias(index=older.name, name=alias)  # by somebody's hand
    done = foidex("rollback", older.name)
    assert done.code == 0
    expected = f"The alias pointed at {older.name} and {newer.name}.\n"
    assert done.out == f"{older.name} is live again, with 1 records. {expected}"


def test_another_mapping_wants_a_full_refresh(
    foidex: CommandLine, load: Callable[..., RefreshResult], client: Elasticsearch
) -> None:
    one = load([RECORD]).generation
    other = msgspec.structs.replace(one, mapping_hash="0" * 64)
    client.indices.put_mapping(index=one.name, meta=build_index_meta(other))
    level, told = sole_finding(list_findings(foidex), "generation")
    assert level == "warning"
    assert told.endswith("Run a full refresh: foidex refresh --full")


def test_categories_of_the_force_are_part_of_the_mapping(
    foidex: CommandLine, tmp_path: Path
) -> None:
    """A generation that was built with them is up to date; without them it is not."""
    config, records = tmp_path / "categories.toml", tmp_path / "records.jsonl"
    config.write_text('[categories.district]\ntype = "keyword"\n', encoding="utf-8")
    records.write_bytes(msgspec.json.encode(RECORD) + b"\n")
    declared = {"FOIDEX_CONFIG": str(config)}
    assert foidex("load", records, **declared).code == 0
    assert sole_finding(list_findings(foidex, environment=declared), "generation")[0] == "ok"
    assert sole_finding(list_findings(foidex), "generation")[0] == "warning"


def test_what_is_half_built_is_told_with_whether_a_refresh_runs(
    foidex: CommandLine,
    load: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
) -> None:
    load([RECORD])
    left = create_generation(client, index, load_index_schema(), "0", ()).name
    assert sole_finding(list_findings(foidex), "unfinished") == (
        "warning",
        f"{left} was left half done by a refresh or restore that died. "
        "The next refresh or restore clears it.",
    )
    with hold_lock(client, index.alias, 30):
        found = list_findings(foidex)
        assert sole_finding(found, "unfinished") == ("ok", f"{left} is being built. ")
        assert sole_finding(found, "lock")[1].startswith("a refresh has been running since 20")
    with hold_lock(client, index.alias, 30, "rollback"):
        found = list_findings(foidex)
        assert sole_finding(found, "lock")[1].startswith("a rollback has been running since 20")
    idle = ("ok", "nothing that changes the index is running. ")
    assert sole_finding(list_findings(foidex), "lock") == idle


def test_a_lock_whose_answer_was_lost_is_ours_all_the_same(
    client: Elasticsearch, index: IndexSettings
) -> None:
    """A busy server wrote the lock, but did not say so in time, and the client asked again."""
    with hold_lock(client, index.alias, 30) as lock:
        lock.take()
        lock.check()
        with pytest.raises(LockedError), hold_lock(client, index.alias, 30):
            pass
    assert read_lock(client, index.alias) is None


def test_shards_that_are_on_no_node_are_told(
    foidex: CommandLine, load: Callable[..., RefreshResult], client: Elasticsearch
) -> None:
    name = load([RECORD]).generation.name
    client.indices.put_settings(index=name, settings={"number_of_replicas": 2})
    level, told = sole_finding(list_findings(foidex), "health")
    assert level == "warning"
    assert told.startswith("2 copies of shards are on no node.")


def test_an_alias_at_two_indices_is_a_problem(
    foidex: CommandLine,
    load: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
) -> None:
    load([RECORD])
    client.indices.create(index=f"{index.alias}-other", aliases={index.alias: {}})
    level, told = sole_finding(list_findings(foidex, UNSOUND), "generation")
    assert level == "problem"
    assert "points at 2 indices" in told


def test_a_server_that_is_down_is_a_problem_and_no_more_is_asked(foidex: CommandLine) -> None:
    found = list_findings(foidex, UNSOUND, {"FOIDEX_URL": "http://127.0.0.1:9"})
    assert list(found) == ["configuration", "home folder", "tls", "server"]
    assert sole_finding(found, "server")[0] == "problem"


def test_one_of_several_servers_that_is_down_is_told(foidex: CommandLine) -> None:
    url = foidex.environment["FOIDEX_URL"]
    found = list_findings(foidex, UNSOUND, {"FOIDEX_URL": f"http://127.0.0.1:9,{url}"})
    assert [one.level for one in found["server"]] == ["problem", "ok"]
    assert "lock" in found


def test_clocks_that_differ_are_told(
    client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ahead, level in ((0, "ok"), (20, "warning"), (-300, "problem")):
        clock = SimpleNamespace(time=lambda ahead=ahead: time.time() + ahead)
        monkeypatch.setattr(cluster, "time", clock)
        (one,) = check_clock_skew(client, 60)
        assert one.level == level
