"""One refresh at a time: a lock in the cluster that its holder must keep renewing.

The lock is a document beside the index, written with optimistic concurrency, so of two takers one
wins. It says who holds it since when. A holder that dies stops renewing, and after the lease the
next taker may have it. A holder that finds its lock taken must not promote.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import LockedError

_NAME: Final = "refresh"
_RENEWALS: Final = 4  # of a lease: three may fail before it is lost
_SETTINGS: Final = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True}
_MAPPINGS: Final = {"dynamic": False}


class Lock(Struct, frozen=True):
    """What the document says: who holds it since when, and until when unless it is renewed."""

    holder: str
    token: str
    since: datetime
    until: datetime


class Lease:
    """A lock that is held. ``check`` before anything that cannot be undone."""

    def __init__(self, client: Elasticsearch, index: str, name: str, seconds: int) -> None:
        self._client = client.options(request_timeout=max(2, seconds // _RENEWALS), max_retries=1)
        self._index = index
        self._name = name
        self._length = timedelta(seconds=seconds)
        self._lost = threading.Event()
        self._done = threading.Event()
        self._since = datetime.now(UTC)
        self._token = secrets.token_hex(8)
        self._version: dict[str, Any] = {}
        self._until = self._since

    def check(self) -> None:
        """Raise LockedError unless the lock is still ours."""
        if self._lost.is_set() or datetime.now(UTC) >= self._until:
            raise LockedError(
                "this run lost its lock, as the server could not be reached to renew it, and a "
                "refresh may be running. Nothing was promoted; run it again."
            )

    def take(self) -> None:
        """Write the lock, or raise LockedError that says who holds it."""
        try:
            self._write(op_type="create")
        except elasticsearch.ConflictError:
            self._take_over()

    def _take_over(self) -> None:
        found = self._client.options(ignore_status=404).get(index=self._index, id=self._name).body
        if not found.get("found"):
            raise LockedError("another refresh has just ended. Run this one again.")
        held = msgspec.convert(found["_source"], Lock)
        if held.token == self._token:  # our own write, whose answer was lost
            self._version, self._until = _version(found), held.until
            return
        if datetime.now(UTC) < held.until:
            raise LockedError(
                f"a refresh by {held.holder} has been running since "
                f"{held.since:%Y-%m-%d %H:%M:%S} UTC. Wait for it; if it is dead, its lock runs "
                f"out at {held.until:%H:%M:%S} UTC."
            )
        try:
            self._write(**_version(found))
        except elasticsearch.ConflictError:
            raise LockedError("another refresh took the lock first. Wait for it.") from None

    def _write(self, **condition: Any) -> None:
        until = datetime.now(UTC) + self._length
        lock = Lock(_me(), self._token, self._since, until)
        written = self._client.index(
            index=self._index, id=self._name, document=msgspec.to_builtins(lock), **condition
        )
        self._version = _version(written.body)
        self._until = until

    def renew(self) -> None:
        """Renew the lock again and again, until it is released or lost. Runs in a thread."""
        while not self._done.wait(self._length.total_seconds() / _RENEWALS):
            try:
                self._write(**self._version)
            except elasticsearch.ConflictError:
                if not self._ours():
                    self._lost.set()
                    return
            except (elasticsearch.ApiError, elasticsearch.TransportError):
                continue  # the next renewal may come through; check() knows when it is too late

    def _ours(self) -> bool:
        """Whether a conflict was with our own write, whose answer was lost."""
        found = self._client.options(ignore_status=404).get(index=self._index, id=self._name).body
        if not found.get("found") or found["_source"]["token"] != self._token:
            return False
        self._version = _version(found)
        return True

    def stop(self) -> None:
        """Renew no more. A renewal under way is still written."""
        self._done.set()

    def release(self) -> None:
        """Give the lock back. A lock that cannot be given back runs out by itself."""
        try:
            self._delete()
        except elasticsearch.ConflictError:
            # A renewal came through whose answer was lost, or came too late.
            with suppress(elasticsearch.ApiError, elasticsearch.TransportError):
                if self._ours():
                    self._delete()
        except (elasticsearch.ApiError, elasticsearch.TransportError):
            return

    def _delete(self) -> None:
        self._client.delete(index=self._index, id=self._name, **self._version)


def current(client: Elasticsearch, alias: str) -> Lock | None:
    """The lock of an alias where it is held and has not run out."""
    found = client.options(ignore_status=404).get(index=f"{alias}.lock", id=_NAME).body
    if not found.get("found"):
        return None
    lock = msgspec.convert(found["_source"], Lock)
    return lock if datetime.now(UTC) < lock.until else None


@contextmanager
def held(client: Elasticsearch, alias: str, seconds: int) -> Iterator[Lease]:
    """Hold the lock of an alias. Raises LockedError where somebody else does."""
    index = f"{alias}.lock"
    try:
        client.indices.create(index=index, settings=_SETTINGS, mappings=_MAPPINGS)
    except elasticsearch.BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
    lease = Lease(client, index, _NAME, seconds)
    lease.take()
    keeper = threading.Thread(target=lease.renew, name="lease", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.stop()
        keeper.join(timeout=5)
        lease.release()


def _version(answer: dict[str, Any]) -> dict[str, Any]:
    """The condition that the document is still as it was in an answer."""
    return {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}


def _me() -> str:
    """Who runs this: user, machine and process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()} (process {os.getpid()})"
