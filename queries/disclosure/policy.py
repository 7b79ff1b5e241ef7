"""How strict a release is: the force's rule, and what a request may make of it.

Pure. A request may always be stricter. Being less strict needs a reason, which the answer keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from indexer.errors import DisclosureError
from indexer.settings import Disclosure, Rounding, Threshold, Youngest
from queries.answer import Override

_STRICTER: Final = ("give", "band", "withhold")

Reason = Annotated[str, Meta(max_length=500)]


class DisclosureSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What a request asks for; what it leaves out is as the force has it."""

    threshold: Threshold | None = None
    rounding: Rounding | None = None
    youngest: Youngest | None = None
    reason: Reason = ""


class Policy(Struct, frozen=True):
    """Counts from 1 to ``threshold`` - 1 are withheld, or every count is rounded to ``rounding``.

    0 turns either off. ``youngest`` is what becomes of the age of the youngest of few victims;
    ``overrides`` are the rules that were set aside.
    """

    threshold: int = 0
    rounding: int = 0
    youngest: Youngest = "withhold"
    overrides: tuple[Override, ...] = ()

    @property
    def on(self) -> bool:
        """Whether anything is withheld or rounded."""
        return max(self.threshold, self.rounding) > 1

    @property
    def width(self) -> int:
        """How far apart the least and the greatest value must lie that a reader can hold possible
        for a number: the threshold, or as far as rounding leaves a 0."""
        return self.threshold if self.threshold > 1 else max(0, self.rounding - 1) // 2

    @property
    def few(self) -> int:
        """Fewer people than this are few."""
        return max(self.threshold, self.rounding)


def agreed(force: Disclosure, asked: DisclosureSpec, override: str = "") -> Policy:
    """The policy of one release. ``override`` is a reason given on the command line.

    Raises DisclosureError where the request is less strict than the force without a reason, or
    wants both a threshold and rounding.
    """
    threshold = force.threshold if asked.threshold is None else asked.threshold
    rounding = force.rounding if asked.rounding is None else asked.rounding
    youngest = force.youngest if asked.youngest is None else asked.youngest
    if threshold > 1 and rounding:
        raise DisclosureError(
            f"a threshold of {threshold} and rounding to {rounding} are alternatives. "
            'Set one of them to 0 under "disclosure:" in the request, with a reason:.'
        )
    weaker = [*_weaker(force, threshold, rounding, youngest)]
    reason = asked.reason.strip() or override.strip()
    if weaker and not reason:
        raise DisclosureError(
            f"the request is less strict than foidex.toml ({'; '.join(weaker)}). "
            'Give a reason: under "disclosure:", or with --override, or be as strict.'
        )
    overrides = tuple(Override(rule, reason) for rule in weaker)
    return Policy(threshold, rounding, youngest, overrides)


def _weaker(force: Disclosure, threshold: int, rounding: int, youngest: str) -> Iterator[str]:
    if threshold < force.threshold:
        yield f"threshold {threshold} instead of {force.threshold}"
    if rounding < force.rounding and threshold < force.rounding:
        yield f"rounding {rounding} instead of {force.rounding}"
    if _STRICTER.index(youngest) < _STRICTER.index(force.youngest):
        yield f'youngest "{youngest}" instead of "{force.youngest}"'
