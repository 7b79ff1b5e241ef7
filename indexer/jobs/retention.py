"""Retention: rejects files are deleted when they are older than the configured age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


def expire_rejects(folder: Path, days: int, *, dry_run: bool = False) -> list[str]:
    """Delete rejects files older than ``days``; returns their names. A dry run deletes nothing."""
    limit = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    old_paths = [
        path
        for pattern in ("*.jsonl", "*.reasons.txt")
        for path in sorted(folder.glob(pattern))
        if path.stat().st_mtime < limit
    ]
    if not dry_run:
        for path in old_paths:
            path.unlink()
    return [path.name for path in old_paths]
