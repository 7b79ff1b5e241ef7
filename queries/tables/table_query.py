"""Tables of one or two axes: what to ask for, and how to read what comes back. Pure.

A table counts offences (records) or victims. Its cells are buckets inside buckets: an axis whose
values must be found stands outermost, as composite aggregations must, and an axis of victims
innermost, inside the records. Totals are asked for and never summed, for a record may be in several
rows.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Nested, Query
from msgspec import Struct

from indexer.errors import RequestError
from indexer.suggestions import suggest_name
from queries.answer.condition import WITHOUT_VICTIM, build_victim_condition
from queries.answer.types import Column, Relation, Row, Table
from queries.tables.axis import Axis, Bucket
from queries.tables.scope import all_of, none_of

TableUnit = Literal["offences", "victims"]

_PAGE_SIZE: Final = 10_000

_MAX_BUCKETS: Final = 50_000  # under the server's limit of 65,536 a response

_VICTIMS_PATH: Final = "victims"

_UNIT_LABELS: Final[dict[TableUnit, str]] = {"offences": "Offences", "victims": "Victims"}

# What is counted where records of every status are.
_ANY_STATUS_UNITS: Final[dict[TableUnit, str]] = {
    "offences": "records",
    "victims": "victims of records",
}

_TOTAL_KEY: Final = "total"

_BucketKeys = tuple[str, ...]

_AxisBuckets = list[dict[str, Bucket]]


class TableQuery(Struct, frozen=True):
    """A table of ``rows``, and of ``columns`` where there are any, that counts one ``unit``."""

    rows: Axis
    columns: Axis | None
    unit: TableUnit

    @property
    def axes(self) -> list[Axis]:
        """Its axes; one of victims, where offences are counted, is of their records."""
        sides = [self.rows, *([self.columns] if self.columns else [])]
        return [
            _convert_to_record_axis(axis) if self.unit == "offences" else axis for axis in sides
        ]

    @property
    def _total_label(self) -> str:
        return f"All {self.unit} asked about"

    def build(self) -> dict[str, aggs.Agg[Any]]:
        """The cells, and the totals that they do not tell, by a name each."""
        aggregations = {
            "cells": self._nest_aggregations(_order_by_nesting(self.axes), nested=False)
        }
        for name, axis in self._marginal_axes().items():
            aggregations[name] = self._nest_aggregations([axis], nested=False)
        if self.unit == "victims":
            aggregations["all"] = aggs.Nested(path=_VICTIMS_PATH)
        return aggregations

    def _marginal_axes(self) -> dict[str, Axis]:
        """The axes whose totals the cells do not tell: all but the outermost."""
        nesting = _order_by_nesting(self.axes)
        covered_axes = [] if all(axis.buckets is None for axis in nesting[1:]) else nesting[:1]
        return {
            f"axis_{number}": axis
            for number, axis in enumerate(self.axes)
            if len(nesting) > 1 and axis not in covered_axes
        }

    def _nest_aggregations(self, axes: list[Axis], *, nested: bool) -> aggs.Agg[Any]:
        """The buckets of the axes, one inside the other."""
        if axes[0].level == "victim" and not nested:
            return aggs.Nested(
                path=_VICTIMS_PATH, aggs={"in": self._nest_aggregations(axes, nested=True)}
            )
        opened, rest = _split_open_axes(axes)
        inside: dict[str, Any] = {}
        if self.unit == "victims" and not nested:
            inside["n"] = aggs.Nested(path=_VICTIMS_PATH)
        if rest:
            inside["in"] = self._nest_aggregations(rest, nested=nested)
        options: Any = {"aggs": inside} if inside else {}
        if not opened:
            buckets = axes[0].buckets or ()
            return aggs.Filters(filters={bucket.key: bucket.query for bucket in buckets}, **options)
        width = sum(len(axis.buckets or ()) for axis in rest) + 2
        sources: list[Any] = [{str(index): axis.source} for index, axis in enumerate(opened)]
        return aggs.Composite(
            size=min(_PAGE_SIZE, _MAX_BUCKETS // width), sources=sources, **options
        )

    def parse_response(self, response: dict[str, Any]) -> Table:
        """The table, from the aggregations' bodies and ``doc_count``, the records in scope."""
        nesting = _order_by_nesting(self.axes)
        cells, cell_buckets = _parse_bucket_counts(response["cells"], nesting)
        totals: list[dict[_BucketKeys, int]] = []
        buckets: _AxisBuckets = []
        for number, axis in enumerate(self.axes):
            if margin := response.get(f"axis_{number}"):
                counts, (axis_buckets,) = _parse_bucket_counts(margin, [axis])
            else:
                counts, axis_buckets = cells, cell_buckets[0]
            totals.append(counts)
            buckets.append(axis_buckets)
        turned = nesting != self.axes
        across = list(buckets[1].values()) if self.columns else []

        def cell(row: str, column: str) -> int:
            return cells.get((column, row) if turned else (row, column), 0)

        total_body = response["all"] if self.unit == "victims" else response
        any_status = any(axis.any_status for axis in self.axes)
        counted = _ANY_STATUS_UNITS[self.unit] if any_status else self.unit
        relations = _build_axis_relations(self.axes[0], list(buckets[0].values()), _TOTAL_KEY)
        if self.columns:
            relations += _build_axis_relations(self.axes[1], across, self.unit, across=True)
        return Table(
            heading=self.rows.heading,
            columns=(
                Column(self.unit, _UNIT_LABELS[self.unit], unit=counted),
                *(_build_column(bucket, counted) for bucket in across),
            ),
            rows=tuple(
                Row(
                    key,
                    bucket.label,
                    (totals[0].get((key,), 0), *(cell(key, column.key) for column in across)),
                    kind=bucket.kind,
                    codes=bucket.codes,
                    means=bucket.means,
                )
                for key, bucket in buckets[0].items()
            ),
            total=Row(
                _TOTAL_KEY,
                self._total_label,
                (total_body["doc_count"], *(totals[1].get((column.key,), 0) for column in across)),
                kind="total",
            ),
            across=self.columns.heading if self.columns else "",
            relations=relations,
        )

    def record_query(self, row: str, column: str | None) -> Query:
        """The records behind a row, or a cell, named by key or label. Raises RequestError."""
        is_total = row.casefold() in (_TOTAL_KEY, self._total_label.casefold())
        selections = [] if is_total else [(self.axes[0], row)]
        if column and column.casefold() != self.unit:
            if self.columns is None:
                raise RequestError(
                    f'there is no column "{column[:60]}". Columns are named as the answer has them.'
                )
            selections.append((self.axes[1], column.removeprefix(_COLUMN_PREFIX)))
        queries: dict[str, list[Query]] = {"record": [], "victim": []}
        for axis, name in selections:
            queries[axis.level].append(_find_bucket(axis, name).query)
        if self.unit == "victims":
            victim_query = all_of(queries["victim"]) if queries["victim"] else MatchAll()
            queries["record"].append(Nested(path=_VICTIMS_PATH, query=victim_query))
        return all_of(queries["record"]) if queries["record"] else MatchAll()


_COLUMN_PREFIX: Final = "in_"


def _build_column(bucket: Bucket, unit: str) -> Column:
    codes = ", ".join(bucket.codes)
    return Column(
        make_column_key(bucket.key),
        codes or bucket.label,
        bucket.label if codes else "",
        unit,
        bucket.means,
    )


def make_column_key(bucket: str) -> str:
    """The key of the column of a bucket."""
    return f"{_COLUMN_PREFIX}{bucket}"


def _build_axis_relations(
    axis: Axis, buckets: list[Bucket], total_key: str, *, across: bool = False
) -> tuple[Relation, ...]:
    """What is certain of the buckets of an axis, as rows or as columns, and of their total."""
    result_keys = {
        bucket.key: make_column_key(bucket.key) if across else bucket.key for bucket in buckets
    }
    over: Literal["rows", "columns"] = "columns" if across else "rows"
    all_keys = tuple(result_keys.values())
    if axis.partition:
        return (Relation("sum", total_key, all_keys, over),)
    if not axis.exhaustive:
        return tuple(Relation("at_most", total_key, (key,), over) for key in all_keys)
    # A record in none of these, or without a value, is in no other bucket.
    for kind in ("none", "unknown"):
        if residual_keys := [result_keys[bucket.key] for bucket in buckets if bucket.kind == kind]:
            rest = tuple(key for key in all_keys if key not in residual_keys)
            return (
                *(Relation("at_most", total_key, (key, *residual_keys), over) for key in rest),
                Relation("at_least", total_key, all_keys, over),
            )
    return (Relation("union", total_key, all_keys, over),)


def _order_by_nesting(axes: list[Axis]) -> list[Axis]:
    """The axes from the outermost to the innermost."""
    return sorted(axes, key=lambda axis: (axis.level == "victim", axis.buckets is not None))


def _split_open_axes(axes: list[Axis]) -> tuple[list[Axis], list[Axis]]:
    """The open axes, which one composite aggregation finds, or none; and what stands inside."""
    opened = [axis for axis in axes if axis.buckets is None]
    return opened, [axis for axis in axes if axis.buckets is not None][0 if opened else 1 :]


def _convert_to_record_axis(axis: Axis) -> Axis:
    """An axis of victims as one of their records, which may be in several of its buckets."""
    if axis.level == "record":
        return axis
    buckets = [
        msgspec.structs.replace(
            bucket,
            query=Nested(path=_VICTIMS_PATH, query=bucket.query),
            means=tuple(map(build_victim_condition, bucket.means)),
        )
        for bucket in axis.buckets or ()
    ]
    without = none_of([Nested(path=_VICTIMS_PATH, query=MatchAll())])
    lacking = (WITHOUT_VICTIM,)
    buckets.append(Bucket("none", "No victim recorded", without, lacking, "none"))
    return msgspec.structs.replace(axis, level="record", partition=False, buckets=tuple(buckets))


def _parse_bucket_counts(
    aggregation: dict[str, Any], axes: list[Axis]
) -> tuple[dict[_BucketKeys, int], _AxisBuckets]:
    """The count of every bucket by its keys, from the outermost; and the buckets of each axis."""
    if "buckets" not in aggregation:
        aggregation = aggregation["in"]  # of the victims
    opened, rest = _split_open_axes(axes)
    counts: dict[_BucketKeys, int] = {}
    axis_buckets: _AxisBuckets = [
        {bucket.key: bucket for bucket in axis.buckets or ()} for axis in axes
    ]
    bodies = aggregation["buckets"] if opened else aggregation["buckets"].items()
    for entry in bodies:
        name, body = ("", entry) if opened else entry
        heads = [_read_bucket(axis, body["key"][str(index)]) for index, axis in enumerate(opened)]
        keys: _BucketKeys = tuple(head.key for head in heads) or (name,)
        for index, head in enumerate(heads):
            axis_buckets[index].setdefault(head.key, head)
        counts[keys] = counts.get(keys, 0) + body.get("n", body)["doc_count"]
        if rest:
            deeper, _ = _parse_bucket_counts(body["in"], rest)
            for inner, count in deeper.items():
                counts[keys + inner] = counts.get(keys + inner, 0) + count
    return counts, [
        dict(sorted(buckets.items(), key=_natural_key)) if axis.buckets is None else buckets
        for buckets, axis in zip(axis_buckets, axes, strict=True)
    ]


def _read_bucket(axis: Axis, value: Any) -> Bucket:
    assert axis.bucket_for_value
    return axis.bucket_for_value(value)


def _natural_key(item: tuple[str, Bucket]) -> tuple[bool, list[tuple[bool, int, str]]]:
    """Numbers in a key by their value, and what is unknown last."""
    key, bucket = item
    parts = re.findall(r"\d+|\D+", key)
    return bucket.kind != "asked", [
        (part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts
    ]


def _find_bucket(axis: Axis, name: str) -> Bucket:
    """The bucket of a key or a label. Raises RequestError, with the nearest."""
    if axis.buckets is None:
        assert axis.bucket_for_name
        return axis.bucket_for_name(name)
    folded_name = name.casefold()
    for bucket in axis.buckets:
        if name == bucket.key:
            return bucket
    for bucket in axis.buckets:
        codes = ", ".join(bucket.codes)
        spellings = (
            bucket.key,
            bucket.label,
            codes,
            f"{bucket.label} ({codes})",
        )  # as documents print it
        if folded_name in map(str.casefold, spellings):
            return bucket
    terms = [mention for mention in axis.mentions if mention.term.written.casefold() == folded_name]
    for bucket in axis.buckets:
        if len(terms) == 1 and bucket.label == terms[0].label:  # by its wording alone
            return bucket
    labels = {bucket.label.casefold(): bucket.label for bucket in axis.buckets}
    listed = ", ".join(list(labels.values())[:30])
    raise RequestError(
        f'there is no row or column "{name[:60]}".{suggest_name(name, labels.values())} There '
        f"are {listed}."
    )
