"""The names of checks that may be set aside: all a help text needs of the checks."""

from enum import StrEnum


class Override(StrEnum):
    """A check that the operator may set aside; the generation records it where it was needed."""

    REJECTS = "rejects"
    SHRINK = "shrink"
    CANARIES = "canaries"
    REPLICAS = "replicas"
