"""Reviews for tests: a population, a sample of it, and a clock that a test sets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from queries.evidence.population import PopulationRecord, hash_text
from queries.review.types import DrawnRecord, Review, Verdict
from queries.reviewing.start import Draw, draw_population
from queries.reviewing.store.review_store import Judgement, ReviewStore
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.strata_kind import StrataKind
from queries.reviewing.turns import Turn

SEED = "a seed of the tests"


class Clock:
    """The time as a test sets it."""

    def __init__(self) -> None:
        self.now = datetime(2024, 3, 4, 9, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_minutes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


def make_population(number: int, same_text: Sequence[int] = ()) -> list[PopulationRecord]:
    """Records with a text each; those of the numbers ``same_text`` have one and the same."""
    return [
        PopulationRecord(
            f"SYN-{one:04}",
            date(2023, 1 + one % 12, 1),
            ("22B", "88E", "19C")[one % 3],
            hash_text([f"text {'of several' if one in same_text else one}"]),
        )
        for one in range(number)
    ]


def make_review(
    name: str = "FOI-1-Q1",
    population: Sequence[PopulationRecord] | None = None,
    sample: int | None = 10,
    second_share: Fraction = Fraction(1, 5),
    by: StrataKind | None = None,
) -> tuple[StoredReview, list[DrawnRecord]]:
    """A review as it is stored when it begins, and its population."""
    records = make_population(30) if population is None else population
    strata, drawn = draw_population(records, Draw(sample, by, second_share, SEED))
    review = Review(
        name=name,
        request_reference="FOI/1",
        request_hash="0" * 64,
        number="Q1:total",
        criterion="The app was used to make contact.",
        seed=SEED,
        generation="crimes-1",
        confidence=0.95,
        second_share=float(second_share),
        strata=strata,
        by=by or "",
    )
    stored = StoredReview(
        review=review,
        alias="crimes",
        request="{}",
        created_at="2024-03-04T08:00:00Z",
        created_by="officer",
    )
    return stored, drawn


def judge(turn: Turn, verdict: Verdict = Verdict.RELEVANT, seconds: int | None = 60) -> Judgement:
    """A verdict on the texts of a turn as they were drawn."""
    return Judgement(
        verdict, seconds, {record.reference: record.content_hash for record in turn.records}
    )


def read_next(
    store: ReviewStore, name: str, reviewer: str, verdict: Verdict = Verdict.RELEVANT
) -> Turn | None:
    """Read what is next, decide, and return it."""
    turn = store.claim(name, reviewer)
    if turn is not None:
        store.decide(turn, judge(turn, verdict))
    return turn


def read_all(
    store: ReviewStore, name: str, reviewer: str, verdict: Verdict = Verdict.RELEVANT
) -> list[Turn]:
    """Read until nothing is left for a reviewer."""
    turns = []
    while turn := read_next(store, name, reviewer, verdict):
        turns.append(turn)
    return turns
