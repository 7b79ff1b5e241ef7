"""Every kind of record that some numbers tell apart, so that all numbers are compared at once.

Pure. A record has one day, one offence, and so on, and meets some of the conditions of each
dimension together. So each number of records is a sum of the numbers of kinds of records, and each
number of victims one of the victims of such records. Where these would be too many, nothing is said
here: then numbers are compared only with those that are within or around them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, combinations, product
from math import prod
from typing import Final, NamedTuple, TypeAlias

from indexer.records.model import SUSPECTS
from queries.answer.condition import (
    BY_TEXT,
    WITHOUT_PEOPLE,
    WITHOUT_REFERENCE,
    WITHOUT_VICTIM,
    CategoryCondition,
    Condition,
    LinkCondition,
    Not,
    OffenceCondition,
    OfSuspect,
    OfVictim,
    PeriodCondition,
    TermsCondition,
    build_field_condition,
)
from queries.answer.inference import is_single_valued, partition_conditions
from queries.answer.types import ANY_STATUS
from queries.disclosure.attack.term_pieces import partition_terms

#: Several releases are compared by no more kinds of records, and of their victims, than these.
MAX_KINDS: Final = 600

#: The most values of which a record may have several that are distinguished.
_MAX_VALUES: Final = 6

#: No record has more victims.
MAX_VICTIMS: Final = 1_000

RECORDED: Final = build_field_condition("status", ["recorded"])

_VICTIM_UNITS: Final = ("victims", "victims of records")

_RECORD_UNITS: Final = ("offences", "records")

_VICTIMS: Final = "victims"

_WITHOUT_SUSPECT: Final = WITHOUT_PEOPLE[SUSPECTS.field]

_SUSPECTS: Final = "suspects"

_TERMS: Final = "terms"

#: What is said of one victim, and not of a record.
_VICTIM_DIMENSIONS: Final = ("age", "sex", WITHOUT_REFERENCE.dimension)

Conditions: TypeAlias = frozenset[Condition]

#: A unit, and the conditions that its members meet.
Counted: TypeAlias = tuple[str, Conditions]


class RecordKind(Condition, frozen=True):
    """A kind of record, or of its victims, by a number. Never printed, so never read back."""

    number: int

    @property
    def dimension(self) -> str:
        """Kinds are compared with nothing."""
        return "kind of record"

    @property
    def text(self) -> str:
        """The number."""
        return f"kind of record {self.number}"


class KindSums(NamedTuple):
    """Each number as the kinds that it counts, and how the kinds depend on each other.

    A dependency is that a sum of kinds by their weights is not more than 0.
    """

    parts: dict[Counted, list[Counted]]
    dependencies: list[dict[Counted, int]]


class _Piece(NamedTuple):
    """What a record may be in one dimension: the numbers that count it, as bits, its days if it is
    about these, and which victims it has if it is about those."""

    mask: int
    days: Condition | None = None
    victims: _Victims | None = None


#: The pieces of ages, and of sexes, of which a record has victims; none of either if it has none.
_Victims: TypeAlias = tuple[frozenset[Conditions], ...]


def sum_kinds(numbers: Iterable[Counted], limit: int, *, presuming: bool) -> KindSums | None:
    """The numbers of records and of victims by kinds; None if these are more than ``limit``.

    With ``presuming``, for a reader who supposes that a phrase is written as its words are.
    """
    split = [
        _SplitNumber(number, *_split_levels(number))
        for number in numbers
        if number[0] in (*_RECORD_UNITS, *_VICTIM_UNITS)
    ]
    records = _combine_pieces(split, limit, presuming=presuming)
    if records is None:
        return None
    table = _KindTable(split)
    for record in records:
        table.add_record(record)
        if table.size > limit:
            return None
    return table.sums


class _SplitNumber(NamedTuple):
    """A number, with what is said of its records and what of its victims."""

    number: Counted
    of_record: Conditions
    of_victim: Conditions

    @property
    def counts_victims(self) -> bool:
        """Whether it is a number of victims."""
        return self.number[0] in _VICTIM_UNITS


def _split_levels(number: Counted) -> tuple[Conditions, Conditions]:
    unit, conditions = number
    of_victim = frozenset[Condition]()
    if unit in _VICTIM_UNITS:
        of_victim = frozenset(
            condition
            for condition in conditions
            if _strip(condition).dimension in _VICTIM_DIMENSIONS
        )
    status = {RECORDED} if unit in ANY_STATUS.values() else set()
    return (conditions - of_victim) | status, of_victim


def _strip(condition: Condition) -> Condition:
    return condition.condition if isinstance(condition, Not) else condition


def _find_dimension(condition: Condition) -> str:
    inner = _strip(condition)
    if isinstance(inner, OfVictim) or inner == WITHOUT_VICTIM:
        return _VICTIMS
    if isinstance(inner, OfSuspect) or inner == _WITHOUT_SUSPECT:
        return _SUSPECTS
    return _TERMS if isinstance(inner, TermsCondition) else inner.dimension


def _combine_pieces(
    split: Sequence[_SplitNumber], limit: int, *, presuming: bool
) -> list[_Piece] | None:
    """Every kind of record; None if there are too many."""
    dimensions = {
        _find_dimension(condition): None for entry in split for condition in entry.of_record
    }
    if any(entry.counts_victims for entry in split):
        dimensions[_VICTIMS] = None
    kinds = {_Piece((1 << len(split)) - 1): None}
    for dimension in dimensions:
        sets = [
            frozenset(entry for entry in number.of_record if _find_dimension(entry) == dimension)
            for number in split
        ]
        of_dimension = _list_pieces(dimension, sets, presuming=presuming)
        if of_dimension is None:
            return None
        kinds = {
            _Piece(mask, kind.days or piece.days, kind.victims or piece.victims): None
            for kind, piece in product(kinds, of_dimension)
            if (mask := kind.mask & piece.mask)
        }
        if len(kinds) > limit:
            return None
    return [*kinds]


def _list_pieces(
    dimension: str, sets: Sequence[Conditions], *, presuming: bool
) -> list[_Piece] | None:
    """What a record may be in a dimension; None if that is too much. ``sets`` are the conditions of
    each number."""
    if dimension == _TERMS:
        return _list_term_pieces(sets, presuming=presuming)
    conditions = tuple(
        dict.fromkeys(_strip(entry) for entries in sets for entry in sorted(entries, key=BY_TEXT))
    )
    if dimension == _VICTIMS:
        return _list_victim_pieces(conditions, sets)
    if dimension == _SUSPECTS:
        return _list_suspect_pieces(conditions, sets)
    values = _list_values(conditions)
    if values is None:
        return None
    return [_Piece(_mask_numbers(sets, met), days) for met, days in values]


def _mask_numbers(sets: Sequence[Conditions], met: Collection[Condition]) -> int:
    mask = 0
    for position, conditions in enumerate(sets):
        if all((_strip(entry) in met) != isinstance(entry, Not) for entry in conditions):
            mask |= 1 << position
    return mask


def _list_term_pieces(sets: Sequence[Conditions], *, presuming: bool) -> list[_Piece] | None:
    every_set = frozenset(sets) | {frozenset[Condition]()}
    groups = partition_terms(every_set, presuming=presuming)[frozenset()]
    if len(groups) != 1:
        return None
    return [
        _Piece(sum(1 << n for n, conditions in enumerate(sets) if conditions in piece.holders))
        for piece in groups[0]
    ]


def _list_values(
    conditions: tuple[Condition, ...],
) -> list[tuple[Conditions, Condition | None]] | None:
    """The conditions of one dimension that are met together, each with the days that they are."""
    if not conditions:
        return [(frozenset(), None)]
    first = conditions[0]
    if is_single_valued(first):
        pieces = partition_conditions(conditions)
        return [
            (frozenset(), None),
            *(
                (
                    frozenset(entry for entry, parts in pieces.items() if piece in parts),
                    piece if isinstance(piece, PeriodCondition) else None,
                )
                for piece in dict.fromkeys(chain.from_iterable(pieces.values()))
            ),
        ]
    choices = [*_list_choices(conditions)]
    if len(choices) > _MAX_VALUES:
        return None
    empty = frozenset(
        entry
        for entry in conditions
        if isinstance(entry, CategoryCondition) and None in entry.values
    )
    unions = (
        frozenset[Condition]().union(*chosen)
        for size in range(1, len(choices) + 1)
        for chosen in combinations(choices, size)
    )
    return [(met, None) for met in dict.fromkeys([empty, frozenset[Condition](), *unions])]


def _list_choices(conditions: tuple[Condition, ...]) -> Iterable[Conditions]:
    """The conditions that each value meets, of values of which a record may have several."""
    if isinstance(conditions[0], CategoryCondition):
        values_of = {
            entry: entry.values for entry in conditions if isinstance(entry, CategoryCondition)
        }
        values = frozenset[str | None]().union(*values_of.values()) - {None}
        return dict.fromkeys(
            frozenset(entry for entry, chosen in values_of.items() if value in chosen)
            for value in sorted(map(str, values))
        )
    if isinstance(conditions[0], LinkCondition):
        of_code = {
            OffenceCondition(entry.codes): entry
            for entry in conditions
            if isinstance(entry, LinkCondition)
        }
        pieces = partition_conditions(tuple(of_code))
        return dict.fromkeys(
            frozenset(link for offence, link in of_code.items() if piece in pieces[offence])
            for piece in dict.fromkeys(chain.from_iterable(pieces.values()))
        )
    return [frozenset({entry}) for entry in conditions]


def _list_victim_pieces(
    conditions: Sequence[Condition], sets: Sequence[Conditions]
) -> list[_Piece] | None:
    """Records without a victim, and with victims of some sexes and some ages."""
    inner = [entry.condition for entry in conditions if isinstance(entry, OfVictim)]
    subsets = []
    for dimension in _VICTIM_DIMENSIONS:
        values = _list_victim_values(dimension, inner)
        if len(values) > _MAX_VALUES:
            return None
        subsets.append(
            [
                frozenset(chosen)
                for size in range(1, len(values) + 1)
                for chosen in combinations(values, size)
            ]
        )
    if prod(map(len, subsets)) > MAX_KINDS:
        return None
    pieces = [_Piece(_mask_numbers(sets, {WITHOUT_VICTIM}), None, (frozenset(),))]
    for victims in product(*subsets):
        met = {OfVictim(entry) for values in victims for value in values for entry in value}
        pieces.append(_Piece(_mask_numbers(sets, met), None, victims))
    return pieces


def _list_suspect_pieces(
    conditions: Sequence[Condition], sets: Sequence[Conditions]
) -> list[_Piece] | None:
    """Records without a suspect, and with suspects who meet some of the conditions; None if one
    suspect may meet them in too many ways."""
    chosen = [entry for entry in conditions if isinstance(entry, OfSuspect)]
    parts = [part for entry in chosen for part in sorted(entry.parts, key=BY_TEXT)]
    dimensions = dict.fromkeys(_strip(part).dimension for part in parts)
    values = [_list_victim_values(dimension, parts) for dimension in dimensions]
    if prod(map(len, values)) > MAX_KINDS:
        return None
    suspects = {
        frozenset(
            entry for entry in chosen if entry.parts <= frozenset[Condition]().union(*met)
        ): None
        for met in product(*values)
    }
    if len(suspects) > _MAX_VALUES:
        return None
    unions = (
        frozenset[Condition]().union(*some)
        for size in range(1, len(suspects) + 1)
        for some in combinations(suspects, size)
    )
    of_records: list[Conditions] = [
        frozenset({_WITHOUT_SUSPECT}),
        *dict.fromkeys((frozenset[Condition](), *unions)),
    ]
    return [_Piece(_mask_numbers(sets, met)) for met in of_records]


def _list_victim_values(dimension: str, conditions: Iterable[Condition]) -> list[Conditions]:
    """The conditions on one victim that are met together in a dimension, negations among them."""
    of_dimension = dict.fromkeys(
        entry for entry in conditions if _strip(entry).dimension == dimension
    )
    bare = tuple(dict.fromkeys(map(_strip, of_dimension)))
    values = _list_values(bare) or []
    return [
        *dict.fromkeys(
            frozenset(
                entry for entry in of_dimension if (_strip(entry) in met) != isinstance(entry, Not)
            )
            for met, _ in values
        )
    ]


class _KindTable:
    """The kinds found so far, and what each number counts of them."""

    def __init__(self, split: Sequence[_SplitNumber]) -> None:
        self._split = split
        self._victim_mask = sum(1 << n for n, entry in enumerate(split) if entry.counts_victims)
        of_record = {
            condition.condition
            for entry in split
            for condition in map(_strip, entry.of_record)
            if isinstance(condition, OfVictim)
        }
        #: What one victim may be: the numbers that count it, and what its record is known by.
        self._victims = [*self._list_victims(of_record)] if self._victim_mask else []
        self.size = 0
        self.sums = KindSums({entry.number: [] for entry in split}, [])

    def _list_victims(
        self, of_record: Collection[Condition]
    ) -> Iterator[tuple[int, tuple[Conditions, ...]]]:
        conditions = {*of_record}.union(*(entry.of_victim for entry in self._split))
        values = (_list_victim_values(name, conditions) for name in _VICTIM_DIMENSIONS)
        victims: dict[tuple[int, tuple[Conditions, ...]], None] = {}
        for value in product(*values):
            met = frozenset[Condition]().union(*value)
            mask = sum(
                1 << n
                for n, entry in enumerate(self._split)
                if entry.counts_victims and entry.of_victim <= met
            )
            victims[mask, tuple(part & frozenset(of_record) for part in value)] = None
        yield from victims

    def _add_kind(self, unit: str, days: Condition | None, mask: int) -> Counted:
        kind = unit, frozenset({RecordKind(self.size), *([days] if days else [])})
        self.size += 1
        for position, entry in enumerate(self._split):
            if mask >> position & 1:
                self.sums.parts[entry.number].append(kind)
        return kind

    def add_record(self, record: _Piece) -> None:
        """Add a kind of record, and those of its victims."""
        of_victims = record.mask & self._victim_mask
        kind = self._add_kind("records", record.days, record.mask & ~self._victim_mask)
        if not of_victims or record.victims is None or not record.victims[0]:
            return
        members = [
            (mask & of_victims, parts)
            for mask, parts in self._victims
            if all(part in whole for part, whole in zip(parts, record.victims, strict=True))
        ]
        victims = {
            (mask, parts): self._add_kind("victims of records", record.days, mask)
            for mask, parts in dict.fromkeys(members)
            if mask
        }
        self.sums.dependencies.append({**dict.fromkeys(victims.values(), 1), kind: -MAX_VICTIMS})
        for position, values in enumerate(record.victims):
            for value in values:
                chosen = [entry for entry in members if entry[1][position] == value]
                if all(mask for mask, _ in chosen):  # else it may be one that nothing counts
                    self.sums.dependencies.append(
                        {kind: 1, **{victims[entry]: -1 for entry in chosen}}
                    )
