"""Records into one index: checked, sent in bulk, and reconciled to the last one.

Every line read is indexed, rejected, deleted, late, unchanged or kept out, or the load fails. A
*build* fills an empty index: of two records with one reference the first stays. A *change* is
applied to a copy of a generation: the newer version stays, by ``updated_at``. Two requests are in
flight while the next is prepared; records of one reference never travel together, so timing
changes nothing.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple, TextIO

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import records
from indexer.elastic import BLOCKED, DISK_FULL
from indexer.errors import GenerationError, ServerError, SourceError
from indexer.fieldmap import FieldMap
from indexer.offences import OffenceTable
from indexer.sources import RawRecord

IN_FLIGHT: Final = 2
CHUNK_RECORDS: Final = 2_000
CHUNK_BYTES: Final = 4 * 1024 * 1024
_RETRIES: Final = 6
_BUSY: Final = 429
_CONFLICT: Final = 409
_BAD_REQUEST: Final = 400
_SHOWN_REASONS: Final = 10
_HASH_BYTES: Final = 16
HASH_RANGE: Final = 1 << (8 * _HASH_BYTES)

Kind = Literal["indexed", "rejected", "deleted", "late", "unchanged", "kept_out"]


class Outcome(Struct, frozen=True, gc=False):
    """What became of one line, and by how much it moved the index's counts and content hash."""

    kind: Kind
    reason: str = ""
    records: int = 0
    tombstones: int = 0
    content: int = 0


class Tally(Struct):
    """What became of the lines. ``watermark`` is the newest ``updated_at`` read; ``kept_out`` are
    records that were forgotten here, and are not known to be newer than that.

    ``records``, ``tombstones`` and ``content`` are those of the index, from where it started;
    ``content`` is a hash of all records that does not depend on their order; ``changed`` lists the
    references that were changed, where that is asked for.
    """

    read: int = 0
    indexed: int = 0
    rejected: int = 0
    deleted: int = 0
    late: int = 0
    unchanged: int = 0
    kept_out: int = 0
    records: int = 0
    tombstones: int = 0
    content: int = 0
    watermark: datetime | None = None
    unknown_codes: Counter[str] = msgspec.field(default_factory=Counter)
    bare_links: int = 0
    changed: list[str] | None = None
    reasons: list[str] = []

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        setattr(self, outcome.kind, getattr(self, outcome.kind) + 1)
        self.records += outcome.records
        self.tombstones += outcome.tombstones
        self.content = (self.content + outcome.content) % HASH_RANGE

    def reject(self, raw: RawRecord, reason: str) -> None:
        """Count a rejected record; the first reasons are kept to be shown."""
        self.rejected += 1
        if len(self.reasons) < _SHOWN_REASONS:
            self.reasons.append(f"{raw.place}: {reason}")

    def reconcile(self) -> None:
        """Raise GenerationError unless every line read is accounted for."""
        known = self.indexed + self.rejected + self.deleted + self.late + self.unchanged
        known += self.kept_out
        if self.read != known:
            raise GenerationError(
                f"{self.read:,} records were read, but only {known:,} accounted for "
                f"({self.indexed:,} indexed, {self.rejected:,} rejected): some are lost. "
                "Nothing was promoted; load again."
            )


class Rejects:
    """The rejected records, whole, one JSON line each, with their reasons in a file beside.

    Both are made when the first record comes, for their owner's eyes only. ``keep`` takes the next
    free name where the file is there already, instead of writing over it.
    """

    def __init__(self, path: Path, *, keep: bool = False) -> None:
        self.path = path
        self._keep = keep
        self._records: BinaryIO | None = None
        self._reasons: TextIO | None = None

    @property
    def reasons(self) -> Path:
        """The file of the reasons."""
        return self.path.with_suffix(".reasons.txt")

    def add(self, raw: RawRecord, reason: str) -> None:
        """Set a record aside. Raises SourceError where it cannot be written."""
        try:
            if self._records is None or self._reasons is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path = _unused(self.path) if self._keep else self.path
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


def _unused(path: Path) -> Path:
    if not path.exists():
        return path
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(one for one in numbered if not one.exists())


def _private(path: Path) -> int:
    if path.is_file():
        path.chmod(0o600)  # it may be an older one, with any rights
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


class _Item(Struct, frozen=True, gc=False):
    """A document on its way, as bytes: to keep thousands of segments alive costs more than to make
    them. ``content`` is the hash of a record, 0 of a tombstone; ``code`` is empty for one."""

    raw: RawRecord
    source: bytes
    reference: str
    updated_at: datetime | None
    content: int = 0
    tombstone: bool = True
    code: str = ""
    bare_links: int = 0


def _item(
    raw: RawRecord, document: records.CrimeDocument | records.Tombstone, source: bytes = b""
) -> _Item:
    reference, moment = document.crime_ref, document.updated_at
    if isinstance(document, records.Tombstone):
        return _Item(raw, source, reference, moment)
    bare = sum(link.offence_code is None for link in document.linked) if document.linked else 0
    content = content_hash(source) if source else 0
    code = document.offence_code
    return _Item(
        raw, source, reference, moment, content, tombstone=False, code=code, bare_links=bare
    )


class _Chunk:
    """Records on their way in one request."""

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self.references: set[str] = set()
        self.size = 0

    def add(self, item: _Item) -> None:
        self.items.append(item)
        self.references.add(item.reference)
        self.size += len(item.source) + len(item.reference)

    @property
    def full(self) -> bool:
        return len(self.items) >= CHUNK_RECORDS or self.size >= CHUNK_BYTES


class Reader(Struct, frozen=True):
    """What turns raw records into documents. ``now`` dates deletions that do not say when."""

    offences: OffenceTable
    fields: FieldMap
    now: datetime
    contract: records.Contract = records.PLAIN

    def document(self, raw: RawRecord) -> records.CrimeDocument | records.Tombstone:
        """The document of a raw record. Raises RecordError."""
        if raw.error:
            raise records.RecordError(raw.error)
        if isinstance(raw.raw, dict):
            record = records.from_mapping(raw.raw, self.contract)
        elif self.fields.plain:
            record = records.from_json(raw.raw, self.contract)
        else:
            record = records.from_json_mapped(raw.raw, self.fields.apply, self.contract)
        if isinstance(record, records.Deletion):
            return records.to_tombstone(record, raw.place, self.now)
        return records.to_document(record, self.offences, raw.place, self.contract)


def build(  # noqa: PLR0913 - what is filled, from what
    client: Elasticsearch,
    index: str,
    raws: Iterable[RawRecord],
    reader: Reader,
    rejects: Rejects,
    tally: Tally | None = None,
) -> Tally:
    """Fill an index that is empty, but for what was forgotten, and return the reconciled tally.

    Raises SourceError where the records cannot be read to their end, ServerError where the server
    keeps refusing, GenerationError where a record is unaccounted for.
    """
    start = tally or Tally()
    return _run(raws, reader, rejects, start, lambda chunk: _create(client, index, chunk))


def change(  # noqa: PLR0913 - what is changed, by what, from where
    client: Elasticsearch,
    index: str,
    raws: Iterable[RawRecord],
    reader: Reader,
    rejects: Rejects,
    tally: Tally,
) -> Tally:
    """Apply changes to a copy of a generation, whose counts ``tally`` starts from. Raises as
    ``build``."""
    return _run(raws, reader, rejects, tally, lambda chunk: _apply(client, index, chunk))


def check(raws: Iterable[RawRecord], reader: Reader) -> Tally:
    """Read and check every record and write nothing."""
    tally = Tally()
    for raw in raws:
        tally.read += 1
        try:
            document = reader.document(raw)
        except records.RecordError as error:
            tally.reject(raw, str(error))
            continue
        item = _item(raw, document)
        _note(tally, item, reader.offences)
        tally.add(Outcome("deleted" if item.tombstone else "indexed"))
    return tally


def _run(
    raws: Iterable[RawRecord],
    reader: Reader,
    rejects: Rejects,
    tally: Tally,
    send: Callable[[_Chunk], list[Outcome]],
) -> Tally:
    with closing(rejects), ThreadPoolExecutor(IN_FLIGHT) as pool:
        waiting: deque[tuple[_Chunk, Future[list[Outcome]]]] = deque()

        def settle() -> None:
            chunk, future = waiting.popleft()
            for item, outcome in zip(chunk.items, future.result(), strict=True):
                if outcome.kind == "rejected":
                    _reject(tally, rejects, item.raw, outcome.reason)
                    continue
                tally.add(outcome)
                _note(tally, item, reader.offences)
                if tally.changed is not None and outcome.kind in ("indexed", "deleted"):
                    tally.changed.append(item.reference)

        for chunk in _chunks(raws, reader, tally, rejects):
            while waiting and (
                len(waiting) > IN_FLIGHT
                or any(not chunk.references.isdisjoint(other.references) for other, _ in waiting)
            ):
                settle()
            waiting.append((chunk, pool.submit(send, chunk)))
        while waiting:
            settle()
    tally.reconcile()
    return tally


def _chunks(
    raws: Iterable[RawRecord], reader: Reader, tally: Tally, rejects: Rejects
) -> Iterator[_Chunk]:
    chunk = _Chunk()
    for raw in raws:
        tally.read += 1
        try:
            document = reader.document(raw)
        except records.RecordError as error:
            _reject(tally, rejects, raw, str(error))
            continue
        chunk.add(_item(raw, document, records.encode(document)))
        if chunk.full:
            yield chunk
            chunk = _Chunk()
    if chunk.items:
        yield chunk


def content_hash(source: bytes) -> int:
    """A number for what a document says, not where it was read: ``place`` is its last field."""
    said = source[: source.rindex(b',"place":')]
    return int.from_bytes(hashlib.blake2b(said, digest_size=_HASH_BYTES).digest(), "big")


def _note(tally: Tally, item: _Item, offences: OffenceTable) -> None:
    moment = item.updated_at
    if moment and (tally.watermark is None or moment > tally.watermark):
        tally.watermark = moment
    if item.code and not offences.known(item.code):
        tally.unknown_codes[records.printable_code(item.code)] += 1
    tally.bare_links += item.bare_links


def _reject(tally: Tally, rejects: Rejects, raw: RawRecord, reason: str) -> None:
    tally.reject(raw, reason)
    rejects.add(raw, reason)


# -- sending, in a thread --------------------------------------------------------------------------


def _create(client: Elasticsearch, index: str, chunk: _Chunk) -> list[Outcome]:
    """Create a chunk's documents; one whose reference is taken is rejected."""
    items = chunk.items
    refused = _post(client, index, "create", items)
    taken = [place for place, status in refused.items() if status == _CONFLICT]
    outcomes = [
        Outcome("deleted", tombstones=1)
        if item.tombstone
        else Outcome("indexed", records=1, content=item.content)
        for item in items
    ]
    newer: list[int] = []
    for place, other in zip(taken, _taken(client, index, items, taken), strict=True):
        item = items[place]
        if other.forgotten:
            outcomes[place] = _of_forgotten(item, other.updated_at)
            if outcomes[place].kind == "indexed":
                newer.append(place)
        # A conflict with our own place is a request that was sent twice: it was created.
        elif other.place != item.raw.place:
            outcomes[place] = _duplicate(other.place)
    refused |= _renew(client, index, items, newer, outcomes)
    for place, status in refused.items():
        if status == _BAD_REQUEST:
            reason = "the server cannot index the record (400). Correct it."
            outcomes[place] = Outcome("rejected", reason)
    return outcomes


def _renew(
    client: Elasticsearch,
    index: str,
    items: list[_Item],
    newer: list[int],
    outcomes: list[Outcome],
) -> dict[int, int]:
    """Index what is newer than what was forgotten, of each reference the first; those refused."""
    first: dict[str, int] = {}
    for place in newer:
        held = first.setdefault(items[place].reference, place)
        if held != place:
            outcomes[place] = _duplicate(items[held].raw.place)
    sent = list(first.values())
    refused = _post(client, index, "index", [items[place] for place in sent])
    return {sent[number]: status for number, status in refused.items()}


def _duplicate(place: str) -> Outcome:
    return Outcome(
        "rejected", f'"crime_ref" is already that of the record at {place}. Keep one of the two.'
    )


class _Taken(NamedTuple):
    """What holds a reference already in an index that is being filled."""

    place: str
    updated_at: datetime | None

    @property
    def forgotten(self) -> bool:
        return self.place in records.KEEPING_OUT


def _taken(client: Elasticsearch, index: str, items: list[_Item], taken: list[int]) -> list[_Taken]:
    if not taken:
        return []
    ids = [items[place].reference for place in taken]
    fields = ["place", "updated_at"]
    found = client.mget(index=index, ids=ids, source_includes=fields).body["docs"]
    return [
        _Taken(str(held["_source"]["place"]), _moment(held["_source"].get("updated_at")))
        for held in found
    ]


def _moment(given: str | None) -> datetime | None:
    return msgspec.convert(given, datetime) if given else None


def _of_forgotten(item: _Item, at: datetime | None) -> Outcome:
    """What becomes of a line whose record was forgotten: only what is known to be newer is taken.

    Word of its deletion changes nothing, as it would be no longer known that it was forgotten.
    """
    if item.tombstone:
        return Outcome("unchanged")
    if at and item.updated_at and item.updated_at > at:
        return Outcome("indexed", records=1, tombstones=-1, content=item.content)
    return Outcome("kept_out")


class _Held(NamedTuple):
    """What the index holds of a reference."""

    updated_at: datetime | None
    content: int
    tombstone: bool
    forgotten: bool = False


def _apply(client: Elasticsearch, index: str, chunk: _Chunk) -> list[Outcome]:
    """Apply a chunk's changes, each where it is not older than what is held."""
    held = _held(client, index, chunk)
    outcomes: list[Outcome] = []
    sending: list[int] = []
    for place, item in enumerate(chunk.items):
        before = held.get(item.reference)
        outcome = _judge(item, before)
        outcomes.append(outcome)
        if outcome.kind in ("indexed", "deleted"):
            sending.append(place)
            held[item.reference] = _Held(item.updated_at, item.content, item.tombstone)
    refused = _post(client, index, "index", [chunk.items[place] for place in sending])
    if refused:
        # Later outcomes of the chunk were judged by what was refused, so the numbers are unsure.
        raise GenerationError(
            f"the server refused {len(refused):,} changed records, the first of them that of "
            f"{chunk.items[sending[min(refused)]].raw.place}. Nothing was promoted; correct it."
        )
    return outcomes


def _judge(item: _Item, before: _Held | None) -> Outcome:
    if before and before.forgotten:
        return _of_forgotten(item, before.updated_at)
    if before and before.updated_at and item.updated_at and item.updated_at < before.updated_at:
        return Outcome("late")
    was_record = before is not None and not before.tombstone
    was_tombstone = before is not None and before.tombstone
    gone = -before.content if before else 0
    if item.tombstone:
        return Outcome(
            "deleted", records=-int(was_record), tombstones=int(not was_tombstone), content=gone
        )
    if was_record and before and before.content == item.content:
        return Outcome("unchanged")
    return Outcome(
        "indexed",
        records=int(not was_record),
        tombstones=-int(was_tombstone),
        content=item.content + gone,
    )


def _held(client: Elasticsearch, index: str, chunk: _Chunk) -> dict[str, _Held]:
    ids = sorted(chunk.references)
    found = client.mget(index=index, ids=ids).body["docs"]
    held = {}
    for one in found:
        if not one.get("found"):
            continue
        source = one["_source"]
        tombstone = source["status"] == records.DELETED
        held[one["_id"]] = _Held(
            _moment(source.get("updated_at")),
            0 if tombstone else content_hash(records.encode(source)),
            tombstone,
            source["place"] in records.KEEPING_OUT,
        )
    return held


def _post(
    client: Elasticsearch, index: str, action: Literal["create", "index"], items: list[_Item]
) -> dict[int, int]:
    """Send documents, those again that the server was too busy for; the status of each refused."""
    refused: dict[int, int] = {}
    pending = list(range(len(items)))
    head = b'{"%b":{"_id":' % action.encode()
    for attempt in range(_RETRIES):
        if not pending:
            break
        if attempt:
            time.sleep(2**attempt / 4)
        lines: list[bytes] = []
        for place in pending:
            item = items[place]
            lines += (head + records.encode(item.reference) + b"}}", item.source)
        statuses = _statuses(client, index, action, lines, len(pending))
        busy = []
        for place, status in zip(pending, statuses, strict=True):
            if status == _BUSY:
                busy.append(place)
            elif status in (_CONFLICT, _BAD_REQUEST):
                refused[place] = status
            elif status > _BAD_REQUEST:
                raise ServerError(
                    f"the server refused records ({status}), which is no fault of theirs. "
                    "Nothing was promoted; load again when the server is well."
                )
        pending = busy
    if pending:
        raise ServerError(
            f"the server was too busy for {len(pending):,} records, also after {_RETRIES} tries. "
            "Nothing was promoted; load again when it is quieter."
        )
    return refused


def _statuses(
    client: Elasticsearch, index: str, action: str, lines: Sequence[Any], number: int
) -> list[int]:
    """The status of each document sent; of all "busy" where the server had no room for any."""
    try:
        answer = client.bulk(
            operations=lines,
            index=index,
            filter_path=[f"items.{action}.status", f"items.{action}.error.type"],
        ).body
    except elasticsearch.ApiError as error:
        if error.status_code == _BUSY and (_BUSY, error.error) != BLOCKED:
            return [_BUSY] * number
        raise
    items = [item[action] for item in answer["items"]]
    if any((one["status"], one.get("error", {}).get("type")) == BLOCKED for one in items):
        raise ServerError(DISK_FULL)
    return [item["status"] for item in items]
