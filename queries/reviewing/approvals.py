"""Approvals of masked texts for release: what a person decides on, and when a decision holds. Pure.

A decision is on one record, as a line of a list shows it. It holds for the content of the record,
the masked text and the line that the person saw: if any of them is another one now, somebody has to
read the text again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec
from msgspec import Struct

from queries.evidence.masking import Span, find_identifiers, hide_spans
from queries.layout.printable import strip_unprintable

_HASH_BYTES: Final = 16


class ApprovalKey(Struct, frozen=True):
    """Which list texts are approved for: the alias of its index, the reference of its request, and
    the id of its question."""

    alias: str
    request_reference: str
    question: str


class Approval(Struct, frozen=True):
    """A decision on a text: approved or refused, by whom, when (UTC, ISO 8601), and for what.

    ``hidden`` are the parts of the text that the person hid beside what the mask hides. ``number``
    is its place among all decisions.
    """

    reference: str
    content_hash: str
    shown_hash: str
    hidden: tuple[Span, ...]
    is_approved: bool
    approved_by: str
    approved_at: str
    number: int = 0


class ReleaseText(Struct, frozen=True, kw_only=True):
    """A record with its text, and the line of a list that would show it: the key of the line, the
    headings of its fields and their values."""

    reference: str
    recorded_on: date
    offence_code: str
    content_hash: str
    text: str
    line: str
    headings: tuple[str, ...]
    values: tuple[str, ...]

    def mask(self, hidden: Iterable[Span] = ()) -> str:
        """The text as it would be released: on one line, without what the mask and a person
        hide."""
        masked = hide_spans(self.text, [*find_identifiers(self.text), *hidden])
        return " ".join(strip_unprintable(masked).split())

    def hash_shown(self, hidden: Iterable[Span] = ()) -> str:
        """The hash of what a person sees of it: the masked text, and the line."""
        shown = msgspec.json.encode((self.mask(hidden), self.line, self.headings))
        return hashlib.blake2b(shown, digest_size=_HASH_BYTES).hexdigest()

    def is_decided_by(self, approval: Approval) -> bool:
        """Whether a decision holds for the text, the mask and the line as they are now."""
        return (
            approval.reference == self.reference
            and approval.content_hash == self.content_hash
            and approval.shown_hash == self.hash_shown(approval.hidden)
        )


class ApprovalState(Struct, frozen=True):
    """The texts of a list, and the decisions that hold, by reference."""

    texts: tuple[ReleaseText, ...]
    decisions: Mapping[str, Approval]

    @property
    def approved(self) -> int:
        """How many texts are approved."""
        return sum(decision.is_approved for decision in self.decisions.values())

    @property
    def refused(self) -> int:
        """How many texts are refused."""
        return len(self.decisions) - self.approved

    @property
    def open(self) -> int:
        """How many texts nobody has decided on as they are now."""
        return len(self.texts) - len(self.decisions)

    def list_open(self) -> Iterator[ReleaseText]:
        """The texts on which nobody has decided as they are now."""
        return (text for text in self.texts if text.reference not in self.decisions)


def describe_decision(last: Approval | None, decided: Approval | None, reader: str) -> str:
    """The note on the last decision on a text, which may no longer hold; empty if there
    is none."""
    if decided is None:
        changed = "The text, its mask or its line has changed since it was decided."
        return changed if last is not None else ""
    word = "approved" if decided.is_approved else "refused"
    person = "You" if decided.approved_by == reader else decided.approved_by
    return f"{person} {word} it on {decided.approved_at[:10]}."


def choose_holding(
    texts: Sequence[ReleaseText], approvals: Mapping[str, Approval]
) -> ApprovalState:
    """The texts with the decisions that hold; ``approvals`` has the last on each reference."""
    decisions = {
        text.reference: approval
        for text in texts
        if (approval := approvals.get(text.reference)) and text.is_decided_by(approval)
    }
    return ApprovalState(tuple(texts), decisions)
