"""What the commands of a review share: their names, who runs them, and what is logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.errors import ReviewError
from indexer.session import get_session

if TYPE_CHECKING:
    from queries.review.types import Review
    from queries.reviewing.store.review_store import ReviewStore
    from queries.reviewing.store.rows import StoredReview

NameArgument = Annotated[
    str | None,
    typer.Argument(help="The name of the review; may be left out if there is only one."),
]


@contextmanager
def open_session_store(*, create: bool = False) -> Iterator[ReviewStore]:
    """The store that foidex.toml names; with ``create``, it is made where it is missing.

    Raises ConfigurationError and ReviewError.
    """
    from queries.reviewing.configured_store import open_configured_store, open_existing_store

    session = get_session()
    open_store = open_configured_store if create else open_existing_store
    with open_store(session.settings, session.progress) as store:
        yield store


def find_review(store: ReviewStore, name: str | None) -> StoredReview:
    """The review of a name, or the only one. Raises ReviewError."""
    if name is not None:
        return store.find(name)
    reviews = store.list_reviews()
    if len(reviews) == 1:
        return reviews[0]
    if not reviews:
        return store.find("")  # says how to start one
    names = ", ".join(stored.review.name for stored in reviews[-10:])
    raise ReviewError(f"there are {len(reviews):,} reviews. Name one of them: {names}.")


def require_reviewing_user() -> str:
    """The user who runs the command. Raises ReviewError for one who may not review."""
    from queries.reviewing.configured_store import find_user, require_reviewer

    settings = get_session().settings
    user = find_user(settings)
    require_reviewer(settings, user)
    return user


def warn_of_single_reviewer() -> None:
    """Say that second readings need another person, if foidex.toml lists only one."""
    reviewers = get_session().settings.review.reviewers
    if len(set(reviewers or ())) == 1:
        get_session().progress.say(
            f"[review] reviewers of foidex.toml lists {reviewers[0]} only, and a second reading "
            "needs another person. Add one there, or start the review with --second 0%: without "
            "second readings or a decision to end them, nothing is answered."
        )


def describe_records(review: Review, number: str) -> str:
    """Which records a review is of: those of a number, or some beside it."""
    kind = review.records.value
    if kind == "mentions":
        return number
    return f"the records beside {number} that are {kind}"


def make_audit_fields(stored: StoredReview) -> dict[str, Any]:
    """The fields of the audit log for a command about a review."""
    review = stored.review
    return {"reference": review.request_reference, "request": review.request_hash}


def make_audit_arguments(stored: StoredReview) -> dict[str, Any]:
    """What was asked for, for the audit log: which review, and of which number."""
    review = stored.review
    return {"review": review.name, "row": review.number, "column": review.column}
