"""Warns of numbers that may be 0 because the records do not say at all what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import UNSET

from indexer.records.damage.kinds import describe_without_text
from queries.answer.cells import collect_scope_conditions
from queries.answer.types import Answer, Count, QuestionAnswer, Table
from queries.layout.coverage_text import describe_textless_months
from queries.layout.prose import format_number

_PEOPLE: Final = {"victims": "victim", "suspects": "suspect"}

#: Of ``where``: what a record must have for its condition to hold.
_CONDITION_CONTENTS: Final = {
    "victim": "victim", "sex": "victim", "suspect": "suspect", "outcome": "outcome",
}  # fmt: skip


def warn_of_empty(answer: Answer) -> tuple[str, ...]:
    """For each question that counts nothing of a kind that records may lack altogether, a sentence,
    and one if terms were counted in records of which some have no text.

    A source without a table of victims has none in any record, and 0 would be no answer.
    """
    return (*_warn_of_empty_questions(answer), *_warn_of_missing_text(answer))


def _warn_of_missing_text(answer: Answer) -> tuple[str, ...]:
    damage = answer.provenance.damage
    if damage is UNSET or not damage.without_text or not answer.asks_about_terms:
        return ()
    missing = describe_without_text(damage.without_text, answer.provenance.records)
    months = describe_textless_months(answer.coverage, collect_scope_conditions(answer.scope))
    notes = [f"{missing} The wording check (lint) says how many the request is about"]
    if months:
        notes.append(
            f"{months} A 0 there says nothing, so add a note: to the question that says so"
        )
    return tuple(notes)


def _warn_of_empty_questions(answer: Answer) -> tuple[str, ...]:
    questions = {str(entry["id"]): entry for entry in answer.request.get("questions", ())}
    if not answer.scope.records:
        return ()
    return tuple(
        f"{question.id} finds no {content} in {format_number(answer.scope.records)} records. If "
        f"the source does not give any {content}, 0 is no answer: say so with not_covered: instead"
        for question in answer.questions
        for content in dict.fromkeys(_list_empty(question, questions.get(question.id, {})))
    )


def _list_empty(question: QuestionAnswer, entry: Mapping[str, Any]) -> Iterator[str]:
    table = question.table
    for unit, person in _PEOPLE.items():
        if any(column.unit == unit for column in table.columns) and not _sum_unit(table, unit):
            yield person
    if _sum_asked(table):
        return
    if question.kind == "linked":
        yield "link to another offence"
    if "outcome" in (entry.get("by"), entry.get("rows"), entry.get("columns")):
        yield "outcome"
    where = (entry.get("within") or {}).get("where") or {}
    yield from (content for name, content in _CONDITION_CONTENTS.items() if name in where)


def _sum_unit(table: Table, unit: str) -> int:
    indices = [index for index, column in enumerate(table.columns) if column.unit == unit]
    return sum(
        _to_number(row.counts[index]) for row in (*table.rows, table.total) for index in indices
    )


def _sum_asked(table: Table) -> int:
    """The sum of what was asked for: without the row of those that have nothing recorded."""
    return sum(
        _to_number(count)
        for row in table.rows or (table.total,)
        if row.kind != "unknown"
        for count in row.counts
    )


def _to_number(count: Count) -> int:
    """A count; of one that is not given, that there may be some."""
    return count if isinstance(count, int) else 1
