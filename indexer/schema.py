"""The strict loader of ``mappings/``: the index's settings and mapping, and their hash."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from indexer import categories, resources
from indexer.categories import Categories
from indexer.errors import ConfigurationError

_FILE: Final = "crimes.json"


class Schema(Struct, frozen=True, forbid_unknown_fields=True):
    """What a generation is created with: the two halves of an index body."""

    settings: dict[str, Any]
    mappings: dict[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 of settings and mapping in canonical form, in hexadecimal."""
        canonical = msgspec.json.encode(self, order="deterministic")
        return hashlib.sha256(canonical).hexdigest()


@cache
def load(folder: Path | None = None) -> Schema:
    """Read the schema.

    Raises ConfigurationError where the file is missing, is not what it should be, or would let
    an unknown field into the index.
    """
    path = (folder or resources.folder("mappings")) / _FILE
    try:
        schema = msgspec.json.decode(path.read_bytes(), type=Schema)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}). Install foidex again."
        ) from None
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{path}: {error}. Correct the file.") from None
    for name, mapping in _objects("", schema.mappings):
        strict = mapping.get("dynamic", "strict" if name else None)
        if strict != "strict":
            where = f'"{name}"' if name else "the mapping"
            raise ConfigurationError(f'{path}: {where} must be "dynamic": "strict". Correct it.')
    return schema


def declared(schema: Schema, named: Categories) -> Schema:
    """The schema with a force's own categories."""
    if not named:
        return schema
    own = {categories.FIELD: {"properties": categories.mapping(named)}}
    properties = {**schema.mappings["properties"], **own}
    return Schema(schema.settings, {**schema.mappings, "properties": properties})


def fields(mappings: dict[str, Any]) -> set[str]:
    """The names of all fields of a mapping, those inside others by their paths."""
    inside = [(name, of["properties"]) for name, of in _objects("", mappings) if "properties" in of]
    return {f"{name}.{field}" if name else field for name, own in inside for field in own}


def _objects(name: str, mapping: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = [(name, mapping)]
    for key, value in mapping.get("properties", {}).items():
        if "properties" in value:
            found += _objects(f"{name}.{key}" if name else key, value)
    return found
