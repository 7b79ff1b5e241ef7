"""How far reviews are: all of them, one, its list to keep, and the end of second readings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import ReviewError
from queries.review.summary import summarise_elusion, summarise_review
from queries.review.types import ReviewedRecords
from queries.review.verdict import ReviewStatus
from queries.reviewing.decision_file import format_decisions
from queries.reviewing.progress import ReviewProgress
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.turns import GONE, ReviewState, choose_turn, format_time
from queries.workbench.error_text import describe_error
from queries.workbench.forms.request_form import name_request_file
from queries.workbench.pages.answers.chosen_reviews import (
    count_verdicts,
    describe_number,
    has_small_counts,
)
from queries.workbench.pages.answers.documents import send_file
from queries.workbench.pages.reviews.opening import (
    make_audit_arguments,
    make_audit_fields,
    make_review_address,
    open_reader,
    open_review,
    open_review_store,
)
from queries.workbench.visit import Visit, redirect

_MAX_REASON: Final = 200


class ShownResult(Struct, frozen=True):
    """What a review that is finished says: its counts, and how many of all may be relevant.

    ``is_small`` says that publishing withholds it.
    """

    relevant: int
    others: int
    undecided: int
    range: str
    is_small: bool


class ShownReview(Struct, frozen=True):
    """A review in the list, with how far it is."""

    stored: StoredReview
    progress: ReviewProgress


def list_reviews(visit: Visit) -> Response:
    """Every review, the newest first."""
    reviews = []
    store = open_review_store(visit)
    if stored_reviews := store.list_reviews()[::-1]:  # a server is started only for these
        with visit.session.client() as client:
            for stored in stored_reviews:
                reader = open_reader(visit, client, store, stored)
                _, progress = reader.measure_progress(store)
                reviews.append(ShownReview(stored, progress))
    return visit.render("reviews.html", reviews=reviews)


def show_review(visit: Visit) -> Response:
    """How far a review is, and what is next."""
    with open_review(visit) as review:
        state, progress = review.reader.measure_progress(review.store)
        turn = choose_turn(
            state, visit.person.name, format_time(datetime.now(UTC)), review.reader.current_hashes
        )
    return visit.render(
        "review.html",
        is_left=turn is not None,
        place=describe_number(review.stored.review),
        numbers=_find_numbers(visit, review.stored),
        stored=review.stored,
        progress=progress,
        result=_find_result(visit, review.reader.current_hashes, state),
        ending=state.ending,
        waits_for_second=not state.is_unblinded,
    )


def _find_result(
    visit: Visit, changed_hashes: Mapping[str, str], state: ReviewState
) -> ShownResult | None:
    """What a review says, once all second readings are done; None before that."""
    if not state.is_unblinded:
        return None
    hashes = {record.reference: record.content_hash for record in state.records}
    hashes = {name: text for name, text in {**hashes, **changed_hashes}.items() if text != GONE}
    verdicts = count_verdicts(state, hashes)
    relevant, others = verdicts[ReviewStatus.RELEVANT], verdicts[ReviewStatus.NOT_RELEVANT]
    minimum = visit.session.settings.disclosure.minimum_group
    return ShownResult(
        relevant,
        others,
        verdicts.total() - relevant - others,
        _estimate(state, hashes),
        has_small_counts(state.review, verdicts, minimum),
    )


def _estimate(state: ReviewState, hashes: Mapping[str, str]) -> str:
    """How many of all records may be relevant, in words."""
    decisions = [*state.decisions.values()]
    if state.review.records is not ReviewedRecords.MENTIONS:
        bound = summarise_elusion(state.review, state.records, decisions, hashes)
        return f"{bound.at_most:,} at most, of {bound.population:,}"
    total = summarise_review(state.review, state.records, decisions, hashes).total
    assert total.range
    low, high = total.range.low, total.range.high
    return (
        f"{low:,} of {total.mentioned:,}"
        if low == high
        else (f"between {low:,} and {high:,} of {total.mentioned:,}")
    )


def _find_numbers(visit: Visit, stored: StoredReview) -> str:
    """The address of the page of the numbers that a review is about; empty if it is not known."""
    name = name_request_file(stored.review.request_reference)
    is_here = name in visit.workbench.requests.list_stamps()
    return f"/requests/{name}/answer" if is_here else ""


def show_ending(visit: Visit) -> Response:
    """The form that ends second readings for good."""
    return _show_ending(visit, "")


def end_second_readings(visit: Visit) -> Response:
    """Have no further second reading made, with the reason that is recorded."""
    reason = " ".join(visit.form.get("reason", "").split())
    if not reason:
        return _show_ending(visit, "Say why nobody can make the second readings")
    if len(reason) > _MAX_REASON or not reason.isprintable():
        return _show_ending(visit, f"Say it in {_MAX_REASON} characters or fewer")
    store = open_review_store(visit)
    stored = store.find(visit.parameters["review"])
    with visit.session.run("review end-second-readings") as run:
        run.add_fields(**make_audit_fields(stored), arguments=make_audit_arguments(stored))
        run.write()
        try:
            store.end_second_readings(stored.review.name, visit.person.name, reason)
        except ReviewError as error:
            return _say_not_ended(visit, error)
    return redirect(make_review_address(stored.review.name))


def export_decisions(visit: Visit) -> Response:
    """The draw and the decisions as a file, from which anyone can check them."""
    store = open_review_store(visit)
    stored = store.find(visit.parameters["review"])
    review = stored.review
    with visit.session.run("review export") as run:
        run.add_fields(**make_audit_fields(stored), arguments=make_audit_arguments(stored))
        population = store.list_population(review.name)
        text = format_decisions(store.read_state(review.name), population)
        run.write(generation=review.generation, records=len(population))
    return send_file("review.csv", text.encode())


def _show_ending(visit: Visit, problem: str) -> Response:
    store = open_review_store(visit)
    stored = store.find(visit.parameters["review"])
    state = store.read_state(stored.review.name)
    if state.is_unblinded:  # nothing is left to end
        return redirect(make_review_address(stored.review.name))
    return visit.render(
        "end_second_readings.html",
        422 if problem else 200,
        stored=stored,
        missing=state.count_missing_seconds(),
        values={"reason": visit.form.get("reason", "")},
        problems={"reason": problem} if problem else {},
    )


def _say_not_ended(visit: Visit, error: ReviewError) -> Response:
    return visit.render(
        "message.html", 409, heading="Nothing was ended", message=describe_error(error)
    )
