"""Prepares batches in several processes, and yields them in the order in which they were read.

The first batches are prepared in this process, so a small load does not wait for others to start.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain, islice
from typing import Any, Final, TypeAlias

import msgspec

from indexer.errors import GenerationError
from indexer.loading.preparation import (
    DocumentBuilder,
    DocumentStatistics,
    PendingDocument,
    PreparedBatch,
    RecordFault,
    prepare_batch,
)
from indexer.sources.base import RawRecord

#: How many batches are prepared before other processes are started.
_FIRST_BATCHES: Final = 5

_MAX_DEFAULT_WORKERS: Final = 8

#: What a worker needs of a raw record, in the order of its fields; as tuples these pass faster.
_PackedRecord: TypeAlias = tuple[str, bytes | dict[str, Any], int, str | None, str]

#: The documents in msgpack, which passes thousands of them faster than pickle, and the rest.
_PackedBatch: TypeAlias = tuple[bytes, dict[int, RecordFault], DocumentStatistics]

_decode_documents: Final = msgspec.msgpack.Decoder(list[PendingDocument]).decode


def count_workers() -> int:
    """Half of the processors that this process may use, for the server needs the other half."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min((usable or 1) // 2, _MAX_DEFAULT_WORKERS))


def prepare_batches(
    batches: Iterator[list[RawRecord]], builder: DocumentBuilder
) -> Generator[tuple[list[RawRecord], PreparedBatch]]:
    """Each batch with what it was prepared to, by as many processes as the builder has workers.

    Raises GenerationError where one of them ends.
    """
    first_batches = None if builder.workers == 1 else _FIRST_BATCHES
    for batch in islice(batches, first_batches):
        yield batch, prepare_batch(batch, builder)
    if next_batch := next(batches, None):
        yield from _prepare_elsewhere(chain([next_batch], batches), builder)


def _prepare_elsewhere(
    batches: Iterator[list[RawRecord]], builder: DocumentBuilder
) -> Generator[tuple[list[RawRecord], PreparedBatch]]:
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    pool = ProcessPoolExecutor(builder.workers, context, _start_worker, (builder,))
    try:
        waiting: deque[tuple[list[RawRecord], Future[_PackedBatch]]] = deque()
        for batch in batches:
            packed = [(raw.location, raw.raw, raw.size, raw.error, raw.error_kind) for raw in batch]
            waiting.append((batch, pool.submit(_prepare_packed_batch, packed)))
            if len(waiting) > builder.workers + 1:
                prepared_batch, future = waiting.popleft()
                yield prepared_batch, _unpack_batch(future.result())
        while waiting:
            prepared_batch, future = waiting.popleft()
            yield prepared_batch, _unpack_batch(future.result())
    except BrokenProcessPool:
        raise GenerationError(
            "a process that prepared records was ended, perhaps for lack of memory. Nothing was "
            "promoted; run the command again, with fewer --workers."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_worker_builder: DocumentBuilder | None = None


def _start_worker(builder: DocumentBuilder) -> None:
    """Get a worker ready: an interrupt is for the process that started it, as is its end."""
    global _worker_builder  # noqa: PLW0603 - a pool gives its workers no other place
    _worker_builder = builder
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=partial(_end_with, parent), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _prepare_packed_batch(records: list[_PackedRecord]) -> _PackedBatch:
    """Prepare a batch in a worker."""
    assert _worker_builder is not None
    batch = prepare_batch([RawRecord(*record) for record in records], _worker_builder)
    return msgspec.msgpack.encode(batch.documents), batch.faults, batch.statistics


def _unpack_batch(packed: _PackedBatch) -> PreparedBatch:
    documents, faults, statistics = packed
    return PreparedBatch(_decode_documents(documents), faults, statistics)
