"""How strict a release is: the force's rule, and how a request may change it.

Pure. A request may always be stricter. Being less strict needs a reason, which the answer states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from indexer.config.model import DisclosureSettings, Rounding, Threshold, YoungestRule
from indexer.errors import DisclosureError
from queries.answer.types import RuleOverride

_STRICTER: Final = ("give", "band", "withhold")

OverrideReason = Annotated[str, Meta(max_length=500)]


class DisclosureSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What a request asks for; the force's rule applies to what it leaves out."""

    threshold: Threshold | None = None
    rounding: Rounding | None = None
    youngest: YoungestRule | None = None
    reason: OverrideReason = ""


class Policy(Struct, frozen=True):
    """Counts from 1 to ``threshold`` - 1 are withheld, or every count is rounded to ``rounding``.

    0 turns either off. ``youngest`` says how the age of the youngest of few victims is published;
    ``overrides`` are the rules that were set aside.
    """

    threshold: int = 0
    rounding: int = 0
    youngest: YoungestRule = "withhold"
    overrides: tuple[RuleOverride, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether anything is withheld or rounded."""
        return max(self.threshold, self.rounding) > 1

    @property
    def width(self) -> int:
        """How far apart the least and the greatest possible value of a number must be for a reader:
        the threshold, or as far as rounding leaves a 0."""
        return self.threshold if self.threshold > 1 else max(0, self.rounding - 1) // 2

    @property
    def minimum_group(self) -> int:
        """Fewer people than this are few."""
        return max(self.threshold, self.rounding)


def resolve_policy(force: DisclosureSettings, spec: DisclosureSpec, override: str = "") -> Policy:
    """The policy of one release. ``override`` is a reason given on the command line.

    Raises DisclosureError if the request is less strict than the force without a reason, or asks
    for both a threshold and rounding.
    """
    threshold = force.threshold if spec.threshold is None else spec.threshold
    rounding = force.rounding if spec.rounding is None else spec.rounding
    youngest = force.youngest if spec.youngest is None else spec.youngest
    if threshold > 1 and rounding:
        raise DisclosureError(
            f"a threshold of {threshold} and rounding to {rounding} are alternatives. "
            'Set one of them to 0 under "disclosure:" in the request, with a reason:.'
        )
    weaker = [*_list_weaker_rules(force, threshold, rounding, youngest)]
    reason = spec.reason.strip() or override.strip()
    if weaker and not reason:
        raise DisclosureError(
            f"the request is less strict than foidex.toml ({'; '.join(weaker)}). "
            'Give a reason: under "disclosure:", or with --override, or be as strict.'
        )
    overrides = tuple(RuleOverride(rule, reason) for rule in weaker)
    return Policy(threshold, rounding, youngest, overrides)


def _list_weaker_rules(
    force: DisclosureSettings, threshold: int, rounding: int, youngest: str
) -> Iterator[str]:
    if threshold < force.threshold:
        yield f"threshold {threshold} instead of {force.threshold}"
    if rounding < force.rounding and threshold < force.rounding:
        yield f"rounding {rounding} instead of {force.rounding}"
    if _STRICTER.index(youngest) < _STRICTER.index(force.youngest):
        yield f'youngest "{youngest}" instead of "{force.youngest}"'
