"""The doctor on real servers: each fault is made, and found with its remedy."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.doctor import cluster
from indexer.doctor.cluster import check_clock_skew
from indexer.doctor.finding import Finding
from indexer.doctor.privileges import COMMAND_PRIVILEGES
from indexer.errors import LockedError
from indexer.index.generations import _build_index_meta, create_generation
from indexer.index.lock import hold_lock
from indexer.index.mapping import load_index_schema
from indexer.jobs.refresh import RefreshResult
from indexer.server.connection import connect_server
from tests.support.command_line import CommandLine
from tests.support.secured import HOST, Secured, presented

RECORD = {"crime_ref": "A", "recorded_on": "2019-06-01", "offence_code": "22B", "narrative": "x"}

PASSWORD = "ZQXPASSWORD"

UNSOUND = 17


def findings(
    program: CommandLine, code: int = 0, environment: dict[str, str] | None = None
) -> dict[str, list[Finding]]:
    """What the doctor finds, by check."""
    outcome = program("doctor", "--format", "json", **(environment or {}))
    assert outcome.code == code, outcome
    found: dict[str, list[Finding]] = {}
    for one in msgspec.json.decode(outcome.out, type=list[Finding]):
        found.setdefault(one.check, []).append(one)
    return found


def the(found: dict[str, list[Finding]], check: str) -> tuple[str, str]:
    (one,) = found[check]
    return one.level, f"{one.message} {one.remedy}"


def test_all_is_well_once_records_are_loaded(
    foidex: CommandLine, load: Callable[..., RefreshResult]
) -> None:
    assert the(findings(foidex), "generation") == (
        "warning",
        "nothing has been loaded yet. Run: foidex load PATH",
    )
    load([RECORD])
    found = findings(foidex)
    assert {one.level for every in found.values() for one in every} == {"ok"}
    assert list(found) == [
        "configuration", "home folder", "tls", "server", "rights", "clock", "health", "disk",
        "generation", "unfinished", "lock", "backups",
    ]  # fmt: skip
    assert [one.message for one in found["rights"]] == [f"this user may {one.may}." for one in COMMAND_PRIVILEGES]  # fmt: skip
    told = foidex("doctor")
    assert told.code == 0
    assert len(told.out.splitlines()) == 15


def test_another_mapping_wants_a_full_refresh(
    foidex: CommandLine, load: Callable[..., RefreshResult], client: Elasticsearch
) -> None:
    one = load([RECORD]).generation
    other = msgspec.structs.replace(one, mapping_hash="0" * 64)
    client.indices.put_mapping(index=one.name, meta=_build_index_meta(other))
    level, told = the(findings(foidex), "generation")
    assert level == "warning"
    assert told.endswith("Run a full refresh: foidex refresh --full")


def test_what_is_half_built_is_told_with_whether_a_refresh_runs(
    foidex: CommandLine,
    load: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
) -> None:
    load([RECORD])
    left = create_generation(client, index, load_index_schema(), "0", ()).name
    assert the(findings(foidex), "unfinished") == (
        "warning",
        f"{left} was left half built by a refresh that died. The next refresh clears it.",
    )
    with hold_lock(client, index.alias, 30):
        found = findings(foidex)
        assert the(found, "unfinished") == ("ok", f"{left} is being built. ")
        assert the(found, "lock")[1].startswith("a refresh has been running since 20")
    assert the(findings(foidex), "lock") == ("ok", "no refresh is running. ")


def test_a_lock_whose_answer_was_lost_is_ours_all_the_same(
    client: Elasticsearch, index: IndexSettings
) -> None:
    """A busy server wrote the lock, but did not say so in time, and the client asked again."""
    with hold_lock(client, index.alias, 30) as lock:
        lock._version, lock._until = {}, datetime.now(UTC)
        lock.take()
        lock.check()
        lock._write(**lock._version)
        with pytest.raises(LockedError), hold_lock(client, index.alias, 30):
            pass


def test_shards_that_are_on_no_node_are_told(
    foidex: CommandLine, load: Callable[..., RefreshResult], client: Elasticsearch
) -> None:
    name = load([RECORD]).generation.name
    client.indices.put_settings(index=name, settings={"number_of_replicas": 2})
    level, told = the(findings(foidex), "health")
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
    level, told = the(findings(foidex, UNSOUND), "generation")
    assert level == "problem"
    assert "points at 2 indices" in told


def test_a_server_that_is_down_is_a_problem_and_no_more_is_asked(foidex: CommandLine) -> None:
    found = findings(foidex, UNSOUND, {"FOIDEX_URL": f"http://{HOST}:9"})
    assert list(found) == ["configuration", "home folder", "tls", "server"]
    assert the(found, "server")[0] == "problem"


def test_one_of_several_servers_that_is_down_is_told(foidex: CommandLine) -> None:
    url = foidex.environment["FOIDEX_URL"]
    found = findings(foidex, UNSOUND, {"FOIDEX_URL": f"http://{HOST}:9,{url}"})
    assert [one.level for one in found["server"]] == ["problem", "ok"]
    assert "lock" in found


# -- the server with TLS -------------------------------------------------------------------------


def reached(secured: Secured, **changes: str) -> dict[str, str]:
    return {
        "FOIDEX_URL": secured.address.url,
        "FOIDEX_USER": "elastic",
        "FOIDEX_PASSWORD": secured.address.password or "",
        "FOIDEX_CA_CERT": secured.ca,
        **changes,
    }


def test_a_certificate_is_told_with_how_it_is_trusted_and_until_when(
    foidex: CommandLine, secured: Secured
) -> None:
    level, told = the(findings(foidex, 0, reached(secured)), "tls")
    assert level == "ok"
    assert f"is trusted by {secured.ca}, and valid until" in told
    soon = secured.authority.issue_cert(HOST, not_after=datetime.now(UTC) + timedelta(days=9, hours=1))  # fmt: skip
    try:
        secured.present(soon)
        level, told = the(findings(foidex, 0, reached(secured)), "tls")
        assert (level, told[-19:]) == ("warning", ": 9 days. Renew it.")
        digest = hashlib.sha256(presented(secured.address.url)).hexdigest()
        by_fingerprint = reached(secured, FOIDEX_FINGERPRINT=digest)
        del by_fingerprint["FOIDEX_CA_CERT"]
        level, told = the(findings(foidex, 0, by_fingerprint), "tls")
        assert level == "warning"
        assert "is trusted by its fingerprint" in told
    finally:
        secured.present(secured.authority.issue_cert(HOST))


def test_a_certificate_that_is_not_trusted_is_a_problem(
    foidex: CommandLine, secured: Secured
) -> None:
    other = str(secured.folder / "other.pem")
    found = findings(foidex, UNSOUND, reached(secured, FOIDEX_CA_CERT=other))
    assert the(found, "tls")[0] == "problem"
    assert "is of no authority we trust" in the(found, "tls")[1]


def test_a_full_disk_is_a_problem(foidex: CommandLine, secured: Secured) -> None:
    with connect_server(secured.address) as client:
        key = "cluster.routing.allocation.disk.watermark"
        names = ("low", "high", "flood_stage")
        client.cluster.put_settings(persistent={f"{key}.{name}": "900pb" for name in names})
        try:
            level, told = the(findings(foidex, UNSOUND, reached(secured)), "disk")
        finally:
            client.cluster.put_settings(persistent={f"{key}.{name}": None for name in names})
    assert level == "problem"
    assert "below its flood_stage watermark: its indices can only be read." in told


ASKS = """\
  cluster: [monitor]
  indices:
    - names: ["mine", "mine-*"]
      privileges: [read, view_index_metadata, monitor]
"""

REFRESHES = """\
  cluster: [monitor]
  indices:
    - names: ["mine", "mine-*"]
      privileges: [read, write, create_index, manage]
    - names: ["mine.lock"]
      privileges: [read, write, create_index]
"""

NOTHING = """\
  cluster: []
"""


def test_the_rights_that_are_told_are_those_that_are_needed(
    foidex: CommandLine, secured: Secured
) -> None:
    """One user may do nothing, one ask, one refresh: each says so, and can."""
    users = {
        name: reached(secured, FOIDEX_USER=name, FOIDEX_PASSWORD=PASSWORD, FOIDEX_INDEX="mine")
        for name in ("zqxnobody", "zqxasker", "zqxrefresher")
    }
    for name, rights in zip(users, (NOTHING, ASKS, REFRESHES), strict=True):
        secured.admit(name, PASSWORD, rights)
    path = foidex.write("records.jsonl", msgspec.json.encode(RECORD))

    found = findings(foidex, UNSOUND, users["zqxnobody"])
    _, find, *others = found["rights"]
    assert find == Finding(
        "rights",
        "problem",
        "this user may not find records: it lacks cluster:monitor/nodes/info on the cluster; read, "
        "view_index_metadata on mine.",
        "If it is to, give it the role foidex_analyst of docker/elasticsearch/roles.yml.",
    )
    assert [one.level for one in others] == ["problem"] * 2
    assert the(found, "disk") == ("warning", "this user may not look at it (403). ")

    assert [one.level for one in findings(foidex, 0, users["zqxrefresher"])["rights"]] == ["ok"] * 3 + ["warning"]  # fmt: skip
    for _ in range(2):
        loaded = foidex("load", path, **users["zqxrefresher"])
        assert loaded.code == 0, loaded.err
    source = foidex.write("foidex.toml", b'[source]\npaths = ["records.jsonl"]\n[refresh]\nkeep = 2\n')  # fmt: skip
    for words in (("refresh", "--incremental"), ("rollback",), ("prune", "--keep", "1")):
        done = foidex("--config", source, *words, **users["zqxrefresher"])
        assert done.code == 0, done.err

    assert [one.level for one in findings(foidex, 0, users["zqxasker"])["rights"]] == ["ok"] * 2 + ["warning"] * 2  # fmt: skip
    for words in (("count", "x"), ("find", "x"), ("status",), ("generations",)):
        done = foidex(*words, **users["zqxasker"])
        assert done.code == 0, done.err
    refused = foidex("load", path, **users["zqxasker"])
    assert refused.code == 5
    assert "does not let this user do that (403)" in refused.err


def test_clocks_that_differ_are_told(
    client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ahead, level in ((0, "ok"), (20, "warning"), (-300, "problem")):
        clock = SimpleNamespace(time=lambda ahead=ahead: time.time() + ahead)
        monkeypatch.setattr(cluster, "time", clock)
        (one,) = check_clock_skew(client, 60)
        assert one.level == level
