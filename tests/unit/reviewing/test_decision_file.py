"""Decisions as a file: complete, blind as long as it must be, and read back only if all of it is right."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.errors import ReviewError
from queries.review.draw import order_references
from queries.review.types import Reading, Verdict
from queries.reviewing.decision_file import (
    COLUMNS,
    HIDDEN,
    choose_new_decisions,
    format_decisions,
    parse_rows,
)
from queries.reviewing.store.review_store import ReviewStore, open_store
from tests.support.stored_reviews import SEED, make_population, make_review, read_all, read_next

NAME = "FOI-1-Q1"

NOW = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReviewStore]:
    with open_store("reviews.sqlite", tmp_path) as opened:
        opened.create(*make_review())
        yield opened


def export(store: ReviewStore) -> str:
    return format_decisions(store.read_state(NAME), store.list_population(NAME))


def rows_of(text: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(text))]


def to_text(rows: list[dict[str, str]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def import_text(store: ReviewStore, text: str) -> int:
    rows = parse_rows(text, "review.csv")
    return store.add_decisions(
        NAME, lambda state: choose_new_decisions(rows, state, "review.csv", NOW)
    )


def test_anyone_with_the_file_can_draw_the_sample_again(store: ReviewStore) -> None:
    rows = rows_of(export(store))
    assert len(rows) == 30
    assert {row["seed"] for row in rows} == {SEED}
    order = order_references((row["reference"] for row in rows), rows[0]["seed"])
    assert [row["reference"] for row in rows] == order
    assert [row["in_sample"] for row in rows] == ["yes"] * 10 + ["no"] * 20


def test_records_that_are_read_twice_are_blank_until_all_second_readings_are_done(
    store: ReviewStore,
) -> None:
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    rows = rows_of(export(store))
    twice = [row for row in rows if row["second_reading"] == "yes" and row["in_sample"] == "yes"]
    once = [row for row in rows if row["second_reading"] == "no" and row["in_sample"] == "yes"]
    assert {row["first_verdict"] for row in twice} == {HIDDEN}
    assert {row["first_reviewer"] for row in twice} == {""}
    assert {row["first_verdict"] for row in once} == {"relevant"}
    assert read_next(store, NAME, "bob", Verdict.NOT_RELEVANT)
    assert [row["second_verdict"] for row in rows_of(export(store))].count(HIDDEN) == 1
    assert "not relevant" not in export(store)
    read_all(store, NAME, "bob", Verdict.NOT_RELEVANT)
    assert HIDDEN not in export(store)
    assert [row["second_verdict"] for row in rows_of(export(store))].count("not relevant") == 2


def test_a_file_that_was_exported_is_read_back_as_the_same_decisions(
    store: ReviewStore, tmp_path: Path
) -> None:
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    read_all(store, NAME, "bob", Verdict.UNSURE)
    while turn := store.claim(NAME, "cem", settle=True):
        from tests.support.stored_reviews import judge

        store.decide(turn, judge(turn, Verdict.NOT_RELEVANT, None))
    text = export(store)
    with open_store("copy.sqlite", tmp_path) as copy:
        copy.create(*make_review())
        assert import_text(copy, text) == 14
        assert copy.read_state(NAME).decisions == store.read_state(NAME).decisions
        assert export(copy) == text
        assert import_text(copy, text) == 0  # again: nothing is new
    assert import_text(store, text) == 0


def test_a_worksheet_that_is_filled_in_elsewhere_is_imported(store: ReviewStore) -> None:
    rows = rows_of(export(store))
    rows[0] |= {"first_verdict": "Relevant", "first_reviewer": "dee"}
    assert import_text(store, to_text(rows)) == 1
    (decision,) = store.list_decisions(NAME)
    assert (decision.reference, decision.verdict) == (rows[0]["reference"], Verdict.RELEVANT)
    assert (decision.reviewer, decision.content_hash) == ("dee", rows[0]["content_hash"])


def test_a_reference_that_looks_like_a_formula_survives(tmp_path: Path) -> None:
    population = make_population(4)
    from msgspec.structs import replace

    population[0] = replace(population[0], reference="=1+2")
    with open_store("reviews.sqlite", tmp_path) as store:
        store.create(*make_review(population=population, sample=None, second_share=Fraction(0)))
        rows = rows_of(export(store))
        (odd,) = [row for row in rows if "1+2" in row["reference"]]
        assert odd["reference"] == "'=1+2"
        odd |= {"first_verdict": "unsure", "first_reviewer": "dee"}
        assert import_text(store, to_text(rows)) == 1
        assert store.list_decisions(NAME)[0].reference == "=1+2"


@pytest.mark.parametrize(
    ("number", "changes", "message"),
    [
        (0, {"first_verdict": "maybe", "first_reviewer": "dee"}, "none of relevant, not relevant"),
        (0, {"first_verdict": "relevant"}, "first_reviewer says not who decided"),
        (0, {"first_reviewer": "dee"}, "but no first_verdict"),
        (20, {"first_verdict": "relevant", "first_reviewer": "dee"}, "not in the sample"),
        (0, {"reference": "SYN-9999", "first_verdict": "relevant", "first_reviewer": "dee"}, "not in the sample"),
        (0, {"review": "another"}, "review is not that of the review"),
        (0, {"seed": "another"}, "seed is not that of the review"),
        (0, {"first_verdict": "relevant", "first_reviewer": "d", "first_decided_at": "2024-02-31T00:00:00Z"}, "not a time in the past"),
        (0, {"first_verdict": "relevant", "first_reviewer": "d", "first_decided_at": "2999-01-01T00:00:00Z"}, "not a time in the past"),
        (0, {"first_verdict": "relevant", "first_reviewer": "d", "first_seconds": "-3"}, "not a whole number"),
        (0, {"first_verdict": "relevant", "first_reviewer": "d", "first_seconds": "9" * 5000}, "not a whole number"),
        (0, {"first_verdict": "relevant", "first_reviewer": "d", "first_content_hash": "the text"}, "not the hash of a text"),
        (0, {"second_verdict": "relevant", "second_reviewer": "d"}, "decision on this record|not one that is read twice|but no first"),
        (0, {"settled_verdict": "relevant", "settled_reviewer": "d"}, "nothing is to be settled"),
    ],
)  # fmt: skip
def test_of_a_file_with_a_wrong_line_nothing_is_imported(
    store: ReviewStore, number: int, changes: Mapping[str, str], message: str
) -> None:
    rows = rows_of(export(store))
    rows[3] |= {"first_verdict": "relevant", "first_reviewer": "dee"}  # this one is right
    rows[number] |= changes
    with pytest.raises(ReviewError, match=message) as caught:
        import_text(store, to_text(rows))
    assert f"review.csv:{number + 2}: " in str(caught.value)
    assert store.list_decisions(NAME) == []


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("review", "FOI-2-Q1", "its review is not that of the review"),
        ("request", "FOI/2", "its request is not that of the review"),
        ("number", "Q2:total", "its number is not that of the review"),
        ("column", "2017/18", "its column is not that of the review"),
        ("content_hash", "0" * 32, "the text that was read is another one"),
    ],
)
def test_what_was_read_for_another_number_or_on_another_text_is_not_imported(
    store: ReviewStore, column: str, cell: str, message: str
) -> None:
    rows = rows_of(export(store))
    rows[0] |= {"first_verdict": "relevant", "first_reviewer": "dee"}
    with pytest.raises(ReviewError, match=message):
        import_text(store, to_text([rows[0] | {column: cell}, *rows[1:]]))
    assert store.read_state(NAME).decisions == {}
    assert import_text(store, to_text(rows)) == 1


def test_decisions_are_taken_over_into_a_review_of_nearly_the_same_records(
    store: ReviewStore,
) -> None:
    """As docs/review.md says: the new name is put into the old list, and what does not fit deleted."""
    read_all(store, NAME, "ann")
    read_all(store, NAME, "bob")
    again = "FOI-1-Q1-again"
    taken_out = store.read_state(NAME).records[0].reference
    others = [record for record in make_population(30) if record.reference != taken_out]
    store.create(*make_review(again, others))
    _, *lines = export(store).replace(f"\n{NAME},", f"\n{again},").splitlines()

    def take_over() -> int:
        rows = parse_rows("\n".join([",".join(COLUMNS), *lines]), "again.csv")
        return store.add_decisions(
            again, lambda state: choose_new_decisions(rows, state, "again.csv", NOW)
        )

    with pytest.raises(ReviewError, match=r"again\.csv:2: its reference is not in") as refused:
        take_over()
    for number in sorted(map(int, re.findall(r"again\.csv:(\d+):", str(refused.value))))[::-1]:
        del lines[number - 2]
    assert take_over() >= 9
    readings = store.read_state(again).list_readings()
    assert sum(reading.first is not None for reading in readings) == 9


def test_the_second_reader_of_a_file_may_not_be_the_first(store: ReviewStore) -> None:
    rows = rows_of(export(store))
    twice = next(row for row in rows if row["second_reading"] == "yes")
    twice |= {
        "first_verdict": "relevant", "first_reviewer": "dee",
        "second_verdict": "relevant", "second_reviewer": "dee",
    }  # fmt: skip
    with pytest.raises(ReviewError, match="the second reader is the first"):
        import_text(store, to_text(rows))
    twice["second_reviewer"] = "eli"
    assert import_text(store, to_text(rows)) == 2


@pytest.mark.parametrize("guess", ["relevant", "not relevant"])
def test_no_file_says_what_the_first_reader_decided(store: ReviewStore, guess: str) -> None:
    """A second reader could try verdicts in a file: whether it fits must not show."""
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    rows = rows_of(export(store))
    twice = next(row for row in rows if row["second_reading"] == "yes")
    first = {"first_verdict": guess, "first_reviewer": "ann"}
    with pytest.raises(ReviewError, match="has a first decision on this record already"):
        import_text(store, to_text([{**twice, **first}]))
    settled = {
        "first_verdict": "", "second_verdict": guess, "second_reviewer": "bob",
        "settled_verdict": guess, "settled_reviewer": "bob",
    }  # fmt: skip
    with pytest.raises(ReviewError, match="before all second readings are done"):
        import_text(store, to_text([{**twice, **settled}]))


def test_a_worksheet_without_times_is_imported_again(store: ReviewStore) -> None:
    rows = rows_of(export(store))
    once = next(row for row in rows if row["second_reading"] == "no")
    once |= {"first_verdict": "relevant", "first_reviewer": "dee"}
    assert import_text(store, to_text(rows)) == 1
    later = parse_rows(to_text(rows), "review.csv")
    tomorrow = NOW + timedelta(days=1)
    state = store.read_state(NAME)
    assert choose_new_decisions(later, state, "review.csv", tomorrow) == []


def test_a_decision_that_is_hidden_is_not_taken_for_known_within_the_same_second(
    store: ReviewStore,
) -> None:
    """Its time is not in the file, so whether it fits what was decided must not show."""
    rows = rows_of(export(store))
    twice = next(row for row in rows if row["second_reading"] == "yes")
    twice |= {"first_verdict": "relevant", "first_reviewer": "dee"}
    assert import_text(store, to_text(rows)) == 1
    with pytest.raises(ReviewError, match="has a first decision on this record already"):
        import_text(store, to_text(rows))


def test_after_second_readings_were_ended_none_is_imported(store: ReviewStore) -> None:
    read_all(store, NAME, "ann")
    store.end_second_readings(NAME, "ann", "One reader only.")
    rows = rows_of(export(store))
    twice = next(row for row in rows if row["second_reading"] == "yes")
    assert twice["first_verdict"] == "relevant"
    twice |= {"second_verdict": "relevant", "second_reviewer": "bob"}
    with pytest.raises(ReviewError, match="were ended"):
        import_text(store, to_text(rows))


def test_a_file_replaces_no_decision(store: ReviewStore) -> None:
    turn = read_next(store, NAME, "ann", Verdict.RELEVANT)
    assert turn
    rows = rows_of(export(store))
    row = next(row for row in rows if row["reference"] == turn.references[0])
    row |= {"first_verdict": "unsure", "first_reviewer": "dee"}
    with pytest.raises(ReviewError, match="not replaced by a file"):
        import_text(store, to_text(rows))
    decision = store.read_state(NAME).decisions[turn.references[0], Reading.FIRST]
    assert decision.verdict is Verdict.RELEVANT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column reference"),
        ("reference,verdict\n", "has no column first_verdict"),
        ("reference,first_verdict,first_reviewer,reference\n", "two columns of the same name"),
        ("reference,first_verdict,first_reviewer\nSYN-1,relevant\n", "has 2 cells"),
        ('reference,first_verdict,first_reviewer\n"SYN-1"x,a,b\n', "is not CSV"),
        (
            "reference,first_verdict,first_reviewer\nSYN-0001,,\nSYN-0001,,\n",
            "was in an earlier line",
        ),
    ],
)
def test_what_is_no_file_of_decisions_is_said(store: ReviewStore, text: str, message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        import_text(store, text)
