"""TODO: say what indexer.records.validation_messages is for."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from indexer.records.contract import RecordContract

_CODE_SHAPE: Final = re.compile(r"[0-9][0-9A-Z]{0,4}([/. -][0-9A-Z]{1,4}){0,3}")

_ERROR_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")

_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)

_MISSING_FIELD: Final = re.compile(r"Object missing required field `(\w+)`")

_FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,39}")


def describe_shape(value: object) -> str:  # noqa: C901, PLR0911 - one a type
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


def explain_record_error(error: Exception, raw: object, contract: RecordContract) -> str:
    """The library's message as field, shape and remedy; its own text may quote the value."""
    text = str(error)
    path_match = _ERROR_PATH.search(text)
    path = path_match[1] if path_match else ""
    inside = f' in "{path}"' if path else ""
    if not isinstance(raw, dict):
        return f"is {describe_shape(raw)}, not an object. A record is one JSON object a line."
    text = text[: path_match.start()] if path_match else text
    if unknown := _UNKNOWN_FIELD.match(text):
        return explain_unknown_field(unknown[1], inside, contract)
    if missing := _MISSING_FIELD.match(text):
        return (
            f'lacks the field "{missing[1]}"{inside}, which must be '
            f"{contract.expected[missing[1]]}. Add it."
        )
    name = re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2]
    expected = contract.expected.get(name, "of the right type")
    if path.endswith("]") and name in ("victims", "linked"):
        expected = "an object"
    return f'"{path}" is {describe_shape(_get_value_at(raw, path))}, not {expected}. Correct it.'


def explain_unknown_field(name: str, inside: str, contract: RecordContract) -> str:
    if not _FIELD_NAME.fullmatch(name):
        return f"has a field{inside} whose name is not one of ours. Remove it."
    return (
        f'has an unknown field "{name}"{inside}. The fields are {", ".join(contract.names)}. '
        "Rename it or remove it."
    )


def _get_value_at(raw: object, path: str) -> object:
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(raw, dict):
            raw = raw.get(step)
        elif isinstance(raw, list):
            raw = raw[int(step)]
    return raw


def explain_json_error(error: Exception) -> str:
    position = re.search(r"byte (\d+)", str(error))
    if "utf-8" in str(error).lower():
        return "is not UTF-8 text. Save the file as UTF-8 and load it again."
    location = f" (at byte {position[1]})" if position else ""
    if "truncated" in str(error):
        return "is cut short: the JSON object does not end. Send the whole line."
    return f"is not JSON{location}. A record is one JSON object a line."


def describe_offence_code(code: str) -> str:
    """An unknown code as a message may show it: itself if it looks like one, else its shape."""
    return code if _CODE_SHAPE.fullmatch(code) else describe_shape(code)
