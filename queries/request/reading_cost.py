"""What reading records costs, and whether that is within a limit. Pure."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct


class CostPart(Struct, frozen=True):
    """The records to read, how many hours that takes, and whether it is within the limit."""

    label: str
    records: int
    hours: float
    fits: bool


class ReadingCost(Struct, frozen=True):
    """The minutes that one record takes to read, and the limit in hours."""

    minutes: Fraction
    limit: int

    @property
    def max_records(self) -> int:
        """The most records that can be read within the limit."""
        return int(self.limit * 60 / self.minutes)

    def part(self, label: str, records: int) -> CostPart:
        """A number of records with its cost."""
        hours = records * self.minutes / 60
        return CostPart(label, records, round(float(hours), 2), hours <= self.limit)
