"""What a review says: verdicts of a record, numbers of the sample, and the range of all."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import random
from fractions import Fraction
from math import comb

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from queries.review.result import Agreement, AgreementTable, CountRange, Elusion
from queries.review.summary import summarise_elusion, summarise_review
from queries.review.types import Decision, Reading, Review, ReviewedRecords, Stratum, Verdict
from queries.review.verdict import read_decisions
from tests.support.reviews import (
    N,
    R,
    U,
    decide,
    decide_first,
    decide_strata,
    draw_records,
    make_review,
)

FIRST, SECOND, SETTLING = Reading.FIRST, Reading.SECOND, Reading.SETTLING


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([], "unread"),
        ([(FIRST, R)], "relevant"),
        ([(FIRST, U)], "unsure"),
        ([(FIRST, R), (SECOND, R)], "relevant"),
        ([(FIRST, R), (SECOND, N)], "conflict"),
        ([(FIRST, U), (SECOND, R)], "conflict"),
        ([(FIRST, U), (SECOND, U)], "unsure"),
        ([(FIRST, R), (SECOND, N), (SETTLING, N)], "not relevant"),
        ([(FIRST, R), (SECOND, R), (SETTLING, N)], "not relevant"),
        ([(FIRST, R), (SECOND, N), (SETTLING, U)], "unsure"),
        ([(FIRST, R), (FIRST, N)], "not relevant"),
        ([(SECOND, R)], "relevant"),
    ],
)
def test_a_record_has_the_verdict_of_its_readings(
    verdicts: list[tuple[Reading, Verdict]], status: str
) -> None:
    record = draw_records(make_review())[0]
    decisions = [decide(record, verdict, reading) for reading, verdict in verdicts]
    assert [reading.status for reading in read_decisions([record], decisions)] == [status]


def test_the_sample_that_would_have_answered_a_refused_request() -> None:
    result = summarise_review(review := make_review(), drawn := draw_records(review), [])
    assert result.total.unread == 360
    result = summarise_review(review, drawn, decide_first(drawn, 180))
    total = result.total
    assert (total.mentioned, total.sampled, total.decided) == (1_144, 360, 360)
    assert (total.relevant, total.not_relevant) == (180, 180)
    assert total.range == CountRange(522, 622)
    assert (result.method, result.confidence, result.seed) == ("exact", 0.95, "a seed")
    assert (result.strata, result.agreement) == ((), UNSET)


def test_seven_records_that_were_all_read_leave_no_range() -> None:
    review = make_review(Stratum("", 7, 7))
    drawn = draw_records(review)
    result = summarise_review(review, drawn, decide_first(drawn, 0))
    assert (result.method, result.total.range) == ("all read", CountRange(0, 0))


def test_what_is_not_decided_is_covered_as_either() -> None:
    review = make_review()
    drawn = draw_records(review)
    decisions = decide_first(drawn[:350], 180)  # ten nobody has read
    decisions[0] = decide(drawn[0], U)
    decisions.append(decide(drawn[1], N, SECOND))  # a conflict
    decisions[2] = decide(drawn[2], R, content_hash="another text")
    total = summarise_review(review, drawn, decisions).total
    assert (total.undecided, total.stale, total.unread) == (2, 1, 10)
    assert (total.relevant, total.not_relevant, total.decided) == (177, 170, 347)
    low = summarise_review(review, drawn, decide_first(drawn, 177)).total.range
    high = summarise_review(review, drawn, decide_first(drawn, 190)).total.range
    assert low is not None
    assert high is not None
    assert total.range == CountRange(low.low, high.high)


def test_a_decision_is_stale_when_the_text_has_changed_or_is_gone() -> None:
    review = make_review(Stratum("", 40, 20))
    drawn = draw_records(review)
    hashes = {record.reference: record.content_hash for record in drawn}
    hashes[drawn[0].reference] = "the text of today"
    del hashes[drawn[1].reference]
    decisions = decide_first(drawn, 10)
    total = summarise_review(review, drawn, decisions, hashes).total
    assert (total.stale, total.relevant) == (2, 8)
    again = [*decisions, decide(drawn[0], N, content_hash="the text of today")]
    total = summarise_review(review, drawn, again, hashes).total
    assert (total.stale, total.relevant, total.not_relevant) == (1, 8, 11)


def test_agreement_is_of_two_people_on_one_text() -> None:
    review = make_review(Stratum("", 100, 50))
    drawn = draw_records(review)
    decisions = [
        *decide_first(drawn, 25),
        *(decide(record, R, SECOND) for record in drawn[:20]),  # both relevant
        *(decide(record, N, SECOND) for record in drawn[20:23]),  # the first only
        *(decide(record, R, SECOND) for record in drawn[25:27]),  # the second only
        *(decide(record, N, SECOND) for record in drawn[27:45]),  # neither
        decide(drawn[45], U, SECOND),
        decide(drawn[46], R, SECOND, reviewer="reviewer 1"),  # the same person
        decide(drawn[47], R, SECOND, content_hash="another text"),
        decide(drawn[20], R, SETTLING),  # leaves the blind decisions as they were
    ]
    agreement = summarise_review(review, drawn, decisions).agreement
    assert isinstance(agreement, Agreement)
    assert agreement.table == AgreementTable(20, 3, 2, 18)
    assert (agreement.pairs, agreement.agreed, agreement.unsure) == (43, 38, 1)
    assert agreement.raw is not None
    assert agreement.raw.value == 38 / 43


def test_strata_have_numbers_of_their_own_and_one_total() -> None:
    review = make_review(Stratum("violence", 800, 250), Stratum("theft", 344, 110), by="offence")
    drawn = draw_records(review)
    result = summarise_review(review, drawn, decide_strata(drawn, {"violence": 100, "theft": 80}))
    assert [(part.label, part.mentioned, part.relevant) for part in result.strata] == [
        ("violence", 800, 100),
        ("theft", 344, 80),
    ]
    assert (result.total.mentioned, result.total.relevant) == (1_144, 180)
    assert result.method == "combined strata"
    total, parts = result.total.range, [part.range for part in result.strata]
    assert total is not None
    assert all(parts)
    assert total.high - total.low < sum(part.high - part.low for part in parts if part)


def test_a_sample_that_does_not_carry_parts_says_nothing_of_them() -> None:
    review = make_review()
    drawn = draw_records(review)
    assert summarise_review(review, drawn, decide_first(drawn, 9)).strata == ()


@pytest.mark.parametrize("relevant", [0, 2])
def test_what_the_words_miss_is_bounded(relevant: int) -> None:
    review = replace(make_review(Stratum("", 5_000, 300)), records=ReviewedRecords.WITHOUT_MENTION)
    drawn = draw_records(review)
    elusion = summarise_elusion(review, drawn, decide_first(drawn, relevant))
    # The rule of three gives 5,000 * 3 / 300 = 50 for none.
    assert elusion == Elusion(
        "without a mention",
        5_000,
        300,
        relevant,
        0,
        (48, 102)[relevant // 2],
        review.name,
        review.seed,
        review.generation,
    )

    def count_as_few(total: int) -> int:
        return sum(comb(total, n) * comb(5_000 - total, 300 - n) for n in range(relevant + 1))

    assert elusion.at_most is not None
    assert count_as_few(elusion.at_most) * 20 > comb(5_000, 300)
    assert count_as_few(elusion.at_most + 1) * 20 <= comb(5_000, 300)


def test_records_that_were_not_drawn_for_the_review_are_refused() -> None:
    review = make_review()
    with pytest.raises(ValueError, match="as many as"):
        summarise_review(review, draw_records(review)[:359], [])


def test_a_script_over_the_export_gives_the_same_numbers() -> None:
    """Shares no code with the review: it draws again, counts, and inverts the distribution."""
    generator = random.Random(19)
    review = make_review(Stratum("", 300, 60))
    drawn = draw_records(review)
    decisions = [decide(record, generator.choice([R, R, N, U])) for record in drawn]
    decisions += [
        decide(record, generator.choice([R, N]), SECOND)
        for record in drawn
        if record.second_reading
    ]
    result = summarise_review(review, drawn, decisions)
    counts, low, high = recount(export(review, decisions), review.seed)
    assert (result.total.sampled, result.total.relevant, result.total.not_relevant) == counts
    assert result.total.range == CountRange(low, high)


def export(review: Review, decisions: list[Decision]) -> str:
    """The population in no order, with the decisions on each record, as CSV."""
    by_reading = {(entry.reference, entry.reading): entry.verdict.value for entry in decisions}
    text = io.StringIO()
    writer = csv.writer(text)
    for number in range(review.strata[0].population):
        reference = f"SYN-{number:05}"
        readings = [by_reading.get((reference, reading), "") for reading in (FIRST, SECOND)]
        writer.writerow([reference, *readings])
    return text.getvalue()


def recount(text: str, seed: str) -> tuple[tuple[int, int, int], int, int]:
    rows = sorted(
        csv.reader(io.StringIO(text)),
        key=lambda row: hmac.new(
            seed.encode(), b"order:" + row[0].encode(), hashlib.sha256
        ).digest(),
    )
    read = [row for row in rows if row[1]]
    assert read == rows[: len(read)]  # the first of the order, and no others
    verdicts = [{*filter(None, row[1:])} for row in read]
    relevant, others = verdicts.count({"relevant"}), verdicts.count({"not relevant"})
    population, sample = len(rows), len(read)

    def share(true: int, numbers: range) -> Fraction:
        ways = sum(
            comb(true, number) * comb(population - true, sample - number)
            for number in numbers
            if 0 <= sample - number <= population - true
        )
        return Fraction(ways, comb(population, sample))

    tail = Fraction(25, 1000)
    totals = range(population + 1)
    low = min(total for total in totals if share(total, range(relevant, sample + 1)) > tail)
    high = max(total for total in totals if share(total, range(sample - others + 1)) > tail)
    return (sample, relevant, others), low, high
