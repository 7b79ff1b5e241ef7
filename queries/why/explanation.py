"""What is said about one record and one request. Pure; ``text`` prints it."""

from __future__ import annotations

from msgspec import Struct


class ConditionCheck(Struct, frozen=True):
    """A condition, whether the record meets it, and what the record has instead or in particular.

    ``found`` may be empty.
    """

    condition: str
    met: bool
    found: str = ""


class Passage(Struct, frozen=True):
    """Words of the narrative: what they are to the term (``note``), the words themselves with the
    text on either side, and ``cut``: the same words as the index has them, with a bar where no
    mention can cross."""

    note: str
    before: str
    words: str
    after: str
    cut: str = ""


class TermFinding(Struct, frozen=True):
    """A term of the request, in which questions it is asked ("" is the scope), and whether the
    record mentions it.

    ``reason`` is a sentence that says how it is written, or why nothing counts.
    """

    term: str
    places: tuple[str, ...]
    mentioned: bool
    reason: str
    passages: tuple[Passage, ...] = ()


class CountedNumber(Struct, frozen=True):
    """A number that the record counts in: how it is called, how many of it are this record, and
    the number itself."""

    number: str
    counts: int
    total: int


class QuestionExplanation(Struct, frozen=True):
    """A question: its own conditions, the numbers of it that the record counts in, and the rows
    that it is not in. If a condition is not met, both lists are empty."""

    question: str
    text: str
    conditions: tuple[ConditionCheck, ...]
    counted: tuple[CountedNumber, ...]
    rows_without: tuple[str, ...]


class NumberExplanation(Struct, frozen=True):
    """One number that was named: every condition of it, and whether the record counts in it."""

    number: str
    counts: bool
    conditions: tuple[ConditionCheck, ...]


class RecordExplanation(Struct, frozen=True):
    """Why a record of a generation counts in a request, or does not.

    ``scope`` are the conditions of the scope, the status among them. ``scope_counted`` are the
    scope's own numbers. ``number`` is the one that was named, if any.
    """

    crime_ref: str
    generation: str
    in_scope: bool
    scope: tuple[ConditionCheck, ...]
    scope_counted: tuple[CountedNumber, ...]
    terms: tuple[TermFinding, ...]
    questions: tuple[QuestionExplanation, ...]
    number: NumberExplanation | None = None
