"""The request file: typed and strict. What is wrong is said all at once, each with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Union

import msgspec
from msgspec import Meta, Struct

from indexer import offences
from indexer.errors import RequestError
from queries import document, wording
from queries.disclosure.policy import DisclosureSpec
from queries.document import Document
from queries.problems import Problem
from queries.questions import Question, kinds
from queries.questions.base import MAX_TERMS
from queries.scope import Mention, OffenceRow, Period, Scope
from queries.wording import Wording

_FINANCIAL_YEAR: Final = re.compile(r"(\d{4})/(\d{2})")


class PeriodSpec(
    Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """Both days are included."""

    start: date
    end: date


class OffenceSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One row: each code with all below it. Without a label the codes' titles are used."""

    codes: Annotated[tuple[str, ...], Meta(min_length=1, max_length=100)]
    label: str = ""


class Letter(Struct, frozen=True, forbid_unknown_fields=True):
    """What the letter says of the request itself; all of it may be left out."""

    to: str = ""
    received: date | None = None
    asked: str = ""
    clarified: str = ""


class Request(Struct, frozen=True):
    """A request, read and checked."""

    reference: str
    title: str
    questions: tuple[Question, ...]
    period: PeriodSpec | None = None
    mentions: tuple[Wording, ...] = ()
    offences: tuple[OffenceSpec, ...] = ()
    letter: Letter = Letter()
    disclosure: DisclosureSpec = DisclosureSpec()

    @property
    def scope(self) -> Scope:
        """The records it is about; wordings that are one term are one mention."""
        table = offences.load()
        mentions: dict[tuple[object, ...], Mention] = {}
        for one in self.every_mention:
            mentions.setdefault(one.key, one)
        return Scope(
            period=Period(self.period.start, self.period.end) if self.period else Period(),
            offences=tuple(_offence_row(spec, table) for spec in self.offences),
            mentions=tuple(mentions.values()),
        )

    @property
    def every_mention(self) -> tuple[Mention, ...]:
        """Every wording as a mention, also those that are one term."""
        return tuple(map(wording.mention, self.mentions))

    def wordings(self, mention: Mention) -> tuple[str, ...]:
        """Every wording of the request that is this mention."""
        return tuple(one.label for one in self.every_mention if one.key == mention.key)


def _offence_row(spec: OffenceSpec, table: offences.OffenceTable) -> OffenceRow:
    codes = tuple(dict.fromkeys(map(table.canonical, spec.codes)))
    return OffenceRow(codes, spec.label or "; ".join(map(table.title, codes)))


Reference = Annotated[str, Meta(min_length=1, max_length=100)]
Title = Annotated[str, Meta(min_length=1, max_length=300)]

# Each part is read by itself, so that one message names all that is wrong.
_PARTS: Final[dict[str, Any]] = {
    "reference": Reference,
    "title": Title,
    "period": PeriodSpec,
    "mentions": Annotated[tuple[Wording, ...], Meta(max_length=MAX_TERMS)],
    "offences": Annotated[tuple[OffenceSpec, ...], Meta(max_length=200)],
    "questions": Annotated[list[Any], Meta(min_length=1, max_length=100)],
    "letter": Letter,
    "disclosure": DisclosureSpec,
}
_REQUIRED: Final = ("reference", "title", "questions")


def read(path: Path) -> Request:
    """Read a request file. Raises RequestError, with a line for everything that is wrong."""
    return _read(document.read(path))


def parse(text: str, name: str = "request") -> Request:
    """Read a request from text. Raises RequestError."""
    return _read(document.parse(text, name))


def _read(source: Document) -> Request:
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
            raw = _financial_year(value) if key == "period" else value
            parts[key] = _part(raw, _PARTS[key], f"$.{key}", found)
    found += [
        Problem("$", f'lacks "{key}". Add it.') for key in _REQUIRED if key not in source.value
    ]
    if parts.get("questions"):
        every: Any = Union[tuple(kinds().values())]  # noqa: UP007 - known at run time only
        parts["questions"] = tuple(
            _part(value, every, f"$.questions[{number}]", found)
            for number, value in enumerate(parts["questions"])
        )
    found += _problems(parts)
    if found:
        ordered = sorted((source.line(problem.path), problem.message) for problem in found)
        raise RequestError("\n".join(f"{source.name}:{line}: {text}" for line, text in ordered))
    return Request(**parts)


def _financial_year(value: Any) -> Any:
    """Read "2017/18" as the year from 1 April 2017 to 31 March 2018."""
    if isinstance(value, str) and (year := _FINANCIAL_YEAR.fullmatch(value.strip())):
        start = int(year[1])
        if int(year[2]) == (start + 1) % 100:
            return {"from": f"{start}-04-01", "to": f"{start + 1}-03-31"}
    return value


def _part(value: Any, kind: Any, path: str, found: list[Problem]) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        message, _, below = str(error).partition(" - at `$")
        where = path + below.rstrip("`")
        found.append(Problem(_most_exact(where, message), _explain(message, where, value)))
        return None


def _most_exact(path: str, message: str) -> str:
    unknown = re.search(r"unknown field `(.*)`", message)
    return f"{path}.{unknown[1]}" if unknown else path


def _explain(message: str, path: str, value: Any) -> str:
    name = re.sub(r"\[\d+\]", "", path).rpartition(".")[2]
    if unknown := re.search(r"unknown field `(.*)`", message):
        return _unknown(unknown[1], _fields(path, value))
    if missing := re.search(r"missing required field `(\w+)`", message):
        return f'lacks "{missing[1]}". Add it.'
    if name == "kind":
        given = value.get("kind", "") if isinstance(value, dict) else ""
        near = difflib.get_close_matches(str(given), kinds(), n=1, cutoff=0)
        return (
            f'there is no kind of question "{given}". Did you mean "{near[0]}"? '
            f"The kinds are {', '.join(kinds())}."
        )
    if name == "id":
        return (
            "an id is a letter and then up to 19 letters, digits, - or _, such as Q1. Correct it."
        )
    if path == "$.period":
        return '"period": expected {from: YYYY-MM-DD, to: YYYY-MM-DD} or a year such as 2017/18.'
    plain = message.replace("`", '"').replace("Expected", "expected")
    return f'"{name}": {_PLAINER.get(plain, plain[0].lower() + plain[1:])}. Correct it.'


_PLAINER: Final = {
    "Invalid RFC3339 encoded date": "is not a day (expected YYYY-MM-DD)",
    'expected "object", got "str"': "expected keys and values, not plain text",
    'expected "array", got "str"': "expected a list, such as [one, two]",
    'expected "array", got "object"': "expected a list, such as [one, two]",
    'expected "int", got "str"': "expected a whole number",
    'expected "bool", got "str"': "expected true or false",
    'expected "int" <= 120': "expected an age from 0 to 120",
    'expected "int" >= 0': "expected an age from 0 to 120",
    "Invalid enum value": "is not one of the values it may have",
}


def _fields(path: str, value: Any) -> tuple[str, ...]:
    """The keys that are right at a path."""
    if path.startswith("$.questions"):
        kind = kinds().get(value.get("kind", "")) if isinstance(value, dict) else None
        if ".bands" in path:
            return ("from", "to")
        if ".keywords" in path:
            return wording.TermSpec.__struct_encode_fields__
        return ("kind", *(kind.__struct_encode_fields__ if kind else ()))
    structs: dict[str, type[Struct]] = {
        "$.period": PeriodSpec,
        "$.letter": Letter,
        "$.disclosure": DisclosureSpec,
        "$.offences": OffenceSpec,
        "$.mentions": wording.TermSpec,
    }
    return structs[re.match(r"\$\.\w+", path)[0]].__struct_encode_fields__  # type: ignore[index]


def _unknown(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0)
    return (
        f'"{name[:60]}" is not a key here. Did you mean "{near[0]}"? '
        f"The keys are {', '.join(known)}."
    )


def _problems(parts: dict[str, Any]) -> Iterator[Problem]:
    period: PeriodSpec | None = parts.get("period")
    if period and period.end < period.start:
        yield Problem(
            "$.period", f"the period ends ({period.end}) before it starts. Turn it round."
        )
    yield from _below("$.mentions", wording.problems(parts.get("mentions") or (), "", repeats=True))
    for number, spec in enumerate(parts.get("offences") or ()):
        for place, code in enumerate(spec.codes):
            try:
                offences.load().require(code)
            except RequestError as error:
                yield Problem(f"$.offences[{number}].codes[{place}]", str(error))
    seen: set[str] = set()
    for number, question in enumerate(parts.get("questions") or ()):
        if question is None:
            continue
        if question.id in seen:
            yield Problem(
                f"$.questions[{number}].id", f'the id "{question.id}" is used twice. Change one.'
            )
        seen.add(question.id)
        yield from _below(f"$.questions[{number}]", question.problems())


def _below(path: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    for problem in problems:
        yield Problem(path + problem.path, problem.message)
