"""The term book: what is known of the names that requests ask for, and its strict loader.

Ours is ``mappings/terms.yaml``; a force may add its own. A book gives openings, which count, and
what a person may want to know, which never does. It knows nothing of requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from indexer.config.model import Settings
from indexer.errors import ConfigurationError, RequestError
from indexer.resources import find_data_folder
from indexer.suggestions import suggest_name
from queries.matching.term import MAX_TERM_LENGTH, MAX_TERM_PARTS, parse_term, parse_term_parts
from queries.spec.problem import Problem
from queries.spec.yaml_text import YamlDocument, read_yaml

_TERM_BOOK_FILE: Final = "terms.yaml"

_TermParts = tuple[str, ...]

_SpellingList = Annotated[tuple[str, ...], Meta(max_length=20)]


class BookTerm(Struct, frozen=True, forbid_unknown_fields=True, rename={"cooccurrences": "with"}):
    """One name. ``openings`` are other ways to write it that the rule does not give; ``aliases``
    other names, ``company`` what tells its mentions from an ``everyday`` word: both are only ever
    suggested."""

    term: str
    openings: _SpellingList = ()
    aliases: _SpellingList = ()
    everyday: bool = False
    cooccurrences: _SpellingList = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """The name and its openings: one term."""
        return (self.term, *self.openings)


class TermBook:
    """Terms by each way to write them."""

    def __init__(self, entries: Iterable[BookTerm]) -> None:
        self.terms = tuple(entries)
        self._by_closed_form = {
            closed: entry for entry in self.terms for closed in map(_to_closed_form, entry.wordings)
        }
        self._spellings = {
            closed: tuple(dict.fromkeys(map(parse_term_parts, entry.wordings)))
            for closed, entry in self._by_closed_form.items()
            if _needs_openings(entry)
        }

    def find_term(self, written: str) -> BookTerm | None:
        """The term of the book that a wording is, however its parts stand apart."""
        try:
            return self._by_closed_form.get(_to_closed_form(written))
        except RequestError:
            return None

    def other_names(self, written: str) -> tuple[str, ...]:
        """Other names of what a wording names: its aliases, and the terms it is an alias of."""
        try:
            closed = _to_closed_form(written)
        except RequestError:
            return ()
        entry = self._by_closed_form.get(closed)
        main_names = (
            book_term.term
            for book_term in self.terms
            if closed in map(_to_closed_form, book_term.aliases)
        )
        return tuple(dict.fromkeys((*(entry.aliases if entry else ()), *main_names)))

    def extra_spellings(self, written: str) -> tuple[str, ...]:
        """The ways to write a term that the book adds to those of the rule.

        Also where the first part of a longer term is in the book ("Xbox controller"). What is no
        term has none: it is refused where it is asked for.
        """
        try:
            term_parts = parse_term_parts(written)
        except RequestError:
            return ()
        rule_forms = {*parse_term(written).forms}
        return tuple(
            sorted(
                opening
                for opening in map(" ".join, self._substitute_spellings(term_parts))
                if len(opening) <= MAX_TERM_LENGTH
                and opening.count(" ") < MAX_TERM_PARTS
                and not rule_forms.issuperset(parse_term(written, openings=[opening]).forms)
            )
        )

    def _substitute_spellings(self, term_parts: _TermParts) -> list[_TermParts]:
        """The parts with the first and longest run of them that is a term in each of its ways."""
        for start in range(len(term_parts)):
            for end in range(len(term_parts), start, -1):
                if spellings := self._spellings.get("".join(term_parts[start:end])):
                    return [
                        (*term_parts[:start], *spelling, *term_parts[end:])
                        for spelling in spellings
                    ]
        return []

    def with_fallback(self, fallback: TermBook) -> TermBook:
        """The terms of both; of the other only those that are not in this one."""
        entries = self._by_closed_form
        return TermBook(
            (
                *self.terms,
                *(
                    entry
                    for entry in fallback.terms
                    if entries.keys().isdisjoint(map(_to_closed_form, entry.wordings))
                ),
            )
        )


def _to_closed_form(written: str) -> str:
    return "".join(parse_term_parts(written))


def _needs_openings(entry: BookTerm) -> bool:
    """Whether the rule alone would not give every form of it from its closed form."""
    closed = _to_closed_form(entry.term)
    closed_term = parse_term(closed)
    return (
        not closed_term.compound
        and closed_term.forms != parse_term(closed, openings=entry.wordings).forms
    )


def load_configured_term_book(settings: Settings) -> TermBook:
    """The force's book over ours. Raises ConfigurationError."""
    if settings.terms.book is None:
        return load_default_term_book()
    return read_term_book(settings.folder / settings.terms.book).with_fallback(
        load_default_term_book()
    )


@cache
def load_default_term_book() -> TermBook:
    """Our book. Raises ConfigurationError."""
    return read_term_book(find_data_folder("mappings") / _TERM_BOOK_FILE)


def read_term_book(path: Path) -> TermBook:
    """Read a book. Raises ConfigurationError, with a line for everything that is wrong."""
    try:
        source = read_yaml(path)
    except RequestError as error:
        raise ConfigurationError(str(error)) from None
    entries = source.value.get("terms") if isinstance(source.value, dict) else None
    if not isinstance(entries, list) or len(source.value) > 1:
        raise ConfigurationError(
            f"{source.name}:1: is not a term book. It holds terms:, a list, and nothing else."
        )
    book_terms: list[BookTerm] = []
    problems: list[Problem] = []
    for number, value in enumerate(entries):
        entry_path = f"$.terms[{number}]"
        try:
            book_terms.append(msgspec.convert(value, BookTerm, strict=False))
        except msgspec.ValidationError as error:
            problems.append(_explain_entry_error(entry_path, str(error)))
            book_terms.append(BookTerm(""))
    problems += _find_entry_problems(book_terms)
    if problems:
        raise ConfigurationError("\n".join(_format_book_problems(source, problems)))
    return TermBook(book_terms)


def _format_book_problems(source: YamlDocument, problems: list[Problem]) -> list[str]:
    ordered = sorted((source.line(problem.path), problem.message) for problem in problems)
    return [f"{source.name}:{line}: {text}" for line, text in ordered]


def _explain_entry_error(path: str, text: str) -> Problem:
    message, _, below = text.partition(" - at `$")
    if unknown := re.search(r"unknown field `(.*)`", message):
        keys = BookTerm.__struct_encode_fields__
        return Problem(
            f"{path}.{unknown[1]}",
            f'"{unknown[1][:60]}" is not a key of a term.{suggest_name(unknown[1], keys)} '
            f"The keys are {', '.join(keys)}.",
        )
    if missing := re.search(r"missing required field `(\w+)`", message):
        return Problem(path, f'lacks "{missing[1]}". Add it.')
    plain = message.replace("`", '"')
    return Problem(path + below.rstrip("`"), f"{plain[0].lower()}{plain[1:]}. Correct it.")


def _find_entry_problems(entries: list[BookTerm]) -> Iterator[Problem]:
    """What is wrong beyond the types."""
    term_by_closed_form: dict[str, str] = {}
    for number, entry in enumerate(entries):
        path = f"$.terms[{number}]"
        if not entry.term:  # said already
            continue
        problems = [*_find_invalid_terms(entry, path)] or [*_find_redundant_spellings(entry, path)]
        yield from problems
        if problems:
            continue
        for closed in dict.fromkeys(map(_to_closed_form, entry.wordings)):
            first = term_by_closed_form.setdefault(closed, entry.term)
            if first is not entry.term:
                yield Problem(
                    path,
                    f'"{entry.term}" is the same term as "{first}" above. Make one of them.',
                )


def _find_invalid_terms(entry: BookTerm, path: str) -> Iterator[Problem]:
    for key, written in (
        (".term", entry.term),
        *((f".openings[{index}]", spelling) for index, spelling in enumerate(entry.openings)),
        *((f".aliases[{index}]", spelling) for index, spelling in enumerate(entry.aliases)),
        *((f".with[{index}]", spelling) for index, spelling in enumerate(entry.cooccurrences)),
    ):
        try:
            parse_term(written)
            if key.startswith(".openings"):
                parse_term(entry.term, openings=[written])
        except RequestError as error:
            yield Problem(path + key, str(error))


def _find_redundant_spellings(entry: BookTerm, path: str) -> Iterator[Problem]:
    """Openings and aliases that are the term already."""
    rule_forms = parse_term(entry.term).forms
    for index, opening in enumerate(entry.openings):
        if parse_term_parts(opening) in rule_forms:
            yield Problem(
                f"{path}.openings[{index}]",
                f'"{opening}" is a form of "{entry.term}" by the matching rule. Remove it.',
            )
    counted_forms = parse_term(entry.term, openings=entry.openings).forms
    for index, alias in enumerate(entry.aliases):
        if parse_term_parts(alias) in counted_forms:
            yield Problem(
                f"{path}.aliases[{index}]",
                f'"{alias}" is a form of "{entry.term}", which counts already. Remove it.',
            )
