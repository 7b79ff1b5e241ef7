"""Kind ``victims``: how many victims the records in scope have, by age, and the youngest age.

Victims are counted per record. Where every victim has a reference, a second column counts distinct
people: exactly, by reading every reference and age from a composite aggregation.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar

from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Exists, MatchAll, Query, Range
from elasticsearch.dsl.query import Nested as NestedQuery
from msgspec import Meta, Struct

from indexer.records import Age
from queries.answer import Column, Figure, QuestionAnswer, Relation, Row, Table
from queries.problems import Problem
from queries.questions.base import Question, bucketed, counts
from queries.scope import Scope, all_of, none_of

_PAGE = 10_000
_OLDEST = 120


class Band(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Ages in whole years, both ends included; without ``from`` down to 0, without ``to`` up."""

    start: Age = 0
    end: Age = _OLDEST

    @property
    def label(self) -> str:
        """The band in words."""
        if self.start == self.end:
            return f"Aged {self.start}"
        if self.start == 0:
            return f"Aged {self.end} and under"
        if self.end == _OLDEST:
            return f"Aged {self.start} and over"
        return f"Aged {self.start} to {self.end}"

    @property
    def means(self) -> str:
        """The condition of its victims."""
        return f"age:{self.start}-{self.end}"

    def holds(self, age: int) -> bool:
        """Whether an age is in the band."""
        return self.start <= age <= self.end


class Victims(Question, frozen=True, tag="victims"):
    """A row for each band, for known ages outside every band, and for unknown ages."""

    bands: Annotated[tuple[Band, ...], Meta(max_length=50)] = ()
    youngest: bool = False

    PAGED: ClassVar[str | None] = "people"

    def problems(self) -> Iterator[Problem]:
        """Bands that are inverted or overlap."""
        for number, band in enumerate(self.bands):
            if band.start > band.end:
                yield Problem(
                    f".bands[{number}]",
                    f"the band runs from {band.start} to {band.end}. Turn it round.",
                )
        ordered = sorted(enumerate(self.bands), key=lambda item: (item[1].start, item[1].end))
        for (_, lower), (number, upper) in pairwise(ordered):
            if upper.start <= lower.end and lower.start <= lower.end:
                yield Problem(
                    f".bands[{number}]",
                    f'the bands "{lower.label}" and "{upper.label}" overlap, so a victim would '
                    "count twice. Start each band after the one before it ends.",
                )

    def build(self, scope: Scope) -> dict[str, aggs.Agg[Any]]:
        """Inside the victims: rows, the youngest, and every reference with its age."""
        del scope
        people: list[Any] = [
            {"person": {"terms": {"field": "victims.victim_ref"}}},
            {"age": {"terms": {"field": "victims.age", "missing_bucket": True}}},
        ]
        inside: dict[str, Any] = {
            "rows": bucketed(self._rows()),
            "youngest": aggs.Min(field="victims.age"),
            "referenced": aggs.Filter(Exists(field="victims.victim_ref")),
            "people": aggs.Composite(size=_PAGE, sources=people),
        }
        return {
            "victims": aggs.Nested(path="victims", aggs=inside),
            "without": aggs.Filter(none_of([NestedQuery(path="victims", query=MatchAll())])),
        }

    def _rows(self) -> list[Query]:
        known = Exists(field="victims.age")
        bands: list[Query] = [
            Range(**{"victims.age": {"gte": band.start, "lte": band.end}}) for band in self.bands
        ]
        return [*bands, all_of([known, none_of(bands)]) if bands else known, none_of([known])]

    def parse(self, found: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """Read the rows; "people" holds the buckets of all pages."""
        del scope
        victims = found["victims"]
        number = victims["doc_count"]
        unreferenced = number - victims["referenced"]["doc_count"]
        people = _people(victims["people"]["buckets"], self.bands) if not unreferenced else None
        *bands, other, unknown = counts(victims["rows"])
        columns = [Column("victims", "Victims", unit="victims")]
        if people is not None:
            columns.append(Column("people", "Different people", unit="people"))
        cells = [
            (count, *([people[place]] if people is not None else []))
            for place, count in enumerate([*bands, other, unknown, number])
        ]
        rows = [
            Row(str(place), band.label, cells[place], means=band.means)
            for place, band in enumerate(self.bands)
        ]
        outside = "Any other known age" if self.bands else "Age known"
        others = ",".join(sorted(band.means for band in self.bands))
        elsewhere = f"age outside:{others}" if others else Band().means
        rows.append(Row("other", outside, cells[-3], kind="other", means=elsewhere))
        rows.append(Row("unknown", "Age not known", cells[-2], kind="unknown", means="age unknown"))
        keys = tuple(row.key for row in rows)
        without = found["without"]["doc_count"]
        youngest = victims["youngest"]["value"]
        return QuestionAnswer(
            id=self.id,
            kind="victims",
            text=self.text,
            table=Table(
                heading="Age of victim",
                columns=tuple(columns),
                rows=tuple(rows),
                total=Row("total", "All victims", cells[-1], kind="total"),
                relations=(
                    Relation("sum", "total", keys, only=("victims",)),
                    *([Relation("union", "total", keys, only=("people",))] if people else []),
                    Relation("at_most", "offences", ("offences_without_victim",)),
                    Relation(
                        "at_least",
                        "offences",
                        ("total", "offences_without_victim"),
                        only=("victims",),
                    ),
                ),
            ),
            facts={
                "offences": found["doc_count"],
                "offences_without_victim": without,
                **({"victims_without_reference": unreferenced} if unreferenced else {}),
                **(
                    {"youngest": None if youngest is None else int(youngest)}
                    if self.youngest
                    else {}
                ),
            },
            figures=(
                Figure("offences"),
                Figure("offences_without_victim", means="without victim"),
                *(
                    [Figure("victims_without_reference", "victims", "victim_ref none")]
                    if unreferenced
                    else []
                ),
            ),
            notes=_notes(number, unreferenced, people, without),
        )


def _people(buckets: list[dict[str, Any]], bands: tuple[Band, ...]) -> list[int]:
    """Distinct people in each band, of another age, of unknown age, and in all."""
    rows: list[set[str]] = [set() for _ in range(len(bands) + 3)]
    row_of: dict[int | None, set[str]] = {
        age: next((rows[place] for place, band in enumerate(bands) if band.holds(age)), rows[-3])
        for age in range(_OLDEST + 1)
    }
    row_of[None] = rows[-2]
    for bucket in buckets:
        key = bucket["key"]
        row_of[key["age"]].add(key["person"])
    rows[-1] = set().union(*rows)
    return [len(row) for row in rows]


def _notes(
    number: int, unreferenced: int, people: list[int] | None, without: int
) -> tuple[str, ...]:
    notes = []
    if without:
        notes.append(
            f"{without:,} records have no victim and are in no row."
            if without > 1
            else "One record has no victim and is in no row."
        )
    if people is not None and people[-1] != number:
        notes.append(
            "A person who is a victim in several records counts once for each record as a victim, "
            "and once in all as a person."
        )
    if people is not None and sum(people[:-1]) > people[-1]:
        notes.append(
            "The people of the rows add up to more than their total, because a person's "
            "age may differ between records. The total counts each person once."
        )
    if unreferenced:
        notes.append(
            f"Different people are not counted: {unreferenced:,} of {number:,} victims have no "
            "reference to tell them by."
        )
    return tuple(notes)
