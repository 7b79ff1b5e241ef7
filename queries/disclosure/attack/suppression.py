"""Which further numbers to withhold, so that no withheld number can be worked out.

Pure. The cell suppression problem: withhold as few printed numbers as possible. It is solved with
cuts: a choice is attacked; if a number lies in too narrow an interval, the prices of the attacker's
linear programme say which other numbers must be withheld as well; the smallest choice that
satisfies all cuts found so far is attacked again. With more than ``MAX_EXACT_CHOICES`` numbers to
choose from, choices are grown greedily by the same cuts and then pruned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from indexer.errors import DisclosureError
from queries.answer.condition import WITHOUT_REFERENCE
from queries.disclosure.attack.attacker import (
    TOLERANCE,
    Attacker,
    Bounds,
    LpSolution,
    SeenValues,
    find_narrow_intervals,
    make_solver,
    run_solver,
)
from queries.disclosure.attack.constraints import ConstraintSystem, LinearConstraint, Population
from queries.disclosure.attack.nesting import NestingIndex

MAX_EXACT_CHOICES: Final = 10_000

_MAX_ROUNDS: Final = 200

#: The most solutions that are remembered from one choice to the next.
_MAX_POINTS: Final = 1_000

_ORDER: Final = attrgetter("order")

MIN_PRICE: Final = 1e-9


class NoChoiceError(DisclosureError):
    """Earlier releases give so much that no choice of numbers to withhold protects the others."""


class SuppressionProblem(Struct, frozen=True, dict=True):
    """The numbers of an answer, and which must or may be withheld.

    ``counts`` are the true numbers of everything printed, ``shown`` and ``withheld`` what a reader
    knows about each when it is printed and when it is not. ``must`` are withheld, ``may`` can be.
    A withheld number must lie in an interval of at least ``width``, and so must ``always``, printed
    or not. ``weights`` say in how many places each is printed. ``zeros`` are withheld with a closed
    group that they lie within. A reader cannot tell whether those that are ``unsure`` are 0, and
    knows of ``sure`` ones that they are not. ``totals`` are what the scope and each question count.
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
    zeros: frozenset[Population] = frozenset()
    unsure: frozenset[Population] = frozenset()
    sure: frozenset[Population] = frozenset()
    totals: frozenset[Population] = frozenset()

    @cached_property
    def nesting(self) -> NestingIndex:
        """Which of its numbers lie within others."""
        return NestingIndex(self.counts)

    def close_groups(self, hidden: Iterable[Population]) -> frozenset[Population]:
        """What is withheld if these are: the zeros of closed groups as well."""
        hidden = frozenset(hidden)
        if not self.zeros:
            return hidden
        return hidden | self.nesting.find_open_parts(self.find_closed_groups(hidden), self.zeros)

    def find_closed_groups(self, hidden: frozenset[Population]) -> list[Population]:
        """The closed groups if these are withheld."""
        printed = (
            population
            for population, number in self.counts.items()
            if number and population not in hidden
        )
        return self.nesting.find_closed_groups(sorted(hidden, key=_ORDER), printed)

    def attacker_bounds(self, hidden: Iterable[Population]) -> dict[Population, Bounds]:
        """What a reader knows if these are withheld."""
        return self.shown | {population: self.withheld_bounds(population) for population in hidden}

    def withheld_bounds(self, population: Population) -> Bounds:
        """What a reader knows of a number by itself if it is withheld."""
        if population in self.zeros or (population in self.unsure and population not in self.sure):
            return self.withheld._replace(low=0)
        return self.withheld


class Cut(NamedTuple):
    """If ``target`` is withheld (or in any case, if it is None), then so many others must be
    withheld that their shares add up to 1, or one of ``unless`` must be printed."""

    target: Population | None
    shares: dict[Population, float]
    unless: frozenset[Population] = frozenset()


def choose_cells(problem: SuppressionProblem) -> frozenset[Population]:
    """The numbers to withhold, including those of ``must``.

    Raises DisclosureError if no choice protects all of them.
    """
    search = _CutSearch(problem)
    hidden = problem.close_groups(problem.must)
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
        self._closed_groups: tuple[frozenset[Population], list[Population]] = frozenset(), []
        self.candidates = sorted(problem.may | problem.must, key=_ORDER)
        self.maskable = sorted(problem.may | problem.must | problem.zeros, key=_ORDER)
        informed_attacker = Attacker(
            problem.system,
            {population: Bounds(number, number) for population, number in problem.counts.items()},
        )
        # Helpers have no printed number: any that agree with the true numbers will do.
        self.true_values = informed_attacker.minimise(()).point
        self.attacker = Attacker(problem.system, problem.shown)
        self.attacker.ceiling = informed_attacker.ceiling
        self.index_of = self.attacker.index_of
        self.seen = SeenValues(self.attacker, self.true_values)
        self._masked_indices = [self.index_of[population] for population in self.maskable]

    def find_cuts(self, hidden: frozenset[Population]) -> list[Cut]:
        """A cut for each number that lies in too narrow an interval."""
        self._show_all_but(hidden)
        width = self.problem.width
        self.seen = seen = self._recall_values()
        new_cuts = []
        targets = sorted(hidden | self.problem.always, key=_ORDER)
        seen.widen_together(targets, width, integral=False)
        for population in targets:
            # The least value of what is 0 needs no search.
            signs = (1, -1) if self.problem.counts.get(population) else (-1,)
            extremes = seen.widen(population, width, integral=False, signs=signs)
            if seen.is_narrow(population, width):
                new_cuts += self._derive_cuts(population, extremes, hidden)
        return new_cuts

    def _recall_values(self) -> SeenValues:
        """The values of the solutions seen for the last choice that are possible for this one too:
        all of them if it withholds more."""
        import numpy as np

        seen = SeenValues(self.attacker, self.true_values)
        limits = np.array([self.attacker.limits(index) for index in self._masked_indices])
        lows, highs = limits.reshape(-1, 2).T
        for point in self.seen.points[-_MAX_POINTS:]:
            values = point[self._masked_indices]
            if ((values > lows - TOLERANCE) & (values < highs + TOLERANCE)).all():
                seen.add_point(point)
        return seen

    def _show_all_but(self, hidden: Iterable[Population]) -> None:
        bounds = self.problem.attacker_bounds(hidden)
        for population in self.maskable:
            self.attacker.learn(population, bounds[population])

    def _derive_cuts(
        self, target: Population, extremes: list[LpSolution], hidden: frozenset[Population]
    ) -> list[Cut]:
        """The cuts of the prices of both extremes: the width that the choice leaves is at most a
        constant plus a share of each number withheld."""
        constant = 0.0
        shares: dict[Population, float] = {}
        high_withheld = self.problem.withheld.high
        ceiling = self.attacker.ceiling if high_withheld is None else high_withheld
        for extreme in extremes:
            constant += self._sum_slack(extreme)
            for population, price in zip(self.index_of, extreme.prices, strict=True):
                if abs(price) < MIN_PRICE:
                    continue
                true_value = self.true_values[self.index_of[population]]
                bounds = self.problem.shown.get(population, Bounds(0, None))
                if price > 0:
                    constant += price * (true_value - bounds.low)
                    gain = price * (bounds.low - self.problem.withheld_bounds(population).low)
                else:
                    high = self.attacker.ceiling if bounds.high is None else bounds.high
                    constant -= price * (high - true_value)
                    gain = -price * (ceiling - high)
                shares[population] = shares.get(population, 0.0) + gain
        is_always = target in self.problem.always
        needed = self.problem.width - constant - (0.0 if is_always else shares.pop(target, 0.0))
        useful_shares = {
            candidate: min(1.0, share / needed)
            for candidate, share in shares.items()
            if (candidate in self.problem.may or candidate in self.problem.must)
            and share > MIN_PRICE
        }
        return self._make_cuts(None if is_always else target, useful_shares, hidden)

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

    def _make_cuts(
        self,
        target: Population | None,
        shares: dict[Population, float],
        hidden: frozenset[Population],
    ) -> list[Cut]:
        """The cut for a target; for a zero that is withheld with closed groups, one for each."""
        problem = self.problem
        if target in problem.zeros and target not in problem.must:
            return [
                Cut(group, shares, frozenset(self._list_closing_members(group)))
                for group in self._list_closed_groups(hidden)
                if target in problem.nesting.find_parts([group], [target])
            ]
        if not shares and (target is None or target in problem.must):
            subject = target.words if target else "a rounded number"
            raise DisclosureError(
                f"{subject} cannot be withheld: numbers that are already public give it "
                "away. Ask for less, or record why it may go out: --override REASON."
            )
        return [Cut(target, shares)]

    def _list_closed_groups(self, hidden: frozenset[Population]) -> list[Population]:
        """The closed groups of a choice; many targets ask for those of the same one."""
        choice, groups = self._closed_groups
        if choice != hidden:
            groups = self.problem.find_closed_groups(hidden - self.problem.zeros)
            self._closed_groups = hidden, groups
        return groups

    def _list_closing_members(self, group: Population) -> Iterator[Population]:
        """The numbers that close a group if all of them are withheld."""
        problem = self.problem
        for member in problem.nesting.find_members(group):
            if problem.counts[member] and member not in problem.must:
                yield member

    def find_integer_cuts(self, hidden: frozenset[Population]) -> list[Cut]:
        """Cuts for numbers that are protected only if fractions of people are possible, after
        ``find_cuts`` found none for the same choice."""
        problem = self.problem
        targets = [
            population
            for population in sorted(hidden | problem.always, key=_ORDER)
            if not self.seen.is_wide_in_whole_numbers(population, problem.width)
        ]
        narrow = find_narrow_intervals(
            problem.system, problem.attacker_bounds(hidden), targets, problem.width
        )
        others = dict.fromkeys(problem.may - hidden, 1.0)
        return [
            cut
            for population in narrow
            for cut in self._make_cuts(
                None if population in problem.always else population, others, hidden
            )
        ]

    def find_cheapest(self) -> frozenset[Population]:
        """The choice of least weight that satisfies every cut; smaller numbers, among equals.

        The zeros of closed groups are added to it.
        """
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
            for member in cut.unless:
                terms[column[member]] = terms.get(column[member], 0.0) - 1
            low = (0.0 if cut.target is not None else 1.0) - len(cut.unless)
            programme.addRow(
                low - TOLERANCE, highspy.kHighsInf, len(terms), [*terms], [*terms.values()]
            )
        if run_solver(programme) != highspy.HighsModelStatus.kOptimal:
            raise NoChoiceError(
                "no choice of numbers to withhold protects all of them, as others are already "
                "public. Ask for less, or record why it may go out: --override REASON."
            )
        chosen = programme.getSolution().col_value
        return self.problem.close_groups(
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
        return self.problem.close_groups(choice)

    def _score_candidate(self, population: Population, cuts: list[Cut]) -> float:
        weight = self.problem.weights.get(population, 1)
        return sum(cut.shares.get(population, 0.0) for cut in cuts) / weight

    def prune_choice(self, hidden: frozenset[Population]) -> frozenset[Population]:
        """The choice without numbers that need not be withheld; those that are printed in most
        places, and large, go first."""
        counts, weights = self.problem.counts, self.problem.weights
        removable = sorted(
            hidden - self.problem.must - self.problem.zeros,
            key=lambda population: (
                -weights.get(population, 1),
                -counts[population],
                population.order,
            ),
        )
        for population in removable:
            fewer = self.problem.close_groups(hidden - self.problem.zeros - {population})
            fewer |= self.problem.must
            if not self.find_cuts(fewer) and not self.find_integer_cuts(fewer):
                hidden = fewer
        return hidden


def withhold_closed_groups(problem: SuppressionProblem) -> SuppressionProblem:
    """The problem in which the zeros of groups that are closed in any case must be withheld.

    Zeros that a reader knows even if all the others are withheld stay printed. Whether a withheld
    number within a closed group is 0, a reader cannot tell.
    """
    zeros = sorted(problem.zeros - problem.must, key=_ORDER)
    attacker = Attacker(
        problem.system, problem.attacker_bounds(problem.must | problem.may | problem.zeros)
    )
    known_zeros = frozenset(attacker.find_fixed(zeros, problem.width))
    problem = replace(problem, zeros=problem.zeros - known_zeros)
    must = problem.close_groups(problem.must)
    groups = problem.find_closed_groups(must)
    inner = problem.nesting.find_parts(groups, problem.must | problem.may)
    return replace(problem, must=must, unsure=problem.unsure | inner)


def subtract_inner(inner: Population, outer: Population) -> tuple[tuple[Population, int], ...]:
    """The members of an outer population that are not in an inner one."""
    return (outer, 1), (inner, -1)


def tighten_constraints(
    relations: Iterable[LinearConstraint], counts: Mapping[Population, int], threshold: int = 0
) -> tuple[LinearConstraint, ...]:
    """The constraints for a reader who guesses that parts do not overlap, and is right.

    Nobody guesses it of groups below the threshold alone, nor that such a group, which two rows or
    columns leave of their total, lies in one cell. Where no victim has a reference, a reader
    guesses that as well.
    """
    tightened = tuple(
        relation._replace(high=0)
        if relation.low == 0
        and relation.high is None
        and len(relation.terms) > 2
        and all(population in counts for population, _ in relation.terms)
        and any(counts[population] >= threshold for population, _ in relation.terms)
        and not _is_about_small_rest(relation, counts, threshold)
        and relation.value(counts) == 0
        else relation
        for relation in relations
    )
    return (*tightened, *_equate_unreferenced(counts))


def _equate_unreferenced(counts: Mapping[Population, int]) -> Iterator[LinearConstraint]:
    """The victims without a reference are all victims, where that is so."""
    for population, number in counts.items():
        if WITHOUT_REFERENCE in population.conditions:
            total = Population(population.unit, population.conditions - {WITHOUT_REFERENCE})
            if counts.get(total) == number:
                yield LinearConstraint(((total, 1), (population, -1)), 0, 0)


def _is_about_small_rest(
    relation: LinearConstraint, counts: Mapping[Population, int], threshold: int
) -> bool:
    """Whether a cell, its total and its row and column leave fewer than the threshold."""
    plus, minus = (
        [counts[population] for population, share in relation.terms if share == sign]
        for sign in (1, -1)
    )
    return len(plus) == len(minus) == 2 and any(
        0 < abs(first - second) < threshold for first in plus for second in minus
    )
