"""A period: days on which records were recorded, as a filter, a condition and a label."""

from __future__ import annotations

from datetime import date

from elasticsearch.dsl.query import MatchAll, Query, Range
from msgspec import Struct

from queries.answer.condition import Condition, build_period_condition


class Period(Struct, frozen=True):
    """Days of ``recorded_on``, first and last included; None leaves that end open.

    ``name`` is the label the request gives it, if any.
    """

    start: date | None = None
    end: date | None = None
    name: str = ""

    @property
    def words(self) -> str:
        """The period in words."""
        match (self.start, self.end):
            case (None, None):
                return "at any time"
            case (None, date() as end):
                return f"up to {format_long_date(end)}"
            case (date() as start, None):
                return f"from {format_long_date(start)}"
            case _:
                assert self.start
                assert self.end
                return f"from {format_long_date(self.start)} to {format_long_date(self.end)}"

    @property
    def label(self) -> str:
        """Its name, or else its days in words."""
        return self.name or self.words

    @property
    def phrase(self) -> str:
        """The period after "recorded": "in 2017/18", or its days with its name."""
        if not self.name or self.name == self.words:
            return self.words
        return f"in {self.name}" if self._is_named_year else f'{self.words} ("{self.name}")'

    @property
    def _is_named_year(self) -> bool:
        """Whether its name is that of a year, and its days are those of that year."""
        start, end = self.start, self.end
        if not start or not end:
            return False
        if self.name == f"{start.year}":
            return (start, end) == (date(start.year, 1, 1), date(start.year, 12, 31))
        following = start.year + 1
        return self.name == f"{start.year}/{following % 100:02}" and (start, end) == (
            date(start.year, 4, 1),
            date(following, 3, 31),
        )

    @property
    def condition(self) -> Condition:
        """The condition of its records."""
        return build_period_condition((self.start, self.end))

    def query(self) -> Query:
        """The records of the period."""
        limits = {"gte": self.start, "lte": self.end}
        days = {name: day.isoformat() for name, day in limits.items() if day}
        return Range(recorded_on=days) if days else MatchAll()

    def contains(self, other_period: Period) -> bool:
        """Whether every day of the other period is in this one."""
        return (self.start or date.min) <= (other_period.start or date.min) and (
            other_period.end or date.max
        ) <= (self.end or date.max)

    def overlaps(self, other_period: Period) -> bool:
        """Whether the two have a day in common."""
        return (self.start or date.min) <= (other_period.end or date.max) and (
            other_period.start or date.min
        ) <= (self.end or date.max)


def format_long_date(day: date) -> str:
    """A day as a letter writes it: 1 April 2017."""
    return f"{day.day} {day:%B %Y}"
