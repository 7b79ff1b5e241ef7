"""Text of others, such as the name of a file or a column, as a terminal may show it.

Escape sequences could change what a terminal shows or does, and a line break could forge a message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

_MAX_NAME_LENGTH: Final = 120


def escape_controls(text: str) -> str:
    r"""The text with its control, direction and other invisible characters as numbers (``\x1b``).

    Line breaks stay, since messages have several lines.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1]
        for character in text
    )


def escape_line(text: str) -> str:
    """The same on one line."""
    return escape_controls(text).replace("\n", "\\n")


def may_forge_line(name: str) -> bool:
    """Whether a name, which whoever delivers files can have chosen, would begin a line of its own
    in a message or log. It must be shown by ``escape_line``, or refused."""
    return "\n" in name


def describe_forging_name(path: object) -> str:
    """Why a file is refused whose name could forge a line; empty if its name cannot."""
    name = str(path)
    if not may_forge_line(name):
        return ""
    return f"{escape_line(name)}: has a line break in its name. Rename it."


def name_place(place: str) -> str:
    """Where a record was read, as it can be stored and shown: no two places alike."""
    return place if place.isprintable() else f"{escape_line(place)} ({_digest(place)})"


def show_apart(names: Iterable[str]) -> list[str]:
    """Each name as ``show_name`` gives it; those that would read the same get a hash each."""
    pairs = [(name, show_name(name)) for name in names]
    numbers = Counter(shown for _, shown in pairs)
    return [shown if numbers[shown] == 1 else f"{shown} ({_digest(name)})" for name, shown in pairs]


def _digest(text: str) -> str:
    import hashlib  # only for odd names, and every command starts through here

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def count_noun(number: int, singular: str, plural: str) -> str:
    """A number with the words that agree with it: "1 row was", "2,000 rows were"."""
    return f"{number:,} {singular if number == 1 else plural}"


def round_share(number: int, total: int) -> int:
    """A number as whole per cent of a total above 0, half a per cent rounded up. What is not all
    of it is at most 99, and what is not nothing at least 1."""
    share = (200 * number + total) // (2 * total)
    if share == 100 and number < total:
        return 99
    return 1 if share == 0 and number else share


def show_name(name: str) -> str:
    """A name for a message, on one line and not longer than a person would read."""
    text = escape_line(name)
    return text if len(text) <= _MAX_NAME_LENGTH else f"{text[: _MAX_NAME_LENGTH - 3]}..."
