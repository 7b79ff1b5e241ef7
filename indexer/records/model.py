"""The types of a crime record, of a deletion, and of the documents they become in the index.

docs/records-and-sources.md describes the fields.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

# No control character, and no line or paragraph separator: they cannot be seen in a message.
PRINTABLE: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"

#: A name that a person gives, such as that of a request.
ShortText = Annotated[str, Meta(min_length=1, max_length=100, pattern=PRINTABLE)]

#: What a spreadsheet shows, and exports, in place of a value that it cannot work out, or that has
#: no room in its cell. Excel takes a text that begins with "-" or "=" for a formula, and shows
#: #NAME? instead.
SPREADSHEET_ERROR: Final = (
    r"#(?:NAME\?|REF!|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!"
    r"|UNKNOWN!|EXTERNAL!|N/A|GETTING_DATA|##+)|Err:\d{3}"
)

#: A soft hyphen, and what has no width: "A1" with one is not to be told from "A1".
_INVISIBLE: Final = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"

# Nor a space at an end: "25" and "25 " would be two records, and "22B " no code.
_IDENTIFIER: Final = rf"^(?!\s)(?!.*[{_INVISIBLE}]){PRINTABLE[1:-2]}(?<!\s)\Z"

# Nor an error: it would stand for each of the records or people whose reference was lost.
_REFERENCE: Final = rf"^(?!(?:{SPREADSHEET_ERROR})\Z){_IDENTIFIER[1:]}"

Reference = Annotated[str, Meta(min_length=1, max_length=100, pattern=_REFERENCE)]

OffenceCode = Annotated[str, Meta(min_length=1, max_length=40, pattern=_IDENTIFIER)]

#: The most victims, suspects and links of one record together: the limit of the server.
MAX_NESTED: Final = 10_000

MAX_AGE: Final = 120

Age = Annotated[int, Meta(ge=0, le=MAX_AGE)]

Outcome = Annotated[int, Meta(ge=1, le=22)]

Timestamp = Annotated[datetime, Meta(tz=True)]

RecordStatus = Literal["recorded", "cancelled", "transferred"]

DELETED: Final = "deleted"

FORGOTTEN: Final = "forgotten"

KEPT_OUT: Final = "kept out"

#: The locations of tombstones that keep a record out even if its source still has it.
EXCLUDING_LOCATIONS: Final = (FORGOTTEN, KEPT_OUT)

Sex = Literal["F", "M", "X", "U"]


class Victim(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A victim of one record. ``age`` is in whole years at the time of the offence."""

    victim_ref: Reference | None = None
    age: Age | None = None
    sex: Sex | None = None


class Suspect(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A suspect of one record. ``age`` is in whole years at the time of the offence."""

    suspect_ref: Reference | None = None
    age: Age | None = None
    sex: Sex | None = None


class PeopleList(Struct, frozen=True):
    """A list of people of a record: its field, what one of them is called, and the field of the
    reference that identifies one person in several records."""

    field: Literal["victims", "suspects"]
    singular: Literal["victim", "suspect"]
    reference: str


VICTIMS: Final = PeopleList("victims", "victim", "victim_ref")

SUSPECTS: Final = PeopleList("suspects", "suspect", "suspect_ref")

#: The lists of people of a record, by their fields.
PEOPLE_LISTS: Final[dict[str, PeopleList]] = {
    people.field: people for people in (VICTIMS, SUSPECTS)
}

#: The fields that identify a person.
PERSON_REFERENCES: Final = tuple(people.reference for people in PEOPLE_LISTS.values())


class Link(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A linked offence: a code, the reference of another record, or both."""

    crime_ref: Reference | None = None
    offence_code: OffenceCode | None = None


class CrimeRecord(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One recorded crime, as the force's system holds it."""

    crime_ref: Reference
    recorded_on: date
    offence_code: OffenceCode
    narrative: str | list[str]
    status: RecordStatus = "recorded"
    outcome: Outcome | None = None
    victims: list[Victim] = []
    suspects: list[Suspect] = []
    linked: list[Link] = []
    updated_at: Timestamp | None = None

    @property
    def entries(self) -> list[str]:
        """The entries of the narrative; a text alone is one."""
        return [self.narrative] if isinstance(self.narrative, str) else self.narrative


class Deletion(Struct):
    """Notice that a record was deleted: a line of status "deleted"; other fields are ignored."""

    crime_ref: Reference
    updated_at: Timestamp | None = None


class IndexedLink(Struct, omit_defaults=True):
    """A link as the index holds it; ``resolved`` if its code was taken from the record it names."""

    crime_ref: str | None
    offence_code: str | None = None
    offence_path: tuple[str, ...] = ()
    resolved: bool = False


class CrimeDocument(Struct, omit_defaults=True, kw_only=True, rename={"location": "place"}):
    """A record as the index holds it; the fields of ``mappings/crimes.json``.

    ``damage`` are the kinds of damage that the text has, ``repaired`` those that were repaired.
    ``location`` ("place" in the index) must stay the last field: the hash of a document's content
    covers what is encoded before it.
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
    suspects: list[Suspect] = []
    linked: list[IndexedLink] = []
    categories: dict[str, Any] = {}
    updated_at: datetime | None = None
    damage: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    location: str


class Tombstone(Struct, rename={"location": "place"}):
    """What the index keeps of a deleted record: its reference, and when and where it was deleted.

    ``location`` is FORGOTTEN for a record erased by ``foidex forget``, and KEPT_OUT in a generation
    that never held that record.
    """

    crime_ref: str
    updated_at: datetime
    status: str
    location: str


class RecordError(ValueError):
    """A record breaks the contract. The text gives field, shape and fix, and never content.

    ``kind`` is what it has in common with all records of the same fault: no position, no shape.
    ``field`` is the record's name of the field it is about ("victims.age"), if it is about one, and
    ``shape`` what its value at ``path`` ("victims[0].age") looks like, if that is the fault.
    """

    def __init__(
        self, text: str, kind: str, field: str = "", path: str = "", shape: str = ""
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.field = field
        self.path = path
        self.shape = shape
