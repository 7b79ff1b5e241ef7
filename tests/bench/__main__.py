"""Run every benchmark and write the results: ``python -m tests.bench`` (``make bench``).

Writes results.json, results.md, loading.svg and asking.svg to ``--out`` (bench-results) and prints the tables.
``--quick`` is a small run, to see that it works; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from indexer.config.model import Settings
from indexer.index.generations import prune_generations
from indexer.records.sample import generate_records
from tests.bench import asking, damage, growth, loading, scanning, scripts, startup, tables
from tests.bench.asking import at_once, load, requests, shingles, ways
from tests.bench.long_texts import write_long_texts
from tests.bench.report import charts, markdown
from tests.bench.rig import connected, machine, sample_file, server


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--records", type=int, default=200_000)
    options.add_argument("--sizes", default="50000,200000,1000000")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument(
        "--only", default="startup,scripts,damage,tables,loading,long,asking,growth"
    )
    options.add_argument("--out", type=Path, default=Path("bench-results"))
    options.add_argument("--quick", action="store_true")
    asked = options.parse_args()
    if shutil.which("curl") is None:
        options.error(
            "curl is not installed, which the floor of loading is measured with. Install it."
        )
    sizes = [int(size) for size in asked.sizes.split(",")]
    if asked.quick:
        asked.records, sizes, asked.rounds = 4_000, [2_000, 4_000, 8_000], 1
    parts = asked.only.split(",")
    asked.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day it was run
        "command": f"make bench ARGS='{' '.join(sys.argv[1:])}'" if sys.argv[1:] else "make bench",
        "machine": machine(),
        "records": asked.records,
    }
    measure_without_server(found, parts, asked)
    if "loading" in parts:
        with server() as settings:
            say(f"loading {asked.records:,} records, {asked.rounds} rounds in turn")
            path = sample_file(settings.home, asked.records)
            found["loading"] = loading.compare(
                settings.home, path, loading.CONTENDERS, asked.rounds
            )
            write(found, asked.out)
    if "long" in parts:
        with server() as settings:
            found["long"] = measure_long_texts(settings, asked)
            write(found, asked.out)
    if "asking" in parts:
        measure_asking(found, asked, sizes)
    if "growth" in parts:
        with server() as settings:
            say(f"growth: {', '.join(f'{size:,}' for size in sizes)}")
            found["growth"] = {
                "sizes": sizes,
                "figures": growth.measure(settings, sizes, asked.rounds),
            }
    print(write(found, asked.out))


def measure_without_server(
    found: dict[str, Any], parts: list[str], asked: argparse.Namespace
) -> None:
    """Measure what needs no server."""
    if "scripts" in parts:
        say("text of many scripts")
        found["scripts"] = scripts.measure(asked.rounds * 3)
    if "startup" in parts:
        say("start-up")
        found["startup"] = startup.measure(asked.rounds * 3)
    if "damage" in parts:
        say("looking for damaged text")
        found["damage"] = damage.measure(max(asked.records // 100, 100), asked.rounds)
    if "tables" in parts:
        say("reading files as they come")
        with tempfile.TemporaryDirectory() as folder:
            records = generate_records(max(asked.records // 4, 1_000))
            found["tables"] = tables.measure(Path(folder), records, asked.rounds)


def measure_asking(found: dict[str, Any], asked: argparse.Namespace, sizes: list[int]) -> None:
    """Measure answers, what needs no index, and the commands."""
    found["asking"] = {}
    for size in sorted({asked.records, sizes[-1]}):
        for shards in (1, 2):
            with server() as settings, connected(settings) as client:
                say(f"asking {size:,} records, {shards} shard(s)")
                load(settings, client, size, shards)
                one: dict[str, Any] = {
                    name: asking.compare(client, "crimes", request, asked.rounds * 5)
                    for name, request in requests().items()
                }
                each = ways(client, "crimes", requests()["reference"])
                one["answers a second"] = {
                    name: {str(askers): at_once(way, askers, asked.rounds * 4) for askers in (1, 8)}
                    for name, way in each.items()
                }
                if size == asked.records and shards == 1:
                    say("shingles")
                    path = sample_file(settings.home, size)
                    found["shingles"] = shingles(settings, client, path, asked.rounds)
                    say("beside what needs no index")
                    found["scanning"] = scanning.compare(
                        client, "crimes", size, settings.home, asked.rounds * 3
                    )
                    say("commands")
                    found["startup"] = found.get("startup", {}) | startup.measure_asking(
                        settings, asked.rounds * 3
                    )
                found["asking"][f"{size:,} records, {shards} shards"] = one
                prune_generations(client, "crimes", 1)
            write(found, asked.out)


def measure_long_texts(settings: Settings, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure the load of long texts in a mix of scripts; ``text_mb`` is that of the narratives."""
    megabytes = asked.records / 5_000  # 40 MB in a whole run
    say(f"loading {megabytes:.1f} MB of long mixed text, {asked.rounds} rounds in turn")
    path = settings.home / "long.jsonl"
    text = write_long_texts(path, megabytes)
    runs = loading.compare(settings.home, path, loading.LONG_CONTENDERS, asked.rounds)
    return {"text_mb": text / 1e6, "runs": runs}


def write(found: dict[str, Any], folder: Path) -> str:
    """Write what was found so far, as JSON, tables and charts; the tables."""
    results = msgspec.json.format(msgspec.json.encode(found), indent=2)
    (folder / "results.json").write_bytes(results + b"\n")
    plain = msgspec.json.decode(results)
    text = markdown(plain)
    (folder / "results.md").write_text(text, encoding="utf-8")
    for name, drawn in charts(plain).items():
        (folder / name).write_text(drawn, encoding="utf-8")
    return text


def say(text: str) -> None:
    """Tell what is under way."""
    print(f"bench: {text} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
