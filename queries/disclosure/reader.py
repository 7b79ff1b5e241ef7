"""What a reader can work out: the least and the greatest value each withheld number may have.

Pure. The reader knows every printed number, every relation among populations, and how numbers are
withheld or rounded; the rest is a linear programme in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from indexer.errors import InexactError
from queries.disclosure.certain import Population, System

if TYPE_CHECKING:  # takes its time to load
    from highspy import Highs

_NEAR: Final = 1e-6
_ROOM: Final = 1_000

Terms = tuple[tuple[Population, int], ...]


class Bounds(NamedTuple):
    """What is known of one number by itself; a ``high`` of None is open."""

    low: int
    high: int | None


class Extreme(NamedTuple):
    """The least value of a sum, the numbers that give it, and the prices of bounds and rows."""

    value: float
    point: list[float]
    prices: list[float]
    row_prices: list[float]


def solver() -> Highs:
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


class Reader:
    """One who knows the relations and, of each population, its bounds."""

    def __init__(self, system: System, bounds: Mapping[Population, Bounds]) -> None:
        self.system = system
        self.place = {one: number for number, one in enumerate(system.populations)}
        self.bounds = [bounds.get(one, Bounds(0, None)) for one in system.populations]
        known = (one.high if one.high is not None else one.low for one in self.bounds)
        # No number is bounded by others from above so high: it stands for "any number".
        self.most = 10 * (sum(known) + _ROOM)

    @cached_property
    def _relaxed(self) -> Highs:
        return self._programme(whole=False)

    @cached_property
    def _whole(self) -> Highs:
        return self._programme(whole=True)

    def _programme(self, *, whole: bool) -> Highs:
        import highspy

        programme = solver()
        programme.setOptionValue("mip_abs_gap", 0.5)
        for place, (low, high) in enumerate(self.bounds):
            programme.addVar(low, self.most if high is None else high)
            if whole:
                programme.changeColIntegrality(place, highspy.HighsVarType.kInteger)
        for relation in self.system.relations:
            programme.addRow(
                -highspy.kHighsInf if relation.low is None else relation.low,
                highspy.kHighsInf if relation.high is None else relation.high,
                len(relation.terms),
                [self.place[one] for one, _ in relation.terms],
                [float(coefficient) for _, coefficient in relation.terms],
            )
        return programme

    def learn(self, population: Population, bounds: Bounds) -> None:
        """Change what is known of one number; programmes in whole numbers start anew."""
        place = self.place[population]
        if self.bounds[place] == bounds:
            return
        self.bounds[place] = bounds
        high = self.most if bounds.high is None else bounds.high
        self._relaxed.changeColBounds(place, bounds.low, high)
        self.__dict__.pop("_whole", None)

    def least(self, terms: Terms, *, whole: bool = False) -> Extreme:
        """The least value of a sum, of whole numbers or of any.

        Raises InexactError where no numbers agree with what is known.
        """
        import highspy

        programme = self._whole if whole else self._relaxed
        for one, coefficient in terms:
            programme.changeColCost(self.place[one], coefficient)
        programme.run()
        status = programme.getModelStatus()
        solution = programme.getSolution()
        value = programme.getInfo().objective_function_value
        for one, _ in terms:
            programme.changeColCost(self.place[one], 0)
        if status != highspy.HighsModelStatus.kOptimal:
            raise InexactError(
                "the numbers of the answer contradict each other "
                f"({programme.modelStatusToString(status)}). Please report it."
            )
        return Extreme(
            value,
            list(solution.col_value),
            list(solution.col_dual),
            list(solution.row_dual),
        )

    def interval(self, terms: Terms) -> Bounds:
        """The least and the greatest value a sum may have, of whole numbers."""
        low = self._rounded(terms)
        high = -self._rounded(tuple((one, -coefficient) for one, coefficient in terms))
        return Bounds(low, None if high >= self.most - _NEAR else high)

    def _rounded(self, terms: Terms) -> int:
        found = self.least(terms)
        if not is_whole(found.point):
            found = self.least(terms, whole=True)
        return round(found.value)


def is_whole(point: Iterable[float]) -> bool:
    """Whether every number is a whole one."""
    return all(abs(value - round(value)) < _NEAR for value in point)


def attack(
    system: System, known: Mapping[Population, Bounds], wanted: Iterable[Population]
) -> dict[Population, Bounds]:
    """The interval of each population wanted, as narrow as a reader can make it."""
    reader = Reader(system, known)
    return {one: reader.interval(((one, 1),)) for one in wanted}


def given_away(
    system: System, known: Mapping[Population, Bounds], wanted: Iterable[Population], width: int
) -> dict[Population, Bounds]:
    """Those of the populations wanted whose interval is narrower than ``width``.

    As ``attack``, but numbers seen possible while one is attacked spare the attack on others.
    """
    reader = Reader(system, known)
    lows: dict[int, float] = {}
    highs: dict[int, float] = {}
    found = {}
    for one in wanted:
        place = reader.place[one]
        for sign in (1, -1):
            if highs.get(place, 0) - lows.get(place, 0) >= width:
                break
            extreme = reader.least(((one, sign),))
            if not is_whole(extreme.point):
                extreme = reader.least(((one, sign),), whole=True)
            for number, value in enumerate(extreme.point):
                lows[number] = min(lows.get(number, value), value)
                highs[number] = max(highs.get(number, value), value)
        if highs[place] - lows[place] < width - _NEAR:
            found[one] = Bounds(round(lows[place]), round(highs[place]))
    return found
