"""Suggest the known name that an unknown one was probably meant to be, for error messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_MIN_SIMILARITY: Final = 60


def suggest_name(name: str, known_names: Iterable[str]) -> str:
    """Return ' Did you mean "..."?' with the closest known name, or "" if none is close.

    The sentence starts with a space, so that it follows another one in a message.
    """
    closest = find_closest_names(name, known_names, limit=1)
    return f' Did you mean "{closest[0]}"?' if closest else ""


def find_closest_names(
    name: str, known_names: Iterable[str], *, limit: int, min_similarity: float = _MIN_SIMILARITY
) -> list[str]:
    """Return up to ``limit`` known names, the closest first; case does not matter.

    ``min_similarity`` goes from 0 (any name) to 100 (the same name).
    """
    from rapidfuzz import fuzz, process

    matches = process.extract(
        name,
        list(known_names),
        scorer=fuzz.ratio,
        processor=str.casefold,
        limit=limit,
        score_cutoff=min_similarity,
    )
    return [match[0] for match in matches]
