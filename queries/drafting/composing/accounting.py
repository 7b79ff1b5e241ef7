"""The last check of a draft: each part of the letter is in it, and no sentence was lost."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from queries.drafting.composing.confirming import (
    NOT_UNDERSTOOD,
    confirm_part,
    confirm_sentence,
)
from queries.drafting.draft import Draft, DraftPart
from queries.drafting.structure.parts import LetterPart


def add_missing_parts(
    draft: Draft, letter_parts: Sequence[LetterPart], unread: Sequence[str] = ()
) -> Draft:
    """The draft, with a confirmation for each part that no rule took, and for sentences of later
    mails that were taken by none."""
    drafted = {part.number: part for part in draft.parts}
    parts: list[DraftPart] = []
    confirmations = list(draft.confirmations)
    for letter_part in letter_parts:
        part = drafted.get(letter_part.number)
        if part is None or not is_accounted_for(part):
            part = DraftPart(
                number=letter_part.number,
                text=letter_part.quotation,
                gap="other",
                why="This part was not understood.",
            )
            confirmations.append(confirm_part(part, NOT_UNDERSTOOD))
        parts.append(part)
    confirmations += [confirm_sentence(sentence) for sentence in unread]
    if not parts:
        confirmations.append(confirm_sentence(draft.head.subject or "The letter"))
    return replace(draft, parts=tuple(parts), confirmations=tuple(confirmations))


def is_accounted_for(part: DraftPart) -> bool:
    """Whether a part is a question, says why it is none, or is taken back."""
    return bool(part.fields or part.why or part.withdrawn)
