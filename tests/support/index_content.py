"""Records on their way into an index, and what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from elasticsearch import Elasticsearch


def read_live_records(client: Elasticsearch, alias: str) -> dict[str, dict[str, Any]]:
    """Every record the alias holds, without where it was read."""
    client.indices.refresh(index=alias)
    hits = client.search(index=alias, size=10_000)["hits"]["hits"]
    return {
        hit["_id"]: {name: value for name, value in hit["_source"].items() if name != "place"}
        for hit in hits
        if hit["_source"]["status"] != "deleted"
    }


def write_records(path: Path, records: list[dict[str, Any]]) -> Path:
    """A file of records, one a line."""
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    return path
