"""``for_each:`` of a cross: one table for each value of a third side.

Pure. The question becomes one question for each value, narrowed to it, so whatever counts, explains
or publishes a question knows nothing of a third side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from indexer.errors import RequestError
from queries.questions.cross import Cross
from queries.spec.problem import Problem
from queries.spec.scope_spec import (
    AxisSpec,
    OffenceSpec,
    PeriodSpec,
    ScopeSpec,
    parse_axis_spec,
)
from queries.spec.term_spec import to_mention
from queries.tables.calendar_axes import PERIOD_FINDERS, list_calendar_periods
from queries.tables.field_axes import build_field_axis, require_field_name
from queries.tables.period import Period
from queries.tables.scope import Scope

_MAX_TABLES: Final = 50

_VALUE_PREFIX: Final = "="

_Part = TypeVar("_Part")


class _Value(Struct, frozen=True):
    """A value of the third side: what it is called, and the keys of the scope that it narrows."""

    label: str
    narrowing: dict[str, Any]


def find_for_each_problems(question: Cross, scope: Scope, ids: Iterable[str]) -> Iterator[Problem]:
    """A third side that has no values known beforehand, or whose tables cannot be named.

    ``scope`` is that of the question, ``ids`` are those of all parts of the request.
    """
    if question.for_each is None:
        return
    spec = parse_axis_spec(question.for_each)
    if not isinstance(question.for_each, str) and (problems := [*spec.problems(scope)]):
        for problem in problems:
            yield Problem(f".for_each{problem.path}", problem.message)
        return
    subscope = question.subscope or ScopeSpec()
    if spec.keywords and subscope.mentions:
        yield Problem(
            ".for_each",
            "for_each: of keywords cannot be combined with within: mentions:. Keep one.",
        )
        return
    try:
        values = _list_values(spec, scope)
    except RequestError as error:
        yield Problem(".for_each", str(error))
        return
    for number, period in enumerate(spec.periods):
        if scope.periods and not any(entry.contains(period.period) for entry in scope.periods):
            yield Problem(
                f".for_each.periods[{number}]",
                f"the period ({period.period.label}) reaches beyond what is asked about "
                f"({scope.periods_in_words}). Widen that, or narrow this one.",
            )
    if not 1 <= len(values) <= _MAX_TABLES:
        yield Problem(
            ".for_each",
            f"for_each: would make {len(values):,} tables; there must be 1 to {_MAX_TABLES}. "
            "Choose longer periods or fewer values.",
        )
    names = {_name_table(question.id, number) for number in range(1, len(values) + 1)}
    if taken := sorted(names.intersection(ids)):
        yield Problem(
            ".id",
            f"the tables of for_each: are called {question.id}.1 and so on, and the id "
            f'"{taken[0]}" is used. Change one.',
        )


def expand_for_each(parts: Iterable[_Part], scope: Scope) -> Iterator[_Part | Cross]:
    """The parts of a request, each cross with ``for_each`` as one for each value.

    What the officer says of the numbers stands with the first, and of the rest with the last.
    """
    for part in parts:
        if not isinstance(part, Cross) or part.for_each is None:
            yield part
            continue
        values = _list_values(parse_axis_spec(part.for_each), part.narrowed_scope(scope))
        for number, value in enumerate(values, 1):
            yield _narrow_question(
                msgspec.structs.replace(
                    part,
                    note=part.note if number == 1 else "",
                    not_covered=part.not_covered if number == len(values) else "",
                ),
                number,
                value,
            )


def _narrow_question(question: Cross, number: int, value: _Value) -> Cross:
    subscope = question.subscope or ScopeSpec()
    narrowing = dict(value.narrowing)
    if where := narrowing.get("where"):
        narrowing["where"] = {**subscope.where, **where}
    if "period" in narrowing or "periods" in narrowing:
        narrowing = {"period": None, "periods": (), **narrowing}
    return msgspec.structs.replace(
        question,
        id=_name_table(question.id, number),
        text=f"{question.text} ({value.label})" if question.text else "",
        subscope=msgspec.structs.replace(subscope, **narrowing),
        for_each=None,
        table_of=question.id,
    )


def _name_table(question_id: str, number: int) -> str:
    return f"{question_id}.{number}"


def _list_values(spec: AxisSpec, scope: Scope) -> list[_Value]:
    """The values of the third side, in order. Raises RequestError if they are not known."""
    if spec.keywords:
        return [_Value(to_mention(term).label, {"mentions": (term,)}) for term in spec.keywords]
    if spec.periods:
        return [_Value(entry.period.label, {"period": entry}) for entry in spec.periods]
    name = require_field_name(spec.by, scope.categories) if spec.by else ""
    if name == "offence_row":
        build_field_axis(name, scope)
        return [
            _Value(row.label, {"offences": (OffenceSpec(row.codes, row.label),)})
            for row in scope.offences
        ]
    if name in PERIOD_FINDERS:
        periods = list_calendar_periods(scope.periods, PERIOD_FINDERS[name])
        if scope.periods:
            return [_Value(period.label, _cut_period(period, scope)) for period in periods]
    buckets = build_field_axis(name, scope).buckets if name in scope.categories else None
    if not buckets:
        raise RequestError(
            "for_each: makes a table for each value, which must be known beforehand. It may be "
            "offence_row, a calendar period of a request with a period, a category whose values "
            "foidex.toml declares, {keywords: [...]} or {periods: [...]}. Put "
            f"{name or 'age bands'} in rows: or columns: instead."
        )
    return [
        _Value(bucket.label, {"where": {name: (bucket.key.removeprefix(_VALUE_PREFIX),)}})
        for bucket in buckets
        if bucket.kind == "asked"
    ]


def _cut_period(period: Period, scope: Scope) -> dict[str, Any]:
    """A calendar period without the days that the scope's periods leave out."""
    cuts = [
        PeriodSpec(
            max(period.start or entry.start, entry.start),
            min(period.end or entry.end, entry.end),
            period.label,
        )
        for entry in scope.periods
        if entry.start and entry.end and period.overlaps(entry)
    ]
    if len(cuts) == 1:
        return {"period": cuts[0]}
    return {
        "periods": tuple(
            msgspec.structs.replace(cut, label=f"{cut.label} ({number})")
            for number, cut in enumerate(cuts, 1)
        )
    }
