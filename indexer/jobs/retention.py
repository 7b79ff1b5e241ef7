"""Retention: what is deleted by its age, and when the clock is not trusted for that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from indexer.files import open_folder
from indexer.index.generations import Generation

#: A longer pause between two refreshes may be a clock that jumped.
_MAX_PAUSE: Final = timedelta(days=35)


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


def expire_rejects(folder: Path, days: int, *, dry_run: bool = False) -> list[str]:
    """Delete rejects files older than ``days``; returns their names. A dry run deletes nothing."""
    limit = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    try:
        opened = open_folder(folder)
    except FileNotFoundError:
        return []
    with opened:
        old_names = [
            name
            for ending in (".jsonl", ".csv", ".reasons.txt", ".part")
            for name in opened.list_names()
            if name.endswith(ending) and opened.find_change_time(name) < limit
        ]
        if not dry_run:
            for name in old_names:
                opened.remove_file(name)
    return old_names
