"""The same request with less detail, so that fewer numbers may have to be withheld.

Pure. Each change is one that an officer could make to the file: two questions instead of a table
of both, wider age bands, longer periods, merged rows, fewer columns.
``queries/answering/suggestions.py`` finds out whether it helps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec

from queries.layout.prose import join_list
from queries.questions.base import Question
from queries.questions.by import By
from queries.questions.cross import Cross
from queries.questions.keywords import Keywords
from queries.questions.list_of_records import TEXT_FIELD, ListQuestion
from queries.questions.people import PeopleQuestion, Suspects, Victims
from queries.request.reader import Request
from queries.spec.scope_spec import (
    AgeBand,
    AgeBands,
    AxisSpec,
    OffenceSpec,
    PeriodSpec,
    parse_axis_spec,
)
from queries.tables.table_query import CountedUnit

#: The fields of a date, and those of longer periods that can take their place.
_LONGER_PERIODS: Final = {
    "day": ("month", "quarter"),
    "month": ("quarter", "financial_year"),
    "quarter": ("financial_year",),
}

_WIDER_FIELDS: Final = {**_LONGER_PERIODS, "offence": ("offence_group",)}


class Change(NamedTuple):
    """A changed request, and the change in words: what the officer would do."""

    words: str
    request: Request


def list_coarser_requests(
    request: Request, questions: Collection[str], offence_rows: Collection[int]
) -> Iterator[Change]:
    """The request with less detail in one of the questions named, or in its rows of offences or
    its periods.

    ``offence_rows`` are the positions of rows of offences of which a number is withheld.
    """
    for number, question in enumerate(request.questions):
        if question.id not in questions:
            continue
        changes = [(words, (changed,)) for words, changed in _coarsen_question(question)]
        for words, changed_questions in (*_ask_apart(question), *changes):
            every_question = (
                *request.questions[:number],
                *changed_questions,
                *request.questions[number + 1 :],
            )
            yield Change(
                f"{question.id}: {words}",
                msgspec.structs.replace(request, questions=every_question),
            )
    yield from _merge_offence_rows(request, sorted(offence_rows))
    yield from _merge_periods(request)


def _ask_apart(question: Question) -> Iterator[tuple[str, tuple[Question, ...]]]:
    """A table of two things, or a list, as a question about each of them."""
    match question:
        case Cross(rows=rows, columns=columns):
            sides = [rows, columns]
            of_victims = any(_describes_people(side) for side in sides)
            unit = question.count or ("victims" if of_victims else "offences")
        case ListQuestion() if len(question.grouping_fields) > 1 and not question.has_texts:
            sides = [*question.grouping_fields]
            unit = "victims" if any(map(_describes_people, sides)) else "offences"
        case _:
            return
    parts = [_ask_alone(question, number, side, unit) for number, side in enumerate(sides)]
    questions = tuple(part for part in parts if part is not None)
    if len(questions) == len(sides):
        names = [_name_side(side) for side in sides]
        yield f"{join_list(names)} apart, a question for each", questions


def _describes_people(side: str | AxisSpec) -> bool:
    spec = parse_axis_spec(side)
    return spec.by == "sex" or bool(spec.bands)


def _ask_alone(
    question: Question, number: int, side: str | AxisSpec, unit: CountedUnit
) -> Question | None:
    """A question about one side of a table; None if there is no such kind."""
    rest: dict[str, Any] = {"id": f"{question.id[:17]}~{number}", "subscope": question.subscope}
    spec = parse_axis_spec(side)
    if spec.by:
        return By(by=spec.by, count=unit, **rest)
    if spec.keywords and unit == "offences":
        return Keywords(keywords=spec.keywords, **rest)
    if spec.bands and unit != "offences":
        return (Suspects if unit == "suspects" else Victims)(bands=spec.bands, **rest)
    return None


def _name_side(side: str | AxisSpec) -> str:
    spec = parse_axis_spec(side)
    return f"by {_name_field(spec.by)}" if spec.by else "by word" if spec.keywords else "by age"


def _coarsen_question(question: Question) -> Iterator[tuple[str, Question]]:
    match question:
        case By(by=field):
            for wider in _WIDER_FIELDS.get(field, ()):
                yield (
                    f"by {_name_field(wider)} instead of {_name_field(field)}",
                    msgspec.structs.replace(question, by=wider),
                )
        case PeopleQuestion(bands=bands):
            for words, wider_bands in _widen_bands(bands):
                yield words, msgspec.structs.replace(question, bands=wider_bands)
        case Keywords(each_offence=True):
            yield (
                "without a column for each offence",
                msgspec.structs.replace(question, each_offence=False),
            )
        case Cross():
            yield from _coarsen_cross(question)
        case ListQuestion():
            yield from _coarsen_list(question)


def _coarsen_cross(question: Cross) -> Iterator[tuple[str, Question]]:
    for name in ("rows", "columns"):
        side = getattr(question, name)
        for words, wider in _coarsen_side(side):
            yield words, msgspec.structs.replace(question, **{name: wider})
    rows = question.rows
    field = rows if isinstance(rows, str) else rows.by
    rest: dict[str, Any] = {"id": question.id, "text": question.text, "subscope": question.subscope}
    if field:
        yield "without columns", By(by=field, count=question.count, **rest)
    elif isinstance(rows, AxisSpec) and rows.keywords and question.count in (None, "offences"):
        yield "without columns", Keywords(keywords=rows.keywords, **rest)


def _coarsen_list(question: ListQuestion) -> Iterator[tuple[str, Question]]:
    """Each field coarser, and the list without each field."""
    fields = question.grouping_fields
    texts = (TEXT_FIELD,) if question.has_texts else ()
    for number, field in enumerate(fields):
        for words, wider in _coarsen_side(field):
            changed = (*fields[:number], wider, *fields[number + 1 :], *texts)
            yield words, msgspec.structs.replace(question, fields=changed)
    for number, field in enumerate(fields if len(fields) > 1 else ()):
        name = field if isinstance(field, str) else field.by or "age"
        kept = (*fields[:number], *fields[number + 1 :], *texts)
        yield (
            f"without the field {_name_field(name)}",
            msgspec.structs.replace(question, fields=kept),
        )


def _coarsen_side(side: str | AxisSpec) -> Iterator[tuple[str, str | AxisSpec]]:
    field = side if isinstance(side, str) else side.by
    if field:
        for wider in _WIDER_FIELDS.get(field, ()):
            yield f"by {_name_field(wider)} instead of {_name_field(field)}", wider
    elif isinstance(side, AxisSpec):
        for words, bands in _widen_bands(side.bands):
            yield words, msgspec.structs.replace(side, bands=bands)


def _widen_bands(bands: AgeBands) -> Iterator[tuple[str, AgeBands]]:
    """Each two neighbouring bands as one, and all of them as one."""
    if len(bands) < 2 or any(second.start != first.end + 1 for first, second in pairwise(bands)):
        return
    last = len(bands) - 1
    for size in dict.fromkeys((2, len(bands))):
        merged = tuple(
            AgeBand(bands[first].start, bands[min(first + size - 1, last)].end)
            for first in range(0, len(bands), size)
        )
        if merged == (AgeBand(),):  # every age in one band says nothing
            continue
        yield f"wider age bands ({_list_labels([band.name for band in merged])})", merged


def _merge_offence_rows(request: Request, merged: Sequence[int]) -> Iterator[Change]:
    """The rows of offences with withheld numbers as one row, and all of them as one."""
    offences = request.offences
    for rows in dict.fromkeys((tuple(merged), tuple(range(len(offences))))):
        if len(rows) < 2:
            continue
        codes = dict.fromkeys(code for row in rows for code in offences[row].codes)
        labels = [offences[row].row.label for row in rows]
        one_row = OffenceSpec(tuple(codes), _list_labels(labels))
        kept = [spec for row, spec in enumerate(offences) if row not in rows]
        words = (
            f"the {len(rows)} rows of offences {'with a withheld number ' if kept else ''}as one "
            f"row ({', '.join(codes)})"
        )
        yield Change(words, msgspec.structs.replace(request, offences=(*kept, one_row)))


def _merge_periods(request: Request) -> Iterator[Change]:
    """The periods side by side as one, if they leave no day out."""
    periods = sorted(request.periods, key=lambda period: period.start)
    if len(periods) < 2 or any(
        (second.start - first.end).days != 1 for first, second in pairwise(periods)
    ):
        return
    whole = PeriodSpec(periods[0].start, periods[-1].end)
    yield Change(
        f"one period, {whole.period.words}, instead of {len(periods)}",
        msgspec.structs.replace(request, period=whole, periods=()),
    )


def _name_field(field: str) -> str:
    return field.replace("_", " ")


def _list_labels(labels: Sequence[str]) -> str:
    return "; ".join(labels)
