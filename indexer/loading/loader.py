"""Loads records into one index: checks them, sends them in bulk, and accounts for every line.

Every line read is indexed, rejected, deleted, late, unchanged, kept out or, if it is blank or a
rule says so, skipped, or the load fails.
*Filling* starts from an empty index: of two records with one reference the first is kept.
*Changing* starts from a copy of a generation: the version with the newer ``updated_at`` is kept.
Two requests are in flight while the next is prepared. Two requests in flight never hold the same
reference, so the result does not depend on timing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import Final

from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.config.field_map import FieldMap
from indexer.loading.bulk_request import DocumentChunk, PendingDocument, prepare_document
from indexer.loading.conflicts import apply_document_changes, create_documents
from indexer.loading.rejects import Rejects
from indexer.loading.tally import LineOutcome, Tally
from indexer.records.contract import PLAIN_CONTRACT, RecordContract
from indexer.records.damage.kinds import NO_REPAIR, RepairKind
from indexer.records.document import build_document, build_tombstone
from indexer.records.model import CrimeDocument, Deletion, RecordError, Tombstone
from indexer.records.offences import OffenceTable
from indexer.records.parse import parse_mapped_line, parse_record_line, parse_record_mapping
from indexer.records.validation_messages import describe_offence_code
from indexer.sources.base import RawRecord

REQUESTS_IN_FLIGHT: Final = 2


class DocumentBuilder(Struct, frozen=True):
    """Turns raw records into documents. Deletions without a date get ``loaded_at``; damage of the
    kinds in ``repair`` is repaired. A version in the index that says it changed after
    ``latest_stored_time`` is wrong about that, and any other replaces it."""

    offences: OffenceTable
    fields: FieldMap
    loaded_at: datetime
    contract: RecordContract = PLAIN_CONTRACT
    repair: frozenset[RepairKind] = NO_REPAIR
    latest_stored_time: datetime | None = None

    def document(self, raw: RawRecord) -> CrimeDocument | Tombstone:
        """The document of a raw record. Raises RecordError."""
        if raw.error:
            raise RecordError(raw.error, raw.error_kind)
        if isinstance(raw.raw, dict):
            record = parse_record_mapping(raw.raw, self.contract)
        elif self.fields.plain:
            record = parse_record_line(raw.raw, self.contract)
        else:
            record = parse_mapped_line(raw.raw, self.fields.apply, self.contract)
        if isinstance(record, Deletion):
            return build_tombstone(record, raw.location, self.loaded_at)
        return build_document(record, self.offences, raw.location, self.contract, self.repair)


def fill_index(  # noqa: PLR0913 - what is filled, from what
    client: Elasticsearch,
    index: str,
    raws: Iterable[RawRecord],
    builder: DocumentBuilder,
    rejects: Rejects,
    tally: Tally | None = None,
) -> Tally:
    """Fill an index that holds nothing but tombstones of forgotten records; returns the tally.

    Raises SourceError where the records cannot all be read, ServerError where the server keeps
    refusing, GenerationError where a line is unaccounted for.
    """
    start = tally or Tally()
    return _load_records(
        raws, builder, rejects, start, lambda chunk: create_documents(client, index, chunk)
    )


def change_index(  # noqa: PLR0913 - what is changed, by what, from where
    client: Elasticsearch,
    index: str,
    raws: Iterable[RawRecord],
    builder: DocumentBuilder,
    rejects: Rejects,
    tally: Tally,
) -> Tally:
    """Apply changes to a copy of a generation; ``tally`` starts with its counts. Raises as
    ``fill_index`` does, and GenerationError where the server refuses a changed record."""
    return _load_records(
        raws,
        builder,
        rejects,
        tally,
        lambda chunk: apply_document_changes(client, index, chunk, builder.latest_stored_time),
    )


def check_records(raws: Iterable[RawRecord], builder: DocumentBuilder) -> Tally:
    """Read and check every record, and write nothing."""
    tally = Tally()
    for item in _prepare_documents(raws, builder, tally, rejects=None):
        _update_statistics(tally, item, builder.offences)
        tally.add(LineOutcome("deleted" if item.tombstone else "indexed"))
    return tally


def _load_records(
    raws: Iterable[RawRecord],
    builder: DocumentBuilder,
    rejects: Rejects,
    tally: Tally,
    send: Callable[[DocumentChunk], list[LineOutcome]],
) -> Tally:
    with closing(rejects), ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
        waiting: deque[tuple[DocumentChunk, Future[list[LineOutcome]]]] = deque()

        def settle() -> None:
            chunk, future = waiting.popleft()
            for item, outcome in zip(chunk.items, future.result(), strict=True):
                if outcome.kind == "rejected":
                    _reject_record(tally, rejects, item.raw, outcome.reason, outcome.reason_kind)
                    continue
                tally.add(outcome)
                _update_statistics(tally, item, builder.offences)
                if tally.changed is not None and outcome.kind in ("indexed", "deleted"):
                    tally.changed.append(item.reference)

        for chunk in _read_chunks(raws, builder, tally, rejects):
            while waiting and (
                len(waiting) > REQUESTS_IN_FLIGHT
                or any(
                    not chunk.references.isdisjoint(waiting_chunk.references)
                    for waiting_chunk, _ in waiting
                )
            ):
                settle()
            waiting.append((chunk, pool.submit(send, chunk)))
        while waiting:
            settle()
    tally.reconcile()
    return tally


def _read_chunks(
    raws: Iterable[RawRecord], builder: DocumentBuilder, tally: Tally, rejects: Rejects
) -> Iterator[DocumentChunk]:
    chunk = DocumentChunk()
    for item in _prepare_documents(raws, builder, tally, rejects):
        chunk.add(item)
        if chunk.full:
            yield chunk
            chunk = DocumentChunk()
    if chunk.items:
        yield chunk


def _prepare_documents(
    raws: Iterable[RawRecord], builder: DocumentBuilder, tally: Tally, rejects: Rejects | None
) -> Iterator[PendingDocument]:
    """The documents of the raw records. A record that is not valid is counted as rejected, and
    written to ``rejects`` if that is given."""
    for raw in raws:
        tally.read += 1
        if raw.blank:
            tally.skipped += 1
            if raw.skipped_by:
                tally.skipped_by[raw.skipped_by] += 1
            continue
        tally.notes.update(raw.notes)
        try:
            item = prepare_document(raw, builder.document(raw))
        except RecordError as error:
            _reject_record(tally, rejects, raw, str(error), error.kind)
            continue
        yield item


def _update_statistics(tally: Tally, item: PendingDocument, offences: OffenceTable) -> None:
    timestamp = item.updated_at
    if timestamp and (tally.watermark is None or timestamp > tally.watermark):
        tally.watermark = timestamp
    if item.code and not offences.has_code(item.code):
        tally.unknown_codes[describe_offence_code(item.code)] += 1
    tally.bare_links += item.bare_links
    tally.damage.add(item.damage, item.repaired)


def _reject_record(
    tally: Tally, rejects: Rejects | None, raw: RawRecord, reason: str, kind: str
) -> None:
    tally.reject(raw, reason, kind)
    if rejects is not None:
        rejects.add(raw, reason)
