"""A refresh: from a source to a verified, promoted generation, or to no change at all.

*Full*: a new index is filled. *Incremental*: the live generation is cloned, which costs no copying,
and only what changed is applied. Either way the result is a generation of its own, so every refresh
can be undone. One refresh runs at a time; what a dead one left half built is cleared first.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import bulk, fieldmap, generations, lease, offences, paging, records, schema, sources
from indexer.errors import GenerationError, NoIndexError, SourceError
from indexer.fieldmap import FieldMap
from indexer.generations import Generation
from indexer.lease import Lease
from indexer.offences import OffenceTable
from indexer.overrides import Override
from indexer.progress import Progress
from indexer.records import Contract
from indexer.schema import Schema
from indexer.settings import Index, Refresh
from indexer.sources import RawRecord, database
from indexer.sources.database import Database
from indexer.verification import Limits, verify

VERSION: Final = importlib.metadata.version("foidex")
_PAGE: Final = 500
_MOST_TERMS: Final = 50_000

Mode = Literal["full", "incremental"]


class Plan(Struct, frozen=True):
    """What to read, files or a database, and how. ``rejects_file`` is where rejected records go, if
    not to the folder."""

    paths: tuple[Path, ...]
    rejects_folder: Path
    tombstones: tuple[Path, ...] = ()
    fields: FieldMap = FieldMap()
    rejects_file: Path | None = None
    database: Database | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What the generation says it was built from."""
        files = tuple(path.name for path in (*self.paths, *self.tombstones))
        return (self.database.shown, *files) if self.database else files

    @property
    def schema(self) -> Schema:
        """The index's settings and mapping, with the declared categories."""
        return schema.declared(schema.load(), self.fields.categories)

    def reader(self) -> bulk.Reader:
        """What turns the raw records into documents."""
        contract = Contract(self.fields.categories)
        return bulk.Reader(offences.load(), self.fields, datetime.now(UTC), contract)


class Loaded(Struct, frozen=True):
    """What a refresh did. ``rejects`` is set where records were rejected."""

    generation: Generation
    previous: str | None
    reasons: tuple[str, ...] = ()
    rejects: Path | None = None
    cleared: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()


def load(  # noqa: PLR0913 - the caller's choices
    client: Elasticsearch,
    index: Index,
    paths: list[Path],
    rejects_folder: Path,
    progress: Progress,
    *,
    fields: FieldMap = fieldmap.PLAIN,
    rejects_file: Path | None = None,
    reject_invalid: bool = False,
    lease_seconds: int = 60,
) -> Loaded:
    """Build a generation from files, verify it and promote it.

    A record that is rejected stops the promotion unless ``reject_invalid``. Raises SourceError,
    GenerationError, LockedError or ServerError; then the alias is as it was.
    """
    plan = Plan(tuple(paths), rejects_folder, fields=fields, rejects_file=rejects_file)
    overrides = frozenset({Override.REJECTS} if reject_invalid else ())
    with lease.held(client, index.alias, lease_seconds) as lock:
        return _refresh(client, index, plan, "full", Limits(), overrides, lock, progress)


def refresh(  # noqa: PLR0913 - the caller's choices
    client: Elasticsearch,
    index: Index,
    plan: Plan,
    mode: Mode,
    options: Refresh,
    progress: Progress,
    *,
    overrides: frozenset[Override] = frozenset(),
    mention: Callable[[str], dict[str, Any]],
) -> Loaded:
    """The nightly refresh: as ``load``, held to the configured limits, and pruned after.

    ``mention`` gives the query of a canary's term. An incremental refresh needs a live generation
    of the same mapping; raises NoIndexError or GenerationError where there is none.
    """
    limits = Limits(
        max_rejects=options.max_rejects,
        max_shrink_percent=options.max_shrink_percent,
        canaries=tuple((one.term, mention(one.term), one.least) for one in options.canaries),
    )
    with lease.held(client, index.alias, options.lease_seconds) as lock:
        loaded = _refresh(client, index, plan, mode, limits, overrides, lock, progress)
        pruned = generations.prune(
            client, index.alias, options.keep, max_age_days=options.max_age_days
        )
    return msgspec.structs.replace(loaded, pruned=tuple(pruned))


def _refresh(  # noqa: PLR0913 - the steps share it all
    client: Elasticsearch,
    index: Index,
    plan: Plan,
    mode: Mode,
    limits: Limits,
    overrides: frozenset[Override],
    lock: Lease,
    progress: Progress,
) -> Loaded:
    _check_source(plan, mode)
    if plan.rejects_file:
        _require_apart(plan.rejects_file, plan.paths)
    generations.live_name(client, index.alias)  # raises for an alias that could not be moved
    cleared = generations.clear_unfinished(client, index.alias)
    for name in cleared:
        progress.say(f"{name}, left half built by an earlier refresh, was deleted.")
    live = _live(client, index, mode, plan.schema)
    with _cleared_on_failure(client, index.alias, progress) as made:
        generation = (
            generations.clone(client, index, live, VERSION, plan.names)
            if mode == "incremental" and live
            else generations.create(
                client, index, plan.schema, VERSION, plan.names, tuple(plan.fields.categories)
            )
        )
        made.append(generation.name)
        rejects = bulk.Rejects(
            plan.rejects_file or plan.rejects_folder / f"{generation.name}.jsonl",
            keep=plan.rejects_file is None,
        )
        tally = _fill(client, generation, live, plan, rejects, progress)
        if tally.read == 0 and mode == "full":
            where = plan.names[0] if plan.database else ", ".join(map(str, plan.paths))
            raise SourceError(
                f"{where}: there are no records, so nothing was promoted. "
                f"Check the {'query' if plan.database else 'path'}."
            )
        generation = _described(generation, tally)
        generation = resolve_links(client, generation, tally, offences.load())
        progress.say("Merging and checking.")
        generation = generations.seal(client, generation, index.replicas)
        used = verify(client, generation, live, limits, overrides, tally.reasons, rejects)
        generation = msgspec.structs.replace(generation, overrides=used)
        lock.check()
        generation = generations.mark_verified(client, generation)
        previous = generations.promote(client, index.alias, generation)
    return Loaded(
        generation,
        previous,
        tuple(tally.reasons),
        rejects.path if tally.rejected else None,
        tuple(cleared),
    )


def _described(generation: Generation, tally: bulk.Tally) -> Generation:
    return msgspec.structs.replace(
        generation,
        read=tally.read,
        indexed=tally.indexed,
        rejected=tally.rejected,
        deleted=tally.deleted,
        late=tally.late,
        unchanged=tally.unchanged,
        kept_out=tally.kept_out,
        records=tally.records,
        tombstones=tally.tombstones,
        watermark=tally.watermark,
        unknown_codes=dict(tally.unknown_codes.most_common(100)),
    )


def _live(client: Elasticsearch, index: Index, mode: Mode, wanted: Schema) -> Generation | None:
    try:
        live = generations.live(client, index.alias)
    except NoIndexError:
        if mode == "incremental":
            raise
        return None
    if mode == "incremental" and live.mapping_hash != wanted.hash:
        raise SourceError(
            f"{live.name} was built with another mapping or other categories, so it cannot be "
            "changed, only rebuilt. "
            "Run a full refresh: foidex refresh --full"
        )
    return live


def _fill(  # noqa: PLR0913 - the steps share it all
    client: Elasticsearch,
    generation: Generation,
    live: Generation | None,
    plan: Plan,
    rejects: bulk.Rejects,
    progress: Progress,
) -> bulk.Tally:
    reader = plan.reader()
    total = None if plan.database else sources.size(plan.paths)
    since = _since(plan, live if generation.mode == "incremental" else None)
    with (
        progress.bar("Loading records", total=total) as advance,
        closing(_raws(plan, since)) as every,
    ):
        raws = _watched(every, advance)
        if generation.mode == "full" or live is None:
            tally = bulk.Tally(tombstones=_keep_forgotten(client, live, generation.name))
            return bulk.build(client, generation.name, raws, reader, rejects, tally)
        start = bulk.Tally(
            records=live.records,
            tombstones=live.tombstones,
            content=int(live.content_hash, 16),
            watermark=live.watermark,
            bare_links=live.unresolved_links,
            changed=[],
        )
        return bulk.change(client, generation.name, raws, reader, rejects, start)


def forgotten(client: Elasticsearch, name: str) -> list[dict[str, Any]]:
    """The tombstones of what was forgotten from a sealed generation, or is kept out of it."""
    deleted = {"term": {"status": records.DELETED}}
    return [
        hit["_source"]
        for page in paging.sealed_pages(client, name, query=deleted, size=_PAGE)
        for hit in page["hits"]["hits"]
        if hit["_source"]["place"] in records.KEEPING_OUT
    ]


def _keep_forgotten(client: Elasticsearch, live: Generation | None, into: str) -> int:
    """Write down in a new index what was forgotten from the live one; how many that are."""
    found = forgotten(client, live.name) if live else []
    for one in found:
        document = {**one, "place": records.KEPT_OUT}
        client.index(index=into, id=one["crime_ref"], document=document)
    return len(found)


def _check_source(plan: Plan, mode: Mode) -> None:
    """Raise for a source that can never be read, before anything is built."""
    sources.check(plan.paths)
    if plan.database:
        database.check(plan.database, plan.fields, incremental=mode == "incremental")


def _since(plan: Plan, live: Generation | None) -> datetime | None:
    if plan.database is None or live is None:
        return None
    return database.since(plan.database, live.watermark, live.built_at)


def _raws(plan: Plan, since: datetime | None = None) -> Generator[RawRecord]:
    yield from sources.read(plan.paths, plan.fields)
    if plan.database:
        yield from database.read(plan.database, plan.fields, since)
    for path in plan.tombstones:
        yield from sources.tombstones(path)


def check(plan: Plan, mode: Mode = "full") -> bulk.Tally:
    """Read and check the whole source and write nothing. Raises SourceError."""
    _check_source(plan, mode)
    with closing(_raws(plan)) as raws:
        return bulk.check(raws, plan.reader())


@contextmanager
def _cleared_on_failure(
    client: Elasticsearch, alias: str, progress: Progress
) -> Iterator[list[str]]:
    """Delete what was built when anything fails, be it while the index is being made, or promoted.

    Takes the names of what was made.
    """
    made: list[str] = []
    try:
        yield made
    except BaseException:
        try:
            generations.clear_unfinished(client, alias)
            for name in made:
                generations.discard(client, alias, name)
        except (elasticsearch.ApiError, elasticsearch.TransportError, GenerationError):
            progress.say("What was built cannot be deleted now; the next refresh will do it.")
        raise


def _require_apart(rejects: Path, paths: tuple[Path, ...]) -> None:
    """Raise SourceError where rejected records would be written over records to be read."""
    if rejects.is_dir():
        raise SourceError(f"{rejects}: is a folder. Name a file with --rejects.")
    if sources.reads(paths, rejects):
        raise SourceError(
            f"{rejects}: holds records to load, and the rejected ones would be written over them. "
            "Name another file with --rejects."
        )


def _watched(raws: Iterator[RawRecord], advance: Callable[[float], None]) -> Iterator[RawRecord]:
    pending = 0
    for number, raw in enumerate(raws, start=1):
        yield raw
        pending += raw.size
        if number % 1_000 == 0:
            advance(pending)
            pending = 0
    advance(pending)


# -- links -----------------------------------------------------------------------------------------


def resolve_links(
    client: Elasticsearch, generation: Generation, tally: bulk.Tally, table: OffenceTable
) -> Generation:
    """Give each link that is a bare reference the code of the record it names.

    Links that name no record of this generation stay without a code, and are counted. In a changed
    generation those that name a changed record are looked up again.
    """
    content = tally.content
    unresolved = 0
    if tally.bare_links or tally.changed:
        client.indices.refresh(index=generation.name)
        for page in _pages_of_links(client, generation.name, tally.changed or []):
            content += _resolve_page(client, generation.name, table, page)
        client.indices.refresh(index=generation.name)
        unresolved = _count_bare_links(client, generation.name)
    return msgspec.structs.replace(
        generation,
        unresolved_links=unresolved,
        content_hash=f"{content % bulk.HASH_RANGE:032x}",
    )


def _bare() -> dict[str, Any]:
    return {"bool": {"must_not": {"exists": {"field": "linked.offence_code"}}}}


def _count_bare_links(client: Elasticsearch, name: str) -> int:
    bare = {"nested": {"path": "linked"}, "aggs": {"bare": {"filter": _bare()}}}
    found = client.search(
        index=name, size=0, aggs={"links": bare}, allow_partial_search_results=False
    )
    return int(found["aggregations"]["links"]["bare"]["doc_count"])


def _pages_of_links(
    client: Elasticsearch, name: str, changed: list[str]
) -> Iterator[list[dict[str, Any]]]:
    """The records with a bare link, or one that was resolved by a record that changed."""
    resolved: list[dict[str, Any]] = [{"term": {"linked.resolved": True}}]
    if len(changed) <= _MOST_TERMS:
        resolved.append({"terms": {"linked.crime_ref": changed}})
    wanted = {"bool": {"should": [_bare(), {"bool": {"filter": resolved}}]}}
    query = {"nested": {"path": "linked", "query": wanted}}
    for body in paging.pages(client, name, query=query, size=_PAGE):
        if body["hits"]["hits"]:
            yield body["hits"]["hits"]


def _resolve_page(
    client: Elasticsearch, name: str, table: OffenceTable, page: list[dict[str, Any]]
) -> int:
    """Resolve the links of a page of records; by how much the content hash moved."""
    links = [link for hit in page for link in hit["_source"]["linked"] if _is_bare(link)]
    wanted = sorted({link["crime_ref"] for link in links})
    found = client.mget(index=name, ids=wanted, source_includes=["offence_code"])["docs"]
    codes = {
        one["_id"]: one["_source"]["offence_code"]
        for one in found
        if one.get("found") and "offence_code" in one["_source"]
    }
    operations: list[Any] = []
    moved = 0
    for hit in page:
        document = hit["_source"]
        before = msgspec.json.encode(document)
        document["linked"] = [_resolved(link, codes, table) for link in document["linked"]]
        after = msgspec.json.encode(document)
        if after != before:
            moved += bulk.content_hash(after) - bulk.content_hash(before)
            operations += [msgspec.json.encode({"index": {"_id": hit["_id"]}}), after]
    if operations:
        answer = client.bulk(index=name, operations=operations, filter_path="errors")
        if answer["errors"]:
            raise SourceError(
                "links could not be given their codes. Nothing was promoted; load again."
            )
    return moved


def _is_bare(link: dict[str, Any]) -> bool:
    return "offence_code" not in link or link.get("resolved", False)


def _resolved(link: dict[str, Any], codes: dict[str, str], table: OffenceTable) -> dict[str, Any]:
    if not _is_bare(link):
        return link
    bare = {"crime_ref": link["crime_ref"]}
    code = codes.get(link["crime_ref"])
    if code is None:
        return bare
    return {**bare, "offence_code": code, "offence_path": table.path(code), "resolved": True}


def summary(loaded: Loaded) -> list[str]:
    """What a refresh did, in lines for a person."""
    one = loaded.generation
    changes = ""
    if one.mode == "incremental":
        changes = (
            f" {one.deleted:,} deleted, {one.unchanged:,} unchanged, {one.late:,} older than held;"
            f" it holds {one.records:,} records."
        )
    lines = [
        f"{one.name} is live: {one.read:,} records read, {one.indexed:,} indexed, "
        f"{one.rejected:,} rejected.{changes}"
    ]
    if loaded.rejects:
        lines.append(f"Rejected records are in {loaded.rejects}, their reasons beside it.")
    if one.kept_out:
        lines.append(
            f"Records that were kept out, as they were forgotten here: {one.kept_out:,}. Delete "
            "them at the source; or, to have one back: foidex forget REF --undo, and refresh."
        )
    if one.unknown_codes:
        codes = ", ".join(f"{code} ({number:,})" for code, number in one.unknown_codes.items())
        lines.append(
            f"Offence codes not in the table: {codes}. No class but their category's covers them."
        )
    if one.unresolved_links:
        lines.append(f"{one.unresolved_links:,} links name a record that is not held, and no code.")
    if one.overrides:
        lines.append(f"Checks that were overridden: {', '.join(one.overrides)}.")
    if loaded.previous:
        lines.append(f"{loaded.previous} was live before and is kept.")
    if loaded.pruned:
        lines.append(f"Deleted as old: {', '.join(loaded.pruned)}.")
    return lines
