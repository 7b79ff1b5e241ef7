"""The reviews of a request, offered beside its answer, and those that a form chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct

from indexer.errors import ConfigurationError, ReviewError
from queries.review.types import Review, ReviewedRecords
from queries.review.verdict import ReviewStatus, read_decisions
from queries.reviewing.configured_store import open_kept_store
from queries.reviewing.progress import ReviewProgress, measure_progress
from queries.reviewing.store.review_store import ReviewStore
from queries.reviewing.turns import ReviewState
from queries.tables.table_query import TOTAL_KEY
from queries.workbench.files.answer_sets import (
    ANSWER_KINDS,
    AnswerSet,
    find_answer_set,
    read_set_answer,
)
from queries.workbench.visit import Visit

_FIELD = "review-"


class OfferedReview(Struct, frozen=True):
    """A review of a request, its number in words. It is ready once second readings are done.

    ``is_small`` says that publishing withholds its result.
    """

    name: str
    number: str
    criterion: str
    progress: ReviewProgress
    is_ready: bool
    is_small: bool

    @property
    def field(self) -> str:
        """The name of its box in a form."""
        return _FIELD + self.name


def describe_number(review: Review) -> str:
    """The number that a review is about, in words."""
    question, _, row = review.number.partition(":")
    places = ["the total" if row == TOTAL_KEY else f"row {row}"]
    places += [f"column {review.column}"] if review.column else []
    return f"Question {question}, {', '.join(places)}"


def list_offered_reviews(visit: Visit, reference: str) -> list[OfferedReview]:
    """The reviews of a request, the oldest first; none where reviews are not set up."""
    try:
        store = _open_store(visit)
        minimum = visit.session.settings.disclosure.minimum_group
        return [
            _offer_review(review, store.read_state(review.name), minimum)
            for review in _list_reviews(visit, store, reference)
        ]
    except (ConfigurationError, ReviewError):  # the page of reviews says why
        return []


def find_last_criterion(visit: Visit, reference: str, number: str, column: str) -> str:
    """The criterion of the newest review of a number; empty if there is none, or none is known."""
    try:
        reviews = _list_reviews(visit, _open_store(visit), reference)
    except (ConfigurationError, ReviewError):
        return ""
    criteria = [
        review.criterion for review in reviews if (review.number, review.column) == (number, column)
    ]
    return criteria[-1] if criteria else ""


def read_chosen_reviews(visit: Visit) -> tuple[str, ...]:
    """The names of the reviews whose boxes in a form are ticked."""
    return tuple(name.removeprefix(_FIELD) for name in visit.form if name.startswith(_FIELD))


def list_answered_reviews(visit: Visit, file_name: str) -> Collection[str]:
    """The names of the reviews in the newest answer: the officer's own, or the published one."""
    answer_sets = (
        find_answer_set(visit.workbench.requests, file_name, kind) for kind in ANSWER_KINDS
    )
    newest = max(filter(None, answer_sets), key=_order_set, default=None)
    return [review.name for review in read_set_answer(newest).reviews] if newest else ()


def _order_set(answer_set: AnswerSet) -> tuple[datetime, str]:
    """By the second of its count; what was counted to be published was counted after your own."""
    return answer_set.run_at, answer_set.kind


def _open_store(visit: Visit) -> ReviewStore:
    session = visit.session
    return open_kept_store(session.settings, session.progress, visit.workbench.review_database)


def _list_reviews(visit: Visit, store: ReviewStore, reference: str) -> list[Review]:
    alias = visit.session.settings.index.alias
    return [
        stored.review
        for stored in store.list_reviews()
        if stored.review.request_reference == reference and stored.alias == alias
    ]


def count_verdicts(
    state: ReviewState, hashes: Mapping[str, str] | None = None
) -> Counter[ReviewStatus]:
    """What the decisions come to, for how many records; ``hashes`` as ``read_decisions``."""
    readings = read_decisions(state.records, [*state.decisions.values()], hashes)
    return Counter(reading.status for reading in readings)


def has_small_counts(review: Review, verdicts: Counter[ReviewStatus], minimum: int) -> bool:
    """Whether publishing withholds a result, as a count of it is smaller than may be given."""
    relevant, others = verdicts[ReviewStatus.RELEVANT], verdicts[ReviewStatus.NOT_RELEVANT]
    if review.records is not ReviewedRecords.MENTIONS:
        return 0 < relevant < minimum
    counts = (relevant, others)
    return any(0 < count < minimum for count in counts) or sum(counts) < minimum


def _offer_review(review: Review, state: ReviewState, minimum: int) -> OfferedReview:
    is_ready = state.is_unblinded
    return OfferedReview(
        review.name,
        describe_number(review),
        review.criterion,
        measure_progress(state),
        is_ready,
        is_ready and has_small_counts(review, count_verdicts(state), minimum),
    )
