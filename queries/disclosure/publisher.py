"""Publishing answers by the force's rule, checked against its ledger of releases."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from indexer.config.model import DisclosureSettings, Settings
from queries.answer.types import Answer
from queries.disclosure.ledger import (
    PreparedRelease,
    PublishedAnswer,
    prepare_release,
    publish_release,
)
from queries.disclosure.policy import DisclosureSpec, Policy, resolve_policy


class Publisher(Struct, frozen=True):
    """The force's rule, its ledger if there is one, and the reason to set a rule aside, if any."""

    rule: DisclosureSettings
    ledger: Path | None
    reason: str = ""

    def policy(self, spec: DisclosureSpec) -> Policy:
        """The policy of one request. Raises DisclosureError if it is less strict than the rule
        without a reason."""
        return resolve_policy(self.rule, spec, self.reason)

    def publish(self, answer: Answer, policy: Policy) -> PublishedAnswer:
        """The answer as it may be published, recorded in the ledger.

        Raises as ``publish_release``.
        """
        return publish_release(answer, policy, self.ledger, self.reason)

    def prepare_release(
        self, answer: Answer, policy: Policy
    ) -> AbstractContextManager[PreparedRelease]:
        """The answer as it may be published, to be recorded when all made from it is ready.

        Raises DisclosureError if it would give a number away, OutputError if the ledger cannot be
        written.
        """
        return prepare_release(answer, policy, self.ledger, self.reason)


def build_publisher(settings: Settings, reason: str = "") -> Publisher:
    """The publisher of a force, by its settings."""
    ledger_name = settings.disclosure.ledger
    return Publisher(
        settings.disclosure, settings.folder / ledger_name if ledger_name else None, reason
    )
