"""What the server's account can put into its folders misleads nobody who reads them, even root."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import jgo.maven
import psutil
import pytest

from indexer.config.model import EmbeddedSettings
from indexer.errors import EmbeddedError
from indexer.server.embedded import account, install
from indexer.server.embedded.home import SERVER_VERSION, ServerHome
from indexer.server.embedded.leftovers import clear_temporary_folder
from indexer.server.embedded.lookup import find_started_process
from indexer.server.embedded.process import (
    find_embedded_address,
    start_embedded_server,
    stop_embedded_server,
)
from indexer.server.embedded.scripts import read_log_tail
from tests.support.planted import plant_link
from tests.support.server import SILENT, settings_for

root_only = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)

#: An account that every Linux has, and that is neither root's nor everybody's.
ACCOUNT = "daemon"

OTHER = 65534  # a user, and a group, that are not the home's

NAMES = ("server.json", "password", "start.log", "server.lock")


@pytest.fixture
def home(tmp_path: Path) -> ServerHome:
    server_home = ServerHome(tmp_path, EmbeddedSettings(user=ACCOUNT))
    for folder in server_home.server_folders:
        folder.mkdir()
    return server_home


def start_sleep(home: ServerHome) -> subprocess.Popen[bytes]:
    """A process of the server's account."""
    user, group = home.find_account_ids() or (None, None)
    groups: list[int] | None = None if user is None else []
    return subprocess.Popen(["/bin/sleep", "100"], user=user, group=group, extra_groups=groups)


def test_the_process_that_was_started_is_found(home: ServerHome) -> None:
    with start_sleep(home) as process:
        home.pid_file.write_text(f"{process.pid}\n")
        assert find_started_process(home) == psutil.Process(process.pid)
        process.kill()


def test_a_number_of_another_users_process_is_not_taken_for_the_server(home: ServerHome) -> None:
    home.pid_file.write_text("1")  # of root, whom the server never runs as
    assert find_started_process(home) is None


@pytest.mark.parametrize("text", ["", "server", "-1", "9" * 30, "9" * 5_000])
def test_what_is_no_number_of_a_process_is_none(home: ServerHome, text: str) -> None:
    home.pid_file.write_text(text)
    assert find_started_process(home) is None


def test_a_pipe_in_place_of_what_the_server_writes_is_not_waited_for(home: ServerHome) -> None:
    for path in (home.pid_file, home.ports_file, home.server_log):
        os.mkfifo(path)
    assert find_started_process(home) is None
    assert home.read_port() is None
    assert read_log_tail(home).endswith("(none)")


@root_only
def test_a_link_in_place_of_the_log_shows_no_other_file(home: ServerHome, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    home.server_log.symlink_to(secret)
    ids = home.find_account_ids()
    assert ids
    os.lchown(home.server_log, *ids)
    assert read_log_tail(home).endswith("(none)")


@root_only
def test_a_name_that_is_swapped_while_a_folder_is_handed_over_gives_nothing_else_away(
    home: ServerHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = home.find_account_ids()
    assert ids
    entry, secret = home.data / "file", tmp_path / "secret"
    entry.touch()
    secret.touch()
    look: dict[str, Any] = {name: getattr(os, name) for name in ("stat", "fstat")}

    def swap(name: str) -> Any:
        def look_and_swap(*place: Any, **options: Any) -> os.stat_result:
            status: os.stat_result = look[name](*place, **options)
            if status.st_ino == entry_number and not swapped:
                swapped.append(name)
                entry.unlink()
                entry.hardlink_to(secret)
            return status

        return look_and_swap

    entry_number = entry.stat().st_ino
    swapped: list[str] = []
    for name in look:
        monkeypatch.setattr(os, name, swap(name))
    account.hand_over_folder(home.data, ids)
    monkeypatch.undo()
    assert swapped
    assert secret.stat().st_uid == 0
    assert home.data.stat().st_uid == ids[0]


@root_only
def test_a_second_name_for_a_file_of_root_is_not_handed_over(
    home: ServerHome, tmp_path: Path
) -> None:
    """It can be planted where the system lets anybody make a name for any file."""
    ids = home.find_account_ids()
    assert ids
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    inner = home.data / "inner"
    inner.mkdir()
    os.chown(inner, *ids)  # the rest of the folder is still root's
    (inner / "planted").hardlink_to(secret)
    (inner / "own").touch()
    account.hand_over_folder(home.data, ids)
    assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (0, 0o600)
    assert {path.stat().st_uid for path in (home.data, inner, inner / "own")} == {ids[0]}


CALLS: dict[str, Any] = {
    "find": find_embedded_address,
    "start": lambda settings: start_embedded_server(settings, SILENT),
    "stop": lambda settings: stop_embedded_server(settings, SILENT),
}


def open_to_all(folder: Path, _: Path) -> None:
    folder.chmod(0o777)


def open_to_a_group(folder: Path, _: Path) -> None:
    os.chown(folder, -1, OTHER)
    folder.chmod(0o775)


def give_away(folder: Path, _: Path) -> None:
    os.chown(folder, OTHER, OTHER)


def give_away_by_a_link(folder: Path, outside: Path) -> None:
    folder.rename(outside / "moved")
    folder.symlink_to(outside / "moved")
    os.lchown(folder, OTHER, OTHER)


def put_a_file_there(folder: Path, _: Path) -> None:
    folder.rmdir()
    folder.touch()


def plant_a_process_file(folder: Path, _: Path) -> None:
    """It says that this process, which is not foidex's, is the server and has a port."""
    process = psutil.Process()
    entry = {"pid": process.pid, "created": process.create_time(), "port": 1}
    (folder / "server.json").write_text(json.dumps(entry))
    os.chown(folder / "server.json", OTHER, OTHER)


def plant_a_program(folder: Path, _: Path) -> None:
    program = folder / "server" / SERVER_VERSION / "bin" / "elasticsearch"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\ntouch evil\n")
    os.chown(folder / "server", OTHER, OTHER)


def plant_a_distribution(folder: Path, outside: Path) -> None:
    plant_a_program(folder, outside)
    os.chown(folder / "server", 0, 0)
    (folder / "server" / SERVER_VERSION).chmod(0o777)


def plant_a_pipe(name: str) -> Any:
    return lambda folder, _: os.mkfifo(folder / name)


def plant_a_foreign_link(name: str) -> Any:
    def plant(folder: Path, outside: Path) -> None:
        (outside / "victim").write_bytes(b"precious")
        (folder / name).symlink_to(outside / "victim")
        os.lchown(folder / name, OTHER, OTHER)

    return plant


def plant_a_foreign_link_to_a_folder(name: str) -> Any:
    def plant(folder: Path, outside: Path) -> None:
        (folder / name).symlink_to(outside)
        os.lchown(folder / name, OTHER, OTHER)

    return plant


PLANTS: dict[str, Any] = {
    "0777": open_to_all, "group": open_to_a_group, "owner": give_away, "link": give_away_by_a_link,
    "file": put_a_file_there, "process file": plant_a_process_file, "program": plant_a_program,
    "distribution": plant_a_distribution,
    **{f"{name} pipe": plant_a_pipe(name) for name in NAMES},
    **{f"{name} link": plant_a_foreign_link(name) for name in NAMES},
    **{f"{name} link": plant_a_foreign_link_to_a_folder(name) for name in ("data", "backups")},
}  # fmt: skip


@root_only
@pytest.mark.timeout(60)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("plant", PLANTS)
def test_a_home_in_which_another_user_could_put_something_is_refused(
    tmp_path: Path, plant: str, call: str
) -> None:
    folder, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    folder.mkdir(mode=0o755)
    PLANTS[plant](folder, outside)
    with pytest.raises(EmbeddedError, match=r"FOIDEX_HOME") as error:
        CALLS[call](settings_for(folder))
    assert "\n" not in str(error.value)
    assert not (outside / "victim").exists() or (outside / "victim").read_bytes() == b"precious"
    assert not list(tmp_path.rglob("evil"))


@root_only
def test_a_home_that_only_its_owner_can_write_to_is_taken(tmp_path: Path) -> None:
    """Also if its owner's own group may write, and if root moved it to another disk by a link."""
    (tmp_path / "disk").mkdir(mode=0o775)
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    for folder in (tmp_path / "disk", tmp_path / "home"):
        assert find_embedded_address(settings_for(folder)) is None
        assert stop_embedded_server(settings_for(folder), SILENT) is False


@root_only
def test_what_is_unpacked_is_what_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users share the folder of downloads: the zip may be swapped after its hash was right."""
    home = ServerHome(tmp_path / "home", EmbeddedSettings())
    home.folder.mkdir()
    archive = tmp_path / "real.zip"
    write_distribution(archive, "right")
    digest = hashlib.sha512(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(install, "SERVER_SHA512", digest)
    cached = put_in_cache(tmp_path / "downloads", archive)
    file_digest = hashlib.file_digest

    def digest_and_swap(*arguments: Any) -> Any:
        result = file_digest(*arguments)
        with cached.open("r+b") as file:  # by the owner of the file, in its place
            other = tmp_path / "other.zip"
            write_distribution(other, "wrong")
            file.write(other.read_bytes())
            file.truncate()
        return result

    monkeypatch.setattr(hashlib, "file_digest", digest_and_swap)
    install.install_distribution(home, tmp_path / "downloads", SILENT)
    assert (home.distribution / "bin" / "elasticsearch").read_text() == "right"
    modes = {path.stat().st_mode & 0o022 for path in home.folder.rglob("*") if path.is_file()}
    assert modes == {0}


def test_nothing_is_downloaded_through_a_link_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of downloads that users share; the library that downloads follows every link."""
    home = ServerHome(tmp_path / "home", EmbeddedSettings())
    home.folder.mkdir()
    archive = tmp_path / "real.zip"
    write_distribution(archive, "right")
    cached = put_in_cache(tmp_path / "downloads", archive)
    cached.unlink()
    plant_link(cached, tmp_path / "elsewhere.zip", monkeypatch)
    monkeypatch.setattr(jgo.maven, "PythonResolver", lambda **_: pytest.fail("it would download"))
    with pytest.raises(EmbeddedError, match=r"is a link that belongs to another user.*DOWNLOADS"):
        install.install_distribution(home, tmp_path / "downloads", SILENT)


def write_distribution(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("elasticsearch/bin/elasticsearch", text)
        package.writestr("elasticsearch/config/jvm.options", "")


def put_in_cache(downloads: Path, archive: Path) -> Path:
    group = install.MAVEN_GROUP.replace(".", "/")
    name = f"{install.MAVEN_ARTIFACT}-{SERVER_VERSION}.zip"
    cached = downloads / group / install.MAVEN_ARTIFACT / SERVER_VERSION / name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(archive.read_bytes())
    return cached


@pytest.mark.parametrize("name", ["tmp", "data", "config", "logs", "backups"])
@pytest.mark.parametrize("call", ["start", "stop"])
def test_a_folder_that_foidex_did_not_make_is_neither_emptied_nor_given_away(
    tmp_path: Path, call: str, name: str
) -> None:
    """As with FOIDEX_HOME=/ or /var, whose "tmp" is everybody's."""
    precious = tmp_path / "somewhere" / name / "folder" / "precious"
    precious.parent.mkdir(parents=True)
    precious.write_text("precious")
    before = (precious.stat().st_uid, (tmp_path / "somewhere" / name).stat().st_mode)
    with pytest.raises(EmbeddedError, match=rf"{name}: holds files that are not the embedded"):
        CALLS[call](settings_for(tmp_path / "somewhere"))
    assert precious.read_text() == "precious"
    after = (precious.stat().st_uid, (tmp_path / "somewhere" / name).stat().st_mode)
    assert after == before
    assert [path.name for path in (tmp_path / "somewhere").iterdir()] == [name]


def test_another_servers_settings_make_no_home(tmp_path: Path) -> None:
    for name in ("config", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "elasticsearch.yml").write_text("cluster.name: theirs\n")
    (tmp_path / "tmp" / "precious").touch()
    with pytest.raises(EmbeddedError, match="holds files that are not the embedded"):
        stop_embedded_server(settings_for(tmp_path), SILENT)
    clear_temporary_folder(ServerHome(tmp_path, EmbeddedSettings()))
    assert (tmp_path / "tmp" / "precious").exists()


@pytest.mark.parametrize("part", [None, ".elasticsearch.yml.0123456789abcdef.part"])
def test_a_home_whose_first_start_was_interrupted_is_a_home(
    tmp_path: Path, part: str | None
) -> None:
    for name in ("config/jvm.options.d", "tmp", "data", "backups/indices"):
        (tmp_path / name).mkdir(mode=0o700, parents=True)
    (tmp_path / "backups" / "index.latest").touch()  # copied from another home
    for name in ("config", "backups"):
        (tmp_path / name).chmod(0o700)
    if part:
        (tmp_path / "config" / part).touch()
    assert stop_embedded_server(settings_for(tmp_path), SILENT) is False


def test_the_temporary_folder_of_a_home_is_emptied(tmp_path: Path) -> None:
    for name in ("config", "tmp"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "config" / "elasticsearch.yml").write_text("cluster.name: foidex\n")
    (tmp_path / "tmp" / "left").mkdir()
    (tmp_path / "tmp" / "left" / "over").touch()
    (tmp_path / "tmp" / "pid").touch()
    (tmp_path / "tmp" / "link").symlink_to(tmp_path / "config")
    assert stop_embedded_server(settings_for(tmp_path), SILENT) is False
    assert not [*(tmp_path / "tmp").iterdir()]


def test_what_the_temporary_folder_of_a_home_links_to_is_not_emptied(tmp_path: Path) -> None:
    """Somebody who moves it to another disk may link it to a folder that others use, too."""
    (tmp_path / "home" / "config").mkdir(mode=0o700, parents=True)
    (tmp_path / "home" / "config" / "elasticsearch.yml").write_text("cluster.name: foidex\n")
    (tmp_path / "var").mkdir(mode=0o700)
    (tmp_path / "var" / "precious").touch()
    (tmp_path / "home" / "tmp").symlink_to(tmp_path / "var")
    assert stop_embedded_server(settings_for(tmp_path / "home"), SILENT) is False
    assert (tmp_path / "var" / "precious").exists()


def test_nobody_else_may_read_the_lock_of_a_home_and_so_hold_it(home: ServerHome) -> None:
    """Every command would wait for it, as one of an earlier version could be read."""
    home.lock_file.touch(mode=0o644)
    with home.lock():
        assert home.lock_file.stat().st_mode & 0o777 == 0o600
