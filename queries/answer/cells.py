"""The numbers of an answer, each by its place, and which of them differ between two. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from queries.answer.types import Answer, TermAnswer

CellValue = int | str | None

CellPart = Literal["records", "status", "offence", "term", "form", "row", "total", "fact"]


class CellKey(Struct, frozen=True, array_like=True, order=True):
    """Where a number stands: in the scope (no question) or a question; in which part of it, row
    and column, by their keys. A term's row is its number, a form's column the form."""

    question: str
    part: CellPart
    row: str = ""
    column: str = ""


class CellChange(Struct, frozen=True, rename={"key": "place", "before": "was", "after": "now"}):
    """A number that differs; None where there is none. ``label`` is what an answer calls it."""

    key: CellKey
    label: str
    before: CellValue
    after: CellValue


def collect_numbers(answer: Answer) -> dict[CellKey, CellValue]:
    """Every number of an answer, in its order."""
    return {key: value for key, value, _ in _iter_cells(answer)}


def label_numbers(answer: Answer) -> dict[CellKey, str]:
    """What each number is called: "Q2 Snapchat / 22B"."""
    return {key: label for key, _, label in _iter_cells(answer)}


def compare_numbers(before: Answer, after: Answer) -> list[CellChange]:
    """The numbers that differ, in the order of the answers. A row that is not there counts none."""
    numbers_before, numbers_after = collect_numbers(before), collect_numbers(after)
    cell_labels = label_numbers(after) | label_numbers(before)
    changes = []
    for key in {**numbers_before, **numbers_after}:
        absent_value = None if key.part == "fact" or key.column.startswith("people") else 0
        value_before, value_after = (
            numbers_before.get(key, absent_value),
            numbers_after.get(key, absent_value),
        )
        if value_before != value_after:
            changes.append(CellChange(key, cell_labels[key], value_before, value_after))
    return changes


def hash_numbers(answer: Answer) -> str:
    """The SHA-256 of every number of an answer, with its place."""
    return hash_json(
        [[key, value] for key, value in sorted(collect_numbers(answer).items(), key=_get_cell_key)]
    )


def _get_cell_key(item: tuple[CellKey, CellValue]) -> CellKey:
    return item[0]


def hash_json(value: Any) -> str:
    """The SHA-256 of a value as JSON with its keys in order."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def _iter_cells(answer: Answer) -> Iterator[tuple[CellKey, CellValue, str]]:
    scope = answer.scope
    yield CellKey("", "records"), scope.records, "Records in scope"
    for status, number in scope.left_out.items():
        yield CellKey("", "status", status), number, f"Left out as {status}"
    for row in scope.offences:
        yield CellKey("", "offence", row.key), row.counts[0], f"In scope: {row.label}"
    yield from _iter_term_cells("", "In scope", scope.terms)
    for question in answer.questions:
        table = question.table
        for row in (*table.rows, table.total):
            part: CellPart = "total" if row is table.total else "row"
            for column, number in zip(table.columns, row.counts, strict=True):
                across = "" if column is table.columns[0] else f" / {column.label}"
                key = CellKey(question.id, part, row.key, column.key)
                yield key, number, f"{question.id} {row.label}{across}"
        for name, value in question.facts.items():
            yield (
                CellKey(question.id, "fact", name),
                value,
                f"{question.id} {name.replace('_', ' ')}",
            )
        yield from _iter_term_cells(question.id, question.id, question.terms)


def _iter_term_cells(
    question: str, heading: str, terms: tuple[TermAnswer, ...]
) -> Iterator[tuple[CellKey, CellValue, str]]:
    for number, term in enumerate(terms):
        label = f'{heading}, term "{term.wordings[0]}"'
        yield CellKey(question, "term", str(number)), term.records, label
        for form in term.forms:
            key = CellKey(question, "form", str(number), form.form)
            yield key, form.records, f'{label} as "{form.form}"'
