"""What documents say of a review, in words that a member of the public understands. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct, UnsetType

from indexer.terminal import round_share
from queries.answer.types import Answer
from queries.layout.prose import capitalise_sentence, format_number, join_list
from queries.request.criteria import CriterionSpec, list_unreviewed
from queries.review.result import (
    Agreement,
    AgreementTable,
    Coefficient,
    Elusion,
    RangeMethod,
    ReviewedPart,
    ReviewResult,
)
from queries.tables.table_query import TOTAL_KEY

#: How each method is named to a statistician.
_METHODS: Final[dict[RangeMethod, str]] = {
    "all read": "Every record was read, so nothing is estimated.",
    "exact": (
        "The range is the exact confidence interval for a finite population: the hypergeometric "
        "distribution is inverted with equal tails, as Clopper and Pearson invert the binomial."
    ),
    "combined strata": (
        "Each part is a simple random sample of its own. The range inverts a test of the total "
        "that combines the hypergeometric tail probabilities of the parts by Fisher's method, for "
        "the division among them that makes these most probable. It is conservative: it is at "
        "least as sure as stated."
    ),
}

_ELUSION_RECORDS: Final = {
    "near misses": "that have wording similar to the words we searched for, and are not in that "
    "figure",
    "without a mention": "that do not mention the words we searched for",
}


class ReviewView(Struct, frozen=True):
    """A review with what documents say of it.

    ``prose`` are the paragraphs of the letter, one for each stratum among them; ``method`` are the
    items of the annex; ``title`` names the number.
    """

    result: ReviewResult
    title: str
    prose: tuple[str, ...]
    method: tuple[str, ...]
    public_method: tuple[str, ...]


def view_reviews(answer: Answer) -> tuple[ReviewView, ...]:
    """The reviews of an answer, in its order."""
    return tuple(
        ReviewView(
            result=review,
            title=(review.label or review.number).replace(" asked about,", ","),
            prose=tuple(_describe_review(answer, review)),
            method=tuple(_describe_method(review, public=False)),
            public_method=tuple(_describe_method(review, public=True)),
        )
        for review in answer.reviews
    )


def list_review_prose(views: tuple[ReviewView, ...], question: str) -> tuple[str, ...]:
    """The paragraphs of all reviews of a question."""
    return tuple(
        line
        for view in views
        if view.result.number.partition(":")[0] == question
        for line in view.prose
    )


def list_unreviewed_criteria(answer: Answer) -> list[CriterionSpec]:
    """The criteria that the request states, of numbers whose review the answer does not have."""
    criteria = msgspec.convert(answer.request.get("review") or (), tuple[CriterionSpec, ...])
    return list_unreviewed(criteria, ((review.number, review.column) for review in answer.reviews))


def warn_of_unread(answer: Answer) -> tuple[str, ...]:
    """What the officer should know of criteria by which no record was read."""
    numbers = list(dict.fromkeys(spec.number for spec in list_unreviewed_criteria(answer)))
    if not numbers:
        return ()
    return (
        f"the request says when a record of {join_list(numbers)} is relevant, and no review is in "
        "the answer, so the letter says that the records were not read. To give one: --review NAME",
    )


def describe_unread(answer: Answer, question: str) -> tuple[str, ...]:
    """A sentence for each criterion of a question by which no record was read."""
    return tuple(
        f"We have not read these records, so {_name_figure(spec)} how many of them meet this "
        f'condition: "{spec.criterion.rstrip(".")}".'
        for spec in list_unreviewed_criteria(answer)
        if spec.question.casefold() == question.casefold()
    )


def _name_figure(spec: CriterionSpec) -> str:
    row = spec.number.partition(":")[2].strip()
    names = [name for name in (row, spec.column) if name and name != TOTAL_KEY]
    if not names:
        return "the figures do not say"
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"the figure for {quoted} does not say"


def _describe_review(answer: Answer, review: ReviewResult) -> Iterator[str]:
    yield _describe_reading(answer, review)
    yield " ".join([*_describe_finding(review.total), *_describe_range(review)])
    yield from map(_describe_part, review.strata)
    if isinstance(review.agreement, Agreement):
        yield _describe_agreement(review.agreement)
    if isinstance(review.not_read_twice, int):
        yield _describe_missing_readings(review.not_read_twice, review.agreement)
    yield from (_describe_elusion(elusion, review.confidence) for elusion in review.elusion)


def _describe_reading(answer: Answer, review: ReviewResult) -> str:
    """What was read, why, and what makes a record relevant."""
    total = review.total
    is_withheld = total.mentioned is None
    mentioned = format_number(total.mentioned)
    row = review.number.partition(":")[2]
    figure = "The figure that we withhold" if is_withheld else f"The figure of {mentioned}"
    if row != TOTAL_KEY or review.column:
        figure = f"{figure} ({review.label})"
    mentions = any((answer.scope.terms, *(question.terms for question in answer.questions)))
    reason = (
        "counts every record that mentions a word we searched for. A record can mention a word "
        "and be about something else"
        if mentions
        else "counts every record that fits the question. Not every one need be about what you "
        "asked"
    )
    sample = (
        "read all of them"
        if total.sampled == total.mentioned
        else f"read a random sample of {format_number(total.sampled)} of "
        f"{'them' if is_withheld else f'the {mentioned}'}"
    )
    return (
        f"{figure} {reason}, so we {sample}. We counted a record as relevant if this is true of "
        f'it: "{review.criterion.strip().rstrip(".")}".'
    )


def _describe_finding(part: ReviewedPart) -> Iterator[str]:
    """How many of those read are relevant, and on how many there is no decision."""
    relevant, others = format_number(part.relevant), format_number(part.not_relevant)
    verb = "was" if part.relevant == 1 else "were"
    if part.relevant is None and part.not_relevant is None:
        yield (
            f"We are not giving how many of the {format_number(part.sampled)} were relevant, "
            "because that number or the rest is too small."
        )
    elif part.relevant == 0 and part.decided == part.sampled:
        yield f"None of the {format_number(part.sampled)} was relevant."
    else:
        counts = "" if part.not_relevant is None else f" and {others} were not"
        yield f"Of the {format_number(part.sampled)}, {relevant} {verb} relevant{counts}."
    reasons = [
        f"{format_number(number)} {words}"
        for number, words in (
            (part.undecided, "on which the readers were not sure or did not agree"),
            (part.stale, "changed or removed since we read them"),
            (part.unread, "that nobody has read yet"),
        )
        if number
    ]
    if reasons:
        yield (
            f"There is no decision on the others: {join_list(reasons)}. The range below allows for "
            "each of them being relevant or not."
        )


def _describe_range(review: ReviewResult) -> Iterator[str]:
    """What the sample says of all records."""
    total = review.total
    if total.relevant is None:
        return
    mentioned = format_number(total.mentioned)
    if total.range is None:
        yield (
            f"We are not giving an estimate for all {mentioned}, because it would show small "
            "numbers of parts of them."
        )
        return
    low, high = format_number(total.range.low), format_number(total.range.high)
    if total.range.low == total.range.high:
        if total.sampled != total.mentioned:
            yield f"From this we know that {low} of the {mentioned} are relevant."
        return
    if review.method == "all read":
        yield f"So between {low} and {high} of the {mentioned} are relevant."
        return
    yield (
        f"From this we estimate that between {low} and {high} of the {mentioned} are relevant "
        f"({_format_confidence(review.confidence)} confidence interval)."
    )


def _describe_part(part: ReviewedPart) -> str:
    """A line for a stratum."""
    mentioned = format_number(part.mentioned)
    finding = (
        f"{capitalise_sentence(part.label)}: we read {format_number(part.sampled)} of "
        f"{mentioned}, and {format_number(part.relevant)} were relevant"
    )
    if part.range is None:
        return f"{finding}."
    low, high = format_number(part.range.low), format_number(part.range.high)
    if part.range.low == part.range.high:
        return f"{finding}; so {low} of the {mentioned} are."
    return f"{finding}; so between {low} and {high} of the {mentioned} are."


def _describe_agreement(agreement: Agreement) -> str:
    pairs = format_number(agreement.pairs)
    both = format_number(agreement.pairs + agreement.unsure)
    sentence = (
        f"A second person read {both} of these records without seeing the first decision. "
        f"Both decided {pairs}, and they agreed on {format_number(agreement.agreed)}"
        if agreement.unsure
        else f"A second person read {both} of these records without seeing the first decision, and "
        f"agreed on {format_number(agreement.agreed)}"
    )
    if not agreement.raw:
        return f"{sentence}."
    return f"{sentence} ({round_share(agreement.agreed, agreement.pairs)}%)."


def _describe_missing_readings(missing: int, agreement: Agreement | UnsetType) -> str:
    """That fewer records were read twice than had been planned."""
    number = format_number(missing)
    if isinstance(agreement, Agreement):
        return (
            f"A second person was to read {number} more of these records, and did not. One "
            "person's decision counts for them."
        )
    return (
        f"A second person was to read {number} of these records too, and did not. So each decision "
        "is one person's, and we cannot say how often two people would agree."
    )


def _describe_elusion(elusion: Elusion, confidence: float) -> str:
    """What the words miss."""
    records = _ELUSION_RECORDS.get(elusion.records, "that the figure does not count")
    if elusion.population is None:
        return (
            f"We also read a random sample of records {records}. We are not giving what we found, "
            "because small numbers could be worked out from it."
        )
    population, sampled = format_number(elusion.population), format_number(elusion.sampled)
    start = (
        f"We also read a random sample of {sampled} of the {population} records {records}. "
        if elusion.sampled != elusion.population
        else f"We also read all {population} records {records}. "
    )
    relevant = (
        "None was relevant"
        if elusion.relevant == 0
        else f"Of these, {format_number(elusion.relevant)} "
        f"{'was' if elusion.relevant == 1 else 'were'} relevant"
    )
    if elusion.undecided:
        relevant += (
            f", and there is no decision on {format_number(elusion.undecided)}, which we take to "
            "be relevant here"
        )
    if elusion.at_most is None or elusion.sampled == elusion.population:
        return f"{start}{relevant}."
    return (
        f"{start}{relevant}, so we estimate that no more than {format_number(elusion.at_most)} of "
        f"the {population} are relevant ({_format_confidence(confidence)} confidence)."
    )


def _describe_method(review: ReviewResult, *, public: bool) -> Iterator[str]:
    """The items of the annex; one that is ``public`` has no index and no key."""
    total, confidence = review.total, _format_confidence(review.confidence)
    yield (
        f"Records: {format_number(total.mentioned)}"
        + ("" if public else f", of index {review.generation}")
        + ". Read: "
        f"{format_number(total.sampled)}, drawn at random without replacement"
        + (f", separately by {review.by}" if review.by else "")
        + f". Relevant: {format_number(total.relevant)}. Not relevant: "
        f"{format_number(total.not_relevant)}. No decision: "
        f"{format_number(total.undecided + total.stale + total.unread)}."
    )
    yield (
        "The records are drawn in an order that is fixed beforehand and that nobody chooses, so "
        "that we can draw the same ones again."
        if public
        else "The order in which records are drawn is that of the HMAC-SHA-256 of their references "
        f'with the key "{review.seed}", so whoever has the list of references can draw them again.'
    )
    is_given = any(part.range is not None for part in (total, *review.strata))
    if is_given or review.method == "all read":
        yield _METHODS[review.method]
    if is_given and review.method != "all read":
        yield (
            f"{confidence} confidence means: if such samples were drawn again and again, at least "
            f"{confidence} of the ranges would include the true number."
        )
    if review.strata and is_given:
        yield f"The range of each part holds by itself with {confidence} confidence."
    if isinstance(review.agreement, Agreement):
        yield from _describe_coefficients(review.agreement, confidence)
    if review.elusion:
        yield (
            "The bound on records that the figure does not count is one-sided, by the same "
            "distribution. They fit the figure in all but its words."
        )
    for elusion in review.elusion:
        if elusion.seed and not public:
            yield (
                f"The records that are {elusion.records} are those of index {elusion.generation}, "
                f'drawn in the same way with the key "{elusion.seed}".'
            )


def _describe_coefficients(agreement: Agreement, confidence: str) -> Iterator[str]:
    table = agreement.table
    if isinstance(table, AgreementTable):
        yield (
            f"Two readings: both relevant {format_number(table.both_relevant)}, only the first "
            f"{format_number(table.first_only)}, only the second "
            f"{format_number(table.second_only)}, neither {format_number(table.neither)}"
            + (
                f"; one or both unsure {format_number(agreement.unsure)}."
                if agreement.unsure
                else "."
            )
        )
    coefficients = [
        f"{name} {_format_coefficient(coefficient)}"
        for name, coefficient in (
            ("raw agreement", agreement.raw),
            ("Cohen's kappa", agreement.kappa),
            ("Gwet's AC1", agreement.ac1),
        )
        if coefficient is not None
    ]
    if coefficients:
        yield (
            f"{capitalise_sentence(join_list(coefficients))} ({confidence} confidence intervals in "
            "brackets)."
        )


def _format_coefficient(coefficient: Coefficient) -> str:
    return f"{coefficient.value:.2f} ({coefficient.low:.2f} to {coefficient.high:.2f})"


def _format_confidence(confidence: float) -> str:
    return f"{confidence * 100:g}%"
