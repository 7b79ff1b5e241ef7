"""Whether an ODS has cells that its reader gives as empty, or of which it leaves something out."""

from __future__ import annotations

import re
from typing import IO, Final

from indexer.integrity.damage import LeftOutError

_BLOCK_BYTES: Final = 1 << 18

#: No tag, with the beginning of the text after it, is longer.
_OVERLAP: Final = 1 << 16

_CELL: Final = rb"<table:(?:covered-)?table-cell\b"

#: A formula without its value; an error, which is read as empty or as 0; a text that is of no type;
#: and a tab or a line break within a text, without which two words become one.
_LEFT_OUT: Final = re.compile(
    _CELL + rb"(?=[^>]*\stable:formula=)(?![^>]*\soffice:(?:[a-z]+-)?value=)"
    rb"(?![^>]*\soffice:value-type=[\"']string)"
    rb"|" + _CELL + rb"[^>]*\scalcext:value-type=[\"']error"
    rb"|" + _CELL + rb"(?![^>]*\soffice:value-type=)[^>]*(?<!/)>\s*<text:p\b[^>]*(?<!/)>[^<]"
    rb"|<text:(?:tab|line-break)\b"
)


def check_ods_cells(beginning: bytes, part: IO[bytes]) -> None:
    """Read the content of an ODS, of which ``beginning`` is read already, to its end.

    Raises LeftOutError.
    """
    window = beginning
    while True:
        if _LEFT_OUT.search(window):
            raise LeftOutError
        block = part.read(_BLOCK_BYTES)
        if not block:
            return
        window = window[-_OVERLAP:] + block
