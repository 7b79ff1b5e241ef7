"""The answer: rows of every question, and where they come from. Every output is rendered from it.

Pure types; ``answer.schema.json`` beside this file is their published schema.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct, field

FORMAT: Final = "foidex-answer/1"


class Form(Struct, frozen=True):
    """One way to write a term that was found, and the records that hold it."""

    form: str
    records: int


class TermFound(Struct, frozen=True, omit_defaults=True):
    """A term asked for: its wordings in the request, and the forms found, most frequent first."""

    wordings: tuple[str, ...]
    records: int
    forms: tuple[Form, ...]
    exact: bool = False
    aliases: tuple[str, ...] = ()
    company: tuple[str, ...] = ()


class Column(Struct, frozen=True, omit_defaults=True):
    """What a column counts; ``description`` says it at length."""

    key: str
    label: str
    description: str = ""


class Row(Struct, frozen=True, omit_defaults=True):
    """One row: a count for each column of its table. ``kind`` marks rows that are not asked for:
    "none" (none of these), "unknown", "other"."""

    key: str
    label: str
    counts: tuple[int, ...]
    kind: str = "asked"
    codes: tuple[str, ...] = ()


class Table(Struct, frozen=True):
    """Rows and their total. The total counts each record, or victim, once; rows may overlap.

    ``heading`` is what the rows are, ``across`` what the columns after the first are.
    """

    heading: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row
    across: str = ""


class QuestionAnswer(Struct, frozen=True, omit_defaults=True):
    """The numbers of one question.

    ``facts`` are single values, such as the youngest age; ``within`` says in words what the
    question is about, where that is less than its request is.
    """

    id: str
    kind: str
    text: str
    table: Table
    within: str = ""
    facts: dict[str, int | str | None] = {}
    notes: tuple[str, ...] = ()
    terms: tuple[TermFound, ...] = ()


class PeriodAnswer(Struct, frozen=True):
    """One period of a request: its name and its days, both included."""

    label: str
    start: date | None
    end: date | None


class ScopeAnswer(Struct, frozen=True):
    """The records the answer is about; ``left_out`` are those whose status does not count.

    ``conditions`` are what a record's fields must be, in words.
    """

    records: int
    left_out: dict[str, int]
    period_from: date | None
    period_to: date | None
    offences: tuple[Row, ...]
    terms: tuple[TermFound, ...]
    periods: tuple[PeriodAnswer, ...] = ()
    conditions: tuple[str, ...] = ()


class Provenance(Struct, frozen=True):
    """Where the numbers come from. ``records`` are those in the generation, of any status.

    ``basis`` is the SHA-256 of the file that holds which records count in which number, where one
    is kept; it stands beside the audit log, for it holds references.
    """

    generation: str
    built_at: datetime
    watermark: datetime | None
    records: int
    rejected: int
    sources: tuple[str, ...]
    mapping_hash: str
    query_hash: str
    query: dict[str, Any]
    run_at: datetime
    took_ms: int
    version: str
    basis: str | None = None


class Answer(Struct, frozen=True):
    """The numbers of one request."""

    reference: str
    title: str
    request: dict[str, Any]
    scope: ScopeAnswer
    questions: tuple[QuestionAnswer, ...]
    provenance: Provenance
    format: str = field(default=FORMAT)


def to_json(answer: Struct) -> str:
    """The answer as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(answer), indent=2).decode()


def schema() -> dict[str, Any]:
    """The JSON Schema of an answer."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The answer of foidex to one request",
        **msgspec.json.schema(Answer),
    }
