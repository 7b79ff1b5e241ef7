"""What a generation must pass before it is promoted; each check has its message and its override.

That every line read is accounted for, and that the server holds exactly the records that were sent,
are checked where they happen and have no override: no number would be defensible.
"""

from __future__ import annotations

from typing import Any, Final

from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.bulk import Rejects
from indexer.errors import GenerationError, SourceError
from indexer.generations import Generation
from indexer.overrides import Override

_HEALTH_SECONDS: Final = 120


class Limits(Struct, frozen=True):
    """The limits. Without ``max_shrink_percent`` the size is not compared. A canary is its term,
    the query of it, and its least count."""

    max_rejects: int = 0
    max_shrink_percent: float | None = None
    canaries: tuple[tuple[str, dict[str, Any], int], ...] = ()


def verify(  # noqa: PLR0913 - what is checked, against what
    client: Elasticsearch,
    generation: Generation,
    live: Generation | None,
    limits: Limits,
    overrides: frozenset[Override],
    reasons: list[str],
    rejects: Rejects,
) -> tuple[str, ...]:
    """Check a sealed generation; returns the overrides that were needed.

    Raises SourceError for rejected records, GenerationError for the rest.
    """
    failed: dict[Override, Exception] = {}
    if generation.rejected > limits.max_rejects:
        failed[Override.REJECTS] = SourceError(_rejected(generation, limits, reasons, rejects))
    if message := _shrunk(generation, live, limits):
        failed[Override.SHRINK] = GenerationError(message)
    if message := _silent_canaries(client, generation, limits):
        failed[Override.CANARIES] = GenerationError(message)
    if message := _not_whole(client, generation):
        failed[Override.REPLICAS] = GenerationError(message)
    for check, error in failed.items():
        if check not in overrides:
            raise error
    if generation.records == 0:
        raise SourceError(
            f"every record was rejected; see {rejects.path}. Nothing was promoted."
            if generation.rejected
            else "no record is left, so nothing was promoted. Check the source."
        )
    return tuple(sorted(failed))


def _rejected(generation: Generation, limits: Limits, reasons: list[str], rejects: Rejects) -> str:
    more = generation.rejected - len(reasons)
    limit = f", more than the {limits.max_rejects:,} allowed" if limits.max_rejects else ""
    return "\n".join(
        [
            *reasons,
            *([f"... and {more:,} more"] if more else []),
            f"{generation.rejected:,} of {generation.read:,} records were rejected{limit}, so "
            f"nothing was promoted. They are in {rejects.path}, each with its reason in "
            f"{rejects.reasons.name}. Correct them and load again, or rerun with "
            "--reject-invalid to set them aside.",
        ]
    )


def _shrunk(generation: Generation, live: Generation | None, limits: Limits) -> str:
    if live is None or limits.max_shrink_percent is None:
        return ""
    least = live.records * (1 - limits.max_shrink_percent / 100)
    if generation.records >= least:
        return ""
    return (
        f"{generation.name} holds {generation.records:,} records, more than "
        f"{limits.max_shrink_percent:g}% fewer than the {live.records:,} of {live.name}, so it was "
        "not promoted. Check that the source is whole; if it is, rerun with --allow shrink."
    )


def _silent_canaries(client: Elasticsearch, generation: Generation, limits: Limits) -> str:
    silent = []
    for term, query, least in limits.canaries:
        held = _count(client, generation.name, query)
        if held < least:
            silent.append(f'"{term}" in {held:,} records, not {least:,}')
    if not silent:
        return ""
    return (
        f"{generation.name} has too few mentions: {'; '.join(silent)}; so it was not promoted. "
        "Check that the narratives arrived; if they did, rerun with --allow canaries."
    )


def _count(client: Elasticsearch, name: str, query: dict[str, Any]) -> int:
    found = client.search(
        index=name,
        query=query,
        size=0,
        track_total_hits=True,
        allow_partial_search_results=False,
    ).body
    return int(found["hits"]["total"]["value"])


def _not_whole(client: Elasticsearch, generation: Generation) -> str:
    health = client.options(request_timeout=_HEALTH_SECONDS + 10, ignore_status=408).cluster.health(
        index=generation.name, wait_for_status="green", timeout=f"{_HEALTH_SECONDS}s"
    )
    if not health["timed_out"] and health["status"] == "green":
        return ""
    return (
        f"{generation.name} is {health['status']}: {health['unassigned_shards']} of its shard "
        "copies are not started, so it was not promoted. Bring the nodes back, make room on "
        "their disks or lower index.replicas; or rerun with --allow replicas."
    )
