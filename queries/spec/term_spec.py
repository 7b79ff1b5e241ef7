"""A term as a request writes it: plain text, or an object that narrows or widens it.

Pure. What a term book adds is written into the request when it is read (``apply_term_book``), so
that the request alone states what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from indexer.errors import RequestError
from queries.matching.term import Term, has_position, parse_term
from queries.spec.problem import Problem
from queries.tables.scope import Cooccurrence, Mention

MAX_SEARCH_FORMS: Final = 8_000

TermNames = Annotated[tuple[str, ...], Meta(max_length=20)]

WordDistance = Annotated[int, Meta(ge=0, le=100)]

SpellingLookup: TypeAlias = Callable[[str], tuple[str, ...]]


class CooccurrenceSpec(
    Struct, frozen=True, forbid_unknown_fields=True, rename={"max_distance": "within"}
):
    """A term required with another: with at most ``max_distance`` words between, if given."""

    term: str
    max_distance: WordDistance | None = None


class TermSpec(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"cooccurrences": "with"},
):
    """A term with options.

    ``variants="none"`` counts only the words as written. ``aliases`` are other names that count as
    the term, and ``cooccurrences`` terms that must be in the same record, or near. ``openings``
    gives, for any of these, the ways to write it that the matching rule does not give; the term
    book fills them in.
    """

    term: str
    variants: Literal["all", "none"] = "all"
    aliases: TermNames = ()
    cooccurrences: Annotated[tuple[str | CooccurrenceSpec, ...], Meta(max_length=20)] = ()
    openings: dict[str, TermNames] = {}

    @property
    def cooccurring_terms(self) -> tuple[str, ...]:
        """The terms that are required with it."""
        return tuple(
            entry if isinstance(entry, str) else entry.term for entry in self.cooccurrences
        )


Wording: TypeAlias = str | TermSpec


def to_mention(wording: Wording) -> Mention:
    """The mention that is meant. Raises RequestError if a term of it cannot be read."""
    if isinstance(wording, str):
        return Mention(parse_term(wording))
    variants = wording.variants == "all"

    def parse_spelling(written: str, *, variants: bool = True) -> Term:
        return parse_term(written, variants=variants, openings=wording.openings.get(written, ()))

    distances = [
        None if isinstance(entry, str) else entry.max_distance for entry in wording.cooccurrences
    ]
    mention = Mention(
        term=parse_spelling(wording.term, variants=variants),
        aliases=tuple(parse_spelling(alias, variants=variants) for alias in wording.aliases),
        cooccurrences=tuple(
            map(Cooccurrence, map(parse_spelling, wording.cooccurring_terms), distances)
        ),
        exact=not variants,
        openings=tuple((written, (*spellings,)) for written, spellings in wording.openings.items()),
    )
    if any(cooccurrence.max_distance is not None for cooccurrence in mention.cooccurrences):
        for spelling in (
            *mention.spellings,
            *(cooccurrence.term for cooccurrence in mention.cooccurrences),
        ):
            if not has_position(spelling):
                raise _make_distance_error(spelling, wording.openings.get(spelling.written, ()))
    return mention


def _make_distance_error(term: Term, openings: Sequence[str]) -> RequestError:
    """That the distance of a term from another cannot be measured; ``openings`` are other spellings
    of it, of the request or of the term book."""
    unmeasured = [opening for opening in openings if not has_position(parse_term(opening))]
    reason = "because it is written with punctuation, or in a script without spaces."
    if unmeasured and has_position(parse_term(term.written)):
        reason = (
            f'because "{unmeasured[0]}" counts for it, too, which is written with punctuation. '
            "With variants: none, a term counts as it is written alone."
        )
    return RequestError(
        f'the distance of "{term.written}" from another term cannot be measured, {reason} '
        "Leave out within:, for the same record."
    )


def make_term_spec(mention: Mention, extra_spellings: SpellingLookup) -> TermSpec:
    """A mention as a request writes it, without what the term book adds."""
    return TermSpec(
        term=mention.term.written,
        variants="none" if mention.exact else "all",
        aliases=tuple(alias.written for alias in mention.aliases),
        cooccurrences=tuple(
            entry.term.written
            if entry.max_distance is None
            else CooccurrenceSpec(entry.term.written, entry.max_distance)
            for entry in mention.cooccurrences
        ),
        openings={
            written: spellings
            for written, spellings in mention.openings
            if spellings != (*extra_spellings(written),)
        },
    )


def apply_term_book(value: Any, kind: Any, extra_spellings: SpellingLookup) -> Any:
    """A part of a request with the openings of each of its terms written into it.

    ``kind`` is the type of the part: every value typed as a ``Wording`` gets its openings, in any
    kind of question. Openings that the request itself gives take precedence.
    """
    if get_origin(kind) is Annotated:
        return apply_term_book(value, get_args(kind)[0], extra_spellings)
    kinds = {*get_args(kind)} - {NoneType} if get_origin(kind) in (Union, UnionType) else {kind}
    if value is None:
        return None
    if kinds == {str, TermSpec}:
        return _add_extra_spellings(value, extra_spellings)
    if isinstance(value, Struct):
        fields = msgspec.structs.fields(value)
        return msgspec.structs.replace(
            value,
            **{
                field.name: apply_term_book(getattr(value, field.name), field.type, extra_spellings)
                for field in fields
            },
        )
    if isinstance(value, tuple):
        item = next(
            (get_args(union_member)[0] for union_member in kinds if get_args(union_member)), Any
        )
        return tuple(apply_term_book(element, item, extra_spellings) for element in value)
    return value


def _add_extra_spellings(wording: Wording, extra_spellings: SpellingLookup) -> Wording:
    spec = TermSpec(wording) if isinstance(wording, str) else wording
    names = (spec.term, *spec.aliases) if spec.variants == "all" else ()
    spellings_by_term = {
        written: extra_spellings(written) for written in (*names, *spec.cooccurring_terms)
    }
    additions = {
        written: spellings for written, spellings in spellings_by_term.items() if spellings
    }
    if not additions:
        return wording
    return msgspec.structs.replace(spec, openings={**additions, **spec.openings})


def find_term_problems(
    wordings: Sequence[Wording], path: str, *, repeats: bool
) -> Iterator[Problem]:
    """Wordings that are not terms, or that are too many for one search.

    Unless ``repeats`` are allowed, also wordings that are the same term, or whose rows nobody could
    tell apart.
    """
    labels: dict[str, Mention] = {}
    mentions: dict[tuple[object, ...], Mention] = {}
    forms = 0
    for number, wording in enumerate(wordings):
        term_path = f"{path}[{number}]"
        try:
            mention = to_mention(wording)
        except RequestError as error:
            yield Problem(term_path, str(error))
            continue
        yield from _find_unknown_spellings(wording, term_path)
        same_mention = mentions.get(mention.key)
        merged = same_mention.merge_wording(mention) if same_mention else mention
        if merged.form_count > MAX_SEARCH_FORMS:
            yield Problem(term_path, _explain_long_term(merged))
            return
        forms += merged.form_count - (same_mention.form_count if same_mention else 0)
        if forms > MAX_SEARCH_FORMS:
            yield Problem(
                term_path,
                f"the terms up to this one can be written in {forms:,} ways, and one search "
                f"looks for {MAX_SEARCH_FORMS:,} at most. Ask for the others in a separate "
                "question or request.",
            )
            return
        mentions[mention.key] = merged
        if same_mention and not repeats:
            yield Problem(
                term_path,
                f"{mention.quoted} is the same term as {same_mention.quoted} above. "
                "Remove one of them.",
            )
        elif not repeats and labels.setdefault(mention.label.casefold(), mention) is not mention:
            yield Problem(
                term_path,
                f"{mention.quoted} stands above with other names, and two rows would be called so. "
                "Begin one of them with another of its names, or ask in a separate question.",
            )


def _explain_long_term(mention: Mention) -> str:
    return (
        f"{mention.quoted} can be written in {mention.form_count:,} ways, and one search looks for "
        f"{MAX_SEARCH_FORMS:,} at most. Ask for its distinctive words, or for exactly this wording "
        "(variants: none)."
    )


def _find_unknown_spellings(wording: Wording, path: str) -> Iterator[Problem]:
    """Openings of a term that is not in the wording, which would have no effect."""
    if isinstance(wording, str):
        return
    request_terms = (wording.term, *wording.aliases, *wording.cooccurring_terms)
    for written in wording.openings:
        if written not in request_terms:
            yield Problem(
                f"{path}.openings.{written}",
                f'"openings" has "{written}", which is not a term here. '
                f"The terms are {', '.join(request_terms)}.",
            )
