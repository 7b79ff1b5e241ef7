"""Values of categories that a request asks for and that no record of the index has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from elasticsearch.dsl.query import MatchAll, Query

from queries.answer.condition import CategoryCondition
from queries.search.sealed import SealedGeneration
from queries.tables.field_filter import build_field_filter
from queries.tables.scope import Scope


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
