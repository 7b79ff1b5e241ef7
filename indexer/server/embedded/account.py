"""The account that a server runs as when root starts it: made if it is missing, and never shared.

Elasticsearch refuses root. Who else runs as the server's account could read the password from its
keystore and the records from its data, so it has an account of its own.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import filelock

from indexer.errors import EmbeddedError

#: The account that is made, unless the settings name another.
SERVER_ACCOUNT: Final = "foidex-server"

#: What belongs to no service, so any may use it: by name, and by number (2 and 4 bytes).
_SHARED_ACCOUNTS: Final = frozenset({"nobody", "nfsnobody"})

_SHARED_IDS: Final = frozenset({65534, 4294967294})

# A cron job's PATH may lack the folders of the system's own programs.
SYSTEM_FOLDERS: Final = "/usr/sbin:/sbin:/usr/bin:/bin"

_NO_LOGIN_SHELLS: Final = ("/usr/sbin/nologin", "/sbin/nologin", "/usr/bin/false", "/bin/false")

_LOCK_FILE: Final = "/run/foidex-account.lock"

#: How long to wait for another program that is changing the system's accounts.
_MAKE_SECONDS: Final = 30

# Opens no link, and waits for no writer of a named pipe.
_LOOK: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

_WAY_OUT: Final = (
    "Name an account that only this server uses with FOIDEX_SERVER_USER (embedded.user), or run "
    "foidex as another user than root."
)


def find_account_ids(name: str) -> tuple[int, int]:
    """The user and group ids of an account that a server may run as. Raises EmbeddedError."""
    ids = _look_up_ids(name)
    if ids is None:
        raise _make_account_error(name, "does not exist")
    if ids[0] == 0:
        raise _make_account_error(name, "is root")
    if is_shared_account(name, ids[0]):
        raise _make_account_error(
            name, "is what services without an account of their own run as, so they could read "
            "the password and the records",
        )  # fmt: skip
    return ids


def make_account(name: str) -> tuple[int, int]:
    """The ids of the account, which is made first if it is missing and is foidex's own.

    Two calls at the same moment make one. Raises EmbeddedError.
    """
    if name == SERVER_ACCOUNT and _look_up_ids(name) is None:
        # useradd looks whether the name is taken before it waits for its own lock.
        try:
            with filelock.FileLock(_LOCK_FILE, timeout=2 * _MAKE_SECONDS, mode=0o600):
                if _look_up_ids(name) is None:
                    _add_account(name)
        except OSError as error:  # a timeout too
            raise _make_account_error(
                name,
                f"does not exist and cannot be made ({_LOCK_FILE}: {error.strerror or 'in use'})",
            ) from None
    return find_account_ids(name)


def is_shared_account(name: str, user_id: int) -> bool:
    """Whether an account is everybody's by its nature."""
    return name in _SHARED_ACCOUNTS or user_id in _SHARED_IDS


def list_accounts_with_id(user_id: int) -> list[str]:
    """The names of all accounts with a user id."""
    import pwd

    return [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == user_id]


def hand_over_folder(folder: Path, ids: tuple[int, int]) -> None:
    """Give a folder and all in it to an account, and close it to others. Raises OSError.

    No link is followed: who owned the folder before may have put one there. A file with several
    names is left as it is unless that owner, who is not root, had it: it may be a name for somebody
    else's. A folder that is a link itself is its maker's to hand over.
    """
    if folder.is_symlink():
        return
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _hand_over_entries(top, ids)
        # The folder is last: one that is half handed over is begun again with the same owner.
        os.fchown(top, *ids)
        os.fchmod(top, 0o700)
    finally:
        os.close(top)


def _hand_over_entries(top: int, ids: tuple[int, int]) -> None:
    before = os.fstat(top).st_uid
    for _, names, files, handle in os.fwalk(".", dir_fd=top, follow_symlinks=False):
        for name in (*names, *files):
            _hand_over_entry(handle, name, before, ids)


def _hand_over_entry(folder: int, name: str, before: int, ids: tuple[int, int]) -> None:
    """Give one name to an account: what was looked at, even if the name is swapped meanwhile.

    A link or a socket stays as it is: whoever has it, it leads to no other place.
    """
    try:
        handle = os.open(name, _LOOK, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENOENT, errno.EOPNOTSUPP):
            return
        raise
    try:
        status = os.fstat(handle)
        # A second name may be one that an account planted for a file of root.
        own = status.st_nlink == 1 or stat.S_ISDIR(status.st_mode)
        own = own or (status.st_uid == before and before != 0)
        if own and (status.st_uid, status.st_gid) != ids:
            os.fchown(handle, *ids)
    finally:
        os.close(handle)


def _look_up_ids(name: str) -> tuple[int, int] | None:
    import pwd

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


def _has_group(name: str) -> bool:
    import grp

    return any(group.gr_name == name for group in grp.getgrall())


def _add_account(name: str) -> None:
    """Make a system account without a password, a shell or a home, and with the group of its name,
    which may have been left where an account was removed, or was being made."""
    folders = f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}"
    program = shutil.which("useradd", path=folders)
    if program is None:
        raise _make_account_error(name, "does not exist, and this system has no useradd to make it")
    shell = next((path for path in _NO_LOGIN_SHELLS if Path(path).exists()), _NO_LOGIN_SHELLS[-1])
    group = ["--gid", name] if _has_group(name) else ["--user-group"]
    options = ["--system", *group, "--no-create-home", "--home-dir", "/nonexistent"]
    command = [program, *options, "--shell", shell, name]
    reason = ""
    for _ in _iter_attempts():
        try:
            done = subprocess.run(  # noqa: S603 - the system's own program, and a fixed name
                command, capture_output=True, text=True, check=False, timeout=_MAKE_SECONDS,
                stdin=subprocess.DEVNULL, env={"PATH": folders, "LC_ALL": "C"},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = type(error).__name__
            break
        # Another program may have made it at the same moment.
        if done.returncode == 0 or _look_up_ids(name) is not None:
            return
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        if "lock" not in reason:
            break
    raise _make_account_error(name, f"does not exist and cannot be made ({reason})")


def _iter_attempts() -> Iterator[int]:
    """Count attempts, with pauses, while the system's accounts may be locked by another."""
    deadline = time.monotonic() + _MAKE_SECONDS
    attempt = 0
    while attempt == 0 or time.monotonic() < deadline:
        yield attempt
        attempt += 1
        time.sleep(0.2)


def _make_account_error(name: str, problem: str) -> EmbeddedError:
    return EmbeddedError(
        f"the embedded server needs an account of its own, because Elasticsearch refuses root; "
        f'user "{name}" {problem}. {_WAY_OUT}'
    )
