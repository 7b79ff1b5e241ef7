"""Whether the store of reviews still says what an answer says of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Final

from elasticsearch import Elasticsearch

from indexer.errors import ConfigurationError, ReviewError
from indexer.session import Session
from queries.answer.types import Answer
from queries.answering.stored_reviews import summarise_stored_review
from queries.review.result import Elusion, ReviewResult
from queries.reviewing.configured_store import open_existing_store
from queries.reviewing.turns import format_time

if TYPE_CHECKING:
    from queries.reviewing.store.review_store import ReviewStore

_COUNTS: Final = {
    "sampled": "in the sample",
    "relevant": "relevant",
    "not_relevant": "not relevant",
    "undecided": "undecided",
    "stale": "with a text that changed since",
    "unread": "not read",
}


def explain_stored_reviews(session: Session, client: Elasticsearch, answer: Answer) -> list[str]:
    """For each review of an answer: what the store has now, and what moved; or why nobody knows.

    Raises as ``read_text_hashes``.
    """
    if not answer.reviews:
        return []
    try:
        with open_existing_store(session.settings, session.progress) as store:
            return [
                sentence
                for review in answer.reviews
                for sentence in _compare_review(session, client, answer, store, review)
            ]
    except (ConfigurationError, ReviewError) as error:
        return [
            "The decisions of its reviews were not compared with the store, so they may have "
            f"changed since: {error}"
        ]


def _compare_review(
    session: Session,
    client: Elasticsearch,
    answer: Answer,
    store: ReviewStore,
    review: ReviewResult,
) -> Iterator[str]:
    alias = session.settings.index.alias
    parts: list[tuple[str, ReviewResult | Elusion]] = [(review.name, review)]
    parts += [(elusion.name, elusion) for elusion in review.elusion if elusion.name]
    for name, earlier in parts:
        try:
            now = summarise_stored_review(store, client, alias, name)
        except ReviewError as error:
            yield f'The review "{name}" was not compared with the store: {error}'
            continue
        found = now if isinstance(now, ReviewResult) else now.elusion
        moved = [*_list_moves(earlier, found)]
        run_at = format_time(answer.provenance.run_at.astimezone(UTC))
        added = sum(one.decided_at > run_at for one in store.list_decisions(name))
        since = f", {added:,} of them decided since the answer" if added else ""
        yield (
            f'The decisions of the review "{name}" are other ones in the store now{since}: '
            f"{'; '.join(moved)}. Answer the request again with --review to state them."
            if moved
            else f'The store has the same result of the review "{name}" now.'
        )


def _list_moves(earlier: ReviewResult | Elusion, now: ReviewResult | Elusion) -> Iterator[str]:
    """Each count that is another one, and the range or the bound."""
    counts = [part.total if isinstance(part, ReviewResult) else part for part in (earlier, now)]
    for name, words in _COUNTS.items():
        before, after = (getattr(part, name, None) for part in counts)
        if before != after:
            yield f"{after:,} {words} instead of {before:,}"
    if isinstance(earlier, Elusion) and isinstance(now, Elusion):
        if earlier.at_most != now.at_most:
            yield f"at most {now.at_most:,} instead of {earlier.at_most:,}"
    elif isinstance(earlier, ReviewResult) and isinstance(now, ReviewResult):
        if earlier.total.range != now.total.range:
            yield "with another range"
        if earlier.agreement != now.agreement:
            yield "with another agreement of the two readings"
