"""Text escaped for Typst, whatever it contains. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

_BREAK: Final = "\u200b"

_LONG_WORD: Final = re.compile(r"\S{24}(?=\S{12})")

_ESCAPES: Final = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t"}


class TypstCode(str):
    """Typst code, which is not escaped."""

    __slots__ = ()


def escape_typst_text(value: Any) -> str:
    """The value as a Typst string for use in markup: ``#"text";``. A very long word may
    break. ``Code`` stays as it is."""
    if isinstance(value, TypstCode):
        return value
    return f"#{quote_typst_string(_LONG_WORD.sub(lambda match: match[0] + _BREAK, str(value)))};"


def quote_typst_string(value: Any) -> TypstCode:
    """The value as a string for use in code: ``"text"``."""
    return TypstCode(f'"{str(value).translate(_ESCAPES)}"')


def format_typst_number(value: int) -> TypstCode:
    """A whole number as code."""
    return TypstCode(int(value))
