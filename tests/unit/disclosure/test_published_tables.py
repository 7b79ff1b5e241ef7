"""Tables of the R package sdcTable, whose optimum is published with them: no more is withheld here.

The numbers are those of the package's own tests (data ``microdata1``; the tests of
``protectTable``, of the simple heuristic and of linked tables), and of the vignette of
easySdcTable, which uses it. Its rule is that no withheld number can be worked out exactly, and its
reader does not know that a withheld number is not 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pytest

from queries.answer.condition import NamedCondition
from queries.disclosure.attack.attacker import Bounds, attack_system, find_narrow_intervals
from queries.disclosure.attack.constraints import (
    ConstraintSystem,
    LinearConstraint,
    Population,
    expand_relation,
)
from queries.disclosure.attack.suppression import SuppressionProblem, choose_cells


class PublishedTable(NamedTuple):
    """A table, what its authors withhold in any case, and how many more they then need.

    ``sums`` has, for each total, the parts.
    """

    numbers: dict[str, int]
    sums: list[tuple[str, list[str]]]
    primary: set[str]
    more: int


def cross_table(
    rows: Mapping[str, Sequence[int]], columns: Sequence[str], primary: set[str], more: int
) -> PublishedTable:
    """A table of rows and columns; a total is called "total"."""
    inner = {
        f"{row} {column}": number
        for row, numbers in rows.items()
        for column, number in zip(columns, numbers, strict=True)
    }
    sums = [
        *((f"{row} total", [f"{row} {column}" for column in columns]) for row in rows),
        *((f"total {column}", [f"{row} {column}" for row in rows]) for column in columns),
        ("total total", [f"{row} total" for row in rows]),
        ("total total", [f"total {column}" for column in columns]),
    ]
    numbers = dict(inner)
    for total, parts in sums:
        numbers[total] = sum(numbers[part] for part in parts)
    return PublishedTable(numbers, sums, primary, more)


#: Regions by gender; one cell is primary. Published: three more, the cheapest of which are of A, C.
MICRODATA = cross_table(
    {"A": (18, 2), "B": (14, 19), "C": (12, 10), "D": (11, 14)}, ("male", "female"), {"A female"}, 3
)

#: Every row and column has two primary cells or more, and one of them can still be worked out.
RECOMPUTABLE = cross_table(
    {"w": (30, 47, 64, 89), "x": (90, 124, 5, 31), "y": (92, 100, 59, 85), "z": (800, 991, 651, 685)},
    ("a", "b", "c", "d"),
    {"w a", "w b", "w c", "x a", "x c", "y b", "y d", "z b", "z d"},
    1,
)  # fmt: skip

_REGIONS = {"A": 2, "B": 2, "I": 8, "J": 8, "K": 3, "L": 3, "M": 3, "N": 7}

#: Regions in two counties, and in two groups; regions of 3 or fewer are primary.
LINKED = PublishedTable(
    {**_REGIONS, "county 1": 20, "county 2": 16, "big": 6, "small": 30, "total": 36},
    [
        ("county 1", ["A", "B", "I", "J"]), ("county 2", ["K", "L", "M", "N"]),
        ("big", ["L", "M"]), ("small", ["A", "B", "I", "J", "K", "N"]),
        ("total", ["county 1", "county 2"]), ("total", ["big", "small"]),
    ],
    {region for region, number in _REGIONS.items() if number <= 3},
    1,
)  # fmt: skip

_MUNICIPALITIES = {
    "A": (11, 11, 55, 36), "B": (7, 1, 29, 18), "C": (5, 8, 35, 25), "D": (13, 2, 17, 13),
    "E": (9, 14, 63, 52), "F": (12, 9, 24, 22), "G": (6, 4, 22, 8), "H": (9, 3, 38, 15),
    "I": (3, 0, 9, 2), "J": (9, 0, 32, 20), "K": (4, 2, 18, 11),
}  # fmt: skip

_BENEFITS = ("annet", "arbeid", "soshjelp", "trygd")

#: Cells of 3 or fewer are primary. Published: 7 more, by a heuristic. Five rows have one primary
#: cell each, so that 5 is the least that may do.
MUNICIPALITIES = cross_table(
    _MUNICIPALITIES,
    _BENEFITS,
    {
        f"{row} {column}"
        for row, numbers in _MUNICIPALITIES.items()
        for column, number in zip(_BENEFITS, numbers, strict=True)
        if number <= 3
    },
    5,
)

TABLES = {
    "microdata": MICRODATA,
    "recomputable": RECOMPUTABLE,
    "linked": LINKED,
    "municipalities": MUNICIPALITIES,
}


def count_cell(name: str) -> Population:
    return Population("offences", frozenset({NamedCondition(name)}))


def pose_problem(table: PublishedTable) -> SuppressionProblem:
    counts = {count_cell(name): number for name, number in table.numbers.items()}
    relations: list[LinearConstraint] = []
    for total, parts in table.sums:
        relations += expand_relation("sum", count_cell(total), [*map(count_cell, parts)])
    return SuppressionProblem(
        system=ConstraintSystem(tuple(counts), tuple(relations)),
        counts=counts,
        shown={cell: Bounds(number, number) for cell, number in counts.items()},
        withheld=Bounds(0, None),
        must=frozenset(map(count_cell, table.primary)),
        may=frozenset(cell for cell, number in counts.items() if number),
        width=1,
        weights={},
    )


def list_narrow(problem: SuppressionProblem, hidden: Iterable[Population]) -> list[Population]:
    """What can be worked out if these are withheld."""
    targets = sorted(hidden, key=lambda cell: cell.order)
    return [
        *find_narrow_intervals(problem.system, problem.attacker_bounds(targets), targets, problem.width)
    ]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_no_more_is_withheld_than_the_published_optimum(name: str) -> None:
    """The ratio to it is 1.00, and without the secondary cells a primary one is known."""
    table = TABLES[name]
    problem = pose_problem(table)
    assert list_narrow(problem, problem.must)
    hidden = choose_cells(problem)
    assert not list_narrow(problem, hidden)
    assert len(hidden - problem.must) / table.more == 1.00


def test_the_cells_that_sdctable_withholds_are_those_withheld_here() -> None:
    """Of the choices of three cells, both take the one of the fewest people."""
    hidden = choose_cells(pose_problem(MICRODATA))
    names = ("A male", "A female", "C male", "C female")
    assert hidden == {*map(count_cell, names)}
    assert choose_cells(pose_problem(LINKED)) - pose_problem(LINKED).must == {count_cell("N")}


def test_the_attacker_finds_the_range_that_sdctable_finds() -> None:
    problem = pose_problem(RECOMPUTABLE)
    cell = count_cell("w b")
    found = attack_system(problem.system, problem.attacker_bounds(problem.must), [cell])
    assert found[cell] == Bounds(47, 47)
    hidden = problem.must | {count_cell("x b")}
    found = attack_system(problem.system, problem.attacker_bounds(hidden), [cell])
    assert found[cell] == Bounds(0, 141)
