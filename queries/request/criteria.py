"""What a request says of the numbers that people review: when a record is relevant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from indexer.errors import RequestError
from indexer.suggestions import suggest_name
from queries.spec.problem import Problem


class CriterionSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The criterion of a number: ``number`` names it as ``find`` does (``Q1``, ``Q2:Snapchat``),
    ``column`` its column, if the table has several."""

    number: Annotated[str, Meta(min_length=1, max_length=200)]
    criterion: Annotated[str, Meta(pattern=r"\S", max_length=500)]
    column: Annotated[str, Meta(max_length=200)] = ""

    @property
    def question(self) -> str:
        """The id of its question."""
        return self.number.partition(":")[0].strip()

    @property
    def key(self) -> tuple[str, ...]:
        """The number, however it is written."""
        question, _, row = self.number.partition(":")
        return tuple(
            text.strip().casefold() for text in (question, row.strip() or "total", self.column)
        )


def find_criterion_problems(
    criteria: Sequence[CriterionSpec], ids: Collection[str]
) -> Iterator[Problem]:
    """What is wrong with the criteria of a request whose questions have these ids."""
    known = {name.casefold() for name in ids}
    keys: set[tuple[str, ...]] = set()
    for position, spec in enumerate(criteria):
        if spec.question.casefold() not in known:
            yield Problem(
                f"[{position}].number",
                f'there is no question "{spec.question[:30]}" with figures.'
                f"{suggest_name(spec.question, [*ids])} Name one, as in Q1 or Q2:Snapchat.",
            )
        if spec.key in keys:
            yield Problem(
                f"[{position}].number",
                f'"{spec.number[:60]}" has two criteria. A record is relevant by one. Remove the '
                "other.",
            )
        keys.add(spec.key)


def find_criterion(criteria: Sequence[CriterionSpec], number: str, column: str = "") -> str:
    """The criterion of a number; empty if the request states none."""
    key = CriterionSpec(number, "-", column).key
    return next((spec.criterion for spec in criteria if spec.key == key), "")


def list_unreviewed(
    criteria: Sequence[CriterionSpec], reviewed: Iterable[tuple[str, str]]
) -> list[CriterionSpec]:
    """The criteria of numbers of which there is no review; ``reviewed`` are the number and the
    column of each.

    A review may name its number in other words than the criterion does, so one that fits no
    criterion is taken to be of those of its question.
    """
    keys = {CriterionSpec(number, "-", column).key for number, column in reviewed}
    other_questions = {key[0] for key in keys - {spec.key for spec in criteria}}
    return [
        spec for spec in criteria if spec.key not in keys and spec.key[0] not in other_questions
    ]


def choose_criterion(
    criteria: Sequence[CriterionSpec], number: str, column: str, written: str | None
) -> str:
    """The criterion of a number: the one that is ``written`` elsewhere, or the request's.

    Raises RequestError if there is none, or if there are two.
    """
    stated = " ".join(find_criterion(criteria, number, column).split())
    if not stated and not written:
        raise RequestError(
            f"the request does not say when a record of {number[:60]} is relevant. Say it under "
            "review: in the request, or with --criterion."
        )
    if stated and written and written.split() != stated.split():
        raise RequestError(
            f'the request says that a record of {number[:60]} is relevant if "{stated}", and '
            "--criterion says something else. Leave out --criterion, or correct the request."
        )
    return written or stated
