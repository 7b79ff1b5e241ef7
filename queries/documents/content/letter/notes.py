"""Notes below tables: what several tables have in common is said once for all of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from queries.answer.types import NOT_COVERED, Answer, NotedSum, QuestionAnswer
from queries.documents.content.letter.parts import name_parts
from queries.layout.prose import capitalise_sentence, join_list


def has_shared_note(answer: Answer) -> bool:
    """Whether several notes say this, so that one note says it for all tables."""
    return sum(len(question.sums) for question in answer.questions) > 1


def describe_overlaps(answer: Answer) -> str:
    """One note for all tables whose rows or columns overlap; empty if one table's own says it."""
    if not has_shared_note(answer):
        return ""
    sides = {side: _list_overlapping(answer, side) for side in ("rows", "columns")}
    subjects = [
        f"the {side} of the table{'s' if len(ids) > 1 else ''} of {name_parts(ids)}"
        for side, ids in sides.items()
        if ids
    ]
    return (
        f"{capitalise_sentence(join_list(subjects))} add up to more than the total, because one "
        "record can belong to several of them. The total counts each once."
    )


def describe_average(question: QuestionAnswer, request: Mapping[str, Any]) -> str:
    """How many there are on average, such as "1.1 a day", if the request asks for it; empty if it
    does not, or if the total is withheld. Periods of days that are not covered do not count."""
    specs: Sequence[Mapping[str, Any]] = request.get("questions", ())
    spec = next((spec for spec in specs if spec["id"] == question.id), {})
    total = question.table.total.counts[0]
    periods = sum(row.counts[0] != NOT_COVERED for row in question.table.rows)
    if not spec.get("average") or not isinstance(total, int) or not total or not periods:
        return ""
    tenths = (20 * total + periods) // (2 * periods)
    number = f"{tenths // 10:,}{f'.{tenths % 10}' if tenths % 10 else ''}"
    return f"{number if tenths else 'fewer than 0.1'} a {question.table.heading.lower()}"


def _list_overlapping(answer: Answer, side: str) -> list[str]:
    """The questions of whose tables the rows, or the columns, overlap."""
    return [
        question.id
        for question in answer.questions
        if any(_find_side(question, noted) == side for noted in question.sums)
    ]


def _find_side(question: QuestionAnswer, noted: NotedSum) -> str:
    """Whether a sum is of rows or of columns, as its note says."""
    note = next((note for note in question.notes if noted.text in note), "")
    return "columns" if note.startswith("The columns") else "rows"


def select_own_notes(question: QuestionAnswer, *, shared: bool) -> tuple[str, ...]:
    """The notes of a table, without those on sums if these are ``shared`` by all tables."""
    texts = [noted.text for noted in question.sums] if shared else []
    return tuple(note for note in question.notes if not any(text in note for text in texts))
