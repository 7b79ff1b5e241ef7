"""What is no longer kept: one record forgotten everywhere at once, and files that grew old.

A forgotten record is replaced by a tombstone in every generation, whose metadata then says what it
holds, and the segments that held its text are written anew, so that the text is off the disk. Every
later generation starts with the tombstone, which keeps out what the source still sends. Every step
may be run again: what an earlier run left half done is found and finished.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import BackupError, GenerationError, RequestError
from indexer.files import write_file
from indexer.index.backups import read_backups
from indexer.index.generations import (
    Generation,
    clear_unfinished,
    count_documents,
    find_live_name,
    list_verified,
    mark_verified,
    read_live_generation,
)
from indexer.index.lock import Lease
from indexer.index.paging import search_pages
from indexer.jobs.links import resolve_links
from indexer.jobs.refresh import list_erasure_tombstones
from indexer.loading.content_hash import CONTENT_HASH_RANGE, hash_content
from indexer.loading.tally import Tally
from indexer.records.model import DELETED, FORGOTTEN, KEPT_OUT, Reference, Tombstone
from indexer.records.offences import load_offence_table

NOT_REACHED: Final = (
    "the source: delete the record there; a version of it that is newer than this comes back",
    "the text of other records, and their links, which may name it",
    "answers, letters and listings that were made from it, and rejects files named with --rejects",
    "the bases of answers in audit/basis: its reference, date and codes, and hashes of its text",
    "copies of disk, repository or files, and what the file system has not yet written over",
)

_MERGE_TIMEOUT_SECONDS: Final = 6 * 3600

_EXPUNGE_SECONDS: Final = 90

_PAUSE_SECONDS: Final = 0.5

_PAGE_SIZE: Final = 1_000

_NOT_DELETED: Final = {"bool": {"must_not": {"term": {"status": DELETED}}}}

#: Any deleted document is worth a merge, and no history is worth keeping.
_EXPUNGE_SETTINGS: Final = {
    "merge.policy.expunge_deletes_allowed": 0,
    "soft_deletes.retention_lease.period": "0s",
}

RecordPresence = Literal["record", "tombstone", "forgotten", "kept out", "nothing"]

#: What stands where a tombstone keeps the record out already.
_KEEPING_OUT: Final[tuple[RecordPresence, ...]] = ("forgotten", "kept out")


class GenerationErasure(Struct, frozen=True, rename={"presence": "held"}):
    """What one generation held, and holds now: ``searches_show`` is how many records a search for
    the reference still finds, ``deleted_in_files`` how many deleted documents its files hold, and
    ``copies_away`` how many copies of its shards are on no node that could be asked."""

    name: str
    live: bool
    presence: RecordPresence
    records: int
    searches_show: int
    deleted_in_files: int
    copies_away: int

    @property
    def is_erased(self) -> bool:
        """Whether nothing of the record is left here, but in copies that are away."""
        return not self.searches_show and not self.deleted_in_files


class RejectsErasure(Struct, frozen=True):
    """One rejects file: the lines ``removed``, and those that name the reference but cannot be read
    as a record, so that a person must look."""

    path: str
    removed: int
    unclear: int


class ErasureStatement(Struct, frozen=True, rename={"timestamp": "at", "not_reached": "beyond"}):
    """What was forgotten, where, and what still holds it. ``backups`` is None where they could not
    be asked; ``beyond`` is what foidex cannot reach."""

    crime_ref: str
    timestamp: datetime
    generations: tuple[GenerationErasure, ...]
    rejects: tuple[RejectsErasure, ...]
    backups: tuple[str, ...] | None
    not_reached: tuple[str, ...] = NOT_REACHED

    @property
    def was_present(self) -> bool:
        """Whether it was anywhere."""
        in_index = any(generation.presence == "record" for generation in self.generations)
        return in_index or any(file.removed for file in self.rejects)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing here ever was of it, so that the reference may be wrong."""
        return not self.was_present and all(
            generation.presence == "nothing" for generation in self.generations
        )


def erase_record(  # noqa: PLR0913 - what is forgotten, and everywhere it may be
    client: Elasticsearch,
    alias: str,
    reference: str,
    rejects: Path,
    key: str,
    repository: str | None,
    lock: Lease,
) -> ErasureStatement:
    """Remove one record from every generation and rejects file, and keep it out; the lock is held.

    ``key`` is the name of the reference in the source's records. Raises RequestError for what can
    be no reference, GenerationError where it could not be removed from the files too: then it must
    be run again.
    """
    check_reference(reference)
    erased_at = datetime.now(UTC).replace(microsecond=0)
    clear_unfinished(client, alias)
    from_rejects = _erase_from_rejects(rejects, reference, key)
    live = find_live_name(client, alias)
    all_generations = list_verified(client, alias)
    presences = {
        generation.name: _find_presence(client, generation.name, reference)
        for generation in all_generations
    }
    # A generation that never held it must know too, or the next refresh from it could take it.
    is_known = any(file.removed for file in from_rejects)
    is_known = is_known or any(presence != "nothing" for presence in presences.values())
    updated_generations = []
    for generation in all_generations:
        lock.check()
        presence = presences[generation.name]
        tombstone = _make_erasure_tombstone(reference, erased_at, presence)
        needs_tombstone = is_known and presence not in _KEEPING_OUT
        updated_generations.append(
            _erase_in_generation(
                client, generation, tombstone, presence, needs_tombstone=needs_tombstone
            )
        )
    all_generations = updated_generations
    for generation in all_generations:
        if _count_deleted(client, generation.name)[0]:
            _expunge_deleted(client, generation.name)
    lock.check()
    statement = ErasureStatement(
        reference,
        erased_at,
        tuple(
            GenerationErasure(
                generation.name,
                generation.name == live,
                presences[generation.name],
                generation.records,
                _count_searchable(client, generation.name, reference),
                *_count_deleted(client, generation.name),
            )
            for generation in all_generations
        ),
        tuple(from_rejects),
        _list_holding_backups(client, alias, repository, presences),
    )
    if remaining_names := [
        generation.name for generation in statement.generations if not generation.is_erased
    ]:
        raise GenerationError(
            f"no search shows {reference} any more, but its text may still be in the files of "
            f"{', '.join(remaining_names)}, as somebody reads them. Run this again in some minutes."
        )
    return statement


def _find_presence(client: Elasticsearch, name: str, reference: str) -> RecordPresence:
    response = client.options(ignore_status=404).get(
        index=name, id=reference, source_includes=["status", "place"]
    )
    if not response.body.get("found"):
        return "nothing"
    if response["_source"]["status"] != DELETED:
        return "record"
    marker: str = response["_source"]["place"]
    return next((presence for presence in _KEEPING_OUT if marker == presence), "tombstone")


def _make_erasure_tombstone(
    reference: str, erased_at: datetime, presence: RecordPresence
) -> Tombstone:
    marker = KEPT_OUT if presence == "nothing" else FORGOTTEN
    return Tombstone(reference, erased_at, DELETED, marker)


def _erase_in_generation(
    client: Elasticsearch,
    generation: Generation,
    tombstone: Tombstone,
    presence: RecordPresence,
    *,
    needs_tombstone: bool,
) -> Generation:
    """Unseal a generation that is to have the tombstone, or was left half done, and seal it."""
    name = generation.name
    settings = client.indices.get_settings(index=name, flat_settings=True).body
    is_sealed = settings[name]["settings"].get("index.blocks.write") == "true"
    if not needs_tombstone and is_sealed and _matches_metadata(client, generation):
        return generation
    with _unseal_index(client, name):
        return _replace_record(
            client, generation, tombstone, presence, needs_tombstone=needs_tombstone
        )


def _matches_metadata(client: Elasticsearch, generation: Generation) -> bool:
    """Whether a generation holds what its metadata says."""
    counts = count_documents(client, generation.name)
    return counts == (generation.records, generation.tombstones)


@contextmanager
def _unseal_index(client: Elasticsearch, name: str) -> Iterator[None]:
    client.indices.put_settings(index=name, settings={"blocks.write": None})
    try:
        yield
    finally:
        client.indices.put_settings(index=name, settings={"blocks.write": True})


def _replace_record(
    client: Elasticsearch,
    generation: Generation,
    tombstone: Tombstone,
    presence: RecordPresence,
    *,
    needs_tombstone: bool,
) -> Generation:
    """Put a tombstone in the record's place; the generation as it then is, also in the index."""
    name, reference = generation.name, tombstone.crime_ref
    content = int(generation.content_hash, 16)
    if not _matches_metadata(client, generation):
        content = _compute_content_hash(
            client, name
        )  # an earlier run was ended before it had written this
    if presence == "record":
        source = client.get(index=name, id=reference)["_source"]
        content -= hash_content(source)
    if needs_tombstone:
        client.index(index=name, id=reference, document=msgspec.to_builtins(tombstone))
    tally = Tally(content=content % CONTENT_HASH_RANGE, changed=[reference])
    generation = resolve_links(client, generation, tally, load_offence_table())
    counts = count_documents(client, name)
    generation = msgspec.structs.replace(
        generation,
        records=counts[0],
        tombstones=counts[1],
        forgotten=generation.forgotten + generation.records - counts[0],
    )
    return mark_verified(client, generation)


def find_returned_references(client: Elasticsearch, alias: str, names: list[str]) -> list[str]:
    """The references that are kept out of the live generation, and that one of these others, which
    came out of a backup, holds as records."""
    live = read_live_generation(client, alias)
    erased_references = [
        tombstone["crime_ref"] for tombstone in list_erasure_tombstones(client, live.name)
    ]
    returned_references: set[str] = set()
    for name in names:
        for start in range(0, len(erased_references) if name != live.name else 0, _PAGE_SIZE):
            reference_filter = {
                "terms": {"crime_ref": erased_references[start : start + _PAGE_SIZE]}
            }
            response = client.search(
                index=name,
                query={"bool": {"filter": [reference_filter, _NOT_DELETED]}},
                size=_PAGE_SIZE,
                source_includes=["crime_ref"],
                allow_partial_search_results=False,
            )
            returned_references |= {hit["_source"]["crime_ref"] for hit in response["hits"]["hits"]}
    return sorted(returned_references)


def readmit_record(client: Elasticsearch, alias: str, reference: str, lock: Lease) -> list[str]:
    """Let the source bring a forgotten record back; the generations it was forgotten from. The lock
    is held. Raises RequestError for what can be no reference."""
    check_reference(reference)
    clear_unfinished(client, alias)
    changed_names = []
    for generation in list_verified(client, alias):
        presence = _find_presence(client, generation.name, reference)
        if presence not in _KEEPING_OUT and _matches_metadata(client, generation):
            continue
        lock.check()
        with _unseal_index(client, generation.name):
            if presence in _KEEPING_OUT:
                client.delete(index=generation.name, id=reference, refresh=True)
            _, tombstones = count_documents(client, generation.name)
            mark_verified(client, msgspec.structs.replace(generation, tombstones=tombstones))
        changed_names.append(generation.name)
    return changed_names


def check_reference(reference: str) -> None:
    """Raise RequestError for what can be no reference of a record."""
    try:
        msgspec.convert(reference, Reference)
        reference.encode()
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise RequestError(
            "a reference is of 1 to 100 characters. Give one as the records have it."
        ) from None


def _compute_content_hash(client: Elasticsearch, name: str) -> int:
    """The content hash of an index, from every record it holds."""
    client.indices.refresh(index=name)
    return sum(
        hash_content(hit["_source"])
        for page in search_pages(client, name, query=_NOT_DELETED, size=_PAGE_SIZE)
        for hit in page["hits"]["hits"]
    )


def _expunge_deleted(client: Elasticsearch, name: str) -> None:
    """Write the segments that hold deleted documents anew, until there are none.

    A deleted document stays while another copy of the shard might still ask for its history.
    """
    index = client.options(request_timeout=_MERGE_TIMEOUT_SECONDS).indices
    index.put_settings(index=name, settings=_EXPUNGE_SETTINGS)
    deadline = time.monotonic() + _EXPUNGE_SECONDS
    while _count_deleted(client, name)[0] and time.monotonic() < deadline:
        index.flush(index=name, force=True, wait_if_ongoing=True)
        index.forcemerge(index=name, only_expunge_deletes=True)
        index.flush(index=name, force=True, wait_if_ongoing=True)
        index.refresh(index=name)
        time.sleep(_PAUSE_SECONDS)
    index.put_settings(index=name, settings=dict.fromkeys(_EXPUNGE_SETTINGS))


def _count_deleted(client: Elasticsearch, name: str) -> tuple[int, int]:
    """The deleted documents that the files of any copy hold, with those inside records; and the
    copies that could not be asked."""
    stats = client.indices.stats(index=name, metric=["docs"]).body
    shards = stats["_shards"]
    deleted = int(stats["indices"][name]["total"]["docs"]["deleted"])
    return deleted, int(shards["total"] - shards["successful"])


def _count_searchable(client: Elasticsearch, name: str, reference: str) -> int:
    response = client.search(
        index=name,
        query={"bool": {"filter": [{"term": {"crime_ref": reference}}, _NOT_DELETED]}},
        size=0,
        track_total_hits=True,
        allow_partial_search_results=False,
    ).body
    return int(response["hits"]["total"]["value"])


def _list_holding_backups(
    client: Elasticsearch, alias: str, repository: str | None, presences: dict[str, RecordPresence]
) -> tuple[str, ...] | None:
    """The backups that hold it, or may: of a generation that is no longer here nobody knows."""
    if repository is None:
        return None
    try:
        all_backups = read_backups(client, alias, repository)
    except (BackupError, elasticsearch.AuthorizationException):
        return None
    return tuple(
        backup.name
        for backup in all_backups
        if any(presences.get(name) not in ("nothing", "kept out") for name in backup.generations)
    )


# -- rejects files ---------------------------------------------------------------------------------


def _erase_from_rejects(folder: Path, reference: str, key: str) -> list[RejectsErasure]:
    erasures = []
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        owners = [_classify_rejects_line(line, reference, key) for line in lines]
        if removed_count := owners.count("its"):
            remaining_lines = [
                line for line, owner in zip(lines, owners, strict=True) if owner != "its"
            ]
            write_file(path, b"".join(remaining_lines), private=True)
        if removed_count or "unclear" in owners:
            erasures.append(RejectsErasure(str(path), removed_count, owners.count("unclear")))
    return erasures


def _classify_rejects_line(
    line: bytes, reference: str, key: str
) -> Literal["its", "another's", "unclear"]:
    """Whose a line is; unclear where it is no record, but names the reference as JSON may."""
    record = _parse_rejects_line(line)
    if record is None:
        return "unclear" if reference.encode() in line.replace(b"\\/", b"/") else "another's"
    references = [str(record.get(name, "")).strip() for name in (key, "crime_ref")]
    return "its" if reference in references else "another's"


def _parse_rejects_line(line: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def format_statement(statement: ErasureStatement) -> list[str]:
    """A statement in lines for a person."""
    erasure = statement
    lines = [
        f"{erasure.crime_ref}, asked to be forgotten at {erasure.timestamp:%Y-%m-%d %H:%M:%S} UTC"
    ]
    for generation in erasure.generations:
        outcome = {
            "record": "was there and is removed",
            "tombstone": "was not there, but that it was deleted is",
            "forgotten": "was forgotten before",
            "kept out": "was not there, and is kept out",
            "nothing": "was not there",
        }[generation.presence]
        lines.append(
            f"{generation.name}{' (live)' if generation.live else ''}: {outcome}. Searches show "
            f"{generation.searches_show}; deleted documents in its files: {generation.deleted_in_files}; "
            f"records: {generation.records:,}."
        )
        if generation.copies_away:
            lines.append(
                f"{generation.name}: copies of its shards that are away, and may hold it on their "
                f"disks: {generation.copies_away}. Run this again when the cluster is whole."
            )
    for file in erasure.rejects:
        lines.append(f"{file.path}: {file.removed} removed.")
        if file.unclear:
            lines.append(f"{file.path}: {file.unclear} lines name it and are no records. Look.")
    if erasure.backups is None:
        lines.append("Backups: not known; no repository is set, or this user may not see it.")
    elif erasure.backups:
        lines.append(
            f"Backups that hold it, or may: {', '.join(erasure.backups)}. "
            "Delete each: foidex backups --delete NAME"
        )
    else:
        lines.append("Backups: none holds it.")
    return [*lines, "Not reached:", *(f"  {item}" for item in erasure.not_reached)]
