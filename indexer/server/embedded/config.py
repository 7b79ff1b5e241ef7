"""The configuration of an embedded server: its settings files, its password, and who owns them."""

from __future__ import annotations

import json
import secrets
import subprocess
from pathlib import Path
from typing import Final

from indexer.errors import EmbeddedError
from indexer.files import write_file
from indexer.server.embedded.account import hand_over_folder
from indexer.server.embedded.home import CONFIG_NAME, ServerHome
from indexer.server.embedded.scripts import read_log_tail, run_script

# What these say fits one version of the server only, so they are replaced at every start.
_VERSION_FILES: Final = ("jvm.options", "log4j2.properties")

_COPIED_FILES: Final = ("roles.yml", "users", "users_roles")

CONFIG_TEMPLATE: Final = """\
# Written by foidex at every start; change foidex.toml instead.
cluster.name: foidex
node.name: foidex
node.portsfile: true
network.host: 127.0.0.1
http.port: {port}
transport.port: 9300-9399
discovery.type: single-node
path.data: {data}
path.logs: {logs}
path.repo: {backups}
action.destructive_requires_name: true
cluster.routing.allocation.disk.watermark.low: 1gb
cluster.routing.allocation.disk.watermark.high: 500mb
cluster.routing.allocation.disk.watermark.flood_stage: 250mb
xpack.security.enabled: true
xpack.security.http.ssl.enabled: false
xpack.security.transport.ssl.enabled: false
"""


def write_server_config(home: ServerHome, port: int) -> None:
    """Make the server's folders, settings and password; port 0 is the first free one.

    Raises EmbeddedError or OSError.
    """
    for folder in home.server_folders:
        folder.mkdir(mode=0o700, exist_ok=True)
    # First, because a home is known by it.
    text = CONFIG_TEMPLATE.format(
        port=port or "9200-9299",
        data=json.dumps(str(home.data), ensure_ascii=False),
        logs=json.dumps(str(home.logs), ensure_ascii=False),
        backups=json.dumps(str(home.backups), ensure_ascii=False),
    )
    write_file(home.config / CONFIG_NAME, text.encode(), private=True)
    for name in _VERSION_FILES + _COPIED_FILES:
        if name in _VERSION_FILES or not (home.config / name).exists():
            content = (home.distribution / "config" / name).read_bytes()
            write_file(home.config / name, content, private=True)
    _hand_over_folders(home)
    require_reachable(home, home.distribution / "bin")
    _make_password(home)


def require_reachable(home: ServerHome, folder: Path) -> None:
    """Raise EmbeddedError where the account the server runs as cannot reach a folder."""
    ids = home.find_account_ids()
    if ids is None:
        return
    user, group = ids
    probe = subprocess.run(  # noqa: S603 - a fixed command
        ["/bin/ls", "-d", f"{folder}/."],
        user=user,
        group=group,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    if probe.returncode != 0:
        raise EmbeddedError(
            f'{folder}: user "{home.account}", which the server runs as because Elasticsearch '
            "refuses root, cannot reach it. Let others pass through it and the folders above "
            "it (chmod o+x), or choose another folder with FOIDEX_HOME."
        )


def _hand_over_folders(home: ServerHome) -> None:
    """Give the server's folders to the account it runs as."""
    ids = home.find_account_ids()
    if ids is not None:
        for folder in home.server_folders:
            hand_over_folder(folder, ids)


def _make_password(home: ServerHome) -> None:
    keystore = home.config / "elasticsearch.keystore"
    if keystore.exists() and home.password_file.exists():
        return
    # The file is written last, so that a password in it is in the keystore too.
    keystore.unlink(missing_ok=True)
    password = secrets.token_urlsafe(24)
    code, output = run_script(
        home, "elasticsearch-keystore", "add", "-x", "-f", "bootstrap.password", stdin_text=password
    )
    if code != 0:
        raise EmbeddedError(
            f"{home.config}: the server's keystore cannot be written. Correct what its log "
            f"names, then try again.\n{read_log_tail(home, output)}"
        )
    write_file(home.password_file, password.encode(), private=True)
