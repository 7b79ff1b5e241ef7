"""What a release withholds, table by table, for the officer.

Pure. A summary says how many of the withheld numbers are small, which the published answer never
says: it is for the officer alone, and is no part of any document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from queries.answer.types import Answer, Count, QuestionAnswer
from queries.disclosure.policy import Policy
from queries.disclosure.populations import find_only_row, list_printed_cells

_MONTHS: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
)

#: A number in a text that is not part of a date, code, section or reference.
_STATED_NUMBER: Final = re.compile(
    rf"(?<![\w/.,-])(\d{{1,3}}(?:,\d{{3}})+|\d+)(?![\w/-]|[.,]\d|\s+(?:{_MONTHS})\b)"
)

#: Small numbers as words; "one" has too many other meanings.
_NUMBER_WORDS: Final = {
    word: number
    for number, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 2
    )
}

_STATED_WORD: Final = re.compile(rf"\b({'|'.join(_NUMBER_WORDS)})\b", re.IGNORECASE)

#: What the officer writes of a section of the Act.
_SECTION_TEXTS: Final = ("reason", "public_interest", "advice")


def summarise_withheld(own: Answer, published: Answer, policy: Policy) -> tuple[str, ...]:
    """A sentence for each table in which numbers are withheld; none where nothing is.

    ``own`` is the answer with every number, ``published`` the same as it may be published.
    """
    pairs_by_question = (
        (question, [*_pair_counts(question, redacted)])
        for question, redacted in zip(own.questions, published.questions, strict=True)
    )
    return tuple(
        _summarise_table(question.id, pairs, policy.threshold)
        for question, pairs in pairs_by_question
        if any(redacted is None for _, redacted in pairs)
    )


def _pair_counts(own: QuestionAnswer, published: QuestionAnswer) -> Iterator[tuple[Count, Count]]:
    """The numbers of a table, each with the same number as published.

    One of a row or column that is not published at all counts as withheld.
    """
    columns = [column.key for column in published.table.columns]
    redacted_counts = {
        row.key: dict(zip(columns, row.counts, strict=True))
        for row in published.table.rows_and_total
    }
    for row in own.table.rows_and_total:
        redacted = redacted_counts.get(row.key, {})
        for column, count in zip(own.table.columns, row.counts, strict=True):
            yield count, redacted.get(column.key)


def _summarise_table(name: str, pairs: list[tuple[Count, Count]], threshold: int) -> str:
    withheld = [count for count, redacted in pairs if redacted is None]
    small = sum(isinstance(count, int) and 0 < count < threshold for count in withheld)
    return f"{name}: {len(withheld):,} of {len(pairs):,} numbers withheld, {small:,} of them small"


def warn_of_whole_groups(published: Answer) -> tuple[str, ...]:
    """A sentence for each table that says what all of a group have in common, because every row but
    one is 0."""
    only_rows = ((question, find_only_row(question.table)) for question in published.questions)
    return tuple(
        f'{question.id}: all {question.table.total.counts[0]:,} are in the row "{row.label}", and '
        "every other row is 0. If that says too much about each of them, leave the question out, "
        'or set whole_groups = "withhold" under [disclosure]'
        for question, row in only_rows
        if row is not None
    )


def warn_of_stated_numbers(own: Answer, published: Answer) -> tuple[str, ...]:
    """A sentence for each text of the officer that states a number which is withheld.

    The number may be another one that happens to be the same: a person must look.
    """
    printed = {cell.location: cell.number for cell in list_printed_cells(published)}
    withheld = {
        cell.number
        for cell in list_printed_cells(own)
        if cell.number and cell.part not in ("term", "form") and printed.get(cell.location) is None
    }
    return tuple(
        f"{name} says {text}, which is a withheld number. If it is that number, take it out"
        for name, words in _list_officer_texts(published)
        for number, text in _list_stated_numbers(words)
        if number in withheld
    )


def _list_officer_texts(answer: Answer) -> Iterator[tuple[str, str]]:
    """What each text of the officer is called, and the text."""
    for question in answer.questions:
        yield f"the note of {question.id}", question.note
        yield f"not_covered of {question.id}", question.not_covered
    for part in answer.uncovered:
        yield f"not_covered of {part.id}", part.not_covered
    letter: dict[str, Any] = answer.request.get("letter") or {}
    for section in letter.get("sections") or ():
        for key in _SECTION_TEXTS:
            yield f"{key} of section {section['section']}", section.get(key) or ""


def _list_stated_numbers(text: str) -> Iterator[tuple[int, str]]:
    """The numbers of a text, each with how it is written."""
    for match in _STATED_NUMBER.finditer(text):
        yield int(match[1].replace(",", "")), match[1]
    for match in _STATED_WORD.finditer(text):
        yield _NUMBER_WORDS[match[1].lower()], match[1]
