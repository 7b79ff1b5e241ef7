"""What is not covered is not a number: in answers of every kind, in JSON and in rows, by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from indexer.records.coverage import Coverage
from queries import api
from queries.answer.cells import compare_numbers, list_cells
from queries.answer.types import NOT_COVERED, Answer, build_answer_schema, format_json
from queries.answering.coverage import apply_coverage
from queries.disclosure.consistency import check_consistency
from queries.evidence.membership import build_membership
from queries.request.reader import Request, parse_request
from tests.support.examples import examples
from tests.support.fake_search import answer, day
from tests.support.kinds import QUESTIONS, SCOPES, asking, records

#: From 10 April 2018 to 1 February 2019.
COVERAGE = Coverage(date(2018, 4, 10), date(2019, 2, 1), inferred=("from", "to"))

DAYS = ("2018-04-10", "2018-05-01", "2018-12-01", "2019-02-01")

RECORDS = [
    {
        "crime_ref": f"R{number}",
        "recorded_on": recorded_on,
        "offence_code": "22B",
        "narrative": "beta" if number % 2 else "alpha",
        "victims": [{"age": 10 + number, "victim_ref": f"V{number}"}],
    }
    for number, recorded_on in enumerate(DAYS)
]

NO = NOT_COVERED


def request(questions: str, period: str = "period: {from: 2012-04-01, to: 2019-03-31}") -> Request:
    return parse_request(f"reference: FOI/1\ntitle: T\n{period}\nquestions:\n  - {questions}\n")


def counts(found: Answer) -> dict[str, tuple[Any, ...]]:
    return {row.label: row.counts for row in found.questions[0].table.rows_and_total}


def test_years_before_the_records_are_not_covered_and_the_total_counts_what_there_is() -> None:
    found = answer(request("{id: Q1, kind: by, by: financial_year}"), RECORDS, COVERAGE)
    assert counts(found) == {
        **{f"{year}/{year + 1 - 2000}": (NO,) for year in range(2012, 2018)},
        "2018/19": (4,),
        "All offences asked about": (4,),
    }
    assert found.scope.records == 4
    assert found.coverage == COVERAGE


def test_a_month_inside_the_coverage_without_a_record_is_0() -> None:
    found = answer(
        request("{id: Q1, kind: by, by: month}", "period: {from: 2018-03-01, to: 2018-06-30}"),
        RECORDS,
        COVERAGE,
    )
    assert counts(found) == {
        "March 2018": (NO,),
        "April 2018": (1,),
        "May 2018": (1,),
        "June 2018": (0,),
        "All offences asked about": (2,),
    }


def test_periods_side_by_side_are_not_covered_one_by_one() -> None:
    found = answer(
        request(
            "{id: Q1, kind: victims, youngest: true, bands: [{to: 11}]}",
            "periods: [2016/17, 2018/19]",
        ),
        RECORDS,
        COVERAGE,
    )
    assert counts(found)["Aged 11 and under"] == (2, 2, NO, NO, 2, 2)
    assert found.questions[0].facts == {
        "offences": 4,
        "offences_without_victim": 0,
        "youngest": 10,
        "offences [2016/17]": NO,
        "offences_without_victim [2016/17]": NO,
        "youngest [2016/17]": NO,
        "offences [2018/19]": 4,
        "offences_without_victim [2018/19]": 0,
        "youngest [2018/19]": 10,
    }


def test_a_cross_table_has_columns_that_are_not_covered() -> None:
    found = answer(
        request("{id: Q1, kind: cross, rows: {keywords: [beta]}, columns: financial_year}",
                "period: {from: 2017-04-01, to: 2020-03-31}"),
        RECORDS,
        COVERAGE,
    )  # fmt: skip
    assert counts(found) == {
        "beta": (2, NO, 2, NO),
        "None of these": (2, NO, 2, NO),
        "All offences asked about": (4, NO, 4, NO),
    }


def test_a_question_about_other_days_is_not_covered_and_the_rest_is() -> None:
    within = "within: {period: {from: 2013-01-01, to: 2013-12-31}}"
    found = answer(
        request(f"{{id: Q1, kind: overlap, keywords: [alpha, beta], {within}}}"), RECORDS, COVERAGE
    )
    question = found.questions[0]
    assert {count for row in question.table.rows_and_total for count in row.counts} == {NO}
    assert question.facts == {"any": NO, "several": NO}
    assert question.notes == ()
    assert {term.records for term in question.terms} == {NO}
    assert found.scope.records == 4


#: Those that name no days of their own.
DAYLESS = [question for question in QUESTIONS if "from: 20" not in question]


@pytest.mark.parametrize("question", DAYLESS)
def test_a_request_about_other_days_has_no_number_at_all(question: str) -> None:
    period = "period: {from: 2020-04-01, to: 2021-03-31}"
    found = answer(asking([question], period), RECORDS, COVERAGE)
    assert {cell.value for cell in list_cells(found)} == {NO}


def test_records_of_days_that_are_declared_to_be_outside_count_in_totals_only() -> None:
    declared = Coverage(date(2018, 5, 1), date(2019, 2, 1), outside=True)
    found = answer(
        request("{id: Q1, kind: by, by: month}", "period: {from: 2018-04-01, to: 2018-05-31}"),
        RECORDS,
        declared,
    )
    assert counts(found) == {
        "April 2018": (NO,),
        "May 2018": (1,),
        "All offences asked about": (2,),
    }
    check_consistency(found)


@settings(max_examples=examples(30), deadline=None)
@given(
    records=records(),
    questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=4),
    scope=st.sampled_from(SCOPES),
    start=st.integers(0, 800),
    length=st.integers(0, 400),
    outside=st.booleans(),
)
def test_the_covered_numbers_of_an_answer_do_not_contradict_each_other(
    records: list[dict[str, Any]],
    questions: list[str],
    scope: str,
    start: int,
    length: int,
    outside: bool,  # noqa: FBT001 - drawn
) -> None:
    """Every number is as without a coverage, or not covered; nothing else changes."""
    first, last = day(start), day(start + length)
    held = [one for one in records if outside or first <= one["recorded_on"] <= last]
    coverage = Coverage(date.fromisoformat(first), date.fromisoformat(last), outside=outside)
    asked = asking(questions, scope)
    whole, found = answer(asked, held), answer(asked, held, coverage)
    check_consistency(found)
    keys = {cell.key for cell in list_cells(found)}
    pairs = [(cell, cell.key) for cell in list_cells(whole) if cell.key in keys]
    values = {cell.key: cell.value for cell in list_cells(found)}
    for before, key in pairs:
        assert values[key] in (before.value, NO)
        if not outside and values[key] == NO and isinstance(before.value, int):
            assert before.value == 0, before.label
    traced = build_membership(asked, found).sums
    assert not any(values[key] == NO for key in traced)


def test_the_json_has_a_distinct_value_and_is_read_back() -> None:
    found = answer(request("{id: Q1, kind: by, by: financial_year}"), RECORDS, COVERAGE)
    text = format_json(found)
    written = msgspec.json.decode(text)
    assert written["format"] == "foidex-answer/2"
    assert written["coverage"] == {
        "from": "2018-04-10",
        "to": "2019-02-01",
        "inferred": ["from", "to"],
    }
    assert written["questions"][0]["table"]["rows"][0]["counts"] == ["not covered"]
    Draft202012Validator(build_answer_schema()).validate(written)
    assert format_json(msgspec.json.decode(text, type=Answer)) == text


def test_an_answer_of_the_first_format_is_read_as_before(tmp_path: Any) -> None:
    found = answer(request("{id: Q1, kind: by, by: financial_year}"), RECORDS)
    written = msgspec.json.decode(format_json(found))
    assert "coverage" not in written
    written["format"] = "foidex-answer/1"
    path = tmp_path / "old.json"
    path.write_bytes(msgspec.json.encode(written))
    old = api.read_answer(path)
    assert counts(old)["2012/13"] == (0,)
    assert format_json(old) == format_json(found).replace("foidex-answer/2", "foidex-answer/1")
    assert apply_coverage(old, None) == old


def test_rows_for_a_notebook_have_a_status_beside_the_count() -> None:
    found = answer(
        request("{id: Q1, kind: by, by: financial_year}", "period: {from: 2017-04-01, to: 2019-03-31}"),
        RECORDS,
        COVERAGE,
    )  # fmt: skip
    rows = [(row["row"], row["count"], row["status"]) for row in api.to_rows(found)]
    assert rows == [
        ("2017/18", None, "not covered"),
        ("2018/19", 4, "counted"),
        ("All offences asked about", 4, "counted"),
    ]


def test_a_number_that_comes_to_be_covered_is_a_change() -> None:
    asked = request("{id: Q1, kind: by, by: financial_year}", "period: {from: 2018-04-01, to: 2020-03-31}")  # fmt: skip
    before = answer(asked, RECORDS, COVERAGE)
    later = [*RECORDS, {**RECORDS[0], "crime_ref": "R9", "recorded_on": "2019-04-02"}]
    after = answer(asked, later, Coverage(COVERAGE.start, date(2019, 4, 2)))
    changes = {change.label: (change.before, change.after) for change in compare_numbers(before, after)}  # fmt: skip
    assert changes["Q1 2019/20"] == (NO, 1)
