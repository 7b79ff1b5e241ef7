"""What a reader can work out: the least and the greatest value each withheld number may have.

Pure. The reader knows every printed number, every relation among populations, and how numbers are
withheld or rounded; the rest is a linear programme in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from indexer.errors import InexactError
from queries.disclosure.constraints import ConstraintSystem, Population

if TYPE_CHECKING:
    from highspy import Highs

_TOLERANCE: Final = 1e-6

_HEADROOM: Final = 1_000

WeightedSum = tuple[tuple[Population, int], ...]


class Bounds(NamedTuple):
    """What is known of one number by itself; a ``high`` of None is open."""

    low: int
    high: int | None


class LpSolution(NamedTuple):
    """The least value of a sum, the numbers that give it, and the prices of bounds and rows."""

    value: float
    point: list[float]
    prices: list[float]
    row_prices: list[float]


def make_solver() -> Highs:
    """An empty programme for HiGHS, silent and repeatable."""
    import highspy

    class Silent(highspy.Highs):
        """Made without the parent's own making, which writes a banner to standard output."""

        def __init__(self) -> None:
            super(highspy.Highs, self).__init__()
            self.setOptionValue("output_flag", False)  # noqa: FBT003

    programme = Silent()
    programme.setOptionValue("threads", 1)
    programme.setOptionValue("mip_rel_gap", 0.0)
    return programme


class Attacker:
    """One who knows the relations and, of each population, its bounds."""

    def __init__(self, system: ConstraintSystem, bounds: Mapping[Population, Bounds]) -> None:
        self.system = system
        self.index_of = {population: index for index, population in enumerate(system.populations)}
        self.bounds = [bounds.get(population, Bounds(0, None)) for population in system.populations]
        limits = (bound.high if bound.high is not None else bound.low for bound in self.bounds)
        # No number is bounded by others from above so high: it stands for "any number".
        self.ceiling = 10 * (sum(limits) + _HEADROOM)

    @cached_property
    def _relaxed_programme(self) -> Highs:
        return self._build_programme(integral=False)

    @cached_property
    def _integer_programme(self) -> Highs:
        return self._build_programme(integral=True)

    def _build_programme(self, *, integral: bool) -> Highs:
        import highspy

        programme = make_solver()
        programme.setOptionValue("mip_abs_gap", 0.5)
        for index, (low, high) in enumerate(self.bounds):
            programme.addVar(low, self.ceiling if high is None else high)
            if integral:
                programme.changeColIntegrality(index, highspy.HighsVarType.kInteger)
        for relation in self.system.constraints:
            programme.addRow(
                -highspy.kHighsInf if relation.low is None else relation.low,
                highspy.kHighsInf if relation.high is None else relation.high,
                len(relation.terms),
                [self.index_of[population] for population, _ in relation.terms],
                [float(coefficient) for _, coefficient in relation.terms],
            )
        return programme

    def learn(self, population: Population, bounds: Bounds) -> None:
        """Change what is known of one number; programmes in whole numbers start anew."""
        index = self.index_of[population]
        if self.bounds[index] == bounds:
            return
        self.bounds[index] = bounds
        high = self.ceiling if bounds.high is None else bounds.high
        self._relaxed_programme.changeColBounds(index, bounds.low, high)
        self.__dict__.pop("_whole", None)

    def minimise(self, terms: WeightedSum, *, integral: bool = False) -> LpSolution:
        """The least value of a sum, of whole numbers or of any.

        Raises InexactError where no numbers agree with what is known.
        """
        import highspy

        programme = self._integer_programme if integral else self._relaxed_programme
        for population, coefficient in terms:
            programme.changeColCost(self.index_of[population], coefficient)
        programme.run()
        status = programme.getModelStatus()
        solution = programme.getSolution()
        value = programme.getInfo().objective_function_value
        for population, _ in terms:
            programme.changeColCost(self.index_of[population], 0)
        if status != highspy.HighsModelStatus.kOptimal:
            raise InexactError(
                "the numbers of the answer contradict each other "
                f"({programme.modelStatusToString(status)}). Please report it."
            )
        return LpSolution(
            value,
            list(solution.col_value),
            list(solution.col_dual),
            list(solution.row_dual),
        )

    def interval(self, terms: WeightedSum) -> Bounds:
        """The least and the greatest value a sum may have, of whole numbers."""
        low = self._integer_minimum(terms)
        high = -self._integer_minimum(
            tuple((population, -coefficient) for population, coefficient in terms)
        )
        return Bounds(low, None if high >= self.ceiling - _TOLERANCE else high)

    def _integer_minimum(self, terms: WeightedSum) -> int:
        solution = self.minimise(terms)
        if not is_integer_point(solution.point):
            solution = self.minimise(terms, integral=True)
        return round(solution.value)


def is_integer_point(point: Iterable[float]) -> bool:
    """Whether every number is a whole one."""
    return all(abs(value - round(value)) < _TOLERANCE for value in point)


def attack_system(
    system: ConstraintSystem, bounds: Mapping[Population, Bounds], targets: Iterable[Population]
) -> dict[Population, Bounds]:
    """The interval of each population wanted, as narrow as a reader can make it."""
    attacker = Attacker(system, bounds)
    return {population: attacker.interval(((population, 1),)) for population in targets}


def find_narrow_intervals(
    system: ConstraintSystem,
    bounds: Mapping[Population, Bounds],
    targets: Iterable[Population],
    width: int,
) -> dict[Population, Bounds]:
    """Those of the populations wanted whose interval is narrower than ``width``.

    As ``attack``, but numbers seen possible while one is attacked spare the attack on others.
    """
    attacker = Attacker(system, bounds)
    lows: dict[int, float] = {}
    highs: dict[int, float] = {}
    narrow_bounds = {}
    for population in targets:
        index = attacker.index_of[population]
        for sign in (1, -1):
            if highs.get(index, 0) - lows.get(index, 0) >= width:
                break
            extreme = attacker.minimise(((population, sign),))
            if not is_integer_point(extreme.point):
                extreme = attacker.minimise(((population, sign),), integral=True)
            for number, value in enumerate(extreme.point):
                lows[number] = min(lows.get(number, value), value)
                highs[number] = max(highs.get(number, value), value)
        if highs[index] - lows[index] < width - _TOLERANCE:
            narrow_bounds[population] = Bounds(round(lows[index]), round(highs[index]))
    return narrow_bounds
