"""Which reader reads which kind of file, and the letter that a file is.

The readers are imported where they are used: the reading process needs one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from queries.drafting.lines.mail_chain import ChainMail, number_mails
from queries.drafting.readers.faults import (
    MAX_BLOCKS,
    MAX_LETTER_BYTES,
    MAX_TEXT_BYTES,
    LetterFault,
    LetterReading,
    UnreadableLetterError,
)

#: The endings of the files that are read, each with the libraries that its reader needs.
LETTER_ENDINGS: Final[dict[str, tuple[str, ...]]] = {
    ".txt": (),
    ".eml": ("lxml",),
    ".msg": ("oxmsg", "lxml"),
    ".docx": ("docx",),
    ".pdf": ("pypdfium2",),
}


def read_letter_bytes(ending: str, data: bytes) -> LetterReading:
    """Read the content of a file. ``ending`` is one of LETTER_ENDINGS.

    Raises UnreadableLetterError.
    """
    if len(data) > MAX_LETTER_BYTES:
        raise UnreadableLetterError(LetterFault.TOO_LONG)
    if ending in (".eml", ".msg"):
        from queries.drafting.readers.mail_file import MailReader

        mail = MailReader(read_document)
        mail.read_file(ending, data)
        return _make_reading(mail.groups, mail.unread)
    unread: list[str] = []
    return _make_reading([read_document(ending, data, unread)], unread)


def read_document(ending: str, data: bytes, unread: list[str]) -> list[ChainMail]:
    """The mails of a file that is no mail itself: a letter, into which mails may be copied. Parts
    of it that no reader reads are added to ``unread``.

    Raises UnreadableLetterError.
    """
    if ending == ".docx":
        from queries.drafting.readers.word_file import read_word_file

        return read_word_file(data, unread)
    if ending == ".pdf":
        from queries.drafting.readers.pdf_file import read_pdf_file

        return read_pdf_file(data)
    from queries.drafting.readers.plain_text import read_plain_file

    return read_plain_file(data)


def _make_reading(groups: Sequence[list[ChainMail]], unread: Sequence[str]) -> LetterReading:
    chain = number_mails(groups)
    if not chain.blocks:
        raise UnreadableLetterError(LetterFault.NO_TEXT)
    length = sum(len(block.text) for block in chain.blocks)
    if len(chain.blocks) > MAX_BLOCKS or length > MAX_TEXT_BYTES:
        raise UnreadableLetterError(LetterFault.TOO_LONG)
    return LetterReading(messages=chain.messages, blocks=chain.blocks, unread=tuple(unread))
