"""An answer as a system: what each printed number counts, and what is certain about all of them.

Pure. A population is a unit and the conditions its members meet, so the same number in two tables
is one variable, and it is known which population is within which. The system is what a reader can
know without any record: it never depends on the numbers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from indexer.errors import InexactError
from queries.answer.cells import (
    Cell,
    CellConditions,
    CellPart,
    CellValue,
    build_status_condition,
    collect_scope_conditions,
    list_column_conditions,
    list_review_part_conditions,
    list_row_conditions,
    list_table_cells,
    map_cells,
    map_review_cells,
)
from queries.answer.condition_text import parse_conditions
from queries.answer.covered_days import is_outside_coverage
from queries.answer.types import (
    ANY_STATUS,
    PEOPLE_UNITS,
    Answer,
    QuestionAnswer,
    Relation,
    Row,
    Table,
)
from queries.disclosure.attack.constraints import (
    ConstraintSystem,
    LinearConstraint,
    Population,
    add_coefficients,
    build_system,
    expand_relation,
    make_population,
    sum_populations,
)
from queries.review.result import ReviewResult
from queries.tables.period_columns import split_column_key
from queries.tables.scope import rows_are_disjoint
from queries.tables.table_query import find_bucket_key

#: What nobody asked for: first what documents can best do without.
_UNASKED_PARTS: Final[tuple[frozenset[CellPart], ...]] = (
    frozenset({"status"}),
    frozenset({"status", "term"}),
)


class PrintedCell(NamedTuple):
    """A printed number: where it stands, what it counts, and its value, None where withheld."""

    location: str
    part: CellPart
    population: Population
    number: int | None


def list_printed_cells(answer: Answer) -> list[PrintedCell]:
    """Every printed number, in the order of the answer."""
    printed_cells: list[PrintedCell] = []

    def collect(cell: PrintedCell) -> int | None:
        printed_cells.append(cell)
        return cell.number

    map_counts(answer, collect)
    return printed_cells


def map_counts(answer: Answer, change: Callable[[PrintedCell], int | None]) -> Answer:
    """The answer with every printed count changed.

    Left as they are: values that are not counts, such as the youngest age or what is not covered,
    and the counts of a term's forms, which a published answer never has.
    """

    def change_cell(cell: Cell) -> CellValue:
        if cell.key.part == "form" or cell.unit is None or isinstance(cell.value, str):
            return cell.value
        return change(_make_printed_cell(cell))

    return map_review_cells(map_cells(answer, change_cell), change_cell)


def _make_printed_cell(cell: Cell) -> PrintedCell:
    assert cell.unit is not None
    population = make_population(cell.unit, cell.conditions)
    number = cell.value if isinstance(cell.value, int) else None
    return PrintedCell(cell.location, cell.key.part, population, number)


def list_unasked(answer: Answer) -> Iterator[frozenset[Population]]:
    """What an answer says although nobody asked: how many records are left out by their status; and
    these with how many mention each term of the scope."""
    cells = list_printed_cells(answer)
    for parts in _UNASKED_PARTS:
        asked = {cell.population for cell in cells if cell.part not in parts}
        yield frozenset(cell.population for cell in cells) - asked


def count_populations(cells: Iterable[PrintedCell]) -> dict[Population, int]:
    """The printed numbers that are not withheld, by what they count."""
    return {cell.population: cell.number for cell in cells if cell.number is not None}


def list_occurring(answer: Answer) -> Iterator[Population]:
    """What cannot be 0 because a table lists it only if it occurs."""
    base = collect_scope_conditions(answer.scope)
    for question in answer.questions:
        *rows, total = _build_cell_grid(question, (*base, *parse_conditions(question.means)))
        occurring = [
            *(row[0] for row in rows if "rows" in question.open_axes),
            *(total[1:] if "columns" in question.open_axes else ()),
        ]
        # A row of victims is listed if there are records, which may have no victim.
        units = ("offences", "records")
        yield from (cell.population for cell in occurring if cell.population.unit in units)


def list_totals(answer: Answer) -> Iterator[Population]:
    """What the scope and each question count."""
    base = collect_scope_conditions(answer.scope)
    yield make_population("offences", base)
    for question in answer.questions:
        unit = question.table.columns[0].unit
        yield make_population(unit, base, parse_conditions(question.means))


def list_whole_groups(answer: Answer) -> Iterator[Population]:
    """The numbers in the rows of each table of which one row has all and every other none."""
    base = collect_scope_conditions(answer.scope)
    for question in answer.questions:
        if find_only_row(question.table) is not None:
            *rows, _ = _build_cell_grid(question, (*base, *parse_conditions(question.means)))
            yield from (cell.population for row in rows for cell in row if cell.number is not None)


def find_only_row(table: Table) -> Row | None:
    """The row that has all of a total, if there are others and each is 0.

    Statuses are not said to be anything of a person.
    """
    total = table.total.counts[0]
    if table.columns[0].unit in ANY_STATUS or not isinstance(total, int) or total == 0:
        return None
    full_rows = [row for row in table.rows if row.counts[0] == total]
    empty_rows = [row for row in table.rows if row.counts[0] == 0]
    is_whole = len(full_rows) == 1 and len(empty_rows) == len(table.rows) - 1 > 0
    return full_rows[0] if is_whole else None


def close_tables(answer: Answer, groups: Collection[Population]) -> Answer:
    """The answer without the rows and columns that would say what occurs in one of the groups."""
    base = collect_scope_conditions(answer.scope)
    questions = []
    for question in answer.questions:
        total = make_population(
            question.table.columns[0].unit, base, parse_conditions(question.means)
        )
        table = question.table
        if total in groups:
            table = _drop_open_axes(table, question.open_axes)
        questions.append(msgspec.structs.replace(question, table=table))
    return msgspec.structs.replace(answer, questions=tuple(questions))


def _drop_open_axes(table: Table, axes: Collection[str]) -> Table:
    relations = tuple(relation for relation in table.relations if relation.over not in axes)
    rows, total, columns = table.rows, table.total, table.columns
    if "rows" in axes:
        rows = ()
    if "columns" in axes:
        kept = [
            index
            for index, column in enumerate(columns)
            if find_bucket_key(split_column_key(column.key)[0]) is None
        ]
        columns = tuple(columns[index] for index in kept)
        *rows, total = (  # type: ignore[assignment]
            msgspec.structs.replace(row, counts=tuple(row.counts[index] for index in kept))
            for row in (*rows, total)
        )
    return msgspec.structs.replace(
        table, columns=columns, rows=tuple(rows), total=total, relations=relations
    )


def _build_cell_grid(question: QuestionAnswer, base: CellConditions) -> list[list[PrintedCell]]:
    """The cells of each row, the total last."""
    return [
        [_make_printed_cell(cell) for cell in cells] for cells in list_table_cells(question, base)
    ]


def build_answer_system(answer: Answer) -> ConstraintSystem:
    """The system of one answer. Raises InexactError where a table relates what it does not have."""
    return build_system(
        (cell.population for cell in list_printed_cells(answer)), declare_constraints(answer)
    )


def declare_constraints(answer: Answer) -> Iterator[LinearConstraint]:
    """What the scope and the tables state about their numbers.

    A number that is not covered is not part of them: a total counts what there is, and its reader
    knows that there is nothing of other days. Where the index holds records of other days after
    all, it stays, as a number that nobody knows.
    """
    coverage = answer.coverage
    for constraint in _iter_stated_constraints(answer):
        if coverage is None or coverage.outside:
            yield constraint
            continue
        terms = tuple(
            term
            for term in constraint.terms
            if not is_outside_coverage(coverage, term[0].conditions)
        )
        if terms:
            yield constraint._replace(terms=terms)


def close_uncovered_pieces(answer: Answer, system: ConstraintSystem) -> ConstraintSystem:
    """The system for a reader who knows what there is of days outside the coverage: nothing.

    Where the index holds records of those days after all, their numbers are pieces like others.
    """
    coverage = answer.coverage
    if coverage is None:
        return system
    if coverage.outside:
        uncovered = (
            population
            for population in system.populations
            if population not in system.helpers
            and is_outside_coverage(coverage, population.conditions)
        )
        return system._replace(helpers=(*system.helpers, *uncovered))
    closed = (
        LinearConstraint(((helper, 1),), 0, 0)
        for helper in system.helpers
        if is_outside_coverage(coverage, helper.conditions)
    )
    return system._replace(constraints=(*system.constraints, *closed))


def _iter_stated_constraints(answer: Answer) -> Iterator[LinearConstraint]:
    yield from _constrain_scope(answer)
    of_scope = collect_scope_conditions(answer.scope)
    for question in answer.questions:
        base = (*of_scope, *parse_conditions(question.means))
        grid = _build_cell_grid(question, base)
        yield from _constrain_table(question, grid, base)
        yield from _cross_constraints(question.table, grid)
    for review in answer.reviews:
        yield from _constrain_review(review)


def _constrain_review(review: ReviewResult) -> Iterator[LinearConstraint]:
    """The strata of a review make up its sample."""
    if not review.strata:
        return
    parts = [list_review_part_conditions(review, part) for part in review.strata]
    for name, conditions in list_review_part_conditions(review, review.total).items():
        yield from expand_relation(
            "sum",
            make_population(review.unit, conditions),
            [make_population(review.unit, part[name]) for part in parts],
            f"{review.number}, review",
        )


def _constrain_scope(answer: Answer) -> Iterator[LinearConstraint]:
    scope = answer.scope
    base = collect_scope_conditions(scope)
    total = make_population("offences", base)
    if scope.offences:
        rows = [
            make_population("offences", base, list_row_conditions("scope", row))
            for row in scope.offences
        ]
        kind = "sum" if rows_are_disjoint([row.codes for row in scope.offences]) else "union"
        yield from expand_relation(kind, total, rows, "scope, offences")
    if scope.terms:
        rows = [
            make_population("offences", base, parse_conditions(term.means)) for term in scope.terms
        ]
        yield from expand_relation("union", total, rows, "scope, mentions")
    parts = [
        total,
        *(
            make_population("records", base, (build_status_condition(status),))
            for status in scope.left_out
        ),
    ]
    record_count = answer.provenance.records
    yield LinearConstraint(
        sum_populations(parts),
        None if base else record_count,
        record_count,
        "scope, records in the index",
    )


class _AxisLine(NamedTuple):
    """One column of a table, or one row: what it counts, by the keys of the other axis."""

    key: str
    label: str
    populations_by_key: dict[str, Population]


def _constrain_table(
    question: QuestionAnswer, grid: list[list[PrintedCell]], base: CellConditions
) -> Iterator[LinearConstraint]:
    table = question.table
    lines = {
        "rows": _list_column_lines(question, grid, base),
        "columns": _list_row_lines(table, grid),
    }
    relations = table.relations
    if table.rows and not relations:  # of a version before relations; without rows, all are dropped
        relations = (Relation("union", table.total.key, tuple(row.key for row in table.rows)),)
    for relation in relations:
        for line in lines[relation.over]:
            if relation.only and line.key not in relation.only:
                continue
            try:
                parts = [line.populations_by_key[key] for key in relation.parts]
                total = line.populations_by_key[relation.total]
            except KeyError as error:
                raise InexactError(
                    f"{question.id}: a relation of the table names {error}, which it does not "
                    "have. Please report it."
                ) from None
            yield from expand_relation(
                relation.kind, total, parts, f"{question.id}, {line.label}", relation.times
            )


def _list_column_lines(
    question: QuestionAnswer, grid: list[list[PrintedCell]], base: CellConditions
) -> list[_AxisLine]:
    """What relations over rows relate: the facts that are counts, and each row."""
    table = question.table
    keys = [row.key for row in table.rows_and_total]
    return [
        _AxisLine(
            column.key,
            column.label,
            {
                fact.name: make_population(
                    fact.unit, base, parse_conditions(fact.means), conditions
                )
                for fact in question.figures
            }
            | {key: cells[index].population for key, cells in zip(keys, grid, strict=True)},
        )
        for index, (column, conditions) in enumerate(
            zip(table.columns, list_column_conditions(table), strict=True)
        )
    ]


def _list_row_lines(table: Table, grid: list[list[PrintedCell]]) -> list[_AxisLine]:
    keys = [column.key for column in table.columns]
    return [
        _AxisLine(
            row.key,
            row.label,
            {key: cell.population for key, cell in zip(keys, cells, strict=True)},
        )
        for row, cells in zip(table.rows_and_total, grid, strict=True)
    ]


def _cross_constraints(table: Table, grid: list[list[PrintedCell]]) -> Iterator[LinearConstraint]:
    """A cell holds at least what its row and its column have above the whole.

    This does not hold for people: one may be in the row and in the column as two victims.
    """
    units = [column.unit for column in table.columns]
    *rows, total = grid
    for index, unit in enumerate(units):
        first = units.index(unit)
        if first == index or unit in PEOPLE_UNITS:
            continue
        for row in rows:
            terms = add_coefficients(
                (row[index].population, 1),
                (total[first].population, 1),
                (row[first].population, -1),
                (total[index].population, -1),
            )
            yield LinearConstraint(terms, 0, None, row[index].location)
