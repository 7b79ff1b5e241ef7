"""Rename or ignore the fields of a source, as [source] of foidex.toml says."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from indexer.errors import ConfigurationError
from indexer.records.categories import Categories
from indexer.records.model import CrimeRecord, Link, Suspect, Victim

#: The lists of a record, each with the fields of its entries.
NESTED_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "victims": Victim.__struct_fields__,
    "suspects": Suspect.__struct_fields__,
    "linked": Link.__struct_fields__,
}

_TARGET_FIELDS: Final = (
    *CrimeRecord.__struct_fields__,
    *(f"{outer}.{inner}" for outer, fields in NESTED_FIELDS.items() for inner in fields),
)


def list_target_fields() -> tuple[str, ...]:
    """The fields of a record, and those of its lists ("victims.age")."""
    return _TARGET_FIELDS


class FieldMap(Struct, frozen=True):
    """The fields of a source and the fields of a record.

    ``renamed`` maps a source's name to that of the record; both may be of an inner field, such as
    "victims.age". ``ignored`` are names of the source to leave out. ``categories`` are the fields
    that the force declares beside the built-in ones.
    """

    renamed: dict[str, str] = {}
    ignored: frozenset[str] = frozenset()
    categories: Categories = {}

    @property
    def plain(self) -> bool:
        """Whether no field is renamed or ignored."""
        return not self.renamed and not self.ignored

    def target_name(self, source_name: str, parent: str = "") -> str | None:
        """The record's name of a source's field, or None if it is ignored."""
        full_name = f"{parent}.{source_name}" if parent else source_name
        if full_name in self.ignored:
            return None
        return self.renamed.get(full_name, full_name).rpartition(".")[2]

    def apply(self, raw: Any, parent: str = "") -> Any:
        """A source's record under our names; anything but an object is returned unchanged."""
        if not isinstance(raw, dict):
            return raw
        record: dict[str, Any] = {}
        for source_name, value in raw.items():
            name = self.target_name(source_name, parent)
            if name is None:
                continue
            if not parent and name in NESTED_FIELDS and isinstance(value, list):
                value = [self.apply(part, name) for part in value]  # noqa: PLW2901
            # Two fields under one name become an unknown field, so that neither is lost.
            record[f"{name} twice" if name in record else name] = value
        return record


EMPTY_FIELD_MAP: Final = FieldMap()


def build_field_map(
    fields: dict[str, str], ignored: tuple[str, ...], categories: Categories | None = None
) -> FieldMap:
    """Build the map from [source] of foidex.toml. Raises ConfigurationError.

    ``fields`` maps our names to those of the source.
    """
    field_names = (*_TARGET_FIELDS, *(categories or {}))
    for name in fields:
        if name not in field_names:
            raise ConfigurationError(
                f'source.fields has "{name}", which is not a field of a record. The fields are '
                f"{', '.join(field_names)}."
            )
    renamed: dict[str, str] = {}
    for name, source_name in fields.items():
        outer = name.rpartition(".")[0]
        full_name = f"{outer}.{source_name}" if outer else source_name
        if full_name in renamed:
            raise ConfigurationError(
                f'source.fields maps both "{renamed[full_name]}" and "{name}" to "{source_name}". '
                "Keep one."
            )
        renamed[full_name] = name
    if duplicates := sorted(set(ignored) & set(renamed)):
        raise ConfigurationError(
            f'source.ignore and source.fields both name "{duplicates[0]}". Keep one.'
        )
    return FieldMap(renamed, frozenset(ignored), categories or {})
