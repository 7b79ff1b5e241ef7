"""TODO: say what indexer.jobs.retention is for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


def expire_rejects(folder: Path, days: int, *, dry_run: bool = False) -> list[str]:
    """Delete the rejects files that are older than so many days; their names."""
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
