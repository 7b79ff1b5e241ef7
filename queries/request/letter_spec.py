"""The parts of a request that only its letter uses."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from queries.questions.base import QuestionId

#: Words of the officer, which must not be empty.
Statement = Annotated[str, Meta(pattern=r"\S")]


class LetterSpec(Struct, frozen=True, forbid_unknown_fields=True, rename={"request_text": "asked"}):
    """What the letter says about the request itself; every field is optional."""

    to: str = ""
    received: date | None = None
    request_text: str = ""
    clarified: str = ""


class UncoveredSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the request that has no numbers, and why, in the officer's words."""

    id: QuestionId
    not_covered: Statement
    text: str = ""
