"""Turn msgspec's error messages into typed data, so that no other module parses its English.

A test provokes each kind of error with the installed msgspec and checks the result.
Never holds a value of the input: a value may be a person's data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Literal

from msgspec import Struct


class ViolationKind(Enum):
    """How a value breaks its type, and which fields of the Violation say more."""

    WRONG_TYPE = "wrong type"  #: expected, actual
    MISSING_KEY = "missing key"  #: key
    UNKNOWN_KEY = "unknown key"  #: key
    INVALID_CHOICE = "invalid choice"  #: not one of the values of a Literal or an Enum
    UNKNOWN_TAG = "unknown tag"  #: the tag of a union of structs names none of them
    OUT_OF_RANGE = "out of range"  #: expected, comparison, limit
    NOT_A_MULTIPLE = "not a multiple"  #: expected, limit
    WRONG_LENGTH = "wrong length"  #: expected, comparison, limit
    WRONG_PATTERN = "wrong pattern"  #: expected, pattern
    WRONG_FORMAT = "wrong format"  #: format, such as "date"
    WRONG_TIME_ZONE = "wrong time zone"  #: a time zone is missing, or there must be none
    OTHER = "other"


class Violation(Struct, frozen=True):
    """One error of validation.

    ``path`` is msgspec's ("$.victims[0].age"; "$" is the whole value, and "[...]" stands for a key
    of a dict). ``in_key`` is true if a key of the dict at ``path`` is wrong, not the value.
    ``expected`` and ``actual`` are msgspec's names of types ("int", "str", "array", "object",
    "null"). ``pattern`` is a regular expression as Python writes it, in quotes.
    """

    kind: ViolationKind
    path: str = "$"
    in_key: bool = False
    key: str = ""
    expected: tuple[str, ...] = ()
    actual: str = ""
    comparison: Literal["", "<=", ">=", "<", ">", "=="] = ""
    limit: float = 0
    pattern: str = ""
    format: str = ""

    @property
    def location(self) -> str:
        """The path without its root: "victims[0].age", or "" for the whole value."""
        return self.path.removeprefix("$").removeprefix(".")

    @property
    def field_name(self) -> str:
        """The last name of the path, without indexes: "victims" for "$.victims[0]", or ""."""
        return get_field_name(self.path)


class JsonErrorKind(Enum):
    """Why bytes are not JSON."""

    NOT_UTF8 = "not UTF-8"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"


class JsonError(Struct, frozen=True):
    """Bytes that are not JSON. ``byte`` is the position that msgspec gives, if any."""

    kind: JsonErrorKind
    byte: int | None = None


class TomlError(Struct, frozen=True):
    """Text that is not TOML. ``line`` is counted from 1; None stands for the end of the text.
    ``is_duplicate`` is true if a key or a table is given twice."""

    line: int | None = None
    is_duplicate: bool = False


_PATH_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([^\]]*)\]")

_LOCATION: Final = re.compile(r" - at (`key` in )?`(\$[^`]*)`$")

_MESSAGES: Final[tuple[tuple[re.Pattern[str], ViolationKind], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (r"Object contains unknown field `(?P<key>.*)`", ViolationKind.UNKNOWN_KEY),
        (r"Object missing required field `(?P<key>.*)`", ViolationKind.MISSING_KEY),
        (r"Invalid enum value .*", ViolationKind.INVALID_CHOICE),
        (r"Invalid value .*", ViolationKind.UNKNOWN_TAG),
        (r"Invalid (?:RFC3339 encoded |ISO8601 )?(?P<format>\w+).*", ViolationKind.WRONG_FORMAT),
        (r"Expected `\w+` with (?:a|no) timezone component", ViolationKind.WRONG_TIME_ZONE),
        (
            r"Expected `(?P<expected>\w+)` matching regex (?P<pattern>.*)",
            ViolationKind.WRONG_PATTERN,
        ),
        (
            r"Expected `(?P<expected>\w+)` of length (?P<comparison><=|>=)? ?(?P<limit>\d+)"
            r"(?:, got \d+)?",
            ViolationKind.WRONG_LENGTH,
        ),
        (
            r"Expected `(?P<expected>\w+)` (?P<comparison>[<>]=?) (?P<limit>-?[\d.e+-]+)",
            ViolationKind.OUT_OF_RANGE,
        ),
        (
            r"Expected `(?P<expected>\w+)` that's a multiple of (?P<limit>-?[\d.e+-]+)",
            ViolationKind.NOT_A_MULTIPLE,
        ),
        (r"Expected `(?P<expected>[^`]*)`(?:, got `(?P<actual>.*)`)?", ViolationKind.WRONG_TYPE),
        (r"Number out of range", ViolationKind.OUT_OF_RANGE),
    )
)


def parse_validation_error(error: Exception) -> Violation:
    """Read an error of ``msgspec.convert`` or ``decode``; an unknown message gives kind OTHER."""
    text = str(error)
    location = _LOCATION.search(text)
    message = text[: location.start()] if location else text
    path, in_key = (location[2], bool(location[1])) if location else ("$", False)
    for pattern, kind in _MESSAGES:
        if match := pattern.fullmatch(message):
            return _build_violation(kind, path, match.groupdict(""), in_key=in_key)
    return Violation(ViolationKind.OTHER, path, in_key)


def _build_violation(
    kind: ViolationKind, path: str, groups: dict[str, Any], *, in_key: bool
) -> Violation:
    if expected := groups.get("expected"):
        groups["expected"] = tuple(expected.split(" | "))
    if limit := groups.get("limit"):
        groups["limit"] = int(limit) if limit.lstrip("-").isdigit() else float(limit)
    if kind is ViolationKind.WRONG_LENGTH:
        groups["comparison"] = groups["comparison"] or "=="
    return Violation(kind, path, in_key, **groups)


def get_field_name(path: str) -> str:
    """The last name of a path, without indexes: "victims" for "$.victims[0]", "" for "$"."""
    return re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2].removeprefix("$")


def list_allowed_keys(root_type: Any, path: str) -> tuple[str, ...]:
    """The keys that a type allows at a violation's path; all alternatives of a union together."""
    types = _list_types_at(root_type, path)
    fields = [field for type_info in types for field in getattr(type_info, "fields", ())]
    return tuple(dict.fromkeys(field.encode_name for field in fields))


def list_allowed_values(root_type: Any, path: str) -> tuple[str, ...]:
    """The values that a type allows at a violation's path, if it lists them; otherwise none."""
    from msgspec import inspect

    literals = [
        type_info
        for type_info in _list_types_at(root_type, path)
        if isinstance(type_info, inspect.LiteralType)
    ]
    return tuple(dict.fromkeys(str(value) for literal in literals for value in literal.values))


def _list_types_at(root_type: Any, path: str) -> list[Any]:
    """The types at a path; all alternatives of a union."""
    from msgspec import inspect

    types = _list_alternatives(inspect.type_info(root_type))
    for key, _ in _PATH_STEP.findall(path):
        types = [
            alternative
            for parent in types
            for child in _list_children(parent, key)
            for alternative in _list_alternatives(child)
        ]
    return types


def _list_alternatives(type_info: Any) -> list[Any]:
    return [*getattr(type_info, "types", (type_info,))]


def _list_children(type_info: Any, key: str) -> list[Any]:
    """The types of a struct's field, or, without a key, of the entries of a container."""
    if key:
        fields = getattr(type_info, "fields", ())
        return [field.type for field in fields if field.encode_name == key]
    entry_types = (getattr(type_info, name, None) for name in ("item_type", "value_type"))
    return [*filter(None, entry_types), *getattr(type_info, "item_types", ())]


def get_value_at(value: object, path: str) -> object:
    """The value at a violation's path; None if there is none, or the path has a "[...]"."""
    for key, index in _PATH_STEP.findall(path):
        if key:
            value = value.get(key) if isinstance(value, dict) else None
        else:
            is_index = index.isdigit() and isinstance(value, list) and int(index) < len(value)
            value = value[int(index)] if is_index else None  # type: ignore[index]
    return value


_EXPECTED_NAMES: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date",
    "object": "keys and values",
    "array": "a list, such as [one, two]",
}

_ACTUAL_NAMES: Final = _EXPECTED_NAMES | {"array": "a list", "null": "nothing"}

_DESCRIPTIONS: Final = {
    ViolationKind.WRONG_FORMAT: "is not a valid {format}",
    ViolationKind.WRONG_TIME_ZONE: "has no time zone, or one that must not be there",
    ViolationKind.INVALID_CHOICE: "is not one of the allowed values",
    ViolationKind.UNKNOWN_TAG: "is not one of the allowed values",
    ViolationKind.MISSING_KEY: 'lacks "{key}"',
    ViolationKind.UNKNOWN_KEY: 'has an unknown key "{key}"',
}

_BOUNDS: Final = {"<=": "of {} or less", ">=": "of {} or more", "<": "below {}", ">": "above {}"}

_LENGTHS: Final = {"<=": "at most ", ">=": "at least ", "==": ""}

_LENGTH_UNITS: Final = {
    "array": ("entry", "entries"),
    "object": ("key", "keys"),
    "str": ("character", "characters"),
}


def describe_violation(
    violation: Violation, pattern_words: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What is wrong, in plain words without a value: "expected a whole number, not text".

    ``pattern_words`` says in words what a pattern stands for.
    """
    expected = " or ".join(
        _EXPECTED_NAMES.get(name, name) for name in violation.expected if name != "null"
    )
    limit = f"{violation.limit:,}"
    if violation.format == "date":
        return "is not a date (expected YYYY-MM-DD)"
    if not expected:
        text = _DESCRIPTIONS.get(violation.kind, "is not a valid value")
        return text.format(key=violation.key[:60], format=violation.format)
    description = f"expected {expected}"
    match violation.kind:
        case ViolationKind.WRONG_TYPE if violation.actual:
            description += f", not {_ACTUAL_NAMES.get(violation.actual, violation.actual)}"
        case ViolationKind.OUT_OF_RANGE:
            description += " " + _BOUNDS[violation.comparison].format(limit)
        case ViolationKind.NOT_A_MULTIPLE:
            description = f"expected a multiple of {limit}"
        case ViolationKind.WRONG_LENGTH:
            singular, plural = _LENGTH_UNITS.get(violation.expected[0], ("byte", "bytes"))
            unit = singular if violation.limit == 1 else plural
            description = f"expected {_LENGTHS[violation.comparison]}{limit} {unit}"
        case ViolationKind.WRONG_PATTERN:
            words = {repr(pattern): text for pattern, text in pattern_words.items()}
            match_text = f"that matches {violation.pattern}"
            description = f"expected {words.get(violation.pattern, f'{expected} {match_text}')}"
    return description


def parse_json_error(error: Exception) -> JsonError:
    """Read an error of ``msgspec.json.decode`` for bytes that are not JSON."""
    if isinstance(error, UnicodeDecodeError):
        return JsonError(JsonErrorKind.NOT_UTF8)
    text = str(error)
    if text == "Invalid UTF-8 encoded string":  # msgspec 0.23 and later
        return JsonError(JsonErrorKind.NOT_UTF8)
    if text == "Input data was truncated":
        return JsonError(JsonErrorKind.TRUNCATED)
    position = re.search(r"\(byte (\d+)\)$", text)
    return JsonError(JsonErrorKind.MALFORMED, int(position[1]) if position else None)


def parse_toml_error(error: Exception) -> TomlError:
    """Read an error of ``tomllib.loads``."""
    text = str(error)
    position = re.search(r"\(at line (\d+), column \d+\)$", text)
    return TomlError(int(position[1]) if position else None, text.startswith("Cannot "))
