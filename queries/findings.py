"""What a wording check found, as types, and as text for a person.

No input or output. Every count is of records that count (status recorded); none changes an answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from queries.answer import Form, NotCounted
from queries.request import Request

FORMAT: Final = "foidex-lint/1"


class NearMiss(Struct, frozen=True):
    """Wording near a term that the request does not ask for: the records that hold it, in any of
    its own hyphen and spacing variants, and those that counting it would add."""

    wording: str
    kind: str
    records: int
    added: int


class Context(Struct, frozen=True):
    """A mention in one record, with the text around it."""

    crime_ref: str
    before: str
    match: str
    after: str


class Suggestion(Struct, frozen=True):
    """``with`` company, or an ``alias``, that a term could be given, with the records that the term
    would then have, in scope."""

    kind: str
    value: str
    records: int


class Looked(Struct, frozen=True):
    """Where near misses were looked for: how many records were read, of how many that may hold one.

    ``without`` the term, or anything like it that is asked for, where a near miss adds records; and
    ``beside`` it, where it does not.
    """

    without_read: int
    without_of: int
    beside_read: int
    beside_of: int

    @property
    def whole(self) -> bool:
        """Whether every record was read."""
        return (self.without_read, self.beside_read) == (self.without_of, self.beside_of)


class TermCheck(Struct, frozen=True):
    """One term of the request. ``places`` are "mentions", or the questions that ask for it.

    A mention is counted in the period and offences, a question's term in the whole scope.
    ``in_index`` is of the whole index, and only asked where the term has no record in scope.
    ``unmeant`` are forms that were found and counted, though nobody wrote the term so.
    """

    term: str
    places: tuple[str, ...]
    records: int
    in_index: int | None
    near_misses: tuple[NearMiss, ...]
    more_near_misses: int
    looked: Looked
    unmeant: tuple[Form, ...]
    everyday: bool
    contexts: tuple[Context, ...]
    suggestions: tuple[Suggestion, ...]


class Annex(Struct, frozen=True):
    """What the annex of an answer may say of wording that was not counted."""

    near_misses_not_counted: tuple[NotCounted, ...]


class Check(Struct, frozen=True):
    """The wording of a request against one generation. ``records`` are those of its period and
    offences, ``in_scope`` those that also mention what it asks for."""

    generation: str
    built_at: datetime
    records: int
    in_scope: int
    offences_without_records: tuple[str, ...]
    terms: tuple[TermCheck, ...]
    annex: Annex


class Lint(Struct, frozen=True):
    """A request that is right, and, where there was an index to ask, its wording."""

    file: str
    reference: str
    request: dict[str, Any]
    wording: Check | None
    format: str = field(default=FORMAT)


def lint(request: Request, file: str, wording: Check | None) -> Lint:
    """The result of a check."""
    return Lint(file, request.reference, msgspec.to_builtins(request), wording)


def annex(terms: tuple[TermCheck, ...]) -> Annex:
    """The near misses of every term, one after another."""
    return Annex(
        tuple(
            NotCounted(one.term, one.places, miss.wording, miss.records, miss.added)
            for one in terms
            for miss in one.near_misses
        )
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of a wording check."""
    return msgspec.json.schema(Lint)


def outline(request: Request, file: str) -> str:
    """What a request asks for, as it was read."""
    scope = request.scope
    lines = [f"{file}: {request.reference} is right.", f"Period      {scope.when}"]
    lines += [f"Offence     {', '.join(row.codes)}  {row.label}" for row in scope.offences]
    lines += [f"Mention     {', '.join(request.wordings(one))}" for one in scope.mentions]
    lines += [f"{one.id:<11} {one.__struct_config__.tag}" for one in request.questions]
    return "\n".join(lines) + "\n"


def text(check: Check) -> str:
    """The findings for a person, a line each, grouped by term."""
    lines = [
        f"In {check.generation}: {_records(check.records)} of this period and these offences, "
        f"{check.in_scope:,} in scope."
    ]
    if check.offences_without_records:
        codes = ", ".join(check.offences_without_records)
        lines.append(f"No record of the period has an offence of: {codes}.")
    quiet: dict[str, list[str]] = defaultdict(list)
    for one in check.terms:
        if found := list(_of_term(one)):
            lines += ["", f'"{one.term}" ({", ".join(one.places)}): {_held(one)}']
            lines += [f"  {line}" for line in found]
        else:
            number = one.records if one.in_index is None else one.in_index
            quiet[_state(one)].append(f"{one.term} {number:,}" if number else one.term)
    lines += [
        line for state, names in quiet.items() for line in ("", f"{state}: {', '.join(names)}.")
    ]
    return "\n".join(lines) + "\n"


def _state(one: TermCheck) -> str:
    """What is said of a term that nothing else is said of."""
    if one.in_index is None:
        return "As written, with no near miss"
    if one.in_index:
        return "None in scope, but in the whole index"
    return "None in the whole index (check how they are written)"


def _of_term(one: TermCheck) -> Iterator[str]:
    for miss in one.near_misses:
        yield (
            f"near miss  {miss.wording} {miss.records:,} ({miss.kind}): not asked for, not "
            f"counted; would add {miss.added:,}"
        )
    if one.more_near_misses:
        yield f"near miss  and {one.more_near_misses:,} rarer wordings"
    looked = one.looked
    if looked.without_read < looked.without_of:
        yield (
            f"near miss  looked for in {looked.without_read:,} of {looked.without_of:,} records "
            "that may hold one and do not mention it: there may be others"
        )
    if one.near_misses and looked.beside_read < looked.beside_of:
        yield (
            f"near miss  looked for in {looked.beside_read:,} of the {looked.beside_of:,} records "
            "that count already"
        )
    if one.unmeant:
        forms = ", ".join(f"{form.form} {form.records:,}" for form in one.unmeant)
        yield (
            f"form       {forms}: counted, and perhaps not meant; variants: none leaves it out, "
            "with: [...] wants company"
        )
    if one.everyday and one.records:
        yield "everyday   is also an everyday word, or means other things"
    for shown in one.contexts:
        yield f"           {shown.crime_ref}: {shown.before}[{shown.match}]{shown.after}"
    for given in one.suggestions:
        yield _suggestion(one, given)


def _suggestion(one: TermCheck, given: Suggestion) -> str:
    key = "with" if given.kind == "with" else "aliases"
    spec = f"{{term: {quoted(one.term)}, {key}: [{quoted(given.value)}]}}"
    if given.kind == "with":
        return f"with       {spec} would leave {given.records:,} of {one.records:,}"
    return f"alias      {spec} would make it {given.records:,}"


def quoted(written: str) -> str:
    """A term as a request file has it."""
    if re.fullmatch(r"\w[\w -]*", written):
        return written
    return "'{}'".format(written.replace("'", "''"))


def _held(one: TermCheck) -> str:
    if one.in_index is None:
        return _records(one.records)
    return f"none in scope, {_records(one.in_index)} in the whole index"


def _records(number: int) -> str:
    return "1 record" if number == 1 else f"{number:,} records"
