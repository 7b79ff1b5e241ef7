"""The configuration files that foidex writes for an embedded server."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.config.model import EmbeddedSettings
from indexer.server.embedded.config import write_server_config
from indexer.server.embedded.home import ServerHome

FILES = ("jvm.options", "log4j2.properties", "roles.yml", "users", "users_roles")


@pytest.fixture
def home(tmp_path: Path) -> ServerHome:
    """A home whose server has run before, with the files of this version's distribution."""
    server_home = ServerHome(tmp_path, EmbeddedSettings())
    server_home.is_root = False
    server_home.config.mkdir()
    (server_home.distribution / "config").mkdir(parents=True)
    for name in FILES:
        (server_home.distribution / "config" / name).write_text(f"{name} of this server\n")
    for path in (server_home.config / "elasticsearch.keystore", server_home.password_file):
        path.write_text("made at the first start")
    return server_home


def test_the_options_of_an_older_server_are_replaced_at_the_start_of_a_newer_one(
    home: ServerHome,
) -> None:
    """Elasticsearch 9.1 does not start with the options of 9.0, which log to another folder."""
    for name in FILES:
        (home.config / name).write_text(f"{name} of an older server\n")
    write_server_config(home, 0)
    for name in ("jvm.options", "log4j2.properties"):
        assert (home.config / name).read_text() == f"{name} of this server\n"


def test_users_and_roles_that_were_added_survive_a_start(home: ServerHome) -> None:
    (home.config / "users").write_text("analyst:hash\n")
    write_server_config(home, 0)
    assert (home.config / "users").read_text() == "analyst:hash\n"
    assert (home.config / "roles.yml").read_text() == "roles.yml of this server\n"
