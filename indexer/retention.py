"""What is no longer kept: one record forgotten everywhere at once, and files that grew old.

A forgotten record is replaced by a tombstone in every generation, whose metadata then says what it
holds, and the segments that held its text are written anew, so that the text is off the disk. Every
step may be run again: what an earlier run left half done is found and finished.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import backups, bulk, generations, offences, paging, records, refresh
from indexer.errors import BackupError, GenerationError
from indexer.generations import Generation

BEYOND: Final = (
    "the source: delete the record there first, or the next full refresh brings it back",
    "the text of other records, and their links, which may name it",
    "answers, letters and listings that were made from it, and rejects files named with --rejects",
    "copies of disk, repository or files, and what the file system has not yet written over",
)
_MERGE_TIMEOUT: Final = 6 * 3600
_EXPUNGE_SECONDS: Final = 90
_PAUSE: Final = 0.5
_PAGE: Final = 1_000
#: Any deleted document is worth a merge, and no history is worth keeping.
_AT_ONCE: Final = {
    "merge.policy.expunge_deletes_allowed": 0,
    "soft_deletes.retention_lease.period": "0s",
}

Held = Literal["record", "tombstone", "nothing"]


class InGeneration(Struct, frozen=True):
    """What one generation held, and holds now: ``searches_show`` is how many records a search for
    the reference still finds, ``deleted_in_files`` how many deleted documents its files hold."""

    name: str
    live: bool
    held: Held
    records: int
    searches_show: int
    deleted_in_files: int

    @property
    def gone(self) -> bool:
        """Whether nothing of the record is left here."""
        return not self.searches_show and not self.deleted_in_files


class InRejects(Struct, frozen=True):
    """One rejects file: the lines ``removed``, and those that name the reference but cannot be read
    as a record, so that a person must look."""

    path: str
    removed: int
    unclear: int


class Statement(Struct, frozen=True):
    """What was forgotten, where, and what still holds it. ``backups`` is None where they could not
    be asked; ``beyond`` is what foidex cannot reach."""

    crime_ref: str
    at: datetime
    generations: tuple[InGeneration, ...]
    rejects: tuple[InRejects, ...]
    backups: tuple[str, ...] | None
    beyond: tuple[str, ...] = BEYOND

    @property
    def found(self) -> bool:
        """Whether it was anywhere."""
        held = any(one.held == "record" for one in self.generations)
        return held or any(one.removed for one in self.rejects)


def forget(  # noqa: PLR0913 - what is forgotten, and everywhere it may be
    client: Elasticsearch,
    alias: str,
    reference: str,
    rejects: Path,
    key: str,
    repository: str | None,
) -> Statement:
    """Remove one record from every generation and rejects file; call it with the lock held.

    ``key`` is the name of the reference in the source's records. Raises GenerationError where it
    could not be removed from the files too: then it must be run again.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    generations.clear_unfinished(client, alias)
    live = generations.live_name(client, alias)
    every = generations.everything(client, alias)
    holders = {one.name: _held(client, one.name, reference) for one in every}
    every = [_replace_in(client, one, reference, holders[one.name], now) for one in every]
    for one in every:
        if _deleted(client, one.name):
            _expunge(client, one.name)
    statement = Statement(
        reference,
        now,
        tuple(
            InGeneration(
                one.name,
                one.name == live,
                holders[one.name],
                one.records,
                _shown(client, one.name, reference),
                _deleted(client, one.name),
            )
            for one in every
        ),
        tuple(_forget_in_rejects(rejects, reference, key)),
        _backups(client, alias, repository, holders),
    )
    if left := [one.name for one in statement.generations if not one.gone]:
        raise GenerationError(
            f"no search shows {reference} any more, but its text may still be in the files of "
            f"{', '.join(left)}, as somebody reads them. Run this again in some minutes."
        )
    return statement


def _held(client: Elasticsearch, name: str, reference: str) -> Held:
    found = client.options(ignore_status=404).get(
        index=name, id=reference, source_includes=["status"]
    )
    if not found.body.get("found"):
        return "nothing"
    return "tombstone" if found["_source"]["status"] == records.DELETED else "record"


def _replace_in(
    client: Elasticsearch, generation: Generation, reference: str, held: Held, now: datetime
) -> Generation:
    """Unseal a generation that holds the record, or that an earlier run left so, and seal it."""
    name = generation.name
    found = client.indices.get_settings(index=name, flat_settings=True).body
    sealed = found[name]["settings"].get("index.blocks.write") == "true"
    says_so = generations.count(client, name) == (generation.records, generation.tombstones)
    if held != "record" and sealed and says_so:
        return generation
    client.indices.put_settings(index=name, settings={"blocks.write": None})
    try:
        return _replace(client, generation, reference, held, now)
    finally:
        client.indices.put_settings(index=name, settings={"blocks.write": True})


def _replace(
    client: Elasticsearch, generation: Generation, reference: str, held: Held, now: datetime
) -> Generation:
    """Put a tombstone in the record's place; the generation as it then is, also in the index."""
    name = generation.name
    content = int(generation.content_hash, 16)
    if generations.count(client, name) != (generation.records, generation.tombstones):
        content = _content(client, name)  # an earlier run was ended before it had written this
    if held == "record":
        source = client.get(index=name, id=reference)["_source"]
        content -= bulk.content_hash(records.encode(source))
        tombstone = records.Tombstone(reference, now, records.DELETED, records.FORGOTTEN)
        client.index(index=name, id=reference, document=msgspec.to_builtins(tombstone))
    tally = bulk.Tally(content=content % bulk.HASH_RANGE, changed=[reference])
    generation = refresh.resolve_links(client, generation, tally, offences.load())
    now_held = generations.count(client, name)
    generation = msgspec.structs.replace(
        generation,
        records=now_held[0],
        tombstones=now_held[1],
        forgotten=generation.forgotten + generation.records - now_held[0],
    )
    return generations.mark_verified(client, generation)


def _content(client: Elasticsearch, name: str) -> int:
    """The content hash of an index, from every record it holds."""
    client.indices.refresh(index=name)
    alive = {"bool": {"must_not": {"term": {"status": records.DELETED}}}}
    return sum(
        bulk.content_hash(records.encode(hit["_source"]))
        for page in paging.pages(client, name, query=alive, size=_PAGE)
        for hit in page["hits"]["hits"]
    )


def _expunge(client: Elasticsearch, name: str) -> None:
    """Write the segments that hold deleted documents anew, until there are none.

    A deleted document stays while another copy of the shard might still ask for its history.
    """
    index = client.options(request_timeout=_MERGE_TIMEOUT).indices
    index.put_settings(index=name, settings=_AT_ONCE)
    until = time.monotonic() + _EXPUNGE_SECONDS
    while _deleted(client, name) and time.monotonic() < until:
        index.flush(index=name, force=True, wait_if_ongoing=True)
        index.forcemerge(index=name, only_expunge_deletes=True)
        index.flush(index=name, force=True, wait_if_ongoing=True)
        index.refresh(index=name)
        time.sleep(_PAUSE)
    index.put_settings(index=name, settings=dict.fromkeys(_AT_ONCE))


def _deleted(client: Elasticsearch, name: str) -> int:
    """The deleted documents that the files of any copy hold, with those inside records."""
    found = client.indices.stats(index=name, metric=["docs"]).body
    return int(found["indices"][name]["total"]["docs"]["deleted"])


def _shown(client: Elasticsearch, name: str, reference: str) -> int:
    found = client.search(
        index=name,
        query={
            "bool": {
                "filter": {"term": {"crime_ref": reference}},
                "must_not": {"term": {"status": records.DELETED}},
            }
        },
        size=0,
        track_total_hits=True,
        allow_partial_search_results=False,
    ).body
    return int(found["hits"]["total"]["value"])


def _backups(
    client: Elasticsearch, alias: str, repository: str | None, holders: dict[str, Held]
) -> tuple[str, ...] | None:
    """The backups that hold it, or may: of a generation that is no longer here nobody knows."""
    if repository is None:
        return None
    try:
        known = backups.listed(client, alias, repository)
    except (BackupError, elasticsearch.AuthorizationException):
        return None
    return tuple(
        one.name
        for one in known
        if any(holders.get(name, "record") != "nothing" for name in one.generations)
    )


# -- rejects files ---------------------------------------------------------------------------------


def _forget_in_rejects(folder: Path, reference: str, key: str) -> list[InRejects]:
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        named = [line for line in lines if _names(line, reference)]
        mine = [line for line in named if _is(line, reference, key)]
        if mine:
            scratch = path.with_name(f".{path.name}.{os.getpid()}")
            scratch.touch(mode=0o600)
            scratch.write_bytes(b"".join(line for line in lines if line not in mine))
            scratch.replace(path)
        unclear = sum(_record(line) is None for line in named)
        if mine or unclear:
            found.append(InRejects(str(path), len(mine), unclear))
    return found


def _names(line: bytes, reference: str) -> bool:
    return any(text in line for text in (reference.encode(), msgspec.json.encode(reference)[1:-1]))


def _is(line: bytes, reference: str, key: str) -> bool:
    record = _record(line)
    return record is not None and reference in (record.get(key), record.get("crime_ref"))


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def expire_rejects(folder: Path, days: int, *, dry_run: bool = False) -> list[str]:
    """Delete the rejects files that are older than so many days; their names."""
    limit = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    old = [
        path
        for pattern in ("*.jsonl", "*.reasons.txt")
        for path in sorted(folder.glob(pattern))
        if path.stat().st_mtime < limit
    ]
    if not dry_run:
        for path in old:
            path.unlink()
    return [path.name for path in old]


def told(statement: Statement) -> list[str]:
    """A statement in lines for a person."""
    one = statement
    lines = [f"{one.crime_ref}, asked to be forgotten at {one.at:%Y-%m-%d %H:%M:%S} UTC"]
    for place in one.generations:
        what = {
            "record": "was there and is removed",
            "tombstone": "was not there, but that it was deleted is",
            "nothing": "was not there",
        }[place.held]
        lines.append(
            f"{place.name}{' (live)' if place.live else ''}: {what}. Searches show "
            f"{place.searches_show}; deleted documents in its files: {place.deleted_in_files}; "
            f"records: {place.records:,}."
        )
    for file in one.rejects:
        lines.append(f"{file.path}: {file.removed} removed.")
        if file.unclear:
            lines.append(f"{file.path}: {file.unclear} lines name it and are no records. Look.")
    if one.backups is None:
        lines.append("Backups: not known; no repository is set, or this user may not see it.")
    elif one.backups:
        lines.append(
            f"Backups that hold it, or may: {', '.join(one.backups)}. "
            "Delete each: foidex backups --delete NAME"
        )
    else:
        lines.append("Backups: none holds it.")
    return [*lines, "Not reached:", *(f"  {what}" for what in one.beyond)]
