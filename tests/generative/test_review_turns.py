"""A review against a simple model: two readers, a settler, extensions, refreshes and kills."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from hypothesis import settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from indexer.errors import ReviewError
from queries.review.types import Reading, Verdict
from queries.reviewing.start import extend_strata
from queries.reviewing.store.database import ReviewDatabase, open_database
from queries.reviewing.store.review_store import Judgement, ReviewStore, TurnLostError
from queries.reviewing.turns import Turn
from tests.support.examples import examples
from tests.support.stored_reviews import Clock, make_population, make_review

READERS = ("ann", "bob")

SETTLER = "cem"

NAME = "FOI-1-Q1"

VERDICTS = strategies.sampled_from(Verdict)


class ReviewMachine(RuleBasedStateMachine):
    """What a store may do. The model keeps a verdict for each reading of each record, and what each
    person has on their screen."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.stack = ExitStack()
        self.verdicts: dict[tuple[str, Reading], tuple[str, Verdict]] = {}
        self.written = 0
        self.screens: dict[str, Turn] = {}
        self.taken_at: dict[str, datetime] = {}
        self.texts: dict[str, str] = {}
        self.changed: dict[str, str] = {}
        self.read_texts: dict[tuple[str, Reading], str] = {}

    def teardown(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)

    @initialize(
        sample=strategies.integers(1, 3),
        twice=strategies.sampled_from([0, 1, 2]),
        same=strategies.sets(strategies.integers(0, 7), max_size=3),
    )
    def begin(self, sample: int, twice: int, same: set[int]) -> None:
        stored, drawn = make_review(
            population=make_population(8, [*same]), sample=sample, second_share=Fraction(twice, 2)
        )
        self.open()
        self.store.create(stored, drawn)
        self.texts = {record.reference: record.content_hash for record in drawn}
        self.twice = {record.reference for record in drawn if record.second_reading}

    def open(self) -> None:
        self.database: ReviewDatabase = self.stack.enter_context(
            open_database("reviews.sqlite", self.folder)
        )
        self.store = ReviewStore(self.database, clock=self.clock)

    def has(self, reference: str, reading: Reading) -> bool:
        """Whether the model has a verdict on the text as it is."""
        key = (reference, reading)
        return key in self.verdicts and self.read_texts[key] == self.texts[reference]

    @rule()
    def kill(self) -> None:
        """A crash: all that is in memory is lost, and what was reserved stays so."""
        self.stack.close()
        self.stack = ExitStack()
        self.screens.clear()
        self.open()

    @rule(minutes=strategies.sampled_from([1, 29, 31]))
    def wait(self, minutes: int) -> None:
        self.clock.pass_minutes(minutes)

    @rule(number=strategies.integers(1, 8))
    def extend(self, number: int) -> None:
        strata = self.store.find(NAME).review.strata
        before = self.store.read_state(NAME).records
        try:
            larger = extend_strata(strata, number)
        except ReviewError:
            assert number < len(before)
            return
        after = self.store.extend(NAME, larger, "officer").records
        assert after[: len(before)] == before
        assert len(after) == number

    @rule(number=strategies.integers(0, 7), text=strategies.sampled_from("abcdef"))
    def refresh(self, number: int, text: str) -> None:
        """The text of a record changes, and all screens are of before."""
        reference = sorted(self.texts)[number]
        self.texts[reference] = self.changed[reference] = text * 32
        self.screens.clear()

    @rule(reader=strategies.sampled_from(READERS))
    def take(self, reader: str) -> None:
        turn = self.store.claim(NAME, reader, self.changed)
        sample = {record.reference for record in self.store.read_state(NAME).records}
        if turn is None:
            self.screens.pop(reader, None)
            return
        assert len({self.texts[ref] for ref in turn.references}) == 1
        for reference in turn.references:
            assert reference in sample
            assert not self.has(reference, turn.reading)
            if turn.reading is Reading.SECOND:
                assert reference in self.twice
                assert self.has(reference, Reading.FIRST)
                assert self.verdicts[reference, Reading.FIRST][0] != reader
            for other, screen in self.screens.items():
                if other != reader and screen.reading is turn.reading:
                    assert reference not in screen.references or self.is_lapsed(other)
        self.screens[reader] = turn
        self.taken_at[reader] = self.clock.now

    @rule(reader=strategies.sampled_from(READERS), verdict=VERDICTS)
    def read(self, reader: str, verdict: Verdict) -> None:
        """What happens most: a record is opened and decided."""
        self.take(reader)
        if turn := self.screens.pop(reader, None):
            hashes = {reference: self.texts[reference] for reference in turn.references}
            self.store.decide(turn, Judgement(verdict, 1, hashes), self.changed)
            self.note(turn, verdict)

    def is_lapsed(self, reader: str) -> bool:
        return (self.clock.now - self.taken_at[reader]).total_seconds() >= 30 * 60

    @precondition(lambda self: self.screens)
    @rule(data=strategies.data(), verdict=VERDICTS)
    def decide(self, data: strategies.DataObject, verdict: Verdict) -> None:
        reader = data.draw(strategies.sampled_from(sorted(self.screens)))
        turn = self.screens.pop(reader)
        hashes = {reference: self.texts[reference] for reference in turn.references}
        try:
            self.store.decide(turn, Judgement(verdict, 1, hashes), self.changed)
        except TurnLostError:
            assert turn.is_change or self.is_lapsed(reader)
            return
        self.note(turn, verdict)

    def note(self, turn: Turn, verdict: Verdict) -> None:
        for reference in turn.references:
            self.verdicts[reference, turn.reading] = (turn.reviewer, verdict)
            self.read_texts[reference, turn.reading] = self.texts[reference]
            self.written += 1

    @rule(reader=strategies.sampled_from(READERS))
    def go_back(self, reader: str) -> None:
        try:
            _, turn = self.store.reopen(NAME, reader)
        except ReviewError:
            return
        for reference in turn.references:
            assert self.verdicts[reference, turn.reading][0] == reader
            assert (reference, Reading.SETTLING) not in self.verdicts
            if turn.reading is Reading.FIRST:
                assert (reference, Reading.SECOND) not in self.verdicts
        self.screens[reader] = turn
        self.taken_at[reader] = self.clock.now

    @rule(verdict=VERDICTS)
    def settle(self, verdict: Verdict) -> None:
        turn = self.store.claim(NAME, SETTLER, self.changed, settle=True)
        if turn is None:
            return
        (reference,) = turn.references
        assert self.has(reference, Reading.FIRST)
        verdicts = {self.verdicts[reference, Reading.FIRST][1]}
        if reference in self.twice:
            assert self.has(reference, Reading.SECOND)
            verdicts.add(self.verdicts[reference, Reading.SECOND][1])
        assert len(verdicts) == 2 or Verdict.UNSURE in verdicts
        self.store.decide(
            turn, Judgement(verdict, 1, {reference: self.texts[reference]}), self.changed
        )
        self.note(turn, verdict)

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "store"):
            return
        assert len(self.store.list_decisions(NAME)) == self.written
        held = {
            key: (decision.reviewer, decision.verdict)
            for key, decision in self.store.read_state(NAME).decisions.items()
        }
        assert held == self.verdicts


ReviewMachine.TestCase.settings = settings(
    max_examples=examples(6, long=15), stateful_step_count=40, deadline=None
)

TestReviewMachine = ReviewMachine.TestCase
