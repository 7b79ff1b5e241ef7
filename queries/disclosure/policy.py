"""How strict a release is: the force's rule, and how a request may change it.

Pure. A request may always be stricter. Being less strict needs a reason, which the answer states.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from indexer.config.model import (
    SAFE_THRESHOLD,
    DisclosureSettings,
    Rounding,
    Threshold,
    WholeGroupsRule,
    YoungestRule,
    describe_rounding,
    describe_threshold,
    describe_youngest,
)
from indexer.errors import DisclosureError
from queries.answer.types import RuleOverride
from queries.layout.prose import join_list

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

    0 turns either off. ``youngest`` says how the age of the youngest of few victims is published,
    ``whole_groups`` what becomes of the rows of a table if one has all and every other none;
    ``overrides`` are the rules that were set aside.
    """

    threshold: int = 0
    rounding: int = 0
    youngest: YoungestRule = "withhold"
    overrides: tuple[RuleOverride, ...] = ()
    whole_groups: WholeGroupsRule = "warn"

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
    threshold = _resolve_threshold(force, spec)
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
    policy = Policy(threshold, rounding, youngest)
    overrides = (
        *_list_force_overrides(force, policy),
        *(RuleOverride(rule, reason) for rule in weaker),
    )
    return Policy(threshold, rounding, youngest, overrides, force.whole_groups)


def require_reason(force: DisclosureSettings, file: Path | None) -> None:
    """Raise DisclosureError if the force's rule is less strict than the default without a reason.

    ``file`` is the foidex.toml that contains it.
    """
    rules = force.weaker_rules
    if rules and not force.reason.strip():
        raise DisclosureError(
            f"{file or 'foidex.toml'}: [disclosure] is less strict than the default "
            f"({'; '.join(rules.values())}) and gives no reason, so nothing is published. Remove "
            f"{join_list([*rules])}, or give a reason, which every published answer "
            'states:\n\n[disclosure]\nreason = "why this is safe, and who agreed to it"\n\n'
            "Then run the command again."
        )


def _resolve_threshold(force: DisclosureSettings, spec: DisclosureSpec) -> int:
    """The threshold of a request; 0 if it asks for rounding and nobody set a threshold."""
    if spec.threshold is not None:
        return spec.threshold
    if spec.rounding and force.threshold is None:
        return 0
    return force.effective_threshold


def _list_force_overrides(force: DisclosureSettings, policy: Policy) -> Iterator[RuleOverride]:
    """What the force set aside of the defaults, unless the request is as strict as they are."""
    for key, rule in force.weaker_rules.items():
        is_strict = {
            "threshold": policy.minimum_group >= SAFE_THRESHOLD,
            "rounding": policy.minimum_group >= SAFE_THRESHOLD,
            "youngest": policy.youngest == "withhold",
        }
        if not is_strict.get(key, False):
            yield RuleOverride(rule, force.reason.strip())


def _list_weaker_rules(
    force: DisclosureSettings, threshold: int, rounding: int, youngest: str
) -> Iterator[str]:
    replaced_default = force.threshold is None and rounding >= SAFE_THRESHOLD
    if threshold < force.effective_threshold and not replaced_default:
        yield describe_threshold(threshold, force.effective_threshold)
    if rounding < force.rounding and threshold < force.rounding:
        yield describe_rounding(rounding, force.rounding)
    if _STRICTER.index(youngest) < _STRICTER.index(force.youngest):
        yield describe_youngest(youngest, force.youngest)
