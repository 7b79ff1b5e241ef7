"""Which earlier numbers are no longer true, because newer ones contradict them.

Pure. Old records rarely change, so a reader goes on believing every earlier number that agrees with
the newer ones: the largest part that does. Of equally large parts, numbers of many records are
given up first, because those change most often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from queries.disclosure.attack.attacker import (
    Attacker,
    Bounds,
    are_consistent,
    build_possible_system,
    make_solver,
    run_solver,
)
from queries.disclosure.attack.constraints import (
    ConstraintSystem,
    LinearConstraint,
    Population,
    build_system,
)
from queries.disclosure.attack.record_kinds import MAX_KINDS


def keep_consistent(
    newer: Mapping[Population, Bounds],
    earlier: Mapping[Population, Bounds],
    constraints: Iterable[LinearConstraint],
) -> dict[Population, Bounds]:
    """The largest part of the earlier numbers that agrees with the newer ones and the constraints;
    empty if no part does."""
    constraints = tuple(constraints)
    if build_possible_system({**newer, **earlier}, constraints):
        return dict(earlier)
    system = build_system([*newer, *earlier], constraints, presuming=False, most_kinds=MAX_KINDS)
    contradictions = _find_fewest(system, newer, earlier)
    kept = {
        population: bounds
        for population, bounds in earlier.items()
        if population not in contradictions
    }
    return kept if are_consistent(system, {**newer, **kept}) else {}


def keep_structural(constraints: Iterable[LinearConstraint]) -> Iterator[LinearConstraint]:
    """The constraints that hold of other records as well: not those on the size of an index."""
    for constraint in constraints:
        if constraint.low in (None, 0) and constraint.high in (None, 0):
            yield constraint


def loosen_guesses(constraints: Iterable[LinearConstraint]) -> Iterator[LinearConstraint]:
    """The constraints without the guess that parts which could overlap do not."""
    for constraint in constraints:
        is_guess = (constraint.low, constraint.high) == (0, 0) and len(constraint.terms) > 2
        yield constraint._replace(high=None) if is_guess else constraint


def drop_sums(constraints: Iterable[LinearConstraint]) -> Iterator[LinearConstraint]:
    """The constraints without what several numbers add up to."""
    for constraint in constraints:
        if (constraint.low, constraint.high) != (0, 0) or len(constraint.terms) <= 2:
            yield constraint


def _find_fewest(
    system: ConstraintSystem,
    newer: Mapping[Population, Bounds],
    earlier: Mapping[Population, Bounds],
) -> frozenset[Population]:
    """The fewest earlier numbers without which the others can be true; all if none is found."""
    import highspy

    attacker = Attacker(system, {**newer, **earlier})
    index_of, ceiling = attacker.index_of, attacker.ceiling
    programme = make_solver()
    for population in system.populations:
        low, high = newer.get(population, Bounds(0, None))
        programme.addVar(low, ceiling if high is None else high)
    for relation in system.constraints:
        programme.addRow(
            -highspy.kHighsInf if relation.low is None else relation.low,
            highspy.kHighsInf if relation.high is None else relation.high,
            len(relation.terms),
            [index_of[population] for population, _ in relation.terms],
            [float(coefficient) for _, coefficient in relation.terms],
        )
    # Each earlier number is believed (0) or given up (1).
    choices = {population: len(system.populations) + n for n, population in enumerate(earlier)}
    for population, choice in choices.items():
        low, high = earlier[population]
        column = index_of[population]
        programme.addVar(0, 1)
        programme.changeColCost(choice, 1 + 1 / (2 + low))
        programme.changeColIntegrality(choice, highspy.HighsVarType.kInteger)
        programme.addRow(low, highspy.kHighsInf, 2, [column, choice], [1, low])
        if high is not None:
            programme.addRow(-highspy.kHighsInf, high, 2, [column, choice], [1, high - ceiling])
    if run_solver(programme) != highspy.HighsModelStatus.kOptimal:
        return frozenset(earlier)
    values = programme.getSolution().col_value
    return frozenset(population for population, choice in choices.items() if values[choice] > 0.5)
