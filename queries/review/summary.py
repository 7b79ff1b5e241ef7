"""What a review says of the records that were read, and of all that its number counts. Pure.

A record that is undecided, stale or not yet read may be relevant or not, and every range covers it
as either. So a review that is not complete says less, and nothing that is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from msgspec import UNSET

from queries.review.agreement import measure_agreement
from queries.review.result import CountRange, Elusion, RangeMethod, ReviewedPart, ReviewResult
from queries.review.strata import SampleCounts, combine_strata, find_highest_total
from queries.review.types import Decision, DrawnRecord, Review, Stratum
from queries.review.verdict import RecordReading, ReviewStatus, read_decisions


def summarise_review(
    review: Review,
    drawn: Sequence[DrawnRecord],
    decisions: Sequence[Decision],
    current_hashes: Mapping[str, str] | None = None,
) -> ReviewResult:
    """The result of a review from its decisions, in the order in which they were stored.

    ``current_hashes`` are the content hashes of the drawn records as they are now; by default,
    those when they were drawn. Raises ValueError where the records drawn are not those of its
    strata.
    """
    readings = _read_strata(review, drawn, decisions, current_hashes)
    confidence = Fraction(str(review.confidence))
    strata = [
        _summarise_part(stratum.name, [stratum], readings[stratum.name], confidence)
        for stratum in review.strata
    ]
    everything = [reading for stratum in readings.values() for reading in stratum]
    samples = [_count_sample(stratum, readings[stratum.name]) for stratum in review.strata]
    interval = combine_strata(samples, confidence)
    total = _count_part("", review.strata, everything, CountRange(interval.low, interval.high))
    agreement = measure_agreement(everything, review.confidence)
    return ReviewResult(
        name=review.name,
        number=review.number,
        column=review.column,
        criterion=review.criterion,
        confidence=review.confidence,
        method=_name_method(samples),
        seed=review.seed,
        generation=review.generation,
        by=review.by,
        total=total,
        strata=tuple(strata) if review.by else (),
        agreement=agreement or UNSET,
    )


def summarise_elusion(
    review: Review,
    drawn: Sequence[DrawnRecord],
    decisions: Sequence[Decision],
    current_hashes: Mapping[str, str] | None = None,
) -> Elusion:
    """How many records that a number does not count may be relevant, from a review of a sample of
    them; raises as ``summarise_review``.

    The bound is one-sided. With none relevant of n read it is about 3/n of the population at 95 %
    ("rule of three": Hanley and Lippman-Hand, JAMA 249 (1983), 1743-1745). "Elusion" is the term of
    Roitblat, Sedona Conference Journal 8 (2007), 225-238.
    """
    readings = _read_strata(review, drawn, decisions, current_hashes)
    everything = [reading for stratum in readings.values() for reading in stratum]
    samples = [_count_sample(stratum, readings[stratum.name]) for stratum in review.strata]
    part = _count_part("", review.strata, everything, None)
    return Elusion(
        records=review.records.value,
        population=part.mentioned,
        sampled=part.sampled,
        relevant=part.relevant,
        undecided=part.undecided + part.stale + part.unread,
        at_most=find_highest_total(samples, Fraction(str(review.confidence))),
        name=review.name,
        seed=review.seed,
        generation=review.generation,
    )


def _read_strata(
    review: Review,
    drawn: Sequence[DrawnRecord],
    decisions: Sequence[Decision],
    current_hashes: Mapping[str, str] | None,
) -> dict[str, list[RecordReading]]:
    """The readings of each stratum. Raises ValueError where they are not as many as drawn."""
    readings: dict[str, list[RecordReading]] = {stratum.name: [] for stratum in review.strata}
    for reading in read_decisions(drawn, decisions, current_hashes):
        readings.setdefault(reading.record.stratum, []).append(reading)
    if {name: len(records) for name, records in readings.items()} != {
        stratum.name: stratum.sample for stratum in review.strata
    }:
        raise ValueError("the records drawn are not as many as the strata of the review say")
    return readings


def _summarise_part(
    label: str, strata: Sequence[Stratum], readings: list[RecordReading], confidence: Fraction
) -> ReviewedPart:
    samples = [_count_sample(stratum, readings) for stratum in strata]
    interval = combine_strata(samples, confidence)
    return _count_part(label, strata, readings, CountRange(interval.low, interval.high))


def _count_sample(stratum: Stratum, readings: Iterable[RecordReading]) -> SampleCounts:
    statuses = Counter(reading.status for reading in readings)
    relevant = statuses[ReviewStatus.RELEVANT]
    decided = relevant + statuses[ReviewStatus.NOT_RELEVANT]
    return SampleCounts(stratum.population, stratum.sample, relevant, stratum.sample - decided)


def _count_part(
    label: str,
    strata: Iterable[Stratum],
    readings: Iterable[RecordReading],
    count_range: CountRange | None,
) -> ReviewedPart:
    statuses = Counter(reading.status for reading in readings)
    relevant, others = (statuses[ReviewStatus.RELEVANT], statuses[ReviewStatus.NOT_RELEVANT])
    return ReviewedPart(
        label=label,
        mentioned=sum(stratum.population for stratum in strata),
        sampled=statuses.total(),
        decided=relevant + others,
        relevant=relevant,
        not_relevant=others,
        undecided=statuses[ReviewStatus.UNSURE] + statuses[ReviewStatus.CONFLICT],
        stale=statuses[ReviewStatus.STALE],
        unread=statuses[ReviewStatus.UNREAD],
        range=count_range,
    )


def _name_method(samples: Iterable[SampleCounts]) -> RangeMethod:
    """How the range of a review with such samples follows."""
    open_samples = sum(sample.sample < sample.population for sample in samples)
    return ("all read", "exact", "combined strata")[min(open_samples, 2)]
