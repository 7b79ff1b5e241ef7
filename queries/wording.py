"""A term as a request writes it: plain text, or an object that narrows or widens it.

Pure. What a term book gives is written into the request when it is read (``opened``), so that a
request alone says what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from indexer.errors import RequestError
from queries import terms
from queries.problems import Problem
from queries.scope import Company, Mention
from queries.terms import Term

MAX_FORMS: Final = 8_000

Names = Annotated[tuple[str, ...], Meta(max_length=20)]
Distance = Annotated[int, Meta(ge=0, le=100)]
Openings: TypeAlias = Callable[[str], tuple[str, ...]]


class CompanySpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A term that must stand near: at most ``within`` words between, as ``terms.near`` counts."""

    term: str
    within: Distance | None = None


class TermSpec(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"company": "with"},
):
    """``variants: none`` holds the term to its words as written, ``aliases`` are other names that
    count as it, and ``with`` are terms that must be in the same record, or near. ``openings`` are,
    for any of these, the ways to write it that the rule does not give; the term book fills them
    in."""

    term: str
    variants: Literal["all", "none"] = "all"
    aliases: Names = ()
    company: Annotated[tuple[str | CompanySpec, ...], Meta(max_length=20)] = ()
    openings: dict[str, Names] = {}

    @property
    def companions(self) -> tuple[str, ...]:
        """The terms that must be there with it."""
        return tuple(one if isinstance(one, str) else one.term for one in self.company)


Wording: TypeAlias = str | TermSpec


def mention(wording: Wording) -> Mention:
    """The mention asked for. Raises RequestError for a term that is none."""
    if isinstance(wording, str):
        return Mention(terms.parse(wording))
    variants = wording.variants == "all"

    def term(written: str, *, variants: bool = True) -> Term:
        return terms.parse(written, variants=variants, openings=wording.openings.get(written, ()))

    distances = [None if isinstance(one, str) else one.within for one in wording.company]
    found = Mention(
        term=term(wording.term, variants=variants),
        aliases=tuple(term(alias, variants=variants) for alias in wording.aliases),
        company=tuple(map(Company, map(term, wording.companions), distances)),
        exact=not variants,
    )
    if any(one.within is not None for one in found.company):
        for one in (*found.spellings, *(other.term for other in found.company)):
            if not terms.has_position(one):
                raise RequestError(
                    f'the distance of "{one.written}" from another term cannot be measured, '
                    "because it is written with punctuation, or in a script without spaces. "
                    "Leave out within:, for the same record."
                )
    return found


def opened(value: Any, kind: Any, openings: Openings) -> Any:
    """A part of a request, of a type, with the openings of each term written into it.

    Whatever is typed as a ``Wording`` is one, so no kind of question can miss its openings. What
    the request itself gives stays.
    """
    if get_origin(kind) is Annotated:
        return opened(value, get_args(kind)[0], openings)
    kinds = {*get_args(kind)} - {NoneType} if get_origin(kind) in (Union, UnionType) else {kind}
    if value is None:
        return None
    if kinds == {str, TermSpec}:
        return _opened(value, openings)
    if isinstance(value, Struct):
        fields = msgspec.structs.fields(value)
        return msgspec.structs.replace(
            value,
            **{one.name: opened(getattr(value, one.name), one.type, openings) for one in fields},
        )
    if isinstance(value, tuple):
        item = next((get_args(one)[0] for one in kinds if get_args(one)), Any)
        return tuple(opened(one, item, openings) for one in value)
    return value


def _opened(wording: Wording, openings: Openings) -> Wording:
    spec = TermSpec(wording) if isinstance(wording, str) else wording
    spelled = (spec.term, *spec.aliases) if spec.variants == "all" else ()
    found = {written: openings(written) for written in (*spelled, *spec.companions)}
    added = {written: ways for written, ways in found.items() if ways}
    if not added:
        return wording
    return msgspec.structs.replace(spec, openings={**added, **spec.openings})


def problems(wordings: Sequence[Wording], path: str, *, repeats: bool) -> Iterator[Problem]:
    """Wordings that are no term, that are one term twice (unless ``repeats`` may be), or that are
    more than one search can look for."""
    seen: dict[tuple[object, ...], str] = {}
    forms = 0
    for number, wording in enumerate(wordings):
        where = f"{path}[{number}]"
        try:
            one = mention(wording)
        except RequestError as error:
            yield Problem(where, str(error))
            continue
        yield from _strangers(wording, where)
        if one.key not in seen:
            forms += one.width
        if forms > MAX_FORMS:
            yield Problem(
                where,
                f"the terms down to this one can be written in {forms:,} ways, and one search "
                f"looks for {MAX_FORMS:,} at most. Ask for the others in a question, or a request, "
                "of their own.",
            )
            return
        if one.key not in seen:
            seen[one.key] = one.quoted
        elif not repeats:
            first = seen[one.key]
            yield Problem(
                where, f"{one.quoted} is the same term as {first} above. Remove one of them."
            )


def _strangers(wording: Wording, where: str) -> Iterator[Problem]:
    """Openings of what is no term of the wording, which would open nothing."""
    if isinstance(wording, str):
        return
    known = (wording.term, *wording.aliases, *wording.companions)
    for written in wording.openings:
        if written not in known:
            yield Problem(
                f"{where}.openings.{written}",
                f'"openings" has "{written}", which is no term here. '
                f"The terms are {', '.join(known)}.",
            )
