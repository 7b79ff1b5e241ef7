"""A store with rows that foidex did not write ends with one message, and gives no number."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from indexer.errors import ReviewError
from queries.reviewing.store.review_store import open_store
from tests.support.stored_reviews import make_review

NAME = "FOI-1-Q1"


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """A store with a review of 30 records, and a decision on the first of them."""
    path = tmp_path / "reviews.sqlite"
    with open_store(str(path)) as store:
        store.create(*make_review(NAME))
    return path


def change_store(path: Path, *statements: str) -> None:
    """Change what is only added to, as a program that repairs a database might."""
    with closing(sqlite3.connect(path)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (trigger,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(
            "INSERT INTO decisions (review_id, reference, reading, verdict, reviewer, decided_at,"
            " content_hash, seconds, batch) SELECT review_id, reference, 1, 'relevant', 'ann',"
            " '2024-03-04T09:00:00Z', content_hash, 5, 'b' FROM records WHERE position = 1"
        )
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_the_store_of_these_tests_can_be_read(store_path: Path) -> None:
    """So that what the others refuse is what they changed."""
    change_store(store_path)
    with open_store(str(store_path)) as store:
        assert len(store.read_state(NAME).decisions) == 1
        assert len(store.list_population(NAME)) == 30


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET verdict = 'perhaps'",
        "UPDATE decisions SET reading = 9",
        "UPDATE decisions SET seconds = 'long'",
        "UPDATE decisions SET seconds = 1e300",
        "UPDATE records SET position = 'first' WHERE position = 1",
        "UPDATE reviews SET confidence = 'sure'",
        "UPDATE reviews SET records_kind = 'others'",
        "UPDATE reviews SET criterion = x'00'",
        "DELETE FROM strata",
        "DELETE FROM samples",
        "INSERT INTO strata SELECT review_id, 'another', 2, 10 FROM strata",
        "DELETE FROM records WHERE position = 2",
        "INSERT INTO claims SELECT review_id, reference, 0, 'ann', '' FROM records",
    ],
)
def test_a_row_that_foidex_did_not_write_is_one_message(store_path: Path, statement: str) -> None:
    change_store(store_path, statement)
    with open_store(str(store_path)) as store, pytest.raises(ReviewError) as caught:
        store.read_state(NAME)
    assert "the store of reviews is damaged" in str(caught.value)
    assert "Bring it back from a copy." in str(caught.value)


def test_a_record_without_a_position_is_not_left_out_of_the_population(store_path: Path) -> None:
    change_store(store_path, "UPDATE records SET position = 'last' WHERE position = 30")
    with open_store(str(store_path)) as store, pytest.raises(ReviewError, match="is damaged"):
        store.list_population(NAME)


def test_a_text_that_is_not_utf_8_is_not_quoted(store_path: Path) -> None:
    change_store(store_path, "UPDATE reviews SET criterion = CAST(x'68696464656eff' AS TEXT)")
    with open_store(str(store_path)) as store, pytest.raises(ReviewError) as caught:
        store.read_state(NAME)
    assert "hidden" not in str(caught.value)
    assert "a text in it is not UTF-8" in str(caught.value)
    assert "Bring it back from a copy." in str(caught.value)
