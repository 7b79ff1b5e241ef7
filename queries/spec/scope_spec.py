"""A scope as a request writes it: periods, offences, age bands, mentions and field values. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Annotated, Final

from msgspec import Meta, Struct

from indexer.errors import RequestError
from indexer.records.categories import Categories
from indexer.records.model import MAX_AGE, VICTIMS, Age, PeopleList
from indexer.records.offences import OffenceTable, load_offence_table
from indexer.records.offences.ranges import list_codes, require_codes
from queries.answer.condition_text import abbreviate_codes
from queries.spec.problem import Problem
from queries.spec.term_spec import Wording, find_term_problems, to_mention
from queries.tables.axis_type import Axis
from queries.tables.field_axes import build_field_axis
from queries.tables.field_filter import (
    PEOPLE_FILTERS,
    build_field_filter,
    build_person_filter,
    list_where_fields,
    unknown_field_error,
)
from queries.tables.field_values import describe_ages
from queries.tables.period import Period
from queries.tables.request_axes import build_bands_axis, build_mentions_axis, build_periods_axis
from queries.tables.scope import FieldFilter, Mention, OffenceRow, Scope

MAX_REQUEST_TERMS: Final = 500

#: What the rows beside age bands are called, by their keys and their labels.
_RESERVED_LABELS: Final = (
    "total", "none", "other", "unknown", "any other known age", "age not known",
    "no victim recorded",
)  # fmt: skip


class PeriodSpec(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"start": "from", "end": "to"},
):
    """A period, first and last day included. Without a label it is called by its days."""

    start: date
    end: date
    label: str = ""

    @property
    def period(self) -> Period:
        """The period that is meant."""
        return Period(self.start, self.end, self.label)


class OffenceSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of offences: each code, or each code of a range (19C-19K), with all codes below it.

    Without a label the row is called by the titles of its codes, and the ends of its ranges.
    """

    codes: Annotated[tuple[str, ...], Meta(min_length=1, max_length=100)]
    label: str = ""

    @property
    def row(self) -> OffenceRow:
        """The row, with canonical codes."""
        table = load_offence_table()
        parts = list(dict.fromkeys(list_codes(table, written) for written in self.codes))
        codes = tuple(dict.fromkeys(code for part in parts for code in part))
        titles = (
            table.title(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts
        )
        return OffenceRow(codes, self.label or "; ".join(titles))


class AgeRange(
    Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """Ages in whole years, first and last included: by default from 0, and up to the oldest."""

    start: Age = 0
    end: Age = MAX_AGE


class AgeBand(AgeRange, frozen=True):
    """Ages that are counted together. Without a label the band is called by its ages."""

    label: Annotated[str, Meta(max_length=100)] = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.label or describe_ages(self.start, self.end)

    def holds(self, age: int) -> bool:
        """Whether an age is in the band."""
        return self.start <= age <= self.end


def to_band_bounds(bands: Sequence[AgeBand]) -> tuple[tuple[str, int, int], ...]:
    """Bands as ``build_bands_axis`` takes them: label, first age and last age."""
    return tuple((band.name, band.start, band.end) for band in bands)


PeriodSpecs = Annotated[tuple[PeriodSpec, ...], Meta(max_length=50)]

Wordings = Annotated[tuple[Wording, ...], Meta(max_length=MAX_REQUEST_TERMS)]

#: The terms that one question, or a list of a request, has.
TermList = Annotated[tuple[Wording, ...], Meta(min_length=1, max_length=MAX_REQUEST_TERMS)]

OffenceSpecs = Annotated[tuple[OffenceSpec, ...], Meta(max_length=200)]

AgeBands = Annotated[tuple[AgeBand, ...], Meta(max_length=50)]

FieldValues = Annotated[tuple[str, ...], Meta(min_length=1, max_length=1000)]


class PersonSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one victim, or suspect, of a record must be: of an age, of some sexes, or both."""

    age: AgeRange | None = None
    sex: Annotated[tuple[str, ...], Meta(max_length=10)] = ()

    def build_filter(self, name: str) -> FieldFilter:
        """The filter of a name of ``PEOPLE_FILTERS``. Raises RequestError for an unknown sex."""
        ages = (self.age.start, self.age.end) if self.age else None
        return build_person_filter(PEOPLE_FILTERS[name], ages, self.sex)


#: The values that a field may have, or what a person must be.
WhereValue = FieldValues | PersonSpec


class ScopeSpec(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    omit_defaults=True,
):
    """A scope as written. Each part that is given narrows it.

    ``period`` is one period, ``periods`` are several side by side; ``where`` gives, for each field
    named, the values it may have.
    """

    period: PeriodSpec | None = None
    periods: PeriodSpecs = ()
    mentions: Wordings = ()
    offences: OffenceSpecs = ()
    where: dict[str, WhereValue] = {}

    @property
    def every_period(self) -> tuple[Period, ...]:
        """Its one period, or its several periods."""
        return tuple(spec.period for spec in ((self.period,) if self.period else self.periods))

    @property
    def offence_codes(self) -> frozenset[str]:
        """The codes of its rows of offences. Raises RequestError for a code that is none."""
        return frozenset(code for spec in self.offences for code in spec.row.codes)

    def keep_possible_codes(self, table: OffenceTable, codes: Iterable[str]) -> set[str]:
        """Those of the codes that a record in the scope may have. A code without a known group may
        be of any."""
        groups = self.where.get("offence_group")
        folded_groups = (
            {group.casefold() for group in groups} if isinstance(groups, tuple) else None
        )
        scope_codes = self.offence_codes
        return {
            code
            for code in codes
            if (not scope_codes or not scope_codes.isdisjoint(table.path(code)))
            and (
                folded_groups is None
                or (group := table.group(code)) is None
                or group.casefold() in folded_groups
            )
        }

    @property
    def every_mention(self) -> tuple[Mention, ...]:
        """Every wording as a mention, even if two wordings are the same term."""
        return tuple(map(to_mention, self.mentions))

    def scope_with(self, categories: Categories) -> Scope:
        """The scope that is meant; wordings of the same term become one mention."""
        mentions: dict[tuple[object, ...], Mention] = {}
        for mention in self.every_mention:
            same_mention = mentions.get(mention.key, mention)
            mentions[mention.key] = same_mention.merge_wording(mention)
        return Scope(
            periods=self.every_period,
            offences=tuple(spec.row for spec in self.offences),
            mentions=tuple(mentions.values()),
            field_filters=tuple(
                _build_where_filter(name, value, categories) for name, value in self.where.items()
            ),
            categories=categories,
        )

    def problems(self, categories: Categories) -> Iterator[Problem]:
        """What is wrong beyond the types of the fields."""
        if self.period and self.periods:
            yield Problem(
                ".periods", '"periods" cannot be combined with "period". Keep one of them.'
            )
        if self.period:
            yield from find_period_problems((self.period,), lambda _: ".period")
        yield from find_period_problems(self.periods, ".periods[{}]".format)
        for problem in find_term_problems(self.mentions, "", repeats=True):
            yield Problem(f".mentions{problem.path}", problem.message)
        for number, spec in enumerate(self.offences):
            for index, code in enumerate(spec.codes):
                try:
                    require_codes(load_offence_table(), code)
                except RequestError as error:
                    yield Problem(f".offences[{number}].codes[{index}]", str(error))
        yield from self._repeated_rows()
        for name, value in self.where.items():
            yield from _find_where_problems(name, value, categories)

    def _repeated_rows(self) -> Iterator[Problem]:
        code_sets: set[frozenset[str]] = set()
        for number, spec in enumerate(self.offences):
            codes = frozenset(spec.row.codes)
            if codes in code_sets:
                codes_text = abbreviate_codes(spec.codes)
                yield Problem(
                    f".offences[{number}]",
                    f"a row of the offences {codes_text} is already listed. Remove one.",
                )
            code_sets.add(codes)


def _build_where_filter(name: str, value: WhereValue, categories: Categories) -> FieldFilter:
    """Raises RequestError."""
    if isinstance(value, PersonSpec):
        return value.build_filter(name)
    return build_field_filter(name, value, categories)


def _find_where_problems(name: str, value: WhereValue, categories: Categories) -> Iterator[Problem]:
    """Fields or values that there are not, and conditions on people that say nothing."""
    path = f".where.{name}"
    if isinstance(value, PersonSpec):
        if name not in list_where_fields(categories):
            yield Problem(path, str(unknown_field_error(name, categories)))
            return
        if name not in PEOPLE_FILTERS:
            yield Problem(
                path,
                f"{name} takes a list of values, not age: and sex:, which are of victim: and "
                "suspect:.",
            )
            return
        if not value.age and not value.sex:
            yield Problem(path, f"{name}: says nothing. Give an age, a sex or both.")
            return
        if value.age:
            yield from _find_range_problem(value.age, f"{path}.age")
    try:
        _build_where_filter(name, value, categories)
    except RequestError as error:
        yield Problem(path, str(error))


def find_period_problems(
    periods: Sequence[PeriodSpec], path: Callable[[int], str]
) -> Iterator[Problem]:
    """Periods that end before they start, or that have the same label."""
    labels: set[str] = set()
    for number, spec in enumerate(periods):
        if spec.end < spec.start:
            yield Problem(
                path(number), f"the period ends ({spec.end}) before it starts. Swap the two days."
            )
        if spec.period.label in labels:
            yield Problem(
                path(number), f'the period "{spec.period.label}" is listed twice. Remove one.'
            )
        labels.add(spec.period.label)


def find_band_problems(bands: tuple[AgeBand, ...], path: str) -> Iterator[Problem]:
    """Bands that end before they start, that hold the same ages, or that have the same label."""
    ranges: set[tuple[int, int]] = set()
    names: set[str] = set()
    for number, band in enumerate(bands):
        yield from _find_range_problem(band, f"{path}[{number}]")
        ages = band.start, band.end
        if ages in ranges:
            yield Problem(
                f"{path}[{number}]",
                f"the band of {band.start} to {band.end} is listed twice. Remove one.",
            )
        elif band.name.casefold() in names:
            yield Problem(
                f"{path}[{number}]",
                f'two bands have the label "{band.name}". Give each a label of its own.',
            )
        elif _is_reserved_label(band.label):
            yield Problem(
                f"{path}[{number}]",
                f'the label "{band.label}" is that of another row. Choose another label.',
            )
        ranges.add(ages)
        names.add(band.name.casefold())


def _is_reserved_label(label: str) -> bool:
    """Whether a label would be taken for the name of another row, or for a row's key."""
    return label.startswith("#") or label.casefold() in _RESERVED_LABELS


def _find_range_problem(ages: AgeRange, path: str) -> Iterator[Problem]:
    if ages.start > ages.end:
        yield Problem(path, f"the band runs from {ages.start} to {ages.end}. Swap the two ages.")


class AxisSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One side of a table: exactly one of a field, keywords, age bands or periods."""

    by: str | None = None
    keywords: Wordings = ()
    bands: AgeBands = ()
    periods: PeriodSpecs = ()

    def axis(self, scope: Scope, people: PeopleList = VICTIMS) -> Axis:
        """The axis that is meant; ``people`` are those whom a sex or an age describes.

        Raises RequestError if there is no such field.
        """
        if self.keywords:
            return build_mentions_axis(tuple(map(to_mention, self.keywords)))
        if self.bands:
            return build_bands_axis(to_band_bounds(self.bands), people)
        if self.periods:
            return build_periods_axis([spec.period for spec in self.periods])
        return build_field_axis(self.by or "", scope, people)

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """What is wrong beyond the types of the fields."""
        sources = [self.by, self.keywords, self.bands, self.periods]
        if sum(map(bool, sources)) != 1:
            yield Problem(
                "", "a side of a table is one of by:, keywords:, bands: and periods:. Keep one."
            )
            return
        yield from find_term_problems(self.keywords, ".keywords", repeats=False)
        yield from find_band_problems(self.bands, ".bands")
        yield from find_period_problems(self.periods, ".periods[{}]".format)
        if self.by:
            try:
                build_field_axis(self.by, scope)
            except RequestError as error:
                yield Problem(".by", str(error))


def parse_axis_spec(written: str | AxisSpec) -> AxisSpec:
    """The axis as an AxisSpec; a plain name is that of a field."""
    return AxisSpec(by=written) if isinstance(written, str) else written
