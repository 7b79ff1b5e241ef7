"""Tables that list only the terms that a record mentions, and what is said of the others. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from queries.answer.types import QuestionAnswer, Relation, Table

_MAX_NAMED: Final = 30

#: How the note of a table that leaves terms out begins.
PRESENT_ONLY: Final = "The table has only the words that a record mentions."


def keep_present_rows(answer: QuestionAnswer) -> QuestionAnswer:
    """The answer without rows that count nothing: its rows are what occurs, as those of an open
    axis are, and so they are published or withheld like them."""
    rows = tuple(row for row in answer.table.rows if row.counts[0])
    absent = {row.key for row in answer.table.rows if not row.counts[0]}
    table = msgspec.structs.replace(
        answer.table, rows=rows, relations=tuple(_drop_parts(answer.table, absent))
    )
    present = msgspec.structs.replace(
        answer, table=table, open_axes=tuple(dict.fromkeys(("rows", *answer.open_axes)))
    )
    return msgspec.structs.replace(present, notes=(*answer.notes, *explain_absent_terms(present)))


def _drop_parts(table: Table, absent: Collection[str]) -> Iterator[Relation]:
    """The relations without the rows that are not there, which are 0."""
    for relation in table.relations:
        parts = tuple(part for part in relation.parts if part not in absent)
        if relation.over == "columns" or parts == relation.parts:
            yield relation
        elif parts:
            yield msgspec.structs.replace(relation, parts=parts)


def explain_absent_terms(answer: QuestionAnswer) -> tuple[str, ...]:
    """What is said of the terms that no record mentions, of a table that leaves them out."""
    if answer.kind != "keywords" or "rows" not in answer.open_axes:
        return ()
    absent = [f'"{term.wordings[0]}"' for term in answer.terms if term.records == 0]
    if not absent:
        return ()
    if len(absent) > _MAX_NAMED:
        return (PRESENT_ONLY,)
    return (f"{PRESENT_ONLY} No record mentions {join_words(absent)}.",)


def join_words(words: list[str]) -> str:
    """The words as a sentence lists them after a negation: "a, b or c"."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
