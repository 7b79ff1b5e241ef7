"""Different people are the victims, less what those add who occur more than once."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from queries.questions.repeated_people import build_repeated_people_agg, read_repeated_ages

_AGG = build_repeated_people_agg().to_dict()

Person = tuple[str, tuple[int | None, ...]]


def people(seed: int, most: int) -> list[Person]:
    rng = random.Random(seed)
    ages = (None, 5, 9, 12, 15, 40)
    return [
        (f"V-{number:03}", tuple(rng.choice(ages) for _ in range(rng.randint(1, most))))
        for number in range(rng.randint(1, 40))
    ]


class Server:
    """Answers for the aggregations of people as Elasticsearch does, and counts what it was asked."""

    def __init__(self, held: list[Person]) -> None:
        self.held = held
        self.asked: list[str] = []

    def ask(self, aggregation: dict[str, Any]) -> dict[str, Any]:
        if "filter" in aggregation:
            self.asked.append("a few people")
            wanted = aggregation["filter"]["terms"]["victims.victim_ref"]
            chosen = [person for person in self.held if person[0] in wanted]
            return {"pairs": self._pairs(aggregation["aggs"]["pairs"]["composite"], chosen)}
        if "composite" in aggregation:
            self.asked.append("every person")
            return self._pairs(aggregation["composite"], self.held)
        self.asked.append("repeated")
        asked = aggregation["terms"]
        repeated = [one for one in self.held if len(one[1]) >= asked["min_doc_count"]]
        buckets = [self._bucket(*person) for person in repeated[: asked["size"]]]
        return {"buckets": buckets, "sum_other_doc_count": len(self.held)}

    @staticmethod
    def _bucket(reference: str, ages: tuple[int | None, ...]) -> dict[str, Any]:
        known = [age for age in ages if age is not None]
        statistics = {
            "count": len(known),
            "min": float(min(known)) if known else None,
            "max": float(max(known)) if known else None,
            "sum": float(sum(known)),
        }
        return {"key": reference, "doc_count": len(ages), "ages": statistics}

    @staticmethod
    def _pairs(composite: dict[str, Any], held: list[Person]) -> dict[str, Any]:
        pairs = [
            {"key": {"person": reference, "age": age}, "doc_count": number}
            for reference, ages in sorted(held)
            for age, number in Counter(ages).items()
        ]
        after = composite.get("after")
        start = [pair["key"] for pair in pairs].index(after) + 1 if after else 0
        page = pairs[start : start + composite["size"]]
        return {"buckets": page, **({"after_key": page[-1]["key"]} if page else {})}


def expected(held: list[Person]) -> list[list[int | None]]:
    return sorted((sorted(ages, key=str) for _, ages in held if len(ages) > 1), key=str)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("shards", [1, 3])
def test_the_ages_of_all_who_occur_more_than_once(seed: int, shards: int) -> None:
    held = people(seed, most=2 + seed % 6)
    server = Server(held)
    # Of several shards, the server leaves out who occurs once in each.
    response = server.ask(_AGG) if shards == 1 else {"buckets": []}
    found = read_repeated_ages(_AGG, response, shards, server.ask)
    assert sorted((sorted(ages, key=str) for ages in found), key=str) == expected(held)


def test_what_the_first_response_leaves_open_is_asked_for() -> None:
    held: list[Person] = [
        ("A", (5, 5)),
        ("B", (5, 9, 12)),
        ("C", (5, 9, 12, 15)),
        ("D", (5, 5, 5, 5)),
    ]
    server = Server(held)
    found = read_repeated_ages(_AGG, server.ask(_AGG), 1, server.ask)
    assert sorted(found) == [[5, 5], [5, 5, 5, 5], [5, 9, 12], [5, 9, 12, 15]]
    assert server.asked == ["repeated", "a few people"]
    small = {**_AGG, "terms": {**_AGG["terms"], "size": 2}}
    server = Server(held)
    assert sorted(read_repeated_ages(small, server.ask(small), 1, server.ask)) == sorted(found)
    assert server.asked == ["repeated", "repeated", "a few people"]
