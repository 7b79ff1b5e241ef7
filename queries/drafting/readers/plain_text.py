"""Letters as plain text, and the encoding of any text."""

from __future__ import annotations

import codecs
from typing import Final

from queries.drafting.lines.line import split_plain_lines
from queries.drafting.lines.mail_chain import ChainMail, read_mails
from queries.drafting.readers.faults import MAX_TEXT_BYTES, LetterFault, UnreadableLetterError

_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

#: Names that programs give to what is often something else; the bytes decide.
_UNSURE_NAMES: Final = ("ascii", "iso8859-1", "utf-8")


def read_plain_file(data: bytes) -> list[ChainMail]:
    """The mails of a text file. Raises UnreadableLetterError."""
    check_length(data)
    return read_mails(split_plain_lines(decode_text(data)))


def check_length(data: bytes | str) -> None:
    """Raise UnreadableLetterError for a text too long to be a letter."""
    if len(data) > MAX_TEXT_BYTES:
        raise UnreadableLetterError(LetterFault.TOO_LONG)


def decode_text(data: bytes, charset: str = "") -> str:
    """A text: UTF-16 by its mark, the encoding that is named, UTF-8, or else Windows-1252.

    Raises UnreadableLetterError for bytes that are none of these.
    """
    if data.startswith(_UTF16_MARKS):
        return _decode(data, "utf-16")
    name = _find_codec(charset)
    if name:
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            pass
    if b"\0" in data:
        raise UnreadableLetterError(LetterFault.ENCODING)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode(data, "cp1252")


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        raise UnreadableLetterError(LetterFault.ENCODING) from None


def _find_codec(charset: str) -> str:
    """Python's name of an encoding; empty for one that is unknown, or not to be relied on."""
    try:
        name = codecs.lookup(charset).name
        "".encode(name)
    except (LookupError, ValueError):  # the second is not an encoding of text
        return ""
    return "" if name in _UNSURE_NAMES else name
