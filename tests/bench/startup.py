"""Start-up: CPU and wall time of commands that ask no server, with modules compiled as installed."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = (("--help",), ("count", "Snapchat", "--explain"), ("--version",))

FOIDEX = Path(sys.executable).with_name("foidex")


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of each command, medians; the first round is not counted."""
    found: dict[str, list[tuple[float, float]]] = {" ".join(words): [] for words in COMMANDS}
    # The first round compiles what an installation has compiled, and a checkout may not have.
    env = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(rounds + 1):
        for words in COMMANDS:
            before, start = _children(), time.perf_counter()
            subprocess.run([str(FOIDEX), *words], capture_output=True, check=True, env=env)
            if turn:
                found[" ".join(words)].append((_children() - before, time.perf_counter() - start))
    return {
        f"foidex {name}": {
            "cpu_s": statistics.median(run[0] for run in runs),
            "wall_s": statistics.median(run[1] for run in runs),
        }
        for name, runs in found.items()
    }


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
