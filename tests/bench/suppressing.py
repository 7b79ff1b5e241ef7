"""What it costs to choose what to withhold: two-way tables whose rows and columns are sums.

python -m tests.bench.suppressing [--beside FOLDER]   (FOLDER: another checkout, run in turn)
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np

from tests.support.tables import two_way

ROOT = Path(__file__).parents[2]

#: Rows, columns, and the mean of a cell: few small numbers, many, and many zeros.
TABLES = ((23, 5, 8.0), (50, 20, 8.0), (100, 50, 1.0), (100, 50, 8.0), (100, 50, 150.0))

#: Prints the seconds of CPU and how many numbers are withheld, of an answer on standard input.
MEASURE = """
import sys, time, msgspec
from queries.answer.types import Answer
from queries.disclosure.policy import Policy
from queries.disclosure.release import protect_answer
answer = msgspec.json.decode(sys.stdin.buffer.read(), type=Answer)
start = time.process_time()
published = protect_answer(answer, Policy(threshold=5)).answer
print(f"{time.process_time() - start:.2f} {published.disclosure.withheld}")
"""


def build_answer(rows: int, columns: int, mean: float) -> bytes:
    """An answer of one two-way table; its rows and columns are uneven, as in real ones."""
    chance = np.random.default_rng(0)
    shares = np.outer(chance.gamma(1.0, 1.0, rows), chance.gamma(1.0, 1.0, columns))
    return msgspec.json.encode(two_way(chance.poisson(mean * shares).tolist()))


def main() -> None:
    """Measure each table in a process of its own, in each checkout in turn."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--beside", type=Path)
    beside = options.parse_args().beside
    folders = [ROOT, *([beside] if beside else [])]
    print(f"{'table':<16}{'mean':>6}" + "".join(f"{folder.name:>22}" for folder in folders))
    for rows, columns, mean in TABLES:
        answer = build_answer(rows, columns, mean)
        measured = [
            subprocess.run(
                [sys.executable, "-c", MEASURE],
                input=answer,
                env=os.environ | {"PYTHONPATH": str(folder)},
                check=True,
                stdout=subprocess.PIPE,
            )
            .stdout.decode()
            .split()
            for folder in folders
        ]
        results = "".join(f"{f'{cpu} s, {withheld} [c]':>22}" for cpu, withheld in measured)
        print(f"{f'{rows} x {columns}':<16}{mean:>6}{results}", flush=True)


if __name__ == "__main__":
    main()
