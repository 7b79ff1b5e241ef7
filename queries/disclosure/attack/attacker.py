"""What a reader can work out: the least and the greatest value that a withheld number may have.

Pure. The attacker is a reader who knows every printed number, every constraint between populations,
and how numbers are withheld or rounded; the rest is a linear programme in whole numbers.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from indexer.errors import DisclosureError, InexactError
from queries.disclosure.attack.constraints import (
    ConstraintSystem,
    LinearConstraint,
    Population,
    build_system,
)
from queries.disclosure.attack.record_kinds import MAX_KINDS
from queries.disclosure.attack.redundancy import drop_implied

if TYPE_CHECKING:
    import numpy as np
    from highspy import Highs, HighsModelStatus
    from numpy.typing import NDArray

#: Numbers that differ by less are taken to be equal.
TOLERANCE: Final = 1e-6

_HEADROOM: Final = 1_000

#: Whole numbers are looked for so near to a solution over any numbers first, and then farther.
#: How long a search takes grows with the distance: HiGHS may go through it in steps of one.
_NEAR: Final = 10

_FAR: Final = 200

#: An integer programme is not searched further; most need no search at all.
_MAX_NODES: Final = 1_000

_PRIMAL_SIMPLEX: Final = 4

#: Fewer numbers than this are looked at one by one.
FEW_TARGETS: Final = 16

WeightedSum: TypeAlias = Sequence[tuple[Population, int]]

_Terms: TypeAlias = tuple[tuple[Population, int], ...]

Vector: TypeAlias = "NDArray[np.float64]"


class Bounds(NamedTuple):
    """The least and the greatest value of one number; a ``high`` of None is open."""

    low: int
    high: int | None


class LpSolution(NamedTuple):
    """The least value of a sum, the numbers that give it, and the prices of bounds and rows."""

    value: float
    point: Vector
    prices: Vector
    row_prices: Vector


def make_solver() -> Highs:
    """An empty programme for HiGHS: silent, and with the same result every time."""
    import highspy

    class Silent(highspy.Highs):
        """Skips the parent's constructor, which writes a banner to standard output."""

        def __init__(self) -> None:
            super(highspy.Highs, self).__init__()
            self.setOptionValue("output_flag", False)  # noqa: FBT003

    programme = Silent()
    programme.setOptionValue("threads", 1)
    programme.setOptionValue("mip_rel_gap", 0.0)
    return programme


def run_solver(programme: Highs) -> HighsModelStatus:
    """Solve a programme; how it ended: with a solution, or because there is none.

    The solvers of one process share their threads: one that asks for another number of them than
    an earlier one is not started, and then takes as many as there are. One that got stuck starts
    again from the beginning. Raises DisclosureError if it still cannot start, or finds no end.
    """
    import highspy

    programme.run()
    if programme.getModelStatus() == highspy.HighsModelStatus.kNotset:
        programme.setOptionValue("threads", 0)
        programme.run()
    status = programme.getModelStatus()
    if status == highspy.HighsModelStatus.kNotset:
        raise DisclosureError(
            "the solver HiGHS did not start, because another programme in this process uses it "
            "with another number of threads. Nothing is published. Publish with the foidex command "
            "or in a process of its own."
        )
    ended = (
        highspy.HighsModelStatus.kOptimal,
        highspy.HighsModelStatus.kInfeasible,
        highspy.HighsModelStatus.kModelEmpty,
        highspy.HighsModelStatus.kSolutionLimit,
    )
    if status not in ended:
        programme.clearSolver()
        programme.setOptionValue("presolve", "off")
        programme.run()
        programme.setOptionValue("presolve", "choose")
        status = programme.getModelStatus()
    if status not in ended:
        raise DisclosureError(
            "the solver HiGHS did not find out what a reader could work out from this release "
            f"({programme.modelStatusToString(status)}), so nothing is published. Ask for less, "
            "and please report it."
        )
    return status


class Attacker:
    """A reader who knows the constraints and, for each population, its bounds."""

    def __init__(self, system: ConstraintSystem, bounds: Mapping[Population, Bounds]) -> None:
        self.system = system
        self.index_of = {population: index for index, population in enumerate(system.populations)}
        self.bounds = [bounds.get(population, Bounds(0, None)) for population in system.populations]
        limits = (bound.high if bound.high is not None else bound.low for bound in self.bounds)
        # No constraint can give a number so high an upper bound: it stands for "any number".
        self.ceiling = 10 * (sum(limits) + _HEADROOM)
        #: The constraints that the programmes have a row for, in order.
        self.rows = drop_implied(system.constraints)

    @cached_property
    def _relaxed_programme(self) -> Highs:
        programme = self._build_programme(integral=False)
        # From one sum to the next the last solution stays possible: primal steps go on from it.
        programme.setOptionValue("simplex_strategy", _PRIMAL_SIMPLEX)
        return programme

    @cached_property
    def _integer_programme(self) -> Highs:
        return self._build_programme(integral=True)

    def _build_programme(self, *, integral: bool) -> Highs:
        import highspy

        programme = make_solver()
        programme.setOptionValue("mip_abs_gap", 0.5)
        programme.setOptionValue("mip_max_nodes", _MAX_NODES)
        for index in range(len(self.bounds)):
            programme.addVar(*self.limits(index))
            if integral:
                programme.changeColIntegrality(index, highspy.HighsVarType.kInteger)
        for relation in self.rows:
            programme.addRow(
                -highspy.kHighsInf if relation.low is None else relation.low,
                highspy.kHighsInf if relation.high is None else relation.high,
                len(relation.terms),
                [self.index_of[population] for population, _ in relation.terms],
                [float(coefficient) for _, coefficient in relation.terms],
            )
        return programme

    def learn(self, population: Population, bounds: Bounds) -> None:
        """Change the bounds of one number."""
        index = self.index_of[population]
        self.bounds[index] = bounds
        self._relaxed_programme.changeColBounds(index, *self.limits(index))

    @contextmanager
    def stay_near(
        self, point: Vector, populations: Iterable[Population], distance: int
    ) -> Iterator[None]:
        """Keep some numbers within a distance of a solution, over any numbers, for a while."""
        programme = self._relaxed_programme
        indices = [self.index_of[population] for population in populations]
        for index in indices:
            low, high = self.limits(index)
            near_low, near_high = max(low, point[index] - distance), point[index] + distance
            programme.changeColBounds(index, near_low, min(high, near_high))
        try:
            yield
        finally:
            for index in indices:
                programme.changeColBounds(index, *self.limits(index))

    def limits(self, index: int) -> tuple[float, float]:
        """The least and the greatest value of a number by itself, by its place."""
        low, high = self.bounds[index]
        return low, self.ceiling if high is None else high

    def minimise(self, terms: WeightedSum) -> LpSolution:
        """The least value of a sum over any numbers.

        Raises InexactError if no numbers satisfy all constraints and bounds.
        """
        return self._solve(self._relaxed_programme, terms)

    def minimise_integers(self, terms: WeightedSum) -> LpSolution:
        """The least value of a sum over whole numbers, or one that is nearly so.

        Where the whole numbers near its least value over any numbers do not show it, others are
        looked for somewhat farther away. What is found is possible, so no interval is held to be
        wider than it is. Raises InexactError if no whole numbers satisfy all constraints and
        bounds, DisclosureError if none are found in a reasonable time.
        """
        import numpy as np

        solution = self.minimise(terms)
        if is_integer_point(solution.point):
            return solution
        lows, highs = self._column_limits()
        nearest = np.rint(solution.point)
        for distance in (_NEAR, _FAR):
            self._limit_integers(
                np.maximum(lows, nearest - distance), np.minimum(highs, nearest + distance)
            )
            with suppress(InexactError, DisclosureError):
                found = self._solve(self._integer_programme, terms)
                if distance == _FAR or self._is_least(found.value, solution.value):
                    return found
        self._limit_integers(lows, highs)
        return self._solve(self._integer_programme, terms)

    def _is_least(self, whole_value: float, least_value: float) -> bool:
        """Whether no whole number lies between a value and the least over any numbers, or nothing
        limits the sum, so that its value does not matter."""
        return whole_value - least_value < 1 - TOLERANCE or abs(least_value) > self.ceiling / 2

    def _column_limits(self) -> tuple[Vector, Vector]:
        import numpy as np

        limits = np.array([self.limits(index) for index in range(len(self.bounds))], dtype=float)
        return limits[:, 0], limits[:, 1]

    def _limit_integers(self, lows: Vector, highs: Vector) -> None:
        import numpy as np

        columns = np.arange(len(lows), dtype=np.int32)
        self._integer_programme.changeColsBounds(len(columns), columns, lows, highs)

    def _solve(self, programme: Highs, terms: WeightedSum) -> LpSolution:
        import highspy
        import numpy as np

        indices = np.array([self.index_of[population] for population, _ in terms], dtype=np.int32)
        costs = np.array([coefficient for _, coefficient in terms], dtype=float)
        programme.changeColsCost(len(terms), indices, costs)
        status = run_solver(programme)
        solution = programme.getSolution()
        value = programme.getInfo().objective_function_value
        programme.changeColsCost(len(terms), indices, np.zeros(len(terms)))
        if status == highspy.HighsModelStatus.kSolutionLimit:
            if not solution.value_valid:
                raise DisclosureError(
                    "the numbers of this release and of earlier ones are too many to be compared "
                    "in a reasonable time, so nothing is published. Ask for less."
                )
            status = highspy.HighsModelStatus.kOptimal
        # Without any number, as where no day is covered, the programme is empty.
        solved = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)
        if status not in solved:
            raise InexactError(
                "the numbers of the answer contradict each other "
                f"({programme.modelStatusToString(status)}). Please report it."
            )
        return LpSolution(
            value,
            np.array(solution.col_value),
            np.array(solution.col_dual),
            np.array(solution.row_dual),
        )

    def interval(self, terms: WeightedSum) -> Bounds:
        """The least and the greatest value that a sum of whole numbers may have."""
        low = self._integer_minimum(terms)
        high = -self._integer_minimum(
            tuple((population, -coefficient) for population, coefficient in terms)
        )
        return Bounds(low, None if high >= self.ceiling - TOLERANCE else high)

    def find_small(self, sums: Sequence[_Terms], threshold: int) -> Iterator[_Terms]:
        """Those of some sums that are known to be from 1 to the threshold - 1.

        Most are seen not to be in a few solutions, of which each is one that may be true.
        """
        suspects = [*sums]
        for sign in (0, 1, -1):
            everything = Counter[Population]()
            for terms in suspects:
                everything.update({population: sign * share for population, share in terms})
            point = self.minimise_integers([*everything.items()]).point
            suspects = [terms for terms in suspects if 1 <= self._sum_at(point, terms) < threshold]
            if not suspects:
                return
        for terms in suspects:
            low = self._integer_minimum(terms)
            if low >= 1 and (high := self.interval(terms).high) is not None and high < threshold:
                yield terms

    def _sum_at(self, point: Vector, terms: WeightedSum) -> int:
        return int(sum(share * round(point[self.index_of[part]]) for part, share in terms))

    def find_fixed(self, populations: Iterable[Population], width: int) -> list[Population]:
        """Those of some numbers that may be 0 and cannot be anything else.

        Most are seen to be free at once, where all are made as large as ``width`` together.
        """
        suspects = [*populations]
        for population in suspects:
            self.learn(population, Bounds(0, width))
        solution = self.minimise(tuple((population, -1) for population in suspects))
        for population in suspects:
            self.learn(population, Bounds(0, None))
        return [
            population
            for population in suspects
            if solution.point[self.index_of[population]] < 1 - TOLERANCE
            and self._integer_minimum(((population, -1),)) == 0
        ]

    def _integer_minimum(self, terms: WeightedSum) -> int:
        return round(self.minimise_integers(terms).value)


def are_consistent(system: ConstraintSystem, bounds: Mapping[Population, Bounds]) -> bool:
    """Whether any whole numbers satisfy all constraints and bounds."""
    attacker = Attacker(system, bounds)
    try:
        attacker.minimise_integers(())
    except InexactError:
        return False
    return True


def build_possible_system(
    bounds: Mapping[Population, Bounds], relations: Iterable[LinearConstraint]
) -> ConstraintSystem | None:
    """The system of several releases for a reader who supposes what is likely, or, if the bounds
    rule that out, only what is certain; None if they rule that out as well."""
    relations = tuple(relations)
    for presuming in (True, False):
        system = build_system(bounds, relations, presuming=presuming, most_kinds=MAX_KINDS)
        if are_consistent(system, bounds):
            return system
    return None


def is_integer_point(point: Vector) -> bool:
    """Whether every number is a whole one."""
    import numpy as np

    return bool((np.abs(point - np.rint(point)) < TOLERANCE).all())


class SeenValues:
    """The least and the greatest value of each number in the solutions seen so far.

    Both are possible, so a number lies in an interval at least as wide as what was seen.
    """

    def __init__(self, attacker: Attacker, point: Vector) -> None:
        import numpy as np

        self.attacker = attacker
        #: Every solution seen but the first.
        self.points: list[Vector] = []
        self._base = self._lows = self._highs = point
        self._whole_lows = np.full(len(point), np.inf)
        self._whole_highs = np.full(len(point), -np.inf)
        self._widen_ends(point)

    def add_point(self, point: Vector) -> None:
        """Take note of one more solution."""
        self.points.append(point)
        self._widen_ends(point)

    def _widen_ends(self, point: Vector) -> None:
        import numpy as np

        self._lows = np.minimum(self._lows, point)
        self._highs = np.maximum(self._highs, point)
        if is_integer_point(point):
            self._whole_lows = np.minimum(self._whole_lows, point)
            self._whole_highs = np.maximum(self._whole_highs, point)

    def is_wide_in_whole_numbers(self, population: Population, width: int) -> bool:
        """Whether solutions in whole numbers were seen that are ``width`` apart."""
        index = self.attacker.index_of[population]
        return bool(self._whole_highs[index] - self._whole_lows[index] >= width - TOLERANCE)

    def bounds(self, population: Population) -> Bounds:
        """The least and the greatest value seen, as whole numbers."""
        index = self.attacker.index_of[population]
        return Bounds(round(self._lows[index]), round(self._highs[index]))

    def is_narrow(self, population: Population, width: int) -> bool:
        """Whether the values seen of a number are less than ``width`` apart."""
        index = self.attacker.index_of[population]
        return bool(self._highs[index] - self._lows[index] < width - TOLERANCE)

    def widen(
        self,
        population: Population,
        width: int,
        *,
        integral: bool,
        signs: tuple[int, ...] = (-1, 1),
    ) -> list[LpSolution]:
        """Look for the greatest (-1) and then the least (1) value of a number, until the values
        seen are ``width`` apart; the solutions found on the way.

        Most numbers are small, and have more room above them than below.
        """
        solutions: list[LpSolution] = []
        for sign in signs:
            if not self.is_narrow(population, width):
                break
            minimise = self.attacker.minimise_integers if integral else self.attacker.minimise
            solution = minimise(((population, sign),))
            self.add_point(solution.point)
            solutions.append(solution)
        return solutions

    def widen_together(self, targets: Sequence[Population], width: int, *, integral: bool) -> None:
        """Look for solutions in which many numbers differ at once, while that finds them quickly.

        Half of the numbers, drawn by chance, are made as small as they can be and the others as
        large, within ``width`` of the first solution; then the other way round.
        """
        chance = random.Random(0)  # noqa: S311 - any split will do; the same one every time
        narrow = [population for population in targets if self.is_narrow(population, width)]
        with self.attacker.stay_near(self._base, narrow, width):
            while len(narrow) > FEW_TARGETS:
                signs = [chance.choice((-1, 1)) for _ in narrow]
                self._add_opposites([*zip(narrow, signs, strict=True)], integral=integral)
                still_narrow = [one for one in narrow if self.is_narrow(one, width)]
                if len(narrow) - len(still_narrow) < 2:  # as many programmes were solved
                    break
                narrow = still_narrow

    def _add_opposites(self, terms: Sequence[tuple[Population, int]], *, integral: bool) -> None:
        """Look for the least and the greatest value of a sum."""
        for direction in (1, -1):
            solution = self.attacker.minimise([(part, direction * sign) for part, sign in terms])
            if not integral or is_integer_point(solution.point):
                self.add_point(solution.point)


def attack_system(
    system: ConstraintSystem, bounds: Mapping[Population, Bounds], targets: Iterable[Population]
) -> dict[Population, Bounds]:
    """The interval of each target, as narrow as a reader can make it."""
    attacker = Attacker(system, bounds)
    return {population: attacker.interval(((population, 1),)) for population in targets}


def find_narrow_intervals(
    system: ConstraintSystem,
    bounds: Mapping[Population, Bounds],
    targets: Sequence[Population],
    width: int,
) -> dict[Population, Bounds]:
    """The interval of each target where it is narrower than ``width``.

    Finds the same as ``attack_system``, faster: solutions found for one target are used for others.
    """
    if not targets:
        return {}
    attacker = Attacker(system, bounds)
    seen = SeenValues(attacker, attacker.minimise_integers(()).point)
    seen.widen_together(targets, width, integral=True)
    narrow_bounds = {}
    for population in targets:
        seen.widen(population, width, integral=True)
        if seen.is_narrow(population, width):
            narrow_bounds[population] = seen.bounds(population)
    return narrow_bounds
