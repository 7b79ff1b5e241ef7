"""An answer that contradicts itself is not given, and the message names the place."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import InexactError
from queries.answer.condition_text import parse_condition
from queries.answer.inference import covers_condition
from queries.answer.types import Answer, Column, NotedSum, QuestionAnswer, Relation, Row, Table
from queries.disclosure.attack.constraints import Population
from queries.disclosure.consistency import check_consistency
from queries.disclosure.populations import list_printed_cells
from tests.support.tables import Record, a_record, answer, keywords, linked, offences, victims

replace = msgspec.structs.replace

RECORDS = [
    *(a_record("21", "Snapchat", "Skype", ages=(9, 16)) for _ in range(4)),
    *(a_record("22B", "Snapchat", ages=(None,)) for _ in range(7)),
    *(a_record("88E") for _ in range(3)),
]

CODES = ["21", "22B", "88E"]


def asked(records: list[Record] = RECORDS) -> Answer:
    return answer(
        records,
        offences(records, CODES),
        keywords(records, ["Snapchat", "Skype"], CODES),
        linked(min(5, len(records)), len(records)),
        victims(records),
        codes=CODES,
    )


def changed(place: int, question: QuestionAnswer) -> Answer:
    whole = asked()
    questions = [*whole.questions]
    questions[place] = question
    return replace(whole, questions=tuple(questions))


def with_count(table: Table, row: int, column: int, number: int) -> Table:
    rows = [*table.rows, table.total]
    counts = [*rows[row].counts]
    counts[column] = number
    rows[row] = replace(rows[row], counts=tuple(counts))
    return replace(table, rows=tuple(rows[:-1]), total=rows[-1])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(CODES),
            st.frozensets(st.sampled_from(["Snapchat", "Skype"])),
            st.lists(st.sampled_from([None, 9, 13, 16, 30]), max_size=2).map(tuple),
        ),
        max_size=20,
    )
)
def test_numbers_counted_from_records_agree(records: list[Record]) -> None:
    check_consistency(asked(records))


@pytest.mark.parametrize(
    ("place", "row", "column", "number", "message"),
    [
        (0, 0, 0, 5, "Q1, Title of 21, Offences: 5, but 4 for the same at scope, Title of 21"),
        (0, -1, 0, 15, "Q1, All offences asked about, Offences: 15, but 14 for the same"),
        (1, 0, 1, 5, "Q2, Snapchat: 5 "),  # more than the row's columns add up to
        (1, 2, 1, 2, r"Q2, 21: 4 \+ 2 - 4 is 2"),  # none of the words, but less so in a column
        (2, 1, 0, 8, r"Q3, Offences: 5 \+ 8 - 14 is -1, where at least 0 is right"),
        (3, 0, 0, 3, r"Q4, Victims: 3 \+ 0 \+ 4 \+ 0 \+ 7 - 15 is -1"),
        (3, 0, 0, -1, "Q4, Aged 0 to 11, Victims: -1 is less than 0"),
    ],
)
def test_a_number_that_disagrees_is_named(
    place: int, row: int, column: int, number: int, message: str
) -> None:
    question = asked().questions[place]
    wrong = replace(question, table=with_count(question.table, row, column, number))
    with pytest.raises(InexactError, match=message):
        check_consistency(changed(place, wrong))


def test_a_contradiction_that_is_stated_twice_is_told_once() -> None:
    question = asked().questions[2]
    table = with_count(question.table, 1, 0, 8)

    def told(relations: tuple[Relation, ...]) -> str:
        wrong = replace(question, table=replace(table, relations=relations))
        with pytest.raises(InexactError, match="Q3, Offences: 5") as refused:
            check_consistency(changed(2, wrong))
        return str(refused.value)

    assert told(table.relations * 2) == told(table.relations)


def test_a_printed_sum_that_is_not_the_sum_of_its_rows_is_refused() -> None:
    """The published failure: 245 where the rows give 244."""
    rows = [Row(str(n), f"Row {n}", (count,)) for n, count in enumerate((144, 60, 40))]
    table = Table(
        "Row",
        (Column("offences", "Offences"),),
        tuple(rows),
        Row("total", "All", (245,), "total"),
        (Relation("sum", "total", ("0", "1", "2")),),
    )
    records = [a_record() for _ in range(245)]
    with pytest.raises(InexactError, match=r"144 \+ 60 \+ 40 - 245 is -1"):
        check_consistency(answer(records, QuestionAnswer("Q1", "by", "", table)))


@pytest.mark.parametrize(
    ("noted", "message"),
    [
        (NotedSum(19, 14), "numbers add up to 19, but none do"),
        (NotedSum(18, 15), "a total of 15, which is not in the table"),
    ],
)
def test_a_sum_that_a_note_states_is_one_of_the_table(noted: NotedSum, message: str) -> None:
    question = asked().questions[1]
    assert question.sums == (NotedSum(18, 14),)
    wrong = replace(question, sums=(noted,), notes=(f"The rows {noted.text}",))
    with pytest.raises(InexactError, match=message):
        check_consistency(changed(1, wrong))


@pytest.mark.parametrize(
    "note",
    [
        "The rows add up to 19, more than the total of 14",
        "The rows add up to 18, more than the total of 15",
    ],
)
def test_a_sum_in_words_is_the_sum_in_figures(note: str) -> None:
    question = asked().questions[1]
    assert question.notes[0].startswith("The rows add up to 18, more than the total of 14")
    message = 'no note says that numbers "add up to 18, more than the total of 14"'
    with pytest.raises(InexactError, match=message):
        check_consistency(changed(1, replace(question, notes=(note,))))


def test_bands_that_overlap_are_refused() -> None:
    """The published failure: 16 to 26 and 26 and over."""
    with pytest.raises(InexactError, match='"Aged 16 to 26" and "Aged 26 to 120" overlap'):
        check_consistency(changed(3, victims(RECORDS, [(16, 26), (26, 120)])))


def test_bands_with_a_gap_need_a_row_for_it() -> None:
    question = asked().questions[3]
    table = question.table
    rows = tuple(row for row in table.rows if row.kind != "other")
    relations = (Relation("sum", "total", tuple(row.key for row in rows)),)
    gap = replace(question, table=replace(table, rows=rows, relations=relations))
    with pytest.raises(InexactError, match="Q4: the bands leave ages out"):
        check_consistency(changed(3, gap))


def test_a_relation_names_what_the_table_has() -> None:
    question = asked().questions[0]
    table = replace(question.table, relations=(Relation("sum", "total", ("nine",)),))
    with pytest.raises(InexactError, match="names 'nine'"):
        check_consistency(changed(0, replace(question, table=table)))


def test_a_table_without_relations_is_taken_to_overlap() -> None:
    rows = (Row("0", "A", (9,)), Row("1", "B", (8,)))
    column = Column("offences", "Offences")
    records = [a_record() for _ in range(12)]

    def of(total: int) -> Answer:
        table = Table("Row", (column,), rows, Row("total", "All", (total,), "total"))
        return answer(records[:total], QuestionAnswer("Q1", "by", "", table))

    check_consistency(of(12))
    with pytest.raises(InexactError, match="Q1, Offences: 9 - 8 is 1, where at most 0"):
        check_consistency(of(8))


def test_one_population_is_one_number_wherever_it_stands() -> None:
    places: dict[Population, list[str]] = {}
    for cell in list_printed_cells(asked()):
        places.setdefault(cell.population, []).append(cell.location)
    assert ["scope, Title of 21", "Q1, Title of 21, Offences", "Q2, All offences asked about, 21"] in places.values()  # fmt: skip
    assert any({"scope, records", "Q3, All offences asked about, Offences", "Q4, offences"} <= set(one) for one in places.values())  # fmt: skip


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("age:0-17", "age:0-15", True),
        ("age:0-15", "age:0-17", False),
        ("age:0-15", "age:0-15", False),
        ("age:0-15", "period:2017-04-01/2018-03-31", False),
        ("period:/", "period:2017-04-01/2018-03-31", True),
        ("period:2017-04-01/2018-03-31", "period:2017-04-01/2018-02-28", True),
        ("offence:88A", "offence:88/1", True),
        ("offence:88", "offence:88A", True),
        ("offence:88/1", "offence:88A", False),
        ("offence:21,22B", "offence:22B", True),
        ("linked:86", "linked:86/2", True),
        ("term:a|b", "term:a", True),
        ("sex:F", "sex:M", False),
    ],
)
def test_one_condition_may_cover_another(wide: str, narrow: str, covered: bool) -> None:  # noqa: FBT001
    assert covers_condition(parse_condition(wide), parse_condition(narrow)) is covered
