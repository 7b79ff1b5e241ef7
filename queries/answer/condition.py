"""Conditions: what the records, victims or people behind a number have in common.

A condition is a frozen value, so that conditions can be compared, hashed and put into sets. It
becomes text only in files, by its ``text``; ``queries.answer.condition_text`` reads and describes
it, ``queries.answer.inference`` says what follows from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from operator import attrgetter
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct

from indexer.records.model import MAX_AGE, PEOPLE_LISTS, SUSPECTS, VICTIMS, PeopleList
from indexer.records.offences import load_offence_table
from queries.answer.types import Conditions

MISSING_VALUE: Final = "%none"

NEGATION_PREFIX: Final = "no "

VICTIM_PREFIX: Final = "victim "

SUSPECT_PREFIX: Final = "suspect "

TOGETHER_SEPARATOR: Final = "&"

Interval: TypeAlias = tuple[int, int]

FieldValues: TypeAlias = frozenset[str | None]


class Condition(Struct, frozen=True, cache_hash=True, dict=True):
    """What members of a number have in common.

    ``dimension`` is what it is about: conditions of one dimension can be compared. ``text`` is how
    files write it.
    """

    @property
    def dimension(self) -> str:
        """What the condition is about."""
        raise NotImplementedError

    @cached_property
    def text(self) -> str:
        """The condition as files write it: the same text for equal conditions."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text


#: The order of conditions wherever one is needed.
BY_TEXT: Final = attrgetter("text")


class IntervalCondition(Condition, frozen=True):
    """A value in any of a few intervals, both ends included; they are sorted and do not touch."""

    intervals: tuple[Interval, ...]

    @cached_property
    def text(self) -> str:
        """``age:0-11,18-120``."""
        return f"{self.dimension}:{','.join(map(self._format_interval, self.intervals))}"

    def _format_interval(self, interval: Interval) -> str:
        raise NotImplementedError


class PeriodCondition(IntervalCondition, frozen=True):
    """Recorded on a day of an interval, as ordinals of dates."""

    @property
    def dimension(self) -> str:
        """Days."""
        return "period"

    def _format_interval(self, interval: Interval) -> str:
        start, end = map(date.fromordinal, interval)
        return (
            f"{'' if start == date.min else start.isoformat()}"
            f"/{'' if end == date.max else end.isoformat()}"
        )


class AgeCondition(IntervalCondition, frozen=True):
    """Aged within an interval, in whole years."""

    @property
    def dimension(self) -> str:
        """Ages."""
        return "age"

    def _format_interval(self, interval: Interval) -> str:
        return f"{interval[0]}-{interval[1]}"


class SuspectAgeCondition(AgeCondition, frozen=True):
    """A suspect aged within an interval. It says nothing of victims, nor do their ages of it."""

    @property
    def dimension(self) -> str:
        """Ages of suspects."""
        return "age of suspect"


class SampleCondition(IntervalCondition, frozen=True):
    """Drawn at a place of an interval, counted from 1, in a random order. ``order`` names it."""

    order: str

    @property
    def dimension(self) -> str:
        """The order."""
        return f"sample {self.order}"

    def _format_interval(self, interval: Interval) -> str:
        return f"{interval[0]}-{interval[1]}"


class _AnyOffenceCondition(Condition, frozen=True):
    @property
    def dimension(self) -> str:
        """Offence codes."""
        return "offence"


class OffenceCondition(_AnyOffenceCondition, frozen=True):
    """Of any of a few canonical offence codes, each with all below it."""

    codes: frozenset[str]

    @cached_property
    def text(self) -> str:
        """``offence:22B,88/1``."""
        return f"offence:{','.join(sorted(self.codes))}"


class OffenceCodeCondition(_AnyOffenceCondition, frozen=True):
    """Of one canonical offence code, and of none below it."""

    code: str

    @cached_property
    def text(self) -> str:
        """``offence code:71``."""
        return f"offence code:{self.code}"


class OffenceGroupCondition(_AnyOffenceCondition, frozen=True):
    """Of an offence group; None is for codes whose group is not known."""

    group: str | None

    @cached_property
    def text(self) -> str:
        """``offence group:Theft``."""
        return f"offence group:{self.group or MISSING_VALUE}"


class OffencePiece(Condition, frozen=True):
    """What some conditions on offences have in common and others leave out: these codes.

    Never printed, so never read back. The codes identify the piece as well, because other
    conditions beside these may leave less of them.
    """

    holders: frozenset[Condition]
    codes: frozenset[str]

    @property
    def dimension(self) -> str:
        """Pieces are compared with nothing."""
        return "part of offence"

    @cached_property
    def text(self) -> str:
        """The conditions, and a hash of the codes."""
        digest = hashlib.sha256(" ".join(sorted(self.codes)).encode()).hexdigest()[:8]
        return f"part of {' and '.join(sorted(map(str, self.holders)))}~{digest}"


class LinkCondition(Condition, frozen=True):
    """Linked to an offence of any of a few canonical codes, or of a code below one."""

    codes: frozenset[str]

    @property
    def dimension(self) -> str:
        """Links."""
        return "linked"

    @cached_property
    def text(self) -> str:
        """``linked:86/2``."""
        return f"linked:{','.join(sorted(self.codes))}"


class FieldCondition(Condition, frozen=True):
    """A built-in field of one value has one of these; None is a record without a value."""

    field: str
    values: FieldValues

    @property
    def dimension(self) -> str:
        """The field."""
        return self.field

    @cached_property
    def text(self) -> str:
        """``sex:F|M``."""
        return f"{self.dimension}:{_join_values(map(escape_value, self.values))}"


class CategoryCondition(Condition, frozen=True):
    """A category that the force declares has one of these values; of ``many``, any of its values
    is one of these. None is a record without a value."""

    category: str
    values: FieldValues
    many: bool = False

    @property
    def dimension(self) -> str:
        """The category."""
        return f"{'any ' if self.many else ''}category {self.category}"

    @cached_property
    def text(self) -> str:
        """``category district:North``, ``any category flag:a|b``."""
        return f"{self.dimension}:{_join_values(map(escape_value, self.values))}"


class TermsCondition(Condition, frozen=True):
    """A condition on a set of terms, by their names (``queries.answer.term_name``)."""

    name: ClassVar[str]
    terms: frozenset[str]

    @property
    def dimension(self) -> str:
        """How many of the terms are mentioned."""
        return self.name

    @cached_property
    def text(self) -> str:
        """``term:a|b``."""
        return f"{self.dimension}:{_join_values(self.terms)}"


class AnyTermCondition(TermsCondition, frozen=True):
    """Any of the terms is mentioned."""

    name = "term"


class SeveralTermsCondition(TermsCondition, frozen=True):
    """Two or more of the terms are mentioned."""

    name = "several"


class SingleTermCondition(TermsCondition, frozen=True):
    """Exactly one of the terms is mentioned."""

    name = "alone"


class TermCountCondition(TermsCondition, frozen=True):
    """Exactly ``count`` of the terms are mentioned. Never printed, so never read back."""

    count: int

    @property
    def dimension(self) -> str:
        """How many of the terms are mentioned."""
        return f"just {self.count} of"


class TermPiece(Condition, frozen=True):
    """What some sets of conditions on terms have in common and others leave out.

    Never printed, so never read back.
    """

    holders: frozenset[frozenset[Condition]]
    others: frozenset[frozenset[Condition]]

    @property
    def dimension(self) -> str:
        """Pieces are compared with nothing."""
        return "part of terms"

    @cached_property
    def text(self) -> str:
        """A hash of the sets: there may be many."""
        sets = [sorted(sorted(map(str, conditions)) for conditions in side) for side in self.sides]
        digest = hashlib.sha256(json.dumps(sets).encode()).hexdigest()[:16]
        return f"part of terms~{digest}"

    @property
    def sides(self) -> tuple[frozenset[frozenset[Condition]], ...]:
        """The sets that hold, and those that do not."""
        return self.holders, self.others


class Not(Condition, frozen=True):
    """A condition is not met."""

    condition: Condition

    @cached_property
    def dimension(self) -> str:
        """That of the condition, negated."""
        return f"{NEGATION_PREFIX}{self.condition.dimension}"

    @cached_property
    def text(self) -> str:
        """``no linked:86/2``."""
        return f"{NEGATION_PREFIX}{self.condition.text}"


class Together(Condition, frozen=True):
    """One and the same person meets every one of a few conditions; only within ``OfPerson``."""

    conditions: frozenset[Condition]

    @cached_property
    def dimension(self) -> str:
        """Those of the conditions."""
        return TOGETHER_SEPARATOR.join(sorted(entry.dimension for entry in self.conditions))

    @cached_property
    def text(self) -> str:
        """``age:0-17&sex:F``."""
        return TOGETHER_SEPARATOR.join(sorted(format_conditions(self.conditions)))


class OfPerson(Condition, frozen=True):
    """One person of a list of the record, or more, meets a condition."""

    condition: Condition

    prefix: ClassVar[str]
    people: ClassVar[PeopleList]

    @property
    def parts(self) -> frozenset[Condition]:
        """The conditions that one person meets, each by itself."""
        inner = self.condition
        return inner.conditions if isinstance(inner, Together) else frozenset({inner})

    @cached_property
    def dimension(self) -> str:
        """That of the condition, of victims or of suspects."""
        return f"{self.prefix}{self.condition.dimension}"

    @cached_property
    def text(self) -> str:
        """``victim sex:F``."""
        return f"{self.prefix}{self.condition.text}"


class OfVictim(OfPerson, frozen=True):
    """One victim of the record, or more, meets a condition."""

    prefix = VICTIM_PREFIX
    people = VICTIMS


class OfSuspect(OfPerson, frozen=True):
    """One suspect of the record, or more, meets a condition."""

    prefix = SUSPECT_PREFIX
    people = SUSPECTS


class NamedCondition(Condition, frozen=True):
    """A condition of which only its name is known: it is the same as itself, and nothing follows
    from it."""

    name: str

    @property
    def dimension(self) -> str:
        """The name up to a colon."""
        return self.name.partition(":")[0]

    @cached_property
    def text(self) -> str:
        """The name."""
        return self.name


#: Records that have nobody in a list of people.
WITHOUT_PEOPLE: Final[dict[str, Condition]] = {
    people.field: NamedCondition(f"without {people.singular}") for people in PEOPLE_LISTS.values()
}

WITHOUT_VICTIM: Final = WITHOUT_PEOPLE["victims"]

WITHOUT_REFERENCE: Final = NamedCondition("without reference")

#: The built-in fields of one value.
SINGLE_VALUE_FIELDS: Final = ("sex", "sex of suspect", "outcome", "status")

#: The field of the sex of a person, by the list of people.
SEX_FIELDS: Final = {"victims": "sex", "suspects": "sex of suspect"}


def _join_values(values: Iterable[str]) -> str:
    return "|".join(sorted(values))


def escape_value(value: str | None) -> str:
    """A value of a field as ``text`` has it."""
    return MISSING_VALUE if value is None else value.replace("%", "%25").replace("|", "%7C")


def format_conditions(conditions: Iterable[Condition]) -> Conditions:
    """The conditions as an answer holds them."""
    return tuple(condition.text for condition in conditions)


# -- building ----------------------------------------------------------------------------------


def build_period_condition(*periods: tuple[date | None, date | None]) -> PeriodCondition:
    """Days of any of the periods, by their first and last; None is open."""
    days = (((a or date.min).toordinal(), (b or date.max).toordinal()) for a, b in periods)
    return PeriodCondition(merge_intervals(days))


def build_age_condition(*bands: Interval, people: PeopleList = VICTIMS) -> AgeCondition:
    """Ages of any of the bands, by their first and last; of victims, or of another list."""
    return _AGE_CONDITIONS[people.field](merge_intervals(bands))


_AGE_CONDITIONS: Final[dict[str, type[AgeCondition]]] = {
    "victims": AgeCondition,
    "suspects": SuspectAgeCondition,
}


def build_other_age_condition(
    bands: Iterable[Interval], people: PeopleList = VICTIMS
) -> AgeCondition:
    """Known ages outside every band."""
    band_ages = {age for first, last in bands for age in range(first, last + 1)}
    ages = ((age, age) for age in range(MAX_AGE + 1) if age not in band_ages)
    return build_age_condition(*ages, people=people)


def build_unknown_age_condition(people: PeopleList) -> Not:
    """No known age."""
    return Not(build_age_condition((0, MAX_AGE), people=people))


def merge_intervals(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The intervals in order, those that overlap or touch as one."""
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def build_offence_condition(codes: Iterable[str]) -> OffenceCondition:
    """Offences of any of the canonical codes, or below one."""
    table, code_set = load_offence_table(), frozenset(codes)
    return OffenceCondition(
        frozenset(code for code in code_set if not code_set.intersection(table.path(code)[1:]))
    )


def build_exact_code_condition(code: str) -> Condition:
    """Offences of one canonical code, and of none below it."""
    is_leaf = load_offence_table().covered([code]) == {code}
    return build_offence_condition([code]) if is_leaf else OffenceCodeCondition(code)


def build_link_condition(codes: Iterable[str]) -> LinkCondition:
    """Offences with a link to an offence of any of the codes, or below one."""
    return LinkCondition(frozenset(codes))


def build_field_condition(field: str, values: Iterable[str | None]) -> FieldCondition:
    """A built-in field of one value, which is one of these; None is a record without it."""
    return FieldCondition(field, frozenset(values))


def build_victim_condition(conditions: Iterable[Condition]) -> OfPerson:
    """One victim of the record meets all of the conditions, one or more."""
    return build_person_condition(conditions, VICTIMS)


def build_person_condition(conditions: Iterable[Condition], people: PeopleList) -> OfPerson:
    """One person of a list of the record meets all of the conditions, one or more."""
    kind = OfVictim if people == VICTIMS else OfSuspect
    all_conditions = frozenset(conditions)
    if len(all_conditions) == 1:
        return kind(*all_conditions)
    return kind(Together(all_conditions))


def build_category_condition(
    name: str, values: Iterable[str | None], *, many: bool
) -> CategoryCondition:
    """A category of the force's own, which is, or holds, one of these values."""
    return CategoryCondition(name, frozenset(values), many)


def build_any_term_condition(conditions: Iterable[Condition]) -> AnyTermCondition:
    """Any of several terms, by their own conditions."""
    return AnyTermCondition(_collect_terms(conditions))


def build_several_terms_condition(conditions: Iterable[Condition]) -> SeveralTermsCondition:
    """Two or more of several terms, by their own conditions."""
    return SeveralTermsCondition(_collect_terms(conditions))


def build_single_term_condition(conditions: Iterable[Condition]) -> SingleTermCondition:
    """Exactly one of several terms, by their own conditions."""
    return SingleTermCondition(_collect_terms(conditions))


def _collect_terms(conditions: Iterable[Condition]) -> frozenset[str]:
    return frozenset(
        term
        for condition in conditions
        if isinstance(condition, AnyTermCondition)
        for term in condition.terms
    )


#: A person of a dimension of ages, of no known age.
UNKNOWN_AGES: Final = {
    unknown.condition.dimension: unknown
    for unknown in map(build_unknown_age_condition, PEOPLE_LISTS.values())
}
