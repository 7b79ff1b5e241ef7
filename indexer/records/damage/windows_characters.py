"""The characters that Windows-1252 has where Latin-1 has control characters."""

from __future__ import annotations

from typing import Final

#: Those of the bytes 80 to 9F, where it has one.
WINDOWS_CHARACTERS: Final = {
    byte: character
    for byte in range(0x80, 0xA0)
    if (character := bytes([byte]).decode("cp1252", "ignore"))
}
