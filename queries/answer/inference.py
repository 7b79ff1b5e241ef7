"""What follows from conditions: one within another, two as one, and the pieces of several. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from indexer.records.offences import load_offence_table
from indexer.records.offences.active import clear_with_table
from queries.answer.condition import (
    BY_TEXT,
    AnyTermCondition,
    CategoryCondition,
    Condition,
    FieldCondition,
    Interval,
    IntervalCondition,
    LinkCondition,
    Not,
    OffenceCodeCondition,
    OffenceCondition,
    OffenceGroupCondition,
    OffencePiece,
    OfPerson,
    SeveralTermsCondition,
    SingleTermCondition,
    TermCountCondition,
    TermsCondition,
    Together,
    build_offence_condition,
    escape_value,
    merge_intervals,
)
from queries.answer.term_name import join_names, normalise_name, parse_formula, read_digest

_PAIR_CACHE_SIZE: Final = 65_536

_CACHE_SIZE: Final = 4_096

_OFFENCE_CONDITIONS: Final = (OffenceCondition, OffenceCodeCondition, OffenceGroupCondition)

_VALUE_CONDITIONS: Final = (FieldCondition, CategoryCondition)


def is_single_valued(condition: Condition) -> bool:
    """Whether whatever is counted has one value in a condition's dimension, so that conditions of
    it with nothing in common have no member in common."""
    if isinstance(condition, CategoryCondition):
        return not condition.many
    return isinstance(condition, (IntervalCondition, FieldCondition, *_OFFENCE_CONDITIONS))


@clear_with_table
@lru_cache(_PAIR_CACHE_SIZE)
def covers_condition(wide: Condition, narrow: Condition) -> bool:
    """Whether all that meets the narrow condition meets the wide one, and not the other way
    round."""
    if wide == narrow:
        return False
    if isinstance(wide, OfPerson) and isinstance(narrow, type(wide)):
        return all(
            any(part == entry or covers_condition(part, entry) for entry in narrow.parts)
            for part in wide.parts
        )
    if wide.dimension != narrow.dimension:
        return _covers_other_dimension(wide, narrow)
    if isinstance(wide, Not) and isinstance(narrow, Not):
        return covers_condition(narrow.condition, wide.condition)
    return _covers_values(wide, narrow)


def _covers_other_dimension(wide: Condition, narrow: Condition) -> bool:
    """Whether a condition follows from one of another dimension."""
    if isinstance(wide, OfPerson) and not isinstance(narrow, OfPerson):
        return wide.condition == narrow or covers_condition(wide.condition, narrow)
    if isinstance(wide, AnyTermCondition) and isinstance(
        narrow, SeveralTermsCondition | SingleTermCondition | TermCountCondition
    ):
        return all(_implies_any(name, wide.terms) for name in narrow.terms)
    return False


def _covers_values(wide: Condition, narrow: Condition) -> bool:
    """Whether the values of a condition are among those of another of its dimension."""
    match wide, narrow:
        case (IntervalCondition(), IntervalCondition()):
            return all(
                any(start <= first and last <= end for start, end in wide.intervals)
                for first, last in narrow.intervals
            )
        case (FieldCondition() | CategoryCondition(), FieldCondition() | CategoryCondition()):
            return narrow.values < wide.values
        case AnyTermCondition(), AnyTermCondition():
            return _covers_terms(wide.terms, narrow.terms)
        case SeveralTermsCondition(), SeveralTermsCondition():
            return narrow.terms < wide.terms
    of_offences = isinstance(wide, (LinkCondition, *_OFFENCE_CONDITIONS))
    return of_offences and _covers_all_codes(wide, narrow) and not _covers_all_codes(narrow, wide)


def _covers_terms(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    """Whether a record that mentions any of the narrow terms mentions one of the wide ones, and
    not the other way round."""
    return all(_implies_any(name, wide) for name in narrow) and not all(
        _implies_any(name, narrow) for name in wide
    )


@lru_cache(_PAIR_CACHE_SIZE)
def _implies_any(name: str, names: frozenset[str]) -> bool:
    """Whether a record that mentions one term mentions any of some terms."""
    joined = join_names((name, *names))
    return joined == join_names(names)


def _covers_all_codes(wide: Condition, narrow: Condition) -> bool:
    return all(_holds_for_code(wide, code) for code in _expand_codes(narrow))


@clear_with_table
@lru_cache(_PAIR_CACHE_SIZE)
def _holds_for_code(condition: Condition, code: str) -> bool:
    """Whether a condition on offences, or links, holds for those of a code."""
    table = load_offence_table()
    match condition:
        case OffenceCodeCondition():
            return code == condition.code
        case OffenceGroupCondition():
            return table.group(code) == condition.group
        case OffenceCondition() | LinkCondition():
            return not condition.codes.isdisjoint(table.path(code))
    return False


@clear_with_table
@lru_cache(_CACHE_SIZE)
def _expand_codes(condition: Condition) -> frozenset[str]:
    """The codes of a condition on offences, or links; "22/*" are the unknown ones of category 22,
    "*" those of no category."""
    table = load_offence_table()
    match condition:
        case OffenceCodeCondition():
            return frozenset({condition.code})
        case OffenceCondition() | LinkCondition():
            return table.covered(condition.codes)
    all_codes = {*table.covered(table.titles), "*"}
    return frozenset(code for code in all_codes if _holds_for_code(condition, code))


def intersect_conditions(first: Condition, second: Condition) -> Condition | None:
    """The condition that two are together; None where no single one says it."""
    if first == second or covers_condition(second, first):
        return first
    if covers_condition(first, second):
        return second
    if first.dimension != second.dimension:
        return None
    if isinstance(first, IntervalCondition) and isinstance(second, IntervalCondition):
        return replace(first, intervals=_intersect_intervals(first.intervals, second.intervals))
    if isinstance(first, _VALUE_CONDITIONS) and isinstance(second, _VALUE_CONDITIONS):
        values = first.values & second.values
        return replace(first, values=values) if is_single_valued(first) else None
    return _intersect_codes(first, second) if isinstance(first, _OFFENCE_CONDITIONS) else None


def _intersect_intervals(
    first: Sequence[Interval], second: Sequence[Interval]
) -> tuple[Interval, ...]:
    shared = ((max(a[0], b[0]), min(a[1], b[1])) for a in first for b in second)
    return merge_intervals((start, end) for start, end in shared if start <= end)


def _intersect_codes(first: Condition, second: Condition) -> Condition | None:
    """Codes of one that the other covers, either way round, and codes below both: a class may have
    sub-codes of another category, as 10C has 8/11, which category 8 counts too."""
    shared = _expand_codes(first) & _expand_codes(second)
    if isinstance(first, OffenceCondition) and isinstance(second, OffenceCondition):
        codes = frozenset(
            [
                *(code for code in first.codes if _holds_for_code(second, code)),
                *(code for code in second.codes if _holds_for_code(first, code)),
            ]
        )
        return build_offence_condition(codes | (shared - _expand_codes(OffenceCondition(codes))))
    return None if shared else OffenceCondition(frozenset())


def simplify_conditions(conditions: Iterable[Condition]) -> frozenset[Condition]:
    """The conditions without those that others imply, and those of one dimension as one."""
    result: list[Condition] = []
    for condition in conditions:
        parts = _split_terms(condition)
        result += [part for part in parts if part not in result]
    changed = True
    while changed:
        changed = False
        for indices, pair in _iter_related_pairs(result):
            if (intersection := intersect_conditions(*pair)) is not None:
                result = [entry for n, entry in enumerate(result) if n not in indices]
                result += [intersection] if intersection not in result else []
                changed = True
                break
    return frozenset(
        condition for condition in result if not _is_implied_jointly(condition, result)
    )


def _is_implied_jointly(condition: Condition, conditions: Sequence[Condition]) -> bool:
    """Whether a condition follows from several others together."""
    match condition:
        case SeveralTermsCondition(terms):
            return sum(_is_mentioned(name, conditions) for name in terms) > 1
        case OfPerson(Together(parts)):
            # Of people: one that meets every part is one of its record's.
            return all(
                any(part == entry or covers_condition(part, entry) for entry in conditions)
                for part in parts
            )
    return False


def _is_mentioned(name: str, conditions: Iterable[Condition]) -> bool:
    """Whether a term is mentioned by all that meets some conditions."""
    clauses = [
        condition.terms for condition in conditions if isinstance(condition, AnyTermCondition)
    ]
    return all(
        any(all(_implies_any(other, clause) for other in others) for others in clauses)
        for clause in parse_formula(name)
    )


@lru_cache(_CACHE_SIZE)
def _split_terms(condition: Condition) -> tuple[Condition, ...]:
    """A condition on terms as those on what the terms are made of; another one as it is.

    A term with another is both of them, an alias any of its names, and two or more of two terms are
    both.
    """
    match condition:
        case Not(AnyTermCondition() as inner):
            parts = _split_terms(inner)
            return (Not(parts[0] if len(parts) == 1 else _normalise_terms(inner)),)
        case AnyTermCondition(names):
            joined = join_names(names)
            if len(joined) != 1:
                return (AnyTermCondition(joined),)
            return tuple(
                AnyTermCondition(clause)
                for name in joined
                for clause in sorted(parse_formula(name), key=sorted)
            )
        case SeveralTermsCondition(names) if len(names) == 2:
            singles = (AnyTermCondition(frozenset({name})) for name in sorted(names))
            return tuple(part for single in singles for part in _split_terms(single))
        case SeveralTermsCondition() | SingleTermCondition() | TermCountCondition():
            return (_normalise_terms(condition),)
    return (condition,)


def list_term_names(condition: Condition) -> frozenset[str]:
    """The names of the terms that a condition is on."""
    inner = condition.condition if isinstance(condition, Not) else condition
    return inner.terms if isinstance(inner, TermsCondition) else frozenset()


def rename_terms(condition: Condition, names: Mapping[str, str]) -> Condition:
    """The condition with the terms called by ``names``, the hash of each to its name.

    Earlier versions wrote names that do not say what a term is made of.
    """
    match condition:
        case Not(inner):
            return Not(rename_terms(inner, names))
        case TermsCondition(terms=terms):
            return replace(
                condition, terms=frozenset(names.get(read_digest(name), name) for name in terms)
            )
    return condition


def _normalise_terms(condition: TermsCondition) -> TermsCondition:
    """The condition on terms by what they are made of, unless two of them are then one."""
    names = frozenset(map(normalise_name, condition.terms))
    return replace(condition, terms=names) if len(names) == len(condition.terms) else condition


def _iter_related_pairs(
    conditions: Sequence[Condition],
) -> Iterator[tuple[tuple[int, int], tuple[Condition, Condition]]]:
    for later, second in enumerate(conditions):
        for earlier, first in enumerate(conditions[:later]):
            if (
                first.dimension == second.dimension
                or covers_condition(first, second)
                or covers_condition(second, first)
            ):
                yield (earlier, later), (first, second)


@clear_with_table
@lru_cache(_CACHE_SIZE)
def partition_conditions(
    conditions: tuple[Condition, ...],
) -> Mapping[Condition, tuple[Condition, ...]]:
    """Conditions of one single-valued dimension, each as the pieces they cut each other into.

    A piece is one of the conditions, or what several leave between them.
    """
    groups: dict[tuple[Condition, ...], list[object]] = defaultdict(list)
    for atom, holders in _list_atoms(conditions):
        groups[holders].append(atom)
    piece_counts = Counter(condition for holders in groups for condition in holders)
    pieces = {
        holders: _name_piece(holders, atoms, piece_counts) for holders, atoms in groups.items()
    }
    pieces_by_condition: dict[Condition, list[Condition]] = {
        condition: [] for condition in conditions
    }
    for holders, piece in pieces.items():
        for condition in holders:
            pieces_by_condition[condition].append(piece)
    return MappingProxyType(
        {condition: tuple(parts) for condition, parts in pieces_by_condition.items()}
    )


def _list_atoms(
    conditions: Sequence[Condition],
) -> Iterator[tuple[object, tuple[Condition, ...]]]:
    """The smallest intervals, codes or values that the conditions tell apart, each with the
    conditions that hold for it; those that none holds for are left out."""
    if isinstance(conditions[0], IntervalCondition):
        yield from _list_interval_atoms(conditions)
    elif isinstance(conditions[0], _OFFENCE_CONDITIONS):
        for code in sorted(frozenset[str]().union(*map(_expand_codes, conditions))):
            yield code, tuple(entry for entry in conditions if _holds_for_code(entry, code))
    else:
        sets = [entry.values for entry in conditions if isinstance(entry, _VALUE_CONDITIONS)]
        for value in sorted(frozenset[str | None]().union(*sets), key=escape_value):
            yield (
                value,
                tuple(
                    entry
                    for entry in conditions
                    if isinstance(entry, _VALUE_CONDITIONS) and value in entry.values
                ),
            )


def _list_interval_atoms(
    conditions: Sequence[Condition],
) -> Iterator[tuple[Interval, tuple[Condition, ...]]]:
    intervals = [
        (entry, entry.intervals) for entry in conditions if isinstance(entry, IntervalCondition)
    ]
    cuts = sorted({cut for _, parts in intervals for a, b in parts for cut in (a, b + 1)})
    for first, following in pairwise(cuts):
        atom = first, following - 1
        holders = tuple(
            entry
            for entry, parts in intervals
            if any(a <= atom[0] and atom[1] <= b for a, b in parts)
        )
        if holders:
            yield atom, holders


def _name_piece(
    holders: tuple[Condition, ...], atoms: list[object], piece_counts: Mapping[Condition, int]
) -> Condition:
    """A piece as a condition: one of those that hold for it, where it is all of that one."""
    for condition in holders:
        if piece_counts[condition] == 1:
            return condition
    first = holders[0]
    match first:
        case IntervalCondition():
            return replace(first, intervals=merge_intervals(atoms))  # type: ignore[arg-type]
        case FieldCondition() | CategoryCondition():
            return replace(first, values=frozenset(atoms))
        case _:
            return OffencePiece(frozenset(holders), frozenset(map(str, atoms)))


def sort_conditions(conditions: Iterable[Condition]) -> list[Condition]:
    """The conditions in the order of their texts."""
    return sorted(conditions, key=BY_TEXT)
