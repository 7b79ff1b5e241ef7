"""Tables of one or two axes: the aggregations to ask for, and how to read the response. Pure.

A table counts offences (records), or their victims or suspects. Its cells are buckets inside
buckets: an open axis is outermost, as composite aggregations must be, and an axis of people
innermost, inside the records. Totals are asked for and never summed, because a record may be in
several rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import Any, Final, Literal

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Nested, Query
from msgspec import Struct

from indexer.errors import RequestError
from indexer.records.model import PEOPLE_LISTS, SUSPECTS, VICTIMS, PeopleList
from indexer.records.noun import OFFENCE, Noun
from indexer.suggestions import suggest_name
from queries.answer.condition import WITHOUT_VICTIM, Condition, OfVictim, format_conditions
from queries.answer.types import ASKED_ABOUT, Column, Relation, Row, Table
from queries.tables.axis_type import Axis, Bucket
from queries.tables.scope import Mention, all_of_or_everything, none_of

TableUnit = Literal["offences", "victims", "suspects"]

#: What a request may ask to count.
CountedUnit = Literal["offences", "victims", "suspects"]


def find_counted_people(unit: CountedUnit | None) -> PeopleList:
    """The list of people whom a field of people describes where a unit is counted: victims, unless
    suspects are."""
    return SUSPECTS if unit == "suspects" else VICTIMS


_PAGE_SIZE: Final = 10_000

_MAX_BUCKETS: Final = 50_000  # under the server's limit of 65,536 a response

_MAX_CELLS: Final = 65_000

_MAX_LABELS_SHOWN: Final = 30

# What is counted where records of every status are.
_ANY_STATUS_UNITS: Final[dict[TableUnit, str]] = {
    "offences": "records",
    "victims": "victims of records",
    "suspects": "suspects of records",
}

#: The key of the total row.
TOTAL_KEY: Final = "total"

BucketKeys = tuple[str, ...]

AxisBuckets = list[dict[str, Bucket]]


class TableQuery(Struct, frozen=True, dict=True):
    """A table that counts one ``unit`` by ``rows``, and by ``columns`` if there are any.

    ``noun`` is what a record is called.
    """

    rows: Axis
    columns: Axis | None
    unit: TableUnit
    noun: Noun = OFFENCE

    @property
    def unit_noun(self) -> Noun:
        """What is counted, as a noun."""
        people = PEOPLE_LISTS.get(self.unit)
        return Noun(people.singular, people.field) if people else self.noun

    @property
    def counts_people(self) -> bool:
        """Whether people are counted, and not records."""
        return self.unit in PEOPLE_LISTS

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Its axes; where offences are counted, an axis of victims becomes one of their records."""
        sides = (self.rows, *((self.columns,) if self.columns else ()))
        if self.counts_people:
            return sides
        return tuple(map(_convert_to_record_axis, sides))

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """The terms that its axes count."""
        return tuple(mention for axis in self.axes for mention in axis.mentions)

    @property
    def open_axes(self) -> tuple[Literal["rows", "columns"], ...]:
        """The sides of its table that list only what occurs."""
        sides: tuple[Literal["rows", "columns"], ...] = ("rows", "columns")
        return tuple(
            side for side, axis in zip(sides, self.axes, strict=False) if axis.buckets is None
        )

    @property
    def total_label(self) -> str:
        """What the total row is called."""
        return f"All {self.unit_noun.plural}{ASKED_ABOUT}"

    @property
    def _counted_unit(self) -> str:
        """What the answer says is counted: of records of any status, not offences."""
        any_status = any(axis.any_status for axis in self.axes)
        return _ANY_STATUS_UNITS[self.unit] if any_status else self.unit

    @property
    def unit_column(self) -> Column:
        """The first column, of all that is counted."""
        return Column(self.unit, self.unit_noun.plural.capitalize(), unit=self._counted_unit)

    def list_columns(self) -> list[Column]:
        """The columns known before the table is asked for: all but those of an open axis."""
        buckets = self.axes[1].buckets or () if self.columns else ()
        columns = (_build_column(bucket, self._counted_unit) for bucket in buckets)
        return [self.unit_column, *columns]

    def is_total(self, row: str) -> bool:
        """Whether a name of a row is the key or the label of the total; "Total" may be a value."""
        label = self.total_label.casefold()
        return row == TOTAL_KEY or row.casefold() in (label, label.removesuffix(ASKED_ABOUT))

    def build(self) -> dict[str, aggs.Agg[Any]]:
        """The aggregations of the cells, and of the totals that the cells do not give.

        Raises RequestError for a table of more cells than a server gives in one response.
        """
        self.require_cells_that_fit()
        aggregations = {"cells": self.nest_aggregations(order_by_nesting(self.axes), nested=False)}
        for name, axis in self._marginal_axes().items():
            aggregations[name] = self.nest_aggregations([axis], nested=False)
        if self.counts_people:
            aggregations["all"] = aggs.Nested(path=self.unit)
        return aggregations

    def require_cells_that_fit(self) -> None:
        """Raise RequestError for a table of more cells than a server gives in one response."""
        cells = math.prod(len(axis.buckets) for axis in self.axes if axis.buckets)
        if cells > _MAX_CELLS:
            raise RequestError(
                f"a table of {cells:,} cells is too large: the most is {_MAX_CELLS:,}. Ask for "
                "fewer rows or columns, or split it into several requests."
            )

    def _marginal_axes(self) -> dict[str, Axis]:
        """The axes whose totals the cells do not give: all but the outermost."""
        nesting = order_by_nesting(self.axes)
        covered_axes = [] if all(axis.buckets is None for axis in nesting[1:]) else nesting[:1]
        return {
            f"axis_{number}": axis
            for number, axis in enumerate(self.axes)
            if len(nesting) > 1 and axis not in covered_axes
        }

    def nest_aggregations(self, axes: Sequence[Axis], *, nested: bool) -> aggs.Agg[Any]:
        """The buckets of the axes, each axis inside the one before."""
        if axes[0].level != "record" and not nested:
            return aggs.Nested(
                path=self.unit, aggs={"in": self.nest_aggregations(axes, nested=True)}
            )
        open_axes, inner_axes = _split_open_axes(axes)
        inside: dict[str, Any] = {}
        if self.counts_people and not nested:
            inside["n"] = aggs.Nested(path=self.unit)
        if inner_axes:
            inside["in"] = self.nest_aggregations(inner_axes, nested=nested)
        options: Any = {"aggs": inside} if inside else {}
        if not open_axes:
            buckets = axes[0].buckets or ()
            return aggs.Filters(filters={bucket.key: bucket.query for bucket in buckets}, **options)
        width = 2 + sum(accumulate((len(axis.buckets or ()) for axis in inner_axes), mul))
        sources: list[Any] = [{str(index): axis.source} for index, axis in enumerate(open_axes)]
        return aggs.Composite(
            size=min(_PAGE_SIZE, _MAX_BUCKETS // width), sources=sources, **options
        )

    def parse_response(self, response: dict[str, Any]) -> Table:
        """The table, from the aggregations' bodies and ``doc_count``, the records in scope."""
        nesting = order_by_nesting(self.axes)
        cells, cell_buckets = parse_bucket_counts(response["cells"], nesting)
        totals: list[dict[BucketKeys, int]] = []
        buckets: AxisBuckets = []
        for number, axis in enumerate(self.axes):
            if margin := response.get(f"axis_{number}"):
                counts, (axis_buckets,) = parse_bucket_counts(margin, [axis])
            else:
                counts, axis_buckets = cells, cell_buckets[0]
            totals.append(counts)
            buckets.append(axis_buckets)
        is_transposed = nesting != self.axes
        across = list(buckets[1].values()) if self.columns else []

        def get_cell(row: str, column: str) -> int:
            return cells.get((column, row) if is_transposed else (row, column), 0)

        total_body = response["all"] if self.counts_people else response
        relations = _build_axis_relations(self.axes[0], list(buckets[0].values()), TOTAL_KEY)
        if self.columns:
            relations += _build_axis_relations(self.axes[1], across, self.unit, across=True)
        return Table(
            heading=self.rows.heading,
            columns=(
                self.unit_column,
                *(_build_column(bucket, self._counted_unit) for bucket in across),
            ),
            rows=tuple(
                Row(
                    key,
                    bucket.label,
                    (totals[0].get((key,), 0), *(get_cell(key, column.key) for column in across)),
                    kind=bucket.kind,
                    codes=bucket.codes,
                    means=format_conditions(bucket.means),
                )
                for key, bucket in buckets[0].items()
            ),
            total=Row(
                TOTAL_KEY,
                self.total_label,
                (total_body["doc_count"], *(totals[1].get((column.key,), 0) for column in across)),
                kind="total",
            ),
            across=self.columns.heading if self.columns else "",
            relations=relations,
        )

    def record_query(self, row: str, column: str | None) -> Query:
        """The records behind a row, or a cell, each named by its key or its label.

        Raises RequestError if there is no row or column of the name.
        """
        of_records: list[Query] = []
        of_people: list[Query] = []
        for axis, bucket in self.find_buckets(row, column):
            (of_records if axis.level == "record" else of_people).append(bucket.query)
        if self.counts_people:
            of_records.append(Nested(path=self.unit, query=all_of_or_everything(of_people)))
        return all_of_or_everything(of_records)

    def cell_conditions(self, row: str, column: str | None) -> tuple[Condition, ...]:
        """The conditions of a row, or a cell. Raises as ``record_query``."""
        buckets = self.find_buckets(row, column)
        return tuple(condition for _, bucket in buckets for condition in bucket.means)

    def split_row_key(self, key: str) -> tuple[str, ...]:
        """The keys of the buckets that a row is of, one for each axis of the rows."""
        return (key,)

    def find_buckets(self, row: str, column: str | None) -> list[tuple[Axis, Bucket]]:
        """The buckets of a row and a column, each with its axis; none of what counts all.

        Raises RequestError if there is no row or column of the name.
        """
        buckets = [] if self.is_total(row) else self.find_row_buckets(row)
        if column and not is_column_called(self.unit_column, column):
            if self.columns is None:
                raise RequestError(
                    f'there is no column "{column[:60]}". The table has the column '
                    f'"{self.unit_column.label}".'
                )
            name = column.removeprefix(_COLUMN_PREFIX)
            buckets.append((self.axes[1], find_bucket(self.axes[1], name)))
        return buckets

    def find_row_buckets(self, row: str) -> list[tuple[Axis, Bucket]]:
        """The buckets of a row. Raises RequestError if there is none of the name."""
        return [(self.axes[0], find_bucket(self.axes[0], row))]


_COLUMN_PREFIX: Final = "in_"


def _build_column(bucket: Bucket, unit: str) -> Column:
    codes = ", ".join(bucket.codes)
    return Column(
        make_column_key(bucket.key),
        bucket.label,
        codes if codes != bucket.label else "",
        unit,
        format_conditions(bucket.means),
    )


def make_column_key(bucket_key: str) -> str:
    """The key of the column of a bucket."""
    return f"{_COLUMN_PREFIX}{bucket_key}"


def find_bucket_key(column_key: str) -> str | None:
    """The key of the bucket of a column; None for the column that counts all."""
    is_bucket = column_key.startswith(_COLUMN_PREFIX)
    return column_key.removeprefix(_COLUMN_PREFIX) if is_bucket else None


def list_column_names(column: Column) -> tuple[str, ...]:
    """What a column may be called: its key, its label, its description, or both as printed."""
    names = (column.key, column.key.removeprefix(_COLUMN_PREFIX), column.label)
    if not column.description:
        return names
    return (
        *names,
        column.description,
        f"{column.description} ({column.label})",
        f"{column.label} ({column.description})",
    )


def is_column_called(column: Column, name: str) -> bool:
    """Whether a name is one of a column's own, whatever its capitals."""
    return name.casefold() in map(str.casefold, list_column_names(column))


def _build_axis_relations(
    axis: Axis, buckets: list[Bucket], total_key: str, *, across: bool = False
) -> tuple[Relation, ...]:
    """What is certain of the buckets of an axis, as rows or as columns, and of their total."""
    keys = {bucket.key: make_column_key(bucket.key) if across else bucket.key for bucket in buckets}
    over: Literal["rows", "columns"] = "columns" if across else "rows"
    all_keys = tuple(keys.values())
    if axis.partition:
        return (Relation("sum", total_key, all_keys, over),)
    if not axis.exhaustive:
        return tuple(Relation("at_most", total_key, (key,), over) for key in all_keys)
    # What is in the bucket of "none" or of no value is in no other bucket; nor is a person of
    # another age than those of the bands.
    of_people = axis.level != "record"
    for kinds in (("other", "unknown"),) if of_people else (("none",), ("unknown",)):
        if residual_keys := [keys[bucket.key] for bucket in buckets if bucket.kind in kinds]:
            rest = tuple(key for key in all_keys if key not in residual_keys)
            return (
                *(Relation("at_most", total_key, (key, *residual_keys), over) for key in rest),
                Relation("at_least", total_key, all_keys, over),
            )
    return (Relation("union", total_key, all_keys, over),)


def order_by_nesting(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes from the outermost to the innermost."""
    ordered = sorted(axes, key=lambda axis: (axis.level != "record", axis.buckets is not None))
    return tuple(ordered)


def _split_open_axes(axes: Sequence[Axis]) -> tuple[list[Axis], list[Axis]]:
    """The open axes, which one composite aggregation finds together, and the axes inside them.

    Without an open axis, those inside the first axis.
    """
    open_axes = [axis for axis in axes if axis.buckets is None]
    listed_axes = [axis for axis in axes if axis.buckets is not None]
    return open_axes, listed_axes[0 if open_axes else 1 :]


def _convert_to_record_axis(axis: Axis) -> Axis:
    """An axis of victims as an axis of their records, which may be in several of its buckets."""
    if axis.level == "record":
        return axis
    buckets = [
        msgspec.structs.replace(
            bucket,
            query=Nested(path=VICTIMS.field, query=bucket.query),
            means=tuple(map(OfVictim, bucket.means)),
        )
        for bucket in axis.buckets or ()
    ]
    without_victim = none_of([Nested(path=VICTIMS.field, query=MatchAll())])
    buckets.append(Bucket("none", "No victim recorded", without_victim, (WITHOUT_VICTIM,), "none"))
    return msgspec.structs.replace(
        axis, level="record", partition=False, buckets=tuple(buckets), note=""
    )


def parse_bucket_counts(
    aggregation: dict[str, Any], axes: Sequence[Axis]
) -> tuple[dict[BucketKeys, int], AxisBuckets]:
    """The count of every bucket by its keys, outermost first, and the buckets of each axis."""
    if "buckets" not in aggregation:
        aggregation = aggregation["in"]  # of the people
    open_axes, inner_axes = _split_open_axes(axes)
    counts: dict[BucketKeys, int] = {}
    axis_buckets: AxisBuckets = [
        {bucket.key: bucket for bucket in axis.buckets or ()} for axis in axes
    ]
    bodies = aggregation["buckets"] if open_axes else aggregation["buckets"].items()
    for entry in bodies:
        name, body = ("", entry) if open_axes else entry
        outer_buckets = [
            _get_bucket(axis, body["key"][str(index)]) for index, axis in enumerate(open_axes)
        ]
        keys: BucketKeys = tuple(bucket.key for bucket in outer_buckets) or (name,)
        for index, bucket in enumerate(outer_buckets):
            axis_buckets[index].setdefault(bucket.key, bucket)
        counts[keys] = counts.get(keys, 0) + body.get("n", body)["doc_count"]
        if inner_axes:
            inner_counts, _ = parse_bucket_counts(body["in"], inner_axes)
            for inner_keys, count in inner_counts.items():
                counts[keys + inner_keys] = counts.get(keys + inner_keys, 0) + count
    return counts, [
        dict(sorted(buckets.items(), key=_natural_key)) if axis.buckets is None else buckets
        for buckets, axis in zip(axis_buckets, axes, strict=True)
    ]


def _get_bucket(axis: Axis, value: Any) -> Bucket:
    assert axis.bucket_for_value
    return axis.bucket_for_value(value)


def _natural_key(item: tuple[str, Bucket]) -> tuple[bool, list[tuple[bool, int, str]]]:
    """A sort key: numbers in a bucket's key by their value, and unknown buckets last."""
    key, bucket = item
    parts = re.findall(r"\d+|\D+", key)
    return bucket.kind != "asked", [
        (part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts
    ]


def find_bucket(axis: Axis, name: str) -> Bucket:
    """The bucket of a key or a label. Raises RequestError, with the closest, if there is none."""
    if axis.buckets is None:
        assert axis.bucket_for_name
        return axis.bucket_for_name(name)
    for bucket in axis.buckets:
        if name == bucket.key:
            return bucket
    exact = [bucket for bucket in axis.buckets if name in bucket.names]
    for bucket in exact or axis.buckets:  # values may differ by capitals alone
        if bucket.is_called(name):
            return bucket
    worded_alike = [
        mention for mention in axis.mentions if mention.term.written.casefold() == name.casefold()
    ]
    for bucket in axis.buckets:
        if len(worded_alike) == 1 and bucket.label == worded_alike[0].label:
            return bucket
    labels = list(dict.fromkeys(bucket.label for bucket in axis.buckets))
    more = len(labels) - _MAX_LABELS_SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    raise RequestError(
        f'there is no row or column "{name[:60]}".{suggest_name(name, labels)} There are '
        f"{', '.join(labels[:_MAX_LABELS_SHOWN])}{rest}."
    )
