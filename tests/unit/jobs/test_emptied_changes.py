"""Records that an increment changed, and that lost all their people or text, are told."""

from __future__ import annotations

import pytest

from indexer.jobs.shrinkage import ShrinkLimits, describe_emptied_changes
from indexer.loading.tally import LineOutcome, Tally


@pytest.mark.parametrize(
    ("content", "had", "lost", "percent", "refused"),
    [
        ("victims", 500, 500, 20, True),
        ("victims", 500, 101, 20, True),
        ("victims", 500, 100, 20, False),
        ("victims", 12, 10, 20, True),
        ("victims", 500, 500, None, False),
        ("victims", 0, 0, 20, False),
        ("text", 3, 3, 20, True),  # a quiet night
        ("text", 5, 3, 20, True),
        ("text", 6, 3, 20, False),  # half
        ("text", 2, 2, 20, False),  # may be two corrections
        ("text", 3, 3, 100, False),  # whoever allows it
        ("text", 5, 4, 80, False),
        ("victims", 12, 9, 20, True),
        ("outcome", 9, 9, 20, False),  # cases are opened again
        ("outcome", 10, 10, 20, True),
        ("links", 9, 9, 20, False),
    ],
)
def test_too_many_are_refused(
    content: str, had: int, lost: int, percent: float | None, *, refused: bool
) -> None:
    tally = count_changes(content, had, lost)
    told = describe_emptied_changes(tally.had, tally.lost, ShrinkLimits(content_percent=percent))
    assert bool(told) is refused
    if refused:
        assert f"of {had} that had {content}, {lost} have none now" in told
        assert "--allow contents" in told


def count_changes(content: str, had: int, lost: int) -> Tally:
    tally = Tally()
    contents = frozenset({content})
    for number in range(had):
        tally.add(
            LineOutcome("indexed", had=contents, lost=contents if number < lost else frozenset())
        )
    return tally


def test_few_are_said_even_if_they_are_not_refused() -> None:
    assert count_changes("text", 9, 2).notes == {
        "a record that changed had text, and has none now": 2
    }
    assert count_changes("outcome", 9, 9).notes == {}


def test_a_limit_of_fewer_records_holds_for_what_is_looked_at_in_small_numbers() -> None:
    tally = count_changes("text", 1, 1)
    limits = ShrinkLimits(content_percent=20, min_lost_records=1)
    assert describe_emptied_changes(tally.had, tally.lost, limits)
