"""The reviews of a request, offered beside its answer, and those that a form chose."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct

from indexer.errors import ConfigurationError, ReviewError
from queries.review.types import Review
from queries.reviewing.configured_store import open_kept_store
from queries.reviewing.progress import ReviewProgress, measure_progress
from queries.tables.table_query import TOTAL_KEY
from queries.workbench.files.answer_sets import find_answer_set, read_set_answer
from queries.workbench.visit import Visit

_FIELD = "review-"


class OfferedReview(Struct, frozen=True):
    """A review of a number of a request. It is ready once all second readings are done."""

    name: str
    number: str
    number_words: str
    criterion: str
    progress: ReviewProgress
    is_ready: bool

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
        return [*_list_reviews(visit, reference)]
    except (ConfigurationError, ReviewError):  # the page of reviews says why
        return []


def read_chosen_reviews(visit: Visit) -> tuple[str, ...]:
    """The names of the reviews whose boxes in a form are ticked."""
    return tuple(name.removeprefix(_FIELD) for name in visit.form if name.startswith(_FIELD))


def list_answered_reviews(visit: Visit, file_name: str) -> Collection[str]:
    """The names of the reviews in the officer's own answer of now."""
    answer_set = find_answer_set(visit.workbench.requests, file_name, "answer")
    if answer_set is None:
        return ()
    return [review.name for review in read_set_answer(answer_set).reviews]


def _list_reviews(visit: Visit, reference: str) -> Iterator[OfferedReview]:
    session = visit.session
    store = open_kept_store(session.settings, session.progress, visit.workbench.review_database)
    for stored in store.list_reviews():
        review = stored.review
        if review.request_reference != reference:
            continue
        if stored.alias != session.settings.index.alias:
            continue
        state = store.read_state(review.name)
        yield OfferedReview(
            review.name,
            f"{review.number} {review.column}".rstrip(),
            describe_number(review),
            review.criterion,
            measure_progress(state),
            state.is_unblinded,
        )
