"""Notes below tables: what several tables have in common is said once for all of them. Pure."""

from __future__ import annotations

from queries.answer.types import Answer, QuestionAnswer
from queries.documents.content.letter.parts import name_parts


def list_overlapping(answer: Answer) -> list[str]:
    """The questions whose rows or columns add up to more than their total, as a note says."""
    return [question.id for question in answer.questions if question.sums]


def has_shared_note(answer: Answer) -> bool:
    """Whether several notes say this, so that one note says it for all tables."""
    return sum(len(question.sums) for question in answer.questions) > 1


def describe_overlaps(answer: Answer) -> str:
    """One note for all tables whose rows or columns overlap; empty if one table's own says it."""
    ids = list_overlapping(answer)
    if not has_shared_note(answer):
        return ""
    return (
        f"In the table{'s' if len(ids) > 1 else ''} of {name_parts(ids)}, rows or columns add up "
        "to more than the total, because one record can belong to several of them. The total "
        "counts each once."
    )


def select_own_notes(question: QuestionAnswer, *, shared: bool) -> tuple[str, ...]:
    """The notes of a table, without those on sums if these are ``shared`` by all tables."""
    texts = [noted.text for noted in question.sums] if shared else []
    return tuple(note for note in question.notes if not any(text in note for text in texts))
