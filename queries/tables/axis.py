"""The fields records can be counted by, or be held to: built in, or declared by the force.

Pure but for the tables in ``mappings/``. An *axis* is one side of a table: its rows or columns,
each with the query of its records (or victims). A *listed* axis knows its buckets beforehand, so
that none that is empty is lost; an *open* one finds them with a composite aggregation, which has no
limit. Knows nothing of requests or of tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from elasticsearch.dsl.query import Query
from msgspec import Struct

from queries.answer.types import Conditions
from queries.tables.scope import Mention

AxisLevel = Literal["record", "victim"]

BucketKind = Literal["asked", "none", "other", "unknown"]


class Bucket(Struct, frozen=True):
    """One row or column: the query of what it counts, the conditions it means, and what it is
    called.

    ``key`` names it where a label may not: "#0" the first of a list, "=North" a value, "=" none.
    """

    key: str
    label: str
    query: Query
    means: Conditions
    kind: BucketKind = "asked"
    codes: tuple[str, ...] = ()


class Axis(Struct, frozen=True):
    """One side of a table. ``buckets`` are None where it is open; then ``source`` is the composite
    source of its values, ``read`` the bucket of a value, None for records without one, and ``open``
    the bucket of a name, which raises RequestError.

    ``partition`` says that a record (or victim) is in exactly one bucket, ``exhaustive`` that it is
    in one or more. ``mentions`` are the terms it counts, if it counts terms.
    """

    heading: str
    buckets: tuple[Bucket, ...] | None
    level: AxisLevel = "record"
    partition: bool = True
    exhaustive: bool = True
    mentions: tuple[Mention, ...] = ()
    source: dict[str, Any] = {}
    bucket_for_value: Callable[[Any], Bucket] | None = None
    bucket_for_name: Callable[[str], Bucket] | None = None
    any_status: bool = False
