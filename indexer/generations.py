"""Generations: complete, verified builds of the index behind one alias.

A generation is ``<alias>-<UTC time>``, is written once and sealed: merged, checked, read-only. What
it was built from is in its mapping's ``_meta``. Queries know the alias alone; promotion moves it in
one atomic call. Knows nothing of records or of where they come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import categories, schema
from indexer.errors import GenerationError, InexactError, NoIndexError
from indexer.records import DELETED
from indexer.schema import Schema
from indexer.settings import Index

_MERGE_TIMEOUT: Final = 6 * 3600
_META: Final = "foidex"
_FEW_SEGMENTS: Final = 8
_STAMP: Final = re.compile(r"\d{8}-\d{6}(-\d+)?")


class Generation(Struct, frozen=True):
    """What is known of one generation. Moments are UTC.

    ``categories`` are the force's own fields that it holds. ``read`` to ``kept_out`` are the lines
    of the refresh that made it, the last those whose record had been forgotten; ``records`` and
    ``tombstones`` what it holds: a tombstone remembers when a record was deleted. ``content_hash``
    is of all its records, whatever their order. ``overrides`` are the checks it failed and was
    promoted in spite of; ``forgotten`` are the records that were removed from it since.
    """

    name: str
    built_at: datetime
    version: str
    mapping_hash: str
    mode: Literal["full", "incremental"] = "full"
    base: str | None = None
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    read: int = 0
    indexed: int = 0
    rejected: int = 0
    deleted: int = 0
    late: int = 0
    unchanged: int = 0
    kept_out: int = 0
    records: int = 0
    tombstones: int = 0
    watermark: datetime | None = None
    unknown_codes: dict[str, int] = {}
    unresolved_links: int = 0
    content_hash: str = "0"
    overrides: tuple[str, ...] = ()
    forgotten: int = 0
    verified: bool = False


def create(  # noqa: PLR0913 - what a generation is made from
    client: Elasticsearch,
    index: Index,
    schema: Schema,
    version: str,
    sources: tuple[str, ...],
    categories: tuple[str, ...] = (),
) -> Generation:
    """Make the empty index of a new generation, set up for writing."""
    settings = {
        **schema.settings,
        "number_of_shards": index.shards,
        "number_of_replicas": 0,
        "refresh_interval": "-1",
        "translog": {"durability": "async"},
    }

    def make(generation: Generation) -> None:
        client.indices.create(
            index=generation.name,
            settings=settings,
            mappings={**schema.mappings, "_meta": _meta(generation)},
            wait_for_active_shards="all",
        )

    return _named(
        index.alias,
        make,
        version=version,
        mapping_hash=schema.hash,
        sources=sources,
        categories=categories,
    )


def clone(
    client: Elasticsearch, index: Index, live: Generation, version: str, sources: tuple[str, ...]
) -> Generation:
    """Make a new generation that starts as the live one; the server links its files."""
    settings = {
        "blocks.write": None,
        "number_of_replicas": 0,
        "refresh_interval": "-1",
        "translog.durability": "async",
    }

    def make(generation: Generation) -> None:
        client.indices.clone(
            index=live.name, target=generation.name, settings=settings, wait_for_active_shards="all"
        )
        # Until this, the clone says that it is the live one, whose name it does not bear.
        client.indices.put_mapping(index=generation.name, meta=_meta(generation))

    return _named(
        index.alias,
        make,
        version=version,
        mapping_hash=live.mapping_hash,
        sources=sources,
        categories=live.categories,
        mode="incremental",
        base=live.name,
    )


def _named(alias: str, make: Callable[[Generation], None], **known: Any) -> Generation:
    """Make a generation under the first free name of this second."""
    now = datetime.now(UTC).replace(microsecond=0)
    stamp = f"{alias}-{now:%Y%m%d-%H%M%S}"
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        generation = Generation(name=f"{stamp}{suffix}", built_at=now, **known)
        try:
            make(generation)
        except elasticsearch.BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
        else:
            return generation
    raise GenerationError(f"no free name for a generation at {stamp}. Try again in a second.")


def seal(client: Elasticsearch, generation: Generation, replicas: int) -> Generation:
    """Merge, count, and forbid writing. A new index becomes one segment a shard, a changed one few.

    Raises GenerationError where the server does not hold exactly the records that were sent.
    """
    name = generation.name
    client.options(request_timeout=_MERGE_TIMEOUT).indices.forcemerge(
        index=name, max_num_segments=1 if generation.mode == "full" else _FEW_SEGMENTS
    )
    client.indices.refresh(index=name)
    held = count(client, name)
    expected = (generation.records, generation.tombstones)
    if held != expected:
        raise GenerationError(
            f"{name} holds {held[0]:,} records and {held[1]:,} tombstones where {expected[0]:,} "
            f"and {expected[1]:,} were sent; it was not promoted. Load again."
        )
    client.indices.put_settings(
        index=name,
        settings={
            "number_of_replicas": replicas,
            "refresh_interval": None,
            "translog.durability": None,
            "blocks.write": True,
        },
    )
    return generation


def mark_verified(client: Elasticsearch, generation: Generation) -> Generation:
    """Write down, in the index itself, that a generation passed every check."""
    verified = msgspec.structs.replace(generation, verified=True)
    client.indices.put_mapping(index=generation.name, meta=_meta(verified))
    return verified


def count(client: Elasticsearch, name: str) -> tuple[int, int]:
    """The records and tombstones an index holds.

    Raises GenerationError unless every shard answered.
    """
    answer = client.search(
        index=name,
        size=0,
        track_total_hits=True,
        aggs={"tombstones": {"filter": {"term": {"status": DELETED}}}},
        allow_partial_search_results=False,
    ).body
    if answer["timed_out"] or answer["_shards"]["failed"]:
        raise GenerationError(f"{name}: not every shard answered the count. Load again.")
    tombstones = int(answer["aggregations"]["tombstones"]["doc_count"])
    return int(answer["hits"]["total"]["value"]) - tombstones, tombstones


def promote(client: Elasticsearch, alias: str, generation: Generation) -> str | None:
    """Point the alias at a sealed generation in one call; returns the one it pointed at before."""
    if not generation.verified:
        raise GenerationError(f"{generation.name} was never verified, so it cannot be promoted.")
    before = live_name(client, alias)
    # One call that leaves one index behind the alias, whatever was behind it.
    client.indices.update_aliases(
        actions=[
            {"remove": {"index": f"{alias}-*", "alias": alias, "must_exist": False}},
            {"add": {"index": generation.name, "alias": alias}},
        ]
    )
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
    return _read(*_behind(client, alias))


def _behind(client: Elasticsearch, alias: str) -> tuple[str, dict[str, Any]]:
    """The name and mappings of the one index behind the alias."""
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
    return name, body["mappings"]


def readable(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, for asking. Raises as ``live``, and InexactError where it lacks a field.

    A server whose role for this user hides fields shows a mapping without them, and what is hidden
    counts as none.
    """
    name, mappings = _behind(client, alias)
    generation = _read(name, mappings)
    needed = schema.fields(schema.load().mappings)
    needed |= {f"{categories.FIELD}.{name}" for name in generation.categories}
    if hidden := sorted(needed - schema.fields(mappings)):
        raise InexactError(
            f'{generation.name} shows this user no field "{hidden[0]}", and what is hidden counts '
            "as none. Use a user whose role hides no fields; or, if an earlier foidex built it, "
            "refresh first: foidex refresh --full"
        )
    return generation


def everything(client: Elasticsearch, alias: str) -> list[Generation]:
    """Every verified generation of the alias, newest first."""
    return [one for one in _all(client, alias) if one.verified]


def named(client: Elasticsearch, alias: str, name: str) -> Generation | None:
    """A verified generation by its name, the live one as the alias shows it; None where it is not
    kept.

    Raises AuthorizationException for a user who may ask the alias alone, of every other one.
    """
    now = live(client, alias)
    if now.name == name:
        return now
    if not name.startswith(f"{alias}-") or not _STAMP.fullmatch(name[len(alias) + 1 :]):
        return None
    found = client.options(ignore_status=404).indices.get_mapping(index=name).body
    if name not in found:
        return None
    one = _read(name, found[name]["mappings"])
    return one if one.verified and one.name == name else None


def _all(client: Elasticsearch, alias: str) -> list[Generation]:
    """Every generation, also those half built: a clone whose name is not yet its own counts as
    unverified."""
    found = client.indices.get_mapping(index=f"{alias}-*", expand_wildcards="open").body
    known = []
    for name, body in found.items():
        if _META in body["mappings"].get("_meta", {}) and _STAMP.fullmatch(name[len(alias) + 1 :]):
            one = _read(name, body["mappings"])
            mine = one.name == name
            known.append(one if mine else msgspec.structs.replace(one, name=name, verified=False))
    return sorted(known, key=lambda one: (one.built_at, one.name), reverse=True)


def clear_unfinished(client: Elasticsearch, alias: str) -> list[str]:
    """Delete what refreshes that died left half built; call it only with the lock held."""
    dead = unfinished(client, alias)
    for name in dead:
        discard(client, alias, name)
    return dead


def unfinished(client: Elasticsearch, alias: str) -> list[str]:
    """What is half built: by a refresh that runs, or by one that died."""
    aliased = _aliased(client, alias)
    return [one.name for one in _all(client, alias) if not one.verified and one.name not in aliased]


def rollback(client: Elasticsearch, alias: str, name: str | None) -> tuple[Generation, str]:
    """Make a kept generation live again: the named one, else the one before the live one.

    Returns it and the one that was live. Raises GenerationError where there is none such.
    """
    now = live(client, alias)
    kept = [one for one in everything(client, alias) if one.name != now.name]
    if name is None:
        kept = [one for one in kept if (one.built_at, one.name) < (now.built_at, now.name)]
    wanted = [one for one in kept if name in (None, one.name)]
    if not wanted:
        what = f'"{name}"' if name else "a generation older than the live one"
        others = ", ".join(one.name for one in kept) or "none"
        raise GenerationError(f"{what} is not kept. Kept besides the live one: {others}.")
    promote(client, alias, wanted[0])
    return wanted[0], now.name


def prune(
    client: Elasticsearch,
    alias: str,
    keep: int,
    *,
    max_age_days: int | None = None,
    dry_run: bool = False,
) -> list[str]:
    """Delete all but the live generation and the newest others, ``keep`` in all; returns names.

    Of the others also those that were built more than ``max_age_days`` ago.
    """
    now = live(client, alias).name
    others = [one for one in everything(client, alias) if one.name != now]
    oldest = datetime.now(UTC) - timedelta(days=max_age_days) if max_age_days else None
    old = [
        one.name
        for place, one in enumerate(others)
        if place >= keep - 1 or (oldest is not None and one.built_at < oldest)
    ]
    if not dry_run:
        for name in old:
            discard(client, alias, name)
    return old


def sizes(client: Elasticsearch, alias: str) -> dict[str, int]:
    """The bytes each generation takes, primaries only."""
    found = client.indices.stats(
        index=f"{alias}-*", metric=["store"], filter_path="indices.*.primaries.store.size_in_bytes"
    ).body
    return {
        name: int(body["primaries"]["store"]["size_in_bytes"])
        for name, body in found.get("indices", {}).items()
    }


def discard(client: Elasticsearch, alias: str, name: str) -> None:
    """Delete a generation that is not live, whatever else the alias points at."""
    if not name.startswith(f"{alias}-") or name in _aliased(client, alias):
        raise GenerationError(f"{name} is live, or no generation of {alias}; it was not deleted.")
    client.options(ignore_status=404).indices.delete(index=name)


def _aliased(client: Elasticsearch, alias: str) -> set[str]:
    """Whatever the alias points at, be it one index or not."""
    return set(client.options(ignore_status=404).indices.get_alias(name=alias).body)


def _meta(generation: Generation) -> dict[str, Any]:
    return {_META: msgspec.to_builtins(generation)}


def _read(name: str, mappings: dict[str, Any]) -> Generation:
    try:
        said = mappings["_meta"][_META]
        found = msgspec.convert(said, Generation)
    except (KeyError, msgspec.ValidationError):
        raise GenerationError(
            f"{name} was not built by this foidex: it does not say from what. "
            "Load the records again."
        ) from None
    if "records" not in said:
        # The first foidex, whose generations hold what was indexed, wrote that number alone.
        found = msgspec.structs.replace(found, records=found.indexed)
    return found
