"""The home folder of an embedded server: its paths, its lock, and the user the server runs as."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import filelock

from indexer.config.model import EmbeddedSettings
from indexer.errors import EmbeddedError
from indexer.files import (
    PRIVATE_MODE,
    UnsafePathError,
    make_private_folder,
    open_folder,
    read_file,
    require_own_parents,
)
from indexer.server.embedded.account import SERVER_ACCOUNT, find_account_ids
from indexer.terminal import escape_line

SERVER_VERSION: Final = "9.1.10"

BACKUPS_FOLDER: Final = "backups"

#: The server's settings, which foidex writes first, and their line that no other server's have.
CONFIG_NAME: Final = "elasticsearch.yml"

_CONFIG_MARK: Final = b"cluster.name: foidex"

_EARLY_SETTINGS: Final = re.compile(r"jvm\.options\.d|\.elasticsearch\.yml\.[0-9a-f]+\.part")

#: What Elasticsearch, its scripts or Java take for something else in the name of a folder: two
#: folders, two entries of a list, a quotation, an option, a comment, or one of its settings.
_UNUSABLE_PART: Final = re.compile(r"""[,:'"=]| #|\$\{""")

#: What a folder of snapshots always has.
_REPOSITORY_INDEX: Final = re.compile(r"index\.latest|index-[0-9]+")

_DOWNLOAD_LOCK_SECONDS: Final = 600


def can_run_here() -> bool:
    """Whether this system can run the embedded server: one with POSIX processes and users."""
    return hasattr(os, "geteuid") and hasattr(os, "killpg")


class ServerHome:
    """The paths of one home folder, and the options and the account of its server."""

    def __init__(self, folder: Path, options: EmbeddedSettings) -> None:
        self.folder = folder
        self.options = options
        self.account = options.user or SERVER_ACCOUNT
        self.distribution = folder / "server" / SERVER_VERSION
        self.process_file = folder / "server.json"
        self.password_file = folder / "password"
        self.start_log = folder / "start.log"
        self.lock_file = folder / "server.lock"
        self._own_files = (self.process_file, self.password_file, self.start_log)
        self.config = folder / "config"
        self.data = folder / "data"
        self.logs = folder / "logs"
        self.server_log = self.logs / "foidex.log"
        self.tmp = folder / "tmp"
        self.pid_file = self.tmp / "pid"
        self.backups = folder / BACKUPS_FOLDER
        self.ports_file = self.logs / "http.ports"
        self.is_root = hasattr(os, "geteuid") and os.geteuid() == 0

    @property
    def server_folders(self) -> tuple[Path, ...]:
        """The folders that the server writes into."""
        return (self.config, self.data, self.logs, self.tmp, self.backups)

    def find_account_ids(self) -> tuple[int, int] | None:
        """The user and group ids that the server is started as, where this process is root's.

        None elsewhere: it runs as this process's user. Raises EmbeddedError for an account that
        does not exist, or that it may not run as.
        """
        return find_account_ids(self.account) if self.is_root else None

    def find_owner_id(self) -> int | None:
        """The user id that the server last ran as; None where it never has.

        Only who starts the server gives its folder of data away, so its owner is no other.
        """
        try:
            return self.data.stat().st_uid
        except OSError:
            return None

    def require_usable_name(self) -> None:
        """Raise EmbeddedError for a home whose name the server would take for another.

        With a comma, it would write the records into a folder that nobody chose or protects. Where
        links lead counts too, because Java follows them.
        """
        for name in (str(self.folder), os.path.realpath(self.folder)):
            if reason := _describe_unusable_name(name):
                raise EmbeddedError(
                    f"{escape_line(name)}: the embedded server cannot use this folder, because its "
                    f"name has {reason}. Choose another folder with FOIDEX_HOME."
                )

    def require_own_parents(self) -> None:
        """Raise EmbeddedError where another user could put another folder in the place of the home.

        That user could then read the records, and run programs as this one.
        """
        with explain_disk_errors(self.folder):
            try:
                require_own_parents(self.folder)
            except UnsafePathError as error:
                raise EmbeddedError(
                    f"{error.filename}: cannot be trusted ({error.strerror}): another user could "
                    f"put another folder in the place of {self.folder}, and read the records there "
                    "or run programs as this one. Choose a folder with FOIDEX_HOME that is only "
                    "below folders of this user and of root; or correct this one with chown, or "
                    "with chmod o-w."
                ) from None

    def require_own(self) -> None:
        """Raise EmbeddedError for a home in which another user could have put something.

        That could be a program that this user would run, an address that the password would be sent
        to, or a folder in which others read the records. The account of root's server owns what
        that server writes.
        """
        self.require_own_parents()
        folders = [self.folder, self.distribution.parent, self.distribution, *self.server_folders]
        with explain_disk_errors(self.folder):
            try:
                for path in filter(os.path.lexists, folders):
                    with open_folder(path) as folder:  # through no link of another user
                        if not (self.is_root and path in self.server_folders):
                            folder.require_own()
                with open_folder(self.folder) as folder:
                    for path in (*self._own_files, self.lock_file):
                        folder.require_own_file(path.name)
            except UnsafePathError as error:
                raise EmbeddedError(
                    f"{error.filename}: cannot be trusted ({error.strerror}): another user could "
                    "read the records there, or run programs as this one. Use the user it belongs "
                    f"to; or look at what is in it, and run chmod -R go-w {self.folder}; or choose "
                    "another folder with FOIDEX_HOME."
                ) from None

    def require_dedicated(self) -> None:
        """Raise EmbeddedError where a server never started, and what it would use is not empty.

        It is somebody else's then: ``tmp`` of the whole system, say, where the home is ``/``. A
        server empties that folder, and gives the others to its account.
        """
        with explain_disk_errors(self.folder):
            started = (
                self.password_file.exists()
                or self.start_log.exists()
                or is_server_config(self.config / CONFIG_NAME)
                or any(self.distribution.parent.glob("*/bin/elasticsearch"))
            )
            for path in () if started else self.server_folders:
                if path.is_dir() and not self._may_be_there(path):
                    raise EmbeddedError(
                        f"{path}: holds files that are not the embedded server's, which would "
                        "change or remove them. Choose a folder of its own with FOIDEX_HOME."
                    )

    def _may_be_there(self, path: Path) -> bool:
        """Whether a folder may be there before the first start: an empty one, backups copied from
        another home, or settings of Java only."""
        names = [entry.name for entry in path.iterdir()]
        if path == self.backups and any(map(_REPOSITORY_INDEX.fullmatch, names)):
            return True
        return all(path == self.config and _EARLY_SETTINGS.fullmatch(name) for name in names)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of this home, which is made if it is missing. Raises EmbeddedError."""
        self.require_own_parents()
        with explain_disk_errors(self.folder):
            make_private_folder(self.folder, is_entered=self.is_root)
        self.require_dedicated()
        self.require_own()
        with hold_file_lock(
            self.lock_file, "FOIDEX_HOME", 2 * self.options.start_seconds, PRIVATE_MODE
        ):
            with suppress(OSError):  # one of an earlier version, which others may read
                self.lock_file.chmod(PRIVATE_MODE)
            yield

    def read_password(self) -> str:
        """The password of the server's superuser. Raises EmbeddedError."""
        try:
            return read_file(self.password_file).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a password"
            raise EmbeddedError(
                f"{self.password_file}: cannot be read ({reason}). Use the user who started the "
                "server, or run foidex down, delete the file and run foidex up."
            ) from None

    def read_port(self) -> int | None:
        """The port that the server listens on, once it has written it down."""
        try:
            first_line = read_file(self.ports_file).splitlines()[0]
            return int(first_line.rpartition(b":")[2])
        except (OSError, ValueError, IndexError):
            return None


def _describe_unusable_name(name: str) -> str:
    """What in the name of a folder the server cannot use, in words; empty if it can use all."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "bytes that are not UTF-8"
    if not name.isprintable():
        return "a line break or another character that does not show"
    unusable_part = _UNUSABLE_PART.search(name)
    return f"{unusable_part[0].strip()} in it" if unusable_part else ""


def is_server_config(path: Path) -> bool:
    """Whether a file is the settings of a server that foidex made."""
    try:
        return _CONFIG_MARK in read_file(path).splitlines()
    except FileNotFoundError:
        return False


@contextmanager
def hold_file_lock(
    path: Path, variable: str, seconds: int = _DOWNLOAD_LOCK_SECONDS, mode: int = 0o644
) -> Iterator[None]:
    """Hold a lock between processes; ``variable`` sets another folder. Raises EmbeddedError."""
    # Whoever may read the file could hold the lock.
    lock = filelock.FileLock(path, timeout=seconds, mode=mode)
    try:
        with explain_disk_errors(path, variable):
            lock.acquire()
    except filelock.Timeout:
        raise EmbeddedError(
            f"{path}: another foidex has held this lock for {seconds} seconds. "
            "Wait for it, or end it, then try again."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def explain_disk_errors(path: Path, variable: str = "FOIDEX_HOME") -> Iterator[None]:
    """Raise the system's errors as EmbeddedError; ``variable`` sets another folder."""
    try:
        yield
    except filelock.Timeout:
        raise  # an OSError that is not about the disk
    except shutil.Error as error:  # about many files; the first is enough
        _, target, reason = error.args[0][0]
        raise _build_unwritable_error(target, str(reason), variable) from None
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else str(error.strerror)
        raise _build_unwritable_error(error.filename or path, reason, variable) from None


def _build_unwritable_error(path: object, reason: str, variable: str) -> EmbeddedError:
    return EmbeddedError(
        f"{path}: cannot be written ({reason}). Free some room, use the user it belongs to, or "
        f"choose another folder with {variable}."
    )
