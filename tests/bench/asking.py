"""Asking, side by side: a request as its one search, as a search for each number, and as ``_msearch``.

The searches for each number are those of ``queries.locate``, built beforehand, sent as plain JSON
with nothing but a total asked for: what a careful user would write by hand. All must agree on every
number. Shingles are the other way to join neighbours: at index time, one posting a term.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from elasticsearch import Elasticsearch, helpers
from msgspec import Struct

from indexer import generations, refresh, sample, schema
from indexer.settings import Index, Settings
from queries import execute, locate, request
from queries.answer import Answer
from queries.request import Request
from tests.bench import rig
from tests.bench.rig import ROOT

HEAD = "reference: B\ntitle: Benchmark\n"


class Asked(Struct):
    """Milliseconds of one way to ask, first and median; of the client's CPU; searches sent."""

    first: float
    median: float
    client_cpu: float
    server_took: float
    searches: int


def requests() -> dict[str, Request]:
    """The reference request over a year, a table of 23 terms by 5 years, and one term."""
    text = (ROOT / "tests/data/requests/reference.yaml").read_text(encoding="utf-8")
    names = ", ".join(f'"{ways[0]}"' for ways in sample.PLATFORMS)
    return {
        "reference": request.parse(text.replace("{from: 2017-04-01, to: 2018-03-31}", "2018/19")),
        "23 terms by 5 years": request.parse(
            f"{HEAD}period: {{from: 2018-04-01, to: 2023-03-31}}\n"
            f"questions: [{{id: Q1, kind: cross, rows: {{keywords: [{names}]}}, "
            "columns: financial_year}]"
        ),
        "one term": request.parse(
            f"{HEAD}mentions: [live stream]\nquestions: [{{id: Q1, kind: offences}}]"
        ),
    }


def compare(client: Elasticsearch, alias: str, asked: Request, rounds: int) -> dict[str, Asked]:
    """One search, a search for each number and ``_msearch``, in turn."""
    answer = execute.answer(client, alias, asked)
    bodies, numbers = _numbers(asked, answer)

    def one() -> float:
        return float(execute.answer(client, alias, asked).provenance.took_ms)

    def each() -> float:
        took = 0
        for body, number in zip(bodies, numbers, strict=True):
            found = client.search(index=alias, body=body).body
            assert found["hits"]["total"]["value"] == number, body
            took += found["took"]
        return float(took)

    def together() -> float:
        lines = [line for body in bodies for line in ({}, body)]
        found = client.msearch(index=alias, searches=lines).body
        held = [one["hits"]["total"]["value"] for one in found["responses"]]
        assert held == numbers
        return float(found["took"])

    ways = {
        "one search": (one, 1),
        "a search a number": (each, len(bodies)),
        "_msearch": (together, 1),
    }
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (ask, _) in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            took = ask()
            taken[name].append(
                ((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3, took)
            )
    return {
        name: Asked(
            first=runs[0][0],
            median=statistics.median(run[0] for run in runs),
            client_cpu=statistics.median(run[1] for run in runs),
            server_took=statistics.median(run[2] for run in runs),
            searches=ways[name][1],
        )
        for name, runs in taken.items()
    }


def _numbers(asked: Request, answer: Answer) -> tuple[list[dict[str, Any]], list[int]]:
    """The search behind each number that counts offences, and the number."""
    bodies: list[dict[str, Any]] = []
    numbers: list[int] = []
    for question in answer.questions:
        table = question.table
        if table.columns[0].key != "offences":
            continue  # victims cannot be counted by a total
        for row in (*table.rows, table.total):
            for column, number in zip(table.columns, row.counts, strict=True):
                located = locate.behind(asked, question.id, row.key, column.key)
                bodies.append(
                    {"query": located.query.to_dict(), "size": 0, "track_total_hits": True}
                )
                numbers.append(number or 0)
    return bodies, numbers


def at_once(client: Elasticsearch, alias: str, asked: Request, askers: int, rounds: int) -> float:
    """Answers a second with so many asking at once."""
    with ThreadPoolExecutor(askers) as pool:
        start = time.perf_counter()
        list(pool.map(lambda _: execute.answer(client, alias, asked), range(rounds)))
        return rounds / (time.perf_counter() - start)


def shingles(options: Settings, client: Elasticsearch, documents: int) -> dict[str, float]:
    """Plain text against text with its neighbours joined: server CPU to index, and store."""
    plain = schema.load()
    settings: dict[str, Any] = {
        **plain.settings,
        "analysis": {
            "tokenizer": plain.settings["analysis"]["tokenizer"],
            "filter": {
                "joined": {
                    "type": "shingle",
                    "min_shingle_size": 2,
                    "max_shingle_size": 3,
                    "token_separator": "",
                    "output_unigrams": True,
                }
            },
            "analyzer": {
                **plain.settings["analysis"]["analyzer"],
                "joined": {
                    "type": "custom", "tokenizer": "narrative", "filter": ["lowercase", "joined"]
                },
            },
        },
    }  # fmt: skip
    properties = {
        **plain.mappings["properties"],
        "narrative": {"type": "text", "analyzer": "joined", "norms": False},
    }
    found: dict[str, float] = {}
    source = generations.live(client, "crimes").name
    for name, made in (
        ("plain", plain),
        ("shingles", schema.Schema(settings, {**plain.mappings, "properties": properties})),
    ):
        index = generations.create(client, Index(alias=f"bench-{name}"), made, "bench", ()).name
        actions = (
            {"_op_type": "create", "_index": index, "_id": hit["_id"], "_source": hit["_source"]}
            for hit in helpers.scan(client, index=source, size=1_000)
        )
        before = rig.server_cpu(options)
        helpers.bulk(client, (action for action, _ in zip(actions, range(documents), strict=False)))
        client.indices.forcemerge(index=index, max_num_segments=1)
        found[f"{name}_server_cpu_s"] = rig.server_cpu(options) - before
        client.indices.flush(index=index)
        stats = client.indices.stats(index=index, metric="store")["indices"][index]
        found[f"{name}_store_mb"] = stats["primaries"]["store"]["size_in_bytes"] / 1e6
        client.indices.delete(index=index)
    return found


def load(options: Settings, client: Elasticsearch, number: int, shards: int = 1) -> None:
    """Load so many sample records and make them live."""
    index = Index(alias="crimes", shards=shards)
    path = rig.sample_file(options.home, number)
    refresh.load(client, index, [path], options.home, rig.SILENT)
    generations.prune(client, "crimes", 1)
