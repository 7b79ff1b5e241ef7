"""The crime record: its types, its checks, and the document it becomes in the index.

Pure; does no input or output. What a record may hold is the contract of README.md, "The record";
a record that breaks it raises RecordError, whose text gives field, shape and remedy, and never
what the field says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from indexer import categories
from indexer.categories import Categories
from indexer.narrative import clean, cut
from indexer.offences import OffenceTable

Reference = Annotated[str, Meta(min_length=1, max_length=100)]
Code = Annotated[str, Meta(min_length=1, max_length=40)]
Age = Annotated[int, Meta(ge=0, le=120)]
Outcome = Annotated[int, Meta(ge=1, le=22)]
Moment = Annotated[datetime, Meta(tz=True)]
Status = Literal["recorded", "cancelled", "transferred"]
DELETED: Final = "deleted"
FORGOTTEN: Final = "forgotten"
KEPT_OUT: Final = "kept out"
#: The places of tombstones that keep a record out, also where its source still has it.
KEEPING_OUT: Final = (FORGOTTEN, KEPT_OUT)
Sex = Literal["F", "M", "X", "U"]


class Victim(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A victim of one record. ``age`` is in whole years at the time of the offence."""

    victim_ref: Reference | None = None
    age: Age | None = None
    sex: Sex | None = None


class Link(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A linked offence: a code, the reference of another record, or both."""

    crime_ref: Reference | None = None
    offence_code: Code | None = None


class CrimeRecord(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One recorded crime, as the force's system holds it."""

    crime_ref: Reference
    recorded_on: date
    offence_code: Code
    narrative: str | list[str]
    status: Status = "recorded"
    outcome: Outcome | None = None
    victims: list[Victim] = []
    linked: list[Link] = []
    updated_at: Moment | None = None


class Deletion(Struct):
    """Word that a record was deleted: a line of status "deleted", whatever else it holds."""

    crime_ref: Reference
    updated_at: Moment | None = None


class IndexedLink(Struct, omit_defaults=True):
    """A link as the index holds it; ``resolved`` where its code is that of the record it names."""

    crime_ref: str | None
    offence_code: str | None = None
    offence_path: tuple[str, ...] = ()
    resolved: bool = False


class CrimeDocument(Struct, omit_defaults=True, kw_only=True):
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
    place: str


class Tombstone(Struct):
    """What the index remembers of a deleted record: that, and when, and where it was read.

    In the ``place`` of one that was forgotten here, whatever the source says, stands FORGOTTEN; or
    KEPT_OUT, in a generation that never held the record.
    """

    crime_ref: str
    updated_at: datetime
    status: str
    place: str


class RecordError(ValueError):
    """A record breaks the contract. The text gives field, shape and remedy, never content."""


_EXPECTED: Final = {
    "crime_ref": "a reference of 1 to 100 characters, in quotes",
    "recorded_on": "a date (expected YYYY-MM-DD)",
    "offence_code": "an offence code of 1 to 40 characters, in quotes",
    "narrative": "text, or a list of texts",
    "status": "recorded, cancelled, transferred or deleted",
    "outcome": "an outcome type, a whole number from 1 to 22, or null",
    "victims": "a list of victims",
    "linked": "a list of linked offences",
    "updated_at": "a moment with its time zone (expected YYYY-MM-DDTHH:MM:SSZ)",
    "victim_ref": "a reference of 1 to 100 characters, in quotes, or null",
    "age": "whole years from 0 to 120, or null",
    "sex": "F, M, X, U or null",
}
_CODE: Final = re.compile(r"[0-9][0-9A-Z]{0,4}([/. -][0-9A-Z]{1,4}){0,3}")
_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,39}")

_raw_decoder: Final = msgspec.json.Decoder()
encode: Final = msgspec.json.Encoder().encode


class Contract:
    """What a record may hold: the built-in fields, and the categories a force declares."""

    def __init__(self, declared: Categories | None = None) -> None:
        self.categories: Categories = declared or {}
        self.type: type[CrimeRecord] = CrimeRecord
        if self.categories:
            self.type = msgspec.defstruct(  # type: ignore[assignment]
                "CrimeRecord",
                [
                    (name, categories.field_type(one), msgspec.field(default_factory=list))
                    if one.many
                    else (name, categories.field_type(one), None)
                    for name, one in self.categories.items()
                ],
                bases=(CrimeRecord,),
                forbid_unknown_fields=True,
            )
        self.decode = msgspec.json.Decoder(self.type).decode
        self.expected = _EXPECTED | {
            name: categories.expected(one) for name, one in self.categories.items()
        }
        self.fields: tuple[str, ...] = self.type.__struct_fields__
        self.names = tuple(dict.fromkeys((*self.fields, *_EXPECTED)))

    def values(self, record: CrimeRecord) -> dict[str, Any]:
        """The categories of a record that it has a value of."""
        if not self.categories:
            return {}
        found = {name: getattr(record, name) for name in self.categories}
        return {
            # A record counts once for a value, also for a number that it gives twice.
            name: list(dict.fromkeys(value)) if isinstance(value, list) else value
            for name, value in found.items()
            if value not in (None, [])
        }


PLAIN: Final = Contract()


def from_json(line: bytes, contract: Contract = PLAIN) -> CrimeRecord | Deletion:
    """Read one JSON line. Raises RecordError."""
    try:
        record = contract.decode(line)
    except (ValueError, RecursionError) as error:
        return _deletion(_raw(line), error, contract)
    _check(record)
    return record


def from_json_mapped(
    line: bytes, ours: Callable[[Any], Any], contract: Contract = PLAIN
) -> CrimeRecord | Deletion:
    """Read one JSON line whose names ``ours`` turns into ours. Raises RecordError."""
    raw = ours(_raw(line))
    if not isinstance(raw, dict):
        raise RecordError(f"is {shape(raw)}, not an object. A record is one JSON object a line.")
    return from_mapping(raw, contract)


def _raw(line: bytes) -> Any:
    try:
        # The line's end may not be in a text, so one cut short would read as wrong.
        return _raw_decoder.decode(line.rstrip())
    except RecursionError:
        raise RecordError("is nested too deeply to be a record. Correct the line.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(_explain_json(error)) from None


def from_mapping(raw: dict[str, Any], contract: Contract = PLAIN) -> CrimeRecord | Deletion:
    """Read a record of Python values, such as a joined CSV row. Raises RecordError."""
    try:
        record = msgspec.convert(raw, contract.type)
    except msgspec.ValidationError as error:
        return _deletion(raw, error, contract)
    _check(record)
    return record


def _deletion(raw: Any, error: Exception, contract: Contract) -> Deletion:
    """What is no record may be word of a deletion; else raise RecordError."""
    if not isinstance(raw, dict) or raw.get("status") != DELETED:
        raise RecordError(_explain(error, raw, contract)) from None
    if unknown := next((name for name in raw if name not in contract.fields), None):
        raise RecordError(_unknown_field(unknown, "", contract)) from None
    try:
        return msgspec.convert(raw, Deletion)
    except msgspec.ValidationError as wrong:
        raise RecordError(_explain(wrong, raw, contract)) from None


def _check(record: CrimeRecord) -> None:
    for place, link in enumerate(record.linked):
        if link.crime_ref is None and link.offence_code is None:
            raise RecordError(
                f'"linked[{place}]" names neither a crime_ref nor an offence_code. '
                "Give one, or leave the link out."
            )


def to_document(
    record: CrimeRecord, offences: OffenceTable, place: str, contract: Contract = PLAIN
) -> CrimeDocument:
    """The index document of a record read at a place ("crimes.jsonl:41")."""
    entries = [record.narrative] if isinstance(record.narrative, str) else record.narrative
    narrative = cut(*map(clean, entries))
    code = offences.canonical(record.offence_code)
    return CrimeDocument(
        crime_ref=record.crime_ref,
        recorded_on=record.recorded_on,
        offence_code=code,
        offence_path=offences.path(code),
        status=record.status,
        narrative=narrative.segments,
        possessives=narrative.possessives,
        place=place,
        compounds=narrative.compounds,
        outcome=record.outcome,
        victims=record.victims,
        linked=[_indexed(link, offences) for link in record.linked],
        categories=contract.values(record),
        updated_at=record.updated_at,
    )


def to_tombstone(deletion: Deletion, place: str, now: datetime) -> Tombstone:
    """The index document of a deletion; one that does not say when was made now."""
    return Tombstone(
        crime_ref=deletion.crime_ref,
        updated_at=deletion.updated_at or now.replace(microsecond=0),
        status=DELETED,
        place=place,
    )


def _indexed(link: Link, offences: OffenceTable) -> IndexedLink:
    if link.offence_code is None:
        return IndexedLink(crime_ref=link.crime_ref)
    code = offences.canonical(link.offence_code)
    return IndexedLink(link.crime_ref, code, offences.path(code))


def shape(value: object) -> str:  # noqa: C901, PLR0911 - one a type
    """What a value looks like, without what it says: "99/99/9999", "a list of 3"."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number below 0" if value < 0 else f"a number of {len(str(value))} characters"
        case str() if not value:
            return "empty text"
        case str():
            kinds = ["9" if c.isdigit() else "a" if c.isalpha() else c for c in value[:24]]
            return f"text of the shape {''.join(kinds)}{'...' if len(value) > 24 else ''}"
        case list():
            return f"a list of {len(value)}"
        case datetime():
            return "a moment" if value.tzinfo else "a moment without a time zone"
        case date():
            return "a day"
        case bytes():
            return f"{len(value)} bytes"
        case Decimal():
            return f"a decimal number of {len(str(value))} characters"
        case _:
            return "an object"


def _explain(error: Exception, raw: object, contract: Contract) -> str:
    """The library's message as field, shape and remedy; its own text may quote the value."""
    text = str(error)
    found = _PATH.search(text)
    path = found[1] if found else ""
    inside = f' in "{path}"' if path else ""
    if not isinstance(raw, dict):
        return f"is {shape(raw)}, not an object. A record is one JSON object a line."
    text = text[: found.start()] if found else text
    if unknown := _UNKNOWN.match(text):
        return _unknown_field(unknown[1], inside, contract)
    if missing := _MISSING.match(text):
        return (
            f'lacks the field "{missing[1]}"{inside}, which must be '
            f"{contract.expected[missing[1]]}. Add it."
        )
    name = re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2]
    expected = contract.expected.get(name, "of the right type")
    if path.endswith("]") and name in ("victims", "linked"):
        expected = "an object"
    return f'"{path}" is {shape(_value_at(raw, path))}, not {expected}. Correct it.'


def _unknown_field(name: str, inside: str, contract: Contract) -> str:
    if not _FIELD_NAME.fullmatch(name):
        return f"has a field{inside} whose name is not one of ours. Remove it."
    return (
        f'has an unknown field "{name}"{inside}. The fields are {", ".join(contract.names)}. '
        "Rename it or remove it."
    )


def _value_at(raw: object, path: str) -> object:
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(raw, dict):
            raw = raw.get(step)
        elif isinstance(raw, list):
            raw = raw[int(step)]
    return raw


def _explain_json(error: Exception) -> str:
    position = re.search(r"byte (\d+)", str(error))
    if "utf-8" in str(error).lower():
        return "is not UTF-8 text. Save the file as UTF-8 and load it again."
    where = f" (at byte {position[1]})" if position else ""
    if "truncated" in str(error):
        return "is cut short: the JSON object does not end. Send the whole line."
    return f"is not JSON{where}. A record is one JSON object a line."


def printable_code(code: str) -> str:
    """An unknown code as a message may show it: itself if it looks like one, else its shape."""
    return code if _CODE.fullmatch(code) else shape(code)
