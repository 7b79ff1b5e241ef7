"""What is certain of numbers by what they count, whatever the records are.

Pure. A population is a unit and the conditions its members meet, so that one within another can be
told, and what others leave between them. Knows nothing of answers; ``populations`` finds those of
one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, combinations
from typing import Final, NamedTuple

from queries.answer.condition import (
    WITHOUT_VICTIM,
    build_any_term_condition,
    covers_condition,
    describe_condition,
    is_single_valued,
    negate_condition,
    parse_condition_values,
    parse_dimension,
    parse_named_codes,
    partition_conditions,
    simplify_conditions,
    strip_negation,
    strip_victim_prefix,
)
from queries.answer.types import Conditions

PEOPLE: Final = "people"  # who may have several ages, and be victims on several days

ANY_STATUS: Final = {"records": "offences", "victims of records": "victims"}

_RECORDED_STATUS: Final = "status:recorded"

_MAX_FEW_TERMS: Final = 5


class Population(NamedTuple):
    """What a number counts: the members of a unit that meet every condition."""

    unit: str
    conditions: frozenset[str]

    @property
    def order(self) -> tuple[str, list[str]]:
        """What populations are sorted by."""
        return self.unit, sorted(self.conditions)

    @property
    def words(self) -> str:
        """The population for a message."""
        return self._describe(frozenset())

    def words_beside(self, neighbour: Population) -> str:
        """The population for a message that names another, too: of many codes those come first that
        the other has not."""
        return self._describe(frozenset().union(*map(parse_named_codes, neighbour.conditions)))

    def _describe(self, shared_codes: frozenset[str]) -> str:
        text = " and ".join(
            describe_condition(condition, shared_codes) for condition in sorted(self.conditions)
        )
        return f"{self.unit} {text or 'of any kind'}"


class LinearConstraint(NamedTuple):
    """``low`` <= the sum of coefficients times counts <= ``high``; None is open."""

    terms: tuple[tuple[Population, int], ...]
    low: int | None
    high: int | None
    source: str

    def value(self, counts: Mapping[Population, int]) -> int:
        """The sum, with these counts."""
        total = 0
        for population, coefficient in self.terms:
            total += coefficient * counts[population]
        return total

    def holds(self, value: int) -> bool:
        """Whether the sum may be this."""
        low, high = self.low, self.high
        return (low is None or low <= value) and (high is None or value <= high)


class ConstraintSystem(NamedTuple):
    """The populations of printed numbers, helpers that are not printed, and what is certain."""

    populations: tuple[Population, ...]
    constraints: tuple[LinearConstraint, ...]
    helpers: tuple[Population, ...] = ()


def make_population(unit: str, *condition_sets: Conditions) -> Population:
    """A population, without the conditions that others of it imply."""
    return _build_population(unit, frozenset[str]().union(*condition_sets))


@cache
def _build_population(unit: str, all_conditions: frozenset[str]) -> Population:
    criteria = simplify_conditions(sorted(all_conditions))
    if unit in ANY_STATUS and _RECORDED_STATUS in criteria:
        unit, criteria = ANY_STATUS[unit], criteria - {_RECORDED_STATUS}
    return Population(unit, criteria)


def build_system(
    populations: Iterable[Population], relations: Iterable[LinearConstraint]
) -> ConstraintSystem:
    """The populations with the relations stated of them, and with all that follows from some of
    them being within others."""
    base_populations, all_populations, constraints = _collect_constraints(populations, relations)
    constraint_by_key: dict[tuple[object, ...], LinearConstraint] = {}
    for constraint in constraints:
        if constraint.terms:
            constraint_by_key.setdefault(
                (frozenset(constraint.terms), constraint.low, constraint.high), constraint
            )
    helpers = (
        population
        for constraint in constraint_by_key.values()
        for population, _ in constraint.terms
    )
    all_populations = tuple(dict.fromkeys([*all_populations, *helpers]))
    return ConstraintSystem(
        all_populations, tuple(constraint_by_key.values()), all_populations[len(base_populations) :]
    )


def derive_constraints(
    populations: Iterable[Population], relations: Iterable[LinearConstraint]
) -> Iterator[LinearConstraint]:
    """The relations of ``joint``, some of them more than once."""
    return _collect_constraints(populations, relations)[2]


def _collect_constraints(
    populations: Iterable[Population], relations: Iterable[LinearConstraint]
) -> tuple[tuple[Population, ...], tuple[Population, ...], Iterator[LinearConstraint]]:
    """The populations, those with the pieces they cut each other into, and the relations."""
    relations = tuple(relations)
    named = (population for relation in relations for population, _ in relation.terms)
    base_populations = tuple(dict.fromkeys([*populations, *named]))
    families = tuple(_group_families(base_populations))
    partitions = _constrain_partitions(families, set(base_populations))
    atoms = (population for constraint in partitions for population, _ in constraint.terms)
    all_populations = tuple(dict.fromkeys([*base_populations, *atoms]))
    if all_populations != base_populations:
        families = tuple(_group_families(all_populations))
    return (
        base_populations,
        all_populations,
        chain(relations, partitions, _constrain_neighbours(all_populations, families)),
    )


def expand_relation(
    kind: str, total: Population, parts: Sequence[Population], source: str, times: int = 1
) -> Iterator[LinearConstraint]:
    """A relation of a kind, as ``queries.answer.Relation`` has them."""
    terms = add_coefficients(*((part, 1) for part in parts), (total, -times))
    if kind == "union":
        yield from (_constrain_inner(part, total, source) for part in parts)
    low = None if kind == "at_most" else 0
    high = 0 if kind in ("sum", "at_most") else None
    yield LinearConstraint(terms, low, high, source)


def sum_populations(populations: Iterable[Population]) -> tuple[tuple[Population, int], ...]:
    """The populations, each once."""
    return add_coefficients(*((population, 1) for population in populations))


def add_coefficients(*terms: tuple[Population, int]) -> tuple[tuple[Population, int], ...]:
    """The terms, those of one population together."""
    coefficients: dict[Population, int] = {}
    for population, coefficient in terms:
        coefficients[population] = coefficients.get(population, 0) + coefficient
    return tuple([term for term in coefficients.items() if term[1]])


class _ConditionFamily(NamedTuple):
    """Two populations or more that differ in one condition only, all of one dimension."""

    outer: Population
    dimension: str
    members: tuple[tuple[str, Population], ...]


def _group_families(populations: Iterable[Population]) -> Iterator[_ConditionFamily]:
    groups: dict[tuple[Population, str], list[tuple[str, Population]]] = defaultdict(list)
    for population in populations:
        for condition, outer in _widen_population(population):
            groups[outer, parse_dimension(condition)].append((condition, population))
    for (outer, dimension), members in groups.items():
        if len(members) > 1:
            yield _ConditionFamily(outer, dimension, tuple(members))


@lru_cache(10_000)
def _widen_population(population: Population) -> tuple[tuple[str, Population], ...]:
    """Each condition of a population, and the one without it."""
    unit, criteria = population
    return tuple(
        [(condition, Population(unit, criteria - {condition})) for condition in sorted(criteria)]
    )


def find_nested_pairs(populations: Iterable[Population]) -> Iterator[tuple[Population, Population]]:
    """Pairs of a population and a wider one: of a longer period, more codes, ages or terms."""
    return _pair_family_members(_group_families(populations))


def _pair_family_members(
    families: Iterable[_ConditionFamily],
) -> Iterator[tuple[Population, Population]]:
    for family in families:
        for (first_condition, first), (second_condition, second) in combinations(family.members, 2):
            if covers_condition(second_condition, first_condition):
                yield first, second
            elif covers_condition(first_condition, second_condition):
                yield second, first


def _constrain_neighbours(
    populations: Sequence[Population], families: Iterable[_ConditionFamily]
) -> Iterator[LinearConstraint]:
    """What is certain of populations whose conditions differ in one."""
    population_set = set(populations)
    for inner, outer in _pair_family_members(families):
        yield _constrain_inner(inner, outer, "within")
    for population in populations:
        for condition, outer in _widen_population(population):
            if outer in population_set:
                yield _constrain_inner(population, outer, "within")
                yield from _constrain_complement(population, condition, outer, population_set)
        yield from _constrain_victims(population, population_set)
        yield from _constrain_term_overlap(population, population_set)


def _constrain_inner(inner: Population, outer: Population, source: str) -> LinearConstraint:
    return LinearConstraint(((inner, 1), (outer, -1)) if inner != outer else (), None, 0, source)


def _constrain_complement(
    population: Population, condition: str, outer: Population, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    """What meets a condition and what does not are the whole; people may be in both."""
    opposite = strip_negation(condition)
    if opposite is None:
        return
    meeting = make_population(population.unit, tuple(outer.conditions), (opposite,))
    if meeting in population_set:
        kind = "union" if population.unit == PEOPLE else "sum"
        yield from expand_relation(kind, outer, [meeting, population], "complement")


def _constrain_victims(
    population: Population, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    """People are at most victims, and so are records that have some."""
    unit, criteria = population
    if unit == PEOPLE:
        victims = Population("victims", criteria)
        if victims in population_set:
            yield _constrain_inner(population, victims, "people")
    if unit not in ("offences", "records"):
        return
    of_unit = "victims" if unit == "offences" else "victims of records"
    if WITHOUT_VICTIM in criteria:
        rest = criteria - {WITHOUT_VICTIM}
        outer, victims = Population(unit, rest), make_population(of_unit, tuple(rest))
        if outer in population_set and victims in population_set:
            terms = add_coefficients((outer, 1), (population, -1), (victims, -1))
            yield LinearConstraint(terms, None, 0, "victims")
    victim_conditions = {
        condition: victim_condition
        for condition in criteria
        if (victim_condition := strip_victim_prefix(condition))
    }
    for condition, victim_condition in victim_conditions.items():
        victims = make_population(of_unit, tuple(criteria - {condition}), (victim_condition,))
        if victims in population_set and len(victim_conditions) == 1:
            yield _constrain_inner(population, victims, "victims")


def _constrain_partitions(
    families: Iterable[_ConditionFamily], population_set: set[Population]
) -> list[LinearConstraint]:
    """Periods, offences, ages and fields of one value, as sums of the pieces that they cut each
    other into.

    A piece that is no population of its own is a helper: nobody printed it, but who knows it knows
    a number of people all the same.
    """
    constraints: list[LinearConstraint] = []
    for family in families:
        if family.outer.unit != PEOPLE and is_single_valued(family.dimension):
            constraints += _split_into_pieces(family, population_set)
    return constraints


def _split_into_pieces(
    family: _ConditionFamily, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    members, outer = dict(family.members), family.outer
    others = tuple(outer.conditions)
    all_parts: dict[Population, None] = {}
    for condition, names in partition_conditions(tuple(members)).items():
        parts = [make_population(outer.unit, others, (name,)) for name in names]
        all_parts |= dict.fromkeys(parts)
        if parts != [members[condition]]:
            yield from expand_relation("sum", members[condition], parts, family.dimension)
    if outer in population_set:
        yield from expand_relation("at_most", outer, [*all_parts], family.dimension)


def _constrain_term_overlap(
    several: Population, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    """What two or more of a few terms, each with another, and pairs of them tell of each other.

    All are sums of the records that mention just these terms and no other; of many terms, of those
    that mention just so many. Nobody printed those, so they are helpers.
    """
    several_conditions = [
        condition for condition in several.conditions if parse_dimension(condition) == "several"
    ]
    if len(several_conditions) != 1 or any(
        parse_dimension(condition) in ("alone", "no term")
        or condition in {f"term:{term}" for term in parse_condition_values(several_conditions[0])}
        for condition in several.conditions
    ):
        return
    rest = tuple(several.conditions - {several_conditions[0]})
    terms = tuple(f"term:{name}" for name in sorted(parse_condition_values(several_conditions[0])))

    def of(*extra_conditions: str) -> Population:
        return make_population(several.unit, rest, extra_conditions)

    if len(terms) <= _MAX_FEW_TERMS:
        yield from _constrain_few_terms(terms, several_conditions[0], of, population_set)
    else:
        yield from _constrain_many_terms(terms, several_conditions[0], of, population_set)


def _constrain_few_terms(
    terms: Sequence[str],
    several: str,
    restrict: Callable[..., Population],
    population_set: set[Population],
) -> Iterator[LinearConstraint]:
    exact_by_terms = {
        chosen: restrict(*chosen, *_exclude_terms([term for term in terms if term not in chosen]))
        for size in range(2, len(terms) + 1)
        for chosen in combinations(terms, size)
    }
    overlaps = [(restrict(several), frozenset[str]())]
    overlaps += [(restrict(term, several), frozenset([term])) for term in terms]
    overlaps += [(restrict(*pair), frozenset(pair)) for pair in combinations(terms, 2)]
    for overlap, required_terms in overlaps:
        if overlap in population_set:
            parts = [
                population
                for chosen, population in exact_by_terms.items()
                if required_terms.issubset(chosen)
            ]
            yield from expand_relation("sum", overlap, parts, "together")


def _exclude_terms(terms: Sequence[str]) -> list[str]:
    return [negate_condition(build_any_term_condition(terms))] if terms else []


def _constrain_many_terms(
    terms: Sequence[str],
    several: str,
    restrict: Callable[..., Population],
    population_set: set[Population],
) -> Iterator[LinearConstraint]:
    term_count = len(terms)
    names = several.partition(":")[2]
    exact_by_size = {size: restrict(f"just {size} of:{names}") for size in range(2, term_count)}
    exact_by_size[term_count] = restrict(*terms)
    exact_by_term = {
        term: {size: restrict(term, f"just {size} of:{names}") for size in range(2, term_count)}
        | {term_count: exact_by_size[term_count]}
        for term in terms
    }
    yield from expand_relation("sum", restrict(several), [*exact_by_size.values()], "together")
    for term, sizes in exact_by_term.items():
        pairings = [restrict(term, partner) for partner in terms if partner != term]
        if not population_set.issuperset([restrict(term, several), *pairings]):
            return
        yield from expand_relation("sum", restrict(term, several), [*sizes.values()], "together")
        pairs = (
            *((population, 1 - size) for size, population in sizes.items()),
            *((population, 1) for population in pairings),
        )
        yield LinearConstraint(add_coefficients(*pairs), 0, 0, "together")
    for size in range(2, term_count):
        rows = [sizes[size] for sizes in exact_by_term.values()]
        yield LinearConstraint(
            add_coefficients(*((row, 1) for row in rows), (exact_by_size[size], -size)),
            0,
            0,
            "together",
        )
        yield from (_constrain_inner(row, exact_by_size[size], "together") for row in rows)
