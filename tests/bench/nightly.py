"""A full refresh against an incremental one of 1% changed, in turn, in one run; prints a table.

python tests/bench/nightly.py [RECORDS]   (else 200,000)

Runs an embedded server of its own.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import msgspec

from indexer import elastic, embedded, refresh, sample, settings
from indexer.progress import Progress
from indexer.refresh import Mode, Plan
from queries import termbook
from queries.nightly import mention

SILENT = Progress(quiet=True)
ROUNDS = 3
CHANGED = 100  # one record in so many


def write(path: Path, total: int, *, night: int = 0) -> None:
    """Every record, or of a night the changed ones, with a newer moment and a line more."""
    with path.open("wb") as file:
        for number, record in enumerate(sample.generate(total)):
            if night and number % CHANGED != night:
                continue
            if night:
                record["updated_at"] = f"2024-01-{night:02d}T03:00:00Z"
                record["narrative"].append("The log was reviewed again.")
            file.write(msgspec.json.encode(record) + b"\n")


def main() -> None:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    home = Path(tempfile.mkdtemp(prefix="foidex-bench-"))
    home.chmod(0o755)
    os.environ["FOIDEX_HOME"] = str(home)
    options = settings.load()
    taken: dict[Mode, list[float]] = {"full": [], "incremental": []}
    whole, changes = home / "whole.jsonl", home / "changes.jsonl"
    try:
        write(whole, total)
        with elastic.connect(embedded.up(options, SILENT)) as client:
            for night in range(1, ROUNDS + 1):
                write(changes, total, night=night)
                for mode, path in (("full", whole), ("incremental", changes)):
                    start = time.perf_counter()
                    refresh.refresh(
                        client,
                        options.index,
                        Plan((path,), home),
                        mode,  # type: ignore[arg-type]
                        options.refresh,
                        SILENT,
                        mention=partial(mention, book=termbook.load()),
                    )
                    taken[mode].append(time.perf_counter() - start)  # type: ignore[index]
    finally:
        embedded.down(options, SILENT)
        shutil.rmtree(home, ignore_errors=True)
    print(f"{total:,} records, {100 // CHANGED}% changed, {ROUNDS} rounds in turn, seconds")
    for mode, rounds in taken.items():
        every = "  ".join(f"{one:.2f}" for one in rounds)
        print(f"{mode:<12} median {statistics.median(rounds):6.2f}   {every}")
    ratios = [b / a for a, b in zip(*taken.values(), strict=True)]
    print(f"incremental / full, median {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
