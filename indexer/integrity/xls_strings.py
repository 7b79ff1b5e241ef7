"""The table of shared strings of an XLS: how many characters each has.

A string may go on in the record that follows; see [MS-XLS] 2.5.293, XLUnicodeRichExtendedString.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import unpack_from
from typing import Final

from indexer.integrity.damage import DamageError

_WIDE: Final = 0x01

_EXTENDED: Final = 0x04

_RICH: Final = 0x08

_UNUSED_FLAGS: Final = 0xF2


def measure_shared_strings(chunks: Sequence[bytes]) -> list[int]:
    """The lengths of the strings, from the SST record and those that continue it.

    Raises DamageError unless they fill these records exactly.
    """
    try:
        return _StringTable(chunks).measure()
    except (IndexError, ValueError) as error:
        raise DamageError(f"strings: {error}") from None


class _StringTable:
    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._rest = list(reversed(chunks))
        self._chunk, self._position = self._rest.pop(), 0

    def measure(self) -> list[int]:
        if len(self._chunk) < 8:
            raise DamageError("the table of strings has no head")
        (count,) = unpack_from("<I", self._chunk, 4)
        self._position = 8
        lengths = [self._measure_string() for _ in range(count)]
        if self._rest or self._position != len(self._chunk):
            raise DamageError("bytes follow the last string")
        return lengths

    def _measure_string(self) -> int:
        if self._position == len(self._chunk):
            self._continue()
        length, flags = unpack_from("<HB", self._take(3))
        if flags & _UNUSED_FLAGS:
            raise DamageError("a string has unknown flags")
        runs = unpack_from("<H", self._take(2))[0] if flags & _RICH else 0
        extension = unpack_from("<I", self._take(4))[0] if flags & _EXTENDED else 0
        self._read_characters(length, wide=bool(flags & _WIDE))
        self._skip(4 * runs + extension)
        return int(length)

    def _read_characters(self, length: int, *, wide: bool) -> None:
        while length:
            size = 2 if wide else 1
            count = min(length, (len(self._chunk) - self._position) // size)
            text = self._take(count * size)
            if b"\0" in text and (not wide or _holds_null(text)):
                raise DamageError("a string holds zeros")
            length -= count
            if length:
                if self._position != len(self._chunk):
                    raise DamageError("half a character")
                self._continue()
                wide = bool(self._take(1)[0] & _WIDE)

    def _skip(self, size: int) -> None:
        while size:
            if self._position == len(self._chunk):
                self._continue()
            step = min(size, len(self._chunk) - self._position)
            self._position += step
            size -= step

    def _take(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._chunk):
            raise DamageError("a string is cut short")
        data = self._chunk[self._position : end]
        self._position = end
        return data

    def _continue(self) -> None:
        if not self._rest:
            raise DamageError("a string is cut short")
        self._chunk, self._position = self._rest.pop(), 0


def _holds_null(text: bytes) -> bool:
    """Whether UTF-16 text holds the character 0."""
    return "\0" in text.decode("utf-16-le", "surrogatepass")
