"""Reads rows as what they stand for, and refuses those that foidex did not write.

SQLite keeps whatever it is given in any column, and a store may have been edited, or put together
from a damaged one: such a row must be one message, never a number that is smaller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.sql import Select

from indexer.errors import ReviewError

_Kind = TypeVar("_Kind", bound=Struct)

_WORD_START: Final = re.compile(r"(?<!^)(?=[A-Z])")


def read_rows(
    connection: Connection, query: Select[Any], parameters: Mapping[str, Any], kind: type[_Kind]
) -> list[_Kind]:
    """The rows of a query, whose columns are the fields of ``kind``. Raises ReviewError."""
    try:
        return [convert_row(row, kind) for row in connection.execute(query, parameters)]
    except (TypeError, ValueError):  # what a driver makes of a column of another type
        raise make_damage_error(_name_kind(kind)) from None


def convert_row(row: object, kind: type[_Kind]) -> _Kind:
    """A row, or a mapping of its columns, as a Struct that has them as fields.

    Raises ReviewError.
    """
    try:
        return msgspec.convert(row, kind, from_attributes=True)
    except msgspec.ValidationError:
        raise make_damage_error(_name_kind(kind)) from None


def _name_kind(kind: type[Struct]) -> str:
    """The name of a type in words: "drawn record"."""
    return _WORD_START.sub(" ", kind.__name__).lower()


def make_damage_error(what: str) -> ReviewError:
    """That something of a review is not as foidex writes it, without anything that it says."""
    return ReviewError(
        f"the store of reviews is damaged: something in it ({what}) is incomplete, or foidex did "
        "not write it. Bring it back from a copy."
    )
