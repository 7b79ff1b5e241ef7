"""What of a review may be published: the counts of its sample, its ranges and its agreement. Pure.

A count of a sample is a count of people's records like any other, and a range says as much as the
count that it follows from. So one is given with the other, or neither is. How many records were
drawn, and on how many there is no decision, is about the work and always given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final

from msgspec import UnsetType
from msgspec.structs import replace

from queries.answer.types import Answer, has_withheld_numbers
from queries.disclosure.policy import Policy
from queries.review.interval import Interval
from queries.review.result import (
    Agreement,
    AgreementTable,
    CountRange,
    Elusion,
    ReviewedPart,
    ReviewResult,
)
from queries.review.strata import SampleCounts, combine_strata

#: A range over strata that are not given is widened to multiples of one of these, the first that is
#: at least a fiftieth of the records.
_STEPS: Final = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)

_STEP_SHARE: Final = 50


def withhold_small_reviews(answer: Answer, policy: Policy) -> Answer:
    """The answer without the numbers of reviews that are small, before its other numbers are
    protected."""
    if not (policy.is_active and answer.reviews):
        return answer
    reviews = tuple(_withhold_review(review, policy) for review in answer.reviews)
    return replace(answer, written_reviews=reviews)


def clear_withheld_reviews(answer: Answer) -> Answer:
    """The published answer without what would say a number of a review that is withheld."""
    if not answer.reviews:
        return answer
    reviews = tuple(map(_clear_review, answer.reviews))
    if has_withheld_numbers(replace(answer, written_reviews=reviews)):
        # What fits in all but the words is what fits less what is counted, so it could say that.
        reviews = tuple(
            replace(review, elusion=tuple(map(_clear_elusion, review.elusion)))
            for review in reviews
        )
    return replace(answer, written_reviews=reviews)


def _withhold_review(review: ReviewResult, policy: Policy) -> ReviewResult:
    total = review.total
    review = replace(
        review,
        agreement=_withhold_agreement(review, policy),
        elusion=tuple(_withhold_elusion(elusion, policy) for elusion in review.elusion),
    )
    if not _may_be_given(total, policy):
        return replace(review, total=_withhold_part(total), strata=())
    if policy.rounding:
        # Each stratum by itself could be worked out from a range over all of them.
        count_range = None if review.strata else _widen_to_rounding(total, review, policy)
        return replace(review, total=replace(total, range=count_range), strata=())
    if all(_may_be_given(part, policy) for part in review.strata):
        return review
    count_range = _widen_over_strata(review.strata, review, policy)
    return replace(review, total=replace(total, range=count_range), strata=())


def _may_be_given(part: ReviewedPart, policy: Policy) -> bool:
    """Whether no count of a part is small, and what it says of all is not about one whole group."""
    counts = (part.relevant, part.not_relevant)
    few = policy.minimum_group
    if part.decided < few or any(count is None or 0 < count < few for count in counts):
        return False
    return (part.mentioned or 0) >= few and not (policy.whole_groups == "withhold" and 0 in counts)


def _withhold_part(part: ReviewedPart) -> ReviewedPart:
    return replace(part, relevant=None, not_relevant=None, range=None)


def _withhold_agreement(review: ReviewResult, policy: Policy) -> Agreement | UnsetType:
    """The agreement without the table, and the coefficients that say it, where a verdict is that of
    few records, in the table or beside it.

    On how many records readers differ is about the readers.
    """
    agreement, total = review.agreement, review.total
    if not isinstance(agreement, Agreement) or not isinstance(agreement.table, AgreementTable):
        return agreement
    table = agreement.table
    counts = [table.both_relevant, table.neither]
    counts += [
        (whole or 0) - part
        for whole, part in zip((total.relevant, total.not_relevant), counts, strict=True)
    ]
    if not policy.rounding and not any(0 < count < policy.minimum_group for count in counts):
        return agreement
    return replace(agreement, table=None, kappa=None, ac1=None)


def _withhold_elusion(elusion: Elusion, policy: Policy) -> Elusion:
    few = policy.minimum_group
    relevant = elusion.relevant or 0
    if policy.rounding or 0 < relevant < few or (elusion.population or 0) < few:
        return _clear_elusion(elusion)
    return elusion


def _clear_elusion(elusion: Elusion) -> Elusion:
    """Without its numbers. If all records were read, how many were says how many there are."""
    return replace(elusion, population=None, sampled=0, relevant=None, undecided=0, at_most=None)


def _widen_to_rounding(part: ReviewedPart, review: ReviewResult, policy: Policy) -> CountRange:
    """The range for all numbers that are printed as these, rounded outwards."""
    base = policy.rounding
    assert part.mentioned is not None
    assert part.relevant is not None
    populations, counts = (_list_alike(number, base) for number in (part.mentioned, part.relevant))
    others = part.sampled - part.decided
    ranges = [
        combine_strata(
            [SampleCounts(population, part.sampled, count, others)],
            Fraction(str(review.confidence)),
        )
        for population in populations
        for count in counts
        if count + others <= part.sampled <= population
    ]
    return _round_outwards(ranges, base)


def _list_alike(number: int, base: int) -> tuple[int, int]:
    """The least and the greatest number that are rounded as this one."""
    rounded = (number + base // 2) // base * base
    return max(0, rounded - base // 2), rounded + (base - 1) // 2


def _round_outwards(ranges: Sequence[Interval], base: int) -> CountRange:
    low, high = min(item.low for item in ranges), max(item.high for item in ranges)
    return CountRange(low // base * base, -(-high // base) * base)


def _widen_over_strata(
    strata: Sequence[ReviewedPart], review: ReviewResult, policy: Policy
) -> CountRange | None:
    """The range over strata of which some have small counts, widened so that it does not say them.

    A reader who knows the method could try which counts of the strata give a range. So it is given
    only if every small count could as well be one that is as far away as the policy demands, with
    the same total and the same range. None if that is not so.
    """
    confidence = Fraction(str(review.confidence))
    samples = [
        SampleCounts(
            part.mentioned or 0, part.sampled, part.relevant or 0, part.sampled - part.decided
        )
        for part in strata
    ]
    population = sum(sample.population for sample in samples)
    step = next((step for step in _STEPS if step * _STEP_SHARE >= population), _STEPS[-1])
    count_range = _round_outwards([combine_strata(samples, confidence)], step)
    for index, part in enumerate(strata):
        if _may_be_given(part, policy):
            continue
        alternatives = _list_alternatives(samples, index, policy)
        if not any(
            _round_outwards([combine_strata(other, confidence)], step) == count_range
            for other in alternatives
        ):
            return None
    return count_range


def _list_alternatives(
    samples: Sequence[SampleCounts], index: int, policy: Policy
) -> Iterator[list[SampleCounts]]:
    """The samples with so many relevant records moved between a stratum and another that neither
    kind of the stratum is small, or that they differ by as much as the policy demands."""
    few = policy.minimum_group
    own = samples[index]
    for distance in range(few, 2 * few):
        for sign in (1, -1):
            for other, neighbour in enumerate(samples):
                moved = replace(own, relevant=own.relevant + sign * distance)
                source = replace(neighbour, relevant=neighbour.relevant - sign * distance)
                if other != index and _are_possible((moved, source)):
                    changed = {index: moved, other: source}
                    yield [changed.get(place, sample) for place, sample in enumerate(samples)]


def _are_possible(samples: Iterable[SampleCounts]) -> bool:
    return all(sample.relevant >= 0 and sample.most_relevant <= sample.sample for sample in samples)


def _clear_review(review: ReviewResult) -> ReviewResult:
    """A review without what would say a number that is withheld in it."""
    total = review.total
    if None in (total.mentioned, total.relevant, total.not_relevant):
        agreement = review.agreement
        if isinstance(agreement, Agreement):
            agreement = replace(agreement, table=None, kappa=None, ac1=None)
        return replace(review, total=_withhold_part(total), strata=(), agreement=agreement)
    if any(None in (part.mentioned, part.relevant, part.not_relevant) for part in review.strata):
        # The range over all strata says as much as their counts.
        return replace(review, total=replace(total, range=None), strata=())
    return review
