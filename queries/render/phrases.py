"""Numbers, days and lists as running text has them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from num2words import num2words

from queries.answer import WITHHELD, Disclosure, NearMisses, NotCounted
from queries.scope import in_words

HIDDEN: Final = WITHHELD
_WORDS_TO: Final = 10


def number(value: int | None) -> str:
    """1234 as "1,234"; a count that is not given as "[c]"."""
    return HIDDEN if value is None else f"{value:,}"


def words(value: int | None) -> str:
    """A number as running text has it: "no", "one" to "ten", then figures."""
    if value is None:
        return "a withheld number of"
    if value == 0:
        return "no"
    return str(num2words(value)) if value <= _WORDS_TO else number(value)


def counted(value: int | None, one: str, many: str = "") -> str:
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


def withheld(disclosure: Disclosure | None, *, any_is: bool) -> str:
    """What a withheld number is, where there are any."""
    if disclosure is None or not any_is:
        return ""
    most = disclosure.threshold - 1
    small = "1" if most == 1 else f"from 1 to {most}"
    which = f": it is {small}, or would give such a number away" if most > 0 else ""
    return f"{HIDDEN} marks a number withheld to protect the people concerned{which}."


def rounded(disclosure: Disclosure | None) -> str:
    """How the numbers are rounded, where they are."""
    base = disclosure.rounding if disclosure else 0
    if not base:
        return ""
    return (
        f"Every number is rounded to the nearest {base}, totals by themselves, so rows need not "
        f"add up; a 0 may stand for as many as {(base - 1) // 2}."
    )


def near_misses(found: NearMisses | None) -> list[str]:
    """The near misses, a line for each term; none where there are none to tell."""
    by_term: dict[str, list[str]] = {}
    for one in found.told if found else ():
        said = by_term.setdefault(one.term, [])
        if (line := _near_miss(one)) not in said:
            said.append(line)
    return [f'"{term}": {listed(said)}' for term, said in by_term.items()]


def _near_miss(one: NotCounted) -> str:
    if one.records is None or one.added is None:
        return f'"{one.wording}"'
    uncounted = (
        "all counted for other wording"
        if not one.added
        else "none of them counted"
        if one.added == one.records
        else f"{number(one.added)} of them not counted"
    )
    return f'"{one.wording}" in {counted(one.records, "record")} ({uncounted})'


def left_out(statuses: Mapping[str, int | None]) -> str:
    """Say how many records in scope their status left out."""
    some = {status: number for status, number in statuses.items() if number != 0}
    parts = [counted(number, f"{status} record") for status, number in some.items()]
    if not parts:
        return ""
    verb = "is" if [*some.values()] == [1] else "are"
    return f"{sentence(listed(parts))} {verb} left out of every figure."
