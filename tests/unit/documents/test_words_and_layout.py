"""Words and layout that read badly in real letters, each kind once."""

from __future__ import annotations

import io
from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from docx import Document
from pypdf import PdfReader

from queries.answer.types import (
    Answer,
    Column,
    NotedSum,
    QuestionAnswer,
    Row,
    ScopeAnswer,
    Table,
)
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.formats.charts import draw_bars
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf, render_letter_typst
from queries.documents.formats.report import render_report_text
from queries.request.reader import parse_request
from queries.tables.period import Period
from queries.tables.period_columns import find_period_column, merge_period_columns
from queries.tables.table_query import list_column_names
from tests.support.answers import FORCE, HIDDEN, sample_answer, tabled, wide
from tests.support.rendered import TEXT_RENDERERS, rendered

DAY = date(2018, 8, 15)

YEARS = (
    Period(date(2017, 1, 1), date(2017, 12, 31), "2017"),
    Period(date(2018, 1, 1), date(2018, 12, 31), "2018"),
)


def read_words(renderer: Any, answer: Answer) -> str:
    return " ".join(rendered(renderer, answer, FORCE, DAY).split())


def ask(answer: Answer, *questions: QuestionAnswer) -> Answer:
    return msgspec.structs.replace(answer, questions=questions)


def make_table(*counts: int, columns: int = 1, across: str = "") -> Table:
    """Rows named A, B, ... with a count each, in as many columns."""
    return Table(
        "Keyword",
        tuple(Column(f"c{n}", f"Column {n}") for n in range(columns)),
        tuple(Row(str(n), chr(65 + n), (count,) * columns) for n, count in enumerate(counts)),
        Row("total", "All", (max(counts, default=0),) * columns, "total"),
        across=across,
    )


def test_several_periods_are_joined_as_a_sentence_joins_them() -> None:
    request = parse_request(
        "reference: R\ntitle: T\nquestions: [{id: 1, kind: offences}]\n"
        "periods: [2017, {from: 2019-10-01, to: 2020-03-31}]"
    )
    assert request.scope.periods_in_words == "in 2017 or from 1 October 2019 to 31 March 2020"


def test_a_column_of_offences_is_headed_by_the_label_of_the_request() -> None:
    request = parse_request(
        "reference: R\ntitle: T\n"
        "offences: [{codes: [22B, 21], label: Under 16}, {codes: [71/17], label: Messages}]\n"
        "questions: [{id: 1, kind: keywords, keywords: [Skype], each_offence: true}]"
    )
    table_query = request.questions[0].table_query(request.scope)
    _, first, _ = table_query.list_columns()
    assert (first.label, first.description) == ("Under 16", "22B, 21")
    for name in ("Under 16", "22B, 21", "22B, 21 (Under 16)", "Under 16 (22B, 21)"):
        assert name in list_column_names(first)


def noted(name: str, *sums: NotedSum) -> QuestionAnswer:
    notes = tuple(f"The rows {summed.text}, because of it." for summed in sums)
    return QuestionAnswer(
        name, "new", "How many?", make_table(3, 4), notes=("Own.", *notes), sums=sums
    )


@pytest.mark.parametrize("renderer", TEXT_RENDERERS)
def test_a_note_that_concerns_several_tables_is_said_once(renderer: Any) -> None:
    several = read_words(
        renderer, ask(sample_answer(3), noted("Q1", NotedSum(7, 4)), noted("Q2", NotedSum(7, 4)))
    )
    assert several.count("add up to more than the total") == 1
    assert "The rows of the tables of parts Q1 and Q2 add up to more than the total" in several
    assert "add up to 7" not in several
    assert several.count("Own.") == 2
    single = read_words(renderer, ask(sample_answer(3), noted("Q1", NotedSum(7, 4))))
    assert "add up to 7, more than the total of 4" in single
    years = read_words(renderer, ask(sample_answer(3), noted("Q1", NotedSum(7, 4), NotedSum(6, 4))))
    assert "The rows of the table of part Q1 add up to more" in years
    assert "add up to 6" not in years


@pytest.mark.parametrize(
    "kind", ["by", "cross", "keywords", "linked", "offences", "overlap", "victims"]
)
def test_a_withheld_total_is_a_sentence(kind: str) -> None:
    table = Table(
        "Month",
        (Column("offences", "Offences"),),
        (Row("0", "May", (HIDDEN,), codes=("21",)), Row("1", "June", (HIDDEN,))),
        Row("total", "All", (HIDDEN,), "total"),
        across="Sex",
    )
    facts = {"linked": None, "any": None, "several": None, "youngest": "[c]"}
    question = QuestionAnswer("Q1", kind, "", table, facts=facts)  # type: ignore[arg-type]
    letter = read_words(render_letter_text, ask(sample_answer(9), question))
    assert "withheld" in letter
    assert "ithheld number of" not in letter
    assert "None" not in letter


@pytest.mark.parametrize("kind", ["by", "cross", "keywords", "new"])
@pytest.mark.parametrize("columns", [1, 3])
def test_a_table_without_rows_is_not_two_rules(kind: str, columns: int) -> None:
    question = QuestionAnswer("Q1", kind, "Which?", make_table(columns=columns, across="Sex"))
    for renderer in (render_letter_text, render_report_text):
        lines = rendered(renderer, ask(sample_answer(9), question), FORCE, DAY).splitlines()
        ruled = [set(line.strip()) == {"-"} for line in lines]
        assert not any(both == (True, True) for both in pairwise(ruled))


def merge_years(table: Table) -> QuestionAnswer:
    question = QuestionAnswer("Q1", "by", "Which?", table)
    return merge_period_columns(question, (question, question), YEARS)


def test_the_column_over_all_years_is_named_so() -> None:
    one = merge_years(make_table(3, 4)).table
    assert [column.label for column in one.columns] == ["All years", "2017", "2018"]
    two = merge_years(make_table(3, 4, columns=2)).table
    assert [column.label for column in two.columns][:3] == [
        "Column 0, all years",
        "Column 1, all years",
        "Column 0, 2017",
    ]
    question = QuestionAnswer("Q1", "by", "Which?", make_table(3, 4))
    halves = (Period(name="first half"), Period(name="second half"))
    merged = merge_period_columns(question, (question, question), halves)
    assert merged.table.columns[0].label == "All periods"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("All years", ("c0", None)),
        ("all periods", ("c0", None)),
        ("2018", ("c0", 1)),
        ("Column 1, all years", ("Column 1", None)),
        ("Column 1, 2017", ("c1", 0)),
    ],
)
def test_a_column_over_all_years_is_found_by_its_name(
    name: str, found: tuple[str, int | None]
) -> None:
    assert find_period_column(name, make_table(columns=2).columns, YEARS) == found


def test_the_sentence_of_a_table_by_years_names_what_is_counted() -> None:
    table = Table(
        "Month",
        (Column("offences", "Offences"),),
        (Row("0", "May", (3,)),),
        Row("total", "All", (3,), "total"),
    )
    letter = read_words(render_letter_text, ask(sample_answer(9), merge_years(table)))
    assert "We counted three offences. The table shows them by month." in letter


def test_a_chart_draws_neither_the_total_nor_those_in_none_of_the_rows() -> None:
    table = make_table(3, 4, columns=3, across="Period")
    none = Row("none", "None of these", (9_999, 9_999, 9_999), "none")
    table = msgspec.structs.replace(table, rows=(*table.rows, none))
    chart = draw_bars(table, "Chart", "Q1")
    assert "Column 1" in chart
    assert "Column 2" in chart
    assert "Column 0" not in chart
    assert "None of these" not in chart
    assert "9,999" not in chart


def test_a_table_of_half_a_page_is_kept_whole_and_a_longer_one_repeats_its_heads() -> None:
    for rows, is_whole in ((5, True), (15, True), (31, False), (60, False)):
        answer = tabled(sample_answer(9), wide(rows, 2))
        context = build_document_context(answer, DocumentSettings(FORCE, DAY))
        assert ("#block(breakable: false)[#figure(" in render_letter_typst(context)) is is_whole
        assert ("scroll whole" in render_letter_html(context).split("<main>")[1]) is is_whole
        assert "table.header(" in render_letter_typst(context)
        document = Document(io.BytesIO(render_letter_docx(context)))
        assert document.element.xpath("//w:tbl/w:tr[1]/w:trPr/w:tblHeader")
        (table,) = document.tables
        kept = [
            all(line.paragraph_format.keep_with_next for line in cell.paragraphs)
            for row in table.rows[:-1]
            for cell in row.cells
        ]
        assert all(kept) is is_whole
        assert any(kept), "the total stays with the rows before it"


@pytest.mark.parametrize("count", [8, 60])
def test_a_long_list_of_small_numbers_starts_with_a_summary(count: int) -> None:
    table = make_table(*([1] * count))
    questions = [QuestionAnswer(name, "new", "Which?", table) for name in ("Q1", "Q2")]
    names = build_document_context(
        ask(sample_answer(0), *questions), DocumentSettings(FORCE, DAY, None, 5)
    ).names
    assert bool(names["small_by_part"]) is (count > 20)
    if names["small_by_part"]:
        assert f"Q1: {count + 1}" in names["small_by_part"]
        assert f"Q2: {count + 1}" in names["small_by_part"]
        text = read_words(render_report_text, ask(sample_answer(0), *questions))
        assert "None" not in text


def test_the_complaint_says_how_to_reach_the_commissioner() -> None:
    letter = read_words(render_letter_text, sample_answer(9))
    assert "Information Commissioner: ico.org.uk/concerns, telephone 0303 123 1113." in letter


def test_a_date_of_clarification_stands_in_a_sentence() -> None:
    for key, value in (("clarified", "2018-11-09"), ("clarified_on", "2018-11-09")):
        base = sample_answer(9)
        request = {"letter": {**base.request["letter"], key: value}}
        letter = read_words(render_letter_text, msgspec.structs.replace(base, request=request))
        assert "You clarified your request on 9 November 2018." in letter
        assert "2018-11-09" not in letter


def test_a_scope_of_one_named_period_reads_as_a_sentence() -> None:
    base = sample_answer(9)
    scope = msgspec.structs.replace(
        base.scope, period_from=date(2019, 10, 1), period_to=date(2020, 3, 31)
    )
    assert isinstance(scope, ScopeAnswer)
    letter = read_words(render_letter_text, msgspec.structs.replace(base, scope=scope))
    assert "recorded from 1 October 2019 to 31 March 2020" in letter
    assert "in from" not in letter


def make_long_letter(paragraphs: int, rows: int = 60) -> Answer:
    """A letter with so many paragraphs before a table of so many rows."""
    answer = tabled(sample_answer(9), wide(rows, 2))
    narrower = msgspec.structs.replace(answer.questions[0], within="recorded in 2017/18")
    letter = {**answer.request["letter"], "asked": "\n\n".join(["Line"] * paragraphs)}
    return msgspec.structs.replace(ask(answer, narrower), request={"letter": letter})


@pytest.mark.parametrize(("paragraphs", "rows_of_table"), [(16, 60), (18, 60), (20, 60), (16, 20)])
def test_a_table_starts_with_several_rows_or_on_the_next_page(
    paragraphs: int, rows_of_table: int
) -> None:
    answer = make_long_letter(paragraphs, rows_of_table)
    letter = rendered(render_letter_pdf, answer, FORCE, DAY)
    first, second, *_ = [page.extract_text() for page in PdfReader(io.BytesIO(letter)).pages]
    rows = first.count("\nTerm ")
    assert rows == 0 or rows >= 3
    for line in ("Q1. How many?", "This part counts only offences recorded in 2017/18."):
        assert (line in second) is (rows == 0), "what leads to a table stands with it"


def test_a_long_table_of_a_word_letter_starts_with_what_leads_to_it() -> None:
    document = Document(io.BytesIO(rendered(render_letter_docx, make_long_letter(2), FORCE, DAY)))
    (table,) = document.tables
    kept = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in table.rows]
    assert kept[:4] == [True, True, True, None]
    texts = {entry.text: entry.paragraph_format.keep_with_next for entry in document.paragraphs}
    assert texts["This part counts only offences recorded in 2017/18."] is True
    assert not texts["Line"]


def test_a_code_below_a_table_cannot_be_taken_for_a_figure() -> None:
    table = make_table(3, 4, columns=3)
    columns = (
        table.columns[0],
        Column("in_0", "Grooming", "21"),
        Column("in_1", "Messages", "88E"),
    )
    question = QuestionAnswer(
        "Q1", "new", "Which?", msgspec.structs.replace(table, columns=columns)
    )
    letter = rendered(render_letter_docx, ask(sample_answer(9), question), FORCE, DAY)
    lines = [entry.text for entry in Document(io.BytesIO(letter)).paragraphs]
    assert "Codes: Grooming (21); Messages (88E)." in lines


@pytest.mark.parametrize("rows", [20, 60])
def test_no_caption_overlaps_the_line_before_it(rows: int) -> None:
    letter = rendered(render_letter_pdf, make_long_letter(2, rows), FORCE, DAY)
    heights: dict[str, float] = {}

    def note(text: str, page: list[float], line: list[float], *_: object) -> None:
        heights.setdefault(text.strip(), line[5] * page[3] + page[5])

    PdfReader(io.BytesIO(letter)).pages[0].extract_text(visitor_text=note)
    before, caption = (
        next(height for text, height in heights.items() if text.startswith(start))
        for start in ("This part counts only offences", "Q1: ")
    )
    assert 16 < before - caption < 24


@pytest.mark.parametrize("kind", ["by", "cross", "list"])
def test_a_sentence_that_names_a_table_has_one_even_of_one_row(kind: str) -> None:
    base = tabled(sample_answer(1), make_table(22))
    question = msgspec.structs.replace(base.questions[0], kind=kind)
    for renderer in (render_letter_text, render_letter_html, render_report_text):
        assert "Column 0" in rendered(renderer, ask(base, question), FORCE, DAY)
    none = msgspec.structs.replace(question, table=make_table(0))
    assert "Column 0" not in rendered(render_letter_text, ask(base, none), FORCE, DAY)
