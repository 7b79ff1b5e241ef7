"""Read TOML that may be wrong, or made to harm: with the line of what is wrong, in bounded memory.

The reader of TOML needs memory that grows with the square of the parts of a dotted key (a.b.c), so
keys of many parts are refused before it sees them.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

from msgspec import Struct

from indexer.errors import ConfigurationError
from indexer.validation_errors import get_value_at, parse_toml_error

_MAX_KEY_PARTS: Final = 16

_CURLY_QUOTE: Final = re.compile("[\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb]")

# The most lines that are tried to find the one that gives a key.
_MAX_TRIED_LINES: Final = 200

# Comments and texts, which hold no key, or one part of one; the other parts, and what is between.
_TOKEN: Final = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<text>\"{3}(?:[^\\]|\\.)*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z))
    |(?P<part>[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')
    |(?P<dot>\.)
    |(?P<space>[ \t]+)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)


class TomlDocument(Struct, frozen=True):
    """The text of a file, and its value: tables, lists and single values."""

    text: str
    value: dict[str, Any]

    def find_line(self, path: str) -> int | None:
        """The line, from 1, that gives the value of a path such as "$.refresh.keep"; None if that
        is not certain."""
        lines = self.text.splitlines(keepends=True)
        name = path.rstrip("]0123456789[").rpartition(".")[2]
        candidates = [number for number, line in enumerate(lines) if name in line]
        for number in candidates[:_MAX_TRIED_LINES]:
            before = _parse_lines(lines[:number])
            if before is None or get_value_at(before, path) is not None:
                continue
            for end in range(number + 1, min(number + _MAX_TRIED_LINES, len(lines)) + 1):
                value = _parse_lines(lines[:end])
                if value is not None:
                    if get_value_at(value, path) is not None:
                        return number + 1
                    break
        return None


def parse_toml(raw: bytes, name: str) -> TomlDocument:
    """Read TOML. Raises ConfigurationError with the name of the file, the line, and what to do."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}: is not UTF-8 text. Save it as UTF-8.") from None
    _refuse_long_keys(text, name)
    try:
        return TomlDocument(text, tomllib.loads(text + "\n"))  # so that its last line has a number
    except RecursionError:
        raise ConfigurationError(
            f"{name}: is nested too deeply to be settings. Correct the file."
        ) from None
    except tomllib.TOMLDecodeError as error:
        toml_error = parse_toml_error(error)
        location = f"{name}:{toml_error.line}" if toml_error.line else name
        if toml_error.is_duplicate:
            raise ConfigurationError(
                f"{location}: gives a key or a section that was given before. Keep one of the two."
            ) from None
        number = toml_error.line or 0
        wrong_line = "".join(text.splitlines()[number - 1 : number])
        if quote := _CURLY_QUOTE.search(wrong_line):
            raise ConfigurationError(
                f"{location}: has a curly quote, {quote[0]}, as an editor of letters writes it. "
                'Write straight ones: "text".'
            ) from None
        if "\\" in wrong_line:
            raise ConfigurationError(
                f"{location}: has a backslash in double quotes, where it must be doubled. Write a "
                "path of Windows with / or in single quotes: 'C:\\data\\crimes.csv'."
            ) from None
        place = "This line" if toml_error.line else "The last line"
        raise ConfigurationError(
            f"{location}: is not TOML. {place} must be a section in brackets, such as [source], "
            'or a key and its value, such as keep = 3 or name = "text", with text in quotes and '
            "every quote and bracket closed. Correct it."
        ) from None
    except ValueError:  # a number of too many digits
        raise ConfigurationError(
            f"{name}: has a number that is too large. Correct the file."
        ) from None


def _parse_lines(lines: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("".join(lines))
    except (ValueError, RecursionError):
        return None


def _refuse_long_keys(text: str, name: str) -> None:
    """Raise ConfigurationError for a key of more parts than any setting has."""
    parts, after_dot = 0, False
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "part":
                parts = parts + 1 if after_dot else 1
                after_dot = False
                if parts > _MAX_KEY_PARTS:
                    line = text.count("\n", 0, token.start()) + 1
                    raise ConfigurationError(
                        f"{name}:{line}: has a key of more than {_MAX_KEY_PARTS} parts (a.b.c), "
                        "which no setting has. Correct it, or name another file with --config."
                    )
            case "dot":
                after_dot = parts > 0
            case "space":
                pass
            case _:
                parts, after_dot = 0, False
