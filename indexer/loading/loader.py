"""Loads records into one index: checks them, sends them in bulk, and accounts for every line.

Every line read is indexed, rejected, deleted, late, unchanged, kept out or, if it is blank or a
rule says so, skipped, or the load fails.
*Filling* starts from an empty index: of two records with one reference the first is kept.
*Changing* starts from a copy of a generation: the version with the newer ``updated_at`` is kept.
Batches are prepared by as many processes as there are workers, and sent and settled in the order in
which they were read. Two requests are in flight while the next is prepared. Two requests in flight
never hold the same reference, so the result depends neither on timing nor on the workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Final

from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.loading.conflicts import (
    DUPLICATE_KIND,
    DUPLICATE_REASON,
    apply_document_changes,
    count_held,
    create_documents,
)
from indexer.loading.preparation import (
    DocumentBuilder,
    PendingDocument,
    PreparedBatch,
    RecordFault,
    collect_statistics,
)
from indexer.loading.rejects import Rejects
from indexer.loading.tally import PARTLY_REJECTED, LineOutcome, Tally
from indexer.loading.workers import prepare_batches
from indexer.sources.base import RawRecord

BATCH_RECORDS: Final = 2_000

BATCH_BYTES: Final = 3 * 1024 * 1024

REQUESTS_IN_FLIGHT: Final = 2

#: References are compared up to so many, in about 70 bytes each.
_MAX_COMPARED: Final = 5_000_000


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
    filled = _load_records(
        _Load(builder, rejects, start),
        raws,
        lambda documents: create_documents(client, index, documents),
    )
    if number := count_held(client, index, sorted(filled.rejected_references)):
        filled.notes[PARTLY_REJECTED] += number
    return filled


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
        _Load(builder, rejects, tally),
        raws,
        lambda documents: apply_document_changes(
            client, index, documents, builder.latest_stored_time
        ),
    )


def check_records(
    raws: Iterable[RawRecord], builder: DocumentBuilder, *, unique: bool = False
) -> Tally:
    """Read and check every record, and write nothing. With ``unique`` a reference may be that of
    one record only, as where an index is filled; the first five million are compared."""
    tally = Tally()
    load = _Load(builder, None, tally)
    references: set[int] = set()
    for batch, prepared in prepare_batches(_read_batches(raws, tally), builder):
        outcomes = _find_duplicates(prepared.documents, references) if unique else {}
        _settle_batch(load, batch, prepared, outcomes)
    return tally


def _find_duplicates(
    documents: list[PendingDocument], references: set[int]
) -> dict[int, LineOutcome]:
    """The outcomes, by their position, of documents whose reference an earlier one has;
    ``references`` takes what the others have."""
    outcomes: dict[int, LineOutcome] = {}
    for position, document in enumerate(documents):
        reference = hash(document.reference)
        if reference in references:
            outcomes[position] = LineOutcome("rejected", DUPLICATE_REASON, DUPLICATE_KIND)
        elif len(references) < _MAX_COMPARED:
            references.add(reference)
    return outcomes


class _Load(Struct, frozen=True):
    """How one load prepares records, and where it accounts for them."""

    builder: DocumentBuilder
    rejects: Rejects | None
    tally: Tally


_Send = Callable[[list[PendingDocument]], dict[int, LineOutcome]]


def _load_records(load: _Load, raws: Iterable[RawRecord], send: _Send) -> Tally:
    assert load.rejects is not None
    tally = load.tally
    with closing(load.rejects), ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
        waiting: deque[_SentBatch] = deque()
        batches = prepare_batches(_read_batches(raws, tally), load.builder)
        with closing(batches):
            for batch, prepared in batches:
                references = {document.reference for document in prepared.documents}
                while waiting and (
                    len(waiting) > REQUESTS_IN_FLIGHT
                    or any(not references.isdisjoint(sent.references) for sent in waiting)
                ):
                    waiting.popleft().settle(load)
                future = pool.submit(send, prepared.documents)
                waiting.append(_SentBatch(batch, prepared, references, future))
        while waiting:
            waiting.popleft().settle(load)
    tally.reconcile()
    return tally


class _SentBatch(Struct, frozen=True):
    """A batch that is on its way to the server."""

    raws: list[RawRecord]
    prepared: PreparedBatch
    references: set[str]
    outcomes: Future[dict[int, LineOutcome]]

    def settle(self, load: _Load) -> None:
        """Wait for the server, and account for every record."""
        _settle_batch(load, self.raws, self.prepared, self.outcomes.result())


def _settle_batch(
    load: _Load,
    raws: list[RawRecord],
    prepared: PreparedBatch,
    outcomes: dict[int, LineOutcome],
) -> None:
    """Account for every record of a batch; documents without an outcome were simply created."""
    tally = load.tally
    documents, faults = prepared.documents, prepared.faults
    if outcomes:
        kept_documents = []
        for position, document in enumerate(documents):
            outcome = outcomes.get(position)
            if outcome is None:
                tally.add_created([document])
            elif outcome.kind == "rejected":
                faults[document.number] = RecordFault(outcome.reason, outcome.reason_kind)
                continue
            else:
                tally.add(outcome)
            kept_documents.append(document)
            if tally.changed is not None and outcome and outcome.kind in ("indexed", "deleted"):
                tally.changed.append(document.reference)
        statistics = collect_statistics(kept_documents, load.builder.offences)
    else:
        tally.add_created(documents)
        statistics = prepared.statistics
    tally.add_statistics(statistics)
    for number in sorted(faults):
        raw, fault = raws[number], faults[number]
        tally.reject(raw, fault.reason, fault.kind)
        if fault.kind != DUPLICATE_KIND:  # which says it itself
            tally.note_rejected_reference(raw)
        if load.rejects is not None:
            load.rejects.add(raw, fault.reason)


def _read_batches(raws: Iterable[RawRecord], tally: Tally) -> Iterator[list[RawRecord]]:
    """Records in batches of one request each; what is none is counted as skipped."""
    batch: list[RawRecord] = []
    size = 0
    for raw in raws:
        if raw.notes:
            tally.notes.update(raw.notes)
        if raw.blank:
            tally.read += 1
            tally.skipped += 1
            if raw.skipped_by:
                tally.skipped_by[raw.skipped_by] += 1
            continue
        batch.append(raw)
        size += _measure_raw(raw)
        if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
            tally.read += len(batch)
            yield batch
            batch, size = [], 0
    if batch:
        tally.read += len(batch)
        yield batch


def _measure_raw(raw: RawRecord) -> int:
    """About how many bytes a record takes."""
    if isinstance(raw.raw, bytes):
        return len(raw.raw)
    if raw.size and raw.origin is not None:  # one row of a table, or one object
        return raw.size
    return sum(
        len(value) if isinstance(value, str) else sum(map(len, map(str, value)))
        for value in raw.raw.values()
        if isinstance(value, str | list)
    )
