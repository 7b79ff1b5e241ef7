"""A share is rounded to whole per cent, of which 0 and 100 are exact."""

from __future__ import annotations

import pytest

from queries.answer.shares import NOT_APPLICABLE, compute_share
from queries.answer.types import NOT_COVERED, Count


@pytest.mark.parametrize(
    ("number", "total", "share"),
    [
        (0, 300, 0),
        (1, 300, 1),
        (299, 300, 99),
        (300, 300, 100),
        (2, 3, 67),
        (1, 8, 13),
        (5, 4, 125),
        (0, 0, NOT_APPLICABLE),
        (None, 3, None),
        (3, NOT_COVERED, NOT_COVERED),
    ],
)
def test_only_none_and_all_are_0_and_100_per_cent(
    number: Count, total: Count, share: int | str | None
) -> None:
    assert compute_share(number, total) == share
