"""A reader of published answers who works out what is withheld, by integer programmes.

The reader knows every release, how records are counted, and the rule. The reader knows no record,
and uses nothing of the protection: neither its conditions, nor its relations, nor its programmes.
Between two generations the reader supposes that no more records came or went than must have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import highspy
import numpy as np

from tests.support.record_types import Numbers, Shares

Vector: TypeAlias = "np.ndarray[Any, Any]"

#: Solvers of one process share their threads, so all must ask for as many.
_OPTIONS: Final = (
    ("output_flag", False),
    ("threads", 1),
    ("mip_rel_gap", 0.0),
    ("mip_abs_gap", 0.5),
)

#: More records of one kind than there are.
_MOST = 2_000


class Rule(NamedTuple):
    """The rule that a published answer states, with 0 for what it does not use."""

    threshold: int = 0
    rounding: int = 0


class Range(NamedTuple):
    """The least and the greatest value that a number may have."""

    low: int
    high: int

    @property
    def width(self) -> int:
        """How far apart they are."""
        return self.high - self.low


class Reading(NamedTuple):
    """What one release says: of each number which records it counts, and what is printed.

    ``perhaps_zero`` are those that are withheld even if they are 0.
    """

    shares: Mapping[str, Shares]
    numbers: Numbers
    rule: Rule
    generation: int
    perhaps_zero: frozenset[str] = frozenset()

    def find_bounds(self, name: str) -> Range:
        """What is printed for a number. One that is withheld is not 0, because a 0 is printed,
        unless it is one of those that may be."""
        number = self.numbers[name]
        if number is None:
            return Range(int(name not in self.perhaps_zero), _MOST)
        slack = self.rule.rounding // 2
        return Range(max(0, number - slack), number + slack)


def list_perhaps_zero(shares: Mapping[str, Shares], numbers: Numbers) -> frozenset[str]:
    """The withheld numbers that may be 0: they count only what belongs to the records of another
    that is withheld, and of those records no other number but 0 is printed."""
    withheld = [name for name, number in numbers.items() if number is None]
    printed = [shares[name] for name, number in numbers.items() if number]
    groups = [
        shares[name]
        for name in withheld
        if not any(is_within(counted, shares[name]) for counted in printed)
    ]
    return frozenset(
        name
        for name in withheld
        if any(group != shares[name] and belongs_to(shares[name], group) for group in groups)
    )


def is_within(part: Shares, whole: Shares) -> bool:
    """Whether all that a number counts is counted in another."""
    return all(a <= b for a, b in zip(part, whole, strict=True))


def belongs_to(part: Shares, whole: Shares) -> bool:
    """Whether all that a number counts is of records that another counts."""
    return all(b for a, b in zip(part, whole, strict=True) if a)


class ImpossibleNumbersError(Exception):
    """No records give these numbers."""


class PublishedReader:
    """Works out what numbers may be. ``moved`` is how many records must have come or gone."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        rows = {
            (reading.generation, reading.shares[name], reading.find_bounds(name)): None
            for reading in readings
            for name in reading.numbers
        }
        self._generations = sorted({generation for generation, _, _ in rows})
        every = np.array([shares for _, shares, _ in rows], dtype=float)
        # Kinds that no number tells apart are one.
        columns, self._kind_of = np.unique(every, axis=1, return_inverse=True)
        self._size = columns.shape[1]
        self._solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in _OPTIONS:
            self._solver.setOptionValue(option, value)
        for generation in self._generations:
            self._add_generation(generation)
            for (printed_in, _, bounds), shares in zip(rows, columns, strict=True):
                if printed_in == generation:
                    self._add_row(self._place(shares, generation), *bounds)
        self.moved = self._limit_movement()

    def find_range(self, shares: Shares, generation: int | None = None) -> Range:
        """What a number that counts these records may be, in the last generation or another.

        Raises ImpossibleNumbersError if nothing fits what is printed.
        """
        low, high = np.full(self._size, np.inf), np.zeros(self._size)
        np.minimum.at(low, self._kind_of, np.array(shares, dtype=float))
        np.maximum.at(high, self._kind_of, np.array(shares, dtype=float))
        generation = self._generations[-1] if generation is None else generation
        return Range(
            self._find_extreme(self._place(low, generation), highspy.ObjSense.kMinimize),
            self._find_extreme(self._place(high, generation), highspy.ObjSense.kMaximize),
        )

    def _place(self, shares: Vector, generation: int, part: int = 0) -> dict[int, float]:
        """The weights of the kinds by column: of the records of a generation (0), or of those that
        came (1) or went (2) before it."""
        start = (self._generations.index(generation) * 3 + part) * self._size
        return {start + int(kind): float(shares[kind]) for kind in np.flatnonzero(shares)}

    def _add_generation(self, generation: int) -> None:
        """Columns for the records of each kind, those that came, and those that went."""
        size, first = self._size, generation == self._generations[0]
        most = np.repeat([_MOST, 0 if first else _MOST, 0 if first else _MOST], size)
        start = self._solver.getNumCol()
        self._solver.addVars(3 * size, np.zeros(3 * size), most.astype(float))
        places = np.arange(start, start + 3 * size, dtype=np.int32)
        self._solver.changeColsIntegrality(
            3 * size, places, np.full(3 * size, highspy.HighsVarType.kInteger)
        )
        if not first:
            for kind in range(start, start + size):
                before = kind - 3 * size
                self._add_row({kind: 1, before: -1, kind + size: -1, kind + 2 * size: 1}, 0, 0)

    def _add_row(self, weights: Mapping[int, float], low: int, high: int) -> None:
        self._solver.addRow(
            float(low),
            float(high),
            len(weights),
            np.array([*weights], dtype=np.int32),
            np.array([*weights.values()], dtype=float),
        )

    def _limit_movement(self) -> int:
        """Let no more records have come or gone than must have."""
        every = np.ones(self._size)
        movement = {
            column: weight
            for generation in self._generations[1:]
            for part in (1, 2)
            for column, weight in self._place(every, generation, part).items()
        }
        fewest = self._find_extreme(movement, highspy.ObjSense.kMinimize)
        if movement:
            self._add_row(movement, 0, fewest)
        return fewest

    def _find_extreme(self, weights: Mapping[int, float], sense: highspy.ObjSense) -> int:
        size = self._solver.getNumCol()
        costs = np.zeros(size)
        costs[[*weights]] = [*weights.values()]
        self._solver.changeColsCost(size, np.arange(size, dtype=np.int32), costs)
        self._solver.changeObjectiveSense(sense)
        self._solver.run()
        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise ImpossibleNumbersError("no records give these numbers")
        assert status == highspy.HighsModelStatus.kOptimal, status
        return round(self._solver.getInfo().objective_function_value)
