"""The home folder of an embedded server: its paths, its lock, and the user the server runs as."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import filelock

from indexer.errors import EmbeddedError

SERVER_VERSION: Final = "9.1.10"

#: The longest that a script, or a start of the server, may take.
START_SECONDS: Final = 120

BACKUPS_FOLDER: Final = "backups"

_LOCK_SECONDS: Final = 2 * START_SECONDS


def can_run_here() -> bool:
    """Whether this system can run the embedded server: one with POSIX processes and users."""
    return hasattr(os, "geteuid") and hasattr(os, "killpg")


class ServerHome:
    """The paths of one home folder, and the user its server runs as."""

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        self.user = user
        self.distribution = folder / "server" / SERVER_VERSION
        self.process_file = folder / "server.json"
        self.password_file = folder / "password"
        self.start_log = folder / "start.log"
        self.config = folder / "config"
        self.data = folder / "data"
        self.logs = folder / "logs"
        self.tmp = folder / "tmp"
        self.backups = folder / BACKUPS_FOLDER
        self.ports_file = self.logs / "http.ports"
        self.is_root = hasattr(os, "geteuid") and os.geteuid() == 0

    @property
    def server_folders(self) -> tuple[Path, ...]:
        """The folders that the server writes into."""
        return (self.config, self.data, self.logs, self.tmp, self.backups)

    def find_user_ids(self) -> tuple[int, int] | None:
        """The user and group ids that the server runs as, where this process is root's.

        None elsewhere: it runs as this process's user. Raises EmbeddedError for an unknown user.
        """
        return find_user_ids(self.user) if self.is_root else None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of this home, which is made if it is missing. Raises EmbeddedError."""
        with explain_disk_errors(self.folder):
            self._make_folder()
        with hold_file_lock(self.folder / "server.lock", "FOIDEX_HOME"):
            yield

    def _make_folder(self) -> None:
        missing = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            if self.is_root:  # whatever the umask: the server's user must reach what is inside
                path.chmod(0o755)

    def read_password(self) -> str:
        """The password of the server's superuser. Raises EmbeddedError."""
        try:
            return self.password_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a password"
            raise EmbeddedError(
                f"{self.password_file}: cannot be read ({reason}). Use the user who started the "
                "server, or run foidex down, delete the file and run foidex up."
            ) from None

    def read_port(self) -> int | None:
        """The port that the server listens on, once it has written it down."""
        try:
            return int(self.ports_file.read_text().splitlines()[0].rpartition(":")[2])
        except (OSError, ValueError, IndexError):
            return None


def find_user_ids(user: str) -> tuple[int, int]:
    """The ids of a user and its group, for a server that root starts. Raises EmbeddedError."""
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        problem = "does not exist"
    else:
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
        problem = "is root"
    raise EmbeddedError(
        f'user "{user}" {problem}, and Elasticsearch refuses root. '
        "Choose another user with FOIDEX_SERVER_USER."
    )


@contextmanager
def hold_file_lock(path: Path, variable: str) -> Iterator[None]:
    """Hold a lock between processes; ``variable`` sets another folder. Raises EmbeddedError."""
    lock = filelock.FileLock(path, timeout=_LOCK_SECONDS)
    try:
        with explain_disk_errors(path, variable):
            lock.acquire()
    except filelock.Timeout:
        raise EmbeddedError(
            f"{path}: another foidex has held this lock for {_LOCK_SECONDS} seconds. "
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
