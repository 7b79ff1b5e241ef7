"""An answer as a system: what each printed number counts, and what is certain of them together.

Pure. A population is a unit and the conditions its members meet, so the same number in two tables
is one variable, and one within another can be told. The system is what a reader can know without
any record: it never depends on the numbers themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, partial
from itertools import combinations, pairwise
from typing import Final, NamedTuple

from msgspec.structs import replace

from indexer import offences
from indexer.errors import InexactError
from queries.answer import Answer, QuestionAnswer, Relation, Row, ScopeAnswer, Table, TermFound
from queries.scope import apart, offences_mean

# What each dimension parts: a person may have several ages, and be a victim on several days.
_PARTED: Final = {
    "age": ("victims",),
    "period": ("offences", "victims", "records"),
    "offence": ("offences", "victims", "records"),
}


class Population(NamedTuple):
    """What a number counts: the members of a unit that meet every condition."""

    unit: str
    where: frozenset[str]

    @property
    def order(self) -> tuple[str, list[str]]:
        """What populations are sorted by."""
        return self.unit, sorted(self.where)

    @property
    def words(self) -> str:
        """The population for a message."""
        return f"{self.unit} of {' and '.join(sorted(self.where)) or 'any kind'}"


class Cell(NamedTuple):
    """A printed number: where it stands, what it counts, and its value, None where withheld."""

    place: str
    population: Population
    number: int | None


class Linear(NamedTuple):
    """``low`` <= the sum of coefficients times counts <= ``high``; None is open."""

    terms: tuple[tuple[Population, int], ...]
    low: int | None
    high: int | None
    source: str

    def value(self, counts: Mapping[Population, int]) -> int:
        """The sum, with these counts."""
        return sum(coefficient * counts[population] for population, coefficient in self.terms)


class System(NamedTuple):
    """The populations of printed numbers, helpers that are not printed, and what is certain."""

    populations: tuple[Population, ...]
    relations: tuple[Linear, ...]
    helpers: tuple[Population, ...] = ()


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
    scope, base = answer.scope, conditions(answer.scope)

    def of(place: str, unit: str, number: int | None, *means: str) -> int | None:
        return change(Cell(place, _population(unit, base, *means), number))

    def term(place: str, one: TermFound) -> TermFound:
        name = one.wordings[0] if one.wordings else one.means
        means = one.means or f"{place} term:{name}"
        return replace(one, records=of(f"{place}, term {name}", "offences", one.records, means))

    def question(one: QuestionAnswer) -> QuestionAnswer:
        *rows, total = map(tuple, map(partial(map, change), _grid(one, base)))
        old = one.table
        table = replace(
            old,
            rows=tuple(replace(row, counts=new) for row, new in zip(old.rows, rows, strict=True)),
            total=replace(old.total, counts=total),
        )
        figures = {
            figure.name: of(f"{one.id}, {figure.name}", figure.unit, number, figure.means)
            for figure in one.figures
            if not isinstance(number := one.facts[figure.name], str)
        }
        terms = tuple(term(one.id, found) for found in one.terms)
        return replace(one, table=table, facts=one.facts | figures, terms=terms)

    new = replace(
        scope,
        records=of("scope, records", "offences", scope.records),
        left_out={
            status: of(f"scope, {status}", "records", number, f"status:{status}")
            for status, number in scope.left_out.items()
        },
        offences=tuple(
            replace(row, counts=(of(f"scope, {row.label}", "offences", row.counts[0], means),))
            for row in scope.offences
            for means in [row.means or _own("scope", row)]
        ),
        terms=tuple(term("scope", found) for found in scope.terms),
    )
    return replace(answer, scope=new, questions=tuple(map(question, answer.questions)))


def _grid(question: QuestionAnswer, base: frozenset[str]) -> list[list[Cell]]:
    """The cells of each row, the total last."""
    table = question.table
    heads = _heads(table)
    return [
        [
            Cell(
                f"{question.id}, {row.label}, {column.label}",
                _population(column.unit, base, _named(question.id, row), head),
                number,
            )
            for column, head, number in zip(table.columns, heads, row.counts, strict=True)
        ]
        for row in (*table.rows, table.total)
    ]


def _heads(table: Table) -> list[str]:
    """The condition of each column; one that is not the first of its unit has some condition."""
    seen: set[str] = set()
    heads = []
    for column in table.columns:
        known = column.means or column.unit not in seen
        heads.append(column.means if known else f"{table.heading} column:{column.key}")
        seen.add(column.unit)
    return heads


def _named(question: str, row: Row) -> str:
    """The condition of a row; where none is stated, one that no other table shares."""
    return row.means or ("" if row.kind == "total" else _own(question, row))


def _own(question: str, row: Row) -> str:
    return f"{question} row:{row.key}"


def conditions(scope: ScopeAnswer) -> frozenset[str]:
    """The conditions of the scope."""
    found = set()
    if scope.period_from or scope.period_to:
        found.add(f"period:{scope.period_from or ''}/{scope.period_to or ''}")
    if scope.offences:
        found.add(offences_mean(code for row in scope.offences for code in row.codes))
    if scope.terms:
        found.add("term:" + "|".join(sorted(_value(term.means) for term in scope.terms)))
    return frozenset(found)


def _population(unit: str, base: frozenset[str], *narrower: str) -> Population:
    """A population, without the conditions that others of it imply."""
    every = base | {one for one in narrower if one}
    return Population(
        unit,
        frozenset(
            one for one in every if not any(covers(one, other) for other in every if other != one)
        ),
    )


def _value(condition: str) -> str:
    return condition.partition(":")[2]


def _dimension(condition: str) -> str:
    return condition.partition(":")[0]


@cache
def covers(wide: str, narrow: str) -> bool:
    """Whether everything that meets the narrow condition meets the wide one, and not the other way
    round."""
    dimension = _dimension(wide)
    if dimension != _dimension(narrow) or wide == narrow:
        return False
    if dimension in ("period", "age"):
        (start, end), (first, last) = _interval(wide), _interval(narrow)
        return start <= first and last <= end
    if dimension in ("offence", "linked"):
        inner, outer = _codes(narrow), _codes(wide)
        return inner < outer
    if dimension == "term":
        return set(_value(narrow).split("|")) < set(_value(wide).split("|"))
    return False


@cache
def _codes(condition: str) -> frozenset[str]:
    return offences.load().covered(_value(condition).split(","))


def _interval(condition: str) -> tuple[int, int]:
    if _dimension(condition) == "age":
        start, _, end = _value(condition).partition("-")
        return int(start), int(end)
    start, _, end = _value(condition).partition("/")
    first = date.fromisoformat(start) if start else date.min
    last = date.fromisoformat(end) if end else date.max
    return first.toordinal(), last.toordinal()


def _between(dimension: str, start: int, end: int) -> str:
    """The condition of an interval."""
    if dimension == "age":
        return f"age:{start}-{end}"
    first, last = date.fromordinal(start), date.fromordinal(end)
    return (
        f"period:{'' if first == date.min else first.isoformat()}"
        f"/{'' if last == date.max else last.isoformat()}"
    )


def system(answer: Answer) -> System:
    """The system of one answer. Raises InexactError where a table relates what it does not have."""
    return joint((cell.population for cell in cells(answer)), stated(answer))


def joint(populations: Iterable[Population], relations: Iterable[Linear]) -> System:
    """The populations with the relations stated of them, and with all that follows from some of
    them being within others."""
    relations = tuple(relations)
    named = (one for told in relations for one, _ in told.terms)
    every = tuple(dict.fromkeys([*populations, *named]))
    parted = _parted(every)
    atoms = (population for one in parted for population, _ in one.terms)
    whole = tuple(dict.fromkeys([*every, *atoms]))
    found: dict[tuple[object, ...], Linear] = {}
    for one in (*relations, *parted, *_follows(whole)):
        if one.terms:
            found.setdefault((frozenset(one.terms), one.low, one.high), one)
    return System(whole, tuple(found.values()), whole[len(every) :])


def stated(answer: Answer) -> Iterator[Linear]:
    """What the scope and the tables say of their numbers."""
    yield from _of_scope(answer)
    base = conditions(answer.scope)
    for question in answer.questions:
        table, grid = question.table, _grid(question, base)
        keys = [row.key for row in table.rows]
        for relation in table.relations or (Relation("union", table.total.key, tuple(keys)),):
            yield from _of_table(question, grid, base, relation)
        yield from _crossed(grid)


def _of_scope(answer: Answer) -> Iterator[Linear]:
    scope = answer.scope
    base = conditions(scope)
    whole = _population("offences", base)
    if scope.offences:
        rows = [_population("offences", base, row.means) for row in scope.offences]
        kind = "sum" if apart([row.codes for row in scope.offences]) else "union"
        yield from _linear(kind, whole, rows, "scope, offences")
    if scope.terms:
        rows = [_population("offences", base, term.means) for term in scope.terms]
        yield from _linear("union", whole, rows, "scope, mentions")
    parts = [whole, *(_population("records", base, f"status:{one}") for one in scope.left_out)]
    held = answer.provenance.records
    yield Linear(_sum(parts), None if base else held, held, "scope, records in the index")


def _of_table(
    question: QuestionAnswer, grid: list[list[Cell]], base: frozenset[str], told: Relation
) -> Iterator[Linear]:
    table = question.table
    columns = [column.key for column in table.columns]
    facts = {fact.name: _population(fact.unit, base, fact.means) for fact in question.figures}
    every = (*table.rows, table.total)
    rows = [row.key for row in every]
    across = columns if told.over == "rows" else rows
    labels = [one.label for one in (table.columns if told.over == "rows" else every)]
    for place, (name, label) in enumerate(zip(across, labels, strict=True)):
        if told.only and name not in told.only:
            continue
        if told.over == "rows":
            line = {key: cells[place].population for key, cells in zip(rows, grid, strict=True)}
        else:
            line = {key: cell.population for key, cell in zip(columns, grid[place], strict=True)}
        known = facts | line if told.over == "rows" else line
        try:
            parts = [known[key] for key in told.parts]
            whole = known[told.whole]
        except KeyError as error:
            raise InexactError(
                f"{question.id}: a relation of the table names {error}, which it does not have. "
                "Please report it."
            ) from None
        yield from _linear(told.kind, whole, parts, f"{question.id}, {label}")


def _crossed(grid: list[list[Cell]]) -> Iterator[Linear]:
    """A cell holds at least what its row and its column have above the whole."""
    *rows, total = grid
    for row in rows:
        for place, cell in enumerate(row):
            first = next(i for i, one in enumerate(row) if one.population.unit == cell[1].unit)
            if first == place:
                continue
            terms = _add(
                (cell.population, 1),
                (total[first].population, 1),
                (row[first].population, -1),
                (total[place].population, -1),
            )
            yield Linear(terms, 0, None, cell.place)


def _linear(
    kind: str, whole: Population, parts: Sequence[Population], source: str
) -> Iterator[Linear]:
    together = _add(*((part, 1) for part in parts), (whole, -1))
    if kind == "union":
        yield from (Linear(_add((part, 1), (whole, -1)), None, 0, source) for part in parts)
    low = None if kind == "at_most" else 0
    high = 0 if kind in ("sum", "at_most") else None
    yield Linear(together, low, high, source)


def _sum(populations: Iterable[Population]) -> tuple[tuple[Population, int], ...]:
    return _add(*((population, 1) for population in populations))


def _add(*terms: tuple[Population, int]) -> tuple[tuple[Population, int], ...]:
    together: dict[Population, int] = defaultdict(int)
    for population, coefficient in terms:
        together[population] += coefficient
    return tuple((one, coefficient) for one, coefficient in together.items() if coefficient)


class _Family(NamedTuple):
    """Populations that differ in one condition only, all of one dimension."""

    unit: str
    others: frozenset[str]
    dimension: str
    members: tuple[tuple[str, Population], ...]


def _families(populations: Iterable[Population]) -> Iterator[_Family]:
    found: dict[tuple[str, frozenset[str], str], list[tuple[str, Population]]] = defaultdict(list)
    for population in populations:
        for condition in sorted(population.where):
            others = population.where - {condition}
            key = (population.unit, others, _dimension(condition))
            found[key].append((condition, population))
    for (unit, others, dimension), members in found.items():
        yield _Family(unit, others, dimension, tuple(members))


def nested(populations: Iterable[Population]) -> Iterator[tuple[Population, Population]]:
    """Pairs of a population and a wider one: of a longer period, more codes, ages or terms."""
    for family in _families(populations):
        for (one, first), (other, second) in combinations(family.members, 2):
            if covers(other, one):
                yield first, second
            elif covers(one, other):
                yield second, first


def _follows(populations: Sequence[Population]) -> Iterator[Linear]:
    """A population is at most one that it is within; people are at most victims."""
    known = set(populations)
    for inner, outer in nested(populations):
        yield Linear(_add((inner, 1), (outer, -1)), None, 0, "within")
    for population in populations:
        for condition in sorted(population.where):
            outer = Population(population.unit, population.where - {condition})
            if outer in known:
                yield Linear(_add((population, 1), (outer, -1)), None, 0, "within")
        victims = Population("victims", population.where)
        if population.unit == "people" and victims in known:
            yield Linear(_add((population, 1), (victims, -1)), None, 0, "people")


def _parted(populations: Sequence[Population]) -> list[Linear]:
    """Periods, offences, and ages of victims, as sums of the pieces that they cut each other into.

    A piece that is no population of its own is a helper: nobody printed it, but who knows it knows
    a number of people all the same.
    """
    found: list[Linear] = []
    known = set(populations)
    for family in _families(populations):
        if len(family.members) > 1 and family.unit in _PARTED.get(family.dimension, ()):
            found += _pieces(family, known)
    return found


def _pieces(family: _Family, known: set[Population]) -> Iterator[Linear]:
    cut = _cut_codes if family.dimension == "offence" else _cut_intervals
    every: dict[Population, None] = {}
    for whole, names in cut(family).items():
        parts = [Population(family.unit, family.others | {name}) for name in names]
        every |= dict.fromkeys(parts)
        if parts != [whole]:
            yield from _linear("sum", whole, parts, family.dimension)
    outer = Population(family.unit, family.others)
    if outer in known:
        yield from _linear("at_most", outer, [*every], family.dimension)


def _cut_intervals(family: _Family) -> dict[Population, list[str]]:
    intervals = [(_interval(condition), one) for condition, one in family.members]
    cuts = sorted({cut for (start, end), _ in intervals for cut in (start, end + 1)})
    pieces = [(start, following - 1) for start, following in pairwise(cuts)]
    return {
        whole: [
            _between(family.dimension, first, last)
            for first, last in pieces
            if start <= first and last <= end
        ]
        for (start, end), whole in intervals
    }


def _cut_codes(family: _Family) -> dict[Population, list[str]]:
    holders: dict[str, list[str]] = defaultdict(list)
    for condition, _ in family.members:
        for code in _codes(condition):
            holders[code].append(condition)
    pieces: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for code, conditions_of in holders.items():
        pieces[tuple(conditions_of)].add(code)
    names = {
        piece: next(
            (one for one in piece if _codes(one) == codes), f"part of {' and '.join(piece)}"
        )
        for piece, codes in pieces.items()
    }
    return {
        whole: [name for piece, name in names.items() if condition in piece]
        for condition, whole in family.members
    }
