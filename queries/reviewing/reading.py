"""Opens the records of a turn: their text as it is now, and whether it is still the one drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
from elasticsearch import Elasticsearch

from indexer.errors import ReviewError
from indexer.index.generations import Generation, read_live_generation
from indexer.records.narrative import SegmentedNarrative
from queries.evidence.hits import MentionSnippet, SnippetOptions, find_snippets, make_snippets
from queries.evidence.locate import locate_records
from queries.evidence.population import (
    OpenedRecord,
    open_records,
    read_known_records,
    read_text_hashes,
)
from queries.request.reader import Request, request_from_answer
from queries.review.types import Reading, ReviewedRecords
from queries.reviewing.progress import ReviewProgress, measure_progress
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.turns import GONE, ReviewState, Turn
from queries.reviewing.uncounted import (
    UncountedRecords,
    find_near_wordings,
    locate_uncounted,
)
from queries.search.exactness import alias_moved_error
from queries.tables.scope import Mention

if TYPE_CHECKING:
    from queries.reviewing.store.review_store import ReviewStore

_READING_TITLES: Final = {Reading.FIRST: "First reading", Reading.SECOND: "Second reading"}


class ReviewReader:
    """Reads the records of one review. ``current_hashes`` has the hashes of texts that are not
    those that were drawn, with GONE for records that the index no longer has."""

    def __init__(self, client: Elasticsearch, stored: StoredReview) -> None:
        self._client = client
        self._stored = stored
        self.generation = ""
        self.current_hashes: dict[str, str] = {}

    def find_snippets(
        self, narrative: SegmentedNarrative, options: SnippetOptions
    ) -> tuple[int, tuple[MentionSnippet, ...]]:
        """How many wordings decide that a record is read, and the first of them in their context:
        mentions of the terms of the number, then of others of the request; wordings near them; or
        none, where the record has neither."""
        match self._stored.review.records:
            case ReviewedRecords.MENTIONS:
                return find_snippets(narrative, self._mentions, options)
            case ReviewedRecords.NEAR_MISSES:
                matches = find_near_wordings(self._uncounted, narrative)
                text = "".join(narrative.segments)
                return len(matches), tuple(make_snippets(text, "", matches, options))
            case ReviewedRecords.WITHOUT_MENTION:
                return 0, ()

    @cached_property
    def _mentions(self) -> tuple[Mention, ...]:
        return locate_records(*self._place).mentions

    @cached_property
    def _uncounted(self) -> UncountedRecords:
        return locate_uncounted(*self._place)

    @property
    def _place(self) -> tuple[Request, str, str, str]:
        review = self._stored.review
        try:
            request = request_from_answer(msgspec.json.decode(self._stored.request))
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ReviewError(
                f"{review.name}: the store does not hold its request as it was written. Bring the "
                "store back from a copy."
            ) from None
        question, _, row = review.number.partition(":")
        return request, question, row, review.column

    def compare_texts(self, store: ReviewStore) -> None:
        """Find out which texts have changed since they were drawn. Raises as ``find_changes``."""
        self.current_hashes = self.find_changes(store, self.read_generation())

    def read_generation(self) -> Generation:
        """The live generation. Raises NoIndexError and GenerationError."""
        generation = read_live_generation(self._client, self._stored.alias)
        self.generation = generation.name
        return generation

    def find_changes(self, store: ReviewStore, generation: Generation) -> dict[str, str]:
        """The hashes of the texts that changed since they were drawn, in the live generation.

        A generation never changes but by erasures, so nothing is read if the one that was drawn
        from is live, and nobody was forgotten in it. Raises as ``read_text_hashes``.
        """
        review = self._stored.review
        if generation.name == review.generation and not generation.forgotten:
            return {}
        records = store.read_state(review.name).records
        references = [record.reference for record in records]
        name, hashes = read_text_hashes(self._client, self._stored.alias, references)
        if name != generation.name:
            raise alias_moved_error(self._stored.alias)
        return {
            record.reference: hashes.get(record.reference, GONE)
            for record in records
            if hashes.get(record.reference, GONE) != record.content_hash
        }

    def open_turn(self, turn: Turn) -> list[OpenedRecord] | None:
        """The records of a turn; None if they are not as ``current_hashes`` says, because another
        generation is live by now. Raises as ``open_records``."""
        opened = read_known_records(self._client, self._stored.alias, turn.references)
        if opened is None or not self._are_known(turn, opened):
            opened = open_records(self._client, self._stored.alias, turn.references)
        if not self._are_known(turn, opened):
            return None
        by_reference = {record.reference: record for record in opened}
        return [by_reference[reference] for reference in turn.references]

    def _are_known(self, turn: Turn, opened: Sequence[OpenedRecord]) -> bool:
        """Whether these are the records of a turn, each with the text that is expected."""
        expected = {
            record.reference: self.current_hashes.get(record.reference, record.content_hash)
            for record in turn.records
        }
        return {record.reference: record.content_hash for record in opened} == expected

    def make_notes(self, turn: Turn, state: ReviewState) -> Iterator[str]:
        """The notes on the record of a turn, shown beside its text."""
        reference = turn.references[0]
        if self._stored.review.records is not ReviewedRecords.MENTIONS:
            yield "The number does not count this record."
        if reference in self.current_hashes:
            yield "The text has changed since the sample was drawn."
        if turn.is_change:  # this reader's own decision
            yield f"You decided: {state.decisions[reference, turn.reading].verdict.value}."
        if turn.reading is Reading.SETTLING:
            for reading, title in _READING_TITLES.items():
                if decision := state.decisions.get((reference, reading)):
                    yield f"{title}, {decision.reviewer}: {decision.verdict.value}."

    def measure_progress(self, store: ReviewStore) -> tuple[ReviewState, ReviewProgress]:
        """What the store knows of the review now, and how far it is with the texts as they were
        compared last."""
        state = store.read_state(self._stored.review.name)
        return state, measure_progress(state, self.current_hashes)
