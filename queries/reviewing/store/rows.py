"""Rows of the store as what they stand for, and the other way round. Each function works in the
transaction of the connection that it gets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, delete, func, select

from indexer.errors import ReviewError
from indexer.suggestions import suggest_name
from queries.review.types import (
    Decision,
    DrawnRecord,
    Reading,
    Review,
    ReviewedRecords,
    Stratum,
    Verdict,
)
from queries.reviewing.store.schema import (
    CLAIMS,
    DECISIONS,
    ENDINGS,
    OPENINGS,
    RECORDS,
    REVIEWS,
    SAMPLES,
    STRATA,
)
from queries.reviewing.turns import Claim, Ending, ReviewState, Turn, order_records

_BATCH_BYTES: Final = 16

_READER_READINGS: Final = (int(Reading.FIRST), int(Reading.SECOND))


class StoredReview(Struct, frozen=True, kw_only=True):
    """A review, and what is needed only to read its records: the alias of the index, and the
    request as JSON, without its letter."""

    review: Review
    alias: str
    request: str
    created_at: str
    created_by: str


class DecisionBatch(Struct, frozen=True):
    """The decisions that one key made: the number of the first, its reading, and the records."""

    number: int
    reading: Reading
    references: tuple[str, ...]


# -- reviews ---------------------------------------------------------------------------------------


def make_review_row(stored: StoredReview) -> dict[str, Any]:
    """The row of a review."""
    review = stored.review
    return {
        "name": review.name,
        "alias": stored.alias,
        "request_reference": review.request_reference,
        "request_hash": review.request_hash,
        "request": stored.request,
        "number": review.number,
        "column_name": review.column,
        "strata_by": review.by,
        "criterion": review.criterion,
        "seed": review.seed,
        "generation": review.generation,
        "confidence": review.confidence,
        "second_share": review.second_share,
        "created_at": stored.created_at,
        "created_by": stored.created_by,
        "records_kind": review.records.value,
    }


def find_review_row(connection: Connection, name: str, *, lock: bool = False) -> Row[Any] | None:
    """The row of a review; with ``lock``, nobody else changes the review before the end of the
    transaction (on SQLite, where one transaction writes at a time, this is so anyway)."""
    query = select(REVIEWS).where(REVIEWS.c.name == name)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def require_review_row(connection: Connection, name: str, *, lock: bool = False) -> Row[Any]:
    """The same. Raises ReviewError where there is none, with the closest name."""
    row = find_review_row(connection, name, lock=lock)
    if row is not None:
        return row
    names = list(connection.execute(select(REVIEWS.c.name).order_by(REVIEWS.c.id)).scalars())
    if not names:
        raise ReviewError("the store has no review yet. Start one with: foidex review start.")
    raise ReviewError(
        f'there is no review "{name[:60]}".{suggest_name(name, names)} The reviews are '
        f"{', '.join(names[-10:])}."
    )


def make_stored_review(connection: Connection, row: Row[Any]) -> StoredReview:
    """A review from its row, with the samples that hold now."""
    return StoredReview(
        review=_make_review(connection, row),
        alias=row.alias,
        request=row.request,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _make_review(connection: Connection, row: Row[Any]) -> Review:
    return Review(
        name=row.name,
        request_reference=row.request_reference,
        request_hash=row.request_hash,
        number=row.number,
        criterion=row.criterion,
        seed=row.seed,
        generation=row.generation,
        confidence=row.confidence,
        second_share=row.second_share,
        strata=read_strata(connection, row.id),
        column=row.column_name,
        by=row.strata_by,
        records=ReviewedRecords(row.records_kind),
    )


def read_strata(connection: Connection, review_id: int) -> tuple[Stratum, ...]:
    """The strata of a review, with the sample that was set last of each."""
    latest = (
        select(SAMPLES.c.stratum, func.max(SAMPLES.c.id).label("id"))
        .where(SAMPLES.c.review_id == review_id)
        .group_by(SAMPLES.c.stratum)
        .subquery()
    )
    query = (
        select(STRATA.c.name, STRATA.c.population, SAMPLES.c.size)
        .join(latest, latest.c.stratum == STRATA.c.name)
        .join(SAMPLES, SAMPLES.c.id == latest.c.id)
        .where(STRATA.c.review_id == review_id)
        .order_by(STRATA.c.place)
    )
    return tuple(Stratum(*row) for row in connection.execute(query))


def read_records(
    connection: Connection, review_id: int, max_position: int | None = None
) -> list[DrawnRecord]:
    """Every record of a review's population, in order of stratum and position; with
    ``max_position``, only those up to it in each stratum."""
    query = (
        select(
            RECORDS.c.reference,
            RECORDS.c.stratum,
            RECORDS.c.position,
            RECORDS.c.content_hash,
            RECORDS.c.second_reading,
        )
        .join(
            STRATA,
            (STRATA.c.review_id == RECORDS.c.review_id) & (STRATA.c.name == RECORDS.c.stratum),
        )
        .where(RECORDS.c.review_id == review_id)
        .order_by(STRATA.c.place, RECORDS.c.position)
    )
    if max_position is not None:
        query = query.where(RECORDS.c.position <= max_position)
    return [DrawnRecord(*row) for row in connection.execute(query)]


# -- the state of a review -------------------------------------------------------------------------


def read_review_state(connection: Connection, row: Row[Any]) -> ReviewState:
    """What is known of a review and its sample."""
    review = _make_review(connection, row)
    sizes = {stratum.name: stratum.sample for stratum in review.strata}
    records = [
        record
        for record in read_records(connection, row.id, max(sizes.values()))
        if record.position <= sizes[record.stratum]
    ]
    return ReviewState(
        review=review,
        records=tuple(order_records(records)),
        decisions={
            (decision.reference, decision.reading): decision
            for decision in read_decisions(connection, row.id)
        },
        claims=_read_claims(connection, row.id),
        settling=_read_settling(connection, row.id),
        extended_after=_read_extended_after(connection, row.id),
        ending=_read_ending(connection, row.id),
    )


def find_last_decision(connection: Connection, review_id: int) -> int:
    """The number of the decision that was made last; 0 before the first."""
    query = select(func.max(DECISIONS.c.id)).where(DECISIONS.c.review_id == review_id)
    return connection.execute(query).scalar_one() or 0


def _read_extended_after(connection: Connection, review_id: int) -> frozenset[str]:
    """The records whose second decision was made before the sample got its present size.

    By the numbers of decisions, which grow whatever a clock does; a sample that was set by an older
    foidex has only its time.
    """
    samples = select(SAMPLES.c.set_at, SAMPLES.c.last_decision).where(
        SAMPLES.c.review_id == review_id
    )
    set_at, last_decision = connection.execute(samples.order_by(SAMPLES.c.id.desc()).limit(1)).one()
    query = select(DECISIONS.c.reference).where(
        DECISIONS.c.review_id == review_id,
        DECISIONS.c.reading == int(Reading.SECOND),
        DECISIONS.c.decided_at < set_at
        if last_decision is None
        else DECISIONS.c.id <= last_decision,
    )
    return frozenset(connection.execute(query).scalars())


def _read_ending(connection: Connection, review_id: int) -> Ending | None:
    query = select(ENDINGS.c.reason, ENDINGS.c.ended_at, ENDINGS.c.ended_by).where(
        ENDINGS.c.review_id == review_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Ending(*row)


def read_decisions(connection: Connection, review_id: int) -> list[Decision]:
    """Every decision, the oldest first: those that were replaced, too."""
    query = (
        select(
            DECISIONS.c.reference,
            DECISIONS.c.reading,
            DECISIONS.c.verdict,
            DECISIONS.c.reviewer,
            DECISIONS.c.decided_at,
            DECISIONS.c.content_hash,
            DECISIONS.c.seconds,
        )
        .where(DECISIONS.c.review_id == review_id)
        .order_by(DECISIONS.c.id)
    )
    return [
        Decision(row[0], Reading(row[1]), Verdict(row[2]), *row[3:])
        for row in connection.execute(query)
    ]


def _read_claims(connection: Connection, review_id: int) -> tuple[Claim, ...]:
    query = select(
        CLAIMS.c.reference, CLAIMS.c.reading, CLAIMS.c.reviewer, CLAIMS.c.lapses_at
    ).where(CLAIMS.c.review_id == review_id)
    return tuple(
        Claim(row[0], Reading(row[1]), row[2], row[3]) for row in connection.execute(query)
    )


def _read_settling(connection: Connection, review_id: int) -> frozenset[str]:
    query = select(OPENINGS.c.reference).where(
        OPENINGS.c.review_id == review_id, OPENINGS.c.reading == int(Reading.SETTLING)
    )
    return frozenset(connection.execute(query).scalars())


# -- decisions and claims --------------------------------------------------------------------------


def make_decision_rows(review_id: int, decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """The rows of decisions that were made by one key."""
    batch = secrets.token_hex(_BATCH_BYTES)
    return [
        {
            **msgspec.structs.asdict(decision),
            "reading": int(decision.reading),
            "verdict": decision.verdict.value,
            "review_id": review_id,
            "batch": batch,
        }
        for decision in decisions
    ]


def find_last_batch(
    connection: Connection, review_id: int, reviewer: str, before: int | None
) -> DecisionBatch | None:
    """What a reviewer decided last with one key, or last before the decision of a number."""
    query = (
        select(DECISIONS.c.batch)
        .where(
            DECISIONS.c.review_id == review_id,
            DECISIONS.c.reviewer == reviewer,
            DECISIONS.c.reading.in_(_READER_READINGS),
        )
        .order_by(DECISIONS.c.id.desc())
        .limit(1)
    )
    if before is not None:
        query = query.where(DECISIONS.c.id < before)
    batch = connection.execute(query).scalar_one_or_none()
    if batch is None:
        return None
    rows = connection.execute(
        select(DECISIONS.c.id, DECISIONS.c.reading, DECISIONS.c.reference)
        .where(DECISIONS.c.review_id == review_id, DECISIONS.c.batch == batch)
        .order_by(DECISIONS.c.id)
    ).all()
    return DecisionBatch(rows[0].id, Reading(rows[0].reading), tuple(row.reference for row in rows))


def remove_claims(
    connection: Connection, review_id: int, turn: Turn, only_of: str | None = None
) -> None:
    """Remove who has reserved the records of a turn; with ``only_of``, only that reviewer's."""
    for reference in turn.references:
        query = delete(CLAIMS).where(
            CLAIMS.c.review_id == review_id,
            CLAIMS.c.reference == reference,
            CLAIMS.c.reading == int(turn.reading),
        )
        connection.execute(query if only_of is None else query.where(CLAIMS.c.reviewer == only_of))
