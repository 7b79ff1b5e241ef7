"""The contract of a record: its built-in fields and the categories that a force declares.

docs/records-and-sources.md describes it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from indexer.records.categories import Categories, build_field_type, describe_category_value
from indexer.records.model import CrimeRecord, Deletion, RecordError

#: Later than the days that programs write for none: 1899-12-30, 1900-01-01, 0001-01-01.
DEFAULT_EARLIEST_DAY: Final = date(1950, 1, 1)

# The day of the source may already be the next one, and its clock may be ahead.
_CLOCK_TOLERANCE: Final = timedelta(days=1)

#: No place has so much, and the server takes no more.
_MAX_OFFSET: Final = timedelta(hours=18)

_REFERENCE: Final = (
    "a reference of 1 to 100 printable characters, without spaces around it and not an error "
    "such as #N/A"
)

_CODE: Final = "an offence code of 1 to 40 printable characters, without spaces around it"

_EXPECTED_VALUES: Final = {
    "crime_ref": f"{_REFERENCE}, in quotes",
    "recorded_on": "a date (expected YYYY-MM-DD)",
    "offence_code": f"{_CODE}, in quotes",
    "narrative": "text, or a list of texts",
    "status": "recorded, cancelled, transferred or deleted",
    "outcome": "an outcome type, a whole number from 1 to 22, or null",
    "victims": "a list of victims",
    "suspects": "a list of suspects",
    "linked": "a list of linked offences",
    "updated_at": "a date and time with a time zone (expected YYYY-MM-DDTHH:MM:SSZ)",
    "victim_ref": f"{_REFERENCE}, in quotes, or null",
    "suspect_ref": f"{_REFERENCE}, in quotes, or null",
    "age": "whole years from 0 to 120, or null",
    "sex": "F, M, X, U or null",
}

#: The same of a cell of a table, which knows nothing of quotes and of null.
_EXPECTED_CELLS: Final = {
    "crime_ref": _REFERENCE,
    "offence_code": _CODE,
    "outcome": "an outcome type, a whole number from 1 to 22, or empty",
    "victim_ref": f"{_REFERENCE}, or empty",
    "suspect_ref": f"{_REFERENCE}, or empty",
    "age": "whole years from 0 to 120, or empty",
    "sex": "F, M, X, U or empty",
}


class DayLimits(Struct, frozen=True):
    """The days that a record may name: from ``earliest`` to the day after ``current_time``."""

    current_time: datetime
    earliest: date = DEFAULT_EARLIEST_DAY

    @property
    def latest(self) -> date:
        """The last day that a record may have been recorded on: tomorrow, in UTC."""
        return self.latest_time.date()

    @property
    def earliest_time(self) -> datetime:
        """The first moment at which a record may have changed."""
        return datetime.combine(self.earliest, time(), UTC)

    @property
    def latest_time(self) -> datetime:
        """The last moment at which a record may have changed, in UTC."""
        return self.current_time.astimezone(UTC) + _CLOCK_TOLERANCE


class RecordContract:
    """What a record may hold: the built-in fields, and the categories a force declares.

    ``expected`` says what the value of each field must be, for messages, and ``expected_cells``
    what a cell of a table must be; ``names`` are the names of all fields, including those of people
    and links. Without ``days`` a record may name any day.
    """

    def __init__(self, declared: Categories | None = None, days: DayLimits | None = None) -> None:
        self.categories: Categories = declared or {}
        self._days = days
        if days is not None:
            self._recorded_on = (days.earliest, days.latest)
            self._updated_at = (days.earliest_time, days.latest_time)
        self.type: type[CrimeRecord] = CrimeRecord
        if self.categories:
            self.type = msgspec.defstruct(  # type: ignore[assignment]
                "CrimeRecord",
                [
                    (name, build_field_type(category), msgspec.field(default_factory=list))
                    if category.many
                    else (name, build_field_type(category), None)
                    for name, category in self.categories.items()
                ],
                bases=(CrimeRecord,),
                forbid_unknown_fields=True,
            )
        self.decode = msgspec.json.Decoder(self.type).decode
        self.expected = _EXPECTED_VALUES | {
            name: describe_category_value(category) for name, category in self.categories.items()
        }
        self.expected_cells = (
            self.expected
            | _EXPECTED_CELLS
            | {
                name: describe_category_value(category, nothing="empty")
                for name, category in self.categories.items()
            }
        )
        self.fields: tuple[str, ...] = self.type.__struct_fields__
        self.names = tuple(dict.fromkeys((*self.fields, *_EXPECTED_VALUES)))

    def __reduce__(self) -> tuple[type[RecordContract], tuple[Categories, DayLimits | None]]:
        """For a process of its own: a type that was made for it cannot be sent there."""
        return RecordContract, (self.categories, self._days)

    def check_days(self, record: CrimeRecord | Deletion) -> None:
        """Raise RecordError for a day that is most likely mistyped, too early or in the future, and
        for a time zone that no place has, which the server refuses."""
        changed_at = record.updated_at
        if changed_at and abs(changed_at.utcoffset() or timedelta()) > _MAX_OFFSET:
            fault = '"updated_at" has a time zone that is more than 18 hours from UTC'
            raise RecordError(f"{fault}. Correct it.", fault, "updated_at")
        if self._days is None:
            return
        if isinstance(record, CrimeRecord):
            earliest, latest = self._recorded_on
            if not earliest <= record.recorded_on <= latest:
                raise _make_day_error(
                    "recorded_on", self._days, is_late=record.recorded_on > latest
                )
        if record.updated_at is not None:
            first, last = self._updated_at
            if not first <= record.updated_at <= last:
                raise _make_day_error("updated_at", self._days, is_late=record.updated_at > last)

    def values(self, record: CrimeRecord) -> dict[str, Any]:
        """The record's values by category, without the categories it has no value for."""
        if not self.categories:
            return {}
        values_by_name = {name: getattr(record, name) for name in self.categories}
        return {
            # A record counts once for a value, even if it lists the value twice.
            name: list(dict.fromkeys(value)) if isinstance(value, list) else value
            for name, value in values_by_name.items()
            if value not in (None, [])
        }


def _make_day_error(field: str, days: DayLimits, *, is_late: bool) -> RecordError:
    if is_late:
        limit = f"{days.latest}, tomorrow by the clock of this machine"
        if field == "updated_at":
            limit = f"{days.latest_time:%Y-%m-%dT%H:%MZ}, a day ahead of the clock of this machine"
        fault, remedy = f'"{field}" is after {limit}', "Correct it, or the clock if that is wrong."
    else:
        fault = f'"{field}" is before {days.earliest}, the earliest day that a record may name'
        remedy = "Correct it, or set earliest in [records] of foidex.toml to an earlier day."
    return RecordError(f"{fault}. {remedy}", fault, field)


PLAIN_CONTRACT: Final = RecordContract()
