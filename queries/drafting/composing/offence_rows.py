"""The rows of offences that a text or a list names by their codes, with what it calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from queries.drafting.draft import DraftOffence
from queries.drafting.phrases.codes import CodePhrase, find_codes

_LABEL: Final = re.compile(r"\s*[:,-]?\s*\(([^()]{3,120})\)")

_TRIM: Final = re.compile(
    r"^[\s:;,.()-]+|[\s:;,.(-]+(?:\band\b|\bor\b)?[\s:;,.]*$|\s*\)[\s;,.]*(?:and|or)?\s*$"
)

_LONGEST_LABEL: Final = 120


def find_offence_rows(text: str, items: Sequence[str] = ()) -> list[DraftOffence]:
    """A row for each code of a text, and one for each item of the list below it, each once.

    Codes that the table lacks are left out; ``find_unknown_codes`` has them.
    """
    rows = [*_read_text(text), *(row for item in items for row in _read_item(item))]
    distinct: dict[tuple[str, ...], DraftOffence] = {}
    for row in rows:
        if row.codes not in distinct or not distinct[row.codes].label:
            distinct[row.codes] = row
    return list(distinct.values())


def find_unknown_codes(text: str, items: Sequence[str] = ()) -> list[str]:
    """What is written as a code and is in no table, as written."""
    phrases = [
        *find_codes(text),
        *(code for item in items for code in find_codes(item, in_list=True)),
    ]
    return [phrase.words for phrase in phrases if not phrase.is_known]


def list_row_codes(rows: Iterable[DraftOffence]) -> list[str]:
    """The codes of some rows, each once."""
    return list(dict.fromkeys(code for row in rows for code in row.codes))


def _read_text(text: str) -> list[DraftOffence]:
    phrases = [phrase for phrase in find_codes(text) if phrase.is_known]
    return [DraftOffence(phrase.codes, _find_label(text, phrase)) for phrase in phrases]


def _find_label(text: str, phrase: CodePhrase) -> str:
    """What stands in brackets behind a code, if it is not a code itself."""
    match = _LABEL.match(text, phrase.stop)
    return match[1].strip() if match and not find_codes(match[1], in_list=True) else ""


def _read_item(item: str) -> list[DraftOffence]:
    """The one row of an item that begins with codes and then says what they are; else one for each
    code in it."""
    phrases = [phrase for phrase in find_codes(item, in_list=True) if phrase.is_known]
    if not phrases:
        return []
    if phrases[0].begin > 2:
        return _read_text(item) or [DraftOffence(phrase.codes) for phrase in phrases]
    codes = tuple(dict.fromkeys(code for phrase in phrases for code in phrase.codes))
    label = _trim_label(item[phrases[-1].stop :])
    return [DraftOffence(codes, label)]


def _trim_label(text: str) -> str:
    label = text.strip()
    for _ in range(3):
        label = _TRIM.sub("", label).strip()
    return label[:_LONGEST_LABEL]
