"""What a request asks for and no record of the index has: values of categories, or contents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from elasticsearch.dsl.query import Exists, MatchAll, Nested, Query

from queries.answer.condition import CategoryCondition
from queries.questions.prepared import PreparedQuestion
from queries.search.sealed import SealedGeneration
from queries.tables.field_filter import build_field_filter
from queries.tables.scope import Scope

#: What a source may not give at all, each with the query of the records that have it.
_CONTENTS: Final[dict[str, Query]] = {
    "victim": Nested(path="victims", query=MatchAll()),
    "suspect": Nested(path="suspects", query=MatchAll()),
    "link to another offence": Nested(path="linked", query=MatchAll()),
    "outcome": Exists(field="outcome"),
}


def find_unused_values(sealed: SealedGeneration, scopes: Iterable[Scope]) -> tuple[str, ...]:
    """The values under ``where:`` that no counted record of the index has, in words.

    Raises as ``SealedGeneration``.
    """
    queries: dict[str, Query] = {}
    for scope in scopes:
        for field_filter in scope.field_filters:
            if isinstance(field_filter.condition, CategoryCondition):
                for value in sorted(filter(None, field_filter.condition.values)):
                    single = build_field_filter(field_filter.field, [value], scope.categories)
                    queries[single.words] = single.query
    numbers = sealed.numbers(MatchAll(), list(queries.values()))
    return tuple(words for words, number in zip(queries, numbers, strict=True) if not number)


def describe_unused_values(values: Sequence[str]) -> str:
    """In sentences; empty if there are none."""
    if not values:
        return ""
    return (
        f"No record that is counted, of any day or offence, fits this: {'; '.join(values)}. Values "
        "are compared letter by letter, and capitals count. Count by the field without this "
        "condition to see how the records write it."
    )


def find_absent_contents(
    sealed: SealedGeneration, questions: Sequence[PreparedQuestion]
) -> tuple[str, ...]:
    """In a sentence each, the contents that questions count and that no counted record of the index
    has: a source without a table of victims gives none.

    Raises as ``SealedGeneration``.
    """
    askers: dict[str, list[str]] = defaultdict(list)
    for prepared in questions:
        for content in dict.fromkeys(_list_needed_contents(prepared)):
            askers[content].append(prepared.question.id)
    numbers = sealed.numbers(MatchAll(), [_CONTENTS[content] for content in askers])
    return tuple(
        f"No record of the index has any {content}, which is asked about ({', '.join(ids)}). If "
        "the source does not give it, 0 is no answer: say so with not_covered: instead."
        for (content, ids), number in zip(askers.items(), numbers, strict=True)
        if not number
    )


def _list_needed_contents(prepared: PreparedQuestion) -> Iterator[str]:
    unit = prepared.table_query.unit
    fields = {field_filter.field for field_filter in prepared.scope.field_filters}
    entry = msgspec.to_builtins(prepared.question)
    fields |= {str(entry.get(side)) for side in ("by", "rows", "columns", "for_each")}
    levels = {axis.level for axis in prepared.table_query.axes}
    if unit == "victims" or "victim" in fields | levels:
        yield "victim"
    if unit == "suspects" or "suspect" in fields | levels:
        yield "suspect"
    if entry["kind"] == "linked":
        yield "link to another offence"
    if "outcome" in fields:
        yield "outcome"
