"""Forgets one record everywhere: in every generation, in their files, and in rejects files.

The record is replaced by a tombstone in every generation, whose metadata is updated, and the
segments that held its text are rewritten, so that the text is off the disk. Every later generation
starts with the tombstone, which keeps out what the source still sends. Every step can be repeated:
what an earlier run left half done is found and finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import BackupError, GenerationError, RequestError
from indexer.index.backups import read_backups
from indexer.index.damage_search import measure_damage
from indexer.index.erasures import find_unknown_erasures
from indexer.index.expunge import NO_DELETED_DOCUMENTS, expunge_deleted
from indexer.index.generations import (
    Generation,
    clear_unfinished,
    count_documents,
    find_live_name,
    list_unreadable,
    list_verified,
    mark_verified,
)
from indexer.index.lock import Lease
from indexer.jobs.erasure_statement import ErasureStatement, GenerationErasure, RecordPresence
from indexer.jobs.links import resolve_links
from indexer.jobs.verification import compute_content_hash
from indexer.loading.content_hash import CONTENT_HASH_RANGE, hash_content
from indexer.loading.rejects import erase_from_rejects
from indexer.loading.tally import Tally
from indexer.records.model import (
    DELETED,
    EXCLUDING_LOCATIONS,
    FORGOTTEN,
    KEPT_OUT,
    ShortText,
    Tombstone,
)
from indexer.records.offences import load_offence_table

_NOT_DELETED: Final = {"bool": {"must_not": {"term": {"status": DELETED}}}}


class ErasureScope(Struct, frozen=True):
    """Where a record may be held: the generations of an alias, the rejects files of a folder, and
    the backups of a repository (None if there is none).

    ``reference_field`` is the name that the reference has in the source's records.
    """

    alias: str
    rejects_folder: Path
    reference_field: str = "crime_ref"
    repository: str | None = None


def erase_record(
    client: Elasticsearch, scope: ErasureScope, reference: str, lock: Lease
) -> ErasureStatement:
    """Remove one record from every generation and rejects file, and keep it out; the lock is held.

    Of a record that is nowhere nothing is changed: see ``ErasureStatement.is_unknown``. Raises
    RequestError for what cannot be a reference, GenerationError where its text may still be in an
    index's files: then it must be run again.
    """
    check_reference(reference)
    _require_readable(client, scope.alias)
    erased_at = datetime.now(UTC).replace(microsecond=0)
    clear_unfinished(client, scope.alias)
    from_rejects = erase_from_rejects(scope.rejects_folder, reference, scope.reference_field)
    live = find_live_name(client, scope.alias)
    generations = list_verified(client, scope.alias)
    presences = {
        generation.name: _find_presence(client, generation.name, reference)
        for generation in generations
    }
    # A generation that never held it must know too, or the next refresh from it could take it.
    is_known = any(file.removed for file in from_rejects)
    is_known = is_known or any(presence != "nothing" for presence in presences.values())
    updated_generations: list[Generation] = []
    for generation in generations:
        lock.check()
        presence = presences[generation.name]
        replacement = None
        if is_known and presence not in EXCLUDING_LOCATIONS:
            replacement = _make_erasure_tombstone(reference, erased_at, presence)
        updated_generations.append(
            _erase_in_generation(client, generation, reference, presence, replacement)
        )
    # Only when no search finds it any more: to rewrite the files takes longer.
    erasures = []
    for generation in updated_generations:
        # Of a record that was nowhere, no file can hold anything.
        deleted = expunge_deleted(client, generation.name) if is_known else NO_DELETED_DOCUMENTS
        erasures.append(
            GenerationErasure(
                generation.name,
                generation.name == live,
                presences[generation.name],
                generation.records,
                _count_searchable(client, generation.name, reference),
                deleted.documents,
                deleted.missing_copies,
            )
        )
    lock.check()
    backups = _list_holding_backups(client, scope, presences)
    _require_erased(reference, erasures)
    return ErasureStatement(reference, erased_at, tuple(erasures), tuple(from_rejects), backups)


def _require_erased(reference: str, erasures: list[GenerationErasure]) -> None:
    remaining_names = [erasure.name for erasure in erasures if not erasure.is_erased]
    if remaining_names:
        raise GenerationError(
            f"no search finds {reference} any more, but its text may still be in the files of "
            f"{', '.join(remaining_names)}, because a search is reading them. Run this again in "
            "a few minutes."
        )


def _find_presence(client: Elasticsearch, name: str, reference: str) -> RecordPresence:
    response = client.options(ignore_status=404).get(
        index=name, id=reference, source_includes=["status", "place"]
    )
    if not response.body.get("found"):
        return "nothing"
    if response["_source"]["status"] != DELETED:
        return "record"
    match response["_source"]["place"]:
        case "forgotten":
            return FORGOTTEN
        case "kept out":
            return KEPT_OUT
        case _:
            return "tombstone"


def _make_erasure_tombstone(
    reference: str, erased_at: datetime, presence: RecordPresence
) -> Tombstone:
    marker = KEPT_OUT if presence == "nothing" else FORGOTTEN
    return Tombstone(reference, erased_at, DELETED, marker)


def _erase_in_generation(
    client: Elasticsearch,
    generation: Generation,
    reference: str,
    presence: RecordPresence,
    replacement: Tombstone | None,
) -> Generation:
    """Put ``replacement`` in the record's place, and finish what an earlier run left half done.

    Returns the generation with its counts and hash. A generation that needs neither stays sealed.
    """
    name = generation.name
    settings = client.indices.get_settings(index=name, flat_settings=True).body
    is_sealed = settings[name]["settings"].get("index.blocks.write") == "true"
    if replacement is None and is_sealed and _matches_metadata(client, generation):
        return generation
    with _unseal_index(client, name):
        return _replace_record(client, generation, reference, presence, replacement)


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
    reference: str,
    presence: RecordPresence,
    replacement: Tombstone | None,
) -> Generation:
    """Index the replacement, and write the new counts and hash into the index's metadata."""
    name = generation.name
    content = int(generation.content_hash, 16)
    if not _matches_metadata(client, generation):
        # An earlier run ended before it wrote the metadata.
        client.indices.refresh(index=name)
        content = compute_content_hash(client, name)
    if presence == "record":
        content -= hash_content(client.get(index=name, id=reference)["_source"])
    if replacement is not None:
        client.index(index=name, id=reference, document=msgspec.to_builtins(replacement))
    tally = Tally(content=content % CONTENT_HASH_RANGE, changed=[reference])
    generation = resolve_links(client, generation, tally, load_offence_table())
    records, tombstones = count_documents(client, name)
    damage = generation.damage
    generation = msgspec.structs.replace(
        generation,
        records=records,
        tombstones=tombstones,
        forgotten=generation.forgotten + generation.records - records,
        damage=damage and measure_damage(client, name, damage.repair, damage.cut),
    )
    return mark_verified(client, generation)


def apply_erasures(
    client: Elasticsearch, alias: str, generation: Generation, lock: Lease
) -> tuple[Generation, list[str]]:
    """Forget in one generation what the others know to be forgotten; the lock is held.

    It may have been restored from a backup that is older than the erasure. Returns the generation
    with its counts, and the references of the records that were removed from it. Raises
    AuthorizationException for a user who may not write to it, and GenerationError as
    ``erase_record``.
    """
    unknown = find_unknown_erasures(client, alias, generation.name)
    for reference, tombstone in {**unknown.missing, **unknown.returned}.items():
        lock.check()
        presence = _find_presence(client, generation.name, reference)
        erased_at = msgspec.convert(tombstone["updated_at"], datetime)
        replacement = _make_erasure_tombstone(reference, erased_at, presence)
        generation = _erase_in_generation(client, generation, reference, presence, replacement)
    if unknown.returned and expunge_deleted(client, generation.name).documents:
        raise GenerationError(
            f"{generation.name} held records that were forgotten. No search finds them any more, "
            "but their text may still be in its files, because a search is reading them. Run this "
            "again in a few minutes."
        )
    return generation, sorted(unknown.returned)


def apply_and_report_erasures(
    client: Elasticsearch,
    alias: str,
    generation: Generation,
    lock: Lease,
    say: Callable[[str], None],
) -> Generation:
    """As ``apply_erasures``, and says of each record that was removed that it had come back."""
    generation, references = apply_erasures(client, alias, generation, lock)
    for reference in references:
        say(f"{reference} was forgotten, and was in {generation.name} again. It was removed.")
    return generation


def find_returned_references(client: Elasticsearch, alias: str, names: list[str]) -> list[str]:
    """The references that another generation knows to be forgotten, and that one of the named ones,
    which were restored from a backup, holds as records."""
    returned_references: set[str] = set()
    for name in names:
        returned_references |= find_unknown_erasures(client, alias, name).returned.keys()
    return sorted(returned_references)


def _require_readable(client: Elasticsearch, alias: str) -> None:
    """Raise GenerationError for a generation that may hold the record and cannot be changed."""
    if names := list_unreadable(client, alias):
        raise GenerationError(
            f"{', '.join(names)}: is named like a generation, but was not built by this foidex, "
            "and may hold the record. Nothing was forgotten. Delete it on the server, or use the "
            "foidex that built it, and run the command again."
        )


def readmit_record(client: Elasticsearch, alias: str, reference: str, lock: Lease) -> list[str]:
    """Let the source bring a forgotten record back; returns the generations it was forgotten from.

    The lock is held. Raises RequestError for what cannot be a reference.
    """
    check_reference(reference)
    _require_readable(client, alias)
    clear_unfinished(client, alias)
    changed_names = []
    for generation in list_verified(client, alias):
        presence = _find_presence(client, generation.name, reference)
        if presence not in EXCLUDING_LOCATIONS and _matches_metadata(client, generation):
            continue
        lock.check()
        with _unseal_index(client, generation.name):
            if presence in EXCLUDING_LOCATIONS:
                client.delete(index=generation.name, id=reference, refresh=True)
            _, tombstones = count_documents(client, generation.name)
            mark_verified(client, msgspec.structs.replace(generation, tombstones=tombstones))
        changed_names.append(generation.name)
    return changed_names


def check_reference(reference: str) -> None:
    """Raise RequestError for what cannot be the reference of a record."""
    try:
        msgspec.convert(reference, ShortText)
        reference.encode()
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise RequestError(
            "a reference has 1 to 100 characters. Write it as it is in the records."
        ) from None


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
    client: Elasticsearch, scope: ErasureScope, presences: dict[str, RecordPresence]
) -> tuple[str, ...] | None:
    """The backups that hold the record, or hold a generation that is no longer here and may.

    None where there is no repository, or this user may not see it.
    """
    if scope.repository is None:
        return None
    try:
        all_backups = read_backups(client, scope.alias, scope.repository)
    except (BackupError, elasticsearch.AuthorizationException):
        return None
    return tuple(
        backup.name
        for backup in all_backups
        if any(presences.get(name) not in ("nothing", KEPT_OUT) for name in backup.generations)
    )
