"""Axes whose buckets a request lists: terms, age bands, periods and rows of offences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from elasticsearch.dsl.query import Exists, Range

from indexer.errors import RequestError
from indexer.records.model import VICTIMS, PeopleList
from queries.answer.condition import (
    Not,
    build_age_condition,
    build_any_term_condition,
    build_other_age_condition,
    build_unknown_age_condition,
)
from queries.tables.axis_type import UNKNOWN_KEY, WORDS_HEADING, Axis, Bucket
from queries.tables.period import Period
from queries.tables.scope import (
    Mention,
    OffenceRow,
    all_of,
    build_offence_query,
    none_of,
    rows_are_disjoint,
)

_OVERLAPPING_BANDS: Final = (
    "The age bands overlap: a {singular} is counted in each band that fits, so the numbers of the "
    "bands do not add up to the total, which counts each {singular} once."
)


def build_mentions_axis(mentions: tuple[Mention, ...]) -> Axis:
    """A bucket for each term, and one for records that mention none of them."""
    term_buckets = [
        Bucket(_format_position_key(index), mention.label, mention.query(), (mention.condition,))
        for index, mention in enumerate(mentions)
    ]
    any_term = build_any_term_condition(mention.condition for mention in mentions)
    none_bucket = Bucket(
        "none",
        "None of these",
        none_of([bucket.query for bucket in term_buckets]),
        (Not(any_term),),
        "none",
    )
    return Axis(WORDS_HEADING, (*term_buckets, none_bucket), partition=False, mentions=mentions)


def build_bands_axis(bands: tuple[tuple[str, int, int], ...], people: PeopleList = VICTIMS) -> Axis:
    """A bucket for each age band (label, first and last age), for other known ages, for no age."""
    age_field = f"{people.field}.age"
    has_age = Exists(field=age_field)
    band_buckets = [
        Bucket(
            _format_position_key(index),
            label,
            Range(**{age_field: {"gte": first, "lte": last}}),
            (build_age_condition((first, last), people=people),),
        )
        for index, (label, first, last) in enumerate(bands)
    ]
    other_query = (
        all_of([has_age, none_of([bucket.query for bucket in band_buckets])])
        if band_buckets
        else has_age
    )
    is_partition = _are_apart([(first, last) for _, first, last in bands])
    outside = build_other_age_condition([(first, last) for _, first, last in bands], people)
    unknown = build_unknown_age_condition(people)
    return Axis(
        f"Age of {people.singular}",
        (
            *band_buckets,
            Bucket(
                "other",
                "Any other known age" if band_buckets else "Age known",
                other_query,
                (outside,),
                "other",
            ),
            Bucket(UNKNOWN_KEY, "Age not known", none_of([has_age]), (unknown,), "unknown"),
        ),
        level=people.singular,
        partition=is_partition,
        note="" if is_partition else _OVERLAPPING_BANDS.format(singular=people.singular),
    )


def _are_apart(bands: Sequence[tuple[int, int]]) -> bool:
    """Whether no age is in two of the bands."""
    return all(first > last for (_, last), (first, _) in pairwise(sorted(bands)))


def build_periods_axis(periods: Sequence[Period]) -> Axis:
    """A bucket for each period; periods may overlap or leave days out."""
    buckets = tuple(
        Bucket(_format_position_key(index), period.label, period.query(), (period.condition,))
        for index, period in enumerate(periods)
    )
    return Axis("Period", buckets, partition=False, exhaustive=False)


def build_offence_rows_axis(rows: tuple[OffenceRow, ...]) -> Axis:
    """A bucket for each row of offences. Raises RequestError if there are no rows."""
    if not rows:
        raise RequestError(
            "offence_row counts by the rows of offences:, and there are none. List some, or count "
            "by offence."
        )
    buckets = tuple(
        Bucket(
            _format_position_key(index),
            row.label,
            build_offence_query(row.codes),
            (row.condition,),
            codes=row.codes,
        )
        for index, row in enumerate(rows)
    )
    return Axis("Offence", buckets, partition=rows_are_disjoint([row.codes for row in rows]))


def _format_position_key(number: int) -> str:
    return f"#{number}"
