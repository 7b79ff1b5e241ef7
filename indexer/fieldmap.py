"""The names of a source's fields as ours: renamed or ignored as foidex.toml says. Pure."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from indexer import records
from indexer.categories import Categories
from indexer.errors import ConfigurationError

_INSIDE: Final[dict[str, tuple[str, ...]]] = {
    "victims": records.Victim.__struct_fields__,
    "linked": records.Link.__struct_fields__,
}
_OURS: Final = (
    *records.CrimeRecord.__struct_fields__,
    *(f"{outer}.{inner}" for outer, fields in _INSIDE.items() for inner in fields),
)


class FieldMap(Struct, frozen=True):
    """``renamed`` maps their name to ours, of a record's fields and ("victims.age") of inner ones;
    ``ignored`` are their names to leave out, ``categories`` what a record has beside ours."""

    renamed: dict[str, str] = {}
    ignored: frozenset[str] = frozenset()
    categories: Categories = {}

    @property
    def plain(self) -> bool:
        """Whether there is nothing to do."""
        return not self.renamed and not self.ignored

    def ours(self, theirs: str, inside: str = "") -> str | None:
        """Our name of a field, or None where it is ignored."""
        full = f"{inside}.{theirs}" if inside else theirs
        if full in self.ignored:
            return None
        return self.renamed.get(full, full).rpartition(".")[2]

    def apply(self, raw: Any, inside: str = "") -> Any:
        """A record of their names as one of ours; what is no object is left as it is."""
        if not isinstance(raw, dict):
            return raw
        found: dict[str, Any] = {}
        for theirs, value in raw.items():
            name = self.ours(theirs, inside)
            if name is None:
                continue
            if not inside and name in _INSIDE and isinstance(value, list):
                value = [self.apply(one, name) for one in value]  # noqa: PLW2901
            # Two of theirs under one name of ours: an unknown field, so that neither is lost.
            found[f"{name} twice" if name in found else name] = value
        return found


PLAIN: Final = FieldMap()


def of(
    fields: dict[str, str], ignored: tuple[str, ...], categories: Categories | None = None
) -> FieldMap:
    """Read the configuration's ``fields`` (ours to theirs). Raises ConfigurationError."""
    known = (*_OURS, *(categories or {}))
    for name in fields:
        if name not in known:
            raise ConfigurationError(
                f'source.fields has "{name}", which is no field of a record. The fields are '
                f"{', '.join(known)}."
            )
    renamed: dict[str, str] = {}
    for name, theirs in fields.items():
        outer = name.rpartition(".")[0]
        full = f"{outer}.{theirs}" if outer else theirs
        if full in renamed:
            raise ConfigurationError(
                f'source.fields gives "{theirs}" as both "{renamed[full]}" and "{name}". Keep one.'
            )
        renamed[full] = name
    if both := sorted(set(ignored) & set(renamed)):
        raise ConfigurationError(
            f'source.ignore and source.fields both name "{both[0]}". Keep one.'
        )
    return FieldMap(renamed, frozenset(ignored), categories or {})
