"""The pieces that conditions on terms cut each other into, so that numbers of them can be compared.

Pure. A record mentions a term or does not, so any numbers of conditions on a few terms are sums of
the numbers of records that meet the same of these conditions. Of many terms only those are compared
in this way that are made of each other, or required with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Final, TypeAlias

from queries.answer.condition import (
    AnyTermCondition,
    Condition,
    Not,
    SeveralTermsCondition,
    SingleTermCondition,
    TermCountCondition,
    TermPiece,
    TermsCondition,
)
from queries.answer.inference import covers_condition
from queries.answer.term_name import (
    atom_implies,
    list_presumed_parts,
    parse_formula,
)

#: More terms than these are not compared all with all, only in smaller groups.
MAX_COMPARED_TERMS: Final = 10

#: The terms of a group.
MAX_GROUP: Final = 6

#: More pieces than these are not told apart.
MAX_PIECES: Final = 100

#: More conditions on other terms as well are left out.
_MAX_WIDE_CONDITIONS: Final = 3

_CACHE_SIZE: Final = 256

#: The conditions on terms of one number.
TermConditions: TypeAlias = frozenset[Condition]

#: For each set of conditions, the pieces that it is the sum of; of each group of terms by itself.
TermPartitions: TypeAlias = Mapping[TermConditions, tuple[tuple[TermPiece, ...], ...]]

_Truths: TypeAlias = Mapping[str, bool]


def is_about_terms(condition: Condition) -> bool:
    """Whether a condition is on terms that a record mentions."""
    inner = condition.condition if isinstance(condition, Not) else condition
    return isinstance(inner, TermsCondition)


@lru_cache(_CACHE_SIZE)
def partition_terms(
    condition_sets: frozenset[TermConditions], *, presuming: bool = True
) -> TermPartitions:
    """The pieces that sets of conditions on terms cut each other into.

    With ``presuming``, for a reader who supposes that a phrase is written as its words are.
    """
    partitions: dict[TermConditions, list[tuple[TermPiece, ...]]] = {
        conditions: [] for conditions in condition_sets
    }
    for pieces in _cut_groups(condition_sets, presuming=presuming):
        for conditions in frozenset[TermConditions]().union(*pieces[0].sides):
            partitions[conditions].append(
                tuple(piece for piece in pieces if conditions in piece.holders)
            )
    return MappingProxyType({entry: tuple(parts) for entry, parts in partitions.items()})


def _cut_groups(
    condition_sets: frozenset[TermConditions], *, presuming: bool
) -> Iterator[list[TermPiece]]:
    """The pieces of all terms together, or, if these are too many, of each group of them."""
    all_atoms = frozenset[str]().union(*map(_list_atoms, condition_sets))
    if len(all_atoms) <= MAX_COMPARED_TERMS:
        pieces = _cut_pieces(all_atoms, condition_sets, presuming=presuming)
        if pieces:
            yield pieces
            return
    for atoms in _group_atoms(all_atoms, condition_sets, presuming=presuming):
        if pieces := _cut_pieces(atoms, condition_sets, presuming=presuming):
            yield pieces


def _group_atoms(
    all_atoms: frozenset[str], condition_sets: frozenset[TermConditions], *, presuming: bool
) -> list[frozenset[str]]:
    """Groups of a few atoms, which conditions on these alone relate, or what they are made of."""
    atoms_by_set = {conditions: _list_atoms(conditions) for conditions in condition_sets}
    group_of = {atom: frozenset({atom}) for atom in all_atoms}
    for atoms in sorted(
        {*atoms_by_set.values(), *_relate_atoms(all_atoms, presuming=presuming)},
        key=lambda atoms: (len(atoms), sorted(atoms)),
    ):
        merged = frozenset[str]().union(*(group_of[atom] for atom in atoms))
        if len(merged) <= MAX_GROUP:
            group_of |= dict.fromkeys(merged, merged)
    return sorted({group for group in group_of.values() if len(group) > 1}, key=sorted)


def _relate_atoms(atoms: frozenset[str], *, presuming: bool) -> Iterator[frozenset[str]]:
    """Two atoms of which one follows, or may follow, from the other."""
    for atom in sorted(atoms):
        for part in sorted(atoms):
            if part != atom and atom_implies(atom, part):
                yield frozenset({atom, part})
        if presuming:
            presumed = list_presumed_parts(atom, sorted(atoms))
            yield from (frozenset({atom, part}) for parts in presumed for part in parts)


def _list_atoms(conditions: Iterable[Condition]) -> frozenset[str]:
    return frozenset(
        atom
        for condition in conditions
        for name in _unwrap(condition).terms
        for clause in parse_formula(name)
        for atom in clause
    )


def _unwrap(condition: Condition) -> TermsCondition:
    """A condition on terms, without what negates it."""
    inner = condition.condition if isinstance(condition, Not) else condition
    assert isinstance(inner, TermsCondition)
    return inner


def _cut_pieces(
    atoms: frozenset[str], condition_sets: frozenset[TermConditions], *, presuming: bool
) -> list[TermPiece]:
    """The pieces that some atoms are cut into; none if these would be too many."""
    related_sets = sorted(
        (
            conditions
            for conditions in condition_sets
            if not conditions or _list_atoms(conditions) & atoms
        ),
        key=lambda conditions: sorted(map(str, conditions)),
    )
    inner = {_unwrap(condition) for conditions in related_sets for condition in conditions}
    wide = sorted((entry for entry in inner if not _list_atoms([entry]) <= atoms), key=str)
    if len(wide) > _MAX_WIDE_CONDITIONS:
        related_sets = [entry for entry in related_sets if _list_atoms(entry) <= atoms]
        inner = {_unwrap(condition) for conditions in related_sets for condition in conditions}
        wide = []
    signatures: dict[tuple[bool, ...], None] = {}
    for truths in _list_truths(atoms, presuming=presuming):
        for values in _list_values(inner, wide, truths):
            signature = tuple(
                all(
                    values[_unwrap(condition)] != isinstance(condition, Not)
                    for condition in conditions
                )
                for conditions in related_sets
            )
            signatures[signature] = None
        if len(signatures) > MAX_PIECES:
            return []
    return [
        TermPiece(
            frozenset(entry for entry, met in zip(related_sets, signature, strict=True) if met),
            frozenset(entry for entry, met in zip(related_sets, signature, strict=True) if not met),
        )
        for signature in signatures
    ]


def _list_truths(atoms: frozenset[str], *, presuming: bool) -> Iterator[_Truths]:
    """Which atoms a record may have together."""
    ordered = sorted(atoms)
    certain = {
        atom: [other for other in ordered if other != atom and atom_implies(atom, other)]
        for atom in ordered
    }
    presumed: dict[str, list[list[str]]] = {
        atom: list_presumed_parts(atom, ordered) if presuming else [[]] for atom in ordered
    }
    for values in product((False, True), repeat=len(ordered)):
        truths = dict(zip(ordered, values, strict=True))
        if all(
            all(truths[part] for part in certain[atom])
            and any(all(truths[part] for part in parts) for parts in presumed[atom])
            for atom, value in truths.items()
            if value
        ):
            yield truths


def _list_values(
    inner: Iterable[TermsCondition], wide: list[TermsCondition], truths: _Truths
) -> Iterator[dict[TermsCondition, bool]]:
    """Which conditions a record with some atoms may meet: those on other atoms as well may be met
    either way."""
    values = {condition: evaluate_terms(condition, truths) for condition in inner}
    open_conditions = [condition for condition in wide if values[condition] is None]
    for choice in product((False, True), repeat=len(open_conditions)):
        chosen = {
            condition: bool(value)
            for condition, value in (
                values | dict(zip(open_conditions, choice, strict=True))
            ).items()
        }
        if all(
            chosen[outer]
            for outer in wide
            for condition in wide
            if chosen[condition] and covers_condition(outer, condition)
        ):
            yield chosen


def evaluate_terms(condition: TermsCondition, truths: _Truths) -> bool | None:
    """Whether a record meets a condition, by the atoms that it has; None if others decide.

    Raises NotImplementedError for a condition that nobody has said this of.
    """
    values = [_evaluate_name(name, truths) for name in condition.terms]
    least, most = values.count(True), len(values) - values.count(False)
    match condition:
        case AnyTermCondition():
            return _compare_count(least, most, 1, len(values))
        case SeveralTermsCondition():
            return _compare_count(least, most, 2, len(values))
        case SingleTermCondition():
            return _compare_count(least, most, 1, 1)
        case TermCountCondition(count=count):
            return _compare_count(least, most, count, count)
    raise NotImplementedError(condition)


def _compare_count(least: int, most: int, low: int, high: int) -> bool | None:
    """Whether a number between two others lies between ``low`` and ``high``; None if it may."""
    if low <= least and most <= high:
        return True
    return False if most < low or high < least else None


def _evaluate_name(name: str, truths: _Truths) -> bool | None:
    values = [
        _join_values([truths.get(atom) for atom in clause], decisive=True)
        for clause in parse_formula(name)
    ]
    return _join_values(values, decisive=False)


def _join_values(values: list[bool | None], *, decisive: bool) -> bool | None:
    """The decisive value if any is; None if one is open; else the other."""
    if decisive in values:
        return decisive
    return None if None in values else not decisive
