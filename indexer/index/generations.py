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

from indexer.config.model import IndexSettings
from indexer.errors import GenerationError, InexactError, NoIndexError
from indexer.index.mapping import IndexSchema, list_mapping_fields, load_index_schema
from indexer.records.categories import CATEGORIES_FIELD
from indexer.records.model import DELETED

_MERGE_TIMEOUT_SECONDS: Final = 6 * 3600

_METADATA_KEY: Final = "foidex"

_MAX_CHANGED_SEGMENTS: Final = 8

_NAME_STAMP: Final = re.compile(r"\d{8}-\d{6}(-\d+)?")


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


def create_generation(  # noqa: PLR0913 - what a generation is made from
    client: Elasticsearch,
    index: IndexSettings,
    schema: IndexSchema,
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
            mappings={**schema.mappings, "_meta": build_index_meta(generation)},
            wait_for_active_shards="all",
        )

    return _make_generation(
        index.alias,
        make,
        version=version,
        mapping_hash=schema.hash,
        sources=sources,
        categories=categories,
    )


def clone_generation(
    client: Elasticsearch,
    index: IndexSettings,
    live: Generation,
    version: str,
    sources: tuple[str, ...],
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
        client.indices.put_mapping(index=generation.name, meta=build_index_meta(generation))

    return _make_generation(
        index.alias,
        make,
        version=version,
        mapping_hash=live.mapping_hash,
        sources=sources,
        categories=live.categories,
        mode="incremental",
        base=live.name,
    )


def _make_generation(alias: str, make: Callable[[Generation], None], **fields: Any) -> Generation:
    """Make a generation under the first free name of this second."""
    built_at = datetime.now(UTC).replace(microsecond=0)
    stamp = f"{alias}-{built_at:%Y%m%d-%H%M%S}"
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        generation = Generation(name=f"{stamp}{suffix}", built_at=built_at, **fields)
        try:
            make(generation)
        except elasticsearch.BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
        else:
            return generation
    raise GenerationError(f"no free name for a generation at {stamp}. Try again in a second.")


def seal_generation(client: Elasticsearch, generation: Generation, replicas: int) -> Generation:
    """Merge, count, and forbid writing. A new index becomes one segment a shard, a changed one few.

    Raises GenerationError where the server does not hold exactly the records that were sent.
    """
    name = generation.name
    client.options(request_timeout=_MERGE_TIMEOUT_SECONDS).indices.forcemerge(
        index=name, max_num_segments=1 if generation.mode == "full" else _MAX_CHANGED_SEGMENTS
    )
    client.indices.refresh(index=name)
    counts = count_documents(client, name)
    expected = (generation.records, generation.tombstones)
    if counts != expected:
        raise GenerationError(
            f"{name} holds {counts[0]:,} records and {counts[1]:,} tombstones where {expected[0]:,} "
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
    client.indices.put_mapping(index=generation.name, meta=build_index_meta(verified))
    return verified


def count_documents(client: Elasticsearch, name: str) -> tuple[int, int]:
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


def promote_generation(client: Elasticsearch, alias: str, generation: Generation) -> str | None:
    """Point the alias at a sealed generation in one call; returns the one it pointed at before."""
    if not generation.verified:
        raise GenerationError(f"{generation.name} was never verified, so it cannot be promoted.")
    previous = find_live_name(client, alias)
    # One call that leaves one index behind the alias, whatever was behind it.
    client.indices.update_aliases(
        actions=[
            {"remove": {"index": f"{alias}-*", "alias": alias, "must_exist": False}},
            {"add": {"index": generation.name, "alias": alias}},
        ]
    )
    return previous


def find_live_name(client: Elasticsearch, alias: str) -> str | None:
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


def read_live_generation(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, read through the alias. Raises NoIndexError or GenerationError."""
    return _parse_generation(*_read_live_mapping(client, alias))


def _read_live_mapping(client: Elasticsearch, alias: str) -> tuple[str, dict[str, Any]]:
    """The name and mappings of the one index behind the alias."""
    try:
        mappings = client.indices.get_mapping(index=alias).body
    except elasticsearch.NotFoundError:
        raise NoIndexError(
            f'there is no live generation behind "{alias}". Load records first: foidex load PATH.'
        ) from None
    if len(mappings) != 1:
        raise GenerationError(
            f'alias "{alias}" points at {len(mappings)} indices, so no number from it would be exact. '
            "Remove all but one."
        )
    ((name, body),) = mappings.items()
    return name, body["mappings"]


def open_live_generation(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, for asking. Raises as ``live``, and InexactError where it lacks a field.

    A server whose role for this user hides fields shows a mapping without them, and what is hidden
    counts as none.
    """
    name, mappings = _read_live_mapping(client, alias)
    generation = _parse_generation(name, mappings)
    required_fields = list_mapping_fields(load_index_schema().mappings)
    required_fields |= {f"{CATEGORIES_FIELD}.{category}" for category in generation.categories}
    if hidden_fields := sorted(required_fields - list_mapping_fields(mappings)):
        raise InexactError(
            f'{generation.name} shows this user no field "{hidden_fields[0]}", and what is hidden counts '
            "as none. Use a user whose role hides no fields; or, if an earlier foidex built it, "
            "refresh first: foidex refresh --full"
        )
    return generation


def list_verified(client: Elasticsearch, alias: str) -> list[Generation]:
    """Every verified generation of the alias, newest first."""
    return [generation for generation in list_all_generations(client, alias) if generation.verified]


def find_generation(client: Elasticsearch, alias: str, name: str) -> Generation | None:
    """A verified generation by its name, the live one as the alias shows it; None where it is not
    kept.

    Raises AuthorizationException for a user who may ask the alias alone, of every other one.
    """
    live_generation = read_live_generation(client, alias)
    if live_generation.name == name:
        return live_generation
    if not name.startswith(f"{alias}-") or not _NAME_STAMP.fullmatch(name[len(alias) + 1 :]):
        return None
    mappings = client.options(ignore_status=404).indices.get_mapping(index=name).body
    if name not in mappings:
        return None
    generation = _parse_generation(name, mappings[name]["mappings"])
    return generation if generation.verified and generation.name == name else None


def list_all_generations(client: Elasticsearch, alias: str) -> list[Generation]:
    """Every generation, also those half built: a clone whose name is not yet its own counts as
    unverified."""
    mappings = client.indices.get_mapping(index=f"{alias}-*", expand_wildcards="open").body
    generations = []
    for name, body in mappings.items():
        if _METADATA_KEY in body["mappings"].get("_meta", {}) and _NAME_STAMP.fullmatch(
            name[len(alias) + 1 :]
        ):
            generation = _parse_generation(name, body["mappings"])
            owns_name = generation.name == name
            generations.append(
                generation
                if owns_name
                else msgspec.structs.replace(generation, name=name, verified=False)
            )
    return sorted(
        generations, key=lambda generation: (generation.built_at, generation.name), reverse=True
    )


def clear_unfinished(client: Elasticsearch, alias: str) -> list[str]:
    """Delete what refreshes that died left half built; call it only with the lock held."""
    names = list_unfinished(client, alias)
    for name in names:
        discard_generation(client, alias, name)
    return names


def list_unfinished(client: Elasticsearch, alias: str) -> list[str]:
    """What is half built: by a refresh that runs, or by one that died."""
    aliased = _list_aliased(client, alias)
    return [
        generation.name
        for generation in list_all_generations(client, alias)
        if not generation.verified and generation.name not in aliased
    ]


def roll_back_generation(
    client: Elasticsearch, alias: str, name: str | None
) -> tuple[Generation, str]:
    """Make a kept generation live again: the named one, else the one before the live one.

    Returns it and the one that was live. Raises GenerationError where there is none such.
    """
    live_generation = read_live_generation(client, alias)
    candidates = [
        generation
        for generation in list_verified(client, alias)
        if generation.name != live_generation.name
    ]
    if name is None:
        candidates = [
            generation
            for generation in candidates
            if (generation.built_at, generation.name)
            < (live_generation.built_at, live_generation.name)
        ]
    matches = [generation for generation in candidates if name in (None, generation.name)]
    if not matches:
        target = f'"{name}"' if name else "a generation older than the live one"
        others = ", ".join(generation.name for generation in candidates) or "none"
        raise GenerationError(f"{target} is not kept. Kept besides the live one: {others}.")
    promote_generation(client, alias, matches[0])
    return matches[0], live_generation.name


def prune_generations(
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
    live_index = read_live_generation(client, alias).name
    others = [
        generation for generation in list_verified(client, alias) if generation.name != live_index
    ]
    age_limit = datetime.now(UTC) - timedelta(days=max_age_days) if max_age_days else None
    old_names = [
        generation.name
        for index, generation in enumerate(others)
        if index >= keep - 1 or (age_limit is not None and generation.built_at < age_limit)
    ]
    if not dry_run:
        for name in old_names:
            discard_generation(client, alias, name)
    return old_names


def read_index_sizes(client: Elasticsearch, alias: str) -> dict[str, int]:
    """The bytes each generation takes, primaries only."""
    stats = client.indices.stats(
        index=f"{alias}-*", metric=["store"], filter_path="indices.*.primaries.store.size_in_bytes"
    ).body
    return {
        name: int(body["primaries"]["store"]["size_in_bytes"])
        for name, body in stats.get("indices", {}).items()
    }


def discard_generation(client: Elasticsearch, alias: str, name: str) -> None:
    """Delete a generation that is not live, whatever else the alias points at."""
    if not name.startswith(f"{alias}-") or name in _list_aliased(client, alias):
        raise GenerationError(f"{name} is live, or no generation of {alias}; it was not deleted.")
    client.options(ignore_status=404).indices.delete(index=name)


def _list_aliased(client: Elasticsearch, alias: str) -> set[str]:
    """Whatever the alias points at, be it one index or not."""
    return set(client.options(ignore_status=404).indices.get_alias(name=alias).body)


def build_index_meta(generation: Generation) -> dict[str, Any]:
    return {_METADATA_KEY: msgspec.to_builtins(generation)}


def _parse_generation(name: str, mappings: dict[str, Any]) -> Generation:
    try:
        metadata = mappings["_meta"][_METADATA_KEY]
        generation = msgspec.convert(metadata, Generation)
    except (KeyError, msgspec.ValidationError):
        raise GenerationError(
            f"{name} was not built by this foidex: it does not say from what. "
            "Load the records again."
        ) from None
    if "records" not in metadata:
        # The first foidex, whose generations hold what was indexed, wrote that number alone.
        generation = msgspec.structs.replace(generation, records=generation.indexed)
    return generation
