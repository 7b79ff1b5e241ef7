"""Records into one index: checked, sent in bulk, and reconciled to the last one.

``read == indexed + rejected`` always holds at the end, or the load fails. Two requests are in
flight while the next is prepared; a third would not be quicker. Records of one reference never
travel at the same time, so that of two the first always stays.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import records
from indexer.errors import GenerationError, ServerError, SourceError
from indexer.offences import OffenceTable
from indexer.sources import RawRecord

IN_FLIGHT: Final = 2
CHUNK_RECORDS: Final = 1_000
CHUNK_BYTES: Final = 4 * 1024 * 1024
_RETRIES: Final = 6
_BUSY: Final = 429
_CONFLICT: Final = 409
_FILTER: Final = "items.create.status,items.create.error.type"
_SHOWN_REASONS: Final = 10


class _Bulk(Struct):
    """The part of a bulk response that is asked for."""

    items: list[dict[str, Any]] = []


class Tally(Struct):
    """What became of the records; ``watermark`` is the newest ``updated_at`` among the indexed."""

    read: int = 0
    indexed: int = 0
    rejected: int = 0
    watermark: datetime | None = None
    unknown_codes: Counter[str] = msgspec.field(default_factory=Counter)
    bare_links: int = 0
    reasons: list[str] = []

    def reconcile(self) -> None:
        """Raise GenerationError unless every record read is accounted for."""
        if self.read != self.indexed + self.rejected:
            raise GenerationError(
                f"{self.read:,} records were read, but {self.indexed:,} indexed and "
                f"{self.rejected:,} rejected: some are lost. Nothing was promoted; load again."
            )


class Rejects:
    """The rejected records, whole, one JSON line each, with their reasons in a file beside.

    Both are made when the first record comes, for their owner's eyes only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons = path.with_suffix(".reasons.txt")
        self._records: BinaryIO | None = None
        self._reasons: TextIO | None = None

    def add(self, raw: RawRecord, reason: str) -> None:
        """Set a record aside. Raises SourceError where it cannot be written."""
        try:
            if self._records is None or self._reasons is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._records = os.fdopen(_private(self.path), "wb")
                self._reasons = os.fdopen(_private(self.reasons), "w", encoding="utf-8")
            line = raw.raw if isinstance(raw.raw, bytes) else msgspec.json.encode(raw.raw)
            self._records.write(line if line.endswith(b"\n") else line + b"\n")
            self._reasons.write(f"{raw.place}: {reason}\n")
        except OSError as error:
            raise SourceError(
                f"{self.path}: rejected records cannot be written ({error.strerror}), so the load "
                "stopped. Name another file with --rejects."
            ) from None

    def close(self) -> None:
        """Close the files, if there are any."""
        for file in (self._records, self._reasons):
            if file is not None:
                file.close()


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


class _Chunk:
    """Records on their way in one request."""

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.raws: list[RawRecord] = []
        self.references: list[str] = []
        self.size = 0

    def add(self, raw: RawRecord, reference: str, source: bytes) -> None:
        action = b'{"create":{"_id":' + records.encode(reference) + b"}}"
        self.body += (action, source)
        self.raws.append(raw)
        self.references.append(reference)
        self.size += len(action) + len(source) + 2

    @property
    def full(self) -> bool:
        return len(self.raws) >= CHUNK_RECORDS or self.size >= CHUNK_BYTES


def load(
    client: Elasticsearch,
    index: str,
    raws: Iterable[RawRecord],
    offences: OffenceTable,
    rejects: Rejects,
) -> Tally:
    """Send every record to the index and return the reconciled tally.

    Raises SourceError where the records cannot be read to their end, ServerError where the server
    keeps refusing, GenerationError where a record is unaccounted for.
    """
    tally = Tally()
    with _closing(rejects), ThreadPoolExecutor(IN_FLIGHT) as pool:
        waiting: deque[tuple[_Chunk, Future[list[str | None]]]] = deque()

        def settle() -> None:
            chunk, future = waiting.popleft()
            for raw, reason in zip(chunk.raws, future.result(), strict=True):
                if reason is None:
                    tally.indexed += 1
                else:
                    _reject(tally, rejects, raw, reason)

        for chunk in _chunks(raws, offences, tally, rejects):
            mine = set(chunk.references)
            while waiting and (
                len(waiting) > IN_FLIGHT
                or any(not mine.isdisjoint(other.references) for other, _ in waiting)
            ):
                settle()
            waiting.append((chunk, pool.submit(_send, client, index, chunk)))
        while waiting:
            settle()
    tally.reconcile()
    return tally


@contextmanager
def _closing(rejects: Rejects) -> Iterator[None]:
    try:
        yield
    finally:
        rejects.close()


def _chunks(
    raws: Iterable[RawRecord], offences: OffenceTable, tally: Tally, rejects: Rejects
) -> Iterator[_Chunk]:
    chunk = _Chunk()
    for raw in raws:
        tally.read += 1
        if raw.error:
            _reject(tally, rejects, raw, raw.error)
            continue
        try:
            record = (
                records.from_json(raw.raw)
                if isinstance(raw.raw, bytes)
                else records.from_mapping(raw.raw)
            )
        except records.RecordError as error:
            _reject(tally, rejects, raw, str(error))
            continue
        document = records.to_document(record, offences, raw.place)
        _note(tally, document, offences)
        chunk.add(raw, document.crime_ref, records.encode(document))
        if chunk.full:
            yield chunk
            chunk = _Chunk()
    if chunk.raws:
        yield chunk


def _note(tally: Tally, document: records.CrimeDocument, offences: OffenceTable) -> None:
    moment = document.updated_at
    if moment and (tally.watermark is None or moment > tally.watermark):
        tally.watermark = moment
    if not offences.known(document.offence_code):
        tally.unknown_codes[records.printable_code(document.offence_code)] += 1
    tally.bare_links += sum(link.offence_code is None for link in document.linked)


def _reject(tally: Tally, rejects: Rejects, raw: RawRecord, reason: str) -> None:
    tally.rejected += 1
    if len(tally.reasons) < _SHOWN_REASONS:
        tally.reasons.append(f"{raw.place}: {reason}")
    rejects.add(raw, reason)


def _send(client: Elasticsearch, index: str, chunk: _Chunk) -> list[str | None]:
    """Send a chunk; for each record None, or why it was not indexed. Runs in a thread."""
    reasons: list[str | None] = [None] * len(chunk.raws)
    pending = list(range(len(chunk.raws)))
    for attempt in range(_RETRIES):
        if attempt:
            time.sleep(2**attempt / 4)
        body: Any = b"\n".join(
            part for place in pending for part in chunk.body[2 * place : 2 * place + 2]
        )
        answer = client.bulk(operations=[body], index=index, filter_path=_FILTER).body
        outcomes = [item["create"] for item in answer["items"]]
        conflicts = []
        busy = []
        for place, outcome in zip(pending, outcomes, strict=True):
            status = outcome["status"]
            if status == _CONFLICT:
                conflicts.append(place)
            elif status == _BUSY:
                busy.append(place)
            elif status >= 400:
                kind = outcome.get("error", {}).get("type", "no reason")
                reasons[place] = f"the server refused the record ({status}, {kind}). Correct it."
        for place, reason in zip(
            conflicts, _conflicts(client, index, chunk, conflicts), strict=True
        ):
            reasons[place] = reason
        pending = busy
        if not pending:
            return reasons
    raise ServerError(
        f"the server was too busy for {len(pending):,} records, also after {_RETRIES} tries. "
        "Nothing was promoted; load again when it is quieter."
    )


def _conflicts(
    client: Elasticsearch, index: str, chunk: _Chunk, places: list[int]
) -> list[str | None]:
    """Tell a second record of one reference from one of ours that was sent twice."""
    if not places:
        return []
    ids = [chunk.references[place] for place in places]
    found = client.mget(index=index, ids=ids, source_includes=["place"]).body["docs"]
    reasons: list[str | None] = []
    for place, held in zip(places, found, strict=True):
        other = held["_source"]["place"]
        reasons.append(
            None
            if other == chunk.raws[place].place
            else f'"crime_ref" is already that of the record at {other}. Keep one of the two.'
        )
    return reasons
