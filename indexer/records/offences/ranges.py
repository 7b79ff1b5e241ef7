"""Reads what a request names as offence codes: one code, or a range such as ``19C-19K``."""

from __future__ import annotations

import re
from typing import Final

from indexer.errors import RequestError
from indexer.records.offences.table import SUBCODE_SHAPE, OffenceTable

#: The most codes that one range may stand for.
MAX_RANGE_CODES: Final = 500

_RANGE: Final = re.compile(
    r"(?P<first>.+?)\s*(?:[-\u2013\u2014]|\bto\b)\s*(?P<last>.+)", re.IGNORECASE
)

_NUMBERS_AND_HYPHEN: Final = re.compile(r"\s*\d+\s*-\s*\d+\s*")

_PARTS: Final = re.compile(r"(?P<number>\d+)(?:(?P<mark>[/.])(?P<sub>\d+)|(?P<letter>[A-Z]))?")


def require_codes(table: OffenceTable, written: str) -> tuple[str, ...]:
    """The canonical codes that a request names: one, or in order those of a range.

    Raises RequestError for a code that the table lacks, and a range that has no meaning.
    """
    if table.has_code(code := table.canonical(written)):
        return (code,)
    if not (match := _match_range(table, written)):
        return (table.require(written),)
    first = table.canonical(match["first"])
    last = _complete_end(table, first, match["last"])
    for code, text in ((first, match["first"]), (last, match["last"])):
        if not table.has_code(code):
            raise RequestError(
                f'the range "{written[:60]}" starts or ends with "{text[:40]}", which is not a '
                "known offence code. Correct it, or list the codes."
            )
    codes = _list_between(table, first, last, written)
    if len(codes) > MAX_RANGE_CODES:
        raise RequestError(
            f'the range "{written[:60]}" stands for {len(codes):,} codes, and {MAX_RANGE_CODES} '
            "is the most. Name a category, or several ranges."
        )
    return codes


def is_range(table: OffenceTable, written: str) -> bool:
    """Whether what is written means a range of the table's codes."""
    if not (match := _match_range(table, written)):
        return False
    first = table.canonical(match["first"])
    last = _complete_end(table, first, match["last"])
    start, end = _PARTS.fullmatch(first), _PARTS.fullmatch(last)
    is_series = start is not None and end is not None and _are_alike(start, end)
    return is_series and table.has_code(first) and table.has_code(last)


def list_codes(table: OffenceTable, written: str) -> tuple[str, ...]:
    """The codes that a request names; one that cannot be read as a code is only trimmed."""
    try:
        return require_codes(table, written)
    except RequestError:
        return (table.canonical(written),)


def _match_range(table: OffenceTable, written: str) -> re.Match[str] | None:
    """The two ends of what is written as a range of the Home Office's codes; 22-6 is a sub-code,
    and so never a range of categories, which needs "to"."""
    if table.scheme == "own" or _NUMBERS_AND_HYPHEN.fullmatch(written):
        return None
    match = _RANGE.fullmatch(written.strip())
    if not match:
        return None
    starts_as_code = _PARTS.fullmatch(table.canonical(match["first"]))
    return match if starts_as_code else None


def _complete_end(table: OffenceTable, first: str, written: str) -> str:
    """The last code; after a sub-code a number alone is that of its category: 71/1-16."""
    if SUBCODE_SHAPE.fullmatch(first) and written.strip().isdecimal():
        return f"{first.partition('/')[0]}/{int(written)}"
    return table.canonical(written)


def _list_between(table: OffenceTable, first: str, last: str, written: str) -> tuple[str, ...]:
    start, end = _PARTS.fullmatch(first), _PARTS.fullmatch(last)
    if not start or not end or not _are_alike(start, end):
        raise RequestError(
            f'the range "{written[:60]}" has ends of different kinds: {first} and {last}. A range '
            "is of classes of one number (19C-19K), of sub-codes of one category (71/1-71/16) or "
            'of categories ("19 to 23"). List the codes.'
        )
    low, high = _order_parts(start), _order_parts(end)
    if high < low:
        raise RequestError(f'the range "{written[:60]}" runs backwards. Swap its ends.')
    between = {
        _order_parts(parts): code
        for code in table.titles
        if (parts := _PARTS.fullmatch(code))
        and _are_alike(start, parts)
        and low <= _order_parts(parts) <= high
    }
    return tuple(between[key] for key in sorted(between))


def _are_alike(first: re.Match[str], second: re.Match[str]) -> bool:
    """Whether two codes are of one series: classes or sub-codes of a number, or categories."""
    if first["mark"] != second["mark"] or bool(first["letter"]) != bool(second["letter"]):
        return False
    is_category = not first["mark"] and not first["letter"]
    return is_category or first["number"] == second["number"]


def _order_parts(parts: re.Match[str]) -> tuple[int, str, int]:
    return int(parts["number"]), parts["letter"] or "", int(parts["sub"] or 0)
