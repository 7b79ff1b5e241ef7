"""The ledger of releases on the server: an index of its own, to which lines are only added.

Each line is a document whose id is its position, so two releases cannot take the same one, and it
contains the hash of the chain up to it. It needs the rights to create documents and to read them,
but none to change or delete one. This module does not know what a line says.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.audit.chain import CHAIN_START, extend_head
from indexer.errors import DisclosureError, LedgerMovedError

_SETTINGS: Final = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True}

_MAPPINGS: Final = {"dynamic": False, "properties": {"position": {"type": "long"}}}

_BATCH_SIZE: Final = 500


class _LedgerLine(Struct, frozen=True):
    """What is stored of a line: its position from 0, the line in base64, and the head after it."""

    position: int
    line: str
    head: str


class ServerLedger:
    """The ledger of the index with an alias. ``connect`` returns a client of the server."""

    def __init__(
        self, connect: Callable[[], AbstractContextManager[Elasticsearch]], alias: str
    ) -> None:
        self._connect = connect
        self._index = f"{alias}.ledger"
        self.name = f"the ledger {self._index} on the server"

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        """Nothing is locked: of two releases that add the same line, the server takes one."""
        del seconds
        yield

    def read_lines(self) -> list[bytes]:
        """The lines, oldest first; none if there is no ledger yet.

        Raises DisclosureError if a line is missing or was changed.
        """
        with self._connect() as client:
            lines, head = list[bytes](), CHAIN_START
            for document in _read_documents(client, self._index):
                try:
                    entry = msgspec.convert(document, _LedgerLine)
                    line = base64.b64decode(entry.line, validate=True)
                except ValueError:
                    raise self._build_damage_error(
                        f"line {len(lines) + 1:,} is not one that foidex wrote"
                    ) from None
                if entry.position != len(lines):
                    raise self._build_damage_error(f"line {len(lines) + 1:,} is missing")
                head = extend_head(head, line)
                if entry.head != head:
                    raise self._build_damage_error(f"line {len(lines) + 1:,} was changed")
                lines.append(line)
        return lines

    def append_line(self, line: bytes, earlier: list[bytes]) -> None:
        """Add a line after the earlier ones. Raises LedgerMovedError if another one was first."""
        head = CHAIN_START
        for earlier_line in earlier:
            head = extend_head(head, earlier_line)
        document = {
            "position": len(earlier),
            "line": base64.b64encode(line).decode(),
            "head": extend_head(head, line),
        }
        with self._connect() as client:
            if not earlier:
                self._create_index(client)
            position = str(len(earlier))
            try:
                client.create(index=self._index, id=position, document=document)
            except elasticsearch.ConflictError:
                written = client.get(index=self._index, id=position).body["_source"]
                if written != document:  # else it is our own, whose response was lost
                    raise LedgerMovedError(f"{self.name}: another release was first.") from None

    def _create_index(self, client: Elasticsearch) -> None:
        try:
            client.indices.create(index=self._index, settings=_SETTINGS, mappings=_MAPPINGS)
        except elasticsearch.BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise

    def _build_damage_error(self, damage: str) -> DisclosureError:
        return DisclosureError(
            f"{self.name}: {damage}, so the release cannot be checked and nothing is published. "
            "Restore the ledger from a backup (docs/publishing.md)."
        )


def _read_documents(client: Elasticsearch, index: str) -> Iterator[dict[str, Any]]:
    """The documents in their order, the newest included even if no search finds it yet."""
    position = -1
    try:
        while hits := _search_after(client, index, position):
            for hit in hits:
                yield hit["_source"]
            position = hits[-1]["_source"]["position"]
        while True:
            position += 1
            yield client.get(index=index, id=str(position)).body["_source"]
    except elasticsearch.NotFoundError:
        return


def _search_after(client: Elasticsearch, index: str, position: int) -> list[dict[str, Any]]:
    hits: list[dict[str, Any]] = client.search(
        index=index,
        size=_BATCH_SIZE,
        sort=["position"],
        query={"range": {"position": {"gt": position}}},
        allow_partial_search_results=False,
    ).body["hits"]["hits"]
    return hits
