"""Answers made fit to be published, by the force's rule and its ledger of releases."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from indexer.settings import Disclosure, Settings
from queries.answer import Answer
from queries.disclosure import ledger
from queries.disclosure.ledger import Outcome, Prepared
from queries.disclosure.policy import DisclosureSpec, Policy, agreed


class Press(Struct, frozen=True):
    """What releases are made with: the force's rule, the ledger if there is one, and the reason to
    set a rule aside, if there is one."""

    rule: Disclosure
    ledger: Path | None
    reason: str = ""

    def policy(self, asked: DisclosureSpec) -> Policy:
        """The policy of one request. Raises DisclosureError where it is less strict than the rule
        without a reason."""
        return agreed(self.rule, asked, self.reason)

    def publish(self, answer: Answer, policy: Policy) -> Outcome:
        """The answer as it may be published, recorded in the ledger. Raises as ``prepared``."""
        return ledger.publish(answer, policy, self.ledger, self.reason)

    def prepared(self, answer: Answer, policy: Policy) -> AbstractContextManager[Prepared]:
        """The answer as it may be published, to be recorded when all made from it is ready.

        Raises DisclosureError where it would give a number away, OutputError where the ledger
        cannot be written.
        """
        return ledger.prepared(answer, policy, self.ledger, self.reason)


def press(settings: Settings, reason: str = "") -> Press:
    """What the releases of a force are made with."""
    book = settings.disclosure.ledger
    return Press(settings.disclosure, settings.folder / book if book else None, reason)
