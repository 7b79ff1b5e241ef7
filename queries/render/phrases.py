"""Numbers, days and lists as running text has them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from num2words import num2words

from queries.scope import in_words

HIDDEN: Final = "[c]"
_WORDS_TO: Final = 10


def number(value: int | None) -> str:
    """1234 as "1,234"; a count that is not given as "[c]"."""
    return HIDDEN if value is None else f"{value:,}"


def words(value: int) -> str:
    """A number as running text has it: "no", "one" to "ten", then figures."""
    if value == 0:
        return "no"
    return str(num2words(value)) if value <= _WORDS_TO else number(value)


def counted(value: int, one: str, many: str = "") -> str:
    """A number with its noun: "no offences", "one offence", "1,234 offences"."""
    return f"{words(value)} {one if value == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def listed(items: list[str], conjunction: str = "and") -> str:
    """The items as running text has them: "a, b and c"."""
    return f" {conjunction} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def moment(value: datetime | None) -> str:
    """A moment as a letter writes it, in UTC."""
    return "not recorded" if value is None else f"{in_words(value)} at {value:%H:%M} UTC"


def left_out(statuses: dict[str, int]) -> str:
    """Say how many records in scope their status left out."""
    parts = [counted(number, f"{status} record") for status, number in statuses.items() if number]
    if not parts:
        return ""
    verb = "is" if sum(statuses.values()) == 1 else "are"
    return f"{sentence(listed(parts))} {verb} left out of every figure."
