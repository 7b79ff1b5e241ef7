"""Backups: generations as snapshots in a repository of the server, and back from there.

A snapshot says in its own metadata which generations it holds, so it can be restored where nothing
else is left. Knows nothing of records. The repository is registered at the server: for the embedded
server by us, a folder of its home; for others by its administrator.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import generations
from indexer.errors import BackupError
from indexer.generations import Generation
from indexer.settings import Index

EMBEDDED: Final = "foidex"
_META: Final = "foidex"
_TIMEOUT: Final = 6 * 3600
#: What the server says of a repository that it cannot write, or read.
Use = Literal["written", "read-only", "unknown"]
_UNUSABLE: Final = (
    "repository_exception",
    "repository_verification_exception",
    "snapshot_exception",
    "snapshot_missing_exception",
)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


class Backup(Struct, frozen=True):
    """One backup. ``generations`` are the names of what it holds, ``live`` which of them was live
    when it was ``taken_at`` (UTC); ``whole`` that every shard is in it."""

    name: str
    taken_at: datetime
    live: str
    generations: tuple[str, ...]
    records: int
    whole: bool = True


class _Known(Struct, frozen=True):
    """What a snapshot's metadata says; the server limits it to 1 KB."""

    alias: str
    live: str
    records: int


def register(client: Elasticsearch, folder: Path) -> str:
    """Register a folder as the embedded server's repository, and return its name."""
    try:
        client.snapshot.create_repository(
            name=EMBEDDED, repository={"type": "fs", "settings": {"location": str(folder)}}
        )
    except elasticsearch.ApiError as error:
        if error.error not in ("repository_exception", "repository_verification_exception"):
            raise
        raise BackupError(
            f"{folder}: the embedded server cannot write its backups there. If it was started by "
            "an earlier foidex, restart it: foidex down, foidex up. Else check the folder's rights."
        ) from None
    return EMBEDDED


def take(
    client: Elasticsearch, alias: str, repository: str, name: str | None, *, everything: bool
) -> Backup:
    """Back up the live generation, or every kept one; call it with the lock held.

    Raises NoIndexError where nothing is live, BackupError where no whole backup could be made.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    name = f"{alias}-{now:%Y%m%d-%H%M%S}" if name is None else name
    if not _NAME.fullmatch(name):
        raise BackupError(
            f'"{name[:100]}" is no name for a backup: it takes up to 80 lower-case letters, '
            "digits, - and _. Name another with --to."
        )
    live = generations.live(client, alias)
    kept = generations.everything(client, alias) if everything else [live]
    names = sorted(one.name for one in kept)
    known = _Known(alias, live.name, live.records)
    if any(one.name == name for one in listed(client, alias, repository)):
        raise _taken(name)
    try:
        answer = client.options(request_timeout=_TIMEOUT, max_retries=0).snapshot.create(
            repository=repository,
            snapshot=name,
            indices=names,
            include_global_state=False,
            metadata={_META: msgspec.to_builtins(known)},
            wait_for_completion=True,
        )
    except elasticsearch.BadRequestError as error:
        if error.error == "invalid_snapshot_name_exception":
            raise _taken(name) from None
        raise
    except elasticsearch.NotFoundError as error:
        raise _missing(error, repository) from None
    found = answer["snapshot"]
    if found["state"] != "SUCCESS":
        client.options(ignore_status=404).snapshot.delete(repository=repository, snapshot=name)
        raise BackupError(
            f"{found['shards']['failed']} of {found['shards']['total']} shards could not be backed "
            "up, so the backup was deleted. Try again when the cluster is whole."
        )
    return Backup(name, now, known.live, tuple(names), known.records)


def listed(client: Elasticsearch, alias: str, repository: str) -> list[Backup]:
    """The backups of the alias, newest first. Raises BackupError."""
    try:
        found = client.snapshot.get(repository=repository, snapshot="*").body["snapshots"]
    except elasticsearch.NotFoundError as error:
        raise _missing(error, repository) from None
    backups = []
    for one in found:
        if _META not in (one.get("metadata") or {}):
            continue
        known = msgspec.convert(one["metadata"][_META], _Known)
        if known.alias == alias:
            taken_at = datetime.fromtimestamp(one["start_time_in_millis"] // 1000, UTC)
            names = tuple(sorted(one["indices"]))
            whole = one["state"] == "SUCCESS"
            backups.append(
                Backup(one["snapshot"], taken_at, known.live, names, known.records, whole)
            )
    return sorted(backups, key=lambda one: (one.taken_at, one.name), reverse=True)


def looked_at(client: Elasticsearch, alias: str, repository: str) -> tuple[list[Backup], Use]:
    """The backups of the alias, newest first, and what the repository is good for: "written" where
    every node has written a file into it and removed it, "read-only" where it is registered so,
    "unknown" to a user who may back up and may not ask for that.

    Raises BackupError where it is not there, or cannot be used.
    """
    use: Use = "unknown"
    try:
        with suppress(elasticsearch.AuthorizationException):
            client.snapshot.verify_repository(name=repository)
            held = client.snapshot.get_repository(name=repository).body[repository]
            # The nodes write nothing to verify one that is read-only.
            read_only = str(held["settings"].get("readonly")).lower() == "true"
            use = "read-only" if read_only else "written"
        return listed(client, alias, repository), use
    except elasticsearch.ApiError as error:
        if error.error not in _UNUSABLE:
            raise _missing(error, repository) from None
    raise BackupError(
        f'the server\'s repository "{repository}" cannot be used. See that its folder is there, '
        "and that every node may read and write it."
    )


def find(client: Elasticsearch, alias: str, repository: str, name: str | None) -> Backup:
    """The named backup, else the newest whole one. Raises BackupError where there is none."""
    every = listed(client, alias, repository)
    for one in every:
        if one.name == name or (name is None and one.whole):
            return one
    names = ", ".join(one.name for one in every) or "none"
    what = "a whole backup" if name is None else f'"{name}"'
    raise BackupError(f'{what} is not in repository "{repository}". Those of {alias}: {names}.')


def restore(
    client: Elasticsearch, index: Index, repository: str, backup: Backup, *, everything: bool
) -> tuple[list[Generation], bool]:
    """Bring back a backup's live generation, or all it holds; call it with the lock held.

    Returns them, and whether one was made live: where another is live, that one stays so. Raises
    BackupError where one is here already, or does not come back whole; then nothing was changed.
    """
    names = list(backup.generations) if everything else [backup.live]
    _require_absent(client, names)
    live = generations.live_name(client, index.alias)
    try:
        _bring(client, index, repository, backup.name, names)
        back = [_checked(client, index.alias, name) for name in names]
    except BaseException:
        with suppress(elasticsearch.ApiError, elasticsearch.TransportError):
            for name in names:
                generations.discard(client, index.alias, name)
        raise
    if live is None:
        generations.promote(client, index.alias, next(x for x in back if x.name == backup.live))
    return back, live is None


def _bring(
    client: Elasticsearch, index: Index, repository: str, name: str, names: list[str]
) -> None:
    """Restore indices from a snapshot. Raises BackupError unless every shard came back."""
    answer = client.options(request_timeout=_TIMEOUT, max_retries=0).snapshot.restore(
        repository=repository,
        snapshot=name,
        indices=names,
        include_aliases=False,
        include_global_state=False,
        index_settings={"index.number_of_replicas": index.replicas},
        wait_for_completion=True,
    )
    shards = answer["snapshot"]["shards"]
    if shards["successful"] != shards["total"]:
        raise BackupError(
            f"{shards['total'] - shards['successful']} of {shards['total']} shards of {name} did "
            "not come back, so none was kept. Restore another backup."
        )


def _checked(client: Elasticsearch, alias: str, name: str) -> Generation:
    """A generation that came back, once it is known to hold what it says."""
    found = next((one for one in generations.everything(client, alias) if one.name == name), None)
    if found is None or generations.count(client, name) != (found.records, found.tombstones):
        raise BackupError(
            f"{name} does not hold the records it says, so it was not kept. Restore another backup."
        )
    return found


def delete(client: Elasticsearch, alias: str, repository: str, name: str) -> None:
    """Delete a backup: its text is then gone from the repository. Raises BackupError."""
    find(client, alias, repository, name)
    client.options(request_timeout=_TIMEOUT).snapshot.delete(repository=repository, snapshot=name)


def expire(client: Elasticsearch, alias: str, repository: str, days: int) -> list[str]:
    """Delete the backups that are older than so many days, but never the newest whole one."""
    every = listed(client, alias, repository)
    newest = next((one.name for one in every if one.whole), None)
    limit = datetime.now(UTC) - timedelta(days=days)
    old = [one.name for one in every if one.taken_at < limit and one.name != newest]
    for name in old:
        delete(client, alias, repository, name)
    return old


def _require_absent(client: Elasticsearch, names: list[str]) -> None:
    for name in names:
        if client.indices.exists(index=name):
            raise BackupError(
                f"{name} is here already, and nothing is written over. To make it live: "
                f"foidex rollback {name}"
            )


def _taken(name: str) -> BackupError:
    return BackupError(f'there is a backup named "{name}" already. Name another with --to.')


def _missing(error: elasticsearch.ApiError, repository: str) -> Exception:
    if error.error != "repository_missing_exception":
        return error
    return BackupError(
        f'the server has no repository "{repository}". Register it there, with a folder of '
        "path.repo that all its nodes share, or correct [backup] repository in foidex.toml."
    )
