"""TODO: say what indexer.server.embedded.home is for."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import filelock

from indexer.errors import EmbeddedError
from indexer.server.embedded.config import START_SECONDS

_LOCK_SECONDS: Final = 2 * START_SECONDS


def find_user_ids(user: str) -> tuple[int, int]:
    """The numbers of the user, and of its group, whom a server started by root runs as."""
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
        "Name another user with FOIDEX_SERVER_USER."
    )


@contextmanager
def hold_file_lock(path: Path, variable: str) -> Iterator[None]:
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
    """Turn the system's errors into ours; ``variable`` chooses another folder."""
    try:
        yield
    except filelock.Timeout:
        raise  # An OSError too, but not the disk's.
    except shutil.Error as error:  # Of many files; the first tells.
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
