"""What is certain about numbers because of what they count, whatever the records are.

Pure. A population is a unit and the conditions its members meet, so that it is known which is
within which, and what several leave between them. Knows nothing about answers; ``populations``
finds the populations of an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, combinations, permutations, product
from typing import Final, NamedTuple

from indexer.records.model import MAX_AGE
from indexer.records.offences.active import clear_with_table
from queries.answer.condition import (
    BY_TEXT,
    UNKNOWN_AGES,
    WITHOUT_PEOPLE,
    AgeCondition,
    AnyTermCondition,
    Condition,
    Not,
    OfPerson,
    SeveralTermsCondition,
    SingleTermCondition,
    TermCountCondition,
    TermPiece,
    build_any_term_condition,
    build_field_condition,
    format_conditions,
    merge_intervals,
)
from queries.answer.condition_text import describe_condition, list_named_codes
from queries.answer.inference import (
    covers_condition,
    is_single_valued,
    partition_conditions,
    simplify_conditions,
    sort_conditions,
)
from queries.answer.types import ANY_STATUS, PEOPLE_OF_LIST, PEOPLE_UNITS, Conditions
from queries.disclosure.attack.record_kinds import RecordKind, sum_kinds
from queries.disclosure.attack.term_pieces import (
    TermConditions,
    TermPartitions,
    is_about_terms,
    partition_terms,
)

_RECORDED_STATUS: Final = build_field_condition("status", ["recorded"])

_MAX_FEW_TERMS: Final = 5

#: More pieces of terms than these in all are left out.
MAX_TERM_PIECES: Final = 4_000

NO_TERMS: Final[TermConditions] = frozenset()

_CACHE_SIZE: Final = 65_536


class Population(NamedTuple):
    """What a number counts: the members of a unit that meet every condition."""

    unit: str
    conditions: frozenset[Condition]

    @property
    def condition_texts(self) -> Conditions:
        """The conditions as files hold them, in order."""
        return tuple(sorted(format_conditions(self.conditions)))

    @property
    def order(self) -> tuple[str, Conditions]:
        """What populations are sorted by."""
        return _order_population(self)

    @property
    def words(self) -> str:
        """The population for a message."""
        return f"{self.unit} {_describe_conditions(self.conditions) or 'of any kind'}"

    def words_among(self, shared: Population, neighbour: Population) -> str:
        """What sets the population apart from ``neighbour`` among what both ``shared`` count: of
        many codes, those that the other does not have come first."""
        known_codes = frozenset[str]().union(*map(list_named_codes, neighbour.conditions))
        text = _describe_conditions(self.conditions - shared.conditions, known_codes)
        return f"those {text}" if text else "all of them"


@lru_cache(_CACHE_SIZE)
def _order_population(population: Population) -> tuple[str, Conditions]:
    return population.unit, population.condition_texts


def _describe_conditions(
    conditions: frozenset[Condition], known_codes: frozenset[str] = frozenset()
) -> str:
    return ", ".join(
        describe_condition(condition, known_codes) for condition in sorted(conditions, key=BY_TEXT)
    )


class LinearConstraint(NamedTuple):
    """``low`` <= the sum of coefficients times counts <= ``high``; None is open.

    ``location`` is where an answer states it, for a message; "" if it follows from what the
    populations count.
    """

    terms: tuple[tuple[Population, int], ...]
    low: int | None
    high: int | None
    location: str = ""

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
    """The populations of printed numbers, helpers that are not printed, and the constraints."""

    populations: tuple[Population, ...]
    constraints: tuple[LinearConstraint, ...]
    helpers: tuple[Population, ...] = ()

    @property
    def pieces(self) -> tuple[Population, ...]:
        """The helpers that are numbers of people whom a reader can name: not those that only some
        conditions on terms cut out, nor kinds of records."""
        return tuple(
            helper
            for helper in self.helpers
            if not any(
                isinstance(condition, (TermPiece, RecordKind)) for condition in helper.conditions
            )
        )


def make_population(unit: str, *condition_sets: Iterable[Condition]) -> Population:
    """A population, without conditions that its other conditions imply."""
    return _build_population(unit, frozenset[Condition]().union(*condition_sets))


@clear_with_table
@lru_cache(_CACHE_SIZE)
def _build_population(unit: str, all_conditions: frozenset[Condition]) -> Population:
    criteria = simplify_conditions(sorted(all_conditions, key=BY_TEXT))
    if unit in ANY_STATUS and _RECORDED_STATUS in criteria:
        unit, criteria = ANY_STATUS[unit], criteria - {_RECORDED_STATUS}
    return Population(unit, criteria)


def build_system(
    populations: Iterable[Population],
    relations: Iterable[LinearConstraint],
    *,
    presuming: bool = True,
    most_kinds: int = 0,
) -> ConstraintSystem:
    """The populations, the relations stated between them, and all that follows from some of them
    being within others; with ``presuming``, also what a reader supposes of phrases.

    Also all that follows from what any of them count, unless they tell more than ``most_kinds``
    kinds of records apart.
    """
    base_populations, all_populations, constraints = _collect_constraints(populations, relations)
    term_constraints = _constrain_term_pieces(all_populations, presuming=presuming)
    constraint_by_key: dict[tuple[object, ...], LinearConstraint] = {}
    kind_constraints = _constrain_kinds(base_populations, most_kinds, presuming=presuming)
    for constraint in chain(constraints, term_constraints, kind_constraints):
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


def add_kinds(system: ConstraintSystem, limit: int, *, presuming: bool) -> ConstraintSystem | None:
    """The system with all numbers that are not helpers as sums of the kinds of records that they
    tell apart; None if these are more than ``limit``. ``presuming`` as in ``build_system``.

    All must be of one moment: where the rows of a table have all that its total counts, there is no
    record of a kind that the total counts and no row.
    """
    helpers = frozenset(system.helpers)
    numbers = [population for population in system.populations if population not in helpers]
    covers = [*filter(_is_cover, system.constraints)]
    kind_constraints = [
        constraint
        for constraint in _constrain_kinds(numbers, limit, covers, presuming=presuming)
        if constraint.terms
    ]
    if not kind_constraints:
        return None
    known = frozenset(system.populations)
    kinds = dict.fromkeys(
        population
        for constraint in kind_constraints
        for population, _ in constraint.terms
        if population not in known
    )
    return ConstraintSystem(
        (*system.populations, *kinds),
        (*system.constraints, *kind_constraints),
        (*system.helpers, *kinds),
    )


def _constrain_kinds(
    populations: Iterable[Population],
    limit: int,
    covers: Iterable[LinearConstraint] = (),
    *,
    presuming: bool,
) -> Iterator[LinearConstraint]:
    """All numbers as sums of the kinds of records, and of their victims, that they tell apart;
    there are none of a kind that only the total of a cover counts."""
    sums = sum_kinds(populations, limit, presuming=presuming) if limit else None
    if sums is None:
        return
    for total, parts in sums.parts.items():
        yield from expand_relation("sum", Population(*total), [Population(*part) for part in parts])
    for weights in sums.dependencies:
        terms = ((Population(*kind), weight) for kind, weight in weights.items())
        yield LinearConstraint(tuple(terms), None, 0)
    for cover in covers:
        if not all(population in sums.parts for population, _ in cover.terms):
            continue
        kinds = {population: sums.parts[population] for population, _ in cover.terms}
        covered = {kind for part, sign in cover.terms if sign > 0 for kind in kinds[part]}
        total = next(population for population, sign in cover.terms if sign < 0)
        uncovered = [Population(*kind) for kind in kinds[total] if kind not in covered]
        yield LinearConstraint(sum_populations(uncovered), 0, 0)


def _is_cover(constraint: LinearConstraint) -> bool:
    """Whether a relation says that a number counts nothing but what others of its unit count."""
    signs = sorted(coefficient for _, coefficient in constraint.terms)
    units = {population.unit for population, _ in constraint.terms}
    is_least = (constraint.low, constraint.high) == (0, None)
    return is_least and len(units) == 1 and len(signs) > 2 and signs == [-1] + [1] * len(signs[1:])


def derive_constraints(
    populations: Iterable[Population], relations: Iterable[LinearConstraint]
) -> Iterator[LinearConstraint]:
    """The constraints of ``build_system`` that have no pieces of terms, some more than once."""
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
    overlaps = _constrain_term_overlaps(all_populations)
    atoms = (population for constraint in overlaps for population, _ in constraint.terms)
    return (
        base_populations,
        tuple(dict.fromkeys([*all_populations, *atoms])),
        chain(relations, partitions, overlaps, _constrain_neighbours(all_populations, families)),
    )


class _TermContext(NamedTuple):
    """What numbers have in common but for their terms, and the numbers by their conditions on
    terms."""

    outer: Population
    members: Mapping[TermConditions, Population]


def _group_term_contexts(populations: Iterable[Population]) -> list[_TermContext]:
    """The contexts in which there are two conditions on terms, or more, to compare.

    One person may have several records, so nothing follows for people.
    """
    members_by_outer: dict[Population, dict[TermConditions, Population]] = defaultdict(dict)
    for population in populations:
        unit, criteria = population
        if unit not in PEOPLE_UNITS:
            term_conditions = frozenset(filter(is_about_terms, criteria))
            outer = Population(unit, criteria - term_conditions)
            members_by_outer[outer][term_conditions] = population
    return [
        _TermContext(outer, members)
        for outer, members in members_by_outer.items()
        if len(members.keys() - {NO_TERMS}) > 1
    ]


def _partition_contexts(
    contexts: Iterable[_TermContext], *, presuming: bool = True
) -> TermPartitions:
    condition_sets = frozenset(entry for context in contexts for entry in context.members)
    return partition_terms(condition_sets, presuming=presuming)


def _constrain_term_pieces(
    populations: Sequence[Population], *, presuming: bool
) -> Iterator[LinearConstraint]:
    """The numbers of records that meet conditions on terms, as sums of the pieces that these cut
    each other into, of all that meet the same other conditions.

    Pieces of which there would be too many are left out: then populations are only known to be
    within others.
    """
    contexts = _group_term_contexts(populations)
    partitions = _partition_contexts(contexts, presuming=presuming)
    pieces: dict[Population, None] = {}
    for outer, members in contexts:
        if len(pieces) > MAX_TERM_PIECES:
            break
        for conditions, population in members.items():
            for parts in partitions[conditions]:
                part_populations = [
                    make_population(outer.unit, outer.conditions, (part,)) for part in parts
                ]
                pieces |= dict.fromkeys(part_populations)
                yield from expand_relation("sum", population, part_populations)
    partition_constraints = _constrain_partitions(_group_families(pieces), set(pieces))
    yield from partition_constraints
    all_pieces = pieces | dict.fromkeys(
        population for constraint in partition_constraints for population, _ in constraint.terms
    )
    yield from _constrain_neighbours(tuple(all_pieces), _group_families(all_pieces))


def expand_relation(
    kind: str, total: Population, parts: Sequence[Population], location: str = "", times: int = 1
) -> Iterator[LinearConstraint]:
    """The constraints of a ``queries.answer.types.Relation`` of this kind."""
    terms = add_coefficients(*((part, 1) for part in parts), (total, -times))
    if kind == "union":
        yield from (_constrain_inner(part, total, location) for part in parts)
    low = None if kind == "at_most" else 0
    high = 0 if kind in ("sum", "at_most") else None
    yield LinearConstraint(terms, low, high, location)


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
    members: tuple[tuple[Condition, Population], ...]


def _group_families(populations: Iterable[Population]) -> Iterator[_ConditionFamily]:
    groups: dict[tuple[Population, str], list[tuple[Condition, Population]]] = defaultdict(list)
    for population in populations:
        for condition, outer in _widen_population(population):
            groups[outer, condition.dimension].append((condition, population))
    for (outer, _), members in groups.items():
        if len(members) > 1:
            yield _ConditionFamily(outer, tuple(members))


@clear_with_table
@lru_cache(_CACHE_SIZE)
def _widen_population(population: Population) -> tuple[tuple[Condition, Population], ...]:
    """Each condition of a population, and the population without it."""
    unit, criteria = population
    return tuple(
        [
            (condition, Population(unit, criteria - {condition}))
            for condition in sorted(criteria, key=BY_TEXT)
        ]
    )


def find_nested_pairs(populations: Iterable[Population]) -> Iterator[tuple[Population, Population]]:
    """Pairs of a population and a wider one: of a longer period, more codes or ages, or of terms
    that those of the other imply."""
    populations = tuple(populations)
    pairs = chain(
        _pair_family_members(_group_families(populations)), _pair_nested_terms(populations)
    )
    return iter(dict.fromkeys(pairs))


def _pair_nested_terms(
    populations: Sequence[Population],
) -> Iterator[tuple[Population, Population]]:
    """Pairs that differ only in their terms. All records are no wider population here: the rest of
    a total is a number of its own."""
    contexts = _group_term_contexts(populations)
    partitions = _partition_contexts(contexts)
    for _, members in contexts:
        for inner, outer in permutations(members, 2):
            if outer and any(
                set(inner_parts) < set(outer_parts)
                for inner_parts, outer_parts in product(partitions[inner], partitions[outer])
            ):
                yield members[inner], members[outer]


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
        yield _constrain_inner(inner, outer)
    for population in populations:
        for condition, outer in _widen_population(population):
            if outer in population_set:
                yield _constrain_inner(population, outer)
                yield from _constrain_complement(population, condition, outer, population_set)
        yield from _constrain_people(population, population_set)
        yield from _constrain_people_met(population, population_set)


def _constrain_inner(inner: Population, outer: Population, location: str = "") -> LinearConstraint:
    terms = ((inner, 1), (outer, -1)) if inner != outer else ()
    return LinearConstraint(terms, None, 0, location)


def _constrain_complement(
    population: Population,
    condition: Condition,
    outer: Population,
    population_set: set[Population],
) -> Iterator[LinearConstraint]:
    """What meets a condition and what does not are the whole; people may be in both."""
    if not isinstance(condition, Not):
        return
    meeting = make_population(population.unit, outer.conditions, (condition.condition,))
    if meeting in population_set:
        kind = "union" if population.unit in PEOPLE_UNITS else "sum"
        yield from expand_relation(kind, outer, [meeting, population])


def _constrain_people(
    population: Population, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    """Different people of a list are no more than its people, and neither are records that have
    one of them."""
    unit, criteria = population
    for name, different in PEOPLE_OF_LIST.items():
        people = Population(name, criteria)
        if unit == different and people in population_set:
            yield _constrain_inner(population, people)
        without = WITHOUT_PEOPLE[name]
        if unit not in ("offences", "records") or without not in criteria:
            continue
        rest = criteria - {without}
        of_unit = name if unit == "offences" else f"{name} of records"
        outer, people = Population(unit, rest), make_population(of_unit, rest)
        if outer in population_set and people in population_set:
            terms = add_coefficients((outer, 1), (population, -1), (people, -1))
            yield LinearConstraint(terms, None, 0)


def _constrain_people_met(
    population: Population, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    """Records that have a victim, or a suspect, who meets conditions are no more than those."""
    unit, criteria = population
    if unit not in ("offences", "records"):
        return
    for condition in criteria:
        if not isinstance(condition, OfPerson):
            continue
        name = condition.people.field
        of_unit = name if unit == "offences" else f"{name} of records"
        such_people = (
            make_population(of_unit, of_record, parts)
            for size in range(1, len(condition.parts) + 1)
            for parts in combinations(sort_conditions(condition.parts), size)
            for of_record in (criteria - {condition}, criteria)
        )
        for people in dict.fromkeys((*such_people, Population(of_unit, criteria))):
            if people in population_set:
                yield _constrain_inner(population, people)


def _constrain_partitions(
    families: Iterable[_ConditionFamily], population_set: set[Population]
) -> list[LinearConstraint]:
    """Periods, offences, ages and fields of one value, as sums of the pieces that they cut each
    other into.

    A piece that is not a population of its own is a helper: it is not printed, but whoever can work
    it out knows a number of people all the same.
    """
    constraints: list[LinearConstraint] = []
    for family in families:
        condition, _ = family.members[0]
        if family.outer.unit not in PEOPLE_UNITS and is_single_valued(condition):
            constraints += _split_into_pieces(family, population_set)
    return constraints


def _split_into_pieces(
    family: _ConditionFamily, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    members, outer = dict(family.members), family.outer
    all_parts: dict[Population, None] = {}
    for condition, pieces in partition_conditions(tuple(members)).items():
        parts = [make_population(outer.unit, outer.conditions, (piece,)) for piece in pieces]
        all_parts |= dict.fromkeys(parts)
        if parts != [members[condition]]:
            yield from expand_relation("sum", members[condition], parts)
    if outer in population_set:
        yield from expand_relation("at_most", outer, [*all_parts])
        unknown_age = UNKNOWN_AGES.get(family.members[0][0].dimension)
        if unknown_age is None or not _are_all_ages(members):
            return
        unknown = make_population(outer.unit, outer.conditions, (unknown_age,))
        if unknown in population_set:
            yield from expand_relation("sum", outer, [*all_parts, unknown])


def _are_all_ages(conditions: Iterable[Condition]) -> bool:
    """Whether every known age meets one of the conditions."""
    intervals = (
        interval
        for condition in conditions
        if isinstance(condition, AgeCondition)
        for interval in condition.intervals
    )
    return merge_intervals(intervals) == ((0, MAX_AGE),)


def _constrain_term_overlaps(populations: Sequence[Population]) -> list[LinearConstraint]:
    population_set = set(populations)
    return [
        constraint
        for population in populations
        for constraint in _constrain_term_overlap(population, population_set)
    ]


def _constrain_term_overlap(
    several: Population, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    """How two or more of a few terms, each with another, and pairs of them are related.

    All are sums of the records that mention exactly these terms and no other; of many terms, of
    those that mention exactly this many. These are not printed, so they are helpers.
    """
    overlap = _find_term_overlap(several)
    if overlap is None:
        return
    if len(overlap.terms) <= _MAX_FEW_TERMS:
        yield from _constrain_few_terms(overlap, population_set)
    else:
        yield from _constrain_many_terms(overlap, population_set)


class _TermOverlap(NamedTuple):
    """Two or more of some terms, among the members of a wider population."""

    outer: Population
    several: SeveralTermsCondition
    terms: tuple[AnyTermCondition, ...]

    def restrict(self, *conditions: Condition) -> Population:
        """The members that meet further conditions."""
        return make_population(self.outer.unit, self.outer.conditions, conditions)


def _find_term_overlap(population: Population) -> _TermOverlap | None:
    """The overlap that a population is; None if it has other conditions on these terms."""
    conditions = [
        entry for entry in population.conditions if isinstance(entry, SeveralTermsCondition)
    ]
    if len(conditions) != 1:
        return None
    (several,) = conditions
    terms = tuple(AnyTermCondition(frozenset({term})) for term in sorted(several.terms))
    single_conditions = simplify_conditions(terms)
    for condition in population.conditions:
        if condition in single_conditions or isinstance(condition, SingleTermCondition):
            return None
        if isinstance(condition, Not) and isinstance(condition.condition, AnyTermCondition):
            return None
    outer = Population(population.unit, population.conditions - {several})
    return _TermOverlap(outer, several, terms)


def _constrain_few_terms(
    overlap: _TermOverlap, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    terms, several, restrict = overlap.terms, overlap.several, overlap.restrict
    exact_by_terms = {
        chosen: restrict(*chosen, *_exclude_terms([term for term in terms if term not in chosen]))
        for size in range(2, len(terms) + 1)
        for chosen in combinations(terms, size)
    }
    parts_of = [(restrict(several), frozenset[AnyTermCondition]())]
    parts_of += [(restrict(term, several), frozenset([term])) for term in terms]
    parts_of += [(restrict(*pair), frozenset(pair)) for pair in combinations(terms, 2)]
    for total, required_terms in parts_of:
        if total in population_set:
            parts = [
                population
                for chosen, population in exact_by_terms.items()
                if required_terms.issubset(chosen)
            ]
            yield from expand_relation("sum", total, parts)


def _exclude_terms(terms: Sequence[AnyTermCondition]) -> list[Condition]:
    return [Not(build_any_term_condition(terms))] if terms else []


def _constrain_many_terms(
    overlap: _TermOverlap, population_set: set[Population]
) -> Iterator[LinearConstraint]:
    terms, several, restrict = overlap.terms, overlap.several, overlap.restrict
    term_count = len(terms)
    count_conditions = {
        size: TermCountCondition(several.terms, size) for size in range(2, term_count)
    }
    exact_by_size = {size: restrict(entry) for size, entry in count_conditions.items()}
    exact_by_size[term_count] = restrict(*terms)
    exact_by_term = {
        term: {size: restrict(term, entry) for size, entry in count_conditions.items()}
        | {term_count: exact_by_size[term_count]}
        for term in terms
    }
    yield from expand_relation("sum", restrict(several), [*exact_by_size.values()])
    for term, sizes in exact_by_term.items():
        pairings = [restrict(term, partner) for partner in terms if partner != term]
        if not population_set.issuperset([restrict(term, several), *pairings]):
            return
        yield from expand_relation("sum", restrict(term, several), [*sizes.values()])
        pairs = (
            *((population, 1 - size) for size, population in sizes.items()),
            *((population, 1) for population in pairings),
        )
        yield LinearConstraint(add_coefficients(*pairs), 0, 0)
    for size in count_conditions:
        rows = [sizes[size] for sizes in exact_by_term.values()]
        total = exact_by_size[size]
        terms_of_size = add_coefficients(*((row, 1) for row in rows), (total, -size))
        yield LinearConstraint(terms_of_size, 0, 0)
        yield from (_constrain_inner(row, total) for row in rows)
