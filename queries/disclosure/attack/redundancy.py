"""Which constraints follow from others, so that the attacker's programmes stay small.

Pure. A table of sums states thousands of inequalities (each part is at most its whole) that its
sums imply, because counts are never negative. Leaving them out changes no interval.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from typing import Final

from queries.disclosure.attack.constraints import LinearConstraint, Population

_Terms = frozenset[tuple[Population, int]]

_Parts = frozenset[Population]

_CORNER_SIGNS: Final = [-1, -1, 1, 1]


def drop_implied(constraints: Sequence[LinearConstraint]) -> tuple[LinearConstraint, ...]:
    """The constraints without those that the sums among them imply."""
    table = _SumTable(constraints)
    return tuple([constraint for constraint in constraints if not table.implies(constraint)])


class _SumTable:
    """The sums among some constraints, and which inequalities they imply."""

    def __init__(self, constraints: Sequence[LinearConstraint]) -> None:
        self._sums: set[_Terms] = set()
        self._parts_by_total: dict[Population, list[_Parts]] = defaultdict(list)
        self._wholes: dict[Population, set[Population]] = defaultdict(set)
        self._rows_of: dict[tuple[_Parts, _Parts], dict[Population, Population]] = {}
        for terms, low, high, _ in constraints:
            totals = [population for population, sign in terms if sign == -1]
            parts = frozenset(population for population, sign in terms if sign == 1)
            if high != 0 or len(totals) != 1 or len(parts) != len(terms) - 1:
                continue
            if low == 0:
                self._sums.add(frozenset(terms))
                self._parts_by_total[totals[0]].append(parts)
            for part in parts:
                self._wholes[part].add(totals[0])

    def implies(self, constraint: LinearConstraint) -> bool:
        """Whether a constraint is an inequality that follows from the sums."""
        terms, low, high, _ = constraint
        if (low, high) == (0, None) and sorted(sign for _, sign in terms) == _CORNER_SIGNS:
            return self._implies_corner(constraint)
        if (low, high) not in ((0, None), (None, 0)):
            return False
        if frozenset(terms) in self._sums:
            return True
        if high == 0 and len(terms) == 2:
            (inner, inner_sign), (outer, outer_sign) = terms
            if inner_sign == -1:
                inner, outer = outer, inner
            return inner_sign == -outer_sign and any(
                inner in parts for parts in self._parts_by_total.get(outer, ())
            )
        return False

    def _implies_corner(self, constraint: LinearConstraint) -> bool:
        """Whether a cell is certainly at least its row and its column less the whole: what the
        column has in other rows is at most what these have."""
        added = [population for population, sign in constraint.terms if sign == 1]
        taken = [population for population, sign in constraint.terms if sign == -1]
        return any(
            self._match_rows(cells, rows).get(cell) == row
            for (cell, whole), (row, column) in product((added, added[::-1]), (taken, taken[::-1]))
            for rows in self._parts_by_total.get(whole, ())
            if row in rows
            for cells in self._parts_by_total.get(column, ())
            if cell in cells
        )

    def _match_rows(self, cells: _Parts, rows: _Parts) -> dict[Population, Population]:
        """The row of each cell of a column; nothing if a cell has none of its own."""
        key = cells, rows
        if key not in self._rows_of:
            matches = {
                cell: matched[0]
                for cell in cells
                # Of several rows none is chosen: the order of a set differs between runs.
                if len(matched := [*(self._wholes.get(cell, set()) & rows)]) == 1
            }
            is_complete = len(matches) == len(cells) == len({*matches.values()})
            self._rows_of[key] = matches if is_complete else {}
        return self._rows_of[key]
