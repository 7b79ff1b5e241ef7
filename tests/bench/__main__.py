"""Run every benchmark and write the results: ``python -m tests.bench`` (``make bench``).

Writes results.json, results.md, loading.svg and asking.svg to ``--out`` (bench-results) and prints the tables.
``--quick`` is a small run, to see that it works; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from indexer import generations
from tests.bench import asking, growth, loading, report, rig, startup


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--records", type=int, default=200_000)
    options.add_argument("--sizes", default="50000,200000,1000000")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", default="startup,loading,asking,growth")
    options.add_argument("--out", type=Path, default=Path("bench-results"))
    options.add_argument("--quick", action="store_true")
    asked = options.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    if asked.quick:
        asked.records, sizes, asked.rounds = 4_000, [2_000, 4_000, 8_000], 1
    parts = asked.only.split(",")
    asked.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day it was run
        "command": " ".join(["make bench", *sys.argv[1:]]),
        "machine": rig.machine(),
        "records": asked.records,
    }
    if "startup" in parts:
        say("start-up")
        found["startup"] = startup.measure(asked.rounds * 3)
    if "loading" in parts:
        with rig.server() as settings:
            say(f"loading {asked.records:,} records, {asked.rounds} rounds in turn")
            found["loading"] = loading.compare(settings.home, asked.records, asked.rounds)
    if "asking" in parts:
        found["asking"] = {}
        for size in sorted({asked.records, sizes[-1]}):
            for shards in (1, 2):
                with rig.server() as settings, rig.connected(settings) as client:
                    say(f"asking {size:,} records, {shards} shard(s)")
                    asking.load(settings, client, size, shards)
                    one: dict[str, Any] = {
                        name: asking.compare(client, "crimes", request, asked.rounds * 5)
                        for name, request in asking.requests().items()
                    }
                    reference = asking.requests()["reference"]
                    one["answers a second"] = {
                        str(askers): asking.at_once(
                            client, "crimes", reference, askers, asked.rounds * 16
                        )
                        for askers in (1, 8)
                    }
                    if size == asked.records and shards == 1:
                        say("shingles")
                        found["shingles"] = asking.shingles(settings, client, min(size, 50_000))
                    found["asking"][f"{size:,} records, {shards} shards"] = one
                    generations.prune(client, "crimes", 1)
    if "growth" in parts:
        with rig.server() as settings:
            say(f"growth: {', '.join(f'{size:,}' for size in sizes)}")
            found["growth"] = {
                "sizes": sizes,
                "figures": growth.measure(settings, sizes, asked.rounds),
            }
    results = msgspec.json.format(msgspec.json.encode(found), indent=2)
    (asked.out / "results.json").write_bytes(results + b"\n")
    plain = msgspec.json.decode(results)
    text = report.markdown(plain)
    (asked.out / "results.md").write_text(text, encoding="utf-8")
    for name, drawn in report.charts(plain).items():
        (asked.out / name).write_text(drawn, encoding="utf-8")
    print(text)


def say(text: str) -> None:
    """Tell what is under way."""
    print(f"bench: {text} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
