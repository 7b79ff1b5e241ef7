"""The part of a request that only its letter uses."""

from __future__ import annotations

from datetime import date

from msgspec import Struct


class LetterSpec(Struct, frozen=True, forbid_unknown_fields=True, rename={"request_text": "asked"}):
    """What the letter says about the request itself; every field is optional."""

    to: str = ""
    received: date | None = None
    request_text: str = ""
    clarified: str = ""
