"""Approvals of texts in the store: added, and never changed; the last one on a record counts.

Of a text, the store has hashes and the places that a person hid, never words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, text

from indexer.errors import ReviewError
from queries.evidence.masking import Span
from queries.reviewing.approvals import Approval, ApprovalKey, ReleaseText
from queries.reviewing.store.checked_rows import make_damage_error
from queries.reviewing.store.database import ReviewDatabase
from queries.reviewing.store.schema import APPROVALS
from queries.reviewing.turns import format_time

# One decision at a time; any number will do, if it is always the same.
_LOCK_NUMBER: Final = 7_319_482_202


class ApprovalLostError(ReviewError):
    """A decision came too late: meanwhile another person decided on the text."""


class ApprovalStore:
    """The approvals of a database; ``clock`` gives the time in UTC."""

    def __init__(self, database: ReviewDatabase, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def read_last(self, key: ApprovalKey) -> dict[str, Approval]:
        """The last decision on each record of a list, by its reference. Raises ReviewError."""
        with self._database.read() as connection:
            return _read_last(connection, key)

    def decide(
        self,
        key: ApprovalKey,
        release_text: ReleaseText,
        earlier: Approval | None,
        decision: Approval,
    ) -> None:
        """Store a decision on a text; it is on the disk when this returns.

        ``earlier`` is the last decision that the person knew of. Raises ApprovalLostError if there
        is a later one by somebody else.
        """
        with self._database.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER}
                )
            last = _read_last(connection, key).get(release_text.reference)
            is_newer = last is not None and last.number > (earlier.number if earlier else 0)
            if last is not None and is_newer and last.approved_by != decision.approved_by:
                raise ApprovalLostError(
                    "somebody else has decided on this text meanwhile. Your decision on it is not "
                    "stored; look at it again with --again."
                )
            connection.execute(
                insert(APPROVALS),
                {
                    "alias": key.alias,
                    "request_reference": key.request_reference,
                    "question": key.question,
                    "reference": decision.reference,
                    "content_hash": decision.content_hash,
                    "shown_hash": decision.shown_hash,
                    "hidden": format_spans(decision.hidden),
                    "is_approved": decision.is_approved,
                    "approved_by": decision.approved_by,
                    "approved_at": format_time(self._clock()),
                },
            )


def _read_last(connection: Connection, key: ApprovalKey) -> dict[str, Approval]:
    columns = APPROVALS.c
    query = (
        select(APPROVALS)
        .where(
            columns.alias == key.alias,
            columns.request_reference == key.request_reference,
            columns.question == key.question,
        )
        .order_by(columns.id)
    )
    return {row.reference: _make_approval(row) for row in connection.execute(query)}


def _make_approval(row: Row[Any]) -> Approval:
    return Approval(
        row.reference,
        row.content_hash,
        row.shown_hash,
        parse_spans(row.hidden),
        row.is_approved,
        row.approved_by,
        row.approved_at,
        row.id,
    )


def format_spans(spans: tuple[Span, ...]) -> str:
    """Parts of a text as the store has them: "3-7 12-19"."""
    return " ".join(f"{start}-{end}" for start, end in spans)


def parse_spans(written: str) -> tuple[Span, ...]:
    """The parts that ``format_spans`` wrote. Raises ReviewError for anything else."""
    try:
        pairs = (part.split("-") for part in written.split())
        return tuple((int(start), int(end)) for start, end in pairs)
    except ValueError:
        raise make_damage_error("approval") from None
