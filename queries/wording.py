"""A term as a request writes it: plain text, or an object that narrows or widens it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from indexer.errors import RequestError
from queries import terms
from queries.problems import Problem
from queries.scope import Company, Mention

MAX_FORMS: Final = 8_000

Names = Annotated[tuple[str, ...], Meta(max_length=20)]
Distance = Annotated[int, Meta(ge=0, le=100)]


class CompanySpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A term that must stand near: at most ``within`` words between, as ``terms.near`` counts."""

    term: str
    within: Distance | None = None


class TermSpec(Struct, frozen=True, forbid_unknown_fields=True, rename={"company": "with"}):
    """``variants: none`` holds the term to its words as written, ``aliases`` are other names that
    count as it, and ``with`` are terms that must be in the same record, or near."""

    term: str
    variants: Literal["all", "none"] = "all"
    aliases: Names = ()
    company: Annotated[tuple[str | CompanySpec, ...], Meta(max_length=20)] = ()


Wording: TypeAlias = str | TermSpec


def mention(wording: Wording) -> Mention:
    """The mention asked for. Raises RequestError for a term that is none."""
    if isinstance(wording, str):
        return Mention(terms.parse(wording))
    variants = wording.variants == "all"
    found = Mention(
        term=terms.parse(wording.term, variants=variants),
        aliases=tuple(terms.parse(alias, variants=variants) for alias in wording.aliases),
        company=tuple(map(_company, wording.company)),
        exact=not variants,
    )
    if any(one.within is not None for one in found.company):
        for term in (*found.spellings, *(one.term for one in found.company)):
            if not terms.has_position(term):
                raise RequestError(
                    f'the distance of "{term.written}" from another term cannot be measured, '
                    "because it is written with punctuation, or in a script without spaces. "
                    "Leave out within:, for the same record."
                )
    return found


def _company(spec: str | CompanySpec) -> Company:
    if isinstance(spec, str):
        return Company(terms.parse(spec))
    return Company(terms.parse(spec.term), spec.within)


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
        first = seen.setdefault(one.key, one.label)
        if not repeats and first is not one.label:
            yield Problem(
                where, f'"{one.label}" is the same term as "{first}" above. Remove one of them.'
            )
