"""Records that an increment changed, and that lost all their people or text, are told."""

from __future__ import annotations

import pytest

from indexer.jobs.shrinkage import ShrinkLimits, describe_emptied_changes
from indexer.loading.tally import LineOutcome, Tally


@pytest.mark.parametrize(
    ("had", "lost", "percent", "refused"),
    [
        (500, 500, 20, True),
        (500, 101, 20, True),
        (500, 100, 20, False),
        (12, 9, 20, False),  # fewer than 10 are not looked at
        (12, 10, 20, True),
        (500, 500, None, False),
        (0, 0, 20, False),
    ],
)
def test_too_many_are_refused(had: int, lost: int, percent: float | None, *, refused: bool) -> None:
    tally = Tally()
    victims = frozenset({"victims"})
    for number in range(had):
        tally.add(
            LineOutcome("indexed", had=victims, lost=victims if number < lost else frozenset())
        )
    told = describe_emptied_changes(tally.had, tally.lost, ShrinkLimits(content_percent=percent))
    assert bool(told) is refused
    if refused:
        assert f"of {had} that had victims, {lost} have none now" in told
        assert "--allow contents" in told
