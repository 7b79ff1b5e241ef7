"""What waits for someone in reviews, for the first page. No server is asked or started."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from indexer.errors import FoidexError
from queries.reviewing.configured_store import has_configured_store
from queries.reviewing.store.review_store import ReviewStore
from queries.reviewing.turns import choose_turn
from queries.workbench.pages.reviews.opening import make_review_address, open_review_store
from queries.workbench.visit import Visit

#: Records to read, once or a second time: no page says which. Or records on which readers differ.
Work = Literal["read", "settle", ""]


class WaitingReview(Struct, frozen=True):
    """A review in which something waits for someone."""

    name: str
    work: Work

    @property
    def address(self) -> str:
        """The address of its page."""
        return make_review_address(self.name)


def list_waiting_reviews(visit: Visit) -> list[WaitingReview]:
    """The reviews in which something waits for this person, the newest first.

    Nothing waits for whoever may not review, or where the store cannot be read: the page of reviews
    says why. Records that someone has open at this moment still wait.
    """
    session = visit.session
    try:
        if not visit.person.may("reviewer") or not has_configured_store(
            session.settings, session.progress
        ):
            return []
        store = open_review_store(visit)
        stamps = store.list_stamps()
        works = {name: _remember_work(visit, store, name, stamps[name]) for name in stamps}
    except FoidexError:
        return []
    return [WaitingReview(name, work) for name, work in works.items() if work]


def _remember_work(
    visit: Visit, store: ReviewStore, name: str, stamp: tuple[int | None, ...]
) -> Work:
    """What waits in a review, looked up again only when the review has changed."""
    person = visit.person.name
    return visit.workbench.waiting_works.read(
        f"{name}\n{person}", stamp, lambda: _find_work(store, name, person)
    )


def _find_work(store: ReviewStore, name: str, person: str) -> Work:
    state = replace(store.read_state(name), claims=())
    if choose_turn(state, person, ""):
        return "read"
    return "settle" if choose_turn(state, person, "", settle=True) else ""
