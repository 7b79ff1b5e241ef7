"""Notes below tables: what several tables have in common is said once for all of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from indexer.records.coverage import Coverage
from queries.answer.cells import collect_scope_conditions
from queries.answer.condition import PeriodCondition
from queries.answer.condition_text import parse_conditions
from queries.answer.covered_days import classify_period
from queries.answer.inference import intersect_conditions
from queries.answer.types import NOT_COVERED, Answer, NotedSum, QuestionAnswer, Row
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


def describe_average(answer: Answer, question: QuestionAnswer) -> str:
    """How many there are on average, such as "1.1 a day", if the request asks for it; empty if it
    does not, or if a number that it needs is withheld. Calendar periods of which not all days are
    asked about and covered do not count, and are named unless none of their days is."""
    specs: Sequence[Mapping[str, Any]] = answer.request.get("questions", ())
    spec = next((spec for spec in specs if spec["id"] == question.id), {})
    total = question.table.total.counts[0]
    if not spec.get("average") or not isinstance(total, int) or not total:
        return ""
    covered = [row for row in question.table.rows if row.counts[0] != NOT_COVERED]
    scope = collect_scope_conditions(answer.scope)
    asked = [days for days in scope if isinstance(days, PeriodCondition)]
    whole = [row for row in covered if _is_whole(row, asked, answer.coverage)]
    counts = [row.counts[0] for row in whole] if len(whole) < len(covered) else [total]
    numbers = [count for count in counts if isinstance(count, int)]
    if not whole or len(numbers) < len(counts):
        return ""
    tenths = (20 * sum(numbers) + len(whole)) // (2 * len(whole))
    number = f"{tenths // 10:,}{f'.{tenths % 10}' if tenths % 10 else ''}"
    average = f"{number if tenths else 'fewer than 0.1'} a {question.table.heading.lower()}"
    if partial := [row.label for row in covered if row not in whole]:
        return f"{average}, without {join_list(partial)}, of which not all days are counted"
    return average


def _is_whole(row: Row, asked: list[PeriodCondition], coverage: Coverage | None) -> bool:
    """Whether all days of a row's calendar period are asked about and covered."""
    return all(
        all(intersect_conditions(period, days) == period for days in asked)
        and (coverage is None or classify_period(coverage, period) == "inside")
        for period in parse_conditions(row.means)
        if isinstance(period, PeriodCondition)
    )


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
