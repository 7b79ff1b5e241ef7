"""Every number of an answer: where it stands, what it is called, what it counts and its value.

Pure. ``map_cells`` is the only way to the numbers: whatever lists, compares, withholds or traces
numbers uses it, so a new place for numbers is added there once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from queries.answer.condition import (
    Condition,
    NamedCondition,
    SampleCondition,
    build_any_term_condition,
    build_category_condition,
    build_field_condition,
    build_offence_condition,
    build_period_condition,
)
from queries.answer.condition_text import parse_condition, parse_conditions
from queries.answer.types import (
    ANY_STATUS,
    NOT_COVERED,
    PEOPLE_UNITS,
    Answer,
    QuestionAnswer,
    Row,
    ScopeAnswer,
    Table,
    TermAnswer,
)
from queries.review.result import ReviewedPart, ReviewResult

CellValue = int | str | None

CellPart = Literal["records", "status", "offence", "term", "form", "row", "total", "fact", "review"]

CellConditions = tuple[Condition, ...]


class CellKey(Struct, frozen=True, array_like=True, order=True):
    """Where a number stands: in the scope (no question) or a question; in which part of it, row
    and column, by their keys. A term's row is its number, a form's column the form."""

    question: str
    part: CellPart
    row: str = ""
    column: str = ""


class Cell(Struct, frozen=True):
    """A number of an answer.

    ``label`` names it in a comparison ("Q2 Snapchat / 22B"), ``location`` in a message ("Q2,
    Snapchat, 22B"). It counts members of ``unit`` that meet all ``conditions``, those of its scope
    and question among them; a ``unit`` of None is not a count, such as the youngest age.
    """

    key: CellKey
    label: str
    location: str
    unit: str | None
    conditions: CellConditions
    value: CellValue

    @property
    def is_derived(self) -> bool:
        """Whether it is not a sum over records: a fact, or a count of different people."""
        return self.key.part == "fact" or self.unit in PEOPLE_UNITS


class CellChange(
    Struct,
    frozen=True,
    omit_defaults=True,
    rename={"key": "place", "before": "was", "after": "now"},
):
    """A number that differs between two answers; None where there is none.

    ``derived`` as ``Cell.is_derived``.
    """

    key: CellKey
    label: str
    before: CellValue
    after: CellValue
    derived: bool = False


def list_cells(answer: Answer) -> list[Cell]:
    """Every number of an answer, in its order."""
    cells: list[Cell] = []

    def collect(cell: Cell) -> CellValue:
        cells.append(cell)
        return cell.value

    map_cells(answer, collect)
    return cells


def collect_numbers(answer: Answer) -> dict[CellKey, CellValue]:
    """Every number of an answer by its key, in its order."""
    return {cell.key: cell.value for cell in list_cells(answer)}


def label_numbers(answer: Answer) -> dict[CellKey, str]:
    """What each number is called: "Q2 Snapchat / 22B"."""
    return {cell.key: cell.label for cell in list_cells(answer)}


def compare_numbers(before: Answer, after: Answer) -> list[CellChange]:
    """The numbers that differ, in the order of the answers. A missing row counts 0."""
    cells_before = {cell.key: cell for cell in list_cells(before)}
    cells_after = {cell.key: cell for cell in list_cells(after)}
    changes = []
    for key in {**cells_before, **cells_after}:
        cell = cells_before.get(key) or cells_after[key]
        if cell.value == NOT_COVERED and not (key in cells_before and key in cells_after):
            continue
        absent_value = None if cell.is_derived else 0
        value_before, value_after = (
            cells[key].value if key in cells else absent_value
            for cells in (cells_before, cells_after)
        )
        if value_before != value_after:
            changes.append(
                CellChange(key, cell.label, value_before, value_after, derived=cell.is_derived)
            )
    return changes


def hash_numbers(answer: Answer) -> str:
    """The SHA-256 of every number of an answer, with its key."""
    return hash_json([list(item) for item in sorted(collect_numbers(answer).items(), key=_by_key)])


def _by_key(item: tuple[CellKey, CellValue]) -> CellKey:
    return item[0]


def hash_json(value: Any) -> str:
    """The SHA-256 of a value as JSON with its keys in order."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def collect_scope_conditions(scope: ScopeAnswer) -> CellConditions:
    """The conditions of the records in scope."""
    conditions = [*parse_conditions(scope.means)]
    if scope.periods:
        conditions.append(
            build_period_condition(*((period.start, period.end) for period in scope.periods))
        )
    elif scope.period_from or scope.period_to:
        conditions.append(build_period_condition((scope.period_from, scope.period_to)))
    if scope.offences:
        codes = (code for row in scope.offences for code in row.codes)
        conditions.append(build_offence_condition(codes))
    if scope.terms:
        terms = (condition for term in scope.terms for condition in parse_conditions(term.means))
        conditions.append(build_any_term_condition(terms))
    return tuple(conditions)


def list_column_conditions(table: Table) -> list[CellConditions]:
    """The conditions of each column; one that is not the first of its unit has some."""
    units: set[str] = set()
    column_conditions = []
    for column in table.columns:
        conditions = parse_conditions(column.means)
        if not conditions and column.unit in units:
            conditions = (parse_condition(f"{table.heading} column:{column.key}"),)
        column_conditions.append(conditions)
        units.add(column.unit)
    return column_conditions


def list_row_conditions(question: str, row: Row) -> CellConditions:
    """The conditions of a row; if none is stated, one that no other table shares."""
    if row.means or row.kind == "total":
        return parse_conditions(row.means)
    return (parse_condition(f"{question} row:{row.key}"),)


def build_status_condition(status: str) -> Condition:
    """The records of a status."""
    return build_field_condition("status", [status])


def map_review_cells(answer: Answer, change: Callable[[Cell], CellValue]) -> Answer:
    """The answer with the numbers of its reviews replaced by what ``change`` returns.

    These are not sums over records, so ``map_cells`` leaves them out. Numbers that are withheld are
    left as they are.
    """
    if not answer.reviews:
        return answer
    reviews = tuple(
        replace(
            review,
            total=_map_review_part(review, review.total, change),
            strata=tuple(_map_review_part(review, part, change) for part in review.strata),
        )
        for review in answer.reviews
    )
    return replace(answer, written_reviews=reviews)


def list_review_cells(answer: Answer) -> list[Cell]:
    """The numbers of the reviews of an answer that are not withheld, in its order."""
    cells: list[Cell] = []

    def collect(cell: Cell) -> CellValue:
        cells.append(cell)
        return cell.value

    map_review_cells(answer, collect)
    return cells


def list_review_part_conditions(
    review: ReviewResult, part: ReviewedPart
) -> dict[str, CellConditions]:
    """What each number of a part of a review counts, by its name.

    A larger sample of the same order includes the smaller one.
    """
    name = [review.seed, review.number, review.column, review.criterion]
    digest, order = hash_json(name)[:12], hash_json([*name, part.label])[:12]
    base = parse_conditions(part.means)
    drawn = (*base, SampleCondition(((1, part.sampled),), order=order))
    return {
        "mentioned": base,
        "relevant": (*drawn, _build_verdict_condition(digest, "relevant")),
        "not_relevant": (*drawn, _build_verdict_condition(digest, "not relevant")),
    }


def _build_verdict_condition(digest: str, verdict: str) -> Condition:
    return build_category_condition(f"review {digest}", [verdict], many=False)


def _map_review_part(
    review: ReviewResult, part: ReviewedPart, change: Callable[[Cell], CellValue]
) -> ReviewedPart:
    question = review.number.partition(":")[0]
    numbers = {}
    for name, conditions in list_review_part_conditions(review, part).items():
        number = getattr(part, name)
        if number is None:
            continue
        words = " ".join(filter(None, ("review", part.label, name.replace("_", " "))))
        numbers[name] = change(
            Cell(
                CellKey(question, "review", f"{review.name} {part.label}".strip(), name),
                f"{review.number} {words}",
                f"{review.label or review.number}, {words}",
                review.unit,
                conditions,
                number,
            )
        )
    return replace(part, **numbers)


# -- the walk ----------------------------------------------------------------------------------


def map_cells(answer: Answer, change: Callable[[Cell], CellValue]) -> Answer:
    """The answer with every number replaced by what ``change`` returns for its cell.

    Calls it in the order of the answer. Raises ValueError if a row does not fit its table.
    """
    base = collect_scope_conditions(answer.scope)
    return replace(
        answer,
        scope=_map_scope(answer.scope, base, change),
        questions=tuple(_map_question(question, base, change) for question in answer.questions),
    )


def _map_scope(
    scope: ScopeAnswer, base: CellConditions, change: Callable[[Cell], CellValue]
) -> ScopeAnswer:
    records = change(
        Cell(
            CellKey("", "records"),
            "Records in scope",
            "scope, records",
            "offences",
            base,
            scope.records,
        )
    )
    left_out = {
        status: change(
            Cell(
                CellKey("", "status", status),
                f"Left out as {status}",
                f"scope, {status}",
                "records",
                (*base, build_status_condition(status)),
                number,
            )
        )
        for status, number in scope.left_out.items()
    }
    offences = tuple(
        replace(
            row,
            counts=(
                change(
                    Cell(
                        CellKey("", "offence", row.key),
                        f"In scope: {row.label}",
                        f"scope, {row.label}",
                        "offences",
                        (*base, *list_row_conditions("scope", row)),
                        row.counts[0],
                    )
                ),
            ),
        )
        for row in scope.offences
    )
    place = _TermPlace("", "In scope", "scope", "offences", base)
    return replace(
        scope,
        records=records,
        left_out=left_out,
        offences=offences,
        terms=_map_terms(scope.terms, place, change),
    )


def _map_question(
    question: QuestionAnswer, base: CellConditions, change: Callable[[Cell], CellValue]
) -> QuestionAnswer:
    base = (*base, *parse_conditions(question.means))
    table = question.table
    counts = [tuple(map(change, cells)) for cells in list_table_cells(question, base)]
    *rows, total = (
        replace(row, counts=numbers)
        for row, numbers in zip(table.rows_and_total, counts, strict=True)
    )
    figures = {figure.name: figure for figure in question.figures}
    facts = {}
    for name, value in question.facts.items():
        figure = figures.get(name) if not isinstance(value, str) else None
        facts[name] = change(
            Cell(
                CellKey(question.id, "fact", name),
                f"{question.id} {name.replace('_', ' ')}",
                f"{question.id}, {name.replace('_', ' ')}",
                figure.unit if figure else None,
                (*base, *parse_conditions(figure.means)) if figure else (),
                value,
            )
        )
    unit = "records" if table.columns[0].unit in ANY_STATUS else "offences"
    place = _TermPlace(question.id, question.id, question.id, unit, base)
    return replace(
        question,
        table=replace(table, rows=tuple(rows), total=total),
        facts=facts,
        terms=_map_terms(question.terms, place, change),
    )


def list_table_cells(question: QuestionAnswer, base: CellConditions) -> list[list[Cell]]:
    """The cells of each row of a question's table, the total last.

    ``base`` are the conditions of the question and its scope.
    """
    table = question.table
    column_conditions = list_column_conditions(table)
    return [
        [
            Cell(
                CellKey(question.id, part, row.key, column.key),
                f"{question.id} {row.label}{'' if index == 0 else f' / {column.label}'}",
                f"{question.id}, {row.label}, {column.label}",
                column.unit,
                (*base, *row_conditions, *conditions),
                number,
            )
            for index, (column, conditions, number) in enumerate(
                zip(table.columns, column_conditions, row.counts, strict=True)
            )
        ]
        for row in table.rows_and_total
        for row_conditions in [list_row_conditions(question.id, row)]
        for part in [_table_part(table, row)]
    ]


def _table_part(table: Table, row: Row) -> CellPart:
    return "total" if row is table.total else "row"


class _TermPlace(Struct, frozen=True):
    """Where terms stand: the question's id, what a label and a location begin with; and what they
    count."""

    question: str
    label: str
    location: str
    unit: str
    base: CellConditions


def _map_terms(
    terms: Sequence[TermAnswer], place: _TermPlace, change: Callable[[Cell], CellValue]
) -> tuple[TermAnswer, ...]:
    return tuple(_map_term(term, number, place, change) for number, term in enumerate(terms))


def _map_term(
    term: TermAnswer, number: int, place: _TermPlace, change: Callable[[Cell], CellValue]
) -> TermAnswer:
    name = term.wordings[0] if term.wordings else " and ".join(term.means)
    label = f'{place.label}, term "{name}"'
    location = f"{place.location}, term {name}"
    means = term.means or (f"{place.location} term:{name}",)
    conditions = (*place.base, *parse_conditions(means))
    records = change(
        Cell(
            CellKey(place.question, "term", str(number)),
            label,
            location,
            place.unit,
            conditions,
            term.records,
        )
    )
    forms = tuple(
        replace(
            form,
            records=change(
                Cell(
                    CellKey(place.question, "form", str(number), form.form),
                    f'{label} as "{form.form}"',
                    f'{location} as "{form.form}"',
                    place.unit,
                    (*conditions, NamedCondition(f"form:{form.form}")),
                    form.records,
                )
            ),
        )
        for form in term.forms
    )
    return replace(term, records=records, forms=forms)
