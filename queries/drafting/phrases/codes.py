"""Finds offence codes in a text: "086/02", "88A", "19C to 19H", "codes 21, 22B"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from indexer.errors import RequestError
from indexer.records.offences import OffenceTable, load_offence_table
from indexer.records.offences.ranges import is_range, require_codes
from queries.drafting.phrases.plain_text import look_around

_CODE: Final = r"(?:\d{1,3}/\d{1,3}|\d{5}|\d{1,3}\.\d{1,2}|\d{1,3}[A-Z]|\d{1,3})"

_CODES: Final = re.compile(
    rf"(?<![\w/.,\u00a3$:+-])(?P<first>{_CODE})(?:\s*(?:-|\bto\b)\s*(?P<last>{_CODE}))?"
    r"(?![\w/%+]|[.,:]\d|-\d)"
)

_CODE_WORDS: Final = re.compile(
    r"\b(?:codes?|class(?:es|ifications?)?|categor(?:y|ies)|offences? under|home office)\b",
    re.IGNORECASE,
)

#: What stands before a number that is a code although nothing in its own form says so.
_NUMBER_LEAD: Final = re.compile(
    r"(?:\b(?:codes?|class(?:es|ifications?)?|categor(?:y|ies))\b[^.;]{0,12}|,\s*|\band\s+|\bor\s+|[;&]\s*)$",
    re.IGNORECASE,
)

_NOT_CODE_LEAD: Final = re.compile(
    r"(?:\b(?:section|sections|s|ss|sec|art|article|schedule|part|question|questions|q|number|"
    r"item|paragraph|page|room|unit|flat|no|ref|reference|request|act)\b\.?\s*(?:\d+\w*\s*(?:,|and|or|to)\s*)*|"
    r"\b(?:f/?y|financial years?|years?)\s+)$",
    re.IGNORECASE,
)

#: What stands before a number that is an age, and not a code.
_AGE_LEAD: Final = re.compile(r"\b(?:under|over|aged?|ages|below|above)\s+$", re.IGNORECASE)

#: What stands before a number that is one of several ages: "in bands: 0 to 17, 18 to 64, ".
_AGES_LEAD: Final = re.compile(
    r"\b(?:ages?|aged|bands?|age (?:groups?|brackets?))\b[\d\s,;:+-]*"
    r"(?:\b(?:and|or|to|under|over|above|below|of|the|in|by|plus|victims?|bands?)\b[\d\s,;:+-]*)*$",
    re.IGNORECASE,
)

_LONGEST_LEAD: Final = 200

_NOT_CODE_TAIL: Final = re.compile(
    r"\s*(?:years?|yrs?|months?|days?|hours?|minutes?|working|words|per ?cent|people|and (?:under|over)|"
    r"or (?:under|over|older)|(?:of )?(?:january|february|march|april|may|june|july|august|"
    r"september|october|november|december)\b|(?:st|nd|rd|th)\b|am\b|pm\b)",
    re.IGNORECASE,
)


class CodePhrase(Struct, frozen=True):
    """Codes that a text names, from ``begin`` to ``stop``: one, or those of a range, canonical.

    ``is_known`` is false if the table of offences lacks one of them.
    """

    begin: int
    stop: int
    words: str
    codes: tuple[str, ...]
    is_known: bool = True


def find_codes(text: str, *, in_list: bool = False) -> list[CodePhrase]:
    """The offence codes of a text in their order.

    A number alone ("21") is one only in the company of other codes or of words such as "code";
    with ``in_list``, the text is an item of a list of codes, and may begin with one.
    """
    return list(_iterate_codes(text, load_offence_table(), in_list=in_list))


def _iterate_codes(text: str, table: OffenceTable, *, in_list: bool) -> Iterator[CodePhrase]:
    if table.scheme == "own":
        return
    is_code_text = in_list or bool(_CODE_WORDS.search(text))
    matches = list(_CODES.finditer(text))
    # "Blackmail (35) or harassment (8L)": a number in brackets beside a code is one too.
    has_codes = any(_is_surely_code(match) and not _looks_like_years(match) for match in matches)
    for match in matches:
        before, after = look_around(text, match.start(), match.end())
        if _NOT_CODE_LEAD.search(before) or _NOT_CODE_TAIL.match(after):
            continue
        if (
            _is_plain_number(match)
            and (
                not is_code_text
                or _AGE_LEAD.search(before)
                or _AGES_LEAD.search(text, max(match.start() - _LONGEST_LEAD, 0), match.start())
                or not (_NUMBER_LEAD.search(before) or (in_list and not before.strip()))
            )
            and not (has_codes and before.endswith("(") and after.startswith(")"))
        ):
            continue
        if _looks_like_years(match) and not is_code_text:
            continue
        phrase = _read_codes(match, table)
        if phrase.is_known or (is_code_text and _is_surely_code(match)):
            yield phrase


def _is_plain_number(match: re.Match[str]) -> bool:
    """Whether nothing in its form makes it a code: it has no stroke, letter or five digits."""
    return (
        match["first"].isdecimal()
        and len(match["first"]) != 5
        and (match["last"] is None or match["last"].isdecimal())
    )


def _looks_like_years(match: re.Match[str]) -> bool:
    """Whether "17/18" may be a year."""
    first, _, last = match["first"].partition("/")
    return len(first) == 2 and len(last) == 2 and int(last) == (int(first) + 1) % 100


def _is_surely_code(match: re.Match[str]) -> bool:
    """Whether what the table lacks is written as codes are, so that it cannot be left out."""
    return "/" in match["first"] or match["first"][-1].isalpha()


def _read_codes(match: re.Match[str], table: OffenceTable) -> CodePhrase:
    written = match[0]
    begin, stop = match.span()
    if match["last"]:
        if is_range(table, written):
            try:
                return CodePhrase(begin, stop, written, require_codes(table, written))
            except RequestError:
                pass
        return CodePhrase(begin, stop, written, (), is_known=False)
    code = table.canonical(match["first"])
    return CodePhrase(begin, stop, written, (code,), is_known=table.has_code(code))
