"""What of a review is published: no small count, and nothing that says one."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace

from indexer.errors import DisclosureError
from queries.answer.types import Answer, has_withheld_numbers
from queries.answering.reviewed_numbers import attach_reviews
from queries.disclosure.ledger import FileLedger, LedgerUse, prepare_release
from queries.disclosure.policy import Policy
from queries.disclosure.release import list_small_counts, protect_answer
from queries.review.result import Agreement, CountRange, Elusion, ReviewResult
from queries.review.strata import SampleCounts, combine_strata
from queries.review.summary import summarise_review
from queries.review.types import Stratum
from tests.support.reviews import (
    count_answer,
    decide_strata,
    draw_records,
    make_review,
    review_by_offence,
    review_simply,
)

POLICY = Policy(threshold=5)


def publish(review: ReviewResult, policy: Policy = POLICY, **counts: int) -> Answer:
    return protect_answer(attach_reviews(count_answer(**counts), [review]), policy).answer


def test_a_review_without_small_numbers_is_published_as_it_is() -> None:
    for review in (review_simply(), review_by_offence(120, 60)):
        before = attach_reviews(count_answer(), [review])
        published = publish(review)
        assert published.reviews == before.reviews
        assert not has_withheld_numbers(published)


@pytest.mark.parametrize("relevant", [1, 4, 356, 359])
def test_a_small_number_of_a_sample_is_withheld_with_all_that_says_it(relevant: int) -> None:
    """The others of a sample, the range and kappa follow from it, or it from them."""
    published = publish(review_simply(relevant))
    (review,) = published.reviews
    total = review.total
    assert (total.mentioned, total.sampled, total.decided) == (1_144, 360, 360)
    assert (total.relevant, total.not_relevant, total.range) == (None, None, None)
    assert isinstance(review.agreement, Agreement)
    assert (review.agreement.table, review.agreement.kappa, review.agreement.ac1) == (None,) * 3
    assert review.agreement.raw is not None
    assert has_withheld_numbers(published)


@pytest.mark.parametrize("relevant", [0, 5, 355, 360])
def test_a_number_that_is_not_small_is_published(relevant: int) -> None:
    (review,) = publish(review_simply(relevant)).reviews
    assert review.total.relevant == relevant
    assert review.total.range is not None


def test_a_sample_of_a_few_records_is_withheld() -> None:
    (review,) = publish(review_simply(relevant=0, sample=4)).reviews
    assert review.total.relevant is None


def test_the_review_of_a_withheld_number_is_withheld() -> None:
    review = replace(review_simply(4, 4, 4), number="Q1:Theft")
    (published,) = publish(review, theft=4).reviews
    assert published.total.mentioned is None
    assert (published.total.relevant, published.total.range) == (None, None)


def test_all_of_one_kind_is_withheld_where_the_policy_says_so() -> None:
    policy = Policy(threshold=5, whole_groups="withhold")
    assert publish(review_simply(360), policy).reviews[0].total.relevant is None
    assert publish(review_simply(0), policy).reviews[0].total.relevant is None
    assert publish(review_simply(180), policy).reviews[0].total.relevant == 180


def test_a_small_number_of_a_stratum_leaves_no_strata_and_a_wider_range() -> None:
    before = review_by_offence(150, 3)
    (review,) = publish(before).reviews
    assert (review.total.relevant, review.strata) == (153, ())
    exact, widened = before.total.range, review.total.range
    assert exact is not None
    assert widened is not None
    assert widened.low <= exact.low <= exact.high <= widened.high
    assert (widened.low % 50, widened.high % 50) == (0, 0)


def test_a_reader_who_tries_every_division_does_not_learn_the_small_number() -> None:
    """The reader knows the method, the sizes of the strata and the total of 153."""
    (review,) = publish(review_by_offence(150, 3)).reviews
    assert review.total.range is not None
    possible = set()
    for theft in range(12):
        samples = [SampleCounts(800, 250, 153 - theft), SampleCounts(344, 110, theft)]
        interval = combine_strata(samples, Fraction(95, 100))
        low, high = interval.low // 50 * 50, -(-interval.high // 50) * 50
        if CountRange(low, high) == review.total.range:
            possible.add(theft)
    assert 3 in possible
    assert max(possible) - min(possible) >= POLICY.threshold


def test_rounded_numbers_have_a_range_for_all_that_are_rounded_so() -> None:
    policy = Policy(rounding=10)
    published = {
        relevant: publish(review_simply(relevant), policy).reviews[0].total
        for relevant in range(176, 184)
    }
    assert {total.relevant for total in published.values()} == {180}
    assert len({total.range for total in published.values()}) == 1
    exact, rounded = review_simply(183).total.range, published[183].range
    assert exact is not None
    assert rounded is not None
    assert rounded.low <= exact.low <= exact.high <= rounded.high


def test_rounded_strata_are_not_given() -> None:
    total = publish(review_by_offence(120, 60), Policy(rounding=10)).reviews[0]
    assert (total.strata, total.total.range) == ((), None)


@pytest.mark.parametrize(("relevant", "given"), [(0, True), (1, False), (4, False), (5, True)])
def test_what_the_words_miss_is_withheld_where_it_is_small(relevant: int, *, given: bool) -> None:
    elusion = Elusion("without a mention", 5_000, 300, relevant, 0, 100)
    (review,) = publish(replace(review_simply(), elusion=(elusion,))).reviews
    assert (review.elusion == (elusion,)) == given


@pytest.mark.parametrize(("theft", "given"), [(344, True), (3, False)])
def test_what_the_words_miss_is_withheld_with_any_number(theft: int, *, given: bool) -> None:
    """All records of a table less those beside a number would be what the number counts."""
    elusion = Elusion("near misses", 40, 40, 0, 0, 0)
    review = replace(review_simply(population=800), number="Q1:Violence", elusion=(elusion,))
    (published,) = publish(review, theft=theft).reviews
    (shown,) = published.elusion
    withheld = Elusion("near misses", None, 0, None, 0, None)
    assert shown == (elusion if given else withheld)  # not even that 40 were read, of 40


def test_small_numbers_of_a_review_are_listed_before_publication() -> None:
    answer = attach_reviews(count_answer(), [review_simply(3)])
    assert list_small_counts(answer, 5) == [
        "Q1, All offences asked about, Offences, review relevant: 3"
    ]


def test_no_published_review_says_a_small_number_of_any_sample() -> None:
    """Every number of relevant records gives a release that a neighbour gives too, or is printed
    and is not small."""
    for relevant, sample in product((0, 1, 4, 5, 9, 15, 16, 19, 20), (20,)):
        total = publish(review_simply(relevant, sample, 60), violence=40, theft=20).reviews[0].total
        is_small = 0 < relevant < 5 or 0 < sample - relevant < 5
        assert (total.relevant is None) == is_small
        assert (total.range is None) == is_small


def test_a_sample_that_grew_by_a_few_does_not_say_what_they_are(tmp_path: Path) -> None:
    """Two more relevant records among the next three of the order would be a small number."""
    ledger = LedgerUse(FileLedger(tmp_path / "releases.jsonl"), alias="crimes")

    def release(relevant: int, sample: int) -> None:
        answer = attach_reviews(count_answer(), [review_simply(relevant, sample)])
        with prepare_release(answer, POLICY, ledger, "") as pending:
            pending.record()
            (review,) = pending.answer.reviews
            given.append(review.total.relevant)

    given: list[int | None] = []
    release(180, 360)
    release(180, 360)  # the same again says nothing new
    with pytest.raises(DisclosureError, match="among the first"):
        release(182, 363)
    release(195, 390)
    assert given == [180, 180, 195]


def test_a_review_that_is_added_to_a_published_answer_is_recorded(tmp_path: Path) -> None:
    """The numbers were published before without it; those of the review were not."""
    path = tmp_path / "releases.jsonl"
    ledger = LedgerUse(FileLedger(path), alias="crimes")
    bare_answer = count_answer()
    for answer in (bare_answer, attach_reviews(bare_answer, [review_simply(180, 360)])):
        with prepare_release(answer, POLICY, ledger, "") as pending:
            pending.record()
    assert len(path.read_text().splitlines()) == 2
    grown = attach_reviews(bare_answer, [review_simply(182, 363)])
    with (
        pytest.raises(DisclosureError, match="among the first"),
        prepare_release(grown, POLICY, ledger, ""),
    ):
        pass


def test_a_verdict_on_few_of_the_records_read_twice_leaves_no_table() -> None:
    """Ten relevant records are given; that two of them were read twice is not."""
    before = review_simply(10)
    (review,) = publish(before).reviews
    assert review.total.relevant == 10
    assert isinstance(before.agreement, Agreement)
    assert isinstance(review.agreement, Agreement)
    assert before.agreement.table is not None
    assert 0 < before.agreement.table.both_relevant < 5
    assert (review.agreement.table, review.agreement.kappa, review.agreement.ac1) == (None,) * 3
    assert review.agreement.agreed == before.agreement.agreed


def test_a_range_that_only_one_division_gives_is_withheld() -> None:
    """Nine in ten records of a stratum are read, so no other count of it fits the range."""
    strata = (Stratum("8N", 100, 90), Stratum("49", 100, 20))
    sample = make_review(*strata, by="offence", second_share=0)
    drawn = draw_records(sample)
    result = summarise_review(sample, drawn, decide_strata(drawn, {"8N": 2, "49": 10}))
    (review,) = publish(result, violence=100, theft=100).reviews
    assert (review.total.relevant, review.total.range, review.strata) == (12, None, ())
