"""What the server's account can put into its folders misleads nobody who reads them, even root."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from indexer.config.model import EmbeddedSettings
from indexer.server.embedded import account
from indexer.server.embedded.home import ServerHome
from indexer.server.embedded.lookup import find_started_process
from indexer.server.embedded.scripts import read_log_tail

root_only = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)

#: An account that every Linux has, and that is neither root's nor everybody's.
ACCOUNT = "daemon"


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
