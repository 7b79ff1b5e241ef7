"""Every kind of record that some numbers tell apart, so that all numbers are compared at once.

Pure. A record has one day, one offence, and so on, and meets some of the conditions of each
dimension together. So each number of records is a sum of the numbers of kinds of records, and each
number of victims, or of suspects, one of those of such records. Where these would be too many,
nothing is said here: then numbers are compared only with those that are within or around them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, combinations, product
from math import prod
from typing import Final, NamedTuple, TypeAlias

from indexer.records.model import PEOPLE_LISTS
from queries.answer.condition import (
    BY_TEXT,
    SEX_FIELDS,
    WITHOUT_PEOPLE,
    WITHOUT_REFERENCE,
    CategoryCondition,
    Condition,
    LinkCondition,
    Not,
    OffenceCondition,
    OfPerson,
    PeriodCondition,
    TermsCondition,
    Together,
    build_age_condition,
    build_field_condition,
)
from queries.answer.inference import is_single_valued, partition_conditions
from queries.answer.types import ANY_STATUS
from queries.disclosure.attack.term_pieces import partition_terms

#: Numbers are compared by no more kinds of records, and of their victims and suspects, than these.
MAX_KINDS: Final = 6_000

#: Of more kinds than these, all numbers together may count no more than ``_MAX_SHARES``.
_MANY_KINDS: Final = 600

_MAX_SHARES: Final = 30_000

#: The most values of which a record may have several that are distinguished.
_MAX_VALUES: Final = 6

#: No record has more victims, or more suspects.
MAX_PEOPLE: Final = 1_000

RECORDED: Final = build_field_condition("status", ["recorded"])

_RECORD_UNITS: Final = ("offences", "records")

_TERMS: Final = "terms"

_REFERENCE: Final = WITHOUT_REFERENCE.dimension

#: For each list of people of a record, what is said of one of them, and not of the record.
_PEOPLE_DIMENSIONS: Final = {
    people: (build_age_condition(people=PEOPLE_LISTS[people]).dimension, sex, _REFERENCE)
    for people, sex in SEX_FIELDS.items()
}

#: The list that a number of people counts, by its unit. Of different people little is certain.
_LIST_OF_UNIT: Final = {
    unit: people for people in _PEOPLE_DIMENSIONS for unit in (people, f"{people} of records")
}

#: The list that a condition says is empty.
_LIST_OF_EMPTY: Final = {WITHOUT_PEOPLE[people]: people for people in _PEOPLE_DIMENSIONS}

Conditions: TypeAlias = frozenset[Condition]

#: A unit, and the conditions that its members meet.
Counted: TypeAlias = tuple[str, Conditions]


class RecordKind(Condition, frozen=True):
    """A kind of record, or of its people, by a number. Never printed, so never read back."""

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
    about these, and whom it has in a list of people if it is about that and has anybody."""

    mask: int
    days: Condition | None = None
    people: tuple[_PeopleOfRecord, ...] = ()


#: A list of people, and, of each group of conditions on them, which the record's people meet.
_PeopleOfRecord: TypeAlias = tuple[str, tuple[frozenset[Conditions], ...]]

#: What one of the people of a list may be: the numbers that count such people, and the conditions
#: of each group that are met, of those that records are chosen by.
_Person: TypeAlias = tuple[int, tuple[Conditions, ...]]


def sum_kinds(numbers: Iterable[Counted], limit: int, *, presuming: bool) -> KindSums | None:
    """The numbers of records and of their people by kinds; None if these are more than ``limit``.

    With ``presuming``, for a reader who supposes that a phrase is written as its words are.
    """
    split = [
        _SplitNumber(number, *_split_levels(number))
        for number in numbers
        if number[0] in (*_RECORD_UNITS, *_LIST_OF_UNIT)
    ]
    records = _combine_pieces(split, limit, presuming=presuming)
    if records is None:
        return None
    table = _KindTable(split)
    for record in records:
        table.add_record(record)
        if table.size > limit or (table.size > _MANY_KINDS and table.shares > _MAX_SHARES):
            return None
    return table.sums


class _SplitNumber(NamedTuple):
    """A number, with what is said of its records and what of their people."""

    number: Counted
    of_record: Conditions
    of_person: Conditions

    @property
    def people(self) -> str:
        """The list of people that it counts; "" if it counts records."""
        return _LIST_OF_UNIT.get(self.number[0], "")


def _split_levels(number: Counted) -> tuple[Conditions, Conditions]:
    unit, conditions = number
    dimensions = _PEOPLE_DIMENSIONS.get(_LIST_OF_UNIT.get(unit, ""), ())
    of_person = frozenset(
        condition for condition in conditions if _strip(condition).dimension in dimensions
    )
    status = {RECORDED} if unit in ANY_STATUS.values() else set()
    return (conditions - of_person) | status, of_person


def _strip(condition: Condition) -> Condition:
    return condition.condition if isinstance(condition, Not) else condition


def _find_dimension(condition: Condition) -> str:
    inner = _strip(condition)
    if isinstance(inner, OfPerson):
        return inner.people.field
    if inner in _LIST_OF_EMPTY:
        return _LIST_OF_EMPTY[inner]
    return _TERMS if isinstance(inner, TermsCondition) else inner.dimension


def _combine_pieces(
    split: Sequence[_SplitNumber], limit: int, *, presuming: bool
) -> list[_Piece] | None:
    """Every kind of record; None if there are too many."""
    dimensions = {
        _find_dimension(condition): None for entry in split for condition in entry.of_record
    }
    dimensions |= {entry.people: None for entry in split if entry.people}
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
            _Piece(mask, kind.days or piece.days, (*kind.people, *piece.people)): None
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
    if dimension in _PEOPLE_DIMENSIONS:
        return _list_people_pieces(dimension, conditions, sets)
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


def _list_people_pieces(
    people: str, conditions: Sequence[Condition], sets: Sequence[Conditions]
) -> list[_Piece] | None:
    """Records with nobody in a list, and with people of some sexes and some ages in it."""
    of_person = {entry.condition: entry for entry in conditions if isinstance(entry, OfPerson)}
    inner = frozenset(of_person)
    met_sets = [*_list_met_conditions(people, inner)]
    subsets = []
    for group in _group_conditions(people, inner):
        values = dict.fromkeys(met & group for met in met_sets)
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
    pieces = [_Piece(_mask_numbers(sets, {WITHOUT_PEOPLE[people]}))]
    for chosen_values in product(*subsets):
        met = {of_person[entry] for values in chosen_values for value in values for entry in value}
        pieces.append(_Piece(_mask_numbers(sets, met), None, ((people, chosen_values),)))
    return pieces


def _group_conditions(people: str, of_record: Conditions) -> list[Conditions]:
    """The conditions on people by which records are chosen: those of each dimension by themselves,
    or all at once if one person must meet several."""
    if any(isinstance(entry, Together) for entry in of_record):
        return [of_record]
    return [
        frozenset(entry for entry in of_record if _strip(entry).dimension == dimension)
        for dimension in _PEOPLE_DIMENSIONS[people]
    ]


def _list_met_conditions(people: str, conditions: Conditions) -> Iterator[Conditions]:
    """The conditions that one person of a list may meet together."""
    several = [entry for entry in conditions if isinstance(entry, Together)]
    bare = (conditions - {*several}).union(*(entry.conditions for entry in several))
    values = (_list_person_values(name, bare) for name in _PEOPLE_DIMENSIONS[people])
    for value in product(*values):
        met = frozenset[Condition]().union(*value)
        yield met | {entry for entry in several if entry.conditions <= met}


def _list_person_values(dimension: str, conditions: Iterable[Condition]) -> list[Conditions]:
    """The conditions on one person that are met together in a dimension, negations among them."""
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
        self._masks = {
            people: sum(1 << n for n, entry in enumerate(split) if entry.people == people)
            for people in _PEOPLE_DIMENSIONS
        }
        self._of_record = frozenset(
            condition
            for entry in split
            for condition in map(_strip, entry.of_record)
            if isinstance(condition, OfPerson)
        )
        self._persons = {
            people: [*self._list_persons(people)] for people, mask in self._masks.items() if mask
        }
        self.size = 0
        #: How many kinds the numbers count in all.
        self.shares = 0
        self.sums = KindSums({entry.number: [] for entry in split}, [])

    def _list_persons(self, people: str) -> Iterator[_Person]:
        """What one of the people of a list may be."""
        of_record = frozenset(
            entry.condition for entry in self._of_record if entry.people.field == people
        )
        counting = [(n, entry) for n, entry in enumerate(self._split) if entry.people == people]
        groups = _group_conditions(people, of_record)
        conditions = of_record.union(*(entry.of_person for _, entry in counting))
        persons: dict[_Person, None] = {}
        for met in _list_met_conditions(people, conditions):
            mask = sum(1 << n for n, entry in counting if entry.of_person <= met)
            persons[mask, tuple(met & group for group in groups)] = None
        yield from persons

    def _add_kind(self, unit: str, days: Condition | None, mask: int) -> Counted:
        kind = unit, frozenset({RecordKind(self.size), *([days] if days else [])})
        self.size += 1
        for position, entry in enumerate(self._split):
            if mask >> position & 1:
                self.sums.parts[entry.number].append(kind)
                self.shares += 1
        return kind

    def add_record(self, record: _Piece) -> None:
        """Add a kind of record, and those of its people."""
        of_people = sum(self._masks.values())
        kind = self._add_kind("records", record.days, record.mask & ~of_people)
        for people, values in record.people:
            if record.mask & self._masks[people]:
                self._add_people(kind, record, people, values)

    def _add_people(
        self,
        kind: Counted,
        record: _Piece,
        people: str,
        values_of_record: tuple[frozenset[Conditions], ...],
    ) -> None:
        """Add the kinds of people of one list that records of a kind have."""
        members = [
            (mask & record.mask, parts)
            for mask, parts in self._persons[people]
            if all(part in whole for part, whole in zip(parts, values_of_record, strict=True))
        ]
        persons = {
            (mask, parts): self._add_kind(f"{people} of records", record.days, mask)
            for mask, parts in dict.fromkeys(members)
            if mask
        }
        self.sums.dependencies.append({**dict.fromkeys(persons.values(), 1), kind: -MAX_PEOPLE})
        for position, values in enumerate(values_of_record):
            for value in values:
                chosen = [entry for entry in members if entry[1][position] == value]
                if all(mask for mask, _ in chosen):  # else it may be one that nothing counts
                    self.sums.dependencies.append(
                        {kind: 1, **{persons[entry]: -1 for entry in chosen}}
                    )
