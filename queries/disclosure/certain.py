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

from queries import conditions
from queries.answer import Means

PEOPLE: Final = "people"  # who may have several ages, and be victims on several days
ANY_STATUS: Final = {"records": "offences", "victims of records": "victims"}
_COUNTED: Final = "status:recorded"
_FEW_TERMS: Final = 5


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
        return self._said(frozenset())

    def words_beside(self, other: Population) -> str:
        """The population for a message that names another, too: of many codes those come first that
        the other has not."""
        return self._said(frozenset().union(*map(conditions.named_codes, other.where)))

    def _said(self, known: frozenset[str]) -> str:
        said = " and ".join(conditions.words(one, known) for one in sorted(self.where))
        return f"{self.unit} {said or 'of any kind'}"


class Linear(NamedTuple):
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


class System(NamedTuple):
    """The populations of printed numbers, helpers that are not printed, and what is certain."""

    populations: tuple[Population, ...]
    relations: tuple[Linear, ...]
    helpers: tuple[Population, ...] = ()


def population_of(unit: str, *means: Means) -> Population:
    """A population, without the conditions that others of it imply."""
    return _one_population(unit, frozenset[str]().union(*means))


@cache
def _one_population(unit: str, means: frozenset[str]) -> Population:
    found = conditions.simplified(sorted(means))
    if unit in ANY_STATUS and _COUNTED in found:
        unit, found = ANY_STATUS[unit], found - {_COUNTED}
    return Population(unit, found)


def joint(populations: Iterable[Population], relations: Iterable[Linear]) -> System:
    """The populations with the relations stated of them, and with all that follows from some of
    them being within others."""
    every, whole, told = _told(populations, relations)
    found: dict[tuple[object, ...], Linear] = {}
    for one in told:
        if one.terms:
            found.setdefault((frozenset(one.terms), one.low, one.high), one)
    helped = (one for kept in found.values() for one, _ in kept.terms)
    whole = tuple(dict.fromkeys([*whole, *helped]))
    return System(whole, tuple(found.values()), whole[len(every) :])


def following(populations: Iterable[Population], relations: Iterable[Linear]) -> Iterator[Linear]:
    """The relations of ``joint``, some of them more than once."""
    return _told(populations, relations)[2]


def _told(
    populations: Iterable[Population], relations: Iterable[Linear]
) -> tuple[tuple[Population, ...], tuple[Population, ...], Iterator[Linear]]:
    """The populations, those with the pieces they cut each other into, and the relations."""
    relations = tuple(relations)
    named = (one for told in relations for one, _ in told.terms)
    every = tuple(dict.fromkeys([*populations, *named]))
    families = tuple(_families(every))
    parted = _parted(families, set(every))
    atoms = (population for one in parted for population, _ in one.terms)
    whole = tuple(dict.fromkeys([*every, *atoms]))
    if whole != every:
        families = tuple(_families(whole))
    return every, whole, chain(relations, parted, _follows(whole, families))


def linear(
    kind: str, whole: Population, parts: Sequence[Population], source: str, times: int = 1
) -> Iterator[Linear]:
    """A relation of a kind, as ``queries.answer.Relation`` has them."""
    together = added(*((part, 1) for part in parts), (whole, -times))
    if kind == "union":
        yield from (_within(part, whole, source) for part in parts)
    low = None if kind == "at_most" else 0
    high = 0 if kind in ("sum", "at_most") else None
    yield Linear(together, low, high, source)


def summed(populations: Iterable[Population]) -> tuple[tuple[Population, int], ...]:
    """The populations, each once."""
    return added(*((population, 1) for population in populations))


def added(*terms: tuple[Population, int]) -> tuple[tuple[Population, int], ...]:
    """The terms, those of one population together."""
    together: dict[Population, int] = {}
    for population, coefficient in terms:
        together[population] = together.get(population, 0) + coefficient
    return tuple([one for one in together.items() if one[1]])


class _Family(NamedTuple):
    """Two populations or more that differ in one condition only, all of one dimension."""

    outer: Population
    dimension: str
    members: tuple[tuple[str, Population], ...]


def _families(populations: Iterable[Population]) -> Iterator[_Family]:
    found: dict[tuple[Population, str], list[tuple[str, Population]]] = defaultdict(list)
    for population in populations:
        for condition, outer in _outers(population):
            found[outer, conditions.dimension(condition)].append((condition, population))
    for (outer, dimension), members in found.items():
        if len(members) > 1:
            yield _Family(outer, dimension, tuple(members))


@lru_cache(10_000)
def _outers(population: Population) -> tuple[tuple[str, Population], ...]:
    """Each condition of a population, and the one without it."""
    unit, where = population
    return tuple([(one, Population(unit, where - {one})) for one in sorted(where)])


def nested(populations: Iterable[Population]) -> Iterator[tuple[Population, Population]]:
    """Pairs of a population and a wider one: of a longer period, more codes, ages or terms."""
    return _nested(_families(populations))


def _nested(families: Iterable[_Family]) -> Iterator[tuple[Population, Population]]:
    for family in families:
        for (one, first), (other, second) in combinations(family.members, 2):
            if conditions.covers(other, one):
                yield first, second
            elif conditions.covers(one, other):
                yield second, first


def _follows(populations: Sequence[Population], families: Iterable[_Family]) -> Iterator[Linear]:
    """What is certain of populations whose conditions differ in one."""
    known = set(populations)
    for inner, outer in _nested(families):
        yield _within(inner, outer, "within")
    for population in populations:
        for condition, outer in _outers(population):
            if outer in known:
                yield _within(population, outer, "within")
                yield from _complement(population, condition, outer, known)
        yield from _of_victims(population, known)
        yield from _of_terms_together(population, known)


def _within(inner: Population, outer: Population, source: str) -> Linear:
    return Linear(((inner, 1), (outer, -1)) if inner != outer else (), None, 0, source)


def _complement(
    population: Population, condition: str, outer: Population, known: set[Population]
) -> Iterator[Linear]:
    """What meets a condition and what does not are the whole; people may be in both."""
    opposite = conditions.without_no(condition)
    if opposite is None:
        return
    meeting = population_of(population.unit, tuple(outer.where), (opposite,))
    if meeting in known:
        kind = "union" if population.unit == PEOPLE else "sum"
        yield from linear(kind, outer, [meeting, population], "complement")


def _of_victims(population: Population, known: set[Population]) -> Iterator[Linear]:
    """People are at most victims, and so are records that have some."""
    unit, where = population
    if unit == PEOPLE:
        victims = Population("victims", where)
        if victims in known:
            yield _within(population, victims, "people")
    if unit not in ("offences", "records"):
        return
    of_unit = "victims" if unit == "offences" else "victims of records"
    if conditions.WITHOUT_VICTIM in where:
        rest = where - {conditions.WITHOUT_VICTIM}
        whole, victims = Population(unit, rest), population_of(of_unit, tuple(rest))
        if whole in known and victims in known:
            terms = added((whole, 1), (population, -1), (victims, -1))
            yield Linear(terms, None, 0, "victims")
    said = {one: whom for one in where if (whom := conditions.of_whom(one))}
    for one, whom in said.items():
        victims = population_of(of_unit, tuple(where - {one}), (whom,))
        if victims in known and len(said) == 1:
            yield _within(population, victims, "victims")


def _parted(families: Iterable[_Family], known: set[Population]) -> list[Linear]:
    """Periods, offences, ages and fields of one value, as sums of the pieces that they cut each
    other into.

    A piece that is no population of its own is a helper: nobody printed it, but who knows it knows
    a number of people all the same.
    """
    found: list[Linear] = []
    for family in families:
        if family.outer.unit != PEOPLE and conditions.is_parted(family.dimension):
            found += _pieces(family, known)
    return found


def _pieces(family: _Family, known: set[Population]) -> Iterator[Linear]:
    of, outer = dict(family.members), family.outer
    others = tuple(outer.where)
    every: dict[Population, None] = {}
    for one, names in conditions.pieces(tuple(of)).items():
        parts = [population_of(outer.unit, others, (name,)) for name in names]
        every |= dict.fromkeys(parts)
        if parts != [of[one]]:
            yield from linear("sum", of[one], parts, family.dimension)
    if outer in known:
        yield from linear("at_most", outer, [*every], family.dimension)


def _of_terms_together(several: Population, known: set[Population]) -> Iterator[Linear]:
    """What two or more of a few terms, each with another, and pairs of them tell of each other.

    All are sums of the records that mention just these terms and no other; of many terms, of those
    that mention just so many. Nobody printed those, so they are helpers.
    """
    found = [one for one in several.where if conditions.dimension(one) == "several"]
    if len(found) != 1 or any(
        conditions.dimension(one) in ("alone", "no term")
        or one in {f"term:{term}" for term in conditions.values(found[0])}
        for one in several.where
    ):
        return
    rest = tuple(several.where - {found[0]})
    terms = tuple(f"term:{one}" for one in sorted(conditions.values(found[0])))

    def of(*more: str) -> Population:
        return population_of(several.unit, rest, more)

    if len(terms) <= _FEW_TERMS:
        yield from _of_few_terms(terms, found[0], of, known)
    else:
        yield from _of_many_terms(terms, found[0], of, known)


def _of_few_terms(
    terms: Sequence[str],
    several: str,
    of: Callable[..., Population],
    known: set[Population],
) -> Iterator[Linear]:
    just = {
        chosen: of(*chosen, *_none_of([one for one in terms if one not in chosen]))
        for size in range(2, len(terms) + 1)
        for chosen in combinations(terms, size)
    }
    wanted = [(of(several), frozenset[str]())]
    wanted += [(of(term, several), frozenset([term])) for term in terms]
    wanted += [(of(*pair), frozenset(pair)) for pair in combinations(terms, 2)]
    for whole, of_these in wanted:
        if whole in known:
            parts = [one for chosen, one in just.items() if of_these.issubset(chosen)]
            yield from linear("sum", whole, parts, "together")


def _none_of(terms: Sequence[str]) -> list[str]:
    return [conditions.negated(conditions.any_term(terms))] if terms else []


def _of_many_terms(
    terms: Sequence[str],
    several: str,
    of: Callable[..., Population],
    known: set[Population],
) -> Iterator[Linear]:
    number = len(terms)
    names = several.partition(":")[2]
    just = {size: of(f"just {size} of:{names}") for size in range(2, number)}
    just[number] = of(*terms)
    each = {
        term: {size: of(term, f"just {size} of:{names}") for size in range(2, number)}
        | {number: just[number]}
        for term in terms
    }
    yield from linear("sum", of(several), [*just.values()], "together")
    for term, sizes in each.items():
        others = [of(term, other) for other in terms if other != term]
        if not known.issuperset([of(term, several), *others]):
            return
        yield from linear("sum", of(term, several), [*sizes.values()], "together")
        pairs = (*((one, 1 - size) for size, one in sizes.items()), *((one, 1) for one in others))
        yield Linear(added(*pairs), 0, 0, "together")
    for size in range(2, number):
        rows = [sizes[size] for sizes in each.values()]
        yield Linear(added(*((one, 1) for one in rows), (just[size], -size)), 0, 0, "together")
        yield from (_within(one, just[size], "together") for one in rows)
