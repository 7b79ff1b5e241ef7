"""How far a review is: what is counted, and what nobody learns from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from queries.commands.review.next_steps import list_next_steps
from queries.review.types import Verdict
from queries.reviewing.decision_file import HIDDEN, format_decisions
from queries.reviewing.progress import ReviewProgress, measure_progress
from queries.reviewing.store.review_store import Judgement, ReviewStore, open_store
from queries.reviewing.turns import GONE
from tests.support.stored_reviews import judge, make_review, read_all, read_next

NAME = "FOI-1-Q1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReviewStore]:
    with open_store("reviews.sqlite", tmp_path) as opened:
        opened.create(*make_review())
        yield opened


def measure(store: ReviewStore, **current_hashes: str) -> ReviewProgress:
    hashes = {name.replace("_", "-"): value for name, value in current_hashes.items()}
    return measure_progress(store.read_state(NAME), hashes)


def test_readings_are_counted_and_so_are_their_times(store: ReviewStore) -> None:
    for seconds in (10, 20, 60):
        turn = store.claim(NAME, "ann")
        assert turn
        store.decide(turn, judge(turn, seconds=seconds))
    progress = measure(store)
    assert (progress.population, progress.sample, progress.first_readings) == (30, 10, 3)
    assert (progress.second_readings, progress.second_readings_due) == (0, 2)
    (ann,) = progress.reviewers
    assert (ann.reviewer, ann.readings, ann.median_seconds) == ("ann", 3, 20)
    assert not progress.is_complete


def test_conflicts_are_not_counted_before_all_second_readings_are_done(
    store: ReviewStore,
) -> None:
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    assert measure(store).conflicts is None
    read_next(store, NAME, "bob", Verdict.NOT_RELEVANT)
    assert measure(store).conflicts is None
    read_next(store, NAME, "bob", Verdict.NOT_RELEVANT)
    assert measure(store).conflicts == 2
    while turn := store.claim(NAME, "cem", settle=True):
        store.decide(turn, judge(turn))
    progress = measure(store)
    assert (progress.conflicts, progress.settled, progress.is_complete) == (0, 2, True)


def test_what_has_changed_and_what_is_gone_is_named(store: ReviewStore) -> None:
    read_all(store, NAME, "ann")
    first, second, *_ = (record.reference for record in store.read_state(NAME).records)
    progress = measure(store, **{first.replace("-", "_"): "f" * 32, second.replace("-", "_"): GONE})
    assert (progress.stale, progress.gone) == ((first,), (second,))
    assert progress.first_readings == 8


CHANGED = "f" * 32


def read_changed(store: ReviewStore, reference: str, reviewer: str, verdict: Verdict) -> None:
    """Read the present text of a record that was read before."""
    turn = store.claim(NAME, reviewer, {reference: CHANGED})
    assert turn
    assert turn.references == (reference,)
    hashes = {reference: CHANGED}
    store.decide(turn, Judgement(verdict, 60, hashes), hashes)


def read_twice_and_settle(store: ReviewStore) -> str:
    """Complete the review, and return a record that was read twice and settled."""
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    read_all(store, NAME, "bob", Verdict.NOT_RELEVANT)
    while turn := store.claim(NAME, "cem", settle=True):
        store.decide(turn, judge(turn))
    records = store.read_state(NAME).records
    return next(record.reference for record in records if record.second_reading)


def list_steps(store: ReviewStore, hashes: dict[str, str]) -> str:
    state = store.read_state(NAME)
    return "\n".join(list_next_steps(NAME, state, measure_progress(state, hashes)))


def list_exported(store: ReviewStore, reference: str) -> list[str]:
    state = store.read_state(NAME)
    lines = format_decisions(state, state.records).splitlines()
    (line,) = (line for line in lines if f",{reference}," in line)
    return line.split(",")


def test_a_changed_text_is_read_again_blind_and_then_nothing_is_left(store: ReviewStore) -> None:
    reference = read_twice_and_settle(store)
    hashes = {reference: CHANGED}
    steps = list_steps(store, hashes)
    assert "1 record is to be read again, as the text has changed." in steps
    assert "1 second reading waits for another person" in steps
    assert "answered before" not in steps  # what was decided of the others can be answered
    assert "end-second-readings" not in steps  # which would be refused

    read_changed(store, reference, "ann", Verdict.NOT_RELEVANT)
    assert not store.read_state(NAME).is_unblinded
    assert "and nothing can be settled or answered before" in list_steps(store, hashes)
    assert list_exported(store, reference).count(HIDDEN) == 3

    read_changed(store, reference, "dee", Verdict.NOT_RELEVANT)
    state = store.read_state(NAME)
    progress = measure_progress(state, hashes)
    assert state.is_unblinded
    assert (progress.stale, progress.conflicts, progress.is_complete) == ((), 0, True)
    assert HIDDEN not in list_exported(store, reference)


def test_a_changed_text_that_nobody_else_can_read_again_ends_second_readings(
    store: ReviewStore,
) -> None:
    reference = read_twice_and_settle(store)
    read_changed(store, reference, "ann", Verdict.RELEVANT)
    assert store.end_second_readings(NAME, "ann", "There is one reader only.") == 1
    progress = measure_progress(store.read_state(NAME), {reference: CHANGED})
    assert (progress.stale, progress.second_readings_ended) == ((), 1)
    assert progress.is_complete


def test_a_text_that_is_again_what_it_was_is_read_again_and_nothing_is_said_to_be_gone(
    store: ReviewStore,
) -> None:
    reference = read_twice_and_settle(store)
    read_changed(store, reference, "ann", Verdict.RELEVANT)
    steps = list_steps(store, {})
    assert "1 record is still to be read" in steps
    assert "no longer in the index" not in steps
    turn = store.claim(NAME, "ann")
    assert turn
    store.decide(turn, judge(turn))
    state = store.read_state(NAME)
    assert state.is_unblinded
    assert measure_progress(state).is_complete
