"""Read a request, strictly: from a file, from text, or from the answer that holds it.

One error names everything that is wrong, each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from indexer.config.model import ListSettings, Settings
from indexer.errors import RequestError, UnconfirmedError
from indexer.records.categories import Categories
from indexer.records.model import ShortText
from indexer.records.noun import OFFENCE, Noun
from indexer.records.offences import load_offence_table
from indexer.validation_errors import describe_violation, parse_validation_error
from queries.answer.types import UncoveredPart
from queries.disclosure.policy import DisclosureSpec
from queries.questions import load_question_kinds
from queries.questions.base import Question
from queries.questions.cross import Cross
from queries.questions.list_of_records import ListQuestion
from queries.request.criteria import CriterionSpec, find_criterion_problems
from queries.request.for_each import expand_for_each, find_for_each_problems
from queries.request.letter_spec import (
    COST_SECTION,
    LetterSpec,
    NamedParts,
    PartIds,
    UncoveredSpec,
    find_letter_problems,
    list_section_parts,
)
from queries.request.reading_cost import ReadingCost
from queries.request.term_lists import LISTS_KEY, ExpandedRequest
from queries.request.validation_messages import explain_request_violation
from queries.spec.act import Act, ActName, load_acts
from queries.spec.confirm_spec import ConfirmSpec, ConfirmSpecs, find_confirm_problems
from queries.spec.problem import (
    Problem,
    explain_missing_key,
    explain_unknown_key,
    format_problems,
)
from queries.spec.scope_spec import (
    OffenceSpecs,
    PeriodSpec,
    PeriodSpecs,
    ScopeSpec,
    TermList,
    WhereValue,
    Wordings,
)
from queries.spec.term_book import TermBook, load_configured_term_book, load_default_term_book
from queries.spec.term_spec import Wording, apply_term_book, find_term_problems
from queries.spec.yaml_text import YamlDocument, parse_yaml, read_yaml
from queries.tables.calendar_axes import find_calendar_year, find_financial_year
from queries.tables.scope import Mention, OffenceRow, Scope

#: Without settings of a force, lists give no references, exact days or texts.
NOTHING_ALLOWED: Final = ListSettings()

_YEAR: Final = re.compile(r"(\d{4})(?:/(\d{2}))?")


class Request(ScopeSpec, frozen=True, kw_only=True, omit_defaults=False, dict=True):
    """A request, read and checked. ``categories`` are those that the force declared at the time.

    ``questions`` have numbers; ``uncovered`` are the parts of the request that have none. ``act``
    is the act under which the force answers, ``noun`` what it calls a record. ``confirm`` is what
    an officer must decide first; no answer holds it, because there is none before. ``review`` says
    when a record of a number is relevant.
    """

    reference: str
    title: str
    questions: tuple[Question, ...]
    uncovered: tuple[UncoveredPart, ...] = ()
    letter: LetterSpec = LetterSpec()
    categories: Categories = msgspec.field(default_factory=dict)
    disclosure: DisclosureSpec = DisclosureSpec()
    act: ActName = "uk"
    noun: Noun = OFFENCE
    confirm: tuple[ConfirmSpec, ...] | UnsetType = UNSET
    review: tuple[CriterionSpec, ...] = ()

    @property
    def confirmations(self) -> tuple[ConfirmSpec, ...]:
        """What is still to be confirmed."""
        return self.confirm or ()

    def require_confirmed(self) -> None:
        """Raise UnconfirmedError if anything is still to be confirmed.

        The message names parts, and nothing of the letter.
        """
        if not self.confirmations:
            return
        count = len(self.confirmations)
        places = ", ".join(dict.fromkeys(spec.place for spec in self.confirmations))
        raise UnconfirmedError(
            f"{self.reference}: has {count} {'entry' if count == 1 else 'entries'} under confirm "
            f"({places}), so it is not answered. Decide each: correct the request where it is "
            "wrong, then remove the entry from the file. foidex lint shows them; "
            "foidex draft --ask asks them one by one."
        )

    @property
    def reading_cost(self) -> ReadingCost | None:
        """What reading a record costs, if the letter relies on the cost limit."""
        act = load_acts()[self.act]
        minutes = self.letter.reading_minutes(act)
        return None if minutes is None else ReadingCost(minutes, act.limit_hours)

    @property
    def reading_question(self) -> Question | None:
        """The question whose records would have to be read; None if these are all in scope.

        Raises RequestError if it is several tables.
        """
        spec = self.letter.find_section(load_acts()[self.act], COST_SECTION)
        if spec is None or not spec.records_of:
            return None
        for question in self.questions:
            if question.id == spec.records_of:
                return question
        raise RequestError(
            f'records_of: "{spec.records_of}" is several tables, one for each value of for_each:. '
            "Name a part that is one table."
        )

    @cached_property
    def scope(self) -> Scope:
        """The records it is about."""
        return msgspec.structs.replace(self.scope_with(self.categories), noun=self.noun)

    def require_readable_scope(self) -> None:
        """Raise RequestError if a term, an offence or a value of the scope cannot be read."""
        self.scope_with(self.categories)

    def wordings(self, mention: Mention) -> tuple[str, ...]:
        """Every wording of the request that counts the same records as a mention."""
        return tuple(
            candidate.term.written
            for candidate in self.every_mention
            if candidate.key == mention.key
        )


Title = Annotated[str, Meta(min_length=1, max_length=300)]

_CONFIRM_KEY: Final = "confirm"

_REVIEW_KEY: Final = "review"

# Each part is read by itself, so that one error names everything that is wrong.
_PART_TYPES: Final[dict[str, Any]] = {
    "reference": ShortText,
    "title": Title,
    LISTS_KEY: dict[str, TermList],
    "period": PeriodSpec,
    "periods": PeriodSpecs,
    "mentions": Wordings,
    "offences": OffenceSpecs,
    "where": dict[str, WhereValue],
    "questions": Annotated[list[Any], Meta(max_length=100)],
    "letter": LetterSpec,
    "disclosure": DisclosureSpec,
    _CONFIRM_KEY: ConfirmSpecs,
    _REVIEW_KEY: tuple[CriterionSpec, ...],
}

_SCOPE_KEYS: Final = ("period", "periods", "mentions", "offences", "where")

_REQUIRED_KEYS: Final = ("reference", "title")


def read_request(  # noqa: PLR0913 - what a force sets, each with its default
    path: Path,
    book: TermBook | None = None,
    categories: Categories | None = None,
    act: ActName = "uk",
    noun: Noun = OFFENCE,
    lists: ListSettings = NOTHING_ALLOWED,
) -> Request:
    """Read a request file.

    ``book`` gives openings of the terms (default: the term book of foidex), ``categories`` are
    those that the force declares, ``act`` is the one under which it answers, ``noun`` what it
    calls a record, ``lists`` says what its lists may give. Raises RequestError, with a line for
    each thing that is wrong.
    """
    request = _request_from_yaml(
        read_yaml(path), book or load_default_term_book(), categories or {}, act, lists
    )
    return msgspec.structs.replace(request, noun=noun)


def read_configured_request(path: Path, settings: Settings) -> Request:
    """Read a request file with the term book and the categories of a force's settings.

    Raises RequestError.
    """
    return read_request(
        path,
        load_configured_term_book(settings),
        settings.categories,
        settings.force.act,
        settings.records.noun,
        settings.lists,
    )


def parse_configured_request(text: str, name: str, settings: Settings, book: TermBook) -> Request:
    """Read a request from text, as ``read_configured_request`` does. Raises RequestError."""
    lists, act = settings.lists, settings.force.act
    request = parse_request(text, name, book, settings.categories, act, lists)
    return msgspec.structs.replace(request, noun=settings.records.noun)


def parse_request(  # noqa: PLR0913 - what a force sets, each with its default
    text: str,
    name: str = "request",
    book: TermBook | None = None,
    categories: Categories | None = None,
    act: ActName = "uk",
    lists: ListSettings = NOTHING_ALLOWED,
) -> Request:
    """Read a request from text, as ``read_request`` does. Raises RequestError."""
    return _request_from_yaml(
        parse_yaml(text, name), book or load_default_term_book(), categories or {}, act, lists
    )


def request_from_answer(saved_request: dict[str, Any]) -> Request:
    """The request that an answer holds. Raises RequestError if it cannot be read."""
    try:
        questions = tuple(
            msgspec.convert(question, _make_question_type(), strict=False)
            for question in saved_request["questions"]
        )
        rest = {name: value for name, value in saved_request.items() if name != "questions"}
        plain = msgspec.convert({**rest, "questions": []}, Request, strict=False)
    except msgspec.ValidationError as error:
        violation = parse_validation_error(error)
        location = f'"{violation.location}" ' if violation.location else ""
        raise RequestError(
            f"the request that the answer holds cannot be read: {location}"
            f"{describe_violation(violation)}. Use the file as it was made."
        ) from None
    except (KeyError, TypeError):
        raise RequestError(
            "the answer holds no request with questions. Use the file as it was made."
        ) from None
    return msgspec.structs.replace(plain, questions=questions)


def _make_question_type() -> Any:
    return Union[tuple(load_question_kinds().values())]  # noqa: UP007 - known at run time only


def _request_from_yaml(
    source: YamlDocument,
    book: TermBook,
    categories: Categories,
    act: ActName,
    lists: ListSettings,
) -> Request:
    problems: list[Problem] = []
    if not isinstance(source.value, dict):
        raise RequestError(
            f"{source.name}:1: is not a request. It starts with reference:, title: and questions:."
        )
    expanded = ExpandedRequest(source.value)
    parts = _convert_parts(expanded.values, problems)
    problems += [
        Problem("$", explain_missing_key(key)) for key in _REQUIRED_KEYS if key not in source.value
    ]
    named_parts = list_section_parts(source.value.get("letter"), load_acts()[act])
    all_parts = [
        apply_term_book(part, Question, book.extra_spellings)
        if isinstance(part, Question)
        else part
        for part in _convert_questions(parts.get("questions") or (), named_parts, problems)
    ]
    parts["questions"] = tuple(part for part in all_parts if isinstance(part, Question))
    parts["mentions"] = apply_term_book(
        parts.get("mentions") or (), tuple[Wording, ...], book.extra_spellings
    )
    problems += _find_request_problems(parts, all_parts, categories)
    problems += _find_part_problems(parts.get("letter"), all_parts, source.value, load_acts()[act])
    problems += find_confirm_problems(parts.get(_CONFIRM_KEY) or ())
    problems += _find_review_problems(parts.get(_REVIEW_KEY) or (), parts["questions"])
    problems += _find_empty_lists(expanded.values, "$")
    problems += _find_forbidden_lists(all_parts, lists)
    for name, wordings in (parts.pop(LISTS_KEY, None) or {}).items():
        problems += find_term_problems(wordings, f"$.{LISTS_KEY}.{name}", repeats=False)
    problems = [*expanded.problems, *expanded.list_reported(problems)]
    if problems:
        raise RequestError(format_problems(problems, source))
    request = Request(**parts, categories=categories, act=act)
    booked_questions = iter(request.questions)
    tables = [
        *expand_for_each(
            (next(booked_questions) if isinstance(part, Question) else part for part in all_parts),
            request.scope,
        )
    ]
    return msgspec.structs.replace(
        request,
        questions=tuple(part for part in tables if isinstance(part, Question)),
        uncovered=tuple(_place_uncovered(tables)),
    )


def _convert_parts(values: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The value of each key of a request; None for one that cannot be read."""
    parts: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _PART_TYPES:
            problems.append(Problem(f"$.{key}", explain_unknown_key(key, tuple(_PART_TYPES))))
        elif key != _CONFIRM_KEY or value:  # else the last entry was removed, and the key not
            parts[key] = _convert_part(
                _expand_years(value, key), _PART_TYPES[key], f"$.{key}", problems
            )
    return parts


def _find_review_problems(
    criteria: Sequence[CriterionSpec], questions: Iterable[Question]
) -> Iterator[Problem]:
    """What is wrong with the criteria, given the questions that have figures."""
    ids = [question.id for question in questions]
    yield from _prefix_paths(f"$.{_REVIEW_KEY}", find_criterion_problems(criteria, ids))


def _find_part_problems(
    letter: LetterSpec | None,
    all_parts: Sequence[Question | UncoveredSpec | None],
    value: dict[str, Any],
    act: Act,
) -> Iterator[Problem]:
    """What is wrong with the letter, given the parts of the request; or with their absence."""
    refuses = letter is not None and letter.refuses(act)
    # A section that is not known is reported as such, whatever it was meant to refuse.
    unknown = letter is not None and letter.names_unknown_section(act)
    if not value.get("questions") and not (refuses or unknown):
        yield Problem(
            "$.questions" if "questions" in value else "$",
            'lacks "questions", and no section of the letter refuses the request. List what to '
            "count.",
        )
    if letter is None or None in all_parts:
        return
    counted = [part.id for part in all_parts if isinstance(part, Question)]
    uncovered = [part.id for part in all_parts if isinstance(part, UncoveredSpec)]
    yield from _prefix_paths(
        "$.letter", find_letter_problems(letter, PartIds(counted, uncovered), act)
    )


def _convert_questions(
    values: Iterable[Any], named_parts: NamedParts, problems: list[Problem]
) -> list[Question | UncoveredSpec | None]:
    """The parts of a request in the requester's order; None for one that cannot be read."""
    return [
        _convert_part(
            value,
            UncoveredSpec if _is_uncovered(value, named_parts) else _make_question_type(),
            f"$.questions[{number}]",
            problems,
        )
        for number, value in enumerate(values)
    ]


def _is_uncovered(value: Any, named_parts: NamedParts) -> bool:
    """Whether a part has no figures: it says why, or a section of the letter does."""
    if not isinstance(value, dict) or "kind" in value:
        return False
    return (
        "not_covered" in value or value.get("id") in named_parts.ids or named_parts.every_uncovered
    )


def _place_uncovered(
    all_parts: Iterable[Question | UncoveredSpec | None],
) -> Iterator[UncoveredPart]:
    for position, part in enumerate(all_parts):
        if isinstance(part, UncoveredSpec):
            yield UncoveredPart(part.id, part.text, part.not_covered, position)


def _find_empty_lists(value: Any, path: str) -> Iterator[Problem]:
    """Lists of a scope that are empty: left by mistake, they would ask about every record."""
    if not isinstance(value, dict):
        return
    for key in ("periods", "mentions", "offences"):
        if value.get(key) == []:
            yield Problem(
                f"{path}.{key}",
                f'"{key}" is empty, so every record would count. List some, or remove it.',
            )
    questions = value.get("questions")
    for number, question in enumerate(questions if isinstance(questions, list) else ()):
        if isinstance(question, dict):
            yield from _find_empty_lists(
                question.get("within"), f"{path}.questions[{number}].within"
            )


def _expand_years(value: Any, key: str = "") -> Any:
    """The value with each year that is given as a period replaced by its days."""
    if isinstance(value, dict):
        return {name: _expand_years(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_expand_years(item, key) for item in value]
    return expand_year(value) if key in ("period", "periods") and isinstance(value, str) else value


def expand_year(text: str) -> str | dict[str, str]:
    """A year as its days: 2017/18 from 1 April, 2017 from 1 January; other text as it is."""
    name = text.strip()
    year = _YEAR.fullmatch(name)
    start = int(year[1]) if year else 0
    if not year or not 1 <= start < date.max.year:
        return text
    if year[2] and int(year[2]) != (start + 1) % 100:
        return text
    find_year = find_financial_year if year[2] else find_calendar_year
    period = find_year(date(start, 12, 31))
    return {"from": f"{period.start}", "to": f"{period.end}", "label": name}


def _convert_part(value: Any, kind: Any, path: str, problems: list[Problem]) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        violation = parse_validation_error(error)
        problems.append(explain_request_violation(violation, path, value))
        return None


def _find_request_problems(
    parts: dict[str, Any],
    all_parts: Sequence[Question | UncoveredSpec | None],
    categories: Categories,
) -> Iterator[Problem]:
    scope_parts = {
        name: value for name, value in parts.items() if name in _SCOPE_KEYS and value is not None
    }
    spec = ScopeSpec(**scope_parts)
    scope_problems = list(spec.problems(categories))
    scope_problems = scope_problems or [*_find_excluding_conditions(spec)]
    yield from _prefix_paths("$", iter(scope_problems))
    # The questions are checked too; they are not told that rows which cannot be read are missing.
    unread = Scope(offences=(OffenceRow((), ""),) if spec.offences else (), categories=categories)
    scope = unread if scope_problems else spec.scope_with(categories)
    ids: set[str] = set()
    all_ids = [part.id for part in all_parts if part is not None]
    for number, question in enumerate(all_parts):
        if question is None:
            continue
        path = f"$.questions[{number}]"
        if question.id in ids:
            yield Problem(f"{path}.id", f'the id "{question.id}" is used twice. Change one.')
        ids.add(question.id)
        if isinstance(question, UncoveredSpec):
            continue
        if question.subscope:
            inner = [
                *question.subscope.problems(categories),
                *_find_outside_periods(question.subscope, scope),
            ]
            if not inner and not scope_problems:
                inner = [*_find_outside_offences(question.subscope, spec)]
            yield from _prefix_paths(f"{path}.within", iter(inner))
            if inner:
                continue
        narrowed_scope = question.narrowed_scope(scope)
        yield from _prefix_paths(path, question.problems(narrowed_scope))
        if isinstance(question, Cross) and not scope_problems:
            yield from _prefix_paths(
                path, find_for_each_problems(question, narrowed_scope, all_ids)
            )


def _find_forbidden_lists(
    all_parts: Iterable[Question | UncoveredSpec | None], lists: ListSettings
) -> Iterator[Problem]:
    """What lists ask for and the force does not allow."""
    for number, question in enumerate(all_parts):
        if isinstance(question, ListQuestion):
            yield from _prefix_paths(f"$.questions[{number}]", question.list_forbidden(lists))


def _find_outside_periods(narrower_spec: ScopeSpec, scope: Scope) -> Iterator[Problem]:
    """Periods of a question that are not within one of the request's."""
    for number, period in enumerate(narrower_spec.every_period):
        if scope.periods and not any(
            request_period.contains(period) for request_period in scope.periods
        ):
            yield Problem(
                ".period" if narrower_spec.period else f".periods[{number}]",
                f"the period ({period.label}) reaches beyond the request's "
                f"({scope.periods_in_words}), whose records alone are asked about. Widen the "
                "request's period, or narrow this one.",
            )


def _find_excluding_conditions(spec: ScopeSpec) -> Iterator[Problem]:
    """Offences of a request that are of none of its offence groups: all its numbers would be 0."""
    table = load_offence_table()
    if not spec.keep_possible_codes(table, {*table.titles, *spec.offence_codes}):
        yield Problem(
            ".where.offence_group",
            "none of the request's offences is of these groups, so no record is asked about. "
            "Change the offences or the groups, or leave out one of them.",
        )


def _find_outside_offences(narrower_spec: ScopeSpec, spec: ScopeSpec) -> Iterator[Problem]:
    """Offences of a question of which no record of the request can be: they would count 0."""
    table = load_offence_table()
    named_codes = spec.offence_codes | narrower_spec.offence_codes
    codes = spec.keep_possible_codes(table, {*table.titles, *named_codes})
    row_specs = [
        (f".offences[{number}]", replace(narrower_spec, offences=(row,)))
        for number, row in enumerate(narrower_spec.offences)
    ]
    for place, row_spec in row_specs or [(".where.offence_group", narrower_spec)]:
        if not row_spec.keep_possible_codes(table, codes):
            yield Problem(
                place,
                "no record can be of these offences and of the request's, so this question would "
                "count nothing. Widen the request's offences, or name some of them here.",
            )


def _prefix_paths(path: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    for problem in problems:
        yield Problem(path + problem.path, problem.message)
