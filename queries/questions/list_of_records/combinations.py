"""A table with a row for each combination of the values of several fields that occurs. Pure.

Records that agree in every field are one row, with their number: a list of records loses nothing by
it, and each row is a population like the cell of any other table.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any, Final, Literal

from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Query, Term

from indexer.errors import RequestError
from queries.answer.condition import NamedCondition, format_conditions
from queries.answer.types import Relation, Row, Table
from queries.layout.prose import join_list
from queries.tables.axis_type import Axis, Bucket
from queries.tables.table_query import (
    TOTAL_KEY,
    BucketKeys,
    TableQuery,
    find_bucket,
    order_by_nesting,
    parse_bucket_counts,
)

#: Between the keys of a row's buckets.
_KEY_SEPARATOR: Final = " | "

#: Between the values of a row, in its label.
_VALUE_SEPARATOR: Final = "; "


class CombinationQuery(TableQuery, frozen=True, dict=True, kw_only=True):
    """The combinations of the buckets of ``fields``, each of which is a partition.

    ``references`` also asks for the reference of each record. ``rows`` is an axis of no buckets,
    which only names the rows.
    """

    fields: tuple[Axis, ...]
    references: bool = False

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The fields."""
        return self.fields

    @property
    def open_axes(self) -> tuple[Literal["rows", "columns"], ...]:
        """The rows: only combinations that occur are listed."""
        return ("rows",)

    @property
    def _nesting(self) -> tuple[Axis, ...]:
        reference_axes = (_build_reference_axis(),) if self.references else ()
        return order_by_nesting((*reference_axes, *self.fields))

    def build(self) -> dict[str, aggs.Agg[Any]]:
        """The aggregations of the combinations, and of the total."""
        self.require_cells_that_fit()
        aggregations = {"cells": self.nest_aggregations(self._nesting, nested=False)}
        if self.counts_people:
            aggregations["all"] = aggs.Nested(path=self.unit)
        return aggregations

    def parse_response(self, response: dict[str, Any]) -> Table:
        """The table, from the aggregations' bodies and ``doc_count``, the records in scope."""
        nesting = self._nesting
        counts, buckets = parse_bucket_counts(response["cells"], nesting)
        positions = {id(axis): position for position, axis in enumerate(nesting)}
        field_positions = [positions.pop(id(axis)) for axis in self.fields]
        reference_positions = list(positions.values())
        combined: dict[BucketKeys, int] = {}
        references: dict[BucketKeys, list[str]] = {}
        for keys, count in counts.items():
            if len(keys) < len(nesting) or not count:
                continue
            own_keys = tuple(keys[position] for position in field_positions)
            combined[own_keys] = combined.get(own_keys, 0) + count
            references.setdefault(own_keys, []).extend(
                keys[position] for position in reference_positions
            )
        ranks = [
            {key: rank for rank, key in enumerate(buckets[position])}
            for position in field_positions
        ]

        def rank_row(own_keys: BucketKeys) -> list[int]:
            return [ranked[key] for ranked, key in zip(ranks, own_keys, strict=True)]

        rows = [
            self._make_row(
                [
                    buckets[position][key]
                    for position, key in zip(field_positions, own_keys, strict=True)
                ],
                combined[own_keys],
                tuple(sorted(references[own_keys])),
            )
            for own_keys in sorted(combined, key=rank_row)
        ]
        total_body = response["all"] if self.counts_people else response
        keys_of_rows = tuple(row.key for row in rows)
        return Table(
            heading=self.rows.heading,
            columns=(self.unit_column,),
            rows=tuple(rows),
            total=Row(TOTAL_KEY, self.total_label, (total_body["doc_count"],), kind="total"),
            relations=(Relation("sum", TOTAL_KEY, keys_of_rows),) if rows else (),
            written_fields=tuple(axis.heading for axis in self.fields),
        )

    def _make_row(self, buckets: list[Bucket], count: int, references: tuple[str, ...]) -> Row:
        values = tuple(map(_print_bucket, buckets))
        return Row(
            key=_KEY_SEPARATOR.join(_escape_key(bucket.key) for bucket in buckets),
            label=_VALUE_SEPARATOR.join(values),
            counts=(count,),
            kind="combination",
            means=format_conditions(condition for bucket in buckets for condition in bucket.means),
            values=values,
            references=references,
        )

    def split_row_key(self, key: str) -> tuple[str, ...]:
        """The key of the bucket of each field."""
        return tuple(map(_unescape_key, key.split(_KEY_SEPARATOR)))

    def find_row_buckets(self, row: str) -> list[tuple[Axis, Bucket]]:
        """The bucket of each field, of a row that is named by its key or its label.

        Raises RequestError if there is none of the name.
        """
        for parts in self._split_name(row):
            try:
                return [
                    (axis, find_bucket(axis, part))
                    for axis, part in zip(self.fields, parts, strict=True)
                ]
            except RequestError:
                continue
        headings = join_list([axis.heading.lower() for axis in self.fields])
        raise RequestError(
            f'there is no row "{row[:60]}". A row of this list is named by its {headings}, with '
            f'"{_VALUE_SEPARATOR.strip()}" between them, as the answer prints it.'
        )

    def _split_name(self, row: str) -> Iterator[tuple[str, ...]]:
        """The ways to read a name as one value for each field; a value may hold a separator."""
        keys = self.split_row_key(row)
        if len(keys) == len(self.fields):
            yield keys
        parts = row.split(_VALUE_SEPARATOR)
        for cuts in combinations(range(1, len(parts)), len(self.fields) - 1):
            edges = (0, *cuts, len(parts))
            yield tuple(_VALUE_SEPARATOR.join(parts[start:end]) for start, end in pairwise(edges))


def _build_reference_axis() -> Axis:
    def bucket_for_value(reference: str) -> Bucket:
        query: Query = Term(crime_ref=reference)
        return Bucket(reference, reference, query, (NamedCondition("reference"),))

    return Axis(
        "Reference",
        None,
        source={"terms": {"field": "crime_ref"}},
        bucket_for_value=bucket_for_value,
    )


def _print_bucket(bucket: Bucket) -> str:
    """A value as a list prints it: "Meeting a child following sexual grooming (88/1)"."""
    codes = ", ".join(bucket.codes)
    return f"{bucket.label} ({codes})" if codes and codes != bucket.label else bucket.label


def _escape_key(key: str) -> str:
    return key.replace("%", "%25").replace("|", "%7C")


def _unescape_key(key: str) -> str:
    return key.replace("%7C", "|").replace("%25", "%")
