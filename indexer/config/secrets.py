"""Read secrets from files of one line, as service managers and containers provide them."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Final

from indexer.config.model import Settings
from indexer.errors import ConfigurationError
from indexer.files import open_named_input
from indexer.progress import Progress

_MAX_SECRET_LENGTH: Final = 10_000


def read_secret(path: Path, setting: str, progress: Progress) -> str:
    """The only line of a file. Warns if other users may read it. Raises ConfigurationError.

    ``setting`` is the name of the setting that names the file.
    """
    try:
        with io.TextIOWrapper(open_named_input(path), encoding="utf-8-sig") as file:
            lines = file.read(_MAX_SECRET_LENGTH).splitlines()
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise ConfigurationError(
            f"{path} ({setting}): cannot be read ({error.strerror}). Check the path and "
            "its permissions."
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{path} ({setting}): is not UTF-8 text. Write the secret into it as one line."
        ) from None
    if len(lines) != 1 or not lines[0].strip():
        raise ConfigurationError(
            f"{path} ({setting}): has {len(lines)} lines, or only an empty one. Write the secret "
            "into it as one line."
        )
    if is_readable_by_others(mode):
        progress.warn(
            f"{path} ({setting}): other users can read this secret. Run: chmod 600 {path}"
        )
    return lines[0].strip()


def is_readable_by_others(mode: int) -> bool:
    """Whether a file's mode lets its group or other users read it.

    Where files have no owners (Windows), a mode says nothing, and nobody is warned.
    """
    return hasattr(os, "geteuid") and bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def find_exposed_secrets(settings: Settings) -> str:
    """A sentence if foidex.toml holds a secret and everybody can read it; else nothing.

    Its group may: a service reads a file of root's so.
    """
    file = settings.file
    if file is None or not settings.secret_keys or not hasattr(os, "geteuid"):
        return ""
    if not file.stat().st_mode & stat.S_IROTH:
        return ""
    return f"{file} ({', '.join(settings.secret_keys)}): every user can read this secret."
