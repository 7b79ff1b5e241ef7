"""Read a crime record, or a notice of its deletion, from a JSON line or from Python values.

A record that breaks the contract raises RecordError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from indexer.records.contract import PLAIN_CONTRACT, RecordContract
from indexer.records.model import (
    DELETED,
    MAX_NESTED,
    PEOPLE_LISTS,
    CrimeRecord,
    Deletion,
    PeopleList,
    RecordError,
)
from indexer.records.validation_messages import (
    NOT_AN_OBJECT,
    describe_field,
    describe_shape,
    explain_json_error,
    explain_record_error,
    explain_unknown_fields,
)

_LINE_DECODER: Final = msgspec.json.Decoder()

_KEY_END: Final = re.compile(rb'"[ \t\r\n]*:')

_SPACED_COLONS: Final = (b" :", b"\t:", b"\r:", b"\n:")


def parse_record_line(
    line: bytes, contract: RecordContract = PLAIN_CONTRACT
) -> CrimeRecord | Deletion:
    """Read one JSON line. Raises RecordError."""
    try:
        record = contract.decode(line)
    except (ValueError, RecursionError) as error:
        return _parse_deletion(_decode_line(line), error, contract)
    _check_duplicate_keys(line, _LINE_DECODER.decode(line))
    _check_record(record, contract)
    return record


def parse_mapped_line(
    line: bytes, rename_fields: Callable[[Any], Any], contract: RecordContract = PLAIN_CONTRACT
) -> CrimeRecord | Deletion:
    """Read one JSON line whose fields ``rename_fields`` gives our names. Raises RecordError."""
    raw = rename_fields(_decode_line(line))
    if not isinstance(raw, dict):
        raise RecordError(
            f"is {describe_shape(raw)}, not an object. A record is one JSON object a line.",
            NOT_AN_OBJECT,
        )
    return parse_record_mapping(raw, contract)


def _decode_line(line: bytes) -> Any:
    try:
        # Without its end, a line that is cut short reads as truncated and not as malformed.
        raw = _LINE_DECODER.decode(line.rstrip())
    except RecursionError:
        raise RecordError(
            "is nested too deeply to be a record. Correct the line.", "is nested too deeply"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise explain_json_error(error) from None
    _check_duplicate_keys(line, raw)
    return raw


def _check_duplicate_keys(line: bytes, raw: Any) -> None:
    """Raise RecordError for an object that gives a field twice, of which the decoder keeps one.

    A line that has as many keys as were decoded has none; only others are looked at closely, such
    as those with white space before a colon.
    """
    number = line.count(b'":')
    if any(map(line.__contains__, _SPACED_COLONS)):
        number = len(_KEY_END.findall(line))
    if number == _count_keys(raw):
        return
    try:
        json.loads(line, object_pairs_hook=_require_distinct_keys)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return  # the decoder of the record reads it, and it is stricter


def _count_keys(raw: Any) -> int:
    values: Any = ()
    number = 0
    if isinstance(raw, dict):
        number, values = len(raw), raw.values()
    elif isinstance(raw, list):
        values = raw
    for value in values:
        if isinstance(value, dict | list):
            number += _count_keys(value)
    return number


def _require_distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    names = [name for name, _ in pairs]
    duplicate = next(name for name in names if names.count(name) > 1)
    fault = f"{describe_field(duplicate)} twice"
    raise RecordError(f"{fault}. Keep one of the two.", fault)


def parse_record_mapping(
    raw: dict[str, Any], contract: RecordContract = PLAIN_CONTRACT
) -> CrimeRecord | Deletion:
    """Read a record of Python values, such as a joined CSV row. Raises RecordError."""
    try:
        record = msgspec.convert(raw, contract.type)
    except msgspec.ValidationError as error:
        return _parse_deletion(raw, error, contract)
    _check_record(record, contract)
    return record


def _parse_deletion(raw: Any, error: Exception, contract: RecordContract) -> Deletion:
    """Read what is not a record as a notice of deletion, or raise RecordError."""
    if not isinstance(raw, dict) or raw.get("status") != DELETED:
        raise explain_record_error(error, raw, contract) from None
    if unknown := [name for name in raw if name not in contract.fields]:
        raise explain_unknown_fields(unknown, "", contract) from None
    try:
        deletion = msgspec.convert(raw, Deletion)
    except msgspec.ValidationError as wrong:
        raise explain_record_error(wrong, raw, contract) from None
    contract.check_days(deletion)
    return deletion


def _check_record(record: CrimeRecord, contract: RecordContract) -> None:
    """Raise RecordError for what no type of a field can say."""
    contract.check_days(record)
    if len(record.victims) + len(record.suspects) + len(record.linked) > MAX_NESTED:
        raise _explain_nested_limit(record)
    for people in PEOPLE_LISTS.values():
        _check_people(record, people)
    for index, link in enumerate(record.linked):
        if link.crime_ref is None and link.offence_code is None:
            raise RecordError(
                f'"linked[{index}]" names neither a crime_ref nor an offence_code. '
                "Give one, or leave the link out.",
                'an entry of "linked" names neither a crime_ref nor an offence_code',
            )


def _check_people(record: CrimeRecord, people: PeopleList) -> None:
    """Raise RecordError if somebody is in a list twice: each entry would count."""
    references: set[str] = set()
    for index, person in enumerate(getattr(record, people.field)):
        reference = getattr(person, people.reference)
        if reference is None:
            continue
        if reference in references:
            raise RecordError(
                f'"{people.field}[{index}]" has the {people.reference} of another '
                f"{people.singular} of this record. Remove one: a join may have repeated its row.",
                f"two {people.field} of a record have the same {people.reference}",
            )
        references.add(reference)


def list_alike_people(record: CrimeRecord) -> tuple[str, ...]:
    """The lists of people in which two without a reference are alike in all that is known of them,
    and something is: different people may be, and so are the rows that a join repeats."""
    return tuple(
        people.field for people in PEOPLE_LISTS.values() if _has_alike_people(record, people)
    )


def _has_alike_people(record: CrimeRecord, people: PeopleList) -> bool:
    described = [
        (person.age, person.sex)
        for person in getattr(record, people.field)
        if getattr(person, people.reference) is None and (person.age, person.sex) != (None, None)
    ]
    return len(set(described)) < len(described)


def _explain_nested_limit(record: CrimeRecord) -> RecordError:
    """The error for more people and links than a server takes; suspects only where it has some."""
    names = ("victims", *(["suspects"] if record.suspects else []), "linked")
    *first, last = [f'{len(getattr(record, name)):,} in "{name}"' for name in names]
    people = "victims, suspects and links" if record.suspects else "victims and links"
    return RecordError(
        f"has {', '.join(first)} and {last}; a record may have {MAX_NESTED:,} together. Divide it "
        "into several records.",
        f"has more than {MAX_NESTED:,} {people} together",
    )
