"""Verification: the checks that a sealed generation passes before it is promoted, or kept when it
is restored from a backup.
"""

from __future__ import annotations

from typing import Any, Final

from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import BackupError, GenerationError, SourceError
from indexer.index.generations import Generation
from indexer.index.paging import search_sealed_pages
from indexer.jobs.overrides import CheckOverride
from indexer.jobs.shrinkage import (
    ShrinkLimits,
    count_contents,
    count_months,
    describe_content_shrinkage,
    describe_decline,
    describe_emptied_changes,
    describe_month_growth,
    describe_month_shrinkage,
    describe_offence_shrinkage,
    describe_people_growth,
    describe_replacement,
    describe_total_shrinkage,
)
from indexer.loading.content_hash import CONTENT_HASH_RANGE, hash_content
from indexer.loading.faults import RejectedRecordsError, describe_records
from indexer.loading.rejects import Rejects, list_reasons
from indexer.loading.tally import Tally
from indexer.records.model import DELETED

_HELD_RECORDS: Final[dict[str, Any]] = {"bool": {"must_not": {"term": {"status": DELETED}}}}

_PAGE_RECORDS: Final = 1_000


class VerificationLimits(Struct, frozen=True):
    """What a generation is checked against.

    A canary is a term, its query, and the fewest records it must match. ``overrides`` are the
    checks that the operator sets aside. ``health_seconds`` is how long copies of shards may take to
    start.
    """

    max_rejects: int = 0
    shrink: ShrinkLimits = ShrinkLimits()
    canaries: tuple[tuple[str, dict[str, Any], int], ...] = ()
    overrides: frozenset[CheckOverride] = frozenset()
    health_seconds: int = 120


def verify_generation(  # noqa: PLR0913 - what is checked, against what
    client: Elasticsearch,
    generation: Generation,
    live: Generation | None,
    limits: VerificationLimits,
    tally: Tally,
    rejects: Rejects,
) -> tuple[str, ...]:
    """Check a sealed generation against limits and the live one; returns the overrides it needed.

    Raises SourceError for rejected records or none left, else GenerationError for any other check;
    its message has every check that failed.
    """
    failures: dict[CheckOverride, Exception] = {}
    if generation.rejected > limits.max_rejects:
        failures[CheckOverride.REJECTS] = RejectedRecordsError(
            _describe_rejects(generation, limits, tally, rejects), tally.faults.list_kinds()
        )
    shrink = limits.shrink
    messages = _describe_shrinkage(client, generation, live, shrink, tally) if live else {}
    messages[CheckOverride.CANARIES] = _describe_silent_canaries(client, generation, limits)
    messages[CheckOverride.REPLICAS] = _describe_missing_replicas(
        client, generation, limits.health_seconds
    )
    failures |= {check: GenerationError(text) for check, text in messages.items() if text}
    errors = [error for check, error in failures.items() if check not in limits.overrides]
    if errors:
        text = "\n".join(map(str, errors))
        if isinstance(errors[0], RejectedRecordsError):
            raise RejectedRecordsError(text, errors[0].kinds)
        raise GenerationError(text)
    if generation.records == 0:
        raise SourceError(
            f"every record was rejected; see {rejects.path}. Nothing was promoted."
            if generation.rejected
            else "no record is left, so nothing was promoted. Check the source."
        )
    return tuple(sorted(failures))


def _describe_shrinkage(
    client: Elasticsearch,
    generation: Generation,
    live: Generation,
    limits: ShrinkLimits,
    tally: Tally,
) -> dict[CheckOverride, str]:
    total = describe_total_shrinkage(generation, live, limits)
    months = _compare_months(client, generation, live, limits)
    lost_contents, gained_people = _compare_contents(client, generation, live, limits)
    growth = filter(None, (months.get(CheckOverride.GROWTH), gained_people))
    return {
        CheckOverride.SHRINK: total,
        CheckOverride.DECLINE: "" if total else describe_decline(generation, limits),
        **months,
        CheckOverride.GROWTH: "\n".join(growth),
        CheckOverride.OFFENCES: describe_offence_shrinkage(client, generation, live, limits),
        CheckOverride.CONTENTS: lost_contents
        or describe_emptied_changes(tally.had, tally.lost, limits),
    }


def _compare_contents(
    client: Elasticsearch, generation: Generation, live: Generation, limits: ShrinkLimits
) -> tuple[str, str]:
    """What the records lost of what they contain, and whether they gained too many people."""
    if limits.content_percent is None and limits.growth_percent is None:
        return "", ""
    contents = count_contents(client, generation, live)
    return (
        describe_content_shrinkage(generation, live, contents, limits),
        describe_people_growth(generation, live, contents, limits),
    )


def _compare_months(
    client: Elasticsearch, generation: Generation, live: Generation, limits: ShrinkLimits
) -> dict[CheckOverride, str]:
    if limits.month_percent is None and limits.growth_percent is None:
        return {}
    months = count_months(client, generation, live)
    losses = describe_month_shrinkage(client, generation, live, months, limits)
    return {
        CheckOverride.MONTHS: losses or describe_replacement(client, generation, live, limits),
        CheckOverride.GROWTH: describe_month_growth(generation, months, limits),
    }


def _describe_rejects(
    generation: Generation, limits: VerificationLimits, tally: Tally, rejects: Rejects
) -> str:
    limit = f", more than the {limits.max_rejects:,} allowed" if limits.max_rejects else ""
    return "\n".join(
        [
            *list_reasons(tally),
            f"{generation.rejected:,} of {generation.read:,} records were rejected{limit}, so "
            f"nothing was promoted. They are in {rejects.path}, each with its reason in "
            f"{rejects.reasons.name}. Correct them and run the same command again; to "
            "set them aside, add --reject-invalid.",
        ]
    )


def _describe_silent_canaries(
    client: Elasticsearch, generation: Generation, limits: VerificationLimits
) -> str:
    silent = []
    for term, query, minimum in limits.canaries:
        count = _count_matches(client, generation.name, query)
        if count < minimum:
            silent.append(f'"{term}" in {describe_records(count)}, not {minimum:,}')
    if not silent:
        return ""
    return (
        f"{generation.name} has too few mentions: {'; '.join(silent)}; so it was not promoted. "
        "Check that the narratives arrived; if they did, rerun with --allow canaries."
    )


def _count_matches(client: Elasticsearch, name: str, query: dict[str, Any]) -> int:
    response = client.search(
        index=name,
        query=query,
        size=0,
        track_total_hits=True,
        allow_partial_search_results=False,
    ).body
    return int(response["hits"]["total"]["value"])


def _describe_missing_replicas(client: Elasticsearch, generation: Generation, seconds: int) -> str:
    health = client.options(request_timeout=seconds + 10, ignore_status=408).cluster.health(
        index=generation.name, wait_for_status="green", timeout=f"{seconds}s"
    )
    if not health["timed_out"] and health["status"] == "green":
        return ""
    return (
        f"{generation.name} is {health['status']}: {health['unassigned_shards']} of its shard "
        "copies are not started, so it was not promoted. Bring the nodes back, make room on "
        "their disks or lower index.replicas; or rerun with --allow replicas."
    )


def require_content(client: Elasticsearch, generation: Generation) -> None:
    """Raise BackupError unless a restored generation has the records that it was sealed with."""
    if int(generation.content_hash, 16) == compute_content_hash(client, generation.name):
        return
    raise BackupError(
        f"{generation.name} came back with other records than it was sealed with, so it was not "
        "kept: the repository was changed or is damaged. Restore another backup; or, if you know "
        "why, rerun with --unverified."
    )


def compute_content_hash(client: Elasticsearch, name: str) -> int:
    """The content hash of an index, from every record that a search finds in it."""
    content = sum(
        hash_content(hit["_source"])
        for page in search_sealed_pages(client, name, query=_HELD_RECORDS, size=_PAGE_RECORDS)
        for hit in page["hits"]["hits"]
    )
    return content % CONTENT_HASH_RANGE
