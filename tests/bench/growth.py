"""Growth: what each step takes at several sizes, and the exponent it grows with.

Each load is a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

from elasticsearch import Elasticsearch

from indexer import generations, refresh, sample, settings
from indexer.refresh import Mode, Plan
from indexer.settings import Settings
from queries import execute, termbook
from queries.nightly import mention
from queries.request import Request
from tests.bench import asking, rig
from tests.bench.rig import Taken

CHANGED = 100  # one record in so many


def measure(options: Settings, sizes: list[int], rounds: int) -> dict[str, list[float]]:
    """The figures of each size, in order."""
    found: dict[str, list[float]] = {}

    def note(name: str, figure: float) -> None:
        found.setdefault(name, []).append(figure)

    for size in sizes:
        path = rig.sample_file(options.home, size)
        loaded = rig.child("tests.bench.growth", str(path))
        note("load, s", loaded.wall)
        note("load, client CPU, s", loaded.client_cpu)
        note("load, server CPU, s", loaded.server_cpu)
        note("load, client memory, MB", loaded.peak_mb)
        with rig.connected(options) as client:
            live = generations.live(client, "crimes")
            client.indices.flush(index=live.name)
            store = client.indices.stats(index=live.name, metric="store")["indices"][live.name]
            note("store, MB", store["primaries"]["store"]["size_in_bytes"] / 1e6)
            asked = asking.requests()["reference"]
            answer = execute.answer(client, "crimes", asked)
            note("reference request, records in scope", answer.scope.records or 0)
            note(
                "reference request again, from the server's cache, ms",
                _asked(client, asked, rounds),
            )
            with asking.without_cache(client, live.name):
                note("reference request, ms", _asked(client, asked, rounds))
            start = time.perf_counter()
            generations.promote(client, "crimes", live)
            note("promotion, ms", (time.perf_counter() - start) * 1e3)
        note("refresh of 1%, s", _incremental(options, size))
        path.unlink()
        with rig.connected(options) as client:
            for one in generations.everything(client, "crimes"):
                if one.name != generations.live_name(client, "crimes"):
                    generations.discard(client, "crimes", one.name)
    return found


def _asked(client: Elasticsearch, asked: Request, rounds: int) -> float:
    return rig.median_ms(lambda: execute.answer(client, "crimes", asked), rounds * 3)


def _incremental(options: Settings, size: int) -> float:
    path = options.home / "changes.jsonl"
    rig.write_records(
        path,
        (
            {
                **record,
                "updated_at": "2024-01-01T03:00:00Z",
                "narrative": [*record["narrative"], "The log was reviewed again."],
            }
            for number, record in enumerate(sample.generate(size))
            if number % CHANGED == 1
        ),
    )
    mode: Mode = "incremental"
    with rig.connected(options) as client:
        start = time.perf_counter()
        refresh.refresh(
            client,
            options.index,
            Plan((path,), options.home),
            mode,
            options.refresh,
            rig.SILENT,
            mention=partial(mention, book=termbook.load()),
        )
        return time.perf_counter() - start


def _load(path: Path) -> Taken:
    options = settings.load()
    with rig.connected(options) as client:

        def work() -> None:
            refresh.load(client, options.index, [path], options.home, rig.SILENT)

        return rig.taken(options, work)


if __name__ == "__main__":
    rig.tell(_load(Path(sys.argv[1])))
