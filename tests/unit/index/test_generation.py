"""What a generation says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from indexer.index.generations import Generation
from indexer.records.damage.kinds import TextDamage
from indexer.records.narrative import MATCHING_RULE

BUILT = Generation("crimes-20200101-000000", datetime(2020, 1, 1, tzinfo=UTC), "1", "hash")


@pytest.mark.parametrize(
    ("matching_rule", "damage", "counts"),
    [
        (None, None, 2),  # of the first version: its text, and the phrases of the second rule
        (None, TextDamage(), 3),  # of before the rule was recorded
        (3, TextDamage(), 3),
        (MATCHING_RULE, TextDamage(), MATCHING_RULE),
        (MATCHING_RULE, None, MATCHING_RULE),  # not measured yet
        (MATCHING_RULE + 1, TextDamage(), MATCHING_RULE + 1),  # of a later foidex
    ],
)
def test_the_rule_that_counts_is_that_of_the_generations_text(
    matching_rule: int | None, damage: TextDamage | None, counts: int
) -> None:
    generation = msgspec.structs.replace(BUILT, matching_rule=matching_rule, damage=damage)
    assert generation.counting_rule == counts
