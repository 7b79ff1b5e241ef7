"""The term book: how the names that requests ask for may be written, and its strict reader.

The book of foidex is ``mappings/terms.yaml``; a force may add its own. The openings of a book are
counted; what else it holds is only suggested. It knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from indexer.config.model import Settings
from indexer.errors import ConfigurationError, RequestError
from indexer.resources import find_data_folder
from indexer.validation_errors import (
    Violation,
    ViolationKind,
    describe_violation,
    parse_validation_error,
)
from queries.matching.term import (
    MAX_TERM_LENGTH,
    MAX_TERM_PARTS,
    parse_term,
    parse_term_parts,
    replace_parts,
)
from queries.spec.problem import (
    Problem,
    explain_missing_key,
    explain_unknown_key,
    format_problems,
)
from queries.spec.yaml_text import read_yaml

_TERM_BOOK_FILE: Final = "terms.yaml"

_TermParts = tuple[str, ...]

_SpellingList = Annotated[tuple[str, ...], Meta(max_length=20)]


class BookTerm(Struct, frozen=True, forbid_unknown_fields=True, rename={"cooccurrences": "with"}):
    """One name and what is known about it.

    ``openings`` are ways to write the name that the matching rule does not give. ``aliases`` are
    other names, and ``cooccurrences`` terms that distinguish the name from an ``everyday`` word:
    both are only suggested.
    """

    term: str
    openings: _SpellingList = ()
    aliases: _SpellingList = ()
    everyday: bool = False
    cooccurrences: _SpellingList = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """The name and its openings, which are one term."""
        return (self.term, *self.openings)


class TermBook:
    """The terms of a book, found by any way to write them."""

    def __init__(self, entries: Iterable[BookTerm]) -> None:
        self.terms = tuple(entries)
        self._by_closed_form = {
            closed: entry for entry in self.terms for closed in map(_to_closed_form, entry.wordings)
        }
        self._spellings: dict[str, tuple[_TermParts, ...]] = {}

    def find_term(self, written: str) -> BookTerm | None:
        """The term of the book that a wording is, whatever its spaces and hyphens."""
        try:
            return self._by_closed_form.get(_to_closed_form(written))
        except RequestError:
            return None

    def other_names(self, written: str) -> tuple[str, ...]:
        """Other names for a wording: its aliases, and the terms it is an alias of. Names that
        differ in capitals, spaces or hyphens alone are one."""
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
        names: dict[tuple[str, ...], str] = {}
        for name in (*(entry.aliases if entry else ()), *main_names):
            names.setdefault(parse_term_parts(name), name)
        return tuple(names.values())

    def extra_spellings(self, written: str) -> tuple[str, ...]:
        """The ways to write a term that the book adds to those of the matching rule.

        A longer term gets them too if some of its words are in the book ("Xbox controller"). A
        wording that is not a term gets none.
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
        """The parts with their first run that is a term of the book, in each way to write it.

        Of runs that start at the same part, the longest counts.
        """
        for start in range(len(term_parts)):
            for end in range(len(term_parts), start, -1):
                if spellings := self._find_spellings("".join(term_parts[start:end])):
                    return [
                        replace_parts(term_parts, start, end, spelling) for spelling in spellings
                    ]
        return []

    def _find_spellings(self, closed: str) -> tuple[_TermParts, ...]:
        """Each way to write a term of the book, if the matching rule does not give them all.

        Found when it is first asked for: for all terms it takes longer than a count.
        """
        entry = self._by_closed_form.get(closed)
        if entry is None:
            return ()
        if closed not in self._spellings:
            wordings = dict.fromkeys(map(parse_term_parts, entry.wordings))
            self._spellings[closed] = tuple(wordings) if _needs_openings(entry) else ()
        return self._spellings[closed]

    def with_fallback(self, fallback: TermBook) -> TermBook:
        """A book with the terms of this one, and those of the other that this one lacks."""
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
    """Whether the matching rule does not give every form of a term from its closed form."""
    closed = _to_closed_form(entry.term)
    closed_term = parse_term(closed)
    return (
        not closed_term.compound
        and closed_term.forms != parse_term(closed, openings=entry.wordings).forms
    )


def load_configured_term_book(settings: Settings) -> TermBook:
    """The term book of a force, completed by that of foidex. Raises ConfigurationError."""
    if settings.terms.book is None:
        return load_default_term_book()
    return read_term_book(settings.folder / settings.terms.book).with_fallback(
        load_default_term_book()
    )


@cache
def load_default_term_book() -> TermBook:
    """The term book of foidex. Raises ConfigurationError.

    Its entries were checked when foidex was built: it takes longer than a count.
    """
    return read_term_book(find_default_term_book(), checked=False)


def find_default_term_book() -> Path:
    """The file of the term book of foidex."""
    return find_data_folder("mappings") / _TERM_BOOK_FILE


def read_term_book(path: Path, *, checked: bool = True) -> TermBook:
    """Read a term book. Raises ConfigurationError, with a line for each thing that is wrong."""
    try:
        source = read_yaml(path, trusted=not checked)
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
            violation = parse_validation_error(error)
            problems.append(_explain_entry_violation(violation, entry_path))
            book_terms.append(BookTerm(""))
    if checked:
        problems += _find_entry_problems(book_terms)
    if problems:
        raise ConfigurationError(format_problems(problems, source))
    return TermBook(book_terms)


def _explain_entry_violation(violation: Violation, path: str) -> Problem:
    full_path = path + violation.path.removeprefix("$")
    match violation.kind:
        case ViolationKind.UNKNOWN_KEY:
            keys = BookTerm.__struct_encode_fields__
            return Problem(f"{full_path}.{violation.key}", explain_unknown_key(violation.key, keys))
        case ViolationKind.MISSING_KEY:
            return Problem(full_path, explain_missing_key(violation.key))
        case _:
            name = f'"{violation.field_name}": ' if violation.field_name else ""
            return Problem(full_path, f"{name}{describe_violation(violation)}. Correct it.")


def _find_entry_problems(entries: list[BookTerm]) -> Iterator[Problem]:
    """What is wrong beyond the types of the fields."""
    term_by_closed_form: dict[str, str] = {}
    for number, entry in enumerate(entries):
        path = f"$.terms[{number}]"
        if not entry.term:  # not read: its problem is already listed
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
                    f'"{entry.term}" is the same term as "{first}" above. Merge the two.',
                )


def _find_invalid_terms(entry: BookTerm, path: str) -> Iterator[Problem]:
    written_by_path = {
        f"{path}.term": entry.term,
        **_list_paths(f"{path}.aliases", entry.aliases),
        **_list_paths(f"{path}.with", entry.cooccurrences),
    }
    for written_path, written in written_by_path.items():
        try:
            parse_term(written)
        except RequestError as error:
            yield Problem(written_path, str(error))
    for opening_path, opening in _list_paths(f"{path}.openings", entry.openings).items():
        try:
            parse_term(opening)
            parse_term(entry.term, openings=[opening])
        except RequestError as error:
            yield Problem(opening_path, str(error))


def _list_paths(path: str, spellings: tuple[str, ...]) -> dict[str, str]:
    return {f"{path}[{index}]": spelling for index, spelling in enumerate(spellings)}


def _find_redundant_spellings(entry: BookTerm, path: str) -> Iterator[Problem]:
    """Openings and aliases that are already forms of the term."""
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
