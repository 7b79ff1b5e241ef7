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
from queries import conditions
from queries.answer import (
    Answer,
    Means,
    QuestionAnswer,
    Relation,
    Row,
    ScopeAnswer,
    Table,
    TermFound,
)
from queries.disclosure import certain
from queries.disclosure.certain import (
    ANY_STATUS,
    PEOPLE,
    Linear,
    Population,
    System,
    added,
    linear,
    population_of,
    summed,
)
from queries.scope import apart


class Cell(NamedTuple):
    """A printed number: where it stands, what it counts, and its value, None where withheld."""

    place: str
    population: Population
    number: int | None


def cells(answer: Answer) -> list[Cell]:
    """Every printed number, in the order of the answer."""
    found: list[Cell] = []

    def note(cell: Cell) -> int | None:
        found.append(cell)
        return cell.number

    mapped(answer, note)
    return found


def mapped(answer: Answer, change: Callable[[Cell], int | None]) -> Answer:
    """The answer with every printed number changed: there is no other way to a number."""
    scope, base = answer.scope, base_of(answer.scope)

    def of(place: str, unit: str, number: int | None, means: Means) -> int | None:
        return change(Cell(place, population_of(unit, base, means), number))

    def term(place: str, unit: str, one: TermFound, within: Means = ()) -> TermFound:
        name = one.wordings[0] if one.wordings else " and ".join(one.means)
        means = one.means or (f"{place} term:{name}",)
        return replace(
            one, records=of(f"{place}, term {name}", unit, one.records, (*within, *means))
        )

    def question(one: QuestionAnswer) -> QuestionAnswer:
        *rows, total = map(tuple, map(partial(map, change), _grid(one, base)))
        old = one.table
        table = replace(
            old,
            rows=tuple(replace(row, counts=new) for row, new in zip(old.rows, rows, strict=True)),
            total=replace(old.total, counts=total),
        )
        figures = {
            fact.name: of(
                f"{one.id}, {fact.name.replace('_', ' ')}",
                fact.unit,
                number,
                (*one.means, *fact.means),
            )
            for fact in one.figures
            if not isinstance(number := one.facts[fact.name], str)
        }
        unit = "records" if old.columns[0].unit in ANY_STATUS else "offences"
        terms = tuple(term(one.id, unit, found, one.means) for found in one.terms)
        return replace(one, table=table, facts=one.facts | figures, terms=terms)

    new = replace(
        scope,
        records=of("scope, records", "offences", scope.records, ()),
        left_out={
            status: of(f"scope, {status}", "records", number, (_status(status),))
            for status, number in scope.left_out.items()
        },
        offences=tuple(
            replace(row, counts=(of(f"scope, {row.label}", "offences", row.counts[0], means),))
            for row in scope.offences
            for means in [row.means or _own("scope", row)]
        ),
        terms=tuple(term("scope", "offences", found) for found in scope.terms),
    )
    return replace(answer, scope=new, questions=tuple(map(question, answer.questions)))


def _grid(question: QuestionAnswer, base: Means) -> list[list[Cell]]:
    """The cells of each row, the total last."""
    table = question.table
    heads = _heads(table)
    return [
        [
            Cell(
                f"{question.id}, {row.label}, {column.label}",
                population_of(column.unit, base, (*question.means, *means, *head)),
                number,
            )
            for column, head, number in zip(table.columns, heads, row.counts, strict=True)
        ]
        for row in (*table.rows, table.total)
        for means in [_named(question.id, row)]
    ]


def _heads(table: Table) -> list[Means]:
    """The conditions of each column; one that is not the first of its unit has some."""
    seen: set[str] = set()
    heads = []
    for column in table.columns:
        known = column.means or column.unit not in seen
        heads.append(column.means if known else (f"{table.heading} column:{column.key}",))
        seen.add(column.unit)
    return heads


def _named(question: str, row: Row) -> Means:
    """The conditions of a row; where none is stated, one that no other table shares."""
    return row.means or (() if row.kind == "total" else _own(question, row))


def _own(question: str, row: Row) -> Means:
    return (f"{question} row:{row.key}",)


def _status(status: str) -> str:
    return conditions.one_of("status", [status])


def base_of(scope: ScopeAnswer) -> Means:
    """The conditions of the scope."""
    found = [*scope.means]
    if scope.periods:
        found.append(conditions.period(*((one.start, one.end) for one in scope.periods)))
    elif scope.period_from or scope.period_to:
        found.append(conditions.period((scope.period_from, scope.period_to)))
    if scope.offences:
        found.append(conditions.of_codes(code for row in scope.offences for code in row.codes))
    if scope.terms:
        found.append(conditions.any_term(one for term in scope.terms for one in term.means))
    return tuple(found)


def system(answer: Answer) -> System:
    """The system of one answer. Raises InexactError where a table relates what it does not have."""
    return certain.joint((cell.population for cell in cells(answer)), stated(answer))


def stated(answer: Answer) -> Iterator[Linear]:
    """What the scope and the tables say of their numbers."""
    yield from _of_scope(answer)
    of_scope = base_of(answer.scope)
    for question in answer.questions:
        base = (*of_scope, *question.means)
        grid = _grid(question, base)
        yield from _of_table(question, grid, base)
        yield from _crossed(question.table, grid)


def _of_scope(answer: Answer) -> Iterator[Linear]:
    scope = answer.scope
    base = base_of(scope)
    whole = population_of("offences", base)
    if scope.offences:
        rows = [
            population_of("offences", base, row.means or _own("scope", row))
            for row in scope.offences
        ]
        kind = "sum" if apart([row.codes for row in scope.offences]) else "union"
        yield from linear(kind, whole, rows, "scope, offences")
    if scope.terms:
        rows = [population_of("offences", base, term.means) for term in scope.terms]
        yield from linear("union", whole, rows, "scope, mentions")
    parts = [whole, *(population_of("records", base, (_status(one),)) for one in scope.left_out)]
    held = answer.provenance.records
    yield Linear(summed(parts), None if base else held, held, "scope, records in the index")


class _Line(NamedTuple):
    """One column of a table, or one row: what it counts, by the keys of the other axis."""

    key: str
    label: str
    counted: dict[str, Population]


def _of_table(question: QuestionAnswer, grid: list[list[Cell]], base: Means) -> Iterator[Linear]:
    table = question.table
    lines = {"rows": _columns(question, grid, base), "columns": _rows(table, grid)}
    every = Relation("union", table.total.key, tuple(row.key for row in table.rows))
    for told in table.relations or (every,):
        for line in lines[told.over]:
            if told.only and line.key not in told.only:
                continue
            try:
                parts = [line.counted[key] for key in told.parts]
                whole = line.counted[told.whole]
            except KeyError as error:
                raise InexactError(
                    f"{question.id}: a relation of the table names {error}, which it does not "
                    "have. Please report it."
                ) from None
            yield from linear(told.kind, whole, parts, f"{question.id}, {line.label}", told.times)


def _columns(question: QuestionAnswer, grid: list[list[Cell]], base: Means) -> list[_Line]:
    """What relations over rows are of: the facts that are counts, and each row."""
    table = question.table
    keys = [row.key for row in (*table.rows, table.total)]
    return [
        _Line(
            column.key,
            column.label,
            {
                fact.name: population_of(fact.unit, base, fact.means, head)
                for fact in question.figures
            }
            | {key: cells[place].population for key, cells in zip(keys, grid, strict=True)},
        )
        for place, (column, head) in enumerate(zip(table.columns, _heads(table), strict=True))
    ]


def _rows(table: Table, grid: list[list[Cell]]) -> list[_Line]:
    keys = [column.key for column in table.columns]
    return [
        _Line(
            row.key,
            row.label,
            {key: cell.population for key, cell in zip(keys, cells, strict=True)},
        )
        for row, cells in zip((*table.rows, table.total), grid, strict=True)
    ]


def _crossed(table: Table, grid: list[list[Cell]]) -> Iterator[Linear]:
    """A cell holds at least what its row and its column have above the whole.

    People are not in both by being in each: it may be as two victims.
    """
    units = [column.unit for column in table.columns]
    *rows, total = grid
    for place, unit in enumerate(units):
        first = units.index(unit)
        if first == place or unit == PEOPLE:
            continue
        for row in rows:
            terms = added(
                (row[place].population, 1),
                (total[first].population, 1),
                (row[first].population, -1),
                (total[place].population, -1),
            )
            yield Linear(terms, 0, None, row[place].place)
