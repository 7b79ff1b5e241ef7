"""Checks that an answer agrees with itself, before any of it is written.

Pure. A failure is a fault in foidex, and its message says where: rows against totals, bands that
overlap or leave a gap, one number printed in two places with two values, and sums stated in notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from indexer.errors import InexactError
from indexer.records.model import MAX_AGE
from queries.answer.condition import AgeCondition, merge_intervals
from queries.answer.condition_text import parse_conditions
from queries.answer.types import Answer, QuestionAnswer, Table, count_or_zero
from queries.disclosure.attack.constraints import LinearConstraint, Population, derive_constraints
from queries.disclosure.populations import (
    PrintedCell,
    count_populations,
    declare_constraints,
    list_printed_cells,
)
from queries.tables.period_columns import split_column_key


def check_consistency(answer: Answer) -> None:
    """Raise InexactError, which says everywhere that the answer contradicts itself."""
    cells = list_printed_cells(answer)
    problems = [*_find_conflicting_cells(cells), *_check_tables(answer)]
    if not problems:
        problems = [*_find_broken_constraints(answer, cells)]
    if problems:
        raise InexactError(
            "the answer contradicts itself, so it is not given. Please report it.\n"
            + "\n".join(problems)
        )


def _find_conflicting_cells(cells: list[PrintedCell]) -> Iterator[str]:
    """One population, two numbers."""
    first: dict[Population, PrintedCell] = {}
    for cell in cells:
        if cell.number is None:
            continue
        if cell.number < 0:
            yield f"{cell.location}: {cell.number:,} is less than 0"
        earlier_cell = first.setdefault(cell.population, cell)
        if earlier_cell.number != cell.number:
            yield (
                f"{cell.location}: {cell.number:,}, but {earlier_cell.number:,} for the same at "
                f"{earlier_cell.location}"
            )


def _check_tables(answer: Answer) -> Iterator[str]:
    for question in answer.questions:
        widths = {len(row.counts) for row in question.table.rows_and_total}
        if widths != {len(question.table.columns)}:
            yield f"{question.id}: a row has more or fewer numbers than the table has columns"
        keys = [row.key for row in question.table.rows_and_total]
        if len(set(keys)) != len(keys):
            yield f"{question.id}: two rows of the table have the same key"
        yield from _check_age_bands(question)
        yield from _check_noted_sums(question)


def _check_age_bands(question: QuestionAnswer) -> Iterator[str]:
    """Age bands that add up do not overlap, and ages that they leave out have a row."""
    bands = sorted(
        (interval, row.label)
        for row in question.table.rows
        if row.kind == "asked"
        for condition in parse_conditions(row.means)
        if isinstance(condition, AgeCondition)
        for interval in condition.intervals
    )
    adding_up = any(
        relation.kind == "sum" and relation.over == "rows" for relation in question.table.relations
    )
    for ((_, end), lower), ((start, _), upper) in pairwise(bands):
        if start <= end and adding_up:
            yield f'{question.id}: the bands "{lower}" and "{upper}" overlap'
    ages = sum(end - start + 1 for start, end in merge_intervals(interval for interval, _ in bands))
    has_other_row = any(row.kind == "other" for row in question.table.rows)
    if bands and not has_other_row and ages < MAX_AGE + 1:
        yield f"{question.id}: the bands leave ages out, and no row is for those"


def _check_noted_sums(question: QuestionAnswer) -> Iterator[str]:
    """A sum in a note is one of rows or columns, its total is in the table or the facts, and a note
    states both."""
    table = question.table
    sums = {*_sum_rows(table), *_sum_columns(table)}
    withheld = any(
        not isinstance(count, int) for row in table.rows_and_total for count in row.counts
    )
    for noted in question.sums:
        if not withheld and noted.summed not in sums:
            yield (
                f"{question.id}: a note says that numbers add up to {noted.summed:,}, but none do"
            )
        if noted.total not in {*table.total.counts, *question.facts.values()}:
            yield (
                f"{question.id}: a note states a total of {noted.total:,}, which is not in the "
                "table or the facts"
            )
        if not any(noted.text in note for note in question.notes):
            yield f'{question.id}: no note says that numbers "{noted.text}"'


def _sum_rows(table: Table) -> Iterator[int]:
    """The sums of all rows, and of those asked for, in each column."""
    asked_rows = [row for row in table.rows if row.kind == "asked"]
    for rows in (table.rows, asked_rows):
        for index in range(len(table.columns)):
            yield sum(count_or_zero(row.counts[index]) for row in rows)


def _sum_columns(table: Table) -> Iterator[int]:
    """The sums of the columns after the first, of all periods and of each."""
    counts_by_period: dict[int | None, list[int]] = defaultdict(list)
    for column, count in zip(table.columns, table.total.counts, strict=True):
        counts_by_period[split_column_key(column.key)[1]].append(count_or_zero(count))
    yield from (sum(counts[1:]) for counts in counts_by_period.values())


def _find_broken_constraints(answer: Answer, cells: list[PrintedCell]) -> Iterator[str]:
    """Rows against totals, columns against columns, and a part against its whole."""
    locations = {cell.population: cell.location for cell in reversed(cells)}
    counts = count_populations(cells)
    constraints = declare_constraints(answer)
    wrong: dict[object, LinearConstraint] = {}
    for relation in derive_constraints((cell.population for cell in cells), constraints):
        try:
            value = relation.value(counts)
        except KeyError:  # a number that is withheld, or not printed
            continue
        if not relation.holds(value):
            wrong.setdefault((frozenset(relation.terms), relation.low, relation.high), relation)
    for relation in wrong.values():
        value = relation.value(counts)
        below = relation.low is not None and value < relation.low
        parts = " ".join(
            f"{'-' if coefficient < 0 else '+'} {counts[population]:,}"
            for population, coefficient in relation.terms
        )
        expected = relation.low if below else relation.high
        about = "; ".join(locations[population] for population, _ in relation.terms[:2])
        yield (
            f"{relation.location or about}: {parts.removeprefix('+ ')} is {value:,}, "
            f"where {'at least' if below else 'at most'} {expected:,} is right"
        )
