"""The contract of a record: its built-in fields and the categories that a force declares.

docs/records-and-sources.md describes it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from indexer.records.categories import Categories, build_field_type, describe_category_value
from indexer.records.model import CrimeRecord

_EXPECTED_VALUES: Final = {
    "crime_ref": "a reference of 1 to 100 printable characters, in quotes",
    "recorded_on": "a date (expected YYYY-MM-DD)",
    "offence_code": "an offence code of 1 to 40 printable characters, in quotes",
    "narrative": "text, or a list of texts",
    "status": "recorded, cancelled, transferred or deleted",
    "outcome": "an outcome type, a whole number from 1 to 22, or null",
    "victims": "a list of victims",
    "linked": "a list of linked offences",
    "updated_at": "a date and time with a time zone (expected YYYY-MM-DDTHH:MM:SSZ)",
    "victim_ref": "a reference of 1 to 100 printable characters, in quotes, or null",
    "age": "whole years from 0 to 120, or null",
    "sex": "F, M, X, U or null",
}


class RecordContract:
    """What a record may hold: the built-in fields, and the categories a force declares.

    ``expected`` says what the value of each field must be, for messages; ``names`` are the names
    of all fields, including those of victims and links.
    """

    def __init__(self, declared: Categories | None = None) -> None:
        self.categories: Categories = declared or {}
        self.type: type[CrimeRecord] = CrimeRecord
        if self.categories:
            self.type = msgspec.defstruct(  # type: ignore[assignment]
                "CrimeRecord",
                [
                    (name, build_field_type(category), msgspec.field(default_factory=list))
                    if category.many
                    else (name, build_field_type(category), None)
                    for name, category in self.categories.items()
                ],
                bases=(CrimeRecord,),
                forbid_unknown_fields=True,
            )
        self.decode = msgspec.json.Decoder(self.type).decode
        self.expected = _EXPECTED_VALUES | {
            name: describe_category_value(category) for name, category in self.categories.items()
        }
        self.fields: tuple[str, ...] = self.type.__struct_fields__
        self.names = tuple(dict.fromkeys((*self.fields, *_EXPECTED_VALUES)))

    def values(self, record: CrimeRecord) -> dict[str, Any]:
        """The record's values by category, without the categories it has no value for."""
        if not self.categories:
            return {}
        values_by_name = {name: getattr(record, name) for name in self.categories}
        return {
            # A record counts once for a value, even if it lists the value twice.
            name: list(dict.fromkeys(value)) if isinstance(value, list) else value
            for name, value in values_by_name.items()
            if value not in (None, [])
        }


PLAIN_CONTRACT: Final = RecordContract()
