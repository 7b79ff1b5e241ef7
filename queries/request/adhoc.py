"""Build a request from the terms and options of a command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec
from msgspec import Struct

from indexer.errors import RequestError
from indexer.records.categories import Categories
from indexer.records.noun import OFFENCE, Noun
from indexer.records.offences import load_offence_table
from indexer.records.offences.ranges import require_codes
from queries.questions.base import Question
from queries.questions.by import By
from queries.questions.cross import Cross
from queries.questions.keywords import Keywords
from queries.questions.offences import Offences
from queries.questions.overlap import Overlap
from queries.request.reader import Request, expand_year
from queries.spec.problem import Problem
from queries.spec.scope_spec import AxisSpec, OffenceSpec, PeriodSpec, PersonSpec, WhereValue
from queries.spec.term_book import TermBook, load_default_term_book
from queries.spec.term_spec import CooccurrenceSpec, TermSpec, Wording, apply_term_book
from queries.spec.yaml_text import parse_yaml
from queries.tables.field_filter import PEOPLE_FILTERS
from queries.tables.table_query import CountedUnit

TERM_AXIS: Final = "term"

_QUESTION_ID: Final = "count"


class AdhocOptions(Struct, frozen=True, kw_only=True):
    """What may be asked in addition to terms.

    ``by`` is one or two fields, or "term". ``field_filters`` are texts such as "district=North".
    ``max_distance`` is the number of words that may stand between a term and each of the
    ``cooccurrences``, the terms required with it.
    """

    codes: Sequence[str] = ()
    start: date | None = None
    end: date | None = None
    periods: Sequence[str] = ()
    field_filters: Sequence[str] = ()
    by: Sequence[str] = ()
    unit: CountedUnit | None = None
    overlap: bool = False
    cooccurrences: Sequence[str] = ()
    max_distance: int | None = None
    aliases: Sequence[str] = ()
    exact: bool = False


def build_adhoc_request(
    terms: Sequence[str],
    options: AdhocOptions | None = None,
    *,
    book: TermBook | None = None,
    categories: Categories | None = None,
    noun: Noun = OFFENCE,
) -> Request:
    """The request that a command line stands for.

    ``book`` gives openings of the terms (default: the term book of foidex). Raises RequestError for
    terms or options that make no request.
    """
    effective_options = options or AdhocOptions()
    book = book or load_default_term_book()
    mentions = tuple(_build_adhoc_wording(term, effective_options, len(terms)) for term in terms)
    request = Request(
        reference="ad hoc",
        title="Ad hoc count",
        questions=_build_adhoc_questions(mentions, effective_options),
        periods=_parse_adhoc_periods(effective_options),
        mentions=apply_term_book(mentions, tuple[Wording, ...], book.extra_spellings),
        offences=tuple(
            OffenceSpec(codes=_check_codes(written)) for written in effective_options.codes
        ),
        where=_parse_field_values(effective_options.field_filters),
        categories=categories or {},
        noun=noun,
    )
    questions = apply_term_book(request.questions, tuple[Question, ...], book.extra_spellings)
    request = msgspec.structs.replace(request, questions=questions)
    _raise_problems(list(request.problems(request.categories)))
    for question in request.questions:
        _raise_problems(list(question.problems(request.scope)))
    return request


def _check_codes(written: str) -> tuple[str, ...]:
    """The code as it is known, or the range as it is written. Raises RequestError."""
    codes = require_codes(load_offence_table(), written)
    return codes if len(codes) == 1 else (written,)


def _raise_problems(problems: list[Problem]) -> None:
    if problems:
        raise RequestError("\n".join(problem.message for problem in problems))


def _build_adhoc_wording(term: str, options: AdhocOptions, number: int) -> Wording:
    if options.aliases and number != 1:
        raise RequestError(
            f"--alias gives another name for a single term, and there are {number} terms. Ask for "
            "one term, or write a request file."
        )
    if options.max_distance is not None and not options.cooccurrences:
        raise RequestError(
            "--near limits the distance of --with. Give --with, or leave out --near."
        )
    if not (options.exact or options.aliases or options.cooccurrences):
        return term
    return TermSpec(
        term=term,
        variants="none" if options.exact else "all",
        aliases=tuple(options.aliases),
        cooccurrences=tuple(
            cooccurrence
            if options.max_distance is None
            else CooccurrenceSpec(cooccurrence, options.max_distance)
            for cooccurrence in options.cooccurrences
        ),
    )


def _parse_adhoc_periods(options: AdhocOptions) -> tuple[PeriodSpec, ...]:
    first, last = options.start or date.min, options.end or date.max
    if last < first:
        raise RequestError(f"--to ({last}) is before --from ({first}). Swap the two days.")
    if options.periods and (options.start or options.end):
        raise RequestError("--period cannot be combined with --from or --to. Keep one of them.")
    if options.start or options.end:
        return (PeriodSpec(first, last),)
    return tuple(map(parse_adhoc_period, options.periods))


def parse_adhoc_period(text: str) -> PeriodSpec:
    """A year (2017/18 or 2017), or two days (2017-04-01..2017-06-30). Raises RequestError."""
    days: Any = expand_year(text)
    if isinstance(days, str):
        start, _, end = days.partition("..")
        days = {"from": start, "to": end}
    try:
        return msgspec.convert(days, PeriodSpec)
    except msgspec.ValidationError:
        raise RequestError(
            f'"{text[:60]}" is not a period. Write a year (2017/18 or 2017) or two days '
            "(2017-04-01..2017-06-30)."
        ) from None


def _parse_field_values(conditions: Sequence[str]) -> dict[str, WhereValue]:
    values_by_field: dict[str, tuple[str, ...]] = {}
    people: dict[str, WhereValue] = {}
    for condition in conditions:
        name, value = parse_field_condition(condition)
        if _describes_person(name, value):
            people[name] = _parse_person(name, value)
        else:
            values_by_field[name] = (*values_by_field.get(name, ()), value)
    return {**values_by_field, **people}


def _describes_person(name: str, value: str) -> bool:
    return name in PEOPLE_FILTERS and value.startswith("{")


def _parse_person(name: str, text: str) -> PersonSpec:
    """What such a person must be, as a request file says it: "{age: {to: 17}, sex: [F]}"."""
    try:
        return msgspec.convert(parse_yaml(text, "--where").value, PersonSpec, strict=False)
    except msgspec.ValidationError:
        raise RequestError(
            f'--where: "{name}={text[:60]}" is not an age, a sex or both. Write '
            f'"{name}={{age: {{to: 17}}, sex: [F]}}".'
        ) from None


def parse_field_condition(text: str) -> tuple[str, str]:
    """The field and the value of "district=North". Raises RequestError."""
    name, _, value = text.partition("=")
    if not name or not value:
        raise RequestError(
            f'"{text[:60]}" is not a condition. Write a field and its value: district=North.'
        )
    if _describes_person(name, value):
        _parse_person(name, value)
    return name, value


def _build_adhoc_questions(
    mentions: tuple[Wording, ...], options: AdhocOptions
) -> tuple[Question, ...]:
    if len(options.by) > 2:
        raise RequestError(
            "--by may be given at most twice, because a table has two sides. Leave one out."
        )
    if TERM_AXIS in options.by and not mentions:
        raise RequestError("--by term counts by the terms, and there are none. Give some terms.")
    if options.overlap and (options.by or len(mentions) < 2):
        raise RequestError("--overlap needs two terms or more, and cannot be combined with --by.")
    if options.overlap:
        return (Overlap(id=_QUESTION_ID, keywords=mentions),)
    if len(options.by) == 2:
        rows, columns = (_build_adhoc_axis(name, mentions) for name in options.by)
        return (Cross(id=_QUESTION_ID, rows=rows, columns=columns, count=options.unit),)
    if list(options.by) == [TERM_AXIS]:
        return (Keywords(id=_QUESTION_ID, keywords=mentions),)
    if options.by:
        return (By(id=_QUESTION_ID, by=options.by[0], count=options.unit),)
    if options.unit:
        raise RequestError("--count says what --by counts. Give --by, or leave out --count.")
    if len(options.periods) > 1:
        return (
            (Keywords(id=_QUESTION_ID, keywords=mentions),)
            if mentions
            else (Offences(id=_QUESTION_ID),)
        )
    return ()


def _build_adhoc_axis(name: str, mentions: tuple[Wording, ...]) -> str | AxisSpec:
    return AxisSpec(keywords=mentions) if name == TERM_AXIS else name
