"""The request file: typed and strict. What is wrong is said all at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Union, get_args

import msgspec
from msgspec import Meta, Struct

from indexer.config.model import Settings
from indexer.errors import RequestError
from indexer.records.categories import Categories
from indexer.records.model import Reference
from indexer.suggestions import suggest_name
from queries.disclosure.policy import DisclosureSpec
from queries.questions import load_question_kinds
from queries.questions.base import Question
from queries.spec.problem import Problem
from queries.spec.scope_spec import (
    AgeBand,
    AxisSpec,
    FieldValues,
    OffenceSpec,
    OffenceSpecs,
    PeriodSpec,
    PeriodSpecs,
    ScopeSpec,
    Wordings,
)
from queries.spec.term_book import TermBook, load_configured_term_book, load_default_term_book
from queries.spec.term_spec import CooccurrenceSpec, TermSpec, Wording, apply_term_book
from queries.spec.yaml_text import YamlDocument, parse_yaml, read_yaml
from queries.tables.scope import Mention, Scope
from queries.tables.table_query import TableUnit

_YEAR: Final = re.compile(r"(\d{4})(?:/(\d{2}))?")


class LetterSpec(Struct, frozen=True, forbid_unknown_fields=True, rename={"request_text": "asked"}):
    """What the letter says of the request itself; all of it may be left out."""

    to: str = ""
    received: date | None = None
    request_text: str = ""
    clarified: str = ""


class Request(ScopeSpec, frozen=True, kw_only=True, omit_defaults=False, dict=True):
    """A request, read and checked. ``categories`` are those that the force declared at the time."""

    reference: str
    title: str
    questions: tuple[Question, ...]
    letter: LetterSpec = LetterSpec()
    categories: Categories = msgspec.field(default_factory=dict)
    disclosure: DisclosureSpec = DisclosureSpec()

    @cached_property
    def scope(self) -> Scope:
        """The records it is about."""
        return self.scope_with(self.categories)

    def require_readable_scope(self) -> None:
        """Raise RequestError if a term, an offence or a value of the scope cannot be read."""
        self.scope_with(self.categories)

    def wordings(self, mention: Mention) -> tuple[str, ...]:
        """Every wording of the request that is this mention."""
        return tuple(
            candidate.term.written
            for candidate in self.every_mention
            if candidate.key == mention.key
        )


Title = Annotated[str, Meta(min_length=1, max_length=300)]

_MAX_PROBLEMS: Final = 50

# Each part is read by itself, so that one message names all that is wrong.
_PART_TYPES: Final[dict[str, Any]] = {
    "reference": Reference,
    "title": Title,
    "period": PeriodSpec,
    "periods": PeriodSpecs,
    "mentions": Wordings,
    "offences": OffenceSpecs,
    "where": dict[str, FieldValues],
    "questions": Annotated[list[Any], Meta(min_length=1, max_length=100)],
    "letter": LetterSpec,
    "disclosure": DisclosureSpec,
}

_SCOPE_KEYS: Final = ("period", "periods", "mentions", "offences", "where")

_REQUIRED_KEYS: Final = ("reference", "title", "questions")


def read_request(
    path: Path, book: TermBook | None = None, categories: Categories | None = None
) -> Request:
    """Read a request file, with the openings of a term book, or else of ours, for a force that
    declares these categories.

    Raises RequestError, with a line for everything that is wrong.
    """
    return _request_from_yaml(read_yaml(path), book or load_default_term_book(), categories or {})


def read_configured_request(path: Path, settings: Settings) -> Request:
    """Read a request file with a force's own term book and categories. Raises RequestError."""
    return read_request(path, load_configured_term_book(settings), settings.categories)


def parse_request(
    text: str,
    name: str = "request",
    book: TermBook | None = None,
    categories: Categories | None = None,
) -> Request:
    """Read a request from text, as ``read``. Raises RequestError."""
    return _request_from_yaml(
        parse_yaml(text, name), book or load_default_term_book(), categories or {}
    )


def request_from_answer(saved_request: dict[str, Any]) -> Request:
    """The request an answer holds. Raises RequestError where it is none."""
    try:
        questions = tuple(
            msgspec.convert(question, _make_question_type(), strict=False)
            for question in saved_request["questions"]
        )
        rest = {name: value for name, value in saved_request.items() if name != "questions"}
        plain = msgspec.convert({**rest, "questions": []}, Request, strict=False)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise RequestError(f"the answer holds no request that can be read ({error}).") from None
    return msgspec.structs.replace(plain, questions=questions)


def _make_question_type() -> Any:
    return Union[tuple(load_question_kinds().values())]  # noqa: UP007 - known at run time only


def _request_from_yaml(source: YamlDocument, book: TermBook, categories: Categories) -> Request:
    problems: list[Problem] = []
    parts: dict[str, Any] = {}
    if not isinstance(source.value, dict):
        raise RequestError(
            f"{source.name}:1: is not a request. It starts with reference:, title: and questions:."
        )
    for key, value in source.value.items():
        if key not in _PART_TYPES:
            problems.append(Problem(f"$.{key}", _explain_unknown_key(key, tuple(_PART_TYPES))))
        else:
            parts[key] = _convert_part(
                _expand_years(value, key), _PART_TYPES[key], f"$.{key}", problems
            )
    problems += [
        Problem("$", f'lacks "{key}". Add it.') for key in _REQUIRED_KEYS if key not in source.value
    ]
    if parts.get("questions"):
        parts["questions"] = tuple(
            _convert_part(value, _make_question_type(), f"$.questions[{number}]", problems)
            for number, value in enumerate(parts["questions"])
        )
    for key, kind in (("mentions", tuple[Wording, ...]), ("questions", tuple[Question, ...])):
        parts[key] = apply_term_book(parts.get(key) or (), kind, book.extra_spellings)
    problems += _find_request_problems(parts, categories)
    problems += _find_empty_lists(source.value, "$")
    if problems:
        ordered = sorted((source.line(problem.path), problem.message) for problem in problems)
        lines = [f"{source.name}:{line}: {text}" for line, text in ordered[:_MAX_PROBLEMS]]
        omitted_count = len(ordered) - len(lines)
        raise RequestError(
            "\n".join([*lines, *([f"... and {omitted_count:,} more."] if omitted_count else [])])
        )
    return Request(**parts, categories=categories)


def _find_empty_lists(value: Any, path: str) -> Iterator[Problem]:
    """Lists of a scope that are empty: left in by mistake, they would ask about everything."""
    if not isinstance(value, dict):
        return
    for key in ("periods", "mentions", "offences"):
        if value.get(key) == []:
            yield Problem(
                f"{path}.{key}",
                f'"{key}" is empty, which would ask about all there are. List some, or remove it.',
            )
    questions = value.get("questions")
    for number, question in enumerate(questions if isinstance(questions, list) else ()):
        if isinstance(question, dict):
            yield from _find_empty_lists(
                question.get("within"), f"{path}.questions[{number}].within"
            )


def _expand_years(value: Any, key: str = "") -> Any:
    """The value with every year of a period as its days: 2017/18 from April, 2017 from January."""
    if isinstance(value, dict):
        return {name: _expand_years(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_expand_years(item, key) for item in value]
    return expand_year(value) if key in ("period", "periods") and isinstance(value, str) else value


def expand_year(text: str) -> str | dict[str, str]:
    """A year as its days, from April or from January; other text as it is."""
    name = text.strip()
    year = _YEAR.fullmatch(name)
    start = int(year[1]) if year else 0
    if not year or not 1 <= start < date.max.year:
        return text
    if year[2] is None:
        return {"from": f"{start:04}-01-01", "to": f"{start:04}-12-31", "label": name}
    if int(year[2]) != (start + 1) % 100:
        return text
    return {"from": f"{start:04}-04-01", "to": f"{start + 1:04}-03-31", "label": name}


def _convert_part(value: Any, kind: Any, path: str, problems: list[Problem]) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        message, _, subpath = str(error).partition(" - at `$")
        subpath = subpath.rstrip("`")
        full_path = path + subpath
        quoted_value = _quote_value(value, subpath)
        problems.append(
            Problem(
                _refine_path(full_path, message),
                _explain_request_error(message, full_path, value, quoted_value),
            )
        )
        return None


def _quote_value(value: Any, subpath: str) -> str:
    """What stands below a value, quoted; nothing where it is no short text."""
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", subpath):
        if key:
            value = value.get(key) if isinstance(value, dict) else None
        else:
            value = value[int(index)] if isinstance(value, list) else None
    return (
        f'"{value[:_MAX_QUOTED_LENGTH]}" ' if isinstance(value, str) and value.isprintable() else ""
    )


def _refine_path(path: str, message: str) -> str:
    unknown = re.search(r"unknown field `(.*)`", message)
    return f"{path}.{unknown[1]}" if unknown else path


def _explain_request_error(message: str, path: str, value: Any, quoted_value: str) -> str:
    name = re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2]
    if unknown := re.search(r"unknown field `(.*)`", message):
        return _explain_unknown_key(unknown[1], _list_allowed_keys(path, value))
    if missing := re.search(r"missing required field `(\w+)`", message):
        return f'lacks "{missing[1]}". Add it.'
    if name == "kind":
        kind = value.get("kind", "") if isinstance(value, dict) else ""
        hint = suggest_name(str(kind), load_question_kinds())
        return (
            f'there is no kind of question "{kind}".{hint} '
            f"The kinds are {', '.join(load_question_kinds())}."
        )
    if name == "id":
        return (
            "an id is a letter and then up to 19 letters, digits, - or _, such as Q1. Correct it."
        )
    if name in ("period", "periods") and "got `str`" in message:
        return (
            f'"{name}": {quoted_value}is none; expected {{from: YYYY-MM-DD, to: YYYY-MM-DD}} or a '
            "year such as 2017/18. Correct it."
        )
    description = _humanise_message(name, message)
    return (
        f'"{name}": {quoted_value if description == _NOT_A_DATE else ""}{description}. Correct it.'
    )


_NOT_A_DATE: Final = "is not a day (expected YYYY-MM-DD)"

_MAX_QUOTED_LENGTH: Final = 60

_EXPECTED_NAMES: Final = {
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
    "object": "keys and values",
    "array": "a list, such as [one, two]",
}

_ACTUAL_NAMES: Final = _EXPECTED_NAMES | {"array": "a list", "null": "nothing"}

_CHOICES: Final = {"count": get_args(TableUnit), "variants": ("all", "none")}


def _humanise_message(name: str, message: str) -> str:  # noqa: PLR0911 - one a kind of message
    """The library's message in an officer's words."""
    if "RFC3339 encoded date" in message:
        return _NOT_A_DATE
    if "enum value" in message and name in _CHOICES:
        return f"expected {' or '.join(_CHOICES[name])}"
    if name == "periods" and message.startswith("Expected `array`, got"):
        return "expected a list, such as [2016/17, 2017/18]"
    if wrong := re.fullmatch(r"Expected `(.*)`, got `(.*)`", message):
        type_names = [
            _EXPECTED_NAMES.get(type_name, type_name)
            for type_name in wrong[1].split(" | ")
            if type_name != "null"
        ]
        return f"expected {' or '.join(type_names)}, not {_ACTUAL_NAMES.get(wrong[2], wrong[2])}"
    if bound := re.fullmatch(r"Expected `int` ([<>])= (-?\d+)", message):
        if name in ("from", "to"):
            return "expected an age from 0 to 120"
        return f"expected a whole number of {bound[2]} or {'less' if bound[1] == '<' else 'more'}"
    if size := re.fullmatch(r"Expected `(array|str)` of length ([<>])= (\d+)", message):
        singular, plural = (
            ("entry", "entries") if size[1] == "array" else ("character", "characters")
        )
        limit = "at least" if size[2] == ">" else "at most"
        return f"expected {limit} {int(size[3]):,} {singular if size[3] == '1' else plural}"
    plain = message.replace("`", '"')
    return plain[0].lower() + plain[1:]


_STRUCT_BY_KEY: Final[dict[str, type[Struct]]] = {
    "period": PeriodSpec,
    "periods": PeriodSpec,
    "letter": LetterSpec,
    "disclosure": DisclosureSpec,
    "offences": OffenceSpec,
    "mentions": TermSpec,
    "keywords": TermSpec,
    "with": CooccurrenceSpec,
    "bands": AgeBand,
    "within": ScopeSpec,
    "rows": AxisSpec,
    "columns": AxisSpec,
}


def _list_allowed_keys(path: str, value: Any) -> tuple[str, ...]:
    """The keys that are right at a path."""
    name = re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2]
    if name != "questions":
        return _STRUCT_BY_KEY[name].__struct_encode_fields__
    kind = load_question_kinds().get(value.get("kind", "")) if isinstance(value, dict) else None
    return ("kind", *(kind.__struct_encode_fields__ if kind else ()))


def _explain_unknown_key(name: str, keys: tuple[str, ...]) -> str:
    return (
        f'"{name[:60]}" is not a key here.{suggest_name(name, keys)} '
        f"The keys are {', '.join(keys)}."
    )


def _find_request_problems(parts: dict[str, Any], categories: Categories) -> Iterator[Problem]:
    scope_parts = {
        name: value for name, value in parts.items() if name in _SCOPE_KEYS and value is not None
    }
    spec = ScopeSpec(**scope_parts)
    scope_problems = list(spec.problems(categories))
    yield from _prefix_paths("$", iter(scope_problems))
    scope = Scope(categories=categories) if scope_problems else spec.scope_with(categories)
    ids: set[str] = set()
    for number, question in enumerate(parts.get("questions") or ()):
        if question is None:
            continue
        path = f"$.questions[{number}]"
        if question.id in ids:
            yield Problem(f"{path}.id", f'the id "{question.id}" is used twice. Change one.')
        ids.add(question.id)
        if question.subscope:
            inner = [
                *question.subscope.problems(categories),
                *_find_outside_periods(question.subscope, scope),
            ]
            yield from _prefix_paths(f"{path}.within", iter(inner))
            if inner:
                continue
        yield from _prefix_paths(path, question.problems(question.narrowed_scope(scope)))


def _find_outside_periods(narrower_spec: ScopeSpec, scope: Scope) -> Iterator[Problem]:
    """Periods of a question that reach beyond those of the request."""
    for number, period in enumerate(narrower_spec.every_period):
        if scope.periods and not any(
            request_period.contains(period) for request_period in scope.periods
        ):
            yield Problem(
                ".period" if narrower_spec.period else f".periods[{number}]",
                f"the period ({period.label}) reaches beyond the request's ({scope.periods_in_words}), whose "
                "records alone are asked about. Widen the one or narrow the other.",
            )


def _prefix_paths(path: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    for problem in problems:
        yield Problem(path + problem.path, problem.message)
