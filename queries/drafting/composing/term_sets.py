"""Sets of terms: which are the same by the matching rule, and which sets are alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from msgspec.structs import replace

from indexer.errors import RequestError
from queries.drafting.draft import DraftTerm
from queries.matching.term import parse_term


def drop_same_terms(terms: Iterable[DraftTerm], *, merge: bool = False) -> list[DraftTerm]:
    """The terms without those that foidex counts as an earlier one, which a list of keywords must
    not have; what cannot be a term is left out. With ``merge`` the letter calls the last two one
    thing, so that the last becomes another name of the one before."""
    distinct: dict[object, DraftTerm] = {}
    for term in terms:
        try:
            identity = parse_term(term.term).identity
        except RequestError:
            continue
        distinct.setdefault((identity, term.required), term)
    distinct_terms = list(distinct.values())
    if (
        merge
        and len(distinct_terms) > 1
        and distinct_terms[-1].required == distinct_terms[-2].required
    ):
        *first, previous, last = distinct_terms
        distinct_terms = [*first, replace(previous, aliases=(*previous.aliases, last.term))]
    return distinct_terms


def have_same_terms(terms: Sequence[DraftTerm], others: Sequence[DraftTerm]) -> bool:
    """Whether two lists have the same terms by the matching rule, in any order."""
    return bool(terms) and _list_identities(terms) == _list_identities(others)


def _list_identities(terms: Iterable[DraftTerm]) -> set[object]:
    identities: set[object] = set()
    for term in terms:
        with suppress(RequestError):
            identities.add(parse_term(term.term).identity)
    return identities
