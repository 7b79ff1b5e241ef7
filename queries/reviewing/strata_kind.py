"""What the strata of a sample may be. It imports nothing, so that a help text waits for nothing."""

from __future__ import annotations

from enum import StrEnum


class StrataKind(StrEnum):
    """What the strata of a sample may be."""

    OFFENCE = "offence"
    YEAR = "year"
    FINANCIAL_YEAR = "financial-year"
