"""Which further numbers to withhold, so that no withheld number can be worked out.

Pure. The cell suppression problem: withhold as few printed numbers as possible. It is solved with
cuts: a choice is attacked; if a number lies in too narrow an interval, the prices of the attacker's
linear programme say which other numbers must be withheld as well; the smallest choice that
satisfies all cuts found so far is attacked again. With more than ``MAX_EXACT_CHOICES`` numbers to
choose from, choices are grown greedily by the same cuts and then pruned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec import Struct

from indexer.errors import DisclosureError
from queries.disclosure.attack.attacker import (
    TOLERANCE,
    Attacker,
    Bounds,
    LpSolution,
    SeenValues,
    WeightedSum,
    find_narrow_intervals,
    make_solver,
    run_solver,
)
from queries.disclosure.attack.constraints import ConstraintSystem, LinearConstraint, Population

MAX_EXACT_CHOICES: Final = 10_000

_MAX_ROUNDS: Final = 200

_ORDER: Final = attrgetter("order")

MIN_PRICE: Final = 1e-9


class SuppressionProblem(Struct, frozen=True):
    """The numbers of an answer, and which must or may be withheld.

    ``counts`` are the true numbers of everything printed, ``shown`` and ``withheld`` what a reader
    knows about each when it is printed and when it is not. ``must`` are withheld, ``may`` can be.
    A withheld number must lie in an interval of at least ``width``, and so must ``always``, printed
    or not. ``weights`` say in how many places each is printed.
    """

    system: ConstraintSystem
    counts: dict[Population, int]
    shown: dict[Population, Bounds]
    withheld: Bounds
    must: frozenset[Population]
    may: frozenset[Population]
    width: int
    weights: dict[Population, int]
    always: frozenset[Population] = frozenset()

    def attacker_bounds(self, hidden: Iterable[Population]) -> dict[Population, Bounds]:
        """What a reader knows if these are withheld."""
        return self.shown | dict.fromkeys(hidden, self.withheld)


class Cut(NamedTuple):
    """If ``target`` is withheld (or in any case, if it is None), then so many others must be
    withheld that their shares add up to 1."""

    target: Population | None
    shares: dict[Population, float]


def choose_cells(problem: SuppressionProblem) -> frozenset[Population]:
    """The numbers to withhold, including those of ``must``.

    Raises DisclosureError if no choice protects all of them.
    """
    search = _CutSearch(problem)
    hidden = problem.must
    is_exact = len(problem.may - problem.must) <= MAX_EXACT_CHOICES
    for turn in range(_MAX_ROUNDS):
        cuts = search.find_cuts(hidden) or search.find_integer_cuts(hidden)
        if not cuts:
            return hidden if is_exact else search.prune_choice(hidden)
        search.cut_pool += cuts
        hidden = (
            search.find_cheapest()
            if is_exact and turn < _MAX_ROUNDS // 2
            else search.grow_choice(hidden, cuts)
        )
    raise DisclosureError("no set of numbers to withhold was found. Please report it.")


class _CutSearch:
    """The cuts found so far, and one attacker, whose bounds change with each choice."""

    def __init__(self, problem: SuppressionProblem) -> None:
        self.problem = problem
        self.cut_pool: list[Cut] = []
        self.candidates = sorted(problem.may | problem.must, key=_ORDER)
        informed_attacker = Attacker(
            problem.system,
            {population: Bounds(number, number) for population, number in problem.counts.items()},
        )
        # Helpers have no printed number: any that agree with the true numbers will do.
        self.true_values = informed_attacker.minimise(()).point
        self.attacker = Attacker(problem.system, problem.shown)
        self.attacker.ceiling = informed_attacker.ceiling
        self.index_of = self.attacker.index_of

    def find_cuts(self, hidden: frozenset[Population]) -> list[Cut]:
        """A cut for each number that lies in too narrow an interval."""
        self._show_all_but(hidden)
        width = self.problem.width
        seen = SeenValues(self.attacker, self.true_values)
        new_cuts = []
        targets = sorted(hidden | self.problem.always, key=_ORDER)
        seen.widen_together(targets, width, integral=False)
        for population in targets:
            extremes = seen.widen(population, width, integral=False)
            if seen.is_narrow(population, width):
                new_cuts.append(self._derive_cut(population, extremes))
        return new_cuts

    def _show_all_but(self, hidden: Iterable[Population]) -> None:
        bounds = self.problem.attacker_bounds(hidden)
        for population in self.candidates:
            self.attacker.learn(population, bounds[population])

    def _derive_cut(self, target: Population, extremes: list[LpSolution]) -> Cut:
        """The cut of the prices of both extremes: the width that the choice leaves is at most a
        constant plus a share of each number withheld."""
        constant = 0.0
        shares: dict[Population, float] = {}
        withheld = self.problem.withheld
        ceiling = self.attacker.ceiling if withheld.high is None else withheld.high
        for extreme in extremes:
            constant += self._sum_slack(extreme)
            for population, price in zip(self.index_of, extreme.prices, strict=True):
                if abs(price) < MIN_PRICE:
                    continue
                true_value = self.true_values[self.index_of[population]]
                bounds = self.problem.shown.get(population, Bounds(0, None))
                if price > 0:
                    constant += price * (true_value - bounds.low)
                    gain = price * (bounds.low - withheld.low)
                else:
                    high = self.attacker.ceiling if bounds.high is None else bounds.high
                    constant -= price * (high - true_value)
                    gain = -price * (ceiling - high)
                shares[population] = shares.get(population, 0.0) + gain
        is_always = target in self.problem.always
        needed = self.problem.width - constant - (0.0 if is_always else shares.pop(target, 0.0))
        return self._make_cut(
            None if is_always else target,
            {
                candidate: min(1.0, share / needed)
                for candidate, share in shares.items()
                if candidate in self.problem.may and share > MIN_PRICE
            },
        )

    def _sum_slack(self, extreme: LpSolution) -> float:
        """The value of the slack that the true numbers leave in the constraints."""
        worth = 0.0
        for relation, price in zip(self.attacker.rows, extreme.row_prices, strict=True):
            if abs(price) < MIN_PRICE:
                continue
            value = sum(
                share * self.true_values[self.index_of[population]]
                for population, share in relation.terms
            )
            bound = relation.low if price > 0 else relation.high
            worth += price * (value - bound) if bound is not None else 0.0
        return worth

    def _make_cut(self, target: Population | None, shares: dict[Population, float]) -> Cut:
        if not shares:
            subject = target.words if target else "a rounded number"
            raise DisclosureError(
                f"{subject} cannot be withheld: numbers that are already public give it "
                "away. Ask for less, or record why it may go out: --override REASON."
            )
        return Cut(target, shares)

    def find_integer_cuts(self, hidden: frozenset[Population]) -> list[Cut]:
        """Cuts for numbers that are protected only if fractions of people are possible."""
        problem = self.problem
        targets = sorted(hidden | problem.always, key=_ORDER)
        narrow = find_narrow_intervals(
            problem.system, problem.attacker_bounds(hidden), targets, problem.width
        )
        others = dict.fromkeys(problem.may - hidden, 1.0)
        return [
            self._make_cut(None if population in problem.always else population, others)
            for population in narrow
        ]

    def find_cheapest(self) -> frozenset[Population]:
        """The choice of least weight that satisfies every cut; smaller numbers, among equals."""
        import highspy

        programme = make_solver()
        column = {population: number for number, population in enumerate(self.candidates)}
        everything = sum(self.problem.counts.values()) + 1
        for population, number in column.items():
            programme.addVar(1 if population in self.problem.must else 0, 1)
            weight = self.problem.weights.get(population, 1)
            programme.changeColCost(number, weight + self.problem.counts[population] / everything)
            programme.changeColIntegrality(number, highspy.HighsVarType.kInteger)
        for cut in self.cut_pool:
            terms = {column[population]: share for population, share in cut.shares.items()}
            if cut.target is not None:
                terms[column[cut.target]] = terms.get(column[cut.target], 0.0) - 1
            low = 0.0 if cut.target is not None else 1.0
            programme.addRow(
                low - TOLERANCE, highspy.kHighsInf, len(terms), [*terms], [*terms.values()]
            )
        if run_solver(programme) != highspy.HighsModelStatus.kOptimal:
            raise DisclosureError(
                "no choice of numbers to withhold protects all of them, as others are already "
                "public. Ask for less, or record why it may go out: --override REASON."
            )
        chosen = programme.getSolution().col_value
        return frozenset(
            population for population, number in column.items() if chosen[number] > 0.5
        )

    def grow_choice(self, hidden: frozenset[Population], cuts: list[Cut]) -> frozenset[Population]:
        """The choice, with the numbers that serve the cuts best for their weight, until it
        satisfies all cuts."""
        choice = set(hidden)
        for cut in cuts:
            while (
                sum(share for population, share in cut.shares.items() if population in choice)
                < 1 - TOLERANCE
            ):
                rest = [population for population in cut.shares if population not in choice]
                if not rest:
                    break
                choice.add(
                    max(
                        rest,
                        key=lambda population: (
                            self._score_candidate(population, cuts),
                            population.order,
                        ),
                    )
                )
        return frozenset(choice)

    def _score_candidate(self, population: Population, cuts: list[Cut]) -> float:
        weight = self.problem.weights.get(population, 1)
        return sum(cut.shares.get(population, 0.0) for cut in cuts) / weight

    def prune_choice(self, hidden: frozenset[Population]) -> frozenset[Population]:
        """The choice without numbers that need not be withheld; those that are printed in most
        places, and large, go first."""
        counts, weights = self.problem.counts, self.problem.weights
        removable = sorted(
            hidden - self.problem.must,
            key=lambda population: (
                -weights.get(population, 1),
                -counts[population],
                population.order,
            ),
        )
        for population in removable:
            fewer = hidden - {population}
            if not self.find_cuts(fewer) and not self.find_integer_cuts(fewer):
                hidden = fewer
        return hidden


def subtract_inner(inner: Population, outer: Population) -> WeightedSum:
    """The members of an outer population that are not in an inner one."""
    return (outer, 1), (inner, -1)


def tighten_constraints(
    relations: Iterable[LinearConstraint], counts: Mapping[Population, int]
) -> tuple[LinearConstraint, ...]:
    """The constraints for a reader who guesses that parts do not overlap, and is right."""
    return tuple(
        relation._replace(high=0)
        if relation.low == 0
        and relation.high is None
        and len(relation.terms) > 2
        and all(population in counts for population, _ in relation.terms)
        and relation.value(counts) == 0
        else relation
        for relation in relations
    )
