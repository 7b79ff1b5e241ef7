"""An embedded server takes a folder of its own, and touches nothing where the folder is another's."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.config.loader import load_settings
from indexer.config.model import EmbeddedSettings, Settings
from indexer.errors import EmbeddedError
from indexer.server.embedded.home import SERVER_VERSION, ServerHome
from indexer.server.embedded.process import (
    fetch_embedded_server,
    find_embedded_address,
    start_embedded_server,
    stop_embedded_server,
)
from tests.support.server import SILENT, settings_for

CALLS = [start_embedded_server, stop_embedded_server, fetch_embedded_server]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["tmp", "data"])
@pytest.mark.parametrize("call", CALLS)
def test_a_folder_in_use_for_something_else_is_refused_and_left_as_it_is(
    tmp_path: Path, call: Callable[[Settings, Any], object], name: str
) -> None:
    """As with FOIDEX_HOME=/, whose tmp is that of the whole system."""
    theirs = tmp_path / name / "theirs"
    theirs.mkdir(parents=True)
    (theirs / "file").write_text("text")
    with pytest.raises(EmbeddedError, match=rf"{name}: holds files that are not the embedded") as e:
        call(settings_for(tmp_path), SILENT)
    assert "FOIDEX_HOME" in str(e.value)
    assert (theirs / "file").read_text() == "text"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize(
    "marker", ["password", "start.log", f"server/{SERVER_VERSION}/bin/elasticsearch"]
)
def test_a_home_whose_server_started_before_is_taken(tmp_path: Path, marker: str) -> None:
    home = ServerHome(tmp_path, EmbeddedSettings())
    (tmp_path / marker).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / marker).touch()
    home.data.mkdir()
    (home.data / "nodes").mkdir()
    home.require_dedicated()


def test_a_home_with_backups_to_restore_and_files_of_its_own_is_taken(tmp_path: Path) -> None:
    home = ServerHome(tmp_path, EmbeddedSettings())
    for folder in (home.backups, home.tmp, home.data, tmp_path / "audit"):
        folder.mkdir()
    for file in (
        home.backups / "index-0",
        tmp_path / "foidex.toml",
        tmp_path / "audit/audit.jsonl",
    ):
        file.touch()
    home.require_dedicated()


@pytest.mark.parametrize("call", [start_embedded_server, fetch_embedded_server])
@pytest.mark.parametrize("depth", ["a", "a/b/c"])
def test_a_home_below_a_folder_that_everybody_may_write_to_is_refused(
    tmp_path: Path, call: Callable[[Settings, Any], object], depth: str
) -> None:
    """Anybody could put another folder in the place of the home, or of one above it."""
    open_folder = tmp_path / "open"
    home = open_folder / depth
    home.parent.mkdir(parents=True)
    open_folder.chmod(0o777)
    with pytest.raises(EmbeddedError, match=r"open: cannot be trusted .*without a sticky bit") as e:
        call(settings_for(home), SILENT)
    assert "FOIDEX_HOME" in str(e.value)
    assert "chmod o-w" in str(e.value)
    assert not home.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root's home is always the same")
def test_a_home_of_the_default_place_is_looked_at_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.delenv("FOIDEX_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    with pytest.raises(EmbeddedError, match=r"cannot be trusted .*without a sticky bit"):
        start_embedded_server(load_settings(), SILENT)


def test_a_link_to_a_home_below_a_folder_of_everybody_is_refused(tmp_path: Path) -> None:
    open_folder = tmp_path / "open"
    (open_folder / "home").mkdir(parents=True)
    open_folder.chmod(0o777)
    (tmp_path / "link").symlink_to(open_folder / "home")
    with pytest.raises(EmbeddedError, match="open: cannot be trusted"):
        ServerHome(tmp_path / "link", EmbeddedSettings()).require_own()


def test_a_home_below_a_folder_with_a_sticky_bit_is_taken(tmp_path: Path) -> None:
    shared_folder = tmp_path / "shared"
    (shared_folder / "home").mkdir(parents=True)
    shared_folder.chmod(0o1777)
    ServerHome(shared_folder / "home", EmbeddedSettings()).require_own()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_home_below_a_folder_of_another_account_is_refused(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "home").mkdir(parents=True)
    os.chown(theirs, 4321, 4321)
    with pytest.raises(EmbeddedError, match=r"theirs: cannot be trusted .*belongs to another user"):
        ServerHome(theirs / "home", EmbeddedSettings()).require_own()


#: With a part of what is said of each.
UNUSABLE_NAMES = {
    "a,b": "has , in it",
    "a:b": "has : in it",
    "a'b": "has ' in it",
    'a"b': 'has " in it',
    "a=b": "has = in it",
    "a #b": "has # in it",
    "${HOME}": "has ${ in it",
    "a\nb": "has a line break",
    "a\tb": "has a line break or another character",
    os.fsdecode(b"caf\xe9"): "has bytes that are not UTF-8",
}


@pytest.mark.parametrize("name", UNUSABLE_NAMES)
def test_a_home_whose_name_the_server_would_take_for_another_is_refused(
    tmp_path: Path, name: str
) -> None:
    """With a comma, the records went into the folder before the comma, which others could read."""
    with pytest.raises(EmbeddedError, match="cannot use this folder"):  # what doctor asks
        find_embedded_address(settings_for(tmp_path / name))
    for call in (start_embedded_server, fetch_embedded_server):
        with pytest.raises(EmbeddedError) as e:
            call(settings_for(tmp_path / name / "home"), SILENT)
        assert UNUSABLE_NAMES[name] in str(e.value)
        assert "FOIDEX_HOME" in str(e.value)
        assert "\n" not in str(e.value)
        str(e.value).encode()
    assert not list(tmp_path.iterdir())


def test_a_link_to_a_home_whose_name_the_server_cannot_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    (tmp_path / "link").symlink_to("a:b")
    with pytest.raises(EmbeddedError, match="a:b: the embedded server cannot use this folder"):
        start_embedded_server(settings_for(tmp_path / "link"), SILENT)


@pytest.mark.parametrize("name", ["a b", "$a{b}%c;d", "caf\u00e9", r"a\b&c|d`e*f#g"])
def test_a_home_with_other_signs_in_its_name_is_taken(tmp_path: Path, name: str) -> None:
    ServerHome(tmp_path / name, EmbeddedSettings()).require_usable_name()
