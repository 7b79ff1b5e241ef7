"""Numbers, dates and lists as running text writes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from queries.answer.types import (
    NOT_COVERED,
    WITHHELD,
    Count,
    Disclosure,
    NearMissCount,
    NearMisses,
)
from queries.tables.period import format_long_date

WITHHELD_SIGN: Final = WITHHELD

#: What stands for a text that a person refused to release.
WITHHELD_TEXT: Final = "[withheld]"

_MAX_SPELT_NUMBER: Final = 10


def format_number(value: Count) -> str:
    """1234 as "1,234"; a withheld count as "[c]", and one that is not covered in words."""
    if value == NOT_COVERED:
        return NOT_COVERED
    return WITHHELD_SIGN if value is None else f"{value:,}"


def spell_number(value: Count) -> str:
    """A number as running text writes it: "no", "one" to "ten", then figures."""
    if value is None:
        return "a withheld number of"
    if value == NOT_COVERED:
        return "an unknown number (not covered) of"
    if value == 0:
        return "no"
    from num2words import num2words

    return str(num2words(value)) if value <= _MAX_SPELT_NUMBER else format_number(value)


def format_count(value: Count, singular: str, plural: str = "") -> str:
    """A number with its noun: "no offences", "one offence", "1,234 offences"."""
    return f"{spell_number(value)} {singular if value == 1 else plural or singular + 's'}"


def capitalise_sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def join_list(items: list[str], conjunction: str = "and") -> str:
    """The items as running text writes them: "a, b and c"."""
    return f" {conjunction} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def format_timestamp(value: datetime | None) -> str:
    """A date and time as a letter writes it, in UTC."""
    if value is None:
        return "not recorded"
    value = value.astimezone(UTC)
    return f"{format_long_date(value)} at {value:%H:%M} UTC"


def explain_withheld(disclosure: Disclosure | None, *, any_withheld: bool) -> str:
    """What a withheld number is; empty if none is withheld."""
    if disclosure is None or not any_withheld:
        return ""
    if disclosure.threshold < 2:
        return (
            f"{WITHHELD_SIGN} means that we are not giving this number, because it could identify "
            "a person."
        )
    return (
        f"{WITHHELD_SIGN} means that we are not giving this number. It is less than "
        f"{disclosure.threshold}, or someone could use it to work out a number that is. Numbers "
        "this small could identify a person."
    )


def explain_unlisted(disclosure: Disclosure | None) -> str:
    """Why lists are not complete, where nothing else is withheld."""
    if disclosure is None:
        return ""
    least = max(disclosure.threshold, disclosure.rounding)
    return (
        f"A line of a list says how several facts go together. We do not give a line of fewer than "
        f"{least}, or one that would show such a line, because it could identify a person."
    )


def describe_overrides(disclosure: Disclosure | None) -> list[str]:
    """Why rules were set aside: a paragraph for each reason, with the rules that it explains."""
    rules_by_reason: dict[str, list[str]] = {}
    for override in disclosure.overrides if disclosure else ():
        rules_by_reason.setdefault(override.reason.removesuffix("."), []).append(override.rule)
    return [
        "Small numbers could identify a person, so we usually withhold or round them. We made an "
        f"exception ({'; '.join(rules)}) for this reason: {reason}."
        for reason, rules in rules_by_reason.items()
    ]


def explain_rounding(disclosure: Disclosure | None) -> str:
    """How the numbers are rounded; empty if they are not."""
    base = disclosure.rounding if disclosure else 0
    if not base:
        return ""
    return (
        f"Every number is rounded to the nearest {base}, each total separately, so rows need not "
        f"add up. A 0 may stand for up to {(base - 1) // 2}."
    )


def describe_near_misses(misses: NearMisses | None) -> list[str]:
    """The near misses, one line for each term that has any."""
    by_term: dict[str, list[str]] = {}
    for miss in misses.told if misses else ():
        descriptions = by_term.setdefault(miss.term, [])
        if (line := _describe_near_miss(miss)) not in descriptions:
            descriptions.append(line)
    return [f'"{term}": {join_list(descriptions)}' for term, descriptions in by_term.items()]


def _describe_near_miss(miss: NearMissCount) -> str:
    if miss.records is None or miss.added is None:
        return f'"{miss.wording}"'
    uncounted = (
        "all counted for other wording"
        if not miss.added
        else "none of them counted"
        if miss.added == miss.records
        else f"{format_number(miss.added)} of them not counted"
    )
    return f'"{miss.wording}" in {format_count(miss.records, "record")} ({uncounted})'


def describe_left_out(statuses: Mapping[str, Count], *, by_status: bool = False) -> str:
    """A sentence that says how many records in scope are left out because of their status;
    ``by_status`` if a table by status counts them."""
    nonzero = {status: count for status, count in statuses.items() if count not in (0, NOT_COVERED)}
    parts = [format_count(count, f"{status} record") for status, count in nonzero.items()]
    if not parts:
        return ""
    verb = "is" if [*nonzero.values()] == [1] else "are"
    figures = "every figure that is not by status" if by_status else "every figure"
    return f"{capitalise_sentence(join_list(parts))} {verb} left out of {figures}."
