"""Which populations lie within others, whatever the records are, and which groups are closed.

Pure. One population lies within another if each condition of the wider one follows from a condition
of its own: a population without a condition has all its values. A group is closed if it is withheld
and nothing within it is printed but zeros: it may be too small to be broken down, so its zeros are
withheld as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from queries.answer.condition import Condition, OfPerson
from queries.answer.inference import covers_condition
from queries.answer.types import PEOPLE_OF_LIST
from queries.disclosure.attack.constraints import Population, make_population

#: The units whose members are among those of a unit.
_MEMBER_UNITS: Final = {
    "records": ("records", "offences"),
    **{
        outer: units
        for name, people in PEOPLE_OF_LIST.items()
        for outer, units in (
            (f"{name} of records", (f"{name} of records", name, people)),
            (name, (name, people)),
        )
    },
}

#: The units of people of a unit of records, in any list, but not those of any status.
_PEOPLE_UNITS: Final = tuple(
    unit for name, people in PEOPLE_OF_LIST.items() for unit in (name, people)
)

#: What is added to the name of a list of people, of the people of records of a unit.
_RECORD_UNITS: Final = {"offences": "", "records": " of records"}

_UNITS_OF_PEOPLE: Final = (*_PEOPLE_UNITS, *(f"{name} of records" for name in PEOPLE_OF_LIST))

#: The units whose members are among those of a unit, or belong to one of them.
_PART_UNITS: Final = {
    **_MEMBER_UNITS,
    "records": ("records", "offences", *_UNITS_OF_PEOPLE),
    "offences": ("offences", *_PEOPLE_UNITS),
}


class NestingIndex:
    """Some populations, and which of them lie within others. Sets of them are bits of a number."""

    def __init__(self, populations: Iterable[Population]) -> None:
        self.populations = tuple(dict.fromkeys(populations))
        self._unit_masks: dict[str, int] = {}
        self._own_masks: dict[Condition, int] = {}
        self._implying_masks: dict[Condition, int] = {}
        self._part_masks: dict[Population, int] = {}
        self._bits = {
            population: 1 << position for position, population in enumerate(self.populations)
        }
        for (unit, conditions), bit in self._bits.items():
            self._unit_masks[unit] = self._unit_masks.get(unit, 0) | bit
            for condition in conditions:
                self._own_masks[condition] = self._own_masks.get(condition, 0) | bit

    def find_members(self, outer: Population) -> Iterator[Population]:
        """The populations whose members are all among those of another, which is not one."""
        yield from self._list_populations(self._mask_members(outer))

    def find_closed_groups(
        self, withheld: Iterable[Population], printed: Iterable[Population]
    ) -> list[Population]:
        """The withheld populations within which none of ``printed`` lies, which are not 0."""
        printed_mask = self._mask_populations(printed)
        return [group for group in withheld if not self._mask_members(group) & printed_mask]

    def find_parts(
        self, groups: Iterable[Population], candidates: Iterable[Population]
    ) -> frozenset[Population]:
        """The candidates that break a group down, also by what belongs to its members."""
        return frozenset(
            self._list_populations(self._mask_parts(groups) & self._mask_populations(candidates))
        )

    def find_open_parts(
        self, groups: Iterable[Population], zeros: Iterable[Population]
    ) -> frozenset[Population]:
        """The zeros that break a group down, without those that lie within another 0 that does
        not: a reader knows them."""
        zeros_mask = self._mask_populations(zeros)
        inner_mask = self._mask_parts(groups) & zeros_mask
        if not inner_mask:
            return frozenset()
        outer_zeros = tuple(self._list_populations(zeros_mask & ~inner_mask))
        open_parts = self._list_populations(inner_mask & ~self._mask_parts(outer_zeros))
        return frozenset(part for part in open_parts if not _lacks_people(part, outer_zeros))

    def _mask_parts(self, groups: Iterable[Population]) -> int:
        mask = 0
        for group in groups:
            if group not in self._part_masks:
                self._part_masks[group] = self._mask_nested(group, _PART_UNITS)
            mask |= self._part_masks[group]
        return mask

    def _mask_members(self, outer: Population) -> int:
        return self._mask_nested(outer, _MEMBER_UNITS)

    def _mask_nested(self, outer: Population, units: Mapping[str, tuple[str, ...]]) -> int:
        mask = 0
        for unit in units.get(outer.unit, (outer.unit,)):
            mask |= self._unit_masks.get(unit, 0)
        for condition in outer.conditions:
            mask &= self._mask_implying(condition)
        return mask & ~self._bits.get(outer, 0)

    def _mask_implying(self, wide: Condition) -> int:
        """The populations with a condition from which another one follows."""
        if wide not in self._implying_masks:
            mask = 0
            for condition, own_mask in self._own_masks.items():
                if condition == wide or covers_condition(wide, condition):
                    mask |= own_mask
            if isinstance(wide, OfPerson) and len(wide.parts) > 1:
                mask |= self._mask_jointly_implying(wide.parts)
            self._implying_masks[wide] = mask
        return self._implying_masks[wide]

    def _mask_jointly_implying(self, parts: Iterable[Condition]) -> int:
        """The populations of people that meet each part by themselves."""
        mask = -1
        for part in parts:
            mask &= self._mask_implying(part)
        return mask

    def _mask_populations(self, populations: Iterable[Population]) -> int:
        mask = 0
        for population in populations:
            mask |= self._bits.get(population, 0)
        return mask

    def _list_populations(self, mask: int) -> Iterator[Population]:
        while mask:
            bit = mask & -mask
            yield self.populations[bit.bit_length() - 1]
            mask ^= bit


def find_parts_by_victim(
    groups: Iterable[Population], candidates: Iterable[Population]
) -> frozenset[Population]:
    """The numbers of people of records that are chosen by a victim or a suspect, of groups of such
    records.

    If one of them is printed, a reader knows that there is such a record, and so such a person.
    """
    of_victims = {candidate for candidate in candidates if candidate.unit in _UNITS_OF_PEOPLE}
    groups = [group for group in groups if group.unit in _RECORD_UNITS]
    index = NestingIndex(
        population
        for population in (*groups, *of_victims)
        if any(isinstance(condition, OfPerson) for condition in population.conditions)
    )
    chosen_groups = [group for group in groups if group in index.populations]
    return index.find_parts(chosen_groups, of_victims.intersection(index.populations))


def _lacks_people(records: Population, zeros: Iterable[Population]) -> bool:
    """Whether there are no such records because there are none of the people that each of them
    must have."""
    if records.unit not in _RECORD_UNITS:
        return False
    people = [
        make_population(
            f"{condition.people.field}{_RECORD_UNITS[records.unit]}",
            records.conditions - {condition},
            condition.parts,
        )
        for condition in records.conditions
        if isinstance(condition, OfPerson)
    ]
    return any(
        zero.unit == entry.unit and _lies_within(entry, zero) for zero in zeros for entry in people
    )


def _lies_within(inner: Population, outer: Population) -> bool:
    return all(
        any(wide == narrow or covers_condition(wide, narrow) for narrow in inner.conditions)
        for wide in outer.conditions
    )


def find_possible_zeros(numbers: Mapping[Population, int | None]) -> frozenset[Population]:
    """The withheld ones of published numbers that may be 0 for their reader: those that lie within
    a closed group."""
    index = NestingIndex(numbers)
    withheld = [population for population, number in numbers.items() if number is None]
    printed = [population for population, number in numbers.items() if number]
    return index.find_parts(index.find_closed_groups(withheld, printed), withheld)


def find_close_pairs(
    numbers: Mapping[Population, int], threshold: int
) -> Iterator[tuple[Population, Population]]:
    """Pairs of a population and a wider one, in any number of conditions, whose numbers differ by 1
    to the threshold - 1."""
    index = NestingIndex(numbers)
    for outer, number in numbers.items():
        for inner in index.find_members(outer):
            if inner.unit == outer.unit and 0 < number - numbers[inner] < threshold:
                yield inner, outer
