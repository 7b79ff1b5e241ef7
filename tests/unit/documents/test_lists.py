"""Lists of records in the documents: columns for the fields, sentences, and no chart."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import msgspec
import pytest
from docx import Document
from openpyxl import load_workbook

from indexer.config.model import ListSettings
from indexer.records.offences import load_offence_table
from queries.answer.types import Answer
from queries.disclosure.ledger import prepare_release
from queries.disclosure.policy import Policy
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import render_documents
from queries.layout.csv_text import format_table_csv
from queries.request.reader import parse_request
from tests.support.answers import FORCE
from tests.support.documents import extract_text
from tests.support.fake_search import answer

SETTINGS = DocumentSettings(
    msgspec.structs.replace(FORCE, exemption="We rely on section 40(2)."), date(2018, 8, 15)
)


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
    assert [cell.value for cell in sheet[4]] == [*second[:-1], 6]


def test_a_letter_says_what_a_line_is_and_there_is_no_chart() -> None:
    for path, content in render_documents(count_list(), SETTINGS).items():
        if path.endswith(("letter.txt", "letter.html", "letter.docx", "report.html")):
            words = " ".join(extract_text(path, content).split())
            if path.endswith("docx"):
                paragraphs = Document(io.BytesIO(content)).paragraphs
                words = " ".join(paragraph.text for paragraph in paragraphs)
            assert "Eight offences, by type of offence, month and outcome." in words, path
            assert "Each line has a combination that occurs" in words
            assert "not_listed" not in words
        if path.endswith("report.html"):
            assert b"<svg" not in content


@pytest.mark.parametrize(
    ("large", "sentence"),
    [
        (6, "None of the combinations is listed, so that nobody can be identified."),
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
