"""The conditions of a scope and of its questions, each as a query with words for it. Pure.

What decides is the query, which the server runs; the words about the record are read from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from elasticsearch.dsl.query import Query

from indexer.records.categories import CATEGORIES_FIELD
from indexer.records.model import PeopleList
from indexer.records.offences import load_offence_table
from queries.layout.prose import join_list
from queries.questions.prepared import PreparedQuestion
from queries.tables.field_filter import PEOPLE_FILTERS
from queries.tables.field_values import SEX_LABELS, describe_outcome, format_field_value
from queries.tables.period import Period, format_long_date
from queries.tables.scope import (
    COUNTED_STATUS,
    MENTIONS_FILTER,
    OFFENCES_FILTER,
    PERIOD_FILTER,
    Mention,
    Scope,
    ScopeFilter,
    build_counted_query,
)

Document = Mapping[str, Any]

_MAX_NAMED: Final = 8

_NO_VALUE: Final = "the record has none"


class RecordCheck(NamedTuple):
    """A condition in words, the query that decides it, and what the record has in its place.

    ``mentions`` are the terms one of which it asks for.
    """

    words: str
    query: Query
    describe_found: Callable[[Document], str]
    mentions: tuple[Mention, ...] = ()


def list_scope_checks(scope: Scope) -> list[RecordCheck]:
    """What a scope asks of a record, without its status."""
    return [_build_filter_check(scope, scope_filter) for scope_filter in scope.list_filters()]


def build_status_check() -> RecordCheck:
    """That the record has a status that counts."""
    return RecordCheck(f"its status is {COUNTED_STATUS}", build_counted_query(), _describe_status)


def list_question_checks(prepared: PreparedQuestion) -> list[RecordCheck]:
    """What a question asks beyond the scope of its request."""
    checks = list_scope_checks(prepared.narrowing) if prepared.narrowing else []
    any_status = any(axis.any_status for axis in prepared.table_query.axes)
    return checks if any_status else [build_status_check(), *checks]


def build_period_check(period: Period) -> RecordCheck:
    """That a record is of one period."""
    return RecordCheck(f"recorded {period.words}", period.query(), _describe_day)


def _build_filter_check(scope: Scope, scope_filter: ScopeFilter) -> RecordCheck:
    query = scope_filter.query
    match scope_filter.kind:
        case kind if kind == PERIOD_FILTER:
            words = f"recorded {scope.periods_in_words}"
            return RecordCheck(words, query, _describe_day)
        case kind if kind == OFFENCES_FILTER:
            codes = list(dict.fromkeys(code for row in scope.offences for code in row.codes))
            words = f"an offence {_list_some('with the code', codes)}, or of a code below"
            return RecordCheck(words, query, _describe_offence)
        case kind if kind == MENTIONS_FILTER:
            labels = [mention.label for mention in scope.mentions]
            words = f"its narrative {_list_some('mentions', labels)}"
            return RecordCheck(words, query, lambda _: "", scope.mentions)
        case _:
            field = scope_filter.field
            return RecordCheck(
                scope_filter.words, query, lambda document: _describe_field(field, document)
            )


def _list_some(verb: str, names: list[str]) -> str:
    """The names after a verb: "mentions a, b or c", or "mentions one of 40 (a, b, ...)"."""
    if len(names) <= _MAX_NAMED:
        return f"{verb} {join_list(names, 'or')}"
    return f"{verb} one of {len(names)} ({', '.join(names[:_MAX_NAMED])}, ...)"


def _describe_status(document: Document) -> str:
    status = document["status"]
    return "" if status == COUNTED_STATUS else f"the status is {status}"


def _describe_day(document: Document) -> str:
    return f"recorded on {format_long_date(date.fromisoformat(document['recorded_on']))}"


def _describe_offence(document: Document) -> str:
    code = document["offence_code"]
    return f"the code is {code} ({load_offence_table().title(code)})"


def _describe_field(field: str, document: Document) -> str:
    match field:
        case "outcome":
            value = document.get("outcome")
            return _NO_VALUE if value is None else f"the outcome is {describe_outcome(value)}"
        case "offence_group":
            group = load_offence_table().group(document["offence_code"])
            return f"the group is {group}" if group else _NO_VALUE
        case name if name in PEOPLE_FILTERS and name not in (document.get(CATEGORIES_FIELD) or ()):
            return _describe_people(PEOPLE_FILTERS[name], document)
        case "sex":
            victims = document.get("victims") or ()
            return _list_values(
                SEX_LABELS.get(victim.get("sex"), "not recorded") for victim in victims
            )
        case _:
            value = (document.get(CATEGORIES_FIELD) or {}).get(field)
            values = value if isinstance(value, list) else [value]
            return _list_values(format_field_value(one) for one in values if one is not None)


def _describe_people(people: PeopleList, document: Document) -> str:
    """The ages and sexes of the people of a list of a record."""
    descriptions = [
        f"{SEX_LABELS.get(person.get('sex') or '', 'sex not recorded').lower()}, "
        f"{'age not recorded' if person.get('age') is None else 'aged ' + str(person['age'])}"
        for person in document.get(people.field) or ()
    ]
    if not descriptions:
        return f"the record has no {people.singular}"
    return f"the record has {'; '.join(descriptions)}"


def _list_values(values: Iterator[str]) -> str:
    distinct = list(dict.fromkeys(values))
    return f"the record has {join_list(distinct)}" if distinct else _NO_VALUE
