"""A number is asked for once, and every question reads it where it expects it."""

from __future__ import annotations

import random
from typing import Any

from queries.search.shared_counts import share_counts
from tests.support.fake_search import counted

_VALUES = ("a", "b", "c")


def has(field: str, value: str) -> dict[str, Any]:
    return {"term": {field: value}}


def records(rng: random.Random, number: int) -> list[dict[str, Any]]:
    return [
        {
            "one": rng.choice(_VALUES),
            "two": rng.choice(_VALUES),
            "victims": [{"sex": rng.choice(_VALUES)} for _ in range(rng.randrange(3))],
        }
        for _ in range(number)
    ]


def filters(rng: random.Random, field: str) -> dict[str, Any]:
    chosen = {f"#{number}": has(field, rng.choice(_VALUES)) for number in range(rng.randint(1, 3))}
    if rng.random() < 0.3:
        chosen["nothing"] = {"match_none": {}}
    if rng.random() < 0.4:
        chosen["none"] = {"bool": {"must_not": [chosen[name] for name in chosen if name[0] == "#"]}}
    return {"filters": {"filters": chosen}}


def aggregations(rng: random.Random, depth: int) -> dict[str, Any]:
    return {f"agg_{number}": aggregation(rng, depth) for number in range(rng.randint(1, 4))}


def aggregation(rng: random.Random, depth: int) -> dict[str, Any]:
    """One kind at random, often alike; inside, more of them."""
    inside = {"aggs": aggregations(rng, depth - 1)} if depth and rng.random() < 0.7 else {}
    match rng.randrange(5):
        case 0:
            return {"filter": has("one", rng.choice(_VALUES)), **inside}
        case 1:
            sex = {"inner": filters(rng, "victims.sex")} if rng.random() < 0.5 else {}
            return {"nested": {"path": "victims"}, **({"aggs": sex} if sex else {})}
        case 2:
            return {"composite": {"sources": [{"v": {"terms": {"field": "one"}}}]}}
        case _:
            return {**filters(rng, rng.choice(("one", "two"))), **inside}


def test_the_numbers_are_the_same() -> None:
    saved = 0
    for seed in range(400):
        rng = random.Random(seed)
        docs, asked = records(rng, rng.randrange(12)), aggregations(rng, 2)
        shared = share_counts(list(asked.items()))
        response = {name: counted(docs, agg) for name, agg in shared.aggregations.items()}
        assert shared.restore(response) == {n: counted(docs, agg) for n, agg in asked.items()}, seed
        saved += str(asked).count("term") - str(shared.aggregations).count("term")
    assert saved > 1_000


def test_what_stands_side_by_side_is_one() -> None:
    inner = {"filters": {"filters": {"0": has("two", "a"), "1": has("two", "b")}}}
    one = {"filter": has("one", "a"), "aggs": {"cells": inner}}
    other = {"filter": has("one", "a"), "aggs": {"forms": inner, "rows": inner}}
    sent = share_counts([("Q1", one), ("Q2", other)]).aggregations
    ((agg,),) = (sent.values(),)
    assert list(agg["aggs"]) == ["pool"]
    assert agg["aggs"]["pool"]["filters"]["filters"] == {"0": has("two", "a"), "1": has("two", "b")}


def test_what_no_other_bucket_holds_is_left_to_the_server() -> None:
    rows = {"0": has("one", "a"), "none": {"bool": {"must_not": [has("one", "a")]}}}
    sent = share_counts([("Q1", {"filters": {"filters": rows}})]).aggregations
    ((agg,),) = (sent.values(),)
    assert agg["filters"] == {"filters": {"0": has("one", "a")}, "other_bucket_key": "none"}
