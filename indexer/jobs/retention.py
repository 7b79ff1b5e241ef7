"""Retention: what is deleted by its age, and when the clock is not trusted for that."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from msgspec import Struct

from indexer.errors import OutputError
from indexer.files import Folder, open_folder
from indexer.index.generations import Generation
from indexer.loading.rejects import is_written_here
from indexer.terminal import escape_line

#: A longer pause between two refreshes may be a clock that jumped.
_MAX_PAUSE: Final = timedelta(days=35)

_MAX_NAMED: Final = 5

#: Files of rejects, and what was begun to be written as one.
_REJECTS_NAME: Final = re.compile(r".+\.(?:jsonl|csv|reasons\.txt|part)", re.DOTALL)


def find_clock_doubt(generations: Iterable[Generation], days: int | None) -> str:
    """Why nothing should be deleted because it is older than ``days``; empty if it can be.

    A clock far ahead makes everything too old at once. It leaves a pause between two generations,
    or between the last one and now, longer than anything is kept.
    """
    if days is None:
        return ""
    now = datetime.now(UTC)
    times = {generation.built_at for generation in generations}
    limit = max(_MAX_PAUSE, timedelta(days=days))
    for before, after in pairwise(sorted({time for time in times if time < now} | {now})):
        if after - before > limit:
            return (
                f"by the clock, nothing was refreshed from {before:%Y-%m-%d} to {after:%Y-%m-%d}, "
                "so it may have jumped, and nothing was deleted for its age "
                f"(max_age_days = {days})"
            )
    return ""


class ExpiredRejects(Struct, frozen=True):
    """What expiry did in a folder of rejects: the names of the files that were deleted, and of the
    old ones that are left, since foidex did not write them."""

    folder: Path
    deleted: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """What to say of files that are left; empty if none are."""
        if not self.foreign:
            return ""
        names = ", ".join(map(escape_line, self.foreign[:_MAX_NAMED]))
        rest = (
            f" and {len(self.foreign) - _MAX_NAMED:,} more"
            if len(self.foreign) > _MAX_NAMED
            else ""
        )
        return (
            f"{self.folder}: not deleted for their age, as foidex did not write them: {names}"
            f"{rest}. If they hold records, delete them yourself; otherwise move them to another "
            "folder."
        )


def expire_rejects(folder: Path, days: int, *, dry_run: bool = False) -> ExpiredRejects:
    """Delete foidex's own files of rejects that are older than ``days``, and name the other old
    files of such a kind. A dry run deletes nothing. Raises OutputError."""
    limit = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    try:
        opened = open_folder(folder)
    except FileNotFoundError:
        return ExpiredRejects(folder)
    except OSError as error:
        raise _make_expiry_error(folder, error) from None
    try:
        with opened:
            return _expire_files(opened, limit, dry_run=dry_run)
    except OSError as error:
        raise _make_expiry_error(folder, error) from None


def _expire_files(folder: Folder, limit: float, *, dry_run: bool) -> ExpiredRejects:
    expired: list[str] = []
    foreign: list[str] = []
    for name in filter(_REJECTS_NAME.fullmatch, folder.list_names()):
        try:
            if folder.find_change_time(name) >= limit:
                continue
            (expired if is_written_here(folder, name) else foreign).append(name)
        except FileNotFoundError:  # another run deleted it meanwhile
            continue
    if not dry_run:
        for name in expired:
            folder.remove_file(name)
    return ExpiredRejects(folder.path, tuple(expired), tuple(foreign))


def _make_expiry_error(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{error.filename or folder}: rejects that are too old cannot be deleted "
        f"({error.strerror}). Let this user write in {folder}, and run: foidex prune"
    )
