"""The encoding of a text: UTF-8 if every byte is, UTF-16 by its mark, and else Windows-1252.

Nothing is guessed from the content: libraries that do were measured, and take Windows-1252 for
encodings that nobody has used for thirty years.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import IO, Final

from msgspec import Struct

from indexer.errors import SourceError

#: Small, since a block that is ASCII is known as UTF-8 at once.
_BLOCK_BYTES: Final = 8 * 1024

_ASCII: Final = bytes(range(128))

_CODECS: Final = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252"}

_UTF8_MARK: Final = b"\xef\xbb\xbf"

_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")

OpenBytes = Callable[[], IO[bytes]]


class TextEncoding(Struct, frozen=True):
    """``name`` is that of foidex.toml, ``codec`` Python's, ``evidence`` says how it is known.

    ``mixed`` is true where a part of the text is UTF-8 and another is not.
    """

    name: str
    evidence: str
    mixed: bool = False

    @property
    def codec(self) -> str:
        """Python's name of it."""
        return _CODECS[self.name]


def detect_encoding(path: str, open_bytes: OpenBytes) -> TextEncoding:
    """The encoding of a whole text. Raises SourceError for one that is none of the three."""
    with open_bytes() as stream:
        mark = stream.read(4)
    if mark.startswith(_UTF16_MARKS):
        if mark == b"\xff\xfe\0\0":
            raise SourceError(f"{path}: is UTF-32 text. Save it as UTF-8.")
        return TextEncoding("utf-16", "it begins with the mark of UTF-16")
    position, beyond_ascii, has_nulls = _check_utf8(open_bytes)
    if has_nulls:
        raise SourceError(
            f"{path}: has null characters, as UTF-16 without its mark has, or a file that is not "
            "text. Save it as CSV UTF-8."
        )
    if position is None:
        marked = "it begins with the mark of UTF-8, and " if mark.startswith(_UTF8_MARK) else ""
        extent = f"{beyond_ascii:,} characters beyond ASCII" if beyond_ascii else "all of it ASCII"
        return TextEncoding("utf-8", f"{marked}every byte is valid UTF-8 ({extent})")
    if mark.startswith(_UTF8_MARK):
        raise SourceError(
            f"{path}: begins with the mark of UTF-8, but byte {position:,} is not UTF-8. Export "
            "it again."
        )
    valid_count, invalid_count = _count_sequences(path, open_bytes)
    evidence = (
        f"byte {position:,} is not UTF-8, there is no mark of UTF-16, and all "
        f"{invalid_count + valid_count:,} other signs are characters of Windows-1252"
    )
    return TextEncoding("windows-1252", evidence, mixed=valid_count > 0)


def check_encoding(path: str, open_bytes: OpenBytes, name: str) -> TextEncoding:
    """The encoding that the profile names. Raises SourceError if the text is plainly another's."""
    detected = detect_encoding(path, open_bytes)
    if detected.name != name and not (detected.evidence.endswith("(all of it ASCII)")):
        allowed = detected.mixed and name == "windows-1252"
        if not allowed and not (name == "windows-1252" and detected.name == "windows-1252"):
            raise SourceError(
                f"{path}: is {detected.name} ({detected.evidence}), and [source.profile] says "
                f'encoding = "{name}". Export it as before, or correct the profile.'
            )
    return TextEncoding(name, detected.evidence)


def _check_utf8(open_bytes: OpenBytes) -> tuple[int | None, int, bool]:
    """The first byte that is not UTF-8, from 1, or None; the number of characters beyond ASCII, and
    whether there are null characters."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = beyond_ascii = 0
    with open_bytes() as stream:
        while True:
            block = stream.read(_BLOCK_BYTES)
            if b"\0" in block:
                return None, 0, True
            pending = len(decoder.getstate()[0])
            if pending or not block or not block.isascii():
                try:
                    text = decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    return position - pending + error.start + 1, 0, False
                beyond_ascii += len(text) - len(block) + len(block.translate(None, _ASCII))
            position += len(block)
            if not block:
                return None, beyond_ascii, False


def _count_sequences(path: str, open_bytes: OpenBytes) -> tuple[int, int]:
    """How many signs beyond ASCII are UTF-8, and how many bytes are not. Raises SourceError for a
    byte that Windows-1252 does not have either."""
    utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    valid_count = invalid_count = 0
    with open_bytes() as stream:
        while True:
            block = stream.read(_BLOCK_BYTES)
            if b"\0" in block:
                raise SourceError(
                    f"{path}: has null characters, so it is not text. Save it as CSV UTF-8."
                )
            try:
                block.decode("cp1252")
            except UnicodeDecodeError as error:
                raise SourceError(
                    f"{path}: is neither UTF-8 nor Windows-1252 (byte {block[error.start]:#04x}), "
                    "and has no mark of UTF-16. Save it as CSV UTF-8."
                ) from None
            text = utf8.decode(block, final=not block)
            if not text.isascii():
                escaped = sum("\udc80" <= character <= "\udcff" for character in text)
                invalid_count += escaped
                valid_count += len(text) - len(text.encode("ascii", "ignore")) - escaped
            if not block:
                return valid_count, invalid_count
