"""The typed form of msgspec's errors, provoked with the installed msgspec."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from indexer.validation_errors import (
    JsonError,
    JsonErrorKind,
    TomlError,
    Violation,
    ViolationKind,
    describe_violation,
    get_field_name,
    get_value_at,
    list_allowed_keys,
    list_allowed_values,
    parse_json_error,
    parse_toml_error,
    parse_validation_error,
)

SECRET = "Grimsdyke"


class Part(Struct):
    """Fields with listed values, and one without."""

    kinds: tuple[Literal["b", "a"], ...] = ()
    level: Literal[1, "auto"] | None = None
    size: int = 0


class Whole(Struct):
    """Parts by name."""

    parts: dict[str, Part] = {}


class Circle(Struct, tag_field="kind", tag="circle", forbid_unknown_fields=True):
    """One of a union."""

    radius: int


class Square(Struct, tag_field="kind", tag="square"):
    """The other of a union."""

    side: int


class Everything(Struct, forbid_unknown_fields=True, rename={"start": "from"}):
    """A field for each kind of error."""

    count: int = 0
    start: int = 0
    flag: bool = False
    text: str | tuple[str, ...] | None = None
    day: date | None = None
    hour: time | None = None
    price: Decimal | None = None
    moment: Annotated[datetime, Meta(tz=True)] | None = None
    pair: tuple[int, int] | None = None
    names: Annotated[list[str], Meta(min_length=1, max_length=2)] | None = None
    short: Annotated[str, Meta(max_length=2)] | None = None
    code: Annotated[str, Meta(pattern="^a+$")] | None = None
    choice: Literal["x", "y"] = "x"
    level: Literal[1, 2] | None = None
    age: Annotated[int, Meta(ge=1, le=5)] | None = None
    percent: Annotated[float, Meta(ge=0, lt=100)] | None = None
    dozen: Annotated[int, Meta(multiple_of=12)] | None = None
    shape: Circle | Square | None = None
    keyed: dict[Annotated[str, Meta(pattern="^a+$")], int] = {}
    shapes: list[dict[str, Circle]] = []


def violation_of(value: Any) -> Violation:
    """What ``msgspec.convert`` says of a value, as data."""
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, Everything)
    return parse_validation_error(caught.value)


KINDS = [
    (3, Violation(ViolationKind.WRONG_TYPE, expected=("object",), actual="int")),
    ({"count": SECRET}, Violation(ViolationKind.WRONG_TYPE, "$.count", expected=("int",), actual="str")),
    ({"count": None}, Violation(ViolationKind.WRONG_TYPE, "$.count", expected=("int",), actual="null")),
    ({"text": 3}, Violation(ViolationKind.WRONG_TYPE, "$.text", expected=("str", "array", "null"), actual="int")),
    ({"from": "a"}, Violation(ViolationKind.WRONG_TYPE, "$.from", expected=("int",), actual="str")),
    ({"choice": 4}, Violation(ViolationKind.WRONG_TYPE, "$.choice", expected=("str",), actual="int")),
    ({"keyed": {3: 1}}, Violation(ViolationKind.WRONG_TYPE, "$.keyed", in_key=True, expected=("str",), actual="int")),
    ({"keyed": {"a": "b"}}, Violation(ViolationKind.WRONG_TYPE, "$.keyed[...]", expected=("int",), actual="str")),
    ({1: 2}, Violation(ViolationKind.WRONG_TYPE, in_key=True, expected=("str",))),
    ({"cuont": 1}, Violation(ViolationKind.UNKNOWN_KEY, key="cuont")),
    ({"a`b\n - at `x": 1}, Violation(ViolationKind.UNKNOWN_KEY, key="a`b\n - at `x")),
    ({"shapes": [{}, {"k": {"radius": 1, "r": 2}}]}, Violation(ViolationKind.UNKNOWN_KEY, "$.shapes[1][...]", key="r")),
    ({"shape": {"kind": "circle"}}, Violation(ViolationKind.MISSING_KEY, "$.shape", key="radius")),
    ({"shape": {}}, Violation(ViolationKind.MISSING_KEY, "$.shape", key="kind")),
    ({"shape": {"kind": SECRET}}, Violation(ViolationKind.UNKNOWN_TAG, "$.shape.kind")),
    ({"choice": SECRET}, Violation(ViolationKind.INVALID_CHOICE, "$.choice")),
    ({"level": 3}, Violation(ViolationKind.INVALID_CHOICE, "$.level")),
    ({"age": 0}, Violation(ViolationKind.OUT_OF_RANGE, "$.age", expected=("int",), comparison=">=", limit=1)),
    ({"age": 6}, Violation(ViolationKind.OUT_OF_RANGE, "$.age", expected=("int",), comparison="<=", limit=5)),
    ({"percent": -1}, Violation(ViolationKind.OUT_OF_RANGE, "$.percent", expected=("float",), comparison=">=", limit=0.0)),
    ({"percent": 100}, Violation(ViolationKind.OUT_OF_RANGE, "$.percent", expected=("float",), comparison="<", limit=100.0)),
    ({"dozen": 13}, Violation(ViolationKind.NOT_A_MULTIPLE, "$.dozen", expected=("int",), limit=12)),
    ({"names": []}, Violation(ViolationKind.WRONG_LENGTH, "$.names", expected=("array",), comparison=">=", limit=1)),
    ({"names": ["a"] * 3}, Violation(ViolationKind.WRONG_LENGTH, "$.names", expected=("array",), comparison="<=", limit=2)),
    ({"pair": [1]}, Violation(ViolationKind.WRONG_LENGTH, "$.pair", expected=("array",), comparison="==", limit=2)),
    ({"short": SECRET}, Violation(ViolationKind.WRONG_LENGTH, "$.short", expected=("str",), comparison="<=", limit=2)),
    ({"code": SECRET}, Violation(ViolationKind.WRONG_PATTERN, "$.code", expected=("str",), pattern="'^a+$'")),
    ({"keyed": {SECRET: 1}}, Violation(ViolationKind.WRONG_PATTERN, "$.keyed", in_key=True, expected=("str",), pattern="'^a+$'")),
    ({"day": SECRET}, Violation(ViolationKind.WRONG_FORMAT, "$.day", format="date")),
    ({"hour": SECRET}, Violation(ViolationKind.WRONG_FORMAT, "$.hour", format="time")),
    ({"moment": SECRET}, Violation(ViolationKind.WRONG_FORMAT, "$.moment", format="datetime")),
    ({"price": SECRET}, Violation(ViolationKind.WRONG_FORMAT, "$.price", format="decimal")),
    ({"moment": "2020-01-01T00:00:00"}, Violation(ViolationKind.WRONG_TIME_ZONE, "$.moment")),
]  # fmt: skip


@pytest.mark.parametrize(("value", "violation"), KINDS)
def test_every_error_of_the_installed_msgspec_is_read_as_data(
    value: Any, violation: Violation
) -> None:
    result = violation_of(value)
    assert result == violation
    assert SECRET not in repr(result)


def test_every_kind_of_violation_is_provoked_above() -> None:
    provoked = {violation.kind for _, violation in KINDS}
    assert provoked == {*ViolationKind} - {ViolationKind.OTHER}


def test_unknown_message_is_of_the_kind_other_and_keeps_its_path() -> None:
    error = msgspec.ValidationError("Something new - at `$.a[0].b`")
    assert parse_validation_error(error) == Violation(ViolationKind.OTHER, "$.a[0].b")


@pytest.mark.parametrize(
    ("value", "description"),
    [
        ({"count": "a"}, "expected a whole number, not text"),
        ({"text": 3}, "expected text or a list, such as [one, two], not a whole number"),
        ({"names": "a"}, "expected a list, such as [one, two], not text"),
        ({"age": 0}, "expected a whole number of 1 or more"),
        ({"percent": 100}, "expected a number below 100.0"),
        ({"dozen": 13}, "expected a multiple of 12"),
        ({"names": []}, "expected at least 1 entry"),
        ({"pair": [1]}, "expected 2 entries"),
        ({"short": "abc"}, "expected at most 2 characters"),
        ({"code": "b"}, "expected text that matches '^a+$'"),
        ({"day": "soon"}, "is not a date (expected YYYY-MM-DD)"),
        ({"hour": "soon"}, "is not a valid time"),
        ({"choice": "z"}, "is not one of the allowed values"),
        ({"shape": {}}, 'lacks "kind"'),
        ({"cuont": 1}, 'has an unknown key "cuont"'),
        ({1: 2}, "expected text"),
    ],
)  # fmt: skip
def test_violation_is_described_in_plain_words(value: Any, description: str) -> None:
    assert describe_violation(violation_of(value)) == description


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("$", "", {"a": [{"b": 7}]}),
        ("$.a", "a", [{"b": 7}]),
        ("$.a[0].b", "b", 7),
        ("$.a[0]", "a", {"b": 7}),
        ("$.a[3].b", "b", None),
        ("$.a[...]", "a", None),
        ("$.c.d", "d", None),
    ],
)
def test_path_gives_the_field_and_the_value(path: str, name: str, value: object) -> None:
    assert get_field_name(path) == name
    assert get_value_at({"a": [{"b": 7}]}, path) == value


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("$.shape", ("radius", "side")),
        ("$.shapes[0][...]", ("radius",)),
        ("$.count", ()),
        ("$.nothing", ()),
    ],
)
def test_keys_that_a_type_allows_at_a_path_are_listed(path: str, keys: tuple[str, ...]) -> None:
    assert list_allowed_keys(Everything, path) == keys
    assert list_allowed_keys(Everything, "$")[:3] == ("count", "from", "flag")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b'"\xff"', JsonError(JsonErrorKind.NOT_UTF8)),
        (b'{"a":', JsonError(JsonErrorKind.TRUNCATED)),
        (b"", JsonError(JsonErrorKind.TRUNCATED)),
        (b'{"a" 1}', JsonError(JsonErrorKind.MALFORMED, 5)),
        (b"{} x", JsonError(JsonErrorKind.MALFORMED, 4)),
    ],
)
def test_bytes_that_are_not_json_are_read_as_data(text: bytes, error: JsonError) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as caught:
        msgspec.json.decode(text)
    assert parse_json_error(caught.value) == error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\nb = x", TomlError(2)),
        ("a = 1\na = 2\n", TomlError(2, is_duplicate=True)),
        ("[a]\n[a]", TomlError(2, is_duplicate=True)),
        ("a = [1", TomlError()),
        ('a = "', TomlError()),
    ],
)
def test_what_is_not_toml_has_a_line(text: str, expected: TomlError) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(text)
    assert parse_toml_error(error.value) == expected


def test_the_allowed_values_are_those_of_the_type() -> None:
    assert set(list_allowed_values(Whole, "$.parts[...].kinds[3]")) == {"a", "b"}
    assert set(list_allowed_values(Whole, "$.parts[...].level")) == {"1", "auto"}
    assert list_allowed_values(Whole, "$.parts[...].size") == ()
    assert list_allowed_values(Whole, "$.gone") == ()
