"""What a request and a narrower question may say of their scope, as the file has it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta, Struct

from indexer import offences
from indexer.categories import Categories
from indexer.errors import RequestError
from indexer.records import Age
from queries import conditions, fields, wording
from queries.fields import Axis
from queries.problems import Problem
from queries.scope import Mention, OffenceRow, Period, Scope
from queries.wording import Wording

MAX_TERMS: Final = 500
OLDEST: Final = 120


class PeriodSpec(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"start": "from", "end": "to"},
):
    """Both days are included. Without a label the days are its name."""

    start: date
    end: date
    label: str = ""

    @property
    def period(self) -> Period:
        """The period it is."""
        return Period(self.start, self.end, self.label)


class OffenceSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One row: each code with all below it. Without a label the codes' titles are used."""

    codes: Annotated[tuple[str, ...], Meta(min_length=1, max_length=100)]
    label: str = ""

    @property
    def row(self) -> OffenceRow:
        """The row, of canonical codes."""
        table = offences.load()
        codes = tuple(dict.fromkeys(map(table.canonical, self.codes)))
        return OffenceRow(codes, self.label or "; ".join(map(table.title, codes)))


class Band(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Ages in whole years, both ends included; without ``from`` down to 0, without ``to`` up."""

    start: Age = 0
    end: Age = OLDEST

    @property
    def label(self) -> str:
        """The band in words."""
        if self.start == self.end:
            return f"Aged {self.start}"
        if self.start == 0:
            return f"Aged {self.end} and under"
        if self.end == OLDEST:
            return f"Aged {self.start} and over"
        return f"Aged {self.start} to {self.end}"

    def holds(self, age: int) -> bool:
        """Whether an age is in the band."""
        return self.start <= age <= self.end


def as_tuples(bands: Sequence[Band]) -> tuple[tuple[str, int, int], ...]:
    """Bands as ``fields.bands_axis`` takes them: label, first and last age."""
    return tuple((one.label, one.start, one.end) for one in bands)


Periods = Annotated[tuple[PeriodSpec, ...], Meta(max_length=50)]
Terms = Annotated[tuple[Wording, ...], Meta(max_length=MAX_TERMS)]
OffenceRows = Annotated[tuple[OffenceSpec, ...], Meta(max_length=200)]
Bands = Annotated[tuple[Band, ...], Meta(max_length=50)]
Values = Annotated[tuple[str, ...], Meta(min_length=1, max_length=1000)]


class ScopeSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A scope: one period or several side by side, mentions, offences, and ``where``, a list of
    values for each field named."""

    period: PeriodSpec | None = None
    periods: Periods = ()
    mentions: Terms = ()
    offences: OffenceRows = ()
    where: dict[str, Values] = {}

    @property
    def every_period(self) -> tuple[Period, ...]:
        """Its one period, or all that stand side by side."""
        return tuple(one.period for one in ((self.period,) if self.period else self.periods))

    @property
    def every_mention(self) -> tuple[Mention, ...]:
        """Every wording as a mention, also those that are one term."""
        return tuple(map(wording.mention, self.mentions))

    def scope_with(self, categories: Categories) -> Scope:
        """The records it is about; wordings that are one term are one mention."""
        mentions: dict[tuple[object, ...], Mention] = {}
        for one in self.every_mention:
            mentions.setdefault(one.key, one)
        return Scope(
            periods=self.every_period,
            offences=tuple(spec.row for spec in self.offences),
            mentions=tuple(mentions.values()),
            conditions=tuple(
                fields.condition(name, values, categories) for name, values in self.where.items()
            ),
            categories=categories,
        )

    def problems(self, categories: Categories) -> Iterator[Problem]:
        """What is wrong beyond the types."""
        if self.period and self.periods:
            yield Problem(".periods", '"periods" stands beside "period". Keep one of the two.')
        if self.period:
            yield from period_problems((self.period,), lambda _: ".period")
        yield from period_problems(self.periods, ".periods[{}]".format)
        for problem in wording.problems(self.mentions, "", repeats=True):
            yield Problem(f".mentions{problem.path}", problem.message)
        for number, spec in enumerate(self.offences):
            for place, code in enumerate(spec.codes):
                try:
                    offences.load().require(code)
                except RequestError as error:
                    yield Problem(f".offences[{number}].codes[{place}]", str(error))
        yield from self._repeated_rows()
        for name, values in self.where.items():
            try:
                fields.condition(name, values, categories)
            except RequestError as error:
                yield Problem(f".where.{name}", str(error))

    def _repeated_rows(self) -> Iterator[Problem]:
        seen: set[frozenset[str]] = set()
        for number, spec in enumerate(self.offences):
            codes = frozenset(map(offences.load().canonical, spec.codes))
            if codes in seen:
                listed = conditions.few(spec.codes)
                yield Problem(
                    f".offences[{number}]", f"the offences {listed} are a row already. Remove one."
                )
            seen.add(codes)


def period_problems(periods: Sequence[PeriodSpec], path: Callable[[int], str]) -> Iterator[Problem]:
    """Periods that end before they start, or have the same name twice."""
    seen: set[str] = set()
    for number, spec in enumerate(periods):
        if spec.end < spec.start:
            yield Problem(
                path(number), f"the period ends ({spec.end}) before it starts. Turn it round."
            )
        if spec.period.label in seen:
            yield Problem(
                path(number), f'the period "{spec.period.label}" is named twice. Remove one.'
            )
        seen.add(spec.period.label)


def band_problems(bands: tuple[Band, ...], path: str) -> Iterator[Problem]:
    """Bands that are inverted or overlap."""
    for number, band in enumerate(bands):
        if band.start > band.end:
            yield Problem(
                f"{path}[{number}]",
                f"the band runs from {band.start} to {band.end}. Turn it round.",
            )
    ordered = sorted(enumerate(bands), key=lambda item: (item[1].start, item[1].end))
    for (_, lower), (number, upper) in pairwise(ordered):
        if upper.start <= lower.end and lower.start <= lower.end:
            yield Problem(
                f"{path}[{number}]",
                f'the bands "{lower.label}" and "{upper.label}" overlap, so a victim would '
                "count twice. Start each band after the one before it ends.",
            )


class AxisSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One side of a table: exactly one of a field's name, keywords, age bands or periods."""

    by: str | None = None
    keywords: Terms = ()
    bands: Bands = ()
    periods: Periods = ()

    def axis(self, scope: Scope) -> Axis:
        """The axis. Raises RequestError."""
        if self.keywords:
            return fields.mentions_axis(tuple(map(wording.mention, self.keywords)))
        if self.bands:
            return fields.bands_axis(as_tuples(self.bands))
        if self.periods:
            return fields.periods_axis([one.period for one in self.periods])
        return fields.axis(self.by or "", scope)

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """What is wrong beyond the types."""
        given = [self.by, self.keywords, self.bands, self.periods]
        if sum(map(bool, given)) != 1:
            yield Problem(
                "", "a side of a table is one of by:, keywords:, bands: and periods:. Keep one."
            )
            return
        yield from wording.problems(self.keywords, ".keywords", repeats=False)
        yield from band_problems(self.bands, ".bands")
        yield from period_problems(self.periods, ".periods[{}]".format)
        if self.by:
            try:
                fields.axis(self.by, scope)
            except RequestError as error:
                yield Problem(".by", str(error))


def axis_spec(written: str | AxisSpec) -> AxisSpec:
    """A name alone is the field of that name."""
    return AxisSpec(by=written) if isinstance(written, str) else written
