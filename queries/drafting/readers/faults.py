"""What may be wrong with the file of a letter, and how much of one is read."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from queries.drafting.letter_text import LetterBlock, LetterMessage

#: The largest file that is read: a mail with its attachments.
MAX_LETTER_BYTES: Final = 40_000_000

#: The most that a text, an HTML text or the text of a Word file may hold.
MAX_TEXT_BYTES: Final = 5_000_000

#: The most that all parts of a Word file may unpack to.
MAX_UNPACKED_BYTES: Final = 200_000_000

MAX_PAGES: Final = 200

MAX_BLOCKS: Final = 20_000

#: How deep a mail may be in a mail, and a part in a part.
MAX_MAIL_DEPTH: Final = 5

MAX_PART_DEPTH: Final = 20

MAX_MAIL_PARTS: Final = 500


class LetterFault(StrEnum):
    """Why a letter cannot be read."""

    DAMAGED = "damaged"
    PROTECTED = "protected"
    NO_TEXT = "no text"
    SCAN = "scan"
    ENCODING = "encoding"
    RICH_TEXT = "rich text"
    TOO_DEEP = "too deep"
    TOO_LONG = "too long"
    TOO_MANY_PAGES = "too many pages"


class UnreadableLetterError(Exception):
    """A letter cannot be read. Only between a reader and the process that it runs in."""

    def __init__(self, fault: LetterFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class LetterReading(Struct, frozen=True, kw_only=True):
    """What the reading process sends: a letter, or what is wrong with its file."""

    fault: LetterFault | None = None
    messages: tuple[LetterMessage, ...] = ()
    blocks: tuple[LetterBlock, ...] = ()
    unread: tuple[str, ...] = ()
