"""Asking, side by side: a request as its one search, as a search for each number, and as ``_msearch``.

The searches for each number are those of ``queries.locate``, built beforehand, sent as plain JSON
with nothing but a total asked for: what a careful user would write by hand. All must agree on every
number. Shingles are the other way to join neighbours: at index time, one posting a term.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from elasticsearch import Elasticsearch, helpers
from msgspec import Struct

from indexer.config.model import IndexSettings, Settings
from indexer.index.generations import create_generation, prune_generations
from indexer.index.mapping import IndexSchema, load_index_schema
from indexer.jobs.refresh import load_files
from indexer.records.sample import SAMPLE_PLATFORMS
from indexer.sources import read_records
from queries.answer.types import Answer, count_or_zero
from queries.answering.build import compute_answer
from queries.evidence.locate import locate_records
from queries.matching.term import build_term_query, parse_term
from queries.request.reader import Request, parse_request
from tests.bench.rig import ROOT, SILENT, median_ms, reader, sample_file, server_cpu

_SHINGLED: Final = 50_000

_ASKED: Final = 15

HEAD = "reference: B\ntitle: Benchmark\n"


class Asked(Struct):
    """Milliseconds of one way to ask: cold (the server's caches just emptied), the median where it
    may keep whole answers, and where it may not; of the client's CPU; searches sent."""

    cold: float
    median: float
    uncached: float
    client_cpu: float
    server_took: float
    searches: int


class Way(NamedTuple):
    """One way to ask: returns the milliseconds that the server says it took."""

    ask: Callable[[], float]
    searches: int


def requests() -> dict[str, Request]:
    """The reference request over a year, a table of 23 terms by 5 years, and one term."""
    text = (ROOT / "tests/data/requests/reference.yaml").read_text(encoding="utf-8")
    names = ", ".join(f'"{ways[0]}"' for ways in SAMPLE_PLATFORMS)
    return {
        "reference": parse_request(text.replace("{from: 2017-04-01, to: 2018-03-31}", "2018/19")),
        "23 terms by 5 years": parse_request(
            f"{HEAD}period: {{from: 2018-04-01, to: 2023-03-31}}\n"
            f"questions: [{{id: Q1, kind: cross, rows: {{keywords: [{names}]}}, "
            "columns: financial_year}]"
        ),
        "one term": parse_request(
            f"{HEAD}mentions: [live stream]\nquestions: [{{id: Q1, kind: offences}}]"
        ),
    }


def ways(client: Elasticsearch, alias: str, asked: Request) -> dict[str, Way]:
    """One search, a search for each number, and ``_msearch``. All check every number."""
    bodies, numbers = _numbers(asked, compute_answer(client, alias, asked))

    def one() -> float:
        return float(compute_answer(client, alias, asked).provenance.took_ms)

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

    return {
        "one search": Way(one, 1),
        "a search a number": Way(each, len(bodies)),
        "_msearch": Way(together, 1),
    }


def compare(client: Elasticsearch, alias: str, asked: Request, rounds: int) -> dict[str, Asked]:
    """Each way in turn, so many rounds: first with the server's cache of answers, then without."""
    every = ways(client, alias, asked)
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in every}
    for turn in range(rounds):
        for name, way in every.items():
            if not turn:
                client.indices.clear_cache(index=alias)
            wall, cpu = time.perf_counter(), time.process_time()
            took = way.ask()
            taken[name].append(
                ((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3, took)
            )
    uncached: dict[str, list[float]] = {name: [] for name in every}
    with without_cache(client, alias):
        for _ in range(rounds):
            for name, way in every.items():
                start = time.perf_counter()
                way.ask()
                uncached[name].append((time.perf_counter() - start) * 1e3)
    return {
        name: Asked(
            cold=runs[0][0],
            median=statistics.median(run[0] for run in runs),
            uncached=statistics.median(uncached[name]),
            client_cpu=statistics.median(run[1] for run in runs),
            server_took=statistics.median(run[2] for run in runs),
            searches=every[name].searches,
        )
        for name, runs in taken.items()
    }


@contextmanager
def without_cache(client: Elasticsearch, index: str) -> Iterator[None]:
    """Have the server work out every answer anew."""
    setting = "index.requests.cache.enable"
    client.indices.put_settings(index=index, settings={setting: False})
    try:
        yield
    finally:
        client.indices.put_settings(index=index, settings={setting: True})


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
                located = locate_records(asked, question.id, row.key, column.key)
                bodies.append(
                    {"query": located.query.to_dict(), "size": 0, "track_total_hits": True}
                )
                numbers.append(count_or_zero(number))
    return bodies, numbers


def at_once(way: Way, askers: int, rounds: int) -> float:
    """Answers a second with so many threads of one client asking at once."""
    with ThreadPoolExecutor(askers) as pool:
        start = time.perf_counter()
        list(pool.map(lambda _: way.ask(), range(rounds)))
        return rounds / (time.perf_counter() - start)


def shingles(options: Settings, client: Elasticsearch, path: Path, rounds: int) -> dict[str, float]:
    """Plain text against text with its neighbours joined: server CPU to index, store, and the time
    of one search that counts the sample's platforms, whole answers not kept.

    The rounds alternate, and a first one warms the server. The numbers of the two are not compared:
    joined neighbours cannot tell "Ms N" from "MSN".
    """
    builder = reader()
    documents = [
        msgspec.to_builtins(builder.document(raw))
        for raw in itertools.islice(read_records([path]), _SHINGLED)
    ]
    terms = [parse_term(ways[0]) for ways in SAMPLE_PLATFORMS]
    joined = {one.written: {"term": {"narrative": "".join(one.forms[0])}} for one in terms}
    contenders = {
        "plain": (
            load_index_schema(),
            {one.written: build_term_query(one).to_dict() for one in terms},
        ),
        "shingles": (_joined(), joined),
    }
    found: dict[str, list[float]] = {}
    for turn in range(rounds + 1):
        for name, (made, filters) in contenders.items():
            one = _indexed(options, client, name, made, documents, filters)
            for figure, value in one.items() if turn else ():
                found.setdefault(f"{name}_{figure}", []).append(value)
    return {figure: statistics.median(values) for figure, values in found.items()}


def _joined() -> IndexSchema:
    """The schema with neighbouring words joined when they are indexed."""
    plain = load_index_schema()
    analysis = plain.settings["analysis"]
    settings = {
        **plain.settings,
        "analysis": {
            "tokenizer": analysis["tokenizer"],
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
                **analysis["analyzer"],
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
    return IndexSchema(settings, {**plain.mappings, "properties": properties})


def _indexed(
    options: Settings,
    client: Elasticsearch,
    name: str,
    made: IndexSchema,
    documents: list[dict[str, Any]],
    filters: dict[str, Any],
) -> dict[str, float]:
    index = create_generation(client, IndexSettings(alias=f"bench-{name}"), made, "bench", ()).name
    try:
        actions = (
            {"_op_type": "create", "_index": index, "_id": one["crime_ref"], "_source": one}
            for one in documents
        )
        before = server_cpu(options)
        helpers.bulk(client, actions)
        client.indices.forcemerge(index=index, max_num_segments=1)
        cpu = server_cpu(options) - before
        client.indices.flush(index=index)
        stats = client.indices.stats(index=index, metric="store")["indices"][index]
        body = {"size": 0, "aggs": {"terms": {"filters": {"filters": filters}}}}

        def ask() -> object:
            return client.search(index=index, body=body, request_cache=False)

        return {
            "server_cpu_s": cpu,
            "store_mb": stats["primaries"]["store"]["size_in_bytes"] / 1e6,
            "ask_ms": median_ms(ask, _ASKED),
        }
    finally:
        client.indices.delete(index=index)


def load(options: Settings, client: Elasticsearch, number: int, shards: int = 1) -> None:
    """Load so many sample records and make them live."""
    index = IndexSettings(alias="crimes", shards=shards)
    path = sample_file(options.home, number)
    load_files(client, index, [path], options.home, SILENT)
    prune_generations(client, "crimes", 1)
