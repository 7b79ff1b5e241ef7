"""One record after the other: shown, decided, on the disk, and only then the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from indexer.errors import ReviewError
from indexer.session import get_session
from queries.commands.review.next_steps import format_seconds, list_next_steps
from queries.commands.review.options import make_audit_arguments, make_audit_fields
from queries.commands.review.screen import (
    BACK_KEY,
    QUIT_KEY,
    VERDICT_KEYS,
    WHOLE_KEY,
    RecordView,
    Screen,
)
from queries.evidence.hits import SnippetOptions
from queries.evidence.population import OpenedRecord
from queries.review.types import Reading, Verdict
from queries.reviewing.progress import ReviewProgress
from queries.reviewing.reading import ReviewReader
from queries.reviewing.store.review_store import Judgement, ReviewStore, TurnLostError
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.turns import ReviewState, Turn

_MAX_MOVES: Final = 5


class LoopOptions(Struct, frozen=True):
    """Who reads, how a record is shown, and whether conflicts are settled."""

    reviewer: str
    snippets: SnippetOptions
    settle: bool


class ReadingLoop:
    """Gives a reviewer one record after the other, until none is left or they quit."""

    def __init__(
        self,
        store: ReviewStore,
        stored: StoredReview,
        reader: ReviewReader,
        screen: Screen,
        options: LoopOptions,
    ) -> None:
        self._store = store
        self._stored = stored
        self._reader = reader
        self._screen = screen
        self._options = options
        self._name = stored.review.name
        self._before: int | None = None  # the decision up to which the reviewer went back
        self._moves = 0
        self._has_quit = False

    def run(self) -> None:
        """Read until the end. Raises ReviewError, and as the reader does."""
        self._compare_texts()
        turn = self._claim()
        while turn is not None:
            turn = self._read_turn(turn)
            if turn is None and not self._has_quit:
                turn = self._offer_way_back()
        for line in self._describe_rest():
            self._screen.say(line)

    def _offer_way_back(self) -> Turn | None:
        """After the last record, too, a decision can be changed."""
        if self._options.settle:
            return None
        self._screen.say("\nThat was the last record for you.")
        if self._screen.read_key([BACK_KEY, QUIT_KEY]) == BACK_KEY:
            return self._go_back() or self._offer_way_back()
        return None

    def _compare_texts(self) -> None:
        self._reader.compare_texts(self._store)

    def _claim(self) -> Turn | None:
        options = self._options
        return self._store.claim(
            self._name, options.reviewer, self._reader.current_hashes, settle=options.settle
        )

    def _read_turn(self, turn: Turn) -> Turn | None:
        """Have the records of a turn decided, and return the next turn."""
        try:
            records = self._reader.open_turn(turn)
            if records is None:
                self._store.release(turn)
                return self._follow_refresh()
            self._moves = 0
            self._log_records(turn, records)
            start = time.monotonic()
            key = self._ask(turn, records)
            seconds = round(time.monotonic() - start)
        except BaseException:
            self._store.release(turn)
            raise
        if key in VERDICT_KEYS:
            return self._decide(turn, records, VERDICT_KEYS[key], seconds)
        self._store.release(turn)
        if key == BACK_KEY:
            return self._go_back()
        self._has_quit = True
        return None

    def _follow_refresh(self) -> Turn | None:
        self._moves += 1
        if self._moves > _MAX_MOVES:
            raise ReviewError(
                "another generation went live again and again while records were opened. Go on "
                "when the refresh is over."
            )
        self._compare_texts()
        return self._claim()

    def _decide(
        self, turn: Turn, records: list[OpenedRecord], verdict: Verdict, seconds: int
    ) -> Turn | None:
        hashes = {record.reference: record.content_hash for record in records}
        try:
            self._store.decide(
                turn, Judgement(verdict, seconds, hashes), self._reader.current_hashes
            )
        except TurnLostError as error:
            self._screen.say(f"Not stored: {error}")
        self._before = None
        return self._claim()

    def _go_back(self) -> Turn | None:
        try:
            self._before, turn = self._store.reopen(
                self._name, self._options.reviewer, self._before
            )
        except ReviewError as error:
            self._screen.say(f"Cannot go back: {error}")
            return self._claim()
        return turn

    def _log_records(self, turn: Turn, records: list[OpenedRecord]) -> None:
        """A line of the audit log for each record, before it is shown."""
        command = "review settle" if turn.reading is Reading.SETTLING else "review next"
        for record in records:
            with get_session().run(command) as run:
                run.add_fields(**make_audit_fields(self._stored))
                run.add_opened_reference(record.reference, **make_audit_arguments(self._stored))
                run.write(generation=record.generation, records=1)

    # -- what is shown -----------------------------------------------------------------------------

    def _ask(self, turn: Turn, records: list[OpenedRecord]) -> str:
        self._screen.show_record(self._make_view(turn, records))
        keys = [*VERDICT_KEYS, WHOLE_KEY, BACK_KEY, QUIT_KEY]
        if self._options.settle:
            keys.remove(BACK_KEY)
        while (key := self._screen.read_key(keys)) == WHOLE_KEY:
            self._screen.show_text("".join(records[0].narrative.segments))
        return key

    def _make_view(self, turn: Turn, records: list[OpenedRecord]) -> RecordView:
        state, progress = self._reader.measure_progress(self._store)
        record, *others = records
        number, snippets = self._reader.find_snippets(record.narrative, self._options.snippets)
        return RecordView(
            heading=f"Review {self._name}: {self._describe_progress(progress)}",
            criterion=self._stored.review.criterion,
            reference=record.reference,
            recorded_on=record.recorded_on.isoformat(),
            offence_code=record.offence_code,
            snippets=snippets,
            mentions=number,
            twins=[other.reference for other in others],
            text="" if snippets else "".join(record.narrative.segments),
            notes=[*self._reader.make_notes(turn, state)],
        )

    def _describe_progress(self, progress: ReviewProgress) -> str:
        if self._options.settle:
            return f"{progress.settled:,} settled, {progress.conflicts or 0:,} to be settled."
        done = progress.first_readings + progress.second_readings
        due = progress.sample - len(progress.gone) + progress.second_readings_due
        own = [one for one in progress.reviewers if one.reviewer == self._options.reviewer]
        pace = own[0].median_seconds if own else None
        pace_text = "" if pace is None else f", {format_seconds(pace)} a record"
        return f"{done:,} of {due:,} readings done{pace_text}."

    def _describe_settled(self, state: ReviewState) -> str:
        if self._has_quit:
            return "Stopped."
        if not state.is_unblinded:
            return "Nothing is settled before all second readings are done."
        return "No conflict is left to settle."

    def _describe_rest(self) -> Iterator[str]:
        """What is left, and for whom."""
        state, progress = self._reader.measure_progress(self._store)
        yield ""
        if self._options.settle:
            yield self._describe_settled(state)
        else:
            yield "Stopped." if self._has_quit else "No record is left for you to read."
            yield self._describe_progress(progress)
        if not self._has_quit:
            yield from list_next_steps(self._name, state, progress)
