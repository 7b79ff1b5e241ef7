"""Tables of one or two axes: what to ask for, and how to read what comes back. Pure.

A table counts offences (records) or victims. Its cells are buckets inside buckets: an axis whose
values must be found stands outermost, as composite aggregations must, and an axis of victims
innermost, inside the records. Totals are asked for and never summed, for a record may be in several
rows.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, Final, Literal

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Nested, Query
from msgspec import Struct

from indexer.errors import RequestError
from queries import conditions
from queries.answer import Column, Relation, Row, Table
from queries.fields import Axis, Bucket
from queries.scope import all_of, none_of

Unit = Literal["offences", "victims"]

_PAGE: Final = 10_000
_BUCKETS: Final = 50_000  # under the server's limit of 65,536 a response
_VICTIMS: Final = "victims"
_LABELS: Final[dict[Unit, str]] = {"offences": "Offences", "victims": "Victims"}
# What is counted where records of every status are.
_ANY_STATUS: Final[dict[Unit, str]] = {"offences": "records", "victims": "victims of records"}
_TOTAL: Final = "total"

_Keys = tuple[str, ...]
_Seen = list[dict[str, Bucket]]


class Grid(Struct, frozen=True):
    """A table of ``rows``, and of ``columns`` where there are any, that counts one ``unit``."""

    rows: Axis
    columns: Axis | None
    unit: Unit

    @property
    def axes(self) -> list[Axis]:
        """Its axes; one of victims, where offences are counted, is of their records."""
        given = [self.rows, *([self.columns] if self.columns else [])]
        return [_of_records(axis) if self.unit == "offences" else axis for axis in given]

    @property
    def _whole(self) -> str:
        return f"All {self.unit} asked about"

    def build(self) -> dict[str, aggs.Agg[Any]]:
        """The cells, and the totals that they do not tell, by a name each."""
        found = {"cells": self._tree(_nesting(self.axes), nested=False)}
        for name, axis in self._apart().items():
            found[name] = self._tree([axis], nested=False)
        if self.unit == "victims":
            found["all"] = aggs.Nested(path=_VICTIMS)
        return found

    def _apart(self) -> dict[str, Axis]:
        """The axes whose totals the cells do not tell: all but the outermost."""
        nesting = _nesting(self.axes)
        told = [] if all(axis.buckets is None for axis in nesting[1:]) else nesting[:1]
        return {
            f"axis_{number}": axis
            for number, axis in enumerate(self.axes)
            if len(nesting) > 1 and axis not in told
        }

    def _tree(self, axes: list[Axis], *, nested: bool) -> aggs.Agg[Any]:
        """The buckets of the axes, one inside the other."""
        if axes[0].level == "victim" and not nested:
            return aggs.Nested(path=_VICTIMS, aggs={"in": self._tree(axes, nested=True)})
        opened, rest = _split(axes)
        inside: dict[str, Any] = {}
        if self.unit == "victims" and not nested:
            inside["n"] = aggs.Nested(path=_VICTIMS)
        if rest:
            inside["in"] = self._tree(rest, nested=nested)
        options: Any = {"aggs": inside} if inside else {}
        if not opened:
            buckets = axes[0].buckets or ()
            return aggs.Filters(filters={one.key: one.query for one in buckets}, **options)
        width = sum(len(axis.buckets or ()) for axis in rest) + 2
        sources: list[Any] = [{str(place): axis.source} for place, axis in enumerate(opened)]
        return aggs.Composite(size=min(_PAGE, _BUCKETS // width), sources=sources, **options)

    def read(self, found: dict[str, Any]) -> Table:
        """The table, from the aggregations' bodies and ``doc_count``, the records in scope."""
        nesting = _nesting(self.axes)
        cells, seen = _counts(found["cells"], nesting)
        totals: list[dict[_Keys, int]] = []
        buckets: _Seen = []
        for number, axis in enumerate(self.axes):
            if apart := found.get(f"axis_{number}"):
                counts, (only,) = _counts(apart, [axis])
            else:
                counts, only = cells, seen[0]
            totals.append(counts)
            buckets.append(only)
        turned = nesting != self.axes
        across = list(buckets[1].values()) if self.columns else []

        def cell(row: str, column: str) -> int:
            return cells.get((column, row) if turned else (row, column), 0)

        whole = found["all"] if self.unit == "victims" else found
        every = any(axis.every_status for axis in self.axes)
        counted = _ANY_STATUS[self.unit] if every else self.unit
        relations = _relations(self.axes[0], list(buckets[0].values()), _TOTAL)
        if self.columns:
            relations += _relations(self.axes[1], across, self.unit, across=True)
        return Table(
            heading=self.rows.heading,
            columns=(
                Column(self.unit, _LABELS[self.unit], unit=counted),
                *(_column(one, counted) for one in across),
            ),
            rows=tuple(
                Row(
                    key,
                    one.label,
                    (totals[0].get((key,), 0), *(cell(key, other.key) for other in across)),
                    kind=one.kind,
                    codes=one.codes,
                    means=one.means,
                )
                for key, one in buckets[0].items()
            ),
            total=Row(
                _TOTAL,
                self._whole,
                (whole["doc_count"], *(totals[1].get((one.key,), 0) for one in across)),
                kind="total",
            ),
            across=self.columns.heading if self.columns else "",
            relations=relations,
        )

    def where(self, row: str, column: str | None) -> Query:
        """The records behind a row, or a cell, named by key or label. Raises RequestError."""
        whole = row.casefold() in (_TOTAL, self._whole.casefold())
        named = [] if whole else [(self.axes[0], row)]
        if column and column.casefold() != self.unit:
            if self.columns is None:
                raise RequestError(
                    f'there is no column "{column[:60]}". Columns are named as the answer has them.'
                )
            named.append((self.axes[1], column.removeprefix(_COLUMN)))
        queries: dict[str, list[Query]] = {"record": [], "victim": []}
        for axis, name in named:
            queries[axis.level].append(_named(axis, name).query)
        if self.unit == "victims":
            of_one = all_of(queries["victim"]) if queries["victim"] else MatchAll()
            queries["record"].append(Nested(path=_VICTIMS, query=of_one))
        return all_of(queries["record"]) if queries["record"] else MatchAll()


_COLUMN: Final = "in_"


def _column(bucket: Bucket, unit: str) -> Column:
    codes = ", ".join(bucket.codes)
    return Column(
        column_key(bucket.key),
        codes or bucket.label,
        bucket.label if codes else "",
        unit,
        bucket.means,
    )


def column_key(bucket: str) -> str:
    """The key of the column of a bucket."""
    return f"{_COLUMN}{bucket}"


def _relations(
    axis: Axis, buckets: list[Bucket], whole: str, *, across: bool = False
) -> tuple[Relation, ...]:
    """What is certain of the buckets of an axis, as rows or as columns, and of their total."""
    named = {one.key: column_key(one.key) if across else one.key for one in buckets}
    over: Literal["rows", "columns"] = "columns" if across else "rows"
    every = tuple(named.values())
    if axis.partition:
        return (Relation("sum", whole, every, over),)
    if not axis.exhaustive:
        return tuple(Relation("at_most", whole, (key,), over) for key in every)
    # A record in none of these, or without a value, is in no other bucket.
    for kind in ("none", "unknown"):
        if alone := [named[one.key] for one in buckets if one.kind == kind]:
            rest = tuple(key for key in every if key not in alone)
            return (
                *(Relation("at_most", whole, (key, *alone), over) for key in rest),
                Relation("at_least", whole, every, over),
            )
    return (Relation("union", whole, every, over),)


def _nesting(axes: list[Axis]) -> list[Axis]:
    """The axes from the outermost to the innermost."""
    return sorted(axes, key=lambda axis: (axis.level == "victim", axis.buckets is not None))


def _split(axes: list[Axis]) -> tuple[list[Axis], list[Axis]]:
    """The open axes, which one composite aggregation finds, or none; and what stands inside."""
    opened = [axis for axis in axes if axis.buckets is None]
    return opened, [axis for axis in axes if axis.buckets is not None][0 if opened else 1 :]


def _of_records(axis: Axis) -> Axis:
    """An axis of victims as one of their records, which may be in several of its buckets."""
    if axis.level == "record":
        return axis
    buckets = [
        msgspec.structs.replace(
            one,
            query=Nested(path=_VICTIMS, query=one.query),
            means=tuple(map(conditions.of_victim, one.means)),
        )
        for one in axis.buckets or ()
    ]
    without = none_of([Nested(path=_VICTIMS, query=MatchAll())])
    lacking = (conditions.WITHOUT_VICTIM,)
    buckets.append(Bucket("none", "No victim recorded", without, lacking, "none"))
    return msgspec.structs.replace(axis, level="record", partition=False, buckets=tuple(buckets))


def _counts(found: dict[str, Any], axes: list[Axis]) -> tuple[dict[_Keys, int], _Seen]:
    """The count of every bucket by its keys, from the outermost; and the buckets of each axis."""
    if "buckets" not in found:
        found = found["in"]  # of the victims
    opened, rest = _split(axes)
    counts: dict[_Keys, int] = {}
    seen: _Seen = [{one.key: one for one in axis.buckets or ()} for axis in axes]
    bodies = found["buckets"] if opened else found["buckets"].items()
    for each in bodies:
        name, body = ("", each) if opened else each
        heads = [_read(axis, body["key"][str(place)]) for place, axis in enumerate(opened)]
        keys: _Keys = tuple(head.key for head in heads) or (name,)
        for place, head in enumerate(heads):
            seen[place].setdefault(head.key, head)
        counts[keys] = counts.get(keys, 0) + body.get("n", body)["doc_count"]
        if rest:
            deeper, _ = _counts(body["in"], rest)
            for inner, count in deeper.items():
                counts[keys + inner] = counts.get(keys + inner, 0) + count
    return counts, [
        dict(sorted(one.items(), key=_order)) if axis.buckets is None else one
        for one, axis in zip(seen, axes, strict=True)
    ]


def _read(axis: Axis, value: Any) -> Bucket:
    assert axis.read
    return axis.read(value)


def _order(item: tuple[str, Bucket]) -> tuple[bool, list[tuple[bool, int, str]]]:
    """Numbers in a key by their value, and what is unknown last."""
    key, bucket = item
    parts = re.findall(r"\d+|\D+", key)
    return bucket.kind != "asked", [
        (part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts
    ]


def _named(axis: Axis, name: str) -> Bucket:
    """The bucket of a key or a label. Raises RequestError, with the nearest."""
    if axis.buckets is None:
        assert axis.open
        return axis.open(name)
    wanted = name.casefold()
    for one in axis.buckets:
        if name == one.key:
            return one
    for one in axis.buckets:
        codes = ", ".join(one.codes)
        ways = (one.key, one.label, codes, f"{one.label} ({codes})")  # as documents print it
        if wanted in map(str.casefold, ways):
            return one
    terms = [one for one in axis.mentions if one.term.written.casefold() == wanted]
    for one in axis.buckets:
        if len(terms) == 1 and one.label == terms[0].label:  # by its wording alone
            return one
    labels = {one.label.casefold(): one.label for one in axis.buckets}
    near = difflib.get_close_matches(wanted, labels, n=1, cutoff=0)
    listed = ", ".join(list(labels.values())[:30])
    raise RequestError(
        f'there is no row or column "{name[:60]}". Did you mean "{labels[near[0]]}"? There '
        f"are {listed}."
    )
