"""TODO: say what indexer.files is for."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private_file(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, synced, and for its owner's eyes from the first moment.

    Raises OSError.
    """
    handle, scratch = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        Path(scratch).replace(file)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make a new file's name last, which is an entry of its folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
