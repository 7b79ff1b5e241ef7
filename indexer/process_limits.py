"""Limits what this process may take, for programs that read or make what others wrote."""

from __future__ import annotations

import contextlib


def limit_process(megabytes: int, seconds: int, *, grace_seconds: int = 0) -> None:
    """Limit this process's memory and processor time, where the system can; it dumps no memory.

    With ``grace_seconds``, it gets SIGXCPU when its time is up, and is ended so much later.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    size = megabytes * 1024 * 1024
    for kind, limit, last in (
        (resource.RLIMIT_AS, size, size),
        (resource.RLIMIT_CPU, seconds, seconds + grace_seconds),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a limit that is lower already
            resource.setrlimit(kind, (limit, last))
