"""Load and answer, measured: wall time, CPU of client and server, memory, the median of an answer.

python tests/bench/measure.py [RECORDS ...]   (else 50,000 and 200,000; prints JSON and a table)

Runs an embedded server of its own. CPU is read from the operating system, of this process and of the
server's. Each load is a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil

from indexer import elastic, embedded, refresh, sample, settings
from indexer.progress import Progress
from queries import execute, request

ROOT = Path(__file__).resolve().parents[2]
SILENT = Progress(quiet=True)
ROUNDS = 15


def server_cpu(options: settings.Settings) -> float:
    state = json.loads((options.home / "server.json").read_bytes())
    times = psutil.Process(state["pid"]).cpu_times()
    return float(times.user + times.system)


def load_once(path: Path) -> None:
    """Load one file and print what it took; runs in a process of its own."""
    options = settings.load()
    address = embedded.up(options, SILENT)
    with elastic.connect(address) as client:
        before, wall, cpu = server_cpu(options), time.perf_counter(), time.process_time()
        loaded = refresh.load(client, options.index, [path], options.home, SILENT)
        taken = {
            "records": loaded.generation.indexed,
            "wall_s": time.perf_counter() - wall,
            "client_cpu_s": time.process_time() - cpu,
            "server_cpu_s": server_cpu(options) - before,
            "client_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    print(json.dumps(taken))


def answer_median(options: settings.Settings) -> dict[str, float]:
    """The reference request over one year of the sample, asked again and again."""
    text = (ROOT / "tests/data/requests/reference.yaml").read_text(encoding="utf-8")
    asked = request.parse(text.replace("{from: 2017-04-01, to: 2018-03-31}", "2018/19"))
    with elastic.connect(embedded.up(options, SILENT)) as client:
        taken, server = [], []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            answer = execute.answer(client, options.index.alias, asked)
            taken.append((time.perf_counter() - start) * 1e3)
            server.append(answer.provenance.took_ms)
    return {
        "answer_first_ms": taken[0],
        "answer_median_ms": statistics.median(taken),
        "server_median_ms": statistics.median(server),
        "records_in_scope": answer.scope.records or 0,
    }


def measure(numbers: list[int]) -> list[dict[str, Any]]:
    home = Path(tempfile.mkdtemp(prefix="foidex-bench-"))
    home.chmod(0o755)
    os.environ["FOIDEX_HOME"] = str(home)
    options = settings.load()
    found = []
    try:
        embedded.up(options, SILENT)
        for number in numbers:
            path = home / f"{number}.jsonl"
            with path.open("wb") as file:
                for record in sample.generate(number):
                    file.write(msgspec.json.encode(record) + b"\n")
            command = [sys.executable, __file__, "--load", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append(json.loads(done.stdout) | answer_median(options))
            path.unlink()
    finally:
        embedded.down(options, SILENT)
        shutil.rmtree(home, ignore_errors=True)
    return found


def main() -> None:
    if sys.argv[1:2] == ["--load"]:
        load_once(Path(sys.argv[2]))
        return
    numbers = [int(word) for word in sys.argv[1:]] or [50_000, 200_000]
    found = measure(numbers)
    print(json.dumps(found, indent=2))
    for name in found[0]:
        print(f"{name:<18}" + "".join(f"{one[name]:>12,.1f}" for one in found))


if __name__ == "__main__":
    main()
