"""An answer as a system: what each printed number counts, and what is certain of them together.

Pure. A population is a unit and the conditions its members meet, so the same number in two tables
is one variable, and one within another can be told. The system is what a reader can know without
any record: it never depends on the numbers themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import combinations
from typing import Final, NamedTuple

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
from queries.scope import apart

_PEOPLE: Final = "people"  # who may have several ages, and be victims on several days
_ANY_STATUS: Final = {"records": "offences", "victims of records": "victims"}
_COUNTED: Final = "status:recorded"


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
    scope, base = answer.scope, base_of(answer.scope)

    def of(place: str, unit: str, number: int | None, means: Means) -> int | None:
        return change(Cell(place, _population(unit, base, means), number))

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
            fact.name: of(f"{one.id}, {fact.name}", fact.unit, number, (*one.means, *fact.means))
            for fact in one.figures
            if not isinstance(number := one.facts[fact.name], str)
        }
        unit = "records" if old.columns[0].unit in _ANY_STATUS else "offences"
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
                _population(column.unit, base, (*question.means, *means, *head)),
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


def _population(unit: str, *means: Means) -> Population:
    """A population, without the conditions that others of it imply."""
    return _one_population(unit, frozenset(one for part in means for one in part))


@cache
def _one_population(unit: str, means: frozenset[str]) -> Population:
    found = conditions.simplified(sorted(means))
    if unit in _ANY_STATUS and _COUNTED in found:
        unit, found = _ANY_STATUS[unit], found - {_COUNTED}
    return Population(unit, found)


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
    for question in answer.questions:
        base = (*base_of(answer.scope), *question.means)
        table, grid = question.table, _grid(question, base)
        keys = [row.key for row in table.rows]
        for relation in table.relations or (Relation("union", table.total.key, tuple(keys)),):
            yield from _of_table(question, grid, base, relation)
        yield from _crossed(table, grid)


def _of_scope(answer: Answer) -> Iterator[Linear]:
    scope = answer.scope
    base = base_of(scope)
    whole = _population("offences", base)
    if scope.offences:
        rows = [
            _population("offences", base, row.means or _own("scope", row)) for row in scope.offences
        ]
        kind = "sum" if apart([row.codes for row in scope.offences]) else "union"
        yield from _linear(kind, whole, rows, "scope, offences")
    if scope.terms:
        rows = [_population("offences", base, term.means) for term in scope.terms]
        yield from _linear("union", whole, rows, "scope, mentions")
    parts = [whole, *(_population("records", base, (_status(one),)) for one in scope.left_out)]
    held = answer.provenance.records
    yield Linear(_sum(parts), None if base else held, held, "scope, records in the index")


def _of_table(
    question: QuestionAnswer, grid: list[list[Cell]], base: Means, told: Relation
) -> Iterator[Linear]:
    table = question.table
    columns = [column.key for column in table.columns]
    heads = _heads(table)
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
        known = line
        if told.over == "rows":
            head = heads[place]
            known = {
                fact.name: _population(fact.unit, base, fact.means, head)
                for fact in question.figures
            } | line
        try:
            parts = [known[key] for key in told.parts]
            whole = known[told.whole]
        except KeyError as error:
            raise InexactError(
                f"{question.id}: a relation of the table names {error}, which it does not have. "
                "Please report it."
            ) from None
        yield from _linear(told.kind, whole, parts, f"{question.id}, {label}", told.times)


def _crossed(table: Table, grid: list[list[Cell]]) -> Iterator[Linear]:
    """A cell holds at least what its row and its column have above the whole.

    People are not in both by being in each: it may be as two victims.
    """
    units = [column.unit for column in table.columns]
    *rows, total = grid
    for place, unit in enumerate(units):
        first = units.index(unit)
        if first == place or unit == _PEOPLE:
            continue
        for row in rows:
            terms = _add(
                (row[place].population, 1),
                (total[first].population, 1),
                (row[first].population, -1),
                (total[place].population, -1),
            )
            yield Linear(terms, 0, None, row[place].place)


def _linear(
    kind: str, whole: Population, parts: Sequence[Population], source: str, times: int = 1
) -> Iterator[Linear]:
    together = _add(*((part, 1) for part in parts), (whole, -times))
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
            key = (population.unit, others, conditions.dimension(condition))
            found[key].append((condition, population))
    for (unit, others, dimension), members in found.items():
        yield _Family(unit, others, dimension, tuple(members))


def nested(populations: Iterable[Population]) -> Iterator[tuple[Population, Population]]:
    """Pairs of a population and a wider one: of a longer period, more codes, ages or terms."""
    for family in _families(populations):
        for (one, first), (other, second) in combinations(family.members, 2):
            if conditions.covers(other, one):
                yield first, second
            elif conditions.covers(one, other):
                yield second, first


def _follows(populations: Sequence[Population]) -> Iterator[Linear]:
    """What is certain of populations whose conditions differ in one."""
    known = set(populations)
    for inner, outer in nested(populations):
        yield _within(inner, outer, "within")
    for population in populations:
        for condition in sorted(population.where):
            rest = population.where - {condition}
            outer = Population(population.unit, rest)
            if outer in known:
                yield _within(population, outer, "within")
                yield from _complement(population, condition, outer, known)
        yield from _of_victims(population, known)


def _within(inner: Population, outer: Population, source: str) -> Linear:
    return Linear(_add((inner, 1), (outer, -1)), None, 0, source)


def _complement(
    population: Population, condition: str, outer: Population, known: set[Population]
) -> Iterator[Linear]:
    """What meets a condition and what does not are the whole; people may be in both."""
    opposite = conditions.without_no(condition)
    if opposite is None:
        return
    rest = tuple(population.where - {condition})
    meeting = _population(population.unit, rest, (opposite,))
    if meeting in known:
        kind = "union" if population.unit == _PEOPLE else "sum"
        yield from _linear(kind, outer, [meeting, population], "complement")


def _of_victims(population: Population, known: set[Population]) -> Iterator[Linear]:
    """People are at most victims, and so are records that have some."""
    unit, where = population
    if unit == _PEOPLE:
        victims = Population("victims", where)
        if victims in known:
            yield _within(population, victims, "people")
    if unit not in ("offences", "records"):
        return
    of_unit = "victims" if unit == "offences" else "victims of records"
    if conditions.WITHOUT_VICTIM in where:
        rest = where - {conditions.WITHOUT_VICTIM}
        whole, victims = Population(unit, rest), _population(of_unit, tuple(rest))
        if whole in known and victims in known:
            terms = _add((whole, 1), (population, -1), (victims, -1))
            yield Linear(terms, None, 0, "victims")
    said = {one: whom for one in where if (whom := conditions.of_whom(one))}
    for one, whom in said.items():
        victims = _population(of_unit, tuple(where - {one}), (whom,))
        if victims in known and len(said) == 1:
            yield _within(population, victims, "victims")


def _parted(populations: Sequence[Population]) -> list[Linear]:
    """Periods, offences, ages and fields of one value, as sums of the pieces that they cut each
    other into.

    A piece that is no population of its own is a helper: nobody printed it, but who knows it knows
    a number of people all the same.
    """
    found: list[Linear] = []
    known = set(populations)
    for family in _families(populations):
        if (
            len(family.members) > 1
            and family.unit != _PEOPLE
            and conditions.is_parted(family.dimension)
        ):
            found += _pieces(family, known)
    return found


def _pieces(family: _Family, known: set[Population]) -> Iterator[Linear]:
    of = dict(family.members)
    every: dict[Population, None] = {}
    for one, names in conditions.pieces(tuple(of)).items():
        parts = [_population(family.unit, tuple(family.others), (name,)) for name in names]
        every |= dict.fromkeys(parts)
        if parts != [of[one]]:
            yield from _linear("sum", of[one], parts, family.dimension)
    outer = Population(family.unit, family.others)
    if outer in known:
        yield from _linear("at_most", outer, [*every], family.dimension)
