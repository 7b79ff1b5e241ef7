"""What a sample may be of, and its strata. It imports nothing, so that a help text waits for
nothing."""

from __future__ import annotations

from enum import StrEnum


class StrataKind(StrEnum):
    """What the strata of a sample may be."""

    OFFENCE = "offence"
    YEAR = "year"
    FINANCIAL_YEAR = "financial-year"


class RecordsKind(StrEnum):
    """The records beside a number that a review may be of, to bound what its words miss."""

    NEAR_MISSES = "near-misses"
    NO_MENTION = "no-mention"
