"""The days on which an offence code may be used, as far as they are known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, Literal, NamedTuple, get_args

#: How far a day is known: read in a source, our reading of one, or not known. An open end is that
#: of a code which is still used in the newest list.
DayStatus = Literal["seen", "inferred", "unknown", "open", ""]

DAY_STATUSES: Final = frozenset(get_args(DayStatus))


class Validity(NamedTuple):
    """The first and last day of a code, and how far each is known. A day that is None sets no
    limit: the code is older than the lists, still used, or the day is not known."""

    start: date | None = None
    start_status: DayStatus = ""
    end: date | None = None
    end_status: DayStatus = ""

    def holds(self, day: date) -> bool:
        """Whether the code may be used on a day, as far as known."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    @property
    def is_limited(self) -> bool:
        """Whether a first or a last day is known."""
        return self.start is not None or self.end is not None

    @property
    def words(self) -> str:
        """The days in words: "from 1 April 2019 (seen)"; empty if no limit is known."""
        parts = []
        if self.start:
            parts.append(f"from {_write_day(self.start)}{_write_status(self.start_status)}")
        if self.end:
            parts.append(f"to {_write_day(self.end)}{_write_status(self.end_status)}")
        elif self.end_status == "unknown":
            parts.append("ended on a day that is not known")
        return ", ".join(parts)


UNLIMITED: Final = Validity()


def join_validities(validities: Iterable[Validity]) -> Validity:
    """The whole life of a code: from the earliest first day to the latest last one."""
    rows = list(validities)
    first = min(rows, key=lambda row: row.start or date.min)
    last = max(rows, key=lambda row: row.end or date.max)
    return Validity(first.start, first.start_status, last.end, last.end_status)


def _write_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _write_status(status: DayStatus) -> str:
    return f" ({status})" if status in ("seen", "inferred") else ""
