"""Lists of records in the documents: columns for the fields, sentences, and no chart."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest
from docx import Document
from openpyxl import load_workbook

from indexer.config.model import ListSettings
from indexer.errors import ConfigurationError
from indexer.records.offences import load_offence_table
from queries.answer.types import Answer, TextApprovals
from queries.disclosure.ledger import prepare_release
from queries.disclosure.policy import Policy
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.number_check import (
    ExtractedText,
    collect_expected_numbers,
    require_same_numbers,
)
from queries.documents.document_set import render_documents
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_typst
from queries.documents.formats.report import render_report_text
from queries.documents.formats.workbook import render_workbook
from queries.evidence.masking import MASK
from queries.layout.csv_text import format_table_csv
from queries.layout.table_parts import fit_label_widths
from queries.request.reader import parse_request
from tests.support.answers import FORCE
from tests.support.documents import extract_text
from tests.support.fake_search import answer
from tests.support.paths import ROOT
from tests.support.rendered import rendered

SETTINGS = DocumentSettings(
    msgspec.structs.replace(FORCE, exemption="We rely on section 40(2)."), date(2018, 8, 15)
)


GOLDEN = ROOT / "tests" / "data" / "golden"


def count_list(large: int = 6, *, references: bool = False) -> Answer:
    """Records of two offences: many of one outcome, two of another."""
    given = ", references: true" if references else ""
    text = (
        'reference: FOI/1\ntitle: T\nperiod: 2017/18\nquestions: [{id: Q1, kind: list, text: "Which?", '
        f"fields: [offence, month, outcome]{given}}}]"
    )
    records: list[dict[str, Any]] = [
        {
            "crime_ref": f"REF{number:02}",
            "recorded_on": "2017-05-05",
            "offence_code": "88/1" if number < large else "22B",
            "narrative": "",
            "outcome": 1 if number < large else None,
            "victims": [],
            "suspects": [],
        }
        for number in range(large + 2)
    ]
    return answer(parse_request(text, lists=ListSettings(references=True)), records)


def publish(own: Answer) -> Answer:
    with prepare_release(own, Policy(threshold=5), None) as release:
        return release.answer


def test_csv_and_workbook_have_a_column_for_each_field() -> None:
    own = count_list(references=True)
    head, first, second, total = csv.reader(io.StringIO(format_table_csv(own.questions[0].table)))
    assert head == ["Offence", "Month", "Outcome", "References", "Offences"]
    assert second == [
        f"{load_offence_table().title('88/1')} (88/1)", "May 2017", "1 Charged or summonsed",
        ", ".join(f"REF{number:02}" for number in range(6)), "6",
    ]  # fmt: skip
    assert (first[2:], total) == (
        ["Not recorded", "REF06, REF07", "2"],
        ["All offences asked about", "", "", "", "8"],
    )
    documents = render_documents(own, SETTINGS)
    (book,) = (content for path, content in documents.items() if path.endswith(".xlsx"))
    sheet = load_workbook(io.BytesIO(book))["Q1"]
    assert [cell.value for cell in sheet[2]] == head
    assert [cell.value for cell in sheet[4]] == [*second[:2], "Charged or summonsed", second[3], 6]


def test_a_letter_says_what_a_line_is_and_there_is_no_chart() -> None:
    for path, content in render_documents(count_list(), SETTINGS).items():
        if path.endswith(("letter.txt", "letter.html", "letter.docx", "report.html")):
            words = " ".join(extract_text(path, content).split())
            if path.endswith("docx"):
                paragraphs = Document(io.BytesIO(content)).paragraphs
                words = " ".join(paragraph.text for paragraph in paragraphs)
            assert (
                "Each line has a combination of type of offence, month and outcome that" in words
            ), path
            assert "not_listed" not in words
        if path.endswith("report.html"):
            assert b"<svg" not in content


@pytest.mark.parametrize(
    ("large", "sentence"),
    [
        (
            6,
            "No combination of type of offence, month and outcome is listed, so that nobody can be identified.",
        ),
        (1, "The number of offences is withheld."),
    ],
)
def test_a_published_list_says_what_is_not_listed_and_why(large: int, sentence: str) -> None:
    published = publish(count_list(large))
    documents = render_documents(published, SETTINGS)
    (letter,) = (content for path, content in documents.items() if path.endswith("letter.txt"))
    words = " ".join(letter.decode().split())
    assert sentence in words
    assert ("We do not give a line of fewer than 5" in words) == (large == 6)
    assert ("[c] means" in words) == (large == 1)
    assert "We rely on section 40(2)." in words
    assert "22B" not in words.partition("Q1")[2].partition("Yours")[0]


def add_texts(own: Answer) -> Answer:
    """The first line with no text, which is too short, and the second with a text of each record,
    of which one is withheld."""
    (question,) = own.questions
    first, second = question.table.rows
    texts = (*(f"an entry about {MASK}, item {letter}" for letter in "abcde"), None)
    rows = (first, msgspec.structs.replace(second, texts=texts))
    approvals = TextApprovals(
        approved=5,
        refused=1,
        min_records=5,
        first_at="2018-08-13T09:00:00Z",
        last_at="2018-08-14T09:00:00Z",
    )
    table = msgspec.structs.replace(question.table, rows=rows)
    changed = msgspec.structs.replace(question, table=table, approvals=approvals)
    return msgspec.structs.replace(own, questions=(changed,))


@pytest.mark.parametrize(
    ("renderer", "ending"),
    [
        (render_letter_text, "letter.txt"),
        (render_letter_html, "letter.html"),
        (render_letter_typst, "letter.typ"),
        (render_report_text, "report.txt"),
    ],
)
def test_a_list_with_texts_is_printed_as_it_was_agreed(
    renderer: Callable[..., str], ending: str, request: pytest.FixtureRequest
) -> None:
    """Rewrite the golden files with --regolden, and read every change."""
    text = rendered(renderer, add_texts(count_list()), SETTINGS.force, SETTINGS.day)
    path = GOLDEN / f"texts.{ending}"
    if request.config.getoption("--regolden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_texts_have_a_file_of_their_own_and_stand_in_every_letter() -> None:
    documents = render_documents(add_texts(count_list()), SETTINGS)
    (table,) = (content for path, content in documents.items() if path.endswith(".texts.csv"))
    head, *lines = csv.reader(io.StringIO(table.decode()))
    assert head == ["Offence", "Month", "Outcome", "Text"]
    assert len(lines) == 6
    assert lines[-1][-1] == "[withheld]"
    for path, content in documents.items():
        if path.endswith((".docx", ".pdf", ".xlsx", ".txt", ".html")):
            words = " ".join(extract_text(path, content).split())
            assert ", item e" in words, path
            assert MASK in words or path.endswith("xlsx"), path
            assert "[withheld]" in words, path
            assert "Five texts are given, and one text is withheld." in words, path
            assert path.endswith(("report.txt", "xlsx")) or "section 40(2)" in words, path


def test_a_text_that_no_cell_can_hold_says_that_it_is_cut_off() -> None:
    """A spreadsheet holds 32,767 units of UTF-16 in a cell, and the rest was lost without a word."""
    own = add_texts(count_list())
    (question,) = own.questions
    first, second = question.table.rows
    texts = ("kite " * 7_000, "\U0001fa81" * 17_000, "k" * 30_000, *(second.texts or ())[3:])
    rows = (first, msgspec.structs.replace(second, texts=texts))
    table = msgspec.structs.replace(question.table, rows=rows)
    longer = msgspec.structs.replace(
        own, questions=(msgspec.structs.replace(question, table=table),)
    )
    context = build_document_context(longer, SETTINGS)
    sheet = load_workbook(io.BytesIO(render_workbook(context)))["Q1"]
    cells = [str(cell.value) for row in sheet for cell in row if cell.value]
    long_cells = [cell for cell in cells if len(cell) > 10_000]
    assert all(len(cell.encode("utf-16-le")) <= 2 * 32_767 for cell in long_cells)
    is_cut = [cell.endswith("The CSV file has the whole.]") for cell in long_cells]
    assert is_cut == [True, True, False]


def test_the_texts_of_a_list_share_no_file_with_another_question() -> None:
    own = add_texts(count_list())
    (question,) = own.questions
    both = (question, msgspec.structs.replace(question, id="Q1.texts", approvals=None))
    documents = render_documents(msgspec.structs.replace(own, questions=both), SETTINGS)
    tables = [path.partition(".")[2] for path in documents if path.startswith("tables/")]
    assert sorted(tables) == ["Q1.csv", "Q1.texts-2.csv", "Q1.texts.csv"]


def test_a_published_list_says_how_many_of_the_texts_of_its_lines_were_approved() -> None:
    """Here only the large line may be seen, if the rule leaves it; nothing of the other is said."""
    own = add_texts(count_list(large=6))
    (published,) = publish(own).questions
    assert published.table.rows == ()  # the small line would follow from the total
    assert published.approvals is not None
    assert (published.approvals.approved, published.approvals.refused) == (0, 0)
    text = rendered(render_letter_text, publish(own), SETTINGS.force, SETTINGS.day)
    assert "an entry about" not in text
    assert "No texts are given." in text


def test_documents_have_a_column_for_each_field() -> None:
    documents = render_documents(count_list(), SETTINGS)
    (word,) = (content for path, content in documents.items() if path.endswith("letter.docx"))
    (table,) = Document(io.BytesIO(word)).tables
    heads = ["Offence", "Month", "Outcome", "Offences"]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == heads
    assert rows[2][1:] == ["May 2017", "Charged or summonsed", "6"]
    assert rows[3] == [*["All offences"] * 3, "8"]  # one cell as wide as three
    (page,) = (content for path, content in documents.items() if path.endswith("letter.html"))
    assert '<td class="field">May 2017</td><td class="field">Not recorded</td><td>2</td>' in (
        page.decode()
    )
    (letter,) = (content for path, content in documents.items() if path.endswith("letter.txt"))
    assert re.search(r"Offence +Month +Outcome +Offences\n-+\n", letter.decode())
    assert re.search(r"\nAll offences +8\n", letter.decode())


def test_a_wrong_number_in_a_line_of_a_list_is_found() -> None:
    own = count_list()
    expected = collect_expected_numbers(own, SETTINGS.force)
    title = own.questions[0].table.rows[1].values[0]
    cells = ["May 2017", "1 Charged or summonsed", "6"]
    require_same_numbers(ExtractedText([], [(title, cells)]), expected, "letter.txt")
    with pytest.raises(ConfigurationError, match="has 7, and in the answer 6"):
        require_same_numbers(
            ExtractedText([], [(title, [*cells[:-1], "7"])]), expected, "letter.txt"
        )


@pytest.mark.parametrize(
    ("widths", "room", "fitted"),
    [
        ([10, 10], 40, [20, 20]),
        ([10, 30], 40, [10, 30]),
        ([10, 50, 30], 60, [10, 28, 21]),
        ([16, 92, 44], 88, [16, 42, 29]),
        ([5, 5, 200], 30, [5, 5, 20]),
        ([50, 5, 50], 45, [20, 5, 20]),
        ([50, 50], 1, [1, 1]),
    ],
)
def test_columns_share_the_room_that_there_is(
    widths: list[int], room: int, fitted: list[int]
) -> None:
    assert fit_label_widths(widths, room) == fitted


def test_a_caption_names_a_part_as_the_requester_did() -> None:
    own = count_list()
    for name, caption in (("Q1", "Q1: Offences by"), ("b)", "b) Offences by"), ("3.", "3. Offe")):
        (question,) = own.questions
        renamed = msgspec.structs.replace(question, id=name)
        answer_of_part = msgspec.structs.replace(own, questions=(renamed,))
        (view,) = build_document_context(answer_of_part, SETTINGS).names["questions"]
        assert view.caption.startswith(caption)
