"""A term as a request writes it: plain text, or an object that narrows or widens it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from indexer.errors import RequestError
from queries import terms
from queries.problems import Problem
from queries.scope import Mention

Names = Annotated[tuple[str, ...], Meta(max_length=20)]


class TermSpec(Struct, frozen=True, forbid_unknown_fields=True, rename={"company": "with"}):
    """``variants: none`` holds the term to its words as written, ``aliases`` are other names that
    count as it, and ``with`` are terms that must be in the same record."""

    term: str
    variants: Literal["all", "none"] = "all"
    aliases: Names = ()
    company: Names = ()


Wording: TypeAlias = str | TermSpec


def mention(wording: Wording) -> Mention:
    """The mention asked for. Raises RequestError for a term that is none."""
    if isinstance(wording, str):
        return Mention(terms.parse(wording))
    variants = wording.variants == "all"
    return Mention(
        term=terms.parse(wording.term, variants=variants),
        aliases=tuple(terms.parse(alias, variants=variants) for alias in wording.aliases),
        company=tuple(terms.parse(other) for other in wording.company),
        exact=not variants,
    )


def problems(wordings: Sequence[Wording], path: str, *, repeats: bool) -> Iterator[Problem]:
    """Wordings that are no term and, unless ``repeats`` may be, those that are one term twice."""
    seen: dict[tuple[object, ...], str] = {}
    for number, wording in enumerate(wordings):
        where = f"{path}[{number}]"
        try:
            one = mention(wording)
        except RequestError as error:
            yield Problem(where, str(error))
            continue
        first = seen.setdefault(one.key, one.label)
        if not repeats and first is not one.label:
            yield Problem(
                where, f'"{one.label}" is the same term as "{first}" above. Remove one of them.'
            )
