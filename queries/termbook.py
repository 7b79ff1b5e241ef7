"""The term book: what is known of the names that requests ask for, and its strict loader.

Ours is ``mappings/terms.yaml``; a force may add its own. A book gives openings, which count, and
what a person may want to know, which never does. It knows nothing of requests.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from indexer import resources
from indexer.errors import ConfigurationError, RequestError
from indexer.settings import Settings
from queries import document, terms
from queries.document import Document
from queries.problems import Problem

_FILE: Final = "terms.yaml"
_Parts = tuple[str, ...]
_Names = Annotated[tuple[str, ...], Meta(max_length=20)]


class BookTerm(Struct, frozen=True, forbid_unknown_fields=True, rename={"company": "with"}):
    """One name. ``openings`` are other ways to write it that the rule does not give; ``aliases``
    other names, ``company`` what tells its mentions from an ``everyday`` word: both are only ever
    suggested."""

    term: str
    openings: _Names = ()
    aliases: _Names = ()
    everyday: bool = False
    company: _Names = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """The name and its openings: one term."""
        return (self.term, *self.openings)


class Book:
    """Terms by each way to write them."""

    def __init__(self, known: Iterable[BookTerm]) -> None:
        self.terms = tuple(known)
        self._terms = {
            closed: entry for entry in self.terms for closed in map(_closed, entry.wordings)
        }
        self._ways = {
            closed: tuple(dict.fromkeys(map(terms.parts, entry.wordings)))
            for closed, entry in self._terms.items()
            if _opens(entry)
        }

    def term(self, written: str) -> BookTerm | None:
        """The term of the book that a wording is, however its parts stand apart."""
        try:
            return self._terms.get(_closed(written))
        except RequestError:
            return None

    def names(self, written: str) -> tuple[str, ...]:
        """Other names of what a wording names: its aliases, and the terms it is an alias of."""
        try:
            closed = _closed(written)
        except RequestError:
            return ()
        entry = self._terms.get(closed)
        of = (one.term for one in self.terms if closed in map(_closed, one.aliases))
        return tuple(dict.fromkeys((*(entry.aliases if entry else ()), *of)))

    def openings(self, written: str) -> tuple[str, ...]:
        """The ways to write a term that the book adds to those of the rule.

        Also where the first part of a longer term is in the book ("Xbox controller"). What is no
        term has none: it is refused where it is asked for.
        """
        try:
            own = terms.parts(written)
        except RequestError:
            return ()
        given = {*terms.parse(written).forms}
        return tuple(
            sorted(
                opening
                for opening in map(" ".join, self._opened(own))
                if len(opening) <= terms.MAX_LENGTH
                and opening.count(" ") < terms.MAX_PARTS
                and not given.issuperset(terms.parse(written, openings=[opening]).forms)
            )
        )

    def _opened(self, own: _Parts) -> list[_Parts]:
        """The parts with the first and longest run of them that is a term in each of its ways."""
        for start in range(len(own)):
            for end in range(len(own), start, -1):
                if ways := self._ways.get("".join(own[start:end])):
                    return [(*own[:start], *way, *own[end:]) for way in ways]
        return []

    def over(self, other: Book) -> Book:
        """The terms of both; of the other only those that are not in this one."""
        mine = self._terms
        return Book(
            (
                *self.terms,
                *(one for one in other.terms if mine.keys().isdisjoint(map(_closed, one.wordings))),
            )
        )


def _closed(written: str) -> str:
    return "".join(terms.parts(written))


def _opens(entry: BookTerm) -> bool:
    """Whether the rule alone would not give every form of it from its closed form."""
    closed = _closed(entry.term)
    alone = terms.parse(closed)
    return not alone.compound and alone.forms != terms.parse(closed, openings=entry.wordings).forms


def of(settings: Settings) -> Book:
    """The force's book over ours. Raises ConfigurationError."""
    if settings.terms.book is None:
        return load()
    return read(settings.folder / settings.terms.book).over(load())


@cache
def load() -> Book:
    """Our book. Raises ConfigurationError."""
    return read(resources.folder("mappings") / _FILE)


def read(path: Path) -> Book:
    """Read a book. Raises ConfigurationError, with a line for everything that is wrong."""
    try:
        source = document.read(path)
    except RequestError as error:
        raise ConfigurationError(str(error)) from None
    entries = source.value.get("terms") if isinstance(source.value, dict) else None
    if not isinstance(entries, list) or len(source.value) > 1:
        raise ConfigurationError(
            f"{source.name}:1: is not a term book. It holds terms:, a list, and nothing else."
        )
    found: list[BookTerm] = []
    wrong: list[Problem] = []
    for number, value in enumerate(entries):
        where = f"$.terms[{number}]"
        try:
            found.append(msgspec.convert(value, BookTerm, strict=False))
        except msgspec.ValidationError as error:
            wrong.append(_explained(where, str(error)))
            found.append(BookTerm(""))
    wrong += _problems(found)
    if wrong:
        raise ConfigurationError("\n".join(_lines(source, wrong)))
    return Book(found)


def _lines(source: Document, wrong: list[Problem]) -> list[str]:
    ordered = sorted((source.line(problem.path), problem.message) for problem in wrong)
    return [f"{source.name}:{line}: {text}" for line, text in ordered]


def _explained(where: str, text: str) -> Problem:
    message, _, below = text.partition(" - at `$")
    if unknown := re.search(r"unknown field `(.*)`", message):
        known = BookTerm.__struct_encode_fields__
        near = difflib.get_close_matches(unknown[1], known, n=1, cutoff=0)
        return Problem(
            f"{where}.{unknown[1]}",
            f'"{unknown[1][:60]}" is not a key of a term. Did you mean "{near[0]}"? '
            f"The keys are {', '.join(known)}.",
        )
    if missing := re.search(r"missing required field `(\w+)`", message):
        return Problem(where, f'lacks "{missing[1]}". Add it.')
    plain = message.replace("`", '"')
    return Problem(where + below.rstrip("`"), f"{plain[0].lower()}{plain[1:]}. Correct it.")


def _problems(found: list[BookTerm]) -> Iterator[Problem]:
    """What is wrong beyond the types."""
    seen: dict[str, str] = {}
    for number, entry in enumerate(found):
        where = f"$.terms[{number}]"
        if not entry.term:  # said already
            continue
        wrong = [*_not_terms(entry, where)] or [*_needless(entry, where)]
        yield from wrong
        if wrong:
            continue
        for closed in dict.fromkeys(map(_closed, entry.wordings)):
            first = seen.setdefault(closed, entry.term)
            if first is not entry.term:
                yield Problem(
                    where,
                    f'"{entry.term}" is the same term as "{first}" above. Make one of them.',
                )


def _not_terms(entry: BookTerm, where: str) -> Iterator[Problem]:
    for key, written in (
        (".term", entry.term),
        *((f".openings[{place}]", one) for place, one in enumerate(entry.openings)),
        *((f".aliases[{place}]", one) for place, one in enumerate(entry.aliases)),
        *((f".with[{place}]", one) for place, one in enumerate(entry.company)),
    ):
        try:
            terms.parse(written)
            if key.startswith(".openings"):
                terms.parse(entry.term, openings=[written])
        except RequestError as error:
            yield Problem(where + key, str(error))


def _needless(entry: BookTerm, where: str) -> Iterator[Problem]:
    """Openings and aliases that are the term already."""
    given = terms.parse(entry.term).forms
    for place, opening in enumerate(entry.openings):
        if terms.parts(opening) in given:
            yield Problem(
                f"{where}.openings[{place}]",
                f'"{opening}" is a form of "{entry.term}" by the matching rule. Remove it.',
            )
    whole = terms.parse(entry.term, openings=entry.openings).forms
    for place, alias in enumerate(entry.aliases):
        if terms.parts(alias) in whole:
            yield Problem(
                f"{where}.aliases[{place}]",
                f'"{alias}" is a form of "{entry.term}", which counts already. Remove it.',
            )
