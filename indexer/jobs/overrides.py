"""The names of the checks that an operator may set aside.

They have a file of their own so that help texts need not import the checks.
"""

from __future__ import annotations

from enum import StrEnum


class CheckOverride(StrEnum):
    """A check that the operator may set aside; the generation records it where it was needed."""

    REJECTS = "rejects"
    CHANGED = "changed"
    EXPECTED = "expected"
    APART = "apart"
    SHRINK = "shrink"
    DECLINE = "decline"
    MONTHS = "months"
    GROWTH = "growth"
    OFFENCES = "offences"
    CONTENTS = "contents"
    CANARIES = "canaries"
    REPLICAS = "replicas"
