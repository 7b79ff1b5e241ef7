"""Backups on a real server, and the drill: everything is destroyed, and the numbers come back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch

import indexer.index.backups
from indexer.config.model import IndexSettings
from indexer.errors import (
    BackupError,
    ConfigurationError,
    GenerationError,
    LockedError,
    NoIndexError,
)
from indexer.index.backups import (
    EMBEDDED_REPOSITORY,
    expire_backups,
    find_backup,
    read_backups,
    restore_backup,
    take_backup,
)
from indexer.index.generations import list_verified, mark_verified, read_live_generation
from indexer.index.lock import hold_lock
from indexer.records.sample import generate_records
from indexer.server.connection import connect_server
from indexer.server.embedded.process import start_embedded_server, stop_embedded_server
from tests.support.paths import ROOT
from tests.support.server import SILENT, end_home, new_home, settings_for

FOIDEX = str(Path(sys.executable).with_name("foidex"))

REQUEST = ROOT / "tests" / "data" / "requests" / "reference.yaml"

RECORDS = 400

UNSOUND = 17


class Site:
    """A home with a server of its own, and the command line that uses it."""

    def __init__(self) -> None:
        self.home = new_home()

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
        own = {"FOIDEX_HOME": str(self.home), "FOIDEX_HEAP": "512m"}
        return subprocess.run(
            [FOIDEX, *command], env={**kept, **own, **more}, cwd=self.home,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def must(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def load(self, records: int = RECORDS) -> str:
        path = self.home / "records.jsonl"
        lines = [msgspec.json.encode(one) + b"\n" for one in generate_records(records)]
        path.write_bytes(b"".join(lines))
        self.must("load", str(path))
        return self.live()

    def live(self) -> str:
        return next(str(one["name"]) for one in self.generations() if one["live"])

    def generations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.must("generations", "--format", "json"))
        return found

    def numbers(self) -> dict[str, Any]:
        """An answer without when it was asked."""
        answer: dict[str, Any] = json.loads(self.must("answer", str(REQUEST), "--format", "json"))
        for name in ("run_at", "took_ms"):
            del answer["provenance"][name]
        return answer

    def close(self) -> None:
        stop_embedded_server(settings_for(self.home), SILENT)
        end_home(self.home)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    one = Site()
    try:
        yield one
    finally:
        one.close()


def test_before_the_first_backup_the_doctor_misses_none(site: Site) -> None:
    site.must("up")
    assert "the first one makes the embedded server's repository." in site.must("doctor")


def test_without_records_there_is_nothing_to_back_up(site: Site) -> None:
    assert site.run("backup").returncode == NoIndexError.exit_code
    assert "There is no backup of crimes in the repository" in site.run("backups").stderr
    nothing = site.run("restore")
    assert nothing.returncode == BackupError.exit_code
    assert "a complete backup is not in repository" in nothing.stderr


def test_a_backup_is_listed_with_what_it_holds(site: Site) -> None:
    first = site.load()
    second = site.load(RECORDS + 10)
    site.must("backup", "--to", "live-only")
    site.must("backup", "--to", "everything", "--all")
    found = {one["name"]: one for one in json.loads(site.must("backups", "--format", "json"))}
    assert found["live-only"]["generations"] == [second]
    assert found["everything"]["generations"] == sorted([first, second])
    assert {one["records"] for one in found.values()} == {RECORDS + 10}
    assert "everything" in site.must("backups")
    begun, done = map(json.loads, site.must("audit", "show", "--last", "2").splitlines())
    assert (begun["command"], begun["begins"]) == ("backup", True)
    assert begun["asked"] == done["asked"] == {"to": "everything", "all": True}
    assert (done["generation"], done["exit_code"]) == (second, 0)


def test_a_name_that_is_taken_or_is_none_is_refused(site: Site) -> None:
    again = site.run("backup", "--to", "live-only")
    assert again.returncode == BackupError.exit_code
    assert 'a backup named "live-only" already' in again.stderr
    for name in ("../Out", "", "a\nfoidex: done"):
        wrong = site.run("backup", "--to", name)
        assert wrong.returncode == BackupError.exit_code
        shown = name.replace("\n", "\\n")
        assert f'"{shown}" is not a name for a backup' in wrong.stderr
    for command in (("restore", ""), ("backups", "--delete", "")):
        empty = site.run(*command)
        assert empty.returncode == BackupError.exit_code
        assert '"" is not in repository' in empty.stderr
    unknown = site.run("restore", "never-made")
    assert unknown.returncode == BackupError.exit_code
    assert "Those of crimes: everything, live-only" in unknown.stderr


def test_nothing_that_is_there_is_written_over(site: Site) -> None:
    live = site.live()
    refused = site.run("restore", "live-only")
    assert refused.returncode == BackupError.exit_code
    assert f"{live} is live already, so nothing was restored" in refused.stderr
    assert "rollback" not in refused.stderr
    assert site.live() == live


@pytest.mark.long
def test_what_was_pruned_comes_back_beside_what_is_live(site: Site) -> None:
    back = site.live()
    newer = site.load(RECORDS + 20)
    site.must("prune", "--keep", "1")
    said = site.must("restore", "live-only")
    assert f"{back} is back, with {RECORDS + 10:,} records." in said
    assert site.live() == newer
    site.must("rollback", back)
    assert site.numbers()["provenance"]["records"] == RECORDS + 10


def test_everything_is_restored_but_what_is_there(site: Site) -> None:
    """What is there is left as it is, and compared with the backup if that says what it held."""
    site.must("prune", "--keep", "1")
    same, changed, pruned = (site.load(RECORDS + extra) for extra in (1, 2, 3))
    site.must("backup", "--to", "all-of-them", "--all")
    refused = site.run("restore", "all-of-them", "--all")
    assert refused.returncode == BackupError.exit_code
    assert "every generation of all-of-them exists already, so nothing was" in refused.stderr
    with connect_server(start_embedded_server(settings_for(site.home), SILENT)) as client:
        client.indices.delete(index=same)
        backup = find_backup(client, "crimes", EMBEDDED_REPOSITORY, "all-of-them")
        silent = msgspec.structs.replace(backup, contents=())
        restoration = restore_backup(
            client, IndexSettings(), EMBEDDED_REPOSITORY, silent, everything=True, verify=print
        )
        assert [generation.name for generation in restoration.restored] == [same]
        assert {changed, pruned} <= set(restoration.uncompared)
        assert (restoration.present, restoration.different) == ((), ())
        client.indices.delete(index=pruned, ignore_unavailable=True)
        live = next(one for one in list_verified(client, "crimes") if one.name == changed)
        client.indices.put_settings(index=changed, settings={"blocks.write": None})
        mark_verified(client, msgspec.structs.replace(live, content_hash="1"))
    done = site.run("restore", "all-of-them", "--all")
    assert done.returncode == 0, done.stderr
    assert f"{pruned} is back, with {RECORDS + 3:,} records.\n" in done.stdout
    assert f"{pruned} is live.\n" in done.stdout
    assert f"{same} exists already, with the same content.\n" in done.stdout
    assert f"{changed} exists already with another content than in the backup" in done.stderr
    with connect_server(start_embedded_server(settings_for(site.home), SILENT)) as client:
        client.indices.delete(index=same)
    said = site.must("restore", "all-of-them", "--all")
    assert f"{same} is back" in said
    assert f"{pruned} is live.\n" in said
    assert "rollback" not in said  # to what is live
    site.must("backups", "--delete", "all-of-them")


NO_BACKUPS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no records": {"alias": "crimes", "live": "LIVE"},
    "another-index": {"alias": "crimes", "live": "other", "records": 0},
    "a-pattern": {"alias": "crimes", "live": "*", "records": 0},
    "no-such-one": {"alias": "crimes", "live": "crimes-20200101-000000", "records": 0},
}


def test_a_snapshot_that_foidex_did_not_make_is_no_backup(site: Site) -> None:
    """Whoever may write into the repository can say anything of a snapshot."""
    live = site.live()
    site.must("backup", "--to", "ours")
    with connect_server(start_embedded_server(settings_for(site.home), SILENT)) as client:
        client.indices.create(index="other")
        for number, fields in enumerate(NO_BACKUPS.values()):
            client.snapshot.create(
                repository=EMBEDDED_REPOSITORY,
                snapshot=f"theirs-{number}",
                indices=[live, *(["other"] if fields.get("live") == "other" else [])],
                include_global_state=False,
                metadata={
                    "foidex": {
                        name: live if value == "LIVE" else value for name, value in fields.items()
                    }
                },
                wait_for_completion=True,
            )
        client.indices.delete(index="other")
        assert "theirs" not in site.must("backups")
        for number in range(len(NO_BACKUPS)):
            refused = site.run("restore", f"theirs-{number}", "--all")
            assert refused.returncode == BackupError.exit_code
            assert f'"theirs-{number}" is not in repository' in refused.stderr
        assert not client.indices.exists(index="other")
        client.snapshot.delete(repository=EMBEDDED_REPOSITORY, snapshot="theirs-*")
    site.must("backups", "--delete", "ours")


def test_a_server_of_ones_own_says_where_backups_go_or_that_it_has_no_such_place(
    site: Site,
) -> None:
    server = start_embedded_server(settings_for(site.home), SILENT)
    own = {
        "FOIDEX_URL": server.url,
        "FOIDEX_USER": server.user or "",
        "FOIDEX_PASSWORD": server.password or "",
    }
    unset = site.run("backup", **own)
    assert unset.returncode == ConfigurationError.exit_code
    assert "[backup] repository" in unset.stderr
    config = site.home / "foidex.toml"
    config.write_text('[backup]\nrepository = "elsewhere"\n')
    missing = site.run("--config", str(config), "backups", **own)
    config.unlink()
    assert missing.returncode == BackupError.exit_code
    assert 'the server has no repository "elsewhere"' in missing.stderr


def refuse_to_write(site: Site, repository: str, own: dict[str, str], command: list[str]) -> None:
    """A command that the repository is closed to fails with a cause and its exit code."""
    config = site.home / "foidex.toml"
    config.write_text(f'[backup]\nrepository = "{repository}"\n')
    refused = site.run("--config", str(config), *command, **own)
    config.unlink()
    assert refused.returncode == BackupError.exit_code, refused.stderr
    assert f'the server could not write to its repository "{repository}"' in refused.stderr


def test_the_doctor_tells_a_repository_that_is_not_there_or_cannot_be_used(site: Site) -> None:
    server = start_embedded_server(settings_for(site.home), SILENT)
    own = {
        "FOIDEX_URL": server.url,
        "FOIDEX_USER": server.user or "",
        "FOIDEX_PASSWORD": server.password or "",
    }

    def told(named: str | None, **more: str) -> tuple[str, str]:
        config = site.home / "foidex.toml"
        config.write_text(f'[backup]\nrepository = "{named}"\n' if named else "")
        done = site.run("--config", str(config), "doctor", "--format", "json", **more)
        config.unlink()
        assert done.stdout, done.stderr
        (one,) = [one for one in json.loads(done.stdout) if one["check"] == "backups"]
        assert done.returncode == (UNSOUND if one["level"] == "problem" else 0), done.stderr
        return one["level"], one["message"]

    listed = json.loads(site.must("backups", "--format", "json"))
    newest = listed[0]["taken_at"][:16].replace("T", " ")
    whole = f"can be used; the newest complete one is of {newest} UTC."
    assert told(None) == ("ok", f'repository "foidex" {whole}')
    assert told("foidex", **own) == ("ok", f'repository "foidex" {whole}')
    assert told(None, **own) == ("ok", "no repository is named in foidex.toml, so there are none.")
    level, message = told("elsewhere", **own)
    assert level == "problem"
    assert message.startswith('the server has no repository "elsewhere". Register it there')
    folder, kept = site.home / "backups", site.home / "backups-kept"
    before = sorted(path.name for path in folder.iterdir())
    folder.rename(kept)
    folder.write_text("a file where the folder was")
    try:
        level, message = told("foidex", **own)
    finally:
        folder.unlink()
        kept.rename(folder)
    assert level == "problem"
    assert message.startswith(
        'the server\'s repository "foidex" cannot be used. Check that its folder'
    )
    assert told("foidex", **own)[0] == "ok"
    with connect_server(server) as client:
        where = {"location": str(folder), "readonly": True}
        glass = {"type": "fs", "settings": where}
        client.snapshot.create_repository(name="behind-glass", repository=glass)
        level, message = told("behind-glass", **own)
        refuse_to_write(site, "behind-glass", own, ["backup", "--to", "unwritten"])
        client.snapshot.delete_repository(name="behind-glass")
    assert (level, "is registered as read-only" in message) == ("warning", True)
    folder.chmod(0o500)
    try:
        for command in (
            ["backup", "--to", "unwritten"],
            ["backups", "--delete", listed[0]["name"]],
        ):
            refuse_to_write(site, "foidex", own, command)
    finally:
        folder.chmod(0o700)
    assert json.loads(site.must("backups", "--format", "json")) == listed
    assert sorted(path.name for path in folder.iterdir()) == before  # no test file stays


def test_old_backups_are_deleted_and_never_the_newest(site: Site) -> None:
    server = start_embedded_server(settings_for(site.home), SILENT)
    with connect_server(server) as client:
        site.must("backups", "--delete", "live-only")
        assert expire_backups(client, "crimes", EMBEDDED_REPOSITORY, 1) == []
        take_backup(client, "crimes", EMBEDDED_REPOSITORY, "newest", everything=False)
        assert expire_backups(client, "crimes", EMBEDDED_REPOSITORY, 0) == ["everything"]
        assert [one.name for one in read_backups(client, "crimes", EMBEDDED_REPOSITORY)] == [
            "newest"
        ]


def test_a_damaged_backup_is_not_restored_and_leaves_nothing(site: Site) -> None:
    """Its files are cut short in the repository."""
    live = site.live()
    site.must("backup", "--to", "damaged")
    site.load(RECORDS + 30)
    site.must("prune", "--keep", "1")
    blobs = [*(site.home / "backups" / "indices").rglob("__*")]
    whole = {path: path.read_bytes() for path in blobs}
    for path, content in whole.items():
        path.write_bytes(content[:-40])
    with connect_server(start_embedded_server(settings_for(site.home), SILENT)) as client:
        found = find_backup(client, "crimes", EMBEDDED_REPOSITORY, "damaged")
        with pytest.raises(BackupError, match="did not come back, so nothing was kept"):
            restore_backup(
                client, IndexSettings(), EMBEDDED_REPOSITORY, found, everything=False, verify=print
            )
        assert live not in [one.name for one in list_verified(client, "crimes")]
        assert not client.indices.exists(index=live)
    for path, content in whole.items():
        path.write_bytes(content)
    assert f"{live} is back" in site.must("restore", "damaged")


def change_records(site: Site, change: Callable[[Elasticsearch, str], object]) -> str:
    """Back up an index that holds something else than its generation says; returns its name."""
    live = site.live()
    with connect_server(start_embedded_server(settings_for(site.home), SILENT)) as client:
        client.indices.put_settings(index=live, settings={"blocks.write": None})
        change(client, live)
        client.indices.refresh(index=live)
        client.indices.put_settings(index=live, settings={"blocks.write": True})
    site.must("backup", "--to", "changed")
    site.load(RECORDS + 40)
    site.must("prune", "--keep", "1")
    return live


def swap_text(client: Elasticsearch, name: str) -> None:
    (hit,) = client.search(index=name, size=1, query={"exists": {"field": "narrative"}}).body[
        "hits"
    ]["hits"]
    source = hit["_source"] | {"offence_code": "49"}
    client.index(index=name, id=hit["_id"], document=source)


def swap_record(client: Elasticsearch, name: str) -> None:
    """The number of records stays."""
    (hit,) = client.search(index=name, size=1).body["hits"]["hits"]
    client.delete(index=name, id=hit["_id"])
    client.index(index=name, id="X/1", document=hit["_source"] | {"crime_ref": "X/1"})


@pytest.mark.parametrize("change", [swap_text, swap_record])
def test_records_that_are_not_those_that_were_sealed_are_not_restored(
    site: Site, change: Callable[[Elasticsearch, str], object]
) -> None:
    """As if the files of another generation had been put into the repository."""
    site.load(RECORDS + 35)
    name = change_records(site, change)
    refused = site.run("restore", "changed")
    assert refused.returncode == BackupError.exit_code
    assert f"{name} came back with other records than it was sealed with" in refused.stderr
    assert "--unverified" in refused.stderr
    assert name not in site.must("generations")
    assert f"{name} is back" in site.must("restore", "changed", "--unverified")
    site.must("prune", "--keep", "1")
    site.must("backups", "--delete", "changed")


def test_a_generation_that_is_not_the_one_of_the_backup_is_not_restored(site: Site) -> None:
    """The snapshot notes the content of what it was made of."""
    site.load(RECORDS + 36)

    def change(client: Elasticsearch, name: str) -> None:
        live = next(one for one in list_verified(client, "crimes") if one.name == name)
        mark_verified(client, msgspec.structs.replace(live, content_hash="1"))

    name = change_records(site, change)
    with connect_server(start_embedded_server(settings_for(site.home), SILENT)) as client:
        backup = find_backup(client, "crimes", EMBEDDED_REPOSITORY, "changed")
        other = msgspec.structs.replace(backup, contents=("0" * 12,))
        with pytest.raises(BackupError, match="is not the generation that changed was made of"):
            restore_backup(
                client, IndexSettings(), EMBEDDED_REPOSITORY, other, everything=False, verify=print
            )
        assert not client.indices.exists(index=name)
    site.must("backups", "--delete", "changed")


def test_what_a_killed_restore_left_is_used_by_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records were not compared, although its metadata, from the backup, say it is verified."""
    name = site.load(RECORDS + 37)
    site.must("backup", "--to", "uncompared")
    site.load(RECORDS + 38)
    site.must("prune", "--keep", "1")

    def kill(_: object) -> None:
        raise KeyboardInterrupt

    with connect_server(start_embedded_server(settings_for(site.home), SILENT)) as client:
        backup = find_backup(client, "crimes", EMBEDDED_REPOSITORY, "uncompared")
        # Who is killed deletes nothing.
        monkeypatch.setattr(indexer.index.backups, "discard_generation", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            restore_backup(
                client, IndexSettings(), EMBEDDED_REPOSITORY, backup, everything=False, verify=kill
            )
        monkeypatch.undo()
        assert client.indices.exists(index=name)
    assert name not in site.must("generations")
    refused = site.run("rollback", name)
    assert refused.returncode == GenerationError.exit_code
    assert f'"{name}" is not kept.' in refused.stderr
    assert f"{name} was left half done by a refresh or restore that died" in site.must("doctor")
    assert f"{name} is back, with {RECORDS + 37:,} records." in site.must("restore", "uncompared")
    assert name in site.must("generations")
    site.must("backups", "--delete", "uncompared")


def test_no_backup_is_deleted_while_another_run_uses_it(site: Site) -> None:
    with (
        connect_server(start_embedded_server(settings_for(site.home), SILENT)) as client,
        hold_lock(client, "crimes", 60, "restore"),
    ):
        refused = site.run("backups", "--delete", "newest")
    assert refused.returncode == LockedError.exit_code
    assert "a restore by " in refused.stderr
    assert "newest" in site.must("backups")


def test_a_link_of_another_user_in_the_repository_is_refused(site: Site, tmp_path: Path) -> None:
    """The server would read and delete where it leads."""
    site.load()
    site.must("backup", "--to", "linked")
    link = site.home / "backups" / "indices" / "elsewhere"
    link.symlink_to(tmp_path)
    if os.geteuid() != 0:
        link.unlink()
        pytest.skip("only root gives a link away")
    os.lchown(link, 4321, 4321)
    for command in (("restore", "linked"), ("backup",), ("backups", "--delete", "linked")):
        refused = site.run(*command)
        assert refused.returncode == BackupError.exit_code
        assert "elsewhere: cannot be used (elsewhere is a link that belongs to" in refused.stderr
    link.unlink()
    site.must("backups", "--delete", "linked")


def test_a_folder_of_backups_that_came_back_from_an_older_copy_is_used(
    site: Site, tmp_path: Path
) -> None:
    """The server remembers what it wrote last, and takes an older folder for a damaged one."""
    site.load()
    folder = site.home / "backups"
    owner = (site.home / "data").stat().st_uid

    def bring_back() -> None:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "copy", folder)
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, owner)

    site.must("backup", "--to", "before-loss")
    shutil.copytree(folder, tmp_path / "copy")
    site.must("backup", "--to", "lost")
    bring_back()
    assert "before-loss" in site.must("backups")
    site.must("backup", "--to", "after-loss")
    listed = site.must("backups")
    assert "after-loss" in listed
    assert "lost" not in listed
    # Damage that no registration mends is one message.
    for path in folder.glob("snap-*"):
        path.unlink()
    damaged = site.run("backups")
    assert damaged.returncode == BackupError.exit_code
    assert "bring them back from a copy" in damaged.stderr
    bring_back()
    site.must("backups", "--delete", "before-loss")


@pytest.fixture
def lost_folder(site: Site) -> Path:
    """The folder of backups, which is gone without a copy."""
    if os.geteuid() != 0:
        pytest.skip("a server that runs as the owner of the home makes the folder itself")
    folder = site.home / "backups"
    shutil.rmtree(folder)
    return folder


def test_a_folder_of_backups_that_is_gone_is_said_with_the_way_on(
    site: Site, lost_folder: Path
) -> None:
    """Without a copy there is nothing to bring back."""
    findings = json.loads(site.run("doctor", "--format", "json").stdout)
    (finding,) = [one for one in findings if one["check"] == "backups"]
    assert (finding["level"], finding["message"]) == (
        "problem",
        f"{lost_folder} is missing, so the embedded server can make no backup.",
    )
    lost_folder.mkdir(0o700)  # an empty one of root is of no use to the server either
    refused = site.run("backup", "--to", "anew")
    shutil.chown(lost_folder, (site.home / "data").stat().st_uid)
    assert refused.returncode == BackupError.exit_code
    assert (
        f"{lost_folder}: the embedded server cannot use its backups there, because the folder is "
        f"missing or empty. {finding['remedy']}"
    ) in refused.stderr


@pytest.mark.long
def test_a_folder_of_backups_that_is_gone_is_made_again_by_a_restart(
    site: Site, lost_folder: Path
) -> None:
    site.load()
    assert site.run("backup", "--to", "anew").returncode == BackupError.exit_code
    site.must("down")
    site.must("up")
    site.must("backup", "--to", "anew")
    assert lost_folder.is_dir()


@pytest.mark.timeout(600)
def test_the_drill(site: Site) -> None:
    """Back up, destroy everything, restore in another home: the same request, the same numbers."""
    site.load()
    before = site.numbers()
    site.must("backup", "--to", "drill")
    site.must("forget", next(generate_records(1))["crime_ref"])
    other = Site()
    try:
        stop_embedded_server(settings_for(site.home), SILENT)
        for name in ("backups", "audit"):
            shutil.move(site.home / name, other.home / name)
        shutil.move(site.home / "server", other.home / "server")  # saves unpacking it again
        shutil.rmtree(site.home)
        assert other.run("answer", str(REQUEST)).returncode == NoIndexError.exit_code
        restored = other.run("restore", "drill")
        assert "is live." in restored.stdout
        # It was erased after the backup was taken, which only the audit log knows.
        assert "notes erasures of 1 record, and the backup knows of 0." in restored.stderr
        assert other.numbers() == before
        with connect_server(start_embedded_server(settings_for(other.home), SILENT)) as client:
            live = read_live_generation(client, "crimes")
            settings = client.indices.get_settings(index=live.name, flat_settings=True)
            assert settings[live.name]["settings"]["index.blocks.write"] == "true"
    finally:
        other.close()
