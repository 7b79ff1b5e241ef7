"""TODO: say what indexer.jobs.overrides is for."""

from __future__ import annotations

from enum import StrEnum


class CheckOverride(StrEnum):
    """A check that the operator may set aside; the generation records it where it was needed."""

    REJECTS = "rejects"
    SHRINK = "shrink"
    CANARIES = "canaries"
    REPLICAS = "replicas"
