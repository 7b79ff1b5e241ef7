"""One side of a table: an axis of buckets, each with the query of the records or victims it counts.

A *listed* axis knows its buckets beforehand, so that empty ones are kept; an *open* axis finds them
with a composite aggregation, which has no limit. Pure; knows nothing of requests or of tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Literal

from elasticsearch.dsl.query import Query
from msgspec import Struct

from queries.answer.condition import Condition
from queries.tables.scope import Mention

AxisLevel = Literal["record", "victim", "suspect"]

BucketKind = Literal["asked", "none", "other", "unknown"]

#: The key of the bucket of records, or victims, without a value.
UNKNOWN_KEY: Final = "unknown"

#: The heading of rows or columns by the words that records mention.
WORDS_HEADING: Final = "Keyword"

_REQUIRED_WORDS: Final = re.compile(r" \((with \".+)\)$")


class Bucket(Struct, frozen=True):
    """One row or column: the query of what it counts, its conditions, and its label.

    ``key`` identifies it where a label could not: "#0" is the first of a list, "=North" a value,
    "=" no value.
    """

    key: str
    label: str
    query: Query
    means: tuple[Condition, ...]
    kind: BucketKind = "asked"
    codes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What it may be called: its key, its label, its codes, or both as documents print them."""
        codes = ", ".join(self.codes)
        labels = dict.fromkeys((self.label, drop_brackets(self.label)))
        return (self.key, *labels, *((codes, f"{self.label} ({codes})") if codes else ()))

    def is_called(self, name: str) -> bool:
        """Whether a name is one of its own, whatever its capitals."""
        return name.casefold() in map(str.casefold, self.names)


def drop_brackets(label: str) -> str:
    """The label of a term as documents print it: 'Hinge (with "app")' without the brackets."""
    return _REQUIRED_WORDS.sub(r" \1", label)


class Axis(Struct, frozen=True):
    """One side of a table.

    An open axis has no ``buckets``. Its ``source`` is the composite source of its values,
    ``bucket_for_value`` gives the bucket of a value (None: no value), and ``bucket_for_name`` the
    bucket that a user names, or raises RequestError.

    ``partition`` is true if every record (or victim) is in exactly one bucket, ``exhaustive`` if
    every one is in at least one. ``mentions`` are the terms that are counted, if any;
    ``any_status`` is true if records of every status are counted. ``note`` is what a reader must
    know of its buckets, whatever the numbers are.
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
    note: str = ""
