"""Every document says what the records cover before its tables, and prints no 0 for other days."""

from __future__ import annotations

import csv
import io
from datetime import date
from functools import cache

import openpyxl
import pytest

from indexer.records.coverage import Coverage
from queries.answer.condition import build_period_condition
from queries.answer.types import Answer
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import render_documents
from queries.documents.formats.charts import draw_bars
from queries.documents.formats.letter import render_letter_text
from queries.documents.formats.report import render_report_html, render_report_text
from queries.layout.coverage_text import describe_coverage, describe_empty_months
from queries.request.reader import parse_request
from queries.tables.period_columns import find_period_column
from tests.support.answers import FORCE
from tests.support.documents import extract_text
from tests.support.fake_search import answer
from tests.support.rendered import rendered

DAY = date(2019, 8, 15)

COVERAGE = Coverage(
    date(2018, 4, 10), date(2019, 2, 1), ("from", "to"), (date(2018, 6, 1), date(2018, 7, 1))
)

RECORDS = [
    {"crime_ref": f"R{number}", "recorded_on": day, "offence_code": "22B", "narrative": "beta"}
    for number, day in enumerate(["2018-04-10", "2018-05-01", "2018-12-01", "2019-02-01"])
]

DAYS_COVERED = "The records cover 10 April 2018 to 1 February 2019."

MEANING = "It does not mean that there were none."


@cache
def partly(period: str = "period: {from: 2016-04-01, to: 2019-03-31}") -> Answer:
    return answer(
        parse_request(
            f"reference: FOI/1\ntitle: T\n{period}\nquestions:\n"
            "  - {id: Q1, kind: by, by: financial_year}\n"
            "  - {id: Q2, kind: cross, rows: {keywords: [beta]}, columns: financial_year}\n"
        ),
        RECORDS,
        COVERAGE,
    )


def outside() -> Answer:
    return partly("period: {from: 2011-04-01, to: 2013-03-31}")


@cache
def documents(*, covered: bool) -> dict[str, bytes]:
    return render_documents(partly() if covered else outside(), DocumentSettings(FORCE, DAY))


def plain(name: str, content: bytes) -> str:
    text = extract_text(name, content).replace("&#34;", '"').replace("\u200b", "")
    return " ".join(text.split())


@pytest.mark.parametrize("ending", [".txt", ".html", ".docx", ".pdf"])
def test_every_page_says_it_before_its_first_table(ending: str) -> None:
    made = {name: text for name, text in documents(covered=True).items() if name.endswith(ending)}
    assert made
    for name, content in made.items():
        text = plain(name, content)
        assert DAYS_COVERED in text, name
        assert MEANING in text
        assert (
            "Of 2018/19, only the days from 10 April 2018 to 1 February 2019 are counted." in text
        )
        table = text.index("not covered", text.index("2016/17"))
        assert text.index(DAYS_COVERED) < text.index("2016/17") < table


@pytest.mark.parametrize("ending", [".txt", ".html", ".docx", ".pdf"])
def test_a_letter_about_other_days_says_so_and_has_no_zero(ending: str) -> None:
    made = {name: text for name, text in documents(covered=False).items() if name.endswith(ending)}
    for name, content in made.items():
        text = plain(name, content)
        assert "All of the days asked about are outside these, so no number can be given." in text
        assert "The records do not cover the days that this question is about" in text
        assert "No offences" not in text
        assert "No offence " not in text


def test_no_cell_of_a_table_about_other_days_is_a_number() -> None:
    made = documents(covered=False)
    tables = [text.decode() for name, text in made.items() if name.endswith(".csv")]
    assert tables
    for table in tables:
        rows = list(csv.reader(io.StringIO(table)))[1:]
        assert {cell for row in rows for cell in row[1:]} == {"not covered"}


def test_the_csv_and_the_workbook_have_a_text_and_not_a_number() -> None:
    made = documents(covered=True)
    name = next(name for name in made if name.endswith(".csv") and "Q1" in name)
    rows = list(csv.reader(io.StringIO(made[name].decode())))
    assert rows[1:] == [
        ["2016/17", "not covered"],
        ["2017/18", "not covered"],
        ["2018/19", "4"],
        ["All offences asked about", "4"],
    ]
    book = openpyxl.load_workbook(io.BytesIO(next(made[name] for name in made if name.endswith(".xlsx"))))  # fmt: skip
    sheet = book["Q1"]
    assert [sheet.cell(number, 2).value for number in range(3, 7)] == ["not covered", "not covered", 4, 4]  # fmt: skip
    remarks = " ".join(str(row[0].value) for row in sheet.iter_rows(min_row=7) if row[0].value)
    assert DAYS_COVERED in remarks
    notes = " ".join(str(row[0].value) for row in book["Notes"].iter_rows() if row[0].value)
    assert DAYS_COVERED in notes
    assert "The first and the last of these days are those of the first and the last record." in notes  # fmt: skip


def test_a_chart_draws_no_bar_for_what_is_not_covered_and_says_why() -> None:
    table = answer(
        parse_request(
            "reference: FOI/1\ntitle: T\nperiod: {from: 2017-04-01, to: 2020-03-31}\nquestions:\n"
            "  - {id: Q1, kind: by, by: financial_year}\n"
        ),
        RECORDS,
        COVERAGE,
    ).questions[0].table  # fmt: skip
    chart = draw_bars(table, "Chart", "Q1")
    assert "2017/18 (not covered)" in chart
    assert "2019/20 (not covered)" in chart
    assert chart.count('class="bar"') == 1


def test_the_report_names_the_months_without_any_record() -> None:
    line = "No record at all was recorded in June 2018 to July 2018 (2 months)."
    for renderer in (render_report_text, render_report_html):
        assert line in " ".join(rendered(renderer, partly(), FORCE, DAY).split())
    assert line not in " ".join(rendered(render_letter_text, partly(), FORCE, DAY).split())


def test_nothing_is_said_where_all_days_are_covered() -> None:
    inside = partly("period: {from: 2018-05-01, to: 2018-12-31}")
    letter = rendered(render_letter_text, inside, FORCE, DAY).partition("Annex: ")[0]
    assert "cover" not in letter


def test_a_request_without_a_period_asks_for_what_is_held() -> None:
    text = " ".join(rendered(render_letter_text, partly("mentions: [beta]"), FORCE, DAY).split())
    assert "asked about" not in text
    assert "Of 2018/19, only the days from 10 April 2018 to 1 February 2019 are counted." in text


LABELLED = """\
periods:
  - {from: 2016-04-06, to: 2017-04-05, label: Tax year 2016/17}
  - {from: 2018-04-06, to: 2019-04-05, label: Tax year 2018/19}
"""


def test_a_labelled_period_has_its_days_in_the_letter_and_a_total_says_what_it_covers() -> None:
    """None of the first year is covered, so the total is of the second; what is said of the second
    is not said again of all days asked about."""
    found = answer(
        parse_request(
            f"reference: FOI/1\ntitle: T\n{LABELLED}questions:\n"
            "  - {id: Q1, kind: offences}\n  - {id: Q2, kind: victims}\n"
        ),
        RECORDS,
        COVERAGE,
    )
    first, second = found.questions
    assert [column.label for column in first.table.columns] == [
        "All periods covered",
        "Tax year 2016/17",
        "Tax year 2018/19",
    ]
    assert second.table.columns[0].label == "Victims, all periods covered"
    letter = render_documents(found, DocumentSettings(FORCE, DAY))
    (text,) = [plain(name, made) for name, made in letter.items() if name.endswith("letter.txt")]
    for days in (
        'from 6 April 2016 to 5 April 2017 ("Tax year 2016/17")',
        'from 6 April 2018 to 5 April 2019 ("Tax year 2018/19")',
    ):
        assert f"recorded {days}" in text or f"and {days}" in text
    assert "in Tax year" not in text
    limits = "from 10 April 2018 to 1 February 2019"
    assert f"Of Tax year 2018/19, only the days {limits} are counted." in text
    assert sum(limits in sentence for sentence in describe_coverage(found)) == 1


def test_the_total_of_covered_periods_is_found_by_its_name() -> None:
    columns = (
        answer(
            parse_request(
                f"reference: FOI/1\ntitle: T\n{LABELLED}questions:\n  - {{id: Q1, kind: offences}}\n"
            ),
            RECORDS,
            COVERAGE,
        )
        .questions[0]
        .table.columns
    )
    assert find_period_column("all periods covered", columns, []) == ("offences", None)


def test_only_empty_months_of_the_request_are_named() -> None:
    months = (date(2018, 6, 1), date(2018, 11, 1))
    coverage = Coverage(date(2018, 4, 10), date(2019, 2, 1), empty_months=months)
    autumn = build_period_condition((date(2018, 9, 1), date(2018, 11, 1)))
    assert "in June 2018 and November 2018 (2 months)" in describe_empty_months(coverage)
    assert "in November 2018." in describe_empty_months(coverage, [autumn])
    summer = build_period_condition((date(2018, 7, 1), date(2018, 8, 31)))
    assert describe_empty_months(coverage, [summer]) == ""
