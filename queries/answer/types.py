"""The answer: the rows of every question, and their sources. Every document is made from it.

Pure types; ``queries/answer.schema.json`` is their published schema.

What a number counts follows from its unit and its conditions (``means``): those of the scope, of
its question, of its row and of its column. Two counts with the same unit and conditions are the
same number. ``queries.answer.condition_text`` says how conditions are written. A count of None is
withheld; one of "not covered" is of days for which the index holds no records, and is not a number.
"""

from __future__ import annotations

import inspect
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from indexer.records.coverage import Coverage
from indexer.records.damage.kinds import TextDamage
from indexer.records.noun import OFFENCE, Noun
from queries.review.result import ReviewResult, has_withheld_part

ANSWER_FORMAT: Final = "foidex-answer/2"

#: The formats that can be read. In the first, no count is "not covered".
READ_FORMATS: Final = ("foidex-answer/1", ANSWER_FORMAT)

Conditions: TypeAlias = tuple[str, ...]

PEOPLE: Final = "people"  # who may have several ages, and be victims on several days

#: Different people, by the list of a record that they are in.
PEOPLE_OF_LIST: Final = {"victims": PEOPLE, "suspects": "suspected people"}

#: The units of different people, of whom few sums hold.
PEOPLE_UNITS: Final = tuple(PEOPLE_OF_LIST.values())

#: The units that count records of every status, and what they are called of those that count.
ANY_STATUS: Final = {
    "records": "offences",
    "victims of records": "victims",
    "suspects of records": "suspects",
}

#: The fact that counts what a published list leaves out, or says that it is withheld.
NOT_LISTED: Final = "not_listed"

WITHHELD: Final = "[c]"  # "confidential", as official statistics mark it

NotCovered: TypeAlias = Literal["not covered"]

NOT_COVERED: Final[NotCovered] = "not covered"

#: How the label of a total row ends; where people read it, this is left out.
ASKED_ABOUT: Final = " asked about"

#: A number, None where it is withheld, or "not covered".
Count: TypeAlias = int | NotCovered | None


def count_or_zero(count: int | str | None) -> int:
    """The number; 0 where there is none."""
    return count if isinstance(count, int) else 0


class SpellingCount(Struct, frozen=True):
    """One spelling of a term that occurs, and how many records contain it."""

    form: str
    records: Count


class TermAnswer(Struct, frozen=True, omit_defaults=True):
    """A term of the request: its wordings there, and the forms that occur, most frequent first."""

    wordings: tuple[str, ...]
    records: Count
    forms: tuple[SpellingCount, ...]
    exact: bool = False
    aliases: tuple[str, ...] = ()
    company: tuple[str, ...] = ()
    means: Conditions = ()


class Column(Struct, frozen=True, omit_defaults=True):
    """What a column counts, and under which conditions; ``description`` is a longer label."""

    key: str
    label: str
    description: str = ""
    unit: str = "offences"
    means: Conditions = ()


class Row(Struct, frozen=True, omit_defaults=True):
    """One row: a count for each column of its table.

    ``kind`` marks rows that were not asked for: "none" (none of these), "unknown" and "other". A
    row of a list is a "combination": its ``values`` are those of the fields of its table,
    ``references`` are its records, if the list gives them, and ``texts`` what these say, masked, in
    no order that says anything; None is a text that a person refused to release.
    """

    key: str
    label: str
    counts: tuple[Count, ...]
    kind: str = "asked"
    codes: tuple[str, ...] = ()
    means: Conditions = ()
    values: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    texts: tuple[str | None, ...] = ()


class TextApprovals(Struct, frozen=True):
    """How the texts of a list were approved: how many were, how many were refused and are
    withheld, and when the first and the last decision was made (UTC, ISO 8601).

    Texts are given only of rows of at least ``min_records`` records.
    """

    approved: int
    refused: int
    min_records: int
    first_at: str
    last_at: str


class Relation(Struct, frozen=True, omit_defaults=True, rename={"total": "whole"}):
    """A relation between the numbers of a table that holds whatever the records are.

    - "sum": the parts add up to the whole; "union": they make up the whole, and may overlap;
    - "at_most": their sum is no more than the whole; "at_least": their sum is no less than
      ``times`` the whole.

    ``over`` rows, whole and parts are keys of rows or names of counted facts, and the relation
    holds in the columns of ``only``, or in all; over columns they are keys of columns, and it holds
    in the rows of ``only``, or in all.
    """

    kind: Literal["sum", "union", "at_most", "at_least"]
    total: str
    parts: tuple[str, ...]
    over: Literal["rows", "columns"] = "rows"
    only: tuple[str, ...] = ()
    times: int = 1


class FactMeta(Struct, frozen=True, omit_defaults=True):
    """A fact that is a count: its unit and its conditions."""

    name: str
    unit: str = "offences"
    means: Conditions = ()


#: The heading of rows or columns by status, which count what all other figures leave out.
STATUS_HEADING: Final = "Status"


class Table(Struct, frozen=True):
    """Rows and their total. The total counts each record, or victim, once; rows may overlap.

    ``heading`` says what the rows are, ``across`` what the columns after the first are. A table
    without ``relations`` has rows that make up the total and may overlap. ``share`` is set if
    documents also print each number as per cent of its column's, or its row's, total. ``fields``
    are the headings of the fields of a list.
    """

    heading: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row
    relations: tuple[Relation, ...] = ()
    across: str = ""
    share: Literal["column", "row"] | UnsetType = UNSET
    written_fields: tuple[str, ...] | UnsetType = field(default=UNSET, name="fields")

    @property
    def fields(self) -> tuple[str, ...]:
        """The headings of the fields of a list; none for another table."""
        return self.written_fields if isinstance(self.written_fields, tuple) else ()

    @property
    def is_by_status(self) -> bool:
        """Whether it counts records of every status."""
        return STATUS_HEADING in (self.heading, self.across)

    @property
    def rows_and_total(self) -> tuple[Row, ...]:
        """The rows, and the total last."""
        return (*self.rows, self.total)


class NotedSum(Struct, frozen=True):
    """A sum that a note of a question states: rows or columns that overlap add up to ``summed``,
    which is more than ``total``."""

    summed: int
    total: int

    @property
    def text(self) -> str:
        """The sum as a note words it."""
        return f"add up to {self.summed:,}, more than the total of {self.total:,}"


class QuestionAnswer(Struct, frozen=True, omit_defaults=True):
    """The numbers of one question.

    ``facts`` are single values, such as the youngest age; ``figures`` are those that are counts. If
    the question is about less than its request, ``within`` says so in words and ``means`` in
    conditions. A note states only numbers of the table, of the facts, and ``sums`` of them.
    ``open_axes`` are the sides of the table that list only what occurs. ``note`` and
    ``not_covered`` are the officer's words: what to know of the numbers, and what of the question
    they do not answer. ``part`` is the id of the part in the request that the question is one table
    of, if it has several. ``approvals`` says how the texts of a list were approved, if it gives
    some.
    """

    id: str
    kind: str
    text: str
    table: Table
    within: str = ""
    means: Conditions = ()
    facts: dict[str, int | str | None] = {}
    figures: tuple[FactMeta, ...] = ()
    notes: tuple[str, ...] = ()
    terms: tuple[TermAnswer, ...] = ()
    sums: tuple[NotedSum, ...] = ()
    open_axes: tuple[Literal["rows", "columns"], ...] = ()
    note: str = ""
    not_covered: str = ""
    part: str = ""
    approvals: TextApprovals | None = None


class UncoveredPart(Struct, frozen=True):
    """A part of the request without numbers: ``not_covered`` says why, in the officer's words.

    ``position`` is its place, from 0, among all parts of the request in the requester's order.
    """

    id: str
    text: str
    not_covered: str
    position: int


class ReadingLimit(Struct, frozen=True):
    """The cost limit that a letter relies on: the minutes that a record takes to read, and the
    limit in hours.

    From ``start`` to ``end`` (both included) is a period whose records could be read within the
    limit; None if there is none. ``question`` is the part whose records would have to be read;
    empty if these are all in scope.
    """

    minutes: float
    limit_hours: int
    start: date | None = None
    end: date | None = None
    question: str = ""

    @property
    def max_records(self) -> int:
        """The most records that can be read within the limit."""
        return int(self.limit_hours * 60 / Fraction(str(self.minutes)))

    def hours(self, records: int) -> Fraction:
        """The hours that it takes to read a number of records."""
        return records * Fraction(str(self.minutes)) / 60


class PeriodAnswer(Struct, frozen=True):
    """One period of a request: its name and its days, both included."""

    label: str
    start: date | None
    end: date | None


class ScopeAnswer(Struct, frozen=True):
    """The records the answer is about; ``left_out`` are those whose status does not count.

    ``conditions`` say in words what a record's fields must be, ``means`` say it in conditions.
    """

    records: Count
    left_out: dict[str, Count]
    period_from: date | None
    period_to: date | None
    offences: tuple[Row, ...]
    terms: tuple[TermAnswer, ...]
    periods: tuple[PeriodAnswer, ...] = ()
    conditions: tuple[str, ...] = ()
    means: Conditions = ()

    @property
    def of_any_status(self) -> int:
        """The records in scope, of any status; those that are not withheld."""
        return sum(map(count_or_zero, (self.records, *self.left_out.values())))


class Provenance(Struct, frozen=True):
    """Where the numbers come from. ``records`` are those in the generation, of any status.

    ``basis`` is the SHA-256 of the file that says which records count in which number, if one is
    kept; that file is beside the audit log, because it contains references. ``matching_rule`` is
    the version of the matching rule that counted; version 1 did not write it. ``damage`` counts the
    records of the generation with damaged and with repaired text, if the generation does.
    ``offence_table`` is the fingerprint of the table of offence codes by which it was asked.
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
    damage: TextDamage | UnsetType = UNSET
    written_matching_rule: int | UnsetType = field(default=UNSET, name="matching_rule")
    offence_table: str | UnsetType = UNSET

    @property
    def matching_rule(self) -> int:
        """The version of the matching rule that counted."""
        return 1 if self.written_matching_rule is UNSET else self.written_matching_rule


class RuleOverride(Struct, frozen=True):
    """A rule that was set aside, and why."""

    rule: str
    reason: str


class Disclosure(Struct, frozen=True):
    """How a published answer is protected.

    Counts from 1 to ``threshold`` - 1 are withheld, and others that would give them away;
    ``withheld`` is how many cells of the tables are. With ``rounding``, counts are rounded to it.
    """

    threshold: int
    rounding: int
    youngest: str
    withheld: int
    overrides: tuple[RuleOverride, ...] = ()


class NearMissCount(Struct, frozen=True):
    """A near miss: a wording close to a term, which does not count for the term.

    ``records`` contain it, and ``added`` of them do not count for the term; None if not given.
    ``places`` are "mentions", or the questions that ask for the term.
    """

    term: str
    places: tuple[str, ...]
    wording: str
    records: int | None
    added: int | None


class NearMisses(Struct, frozen=True):
    """The near misses of an answer, in ``told``.

    A near miss in fewer than ``least`` records is left out, because a rare word may name a person.
    ``complete`` is true if every record that may contain one was read.
    """

    least: int
    complete: bool
    told: tuple[NearMissCount, ...]


class Answer(Struct, frozen=True):
    """The numbers of one request; an answer with ``disclosure`` may be published.

    ``near_misses`` is None if none were looked for. ``coverage`` are the days for which the index
    holds records; answers of the first format have none, and show a 0 for other days.
    ``uncovered`` are the parts of the request that have no numbers. ``reading_limit`` is given if
    the letter relies on the cost of reading the records in scope. ``reviews`` are what people found
    when they read the records of numbers, or a random sample of them.
    """

    reference: str
    title: str
    request: dict[str, Any]
    scope: ScopeAnswer
    questions: tuple[QuestionAnswer, ...]
    provenance: Provenance
    disclosure: Disclosure | None = None
    near_misses: NearMisses | None = None
    measured_coverage: Coverage | UnsetType = field(default=UNSET, name="coverage")
    format: str = field(default=ANSWER_FORMAT)
    written_uncovered: tuple[UncoveredPart, ...] | UnsetType = field(
        default=UNSET, name="uncovered"
    )
    reading_limit: ReadingLimit | UnsetType = UNSET
    written_reviews: tuple[ReviewResult, ...] | UnsetType = field(default=UNSET, name="reviews")

    @property
    def asks_about_terms(self) -> bool:
        """Whether any number is of records that mention terms."""
        return bool(self.scope.terms or any(question.terms for question in self.questions))

    @property
    def reviews(self) -> tuple[ReviewResult, ...]:
        """What people found when they read the records of numbers."""
        return self.written_reviews if isinstance(self.written_reviews, tuple) else ()

    @property
    def uncovered(self) -> tuple[UncoveredPart, ...]:
        """The parts of the request that have no numbers."""
        return self.written_uncovered if isinstance(self.written_uncovered, tuple) else ()

    @property
    def reading_question(self) -> QuestionAnswer | None:
        """The question whose records a letter says would have to be read; None if these are all in
        scope."""
        limit = self.reading_limit
        name = limit.question if isinstance(limit, ReadingLimit) else ""
        return next((question for question in self.questions if name == question.id), None)

    @property
    def records_to_read(self) -> Count:
        """How many records a letter that relies on the cost limit says would have to be read."""
        question = self.reading_question
        return self.scope.records if question is None else question.table.total.counts[0]

    @property
    def noun(self) -> Noun:
        """What the force calls a record."""
        return msgspec.convert(self.request.get("noun") or OFFENCE, Noun, from_attributes=True)

    @property
    def coverage(self) -> Coverage | None:
        """The days for which the index holds records, if the answer states them."""
        return self.measured_coverage if isinstance(self.measured_coverage, Coverage) else None


def has_withheld_numbers(answer: Answer) -> bool:
    """Whether any number of a published answer is withheld."""
    disclosure, scope = answer.disclosure, answer.scope
    return disclosure is not None and (
        disclosure.withheld > 0
        or None in (scope.records, *scope.left_out.values())
        or any(has_withheld_part(review) for review in answer.reviews)
    )


def has_marked_numbers(answer: Answer) -> bool:
    """Whether any number of a published answer stands as withheld where it would be."""
    rows = [row for question in answer.questions for row in question.table.rows_and_total]
    scope = (answer.scope.records, *answer.scope.left_out.values())
    facts = [
        question.facts[figure.name] for question in answer.questions for figure in question.figures
    ]
    return None in (*scope, *facts, *(count for row in rows for count in row.counts))


def has_shortened_list(answer: Answer) -> bool:
    """Whether a list of a published answer leaves out combinations of few records."""
    return any(NOT_LISTED in question.facts for question in answer.questions)


def has_texts(answer: Answer) -> bool:
    """Whether a list of the answer gives texts of records, or withholds some."""
    return any(row.texts for question in answer.questions for row in question.table.rows)


def format_json(answer: Struct) -> str:
    """The answer as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(answer), indent=2).decode()


def build_answer_schema() -> dict[str, Any]:
    """The JSON Schema of an answer."""
    schema = msgspec.json.schema(Answer)
    for definition in schema["$defs"].values():
        if "description" in definition:  # a docstring, which Python before 3.13 leaves indented
            definition["description"] = inspect.cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The answer of foidex to one request",
        **schema,
    }
