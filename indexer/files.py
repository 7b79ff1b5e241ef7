"""Write files so that they are never half written, and private ones so that only their owner
can read them.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

PRIVATE_MODE: Final = 0o600

_PUBLIC_MODE: Final = 0o666  # less what the umask takes away


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all, and sync it to the disk; an existing one is replaced.

    Only its owner can read a private one, even while it is written. Raises OSError.
    """
    part_path = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        write_new_file(part_path, content, private=private)
        part_path.replace(path)
    except BaseException:
        part_path.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_new_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file that must not exist yet, and sync it to the disk. Raises OSError.

    A failure may leave part of it: for files in a folder that is removed or renamed as a whole.
    """
    mode = PRIVATE_MODE if private else _PUBLIC_MODE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def open_private_file(path: str | os.PathLike[str], flags: int) -> int:
    """An ``opener`` for ``open`` that lets only the owner read the file, even an existing one.

    Raises OSError.
    """
    handle = os.open(path, flags, PRIVATE_MODE)
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):  # not a device such as /dev/null
            os.fchmod(handle, PRIVATE_MODE)
    except BaseException:
        os.close(handle)
        raise
    return handle


def sync_folder(folder: Path) -> None:
    """Sync a folder to the disk, so that the names of new files in it last. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def format_size(size: float) -> str:
    """A number of bytes in megabytes (10^6), rounded down, or in gigabytes from one on."""
    if size < 1_000_000_000:
        return f"{int(size) // 1_000_000:,} MB"
    return f"{size / 1_000_000_000:,.1f} GB"
