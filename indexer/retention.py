"""What is no longer kept: one record forgotten everywhere at once, and files that grew old.

A forgotten record is replaced by a tombstone in every generation, whose metadata then says what it
holds, and the segments that held its text are written anew, so that the text is off the disk. Every
later generation starts with the tombstone, which keeps out what the source still sends. Every step
may be run again: what an earlier run left half done is found and finished.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import backups, bulk, generations, offences, paging, records, refresh
from indexer.errors import BackupError, GenerationError, RequestError
from indexer.generations import Generation
from indexer.lease import Lease
from indexer.records import Tombstone

BEYOND: Final = (
    "the source: delete the record there; a version of it that is newer than this comes back",
    "the text of other records, and their links, which may name it",
    "answers, letters and listings that were made from it, and rejects files named with --rejects",
    "the bases of answers in audit/basis: its reference, date and codes, and hashes of its text",
    "copies of disk, repository or files, and what the file system has not yet written over",
)
_MERGE_TIMEOUT: Final = 6 * 3600
_EXPUNGE_SECONDS: Final = 90
_PAUSE: Final = 0.5
_PAGE: Final = 1_000
_ALIVE: Final = {"bool": {"must_not": {"term": {"status": records.DELETED}}}}
#: Any deleted document is worth a merge, and no history is worth keeping.
_AT_ONCE: Final = {
    "merge.policy.expunge_deletes_allowed": 0,
    "soft_deletes.retention_lease.period": "0s",
}

Held = Literal["record", "tombstone", "forgotten", "kept out", "nothing"]
#: What stands where a tombstone keeps the record out already.
_KEPT: Final[tuple[Held, ...]] = ("forgotten", "kept out")


class InGeneration(Struct, frozen=True):
    """What one generation held, and holds now: ``searches_show`` is how many records a search for
    the reference still finds, ``deleted_in_files`` how many deleted documents its files hold, and
    ``copies_away`` how many copies of its shards are on no node that could be asked."""

    name: str
    live: bool
    held: Held
    records: int
    searches_show: int
    deleted_in_files: int
    copies_away: int

    @property
    def gone(self) -> bool:
        """Whether nothing of the record is left here, but in copies that are away."""
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

    @property
    def unheard_of(self) -> bool:
        """Whether nothing here ever was of it, so that the reference may be wrong."""
        return not self.found and all(one.held == "nothing" for one in self.generations)


def forget(  # noqa: PLR0913 - what is forgotten, and everywhere it may be
    client: Elasticsearch,
    alias: str,
    reference: str,
    rejects: Path,
    key: str,
    repository: str | None,
    lock: Lease,
) -> Statement:
    """Remove one record from every generation and rejects file, and keep it out; the lock is held.

    ``key`` is the name of the reference in the source's records. Raises RequestError for what can
    be no reference, GenerationError where it could not be removed from the files too: then it must
    be run again.
    """
    check(reference)
    now = datetime.now(UTC).replace(microsecond=0)
    generations.clear_unfinished(client, alias)
    from_rejects = _forget_in_rejects(rejects, reference, key)
    live = generations.live_name(client, alias)
    every = generations.everything(client, alias)
    holders = {one.name: _held(client, one.name, reference) for one in every}
    # A generation that never held it must know too, or the next refresh from it could take it.
    known = any(one.removed for one in from_rejects)
    known = known or any(held != "nothing" for held in holders.values())
    done = []
    for one in every:
        lock.check()
        held = holders[one.name]
        tombstone = _tombstone(reference, now, held)
        wanted = known and held not in _KEPT
        done.append(_replace_in(client, one, tombstone, held, wanted=wanted))
    every = done
    for one in every:
        if _deleted(client, one.name)[0]:
            _expunge(client, one.name)
    lock.check()
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
                *_deleted(client, one.name),
            )
            for one in every
        ),
        tuple(from_rejects),
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
        index=name, id=reference, source_includes=["status", "place"]
    )
    if not found.body.get("found"):
        return "nothing"
    if found["_source"]["status"] != records.DELETED:
        return "record"
    place: str = found["_source"]["place"]
    return next((kept for kept in _KEPT if place == kept), "tombstone")


def _tombstone(reference: str, now: datetime, held: Held) -> Tombstone:
    place = records.KEPT_OUT if held == "nothing" else records.FORGOTTEN
    return Tombstone(reference, now, records.DELETED, place)


def _replace_in(
    client: Elasticsearch, generation: Generation, tombstone: Tombstone, held: Held, *, wanted: bool
) -> Generation:
    """Unseal a generation that is to have the tombstone, or was left half done, and seal it."""
    name = generation.name
    found = client.indices.get_settings(index=name, flat_settings=True).body
    sealed = found[name]["settings"].get("index.blocks.write") == "true"
    if not wanted and sealed and _says_so(client, generation):
        return generation
    with _unsealed(client, name):
        return _replace(client, generation, tombstone, held, wanted=wanted)


def _says_so(client: Elasticsearch, generation: Generation) -> bool:
    """Whether a generation holds what its metadata says."""
    held = generations.count(client, generation.name)
    return held == (generation.records, generation.tombstones)


@contextmanager
def _unsealed(client: Elasticsearch, name: str) -> Iterator[None]:
    client.indices.put_settings(index=name, settings={"blocks.write": None})
    try:
        yield
    finally:
        client.indices.put_settings(index=name, settings={"blocks.write": True})


def _replace(
    client: Elasticsearch, generation: Generation, tombstone: Tombstone, held: Held, *, wanted: bool
) -> Generation:
    """Put a tombstone in the record's place; the generation as it then is, also in the index."""
    name, reference = generation.name, tombstone.crime_ref
    content = int(generation.content_hash, 16)
    if not _says_so(client, generation):
        content = _content(client, name)  # an earlier run was ended before it had written this
    if held == "record":
        source = client.get(index=name, id=reference)["_source"]
        content -= bulk.content_hash(records.encode(source))
    if wanted:
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


def returned(client: Elasticsearch, alias: str, names: list[str]) -> list[str]:
    """The references that are kept out of the live generation, and that one of these others, which
    came out of a backup, holds as records."""
    live = generations.live(client, alias)
    out = [one["crime_ref"] for one in refresh.forgotten(client, live.name)]
    found: set[str] = set()
    for name in names:
        for start in range(0, len(out) if name != live.name else 0, _PAGE):
            named = {"terms": {"crime_ref": out[start : start + _PAGE]}}
            held = client.search(
                index=name,
                query={"bool": {"filter": [named, _ALIVE]}},
                size=_PAGE,
                source_includes=["crime_ref"],
                allow_partial_search_results=False,
            )
            found |= {hit["_source"]["crime_ref"] for hit in held["hits"]["hits"]}
    return sorted(found)


def take_back(client: Elasticsearch, alias: str, reference: str, lock: Lease) -> list[str]:
    """Let the source bring a forgotten record back; the generations it was forgotten from. The lock
    is held. Raises RequestError for what can be no reference."""
    check(reference)
    generations.clear_unfinished(client, alias)
    undone = []
    for one in generations.everything(client, alias):
        held = _held(client, one.name, reference)
        if held not in _KEPT and _says_so(client, one):
            continue
        lock.check()
        with _unsealed(client, one.name):
            if held in _KEPT:
                client.delete(index=one.name, id=reference, refresh=True)
            _, tombstones = generations.count(client, one.name)
            generations.mark_verified(client, msgspec.structs.replace(one, tombstones=tombstones))
        undone.append(one.name)
    return undone


def check(reference: str) -> None:
    """Raise RequestError for what can be no reference of a record."""
    try:
        msgspec.convert(reference, records.Reference)
        reference.encode()
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise RequestError(
            "a reference is of 1 to 100 characters. Give one as the records have it."
        ) from None


def _content(client: Elasticsearch, name: str) -> int:
    """The content hash of an index, from every record it holds."""
    client.indices.refresh(index=name)
    return sum(
        bulk.content_hash(records.encode(hit["_source"]))
        for page in paging.pages(client, name, query=_ALIVE, size=_PAGE)
        for hit in page["hits"]["hits"]
    )


def _expunge(client: Elasticsearch, name: str) -> None:
    """Write the segments that hold deleted documents anew, until there are none.

    A deleted document stays while another copy of the shard might still ask for its history.
    """
    index = client.options(request_timeout=_MERGE_TIMEOUT).indices
    index.put_settings(index=name, settings=_AT_ONCE)
    until = time.monotonic() + _EXPUNGE_SECONDS
    while _deleted(client, name)[0] and time.monotonic() < until:
        index.flush(index=name, force=True, wait_if_ongoing=True)
        index.forcemerge(index=name, only_expunge_deletes=True)
        index.flush(index=name, force=True, wait_if_ongoing=True)
        index.refresh(index=name)
        time.sleep(_PAUSE)
    index.put_settings(index=name, settings=dict.fromkeys(_AT_ONCE))


def _deleted(client: Elasticsearch, name: str) -> tuple[int, int]:
    """The deleted documents that the files of any copy hold, with those inside records; and the
    copies that could not be asked."""
    found = client.indices.stats(index=name, metric=["docs"]).body
    shards = found["_shards"]
    deleted = int(found["indices"][name]["total"]["docs"]["deleted"])
    return deleted, int(shards["total"] - shards["successful"])


def _shown(client: Elasticsearch, name: str, reference: str) -> int:
    found = client.search(
        index=name,
        query={"bool": {"filter": [{"term": {"crime_ref": reference}}, _ALIVE]}},
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
        if any(holders.get(name) not in ("nothing", "kept out") for name in one.generations)
    )


# -- rejects files ---------------------------------------------------------------------------------


def _forget_in_rejects(folder: Path, reference: str, key: str) -> list[InRejects]:
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        whose = [_whose(line, reference, key) for line in lines]
        if mine := whose.count("its"):
            kept = [line for line, it in zip(lines, whose, strict=True) if it != "its"]
            scratch = path.with_name(f".{path.name}.{os.getpid()}")
            scratch.touch(mode=0o600)
            scratch.write_bytes(b"".join(kept))
            scratch.replace(path)
        if mine or "unclear" in whose:
            found.append(InRejects(str(path), mine, whose.count("unclear")))
    return found


def _whose(line: bytes, reference: str, key: str) -> Literal["its", "another's", "unclear"]:
    """Whose a line is; unclear where it is no record, but names the reference as JSON may."""
    record = _record(line)
    if record is None:
        return "unclear" if reference.encode() in line.replace(b"\\/", b"/") else "another's"
    named = [str(record.get(name, "")).strip() for name in (key, "crime_ref")]
    return "its" if reference in named else "another's"


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
            "forgotten": "was forgotten before",
            "kept out": "was not there, and is kept out",
            "nothing": "was not there",
        }[place.held]
        lines.append(
            f"{place.name}{' (live)' if place.live else ''}: {what}. Searches show "
            f"{place.searches_show}; deleted documents in its files: {place.deleted_in_files}; "
            f"records: {place.records:,}."
        )
        if place.copies_away:
            lines.append(
                f"{place.name}: copies of its shards that are away, and may hold it on their "
                f"disks: {place.copies_away}. Run this again when the cluster is whole."
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
