"""Shares: the numbers of a table as per cent of their column's or their row's total. Pure.

A share is worked out from two numbers of the answer as it stands, and is never kept: where one of
them is withheld there is no share, so that a share tells nothing that the two numbers do not.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from msgspec import UNSET, Struct

from indexer.terminal import round_share
from queries.answer.types import NOT_COVERED, PEOPLE_UNITS, Count, Row, Table

_PERIOD_MARK: Final = "@"

#: A whole number of per cent; None if a number is withheld; "not covered"; or "n/a" of nothing.
Share: TypeAlias = int | Literal["not covered", "n/a"] | None

NOT_APPLICABLE: Final = "n/a"


class ShareColumn(Struct, frozen=True):
    """The shares of a column of a table: of its total, or of the column ``denominator``."""

    index: int
    denominator: int | None

    def compute(self, row: Row, table: Table) -> Share:
        """The share of a row."""
        denominator = (
            table.total.counts[self.index]
            if self.denominator is None
            else row.counts[self.denominator]
        )
        return compute_share(row.counts[self.index], denominator)


def list_share_columns(table: Table) -> dict[int, ShareColumn]:
    """The columns that have shares, by the number of their column."""
    if table.share is UNSET:
        return {}
    if table.share == "column":
        return {index: ShareColumn(index, None) for index in range(len(table.columns))}
    keys = [column.key for column in table.columns]
    shares = {}
    for index, column in enumerate(table.columns):
        name, mark, period = column.key.rpartition(_PERIOD_MARK)
        name = name if mark else column.key
        denominator_key = keys[0] if name == keys[0] or not mark else f"{keys[0]}{mark}{period}"
        if column.key != keys[0] and column.unit not in PEOPLE_UNITS:
            shares[index] = ShareColumn(index, keys.index(denominator_key))
    return shares


def compute_share(number: Count, denominator: Count) -> Share:
    """A number as whole per cent of another; 0 and 100 only for none and all of it."""
    if NOT_COVERED in (number, denominator):
        return NOT_COVERED
    if not isinstance(number, int) or not isinstance(denominator, int):
        return None
    return round_share(number, denominator) if denominator else NOT_APPLICABLE


def explain_shares(table: Table) -> tuple[str, ...]:
    """What the shares of a table are; nothing if it has none."""
    if table.share is UNSET:
        return ()
    total = "the total of its column" if table.share == "column" else "the total of its row"
    return (
        f"A percentage is a number as a share of {total}, rounded to a whole number (0% is none "
        "and 100% all of it), so percentages may not add up to 100. Where one of the two numbers "
        "is not given, there is no percentage.",
    )
