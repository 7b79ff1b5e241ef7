"""Categories that a force declares in foidex.toml: fields of its own records to count by.

A category is as strict as a built-in field: it has a type, may have a closed list of values, and
is part of the mapping. An answer that needs it from a generation without it fails.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Optional

from msgspec import Meta, Struct

from indexer.errors import ConfigurationError
from indexer.records.model import PRINTABLE

CATEGORIES_FIELD: Final = "categories"

_MAX_VALUE_LENGTH: Final = 100

#: The most categories. Each is a field of the index, of which a server takes 1,000 in all.
MAX_CATEGORIES: Final = 500

_MIN_INTEGER, _MAX_INTEGER = -(2**31), 2**31 - 1

CATEGORY_NAME: Final = r"^[a-z][a-z0-9_]{0,39}$"

CategoryName = Annotated[str, Meta(pattern=CATEGORY_NAME)]

CategoryValue = Annotated[str, Meta(min_length=1, max_length=_MAX_VALUE_LENGTH)]

# Stricter than CategoryValue, which earlier versions declared and their answers hold.
_RecordValue = Annotated[str, Meta(min_length=1, max_length=_MAX_VALUE_LENGTH, pattern=PRINTABLE)]

CategoryType = Literal["keyword", "integer", "boolean"]


class Category(Struct, frozen=True, forbid_unknown_fields=True):
    """One category. ``values`` are all that a keyword may have; ``many`` allows a list of them."""

    type: CategoryType = "keyword"
    label: str = ""
    many: bool = False
    values: Annotated[tuple[CategoryValue, ...], Meta(max_length=1000)] = ()


Categories = dict[str, Category]

_VALUE_TYPES: Final[dict[CategoryType, Any]] = {
    "keyword": _RecordValue,
    "integer": Annotated[int, Meta(ge=_MIN_INTEGER, le=_MAX_INTEGER)],
    "boolean": bool,
}

_TYPE_DESCRIPTIONS: Final[dict[CategoryType, str]] = {
    "keyword": f"text of 1 to {_MAX_VALUE_LENGTH} printable characters",
    "integer": "a whole number",
    "boolean": "true or false",
}


def check_categories(categories: Categories, field_names: tuple[str, ...]) -> None:
    """Raise ConfigurationError for too many categories, one named like a field, or with wrong
    ``values``.

    ``field_names`` are the names of the built-in fields.
    """
    if len(categories) > MAX_CATEGORIES:
        raise ConfigurationError(
            f"[categories] declares {len(categories):,} categories, and {MAX_CATEGORIES:,} is the "
            "most. Remove those that nobody counts by."
        )
    for name, category in categories.items():
        if name in field_names:
            raise ConfigurationError(
                f'[categories.{name}]: "{name}" is a field of every record, so it needs no '
                "category. Remove the section, or choose another name."
            )
        if category.values and category.type != "keyword":
            raise ConfigurationError(
                f'[categories.{name}] lists values, which only the type "keyword" has. Remove '
                "values, or the type."
            )
        for number, value in enumerate(category.values, start=1):
            if not re.search(PRINTABLE, value):
                raise ConfigurationError(
                    f"[categories.{name}]: value {number} of values has a control character, such "
                    "as a line break or a tab. Remove it."
                )


def build_field_type(category: Category) -> Any:
    """The msgspec type of the category's field in a record."""
    value_type = (
        Literal.__getitem__(category.values) if category.values else _VALUE_TYPES[category.type]
    )
    return list.__class_getitem__(value_type) if category.many else Optional.__getitem__(value_type)


def describe_category_value(category: Category, nothing: str = "null") -> str:
    """What a value must be, for a message; ``nothing`` is what stands for none."""
    description = _TYPE_DESCRIPTIONS[category.type]
    if category.values:
        value_list = ", ".join(category.values[:12])
        description = f"one of {value_list}{', ...' if len(category.values) > 12 else ''}"
    return f"a list, each {description}" if category.many else f"{description}, or {nothing}"


def build_category_mapping(categories: Categories) -> dict[str, Any]:
    """The categories as properties of the index's mapping, by name."""
    return {name: {"type": categories[name].type} for name in sorted(categories)}


def label_category(name: str, category: Category) -> str:
    """The category's name in headings."""
    return category.label or name.replace("_", " ").capitalize()
