"""Reviews in the store: made, read, reserved, decided. Nothing that was written is changed.

Whatever changes a review locks it first, so that two people never reserve the same record: on
SQLite one transaction writes at a time, on PostgreSQL the row of the review is locked. Whose turn
it is, is decided in ``queries.reviewing.turns``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, func, insert, select

from indexer.errors import ReviewError
from queries.review.types import Decision, DrawnRecord, Reading, Stratum, Verdict
from queries.reviewing.store.approval_store import ApprovalStore
from queries.reviewing.store.database import ReviewDatabase, open_database
from queries.reviewing.store.rows import (
    StoredReview,
    find_last_batch,
    find_last_decision,
    find_review_row,
    make_decision_rows,
    make_review_row,
    make_stored_review,
    read_decisions,
    read_records,
    read_review_state,
    read_sample,
    read_strata,
    remove_claims,
    require_review_row,
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
from queries.reviewing.turns import Ending, ReviewState, Turn, choose_turn, format_time, list_fixed

_STAMPS_QUERY: Final = select(
    REVIEWS.c.name,
    *(
        select(func.max(table.c.id)).where(table.c.review_id == REVIEWS.c.id).scalar_subquery()
        for table in (DECISIONS, SAMPLES, ENDINGS)
    ),
).order_by(REVIEWS.c.id.desc())


class TurnLostError(ReviewError):
    """A decision came too late: meanwhile the record was read by another reviewer."""


class Judgement(Struct, frozen=True):
    """A verdict on the records of a turn: in how many seconds, and the content hash of what was
    shown, by reference."""

    verdict: Verdict
    seconds: int | None
    content_hashes: Mapping[str, str]


def get_utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class ReviewStore:
    """The reviews of a database, and its ``approvals`` of texts. ``lease`` is how long a record
    stays reserved; ``clock`` gives the time in UTC."""

    def __init__(
        self,
        database: ReviewDatabase,
        lease: timedelta = timedelta(minutes=30),
        clock: Callable[[], datetime] = get_utc_now,
    ) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self.approvals = ApprovalStore(database, clock)

    # -- reviews -----------------------------------------------------------------------------------

    def create(self, stored: StoredReview, records: Sequence[DrawnRecord]) -> None:
        """Store a new review with every record of its population, in the order that was drawn.

        Raises ReviewError if there is a review of the name.
        """
        review = stored.review
        with self._database.write() as connection:
            if find_review_row(connection, review.name) is not None:
                raise ReviewError(
                    f'there is a review "{review.name}" already. Give this one another name with '
                    "--name."
                )
            review_id = connection.execute(
                insert(REVIEWS).returning(REVIEWS.c.id), make_review_row(stored)
            ).scalar_one()
            strata = [
                {"review_id": review_id, "name": stratum.name, "place": place,
                 "population": stratum.population}
                for place, stratum in enumerate(review.strata)
            ]  # fmt: skip
            connection.execute(insert(STRATA), strata)
            connection.execute(
                insert(RECORDS),
                [{"review_id": review_id, **msgspec.structs.asdict(record)} for record in records],
            )
            self._set_samples(connection, review_id, review.strata, stored.created_by)

    def list_reviews(self) -> list[StoredReview]:
        """Every review, the oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(REVIEWS).order_by(REVIEWS.c.id)).all()
            return [make_stored_review(connection, row) for row in rows]

    def list_stamps(self) -> dict[str, tuple[int | None, ...]]:
        """A stamp of each review, the newest first: another one once it has another decision,
        sample or ending."""
        with self._database.read() as connection:
            return {row[0]: tuple(row[1:]) for row in connection.execute(_STAMPS_QUERY)}

    def find(self, name: str) -> StoredReview:
        """A review by its name. Raises ReviewError, with the closest name."""
        with self._database.read() as connection:
            return make_stored_review(connection, require_review_row(connection, name))

    def read_state(self, name: str) -> ReviewState:
        """What is known of a review and its sample. Raises ReviewError."""
        with self._database.read() as connection:
            return read_review_state(connection, require_review_row(connection, name))

    def list_decisions(self, name: str) -> list[Decision]:
        """Every decision of a review, the oldest first: those that were replaced, too."""
        with self._database.read() as connection:
            return read_decisions(connection, require_review_row(connection, name).id)

    def list_population(self, name: str) -> list[DrawnRecord]:
        """Every record that the sample is drawn from, in order of stratum and position."""
        with self._database.read() as connection:
            row = require_review_row(connection, name)
            return read_records(connection, row.id)

    def extend(self, name: str, strata: Sequence[Stratum], user: str) -> ReviewState:
        """Set larger samples; the records read so far stay part of them. Raises ReviewError."""
        with self._locked(name) as (connection, row):
            current = {stratum.name: stratum for stratum in read_strata(connection, row.id)}
            for stratum in strata:
                known = current.get(stratum.name)
                if known is None or not known.sample <= stratum.sample <= known.population:
                    raise ReviewError(
                        f'"{name}": a sample can only become larger, up to its population. Give a '
                        "larger number with --sample."
                    )
            self._set_samples(connection, row.id, strata, user)
            new_strata = read_strata(connection, row.id)
            sample_size = sum(stratum.sample for stratum in new_strata)
            if len(read_sample(connection, row.id, new_strata)) < sample_size:
                raise ReviewError(
                    f'"{name}": of records beside a number only the first of the order are kept, '
                    f"and a sample of {sample_size:,} is more. Give a smaller number with --sample."
                )
            return read_review_state(connection, row)

    def _set_samples(
        self, connection: Connection, review_id: int, strata: Sequence[Stratum], user: str
    ) -> None:
        set_at, last_decision = self._format_now(), find_last_decision(connection, review_id)
        rows = [
            {"review_id": review_id, "stratum": stratum.name, "size": stratum.sample,
             "set_at": set_at, "set_by": user, "last_decision": last_decision}
            for stratum in strata
        ]  # fmt: skip
        connection.execute(insert(SAMPLES), rows)

    def end_second_readings(self, name: str, user: str, reason: str) -> int:
        """Have no further second reading made, for good. Returns how many records of the sample
        are not read a second time. Raises ReviewError where none is missing, or it was done."""
        with self._locked(name) as (connection, row):
            state = read_review_state(connection, row)
            if state.ending is not None:
                raise ReviewError(
                    f'second readings of "{name}" were ended already, by {state.ending.ended_by} '
                    f"on {state.ending.ended_at[:10]}. There is nothing left to end."
                )
            missing = state.count_missing_seconds()
            if not missing:
                raise ReviewError(
                    f'no second reading of "{name}" is missing, so there is nothing to end.'
                )
            ending = Ending(reason, self._format_now(), user)
            connection.execute(
                insert(ENDINGS), {"review_id": row.id, **msgspec.structs.asdict(ending)}
            )
            return missing

    # -- reading -----------------------------------------------------------------------------------

    def claim(
        self,
        name: str,
        reviewer: str,
        current_hashes: Mapping[str, str] | None = None,
        *,
        settle: bool = False,
    ) -> Turn | None:
        """Reserve what a reviewer reads next, and note that it was opened. None if there is
        nothing. ``current_hashes`` is as in ReviewState.list_readings. Raises ReviewError."""
        return self.claim_in_state(name, reviewer, current_hashes, settle=settle)[0]

    def claim_in_state(
        self,
        name: str,
        reviewer: str,
        current_hashes: Mapping[str, str] | None = None,
        *,
        settle: bool = False,
    ) -> tuple[Turn | None, ReviewState]:
        """The same, and what was known of the review when it was chosen."""
        with self._locked(name) as (connection, row):
            state = read_review_state(connection, row)
            turn = choose_turn(state, reviewer, self._format_now(), current_hashes, settle=settle)
            if turn is not None:
                self._reserve(connection, row.id, turn)
            return turn, state

    def reopen(self, name: str, reviewer: str, before: int | None = None) -> tuple[int, Turn]:
        """Reserve again what a reviewer decided last, or last before the decision ``before``.

        Returns the number of that decision, to go back further, and the turn. Raises ReviewError
        if there is none, or it may not be changed any more.
        """
        with self._locked(name) as (connection, row):
            batch = find_last_batch(connection, row.id, reviewer, before)
            if batch is None:
                raise ReviewError("there is no decision of yours before this one.")
            state = read_review_state(connection, row)
            if list_fixed(state, batch.references, batch.reading):
                raise ReviewError(
                    "the decision before cannot be changed any more: the record was read by "
                    "another reviewer, all second readings are done, or it was settled."
                )
            records = tuple(
                record for record in state.records if record.reference in batch.references
            )
            turn = Turn(name, batch.reading, reviewer, records, is_change=True)
            self._reserve(connection, row.id, turn)
            return batch.number, turn

    def release(self, turn: Turn) -> None:
        """Let others have the records of a turn that was not decided."""
        with self._locked(turn.review) as (connection, row):
            remove_claims(connection, row.id, turn, only_of=turn.reviewer)

    def decide(
        self, turn: Turn, judgement: Judgement, current_hashes: Mapping[str, str] | None = None
    ) -> None:
        """Store a decision on each record of a turn. It is on the disk when this returns.

        Raises TurnLostError where the reading is no longer this reviewer's to do.
        """
        with self._locked(turn.review) as (connection, row):
            state = read_review_state(connection, row)
            if not self._is_still_open(state, turn, current_hashes):
                raise TurnLostError(
                    "this record was read by another reviewer meanwhile, because it was reserved "
                    "for you only for a time, or second readings were ended. Your decision on it "
                    "is not stored."
                )
            now = self._format_now()
            connection.execute(
                insert(DECISIONS),
                make_decision_rows(
                    row.id,
                    [
                        Decision(
                            record.reference,
                            turn.reading,
                            judgement.verdict,
                            turn.reviewer,
                            now,
                            judgement.content_hashes.get(record.reference, record.content_hash),
                            judgement.seconds,
                        )
                        for record in turn.records
                    ],
                ),
            )
            remove_claims(connection, row.id, turn)

    def add_decisions(
        self, name: str, choose_decisions: Callable[[ReviewState], Sequence[Decision]]
    ) -> int:
        """Store the decisions, made elsewhere, that a function chooses; all of them, or none if it
        raises an error. Returns their number. Raises ReviewError."""
        with self._locked(name) as (connection, row):
            decisions = choose_decisions(read_review_state(connection, row))
            for decision in decisions:
                connection.execute(insert(DECISIONS), make_decision_rows(row.id, [decision]))
            return len(decisions)

    def _is_still_open(
        self, state: ReviewState, turn: Turn, current_hashes: Mapping[str, str] | None
    ) -> bool:
        """Whether the reading of every record of a turn is still to be done by its reviewer."""
        now = self._format_now()
        others = {
            claim.reference
            for claim in state.claims
            if claim.reading is turn.reading
            and claim.reviewer != turn.reviewer
            and claim.is_live(now)
        }
        if others & {*turn.references}:
            return False
        if turn.is_change:
            own = all(
                (decision := state.decisions.get((reference, turn.reading)))
                and decision.reviewer == turn.reviewer
                for reference in turn.references
            )
            return own and not list_fixed(state, turn.references, turn.reading)
        readings = {one.record.reference: one for one in state.list_readings(current_hashes)}
        if turn.reading is Reading.SETTLING:
            return all(readings[reference].needs_settling for reference in turn.references)
        return all(
            readings[reference].find_open_reading(turn.reviewer) is turn.reading
            for reference in turn.references
        )

    def _reserve(self, connection: Connection, review_id: int, turn: Turn) -> None:
        remove_claims(connection, review_id, turn)
        now = self._clock()
        shared = {"review_id": review_id, "reading": int(turn.reading), "reviewer": turn.reviewer}
        lapses_at, opened_at = format_time(now + self._lease), format_time(now)
        connection.execute(
            insert(CLAIMS),
            [{**shared, "reference": one, "lapses_at": lapses_at} for one in turn.references],
        )
        connection.execute(
            insert(OPENINGS),
            [{**shared, "reference": one, "opened_at": opened_at} for one in turn.references],
        )

    @contextmanager
    def _locked(self, name: str) -> Iterator[tuple[Connection, Row[Any]]]:
        """A transaction in which nobody else changes the review."""
        with self._database.write() as connection:
            yield connection, require_review_row(connection, name, lock=True)

    def _format_now(self) -> str:
        return format_time(self._clock())


@contextmanager
def open_store(
    url_text: str, folder: Path = Path(), lease: timedelta = timedelta(minutes=30)
) -> Iterator[ReviewStore]:
    """Open the store at a SQLAlchemy URL or in a file; see ``open_database``."""
    with open_database(url_text, folder) as database:
        yield ReviewStore(database, lease)
