"""Marks the numbers of an answer that are of days which its index does not cover. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from indexer.records.coverage import Coverage
from queries.answer.cells import Cell, CellValue, map_cells
from queries.answer.covered_days import is_outside_coverage
from queries.answer.types import NOT_COVERED, Answer, QuestionAnswer, Table, TermAnswer
from queries.tables.period_columns import name_covered_periods, split_column_key, split_fact_name


def apply_coverage(answer: Answer, coverage: Coverage | None) -> Answer:
    """The answer with "not covered" for every number that is; unchanged without a coverage.

    Facts that are not counts, and notes, go with the counts that they belong to.
    """
    if coverage is None:
        return answer

    def mark_cell(cell: Cell) -> CellValue:
        return NOT_COVERED if is_outside_coverage(coverage, cell.conditions) else cell.value

    marked = map_cells(answer, mark_cell)
    return replace(
        marked,
        measured_coverage=coverage,
        scope=replace(marked.scope, terms=tuple(map(_clear_forms, marked.scope.terms))),
        questions=tuple(map(_mark_question, marked.questions)),
    )


def _clear_forms(term: TermAnswer) -> TermAnswer:
    return replace(term, forms=()) if term.records == NOT_COVERED else term


def _lacks_period(table: Table) -> bool:
    """Whether the columns of one of several periods are not covered."""
    return any(
        split_column_key(column.key)[1] is not None and count == NOT_COVERED
        for column, count in zip(table.columns, table.total.counts, strict=True)
    )


def _mark_question(question: QuestionAnswer) -> QuestionAnswer:
    """The question with its single values, terms and notes."""
    table = question.table
    figures = {figure.name for figure in question.figures}
    uncovered_labels = {
        split_fact_name(name)[1] for name in figures if question.facts.get(name) == NOT_COVERED
    }
    facts = {
        name: NOT_COVERED
        if name not in figures and split_fact_name(name)[1] in uncovered_labels
        else value
        for name, value in question.facts.items()
    }
    totals = {*table.total.counts, *facts.values()}
    sums = tuple(noted for noted in question.sums if noted.total in totals)
    dropped = [noted.text for noted in question.sums if noted not in sums]
    uncovered = table.total.counts[0] == NOT_COVERED
    if not uncovered and _lacks_period(table):
        table = replace(table, columns=name_covered_periods(table.columns))
    return replace(
        question,
        table=table,
        facts=facts,
        sums=() if uncovered else sums,
        notes=()
        if uncovered
        else tuple(note for note in question.notes if not any(text in note for text in dropped)),
        terms=tuple(map(_clear_forms, question.terms)),
    )
