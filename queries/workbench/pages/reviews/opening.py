"""What the pages of reviews share: the store, a review of it, and what the audit log says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

from elasticsearch import Elasticsearch
from msgspec import Struct

from queries.reviewing.configured_store import open_kept_store, require_reviewer
from queries.reviewing.reading import ReviewReader
from queries.reviewing.store.review_store import ReviewStore
from queries.reviewing.store.rows import StoredReview
from queries.workbench.visit import Visit


class OpenReview(Struct, frozen=True):
    """A review with its store, and the reader that knows the index of now."""

    store: ReviewStore
    stored: StoredReview
    reader: ReviewReader

    @property
    def name(self) -> str:
        """Its name."""
        return self.stored.review.name


def open_review_store(visit: Visit) -> ReviewStore:
    """The store of reviews, for someone who may review. Raises ReviewError."""
    session = visit.session
    require_reviewer(session.settings, visit.person.name)
    return open_kept_store(session.settings, session.progress, visit.workbench.review_database)


@contextmanager
def open_review(visit: Visit) -> Iterator[OpenReview]:
    """The review that the address names. Raises ReviewError, and as ReviewReader."""
    store = open_review_store(visit)
    stored = store.find(visit.parameters["review"])  # before a server is started for it
    with visit.session.client() as client:
        yield OpenReview(store, stored, open_reader(visit, client, store, stored))


def open_reader(
    visit: Visit, client: Elasticsearch, store: ReviewStore, stored: StoredReview
) -> ReviewReader:
    """The reader of a review, which knows what texts have changed. They are compared once for a
    generation and a sample. Raises as ReviewReader."""
    reader = ReviewReader(client, stored)
    generation = reader.read_generation()
    reader.current_hashes = visit.workbench.changed_texts.read(
        stored.review.name,
        (stored, generation.name, generation.forgotten),
        partial(reader.find_changes, store, generation),
    )
    return reader


def make_audit_fields(stored: StoredReview) -> dict[str, Any]:
    """The fields of the audit log for a page about a review."""
    return {"reference": stored.review.request_reference, "request": stored.review.request_hash}


def make_audit_arguments(stored: StoredReview) -> dict[str, Any]:
    """Which review a page is about, for the audit log, and of which number."""
    review = stored.review
    return {"review": review.name, "row": review.number, "column": review.column}


def make_review_address(name: str) -> str:
    """The address of the page of a review."""
    return f"/reviews/{quote(name, safe='')}"


def is_number(text: str) -> bool:
    """Whether a field of a form holds a number of up to nine digits."""
    return text.isascii() and text.isdecimal() and len(text) < 10
