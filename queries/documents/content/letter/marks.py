"""What stands on every page of a document that must not be sent or published as it is. Pure."""

from __future__ import annotations

from typing import Final

from indexer.config.model import ForceSettings
from queries.answer.types import Answer

DRAFT: Final = "DRAFT: not to be sent. Details of the force are missing."

SMALL_NUMBERS: Final = "NOT FOR PUBLICATION: small numbers are not withheld."

UNCHECKED: Final = "NOT FOR PUBLICATION: written without --publish."


def describe_draft(force: ForceSettings) -> str:
    """The mark of a letter that lacks details of the force; empty if it has them."""
    return DRAFT if force.missing_keys else ""


def describe_marks(answer: Answer, force: ForceSettings) -> str:
    """The marks of an answer that is not for publication, in one line; empty if it may be
    published."""
    if answer.disclosure is not None:
        return ""
    has_numbers = bool(answer.questions or answer.reading_limit)
    return f"{describe_draft(force)} {SMALL_NUMBERS if has_numbers else UNCHECKED}".strip()
