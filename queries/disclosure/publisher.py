"""Answers made fit to be published, by the force's rule and its ledger of releases."""

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
    """What releases are made with: the force's rule, the ledger if there is one, and the reason to
    set a rule aside, if there is one."""

    rule: DisclosureSettings
    ledger: Path | None
    reason: str = ""

    def policy(self, spec: DisclosureSpec) -> Policy:
        """The policy of one request. Raises DisclosureError where it is less strict than the rule
        without a reason."""
        return resolve_policy(self.rule, spec, self.reason)

    def publish(self, answer: Answer, policy: Policy) -> PublishedAnswer:
        """The answer as it may be published, recorded in the ledger. Raises as ``prepared``."""
        return publish_release(answer, policy, self.ledger, self.reason)

    def prepare_release(
        self, answer: Answer, policy: Policy
    ) -> AbstractContextManager[PreparedRelease]:
        """The answer as it may be published, to be recorded when all made from it is ready.

        Raises DisclosureError where it would give a number away, OutputError where the ledger
        cannot be written.
        """
        return prepare_release(answer, policy, self.ledger, self.reason)


def build_publisher(settings: Settings, reason: str = "") -> Publisher:
    """What the releases of a force are made with."""
    ledger_name = settings.disclosure.ledger
    return Publisher(
        settings.disclosure, settings.folder / ledger_name if ledger_name else None, reason
    )
