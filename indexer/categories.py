"""Categories a force declares in foidex.toml: fields of its own records that it wants to count by.

Pure. A declared category is as strict as a built-in field: it has a type, may have a closed list
of values, is part of the mapping, and an answer that needs it from a generation without it fails.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Optional

from msgspec import Meta, Struct

from indexer.errors import ConfigurationError

FIELD: Final = "categories"
_LONGEST: Final = 100
_LEAST, _MOST = -(2**31), 2**31 - 1

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Value = Annotated[str, Meta(min_length=1, max_length=_LONGEST)]
Kind = Literal["keyword", "integer", "boolean"]


class Category(Struct, frozen=True, forbid_unknown_fields=True):
    """One category. ``values`` are the only ones a keyword may have, ``many`` allows a list."""

    type: Kind = "keyword"
    label: str = ""
    many: bool = False
    values: Annotated[tuple[Value, ...], Meta(max_length=1000)] = ()


Categories = dict[str, Category]

_TYPES: Final[dict[Kind, Any]] = {
    "keyword": Value,
    "integer": Annotated[int, Meta(ge=_LEAST, le=_MOST)],
    "boolean": bool,
}
_SAID: Final[dict[Kind, str]] = {
    "keyword": f"text of 1 to {_LONGEST} characters",
    "integer": "a whole number",
    "boolean": "true or false",
}


def check(categories: Categories, taken: tuple[str, ...]) -> None:
    """Raise ConfigurationError for a name that is a field already, or values that cannot be."""
    for name, category in categories.items():
        if name in taken:
            raise ConfigurationError(
                f'[categories.{name}]: "{name}" is a field of every record, which is countable as '
                "it is. Remove the section, or choose another name."
            )
        if category.values and category.type != "keyword":
            raise ConfigurationError(
                f'[categories.{name}] lists values, which only the type "keyword" has. Remove '
                "values, or the type."
            )


def field_type(category: Category) -> Any:
    """The type of the category's field in a record."""
    one = Literal.__getitem__(category.values) if category.values else _TYPES[category.type]
    return list.__class_getitem__(one) if category.many else Optional.__getitem__(one)


def expected(category: Category) -> str:
    """What a value must be, for a message."""
    said = _SAID[category.type]
    if category.values:
        listed = ", ".join(category.values[:12])
        said = f"one of {listed}{', ...' if len(category.values) > 12 else ''}"
    return f"a list, each {said}" if category.many else f"{said}, or null"


def mapping(categories: Categories) -> dict[str, Any]:
    """The categories as properties of the index's mapping, by name."""
    return {name: {"type": categories[name].type} for name in sorted(categories)}


def label(name: str, category: Category) -> str:
    """What a heading calls the category."""
    return category.label or name.replace("_", " ").capitalize()
