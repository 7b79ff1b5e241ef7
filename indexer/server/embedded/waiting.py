"""How long a start may take: as long as the server makes progress, up to the limit in the settings.

Progress is a line in a log, or processor time. A busy machine makes a start slow, not wrong.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import Final

import psutil

from indexer.files import format_size
from indexer.server.embedded.home import ServerHome

#: How long a start may go on without progress.
STALL_SECONDS: Final = 120

# A server that waits for nothing still uses a little.
_PROGRESS_CPU_SECONDS: Final = 0.5

_PROGRESS_CPU_SHARE: Final = 0.02

# Summing the processor time of a process and its children reads all processes of the machine.
_SECONDS_BETWEEN_LOOKS: Final = 1.0

_FULL_DISK_BYTES: Final = 10_000_000


class StartTimer:
    """Measures one start of a home's server."""

    def __init__(self, home: ServerHome) -> None:
        self.home = home
        self._started = self._progressed = self._looked = time.monotonic()
        self._cpu_seconds = 0.0
        self._log_bytes = 0

    def explain_giving_up(self, process_id: int) -> str:
        """Why the start of a process is not waited for any longer; nothing while it is.

        May be asked as often as one likes: it looks once a second.
        """
        now = time.monotonic()
        if now - self._looked < _SECONDS_BETWEEN_LOOKS:
            return ""
        self._looked = now
        self._note_progress(process_id, now)
        limit = self.home.options.start_seconds
        if now - self._started > limit:
            return f"was not ready after {limit} seconds"
        if now - self._progressed > STALL_SECONDS:
            return (
                f"made no progress for {STALL_SECONDS} seconds (no line in its log, no processor "
                "time)"
            )
        return ""

    def _note_progress(self, process_id: int, now: float) -> None:
        cpu_seconds = _sum_cpu_seconds(process_id)
        log_bytes = _sum_log_bytes(self.home)
        used = cpu_seconds - self._cpu_seconds
        enough = max(_PROGRESS_CPU_SECONDS, _PROGRESS_CPU_SHARE * (now - self._progressed))
        # It is less where one process of several has ended: that is progress too.
        if log_bytes != self._log_bytes or used < 0 or used > enough:
            self._cpu_seconds = cpu_seconds
            self._log_bytes = log_bytes
            self._progressed = now


def build_slow_advice(home: ServerHome) -> str:
    """What to do about a start that takes too long, with what this machine has to spare."""
    return (
        f"{_describe_machine(home)} Free memory or wait until the machine is less busy, then try "
        f"again; FOIDEX_START_SECONDS (embedded.start_seconds, now {home.options.start_seconds}) "
        "lets it take longer."
    )


def build_death_advice(home: ServerHome) -> str:
    """What to do about a server that died while it started."""
    # A full disk may have cut the log short too.
    if shutil.disk_usage(home.folder).free < _FULL_DISK_BYTES:
        return "Its disk is full: free some room, or choose another folder with FOIDEX_HOME."
    free = psutil.virtual_memory().available
    if _count_heap_bytes(home) > free:
        return (
            f"{_describe_machine(home)} Free some, or give it a smaller heap with FOIDEX_HEAP "
            "(embedded.heap)."
        )
    return (
        f"Correct what its log names. If that names nothing, the system may have ended it for want "
        f"of memory: {_describe_machine(home)}"
    )


def _describe_machine(home: ServerHome) -> str:
    load = os.getloadavg()[0]
    free = format_size(psutil.virtual_memory().available)
    return (
        f"{free} of memory are free, for a heap of {home.options.heap}; {load:.0f} processes want "
        f"this machine's {os.cpu_count()} processors."
    )


def _count_heap_bytes(home: ServerHome) -> int:
    heap = home.options.heap
    return int(heap[:-1]) * {"m": 2**20, "g": 2**30}[heap[-1].lower()]


def _sum_cpu_seconds(process_id: int) -> float:
    """The processor time of a process and those it started."""
    total = 0.0
    try:
        first = psutil.Process(process_id)
        processes = [first, *first.children(recursive=True)]
    except psutil.Error:
        return total
    for process in processes:
        try:
            used = process.cpu_times()
        except psutil.Error:  # it ended meanwhile
            continue
        total += used.user + used.system
    return total


def _sum_log_bytes(home: ServerHome) -> int:
    total = 0
    for log in (home.start_log, home.server_log):
        try:
            total += log.stat().st_size
        except OSError:  # not there yet
            continue
    return total
