"""The attacker's programmes are made small, and find the same as the whole ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import highspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import DisclosureError
from queries.answer.condition import NamedCondition
from queries.disclosure.attack import attacker
from queries.disclosure.attack.attacker import (
    Attacker,
    Bounds,
    attack_system,
    find_narrow_intervals,
)
from queries.disclosure.attack.constraints import (
    LinearConstraint,
    Population,
    build_system,
)
from queries.disclosure.attack.redundancy import drop_implied
from queries.disclosure.policy import Policy
from queries.disclosure.populations import (
    build_answer_system,
    count_populations,
    list_printed_cells,
)
from queries.disclosure.release import protect_answer
from tests.support.examples import examples
from tests.support.tables import a_record, answer, keywords, two_way

GRID = [[3, 40, 7], [20, 2, 0], [1, 9, 33]]

cells_drawn = st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=4)


def test_a_table_of_sums_keeps_its_sums_and_no_inequality() -> None:
    system = build_answer_system(two_way(GRID))
    kept = drop_implied(system.constraints)
    sums = [one for one in kept if one.low == one.high == 0]
    # Each of 3 rows, the total row, each of 3 columns and the total column.
    assert len(sums) == 8
    assert len(kept) == len(sums) + 1  # and how many records the index has
    assert len(system.constraints) > 30


def test_terms_that_may_overlap_keep_what_bounds_each() -> None:
    records = [a_record("21", "alpha", "beta")] * 9
    asked = answer(records, keywords(records, ["alpha", "beta"]))
    kept = drop_implied(build_answer_system(asked).constraints)
    bounded = {constraint.terms[0][0].words for constraint in kept if len(constraint.terms) == 2}
    assert any("alpha" in words for words in bounded)
    assert any("beta" in words for words in bounded)


def withhold_some(
    grid: Sequence[Sequence[int]], hidden: frozenset[int]
) -> tuple[dict[Population, Bounds], list[Population]]:
    counts = count_populations(list_printed_cells(two_way(grid)))
    targets = [one for number, one in enumerate(counts) if number in hidden and counts[one]]
    exact = {population: Bounds(number, number) for population, number in counts.items()}
    return exact | dict.fromkeys(targets, Bounds(1, None)), targets


@settings(max_examples=examples(60))
@given(cells_drawn, st.frozensets(st.integers(0, 19)))
def test_what_is_left_out_changes_no_interval(
    grid: list[list[int]], hidden: frozenset[int]
) -> None:
    system = build_answer_system(two_way(grid))
    bounds, targets = withhold_some(grid, hidden)
    small = attack_system(system, bounds, targets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attacker, "drop_implied", tuple)
        assert small == attack_system(system, bounds, targets)


@settings(max_examples=examples(60))
@given(cells_drawn, st.frozensets(st.integers(0, 19)), st.integers(2, 9))
def test_many_numbers_at_once_are_found_as_narrow_as_one_by_one(
    grid: list[list[int]], hidden: frozenset[int], width: int
) -> None:
    system = build_answer_system(two_way(grid))
    bounds, targets = withhold_some(grid, hidden)
    narrow = {
        population: interval
        for population, interval in attack_system(system, bounds, targets).items()
        if interval.high is not None and interval.high - interval.low < width
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attacker, "FEW_TARGETS", 1)
        assert find_narrow_intervals(system, bounds, targets, width) == narrow


def test_a_number_kept_near_a_solution_is_free_again_afterwards() -> None:
    system = build_answer_system(two_way(GRID))
    bounds, targets = withhold_some(GRID, frozenset(range(20)))
    reader = Attacker(system, bounds)
    before = [reader.interval(((population, 1),)) for population in targets]
    with reader.stay_near(reader.minimise(()).point, targets, 1):
        assert [reader.interval(((population, 1),)) for population in targets] != before
    assert [reader.interval(((population, 1),)) for population in targets] == before


def name_populations(letters: str) -> list[Population]:
    """Populations that nothing relates, one for each letter."""
    return [Population("offences", frozenset({NamedCondition(letter)})) for letter in letters]


def test_whole_numbers_far_from_a_solution_over_any_numbers_are_found() -> None:
    """601 times the one and 300 more is 600 times the other: least at 300, not at 0."""
    one, other = name_populations("xy")
    relation = LinearConstraint(((one, 601), (other, -600)), -300, -300)
    reader = Attacker(build_system([one, other], [relation]), {})
    assert reader.minimise(((one, 1),)).value == 0
    assert reader.minimise_integers(((one, 1),)).value == 300


def test_whole_numbers_that_are_near_and_not_the_least_are_not_taken() -> None:
    """61 x + 30 z + 30 is 60 y: the nearest have z = 1, and 30 of x cost less."""
    x, y, z = name_populations("xyz")
    relation = LinearConstraint(((x, 61), (z, 30), (y, -60)), -30, -30)
    reader = Attacker(build_system([x, y, z], [relation]), {})
    costs = ((x, 1), (z, 100))
    assert reader.minimise(costs).value == 0
    assert reader.minimise_integers(costs).value == 30


def test_whole_numbers_are_looked_for_near_a_solution_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HiGHS may go through the whole range of a number that nothing limits in steps of one."""
    widths = []
    run_solver = attacker.run_solver

    def note_widths(programme: highspy.Highs) -> highspy.HighsModelStatus:
        model = programme.getLp()
        if len(model.integrality_):
            limits = zip(model.col_lower_, model.col_upper_, strict=True)
            widths.append(max(high - low for low, high in limits))
        return run_solver(programme)

    monkeypatch.setattr(attacker, "run_solver", note_widths)
    one, other = name_populations("xy")
    # Over any numbers, the sum is least at one half and nothing.
    odd = LinearConstraint(((one, 2), (other, -4)), 1, 2)
    reader = Attacker(build_system([one, other], [odd]), {one: Bounds(0, 1_000_000)})
    assert reader.minimise_integers(((one, 1),)).value == 1
    assert max(widths) <= 20 < reader.ceiling


def test_a_programme_goes_on_from_the_solution_of_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From one sum to the next only the objective changes. Dual steps would begin again."""
    steps = []
    run_solver = attacker.run_solver

    def count_steps(programme: highspy.Highs) -> highspy.HighsModelStatus:
        status = run_solver(programme)
        steps.append(programme.getInfo().simplex_iteration_count)
        return status

    monkeypatch.setattr(attacker, "run_solver", count_steps)
    grid = [[(7 * row + 5 * column) % 11 for column in range(20)] for row in range(30)]
    protect_answer(two_way(grid), Policy(threshold=5))
    assert len(steps) > 20
    assert sum(steps) / len(steps) < 60


class StuckSolver(highspy.Highs):
    """Takes no step until it starts again from the beginning."""

    def __init__(self, *, recovers: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.recovers = recovers
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("presolve", "off"),
            ("simplex_iteration_limit", 0),
        ):
            self.setOptionValue(option, value)
        for _ in range(3):
            self.addVar(0, 9)
            self.changeColCost(self.getNumCol() - 1, -1)
        self.addRow(2, 11, 3, [0, 1, 2], [1.0, 1.0, 2.0])

    def clearSolver(self) -> highspy.HighsStatus:  # noqa: N802 - the name in HiGHS
        if self.recovers:
            self.setOptionValue("simplex_iteration_limit", 1_000)
        return super().clearSolver()


def test_a_solver_that_gets_stuck_starts_again() -> None:
    solver = StuckSolver(recovers=True)
    assert attacker.run_solver(solver) == highspy.HighsModelStatus.kOptimal
    assert solver.getInfo().objective_function_value == -11


def test_a_solver_that_stays_stuck_publishes_nothing() -> None:
    with pytest.raises(DisclosureError, match="so nothing is published"):
        attacker.run_solver(StuckSolver(recovers=False))


def test_a_solver_with_another_number_of_threads_does_not_stop_a_release() -> None:
    """All solvers of a process share their threads, whose number the first one sets."""
    code = (
        "import highspy, sys\n"
        "other = highspy.Highs()\n"
        "other.setOptionValue('output_flag', False)\n"
        "other.setOptionValue('threads', 2)\n"
        "other.addVar(0, 1)\n"
        "other.run()\n"
        "from tests.support.tables import FIVE, answer_by_code\n"
        "from queries.disclosure.release import protect_answer\n"
        "print(protect_answer(answer_by_code(46, 4, 3), FIVE).answer.disclosure.withheld)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "2"
