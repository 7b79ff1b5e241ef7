"""An answer as a system: what each printed number counts, and what is certain of them together.

Pure. A population is a unit and the conditions its members meet, so the same number in two tables
is one variable, and one within another can be told. The system is what a reader can know without
any record: it never depends on the numbers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from indexer.errors import InexactError
from queries.answer.condition import (
    build_any_term_condition,
    build_field_condition,
    build_offence_condition,
    build_period_condition,
)
from queries.answer.types import (
    Answer,
    Conditions,
    QuestionAnswer,
    Relation,
    Row,
    ScopeAnswer,
    Table,
    TermAnswer,
)
from queries.disclosure.constraints import (
    ANY_STATUS,
    PEOPLE,
    ConstraintSystem,
    LinearConstraint,
    Population,
    add_coefficients,
    build_system,
    expand_relation,
    make_population,
    sum_populations,
)
from queries.tables.scope import rows_are_disjoint


class PrintedCell(NamedTuple):
    """A printed number: where it stands, what it counts, and its value, None where withheld."""

    location: str
    population: Population
    number: int | None


def list_printed_cells(answer: Answer) -> list[PrintedCell]:
    """Every printed number, in the order of the answer."""
    printed_cells: list[PrintedCell] = []

    def note(cell: PrintedCell) -> int | None:
        printed_cells.append(cell)
        return cell.number

    map_counts(answer, note)
    return printed_cells


def map_counts(answer: Answer, change: Callable[[PrintedCell], int | None]) -> Answer:
    """The answer with every printed number changed: there is no other way to a number."""
    scope, base = answer.scope, collect_scope_conditions(answer.scope)

    def of(location: str, unit: str, number: int | None, criteria: Conditions) -> int | None:
        return change(PrintedCell(location, make_population(unit, base, criteria), number))

    def term(
        location: str, unit: str, counted_term: TermAnswer, outer_conditions: Conditions = ()
    ) -> TermAnswer:
        name = (
            counted_term.wordings[0] if counted_term.wordings else " and ".join(counted_term.means)
        )
        criteria = counted_term.means or (f"{location} term:{name}",)
        return replace(
            counted_term,
            records=of(
                f"{location}, term {name}",
                unit,
                counted_term.records,
                (*outer_conditions, *criteria),
            ),
        )

    def question(question_answer: QuestionAnswer) -> QuestionAnswer:
        *rows, total = map(
            tuple, map(partial(map, change), _build_cell_grid(question_answer, base))
        )
        old = question_answer.table
        table = replace(
            old,
            rows=tuple(replace(row, counts=new) for row, new in zip(old.rows, rows, strict=True)),
            total=replace(old.total, counts=total),
        )
        figures = {
            fact.name: of(
                f"{question_answer.id}, {fact.name.replace('_', ' ')}",
                fact.unit,
                number,
                (*question_answer.means, *fact.means),
            )
            for fact in question_answer.figures
            if not isinstance(number := question_answer.facts[fact.name], str)
        }
        unit = "records" if old.columns[0].unit in ANY_STATUS else "offences"
        terms = tuple(
            term(question_answer.id, unit, counted_term, question_answer.means)
            for counted_term in question_answer.terms
        )
        return replace(
            question_answer, table=table, facts=question_answer.facts | figures, terms=terms
        )

    new = replace(
        scope,
        records=of("scope, records", "offences", scope.records, ()),
        left_out={
            status: of(f"scope, {status}", "records", number, (_make_status_condition(status),))
            for status, number in scope.left_out.items()
        },
        offences=tuple(
            replace(row, counts=(of(f"scope, {row.label}", "offences", row.counts[0], criteria),))
            for row in scope.offences
            for criteria in [row.means or _make_row_condition("scope", row)]
        ),
        terms=tuple(term("scope", "offences", counted_term) for counted_term in scope.terms),
    )
    return replace(answer, scope=new, questions=tuple(map(question, answer.questions)))


def _build_cell_grid(question: QuestionAnswer, base: Conditions) -> list[list[PrintedCell]]:
    """The cells of each row, the total last."""
    table = question.table
    heads = _list_column_conditions(table)
    return [
        [
            PrintedCell(
                f"{question.id}, {row.label}, {column.label}",
                make_population(column.unit, base, (*question.means, *criteria, *head)),
                number,
            )
            for column, head, number in zip(table.columns, heads, row.counts, strict=True)
        ]
        for row in (*table.rows, table.total)
        for criteria in [_pick_row_conditions(question.id, row)]
    ]


def _list_column_conditions(table: Table) -> list[Conditions]:
    """The conditions of each column; one that is not the first of its unit has some."""
    units: set[str] = set()
    heads = []
    for column in table.columns:
        has_conditions = column.means or column.unit not in units
        heads.append(column.means if has_conditions else (f"{table.heading} column:{column.key}",))
        units.add(column.unit)
    return heads


def _pick_row_conditions(question: str, row: Row) -> Conditions:
    """The conditions of a row; where none is stated, one that no other table shares."""
    return row.means or (() if row.kind == "total" else _make_row_condition(question, row))


def _make_row_condition(question: str, row: Row) -> Conditions:
    return (f"{question} row:{row.key}",)


def _make_status_condition(status: str) -> str:
    return build_field_condition("status", [status])


def collect_scope_conditions(scope: ScopeAnswer) -> Conditions:
    """The conditions of the scope."""
    criteria = [*scope.means]
    if scope.periods:
        criteria.append(build_period_condition(*((span.start, span.end) for span in scope.periods)))
    elif scope.period_from or scope.period_to:
        criteria.append(build_period_condition((scope.period_from, scope.period_to)))
    if scope.offences:
        criteria.append(
            build_offence_condition(code for row in scope.offences for code in row.codes)
        )
    if scope.terms:
        criteria.append(
            build_any_term_condition(condition for term in scope.terms for condition in term.means)
        )
    return tuple(criteria)


def build_answer_system(answer: Answer) -> ConstraintSystem:
    """The system of one answer. Raises InexactError where a table relates what it does not have."""
    return build_system(
        (cell.population for cell in list_printed_cells(answer)), declare_constraints(answer)
    )


def declare_constraints(answer: Answer) -> Iterator[LinearConstraint]:
    """What the scope and the tables say of their numbers."""
    yield from _constrain_scope(answer)
    of_scope = collect_scope_conditions(answer.scope)
    for question in answer.questions:
        base = (*of_scope, *question.means)
        grid = _build_cell_grid(question, base)
        yield from _constrain_table(question, grid, base)
        yield from _cross_constraints(question.table, grid)


def _constrain_scope(answer: Answer) -> Iterator[LinearConstraint]:
    scope = answer.scope
    base = collect_scope_conditions(scope)
    total = make_population("offences", base)
    if scope.offences:
        rows = [
            make_population("offences", base, row.means or _make_row_condition("scope", row))
            for row in scope.offences
        ]
        kind = "sum" if rows_are_disjoint([row.codes for row in scope.offences]) else "union"
        yield from expand_relation(kind, total, rows, "scope, offences")
    if scope.terms:
        rows = [make_population("offences", base, term.means) for term in scope.terms]
        yield from expand_relation("union", total, rows, "scope, mentions")
    parts = [
        total,
        *(
            make_population("records", base, (_make_status_condition(status),))
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
    question: QuestionAnswer, grid: list[list[PrintedCell]], base: Conditions
) -> Iterator[LinearConstraint]:
    table = question.table
    lines = {
        "rows": _list_column_lines(question, grid, base),
        "columns": _list_row_lines(table, grid),
    }
    default_relation = Relation("union", table.total.key, tuple(row.key for row in table.rows))
    for relation in table.relations or (default_relation,):
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
    question: QuestionAnswer, grid: list[list[PrintedCell]], base: Conditions
) -> list[_AxisLine]:
    """What relations over rows are of: the facts that are counts, and each row."""
    table = question.table
    keys = [row.key for row in (*table.rows, table.total)]
    return [
        _AxisLine(
            column.key,
            column.label,
            {
                fact.name: make_population(fact.unit, base, fact.means, head)
                for fact in question.figures
            }
            | {key: cells[index].population for key, cells in zip(keys, grid, strict=True)},
        )
        for index, (column, head) in enumerate(
            zip(table.columns, _list_column_conditions(table), strict=True)
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
        for row, cells in zip((*table.rows, table.total), grid, strict=True)
    ]


def _cross_constraints(table: Table, grid: list[list[PrintedCell]]) -> Iterator[LinearConstraint]:
    """A cell holds at least what its row and its column have above the whole.

    People are not in both by being in each: it may be as two victims.
    """
    units = [column.unit for column in table.columns]
    *rows, total = grid
    for index, unit in enumerate(units):
        first = units.index(unit)
        if first == index or unit == PEOPLE:
            continue
        for row in rows:
            terms = add_coefficients(
                (row[index].population, 1),
                (total[first].population, 1),
                (row[first].population, -1),
                (total[index].population, -1),
            )
            yield LinearConstraint(terms, 0, None, row[index].location)
