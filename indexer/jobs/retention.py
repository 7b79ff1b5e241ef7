"""Retention: rejects files are deleted when they are older than the configured age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from indexer.files import open_folder


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
