"""Backups: generations are written as snapshots to a repository of the server, and restored.

A snapshot's own metadata names the generations it holds, so it can be restored even if nothing else
is left. This module knows nothing of records. For the embedded server foidex registers the
repository, a folder of its home; for other servers their administrator does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.config.model import IndexSettings
from indexer.errors import BackupError
from indexer.files import refuse_foreign_links
from indexer.index.generations import (
    Generation,
    clear_unfinished,
    count_documents,
    discard_generation,
    find_live_name,
    is_generation_name,
    list_verified,
    promote_generation,
    read_live_generation,
    show_restored,
)
from indexer.terminal import show_name

EMBEDDED_REPOSITORY: Final = "foidex"

#: What to do where the embedded server's folder of backups is gone.
MISSING_FOLDER_ADVICE: Final = (
    "Run foidex down; put a copy of the folder there, if you have one; then run foidex up, which "
    "makes the folder if it is missing, and foidex backup."
)

_METADATA_KEY: Final = "foidex"

_SETTINGS_PRIVILEGE: Final = "indices:admin/settings/update"

#: What a server answers to a question about privileges if its security is off.
_SECURITY_OFF_STATUSES: Final = (400, 405)

_SNAPSHOT_TIMEOUT_SECONDS: Final = 6 * 3600

#: The metadata of a snapshot has room for that many marks of 12 characters beside long names.
_MAX_MARKED_CONTENTS: Final = 20

#: Whether the server can write to a repository; unknown if this user may not ask.
RepositoryAccess = Literal["written", "read-only", "unknown"]

_UNUSABLE_ERRORS: Final = (
    "repository_exception",
    "repository_verification_exception",
    "snapshot_exception",
    "snapshot_missing_exception",
)

#: How the server answers where it cannot write a file.
_SERVER_FAULT: Final = 500

_BACKUP_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


class Backup(Struct, frozen=True, rename={"complete": "whole"}):
    """One backup. ``generations`` are the names it holds, ``live`` is the one that was live when it
    was taken (UTC), with ``records``; ``complete`` means that it has every shard. ``contents`` are
    marks of the content of ``generations``, in their order; empty where they were not recorded."""

    name: str
    taken_at: datetime
    live: str
    generations: tuple[str, ...]
    records: int
    complete: bool = True
    contents: tuple[str, ...] = ()


class Restoration(Struct, frozen=True):
    """What a restore did. ``restored`` came back; ``present`` existed with the same content and
    ``different`` with another, and ``uncompared`` where the backup does not say which: these three
    were left as they are. ``live`` is the one that is live now."""

    restored: tuple[Generation, ...]
    present: tuple[str, ...]
    different: tuple[str, ...]
    uncompared: tuple[str, ...]
    live: str


class _SnapshotMetadata(Struct, frozen=True):
    """A snapshot's metadata, which the server limits to 1 KB."""

    alias: str
    live: str
    records: int
    contents: tuple[str, ...] = ()


def register_repository(client: Elasticsearch, folder: Path) -> str:
    """Register a folder as the embedded server's repository, and return its name.

    Raises BackupError where the server cannot write there, or another user's link is in it: the
    server would read, write and delete where it leads.
    """
    try:
        refuse_foreign_links(folder)
    except OSError as error:
        raise BackupError(
            f"{error.filename}: cannot be used ({error.strerror}). Remove it, or copy the backups "
            "here again from where they are kept."
        ) from None
    for _ in range(2):
        try:
            client.snapshot.create_repository(
                name=EMBEDDED_REPOSITORY,
                repository={"type": "fs", "settings": {"location": str(folder)}},
            )
            client.snapshot.get(repository=EMBEDDED_REPOSITORY, snapshot="*")
        except elasticsearch.ApiError as error:
            if error.error not in _UNUSABLE_ERRORS:
                raise
            # The server remembers what it wrote last, even when it is started again. Where the
            # folder came back from an older copy, it must be told so; no file is removed.
            with suppress(elasticsearch.ApiError):
                client.snapshot.delete_repository(name=EMBEDDED_REPOSITORY)
        else:
            return EMBEDDED_REPOSITORY
    raise BackupError(_explain_unusable_folder(folder))


def _explain_unusable_folder(folder: Path) -> str:
    if _is_empty(folder):
        return (
            f"{folder}: the embedded server cannot use its backups there, because the folder is "
            f"missing or empty. {MISSING_FOLDER_ADVICE}"
        )
    return (
        f"{folder}: the embedded server cannot use its backups there. Check the rights of the "
        "folder, and that none of its files is missing, damaged or not the server's: bring them "
        "back from a copy. If the server was started by an earlier foidex, restart it: foidex "
        "down, foidex up."
    )


def _is_empty(folder: Path) -> bool:
    """Whether there is nothing in a folder, or no such folder."""
    try:
        return next(folder.iterdir(), None) is None
    except OSError as error:
        return isinstance(error, FileNotFoundError)


def take_backup(
    client: Elasticsearch, alias: str, repository: str, name: str | None, *, everything: bool
) -> Backup:
    """Back up the live generation, or with ``everything`` all kept ones. The lock must be held.

    Raises NoIndexError where nothing is live, BackupError where no complete backup could be made.
    """
    taken_at = datetime.now(UTC).replace(microsecond=0)
    name = f"{alias}-{taken_at:%Y%m%d-%H%M%S}" if name is None else name
    if not _BACKUP_NAME.fullmatch(name):
        raise BackupError(
            f'"{show_name(name)}" is not a name for a backup: it may have up to 80 lower-case '
            "letters, digits, - and _. Choose another with --to."
        )
    live = read_live_generation(client, alias)
    selection = list_verified(client, alias) if everything else [live]
    selection = sorted(selection, key=lambda generation: generation.name)
    names = [generation.name for generation in selection]
    contents = tuple(_mark_content(generation) for generation in selection[:_MAX_MARKED_CONTENTS])
    metadata = _SnapshotMetadata(
        alias, live.name, live.records, contents if len(contents) == len(names) else ()
    )
    if any(backup.name == name for backup in read_backups(client, alias, repository)):
        raise _make_duplicate_error(name)
    try:
        answer = client.options(
            request_timeout=_SNAPSHOT_TIMEOUT_SECONDS, max_retries=0
        ).snapshot.create(
            repository=repository,
            snapshot=name,
            indices=names,
            include_global_state=False,
            metadata={_METADATA_KEY: msgspec.to_builtins(metadata)},
            wait_for_completion=True,
        )
    except elasticsearch.BadRequestError as error:
        if error.error == "invalid_snapshot_name_exception":
            raise _make_duplicate_error(name) from None
        raise
    except elasticsearch.ApiError as error:
        raise _explain_unwritable_repository(error, repository) from None
    snapshot = answer["snapshot"]
    if snapshot["state"] != "SUCCESS":
        client.options(ignore_status=404).snapshot.delete(repository=repository, snapshot=name)
        raise BackupError(
            f"{snapshot['shards']['failed']} of {snapshot['shards']['total']} shards could not be "
            "backed up, so the backup was deleted. Try again when the cluster is complete."
        )
    return Backup(
        name,
        taken_at,
        metadata.live,
        tuple(names),
        metadata.records,
        contents=metadata.contents,
    )


def read_backups(client: Elasticsearch, alias: str, repository: str) -> list[Backup]:
    """The backups of the alias, newest first. Raises BackupError."""
    try:
        snapshots = client.snapshot.get(repository=repository, snapshot="*").body["snapshots"]
    except elasticsearch.ApiError as error:
        raise _explain_unusable_repository(error, repository) from None
    # Two of one second are in the order in which they were taken.
    snapshots.sort(key=lambda snapshot: snapshot["start_time_in_millis"], reverse=True)
    return [backup for snapshot in snapshots if (backup := _parse_backup(snapshot, alias))]


def _parse_backup(snapshot: dict[str, Any], alias: str) -> Backup | None:
    """The backup that a snapshot is; None for one of another alias, or that foidex did not make.

    Whoever may write into the repository can give a snapshot any metadata and any indices.
    """
    try:
        fields = (snapshot.get("metadata") or {}).get(_METADATA_KEY)
        metadata = msgspec.convert(fields, _SnapshotMetadata)
    except msgspec.ValidationError:
        return None
    names = tuple(sorted(snapshot["indices"]))
    complete = snapshot["state"] == "SUCCESS"
    if (
        metadata.alias != alias
        or not all(is_generation_name(alias, name) for name in (metadata.live, *names))
        or (complete and metadata.live not in names)
    ):
        return None
    return Backup(
        snapshot["snapshot"],
        datetime.fromtimestamp(snapshot["start_time_in_millis"] // 1000, UTC),
        metadata.live,
        names,
        metadata.records,
        complete,
        metadata.contents,
    )


def check_repository(
    client: Elasticsearch, alias: str, repository: str
) -> tuple[list[Backup], RepositoryAccess]:
    """The backups of the alias, newest first, and what can be done with the repository.

    That is "written" where every node has written a test file and removed it, "read-only" where it
    is registered so, and "unknown" for a user who may not ask. Raises BackupError where the
    repository is missing or cannot be used.
    """
    access: RepositoryAccess = "unknown"
    try:
        with suppress(elasticsearch.AuthorizationException):
            client.snapshot.verify_repository(name=repository)
            registration = client.snapshot.get_repository(name=repository).body[repository]
            # Verifying one that is read-only writes nothing.
            read_only = str(registration["settings"].get("readonly")).lower() == "true"
            access = "read-only" if read_only else "written"
        return read_backups(client, alias, repository), access
    except elasticsearch.ApiError as error:
        raise _explain_unusable_repository(error, repository) from None


def find_backup(client: Elasticsearch, alias: str, repository: str, name: str | None) -> Backup:
    """The named backup, or else the newest complete one. Raises BackupError where there is none."""
    all_backups = read_backups(client, alias, repository)
    for backup in all_backups:
        if backup.name == name or (name is None and backup.complete):
            return backup
    names = ", ".join(backup.name for backup in all_backups) or "none"
    target = "a complete backup" if name is None else f'"{show_name(name)}"'
    raise BackupError(f'{target} is not in repository "{repository}". Those of {alias}: {names}.')


def restore_backup(  # noqa: PLR0913 - what is restored, and what it is checked by
    client: Elasticsearch,
    index: IndexSettings,
    repository: str,
    backup: Backup,
    *,
    everything: bool,
    verify: Callable[[Generation], Generation | None],
) -> Restoration:
    """Restore a backup's live generation, or with ``everything`` all it holds, with the lock held.

    What an earlier run that was killed left is deleted first. Another live generation stays live.
    With ``everything``, generations that exist are left as they are. ``verify`` checks the content
    of each one that came back, and returns it where it changed it. Until all are checked, they are
    hidden, so nobody can use what a run that is killed leaves. Raises BackupError where all of them
    exist, or one does not come back as it was backed up; then nothing was changed.
    """
    live = find_live_name(client, index.alias)
    clear_unfinished(client, index.alias)
    if everything:
        existing = _find_existing_generations(client, index.alias, backup)
    else:
        existing = {}
        _reject_existing_generation(client, backup.live, live)
    names = [
        name
        for name in (backup.generations if everything else (backup.live,))
        if name not in existing
    ]
    is_hidden = _may_change_settings(client, index.alias)
    settings = {"index.number_of_replicas": index.replicas, "index.hidden": is_hidden}
    try:
        _restore_snapshot(client, settings, repository, backup.name, names)
        restored_generations = [
            _read_restored_generation(client, index.alias, backup, name) for name in names
        ]
        restored_generations = [
            verify(generation) or generation for generation in restored_generations
        ]
        if is_hidden:
            show_restored(client, names)
    except BaseException:
        with suppress(elasticsearch.ApiError, elasticsearch.TransportError):
            for name in names:
                discard_generation(client, index.alias, name)
        raise
    if live is None:
        generations = {generation.name: generation for generation in restored_generations}
        promote_generation(client, index.alias, (existing | generations)[backup.live])
    return _describe_restoration(backup, restored_generations, existing, live)


def _describe_restoration(
    backup: Backup,
    restored: list[Generation],
    existing: dict[str, Generation],
    live_before: str | None,
) -> Restoration:
    marks = dict(zip(backup.generations, backup.contents, strict=False))
    compared = [name for name in existing if name in marks]
    same = [name for name in compared if marks[name] == _mark_content(existing[name])]
    return Restoration(
        tuple(restored),
        present=tuple(same),
        different=tuple(name for name in compared if name not in same),
        uncompared=tuple(name for name in existing if name not in marks),
        live=live_before or backup.live,
    )


def _may_change_settings(client: Elasticsearch, alias: str) -> bool:
    """Whether this user may hide generations and show them again. The role of whoever keeps backups
    did not have that right in earlier versions."""
    try:
        return bool(
            client.security.has_privileges(
                index=[{"names": [f"{alias}-*"], "privileges": [_SETTINGS_PRIVILEGE]}]
            )["has_all_requested"]
        )
    except elasticsearch.ApiError as error:
        if error.status_code not in _SECURITY_OFF_STATUSES:
            raise
        return True


def _restore_snapshot(
    client: Elasticsearch,
    settings: dict[str, Any],
    repository: str,
    name: str,
    names: list[str],
) -> None:
    """Restore indices from a snapshot. Raises BackupError unless every shard came back."""
    answer = client.options(
        request_timeout=_SNAPSHOT_TIMEOUT_SECONDS, max_retries=0
    ).snapshot.restore(
        repository=repository,
        snapshot=name,
        indices=names,
        include_aliases=False,
        include_global_state=False,
        index_settings=settings,
        wait_for_completion=True,
    )
    shards = answer["snapshot"]["shards"]
    if shards["successful"] != shards["total"]:
        raise BackupError(
            f"{shards['total'] - shards['successful']} of {shards['total']} shards of {name} did "
            "not come back, so nothing was kept. Restore another backup."
        )


def _read_restored_generation(
    client: Elasticsearch, alias: str, backup: Backup, name: str
) -> Generation:
    """A restored generation. Raises BackupError unless it is the one that was backed up, and holds
    as many documents as it should."""
    verified = list_verified(client, alias, with_hidden=True)
    generation = next((candidate for candidate in verified if candidate.name == name), None)
    if generation is None or count_documents(client, name) != (
        generation.records,
        generation.tombstones,
    ):
        raise BackupError(
            f"{name} does not hold the number of records it should, so it was not kept. Restore "
            "another backup."
        )
    mark = dict(zip(backup.generations, backup.contents, strict=False)).get(name)
    if mark not in (None, _mark_content(generation)):
        raise BackupError(
            f"{name} is not the generation that {backup.name} was made of, so it was not kept: "
            "something else was put into the repository since. Restore another backup."
        )
    return generation


def delete_backup(client: Elasticsearch, alias: str, repository: str, name: str) -> None:
    """Delete a backup, and with it its records from the repository. Raises BackupError."""
    find_backup(client, alias, repository, name)
    try:
        client.options(request_timeout=_SNAPSHOT_TIMEOUT_SECONDS).snapshot.delete(
            repository=repository, snapshot=name
        )
    except elasticsearch.ApiError as error:
        raise _explain_unwritable_repository(error, repository) from None


def expire_backups(client: Elasticsearch, alias: str, repository: str, days: int) -> list[str]:
    """Delete the backups older than ``days``, but never the newest complete one; returns names."""
    all_backups = read_backups(client, alias, repository)
    newest = next((backup.name for backup in all_backups if backup.complete), None)
    limit = datetime.now(UTC) - timedelta(days=days)
    old_names = [
        backup.name for backup in all_backups if backup.taken_at < limit and backup.name != newest
    ]
    for name in old_names:
        delete_backup(client, alias, repository, name)
    return old_names


def _reject_existing_generation(client: Elasticsearch, name: str, live: str | None) -> None:
    if name == live:
        raise BackupError(
            f"{live} is live already, so nothing was restored or changed. The other backups: "
            "foidex backups"
        )
    if client.indices.exists(index=name):
        raise BackupError(
            f"{name} exists already, and nothing is overwritten. To make it live: "
            f"foidex rollback {name}"
        )


def _find_existing_generations(
    client: Elasticsearch, alias: str, backup: Backup
) -> dict[str, Generation]:
    """The generations of a backup that exist, by name. Raises BackupError where all of them do, or
    one is not complete."""
    verified = {generation.name: generation for generation in list_verified(client, alias)}
    existing = {}
    for name in backup.generations:
        if name in verified:
            existing[name] = verified[name]
        elif client.indices.exists(index=name):
            raise BackupError(
                f"{name} exists already, was not built by this foidex, and nothing is overwritten. "
                "Delete it on the server, and restore again."
            )
    if len(existing) == len(backup.generations):
        raise BackupError(
            f"every generation of {backup.name} exists already, so nothing was restored or "
            "changed. To make one live: foidex rollback GENERATION"
        )
    return existing


def _mark_content(generation: Generation) -> str:
    """A short mark of a generation's content, for a snapshot's metadata."""
    content = f"{generation.content_hash} {generation.records} {generation.tombstones}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _make_duplicate_error(name: str) -> BackupError:
    return BackupError(f'there is a backup named "{name}" already. Choose another with --to.')


def _explain_unwritable_repository(error: elasticsearch.ApiError, repository: str) -> Exception:
    """A BackupError where the server could not write to its repository; else the error itself."""
    if error.meta.status != _SERVER_FAULT:
        return _explain_missing_repository(error, repository)
    return BackupError(
        f'the server could not write to its repository "{repository}", so nothing was backed up or '
        "deleted there. Check that it is not read-only, that its disk has room, and that every "
        "node may write to its folder; foidex doctor tries that."
    )


def _explain_unusable_repository(error: elasticsearch.ApiError, repository: str) -> Exception:
    """A BackupError where the server cannot read its repository; else the error itself."""
    if error.error not in _UNUSABLE_ERRORS:
        return _explain_missing_repository(error, repository)
    return BackupError(
        f'the server\'s repository "{repository}" cannot be used. Check that its folder exists, '
        "that every node may read and write it, and that none of its files is missing, damaged or "
        "not the server's. Bring them back from a copy of the folder; a server of your own "
        "remembers what it wrote last, so remove the repository there and register it again."
    )


def _explain_missing_repository(error: elasticsearch.ApiError, repository: str) -> Exception:
    if error.error != "repository_missing_exception":
        return error
    return BackupError(
        f'the server has no repository "{repository}". Register it there, with a folder of '
        "path.repo that all its nodes share, or correct [backup] repository in foidex.toml."
    )
