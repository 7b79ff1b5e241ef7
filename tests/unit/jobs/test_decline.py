"""A little less each night adds up, and is compared with the largest of the last refreshes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from indexer.index.generations import (
    KEPT_SIZES,
    EarlierSize,
    Generation,
    list_earlier_sizes,
)
from indexer.jobs.shrinkage import ShrinkLimits, describe_decline

START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)


def make_generation(records: int, *earlier: int) -> Generation:
    sizes = tuple(
        EarlierSize(START + timedelta(days=day), number) for day, number in enumerate(earlier)
    )
    return Generation("crimes-1", START, "1.0", "hash", records=records, earlier_sizes=sizes)


@pytest.mark.parametrize(
    ("records", "earlier", "percent", "refused"),
    [
        (950, (1_000, 980, 960), 5, False),
        (949, (1_000, 980, 960), 5, True),
        (949, (960, 1_000, 960), 5, True),
        (949, (960, 955), 5, False),
        (949, (), 5, False),
        (0, (1_000,), None, False),
        (1_100, (1_000,), 0, False),
        (991, (1_000,), 0, False),  # fewer than 10 are not looked at
        (990, (1_000,), 0, True),
    ],
)
def test_the_largest_of_the_refreshes_before_is_what_counts(
    records: int, earlier: tuple[int, ...], percent: float | None, *, refused: bool
) -> None:
    limits = ShrinkLimits(decline_percent=percent)
    assert bool(describe_decline(make_generation(records, *earlier), limits)) is refused


def test_the_message_names_the_day_and_the_way_on() -> None:
    message = describe_decline(
        make_generation(900, 980, 1_000, 990), ShrinkLimits(decline_percent=5)
    )
    assert message.startswith(
        "crimes-1 holds 900 records, more than 5% fewer than the 1,000 of 2026-01-02, the most in "
        "the last 3 refreshes"
    )
    assert "--allow decline" in message


def test_sizes_are_kept_for_so_many_refreshes() -> None:
    live = make_generation(50, *range(100, 100 + KEPT_SIZES))
    sizes = list_earlier_sizes(live)
    assert len(sizes) == KEPT_SIZES
    assert [size.records for size in sizes[:1]] == [101]
    assert sizes[-1] == EarlierSize(live.built_at, 50)


def test_a_generation_of_the_version_before_has_no_earlier_sizes() -> None:
    fields = msgspec.to_builtins(make_generation(5))
    del fields["earlier_sizes"]
    live = msgspec.convert(fields, Generation)
    assert [size.records for size in list_earlier_sizes(live)] == [5]
