"""Kind ``victims``: how many victims the records in scope have, by age, and the youngest age.

Victims are counted for each record. If every victim has a reference, a second column counts
different people, exactly: the victims, less what those add who occur more than once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Exists, MatchAll, Nested, Query, Term

from indexer.records.model import MAX_AGE
from queries.answer.condition import WITHOUT_REFERENCE, WITHOUT_VICTIM, Condition
from queries.answer.types import Column, FactMeta, QuestionAnswer, Relation, Table, count_or_zero
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

_PEOPLE_COLUMN: Final = Column(_PEOPLE, "Different people", unit=_PEOPLE)


class Victims(Question, frozen=True, tag="victims"):
    """A row for each age band, for known ages outside the bands, and for unknown ages."""

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
        return TableQuery(build_bands_axis(to_band_bounds(self.bands)), None, "victims")

    def build(self, table_query: TableQuery) -> dict[str, aggs.Agg[Any]]:
        """The rows, the youngest age, and the people who are victims more than once."""
        inside: dict[str, Any] = {
            "youngest": aggs.Min(field="victims.age"),
            "referenced": aggs.Filter(Exists(field="victims.victim_ref")),
            "people": build_repeated_people_agg(),
        }
        if self.youngest_sex:
            inside["youngest_by_sex"] = aggs.Filters(
                filters=_build_sex_queries(), aggs={"age": aggs.Min(field="victims.age")}
            )
        return {
            **super().build(table_query),
            "victims": aggs.Nested(path="victims", aggs=inside),
            "without": aggs.Filter(none_of([Nested(path="victims", query=MatchAll())])),
        }

    def parse(self, response: dict[str, Any], table_query: TableQuery) -> QuestionAnswer:
        """Read the rows, and the people from those who occur more than once."""
        table = table_query.parse_response(response)
        victims = response["victims"]
        number = victims["doc_count"]
        unreferenced = number - victims["referenced"]["doc_count"]
        people = None
        if not unreferenced:
            people = _count_people(table, victims["people"][REPEATED_AGES], self.bands)
            table = _add_people_column(table, people)
        table = msgspec.structs.replace(table, relations=_build_victim_relations(table))
        facts: dict[str, Any] = {
            "offences": response["doc_count"],
            "offences_without_victim": response["without"]["doc_count"],
        }
        figures = [
            FactMeta("offences"),
            FactMeta("offences_without_victim", means=(WITHOUT_VICTIM.text,)),
        ]
        if unreferenced:
            facts["victims_without_reference"] = unreferenced
            figures.append(
                FactMeta("victims_without_reference", "victims", (WITHOUT_REFERENCE.text,))
            )
        if self.youngest:
            youngest = victims["youngest"]["value"]
            facts["youngest"] = None if youngest is None else int(youngest)
            if self.youngest_sex:
                facts["youngest_sex"] = _describe_youngest_sex(
                    youngest, victims["youngest_by_sex"]["buckets"]
                )
        notes = _write_victim_notes(number, unreferenced, response["without"]["doc_count"])
        if people is not None:
            notes += _write_people_notes(number, people, overlap=not table_query.rows.partition)
        return self.make_answer(
            table, response, table_query, facts=facts, figures=tuple(figures), notes=notes
        )

    def list_columns(self, table_query: TableQuery) -> list[Column]:
        """The victims, and the different people they are."""
        return [*super().list_columns(table_query), _PEOPLE_COLUMN]

    def record_query(self, row: str, column: str | None, table_query: TableQuery) -> Query:
        """The records behind a row; those of different people are those of the victims."""
        return super().record_query(row, _without_people(column), table_query)

    def cell_conditions(
        self, row: str, column: str | None, table_query: TableQuery
    ) -> tuple[Condition, ...]:
        """The conditions of a row; those of different people are those of the victims."""
        return super().cell_conditions(row, _without_people(column), table_query)


_NO_SEX: Final = "none"


def _build_sex_queries() -> dict[str, Query]:
    """The victims of each sex, and those whose sex is not recorded."""
    queries: dict[str, Query] = {sex: Term(victims__sex=sex) for sex in SEX_WORDS}
    return {**queries, _NO_SEX: none_of([Exists(field="victims.sex")])}


def _describe_youngest_sex(youngest: float | None, buckets: dict[str, Any]) -> str | None:
    """The sexes of the victims of the youngest age: "female", "female and male"."""
    if youngest is None:
        return None
    words = {**SEX_WORDS, _NO_SEX: "of a sex that is not recorded"}
    sexes = [text for sex, text in words.items() if buckets[sex]["age"]["value"] == youngest]
    return " and ".join(filter(None, [", ".join(sexes[:-1]), *sexes[-1:]]))


def _without_people(column: str | None) -> str | None:
    """The name of a column, or None for that of the different people."""
    of_people = column is not None and is_column_called(_PEOPLE_COLUMN, column)
    return None if of_people else column


def _build_victim_relations(table: Table) -> tuple[Relation, ...]:
    """What is certain: victims add up unless bands overlap; a person may have several ages."""
    keys = tuple(row.key for row in table.rows)
    people = any(column.key == _PEOPLE for column in table.columns)
    return (
        *(msgspec.structs.replace(relation, only=("victims",)) for relation in table.relations),
        *([Relation("union", TOTAL_KEY, keys, only=(_PEOPLE,))] if people else []),
        Relation("at_most", "offences", ("offences_without_victim",), only=("victims",)),
        Relation("at_least", "offences", (TOTAL_KEY, "offences_without_victim"), only=("victims",)),
    )


def _add_people_column(table: Table, people: list[int]) -> Table:
    """The table with a column of different people: of each row, and in total."""
    rows = [
        msgspec.structs.replace(row, counts=(*row.counts, number))
        for row, number in zip((*table.rows, table.total), people, strict=True)
    ]
    columns = (*table.columns, _PEOPLE_COLUMN)
    return msgspec.structs.replace(table, columns=columns, rows=tuple(rows[:-1]), total=rows[-1])


def _count_people(
    table: Table, repeated_ages: Sequence[Sequence[int | None]], bands: tuple[AgeBand, ...]
) -> list[int]:
    """The different people in each band, of another age, of unknown age, and in total.

    ``table`` counts the victims, and ``repeated_ages`` are the ages of each person who occurs more
    than once.
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


def _write_people_notes(number: int, people: list[int], *, overlap: bool) -> tuple[str, ...]:
    """Why the people are fewer than the victims, and than the people of the rows."""
    notes = []
    if people[-1] != number:
        notes.append(
            "A person who is a victim in several records counts once for each record as a victim, "
            "and once in all as a person."
        )
    if sum(people[:-1]) > people[-1] and not overlap:
        notes.append(
            "The people of the rows add up to more than their total, because a person's "
            "age may differ between records. The total counts each person once."
        )
    return tuple(notes)


def _write_victim_notes(number: int, unreferenced: int, without_victim: int) -> tuple[str, ...]:
    notes = []
    if without_victim:
        number_in_words = capitalise_sentence(spell_number(without_victim))
        notes.append(
            f"{number_in_words} records have no victim and are in no row."
            if without_victim > 1
            else "One record has no victim and is in no row."
        )
    if unreferenced:
        notes.append(
            f"Different people are not counted: {unreferenced:,} of {number:,} victims have no "
            "reference to tell them by."
        )
    return tuple(notes)
