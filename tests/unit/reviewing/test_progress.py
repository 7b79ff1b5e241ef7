"""How far a review is: what is counted, and what nobody learns from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from queries.review.types import Verdict
from queries.reviewing.progress import ReviewProgress, measure_progress
from queries.reviewing.store.review_store import ReviewStore, open_store
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
