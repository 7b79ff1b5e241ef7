"""Different people, from those who occur more than once.

As many people as entries of a list of people, less what those add who occur more than once. Only
they are fetched: one in twelve in the sample. Their ages follow from the statistics of up to three
known ages; of more, they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final, NamedTuple

from elasticsearch.dsl import aggs

from indexer.records.model import VICTIMS, PeopleList

#: In the ``meta`` of an aggregation of what occurs more than once. What occurs once is left out of
#: its response on purpose; whether all of the others came is checked where they are read.
REPEATED_META: Final = "repeated"

#: The ages of the people who occur more than once, as ``read_repeated_ages`` leaves them in a
#: response: a list for each person, with None for an unknown age.
REPEATED_AGES: Final = "repeated_ages"

_FIRST_SIZE: Final = 10_000  # other questions share the search

#: In a search of its own, under the server's limit of 65,536 buckets.
_FULL_SIZE: Final = 60_000

_KNOWN_BY_STATISTICS: Final = 3

_PAGE_SIZE: Final = 50_000

_PEOPLE_A_SEARCH: Final = 10_000

_Body = dict[str, Any]

#: Asks for an aggregation in the place of the people, and returns its response.
_Ask = Callable[[_Body], _Body]


class _PersonFields(NamedTuple):
    """The fields of a list that say who a person is, and of what age."""

    person: str
    age: str


def build_repeated_people_agg(people: PeopleList = VICTIMS) -> aggs.Terms:
    """The people who are in a list more than once, with statistics of their ages."""
    # One shard's people are all of them; of several shards, they are read page by page.
    return aggs.Terms(
        field=f"{people.field}.{people.reference}",
        min_doc_count=2,
        shard_min_doc_count=2,
        size=_FIRST_SIZE,
        meta={REPEATED_META: True},
        aggs={"ages": aggs.Stats(field=f"{people.field}.age")},
    )


def is_repeated_people_agg(aggregation: _Body) -> bool:
    """Whether an aggregation of a search is one of ``build_repeated_people_agg``."""
    return REPEATED_META in aggregation.get("meta", {})


def read_repeated_ages(
    aggregation: _Body, response: _Body, shards: int, ask: _Ask
) -> list[list[int | None]]:
    """The ages of each person who occurs more than once.

    ``aggregation`` was asked for, ``response`` came back from ``shards`` shards, and ``ask`` asks
    for another in its place and returns the response.
    """
    fields = _PersonFields(
        aggregation["terms"]["field"], aggregation["aggs"]["ages"]["stats"]["field"]
    )
    if shards > 1:
        return _read_every_person(fields, ask)
    buckets = response["buckets"]
    if len(buckets) >= aggregation["terms"]["size"]:
        full = {**aggregation, "terms": {**aggregation["terms"], "size": _FULL_SIZE}}
        buckets = ask(full)["buckets"]
        if len(buckets) >= _FULL_SIZE:
            return _read_every_person(fields, ask)
    ages = [_infer_ages(bucket) for bucket in buckets]
    unclear = [bucket["key"] for bucket, known in zip(buckets, ages, strict=True) if known is None]
    return [known for known in ages if known is not None] + _read_people(fields, unclear, ask)


def _infer_ages(bucket: _Body) -> list[int | None] | None:
    """All ages of a person, from their statistics; None if these leave it open."""
    statistics = bucket["ages"]
    known = statistics["count"]
    unknown: list[int | None] = [None] * (bucket["doc_count"] - known)
    if not known:
        return unknown
    lowest, highest = int(statistics["min"]), int(statistics["max"])
    if lowest == highest:
        return [lowest] * known + unknown
    if known > _KNOWN_BY_STATISTICS:
        return None
    between = [int(statistics["sum"]) - lowest - highest] * (known - 2)
    return [lowest, *between, highest, *unknown]


def _read_people(fields: _PersonFields, people: Sequence[str], ask: _Ask) -> list[list[int | None]]:
    """The ages of a few people."""
    ages: list[list[int | None]] = []
    for start in range(0, len(people), _PEOPLE_A_SEARCH):
        chosen = {"terms": {fields.person: list(people[start : start + _PEOPLE_A_SEARCH])}}
        ages += _read_pages(fields, partial(_ask_about, chosen, ask))
    return ages


def _ask_about(chosen: _Body, ask: _Ask, pairs: _Body) -> _Body:
    response = ask({"filter": chosen, "aggs": {"pairs": pairs}})
    return dict(response["pairs"])


def _read_every_person(fields: _PersonFields, ask: _Ask) -> list[list[int | None]]:
    """The ages of each person who occurs more than once, from every person and age in pages."""
    return [ages for ages in _read_pages(fields, ask) if len(ages) > 1]


def _read_pages(fields: _PersonFields, ask: _Ask) -> list[list[int | None]]:
    """The ages of each person, from pages of pairs of person and age."""
    return [
        [age for bucket in pairs for age in [bucket["key"]["age"]] * bucket["doc_count"]]
        for _, pairs in groupby(_iter_pairs(fields, ask), lambda bucket: bucket["key"]["person"])
    ]


def _iter_pairs(fields: _PersonFields, ask: _Ask) -> Iterator[_Body]:
    sources = [
        {"person": {"terms": {"field": fields.person}}},
        {"age": {"terms": {"field": fields.age, "missing_bucket": True}}},
    ]
    composite: _Body = {"size": _PAGE_SIZE, "sources": sources}
    while True:
        page = ask({"composite": composite})
        yield from page["buckets"]
        if len(page["buckets"]) < _PAGE_SIZE:
            return
        composite = {**composite, "after": page["after_key"]}
