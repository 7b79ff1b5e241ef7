"""Loads ``mappings/`` strictly: the index's settings and mapping, and their hash."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from indexer.errors import ConfigurationError
from indexer.records.categories import CATEGORIES_FIELD, Categories, build_category_mapping
from indexer.resources import find_data_folder
from indexer.validation_errors import (
    describe_violation,
    parse_json_error,
    parse_validation_error,
)

_MAPPING_FILE: Final = "crimes.json"


#: Fields of suspects, whom generations of earlier versions do not hold.
SUSPECT_FIELDS: Final = frozenset(
    ("suspects", "suspects.suspect_ref", "suspects.age", "suspects.sex")
)

#: Fields that generations of earlier versions lack, and that no other count needs.
ADDED_FIELDS: Final = frozenset(("damage", "repaired")) | SUSPECT_FIELDS


class IndexSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings and mappings that a generation's index is created with."""

    settings: dict[str, Any]
    mappings: dict[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 of settings and mapping in canonical form, in hexadecimal."""
        canonical = msgspec.json.encode(self, order="deterministic")
        return hashlib.sha256(canonical).hexdigest()


@cache
def load_index_schema(folder: Path | None = None) -> IndexSchema:
    """The schema that ships with foidex, or that of another folder.

    Raises ConfigurationError where the file is missing or invalid, or would let an unknown field
    into the index.
    """
    path = (folder or find_data_folder("mappings")) / _MAPPING_FILE
    try:
        schema = msgspec.json.decode(path.read_bytes(), type=IndexSchema)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}). Install foidex again."
        ) from None
    except msgspec.ValidationError as error:
        violation = parse_validation_error(error)
        raise ConfigurationError(
            f'{path}: "{violation.location or "the whole file"}": {describe_violation(violation)}. '
            "Correct the file."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        byte = parse_json_error(error).byte
        location = "" if byte is None else f" (at byte {byte})"
        raise ConfigurationError(f"{path}: is not JSON{location}. Correct the file.") from None
    for name, mapping in _list_object_mappings("", schema.mappings):
        strict = mapping.get("dynamic", "strict" if name else None)
        if strict != "strict":
            location = f'"{name}"' if name else "the mapping"
            raise ConfigurationError(f'{path}: {location} must be "dynamic": "strict". Correct it.')
    return schema


def add_category_fields(schema: IndexSchema, declared_categories: Categories) -> IndexSchema:
    """The schema with the categories that a force declared."""
    if not declared_categories:
        return schema
    category_mapping = {
        CATEGORIES_FIELD: {"properties": build_category_mapping(declared_categories)}
    }
    properties = {**schema.mappings["properties"], **category_mapping}
    return IndexSchema(schema.settings, {**schema.mappings, "properties": properties})


def list_mapping_fields(mappings: dict[str, Any]) -> set[str]:
    """The names of all fields of a mapping; nested ones by their dotted paths."""
    objects = [
        (name, mapping["properties"])
        for name, mapping in _list_object_mappings("", mappings)
        if "properties" in mapping
    ]
    return {
        f"{name}.{field}" if name else field for name, properties in objects for field in properties
    }


def _list_object_mappings(name: str, mapping: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    objects = [(name, mapping)]
    for key, value in mapping.get("properties", {}).items():
        if "properties" in value:
            objects += _list_object_mappings(f"{name}.{key}" if name else key, value)
    return objects
