"""The axis of each field to count by, built in or declared by the force as a category."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from elasticsearch.dsl.query import Exists, Term
from elasticsearch.dsl.query import Terms as AreTerms

from indexer.errors import RequestError
from indexer.records.categories import CATEGORIES_FIELD, Categories, Category, label_category
from indexer.records.model import VICTIMS, PeopleList
from indexer.records.offences import load_offence_table
from indexer.suggestions import suggest_name
from queries.answer.condition import (
    SEX_FIELDS,
    CategoryCondition,
    Condition,
    OffenceGroupCondition,
    build_category_condition,
    build_exact_code_condition,
    build_field_condition,
)
from queries.answer.types import STATUS_HEADING
from queries.tables.axis_type import UNKNOWN_KEY, Axis, Bucket
from queries.tables.calendar_axes import PERIOD_FINDERS, build_dates_axis
from queries.tables.field_values import (
    OUTCOME_NUMBERS,
    SEX_LABELS,
    format_field_value,
    load_outcome_titles,
    parse_field_value,
    parse_outcome,
    require_choice,
)
from queries.tables.request_axes import build_offence_rows_axis
from queries.tables.scope import (
    COUNTED_STATUS,
    EXCLUDED_STATUSES,
    Scope,
    none_of,
)

_NOT_RECORDED_LABEL: Final = "Not recorded"

_VALUE_PREFIX: Final = "="


_BUILT_IN_AXES: Final = (
    "offence", "offence_row", "offence_group", "day", "month", "quarter", "calendar_year",
    "financial_year", "status", "outcome", "sex",
)  # fmt: skip

TIME_FIELDS: Final = tuple(PERIOD_FINDERS)

_TIME_HEADINGS: Final = {
    "day": "Day",
    "month": "Month",
    "quarter": "Quarter",
    "calendar_year": "Year",
    "financial_year": "Financial year",
}


#: An age is of a person, and is counted in bands, which a request file alone names.
_AGES_HINT: Final = (
    " For ages, write a request file with a question of kind: victims and "
    "bands: [{to: 17}, {from: 18}]."
)


def list_field_names(categories: Categories) -> tuple[str, ...]:
    """The names of the fields to count by."""
    return (*_BUILT_IN_AXES, *categories)


def require_field_name(name: str, categories: Categories) -> str:
    """The name of a field to count by. Raises RequestError, with the closest, if there is none."""
    field_names = list_field_names(categories)
    if name not in field_names:
        hint = _AGES_HINT if name == "age" else suggest_name(name, field_names)
        raise RequestError(
            f'nothing is counted by "{name[:60]}".{hint} It may be '
            f"{', '.join(field_names)}, or a category that foidex.toml declares."
        )
    return name


def build_field_axis(name: str, scope: Scope, people: PeopleList = VICTIMS) -> Axis:
    """The axis of a field to count by; ``people`` are those whom a field of people describes.

    Raises RequestError if there is none of the name.
    """
    require_field_name(name, scope.categories)
    if name in scope.categories:
        return _drop_excluded_values(_build_category_axis(name, scope.categories[name]), scope)
    if name in TIME_FIELDS:
        return build_dates_axis(_TIME_HEADINGS[name], scope.periods, PERIOD_FINDERS[name])
    build_by_name: dict[str, Callable[[], Axis]] = {
        "offence": _build_offence_axis,
        "offence_row": lambda: build_offence_rows_axis(scope.offences),
        "offence_group": _build_offence_group_axis,
        "status": _build_status_axis,
        "outcome": _build_outcome_axis,
        "sex": lambda: _build_sex_axis(people),
    }
    return build_by_name[name]()


def _drop_excluded_values(axis: Axis, scope: Scope) -> Axis:
    """The axis without the values that the scope excludes: a row of them would always be 0."""
    if axis.buckets is None or not axis.partition:
        return axis
    conditions = [
        field_filter.condition
        for field_filter in scope.field_filters
        if isinstance(field_filter.condition, CategoryCondition)
    ]
    buckets = [
        bucket
        for bucket in axis.buckets
        if all(_may_meet(bucket, condition) for condition in conditions)
    ]
    # Two filters of the field may exclude every value; then no record is in scope.
    return msgspec.structs.replace(axis, buckets=tuple(buckets)) if buckets else axis


def _may_meet(bucket: Bucket, condition: CategoryCondition) -> bool:
    """Whether a record of a bucket of categories may meet a condition on categories."""
    return all(
        bool(own.values & condition.values)
        for own in bucket.means
        if isinstance(own, CategoryCondition) and own.dimension == condition.dimension
    )


def _build_offence_axis() -> Axis:
    table = load_offence_table()

    def bucket_for_value(code: str) -> Bucket:
        return Bucket(
            code,
            table.title(code),
            Term(offence_code=code),
            (build_exact_code_condition(code),),
            codes=(code,),
        )

    def bucket_for_name(name: str) -> Bucket:
        codes = table.codes_with_title(name)
        if len(codes) > 1:
            raise RequestError(
                f'"{name}" is the title of {", ".join(codes)}. Give the code instead.'
            )
        if codes:
            return bucket_for_value(codes[0])
        printed_buckets = (
            bucket for bucket in map(bucket_for_value, table.titles) if bucket.is_called(name)
        )
        return next(printed_buckets, None) or bucket_for_value(table.canonical(name))

    return Axis(
        "Offence",
        None,
        source={"terms": {"field": "offence_code"}},
        bucket_for_value=bucket_for_value,
        bucket_for_name=bucket_for_name,
    )


def _build_offence_group_axis() -> Axis:
    table = load_offence_table()

    def make_bucket(group: str | None) -> Bucket:
        condition = OffenceGroupCondition(group)
        if group is None:
            query = none_of([AreTerms(offence_path=sorted(table.groups))])
            return Bucket(UNKNOWN_KEY, "Group not known", query, (condition,), "unknown")
        codes = sorted(code for code, code_group in table.groups.items() if code_group == group)
        return Bucket(group, group, AreTerms(offence_path=codes), (condition,))

    def bucket_for_value(code: str) -> Bucket:
        return make_bucket(table.group(code))

    def bucket_for_name(name: str) -> Bucket:
        groups = tuple(dict.fromkeys(table.groups.values()))
        for bucket in map(make_bucket, (*groups, None)):
            if bucket.is_called(name):
                return bucket
        return make_bucket(require_choice("offence group", name, groups))

    return Axis(
        "Offence group",
        None,
        source={"terms": {"field": "offence_code"}},
        bucket_for_value=bucket_for_value,
        bucket_for_name=bucket_for_name,
    )


def _build_status_axis() -> Axis:
    labels = {
        COUNTED_STATUS: "Recorded",
        **{status: status.capitalize() for status in EXCLUDED_STATUSES},
    }
    buckets = tuple(
        Bucket(key, label, Term(status=key), (build_field_condition("status", [key]),))
        for key, label in labels.items()
    )
    return Axis(STATUS_HEADING, buckets, any_status=True)


def _build_sex_axis(people: PeopleList) -> Axis:
    field, name = f"{people.field}.sex", SEX_FIELDS[people.field]
    buckets = [
        Bucket(key, label, Term(**{field: key}), (build_field_condition(name, [key]),))
        for key, label in SEX_LABELS.items()
    ]
    missing = (build_field_condition(name, [None]),)
    without = none_of([Exists(field=field)])
    buckets.append(Bucket(UNKNOWN_KEY, "Sex not recorded", without, missing, "unknown"))
    return Axis(f"Sex of {people.singular}", tuple(buckets), level=people.singular)


def _build_outcome_axis() -> Axis:
    missing = _build_missing_bucket("outcome", build_field_condition("outcome", [None]))

    def bucket_for_value(number: int | None) -> Bucket:
        if number is None:
            return missing
        label = f"{number} {load_outcome_titles().get(number, '')}".strip()
        condition = build_field_condition("outcome", [str(number)])
        return Bucket(str(number), label, Term(outcome=number), (condition,))

    def bucket_for_name(name: str) -> Bucket:
        for bucket in (missing, *map(bucket_for_value, OUTCOME_NUMBERS)):
            if bucket.is_called(name):
                return bucket
        return bucket_for_value(parse_outcome(name))

    return Axis(
        "Outcome",
        None,
        source=_build_terms_source("outcome"),
        bucket_for_value=bucket_for_value,
        bucket_for_name=bucket_for_name,
    )


def _build_category_axis(name: str, category: Category) -> Axis:
    field = f"{CATEGORIES_FIELD}.{name}"
    heading = label_category(name, category)

    def build_condition(value: str | None) -> Condition:
        return build_category_condition(name, [value], many=category.many)

    def make_bucket(value: Any, label: str) -> Bucket:
        text = format_field_value(value)
        query = Term(**{field: value})
        if label.casefold() == _NOT_RECORDED_LABEL.casefold():  # beside the row without a value
            label = f'"{label}" is written'
        return Bucket(_VALUE_PREFIX + text, label, query, (build_condition(text),))

    missing = _build_missing_bucket(field, build_condition(None), key=_VALUE_PREFIX)
    if category.values or category.type == "boolean":
        labels: dict[Any, str] = (
            {value: value for value in category.values}
            if category.values
            else {True: "Yes", False: "No"}
        )
        buckets = (make_bucket(value, label) for value, label in labels.items())
        return Axis(heading, (*buckets, missing), partition=not category.many)

    def bucket_for_value(value: Any) -> Bucket:
        return missing if value is None else make_bucket(value, format_field_value(value))

    def bucket_for_name(text: str) -> Bucket:
        if text in missing.names:  # in other capitals, it may be a value: "Not Recorded"
            return missing
        value = parse_field_value(name, text.removeprefix(_VALUE_PREFIX), category)
        return bucket_for_value(value)

    return Axis(
        heading,
        None,
        partition=not category.many,
        source=_build_terms_source(field),
        bucket_for_value=bucket_for_value,
        bucket_for_name=bucket_for_name,
    )


def _build_missing_bucket(field: str, condition: Condition, key: str = UNKNOWN_KEY) -> Bucket:
    return Bucket(key, _NOT_RECORDED_LABEL, none_of([Exists(field=field)]), (condition,), "unknown")


def _build_terms_source(field: str) -> dict[str, Any]:
    return {"terms": {"field": field, "missing_bucket": True, "missing_order": "last"}}
