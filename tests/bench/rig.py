"""What every benchmark uses: a server of its own, processes of their own, time read from the system.

Wall time is a clock's; CPU time and memory are the operating system's, of this process (the client),
of its children, and of the server.
"""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import psutil
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.config.field_map import EMPTY_FIELD_MAP
from indexer.config.loader import load_settings
from indexer.config.model import Settings
from indexer.loading.preparation import DocumentBuilder
from indexer.progress import Progress
from indexer.records.offences import load_offence_table
from indexer.records.sample import generate_records
from indexer.server.connection import connect_server
from indexer.server.embedded.home import SERVER_VERSION
from indexer.server.embedded.process import start_embedded_server, stop_embedded_server

SILENT = Progress(quiet=True)

ROOT = Path(__file__).resolve().parents[2]


class Taken(Struct):
    """What one run took: seconds of wall time, of the client's CPU and of the server's, and the
    client's largest memory in MB, of Python alone."""

    wall: float
    client_cpu: float
    server_cpu: float
    peak_mb: float
    more: dict[str, float] = {}


@contextmanager
def server() -> Iterator[Settings]:
    """An embedded server with a home of its own, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="foidex-bench-"))
    home.chmod(0o755)
    before = os.environ.get("FOIDEX_HOME")
    os.environ["FOIDEX_HOME"] = str(home)
    options = load_settings()
    try:
        start_embedded_server(options, SILENT)
        yield options
    finally:
        stop_embedded_server(options, SILENT)
        shutil.rmtree(home, ignore_errors=True)
        if before is None:
            del os.environ["FOIDEX_HOME"]
        else:
            os.environ["FOIDEX_HOME"] = before


@contextmanager
def connected(options: Settings) -> Iterator[Elasticsearch]:
    """A client of the server."""
    with connect_server(start_embedded_server(options, SILENT)) as client:
        yield client


def server_cpu(options: Settings) -> float:
    """Seconds of CPU the server has had."""
    state = json.loads((options.home / "server.json").read_bytes())
    times = psutil.Process(state["pid"]).cpu_times()
    return float(times.user + times.system)


def _cpu() -> float:
    """Seconds of CPU of this process and of the children it waited for."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def taken(options: Settings, work: Callable[[], dict[str, float] | None]) -> Taken:
    """What a piece of work takes."""
    server_before, cpu, wall = server_cpu(options), _cpu(), time.perf_counter()
    more = work()
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    return Taken(
        wall,
        cpu,
        server_cpu(options) - server_before,
        peak_mb(),
        more or {},
    )


def peak_mb() -> float:
    """The most memory this process has had, in MB. Not by getrusage(): that starts from what the
    process had that started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def child(module: str, *words: str) -> Taken:
    """Run a module of the benchmarks in a process of its own; it prints what it took."""
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stderr}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Taken)


def tell(found: Taken) -> None:
    """Print what was taken, for the process that asked."""
    print(msgspec.json.encode(found).decode())


def write_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """A file of JSON Lines."""
    with path.open("wb") as file:
        for record in records:
            file.write(msgspec.json.encode(record) + b"\n")


def sample_file(folder: Path, number: int) -> Path:
    """The file of so many sample records, written once."""
    path = folder / f"sample-{number}.jsonl"
    if not path.exists():
        write_records(path, generate_records(number))
    return path


def median_ms(work: Callable[[], object], times: int) -> float:
    """The median of so many runs, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken)


def reader() -> DocumentBuilder:
    """What turns the sample's records into documents."""
    return DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, datetime.now(UTC))


def median(runs: list[Taken]) -> Taken:
    """The median of each figure."""

    def of(name: str) -> float:
        return float(statistics.median(getattr(one, name) for one in runs))

    more = {name: statistics.median(one.more[name] for one in runs) for name in runs[0].more}
    return Taken(of("wall"), of("client_cpu"), of("server_cpu"), of("peak_mb"), more)


def exponent(sizes: list[int], figures: list[float]) -> float:
    """How a figure grows with size: the slope of the logarithms, 1 where it is proportional."""
    import math

    logs = [math.log(max(one, 1e-9)) for one in figures]
    return statistics.linear_regression([math.log(size) for size in sizes], logs).slope


def machine() -> dict[str, str]:
    """What it was measured on."""
    names = ("elasticsearch", "msgspec", "foidex")
    return {
        "processors": str(os.cpu_count()),
        "memory_gb": f"{psutil.virtual_memory().total / 1024**3:.0f}",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "server": SERVER_VERSION,
        **{name: version(name) for name in names},
    }
