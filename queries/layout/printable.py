"""Text without the characters that no Word file, spreadsheet or web page can hold."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

_T = TypeVar("_T")

#: What XML cannot hold, and so neither can Word nor a spreadsheet.
_UNPRINTABLE: Final = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def strip_unprintable(value: _T) -> _T:
    """A copy of the value (text, a struct, or a collection of them) without such characters."""
    cleaned: _T = _strip_value(value)
    return cleaned


def _strip_value(value: Any) -> Any:
    match value:
        case str():
            return _UNPRINTABLE.sub("", value)
        case dict():
            return {_strip_value(key): _strip_value(item) for key, item in value.items()}
        case tuple() | list():
            return type(value)(map(_strip_value, value))
        case Struct():
            fields = value.__struct_fields__
            return msgspec.structs.replace(
                value, **{name: _strip_value(getattr(value, name)) for name in fields}
            )
        case _:
            return value
