"""TODO: say what queries.tables.fields is for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from elasticsearch.dsl.query import Exists, Query, Range, Term
from elasticsearch.dsl.query import Terms as AreTerms

from indexer.errors import RequestError
from indexer.records.categories import CATEGORIES_FIELD, Categories, Category, label_category
from indexer.records.offences import load_offence_table
from indexer.suggestions import suggest_name
from queries.answer.condition import (
    CategoryCondition,
    Condition,
    Not,
    OffenceGroupCondition,
    build_age_condition,
    build_any_term_condition,
    build_category_condition,
    build_exact_code_condition,
    build_field_condition,
    build_other_age_condition,
)
from queries.tables.axis import Axis, Bucket, BucketKind
from queries.tables.calendar import (
    build_dates_axis,
    find_calendar_year,
    find_financial_year,
    find_month,
    find_quarter,
)
from queries.tables.field_values import (
    OUTCOME_NUMBERS,
    SEX_LABELS,
    format_field_value,
    load_outcome_titles,
    parse_field_value,
    parse_integer_value,
    require_choice,
)
from queries.tables.period import Period
from queries.tables.scope import (
    COUNTED_STATUS,
    EXCLUDED_STATUSES,
    Mention,
    OffenceRow,
    Scope,
    all_of,
    build_offence_query,
    none_of,
    rows_are_disjoint,
)

_UNKNOWN_KEY: Final = "unknown"

_NOT_RECORDED_LABEL: Final = "Not recorded"

_GROUP_UNKNOWN_LABEL: Final = "Group not known"

_VALUE_PREFIX: Final = "="


# -- axes by name ------------------------------------------------------------------------------

_BUILT_IN_AXES: Final = (
    "offence", "offence_row", "offence_group", "month", "quarter", "calendar_year",
    "financial_year", "status", "outcome", "sex",
)  # fmt: skip

TIME_FIELDS: Final = ("month", "quarter", "calendar_year", "financial_year")


def list_field_names(categories: Categories) -> tuple[str, ...]:
    """What can be counted by."""
    return (*_BUILT_IN_AXES, *categories)


def require_field_name(name: str, categories: Categories) -> str:
    """The name, if it can be counted by. Raises RequestError, with the nearest that can."""
    field_names = list_field_names(categories)
    if name not in field_names:
        raise RequestError(
            f'nothing is counted by "{name[:60]}".{suggest_name(name, field_names)} It may be '
            f"{', '.join(field_names)}, or a category that foidex.toml declares."
        )
    return name


def build_field_axis(name: str, scope: Scope) -> Axis:
    """The axis of a name. Raises RequestError for a name that is none."""
    require_field_name(name, scope.categories)
    if name in scope.categories:
        return _drop_excluded_values(_build_category_axis(name, scope.categories[name]), scope)
    return {
        "offence": _build_offence_axis,
        "offence_row": lambda: _build_offence_rows_axis(scope.offences),
        "offence_group": _build_offence_group_axis,
        "month": lambda: build_dates_axis("Month", scope.periods, find_month),
        "quarter": lambda: build_dates_axis("Quarter", scope.periods, find_quarter),
        "calendar_year": lambda: build_dates_axis("Year", scope.periods, find_calendar_year),
        "financial_year": lambda: build_dates_axis(
            "Financial year", scope.periods, find_financial_year
        ),
        "status": _build_status_axis,
        "outcome": _build_outcome_axis,
        "sex": _build_sex_axis,
    }[name]()


def _drop_excluded_values(axis: Axis, scope: Scope) -> Axis:
    """Without the values that no record in scope can have: what is not asked about is no 0."""
    if axis.buckets is None or not axis.partition:
        return axis
    filters = [
        field_filter.condition
        for field_filter in scope.field_filters
        if isinstance(field_filter.condition, CategoryCondition)
    ]
    buckets = [
        bucket for bucket in axis.buckets if all(_may_meet(bucket, entry) for entry in filters)
    ]
    # Two conditions may leave no value, and so no record to have one.
    return msgspec.structs.replace(axis, buckets=tuple(buckets)) if buckets else axis


def _may_meet(bucket: Bucket, condition: CategoryCondition) -> bool:
    """Whether a record of a bucket of categories may meet a condition on categories."""
    return all(
        bool(own.values & condition.values)
        for own in bucket.means
        if isinstance(own, CategoryCondition) and own.dimension == condition.dimension
    )


@lru_cache(64)
def build_mentions_axis(mentions: tuple[Mention, ...]) -> Axis:
    """A bucket for each term, and one for none of them."""
    queries = [mention.query() for mention in mentions]
    buckets = (
        *(
            Bucket(_format_position_key(index), mention.label, query, (mention.condition,))
            for index, (mention, query) in enumerate(zip(mentions, queries, strict=True))
        ),
        Bucket(
            "none",
            "None of these",
            none_of(queries),
            (Not(build_any_term_condition(mention.condition for mention in mentions)),),
            "none",
        ),
    )
    return Axis("Keyword", buckets, partition=False, mentions=tuple(mentions))


@lru_cache(64)
def build_bands_axis(bands: tuple[tuple[str, int, int], ...]) -> Axis:
    """A bucket for each age band (label, first, last), for other known ages, and for unknown."""
    has_age = Exists(field="victims.age")
    band_buckets = [
        Bucket(
            _format_position_key(n),
            label,
            Range(**{"victims.age": {"gte": first, "lte": last}}),
            (build_age_condition((first, last)),),
        )
        for n, (label, first, last) in enumerate(bands)
    ]
    other_query = (
        all_of([has_age, none_of([bucket.query for bucket in band_buckets])])
        if band_buckets
        else has_age
    )
    outside = (build_other_age_condition((first, last) for _, first, last in bands),)
    unknown = (Not(build_other_age_condition(())),)
    return Axis(
        "Age of victim",
        (
            *band_buckets,
            Bucket(
                "other",
                "Any other known age" if band_buckets else "Age known",
                other_query,
                outside,
                "other",
            ),
            Bucket(_UNKNOWN_KEY, "Age not known", none_of([has_age]), unknown, "unknown"),
        ),
        level="victim",
    )


def build_periods_axis(periods: Sequence[Period]) -> Axis:
    """A bucket for each period; they may overlap, or leave days out."""
    buckets = tuple(
        Bucket(_format_position_key(n), period.label, period.query(), (period.condition,))
        for n, period in enumerate(periods)
    )
    return Axis("Period", buckets, partition=False, exhaustive=False)


def _build_offence_axis() -> Axis:
    table = load_offence_table()

    def read(code: str) -> Bucket:
        return Bucket(
            code,
            table.title(code),
            Term(offence_code=code),
            (build_exact_code_condition(code),),
            codes=(code,),
        )

    def named(name: str) -> Bucket:
        title, _, code = name.removesuffix(")").rpartition(" (")  # as documents print it
        if code in table.codes_with_title(title):
            return read(code)
        titled = table.codes_with_title(name)
        if len(titled) > 1:
            raise RequestError(f'"{name}" is the title of {", ".join(titled)}. Name the code.')
        return read(titled[0] if titled else table.canonical(name))

    return Axis(
        "Offence",
        None,
        source={"terms": {"field": "offence_code"}},
        bucket_for_value=read,
        bucket_for_name=named,
    )


@lru_cache(64)
def _build_offence_rows_axis(rows: tuple[OffenceRow, ...]) -> Axis:
    if not rows:
        raise RequestError(
            "offence_row counts by the rows of offences:, of which there are none. List them, or "
            "count by offence."
        )
    buckets = tuple(
        Bucket(
            _format_position_key(n),
            row.label,
            build_offence_query(row.codes),
            (row.condition,),
            codes=row.codes,
        )
        for n, row in enumerate(rows)
    )
    return Axis("Offence", buckets, partition=rows_are_disjoint([row.codes for row in rows]))


def _build_offence_group_axis() -> Axis:
    table = load_offence_table()

    def read(code: str) -> Bucket:
        group = table.group(code)
        kind: BucketKind = "asked" if group else "unknown"
        return Bucket(
            group or _UNKNOWN_KEY,
            group or _GROUP_UNKNOWN_LABEL,
            _build_group_query(group),
            (OffenceGroupCondition(group),),
            kind,
        )

    def named(name: str) -> Bucket:
        if name.casefold() in (_UNKNOWN_KEY, _GROUP_UNKNOWN_LABEL.casefold()):
            group = None
        else:
            group = require_choice(
                "offence group", name, tuple(dict.fromkeys(table.groups.values()))
            )
        return Bucket(
            group or _UNKNOWN_KEY,
            group or _GROUP_UNKNOWN_LABEL,
            _build_group_query(group),
            (OffenceGroupCondition(group),),
            "asked" if group else "unknown",
        )

    source = {"terms": {"field": "offence_code"}}
    return Axis("Offence group", None, source=source, bucket_for_value=read, bucket_for_name=named)


def _build_group_query(group: str | None) -> Query:
    table = load_offence_table()
    if group is None:
        return none_of([AreTerms(offence_path=sorted(table.groups))])
    return AreTerms(
        offence_path=sorted(
            code for code, code_group in table.groups.items() if code_group == group
        )
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
    return Axis("Status", buckets, any_status=True)


def _build_sex_axis() -> Axis:
    field = Exists(field="victims.sex")
    buckets = [
        Bucket(key, label, Term(victims__sex=key), (build_field_condition("sex", [key]),))
        for key, label in SEX_LABELS.items()
    ]
    missing = (build_field_condition("sex", [None]),)
    buckets.append(Bucket(_UNKNOWN_KEY, "Sex not recorded", none_of([field]), missing, "unknown"))
    return Axis("Sex of victim", tuple(buckets), level="victim")


def _build_outcome_axis() -> Axis:
    def read(number: int | None) -> Bucket:
        if number is None:
            return _build_missing_bucket("outcome", build_field_condition("outcome", [None]))
        label = f"{number} {load_outcome_titles().get(number, '')}".strip()
        means = build_field_condition("outcome", [str(number)])
        return Bucket(str(number), label, Term(outcome=number), (means,))

    def named(name: str) -> Bucket:
        first = (name.split() or [""])[0]
        missing = name.casefold() in (_UNKNOWN_KEY, _NOT_RECORDED_LABEL.casefold())
        return read(None if missing else parse_integer_value("outcome", first, OUTCOME_NUMBERS))

    return Axis(
        "Outcome",
        None,
        source=_build_terms_source("outcome"),
        bucket_for_value=read,
        bucket_for_name=named,
    )


def _build_category_axis(name: str, category: Category) -> Axis:
    field = f"{CATEGORIES_FIELD}.{name}"
    heading = label_category(name, category)

    def means(value: str | None) -> Condition:
        return build_category_condition(name, [value], many=category.many)

    missing = _build_missing_bucket(field, means(None), key=_VALUE_PREFIX)
    if category.values or category.type == "boolean":
        values: dict[Any, str] = (
            {value: value for value in category.values}
            if category.values
            else {True: "Yes", False: "No"}
        )
        buckets = tuple(
            Bucket(
                _VALUE_PREFIX + format_field_value(value),
                label,
                Term(**{field: value}),
                (means(format_field_value(value)),),
            )
            for value, label in values.items()
        )
        return Axis(heading, (*buckets, missing), partition=not category.many)

    def read(value: Any) -> Bucket:
        if value is None:
            return missing
        text = format_field_value(value)
        return Bucket(_VALUE_PREFIX + text, text, Term(**{field: value}), (means(text),))

    def named(text: str) -> Bucket:
        if text == _VALUE_PREFIX or text.casefold() == _NOT_RECORDED_LABEL.casefold():
            return missing
        return read(parse_field_value(name, text.removeprefix(_VALUE_PREFIX), category))

    return Axis(
        heading,
        None,
        partition=not category.many,
        source=_build_terms_source(field),
        bucket_for_value=read,
        bucket_for_name=named,
    )


def _format_position_key(number: int) -> str:
    return f"#{number}"


def _build_missing_bucket(field: str, means: Condition, key: str = _UNKNOWN_KEY) -> Bucket:
    return Bucket(key, _NOT_RECORDED_LABEL, none_of([Exists(field=field)]), (means,), "unknown")


def _build_terms_source(field: str) -> dict[str, Any]:
    return {"terms": {"field": field, "missing_bucket": True, "missing_order": "last"}}
