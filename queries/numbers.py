"""The numbers of an answer, each by its place, and which of them differ between two. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from queries.answer import Answer, TermFound

Value = int | str | None
Part = Literal["records", "status", "offence", "term", "form", "row", "total", "fact"]


class Place(Struct, frozen=True, array_like=True, order=True):
    """Where a number stands: in the scope (no question) or a question; in which part of it, row
    and column, by their keys. A term's row is its number, a form's column the form."""

    question: str
    part: Part
    row: str = ""
    column: str = ""


class Moved(Struct, frozen=True):
    """A number that differs; None where there is none. ``label`` is what an answer calls it."""

    place: Place
    label: str
    was: Value
    now: Value


def of(answer: Answer) -> dict[Place, Value]:
    """Every number of an answer, in its order."""
    return {place: value for place, value, _ in _all(answer)}


def labels(answer: Answer) -> dict[Place, str]:
    """What each number is called: "Q2 Snapchat / 22B"."""
    return {place: label for place, _, label in _all(answer)}


def moved(before: Answer, after: Answer) -> list[Moved]:
    """The numbers that differ, in the order of the answers. A row that is not there counts none."""
    was, now = of(before), of(after)
    called = labels(after) | labels(before)
    found = []
    for place in {**was, **now}:
        nothing = None if place.part == "fact" or place.column.startswith("people") else 0
        one, other = was.get(place, nothing), now.get(place, nothing)
        if one != other:
            found.append(Moved(place, called[place], one, other))
    return found


def digest(answer: Answer) -> str:
    """The SHA-256 of every number of an answer, with its place."""
    return hashed([[place, value] for place, value in sorted(of(answer).items(), key=_first)])


def _first(item: tuple[Place, Value]) -> Place:
    return item[0]


def hashed(value: Any) -> str:
    """The SHA-256 of a value as JSON with its keys in order."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def _all(answer: Answer) -> Iterator[tuple[Place, Value, str]]:
    scope = answer.scope
    yield Place("", "records"), scope.records, "Records in scope"
    for status, number in scope.left_out.items():
        yield Place("", "status", status), number, f"Left out as {status}"
    for row in scope.offences:
        yield Place("", "offence", row.key), row.counts[0], f"In scope: {row.label}"
    yield from _terms("", "In scope", scope.terms)
    for question in answer.questions:
        table = question.table
        for row in (*table.rows, table.total):
            part: Part = "total" if row is table.total else "row"
            for column, number in zip(table.columns, row.counts, strict=True):
                across = "" if column is table.columns[0] else f" / {column.label}"
                place = Place(question.id, part, row.key, column.key)
                yield place, number, f"{question.id} {row.label}{across}"
        for name, value in question.facts.items():
            yield Place(question.id, "fact", name), value, f"{question.id} {name.replace('_', ' ')}"
        yield from _terms(question.id, question.id, question.terms)


def _terms(
    question: str, heading: str, terms: tuple[TermFound, ...]
) -> Iterator[tuple[Place, Value, str]]:
    for number, term in enumerate(terms):
        called = f'{heading}, term "{term.wordings[0]}"'
        yield Place(question, "term", str(number)), term.records, called
        for form in term.forms:
            place = Place(question, "form", str(number), form.form)
            yield place, form.records, f'{called} as "{form.form}"'
