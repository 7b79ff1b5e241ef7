"""Checks of the cluster: its clocks, its shards, and its disks."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final

from elasticsearch import Elasticsearch

from indexer.doctor.finding import Finding, Findings
from indexer.files import format_size

_MAX_SKEW_SECONDS: Final = 5

_NODE_REMEDY: Final = (
    'Bring the missing node back. If none is missing, files are damaged: see "Damaged data" in '
    "docs/operating.md."
)

#: The embedded server is one node, and it answers.
_DAMAGE_REMEDY: Final = (
    "Restart the server (foidex down, foidex up). If that does not help, files are damaged: see "
    '"Damaged data" in docs/operating.md.'
)

_SIZE_PATTERN: Final = re.compile(r"([\d.]+)([kmgtp]?b)", re.IGNORECASE)

_SIZE_UNITS: Final = {
    "b": 1,
    "kb": 1 << 10,
    "mb": 1 << 20,
    "gb": 1 << 30,
    "tb": 1 << 40,
    "pb": 1 << 50,
}


def check_clock_skew(client: Elasticsearch, lease_seconds: int) -> Findings:
    """Whether the clocks agree; locks that last ``lease_seconds`` compare them."""
    before = time.time()
    answer = client.nodes.stats(metric=["fs"], filter_path="nodes.*.timestamp")
    local_time = (before + time.time()) / 2
    if date := answer.meta.headers.get("date"):
        server_times = [parsedate_to_datetime(date).timestamp()]
    else:  # only a proxy in front of the server sends a date
        server_times = [node["timestamp"] / 1000 for node in answer.body.get("nodes", {}).values()]
    skew = max((abs(server_time - local_time) for server_time in server_times), default=0.0)
    if skew <= _MAX_SKEW_SECONDS:
        yield Finding("clock", "ok", "the server's clock and this machine's agree.")
    else:
        yield Finding(
            "clock",
            "problem" if skew >= lease_seconds else "warning",
            f"the server's clock and this machine's differ by {skew:,.0f} s; locks and times of "
            "changes depend on them.",
            "Synchronise both with a time server.",
        )


def check_cluster_health(client: Elasticsearch, alias: str, *, is_embedded: bool) -> Findings:
    """Whether every shard of the alias's indices, and every copy, is on a node."""
    health = client.cluster.health(
        index=f"{alias}*",
        level="indices",
        expand_wildcards="all",
        filter_path="status,unassigned_shards,initializing_shards,indices.*.status",
    ).body
    incomplete = [
        index for index, state in health.get("indices", {}).items() if state["status"] == "red"
    ]
    yield describe_cluster_health(
        health["status"],
        int(health["unassigned_shards"]),
        int(health["initializing_shards"]),
        sorted(incomplete),
        is_embedded=is_embedded,
    )


def describe_cluster_health(
    status: str,
    unassigned: int,
    initializing: int,
    incomplete: Sequence[str] = (),
    *,
    is_embedded: bool = False,
) -> Finding:
    """What a cluster's colour means, with the numbers of its shards that are not in use, and the
    indices that lack one."""
    if status == "green":
        return Finding("health", "ok", "every copy of every shard is there.")
    if not unassigned:
        return Finding(
            "health",
            "warning",
            f"{initializing:,} shards are still being opened, as after a start of the server.",
            "Wait a minute, then run foidex doctor again.",
        )
    if status == "yellow":
        return Finding(
            "health",
            "warning",
            f"{unassigned:,} copies of shards are on no node.",
            "Add a node or bring one back, or ask for fewer replicas ([index] of foidex.toml).",
        )
    shards = "1 shard is" if unassigned == 1 else f"{unassigned:,} shards are"
    holders = f" ({', '.join(incomplete)})" if incomplete else ""
    return Finding(
        "health",
        "problem",
        f"{shards} on no node{holders}, so counts would be incomplete.",
        _DAMAGE_REMEDY if is_embedded else _NODE_REMEDY,
    )


def check_disk_space(client: Elasticsearch) -> Findings:
    """Whether every node's free disk space is above the watermarks."""
    nodes = client.nodes.stats(metric=["fs"], filter_path="nodes.*.name,nodes.*.fs.total").body.get(
        "nodes", {}
    )
    marks = client.cluster.get_settings(
        include_defaults=True, filter_path="*.cluster.routing.allocation.disk.watermark"
    ).body
    smallest_free = None
    for node in nodes.values():
        total, free = (node["fs"]["total"][f"{kind}_in_bytes"] for kind in ("total", "available"))
        smallest_free = free if smallest_free is None else min(smallest_free, free)
        for mark, effect in (
            ("flood_stage", "its indices can only be read"),
            ("low", "it takes no new generation"),
        ):
            if free < compute_required_bytes(marks, mark, total):
                yield Finding(
                    "disk",
                    "problem",
                    f"node {node['name']} has {format_size(free)} left, below its {mark} "
                    f"watermark: {effect}.",
                    "Free some room, prune generations (foidex prune), or add a node.",
                )
                return
    if smallest_free is not None:
        yield Finding(
            "disk",
            "ok",
            f"every node has room; the fullest has {format_size(smallest_free)} left.",
        )


def compute_required_bytes(settings: dict[str, Any], mark: str, total: int) -> float:
    """The bytes that a watermark keeps free: a share of the total, up to its headroom."""
    for layer in ("transient", "persistent", "defaults"):
        section: Any = settings.get(layer, {})
        for step in ("cluster", "routing", "allocation", "disk", "watermark"):
            section = section.get(step, {})
        if mark in section:
            return _parse_watermark_bytes(section[mark], section.get(f"{mark}.max_headroom"), total)
    return 0


def _parse_watermark_bytes(mark: str, headroom: str | None, total: int) -> float:
    if size := _SIZE_PATTERN.fullmatch(mark):
        return float(size[1]) * _SIZE_UNITS[size[2].lower()]
    share = float(mark[:-1]) / 100 if mark.endswith("%") else float(mark)
    limit = _SIZE_PATTERN.fullmatch(headroom or "")
    max_bytes = float(limit[1]) * _SIZE_UNITS[limit[2].lower()] if limit else float("inf")
    return min(total * (1 - share), max_bytes)
