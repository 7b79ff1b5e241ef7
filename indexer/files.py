"""Open, write and move files so that they are never half written, private ones are for their owner
only, and no link that someone else could have made leads anywhere else.

A folder is opened once. Everything in it is then done relative to its handle, so a folder that is
swapped for a link meanwhile makes no difference. In the path to it, a link is followed only if it
belongs to this user or to root. Where the system has no such handles (Windows), each name is
checked before it is used.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

PRIVATE_MODE: Final = 0o600

#: The most that is read whole where nothing else is said: no file of foidex comes near it, and
#: memory has room for it. One with a hole in it may say that it has any size.
MAX_FILE_BYTES: Final = 2_000_000_000

_PIECE_BYTES: Final = 1 << 20

_MAX_LINKS: Final = 40

#: What `Folder.write_file` calls a file that is not whole yet.
_PART_NAME: Final = re.compile(r"\.(.+)\.[0-9a-f]{16}\.part", re.DOTALL)

#: How many writes of one file at once leave nothing for ever if they are killed.
_PART_SLOTS: Final = 4

#: A part may be locked some moments after it is there.
_YOUNG_PART_SECONDS: Final = 10

_LOCK_PAUSE_SECONDS: Final = 0.05

_SHARED_LOCK_MODE: Final = 0o660  # a group that shares a folder takes its locks, too

_MAX_LOST_LOCKS: Final = 100

_FOREIGN_LINK: Final = "is a link that belongs to another user"

_FOREIGN_PIPE: Final = "is a pipe that belongs to another user"

_TOO_DEEP: Final = "has folders in folders deeper than foidex ever writes"

_FOREIGN: Final = "belongs to another user, in a folder in which everyone's files are their own"

_PLANTED: Final = "belongs to another user, and everybody can write to its folder"

_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)

_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)  # for a writer of a named pipe

_BINARY: Final = getattr(os, "O_BINARY", 0)

# A handle that only leads further needs no right to list the folder.
_SEARCH: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _NO_FOLLOW

#: On Linux: the user id of whoever has none in this container, and which ids it has.
_OVERFLOW_ID: Final = Path("/proc/sys/kernel/overflowuid")

_USER_MAP: Final = Path("/proc/self/uid_map")

_ALL_USER_IDS: Final = 2**32 - 1

_HAS_HANDLES: Final = bool(_NO_FOLLOW) and os.supports_dir_fd >= {
    os.open, os.stat, os.mkdir, os.unlink, os.rename, os.readlink,
}  # fmt: skip


class Permissions(NamedTuple):
    """The mode of new files. The umask takes away from it, unless it is ``exact``."""

    mode: int
    exact: bool = False

    @property
    def folder_mode(self) -> int:
        """The mode of new folders: whoever may read may also list and enter."""
        return self.mode | (self.mode & 0o444) >> 2


PRIVATE: Final = Permissions(PRIVATE_MODE, exact=True)

PUBLIC: Final = Permissions(0o666)

#: Of folders of root's, in which another account may have folders of its own.
_ENTERED_BY_ALL: Final = Permissions(0o644)

#: Of documents, unless the settings say otherwise: nobody but the owner and the group.
DOCUMENT_PERMISSIONS: Final = Permissions(0o640)


#: The folder of the system's devices, in which some are links.
_DEVICES: Final = "/dev"


class UnsafePathError(OSError):
    """A path would lead through a link that someone else may have made, or to no ordinary file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(errno.ELOOP, f"{path.name or path} {reason}", str(path))


class FileStamp(NamedTuple):
    """A file as it is now: its number on the disk, its bytes, and when it was written and changed.

    When it was written can be set back, as copies and editors do; when it was changed cannot.
    """

    inode: int
    size: int
    written_ns: int
    changed_ns: int


class Folder:
    """An open folder. No name in it is followed through a link.

    Every method raises OSError with the whole path, and UnsafePathError for a link.
    """

    def __init__(self, path: Path, handle: int | None) -> None:
        self.path = path
        self._handle = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def find_mode(self, name: str) -> int | None:
        """The type and mode of a name, of a link itself; None if there is nothing."""
        try:
            return self._stat(name).st_mode
        except FileNotFoundError:
            return None

    def find_change_time(self, name: str) -> float:
        """When the content last changed, in seconds since 1970."""
        return self._stat(name).st_mtime

    def find_stamp(self, name: str) -> FileStamp | None:
        """What changes when a file is written again; None if there is nothing."""
        try:
            status = self._stat(name)
        except FileNotFoundError:
            return None
        return FileStamp(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def list_names(self) -> list[str]:
        """The names in the folder, in order."""
        with self._explain("."):
            if self._handle is None:
                return sorted(os.listdir(self.path))  # noqa: PTH208
            handle = os.open(".", os.O_RDONLY, dir_fd=self._handle)
            try:
                return sorted(os.listdir(handle))  # noqa: PTH208
            finally:
                os.close(handle)

    def open_subfolder(self, name: str, create: Permissions | None = None) -> Folder:
        """Open a folder in this one; with ``create``, make it if it is missing."""
        with self._explain(name):
            is_new = create is not None and self._make_subfolder(name, create)
            mode = self._stat(name).st_mode
            if not stat.S_ISDIR(mode) or self._is_link(name):
                reason = "is a link" if stat.S_ISLNK(mode) else "is not a folder"
                raise UnsafePathError(self.path / name, reason)
            handle = None
            if self._handle is not None:
                handle = os.open(name, _SEARCH, dir_fd=self._handle)
        folder = Folder(self.path / name, handle)
        try:
            if create is not None and handle is not None:
                _refuse_planted_folder(folder.path, handle, self._handle)
            if is_new and create is not None:
                folder.set_permissions(create)
        except BaseException:
            folder.__exit__()
            raise
        return folder

    def _make_subfolder(self, name: str, permissions: Permissions) -> bool:
        """Make a folder; False if the name exists."""
        try:
            os.mkdir(self._at(name), permissions.folder_mode, dir_fd=self._handle)
        except FileExistsError:
            return False
        return True

    def set_permissions(self, permissions: Permissions) -> None:
        """Set the mode of the folder itself, if it is to be exact. Its group stays inherited."""
        if permissions.exact:
            inherited = os.stat(self._at("."), dir_fd=self._handle).st_mode & stat.S_ISGID
            os.chmod(self._at("."), permissions.folder_mode | inherited, dir_fd=self._handle)

    def open_file(self, name: str, flags: int, permissions: Permissions = PUBLIC) -> int:
        """Open an ordinary file; returns a handle that the caller closes.

        One that is written to must have no second name, which might be in another folder.
        """
        with self._explain(name):
            self._refuse_link(name)
            # Nothing is cut off before it is known what was opened.
            safe_flags = flags & ~os.O_TRUNC | _NO_FOLLOW | _NO_WAIT | _BINARY
            handle = os.open(self._at(name), safe_flags, permissions.mode, dir_fd=self._handle)
            try:
                self._prepare_file(handle, name, flags, permissions)
            except BaseException:
                os.close(handle)
                raise
            return handle

    def _prepare_file(self, handle: int, name: str, flags: int, permissions: Permissions) -> None:
        status = os.fstat(handle)
        writes = flags & (os.O_WRONLY | os.O_RDWR)
        if writes and stat.S_ISCHR(status.st_mode):
            return  # such as /dev/null
        if not writes and stat.S_ISREG(status.st_mode):
            return
        self._require_writable(name, status, permissions)
        if permissions.exact and hasattr(os, "fchmod"):
            os.fchmod(handle, permissions.mode)
        if flags & os.O_TRUNC:
            os.ftruncate(handle, 0)

    def _require_writable(
        self, name: str, status: os.stat_result, permissions: Permissions
    ) -> None:
        """Raise UnsafePathError for what must not be written to."""
        if not stat.S_ISREG(status.st_mode):
            raise UnsafePathError(self.path / name, "is not an ordinary file")
        if status.st_nlink > 1:
            raise UnsafePathError(self.path / name, "has a second name (a hard link)")
        if permissions == PRIVATE and not _is_own(status):
            raise UnsafePathError(self.path / name, "belongs to another user")  # who could read it

    def open_input(self, name: str) -> int:
        """Open whatever can be read; the caller closes the handle.

        A named pipe of this user or of root is waited for until there is a writer. Another is
        refused: whoever put it there need never write.
        """
        with self._explain(name):
            self._refuse_link(name)
            flags = os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _BINARY
            handle = os.open(self._at(name), flags, dir_fd=self._handle)
            try:
                self._wait_for_writer(name, handle)
                os.set_blocking(handle, True)
            except BaseException:
                os.close(handle)
                raise
            return handle

    def _wait_for_writer(self, name: str, handle: int) -> None:
        """Wait until a pipe has something to read, or its writer has gone; nothing else waits."""
        status = os.fstat(handle)
        if not stat.S_ISFIFO(status.st_mode):
            return
        if not _is_own(status):
            raise UnsafePathError(self.path / name, _FOREIGN_PIPE)
        import select  # its poll is not on Windows, where nothing is opened so

        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll()

    def open_ordinary_input(self, name: str) -> int:
        """Open an ordinary file for reading; the caller closes the handle."""
        return self.open_file(name, os.O_RDONLY)

    def read_file(
        self, name: str, max_bytes: int = MAX_FILE_BYTES, *, refuses_foreign: bool = False
    ) -> bytes:
        """The content of a file. One of more than ``max_bytes`` is refused, and with
        ``refuses_foreign`` what ``refuse_foreign`` refuses."""
        with self._explain(name), os.fdopen(self.open_file(name, os.O_RDONLY), "rb") as file:
            if refuses_foreign:
                self.refuse_foreign(name, os.fstat(file.fileno()).st_uid)
            return read_whole(file, max_bytes)

    def write_file(
        self,
        name: str,
        content: bytes,
        permissions: Permissions = PUBLIC,
        owner: tuple[int, int] | None = None,
    ) -> None:
        """Write a file whole or not at all, and sync it; an existing file or link is replaced.

        With ``owner``, a user and a group, the file is given to them where the system allows it.
        What a run that was killed had begun to write as this file is removed.
        """
        mode = self.find_mode(name)
        is_link = mode is not None and stat.S_ISLNK(mode)
        if mode is not None and not stat.S_ISREG(mode) and not is_link:
            raise UnsafePathError(self.path / name, "is not an ordinary file")
        if is_link and os.path.realpath(self.path) == _DEVICES:
            # Such as "stdout", which every program of the machine writes to.
            raise UnsafePathError(self.path / name, "is not an ordinary file")
        part_name, file = self._create_part(name, permissions)
        is_moved = False
        try:
            with file, self._explain(part_name):
                if self._handle is not None:
                    _lock_quietly(file.fileno())  # so that nobody takes it for that of a dead run
                _fill_file(file, content, owner)
                if self._handle is not None:
                    self.move_file(part_name, self, name)
                    is_moved = True
            if self._handle is None:  # Windows moves no open file
                self.move_file(part_name, self, name)
        except BaseException:
            if not is_moved:  # else another write may have taken its name
                with suppress(OSError):
                    self.remove_file(part_name)
            raise
        self.sync()

    def _create_part(self, name: str, permissions: Permissions) -> tuple[str, BinaryIO]:
        """Begin to write a file of this name: the name of its part, and the part.

        Of the few names that a part usually has, those of dead runs are removed, without listing
        the folder, which may have many files. More writes at once than these have other names.
        """
        slots = range(_PART_SLOTS if self._handle is not None else 0)
        usual_names = [f".{name}.{slot:016x}.part" for slot in slots]
        for part_name in usual_names:
            self._remove_dead_part(part_name)
        for part_name in usual_names:
            with suppress(FileExistsError, UnsafePathError):
                return part_name, self._create_file(part_name, permissions)
        part_name = f".{name}.{secrets.token_hex(8)}.part"
        return part_name, self._create_file(part_name, permissions)

    def _remove_dead_part(self, name: str) -> None:
        with suppress(OSError):
            if not _is_own(self._stat(name)):
                return
            handle = self.open_ordinary_input(name)
            try:
                is_dead = os.fstat(handle).st_mtime < time.time() - _YOUNG_PART_SECONDS
                if is_dead and _lock_quietly(handle) and self._has_name(name, handle):
                    self.remove_file(name)
            finally:
                os.close(handle)

    def replace_file(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; an existing one keeps its mode and its owner."""
        try:
            before = self._stat(name)
        except FileNotFoundError:
            self.write_file(name, content)
            return
        if not stat.S_ISREG(before.st_mode):
            raise UnsafePathError(self.path / name, "is not an ordinary file")
        permissions = Permissions(stat.S_IMODE(before.st_mode) & 0o777, exact=True)
        self.write_file(name, content, permissions, (before.st_uid, before.st_gid))

    def write_new_file(
        self,
        name: str,
        content: bytes,
        permissions: Permissions = PUBLIC,
        owner: tuple[int, int] | None = None,
    ) -> None:
        """Write a file that must not exist yet, and sync it.

        A failure may leave part of it: for files in a folder that is removed or renamed as a whole.
        """
        with self._create_file(name, permissions) as file, self._explain(name):
            _fill_file(file, content, owner)

    def _create_file(self, name: str, permissions: Permissions) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        return os.fdopen(self.open_file(name, flags, permissions), "wb")

    def move_file(self, name: str, target: Folder, new_name: str) -> None:
        """Give a file, or a link itself, a name in an open folder; what has it is replaced."""
        with self._explain(name):
            os.replace(
                self._at(name),
                target._at(new_name),
                src_dir_fd=self._handle,
                dst_dir_fd=target._handle,
            )

    def remove_file(self, name: str) -> None:
        """Remove a file, or a link itself, if it exists."""
        with self._explain(name), suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._handle)

    def remove_empty_folder(self, name: str) -> None:
        """Remove a folder if there is nothing in it."""
        with self._explain(name):
            os.rmdir(self._at(name), dir_fd=self._handle)

    def remove_parts(self, names: re.Pattern[str]) -> None:
        """Remove what runs that were killed had begun to write as files of these names.

        The caller keeps others from writing them now.
        """
        for name in self.list_names():
            part = _PART_NAME.fullmatch(name)
            if part and names.fullmatch(part[1]) and not self._is_folder(name):
                self.remove_file(name)

    def _is_folder(self, name: str) -> bool:
        return stat.S_ISDIR(self.find_mode(name) or 0)

    def set_change_time(self, name: str, seconds: float) -> None:
        """Set when the content of a file last changed, in seconds since 1970."""
        with self._explain(name):
            os.utime(self._at(name), (seconds, seconds), dir_fd=self._handle)

    def remove_tree(self, name: str) -> None:
        """Remove a folder with all that is in it, as far as possible; links are not followed."""
        with suppress(RecursionError):  # of what lies deeper than foidex ever writes
            shutil.rmtree(self._at(name), ignore_errors=True, dir_fd=self._handle)

    def make_private(self) -> None:
        """Let only the owner into the folder, if that is this user."""
        owner = os.stat(self._at("."), dir_fd=self._handle)
        if owner.st_uid == _find_user_id() and owner.st_mode & 0o077:
            self.set_permissions(PRIVATE)

    @contextmanager
    def hold_lock(self, name: str, seconds: float, mode: int = _SHARED_LOCK_MODE) -> Iterator[None]:
        """Hold a lock file between processes. Raises filelock.Timeout.

        Whoever may read the file could hold the lock: nobody else, unless ``mode`` lets them.
        """
        if self._handle is None:
            import filelock  # takes half of the time of a help text

            with filelock.FileLock(self.path / name, timeout=seconds, mode=mode):
                yield
            return
        # A disk without modes, such as a stick's, lets none be set that is exact.
        lock = self._take_lock(name, seconds, Permissions(mode))
        try:
            # If the folder was swapped, a lock there protects nothing that is written here.
            if not os.path.samestat(os.lstat(self.path / name), os.fstat(lock)):
                raise UnsafePathError(self.path, "was replaced by another folder")
            yield
        finally:
            _unlock_file(lock)

    def _take_lock(self, name: str, seconds: float, permissions: Permissions) -> int:
        """Lock as filelock does, so that both keep each other out, but a file of the open folder.

        filelock looks the folder up by its path again, where it may have been swapped for a link.
        """
        deadline = time.monotonic() + seconds
        for attempt in itertools.count():
            is_busy = False
            with suppress(FileNotFoundError):  # removed by who had the lock
                lock = self._open_lock_file(name, permissions)
                is_busy = not _lock_file(lock)
                if not is_busy and self._has_name(name, lock):
                    return lock
                os.close(lock)
            if attempt > _MAX_LOST_LOCKS and not is_busy:
                raise UnsafePathError(self.path, "was replaced by another folder")
            if is_busy and time.monotonic() >= deadline:
                break
            time.sleep(_LOCK_PAUSE_SECONDS if is_busy else 0)
        import filelock

        raise filelock.Timeout(str(self.path / name))

    def _open_lock_file(self, name: str, permissions: Permissions) -> int:
        try:
            return self.open_file(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, permissions)
        except FileExistsError:
            return self.open_file(name, os.O_RDWR)

    def _has_name(self, name: str, handle: int) -> bool:
        """Whether an open file still has its name: a lock without one keeps nobody out."""
        try:
            return os.path.samestat(self._stat(name), os.fstat(handle))
        except FileNotFoundError:
            return False

    def require_own(self) -> None:
        """Raise UnsafePathError if another user than this one or root could change the folder."""
        with self._explain("."):
            status = os.stat(self._at("."), dir_fd=self._handle)
        if not _is_own(status):
            raise UnsafePathError(self.path, "belongs to another user")
        if hasattr(os, "geteuid") and _is_open_to_others(status):
            raise UnsafePathError(self.path, "is a folder that other users can write to")

    def require_own_file(self, name: str) -> None:
        """Raise UnsafePathError if a name is there and is no ordinary file, or link, of this user's
        or root's."""
        if self.find_mode(name) is None:
            return
        status = self._stat(name)
        if not _is_own(status):
            raise UnsafePathError(self.path / name, "belongs to another user")
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISLNK(status.st_mode):
            raise UnsafePathError(self.path / name, "is not an ordinary file")

    def find_owner(self) -> int:
        """The user id of the owner of the folder itself."""
        return self._stat(".").st_uid

    def refuse_foreign(self, name: str, owner: int | None = None) -> None:
        """Raise UnsafePathError for a name of another user where nobody may touch what others have:
        in a folder with a sticky bit, as /tmp has it, or one that a group shares.

        ``owner`` is that of what was opened by the name, if it was. What is this user's, root's or
        the folder's owner's is not refused.
        """
        folder = self._stat(".")
        if not folder.st_mode & stat.S_ISVTX or not hasattr(os, "geteuid"):
            return
        owner = self._stat(name).st_uid if owner is None else owner
        if owner not in (0, _find_user_id(), folder.st_uid) and not _is_unmapped(owner):
            raise UnsafePathError(self.path / name, _FOREIGN)

    def is_own_file(self, name: str) -> bool:
        """Whether a name is an ordinary file, or a link, of this user's, root's or the folder's
        owner's."""
        status = self._stat(name)
        is_file = stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)
        return is_file and (_is_own(status) or status.st_uid == self.find_owner())

    def make_private_file(self, name: str) -> None:
        """Make a file that only its owner can read, or take others' right to one that is there.

        One that is there is not opened: when a process closes a file, it loses the locks (of POSIX)
        that it has on it, whoever of its threads took them.
        """
        try:
            os.close(self.open_file(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))
        except FileExistsError:
            status = self._stat(name)
            self._require_writable(name, status, PRIVATE)
            if stat.S_IMODE(status.st_mode) != PRIVATE_MODE and hasattr(os, "fchmod"):
                os.chmod(self._at(name), PRIVATE_MODE, dir_fd=self._handle)

    def refuse_owner(self, name: str, user_id: int) -> None:
        """Raise UnsafePathError if everybody may write to the folder, and it is not this user's
        whose file has a name in it."""
        status = os.stat(self._at("."), dir_fd=self._handle)
        if status.st_mode & stat.S_IWOTH and status.st_uid != user_id:
            raise UnsafePathError(self.path / name, _PLANTED)

    def sync(self) -> None:
        """Sync the folder to the disk, so that the names of new files in it last."""
        if self._handle is None:
            return  # the system does this by itself, or cannot
        with self._explain("."):
            handle = os.open(".", os.O_RDONLY, dir_fd=self._handle)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _at(self, name: str) -> str:
        """A name as the system's functions need it, beside ``dir_fd``."""
        return name if self._handle is not None else str(self.path / name)

    def _stat(self, name: str) -> os.stat_result:
        with self._explain(name):
            return os.stat(self._at(name), dir_fd=self._handle, follow_symlinks=False)

    def _is_link(self, name: str) -> bool:
        """Whether a name is a link; on Windows also a junction."""
        status = self._stat(name)
        attributes = getattr(status, "st_file_attributes", 0)
        return stat.S_ISLNK(status.st_mode) or bool(attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT)

    def _refuse_link(self, name: str) -> None:
        with suppress(FileNotFoundError):
            if self._is_link(name):
                raise UnsafePathError(self.path / name, "is a link")

    @contextmanager
    def _explain(self, name: str) -> Iterator[None]:
        """Give the system's errors the whole path."""
        try:
            yield
        except OSError as error:
            if error.filename is None or not Path(str(error.filename)).is_absolute():
                error.filename = str(self.path / name)
            raise


class _Walk:
    """The way along a path, one name after the other, with an open handle of each folder.

    A link of this user or of root is followed; another is refused, or its owner is noted in
    ``link_owners``, if that is given. If something is to be written there (``writes``), a folder
    that anybody could have made is refused.
    """

    def __init__(
        self, path: Path, link_owners: set[int] | None = None, *, writes: bool = False
    ) -> None:
        self._names: list[str] = []  # still to come, the last one first
        self._link_owners = link_owners
        self._writes = writes
        self._steps = 0
        self._handle = self._open_start(path)

    def _open_start(self, path: Path) -> int:
        self._location = Path(path.anchor)
        self._names += reversed(path.parts[1:] if path.anchor else path.parts)
        return os.open(path.anchor or ".", _SEARCH)

    def close(self) -> None:
        """Close the handle, unless it was taken."""
        if self._handle >= 0:
            os.close(self._handle)

    def take_folder(self, path: Path | None = None) -> Folder:
        """The folder that was reached, under the path that the user gave, if it is known."""
        handle, self._handle = self._handle, -1
        return Folder(path or self._location, handle)

    def enter_folders(self, create: Permissions | None, *, leave: int = 0) -> None:
        """Go on until ``leave`` names are left; missing folders are made with ``create``."""
        while len(self._names) > leave:
            self._enter(self._names.pop(), create)

    def find_last_name(self) -> str:
        """The name in the folder that was reached, after all links that lead to others."""
        while True:
            self.enter_folders(None, leave=1)
            name = self._names.pop() if self._names else "."
            if not self._follow_link(name):
                return name

    def _enter(self, name: str, create: Permissions | None) -> None:
        try:
            handle = self._open_or_make(name, create)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR) and self._follow_link(name):
                return
            error.filename = str(self._location / name)
            raise
        try:
            if self._writes:
                _refuse_planted_folder(self._location / name, handle, self._handle)
        except BaseException:
            os.close(handle)
            raise
        self._replace_handle(handle, self._location / name)

    def _open_or_make(self, name: str, create: Permissions | None) -> int:
        try:
            return os.open(name, _SEARCH, dir_fd=self._handle)
        except FileNotFoundError:
            if create is None:
                raise
        is_new = True
        try:
            os.mkdir(name, create.folder_mode, dir_fd=self._handle)
        except FileExistsError:  # made by another process meanwhile
            is_new = False
        handle = os.open(name, _SEARCH, dir_fd=self._handle)
        if is_new:
            Folder(self._location / name, handle).set_permissions(create)
        return handle

    def _follow_link(self, name: str) -> bool:
        """Go on where a link leads; False if the name is none. Raises UnsafePathError."""
        try:
            link = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return False
        if not stat.S_ISLNK(link.st_mode):
            return False
        path = self._location / name
        if not _is_own(link):
            if self._link_owners is None:
                raise UnsafePathError(path, _FOREIGN_LINK)
            self._link_owners.add(link.st_uid)
        self._steps += 1
        if self._steps > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        target = Path(os.readlink(name, dir_fd=self._handle))
        after = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        if not os.path.samestat(link, after) or link.st_ctime_ns != after.st_ctime_ns:
            raise UnsafePathError(path, "is a link that was changed meanwhile")
        if target.anchor:
            self._replace_handle(self._open_start(target), Path(target.anchor))
        else:
            self._names += reversed(target.parts)
        return True

    def _replace_handle(self, handle: int, location: Path) -> None:
        os.close(self._handle)
        self._handle, self._location = handle, location


def open_folder(
    path: Path,
    create: Permissions | None = None,
    parents: Permissions | None = None,
    *,
    writes: bool = False,
) -> Folder:
    """Open a folder by its path; with ``create``, make it and, with ``parents``, what it is in.

    Without ``parents``, what a private folder is in is private, too, whatever the umask.

    With ``create`` or ``writes``, something is to be written there, so a folder that anybody could
    have made on the way is refused. Raises OSError.
    """
    if not _HAS_HANDLES:
        if create is not None:
            path.mkdir(create.folder_mode, parents=True, exist_ok=True)
        if not path.is_dir():
            code = errno.ENOTDIR if path.exists() else errno.ENOENT
            raise OSError(code, os.strerror(code), str(path))
        return Folder(path, None)
    walk = _Walk(path, writes=writes or create is not None)
    try:
        walk.enter_folders((parents or _choose_parents(create)) if create else None, leave=1)
        walk.enter_folders(create)
        return walk.take_folder(path)
    finally:
        walk.close()


def make_private_folder(path: Path, *, is_entered: bool) -> None:
    """Make a folder for this user alone, or if ``is_entered`` one in which other accounts reach
    what they have there, whatever the umask; one that is there stays as it is. Raises OSError."""
    permissions = Permissions(_ENTERED_BY_ALL.mode, exact=True) if is_entered else PRIVATE
    open_folder(path, create=permissions, parents=permissions).__exit__()


def _choose_parents(create: Permissions) -> Permissions:
    """The permissions of the folders on the way to one that is made."""
    if create != PRIVATE:
        return PUBLIC
    return _ENTERED_BY_ALL if _find_user_id() == 0 else PRIVATE


@contextmanager
def open_folder_of(path: Path) -> Iterator[tuple[Folder, str]]:
    """The folder that a file is in, and its name there, after all links that lead to others. The
    file is not opened, and may be missing. Raises OSError, also for a folder that is not to be
    written to.
    """
    if not _HAS_HANDLES:
        real_path = path.resolve()
        with open_folder(real_path.parent) as folder:
            yield folder, real_path.name
        return
    walk = _Walk(path, writes=True)
    try:
        name = walk.find_last_name()
        folder = walk.take_folder()
    finally:
        walk.close()
    with folder:
        yield folder, name


def open_file(path: str | os.PathLike[str], flags: int, permissions: Permissions = PUBLIC) -> int:
    """Open an ordinary file, or a device to write to; an ``opener`` for ``open``.

    The file itself may be a link, too, if it belongs to this user or to root. Raises OSError.
    """
    if not _HAS_HANDLES:
        real_path = Path(path).resolve()
        with open_folder(real_path.parent) as folder:
            return folder.open_file(real_path.name, flags, permissions)
    walk = _Walk(Path(path), writes=bool(flags & (os.O_WRONLY | os.O_RDWR)))
    try:
        name = walk.find_last_name()
        with walk.take_folder() as folder:
            return folder.open_file(name, flags, permissions)
    finally:
        walk.close()


def open_input(path: Path) -> BufferedReader:
    """Open a file, or a named pipe, for reading.

    A link of another user is followed if it leads to a file of that user. Raises OSError.
    """
    if not _HAS_HANDLES:
        return path.open("rb")
    return os.fdopen(_open_for_reading(path, Folder.open_input), "rb")


def open_ordinary_input(path: Path) -> BufferedReader:
    """Open an ordinary file for reading: no named pipe, device or socket. Raises OSError.

    A link of another user is followed if it leads to a file of that user.
    """
    if not _HAS_HANDLES:
        return path.open("rb")
    return os.fdopen(_open_for_reading(path, Folder.open_ordinary_input), "rb")


def open_named_input(path: Path) -> BufferedReader:
    """Open a file that a person named, or what a shell or the system names in /dev.

    A pipe anywhere else is refused and not waited for: anyone who may write in the folder could
    have put it there. Raises OSError.
    """
    return path.open("rb") if path.is_relative_to("/dev") else open_ordinary_input(path)


def is_there(path: Path) -> bool:
    """Whether a path leads to something. A name that no file can have leads to nothing: the methods
    of a path raise OSError for one that is too long."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Whether a path leads to an ordinary file; as ``is_there``."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; as ``is_there``."""
    return os.path.isdir(path)  # noqa: PTH112


def read_file(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The content of an ordinary file, opened as by ``open_input``.

    Raises OSError, also for one of more than ``max_bytes``.
    """
    with open_ordinary_input(path) as file:
        try:
            return read_whole(file, max_bytes)
        except OSError as error:
            error.filename = str(path)
            raise


def read_whole(file: BinaryIO, max_bytes: int) -> bytes:
    """What an open file holds, also if it grows meanwhile. Raises OSError if that is too much."""
    pieces: list[bytes] = []
    free_bytes = max_bytes
    if os.fstat(file.fileno()).st_size <= max_bytes:
        while piece := file.read(_PIECE_BYTES):
            pieces.append(piece)
            free_bytes -= len(piece)
            if free_bytes < 0:
                break
        else:
            return b"".join(pieces)
    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def _open_for_reading(path: Path, open_last: Callable[[Folder, str], int]) -> int:
    owners: set[int] = set()
    walk = _Walk(path, owners)
    try:
        name = walk.find_last_name()
        with walk.take_folder() as folder:
            handle = open_last(folder, name)
    finally:
        walk.close()
    if owners - {os.fstat(handle).st_uid}:
        os.close(handle)
        raise UnsafePathError(path, "leads through a link of another user to a file of a third")
    return handle


def refuse_planted(path: Path, handle: int) -> None:
    """Raise UnsafePathError for an open file that anybody could have put at a path: everybody may
    write to the folder, and the file is neither this user's nor root's nor of the folder's owner.
    """
    status = os.fstat(handle)
    if not hasattr(os, "geteuid") or _is_own(status):
        return
    with open_folder(path.parent) as folder:
        folder.refuse_owner(path.name, status.st_uid)


def _refuse_planted_folder(path: Path, handle: int, parent_handle: int | None) -> None:
    """Raise UnsafePathError for an open folder of another user in one that everybody may write to:
    its owner, or a group or a list of rights that new files get there, reads what is written.
    """
    if parent_handle is None:
        return
    folder, parent = os.fstat(handle), os.fstat(parent_handle)
    if _is_own(folder) or folder.st_uid == parent.st_uid or _is_unmapped(folder.st_uid):
        return
    if parent.st_mode & stat.S_IWOTH:
        raise UnsafePathError(path, _PLANTED)


def refuse_foreign_links(path: Path) -> None:
    """Raise UnsafePathError if a folder has a link of another user at any depth."""
    try:
        for parent, folders, names in os.walk(path):
            for name in (*folders, *names):
                status = os.lstat(os.path.join(parent, name))  # noqa: PTH118
                if stat.S_ISLNK(status.st_mode) and not _is_own(status):
                    raise UnsafePathError(Path(parent, name), _FOREIGN_LINK)
    except RecursionError:
        raise UnsafePathError(path, _TOO_DEEP) from None


def require_own_parents(path: Path) -> None:
    """Raise UnsafePathError if another user than this one or root could put another folder in the
    place of this one, or of one above it.

    That is whoever owns a folder above it, and everybody if others may write to one that has no
    sticky bit, as /tmp has. The path may be missing, and is looked at as it is written and where
    its links lead.
    """
    if not hasattr(os, "geteuid"):
        return
    path = Path(os.path.abspath(path))  # noqa: PTH100 - a link is not followed yet
    for parent in dict.fromkeys((*path.parents, *path.resolve().parents)):
        try:
            status = parent.stat()
        except FileNotFoundError:
            continue
        if not _is_own(status) and not _is_unmapped(status.st_uid):
            raise UnsafePathError(parent, "belongs to another user")
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            raise UnsafePathError(
                parent, "is a folder that other users can write to, without a sticky bit"
            )


def _is_unmapped(user_id: int) -> bool:
    """Whether a user id stands for those outside a container that has users of its own."""
    try:
        overflow_id = int(_OVERFLOW_ID.read_text())
        mapped = sum(int(line.split()[2]) for line in _USER_MAP.read_text().splitlines())
    except (OSError, ValueError, IndexError):
        return False
    return user_id == overflow_id and mapped < _ALL_USER_IDS


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all, and sync it to the disk; an existing one is replaced.

    Only its owner can read a private one, even while it is written. Raises OSError.
    """
    with open_folder(path.parent, writes=True) as folder:
        folder.write_file(path.name, content, PRIVATE if private else PUBLIC)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as ``write_file`` does. An existing one keeps its mode and, where the system
    allows it, its owner; a link of this user or of root leads to it. Raises OSError.
    """
    if not _HAS_HANDLES:
        write_file(path.resolve(), content)
        return
    walk = _Walk(path, writes=True)
    try:
        name = walk.find_last_name()
        with walk.take_folder() as folder:
            folder.replace_file(name, content)
    finally:
        walk.close()


def open_private_file(path: str | os.PathLike[str], flags: int) -> int:
    """An ``opener`` for ``open`` that lets only the owner read the file, even an existing one.

    Raises OSError.
    """
    return open_file(path, flags, PRIVATE)


def find_part_target(name: str) -> str:
    """The name of the file that a file is begun to be written as; empty if it is no such part."""
    part = _PART_NAME.fullmatch(name)
    return part[1] if part else ""


def sync_folder(path: Path) -> None:
    """Sync a folder to the disk, so that the names of new files in it last. Raises OSError."""
    with open_folder(path) as folder:
        folder.sync()


def format_size(size: float) -> str:
    """A number of bytes in megabytes (10^6), or in gigabytes from one on, rounded down."""
    if size < 1_000_000_000:
        return f"{int(size) // 1_000_000:,} MB"
    return f"{int(size) // 100_000_000 / 10:,.1f} GB"


def _fill_file(file: BinaryIO, content: bytes, owner: tuple[int, int] | None) -> None:
    """Write the content of a new file, and sync it; ``owner`` as for ``Folder.write_file``."""
    if owner is not None and hasattr(os, "fchown"):
        with suppress(OSError):  # only root may give a file away
            os.fchown(file.fileno(), *owner)
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def _lock_quietly(handle: int) -> bool:
    """Lock an open file until it is closed; False if another has the lock, or there are no locks
    on this disk."""
    import fcntl  # not on Windows

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lock_file(handle: int) -> bool:
    """Lock an open file; False if another has the lock."""
    import fcntl  # not on Windows

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except BaseException:
        os.close(handle)
        raise
    return True


def _unlock_file(handle: int) -> None:
    """Unlock a file, also for processes that were forked meanwhile, and close it."""
    import fcntl

    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


def _is_own(status: os.stat_result) -> bool:
    return status.st_uid in (0, _find_user_id())


def _is_open_to_others(status: os.stat_result) -> bool:
    """Whether more than the owner and this user may write; a group that has the number of one of
    them is that user's alone."""
    groups = (status.st_uid, _find_user_id())
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid not in groups
    return bool(by_group or status.st_mode & stat.S_IWOTH)


def _find_user_id() -> int:
    """The user that files of this process belong to; root's where there are no such ids."""
    return os.geteuid() if hasattr(os, "geteuid") else 0
