"""When the clock is trusted for what is deleted by its age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from indexer.index.generations import Generation
from indexer.jobs.retention import find_clock_doubt


def build_generations(*days_ago: float) -> list[Generation]:
    now = datetime.now(UTC)
    return [
        Generation(f"crimes-{number}", now - timedelta(days=age), "1.0", "hash")
        for number, age in enumerate(days_ago)
    ]


@pytest.mark.parametrize(
    ("days_ago", "max_age_days"),
    [
        ((0, 1, 2, 31), 30),  # every night, one left from before
        ((0, 31), 30),  # every month
        ((34,), 30),
        ((0, 80), 90),  # younger than what is kept
        ((0, 1, -400), 30),  # dated by a clock that was ahead, and is right now
        ((0, 400), None),  # nothing is deleted for its age
        ((), 30),
    ],
)
def test_an_ordinary_pause_is_no_jump_of_the_clock(
    days_ago: tuple[float, ...], max_age_days: int | None
) -> None:
    assert not find_clock_doubt(build_generations(*days_ago), max_age_days)


@pytest.mark.parametrize(
    ("days_ago", "max_age_days"),
    [
        ((0, 36), 30),  # the clock jumped before this refresh
        ((0, 1, 2, 400), 30),  # or some nights ago, and nobody has looked
        ((36, 37), 30),  # or since the last one
        ((0, 91), 90),
    ],
)
def test_a_pause_longer_than_anything_is_kept_may_be_a_clock_that_jumped(
    days_ago: tuple[float, ...], max_age_days: int
) -> None:
    doubt = find_clock_doubt(build_generations(*days_ago), max_age_days)
    assert "nothing was deleted for its age" in doubt
    assert f"max_age_days = {max_age_days}" in doubt
