"""A refresh: from files to a sealed, promoted generation, or to no change at all."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import bulk, generations, offences, schema, sources
from indexer.errors import FoidexError, SourceError
from indexer.generations import Generation
from indexer.offences import OffenceTable
from indexer.progress import Progress
from indexer.settings import Index
from indexer.sources import RawRecord

VERSION: Final = importlib.metadata.version("foidex")
_PAGE: Final = 500


class Loaded(Struct, frozen=True):
    """What a load did. ``rejects`` is set where records were rejected."""

    generation: Generation
    previous: str | None
    reasons: tuple[str, ...] = ()
    rejects: Path | None = None


def load(  # noqa: PLR0913 - the caller's choices
    client: Elasticsearch,
    index: Index,
    paths: list[Path],
    rejects_folder: Path,
    progress: Progress,
    *,
    rejects_file: Path | None = None,
    reject_invalid: bool = False,
) -> Loaded:
    """Build a generation from files, verify it and promote it.

    A record that is rejected stops the promotion unless ``reject_invalid``. Raises SourceError,
    GenerationError or ServerError; then what was built is deleted and the alias is as it was.
    """
    sources.check(paths)
    table = offences.load()
    generation = generations.create(
        client, index, schema.load(), VERSION, tuple(path.name for path in paths)
    )
    rejects = bulk.Rejects(rejects_file or rejects_folder / f"{generation.name}.jsonl")
    try:
        with progress.bar("Loading records", total=sources.size(paths)) as advance:
            raws = _watched(sources.read(paths), advance)
            tally = bulk.load(client, generation.name, raws, table, rejects)
        _require_records(tally, rejects, reject_invalid=reject_invalid)
        client.indices.refresh(index=generation.name)
        unresolved = _resolve_links(client, generation.name, table) if tally.bare_links else 0
        generation = msgspec.structs.replace(
            generation,
            read=tally.read,
            indexed=tally.indexed,
            rejected=tally.rejected,
            watermark=tally.watermark,
            unknown_codes=dict(tally.unknown_codes.most_common(100)),
            unresolved_links=unresolved,
        )
        progress.say("Merging and checking.")
        generation = generations.seal(client, generation, index.replicas)
        previous = generations.promote(client, index.alias, generation)
    except BaseException:
        generations.discard(client, index.alias, generation.name)
        raise
    return Loaded(
        generation, previous, tuple(tally.reasons), rejects.path if tally.rejected else None
    )


def _watched(raws: Iterator[RawRecord], advance: Any) -> Iterator[RawRecord]:
    pending = 0
    for number, raw in enumerate(raws, start=1):
        yield raw
        pending += raw.size
        if number % 1_000 == 0:
            advance(pending)
            pending = 0
    advance(pending)


def _require_records(tally: bulk.Tally, rejects: bulk.Rejects, *, reject_invalid: bool) -> None:
    if tally.read == 0:
        raise SourceError("the files hold no records, so nothing was promoted. Check the paths.")
    if tally.rejected and not reject_invalid:
        more = tally.rejected - len(tally.reasons)
        raise SourceError(
            "\n".join(
                [
                    *tally.reasons,
                    *([f"... and {more:,} more"] if more else []),
                    f"{tally.rejected:,} of {tally.read:,} records were rejected, so nothing was "
                    f"promoted. They are in {rejects.path}, each with its reason in "
                    f"{rejects.reasons.name}. Correct them and load again, or rerun with "
                    "--reject-invalid to set them aside.",
                ]
            )
        )
    if tally.indexed == 0:
        raise SourceError(f"every record was rejected; see {rejects.path}. Nothing was promoted.")


def _resolve_links(client: Elasticsearch, name: str, table: OffenceTable) -> int:
    """Give each link that is a bare reference the code of the record it names.

    Returns how many name no record of this load; those stay without a code.
    """
    unresolved = 0
    bare = {
        "nested": {
            "path": "linked",
            "query": {"bool": {"must_not": {"exists": {"field": "linked.offence_code"}}}},
        }
    }
    after: list[Any] | None = None
    pit = client.open_point_in_time(index=name, keep_alive="5m")["id"]
    try:
        while True:
            page = client.search(
                pit={"id": pit, "keep_alive": "5m"},
                query=bare,
                size=_PAGE,
                source_includes=["linked"],
                sort=[{"crime_ref": "asc"}],
                search_after=after,
                allow_partial_search_results=False,
            )["hits"]["hits"]
            if not page:
                return unresolved
            unresolved += _resolve_page(client, name, table, page)
            after = page[-1]["sort"]
    finally:
        client.close_point_in_time(id=pit)


def _resolve_page(
    client: Elasticsearch, name: str, table: OffenceTable, page: list[dict[str, Any]]
) -> int:
    wanted = {
        link["crime_ref"]
        for hit in page
        for link in hit["_source"]["linked"]
        if "offence_code" not in link
    }
    found = client.mget(index=name, ids=sorted(wanted), source_includes=["offence_code"])["docs"]
    codes = {one["_id"]: one["_source"]["offence_code"] for one in found if one.get("found")}
    operations: list[Any] = []
    unresolved = 0
    for hit in page:
        links = hit["_source"]["linked"]
        for link in links:
            if "offence_code" in link:
                continue
            if code := codes.get(link["crime_ref"]):
                link |= {"offence_code": code, "offence_path": table.path(code)}
            else:
                unresolved += 1
        operations.append(msgspec.json.encode({"update": {"_id": hit["_id"]}}))
        operations.append(msgspec.json.encode({"doc": {"linked": links}}))
    answer = client.bulk(index=name, operations=operations, filter_path="errors")
    if answer["errors"]:
        raise FoidexError("links could not be given their codes. Nothing was promoted; load again.")
    return unresolved


def summary(loaded: Loaded) -> list[str]:
    """What a load did, in lines for a person."""
    one = loaded.generation
    lines = [
        f"{one.name} is live: {one.read:,} records read, {one.indexed:,} indexed, "
        f"{one.rejected:,} rejected."
    ]
    if loaded.rejects:
        lines.append(f"Rejected records are in {loaded.rejects}, their reasons beside it.")
    if one.unknown_codes:
        codes = ", ".join(f"{code} ({number:,})" for code, number in one.unknown_codes.items())
        lines.append(f"Offence codes not in the table: {codes}. They count only without codes.")
    if one.unresolved_links:
        lines.append(
            f"{one.unresolved_links:,} links name a record that is not in this load, and no code."
        )
    if loaded.previous:
        lines.append(f"{loaded.previous} was live before and is kept.")
    return lines
