"""A search in plain Python: what a request's one search says of a few records held in memory.

It reads queries and aggregations as their documentation has them. A functional test holds it to the
server; unit tests use it to make answers of every kind from thousands of sets of records.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from msgspec import Struct

from indexer.index.generations import Generation
from indexer.records.coverage import Coverage
from indexer.records.offences import load_offence_table
from queries.answer.types import Answer
from queries.answering.build import compute_answer_with
from queries.questions.repeated_people import REPEATED_AGES, is_repeated_people_agg
from queries.request.reader import Request
from queries.search.run import LiveSearch, SearchResult
from tests.support.oracle import mentions

Doc = dict[str, Any]


def doc(record: dict[str, Any]) -> Doc:
    """A record as the index holds it. One of a ``weight`` stands for so many like it."""
    weight = record.get("weight", 1)
    table = load_offence_table()

    def path(code: str) -> list[str]:
        return [*table.path(table.canonical(code))]

    linked = [{"offence_path": path(one["offence_code"])} for one in record.get("linked", [])]
    return {
        "status": "recorded",
        **record,
        **{
            name: [{**one, "weight": weight} for one in record.get(name, [])]
            for name in ("victims", "suspects")
        },
        "offence_code": table.canonical(record["offence_code"]),
        "offence_path": path(record["offence_code"]),
        "linked": linked,
    }


def held(where: Doc, field: str, path: str = "") -> list[Any]:
    """The values of a field, inside one nested document or in a record."""
    value: Any = where
    for step in field.removeprefix(f"{path}.").split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def meets(  # noqa: C901, PLR0911 - a case each
    where: Doc, query: dict[str, Any], path: str = ""
) -> bool:
    """Whether a record, or a nested document, meets a query."""
    ((kind, asked),) = query.items()
    match kind:
        case "match_all":
            return True
        case "term" | "terms":
            ((field, wanted),) = asked.items()
            listed = wanted if isinstance(wanted, list) else [wanted]
            return any(value in listed for value in held(where, field, path))
        case "range":
            ((field, limits),) = asked.items()
            return any(
                ("gte" not in limits or value >= limits["gte"])
                and ("lte" not in limits or value <= limits["lte"])
                for value in held(where, field, path)
            )
        case "exists":
            return bool(held(where, asked["field"], path))
        case "match_phrase":
            ((field, phrase),) = asked.items()
            return field == "narrative" and mentions(where["narrative"], [phrase])
        case "span_near":
            return bool(find_spans(where["narrative"].lower().split(), query))
        case "match_none":
            return False
        case "match":
            return False  # a label inside an address, of which there are none here
        case "nested":
            return any(meets(one, asked["query"], asked["path"]) for one in where[asked["path"]])
        case "bool":
            should = [meets(where, one, path) for one in asked.get("should", ())]
            return (
                all(meets(where, one, path) for one in asked.get("filter", ()))
                and not any(meets(where, one, path) for one in asked.get("must_not", ()))
                and sum(should) >= asked.get("minimum_should_match", 0)
            )
    raise NotImplementedError(kind)


def find_spans(words: Sequence[str], query: dict[str, Any]) -> list[tuple[int, int]]:
    """Where words meet a span query: the first word of each span, and the one after its last."""
    ((kind, asked),) = query.items()
    match kind:
        case "span_term":
            return [(n, n + 1) for n, word in enumerate(words) if word == asked["narrative"]]
        case "span_or":
            return [span for clause in asked["clauses"] for span in find_spans(words, clause)]
        case "span_near":
            parts = [find_spans(words, clause) for clause in asked["clauses"]]
            return [
                (chosen[0][0], chosen[-1][1])
                for chosen in itertools.product(*parts)
                if all(a[1] <= b[0] for a, b in itertools.pairwise(chosen))
                and sum(b[0] - a[1] for a, b in itertools.pairwise(chosen)) <= asked["slop"]
            ]
    raise NotImplementedError(kind)


def number(docs: Sequence[Doc]) -> int:
    """How many these are, or stand for."""
    return sum(one.get("weight", 1) for one in docs)


def counted(docs: Sequence[Doc], asked: dict[str, Any], path: str = "") -> dict[str, Any]:
    """One aggregation over records, or over nested documents."""
    ((kind, said),) = ((name, one) for name, one in asked.items() if name not in ("aggs", "meta"))
    inside = asked.get("aggs", {})

    def bucket(chosen: Sequence[Doc], where: str = path) -> dict[str, Any]:
        return {
            "doc_count": number(chosen),
            **{name: counted(chosen, one, where) for name, one in inside.items()},
        }

    match kind:
        case "filter":
            return bucket([one for one in docs if meets(one, said, path)])
        case "filters":
            return {
                "buckets": {
                    name: bucket([one for one in docs if meets(one, query, path)])
                    for name, query in _with_other_bucket(said).items()
                }
            }
        case "nested":
            below = said["path"]
            return bucket([inner for one in docs for inner in one[below]], below)
        case "min":
            found = [value for one in docs for value in held(one, said["field"], path)]
            return {"value": min(found, default=None)}
        case "terms":
            return {REPEATED_AGES: _repeated_ages(docs, said["field"], path)}
        case "composite":
            groups: dict[tuple[Any, ...], list[Doc]] = {}
            for one in docs:
                for key in itertools.product(*_keys(one, said["sources"], path)):
                    groups.setdefault(key, []).append(one)
            names = [name for source in said["sources"] for name in source]
            return {
                "buckets": [
                    {"key": dict(zip(names, key, strict=True)), **bucket(chosen)}
                    for key, chosen in groups.items()
                ]
            }
    raise NotImplementedError(kind)


def _with_other_bucket(said: dict[str, Any]) -> dict[str, Any]:
    """The filters, and that of the bucket for what is in none of them."""
    queries = said["filters"]
    other = said.get("other_bucket_key")
    return {**queries, **({other: {"bool": {"must_not": [*queries.values()]}}} if other else {})}


def _repeated_ages(docs: Sequence[Doc], field: str, path: str) -> list[list[int | None]]:
    """The ages of each person who occurs more than once."""
    by_person: dict[str, list[Doc]] = {}
    for one in docs:
        for person in held(one, field, path):
            by_person.setdefault(person, []).append(one)
    return [
        [one.get("age") for one in entries for _ in range(one.get("weight", 1))]
        for entries in by_person.values()
        if number(entries) > 1
    ]


def _keys(one: Doc, sources: list[dict[str, Any]], path: str) -> Iterator[list[Any]]:
    for source in sources:
        (asked,) = source.values()
        ((kind, said),) = asked.items()
        values = held(one, said["field"], path)
        if kind == "date_histogram" and said["calendar_interval"] == "month":
            yield [f"{value[:7]}-01" for value in values]
        else:
            yield values or ([None] if said.get("missing_bucket") else [])


class PlainEngine:
    """A search engine over a few records held in memory, which cover all days if none are given.

    The index has ``in_index`` records, most of them of other years.
    """

    def __init__(
        self,
        records: Sequence[dict[str, Any]],
        coverage: Coverage | None = None,
        in_index: int = 1_000_000_000,
    ) -> None:
        self._docs = [doc(record) for record in records]
        self._coverage = coverage
        self._in_index = in_index

    def run_search(self, body: dict[str, Any]) -> SearchResult:
        """Run one search over the records."""
        chosen = [document for document in self._docs if meets(document, body["query"])]
        response = {
            "took": 1,
            "hits": {"total": {"value": number(chosen), "relation": "eq"}},
            "aggregations": {
                name: counted(chosen, aggregation) for name, aggregation in body["aggs"].items()
            },
        }
        moment = datetime(2018, 8, 14, 9, 30, tzinfo=UTC)
        generation = Generation(
            name="crimes-1",
            version="0",
            built_at=moment,
            watermark=None,
            records=len(self._docs),
            rejected=0,
            sources=("crimes.jsonl",),
            mapping_hash="ab" * 32,
        )
        return SearchResult(
            response, body, "crimes", generation, self._in_index, moment, self._coverage
        )

    def read_later_pages(self, result: SearchResult, aggregation: str) -> None:
        """Nothing is left to read: the first page has every bucket."""


class SmallPages(Struct, frozen=True):
    """A live search of which the first response has only a few buckets of what may be many."""

    live: LiveSearch
    first_page_size: int

    def run_search(self, body: dict[str, Any]) -> SearchResult:
        """Run the search with small first pages."""
        return self.live.run_search(_with_page_size(body, self.first_page_size))

    def read_later_pages(self, result: SearchResult, aggregation: str) -> None:
        """Read the later pages, of the live search's own size."""
        self.live.read_later_pages(result, aggregation)


def _with_page_size(body: Any, size: int) -> Any:
    if not isinstance(body, dict):
        return body
    sized = ("composite", "terms") if is_repeated_people_agg(body) else ("composite",)
    return {
        name: {**value, "size": size} if name in sized else _with_page_size(value, size)
        for name, value in body.items()
    }


def answer(
    request: Request, records: Sequence[dict[str, Any]], coverage: Coverage | None = None
) -> Answer:
    """The answer to a request over the records, counted by ``PlainEngine`` and checked as any other.

    Raises InexactError where the numbers contradict what the tables say of them.
    """
    return compute_answer_with(PlainEngine(records, coverage), request)


def day(after: int, start: date = date(2016, 4, 1)) -> str:
    return date.fromordinal(start.toordinal() + after).isoformat()
