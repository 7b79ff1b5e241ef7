"""An embedded server takes a folder of its own, and touches nothing where the folder is another's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.config.model import EmbeddedSettings, Settings
from indexer.errors import EmbeddedError
from indexer.server.embedded.home import SERVER_VERSION, ServerHome
from indexer.server.embedded.process import (
    fetch_embedded_server,
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
