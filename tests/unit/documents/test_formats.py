"""Word, PDF, workbook, CSV and charts: written, then read back by another program's eyes."""

from __future__ import annotations

import csv
import io
import re
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import docx
import msgspec
import openpyxl
import pypdf
import pytest
from docx.oxml.ns import qn
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange

from indexer.errors import ConfigurationError
from queries.answer.types import Answer, Column, Row, Table
from queries.documents.content.context import DocumentSettings
from queries.documents.content.typst_escape import escape_typst_text
from queries.documents.document_set import render_documents
from queries.documents.formats.charts import draw_bars, select_drawn_rows
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.pdf import render_letter_pdf
from queries.documents.formats.report import render_report_html
from queries.documents.formats.workbook import make_sheet_names, render_workbook
from queries.layout.csv_text import escape_formula, format_table_csv
from tests.support.answers import (
    FORCE,
    HIDDEN,
    HOSTILE,
    count_table,
    hostile,
    sample_answer,
    tabled,
    wide,
)
from tests.support.documents import extract_text
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)

PRINTED = [text.replace("\a", "") for text in HOSTILE]


def word_file(answer: Answer) -> Any:
    return docx.Document(io.BytesIO(rendered(render_letter_docx, answer, FORCE, DAY)))


def book(answer: Answer) -> Any:
    return openpyxl.load_workbook(io.BytesIO(rendered(render_workbook, answer, FORCE, DAY)))


def pages(answer: Answer) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(rendered(render_letter_pdf, answer, FORCE, DAY)))


def squeezed(text: str) -> str:
    """Without white space and soft breaks, which a page may put anywhere."""
    return re.sub(r"[\s\u200b]", "", text)


def test_the_total_of_a_word_table_is_not_alone_on_a_page() -> None:
    (found,) = word_file(tabled(sample_answer(1), wide(30, 3))).tables
    kept = [
        all(part.paragraph_format.keep_with_next for cell in row.cells for part in cell.paragraphs)
        for row in found.rows
    ]
    assert kept[-3:] == [True, True, False]


@pytest.mark.parametrize("document", [render_letter_docx, render_letter_pdf, render_workbook])
def test_the_same_answer_and_day_give_the_same_bytes(document: Callable[..., bytes]) -> None:
    first = rendered(document, sample_answer(1234), FORCE, DAY)
    assert first == rendered(document, sample_answer(1234), FORCE, DAY)
    assert first != rendered(document, sample_answer(1235), FORCE, DAY)


def test_the_word_letter_has_the_rows_of_every_table() -> None:
    found = word_file(sample_answer(1234)).tables
    rows = [[cell.text for cell in row.cells] for row in found[0].rows]
    assert rows == [
        ["Keyword", "Offences"],
        ["Snapchat", "1,234"],
        ["Skype", "1"],
        ["Omegle", "0"],
        ["None of these", "0"],
        ["All", "1,234"],
    ]
    assert len(found) == 2  # the other questions are one line each


def test_the_word_letter_can_be_read_aloud() -> None:
    """Headings by style, heads repeated and named, a title and a language."""
    made = word_file(sample_answer(1234))
    headings = [one.text for one in made.paragraphs if one.style.name == "Heading 1"]
    assert headings[0] == "Freedom of Information request: A <request> & its answer"
    assert "Q2. Offences by keyword" in [
        one.text for one in made.paragraphs if one.style.name == "Heading 2"
    ]
    for table in made.element.body.iter(qn("w:tbl")):
        assert table.tr_lst[0].trPr.find(qn("w:tblHeader")) is not None
        assert table.tblPr.find(qn("w:tblCaption")).get(qn("w:val"))
    assert {one.get(qn("w:val")) for one in made.styles.element.iter(qn("w:lang"))} == {"en-GB"}
    assert made.core_properties.title == "Example <Constabulary>: FOI/1"
    assert made.core_properties.language == "en-GB"
    assert "{" not in "".join(one.text for one in made.paragraphs)


def test_a_wide_table_is_cut_in_the_word_letter_and_no_column_is_lost() -> None:
    shown = wide(9, 30)
    made = word_file(tabled(sample_answer(1), shown))
    found = made.tables
    assert len(found) > 1
    heads = [text for one in found for text in [cell.text for cell in one.rows[0].cells][1:]]
    assert heads == [column.label for column in shown.columns]
    columns = made.element.body.tbl_lst[0].tblGrid.gridCol_lst
    width = sum(column.w for column in columns)
    assert width <= 162.1 * 36_000  # A4 without its margins, in EMU


def test_the_pdf_is_tagged_titled_and_in_english() -> None:
    made = pages(sample_answer(1234))
    catalogue: Any = made.trailer["/Root"]
    assert catalogue["/Lang"].startswith("en")
    assert catalogue["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalogue
    assert made.metadata is not None
    assert made.metadata.title == "Example <Constabulary>: FOI/1"
    assert "pdfuaid" in catalogue["/Metadata"].get_data().decode()
    text = made.pages[0].extract_text()
    assert "Snapchat" in text
    assert "1,234" in text


def test_the_pdf_has_every_count_of_a_wide_table() -> None:
    shown = wide(15, 16)
    text = squeezed(
        "".join(page.extract_text() for page in pages(tabled(sample_answer(1), shown)).pages)
    )
    for row in (*shown.rows, shown.total):
        assert all(f"{count:,}" in text for count in row.counts if count is not None)


def test_a_letter_no_font_has_is_told() -> None:
    with pytest.raises(ConfigurationError, match="no installed font has"):
        rendered(
            render_letter_pdf, tabled(sample_answer(1), count_table("\u0378", [], 0)), FORCE, DAY
        )


def test_hostile_text_is_text_everywhere() -> None:
    answer = hostile(sample_answer(1))
    in_word = word_file(answer)
    cells = [cell.text for row in in_word.tables[0].rows for cell in row.cells]
    in_pdf = squeezed("".join(page.extract_text() for page in pages(answer).pages))
    sheet = book(answer)["Q1"]
    in_sheet = [cell.value for row in sheet.iter_rows() for cell in row]
    in_html = rendered(render_report_html, answer, FORCE, DAY)
    reader = Reader()
    reader.feed(in_html)
    for text in PRINTED:
        assert any(cell.startswith(text) for cell in cells), text
        assert squeezed(text) in in_pdf, text
        assert text in in_sheet, text
        assert text in reader.text, text
    assert not reader.tags & {"script", "link", "img", "iframe", "object"}


@pytest.mark.parametrize("text", [*HOSTILE, '";#panic()"', "a\nb\tc", "\\u{41}"])
def test_a_typst_literal_is_closed_where_it_ends(text: str) -> None:
    made = escape_typst_text(text)
    assert re.fullmatch(r'#"(?:[^"\\\n]|\\.)*";', made)


def test_a_workbook_has_numbers_texts_and_no_formula() -> None:
    made = book(hostile(sample_answer(1)))
    for sheet in made:
        for row in sheet.iter_rows():
            assert {cell.data_type for cell in row} <= {"n", "s", "inlineStr"}
    sheet = made["Q1"]
    assert sheet["C2"].value == HOSTILE[1]
    assert sheet["C2"].data_type != "f"
    assert sheet["C2"].quotePrefix
    assert sheet["C5"].value == 2
    assert sheet["D5"].value == "[c]"


def test_a_workbook_is_set_up_to_be_read_and_printed() -> None:
    made = book(sample_answer(1234))
    assert made.sheetnames == ["Notes", "Q1", "Q2", "Q3", "Q4"]
    sheet = made["Q2"]
    rows = list(sheet.iter_rows(min_row=2, max_row=7, max_col=2, values_only=True))
    assert rows[0] == ("Keyword", "Offences")
    assert rows[1] == ("Snapchat", 1234)
    assert rows[5] == ("All", 1234)
    assert sheet["A9"].value == "A note."
    assert sheet.freeze_panes == "B3"
    assert sheet.print_title_rows == "$2:$2"
    assert made.properties.language == "en-GB"
    notes = [row[0] for row in made["Notes"].iter_rows(values_only=True)]
    assert any("please quote FOI/1 and cdcdcdcd." in str(line) for line in notes)


def test_a_text_of_a_sheet_is_on_its_page_whole() -> None:
    """A question of any length stands across columns that are printed, in lines enough."""
    base = sample_answer(1234)
    text = "How many of the offences were " + "as long to say as this, " * 12 + "and so on?"
    long = msgspec.structs.replace(base.questions[1], text=text)
    sheet = book(msgspec.structs.replace(base, questions=(long,)))["Q2"]
    area = sheet.print_area.replace("$", "").split("!")[-1]
    (title,) = [one for one in sheet.merged_cells.ranges if one.min_row == 1]
    assert title.max_col == CellRange(area).max_col
    width = sum(sheet.column_dimensions[get_column_letter(n)].width for n in range(1, title.max_col + 1))  # fmt: skip
    assert sheet.row_dimensions[1].height / 13.5 >= len(text) / width
    assert book(base)["Notes"].column_dimensions["A"].width <= 85


def test_a_narrower_question_says_so_in_every_document() -> None:
    base = sample_answer(1234)
    narrow = msgspec.structs.replace(base.questions[0], within="recorded in 2016")
    given = msgspec.structs.replace(base, questions=(narrow,))
    words = "This part counts only offences recorded in 2016."
    made = render_documents(given, DocumentSettings(FORCE, DAY))
    names = {
        name.split(".", 1)[1] for name, held in made.items() if words in extract_text(name, held)
    }
    assert names == {"letter.docx", "letter.pdf", "letter.html", "letter.txt", "report.html", "report.txt", "xlsx"}  # fmt: skip


def test_sheet_names_are_allowed_and_differ() -> None:
    found = [*make_sheet_names(iter(["Q1", "q1", "History", "notes", "a/b:c", "x" * 60]))]
    assert found == ["Q1", "q1 (2)", "History (2)", "notes (2)", "a-b-c", "x" * 26]


def test_a_csv_has_a_row_each_and_no_formula() -> None:
    question = hostile(sample_answer(1)).questions[0]
    head, *rows, total = csv.reader(io.StringIO(format_table_csv(question.table)))
    assert head == [
        "<script>alert(1)</script>",
        "Codes",
        "'=cmd()|'/c calc'!A0",
        "#set page(width: 1cm)",
    ]
    assert rows[3] == ["#set page(width: 1cm)", "<script>alert(1)</script>", "3", "[c]"]
    assert total == ["'-all", "", "5", "[c]"]
    assert rows[2][0] == "'@SUM(1)"


@pytest.mark.parametrize(
    ("text", "cell"), [("", ""), ("a=b", "a=b"), ("+1", "'+1"), ("\uff1dx", "'\uff1dx")]
)
def test_a_cell_is_made_safe_only_where_it_must(text: str, cell: str) -> None:
    assert escape_formula(text) == cell


def test_the_bars_of_a_chart_are_as_long_as_their_counts() -> None:
    shown = count_table(
        "Keyword", [Row("0", "One", (100,)), Row("1", "Two", (50,)), Row("2", "Three", (0,))], 150
    )
    drawing = ET.fromstring(draw_bars(shown, "A <chart>", "Q1"))
    named = {"{http://www.w3.org/2000/svg}" + name for name in ("defs", "style", "script", "desc")}
    assert not {node.tag for node in drawing.iter()} & named
    assert drawing.get("role") == "img"
    title = drawing[0]
    assert (title.text, title.get("id")) == ("A <chart>", drawing.get("aria-labelledby"))
    widths = [
        float(bar.get("width", 0)) for bar in drawing.iter() if "rect" in bar.get("class", "")
    ]
    assert max(widths) == pytest.approx(2 * sorted(widths)[1], rel=0.01)
    texts = [node.text for node in drawing.iter() if node.text]
    assert {"One", "Two", "Three", "100", "50", "0"} <= set(texts)


def test_a_chart_has_no_date_and_so_is_always_the_same() -> None:
    drawing = draw_bars(wide(5, 2), "Chart", "Q1")
    assert drawing == draw_bars(wide(5, 2), "Chart", "Q1")
    assert "<!--" not in drawing


@pytest.mark.parametrize("rows", [[], [Row("0", "One", (5,))], [Row("0", "One", (0,)), Row("1", "Two", (HIDDEN,))]])  # fmt: skip
def test_nothing_to_draw_gives_no_chart(rows: list[Row]) -> None:
    assert draw_bars(count_table("Keyword", rows, 5), "Chart", "Q1") == ""


def test_a_long_table_is_drawn_by_its_largest_rows_in_their_order() -> None:
    rows = tuple(Row(str(place), f"Row {place}", (place % 50,)) for place in range(60))
    drawn = select_drawn_rows(
        Table("Keyword", (Column("n", "Offences"),), rows, Row("t", "All", (1,)))
    )
    assert len(drawn) == 40
    assert [row.key for row in drawn] == sorted((row.key for row in drawn), key=int)
    assert min(row.counts[0] or 0 for row in drawn) == 10


class Reader(HTMLParser):
    """The text of a page, its tags, and the addresses it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags, self.fetched = "", set[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_needs_no_network_and_no_script() -> None:
    text = rendered(render_report_html, sample_answer(1234), FORCE, DAY)
    reader = Reader()
    reader.feed(text)
    assert reader.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed"})
    assert all(address.startswith("#") for address in reader.fetched)
    assert "url(" not in text
    assert "@import" not in text
    assert reader.tags >= {"svg", "table", "caption", "nav", "main", "header", "footer"}


def test_every_chart_of_the_report_has_its_table() -> None:
    text = rendered(render_report_html, sample_answer(1234), FORCE, DAY)
    for section in text.split("<section")[1:]:
        if "<svg" in section:
            assert "<table>" in section
    assert text.count("<svg") == 2


@pytest.mark.parametrize(
    ("document", "package"),
    [(render_letter_docx, "docxtpl"), (render_letter_pdf, "typst"), (render_workbook, "openpyxl"), (render_report_html, "pygal")],
)  # fmt: skip
def test_a_library_that_lacks_is_named_with_what_to_install(
    document: Callable[..., str | bytes], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError, match=rf"{package}.*foidex\[reports\]"):
        rendered(document, sample_answer(1234), FORCE, DAY)


def test_the_packages_hold_no_time_but_the_answers() -> None:
    for made in (render_letter_docx, render_workbook):
        with zipfile.ZipFile(io.BytesIO(rendered(made, sample_answer(1), FORCE, DAY))) as package:
            assert {entry.date_time for entry in package.infolist()} == {(2018, 8, 14, 9, 30, 0)}
            assert b"2018-08-14T09:30:00Z" in package.read("docProps/core.xml")
