"""The nightly refresh on a real server: never a half-built index, never a lost record."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import elasticsearch
import msgspec
import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.config.model import Canary, IndexSettings, RefreshSettings
from indexer.errors import (
    GenerationError,
    LockedError,
    LostLockError,
    NoIndexError,
    SourceError,
)
from indexer.index import generations
from indexer.index.generations import (
    count_documents,
    create_generation,
    find_live_name,
    list_all_generations,
    list_verified,
    mark_verified,
    prune_generations,
    read_index_sizes,
    read_live_generation,
    roll_back_generation,
)
from indexer.index.lock import (
    Lease,
    LockDocument,
    hold_lock,
    hold_lock_for_deletion,
    read_lock,
)
from indexer.index.mapping import IndexSchema, load_index_schema
from indexer.jobs.overrides import CheckOverride
from indexer.jobs.refresh import (
    RefreshMode,
    RefreshOptions,
    RefreshPlan,
    RefreshResult,
    refresh_index,
)
from indexer.jobs.summary import summarise_refresh
from indexer.jobs.verification import VerificationLimits, verify_generation
from indexer.loading import loader
from indexer.loading.conflicts import create_documents
from indexer.loading.preparation import PendingDocument
from indexer.loading.rejects import Rejects
from indexer.loading.tally import LineOutcome, Tally
from indexer.progress import Progress
from indexer.records.narrative import MATCHING_RULE
from indexer.records.sample import generate_records
from indexer.server.address import ServerAddress
from indexer.server.connection import connect_server
from indexer.sources.database_connection import DatabaseSource
from queries.answering.adhoc import count_adhoc_request
from queries.matching.term import build_term_query, parse_term
from queries.request.adhoc import build_adhoc_request
from tests.support.examples import examples
from tests.support.extracts import make_profile
from tests.support.index_content import read_live_records, write_records
from tests.support.server import SILENT

FOIDEX = str(Path(sys.executable).with_name("foidex"))

Records = list[dict[str, Any]]


def record(
    reference: str, version: int = 0, text: str = "livestream", **more: Any
) -> dict[str, Any]:
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=version)
    return {
        "crime_ref": reference,
        "recorded_on": "2019-06-01",
        "offence_code": "22B",
        "narrative": text,
        "updated_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        **more,
    }


def deletion(reference: str, version: int) -> dict[str, Any]:
    whole = record(reference, version)
    return {name: whole[name] for name in ("crime_ref", "updated_at")} | {"status": "deleted"}


@pytest.fixture
def run(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> Callable[..., RefreshResult]:
    """Run a refresh over records."""

    def go(
        records: Records,
        mode: RefreshMode = "full",
        options: RefreshSettings | None = None,
        **more: Any,
    ) -> RefreshResult:
        path = write_records(tmp_path / "source.jsonl", records)
        plan = RefreshPlan((path,), tmp_path / "rejects", **more.pop("plan", {}))
        return refresh_index(
            client,
            index,
            plan,
            RefreshOptions(
                options or RefreshSettings(lease_seconds=10),
                lambda term: build_term_query(parse_term(term)).to_dict(),
                mode,
                **more,
            ),
            SILENT,
        )

    return go


def mentions(client: Elasticsearch, alias: str, term: str = "livestream") -> int | None:
    records = count_adhoc_request(client, alias, build_adhoc_request([term])).records
    assert not isinstance(records, str)
    return records


# -- full and incremental --------------------------------------------------------------------------


def test_a_change_applies_what_is_newer_and_counts_the_rest(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    run([record("A", 5), record("B", 5), record("C", 5), record("D", 5)])
    loaded = run(
        [
            record("A", 6, "no such word"),  # newer
            record("B", 4, "no such word"),  # late
            record("C", 5),  # the same
            deletion("D", 6),
            record("E", 1),  # new
            {"crime_ref": "F"},  # broken
        ],
        "incremental",
        overrides=frozenset({CheckOverride.REJECTS, CheckOverride.SHRINK}),
    )
    one = loaded.generation
    assert (one.read, one.indexed, one.late, one.unchanged, one.deleted, one.rejected) == (
        6,
        2,
        1,
        1,
        1,
        1,
    )
    assert (one.records, one.tombstones) == (4, 1)
    assert sorted(read_live_records(client, index.alias)) == ["A", "B", "C", "E"]
    assert mentions(client, index.alias) == 3
    assert one.overrides == ("rejects",)
    assert one.base == loaded.previous


def test_a_deleted_record_does_not_come_back_with_an_older_version(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    run([record("A", 1), record("B", 1)])
    run([deletion("A", 5)], "incremental", RefreshSettings(max_shrink_percent=100))
    late = run([record("A", 4)], "incremental")
    assert (late.generation.late, sorted(read_live_records(client, index.alias))) == (1, ["B"])
    back = run([record("A", 6)], "incremental")
    assert (back.generation.records, back.generation.tombstones) == (2, 0)


def test_a_version_of_the_future_is_replaced_by_a_later_real_one(
    client: Elasticsearch,
    index: IndexSettings,
    run: Callable[..., RefreshResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a generation of an earlier version, which took any time of change, may hold one."""
    future = "9999-12-31T00:00:00Z"
    with monkeypatch.context() as patched:
        patched.setattr("indexer.jobs.refresh.DayLimits", lambda *_: None)
        run([record("A") | {"updated_at": future}, record("B", 5)])
    changed = run([record("A", 6, "no such word"), record("B", 4, "no such word")], "incremental")
    assert (changed.generation.indexed, changed.generation.late) == (1, 1)
    assert mentions(client, index.alias) == 1
    changed = run([record("A", 5)], "incremental")
    assert changed.generation.late == 1


def test_an_increment_refuses_days_that_an_earlier_version_took_until_they_are_corrected(
    client: Elasticsearch,
    index: IndexSettings,
    run: Callable[..., RefreshResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("indexer.jobs.refresh.DayLimits", lambda *_: None)
        run(
            [
                record("A"),
                record("B", recorded_on="9999-12-31"),
                record("C", recorded_on="0001-01-01"),
            ]
        )
    live = read_live_generation(client, index.alias)
    with pytest.raises(GenerationError, match="2 of the records that the live generation holds"):
        run([record("A", 1)], "incremental")
    assert read_live_generation(client, index.alias).name == live.name
    changed = run([record("B", 1), record("C", 1)], "incremental")
    assert changed.generation.coverage
    assert changed.generation.coverage.empty_months == ()


def test_deletions_also_come_as_a_file_of_references(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult], tmp_path: Path
) -> None:
    run([record("A"), record("B"), record("C")])
    (tmp_path / "deleted.txt").write_text("\ufeffA\r\n\r\nC\nnever-held\n", encoding="utf-8")
    loaded = run(
        [],
        "incremental",
        RefreshSettings(max_shrink_percent=100),
        plan={"tombstones": (tmp_path / "deleted.txt",)},
    )
    assert loaded.generation.deleted == 3
    assert sorted(read_live_records(client, index.alias)) == ["B"]


def test_links_follow_the_record_they_name(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    run(
        [
            record("A", linked=[{"crime_ref": "B"}, {"crime_ref": "X"}]),
            record("B", offence_code="86/2"),
        ]
    )
    assert read_live_records(client, index.alias)["A"]["linked"][0]["offence_code"] == "86/2"
    run([record("B", 1, offence_code="21"), record("X", offence_code="88/1")], "incremental")
    assert [
        link["offence_code"] for link in read_live_records(client, index.alias)["A"]["linked"]
    ] == [
        "21",
        "88/1",
    ]
    loaded = run([deletion("B", 2)], "incremental", RefreshSettings(max_shrink_percent=100))
    assert "offence_code" not in read_live_records(client, index.alias)["A"]["linked"][0]
    assert loaded.generation.unresolved_links == 1


def test_an_unchanged_extract_changes_no_record_whatever_its_links(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    records = [
        record("A", linked=[{"crime_ref": "B"}, {"crime_ref": "nowhere"}]),
        record("B", offence_code="86/2", linked=[{"offence_code": "21"}]),
        record("C", linked=[{"crime_ref": "A", "offence_code": "22B"}]),
        *generate_records(300),
    ]
    full = run(records).generation
    before = read_live_records(client, index.alias)
    again = run(records, "incremental").generation
    assert (again.indexed, again.unchanged) == (0, len(records))
    assert again.content_hash == full.content_hash
    assert read_live_records(client, index.alias) == before
    assert before["A"]["linked"][0]["resolved"]
    # A record whose links alone changed is indexed, with the codes of its new links.
    moved = run([record("A", linked=[{"crime_ref": "C"}])], "incremental").generation
    assert (moved.indexed, moved.unchanged) == (1, 0)
    assert read_live_records(client, index.alias)["A"]["linked"][0]["offence_code"] == "22B"


def test_the_same_input_twice_gives_the_same_content_hash(
    run: Callable[..., RefreshResult],
) -> None:
    records = list(generate_records(300))
    first, second = run(records).generation, run(list(reversed(records))).generation
    assert first.content_hash == second.content_hash
    changed = run([{**records[0], "narrative": "Another text."}, *records[1:]]).generation
    assert changed.content_hash != first.content_hash


steps = st.lists(
    st.tuples(
        st.sampled_from("ABCDE"),
        st.integers(0, 9),
        st.sampled_from(["delete", "livestream", "live. Stream", "Musical.ly"]),
        st.sampled_from([[], [{"crime_ref": "A"}], [{"crime_ref": "C"}, {"offence_code": "86/2"}]]),
        st.sampled_from(["22B", "88/1"]),
    ),
    max_size=6,
)


@settings(max_examples=examples(7), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=1, max_size=4))
def test_changes_end_where_one_full_refresh_of_the_final_state_ends(
    client: Elasticsearch,
    index: IndexSettings,
    run: Callable[..., RefreshResult],
    nights: list[list[Any]],
) -> None:
    """Random versions and deletions, in any order, against a dictionary that keeps the newest."""
    anchor = record("Z", text="No such word.")
    loose = RefreshSettings(keep=1, max_shrink_percent=100)
    run([anchor], options=loose)
    newest: dict[str, tuple[int, dict[str, Any] | None]] = {}
    for night in nights:
        lines = []
        for reference, version, text, links, code in night:
            gone = text == "delete"
            whole = (
                None if gone else record(reference, version, text, linked=links, offence_code=code)
            )
            lines.append(deletion(reference, version) if gone else whole)
            if reference not in newest or version >= newest[reference][0]:
                newest[reference] = (version, whole)
        loaded = run(lines, "incremental", loose)
    final = [anchor, *(whole for _, whole in newest.values() if whole)]
    changed = read_live_records(client, index.alias)
    fresh = run(final, options=loose)
    assert changed == read_live_records(client, index.alias)
    assert loaded.generation.content_hash == fresh.generation.content_hash
    assert loaded.generation.records == fresh.generation.records == len(final)


# -- verification ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "options", "override", "message"),
    [
        (
            [record("A"), {"crime_ref": "B"}],
            RefreshSettings(),
            CheckOverride.REJECTS,
            "1 of 2 records were rejected",
        ),
        ([record("A")], RefreshSettings(), CheckOverride.SHRINK, "more than 1% fewer than the 3"),
        (
            [record(name, text="none") for name in "ABC"],
            RefreshSettings(canaries=(Canary("live stream", 2),)),
            CheckOverride.CANARIES,
            '"live stream" in 0 records, not 2',
        ),
    ],
    ids=["rejects", "shrink", "canaries"],
)
def test_what_does_not_pass_is_not_promoted_unless_it_is_allowed(
    client: Elasticsearch,
    index: IndexSettings,
    run: Callable[..., RefreshResult],
    records: Records,
    options: RefreshSettings,
    override: CheckOverride,
    message: str,
) -> None:
    before = run([record("A"), record("B"), record("C")]).generation.name
    others = frozenset(CheckOverride) - {override}
    with pytest.raises((SourceError, GenerationError), match=message):
        run(records, options=options, overrides=others)
    assert find_live_name(client, index.alias) == before
    assert [one.name for one in list_verified(client, index.alias)] == [before]
    allowed = run(records, options=options, overrides=frozenset(CheckOverride))
    assert str(override) in allowed.generation.overrides
    assert read_live_generation(client, index.alias).overrides == allowed.generation.overrides


def test_a_generation_without_its_replicas_is_not_promoted(
    client: Elasticsearch, run: Callable[..., RefreshResult], tmp_path: Path
) -> None:
    """One node cannot start a replica."""
    generation = run([record("A")]).generation
    client.indices.put_settings(index=generation.name, settings={"number_of_replicas": 1})
    limits = VerificationLimits(health_seconds=1)
    rejects = Rejects(tmp_path / "rejects.jsonl", keep=True)
    with pytest.raises(GenerationError, match="1 of its shard copies are not started"):
        verify_generation(client, generation, None, limits, Tally(), rejects)
    allowed = msgspec.structs.replace(limits, overrides=frozenset({CheckOverride.REPLICAS}))
    assert verify_generation(client, generation, None, allowed, Tally(), rejects) == ("replicas",)


def test_a_missing_record_is_found_before_promotion(
    client: Elasticsearch,
    index: IndexSettings,
    run: Callable[..., RefreshResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = create_documents

    def losing(
        client: Elasticsearch, name: str, documents: list[PendingDocument]
    ) -> dict[int, LineOutcome]:
        outcomes = real(client, name, documents)
        client.delete(index=name, id=documents[0].reference)
        return outcomes

    monkeypatch.setattr(loader, "create_documents", losing)
    with pytest.raises(GenerationError, match="holds 1 records and 0 tombstones, but 2 and 0"):
        run([record("A"), record("B")])
    with pytest.raises(NoIndexError):
        read_live_generation(client, index.alias)


def test_an_incremental_refresh_needs_a_generation_to_change(
    run: Callable[..., RefreshResult],
) -> None:
    with pytest.raises(NoIndexError):
        run([record("A")], "incremental")


def test_an_increment_of_a_database_without_a_watermark_says_that_it_compares_every_record(
    client: Elasticsearch,
    index: IndexSettings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "crimes.db"
    plan = RefreshPlan(
        (),
        tmp_path / "rejects",
        database=DatabaseSource(
            url=f"sqlite:///{path}", queries={"crimes": "SELECT * FROM crime"}, folder=tmp_path
        ),
        profile=make_profile(),
    )

    def refresh(rows: list[tuple[str, str]], mode: RefreshMode) -> tuple[int, int, str]:
        with closing(sqlite3.connect(path)) as store:
            store.execute('CREATE TABLE IF NOT EXISTS crime ("Crime No", Recorded, "HO Code", MO)')
            store.execute("DELETE FROM crime")
            cells = [(reference, "27/07/2015", "22B", text) for reference, text in rows]
            store.executemany("INSERT INTO crime VALUES (?, ?, ?, ?)", cells)
            store.commit()
        options = RefreshOptions(
            RefreshSettings(lease_seconds=10), lambda _: {}, mode, frozenset(CheckOverride)
        )
        result = refresh_index(client, index, plan, options, Progress())
        mentioned = mentions(client, index.alias)
        assert mentioned is not None
        return result.generation.records, mentioned, capsys.readouterr().err

    records, mentioned, said = refresh([("1", "livestream"), ("2", "x"), ("3", "x")], "full")
    assert (records, mentioned) == (3, 1)
    assert "Nothing says" not in said
    records, mentioned, said = refresh([("1", "livestream"), ("2", "livestream")], "incremental")
    assert (records, mentioned) == (3, 2)
    assert "Nothing says which records of the database changed, so all of them are read" in said
    assert refresh([("1", "livestream"), ("2", "livestream")], "full")[:2] == (2, 2)


# -- one at a time ---------------------------------------------------------------------------------


@pytest.mark.parametrize("recorded", [3, None])
def test_an_increment_onto_text_that_another_rule_cut_is_refused(
    client: Elasticsearch,
    index: IndexSettings,
    run: Callable[..., RefreshResult],
    monkeypatch: pytest.MonkeyPatch,
    recorded: int | None,
) -> None:
    """None: a generation of before the rule was recorded."""
    with monkeypatch.context() as earlier:
        earlier.setattr(generations, "MATCHING_RULE", recorded)
        built = run([record("A")]).generation
    assert (built.matching_rule, built.counting_rule) == (recorded, 3)
    with pytest.raises(SourceError, match=r"version 3 of the matching rule.*foidex refresh --full"):
        run([record("B")], "incremental")
    assert find_live_name(client, index.alias) == built.name
    assert run([record("A")]).generation.matching_rule == MATCHING_RULE
    increment = run([record("B")], "incremental").generation
    assert (increment.matching_rule, increment.records) == (MATCHING_RULE, 2)


def test_a_second_refresh_is_told_who_holds_the_lock_since_when(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    with (
        hold_lock(client, index.alias, 10),
        pytest.raises(
            LockedError, match=rf"by .*process {os.getpid()}\) has been running since 20"
        ),
    ):
        run([record("A")])
    run([record("A")])


def test_a_dead_holders_lease_runs_out(client: Elasticsearch, index: IndexSettings) -> None:
    dead = Lease(client, f"{index.alias}.lock", 1, "refresh")
    with hold_lock(client, index.alias, 10):
        pass
    dead.take()
    with pytest.raises(LockedError), hold_lock(client, index.alias, 10):
        pass
    time.sleep(1.1)
    with hold_lock(client, index.alias, 10) as mine:
        mine.check()
        with pytest.raises(LostLockError, match="lost its lock"):
            dead.check()


def test_a_lock_that_another_clock_took_over_is_lost_at_once(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    """By a clock that is ahead, a lease runs out long before its holder renews it."""
    run([record("A")])
    with hold_lock(client, index.alias, 600) as mine:
        mine.check()
        now = datetime.now(UTC)
        lock = LockDocument("ben@ahead (process 1)", "another's", now, now + timedelta(hours=1))
        client.index(index=f"{index.alias}.lock", id="refresh", document=msgspec.to_builtins(lock))
        with pytest.raises(LostLockError, match="lost its lock"):
            mine.check()
    with pytest.raises(LockedError, match="by ben@ahead"):
        run([record("B")])
    assert {error.exit_code for error in (LockedError, LostLockError)} == {12, 6}  # 12: no failure


@pytest.mark.parametrize(
    "lock", [{}, {"holder": 1}, {"holder": "x", "token": "t", "since": "2026", "until": "soon"}]
)
def test_a_lock_of_another_form_is_one_message(
    client: Elasticsearch,
    index: IndexSettings,
    run: Callable[..., RefreshResult],
    lock: dict[str, Any],
) -> None:
    run([record("A")])
    client.index(index=f"{index.alias}.lock", id="refresh", document=lock)
    message = f"the index {index.alias}.lock holds a lock that this version of foidex cannot read"
    with pytest.raises(LockedError, match=message):
        run([record("B")])
    with pytest.raises(LockedError, match=message):
        read_lock(client, index.alias)
    client.indices.delete(index=f"{index.alias}.lock")
    run([record("B")])


def test_a_lock_that_is_kept_is_renewed(client: Elasticsearch, index: IndexSettings) -> None:
    with hold_lock(client, index.alias, 1) as mine:
        time.sleep(2)
        mine.check()
        with pytest.raises(LockedError), hold_lock(client, index.alias, 1):
            pass


# -- generations -----------------------------------------------------------------------------------


def test_every_refresh_can_be_undone_and_old_ones_are_pruned(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    names = [run([record(f"R{n}") for n in range(count)]).generation.name for count in (1, 2, 3, 4)]
    assert [one.name for one in list_verified(client, index.alias)] == names[:0:-1]
    back, was = roll_back_generation(client, index.alias, None)
    assert (back.name, was) == (names[2], (names[3],))
    assert mentions(client, index.alias) == 3
    roll_back_generation(client, index.alias, names[3])
    assert mentions(client, index.alias) == 4
    with pytest.raises(GenerationError, match=f"Kept besides the live one: {names[2]}, {names[1]}"):
        roll_back_generation(client, index.alias, names[0])
    client.indices.put_alias(index=names[2], name=index.alias)  # by somebody's hand
    with pytest.raises(GenerationError, match="Make one of them live with foidex rollback NAME"):
        roll_back_generation(client, index.alias, None)
    assert roll_back_generation(client, index.alias, names[3])[1] == tuple(names[2:])
    assert mentions(client, index.alias) == 4
    assert prune_generations(client, index.alias, 1, dry_run=True) == [names[2], names[1]]
    assert len(list_verified(client, index.alias)) == 3
    assert prune_generations(client, index.alias, 1) == [names[2], names[1]]
    assert read_live_generation(client, index.alias).name == names[3]


def test_the_size_of_a_new_generation_is_that_of_its_segments(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    """The server looks at its files every ten seconds only: a new one would be of 0.0 MB."""
    name = run([record("A")]).generation.name
    shards = client.indices.segments(index=name).body["indices"][name]["shards"]
    segments = [segment for (copy,) in shards.values() for segment in copy["segments"].values()]
    expected = sum(segment["size_in_bytes"] for segment in segments)
    assert read_index_sizes(client, index.alias) == {name: expected}


def test_the_generation_that_an_operator_went_back_to_is_kept_and_the_next_way_back(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    """The one that was turned down is newer, and is deleted first."""
    two = RefreshSettings(lease_seconds=10, keep=2)
    good, bad = (run([record("A")], options=two).generation.name for _ in range(2))
    assert roll_back_generation(client, index.alias, None)[0].name == good
    result = run([record("A")], options=two)
    assert (result.generation.replaced, result.previous, result.pruned) == (good, good, (bad,))
    assert f"{good} was live before and is kept." in summarise_refresh(result)
    assert roll_back_generation(client, index.alias, None)[0].name == good


def test_a_generation_dated_in_the_future_is_deleted_first_and_can_be_gone_back_to(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    """It would else take a place of the newest until its day comes."""
    older, live = (run([record("A")]).generation for _ in range(2))
    ahead = msgspec.structs.replace(live, built_at=datetime.now(UTC) + timedelta(days=40))
    mark_verified(client, ahead)
    current = run([record("A")]).generation
    assert roll_back_generation(client, index.alias, None)[0].name == live.name
    roll_back_generation(client, index.alias, current.name)
    newest = run([record("A")], options=RefreshSettings(lease_seconds=10, keep=3))
    assert newest.pruned == (live.name,)
    kept = {one.name for one in list_verified(client, index.alias)}
    assert kept == {older.name, current.name, newest.generation.name}


def test_a_summary_says_that_the_generation_before_is_deleted_and_no_way_back(
    run: Callable[..., RefreshResult],
) -> None:
    before = run([record("A"), record("B")]).generation.name
    options = RefreshSettings(lease_seconds=10, keep=1, max_shrink_percent=60)
    summary = "\n".join(summarise_refresh(run([record("A")], options=options)))
    assert "check that the source is whole.\n" in summary
    assert f"{before} was live before and is not kept, because of keep or max_age_days" in summary
    assert "is kept." not in summary


def test_generations_can_be_deleted_while_the_disk_is_full(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    """The server then refuses every write, that of a lock too, but no deletion."""
    names = [run([record("A")]).generation.name for _ in range(2)]
    everything = [f"{index.alias}.lock", *names]
    full = {"blocks.read_only_allow_delete": True}
    client.indices.put_settings(index=everything, settings=full)
    with pytest.raises(elasticsearch.ApiError, match="cluster_block"):
        run([record("A")])
    with hold_lock_for_deletion(client, index.alias, 10, "prune"):
        assert prune_generations(client, index.alias, 1) == names[:1]
    assert [one.name for one in list_verified(client, index.alias)] == names[1:]
    client.indices.put_settings(
        index=everything[::2], settings={"blocks.read_only_allow_delete": None}
    )
    with (
        hold_lock(client, index.alias, 10),
        pytest.raises(LockedError, match="has been running since"),
        hold_lock_for_deletion(client, index.alias, 10, "prune"),
    ):
        pytest.fail("the lock is held")
    with hold_lock(client, index.alias, 10):
        client.indices.put_settings(index=everything[0], settings=full)
        with (
            pytest.raises(LockedError, match="has been running since"),
            hold_lock_for_deletion(client, index.alias, 10, "prune"),
        ):
            pytest.fail("the lock is held")
        client.indices.put_settings(
            index=everything[0], settings={"blocks.read_only_allow_delete": None}
        )


def test_a_generation_that_no_node_takes_as_if_the_disk_is_full_is_refused(
    client: Elasticsearch, index: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write to it would wait a minute, and be repeated."""
    monkeypatch.setattr("indexer.index.generations.START_SECONDS", 1)
    schema = load_index_schema()
    nowhere = IndexSchema(
        {**schema.settings, "routing.allocation.require._name": "nowhere"}, schema.mappings
    )
    with pytest.raises(GenerationError, match=r"within 1 seconds, so nothing was loaded\. Its"):
        create_generation(client.options(request_timeout=60), index, nowhere, "1", ())
    assert list_all_generations(client, index.alias) == []


def test_the_newest_generation_is_used_if_the_live_one_was_deleted_by_hand(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    """It is named, a smaller extract is compared with it, and rollback makes it live."""
    strict = RefreshSettings(max_shrink_percent=0)
    records = [record(f"R{n}") for n in range(4)]
    oldest, kept, live = (run(records).generation.name for _ in range(3))
    client.indices.delete(index=live)
    with pytest.raises(NoIndexError, match=f"{kept} is kept. Make it live: foidex rollback {kept}"):
        run(records, "incremental")
    with pytest.raises(GenerationError, match=f"fewer than the 4 of {kept}"):
        run(records[:3], "full", strict)
    back, was = roll_back_generation(client, index.alias, None)
    assert (back.name, was) == (kept, ())
    assert read_live_generation(client, index.alias).name == kept
    client.indices.delete(index=kept)
    assert roll_back_generation(client, index.alias, oldest)[0].name == oldest
    client.indices.delete(index=oldest)
    with pytest.raises(NoIndexError, match="Load records first: foidex refresh"):
        roll_back_generation(client, index.alias, None)


def test_what_a_generation_of_the_first_version_holds_is_told(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    """It says how many records were indexed, and not how many it holds."""
    one = run([record("A"), record("B"), {"crime_ref": "C"}], overrides=frozenset(CheckOverride))
    name = one.generation.name
    known = ("name", "built_at", "version", "mapping_hash", "sources", "read", "indexed")
    said = msgspec.to_builtins(one.generation)
    meta = {"foidex": {**{key: said[key] for key in known}, "verified": True}}
    client.indices.put_mapping(index=name, meta=meta)
    (kept,) = list_verified(client, index.alias)
    assert kept == read_live_generation(client, index.alias)
    assert (kept.records, kept.tombstones) == count_documents(client, name) == (2, 0)


def test_the_indices_of_another_alias_are_never_touched(
    client: Elasticsearch, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    run([record("A")])
    other = f"{index.alias}-archive-20200101-000000"
    client.indices.create(index=other)
    run([record("A")], options=RefreshSettings(keep=1))
    assert client.indices.exists(index=other)


def test_a_reader_sees_one_generation_or_the_next_and_never_a_mixture(
    server: ServerAddress, index: IndexSettings, run: Callable[..., RefreshResult]
) -> None:
    """Twenty refreshes, full and incremental in turn, under a reader that counts all the while."""
    run([record("R0")])
    valid = set(range(1, 22))
    seen: list[int | None] = []
    failed: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        with connect_server(server) as reader:
            while not done.is_set():
                try:
                    seen.append(mentions(reader, index.alias))
                except Exception as error:  # noqa: BLE001 - any failure fails the test
                    failed.append(error)
                time.sleep(0.1)

    thread = threading.Thread(target=read)
    thread.start()
    for night in range(1, 21):
        if night % 2:
            run([record(f"R{night}")], "incremental")
        else:
            run([record(f"R{n}") for n in range(night + 1)])
    done.set()
    thread.join()
    assert not failed
    assert set(seen) <= valid
    assert seen == sorted(filter(None, seen))
    assert len(set(seen)) > 3
