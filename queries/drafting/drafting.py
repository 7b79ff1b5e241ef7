"""From a letter as its readers leave it to a draft: nothing is invented, and nothing is dropped.

Deterministic and offline: rules alone, each of which has a module and tests of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from indexer.errors import LetterError
from queries.drafting.composing.accounting import add_missing_parts
from queries.drafting.composing.doubts import list_scope_doubts
from queries.drafting.composing.parts import PartDrafter
from queries.drafting.composing.reading import (
    PartReading,
    add_lead,
    read_context,
    read_part,
)
from queries.drafting.composing.scope import apply_clarification, find_scope, find_victim
from queries.drafting.draft import Draft
from queries.drafting.letter_text import LetterText
from queries.drafting.request_mapping import build_request_mapping
from queries.drafting.structure.clarifications import merge_outlines
from queries.drafting.structure.head import find_head
from queries.drafting.structure.mails import read_request_mails
from queries.drafting.structure.numbering import LetterPassage
from queries.drafting.structure.outline import build_outline
from queries.drafting.structure.parts import number_apart

#: The most that a letter may have; a page has about 3,000.
MAX_CHARACTERS: Final = 200_000


def require_length(letter: LetterText) -> None:
    """Raise LetterError for a text too long to be a letter."""
    if sum(len(block.text) for block in letter.blocks) > MAX_CHARACTERS:
        raise LetterError(
            f"{letter.file_name}: has more than {MAX_CHARACTERS:,} characters, which is too long "
            "for a letter. Copy the request into a .txt file."
        )


def draft_request(letter: LetterText) -> Draft:
    """The draft of a letter. Each part is a question, a part without figures, or taken back; what
    is not certain is a confirmation. Raises LetterError for a text too long to be a letter."""
    require_length(letter)
    mails = read_request_mails(letter)
    head = find_head(letter, mails)
    request_day = head.received
    outlines = [build_outline(mail) for mail in mails]
    outline, change = merge_outlines(outlines, request_day)
    outline = replace(outline, parts=number_apart(outline.parts))
    own_readings = [read_part(part, request_day) for part in outline.parts]
    stems = _list_common_stems(own_readings)
    passages = [
        *outline.context,
        *(LetterPassage(stem) for stem in stems if stem not in _list_texts(outline.context)),
    ]
    context = [read_context(passage, request_day) for passage in passages]
    texts = {line for passage in passages for line in passage.text.split("\n")}
    readings = [add_lead(reading, texts, request_day) for reading in own_readings]
    written_scope = find_scope(context, readings)
    scope = apply_clarification(written_scope, change)
    drafter = PartDrafter(scope, change.withdrawn, written_scope.periods)
    parts = [part for reading in readings for part in drafter.draft_part(reading)]
    confirmations = [
        *list_scope_doubts(head, scope, context, readings),
        *drafter.confirmations,
    ]
    draft = Draft(
        head=head,
        periods=scope.draft_periods,
        mentions=scope.mentions,
        offences=drafter.offences,
        groups=drafter.groups,
        victim=find_victim(context),
        parts=tuple(parts),
        confirmations=tuple(confirmations),
    )
    return add_missing_parts(draft, outline.parts, change.unread)


def draft_mapping(letter: LetterText) -> dict[str, Any]:
    """The draft of a letter as the mapping of a request file."""
    return build_request_mapping(draft_request(letter))


def _list_texts(context: Sequence[LetterPassage]) -> set[str]:
    return {passage.text for passage in context}


def _list_common_stems(readings: Sequence[PartReading]) -> list[str]:
    """The words above parts that lead to every part that is counted: they hold for all."""
    stems = dict.fromkeys(reading.part.stem for reading in readings if reading.part.stem)
    counted = [reading.part.stem for reading in readings if not reading.is_gap]
    return [stem for stem in stems if all(other.startswith(stem) for other in counted)]
