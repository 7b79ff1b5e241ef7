"""The fields records can be counted by, or be held to: built in, or declared by the force.

Pure but for the tables in ``mappings/``. An *axis* is one side of a table: its rows or columns,
each with the query of its records (or victims). A *listed* axis knows its buckets beforehand, so
that none that is empty is lost; an *open* one finds them with a composite aggregation, which has no
limit. Knows nothing of requests or of tables.
"""

from __future__ import annotations

import calendar
import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Final, Literal

import msgspec
from elasticsearch.dsl.query import Exists, Nested, Query, Range, Term
from elasticsearch.dsl.query import Terms as AreTerms
from msgspec import Struct

from indexer import categories as declared
from indexer import offences, resources
from indexer.categories import Categories, Category
from indexer.errors import RequestError
from queries import conditions
from queries.answer import Means
from queries.scope import (
    COUNTED,
    LEFT_OUT,
    Condition,
    Mention,
    OffenceRow,
    Period,
    Scope,
    all_of,
    apart,
    none_of,
    offence_query,
)

Level = Literal["record", "victim"]
Kind = Literal["asked", "none", "other", "unknown"]
_MOST_MONTHS: Final = 1_200
_OUTCOMES: Final = range(1, 23)
_SEXES: Final = {"F": "Female", "M": "Male", "X": "Neither", "U": "Unknown sex"}
_UNKNOWN: Final = "unknown"
_NOT_RECORDED: Final = "Not recorded"
_GROUP_UNKNOWN: Final = "Group not known"
_MOST_LISTED: Final = 12
_VALUE: Final = "="


class Bucket(Struct, frozen=True):
    """One row or column: the query of what it counts, the conditions it means, and what it is
    called.

    ``key`` names it where a label may not: "#0" the first of a list, "=North" a value, "=" none.
    """

    key: str
    label: str
    query: Query
    means: Means
    kind: Kind = "asked"
    codes: tuple[str, ...] = ()


class Axis(Struct, frozen=True):
    """One side of a table. ``buckets`` are None where it is open; then ``source`` is the composite
    source of its values, ``read`` the bucket of a value, None for records without one, and ``open``
    the bucket of a name, which raises RequestError.

    ``partition`` says that a record (or victim) is in exactly one bucket, ``exhaustive`` that it is
    in one or more. ``mentions`` are the terms it counts, if it counts terms.
    """

    heading: str
    buckets: tuple[Bucket, ...] | None
    level: Level = "record"
    partition: bool = True
    exhaustive: bool = True
    mentions: tuple[Mention, ...] = ()
    source: dict[str, Any] = {}
    read: Callable[[Any], Bucket] | None = None
    open: Callable[[str], Bucket] | None = None
    every_status: bool = False


# -- axes by name ------------------------------------------------------------------------------

_BUILT_IN: Final = (
    "offence", "offence_row", "offence_group", "month", "quarter", "calendar_year",
    "financial_year", "status", "outcome", "sex",
)  # fmt: skip

TIMES: Final = ("month", "quarter", "calendar_year", "financial_year")


def names(categories: Categories) -> tuple[str, ...]:
    """What can be counted by."""
    return (*_BUILT_IN, *categories)


def require(name: str, categories: Categories) -> str:
    """The name, if it can be counted by. Raises RequestError, with the nearest that can."""
    known = names(categories)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
        raise RequestError(
            f'nothing is counted by "{name[:60]}". Did you mean "{near}"? It may be '
            f"{', '.join(known)}, or a category that foidex.toml declares."
        )
    return name


def axis(name: str, scope: Scope) -> Axis:
    """The axis of a name. Raises RequestError for a name that is none."""
    require(name, scope.categories)
    if name in scope.categories:
        return _within(_category(name, scope.categories[name]), scope)
    return {
        "offence": _offence,
        "offence_row": lambda: _offence_rows(scope.offences),
        "offence_group": _offence_group,
        "month": lambda: _dates("Month", scope.periods, _month),
        "quarter": lambda: _dates("Quarter", scope.periods, _quarter),
        "calendar_year": lambda: _dates("Year", scope.periods, _calendar_year),
        "financial_year": lambda: _dates("Financial year", scope.periods, _financial_year),
        "status": _status,
        "outcome": _outcome,
        "sex": _sex,
    }[name]()


def _within(axis: Axis, scope: Scope) -> Axis:
    """Without the values that no record in scope can have: what is not asked about is no 0."""
    if axis.buckets is None or not axis.partition:
        return axis
    kept = []
    for bucket in axis.buckets:
        (mine,) = bucket.means
        held = [
            conditions.values(one.means)
            for one in scope.conditions
            if conditions.dimension(one.means) == conditions.dimension(mine)
        ]
        if all(conditions.values(mine) & values for values in held):
            kept.append(bucket)
    # Two conditions may leave no value, and so no record to have one.
    return msgspec.structs.replace(axis, buckets=tuple(kept)) if kept else axis


@lru_cache(64)
def mentions_axis(mentions: tuple[Mention, ...]) -> Axis:
    """A bucket for each term, and one for none of them."""
    queries = [mention.query() for mention in mentions]
    buckets = (
        *(
            Bucket(_place(place), one.label, query, (one.means,))
            for place, (one, query) in enumerate(zip(mentions, queries, strict=True))
        ),
        Bucket(
            "none",
            "None of these",
            none_of(queries),
            (conditions.negated(conditions.any_term(one.means for one in mentions)),),
            "none",
        ),
    )
    return Axis("Keyword", buckets, partition=False, mentions=tuple(mentions))


@lru_cache(64)
def bands_axis(bands: tuple[tuple[str, int, int], ...]) -> Axis:
    """A bucket for each age band (label, first, last), for other known ages, and for unknown."""
    known = Exists(field="victims.age")
    asked = [
        Bucket(
            _place(n),
            label,
            Range(**{"victims.age": {"gte": first, "lte": last}}),
            (conditions.ages((first, last)),),
        )
        for n, (label, first, last) in enumerate(bands)
    ]
    other = all_of([known, none_of([one.query for one in asked])]) if asked else known
    outside = (conditions.other_ages((first, last) for _, first, last in bands),)
    unknown = (conditions.negated(conditions.other_ages(())),)
    return Axis(
        "Age of victim",
        (
            *asked,
            Bucket(
                "other", "Any other known age" if asked else "Age known", other, outside, "other"
            ),
            Bucket(_UNKNOWN, "Age not known", none_of([known]), unknown, "unknown"),
        ),
        level="victim",
    )


def periods_axis(periods: Sequence[Period]) -> Axis:
    """A bucket for each period; they may overlap, or leave days out."""
    buckets = tuple(
        Bucket(_place(n), one.label, one.query(), (one.means,)) for n, one in enumerate(periods)
    )
    return Axis("Period", buckets, partition=False, exhaustive=False)


def _offence() -> Axis:
    table = offences.load()

    def read(code: str) -> Bucket:
        return Bucket(
            code,
            table.title(code),
            Term(offence_code=code),
            (conditions.exactly(code),),
            codes=(code,),
        )

    def named(name: str) -> Bucket:
        title, _, code = name.removesuffix(")").rpartition(" (")  # as documents print it
        if code in table.titled(title):
            return read(code)
        titled = table.titled(name)
        if len(titled) > 1:
            raise RequestError(f'"{name}" is the title of {", ".join(titled)}. Name the code.')
        return read(titled[0] if titled else table.canonical(name))

    return Axis(
        "Offence",
        None,
        source={"terms": {"field": "offence_code"}},
        read=read,
        open=named,
    )


@lru_cache(64)
def _offence_rows(rows: tuple[OffenceRow, ...]) -> Axis:
    if not rows:
        raise RequestError(
            "offence_row counts by the rows of offences:, of which there are none. List them, or "
            "count by offence."
        )
    buckets = tuple(
        Bucket(_place(n), row.label, offence_query(row.codes), (row.means,), codes=row.codes)
        for n, row in enumerate(rows)
    )
    return Axis("Offence", buckets, partition=apart([row.codes for row in rows]))


def _offence_group() -> Axis:
    table = offences.load()

    def read(code: str) -> Bucket:
        group = table.group(code)
        kind: Kind = "asked" if group else "unknown"
        return Bucket(
            group or _UNKNOWN,
            group or _GROUP_UNKNOWN,
            _in_group(group),
            (conditions.of_group(group),),
            kind,
        )

    def named(name: str) -> Bucket:
        if name.casefold() in (_UNKNOWN, _GROUP_UNKNOWN.casefold()):
            group = None
        else:
            group = _one_of("offence group", name, tuple(dict.fromkeys(table.groups.values())))
        return Bucket(
            group or _UNKNOWN,
            group or _GROUP_UNKNOWN,
            _in_group(group),
            (conditions.of_group(group),),
            "asked" if group else "unknown",
        )

    source = {"terms": {"field": "offence_code"}}
    return Axis("Offence group", None, source=source, read=read, open=named)


def _in_group(group: str | None) -> Query:
    table = offences.load()
    if group is None:
        return none_of([AreTerms(offence_path=sorted(table.groups))])
    return AreTerms(offence_path=sorted(code for code, one in table.groups.items() if one == group))


def _status() -> Axis:
    labels = {COUNTED: "Recorded", **{status: status.capitalize() for status in LEFT_OUT}}
    buckets = tuple(
        Bucket(key, label, Term(status=key), (conditions.one_of("status", [key]),))
        for key, label in labels.items()
    )
    return Axis("Status", buckets, every_status=True)


def _sex() -> Axis:
    field = Exists(field="victims.sex")
    buckets = [
        Bucket(key, label, Term(victims__sex=key), (conditions.one_of("sex", [key]),))
        for key, label in _SEXES.items()
    ]
    missing = (conditions.one_of("sex", [None]),)
    buckets.append(Bucket(_UNKNOWN, "Sex not recorded", none_of([field]), missing, "unknown"))
    return Axis("Sex of victim", tuple(buckets), level="victim")


@cache
def _outcomes() -> dict[int, str]:
    table = offences.rows(resources.folder("mappings") / "outcomes.tsv", 2)
    return {int(outcome): title for outcome, title in table}


def _outcome_in_words(number: int) -> str:
    title = _outcomes().get(number)
    return f'{number} ("{title}")' if title else str(number)


def _outcome() -> Axis:
    def read(number: int | None) -> Bucket:
        if number is None:
            return _missing("outcome", conditions.one_of("outcome", [None]))
        label = f"{number} {_outcomes().get(number, '')}".strip()
        means = conditions.one_of("outcome", [str(number)])
        return Bucket(str(number), label, Term(outcome=number), (means,))

    def named(name: str) -> Bucket:
        first = (name.split() or [""])[0]
        missing = name.casefold() in (_UNKNOWN, _NOT_RECORDED.casefold())
        return read(None if missing else _whole("outcome", first, _OUTCOMES))

    return Axis("Outcome", None, source=_terms("outcome"), read=read, open=named)


def _category(name: str, category: Category) -> Axis:
    field = f"{declared.FIELD}.{name}"
    heading = declared.label(name, category)

    def means(value: str | None) -> str:
        return conditions.category(name, [value], many=category.many)

    missing = _missing(field, means(None), key=_VALUE)
    if category.values or category.type == "boolean":
        values: dict[Any, str] = (
            {one: one for one in category.values} if category.values else {True: "Yes", False: "No"}
        )
        buckets = tuple(
            Bucket(_VALUE + _text(value), label, Term(**{field: value}), (means(_text(value)),))
            for value, label in values.items()
        )
        return Axis(heading, (*buckets, missing), partition=not category.many)

    def read(value: Any) -> Bucket:
        if value is None:
            return missing
        text = _text(value)
        return Bucket(_VALUE + text, text, Term(**{field: value}), (means(text),))

    def named(text: str) -> Bucket:
        if text == _VALUE or text.casefold() == _NOT_RECORDED.casefold():
            return missing
        return read(_value(name, text.removeprefix(_VALUE), category))

    return Axis(
        heading,
        None,
        partition=not category.many,
        source=_terms(field),
        read=read,
        open=named,
    )


def _place(number: int) -> str:
    return f"#{number}"


def _missing(field: str, means: str, key: str = _UNKNOWN) -> Bucket:
    return Bucket(key, _NOT_RECORDED, none_of([Exists(field=field)]), (means,), "unknown")


def _terms(field: str) -> dict[str, Any]:
    return {"terms": {"field": field, "missing_bucket": True, "missing_order": "last"}}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- dates -------------------------------------------------------------------------------------


def _month(day: date) -> Period:
    last = calendar.monthrange(day.year, day.month)[1]
    return Period(day.replace(day=1), day.replace(day=last), f"{day:%B %Y}")


def _quarter(day: date) -> Period:
    first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    end = _month(first.replace(month=first.month + 2)).end
    return Period(first, end, f"{first:%B} to {end:%B %Y}")


def _calendar_year(day: date) -> Period:
    return Period(date(day.year, 1, 1), date(day.year, 12, 31), str(day.year))


def _financial_year(day: date) -> Period:
    start = day.year if day.month >= 4 else day.year - 1
    return financial_year(start)


def financial_year(start: int) -> Period:
    """The year from 1 April of a year to 31 March of the next, such as "2017/18"."""
    name = f"{start}/{(start + 1) % 100:02}"
    return Period(date(start, 4, 1), date(start + 1, 3, 31), name)


def _dates(heading: str, periods: Sequence[Period], of: Callable[[date], Period]) -> Axis:
    """The months, or years, of the periods; of open ones, those that records are of."""

    def bucket(day: date) -> Bucket:
        period = of(day)
        assert period.start
        return Bucket(period.start.isoformat(), period.label, period.query(), (period.means,))

    listed = list(_listed(periods, of))
    if listed and len(listed) <= _MOST_MONTHS:
        return Axis(heading, tuple(map(bucket, listed)))

    def read(month: str) -> Bucket:
        return bucket(date.fromisoformat(month))

    source = {
        "date_histogram": {
            "field": "recorded_on",
            "calendar_interval": "month",
            "format": "yyyy-MM-dd",
        }
    }

    def named(name: str) -> Bucket:
        return bucket(_day_of(name))

    return Axis(heading, None, source=source, read=read, open=named)


def _day_of(name: str) -> date:
    """A day of the month or year of a name: 2017-05-01, May 2017, 2017/18, 2017."""
    if year := re.fullmatch(r"(\d{4})/\d{2}", name):
        return date(int(year[1]), 4, 1)
    for form in ("%Y-%m-%d", "%Y-%m", "%B %Y", "%Y"):
        with suppress(ValueError):
            last = name.rpartition(" to ")[2]
            return datetime.strptime(last, form).date()  # noqa: DTZ007 - a day
    raise RequestError(f'there is no row "{name[:60]}". Rows are named as the answer has them.')


def _listed(periods: Sequence[Period], of: Callable[[date], Period]) -> Iterator[date]:
    """The first day of each month, or year, that has a day in one of the periods, if all end."""
    starts = [one.start for one in periods if one.start and one.end]
    ends = [one.end for one in periods if one.start and one.end]
    if not periods or len(starts) < len(periods):
        return
    day: date = of(min(starts)).start or min(starts)
    for _ in range(_MOST_MONTHS + 1):
        one = of(day)
        assert one.end
        if any(one.meets(period) for period in periods):
            yield day
        if one.end >= max(filter(None, ends)) or one.end == date.max:
            return
        day = date.fromordinal(one.end.toordinal() + 1)


# -- conditions --------------------------------------------------------------------------------


def condition(name: str, values: Sequence[str], categories: Categories) -> Condition:
    """Records whose field has one of the values. Raises RequestError."""
    known = ("outcome", "offence_group", "sex", *categories)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise RequestError(
            f'where: knows no field "{name[:60]}".{hint} The fields are {", ".join(known)}, and '
            "what foidex.toml declares under [categories]."
        )
    if name in categories:
        heading = declared.label(name, categories[name])
        read: Any = [_value(name, text, categories[name]) for text in values]
        query: Query = AreTerms(**{f"{declared.FIELD}.{name}": read})
        many = categories[name].many
        means = conditions.category(name, map(_text, read), many=many)
    elif name == "outcome":
        heading = "Outcome"
        numbers = [_whole(name, text, _OUTCOMES) for text in values]
        query = AreTerms(outcome=numbers)
        means = conditions.one_of(name, map(str, numbers))
        values = [_outcome_in_words(number) for number in numbers]
    elif name == "sex":
        heading = "Sex of a victim"
        by_label = {label.casefold(): sex for sex, label in _SEXES.items()}
        listed = [
            by_label.get(one.casefold()) or _one_of(name, one, (*_SEXES, *_SEXES.values()))
            for one in values
        ]
        query = Nested(path="victims", query=AreTerms(victims__sex=listed))
        means = conditions.of_victim(conditions.one_of(name, listed))
        values = [_SEXES[one] for one in listed]
    else:
        heading = "Offence group"
        groups = tuple(dict.fromkeys(offences.load().groups.values()))
        asked = {_one_of(name, text, groups) for text in values}
        codes = [code for code, one in offences.load().groups.items() if one in asked]
        query = AreTerms(offence_path=sorted(codes))
        means = conditions.of_group(*asked) if len(asked) == 1 else conditions.of_codes(codes)
    return Condition(f"the {_lowered(heading)} is {' or '.join(values)}", query, means)


def _lowered(heading: str) -> str:
    """A heading within a sentence; what starts as an acronym stays."""
    return heading if heading[:2].isupper() else heading[:1].lower() + heading[1:]


def _value(name: str, text: str, category: Category) -> Any:
    match category.type:
        case "integer":
            return _whole(name, text, None)
        case "boolean":
            return _one_of(name, text.lower(), ("true", "false")) == "true"
        case _:
            return _one_of(name, text, category.values) if category.values else text


def _whole(name: str, text: str, among: range | None) -> int:
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or (among is not None and number not in among):
        said = f" from {among[0]} to {among[-1]}" if among else ""
        raise RequestError(
            f'"{text[:60]}" is no {name}: expected a whole number{said}. Correct it.'
        )
    return number


def _one_of(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        near = difflib.get_close_matches(text, known, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        more = ", ..." if len(known) > _MOST_LISTED else ""
        listed = ", ".join(known[:_MOST_LISTED])
        raise RequestError(f'"{text[:60]}" is no {name}.{hint} It may be {listed}{more}.')
    return text
