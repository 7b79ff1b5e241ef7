"""Puts the results of reviews beside the numbers of an answer that they are about. Pure.

A review says something of the records that it was drawn from. So it belongs to an answer only if
that has the same number of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from indexer.errors import RequestError
from indexer.records.offences import load_offence_table
from indexer.suggestions import suggest_name
from queries.answer.cells import Cell, collect_scope_conditions, list_table_cells
from queries.answer.condition import (
    Condition,
    NamedCondition,
    build_exact_code_condition,
    build_period_condition,
    format_conditions,
)
from queries.answer.condition_text import parse_conditions
from queries.answer.types import Answer, QuestionAnswer, Row
from queries.request.reader import expand_year
from queries.review.result import Elusion, ReviewedPart, ReviewResult
from queries.tables.table_query import TOTAL_KEY

#: Units of which each record counts once, so that a record that is relevant is one of them.
_RECORD_UNITS: Final = ("offences", "records")


class ElusionReview(Struct, frozen=True):
    """What a review says of records beside a number, and which number that is."""

    name: str
    number: str
    column: str
    criterion: str
    elusion: Elusion


def attach_reviews(
    answer: Answer, reviews: Iterable[ReviewResult], elusions: Iterable[ElusionReview] = ()
) -> Answer:
    """The answer with the results of reviews of its numbers, in the order of the answer, each with
    what is known of the records beside it.

    Raises RequestError where the answer has no such number, or has another one than the records
    that were drawn from, or where it does not count records; and where records beside a number
    were reviewed, but not by the same criterion as its own.
    """
    placed = [_place_review(answer, review) for review in reviews]
    for elusion in elusions:
        placed = _place_elusion(answer, placed, elusion)
    ids = [question.id for question in answer.questions]
    placed.sort(key=lambda review: ids.index(review.number.partition(":")[0]))
    return replace(answer, written_reviews=tuple(placed) or UNSET)


def advise_new_review(review: ReviewResult) -> str:
    """What to do about a review of records that are other ones now, in sentences."""
    return (
        "Start a review of the records as they are now with foidex review start. With the same "
        f"seed, {review.seed}, what was decided can be taken over; docs/review.md says how."
    )


def _place_review(answer: Answer, review: ReviewResult) -> ReviewResult:
    """The review with the name, the unit and the conditions of its number in the answer."""
    question = _find_question(answer, review)
    cell = _find_cell(answer, question, review)
    if cell.unit not in _RECORD_UNITS or not isinstance(cell.value, int):
        raise RequestError(
            f'the review "{review.name}" is of {review.number}, which does not count records. '
            "Review a number of the request that counts records."
        )
    if cell.value != review.total.mentioned:
        raise RequestError(
            f'the review "{review.name}" was drawn from {review.total.mentioned:,} records of '
            f"{review.number}, and the answer counts {cell.value:,} now: records were added, "
            f"changed or removed since. {advise_new_review(review)}"
        )
    return replace(
        review,
        number=f"{question.id}:{cell.key.row}",
        column=cell.key.column if review.column else "",
        label=cell.location,
        unit=cell.unit,
        total=replace(review.total, means=format_conditions(cell.conditions)),
        strata=tuple(_place_stratum(part, review.by, cell, review.name) for part in review.strata),
    )


def _place_elusion(
    answer: Answer, placed: Sequence[ReviewResult], elusion: ElusionReview
) -> list[ReviewResult]:
    """The reviews, of which that of the same number has what its words miss."""
    question = _find_question(answer, elusion)
    key = _find_cell(answer, question, elusion).key
    number, column = f"{question.id}:{key.row}", key.column if elusion.column else ""
    reviews = [review for review in placed if (review.number, review.column) == (number, column)]
    if not reviews:
        raise RequestError(
            f'the review "{elusion.name}" is of records that {elusion.number} does not count, and '
            "says what its words miss. Name the review of the records that it counts too, with "
            "another --review."
        )
    if reviews[0].criterion.split() != elusion.criterion.split():
        raise RequestError(
            f'the review "{elusion.name}" was decided by "{elusion.criterion}", and the review '
            f'"{reviews[0].name}" by "{reviews[0].criterion}". Both must have one criterion: start '
            "a review with it."
        )
    if any(other.records == elusion.elusion.records for other in reviews[0].elusion):
        raise RequestError(
            f"two reviews are of the records beside {elusion.number} ({elusion.elusion.records}). "
            f'Leave out one of them, such as "{elusion.name}".'
        )
    completed = replace(reviews[0], elusion=(*reviews[0].elusion, elusion.elusion))
    return [completed if review is reviews[0] else review for review in placed]


def _place_stratum(part: ReviewedPart, by: str, cell: Cell, name: str) -> ReviewedPart:
    """A stratum with its conditions, and the label that documents print."""
    label, condition = _read_stratum(part.label, by, name)
    return replace(part, label=label, means=format_conditions((*cell.conditions, condition)))


def _read_stratum(label: str, by: str, name: str) -> tuple[str, Condition]:
    """What a stratum is: an offence code, a year or a financial year; else only its name is
    known."""
    if by == "offence":
        title = load_offence_table().titles.get(label)
        return f"{title} ({label})" if title else label, build_exact_code_condition(label)
    if by in ("year", "financial-year") and isinstance(days := expand_year(label), dict):
        first, last = (date.fromisoformat(days[key]) for key in ("from", "to"))
        return label, build_period_condition((first, last))
    return label, NamedCondition(f"stratum of {name}: {label}")


def _find_question(answer: Answer, review: ReviewResult | ElusionReview) -> QuestionAnswer:
    name = review.number.partition(":")[0].strip()
    questions = {question.id.casefold(): question for question in answer.questions}
    if question := questions.get(name.casefold()):
        return question
    ids = [question.id for question in answer.questions]
    raise RequestError(
        f'the review "{review.name}" is of {review.number}, and the answer has no question '
        f'"{name[:30]}".{suggest_name(name, ids)} Leave the review out, or answer the request that '
        "it was started for."
    )


def _find_cell(
    answer: Answer, question: QuestionAnswer, review: ReviewResult | ElusionReview
) -> Cell:
    """The number that is reviewed; by the keys or the labels of its row and column."""
    base = (*collect_scope_conditions(answer.scope), *parse_conditions(question.means))
    name = review.number.partition(":")[2].strip() or TOTAL_KEY
    table = question.table
    for row, cells in zip(table.rows_and_total, list_table_cells(question, base), strict=True):
        if not _is_named(row, name):
            continue
        for column, cell in zip(table.columns, cells, strict=True):
            if not review.column or review.column.casefold() in (
                column.key.casefold(),
                column.label.casefold(),
            ):
                return cell
    column_words = f', column "{review.column}"' if review.column else ""
    raise RequestError(
        f'the review "{review.name}" is of {review.number}{column_words}, which the answer does '
        "not have. Answer the request that it was started for."
    )


def _is_named(row: Row, name: str) -> bool:
    is_total = row.kind == TOTAL_KEY and name.casefold() == TOTAL_KEY
    return is_total or name.casefold() in (row.key.casefold(), row.label.casefold())
