"""Text written so that Typst takes it for text, whatever it holds. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

_BREAK: Final = "\u200b"
_LONG_WORD: Final = re.compile(r"\S{24}(?=\S{12})")
_ESCAPES: Final = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t"}


class Code(str):
    """What is code, not text."""

    __slots__ = ()


def literal(value: Any) -> str:
    """The value as a string of Typst's own, to stand in markup: ``#"text";``. A very long word may
    break. ``Code`` stays as it is."""
    if isinstance(value, Code):
        return value
    return f"#{quoted(_LONG_WORD.sub(lambda found: found[0] + _BREAK, str(value)))};"


def quoted(value: Any) -> Code:
    """The value as a string to stand in code: ``"text"``."""
    return Code(f'"{str(value).translate(_ESCAPES)}"')


def code(value: int) -> Code:
    """A whole number as code."""
    return Code(int(value))
