"""Loading, side by side: the same documents, mapping and server; who sends them, and how, differs.

- curl: bulk bodies made beforehand, posted two at a time by curl. Nothing is read, checked or cut:
  the floor, the server's own work.
- foidex: JSON Lines read, checked, cut and sent by ``fill_index``, prepared in one process.
- foidex, two workers: the same, prepared by two processes.
- streaming_bulk, bulk, parallel_bulk: documents that are dictionaries in memory already, sent by
  ``elasticsearch.helpers`` with a client as its documentation makes one, and its serializer.
- foidex with other settings of the index, each alone: what those of ``generations.create`` are
  worth, and what merging less while it is filled would be.

Each ends with a refresh, so that every document can be found. What is measured is the filling of an
index; merging, checks and promotion come after it, and are in ``growth``.
"""

from __future__ import annotations

import gc
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch, helpers

from indexer.config.loader import load_settings
from indexer.config.model import IndexSettings, Settings
from indexer.index.generations import create_generation
from indexer.index.mapping import load_index_schema
from indexer.loading.loader import fill_index
from indexer.loading.rejects import Rejects
from indexer.records.document import encode_document
from indexer.server.embedded.process import start_embedded_server
from indexer.sources import read_records
from tests.bench.rig import SILENT, Taken, child, connected, reader, taken, tell

OTHERWISE: Final[dict[str, dict[str, Any]]] = {
    "foidex, refreshed each second": {"refresh_interval": "1s"},
    "foidex, translog synced each request": {"translog.durability": "request"},
    "foidex, 30 segments a tier": {"merge.policy.segments_per_tier": 30},
}

WORKERS: Final = "foidex, two workers"

CONTENDERS = ("curl", "foidex", WORKERS, "streaming_bulk", "bulk", "parallel_bulk", *OTHERWISE)

#: What long texts are loaded by.
LONG_CONTENDERS = ("curl", "foidex", WORKERS, "streaming_bulk")

_BODY_RECORDS = 2_000


def prepare(path: Path, folder: Path) -> None:
    """The documents of a file of records as JSON Lines, and as bulk bodies for curl."""
    builder = reader()
    bodies = folder / "bodies"
    bodies.mkdir(exist_ok=True)
    lines: list[bytes] = []
    written = 0
    with (folder / "documents.jsonl").open("wb") as documents:
        for raw in read_records([path]):
            document = builder.document(raw)
            source = encode_document(document)
            documents.write(source + b"\n")
            lines += [b'{"create":{"_id":%b}}' % encode_document(document.crime_ref), source]
            if len(lines) == 2 * _BODY_RECORDS:
                (bodies / f"{written:06}").write_bytes(b"\n".join(lines) + b"\n")
                lines, written = [], written + 1
    if lines:
        (bodies / f"{written:06}").write_bytes(b"\n".join(lines) + b"\n")


def compare(
    folder: Path, path: Path, contenders: tuple[str, ...], rounds: int
) -> dict[str, list[Taken]]:
    """Every contender in turn, so many times, with the records of a file of JSON Lines."""
    prepare(path, folder)
    found: dict[str, list[Taken]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        first = turn % len(contenders)  # none always follows the same one
        for name in contenders[first:] + contenders[:first]:
            one = child("tests.bench.loading", name, str(path), str(folder))
            if turn:  # the first round warms the server, and is not counted
                found[name].append(one)
    shutil.rmtree(folder / "bodies")
    (folder / "documents.jsonl").unlink()
    return found


def _run(name: str, path: Path, folder: Path) -> Taken:
    options = load_settings()
    with connected(options) as client:
        alias = f"bench-{re.sub('[^a-z0-9]+', '-', name)}"
        index = create_generation(
            client, IndexSettings(alias=alias), load_index_schema(), "bench", ()
        ).name
        if name in OTHERWISE:
            client.indices.put_settings(index=index, settings=OTHERWISE[name])
        work = _work(name, client, options, index, path, folder)

        def whole() -> None:
            work()
            client.indices.refresh(index=index)

        try:
            found = taken(options, whole)
            held = client.count(index=index)["count"]
            expected = sum(1 for _ in path.open("rb"))
            assert held == expected, (name, held, expected)
            found.more["store_mb"] = _store_mb(client, index)
        finally:
            client.indices.delete(index=index)
    return found


def _work(
    name: str, client: Elasticsearch, options: Settings, index: str, path: Path, folder: Path
) -> Callable[[], Any]:
    if name == "curl":
        return lambda: _curl(options, index, sorted((folder / "bodies").iterdir()))
    if name.startswith("foidex"):
        builder = reader()
        if name == WORKERS:
            builder = msgspec.structs.replace(builder, workers=2)
        rejects = Rejects(folder / "rejects.jsonl", keep=False)
        return lambda: fill_index(client, index, read_records([path]), builder, rejects)
    with (folder / "documents.jsonl").open("rb") as lines:
        documents = [msgspec.json.decode(line) for line in lines]
    actions = (
        {"_op_type": "create", "_index": index, "_id": one["crime_ref"], "_source": one}
        for one in documents
    )
    gc.freeze()  # the collector's walks over them are no cost of the helpers
    stock = _stock(options)
    if name == "bulk":
        return lambda: helpers.bulk(stock, actions)
    if name == "streaming_bulk":
        return lambda: sum(1 for _ in helpers.streaming_bulk(stock, actions))
    return lambda: sum(1 for _ in helpers.parallel_bulk(stock, actions, thread_count=2))


def _store_mb(client: Elasticsearch, index: str) -> float:
    """What the index takes on disk once it is merged, as a load leaves it."""
    client.options(request_timeout=600).indices.forcemerge(index=index, max_num_segments=1)
    client.indices.flush(index=index)
    stats = client.indices.stats(index=index, metric="store")["indices"][index]
    return float(stats["primaries"]["store"]["size_in_bytes"] / 1e6)


def _stock(options: Settings) -> Elasticsearch:
    """A client without anything of foidex: the helpers write with their client's serializer."""
    address = start_embedded_server(options, SILENT)
    return Elasticsearch(address.url, basic_auth=(str(address.user), str(address.password)))


def _curl(options: Settings, index: str, bodies: list[Path]) -> None:
    address = start_embedded_server(options, SILENT)
    config = "\nnext\n".join(
        "\n".join(
            [
                f'url = "{address.url}/{index}/_bulk?filter_path=items.create.status"',
                f'user = "{address.user}:{address.password}"',
                'header = "Content-Type: application/x-ndjson"',
                f'data-binary = "@{body}"',
                'output = "/dev/null"',
                "fail",
                "silent",
            ]
        )
        for body in bodies
    )
    subprocess.run(
        ["curl", "--parallel", "--parallel-max", "2", "--config", "-"],
        input=config.encode(),
        check=True,
    )


if __name__ == "__main__":
    tell(_run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
