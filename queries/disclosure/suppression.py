"""Which more numbers to withhold, so that none that is withheld can be worked out.

Pure. The cell suppression problem: withhold as few printed numbers as will do. It is solved by
cuts: a choice is attacked; where a number lies in too narrow an interval, the prices of the
attacker's linear programme say which of the others must go as well; the least choice that heeds
all that was learnt so far is attacked again. With more than ``EXACT`` numbers to choose from,
choices are grown greedily by the same cuts and then pruned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec import Struct

from indexer.errors import DisclosureError
from queries.disclosure.certain import Linear, Population, System
from queries.disclosure.reader import Bounds, Extreme, Reader, Terms, given_away, solver

EXACT: Final = 1_000
_ROUNDS: Final = 200
_ORDER: Final = attrgetter("order")
_NEAR: Final = 1e-6
PRICE: Final = 1e-9


class Problem(Struct, frozen=True):
    """Numbers and what may become of them.

    ``counts`` are the true numbers of all that is printed, ``shown`` and ``withheld`` what a reader
    knows of each when it is printed and when it is not. ``must`` are withheld, ``may`` can be.
    What is withheld must lie in an interval of at least ``width``, and so must ``always``, printed
    or not. ``weights`` say in how many places each is printed.
    """

    system: System
    counts: dict[Population, int]
    shown: dict[Population, Bounds]
    withheld: Bounds
    must: frozenset[Population]
    may: frozenset[Population]
    width: int
    weights: dict[Population, int]
    always: frozenset[Population] = frozenset()

    def known(self, hidden: Iterable[Population]) -> dict[Population, Bounds]:
        """What a reader knows where these are withheld."""
        return self.shown | dict.fromkeys(hidden, self.withheld)


class Cut(NamedTuple):
    """If ``of`` is withheld (or always, where None), so much weight of the others must be, that
    their shares add up to 1."""

    of: Population | None
    shares: dict[Population, float]


def choose(problem: Problem) -> frozenset[Population]:
    """The numbers to withhold, those of ``must`` among them.

    Raises DisclosureError where no choice protects all of them.
    """
    search = _Search(problem)
    hidden = problem.must
    exact = len(problem.may - problem.must) <= EXACT
    for turn in range(_ROUNDS):
        cuts = search.cuts(hidden) or search.whole_cuts(hidden)
        if not cuts:
            return hidden if exact else search.pruned(hidden)
        search.learnt += cuts
        hidden = search.least() if exact and turn < _ROUNDS // 2 else search.grown(hidden, cuts)
    raise DisclosureError("no set of numbers to withhold was found. Please report it.")


class _Search:
    """The cuts learnt so far, and one programme of the attacker that is changed as we go."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.learnt: list[Cut] = []
        self.open = sorted(problem.may | problem.must, key=_ORDER)
        start = Reader(problem.system, {one: Bounds(n, n) for one, n in problem.counts.items()})
        # Helpers have no number of their own: any that agree with the true ones will do.
        self.true = start.least(()).point
        self.reader = Reader(problem.system, problem.shown)
        self.reader.most = start.most
        self.place = self.reader.place

    def cuts(self, hidden: frozenset[Population]) -> list[Cut]:
        """A cut for each number that lies in too narrow an interval."""
        self._show_all_but(hidden)
        width = self.problem.width
        lows, highs = [*self.true], [*self.true]
        found = []
        for one in sorted(hidden | self.problem.always, key=_ORDER):
            place = self.place[one]
            extremes: list[Extreme] = []
            for sign in (1, -1):
                if highs[place] - lows[place] >= width - _NEAR:
                    break
                extremes.append(self.reader.least(((one, sign),)))
                lows = [*map(min, lows, extremes[-1].point)]
                highs = [*map(max, highs, extremes[-1].point)]
            if highs[place] - lows[place] < width - _NEAR:
                found.append(self._cut(one, extremes))
        return found

    def _show_all_but(self, hidden: Iterable[Population]) -> None:
        known = self.problem.known(hidden)
        for one in self.open:
            self.reader.learn(one, known[one])

    def _cut(self, one: Population, extremes: list[Extreme]) -> Cut:
        """What the prices of both extremes say: the width that the choice leaves is at most a
        constant and a share of each number withheld."""
        constant = 0.0
        shares: dict[Population, float] = {}
        withheld = self.problem.withheld
        most = self.reader.most if withheld.high is None else withheld.high
        for extreme in extremes:
            constant += self._rows(extreme)
            for population, price in zip(self.place, extreme.prices, strict=True):
                if abs(price) < PRICE:
                    continue
                true = self.true[self.place[population]]
                bounds = self.problem.shown.get(population, Bounds(0, None))
                if price > 0:
                    constant += price * (true - bounds.low)
                    more = price * (bounds.low - withheld.low)
                else:
                    high = self.reader.most if bounds.high is None else bounds.high
                    constant -= price * (high - true)
                    more = -price * (most - high)
                shares[population] = shares.get(population, 0.0) + more
        always = one in self.problem.always
        needed = self.problem.width - constant - (0.0 if always else shares.pop(one, 0.0))
        return self._checked(
            None if always else one,
            {
                other: min(1.0, share / needed)
                for other, share in shares.items()
                if other in self.problem.may and share > PRICE
            },
        )

    def _rows(self, extreme: Extreme) -> float:
        """What slack of the true numbers in the relations is worth."""
        worth = 0.0
        for relation, price in zip(self.problem.system.relations, extreme.row_prices, strict=True):
            if abs(price) < PRICE:
                continue
            value = sum(share * self.true[self.place[one]] for one, share in relation.terms)
            bound = relation.low if price > 0 else relation.high
            worth += price * (value - bound) if bound is not None else 0.0
        return worth

    def _checked(self, of: Population | None, shares: dict[Population, float]) -> Cut:
        if not shares:
            what = of.words if of else "a rounded number"
            raise DisclosureError(
                f"{what} cannot be withheld: numbers that are already public give it "
                "away. Ask for less, or record why it may go out: --override REASON."
            )
        return Cut(of, shares)

    def whole_cuts(self, hidden: frozenset[Population]) -> list[Cut]:
        """Cuts for numbers that are protected only as long as parts of people are thought of."""
        problem = self.problem
        wanted = sorted(hidden | problem.always, key=_ORDER)
        narrow = given_away(problem.system, problem.known(hidden), wanted, problem.width)
        others = dict.fromkeys(problem.may - hidden, 1.0)
        return [self._checked(None if one in problem.always else one, others) for one in narrow]

    def least(self) -> frozenset[Population]:
        """The choice of least weight that heeds every cut; the smaller numbers, among equals."""
        import highspy

        programme = solver()
        column = {one: number for number, one in enumerate(self.open)}
        everything = sum(self.problem.counts.values()) + 1
        for one, number in column.items():
            programme.addVar(1 if one in self.problem.must else 0, 1)
            weight = self.problem.weights.get(one, 1)
            programme.changeColCost(number, weight + self.problem.counts[one] / everything)
            programme.changeColIntegrality(number, highspy.HighsVarType.kInteger)
        for cut in self.learnt:
            terms = {column[one]: share for one, share in cut.shares.items()}
            if cut.of is not None:
                terms[column[cut.of]] = terms.get(column[cut.of], 0.0) - 1
            low = 0.0 if cut.of is not None else 1.0
            programme.addRow(
                low - _NEAR, highspy.kHighsInf, len(terms), [*terms], [*terms.values()]
            )
        programme.run()
        if programme.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise DisclosureError(
                "no choice of numbers to withhold protects all of them, as others are already "
                "public. Ask for less, or record why it may go out: --override REASON."
            )
        chosen = programme.getSolution().col_value
        return frozenset(one for one, number in column.items() if chosen[number] > 0.5)

    def grown(self, hidden: frozenset[Population], cuts: list[Cut]) -> frozenset[Population]:
        """The choice with what serves the cuts best for its weight, until all are heeded."""
        found = set(hidden)
        for cut in cuts:
            while sum(share for one, share in cut.shares.items() if one in found) < 1 - _NEAR:
                rest = [one for one in cut.shares if one not in found]
                if not rest:
                    break
                found.add(max(rest, key=lambda one: (self._served(one, cuts), one.order)))
        return frozenset(found)

    def _served(self, one: Population, cuts: list[Cut]) -> float:
        weight = self.problem.weights.get(one, 1)
        return sum(cut.shares.get(one, 0.0) for cut in cuts) / weight

    def pruned(self, hidden: frozenset[Population]) -> frozenset[Population]:
        """The choice without what is not needed, the widely printed and large first."""
        counts, weights = self.problem.counts, self.problem.weights
        added = sorted(
            hidden - self.problem.must,
            key=lambda one: (-weights.get(one, 1), -counts[one], one.order),
        )
        for one in added:
            fewer = hidden - {one}
            if not self.cuts(fewer) and not self.whole_cuts(fewer):
                hidden = fewer
        return hidden


def difference(inner: Population, outer: Population) -> Terms:
    """What an outer population has beyond an inner one."""
    return (outer, 1), (inner, -1)


def tightened(stated: Iterable[Linear], counts: Mapping[Population, int]) -> tuple[Linear, ...]:
    """The relations for a reader who guesses that parts do not overlap, where he is right."""
    return tuple(
        relation._replace(high=0)
        if relation.low == 0
        and relation.high is None
        and len(relation.terms) > 2
        and all(one in counts for one, _ in relation.terms)
        and relation.value(counts) == 0
        else relation
        for relation in stated
    )
