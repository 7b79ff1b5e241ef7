"""Explain in plain words why a line is not a valid record, without saying what its values are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from indexer.records.contract import RecordContract
from indexer.records.model import MAX_AGE, PEOPLE_LISTS, RecordError
from indexer.validation_errors import (
    JsonErrorKind,
    ViolationKind,
    get_value_at,
    list_allowed_keys,
    parse_json_error,
    parse_validation_error,
)

_CODE_SHAPE: Final = re.compile(r"[0-9][0-9A-Z]{0,4}([/. -][0-9A-Z]{1,4}){0,3}")

_FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,39}")

_MAX_SHAPE_LENGTH: Final = 24

_MAX_SHOWN_NAMES: Final = 20

NOT_AN_OBJECT: Final = "is not an object"


def describe_shape(value: object) -> str:  # noqa: C901, PLR0911 - one case a type
    """What a value looks like, without its content: "text of the shape 99/99/9999"."""
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
            shape = [
                "9" if character.isdigit() else "a" if character.isalpha() else _show(character)
                for character in value[:_MAX_SHAPE_LENGTH]
            ]
            ellipsis = "..." if len(value) > _MAX_SHAPE_LENGTH else ""
            return f"text of the shape {''.join(shape)}{ellipsis}"
        case list():
            return f"a list of {len(value)}"
        case datetime():
            return "a date and time" if value.tzinfo else "a date and time without a time zone"
        case date():
            return "a date"
        case bytes():
            return f"{len(value)} bytes"
        case Decimal():
            return f"a decimal number of {len(str(value))} characters"
        case _:
            return "an object"


def _show(character: str) -> str:
    """A sign as a message may show it: a control character by its number."""
    return character if character.isprintable() else ascii(character)[1:-1]


def explain_record_error(error: Exception, raw: object, contract: RecordContract) -> RecordError:
    """The error that says which field breaks the contract, what its value looks like, and the fix.

    ``error`` is msgspec's for the decoded line ``raw``; its own text may quote the value.
    """
    if not isinstance(raw, dict):
        return RecordError(
            f"is {describe_shape(raw)}, not an object. A record is one JSON object a line.",
            NOT_AN_OBJECT,
        )
    violation = parse_validation_error(error)
    path = violation.location
    container = f' in "{path}"' if path else ""
    if violation.kind is ViolationKind.UNKNOWN_KEY:
        known = list_allowed_keys(contract.type, violation.path)
        value = get_value_at(raw, violation.path)
        names = [name for name in value if name not in known] if isinstance(value, dict) else []
        return explain_unknown_fields(names or [violation.key], container, contract)
    if violation.kind is ViolationKind.MISSING_KEY:
        fault = f'lacks the field "{violation.key}"'
        return RecordError(
            f"{fault}{container}, which must be {contract.expected[violation.key]}. Add it.",
            f"{fault}{_remove_indexes(container)}",
            ".".join(filter(None, (_remove_indexes(path), violation.key))),
        )
    expected = contract.expected.get(violation.field_name, "of the right type")
    if path.endswith("]") and violation.field_name in (*PEOPLE_LISTS, "linked"):
        expected = "an object"
    value = get_value_at(raw, violation.path)
    is_high_age = violation.field_name == "age" and type(value) is int and value > MAX_AGE
    shape = f"a number over {MAX_AGE}" if is_high_age else describe_shape(value)
    return RecordError(
        f'"{path}" is {shape}, not {expected}. Correct it.',
        f'"{_remove_indexes(path)}" is not {expected}',
        _remove_indexes(path),
        path,
        "" if path.endswith("]") else shape,
    )


def _remove_indexes(path: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", path)


def describe_field(name: str) -> str:
    """That a record names a field; a name that may be content is not shown."""
    return f'names the field "{name}"' if _FIELD_NAME.fullmatch(name) else "names a field"


def explain_unknown_fields(
    names: Sequence[str], container: str, contract: RecordContract
) -> RecordError:
    """The error for fields that no record has; ``container`` is "" or ' in "victims[0]"'."""
    shown = [f'"{name}"' for name in names if _FIELD_NAME.fullmatch(name)]
    location = _remove_indexes(container)
    if not shown:  # a name may be content
        return RecordError(
            f"has an unknown field{container}, whose name may hold content. Remove it.",
            f"has an unknown field{location}",
        )
    listing = ", ".join(shown[:_MAX_SHOWN_NAMES])
    more = len(names) - len(shown[:_MAX_SHOWN_NAMES])
    fault = "has an unknown field" if len(names) == 1 else f"has {len(names):,} unknown fields:"
    rest = f" and {more:,} more" if more else ""
    pronoun = "it" if len(names) == 1 else "them"
    return RecordError(
        f"{fault} {listing}{rest}{container}. The fields are {', '.join(contract.names)}. "
        f"Rename {pronoun} or remove {pronoun}.",
        f"{fault} {listing}{rest}{location}",
    )


def explain_json_error(error: Exception) -> RecordError:
    """The error that says why a line is not JSON, and the fix; ``error`` is msgspec's."""
    json_error = parse_json_error(error)
    match json_error.kind:
        case JsonErrorKind.NOT_UTF8:
            return RecordError("is not UTF-8 text. Save the file as UTF-8.", "is not UTF-8 text")
        case JsonErrorKind.TRUNCATED:
            fault = "is cut short: the JSON object does not end"
            return RecordError(f"{fault}. Send the whole line.", fault)
        case JsonErrorKind.MALFORMED:
            location = "" if json_error.byte is None else f" (at byte {json_error.byte})"
            return RecordError(
                f"is not JSON{location}. A record is one JSON object a line.", "is not JSON"
            )


def describe_offence_code(code: str) -> str:
    """An unknown code as a message may show it: itself if it looks like one, else its shape."""
    return code if _CODE_SHAPE.fullmatch(code) else describe_shape(code)
