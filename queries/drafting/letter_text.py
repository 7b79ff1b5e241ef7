"""A letter as its readers leave it: blocks of text in order, whatever file it came in."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Struct


class BlockKind(StrEnum):
    """What a block of a letter is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"  # of a list, numbered or not
    ROW = "row"  # of a table, its cells apart by tabs


class LetterBlock(Struct, frozen=True, kw_only=True):
    """A paragraph, an item of a list or a row of a table, its lines joined.

    ``number`` is the number or letter of an item, as printed ("3.", "(a)"), even if a word
    processor made it and the text does not hold it. None for a bullet and for a paragraph.
    ``level`` counts from 0 how deep an item is. ``message`` tells the mails of a chain apart:
    0 is the newest.
    """

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    number: str | None = None
    level: int = 0
    message: int = 0


class LetterMessage(Struct, frozen=True, kw_only=True):
    """A mail of a chain, or the letter itself: who sent it, when, and about what, as far as it
    says so. ``quoted`` if it stands below another one as a quotation.

    ``sender`` is a name ("Ffion Prydderch", even if the header turns it round), or the address
    where there is no name; ``address`` is the address of a mail.
    """

    sender: str | None = None
    address: str | None = None
    sent: date | None = None
    subject: str | None = None
    quoted: bool = False


class LetterText(Struct, frozen=True, kw_only=True):
    """A letter: its mails, newest first, and their blocks in the order of the file.

    Signatures, disclaimers and greetings are blocks too; what they are is decided later. The lines
    at the head of a mail (From, Sent, To, Subject) are no blocks. The text of an attachment follows
    that of its mail; ``unread_attachments`` are the endings of those that are not read (".png"),
    and what stands for a part of the letter that is not.
    ``sha256`` is the hash of the file.
    """

    file_name: str
    messages: tuple[LetterMessage, ...]
    blocks: tuple[LetterBlock, ...]
    unread_attachments: tuple[str, ...] = ()
    sha256: str = ""
