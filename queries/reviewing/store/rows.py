"""Rows of the store as what they stand for, and the other way round. Each function works in the
transaction of the connection that it gets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, func, select

from indexer.errors import ReviewError
from indexer.suggestions import suggest_name
from queries.review.types import (
    Decision,
    DrawnRecord,
    Reading,
    Review,
    Stratum,
)
from queries.reviewing.store.checked_rows import convert_row, make_damage_error, read_rows
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

# -- what every page of a review asks for, made once; each is of the review ``id`` -----------------

_ID: Final[BindParameter[int]] = bindparam("id")

_REVIEW_QUERY: Final = select(REVIEWS).where(REVIEWS.c.name == bindparam("name"))

_LOCKING_REVIEW_QUERY: Final = _REVIEW_QUERY.with_for_update()

_LATEST_SAMPLES: Final = (
    select(SAMPLES.c.stratum, func.max(SAMPLES.c.id).label("id"))
    .where(SAMPLES.c.review_id == _ID)
    .group_by(SAMPLES.c.stratum)
    .subquery()
)

_STRATA_QUERY: Final = (
    select(STRATA.c.name, STRATA.c.population, SAMPLES.c.size.label("sample"))
    .join(_LATEST_SAMPLES, _LATEST_SAMPLES.c.stratum == STRATA.c.name)
    .join(SAMPLES, SAMPLES.c.id == _LATEST_SAMPLES.c.id)
    .where(STRATA.c.review_id == _ID)
    .order_by(STRATA.c.place)
)

_STRATA_NUMBER_QUERY: Final = (
    select(func.count()).select_from(STRATA).where(STRATA.c.review_id == _ID)
)

_RECORDS_QUERY: Final = (
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
    .where(RECORDS.c.review_id == _ID)
    .order_by(STRATA.c.place, RECORDS.c.position)
)

# The strata by name: without them, SQLite looks through the whole population for the first records.
_SAMPLE_QUERY: Final = _RECORDS_QUERY.where(
    RECORDS.c.stratum.in_(bindparam("strata", expanding=True)),
    RECORDS.c.position <= bindparam("most"),
)

_DECISIONS_QUERY: Final = (
    select(
        DECISIONS.c.reference,
        DECISIONS.c.reading,
        DECISIONS.c.verdict,
        DECISIONS.c.reviewer,
        DECISIONS.c.decided_at,
        DECISIONS.c.content_hash,
        DECISIONS.c.seconds,
    )
    .where(DECISIONS.c.review_id == _ID)
    .order_by(DECISIONS.c.id)
)

_CLAIMS_QUERY: Final = select(
    CLAIMS.c.reference, CLAIMS.c.reading, CLAIMS.c.reviewer, CLAIMS.c.lapses_at
).where(CLAIMS.c.review_id == _ID)

_SETTLING_QUERY: Final = select(OPENINGS.c.reference).where(
    OPENINGS.c.review_id == _ID, OPENINGS.c.reading == int(Reading.SETTLING)
)

_LAST_SAMPLE_QUERY: Final = (
    select(SAMPLES.c.set_at, SAMPLES.c.last_decision)
    .where(SAMPLES.c.review_id == _ID)
    .order_by(SAMPLES.c.id.desc())
    .limit(1)
)

_SECOND_QUERY: Final = select(DECISIONS.c.reference).where(
    DECISIONS.c.review_id == _ID, DECISIONS.c.reading == int(Reading.SECOND)
)

_SECOND_BY_TIME_QUERY: Final = _SECOND_QUERY.where(DECISIONS.c.decided_at < bindparam("set_at"))

_SECOND_BY_NUMBER_QUERY: Final = _SECOND_QUERY.where(DECISIONS.c.id <= bindparam("last"))

_ENDING_QUERY: Final = select(ENDINGS.c.reason, ENDINGS.c.ended_at, ENDINGS.c.ended_by).where(
    ENDINGS.c.review_id == _ID
)


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
    query = _LOCKING_REVIEW_QUERY if lock else _REVIEW_QUERY
    return connection.execute(query, {"name": name}).one_or_none()


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
    fields = {
        "name": row.name,
        "request_reference": row.request_reference,
        "request_hash": row.request_hash,
        "number": row.number,
        "criterion": row.criterion,
        "seed": row.seed,
        "generation": row.generation,
        "confidence": row.confidence,
        "second_share": row.second_share,
        "strata": read_strata(connection, row.id),
        "column": row.column_name,
        "by": row.strata_by,
        "records": row.records_kind,
    }
    return convert_row(fields, Review)


def read_strata(connection: Connection, review_id: int) -> tuple[Stratum, ...]:
    """The strata of a review, with the sample that was set last of each. Raises ReviewError if
    there is none, or one has no sample."""
    strata = read_rows(connection, _STRATA_QUERY, {"id": review_id}, Stratum)
    number = connection.execute(_STRATA_NUMBER_QUERY, {"id": review_id}).scalar_one()
    if not strata or len(strata) != number:
        raise make_damage_error("review")
    return tuple(strata)


def read_records(connection: Connection, review_id: int) -> list[DrawnRecord]:
    """Every record of a review's population, in order of stratum and position."""
    return read_rows(connection, _RECORDS_QUERY, {"id": review_id}, DrawnRecord)


def read_sample(
    connection: Connection, review_id: int, strata: Sequence[Stratum]
) -> tuple[DrawnRecord, ...]:
    """The records of the samples that the store has, in the order in which they are read."""
    sizes = {stratum.name: stratum.sample for stratum in strata}
    parameters = {"id": review_id, "strata": [*sizes], "most": max(sizes.values())}
    records = read_rows(connection, _SAMPLE_QUERY, parameters, DrawnRecord)
    return tuple(order_records([one for one in records if one.position <= sizes[one.stratum]]))


# -- the state of a review -------------------------------------------------------------------------


def read_review_state(connection: Connection, row: Row[Any]) -> ReviewState:
    """What is known of a review and its sample. Raises ReviewError if a record of it is missing:
    the numbers would be those of another sample."""
    review = _make_review(connection, row)
    history = read_decisions(connection, row.id)
    records = read_sample(connection, row.id, review.strata)
    if len(records) != sum(stratum.sample for stratum in review.strata):
        raise make_damage_error("sample")
    return ReviewState(
        review=review,
        records=records,
        history=tuple(history),
        decisions={(decision.reference, decision.reading): decision for decision in history},
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
    set_at, last_decision = connection.execute(_LAST_SAMPLE_QUERY, {"id": review_id}).one()
    if last_decision is None:
        rows = connection.execute(_SECOND_BY_TIME_QUERY, {"id": review_id, "set_at": set_at})
    else:
        rows = connection.execute(_SECOND_BY_NUMBER_QUERY, {"id": review_id, "last": last_decision})
    return frozenset(rows.scalars())


def _read_ending(connection: Connection, review_id: int) -> Ending | None:
    row = connection.execute(_ENDING_QUERY, {"id": review_id}).one_or_none()
    return None if row is None else convert_row(row, Ending)


def read_decisions(connection: Connection, review_id: int) -> list[Decision]:
    """Every decision, the oldest first: those that were replaced, too."""
    return read_rows(connection, _DECISIONS_QUERY, {"id": review_id}, Decision)


def _read_claims(connection: Connection, review_id: int) -> tuple[Claim, ...]:
    return tuple(read_rows(connection, _CLAIMS_QUERY, {"id": review_id}, Claim))


def _read_settling(connection: Connection, review_id: int) -> frozenset[str]:
    return frozenset(connection.execute(_SETTLING_QUERY, {"id": review_id}).scalars())


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
