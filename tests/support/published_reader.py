"""A reader of published answers who works out what is withheld, by integer programmes.

The reader knows every release, how records are counted, and the rule. The reader knows no record,
and uses nothing of the protection: neither its conditions, nor its relations, nor its programmes.
Old records rarely change, so the reader believes what earlier releases printed unless newer ones
rule it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

#: More than any number may be.
_UNBOUNDED = 20_000


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


class Addition(NamedTuple):
    """What one record may have more of, such as a victim, without being one more record.

    ``more`` and ``fewer`` are two kinds of record that differ by it, and ``carriers`` all kinds
    that may have any number of it.
    """

    more: int
    fewer: int
    carriers: frozenset[int]


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
    """Works out what numbers may be. ``given_up`` are earlier numbers that are no longer true.

    Where all generations agree, nothing has changed. Otherwise the newest is right, and of each
    earlier release, the newest first, the reader believes the largest part that agrees with what
    is newer: as many numbers as can be, and rather those of few records. Of those that are given up
    the reader supposes nothing.
    """

    def __init__(self, readings: Iterable[Reading], additions: Sequence[Addition] = ()) -> None:
        self._additions = additions
        readings = sorted(readings, key=lambda reading: reading.generation)
        newest = readings[-1].generation
        every = {reading.shares[name]: None for reading in readings for name in reading.numbers}
        self._columns = self._merge_kinds([*every])
        self._rows: dict[tuple[Shares, Range], None] = {}
        self.given_up: list[str] = []
        for reading in reversed(readings):
            rows = {
                (reading.shares[name], reading.find_bounds(name)): name for name in reading.numbers
            }
            if reading.generation != newest:
                contradicted = self._find_contradicted([*rows])
                self.given_up += [rows.pop(row) for row in contradicted]
            self._rows |= dict.fromkeys(rows)
        self._solver = self._build()

    def _merge_kinds(self, every: Sequence[Shares]) -> dict[Shares, Vector]:
        """Each number by the kinds that it tells apart. Those that no number tells apart are one;
        and so are additions to the same kinds."""
        matrix = np.array([self._add_additions(shares) for shares in every], dtype=float)
        groups = [*dict.fromkeys(addition.carriers for addition in self._additions)]
        records = matrix.shape[1] - len(self._additions)
        of_group = [0] * records + [1 + groups.index(one.carriers) for one in self._additions]
        columns, self._kind_of = np.unique(
            np.vstack([matrix, of_group]), axis=1, return_inverse=True
        )
        self._size = columns.shape[1]
        self._limits = [
            np.where(columns[-1] == number, 1.0, 0.0)
            - _MOST * np.isin(range(self._size), self._kind_of[[*carriers]])
            for number, carriers in enumerate(groups, 1)
        ]
        return dict(zip(every, columns[:-1], strict=True))

    def _add_additions(self, shares: Shares) -> Shares:
        """How often a number counts a record of each kind, and each addition."""
        return (*shares, *(shares[one.more] - shares[one.fewer] for one in self._additions))

    def find_range(self, shares: Shares) -> Range:
        """What a number that counts these records may be.

        Raises ImpossibleNumbersError if nothing fits what is printed.
        """
        low, high = np.full(self._size, np.inf), np.zeros(self._size)
        every = np.array(self._add_additions(shares), dtype=float)
        np.minimum.at(low, self._kind_of, every)
        np.maximum.at(high, self._kind_of, every)
        return Range(
            round(find_extreme(self._solver, low, highspy.ObjSense.kMinimize)),
            round(find_extreme(self._solver, high, highspy.ObjSense.kMaximize)),
        )

    def _build(self) -> highspy.Highs:
        """A programme of the number of records of each kind, and of each addition."""
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in _OPTIONS:
            solver.setOptionValue(option, value)
        solver.addVars(self._size, np.zeros(self._size), np.full(self._size, float(_MOST)))
        places = np.arange(self._size, dtype=np.int32)
        solver.changeColsIntegrality(
            self._size, places, np.full(self._size, highspy.HighsVarType.kInteger)
        )
        for limit in self._limits:
            add_row(solver, limit, -np.inf, 0)
        for shares, (low, high) in self._rows:
            add_row(solver, self._columns[shares], low, high)
        return solver

    def _find_contradicted(
        self, rows: Sequence[tuple[Shares, Range]]
    ) -> list[tuple[Shares, Range]]:
        """The fewest of some rows without which the others agree with all there are."""
        solver = self._build()
        costs = np.zeros(self._size + len(rows))
        for place, (shares, (low, high)) in enumerate(rows, self._size):
            solver.addVar(0.0, 1.0)
            solver.changeColIntegrality(place, highspy.HighsVarType.kInteger)
            costs[place] = 1 + 1 / (2 + low)
            weights = np.zeros(place + 1)
            weights[: self._size] = self._columns[shares]
            weights[place] = low
            add_row(solver, weights, low, np.inf)
            weights[place] = -_UNBOUNDED
            add_row(solver, weights, -np.inf, high)
        find_extreme(solver, costs, highspy.ObjSense.kMinimize)
        values = solver.getSolution().col_value
        return [row for place, row in enumerate(rows, self._size) if values[place] > 0.5]


def add_row(solver: highspy.Highs, weights: Vector, low: float, high: float) -> None:
    """Hold a sum of the columns between two numbers."""
    places = np.flatnonzero(weights)
    solver.addRow(low, high, len(places), places.astype(np.int32), weights[places])


def find_extreme(solver: highspy.Highs, costs: Vector, sense: highspy.ObjSense) -> float:
    """The least or greatest value of a sum. Raises ImpossibleNumbersError if there is none."""
    size = len(costs)
    solver.changeColsCost(size, np.arange(size, dtype=np.int32), costs)
    solver.changeObjectiveSense(sense)
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        raise ImpossibleNumbersError("no records give these numbers")
    assert status == highspy.HighsModelStatus.kOptimal, status
    return float(solver.getInfo().objective_function_value)
