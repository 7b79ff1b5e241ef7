"""What a request asks for beyond terms and codes is said in the documents in plain words."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import msgspec
import openpyxl
import pytest

from indexer.errors import RequestError
from indexer.records.coverage import Coverage
from queries.answer.shares import explain_shares, list_share_columns
from queries.answer.types import NOT_COVERED, Column, QuestionAnswer, Row, Table
from queries.api import to_rows
from queries.disclosure.policy import Policy
from queries.disclosure.release import protect_answer
from queries.documents.content.context import DocumentSettings
from queries.documents.content.letter.notes import describe_average
from queries.documents.document_set import render_documents
from queries.documents.formats.letter import render_letter_text
from queries.documents.formats.workbook import render_workbook
from queries.evidence.locate import locate_records
from queries.layout.csv_text import format_table_csv
from queries.layout.table_parts import PORTRAIT_ROOM, split_table
from queries.request.reader import parse_request
from tests.support.answers import FORCE
from tests.support.documents import extract_text
from tests.support.fake_search import answer
from tests.support.rendered import rendered


def render_words(
    request: str, records: list[dict[str, Any]], coverage: Coverage | None = None
) -> str:
    """The letter of a request over a few records, on one line and without its annex."""
    text = f"reference: FOI/1\ntitle: Made\n{request}"
    found = answer(parse_request(text), records)
    if coverage:
        found = msgspec.structs.replace(found, measured_coverage=coverage)
    letter = rendered(render_letter_text, found, FORCE, date(2018, 8, 15)).partition("Annex: ")[0]
    return " ".join(letter.split())


def make_record(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "crime_ref": f"R{number}",
        "recorded_on": "2017-05-05",
        "offence_code": "22B",
        "narrative": "",
        **fields,
    }


def test_a_letter_says_what_a_victim_must_be() -> None:
    request = (
        "period: 2017/18\nwhere: {victim: {age: {to: 17}, sex: [F, Male]}}\n"
        "questions: [{id: Q1, kind: offences}]"
    )
    words = render_words(request, [make_record(victims=[{"age": 9, "sex": "F"}])])
    assert (
        "recorded from 1 April 2017 to 31 March 2018, where at least one victim was female or male "
        "and aged 17 or under" in words
    )


def test_a_letter_says_that_bands_overlap_and_calls_them_by_their_labels() -> None:
    request = (
        "period: 2017/18\nquestions: [{id: Q1, kind: victims, "
        "bands: [{to: 17, label: Children}, {from: 16, to: 24, label: Young people}]}]"
    )
    victims = [{"age": 16, "victim_ref": "a"}, {"age": 9, "victim_ref": "b"}]
    words = render_words(request, [make_record(victims=victims)])
    assert "Children 2 2 Young people 1 1" in words
    assert "a victim is counted in each band that fits" in words
    assert "because a person's age may differ" not in words
    apart = request.replace("from: 16, to: 24", "from: 18, to: 24")
    assert "overlap" not in render_words(apart, [make_record(victims=victims)])


def test_people_that_nothing_tells_apart_are_all_or_some_of_them() -> None:
    request = "period: 2017/18\nquestions: [{id: Q1, kind: victims, bands: [{to: 17}]}]"
    victims: list[dict[str, Any]] = [{"age": 16}, {"age": 9}]
    words = render_words(request, [make_record(victims=victims)])
    assert "not counted: no victim has a reference to tell them by." in words
    words = render_words(request, [make_record(victims=[*victims, {"victim_ref": "a"}])])
    assert "not counted: 2 of 3 victims have no reference to tell them by." in words


def test_shares_are_of_both_numbers_given_and_rounded() -> None:
    request = (
        "period: 2017/18\nquestions:\n- {id: Q1, kind: by, by: sex, share: true}\n"
        "- {id: Q2, kind: cross, rows: sex, columns: {bands: [{to: 15}]}, share: row}"
    )
    sexes = ["F"] * 5 + ["M"] * 3
    ages = [9, 9, 9, 30, None, 9, 30, 30]
    victims = [{"sex": sex, "age": age} for sex, age in zip(sexes, ages, strict=True)]
    words = render_words(request, [make_record(victims=victims)])
    assert "Sex of victim Victims Victims, %" in words
    assert "Female 5 63% Male 3 38% Neither female nor male 0 0%" in words
    assert "All victims 8 100%" in words
    assert (
        "Female 5 3 60% 1 20% 1 20% Male 3 1 33% 2 67% 0 0% Neither female nor male 0 0 n/a"
        in words
    )
    assert "as a share of the total of its column, rounded to a whole number" in words
    assert "as a share of the total of its row" in words


def test_a_number_that_is_withheld_has_no_share_and_gives_none() -> None:
    text = (
        "reference: R\ntitle: T\nperiod: 2017/18\n"
        "questions: [{id: Q1, kind: cross, rows: outcome, columns: {keywords: [alpha]}, share: row},"
        " {id: Q2, kind: by, by: outcome, share: true}]"
    )
    records = [
        make_record(number, outcome=outcome, narrative="alpha" * (number % 4 == 0))
        for number, outcome in enumerate([1] * 20 + [2] * 12 + [3] * 2)
    ]
    published = protect_answer(answer(parse_request(text), records), Policy(threshold=5)).answer
    shared = 0
    for question in published.questions:
        table = question.table
        assert explain_shares(table)[0] in question.notes
        for row in table.rows_and_total:
            for index, column in list_share_columns(table).items():
                whole = table.total.counts[index] if question.id == "Q2" else row.counts[0]
                share = column.compute(row, table)
                assert (share is None) == (row.counts[index] is None or whole is None)
                shared += isinstance(share, int)
    assert shared
    assert any(None in row.counts for row in published.questions[1].table.rows)


def test_shares_are_in_the_workbook_the_csv_and_the_rows_of_the_interface() -> None:
    text = (
        "reference: R\ntitle: T\nperiod: 2017/18\n"
        "questions: [{id: Q1, kind: by, by: outcome, share: true}]"
    )
    records = [make_record(number, outcome=1 + (number == 0)) for number in range(3)]
    found = answer(parse_request(text), records)
    table = found.questions[0].table
    assert format_table_csv(table).splitlines()[0] == 'Outcome,Offences,"Offences, %"'
    assert format_table_csv(table).splitlines()[-1] == "All offences asked about,3,100"
    assert [row["share"] for row in to_rows(found)] == [67, 33, 100]
    file = rendered(render_workbook, found, FORCE, date(2018, 8, 15))
    sheet = openpyxl.load_workbook(io.BytesIO(file))["Q1"]
    cells = [[cell.value for cell in row[:3]] for row in sheet.iter_rows(min_row=2, max_row=4)]
    assert cells[0] == ["Outcome", "Offences", "Offences, %"]
    assert [row[2] for row in cells[1:]] == [0.67, 0.33]
    assert sheet["C3"].number_format == "0%"


PRESENT = (
    "reference: R\ntitle: T\nperiod: 2017/18\nlists: {apps: [alpha, beta, gamma, delta]}\n"
    "questions: [{id: Q1, kind: keywords, keywords: {list: apps}, present: true}]"
)


def test_of_a_list_only_those_that_a_record_mentions_have_rows_and_the_others_are_named() -> None:
    records = [
        make_record(number, narrative="beta" if number < 8 else "alpha beta")
        for number in range(15)
    ]
    found = answer(parse_request(PRESENT), records)
    (question,) = found.questions
    assert [(row.label, row.counts) for row in question.table.rows] == [
        ("alpha", (7,)), ("beta", (15,)),
    ]  # fmt: skip
    absent = 'No record mentions "gamma" or "delta".'
    words = " ".join(rendered(render_letter_text, found, FORCE, date(2018, 8, 15)).split())
    assert absent in words
    published = protect_answer(found, Policy(threshold=5)).answer
    assert absent in published.questions[0].notes[-1]


def test_a_letter_does_not_say_that_all_words_are_mentioned_if_the_table_leaves_some_out() -> None:
    words = [f"word{letter}" for letter in "abcdefgh"]
    request = (
        "period: 2017/18\nquestions: [{id: Q1, kind: keywords, present: true, keywords: [%s]}]"
    )
    records = [make_record(number, narrative=word) for number, word in enumerate(words[:7])]
    letter = render_words(request % ", ".join(words), records)
    assert "Seven of the words are mentioned, as the table shows." in letter
    assert 'No record mentions "wordh".' in letter
    letter = render_words(request % ", ".join(words[:7]), records)
    assert "All seven of the words are mentioned, as the table shows." in letter


def test_a_letter_says_none_of_them_where_no_record_mentions_two_words() -> None:
    request = "period: 2017/18\nquestions: [{id: Q1, kind: overlap, keywords: [alpha, beta]}]"
    letter = render_words(
        request, [make_record(1, narrative="alpha"), make_record(2, narrative="beta")]
    )
    assert "Two offences mention any of these words; none of them mentions two or more." in letter


def test_a_section_names_a_part_with_a_table_for_each_value_by_the_id_in_the_file() -> None:
    request = (
        "period: {from: 2017-04-01, to: 2019-03-31}\nquestions:\n- {id: Q1, kind: cross, rows: sex, "
        "columns: outcome, for_each: financial_year, text: Whom}\n"
        "letter: {sections: [{section: 40, parts: [%s], reason: Names are left out.}]}"
    )
    letter = render_words(request % "Q1", [make_record(victims=[{"age": 9, "sex": "F"}])])
    assert "We have answered part of your request and refused the rest." in letter
    assert "Q1.1 Whom (2017/18)" in letter
    assert "Q1.2 Whom (2018/19)" in letter
    assert "Section 40(2): personal information, for part Q1 " in letter
    with pytest.raises(RequestError, match=r'there is no part "Q1\.2"\. Did you mean "Q1"\?'):
        render_words(request % "Q1.2", [])


def test_what_narrows_a_question_and_what_a_table_is_by_are_said_in_words() -> None:
    request = (
        "period: 2017/18\noffences: [{codes: [22B], label: Grooming}, {codes: [21]}]\nquestions:\n"
        "- {id: Q1, kind: cross, rows: outcome, columns: sex, for_each: offence_row}\n"
        "- {id: Q2, kind: by, by: offence}\n- {id: Q3, kind: victims, bands: [{to: 17}]}"
    )
    letter = render_words(request, [make_record(number) for number in (1, 2)])
    assert "This part counts only offences of the type Grooming (22B)." in letter
    assert (
        "Offences by type of offence We counted two offences. The table shows them by type of offence."
        in letter
    )


def test_a_note_of_few_records_begins_with_a_word() -> None:
    request = "period: 2017/18\nquestions: [{id: Q1, kind: victims, bands: [{to: 17}]}]"
    records = [make_record(1, victims=[{"age": 9}]), make_record(2), make_record(3)]
    assert "Two records have no victim and are in no row." in render_words(request, records)


def test_a_number_and_its_share_stand_in_one_part_of_a_wide_table() -> None:
    text = (
        "reference: R\ntitle: T\nperiod: 2017/18\nquestions: [{id: Q1, kind: cross, share: row, rows: "
        "outcome, columns: {bands: [{to: 9}, {from: 10, to: 12}, {from: 13, to: 15}, {from: 16}]}}]"
    )
    found = answer(parse_request(text), [make_record(victims=[{"age": 9}])])
    parts = split_table(found.questions[0].table, PORTRAIT_ROOM)
    assert len(parts) > 1
    for part in parts:
        shares = [head for head in part.heads if head.endswith(", %")]
        assert shares
        assert all(share.removesuffix(", %") in part.heads for share in shares)


def test_a_table_is_captioned_with_what_it_shows() -> None:
    text = (
        "reference: R\ntitle: T\nperiod: 2017/18\nquestions: [{id: '1', kind: offences, text: Any}]"
    )
    found = answer(parse_request(text), [make_record(1), make_record(2, offence_code="21")])
    documents = render_documents(found, DocumentSettings(FORCE, date(2018, 8, 15)))
    captioned = [
        name
        for name, content in documents.items()
        if "1: Offences recorded" in " ".join(extract_text(name, content).split())
    ]
    endings = {name.partition(".")[2] for name in captioned}
    assert {"letter.docx", "letter.pdf", "letter.html", "report.html"} <= endings


def test_a_published_answer_does_not_say_which_words_a_small_group_mentions() -> None:
    records = [make_record(number, narrative="beta") for number in range(3)]
    found = answer(parse_request(PRESENT), records)
    (question,) = protect_answer(found, Policy(threshold=5)).answer.questions
    assert question.table.rows == ()
    assert not any("gamma" in note or "beta" in note for note in question.notes)


def test_the_sex_of_the_youngest_victim_is_given_only_if_the_force_gives_it() -> None:
    request = (
        "period: 2017/18\nquestions: [{id: Q1, kind: victims, youngest: true, youngest_sex: true}]"
    )
    victims = [{"age": 9, "sex": "M"}, {"age": 9, "sex": "F"}, {"age": 30, "sex": "X"}] * 5
    records = [make_record(victims=victims)] + [make_record(number) for number in range(2, 9)]
    words = render_words(request, records)
    assert "was aged 9. Sex recorded at that age: female and male." in words
    found = answer(parse_request(f"reference: R\ntitle: T\n{request}"), records)
    for policy, sex in ((Policy(threshold=5), "[c]"), (Policy(5, 0, "give"), "female and male")):
        published = protect_answer(found, policy).answer
        assert published.questions[0].facts["youngest"] == 9
        assert published.questions[0].facts["youngest_sex"] == sex
    withheld = protect_answer(found, Policy(threshold=5)).answer
    letter = " ".join(rendered(render_letter_text, withheld, FORCE, date(2018, 8, 15)).split())
    assert "The sex of the youngest victim is withheld" in letter


def test_a_table_by_day_has_a_row_for_each_day_of_a_short_period() -> None:
    request = "period: {from: 2017-05-04, to: 2017-05-06}\nquestions: [{id: Q1, kind: by, by: day}]"
    words = render_words(request, [make_record()])
    assert "4 May 2017 0 5 May 2017 1 6 May 2017 0" in words


def test_a_table_by_day_of_many_years_has_only_the_days_of_records() -> None:
    text = (
        "reference: R\ntitle: T\nperiod: {from: 2010-01-01, to: 2018-12-31}\n"
        "questions: [{id: Q1, kind: by, by: day}]"
    )
    request = parse_request(text)
    (question,) = answer(request, [make_record()]).questions
    assert [row.label for row in question.table.rows] == ["5 May 2017"]
    located = [locate_records(request, "Q1", row).query for row in ("5 May 2017", "2017-05-05")]
    assert located[0] == located[1]


def test_a_band_that_stands_for_the_youngest_age_is_named_by_its_ages() -> None:
    """The label of a band need not fit the sentence."""
    text = (
        "reference: R\ntitle: T\nperiod: 2017/18\nquestions: [{id: Q1, kind: victims, "
        "youngest: true, bands: [{to: 11, label: Small children}]}]"
    )
    records = [make_record(number, victims=[{"age": 9 if number else 30}]) for number in range(3)]
    records += [make_record(number, victims=[{"age": 40}]) for number in range(3, 12)]
    published = protect_answer(
        answer(parse_request(text), records), Policy(threshold=5, youngest="band")
    ).answer
    assert published.questions[0].facts["youngest"] == "aged 11 and under"
    words = " ".join(rendered(render_letter_text, published, FORCE, date(2018, 8, 15)).split())
    assert "The youngest victim recorded was aged 11 and under." in words


def test_years_say_in_once_and_other_periods_are_whole() -> None:
    request = "periods: [2016/17, 2017/18]\nquestions: [{id: Q1, kind: offences}]"
    letter = render_words(request, [make_record(1)])
    assert "offences recorded in 2016/17 and 2017/18" in letter
    request = "periods: [2016/17, {from: 2017-04-01, to: 2018-01-31}]\nquestions: [{id: Q1, kind: offences}]"
    assert "recorded in 2016/17 and from 1 April 2017 to 31 January 2018" in render_words(
        request, [make_record(1)]
    )


def test_what_several_tables_of_a_part_say_is_said_once() -> None:
    request = (
        "period: {from: 2016-04-01, to: 2018-03-31}\nquestions:\n"
        "- {id: Q1, kind: cross, rows: {keywords: [alpha, beta]}, columns: outcome, for_each: "
        "financial_year, share: true}\n"
        "- {id: Q2, kind: by, by: outcome, share: true}"
    )
    letter = render_words(request, [make_record(number) for number in (1, 2)])
    assert letter.count("A percentage is a number as a share of the total of its column") == 1


def test_a_list_of_one_field_has_a_line_for_each_value() -> None:
    request = "period: 2017/18\nquestions: [{id: Q1, kind: list, fields: [month]}]"
    letter = render_words(request, [make_record(number) for number in (1, 2)])
    assert (
        "There is a line for each month that occurs, with the number of offences that share it."
        in letter
    )


@pytest.mark.parametrize(
    ("days", "records", "words"),
    [
        ("{from: 2017-05-01, to: 2017-05-04}", 7, "by day. On average, that is 1.8 a day."),
        ("{from: 2017-05-01, to: 2017-05-10}", 20, "by day. On average, that is 2 a day."),
        ("{from: 2017-04-01, to: 2017-05-31}", 1, "by day. On average, that is fewer than 0.1 a day."),
    ],
)  # fmt: skip
def test_an_average_is_said_if_it_is_asked_for(days: str, records: int, words: str) -> None:
    request = f"period: {days}\nquestions: [{{id: Q1, kind: by, by: day, average: true}}]"
    made = [make_record(number, recorded_on="2017-05-02") for number in range(records)]
    assert words in render_words(request, made)
    assert "On average" not in render_words(request.replace(", average: true", ""), made)


def test_an_average_leaves_out_days_that_are_not_covered_and_is_not_given_of_what_is_withheld() -> (
    None
):
    rows = (Row("1", "1 May 2017", (NOT_COVERED,)), Row("2", "2 May 2017", (3,)))
    request = "period: 2017/18\nquestions: [{id: Q1, kind: by, by: day, average: true}]"
    made = answer(parse_request(f"reference: FOI/1\ntitle: Made\n{request}"), [make_record()])
    for total, average in ((3, "3 a day"), (None, ""), (0, "")):
        table = Table(
            "Day", (Column("offences", "Offences"),), rows, Row("total", "All", (total,), "total")
        )
        assert describe_average(made, QuestionAnswer("Q1", "by", "", table)) == average


@pytest.mark.parametrize(
    ("field", "period", "covers", "words"),
    [
        ("month", "{from: 2017-04-15, to: 2017-06-15}", None, "40 a month, without April 2017 and June 2017, of which not all days are counted."),
        ("month", "{from: 2017-04-01, to: 2017-06-30}", None, "20 a month."),
        ("month", "{from: 2017-04-01, to: 2017-06-30}", ("2017-04-01", "2017-06-29"), "25 a month, without June 2017, of which not all days are counted."),
        ("quarter", "{from: 2017-04-01, to: 2017-07-01}", None, "60 a quarter, without July to September 2017, of which not all days are counted."),
        ("financial_year", "{from: 2017-04-01, to: 2017-06-30}", None, None),
        ("calendar_year", "{from: 2017-01-01, to: 2017-12-31}", None, "60 a year."),
    ],
)  # fmt: skip
def test_an_average_is_of_whole_months(
    field: str, period: str, covers: tuple[str, str] | None, words: str | None
) -> None:
    """Half a month counts half, and would make each month look smaller."""
    request = f"period: {period}\nquestions: [{{id: Q1, kind: by, by: {field}, average: true}}]"
    days = ["2017-04-20"] * 10 + ["2017-05-05"] * 40 + ["2017-06-10"] * 10
    made = [make_record(number, recorded_on=day) for number, day in enumerate(days)]
    first, last = map(date.fromisoformat, covers or ("2017-01-01", "2018-12-31"))
    letter = render_words(request, made, Coverage(first, last))
    if words:
        assert f"On average, that is {words}" in letter
    else:
        assert "On average" not in letter


@pytest.mark.parametrize("scope", ["by: outcome, average: true", "by: month, average: true"])
def test_an_average_needs_a_calendar_field_and_a_period(scope: str) -> None:
    period = "period: 2017\n" if "outcome" in scope else ""
    with pytest.raises(RequestError, match="average: is of calendar periods"):
        parse_request(f"reference: R\ntitle: T\n{period}questions: [{{id: Q1, kind: by, {scope}}}]")
