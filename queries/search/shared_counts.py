"""Asks the server for each number once, however many parts of a search need it. Pure.

The questions of a request are built one by one, so the same records are filtered by the same terms
in several aggregations: for the rows of a table, the records of each term, the spellings found.

- Aggregations of one body that stand side by side become one, with everything that was inside.
- Buckets of filters with nothing inside are asked for once and read wherever they are counted.
- The bucket of what is in no other bucket is the server's "other bucket".
- A filter that matches nothing is not asked for.

``SharedSearch.restore`` gives the response the shape that the questions read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from queries.search.absent_words import MATCHES_NOTHING

_Agg = dict[str, Any]

_Response = dict[str, Any]

#: The aggregations side by side at one place, each with a key of its own.
_Place = Sequence[tuple[Any, _Agg]]

_POOL: Final = "pool"


class SharedSearch(NamedTuple):
    """The aggregations to send, and what reads a response to them as one to the originals."""

    aggregations: dict[str, _Agg]
    restore: Callable[[_Response], dict[Any, _Response]]


class _Source(NamedTuple):
    """Where a bucket is counted: the aggregation that is sent, and its bucket."""

    sent_name: str
    bucket: str


class _JoinedAgg(NamedTuple):
    """An aggregation that is sent for several: their keys, and what is inside it."""

    sent_name: str
    keys: tuple[Any, ...]
    inside: SharedSearch | None


def share_counts(aggregations: _Place) -> SharedSearch:
    """The same numbers, each asked for once."""
    leaves: list[tuple[Any, dict[str, Any]]] = []
    members_by_body: dict[Any, list[tuple[Any, _Agg]]] = {}
    for position, (key, agg) in enumerate(aggregations):
        if _is_leaf(agg):
            leaves.append((key, agg["filters"]["filters"]))
        else:
            identity = _encode_body(agg) if _can_be_shared(agg) else position
            members_by_body.setdefault(identity, []).append((key, agg))
    sent: dict[str, _Agg] = {}
    groups: list[_JoinedAgg] = []
    for members in members_by_body.values():
        group, agg = _join_members(f"a{len(groups)}", members)
        groups.append(group)
        sent[group.sent_name] = agg
    sources = _list_sources(groups, sent)
    pooled: dict[str, Any] = {}
    leaf_sources = [
        (key, {name: _find_source(query, sources, pooled) for name, query in filters.items()})
        for key, filters in leaves
    ]
    if pooled:
        sent[_POOL] = {"filters": {"filters": pooled}}

    def restore(response: _Response) -> dict[Any, _Response]:
        restored: dict[Any, _Response] = {}
        for group in groups:
            restored |= _split_response(group, response[group.sent_name])
        for key, bucket_sources in leaf_sources:
            buckets = {
                name: {"doc_count": _read_count(source, response)}
                for name, source in bucket_sources.items()
            }
            restored[key] = {"buckets": buckets}
        return restored

    return SharedSearch(sent, restore)


def _can_be_shared(agg: _Agg) -> bool:
    """Whether what is inside the buckets of an aggregation can be put together and told apart."""
    return "filter" in agg or "nested" in agg or "filters" in agg


def _is_leaf(agg: _Agg) -> bool:
    return "filters" in agg and not agg.get("aggs") and not _find_complement(agg)


def _join_members(sent_name: str, members: Sequence[tuple[Any, _Agg]]) -> tuple[_JoinedAgg, _Agg]:
    """One aggregation for several of the same body."""
    keys = tuple(key for key, _ in members)
    agg = members[0][1]
    if not _can_be_shared(agg):
        return _JoinedAgg(sent_name, keys, None), agg
    place = [
        ((index, name), inner)
        for index, (_, member) in enumerate(members)
        for name, inner in member.get("aggs", {}).items()
    ]
    joined = {name: value for name, value in agg.items() if name != "aggs"}
    if complement := _find_complement(agg):
        filters = {k: v for k, v in agg["filters"]["filters"].items() if k != complement}
        joined["filters"] = {**agg["filters"], "filters": filters, "other_bucket_key": complement}
    inside = share_counts(place) if place else None
    if inside:
        joined["aggs"] = inside.aggregations
    return _JoinedAgg(sent_name, keys, inside), joined


def _find_complement(agg: _Agg) -> str | None:
    """The bucket of ``filters`` that holds exactly what is in none of the others, if there is."""
    filters = agg.get("filters", {}).get("filters", {})
    for name, query in filters.items():
        asked = query.get("bool", {})
        if list(asked) != ["must_not"] or not isinstance(asked["must_not"], list):
            continue
        others = {_encode(other) for key, other in filters.items() if key != name}
        if set(map(_encode, asked["must_not"])) == others - {_encode(MATCHES_NOTHING)}:
            return str(name)
    return None


def _list_sources(groups: Sequence[_JoinedAgg], sent: dict[str, _Agg]) -> dict[bytes, _Source]:
    """Where each query is counted by the buckets that are sent anyway."""
    return {
        _encode(query): _Source(group.sent_name, bucket)
        for group in groups
        for bucket, query in sent[group.sent_name].get("filters", {}).get("filters", {}).items()
    }


def _find_source(
    query: dict[str, Any], sources: dict[bytes, _Source], pooled: dict[str, Any]
) -> _Source | None:
    """Where a query is counted, adding it to the pool if need be; None for one without a match."""
    if query == MATCHES_NOTHING:
        return None
    encoded = _encode(query)
    if encoded not in sources:
        sources[encoded] = _Source(_POOL, str(len(pooled)))
        pooled[str(len(pooled))] = query
    return sources[encoded]


def _read_count(source: _Source | None, response: _Response) -> int:
    if source is None:
        return 0
    return int(response[source.sent_name]["buckets"][source.bucket]["doc_count"])


def _split_response(group: _JoinedAgg, response: _Response) -> dict[Any, _Response]:
    """The response of each aggregation that was sent as one."""
    if not group.inside:
        return dict.fromkeys(group.keys, response)
    if "buckets" not in response:
        return _split_bucket(group, response)
    split: dict[Any, _Response] = {key: {"buckets": {}} for key in group.keys}
    for name, bucket in response["buckets"].items():
        for key, part in _split_bucket(group, bucket).items():
            split[key]["buckets"][name] = part
    return split


def _split_bucket(group: _JoinedAgg, bucket: _Response) -> dict[Any, _Response]:
    assert group.inside
    own = {name: value for name, value in bucket.items() if name not in group.inside.aggregations}
    split: dict[Any, _Response] = {key: dict(own) for key in group.keys}
    for (index, name), inner in group.inside.restore(bucket).items():
        split[group.keys[index]][name] = inner
    return split


def _encode(query: Any) -> bytes:
    return msgspec.json.encode(query, order="deterministic")


def _encode_body(agg: _Agg) -> bytes:
    return _encode({name: value for name, value in agg.items() if name != "aggs"})
