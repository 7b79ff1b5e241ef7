"""What a command costs before and beside its work: CPU and wall time, with modules compiled as
installed, beside importing the libraries that it cannot do without."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from indexer.config.model import Settings
from tests.bench.rig import ROOT

FOIDEX = Path(sys.executable).with_name("foidex")

_TYPER: Final = "importing typer"
_CLIENT: Final = "importing typer and elasticsearch"

_COMMANDS: Final = {
    _TYPER: [sys.executable, "-c", "import typer"],
    _CLIENT: [sys.executable, "-c", "import typer, elasticsearch"],
    "foidex --help": [str(FOIDEX), "--help"],
    "foidex --version": [str(FOIDEX), "--version"],
    "foidex count Snapchat --explain": [str(FOIDEX), "count", "Snapchat", "--explain"],
}

#: What each is compared with.
FLOORS: Final = {
    "foidex --help": _TYPER,
    "foidex --version": _TYPER,
    "foidex count Snapchat --explain": _CLIENT,
    "foidex count Snapchat": _CLIENT,
    "foidex answer": "foidex count Snapchat",
    "foidex answer --out": "foidex answer",
}


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of each command that asks no server, medians; the first round is not counted."""
    return _measure(_COMMANDS, rounds)


def measure_asking(settings: Settings, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of commands that ask the server of ``settings``, whose index has records."""
    request = str(ROOT / "tests/data/requests/reference.yaml")
    documents = str(settings.home / "documents")
    return _measure(
        {
            "foidex count Snapchat": [str(FOIDEX), "count", "Snapchat"],
            "foidex answer": [str(FOIDEX), "answer", request, "--format", "json"],
            "foidex answer --out": [str(FOIDEX), "answer", request, "--out", documents],
        },
        rounds,
    )


def _measure(commands: dict[str, list[str]], rounds: int) -> dict[str, dict[str, float]]:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    # The first round compiles what an installation has compiled, and a checkout may not have.
    env = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(rounds + 1):
        for name, words in commands.items():
            before, start = _children(), time.perf_counter()
            subprocess.run(words, capture_output=True, check=True, env=env)
            if turn:
                found[name].append((_children() - before, time.perf_counter() - start))
    return {
        name: {
            "cpu_s": statistics.median(run[0] for run in runs),
            "wall_s": statistics.median(run[1] for run in runs),
        }
        for name, runs in found.items()
    }


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
