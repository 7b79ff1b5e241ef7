"""Checks that an answer agrees with itself, before any of it is written.

Pure. A failure is a fault in foidex, and names the place: rows against totals, bands that overlap
or leave a gap, one number that stands in two places with two values, and sums that notes tell.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from indexer.errors import InexactError
from queries import conditions
from queries.answer import Answer, QuestionAnswer, Table
from queries.disclosure import certain, populations
from queries.disclosure.certain import Linear, Population
from queries.disclosure.populations import Cell
from queries.periods import column_of

_SUM_TOLD: Final = re.compile(r"add up to ([\d,]+), more than the total of ([\d,]+)")


def check(answer: Answer) -> None:
    """Raise InexactError, naming every place where the answer contradicts itself."""
    cells = populations.cells(answer)
    found = [*_twice(cells), *_tables(answer)]
    if not found:
        found = [*_relations(answer, cells)]
    if found:
        raise InexactError(
            "the answer contradicts itself, so it is not given. Please report it.\n"
            + "\n".join(found)
        )


def _twice(cells: list[Cell]) -> Iterator[str]:
    """One population, two numbers."""
    first: dict[Population, Cell] = {}
    for cell in cells:
        if cell.number is None:
            continue
        if cell.number < 0:
            yield f"{cell.place}: {cell.number:,} is less than nothing"
        known = first.setdefault(cell.population, cell)
        if known.number != cell.number:
            yield (
                f"{cell.place}: {cell.number:,}, but {known.number:,} for the same at {known.place}"
            )


def _tables(answer: Answer) -> Iterator[str]:
    for question in answer.questions:
        widths = {len(row.counts) for row in (*question.table.rows, question.table.total)}
        if widths != {len(question.table.columns)}:
            yield f"{question.id}: a row has more or fewer numbers than the table has columns"
        keys = [row.key for row in (*question.table.rows, question.table.total)]
        if len(set(keys)) != len(keys):
            yield f"{question.id}: two rows of the table have the same key"
        yield from _bands(question)
        yield from _told(question)


def _bands(question: QuestionAnswer) -> Iterator[str]:
    """Bands of ages never overlap, and what they leave out has a row."""
    bands = sorted(
        (interval, row.label)
        for row in question.table.rows
        if row.kind == "asked"
        for one in row.means
        if conditions.dimension(one) == "age"
        for interval in conditions.intervals(one)
    )
    for ((_, end), lower), ((start, _), upper) in pairwise(bands):
        if start <= end:
            yield f'{question.id}: the bands "{lower}" and "{upper}" overlap'
    ages = sum(end - start + 1 for (start, end), _ in bands)
    other = any(row.kind == "other" for row in question.table.rows)
    if bands and not other and ages < conditions.OLDEST + 1:
        yield f"{question.id}: the bands leave ages out, and no row is for those"


def _told(question: QuestionAnswer) -> Iterator[str]:
    """A sum in a note is one of rows or columns, and its total is in the table or the facts."""
    table = question.table
    sums = {*_sums(table), *_sums_across(table)}
    withheld = any(None in row.counts for row in (*table.rows, table.total))
    for note in question.notes:
        for told in _SUM_TOLD.finditer(note):
            summed, total = (int(text.replace(",", "")) for text in told.groups())
            if not withheld and summed not in sums:
                yield f"{question.id}: a note says that numbers add up to {summed:,}, which none do"
            if total not in {*table.total.counts, *question.facts.values()}:
                yield f"{question.id}: a note tells a total of {total:,}, which stands nowhere"


def _sums(table: Table) -> Iterator[int]:
    """The sums of all rows, and of those asked for, in each column."""
    asked = [row for row in table.rows if row.kind == "asked"]
    for rows in (table.rows, asked):
        for place in range(len(table.columns)):
            yield sum(row.counts[place] or 0 for row in rows)


def _sums_across(table: Table) -> Iterator[int]:
    """The sums of the columns beside the first, of all periods and of each."""
    every: dict[int | None, list[int]] = defaultdict(list)
    for column, count in zip(table.columns, table.total.counts, strict=True):
        every[column_of(column.key)[1]].append(count or 0)
    yield from (sum(counts[1:]) for counts in every.values())


def _relations(answer: Answer, cells: list[Cell]) -> Iterator[str]:
    """Rows against totals, columns against columns, and a part against its whole."""
    places = {cell.population: cell.place for cell in reversed(cells)}
    counts = {cell.population: cell.number for cell in cells if cell.number is not None}
    stated = populations.stated(answer)
    wrong: dict[object, Linear] = {}
    for relation in certain.following((cell.population for cell in cells), stated):
        try:
            value = relation.value(counts)
        except KeyError:  # what is withheld, or printed nowhere
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
        about = "; ".join(places[population] for population, _ in relation.terms[:2])
        where = relation.source if "," in relation.source else about
        yield (
            f"{where}: {parts.removeprefix('+ ')} is {value:,}, "
            f"where {'at least' if below else 'at most'} {expected:,} is right"
        )
