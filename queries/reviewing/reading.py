"""Opens the records of a turn: their text as it is now, and whether it is still the one drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
from elasticsearch import Elasticsearch

from queries.evidence.locate import locate_records
from queries.evidence.population import OpenedRecord, open_records, read_text_hashes
from queries.request.reader import request_from_answer
from queries.review.types import DrawnRecord
from queries.reviewing.progress import ReviewProgress, measure_progress
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.turns import GONE, ReviewState, Turn
from queries.tables.scope import Mention

if TYPE_CHECKING:
    from queries.reviewing.store.review_store import ReviewStore


class ReviewReader:
    """Reads the records of one review. ``current_hashes`` has the hashes of texts that are not
    those that were drawn, with GONE for records that the index no longer has."""

    def __init__(self, client: Elasticsearch, stored: StoredReview) -> None:
        self._client = client
        self._stored = stored
        self.generation = ""
        self.current_hashes: dict[str, str] = {}

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """The terms to show in a record: those of the number, then the others of the request."""
        request = request_from_answer(msgspec.json.decode(self._stored.request))
        review = self._stored.review
        question, _, row = review.number.partition(":")
        return locate_records(request, question, row, review.column).mentions

    def compare_texts(self, records: Sequence[DrawnRecord]) -> None:
        """Find out which texts have changed since they were drawn.

        A generation never changes, so nothing is read as long as the one that was drawn from is
        live. Raises as ``read_text_hashes``.
        """
        alias = self._stored.alias
        self.generation, _ = read_text_hashes(self._client, alias, ())
        self.current_hashes = {}
        if self.generation == self._stored.review.generation:
            return
        references = [record.reference for record in records]
        self.generation, hashes = read_text_hashes(self._client, alias, references)
        self.current_hashes = {
            record.reference: hashes.get(record.reference, GONE)
            for record in records
            if hashes.get(record.reference, GONE) != record.content_hash
        }

    def open_turn(self, turn: Turn) -> list[OpenedRecord] | None:
        """The records of a turn; None if they are not as ``current_hashes`` says, because another
        generation is live by now. Raises as ``open_records``."""
        opened = open_records(self._client, self._stored.alias, turn.references)
        expected = {
            record.reference: self.current_hashes.get(record.reference, record.content_hash)
            for record in turn.records
        }
        if {record.reference: record.content_hash for record in opened} != expected:
            return None
        by_reference = {record.reference: record for record in opened}
        return [by_reference[reference] for reference in turn.references]

    def measure_progress(self, store: ReviewStore) -> tuple[ReviewState, ReviewProgress]:
        """What the store knows of the review now, and how far it is with the texts as they were
        compared last."""
        name = self._stored.review.name
        state = store.read_state(name)
        return state, measure_progress(state, store.list_decisions(name), self.current_hashes)


def measure_live_progress(
    client: Elasticsearch, store: ReviewStore, stored: StoredReview
) -> tuple[ReviewState, ReviewProgress]:
    """What the store knows of a review, and how far it is with the texts of the live generation.

    Raises as ``read_text_hashes``.
    """
    reader = ReviewReader(client, stored)
    reader.compare_texts(store.read_state(stored.review.name).records)
    return reader.measure_progress(store)
