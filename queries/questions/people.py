"""Kinds ``victims`` and ``suspects``: how many people of a list the records in scope have, by age,
and the youngest age.

They are counted for each record. If every one of them has a reference, a second column counts
different people, exactly: the people of the list, less what those add who occur more than once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Exists, MatchAll, Nested, Query, Term

from indexer.records.model import MAX_AGE, SUSPECTS, VICTIMS, PeopleList
from queries.answer.condition import WITHOUT_PEOPLE, WITHOUT_REFERENCE, Condition
from queries.answer.types import (
    PEOPLE_OF_LIST,
    Column,
    FactMeta,
    QuestionAnswer,
    Relation,
    Table,
    count_or_zero,
)
from queries.layout.prose import capitalise_sentence, spell_number
from queries.questions.base import Question
from queries.questions.repeated_people import REPEATED_AGES, build_repeated_people_agg
from queries.spec.problem import Problem
from queries.spec.scope_spec import AgeBand, AgeBands, find_band_problems, to_band_bounds
from queries.tables.field_values import SEX_WORDS
from queries.tables.request_axes import build_bands_axis
from queries.tables.scope import Scope, none_of
from queries.tables.table_query import TOTAL_KEY, TableQuery, is_column_called

_PEOPLE: Final = "people"

_PEOPLE_LABEL: Final = "Different people"


class PeopleQuestion(Question, frozen=True):
    """A row for each age band, for known ages outside the bands, and for unknown ages.

    Each kind counts the people of one list of a record.
    """

    people: ClassVar[PeopleList]

    bands: AgeBands = ()
    youngest: bool = False
    youngest_sex: bool = False

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Bands that end before they start, or that are listed twice."""
        del scope
        if self.youngest_sex and not self.youngest:
            yield Problem(
                ".youngest_sex", "youngest_sex: adds to youngest: true. Ask for that as well."
            )
        yield from find_band_problems(self.bands, ".bands")

    def table_query(self, scope: Scope) -> TableQuery:
        """The bands as rows."""
        del scope
        rows = build_bands_axis(to_band_bounds(self.bands), self.people)
        return TableQuery(rows, None, self.people.field)

    def build(self, table_query: TableQuery) -> dict[str, aggs.Agg[Any]]:
        """The rows, the youngest age, and the people who are in the list more than once."""
        path = self.people.field
        inside: dict[str, Any] = {
            "youngest": aggs.Min(field=f"{path}.age"),
            "referenced": aggs.Filter(Exists(field=f"{path}.{self.people.reference}")),
            "people": build_repeated_people_agg(self.people),
        }
        if self.youngest_sex:
            inside["youngest_by_sex"] = aggs.Filters(
                filters=_build_sex_queries(path), aggs={"age": aggs.Min(field=f"{path}.age")}
            )
        return {
            **super().build(table_query),
            path: aggs.Nested(path=path, aggs=inside),
            "without": aggs.Filter(none_of([Nested(path=path, query=MatchAll())])),
        }

    def parse(self, response: dict[str, Any], table_query: TableQuery) -> QuestionAnswer:
        """Read the rows, and the people from those who occur more than once."""
        table = table_query.parse_response(response)
        entries = response[self.people.field]
        number = entries["doc_count"]
        unreferenced = number - entries["referenced"]["doc_count"]
        people = None
        if not unreferenced:
            people = _count_people(table, entries["people"][REPEATED_AGES], self.bands)
            table = _add_people_column(table, people, self._people_column)
        table = msgspec.structs.replace(
            table, relations=_build_people_relations(table, self.people.field, self._without)
        )
        unit, nameless = self.people.field, f"{self.people.field}_without_reference"
        facts: dict[str, Any] = {
            "offences": response["doc_count"],
            self._without: response["without"]["doc_count"],
        }
        figures = [
            FactMeta("offences"),
            FactMeta(self._without, means=(WITHOUT_PEOPLE[unit].text,)),
        ]
        if unreferenced:
            facts[nameless] = unreferenced
            figures.append(FactMeta(nameless, unit, (WITHOUT_REFERENCE.text,)))
        if self.youngest:
            youngest = entries["youngest"]["value"]
            facts["youngest"] = None if youngest is None else int(youngest)
            if self.youngest_sex:
                facts["youngest_sex"] = _describe_youngest_sex(
                    youngest, entries["youngest_by_sex"]["buckets"]
                )
        notes = self._write_notes(number, unreferenced, response["without"]["doc_count"])
        if people is not None:
            notes += _write_people_notes(
                number, people, self.people.singular, overlap=not table_query.rows.partition
            )
        return self.make_answer(
            table, response, table_query, facts=facts, figures=tuple(figures), notes=notes
        )

    def list_columns(self, table_query: TableQuery) -> list[Column]:
        """The people of the list, and the different people they are."""
        return [*super().list_columns(table_query), self._people_column]

    def record_query(self, row: str, column: str | None, table_query: TableQuery) -> Query:
        """The records behind a row; those of different people are those of the list."""
        return super().record_query(row, self._drop_people(column), table_query)

    def cell_conditions(
        self, row: str, column: str | None, table_query: TableQuery
    ) -> tuple[Condition, ...]:
        """The conditions of a row; those of different people are those of the list."""
        return super().cell_conditions(row, self._drop_people(column), table_query)

    @property
    def _people_column(self) -> Column:
        return Column(_PEOPLE, _PEOPLE_LABEL, unit=PEOPLE_OF_LIST[self.people.field])

    @property
    def _without(self) -> str:
        """The fact that counts the records without anybody in the list."""
        return f"offences_without_{self.people.singular}"

    def _drop_people(self, column: str | None) -> str | None:
        """The name of a column, or None for that of the different people."""
        of_people = column is not None and is_column_called(self._people_column, column)
        return None if of_people else column

    def _write_notes(self, number: int, unreferenced: int, without: int) -> tuple[str, ...]:
        people = self.people
        notes = []
        if without:
            notes.append(
                f"{capitalise_sentence(spell_number(without))} records have no {people.singular} "
                "and are in no row."
                if without > 1
                else f"One record has no {people.singular} and is in no row."
            )
        if unreferenced:
            who = (
                f"{unreferenced:,} of {number:,} {people.field} have no"
                if unreferenced < number
                else f"no {people.singular} has a"
            )
            notes.append(f"Different people are not counted: {who} reference to tell them by.")
        return tuple(notes)


class Victims(PeopleQuestion, frozen=True, tag="victims"):
    """The victims of the records."""

    people = VICTIMS


class Suspects(PeopleQuestion, frozen=True, tag="suspects"):
    """The suspects of the records."""

    people = SUSPECTS


_NO_SEX: Final = "none"


def _build_sex_queries(path: str) -> dict[str, Query]:
    """The people of a list of each sex, and those whose sex is not recorded."""
    field = f"{path}.sex"
    queries: dict[str, Query] = {sex: Term(**{field: sex}) for sex in SEX_WORDS}
    return {**queries, _NO_SEX: none_of([Exists(field=field)])}


def _describe_youngest_sex(youngest: float | None, buckets: dict[str, Any]) -> str | None:
    """The sexes of the people of the youngest age: "female", "female and male"."""
    if youngest is None:
        return None
    words = {**SEX_WORDS, _NO_SEX: "of a sex that is not recorded"}
    sexes = [text for sex, text in words.items() if buckets[sex]["age"]["value"] == youngest]
    return " and ".join(filter(None, [", ".join(sexes[:-1]), *sexes[-1:]]))


def _build_people_relations(table: Table, unit: str, without: str) -> tuple[Relation, ...]:
    """What is certain: people of a list add up unless bands overlap; a person may have several
    ages. ``without`` is the fact that counts the records without any."""
    keys = tuple(row.key for row in table.rows)
    people = any(column.key == _PEOPLE for column in table.columns)
    return (
        *(msgspec.structs.replace(relation, only=(unit,)) for relation in table.relations),
        *([Relation("union", TOTAL_KEY, keys, only=(_PEOPLE,))] if people else []),
        Relation("at_most", "offences", (without,), only=(unit,)),
        Relation("at_least", "offences", (TOTAL_KEY, without), only=(unit,)),
    )


def _add_people_column(table: Table, people: list[int], column: Column) -> Table:
    """The table with its column of different people: of each row, and in total."""
    rows = [
        msgspec.structs.replace(row, counts=(*row.counts, number))
        for row, number in zip((*table.rows, table.total), people, strict=True)
    ]
    columns = (*table.columns, column)
    return msgspec.structs.replace(table, columns=columns, rows=tuple(rows[:-1]), total=rows[-1])


def _count_people(
    table: Table, repeated_ages: Sequence[Sequence[int | None]], bands: tuple[AgeBand, ...]
) -> list[int]:
    """The different people in each band, of another age, of unknown age, and in total.

    ``table`` counts the people of the list, and ``repeated_ages`` are the ages of each person who
    occurs more than once.
    """
    people = [count_or_zero(row.counts[0]) for row in (*table.rows, table.total)]
    rows_by_age: dict[int | None, list[int]] = {
        age: [row for row, band in enumerate(bands) if band.start <= age <= band.end]
        or [len(bands)]
        for age in range(MAX_AGE + 1)
    }
    rows_by_age[None] = [len(bands) + 1]
    for ages in repeated_ages:
        people[-1] -= len(ages) - 1
        for row, entries in Counter(row for age in ages for row in rows_by_age[age]).items():
            people[row] -= entries - 1
    return people


def _write_people_notes(
    number: int, people: list[int], singular: str, *, overlap: bool
) -> tuple[str, ...]:
    """Why the people are fewer than the entries of the list, and than the people of the rows."""
    notes = []
    if people[-1] != number:
        notes.append(
            f"A person who is a {singular} in several records counts once for each record as a "
            f"{singular}, and once in all as a person."
        )
    if sum(people[:-1]) > people[-1] and not overlap:
        notes.append(
            "The people of the rows add up to more than their total, because a person's "
            "age may differ between records. The total counts each person once."
        )
    return tuple(notes)
