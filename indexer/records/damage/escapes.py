r"""Finds and decodes escapes that a program wrote into a text and none read. Pure.

Those of JSON and SQL ("\n", "\u2019") are what an export of an export leaves, those of mail
("=E2=80=99", "=" at the end of a line) a message that was pasted as it was sent. "live\nstream" has
the word "nstream". Backslashes that people write are none: "and\or", "y\n", "C:\new".
"""

from __future__ import annotations

import re
from typing import Final

from indexer.records.damage.windows_characters import WINDOWS_CHARACTERS

#: A path of Windows, whose backslashes escape nothing.
_PATH: Final = r"(?<!\S)[\"'(\[]?(?:[A-Za-z]:|\\)\\[^\\\s]\S*"

# Quotation marks, bullets, accented capitals, and the letters of other alphabets.
_OTHER_STARTS: Final = "\u2018-\u201d\u2022\u00c0-\u00de\u0370-\u1fff"

# After a single letter "\n" may be a choice ("y\n"), and before a small letter the next word may
# begin with it ("his\niece"), unless no word begins so ("\nsnapchat").
# Each begins with its sign, to which the engine skips.
_CERTAIN: Final = (
    r"\\(?:r\\n|u[0-9a-fA-F]{4}|x[89a-fA-F][0-9a-fA-F]"
    rf"|(?<!\b[A-Za-z]\\)(?<!\\\\)(?:[nrt](?=[A-Z0-9\s\\\"'{_OTHER_STARTS}-])"
    r"|n(?=[bcdfghj-np-tv-xz])|r(?=[bcdfgj-np-tv-xz])|t(?=[bcdfgj-np-qsvxz])))"
)

_CERTAIN_BACKSLASH: Final = re.compile(_CERTAIN)

_PATH_OR_BACKSLASH: Final = re.compile(rf"{_PATH}|({_CERTAIN})")

_BACKSLASH: Final = re.compile(
    rf"{_PATH}|((?:\\u[0-9a-fA-F]{{4}})+)|\\x([89a-fA-F][0-9a-fA-F])|\\([nrtbf\"'/\\])"
)

# In a text without a certain one, of a source that writes some; "y\n" stays.
_POSSIBLE: Final = re.compile(rf"{_PATH}|(?<!\b[A-Za-z])(?<!\\)\\([nrt])(?=[a-z\u00df-\u024f])")

_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "", "f": "\n\n"}

_CERTAIN_MAIL: Final = re.compile(
    r"=(?:(?:C[2-9A-F]|D[0-9A-F]|E[0-9A-F]|F[0-4])=[89AB][0-9A-F]"  # two bytes of UTF-8
    r"|0D=0A|[2A]0\r?\n"
    r"|(?<=[a-z]=)9[1-7](?=[a-z])"  # a dash or curly quote of Windows-1252
    r"|(?<=\w=)\r?\n(?=\w))"
)

_MAIL: Final = re.compile(r"=\r?\n|(?:=[0-9A-F]{2})+")


def has_backslash_escapes(text: str) -> bool:
    """Whether a text has escapes of JSON or SQL."""
    return _CERTAIN_BACKSLASH.search(text) is not None and any(
        match[1] for match in _PATH_OR_BACKSLASH.finditer(text)
    )


def may_have_escapes(text: str) -> bool:
    """Whether a text has what may be escapes, or words after a backslash."""
    return "\\n" in text or "\\r" in text or "\\t" in text


def has_mail_escapes(text: str) -> bool:
    """Whether a text has the escapes of a mail (quoted-printable)."""
    return _CERTAIN_MAIL.search(text) is not None


def decode_escapes(text: str) -> str:
    """The text with all escapes decoded; of a text that may have some, line breaks and tabs.

    For texts of a source that is known to write escapes.
    """
    if has_backslash_escapes(text):
        text = _BACKSLASH.sub(_decode_backslash, text)
    else:
        text = _POSSIBLE.sub(lambda match: _CONTROLS.get(match[1], match[0]), text)
    if has_mail_escapes(text):
        text = _MAIL.sub(_decode_mail, text)
    return text


def _decode_backslash(match: re.Match[str]) -> str:
    units, byte, sign = match.groups()
    if units:  # of UTF-16: a character beyond the basic plane has two
        return bytes.fromhex(units.replace("\\u", "")).decode("utf-16-be", "replace")
    if byte:
        return WINDOWS_CHARACTERS.get(int(byte, 16), chr(int(byte, 16)))
    return _CONTROLS.get(sign, sign) if sign else match[0]


def _decode_mail(match: re.Match[str]) -> str:
    if match[0].endswith("\n"):
        return ""
    escaped = bytes.fromhex(match[0].replace("=", ""))
    try:
        return escaped.decode()
    except UnicodeDecodeError:
        return escaped.decode("cp1252", "replace")
