"""One run at a time changes the index: a lock in the cluster that its holder must keep renewing.

The lock is a document in an index of its own, written with optimistic concurrency, so that only one
of two processes gets it. It says who holds it, and since when. A holder that dies stops renewing,
and another may take the lock: when the lease has run out, or at once on the machine that sees that
the process has ended. A holder that lost it must not promote.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import elasticsearch
import msgspec
import psutil
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import LockedError, LostLockError
from indexer.records.model import Timestamp

_LOCK_NAME: Final = "refresh"

_RENEWALS_PER_LEASE: Final = 4  # so three may fail before it is lost

#: The status and the error of a server that lets nothing be written, since its disk is full.
_WRITE_BLOCK: Final = (429, "cluster_block_exception")

_SETTINGS: Final = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True}

_MAPPINGS: Final = {"dynamic": False}


class LockDocument(Struct, frozen=True):
    """Who holds the lock, since when, and until when unless it is renewed (UTC). ``work`` is what
    runs, as a noun; ``process`` runs it on ``machine``, which is empty where no system says which
    it is. Earlier versions said neither."""

    holder: str
    token: str
    since: Timestamp
    until: Timestamp
    work: str = "refresh"
    machine: str = ""
    process: int = 0

    def is_held(self) -> bool:
        """Whether the lease has not run out, and its holder is not seen to have ended."""
        return datetime.now(UTC) < self.until and not self._has_ended()

    def _has_ended(self) -> bool:
        """Whether this machine knows that the process is no longer there."""
        if not self.machine or self.machine != _identify_machine():
            return False
        try:
            os.kill(self.process, 0)  # asks, and ends nothing
        except ProcessLookupError:
            return True
        except OSError:  # it is another user's
            pass
        return False


class Lease:
    """A lock that is held. Call ``check`` before anything that cannot be undone."""

    def __init__(self, client: Elasticsearch, index: str, seconds: int, work: str) -> None:
        self._client = client.options(
            request_timeout=max(2, seconds // _RENEWALS_PER_LEASE), max_retries=1
        )
        self._index = index
        self._work = work
        self._length = timedelta(seconds=seconds)
        self._lost = threading.Event()
        self._writing = threading.Lock()
        self._stop_event = threading.Event()
        self._since = datetime.now(UTC)
        self._token = secrets.token_hex(8)
        self._version: dict[str, Any] = {}
        self._until = self._since

    def check(self) -> None:
        """Raise LostLockError unless the lock is still ours.

        The server is asked: by the clock of another machine the lease may have run out before.
        """
        self._renew_once()
        if self._lost.is_set() or datetime.now(UTC) >= self._until:
            raise LostLockError(
                "this run lost its lock, as the server could not be reached to renew it, and "
                "another may be running. Nothing was promoted; run it again."
            )

    def take(self) -> None:
        """Take the lock. Raises LockedError, which says who holds it."""
        try:
            self._write(op_type="create")
        except elasticsearch.ConflictError:
            self._take_over()

    def _take_over(self) -> None:
        response = (
            self._client.options(ignore_status=404).get(index=self._index, id=_LOCK_NAME).body
        )
        if not response.get("found"):
            raise LockedError("another run has just ended. Run this one again.")
        lock = _parse_lock(response)
        if lock.token == self._token:  # our own write, whose answer was lost
            self._version, self._until = _build_version_condition(response), lock.until
            return
        if lock.is_held():
            raise _make_held_error(lock)
        try:
            self._write(**_build_version_condition(response))
        except elasticsearch.ConflictError:
            raise LockedError("another run took the lock first. Wait for it.") from None

    def _write(self, **condition: Any) -> None:
        until = datetime.now(UTC) + self._length
        lock = LockDocument(
            _describe_holder(),
            self._token,
            self._since,
            until,
            self._work,
            _identify_machine(),
            os.getpid(),
        )
        response = self._client.index(
            index=self._index, id=_LOCK_NAME, document=msgspec.to_builtins(lock), **condition
        )
        self._version = _build_version_condition(response.body)
        self._until = until

    def renew(self) -> None:
        """Keep renewing the lock until it is released or lost. Runs in a thread."""
        while not self._stop_event.wait(self._length.total_seconds() / _RENEWALS_PER_LEASE):
            self._renew_once()

    def _renew_once(self) -> None:
        """Renew the lock, or learn that it is lost.

        If a renewal does not come through, the next may; ``check`` knows when it is too late.
        """
        with self._writing, suppress(elasticsearch.ApiError, elasticsearch.TransportError):
            if self._lost.is_set():
                return
            try:
                self._write(**self._version)
            except elasticsearch.ConflictError:
                if not self._owns_lock():
                    self._lost.set()

    def _owns_lock(self) -> bool:
        """Whether a conflict was with our own write, whose response was lost."""
        response = (
            self._client.options(ignore_status=404).get(index=self._index, id=_LOCK_NAME).body
        )
        if not response.get("found") or response["_source"].get("token") != self._token:
            return False
        self._version = _build_version_condition(response)
        return True

    def stop(self) -> None:
        """Stop renewing. A renewal under way is still written."""
        self._stop_event.set()

    def release(self) -> None:
        """Release the lock. One that cannot be released runs out by itself."""
        try:
            self._delete()
        except elasticsearch.ConflictError:
            # A renewal was written, but its response was lost or came too late.
            with suppress(elasticsearch.ApiError, elasticsearch.TransportError):
                if self._owns_lock():
                    self._delete()
        except (elasticsearch.ApiError, elasticsearch.TransportError):
            return

    def _delete(self) -> None:
        self._client.delete(index=self._index, id=_LOCK_NAME, **self._version)


def read_lock(client: Elasticsearch, alias: str) -> LockDocument | None:
    """The lock of an alias if it is held. Raises LockedError."""
    response = client.options(ignore_status=404).get(index=f"{alias}.lock", id=_LOCK_NAME).body
    if not response.get("found"):
        return None
    lock = _parse_lock(response)
    return lock if lock.is_held() else None


def _parse_lock(response: Any) -> LockDocument:
    """The lock in a response. Raises LockedError for one that this foidex did not write."""
    try:
        return msgspec.convert(response["_source"], LockDocument)
    except msgspec.ValidationError:
        raise LockedError(
            f"the index {response['_index']} holds a lock that this version of foidex cannot read. "
            "If no foidex is changing it, delete that index, and run this again."
        ) from None


@contextmanager
def hold_lock(
    client: Elasticsearch, alias: str, seconds: int, work: str = "refresh"
) -> Iterator[Lease]:
    """Hold the lock of an alias by leases of ``seconds``, for a run whose ``work`` is this, as a
    noun. Raises LockedError where another does."""
    index = f"{alias}.lock"
    try:
        client.indices.create(index=index, settings=_SETTINGS, mappings=_MAPPINGS)
    except elasticsearch.BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
    lease = Lease(client, index, seconds, work)
    lease.take()
    renewer = threading.Thread(target=lease.renew, name="lease", daemon=True)
    renewer.start()
    try:
        yield lease
    finally:
        lease.stop()
        renewer.join(timeout=5)
        lease.release()


@contextmanager
def hold_lock_for_deletion(
    client: Elasticsearch, alias: str, seconds: int, work: str
) -> Iterator[None]:
    """Hold the lock as ``hold_lock`` does, for a run that only deletes generations or backups.

    A server whose disk is full lets no lock be written, but lets these be deleted, which is what
    makes room. Nobody else can take the lock either, so it is enough that nobody holds it. Raises
    LockedError where another does.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(hold_lock(client, alias, seconds, work))
        except elasticsearch.ApiError as error:
            if (error.status_code, error.error) != _WRITE_BLOCK:
                raise
            if lock := read_lock(client, alias):
                raise _make_held_error(lock) from None
        yield


def _make_held_error(lock: LockDocument) -> LockedError:
    return LockedError(
        f"a {lock.work} by {lock.holder} has been running since "
        f"{lock.since:%Y-%m-%d %H:%M:%S} UTC. Wait for it; if it is dead, its lock runs out at "
        f"{lock.until:%H:%M:%S} UTC."
    )


def _build_version_condition(answer: dict[str, Any]) -> dict[str, Any]:
    """The condition that the document is still as it was in a response."""
    return {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}


def _describe_holder() -> str:
    """Who runs this: user, machine and process."""
    return f"{psutil.Process().username()}@{socket.gethostname()} (process {os.getpid()})"


@cache
def _identify_machine() -> str:
    """The machine since it was started, and the container in it whose numbers of processes these
    are; empty where only Linux could say."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{started} {Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""
