"""What an officer could ask for with less detail."""

from __future__ import annotations

from typing import Any

from queries.request.coarser import Change, list_coarser_requests
from queries.request.reader import Request, parse_request

HEAD = "reference: R\ntitle: T\n"

YEAR = "period: 2017/18\n"


def ask(text: str) -> Request:
    return parse_request(HEAD + text)


def change(
    request: Request, *questions: str, offence_rows: tuple[int, ...] = ()
) -> dict[str, Request]:
    changes: list[Change] = [*list_coarser_requests(request, questions, offence_rows)]
    return {one.words: one.request for one in changes}


def test_months_become_quarters_and_financial_years() -> None:
    request = ask(
        YEAR + "questions: [{id: Q1, kind: by, by: month}, {id: Q2, kind: by, by: month}]"
    )
    changes = change(request, "Q1")
    assert [*changes] == [
        "Q1: by quarter instead of month",
        "Q1: by financial year instead of month",
    ]
    quarters = changes["Q1: by quarter instead of month"]
    assert [question.by for question in quarters.questions] == ["quarter", "month"]  # type: ignore[attr-defined]


def test_neighbouring_age_bands_are_merged_two_by_two_but_never_to_every_age() -> None:
    request = ask(
        YEAR
        + "questions: [{id: Q1, kind: victims, bands: [{to: 11}, {from: 12, to: 15}, {from: 16}]}]"
    )
    assert [*change(request, "Q1")] == [
        "Q1: wider age bands (Aged 15 and under; Aged 16 and over)",
    ]


def test_bands_with_a_gap_are_left_alone() -> None:
    request = ask(
        YEAR + "questions: [{id: Q1, kind: victims, bands: [{to: 11}, {from: 13, to: 15}]}]"
    )
    assert not change(request, "Q1")


def test_a_table_loses_its_columns_or_has_fewer() -> None:
    request = ask(
        YEAR
        + "questions:\n  - {id: Q1, kind: cross, rows: outcome, columns: month}\n"
        + "  - {id: Q2, kind: cross, rows: {keywords: [alpha, beta]}, columns: financial_year}\n"
        + "  - {id: Q3, kind: keywords, keywords: [alpha], each_offence: true}"
    )
    assert [*change(request, "Q1", "Q2", "Q3")] == [
        "Q1: by outcome and by month apart, a question for each",
        "Q1: by quarter instead of month",
        "Q1: by financial year instead of month",
        "Q1: without columns",
        "Q2: by word and by financial year apart, a question for each",
        "Q2: without columns",
        "Q3: without a column for each offence",
    ]
    plain = change(request, "Q2")["Q2: without columns"].questions[1]
    assert plain.__struct_config__.tag == "keywords"


def test_rows_of_offences_with_withheld_numbers_become_one_row() -> None:
    request = ask(
        YEAR
        + "offences: [{codes: ['21'], label: A}, {codes: [22B], label: B}, {codes: ['46'], label: C}]\n"
        + "questions: [{id: Q1, kind: offences}]"
    )
    changes = change(request, "Q1", offence_rows=(1, 2))
    merged = changes["the 2 rows of offences with a withheld number as one row (22B, 46)"]
    assert [(row.codes, row.label) for row in merged.offences] == [
        (("21",), "A"),
        (("22B", "46"), "B; C"),
    ]
    assert "the 3 rows of offences as one row (21, 22B, 46)" in changes


def test_periods_without_a_gap_become_one() -> None:
    periods = "periods: [2016/17, 2017/18]\nquestions: [{id: Q1, kind: offences}]"
    (words,) = change(ask(periods), "Q1")
    assert words == "one period, from 1 April 2016 to 31 March 2018, instead of 2"
    gap = "periods: [2015/16, 2017/18]\nquestions: [{id: Q1, kind: offences}]"
    assert not change(ask(gap), "Q1")


def test_a_list_has_coarser_fields_or_fewer() -> None:
    request = ask(
        YEAR
        + "questions: [{id: Q1, kind: list, fields: [month, {bands: [{to: 9}, {from: 10, to: 17}]}]}]"
    )
    changes = change(request, "Q1")
    assert [*changes] == [
        "Q1: by month and by age apart, a question for each",
        "Q1: by quarter instead of month",
        "Q1: by financial year instead of month",
        "Q1: wider age bands (Aged 17 and under)",
        "Q1: without the field month",
        "Q1: without the field age",
    ]
    assert changes["Q1: without the field age"].questions[0].fields == ("month",)  # type: ignore[attr-defined]


def test_a_table_of_two_things_becomes_a_question_about_each() -> None:
    request = ask(
        YEAR
        + "offences: [{codes: [22B]}]\nquestions:\n"
        + "  - {id: Q1, kind: cross, rows: month, columns: offence, within: {offences: [{codes: [22B]}]}}\n"
        + "  - {id: Q2, kind: cross, rows: sex, columns: {bands: [{to: 17}]}}\n"
        + "  - {id: Q3, kind: cross, rows: sex, columns: {bands: [{to: 17}]}, count: suspects}\n"
        + "  - {id: Q4, kind: cross, rows: {keywords: [alpha]}, columns: offence_row}\n"
        + "  - {id: Q5, kind: list, fields: [month, offence, outcome]}\n"
        + "  - {id: Q6, kind: cross, rows: {keywords: [alpha]}, columns: sex}\n"
        + "  - {id: Q7, kind: cross, rows: month, columns: {periods: [2017/18]}}\n"
    )

    def ask_apart(name: str, words: str) -> list[Any]:
        changed = change(request, name)[f"{name}: {words} apart, a question for each"]
        number = [question.id for question in request.questions].index(name)
        end = number + 1 + len(changed.questions) - len(request.questions)
        return [*changed.questions[number:end]]

    months, offences = ask_apart("Q1", "by month and by offence")
    assert (months.by, offences.by, months.count) == ("month", "offence", "offences")
    assert months.subscope == offences.subscope == request.questions[0].subscope
    sexes, ages = ask_apart("Q2", "by sex and by age")
    assert (sexes.count, ages.__struct_config__.tag) == ("victims", "victims")
    sexes, ages = ask_apart("Q3", "by sex and by age")
    assert (sexes.count, ages.__struct_config__.tag) == ("suspects", "suspects")
    words, rows = ask_apart("Q4", "by word and by offence row")
    assert (words.__struct_config__.tag, rows.by) == ("keywords", "offence_row")
    fields = ask_apart("Q5", "by month, by offence and by outcome")
    assert [question.by for question in fields] == ["month", "offence", "outcome"]
    for name in ("Q6", "Q7"):  # words do not count victims; a period is no field
        assert not any("apart" in words for words in change(request, name))
