"""The crime record: its types, its checks, and the document it becomes in the index.

Pure; does no input or output. What a record may hold is the contract of README.md, "The record";
a record that breaks it raises RecordError, whose text gives field, shape and remedy, and never
what the field says.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

RecordReference = Annotated[str, Meta(min_length=1, max_length=100)]

OffenceCode = Annotated[str, Meta(min_length=1, max_length=40)]

Age = Annotated[int, Meta(ge=0, le=120)]

Outcome = Annotated[int, Meta(ge=1, le=22)]

Timestamp = Annotated[datetime, Meta(tz=True)]

RecordStatus = Literal["recorded", "cancelled", "transferred"]

DELETED: Final = "deleted"

FORGOTTEN: Final = "forgotten"

KEPT_OUT: Final = "kept out"

#: The places of tombstones that keep a record out, also where its source still has it.
EXCLUDING_LOCATIONS: Final = (FORGOTTEN, KEPT_OUT)

Sex = Literal["F", "M", "X", "U"]


class Victim(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A victim of one record. ``age`` is in whole years at the time of the offence."""

    victim_ref: RecordReference | None = None
    age: Age | None = None
    sex: Sex | None = None


class Link(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A linked offence: a code, the reference of another record, or both."""

    crime_ref: RecordReference | None = None
    offence_code: OffenceCode | None = None


class CrimeRecord(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One recorded crime, as the force's system holds it."""

    crime_ref: RecordReference
    recorded_on: date
    offence_code: OffenceCode
    narrative: str | list[str]
    status: RecordStatus = "recorded"
    outcome: Outcome | None = None
    victims: list[Victim] = []
    linked: list[Link] = []
    updated_at: Timestamp | None = None


class Deletion(Struct):
    """Word that a record was deleted: a line of status "deleted", whatever else it holds."""

    crime_ref: RecordReference
    updated_at: Timestamp | None = None


class IndexedLink(Struct, omit_defaults=True):
    """A link as the index holds it; ``resolved`` where its code is that of the record it names."""

    crime_ref: str | None
    offence_code: str | None = None
    offence_path: tuple[str, ...] = ()
    resolved: bool = False


class CrimeDocument(Struct, omit_defaults=True, kw_only=True, rename={"location": "place"}):
    """A record as the index holds it; the fields of ``mappings/crimes.json``.

    ``place`` comes last, so that what a document says can be told from where it was read.
    """

    crime_ref: str
    recorded_on: date
    offence_code: str
    offence_path: tuple[str, ...]
    status: str
    narrative: list[str]
    possessives: list[str] = []
    compounds: list[str] = []
    outcome: int | None = None
    victims: list[Victim] = []
    linked: list[IndexedLink] = []
    categories: dict[str, Any] = {}
    updated_at: datetime | None = None
    location: str


class Tombstone(Struct, rename={"location": "place"}):
    """What the index remembers of a deleted record: that, and when, and where it was read.

    In the ``place`` of one that was forgotten here, whatever the source says, stands FORGOTTEN; or
    KEPT_OUT, in a generation that never held the record.
    """

    crime_ref: str
    updated_at: datetime
    status: str
    location: str


class RecordError(ValueError):
    """A record breaks the contract. The text gives field, shape and remedy, never content."""
