"""Publishing answers by the force's rule, checked against its ledger of releases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from indexer.config.model import DisclosureSettings, ForceSettings, Settings
from indexer.errors import DisclosureError
from queries.answer.types import Answer, has_texts, has_withheld_numbers
from queries.disclosure.ledger import (
    LedgerUse,
    PreparedRelease,
    PublishedAnswer,
    prepare_release,
)
from queries.disclosure.policy import DisclosureSpec, Policy, require_reason, resolve_policy
from queries.layout.prose import join_list

#: What to paste for each detail of the force that is missing.
_FORCE_LINES: Final = {
    "name": 'name = "Example Constabulary"',
    "unit": 'unit = "Information Rights"',
    "address": 'address = ["Police Headquarters", "1 Example Street", "Exampleton EX1 1EX"]',
    "contact": 'contact = "information.rights@example.org"',
    "signatory": 'signatory = "Information Rights Officer"',
}

_EXEMPTION_LINE: Final = (
    'exemption = "We rely on section 40(2) of the Freedom of Information Act 2000 (personal '
    'information)."'
)


class Publisher(Struct, frozen=True):
    """The force and its rule, its ledger if there is one, and the reason to set a rule aside, if
    any. ``file`` is the foidex.toml that they are from."""

    rule: DisclosureSettings
    ledger: LedgerUse | None
    force: ForceSettings
    reason: str = ""
    file: Path | None = None

    def policy(self, spec: DisclosureSpec) -> Policy:
        """The policy of one request. Raises DisclosureError if it is less strict than the rule
        without a reason."""
        return resolve_policy(self.rule, spec, self.reason)

    def publish(self, answer: Answer, policy: Policy) -> PublishedAnswer:
        """The answer as it may be published, recorded in the ledger.

        Raises as ``prepare_release``.
        """
        with self.prepare_release(answer, policy) as pending_release:
            pending_release.record()
            return PublishedAnswer(pending_release.answer, pending_release.changes)

    @contextmanager
    def prepare_release(self, answer: Answer, policy: Policy) -> Iterator[PreparedRelease]:
        """The answer as it may be published, to be recorded when all made from it is ready.

        Raises DisclosureError if it would give a number away or withholds one without an exemption,
        OutputError if the ledger cannot be written.
        """
        with prepare_release(answer, policy, self.ledger, self.reason) as release:
            withheld = "a number is withheld" if has_withheld_numbers(release.answer) else ""
            if not withheld and has_texts(release.answer):
                withheld = "words of texts are hidden"
            if withheld and not self.force.exemption.strip():
                raise DisclosureError(
                    f"{self.file or 'foidex.toml'}: {withheld}, and [force] names no "
                    "exemption, so nothing is published. A refusal must name the section of the "
                    "Act that it relies on (section 17). Paste this below its line [force], with "
                    f"the section that applies:\n\n{_EXEMPTION_LINE}\n\n"
                    "Then run the command again."
                )
            yield release


def require_safe_settings(settings: Settings) -> None:
    """Raise DisclosureError if the settings are less strict than the default without a reason, or
    lack what every letter prints."""
    _require_force_details(settings)
    require_reason(settings.disclosure, settings.file)


def _require_force_details(settings: Settings) -> None:
    if missing := settings.force.missing_keys:
        lines = "\n".join(_FORCE_LINES[key] for key in missing)
        exemption = "" if settings.force.exemption.strip() else f"\n{_EXEMPTION_LINE}"
        # A file that names the section twice is refused.
        is_new = settings.force == ForceSettings()
        where, heading = ("", "[force]\n") if is_new else (" below its line [force]", "")
        raise DisclosureError(
            f"{settings.file or 'foidex.toml'}: [force] lacks {join_list([*missing])}, which every "
            f"letter prints, so nothing is published. Paste this{where}, with the details of your "
            f"force:\n\n{heading}{lines}{exemption}\n\nThen run the command again."
        )
