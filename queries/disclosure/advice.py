"""What a release withholds, table by table, for the officer.

Pure. A summary says how many of the withheld numbers are small, which the published answer never
says: it is for the officer alone, and is no part of any document.
"""

from __future__ import annotations

from collections.abc import Iterator

from queries.answer.types import Answer, Count, QuestionAnswer
from queries.disclosure.policy import Policy
from queries.disclosure.populations import find_only_row


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
