"""Growth: what each step takes at several sizes, and the exponent it grows with.

Each load is a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

from elasticsearch import Elasticsearch

from indexer.config.loader import load_settings
from indexer.config.model import Settings
from indexer.index.generations import (
    discard_generation,
    find_live_name,
    list_verified,
    promote_generation,
    read_live_generation,
)
from indexer.jobs.refresh import (
    RefreshMode,
    RefreshOptions,
    RefreshPlan,
    load_files,
    refresh_index,
)
from indexer.records.sample import generate_records
from queries.answer.types import count_or_zero
from queries.answering.build import compute_answer
from queries.jobs.nightly_refresh import build_canary_query
from queries.request.reader import Request
from queries.spec.term_book import load_default_term_book
from tests.bench.asking import requests, without_cache
from tests.bench.rig import (
    SILENT,
    Taken,
    child,
    connected,
    median_ms,
    sample_file,
    taken,
    tell,
    write_records,
)

CHANGED = 100  # one record in so many


def measure(options: Settings, sizes: list[int], rounds: int) -> dict[str, list[float]]:
    """The figures of each size, in order."""
    found: dict[str, list[float]] = {}

    def note(name: str, figure: float) -> None:
        found.setdefault(name, []).append(figure)

    for size in sizes:
        path = sample_file(options.home, size)
        loaded = child("tests.bench.growth", str(path))
        note("load, s", loaded.wall)
        note("load, client CPU, s", loaded.client_cpu)
        note("load, server CPU, s", loaded.server_cpu)
        note("load, client memory, MB", loaded.peak_mb)
        with connected(options) as client:
            live = read_live_generation(client, "crimes")
            client.indices.flush(index=live.name)
            store = client.indices.stats(index=live.name, metric="store")["indices"][live.name]
            note("store, MB", store["primaries"]["store"]["size_in_bytes"] / 1e6)
            asked = requests()["reference"]
            answer = compute_answer(client, "crimes", asked)
            note("reference request, records in scope", count_or_zero(answer.scope.records))
            note(
                "reference request again, from the server's cache, ms",
                _asked(client, asked, rounds),
            )
            with without_cache(client, live.name):
                note("reference request, ms", _asked(client, asked, rounds))
            start = time.perf_counter()
            promote_generation(client, "crimes", live)
            note("promotion, ms", (time.perf_counter() - start) * 1e3)
        note("refresh of 1%, s", _incremental(options, size))
        path.unlink()
        with connected(options) as client:
            for one in list_verified(client, "crimes"):
                if one.name != find_live_name(client, "crimes"):
                    discard_generation(client, "crimes", one.name)
    return found


def _asked(client: Elasticsearch, asked: Request, rounds: int) -> float:
    return median_ms(lambda: compute_answer(client, "crimes", asked), rounds * 3)


def _incremental(options: Settings, size: int) -> float:
    path = options.home / "changes.jsonl"
    write_records(
        path,
        (
            {
                **record,
                "updated_at": "2024-01-01T03:00:00Z",
                "narrative": [*record["narrative"], "The log was reviewed again."],
            }
            for number, record in enumerate(generate_records(size))
            if number % CHANGED == 1
        ),
    )
    mode: RefreshMode = "incremental"
    with connected(options) as client:
        start = time.perf_counter()
        refresh_index(
            client,
            options.index,
            RefreshPlan((path,), options.home),
            RefreshOptions(
                options.refresh,
                partial(build_canary_query, book=load_default_term_book()),
                mode,
            ),
            SILENT,
        )
        return time.perf_counter() - start


def _load(path: Path) -> Taken:
    options = load_settings()
    with connected(options) as client:

        def work() -> None:
            load_files(client, options.index, [path], options.home, SILENT)

        return taken(options, work)


if __name__ == "__main__":
    tell(_load(Path(sys.argv[1])))
