"""The parts of a request in the requester's order, those with figures and those without. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_Part = TypeVar("_Part")


def merge_parts(
    counted: Sequence[_Part], uncovered: Sequence[_Part], positions: Sequence[int]
) -> list[_Part]:
    """All parts in the requester's order. ``positions`` are those of the uncovered ones."""
    parts = list(counted)
    for part, position in sorted(zip(uncovered, positions, strict=True), key=lambda pair: pair[1]):
        parts.insert(position, part)
    return parts
