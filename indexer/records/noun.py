"""What a force calls one of its records in documents: an offence, an incident, a call."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

NOUN_WORD: Final = r"^[a-z][a-z' -]{0,39}$"

_NounWord = Annotated[str, Meta(pattern=NOUN_WORD)]


class Noun(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A noun in the singular and the plural, in small letters; ``kind`` is what the force calls
    the codes of its records, such as "call type"."""

    singular: _NounWord
    plural: _NounWord
    kind: _NounWord | None = None

    @property
    def kind_of_record(self) -> str:
        """What a letter calls the records: crime records, incident records."""
        return "crime" if self.singular == OFFENCE.singular else self.singular

    @property
    def classification(self) -> str:
        """What a letter calls the codes of the records: type of incident."""
        return self.kind or f"type of {self.singular}"


#: What documents say unless a force says otherwise.
OFFENCE: Final = Noun("offence", "offences")
