"""Where a letter is while it is read: a private folder of the home, which is empty otherwise."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from indexer.errors import OutputError
from indexer.files import PRIVATE, open_folder

_LETTERS: Final = "letters"


@contextmanager
def hold_letter_folder(home: Path) -> Iterator[Path]:
    """A folder for one letter, gone afterwards. Raises OutputError."""
    name = f"{os.getpid()}-{secrets.token_hex(8)}"
    try:
        with open_folder(home / _LETTERS, create=PRIVATE) as letters:
            with letters.open_subfolder(name, create=PRIVATE) as folder:
                path = folder.path
            try:
                yield path
            finally:
                letters.remove_tree(name)
    except OSError as error:
        raise OutputError(
            f"{error.filename or home}: a letter cannot be read there ({error.strerror})."
        ) from None


def forget_letters(home: Path) -> None:
    """Remove the letters of processes that were killed while they read one. Raises OutputError."""
    try:
        with open_folder(home / _LETTERS) as letters:
            for name in letters.list_names():
                process = name.partition("-")[0]
                is_alive = process.isdecimal() and psutil.pid_exists(int(process[:18]))
                if not is_alive or int(process) == os.getpid():
                    letters.remove_tree(name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(
            f"{error.filename or home}: letters cannot be removed there ({error.strerror})."
        ) from None
