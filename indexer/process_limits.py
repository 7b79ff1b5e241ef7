"""Limits what this process may take, for programs that read or make what others wrote."""

from __future__ import annotations

import contextlib


def limit_process(megabytes: int, seconds: int) -> None:
    """Limit this process's memory and processor time, where the system can; it dumps no memory."""
    try:
        import resource
    except ImportError:  # Windows
        return
    size = megabytes * 1024 * 1024
    for kind, limit in (
        (resource.RLIMIT_AS, size),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a limit that is lower already
            resource.setrlimit(kind, (limit, limit))
