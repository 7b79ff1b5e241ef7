"""What a force calls one of its records in documents: an offence, an incident, a call."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

NOUN_WORD: Final = r"^[a-z][a-z' -]{0,39}$"

_NounWord = Annotated[str, Meta(pattern=NOUN_WORD)]


class Noun(Struct, frozen=True, forbid_unknown_fields=True):
    """A noun in the singular and the plural, in small letters."""

    singular: _NounWord
    plural: _NounWord

    @property
    def kind_of_record(self) -> str:
        """What a letter calls the records: crime records, incident records."""
        return "crime" if self == OFFENCE else self.singular


#: What documents say unless a force says otherwise.
OFFENCE: Final = Noun("offence", "offences")
