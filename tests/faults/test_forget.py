"""A record that is forgotten is gone: from searches, numbers, files and rejects, and stays away."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings, RefreshSettings
from indexer.doctor.index import check_erasures
from indexer.errors import GenerationError, LockedError, LostLockError, RequestError
from indexer.index.backups import (
    delete_backup,
    find_backup,
    register_repository,
    restore_backup,
    take_backup,
)
from indexer.index.expunge import DeletedDocuments
from indexer.index.generations import (
    Generation,
    count_documents,
    discard_generation,
    find_live_name,
    list_verified,
    mark_verified,
    promote_generation,
    prune_generations,
    read_live_generation,
    roll_back_generation,
)
from indexer.index.lock import Lease, hold_lock, read_lock
from indexer.jobs import forget
from indexer.jobs.erasure_statement import ErasureStatement, format_statement
from indexer.jobs.forget import (
    ErasureScope,
    apply_erasures,
    erase_record,
    find_returned_references,
    readmit_record,
)
from indexer.jobs.refresh import (
    RefreshMode,
    RefreshOptions,
    RefreshPlan,
    RefreshResult,
    refresh_index,
)
from indexer.jobs.retention import expire_rejects
from indexer.jobs.summary import summarise_refresh
from indexer.records.sample import generate_records
from indexer.server.connection import connect_server
from indexer.server.embedded.home import BACKUPS_FOLDER
from indexer.server.embedded.process import start_embedded_server, stop_embedded_server
from queries.answering.adhoc import count_adhoc_request
from queries.request.adhoc import build_adhoc_request
from tests.support.server import SILENT, end_home, new_home, settings_for

CANARY = "zqxwvkjhyp"

INDEX = IndexSettings()

GONE = "99/0000001/20"

START = datetime(2020, 1, 1, tzinfo=UTC)

#: The version of a moment to come.
NEWER = (datetime.now(UTC) - START).days + 1


def canary(version: int, text: str = f"Seen on a livestream, {CANARY}.") -> dict[str, Any]:
    moment = START + timedelta(days=version)
    return {
        "crime_ref": GONE,
        "recorded_on": "2019-06-01",
        "offence_code": "86/2",
        "narrative": text,
        "victims": [{"victim_ref": f"V-{CANARY}", "age": 14}],
        "updated_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }


OTHERS: list[dict[str, Any]] = [
    msgspec.json.decode(msgspec.json.encode(one)) for one in generate_records(300)
]

OTHERS[5]["linked"] = [{"crime_ref": GONE}]


class Site:
    """A server of the test's own, whose folder can be searched."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.rejects = home / "rejects"
        self.client = connect_server(start_embedded_server(settings_for(home), SILENT))

    def refresh(self, records: list[dict[str, Any]], mode: RefreshMode = "full") -> RefreshResult:
        path = self.home / "source.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in records))
        return refresh_index(
            self.client,
            INDEX,
            RefreshPlan((path,), self.rejects),
            RefreshOptions(
                RefreshSettings(keep=9, max_shrink_percent=100, max_rejects=9), lambda _: {}, mode
            ),
            SILENT,
        )

    def forget(self, reference: str = GONE, repository: str | None = None) -> ErasureStatement:
        with hold_lock(self.client, INDEX.alias, 60) as lock:
            scope = ErasureScope(INDEX.alias, self.rejects, repository=repository)
            return erase_record(self.client, scope, reference, lock)

    def take_back(self, reference: str = GONE) -> list[str]:
        with hold_lock(self.client, INDEX.alias, 60) as lock:
            return readmit_record(self.client, INDEX.alias, reference, lock)

    def files_with(self, text: str) -> list[str]:
        """The files of the server that hold a text, in any case: postings are in lower case."""
        return [
            str(path.relative_to(self.home))
            for path in (self.home / "data").rglob("*")
            if path.is_file() and text.encode() in path.read_bytes().lower()
        ]

    def mentions(self, term: str) -> int:
        records = count_adhoc_request(self.client, INDEX.alias, build_adhoc_request([term])).records
        assert isinstance(records, int)
        return records


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = new_home()
    try:
        yield folder
    finally:
        stop_embedded_server(settings_for(folder), SILENT)
        end_home(folder)


@pytest.fixture
def site(home: Path) -> Iterator[Site]:
    """The one server, empty."""
    one = Site(home)
    with one.client:
        for name in one.client.indices.get(index="crimes-*").body:
            one.client.indices.delete(index=name)
        yield one


def known(client: Elasticsearch) -> dict[str, Generation]:
    return {one.name: one for one in list_verified(client, INDEX.alias)}


@pytest.mark.timeout(600)
def test_it_is_gone_from_every_generation_and_every_file(site: Site) -> None:
    site.refresh([*OTHERS, canary(1)])
    site.refresh([canary(2, f"A newer text of {CANARY}.")], "incremental")
    site.refresh([*OTHERS, canary(1)])
    before = site.mentions("livestream")
    assert site.files_with(CANARY)
    statement = site.forget()
    assert [one.presence for one in statement.generations] == ["record"] * 3
    assert all(one.is_erased for one in statement.generations)
    assert [one.records for one in statement.generations] == [300] * 3
    assert site.files_with(CANARY) == []
    assert site.mentions("livestream") == before - 1
    assert site.mentions(CANARY) == 0
    for name, one in known(site.client).items():
        assert (one.records, one.tombstones, one.forgotten) == (300, 1, 1)
        assert count_documents(site.client, name) == (300, 1)
        settings = site.client.indices.get_settings(index=name, flat_settings=True)
        assert settings[name]["settings"]["index.blocks.write"] == "true"
    assert "was there and is removed" in "\n".join(format_statement(statement))
    again = site.forget()
    assert {one.presence for one in again.generations} == {"forgotten"}
    assert not again.was_present
    assert not again.is_unknown


@pytest.mark.long
@pytest.mark.timeout(600)
def test_it_stays_away_until_the_source_has_a_newer_version(site: Site) -> None:
    site.refresh([*OTHERS, canary(1)])
    site.forget()
    late = site.refresh([canary(1), canary(2)], "incremental").generation
    assert (late.kept_out, late.records, site.mentions(CANARY)) == (2, 300, 0)
    forgotten = read_live_generation(site.client, INDEX.alias)
    fresh = site.refresh(OTHERS).generation
    assert forgotten.content_hash == fresh.content_hash  # links to it are as if it never was
    assert forgotten.unresolved_links == fresh.unresolved_links
    assert (fresh.records, fresh.tombstones) == (300, 1)
    newer = site.refresh([canary(NEWER)], "incremental").generation
    assert (newer.indexed, newer.records, site.mentions(CANARY)) == (1, 301, 1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_source_that_still_has_it_does_not_bring_it_back(site: Site) -> None:
    """Full and incremental refreshes and loads, with and without a moment; also word of its end."""
    undated = {name: value for name, value in canary(1).items() if name != "updated_at"}
    gone: dict[str, Any] = {"crime_ref": GONE, "status": "deleted"}
    site.refresh([*OTHERS, undated])
    site.forget()
    expected = read_live_generation(site.client, INDEX.alias)
    runs: list[tuple[RefreshMode, dict[str, Any], tuple[int, int, int]]] = [
        ("full", undated, (1, 0, 0)),
        ("incremental", gone, (0, 1, 0)),
        ("incremental", undated, (1, 0, 0)),
        ("full", gone, (0, 1, 0)),
        ("full", canary(1), (1, 0, 0)),
        ("incremental", canary(NEWER), (0, 0, 1)),
    ]
    for mode, line, outcome in runs:
        done = site.refresh(OTHERS * (mode == "full") + [line], mode)
        one = done.generation
        others = (300 * (mode == "full"), 0)
        assert (one.kept_out, one.unchanged, one.indexed - others[0]) == outcome
        came = outcome[2]
        assert (one.records, one.tombstones) == (300 + came, 1 - came)
        assert site.mentions(CANARY) == came
        assert ("Records kept out" in "\n".join(summarise_refresh(done))) == bool(one.kept_out)
        if not came:
            assert one.content_hash == expected.content_hash


@pytest.mark.long
@pytest.mark.timeout(600)
def test_of_two_newer_versions_in_one_load_the_first_stays(site: Site) -> None:
    site.refresh([*OTHERS, canary(1)])
    site.forget()
    done = site.refresh([*OTHERS, canary(NEWER), canary(NEWER, f"Seen again, {CANARY}.")])
    assert (done.generation.indexed, done.generation.rejected) == (301, 1)
    assert (done.generation.records, done.generation.tombstones) == (301, 0)
    assert "is already that of the record at source.jsonl:301" in done.reasons[0]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_one_that_was_forgotten_by_mistake_may_come_back(site: Site) -> None:
    site.refresh([*OTHERS, canary(1)])
    before = read_live_generation(site.client, INDEX.alias)
    site.forget()
    names = set(known(site.client))
    assert set(site.take_back()) == names
    assert site.take_back() == []
    for one in known(site.client).values():
        assert count_documents(site.client, one.name) == (one.records, one.tombstones) == (300, 0)
    back = site.refresh([*OTHERS, canary(1)]).generation
    assert (back.kept_out, back.content_hash) == (0, before.content_hash)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_generations_that_never_held_it_keep_it_out_too(site: Site) -> None:
    """It is in an older generation, or in rejects alone, and the source sends it again."""
    site.refresh([*OTHERS, canary(1)])
    site.refresh(OTHERS)
    assert sorted(one.presence for one in site.forget().generations) == ["nothing", "record"]
    assert site.refresh([canary(1)], "incremental").generation.kept_out == 1
    assert sorted(one.presence for one in site.forget().generations) == [
        "forgotten", "kept out", "kept out",
    ]  # fmt: skip
    assert site.mentions(CANARY) == 0
    other = {**canary(1), "crime_ref": "99/0000002/20"}
    site.refresh([*OTHERS, {**other, "recorded_on": "31/02/2019"}])
    assert site.forget("99/0000002/20").was_present
    assert site.refresh([other], "incremental").generation.kept_out == 1


def write_lock(client: Elasticsearch, **changes: str) -> None:
    """Write the lock's document again, as it is but for the changes."""
    document = client.get(index=f"{INDEX.alias}.lock", id="refresh")["_source"]
    client.index(index=f"{INDEX.alias}.lock", id="refresh", document={**document, **changes})


def lose_lock(client: Elasticsearch, lock: Lease) -> None:
    """Let somebody else have the lock, and wait until its holder finds out."""
    write_lock(client, token="another's")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            lock.check()
        except LostLockError:
            break
        time.sleep(0.05)
    client.delete(index=f"{INDEX.alias}.lock", id="refresh")


def test_nothing_is_forgotten_while_a_refresh_runs_or_once_the_lock_is_lost(site: Site) -> None:
    site.refresh([*OTHERS, canary(1)])
    with hold_lock(site.client, INDEX.alias, 2) as lock:
        with pytest.raises(LockedError, match="has been running since"):
            site.forget()
        lose_lock(site.client, lock)
        with pytest.raises(LostLockError, match="lost its lock"):
            erase_record(site.client, ErasureScope(INDEX.alias, site.rejects), GONE, lock)
    assert read_live_generation(site.client, INDEX.alias).records == 301


@pytest.mark.long
def test_copies_that_are_away_are_told(site: Site) -> None:
    site.refresh([*OTHERS, canary(1)])
    live = read_live_generation(site.client, INDEX.alias)
    site.client.indices.put_settings(index=live.name, settings={"number_of_replicas": 1})
    statement = site.forget()
    assert [one.copies_away for one in statement.generations] == [1]
    assert "shard copies that could not be asked, and may hold it on disk: 1." in "\n".join(
        format_statement(statement)
    )


@pytest.mark.parametrize("reference", ["", "x" * 101, "\udcff"])
def test_what_can_be_no_reference_is_refused(site: Site, reference: str) -> None:
    with pytest.raises(RequestError, match="has 1 to 100 characters"):
        site.forget(reference)


@pytest.mark.timeout(600)
def test_what_an_ended_run_left_half_done_is_finished_by_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.refresh([*OTHERS, canary(1)])

    def ends(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(forget, "mark_verified", ends)
        with pytest.raises(KeyboardInterrupt):
            site.forget()
    assert read_live_generation(site.client, INDEX.alias).records == 301  # it says so, and is wrong
    site.forget()
    done = read_live_generation(site.client, INDEX.alias)
    assert (done.records, done.tombstones, done.forgotten) == (300, 1, 1)
    assert site.files_with(CANARY) == []
    assert done.content_hash == site.refresh(OTHERS).generation.content_hash


def test_a_record_that_is_nowhere_changes_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.refresh([*OTHERS, canary(1)])
    site.refresh([canary(2)], "incremental")  # which leaves a deleted document in a file
    before = known(site.client)
    monkeypatch.setattr(forget, "expunge_deleted", lambda *_: pytest.fail("files were rewritten"))
    statement = site.forget("never/held")
    assert statement.is_unknown
    assert {one.presence for one in statement.generations} == {"nothing"}
    assert known(site.client) == before


@pytest.mark.long
@pytest.mark.timeout(600)
def test_text_that_a_change_left_in_the_files_goes_too(site: Site) -> None:
    """A deletion at the source is in no search, but a changed generation is not written anew."""
    site.refresh([*OTHERS, canary(1)])
    site.refresh([{"crime_ref": GONE, "status": "deleted"}], "incremental")
    prune_generations(site.client, INDEX.alias, 1)
    assert site.mentions(CANARY) == 0
    statement = site.forget()
    assert [one.presence for one in statement.generations] == ["tombstone"]
    assert site.files_with(CANARY) == []


@pytest.mark.long
def test_rejects_lose_its_lines_and_no_other(site: Site) -> None:
    shutil.rmtree(site.rejects, ignore_errors=True)
    broken = {**canary(1), "recorded_on": "31/02/2019"}
    other = {**OTHERS[0], "recorded_on": "31/02/2019", "linked": [{"crime_ref": GONE}]}
    site.refresh([*OTHERS[1:], broken, other])
    (path,) = site.rejects.glob("*.jsonl")
    escaped = GONE.encode().replace(b"/", b"\\/")
    with path.open("ab") as file:
        file.write(b'{"crime_ref": "' + escaped + b'", "narrative": "' + CANARY.encode() + b'"}\n')
        file.write(b'{"crime_ref": "' + escaped + b'", cut short\n')
    statement = site.forget()
    assert [(one.removed, one.unclear) for one in statement.rejects] == [(2, 1)]
    left = path.read_bytes()
    assert CANARY.encode() not in left
    assert str(other["crime_ref"]).encode() in left
    assert path.stat().st_mode & 0o777 == 0o600
    assert statement.was_present


@pytest.mark.long
def test_it_is_kept_out_though_the_live_generation_was_deleted_by_hand(site: Site) -> None:
    site.refresh([*OTHERS, canary(1)])
    live = site.refresh([*OTHERS, canary(1)]).generation.name
    site.forget()
    site.client.indices.delete(index=live)
    again = site.refresh([*OTHERS, canary(1)]).generation
    assert (again.kept_out, again.records) == (1, len(OTHERS))
    assert site.files_with(CANARY) == []


@pytest.mark.long
def test_a_later_version_that_is_rejected_is_not_in_the_file_of_rejects(site: Site) -> None:
    shutil.rmtree(site.rejects, ignore_errors=True)
    site.refresh([*OTHERS, canary(1)])
    site.forget()
    broken = {"recorded_on": "31/02/2019"}
    for mode in get_args(RefreshMode):
        result = site.refresh([*OTHERS[1:], OTHERS[0] | broken, canary(1) | broken], mode)
        assert result.generation.rejected == 2
        assert result.rejects
        assert CANARY not in result.rejects.read_text()
        assert str(OTHERS[0]["crime_ref"]) in result.rejects.read_text()
        reasons = result.rejects.with_suffix(".reasons.txt").read_text().splitlines()
        assert [line.endswith("so it is not in the file of rejects.") for line in reasons] == [
            False,
            True,
        ]
    assert site.files_with(CANARY) == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_backups_that_hold_it_are_named_also_when_asked_again(site: Site) -> None:
    repository = register_repository(site.client, site.home / BACKUPS_FOLDER)
    first = site.refresh([*OTHERS, canary(1)]).generation.name
    take_backup(site.client, INDEX.alias, repository, "holds-it", everything=False)
    second = site.refresh(OTHERS).generation.name
    take_backup(site.client, INDEX.alias, repository, "holds-it-not", everything=False)
    assert site.forget(repository=repository).backups == ("holds-it",)
    statement = site.forget(repository=repository)
    assert statement.backups == ("holds-it",)
    assert "foidex backups --delete NAME" in "\n".join(format_statement(statement))
    assert {one.name for one in list_verified(site.client, INDEX.alias)} == {first, second}
    site.refresh(OTHERS)
    prune_generations(site.client, INDEX.alias, 1)
    backup = find_backup(site.client, INDEX.alias, repository, "holds-it")
    restore_backup(site.client, INDEX, repository, backup, everything=False, verify=print)
    assert find_returned_references(site.client, INDEX.alias, [first]) == [GONE]
    assert site.forget(repository=repository).was_present
    assert find_returned_references(site.client, INDEX.alias, [first]) == []
    delete_backup(site.client, INDEX.alias, repository, "holds-it")
    folder = site.home / BACKUPS_FOLDER
    blobs = [path.read_bytes().lower() for path in folder.rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in blob for blob in blobs)
    delete_backup(site.client, INDEX.alias, repository, "holds-it-not")


@pytest.mark.timeout(600)
def test_neither_rollback_nor_refresh_brings_it_back_from_an_older_backup(site: Site) -> None:
    repository = register_repository(site.client, site.home / BACKUPS_FOLDER)
    older = site.refresh([*OTHERS, canary(1)]).generation.name
    take_backup(site.client, INDEX.alias, repository, "older", everything=False)
    site.refresh([*OTHERS, canary(1)])
    discard_generation(site.client, INDEX.alias, older)
    site.forget()

    def restore_older() -> Generation:
        backup = find_backup(site.client, INDEX.alias, repository, "older")
        restore_backup(site.client, INDEX, repository, backup, everything=False, verify=print)
        assert find_returned_references(site.client, INDEX.alias, [older]) == [GONE]
        return known(site.client)[older]

    assert list(check_erasures(site.client, INDEX.alias)) == []
    restore_older()
    (finding,) = check_erasures(site.client, INDEX.alias)
    told = f"{older} holds records that were forgotten, as another generation remembers: {GONE}."
    assert (finding.level, finding.message) == ("problem", told)
    with hold_lock(site.client, INDEX.alias, 60) as lock:
        removed: list[str] = []

        def prepare(generation: Generation) -> Generation:
            generation, references = apply_erasures(site.client, INDEX.alias, generation, lock)
            removed.extend(references)
            return generation

        target, (last,) = roll_back_generation(site.client, INDEX.alias, older, prepare)
        assert (removed, target.records) == ([GONE], len(OTHERS))
        assert site.files_with(CANARY) == []
        assert list(check_erasures(site.client, INDEX.alias)) == []
        roll_back_generation(site.client, INDEX.alias, last)
    discard_generation(site.client, INDEX.alias, older)
    for mode in get_args(RefreshMode):
        promote_generation(site.client, INDEX.alias, restore_older())  # an alias moved by hand
        assert site.mentions(CANARY) == 1
        result = site.refresh([*OTHERS, canary(1)], mode)
        assert (site.mentions(CANARY), result.generation.records) == (0, len(OTHERS))
        assert result.generation.kept_out == 1
        discard_generation(site.client, INDEX.alias, older)
    delete_backup(site.client, INDEX.alias, repository, "older")


def test_it_is_said_when_files_may_still_hold_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.refresh([*OTHERS, canary(1)])
    monkeypatch.setattr(forget, "expunge_deleted", lambda *_: DeletedDocuments(1, 0))
    with pytest.raises(GenerationError, match="its text may still be in the files"):
        site.forget()


def test_what_is_too_old_is_not_kept_whatever_keep_says(site: Site, tmp_path: Path) -> None:
    old, newer, live = (site.refresh(OTHERS[: 10 + n]).generation for n in range(3))
    month = msgspec.structs.replace(old, built_at=old.built_at - timedelta(days=31))
    mark_verified(site.client, month)
    assert prune_generations(site.client, INDEX.alias, 9, dry_run=True) == []
    assert prune_generations(site.client, INDEX.alias, 9, max_age_days=30) == [old.name]
    ancient = msgspec.structs.replace(live, built_at=live.built_at - timedelta(days=99))
    mark_verified(site.client, ancient)
    assert prune_generations(site.client, INDEX.alias, 9, max_age_days=30) == []
    assert find_live_name(site.client, INDEX.alias) == live.name
    assert sorted(known(site.client)) == sorted([newer.name, live.name])
    expired, kept = "crimes-20260101-000000.jsonl", "crimes-20260102-000000.jsonl"
    for name, age in ((expired, 31), (kept, 29)):
        path = tmp_path / name
        path.touch()
        moment = (datetime.now(UTC) - timedelta(days=age)).timestamp()
        os.utime(path, (moment, moment))
    assert expire_rejects(tmp_path, 30, dry_run=True).deleted == (expired,)
    assert expire_rejects(tmp_path, 30).deleted == (expired,)
    assert [path.name for path in tmp_path.iterdir()] == [kept]


def test_a_lock_is_given_back_also_where_a_renewal_came_through_unseen(site: Site) -> None:
    with hold_lock(site.client, INDEX.alias, 60) as lock:
        write_lock(site.client)  # a renewal of ours, whose answer never came
        lock.check()
    assert read_lock(site.client, INDEX.alias) is None
