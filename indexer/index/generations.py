"""Generations: complete, verified builds of the index behind one alias.

A generation is named ``<alias>-<UTC time>``, is written once and then sealed: merged, checked and
read-only. Its mapping's ``_meta`` says what it was built from. Queries use the alias only, and
promotion moves it in one atomic call. This module knows nothing of records or where they come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.config.model import IndexSettings
from indexer.errors import GenerationError, InexactError, NoIndexError
from indexer.index.mapping import (
    ADDED_FIELDS,
    SUSPECT_FIELDS,
    IndexSchema,
    list_mapping_fields,
    load_index_schema,
)
from indexer.records.categories import CATEGORIES_FIELD
from indexer.records.coverage import Coverage
from indexer.records.damage.kinds import TextDamage
from indexer.records.model import DELETED, SUSPECTS, Timestamp
from indexer.records.narrative import MATCHING_RULE, find_counting_rule
from indexer.records.offences import load_offence_table
from indexer.terminal import escape_line

_MERGE_TIMEOUT_SECONDS: Final = 6 * 3600

_METADATA_KEY: Final = "foidex"

#: How long the shards of a new generation may take to start, in seconds.
START_SECONDS: Final = 90

_MAX_CHANGED_SEGMENTS: Final = 8

_NAME_STAMP: Final = re.compile(r"\d{8}-\d{6}(-\d+)?")

#: How much later than now a generation may be built before a clock is wrong.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

#: How many refreshes back the number of records is kept and compared.
KEPT_SIZES: Final = 30


class EarlierSize(Struct, frozen=True):
    """How many records a generation held that was live before, and when it was built (UTC)."""

    built_at: Timestamp
    records: int


class Generation(Struct, frozen=True):
    """What the index records about one generation. Times are UTC.

    ``categories`` are the force's own fields in it. ``read`` to ``skipped`` count the lines of the
    refresh that made it; those kept out belong to forgotten records, those skipped are blank, or
    counted in ``skipped_by`` by the rule that skips them. ``notes`` counts what a profile did to
    the records that is worth knowing.
    ``records`` and ``tombstones`` count what it holds: a tombstone remembers when a record was
    deleted. ``content_hash`` covers all its records, in any order. ``overrides`` are the checks
    that it failed and was promoted in spite of; ``forgotten`` counts the records removed from it
    since. ``coverage`` are the days it holds records of, and ``damage`` counts the records with
    damaged text; both are None in those of earlier versions. ``matching_rule`` is the version of
    the matching rule by which its text was cut, None where that was not recorded.
    ``offence_table`` is the fingerprint of the table by which its offence codes were placed, and
    ``codes_outside_validity`` counts records from before or after the life of their code.
    ``suspects`` says whether it has fields for suspects, which those of earlier versions have not.
    ``earlier_sizes`` are those of the refreshes before it, oldest first: KEPT_SIZES at most, and
    none from before a shrinkage that the operator allowed. ``replaced`` is the name of the
    generation that was live when this one was made live for the first time.
    """

    name: str
    built_at: Timestamp
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
    skipped: int = 0
    skipped_by: dict[str, int] = {}
    notes: dict[str, int] = {}
    records: int = 0
    tombstones: int = 0
    watermark: Timestamp | None = None
    unknown_codes: dict[str, int] = {}
    unresolved_links: int = 0
    content_hash: str = "0"
    overrides: tuple[str, ...] = ()
    forgotten: int = 0
    verified: bool = False
    coverage: Coverage | None = None
    damage: TextDamage | None = None
    matching_rule: int | None = None
    offence_table: str | None = None
    codes_outside_validity: dict[str, int] = {}
    suspects: bool = False
    earlier_sizes: tuple[EarlierSize, ...] = ()
    replaced: str | None = None

    @property
    def counting_rule(self) -> int:
        """The version of the matching rule that counts in it: see ``find_counting_rule``.

        Before it was recorded, version 3 came with the count of damaged text.
        """
        built_by = self.matching_rule or (1 if self.damage is None else 3)
        return find_counting_rule(built_by)


def describe_future_build(generation: Generation) -> str | None:
    """That a generation was built later than this machine's clock says; None where it was not."""
    now = datetime.now(UTC)
    if generation.built_at <= now + CLOCK_TOLERANCE:
        return None
    return (
        f"{generation.name} was built at {generation.built_at:%Y-%m-%d %H:%M} UTC, but the clock "
        f"of this machine says {now:%Y-%m-%d %H:%M} UTC"
    )


def list_earlier_sizes(live: Generation) -> tuple[EarlierSize, ...]:
    """The sizes that the generation after the live one is compared with, oldest first."""
    return (*live.earlier_sizes, EarlierSize(live.built_at, live.records))[-KEPT_SIZES:]


def create_generation(  # noqa: PLR0913 - what a generation is made from
    client: Elasticsearch,
    index: IndexSettings,
    schema: IndexSchema,
    version: str,
    sources: tuple[str, ...],
    categories: tuple[str, ...] = (),
) -> Generation:
    """Make the empty index of a new generation, ready for writing. Raises GenerationError."""
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
        _require_started(client, index.alias, generation.name)

    return _make_generation(
        index.alias,
        make,
        version=version,
        mapping_hash=schema.hash,
        sources=sources,
        categories=categories,
        suspects=SUSPECTS.field in schema.mappings["properties"],
    )


def clone_generation(
    client: Elasticsearch,
    index: IndexSettings,
    live: Generation,
    version: str,
    sources: tuple[str, ...],
) -> Generation:
    """Make a new generation as a clone of the live one: the server links its files.

    Raises GenerationError.
    """
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
        _require_started(client, index.alias, generation.name)
        # Until then the clone carries the metadata, and so the name, of the live one.
        client.indices.put_mapping(index=generation.name, meta=build_index_meta(generation))

    return _make_generation(
        index.alias,
        make,
        version=version,
        mapping_hash=live.mapping_hash,
        sources=sources,
        categories=live.categories,
        suspects=live.suspects,
        mode="incremental",
        base=live.name,
    )


def _require_started(client: Elasticsearch, alias: str, name: str) -> None:
    """Raise GenerationError, and delete the index, unless all its shards start: they do not where
    the disks are nearly full, and every write would wait for them."""
    health = client.options(request_timeout=START_SECONDS + 10, ignore_status=408).cluster.health(
        index=name, wait_for_status="green", timeout=f"{START_SECONDS}s"
    )
    if health["timed_out"]:
        discard_generation(client, alias, name)
        raise GenerationError(
            f"the server did not start the shards of {name} within {START_SECONDS} seconds, so "
            "nothing was loaded. Its disks may be nearly full: see foidex doctor. Make room, for "
            "instance with foidex prune, and run the command again."
        )


def _make_generation(alias: str, make: Callable[[Generation], None], **fields: Any) -> Generation:
    """Make a generation with the first free name of this second."""
    built_at = datetime.now(UTC).replace(microsecond=0)
    stamp = f"{alias}-{built_at:%Y%m%d-%H%M%S}"
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        generation = Generation(
            name=f"{stamp}{suffix}",
            built_at=built_at,
            matching_rule=MATCHING_RULE,
            offence_table=load_offence_table().fingerprint,
            **fields,
        )
        try:
            make(generation)
        except elasticsearch.BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
        else:
            return generation
    raise GenerationError(f"no free name for a generation at {stamp}. Try again in a second.")


def seal_generation(client: Elasticsearch, generation: Generation, replicas: int) -> Generation:
    """Merge, count, and forbid writing. A new index is merged to one segment a shard, a changed one
    to a few.

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
            f"{name} holds {counts[0]:,} records and {counts[1]:,} tombstones, but "
            f"{expected[0]:,} and {expected[1]:,} were sent; it was not promoted. Run the "
            "command again."
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
    """Record in the index itself that a generation passed every check."""
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
        raise GenerationError(f"{name}: not every shard answered the count. Run the command again.")
    tombstones = int(answer["aggregations"]["tombstones"]["doc_count"])
    return int(answer["hits"]["total"]["value"]) - tombstones, tombstones


def require_every_record(generation: Generation, records: int) -> None:
    """Raise InexactError unless ``records`` are as many as the generation holds."""
    if records != generation.records:
        raise InexactError(
            f"the server shows this user {records:,} of the {generation.records:,} records of "
            f"{generation.name}, so every count would be too low. Use a user whose role has no "
            "query; or, if records or the alias were changed by hand, load them again."
        )


def require_whole_generation(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, of which this user sees every record, as far as the role may read it.

    Raises InexactError, and as ``read_live_generation`` and ``count_documents``.
    """
    live = read_live_generation(client, alias)
    for searched in (alias, live.name):  # a role may read one of the names, or neither
        with suppress(elasticsearch.AuthorizationException):
            records, _ = count_documents(client, searched)
            if read_live_generation(client, alias) == live:  # nothing was changed meanwhile
                require_every_record(live, records)
            break
    return live


def promote_generation(client: Elasticsearch, alias: str, generation: Generation) -> str | None:
    """Point the alias at a verified generation in one call; returns the name it pointed at before,
    None where that was none or several.

    Raises GenerationError for a generation that is not verified, or an alias that cannot be moved.
    """
    if not generation.verified:
        raise GenerationError(f"{generation.name} was never verified, so it cannot be promoted.")
    aliased_names = _list_live_names(client, alias)
    # In one call, and whatever the alias points at by now, it then points at one index.
    client.indices.update_aliases(
        actions=[
            {"remove": {"index": f"{alias}-*", "alias": alias, "must_exist": False}},
            {"add": {"index": generation.name, "alias": alias}},
        ]
    )
    return aliased_names[0] if len(aliased_names) == 1 else None


def find_live_name(client: Elasticsearch, alias: str) -> str | None:
    """The name of the live generation, or None before the first load. Raises GenerationError."""
    names = _list_live_names(client, alias)
    if len(names) > 1:
        raise _make_ambiguous_alias_error(alias, names)
    return names[0] if names else None


def _list_live_names(client: Elasticsearch, alias: str) -> list[str]:
    """The names of the indices that the alias points at; more than one only by somebody's hand.

    Raises GenerationError where the alias is an index."""
    try:
        return sorted(_get_aliased_indices(client, alias))
    except elasticsearch.NotFoundError:
        if client.indices.exists(index=alias):
            raise _make_index_error(alias) from None
        return []


def _make_index_error(alias: str) -> GenerationError:
    return GenerationError(
        f'"{alias}" is an index, not an alias of generations. Delete it, or choose another alias '
        "(FOIDEX_INDEX)."
    )


def _get_aliased_indices(client: Elasticsearch, alias: str) -> dict[str, Any]:
    """The indices behind an alias. Raises NotFoundError where there is no such alias."""
    try:
        return dict(client.indices.get_alias(name=alias).body)
    except elasticsearch.NotFoundError:
        # The server says so, too, where it looks at an index that is just being deleted.
        if not client.indices.exists_alias(name=alias):
            raise
    return dict(client.indices.get_alias(name=alias).body)


def read_live_generation(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, read through the alias. Raises NoIndexError or GenerationError."""
    return _parse_generation(*_read_live_mapping(client, alias))


def _read_live_mapping(client: Elasticsearch, alias: str) -> tuple[str, dict[str, Any]]:
    """The name and mappings of the one index behind the alias."""
    try:
        mappings = client.indices.get_mapping(index=alias).body
    except elasticsearch.NotFoundError:
        raise _make_absence_error(client, alias) from None
    if len(mappings) != 1:
        raise _make_ambiguous_alias_error(alias, sorted(mappings))
    ((name, body),) = mappings.items()
    # A replay reads a generation by its own name; an index of something else has none of our data.
    if name == alias and _METADATA_KEY not in body["mappings"].get("_meta", {}):
        raise _make_index_error(alias)
    return name, body["mappings"]


def _make_absence_error(client: Elasticsearch, alias: str) -> NoIndexError:
    """Nothing was loaded yet, or someone deleted the live index and others are kept."""
    problem = f'there is no live generation behind "{alias}"'
    if newest_generation := find_newest_generation(client, alias):
        name = newest_generation.name
        return NoIndexError(f"{problem}, but {name} is kept. Make it live: foidex rollback {name}")
    return NoIndexError(
        f"{problem}. Load records first: foidex refresh (from the source in foidex.toml) or foidex "
        "load PATH."
    )


def find_newest_generation(client: Elasticsearch, alias: str) -> Generation | None:
    """The newest verified generation, live or not; None where there is none that this user sees."""
    with suppress(elasticsearch.AuthorizationException, elasticsearch.NotFoundError):
        return next(iter(list_verified(client, alias)), None)
    return None


def _make_ambiguous_alias_error(alias: str, names: list[str]) -> GenerationError:
    return GenerationError(
        f'alias "{alias}" points at {len(names)} indices ({", ".join(names)}), so no number from '
        "it would be exact. Make one of them live with foidex rollback NAME."
    )


def open_live_generation(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, to be queried.

    Raises NoIndexError, GenerationError, and InexactError where a field is missing: a role that
    hides fields from this user hides them in the mapping too, and they would count as empty.
    """
    name, mappings = _read_live_mapping(client, alias)
    generation = _parse_generation(name, mappings)
    required_fields = list_mapping_fields(load_index_schema().mappings)
    if generation.damage is None:
        required_fields -= ADDED_FIELDS  # an earlier version built it, and it counts as well
    if not generation.suspects:
        required_fields -= SUSPECT_FIELDS
    required_fields |= {f"{CATEGORIES_FIELD}.{category}" for category in generation.categories}
    if hidden_fields := sorted(required_fields - list_mapping_fields(mappings)):
        raise InexactError(
            f'{generation.name} shows this user no field "{hidden_fields[0]}", and what is hidden '
            "counts as none. Use a user whose role hides no fields; or, if an earlier foidex built "
            "it, refresh first: foidex refresh --full"
        )
    return generation


def list_verified(
    client: Elasticsearch, alias: str, *, with_hidden: bool = False
) -> list[Generation]:
    """Every verified generation of the alias, newest first; ``with_hidden`` also those that a
    restore has not compared yet."""
    generations = list_all_generations(client, alias, with_hidden=with_hidden)
    return [generation for generation in generations if generation.verified]


def is_generation_name(alias: str, name: str) -> bool:
    """Whether an index can be a generation of the alias by its name."""
    return name.startswith(f"{alias}-") and bool(_NAME_STAMP.fullmatch(name[len(alias) + 1 :]))


def find_alias(name: str) -> str:
    """The alias of a generation, by the name that it was given."""
    return re.sub(f"-{_NAME_STAMP.pattern}$", "", name)


def find_generation(client: Elasticsearch, alias: str, name: str) -> Generation | None:
    """A verified generation by its name; None where it is not kept.

    The live one is read through the alias. For any other one, raises AuthorizationException for a
    user who may use the alias only.
    """
    live_generation = read_live_generation(client, alias)
    if live_generation.name == name:
        return live_generation
    if not is_generation_name(alias, name):
        return None
    mappings = client.options(ignore_status=404).indices.get_mapping(index=name).body
    if name not in mappings:
        return None
    generation = _parse_generation(name, mappings[name]["mappings"])
    return generation if generation.verified and generation.name == name else None


def list_all_generations(
    client: Elasticsearch, alias: str, *, with_hidden: bool = False
) -> list[Generation]:
    """Every generation, newest first, even if half built. A clone that still has the metadata of
    its base counts as unverified. An index that cannot be read as one is left out: see
    ``list_unreadable``."""
    generations = []
    for name, mappings in _read_named_mappings(client, alias, with_hidden=with_hidden).items():
        with suppress(GenerationError):
            generation = _parse_generation(name, mappings)
            owns_name = generation.name == name
            generations.append(
                generation
                if owns_name
                else msgspec.structs.replace(generation, name=name, verified=False)
            )
    return sorted(
        generations, key=lambda generation: (generation.built_at, generation.name), reverse=True
    )


def _read_named_mappings(
    client: Elasticsearch, alias: str, *, with_hidden: bool = False
) -> dict[str, dict[str, Any]]:
    """The mappings of every index that is named like a generation and has our metadata."""
    expand_wildcards = "open,hidden" if with_hidden else "open"
    indices = client.indices.get_mapping(index=f"{alias}-*", expand_wildcards=expand_wildcards).body
    return {
        name: body["mappings"]
        for name, body in indices.items()
        if _METADATA_KEY in body["mappings"].get("_meta", {}) and is_generation_name(alias, name)
    }


def list_unreadable(client: Elasticsearch, alias: str) -> list[str]:
    """The names of indices that are named like generations and whose metadata are not those of one:
    of a later foidex perhaps, or of another program. They are never used, changed or deleted."""
    names = []
    for name, mappings in _read_named_mappings(client, alias).items():
        try:
            _parse_generation(name, mappings)
        except GenerationError:
            names.append(name)
    return sorted(names)


def clear_unfinished(client: Elasticsearch, alias: str) -> list[str]:
    """Delete what refreshes and restores that failed left half done, and return the names. The lock
    must be held."""
    names = list_unfinished(client, alias)
    for name in names:
        discard_generation(client, alias, name)
    return names


def list_unfinished(client: Elasticsearch, alias: str) -> list[str]:
    """The names of half-built generations, of a running refresh or of one that died, and of those
    that a restore has not compared yet, which it hides until then."""
    aliased = _list_aliased(client, alias)
    usable = {generation.name for generation in list_verified(client, alias)}
    return [
        generation.name
        for generation in list_all_generations(client, alias, with_hidden=True)
        if generation.name not in usable | aliased
    ]


def show_restored(client: Elasticsearch, names: list[str]) -> None:
    """Let generations that were restored hidden be seen and used: they were compared."""
    client.indices.put_settings(index=names, settings={"hidden": None})


def _leave_as_it_is(generation: Generation) -> Generation:
    return generation


def roll_back_generation(
    client: Elasticsearch,
    alias: str,
    name: str | None,
    prepare: Callable[[Generation], Generation] = _leave_as_it_is,
) -> tuple[Generation, tuple[str, ...]]:
    """Make a kept generation live again: the named one, or else the one that the live one replaced.

    That is the next older one where it is not kept or not known, and the newest where none is live.
    With a name, the alias may point at several. ``prepare`` is called before it is made
    live, and returns it. Returns it, and the names of those that the alias pointed at. Raises
    GenerationError where it is not kept, NoIndexError where nothing is.
    """
    live_names = _list_live_names(client, alias)
    live_name = live_names[0] if live_names else None
    if len(live_names) > 1:
        if name is None:
            raise _make_ambiguous_alias_error(alias, live_names)
        live_name = None
    generations = list_verified(client, alias)
    if live_name is None and not generations:
        raise _make_absence_error(client, alias)
    candidates = [generation for generation in generations if generation.name != live_name]
    others = ", ".join(generation.name for generation in candidates) or "none"
    if name is None and live_name is not None:
        live = read_live_generation(client, alias)
        replaced = [generation for generation in candidates if generation.name == live.replaced]
        candidates = replaced or [
            generation
            for generation in candidates
            if (generation.built_at, generation.name) < (live.built_at, live.name)
        ]
    matches = [generation for generation in candidates if name in (None, generation.name)]
    if not matches:
        description = f'"{name}"' if name else "a generation older than the live one"
        raise GenerationError(f"{description} is not kept. Kept besides the live one: {others}.")
    target = prepare(matches[0])
    promote_generation(client, alias, target)
    return target, tuple(live_names)


def prune_generations(
    client: Elasticsearch,
    alias: str,
    keep: int,
    *,
    max_age_days: int | None = None,
    dry_run: bool = False,
) -> list[str]:
    """Delete all generations except the live one, the one that it replaced, and the newest others,
    ``keep`` in all.

    After a rollback the newest others are those that somebody turned down. One that a wrong clock
    dated in the future is older than all others. Of those kept besides the live one, those built
    more than ``max_age_days`` ago are deleted too. Returns the names of those deleted. A dry run
    deletes nothing.
    """
    live = read_live_generation(client, alias)
    now = datetime.now(UTC)
    others = sorted(
        (generation for generation in list_verified(client, alias) if generation.name != live.name),
        key=lambda generation: (
            generation.name != live.replaced,
            generation.built_at > now + CLOCK_TOLERANCE,
        ),
    )
    age_limit = now - timedelta(days=max_age_days) if max_age_days else None
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
    """The bytes that the segments of the primary shards of each generation take, by its name.

    Not those of the store: the server looks at its files every ten seconds only.
    """
    stats = client.indices.stats(
        index=f"{alias}-*",
        metric=["docs"],
        filter_path="indices.*.primaries.docs.total_size_in_bytes",
    ).body
    return {
        name: int(body["primaries"]["docs"]["total_size_in_bytes"])
        for name, body in stats.get("indices", {}).items()
    }


def discard_generation(client: Elasticsearch, alias: str, name: str) -> None:
    """Delete a generation. Raises GenerationError for the live one, and for any other index."""
    if not name.startswith(f"{alias}-") or name in _list_aliased(client, alias):
        raise GenerationError(
            f"{name} is live, or not a generation of {alias}; it was not deleted."
        )
    client.options(ignore_status=404).indices.delete(index=name)


def _list_aliased(client: Elasticsearch, alias: str) -> set[str]:
    """The names of all indices that the alias points at."""
    return set(client.options(ignore_status=404).indices.get_alias(name=alias).body)


def build_index_meta(generation: Generation) -> dict[str, Any]:
    """The ``_meta`` of the mapping of a generation's index."""
    return {_METADATA_KEY: msgspec.to_builtins(generation)}


def _parse_generation(name: str, mappings: dict[str, Any]) -> Generation:
    try:
        metadata = mappings["_meta"][_METADATA_KEY]
        generation = msgspec.convert(metadata, Generation)
        # An earlier version kept the names of files as they were.
        sources = tuple(map(escape_line, generation.sources))
    except (KeyError, msgspec.ValidationError):
        raise GenerationError(
            f"{name} was not built by this foidex: it does not record its sources. "
            "Load the records again."
        ) from None
    if "records" not in metadata:
        # The first version wrote only this number; its generations hold what was indexed.
        generation = msgspec.structs.replace(generation, records=generation.indexed)
    # An earlier version kept the time as the source gave it, in any zone.
    watermark = generation.watermark and generation.watermark.astimezone(UTC)
    return msgspec.structs.replace(generation, sources=sources, watermark=watermark)
