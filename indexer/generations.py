"""Generations: complete, verified builds of the index behind one alias.

A generation is ``<alias>-<UTC time>``, is written once and sealed: merged, checked, read-only. What
it was built from is in its mapping's ``_meta``. Queries know the alias alone; promotion moves it in
one atomic call. Knows nothing of records or of where they come from.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import GenerationError, NoIndexError
from indexer.schema import Schema
from indexer.settings import Index

_MERGE_TIMEOUT: Final = 6 * 3600
_META: Final = "foidex"


class Generation(Struct, frozen=True):
    """What is known of one generation. Moments are UTC; counts are records."""

    name: str
    built_at: datetime
    version: str
    mapping_hash: str
    sources: tuple[str, ...] = ()
    read: int = 0
    indexed: int = 0
    rejected: int = 0
    watermark: datetime | None = None
    unknown_codes: dict[str, int] = {}
    unresolved_links: int = 0
    verified: bool = False


def create(
    client: Elasticsearch, index: Index, schema: Schema, version: str, sources: tuple[str, ...]
) -> Generation:
    """Make the empty index of a new generation, set up for writing."""
    now = datetime.now(UTC).replace(microsecond=0)
    stamp = f"{index.alias}-{now:%Y%m%d-%H%M%S}"
    settings = {
        **schema.settings,
        "number_of_shards": index.shards,
        "number_of_replicas": 0,
        "refresh_interval": "-1",
        "translog": {"durability": "async"},
    }
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        generation = Generation(
            name=f"{stamp}{suffix}",
            built_at=now,
            version=version,
            mapping_hash=schema.hash,
            sources=sources,
        )
        mappings = {**schema.mappings, "_meta": _meta(generation)}
        try:
            client.indices.create(
                index=generation.name,
                settings=settings,
                mappings=mappings,
                wait_for_active_shards="all",
            )
        except elasticsearch.BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
        else:
            return generation
    raise GenerationError(f"no free name for a generation at {stamp}. Try again in a second.")


def seal(client: Elasticsearch, generation: Generation, replicas: int) -> Generation:
    """Merge to one segment a shard, verify the count, record what is known, and forbid writing.

    Raises GenerationError where the server does not hold exactly the records that were indexed.
    """
    name = generation.name
    client.options(request_timeout=_MERGE_TIMEOUT).indices.forcemerge(
        index=name, max_num_segments=1
    )
    client.indices.refresh(index=name)
    held = count(client, name)
    if held != generation.indexed:
        raise GenerationError(
            f"{name} holds {held:,} records where {generation.indexed:,} were indexed; it was not "
            "promoted. Load again."
        )
    sealed = msgspec.structs.replace(generation, verified=True)
    client.indices.put_mapping(index=name, meta=_meta(sealed))
    client.indices.put_settings(
        index=name,
        settings={
            "number_of_replicas": replicas,
            "refresh_interval": None,
            "translog.durability": None,
            "blocks.write": True,
        },
    )
    return sealed


def count(client: Elasticsearch, name: str) -> int:
    """The records an index holds. Raises GenerationError unless every shard answered."""
    answer = client.search(
        index=name, size=0, track_total_hits=True, allow_partial_search_results=False
    ).body
    if answer["timed_out"] or answer["_shards"]["failed"]:
        raise GenerationError(f"{name}: not every shard answered the count. Load again.")
    return int(answer["hits"]["total"]["value"])


def promote(client: Elasticsearch, alias: str, generation: Generation) -> str | None:
    """Point the alias at a sealed generation in one call; returns the one it pointed at before."""
    if not generation.verified:
        raise GenerationError(f"{generation.name} was never verified, so it cannot be promoted.")
    before = live_name(client, alias)
    actions: list[dict[str, Any]] = [{"add": {"index": generation.name, "alias": alias}}]
    if before:
        actions.insert(0, {"remove": {"index": before, "alias": alias, "must_exist": True}})
    client.indices.update_aliases(actions=actions)
    return before


def live_name(client: Elasticsearch, alias: str) -> str | None:
    """The name of the live generation, or None before the first load."""
    try:
        names = sorted(client.indices.get_alias(name=alias).body)
    except elasticsearch.NotFoundError:
        if client.indices.exists(index=alias):
            raise GenerationError(
                f'"{alias}" is an index, not an alias of generations. Delete it, or choose another '
                "alias (FOIDEX_INDEX)."
            ) from None
        return None
    if len(names) > 1:
        raise GenerationError(
            f'alias "{alias}" points at {len(names)} indices ({", ".join(names)}), so no number '
            "from it would be exact. Remove all but one."
        )
    return str(names[0])


def live(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, read through the alias. Raises NoIndexError or GenerationError."""
    try:
        found = client.indices.get_mapping(index=alias).body
    except elasticsearch.NotFoundError:
        raise NoIndexError(
            f'there is no live generation behind "{alias}". Load records first: foidex load PATH.'
        ) from None
    if len(found) != 1:
        raise GenerationError(
            f'alias "{alias}" points at {len(found)} indices, so no number from it would be exact. '
            "Remove all but one."
        )
    ((name, body),) = found.items()
    return _read(name, body["mappings"])


def everything(client: Elasticsearch, alias: str) -> list[Generation]:
    """Every generation of the alias, newest first."""
    found = client.indices.get_mapping(index=f"{alias}-*", expand_wildcards="open").body
    known = [
        _read(name, body["mappings"])
        for name, body in found.items()
        if _META in body["mappings"].get("_meta", {})
    ]
    return sorted(known, key=lambda one: one.name, reverse=True)


def discard(client: Elasticsearch, alias: str, name: str) -> None:
    """Delete a generation that is not live."""
    if not name.startswith(f"{alias}-") or live_name(client, alias) == name:
        raise GenerationError(f"{name} is live, or no generation of {alias}; it was not deleted.")
    client.options(ignore_status=404).indices.delete(index=name)


def _meta(generation: Generation) -> dict[str, Any]:
    return {_META: msgspec.to_builtins(generation)}


def _read(name: str, mappings: dict[str, Any]) -> Generation:
    try:
        return msgspec.convert(mappings["_meta"][_META], Generation)
    except (KeyError, msgspec.ValidationError):
        raise GenerationError(
            f"{name} was not built by this foidex: it does not say from what. "
            "Load the records again."
        ) from None
