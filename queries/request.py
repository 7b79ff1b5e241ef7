"""The request file: typed and strict. What is wrong is said all at once, each with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Union, get_args

import msgspec
from msgspec import Meta, Struct

from indexer.categories import Categories
from indexer.errors import RequestError
from indexer.settings import Settings
from queries import document, termbook, wording
from queries.disclosure.policy import DisclosureSpec
from queries.document import Document
from queries.grid import Unit
from queries.problems import Problem
from queries.questions import Question, kinds
from queries.scope import Mention, Scope
from queries.spec import (
    AxisSpec,
    Band,
    OffenceRows,
    OffenceSpec,
    Periods,
    PeriodSpec,
    ScopeSpec,
    Terms,
    Values,
)
from queries.termbook import Book
from queries.wording import Wording

_YEAR: Final = re.compile(r"(\d{4})(?:/(\d{2}))?")


class Letter(Struct, frozen=True, forbid_unknown_fields=True):
    """What the letter says of the request itself; all of it may be left out."""

    to: str = ""
    received: date | None = None
    asked: str = ""
    clarified: str = ""


class Request(ScopeSpec, frozen=True, kw_only=True, omit_defaults=False):
    """A request, read and checked. ``categories`` are those the force declared then."""

    reference: str
    title: str
    questions: tuple[Question, ...]
    letter: Letter = Letter()
    categories: Categories = msgspec.field(default_factory=dict)
    disclosure: DisclosureSpec = DisclosureSpec()

    @property
    def scope(self) -> Scope:
        """The records it is about."""
        return self.scope_with(self.categories)

    def wordings(self, mention: Mention) -> tuple[str, ...]:
        """Every wording of the request that is this mention."""
        return tuple(one.term.written for one in self.every_mention if one.key == mention.key)


Reference = Annotated[str, Meta(min_length=1, max_length=100)]
Title = Annotated[str, Meta(min_length=1, max_length=300)]

_MOST_TOLD: Final = 50
# Each part is read by itself, so that one message names all that is wrong.
_PARTS: Final[dict[str, Any]] = {
    "reference": Reference,
    "title": Title,
    "period": PeriodSpec,
    "periods": Periods,
    "mentions": Terms,
    "offences": OffenceRows,
    "where": dict[str, Values],
    "questions": Annotated[list[Any], Meta(min_length=1, max_length=100)],
    "letter": Letter,
    "disclosure": DisclosureSpec,
}
_SCOPE: Final = ("period", "periods", "mentions", "offences", "where")
_REQUIRED: Final = ("reference", "title", "questions")


def read(path: Path, book: Book | None = None, categories: Categories | None = None) -> Request:
    """Read a request file, with the openings of a term book, or else of ours, for a force that
    declares these categories.

    Raises RequestError, with a line for everything that is wrong.
    """
    return _read(document.read(path), book or termbook.load(), categories or {})


def of_force(path: Path, settings: Settings) -> Request:
    """Read a request file with a force's own term book and categories. Raises RequestError."""
    return read(path, termbook.of(settings), settings.categories)


def parse(
    text: str,
    name: str = "request",
    book: Book | None = None,
    categories: Categories | None = None,
) -> Request:
    """Read a request from text, as ``read``. Raises RequestError."""
    return _read(document.parse(text, name), book or termbook.load(), categories or {})


def again(kept: dict[str, Any]) -> Request:
    """The request an answer holds. Raises RequestError where it is none."""
    try:
        questions = tuple(
            msgspec.convert(one, _any_question(), strict=False) for one in kept["questions"]
        )
        rest = {name: value for name, value in kept.items() if name != "questions"}
        plain = msgspec.convert({**rest, "questions": []}, Request, strict=False)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise RequestError(f"the answer holds no request that can be read ({error}).") from None
    return msgspec.structs.replace(plain, questions=questions)


def _any_question() -> Any:
    return Union[tuple(kinds().values())]  # noqa: UP007 - known at run time only


def _read(source: Document, book: Book, categories: Categories) -> Request:
    found: list[Problem] = []
    parts: dict[str, Any] = {}
    if not isinstance(source.value, dict):
        raise RequestError(
            f"{source.name}:1: is not a request. It starts with reference:, title: and questions:."
        )
    for key, value in source.value.items():
        if key not in _PARTS:
            found.append(Problem(f"$.{key}", _unknown(key, tuple(_PARTS))))
        else:
            parts[key] = _part(_dated(value, key), _PARTS[key], f"$.{key}", found)
    found += [
        Problem("$", f'lacks "{key}". Add it.') for key in _REQUIRED if key not in source.value
    ]
    if parts.get("questions"):
        parts["questions"] = tuple(
            _part(value, _any_question(), f"$.questions[{number}]", found)
            for number, value in enumerate(parts["questions"])
        )
    for key, kind in (("mentions", tuple[Wording, ...]), ("questions", tuple[Question, ...])):
        parts[key] = wording.opened(parts.get(key) or (), kind, book.openings)
    found += _problems(parts, categories)
    found += _empty(source.value, "$")
    if found:
        ordered = sorted((source.line(problem.path), problem.message) for problem in found)
        told = [f"{source.name}:{line}: {text}" for line, text in ordered[:_MOST_TOLD]]
        more = len(ordered) - len(told)
        raise RequestError("\n".join([*told, *([f"... and {more:,} more."] if more else [])]))
    return Request(**parts, categories=categories)


def _empty(value: Any, path: str) -> Iterator[Problem]:
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
            yield from _empty(question.get("within"), f"{path}.questions[{number}].within")


def _dated(value: Any, key: str = "") -> Any:
    """The value with every year of a period as its days: 2017/18 from April, 2017 from January."""
    if isinstance(value, dict):
        return {name: _dated(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_dated(one, key) for one in value]
    return years(value) if key in ("period", "periods") and isinstance(value, str) else value


def years(text: str) -> str | dict[str, str]:
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


def _part(value: Any, kind: Any, path: str, found: list[Problem]) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        message, _, below = str(error).partition(" - at `$")
        below = below.rstrip("`")
        where = path + below
        given = _given(value, below)
        found.append(Problem(_most_exact(where, message), _explain(message, where, value, given)))
        return None


def _given(value: Any, below: str) -> str:
    """What stands below a value, quoted; nothing where it is no short text."""
    for key, place in re.findall(r"\.(\w+)|\[(\d+)\]", below):
        if key:
            value = value.get(key) if isinstance(value, dict) else None
        else:
            value = value[int(place)] if isinstance(value, list) else None
    return f'"{value[:_SHOWN]}" ' if isinstance(value, str) and value.isprintable() else ""


def _most_exact(path: str, message: str) -> str:
    unknown = re.search(r"unknown field `(.*)`", message)
    return f"{path}.{unknown[1]}" if unknown else path


def _explain(message: str, path: str, value: Any, given: str) -> str:
    name = re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2]
    if unknown := re.search(r"unknown field `(.*)`", message):
        return _unknown(unknown[1], _fields(path, value))
    if missing := re.search(r"missing required field `(\w+)`", message):
        return f'lacks "{missing[1]}". Add it.'
    if name == "kind":
        kind = value.get("kind", "") if isinstance(value, dict) else ""
        near = difflib.get_close_matches(str(kind), kinds(), n=1, cutoff=0)
        return (
            f'there is no kind of question "{kind}". Did you mean "{near[0]}"? '
            f"The kinds are {', '.join(kinds())}."
        )
    if name == "id":
        return (
            "an id is a letter and then up to 19 letters, digits, - or _, such as Q1. Correct it."
        )
    if name in ("period", "periods") and "got `str`" in message:
        return (
            f'"{name}": {given}is none; expected {{from: YYYY-MM-DD, to: YYYY-MM-DD}} or a '
            "year such as 2017/18. Correct it."
        )
    said = _plainer(name, message)
    return f'"{name}": {given if said == _NO_DAY else ""}{said}. Correct it.'


_NO_DAY: Final = "is not a day (expected YYYY-MM-DD)"
_SHOWN: Final = 60
_SAID: Final = {
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
    "object": "keys and values",
    "array": "a list, such as [one, two]",
}
_GIVEN: Final = _SAID | {"array": "a list", "null": "nothing"}
_CHOICES: Final = {"count": get_args(Unit), "variants": ("all", "none")}


def _plainer(name: str, message: str) -> str:  # noqa: PLR0911 - one a kind of message
    """The library's message in an officer's words."""
    if "RFC3339 encoded date" in message:
        return _NO_DAY
    if "enum value" in message and name in _CHOICES:
        return f"expected {' or '.join(_CHOICES[name])}"
    if name == "periods" and message.startswith("Expected `array`, got"):
        return "expected a list, such as [2016/17, 2017/18]"
    if wrong := re.fullmatch(r"Expected `(.*)`, got `(.*)`", message):
        wanted = [_SAID.get(one, one) for one in wrong[1].split(" | ") if one != "null"]
        return f"expected {' or '.join(wanted)}, not {_GIVEN.get(wrong[2], wrong[2])}"
    if bound := re.fullmatch(r"Expected `int` ([<>])= (-?\d+)", message):
        if name in ("from", "to"):
            return "expected an age from 0 to 120"
        return f"expected a whole number of {bound[2]} or {'less' if bound[1] == '<' else 'more'}"
    if size := re.fullmatch(r"Expected `(array|str)` of length ([<>])= (\d+)", message):
        one, many = ("entry", "entries") if size[1] == "array" else ("character", "characters")
        limit = "at least" if size[2] == ">" else "at most"
        return f"expected {limit} {int(size[3]):,} {one if size[3] == '1' else many}"
    plain = message.replace("`", '"')
    return plain[0].lower() + plain[1:]


_INSIDE: Final[dict[str, type[Struct]]] = {
    "period": PeriodSpec,
    "periods": PeriodSpec,
    "letter": Letter,
    "disclosure": DisclosureSpec,
    "offences": OffenceSpec,
    "mentions": wording.TermSpec,
    "keywords": wording.TermSpec,
    "with": wording.CompanySpec,
    "bands": Band,
    "within": ScopeSpec,
    "rows": AxisSpec,
    "columns": AxisSpec,
}


def _fields(path: str, value: Any) -> tuple[str, ...]:
    """The keys that are right at a path."""
    name = re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2]
    if name != "questions":
        return _INSIDE[name].__struct_encode_fields__
    kind = kinds().get(value.get("kind", "")) if isinstance(value, dict) else None
    return ("kind", *(kind.__struct_encode_fields__ if kind else ()))


def _unknown(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0)
    return (
        f'"{name[:60]}" is not a key here. Did you mean "{near[0]}"? '
        f"The keys are {', '.join(known)}."
    )


def _problems(parts: dict[str, Any], categories: Categories) -> Iterator[Problem]:
    own = {name: value for name, value in parts.items() if name in _SCOPE and value is not None}
    spec = ScopeSpec(**own)
    wrong = list(spec.problems(categories))
    yield from _below("$", iter(wrong))
    scope = Scope(categories=categories) if wrong else spec.scope_with(categories)
    seen: set[str] = set()
    for number, question in enumerate(parts.get("questions") or ()):
        if question is None:
            continue
        path = f"$.questions[{number}]"
        if question.id in seen:
            yield Problem(f"{path}.id", f'the id "{question.id}" is used twice. Change one.')
        seen.add(question.id)
        if question.within:
            inner = [*question.within.problems(categories), *_outside(question.within, scope)]
            yield from _below(f"{path}.within", iter(inner))
            if inner:
                continue
        yield from _below(path, question.problems(question.seen(scope)))


def _outside(within: ScopeSpec, scope: Scope) -> Iterator[Problem]:
    """Periods of a question that reach beyond those of the request."""
    for number, period in enumerate(within.every_period):
        if scope.periods and not any(one.holds(period) for one in scope.periods):
            yield Problem(
                ".period" if within.period else f".periods[{number}]",
                f"the period ({period.label}) reaches beyond the request's ({scope.when}), whose "
                "records alone are asked about. Widen the one or narrow the other.",
            )


def _below(path: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    for problem in problems:
        yield Problem(path + problem.path, problem.message)
