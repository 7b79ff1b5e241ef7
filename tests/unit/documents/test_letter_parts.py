"""The parts of a request in every document, in the requester's order and numbering."""

from __future__ import annotations

import io
from datetime import date

import msgspec
import pytest
from docx import Document
from openpyxl import load_workbook

from queries.answer.types import Answer, UncoveredPart
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import make_question_slugs, render_documents
from tests.support.answers import FORCE, sample_answer
from tests.support.documents import extract_text

DAY = date(2018, 8, 15)

ARRESTS = "We do not hold arrests in the crime records.\n\nAnother unit may hold them."


def make_partial_answer() -> Answer:
    """Parts 1, 3 and 5 with figures, of which 3 in part; 2 and 4 without."""
    answer = sample_answer(1234)
    first, second, third, _ = answer.questions
    return msgspec.structs.replace(
        answer,
        questions=(
            msgspec.structs.replace(first, id="1", note="One force changed its codes."),
            msgspec.structs.replace(second, id="3", not_covered="We hold no dates of posts."),
            msgspec.structs.replace(third, id="5)"),
        ),
        written_uncovered=(
            UncoveredPart("2", "How many arrests?", ARRESTS, 1),
            UncoveredPart("4", "", "This would exceed the limit.", 3),
        ),
    )


def make_uncovered_answer() -> Answer:
    part = UncoveredPart("1", "How many arrests?", ARRESTS, 0)
    return msgspec.structs.replace(sample_answer(1234), questions=(), written_uncovered=(part,))


def read_letter_words(answer: Answer) -> dict[str, str]:
    """What each document says, by its ending, in words with single spaces."""
    words = {}
    for path, content in render_documents(answer, DocumentSettings(FORCE, DAY)).items():
        ending = path.partition(".")[2]
        if ending == "letter.docx":
            paragraphs = Document(io.BytesIO(content)).paragraphs
            words[ending] = " ".join(paragraph.text for paragraph in paragraphs)
        elif ending == "xlsx":
            sheets = load_workbook(io.BytesIO(content))
            cells = (cell for sheet in sheets for row in sheet.iter_rows() for cell in row)
            words[ending] = " ".join(str(cell.value) for cell in cells if cell.value)
        else:
            words[ending] = " ".join(extract_text(path, content).split())
    return words


DOCUMENTS = ("letter.txt", "letter.html", "letter.docx", "letter.pdf", "report.txt", "report.html")


def test_every_document_has_all_parts_in_the_order_of_the_request() -> None:
    words = read_letter_words(make_partial_answer())
    for ending in DOCUMENTS:
        text = words[ending]
        places = [
            text.rindex(statement)
            for statement in (
                "This letter gives figures for parts 1 and 5) and some of part 3 of your request.",
                "It gives none for parts 2 and 4.",
                "One force changed its codes.",
                "How many arrests?",
                "We do not hold arrests in the crime records.",
                "Another unit may hold them.",
                "We hold no dates of posts.",
                "This would exceed the limit.",
            )
        ]
        assert places == sorted(places), ending
        assert "5)." not in text, ending
    assert "How many arrests?" in words["xlsx"]
    assert "One force changed its codes." in words["xlsx"]


def test_a_letter_without_figures_speaks_of_none() -> None:
    words = read_letter_words(make_uncovered_answer())
    for ending in DOCUMENTS:
        text = words[ending]
        assert "We do not hold arrests in the crime records." in text, ending
        for phrase in ("The figures", "1,234", "snapshot", "Annex", "This letter gives figures"):
            assert phrase not in text, (ending, phrase)
        assert "internal review" in text or "report" in ending, ending


@pytest.mark.parametrize(
    "note",
    [
        "There were 77 offences before.",
        f"See https://www.example.org/{'released-before/' * 12}2018 for them.",
    ],
)
def test_a_note_may_state_its_own_numbers_and_hold_a_long_address(note: str) -> None:
    answer = make_partial_answer()
    first = msgspec.structs.replace(answer.questions[0], note=note)
    render_documents(
        msgspec.structs.replace(answer, questions=(first, *answer.questions[1:])),
        DocumentSettings(FORCE, DAY),
    )


@pytest.mark.parametrize(
    "ids", [("b", "b)", "B"), ("1", "1)", "(1)", "1-2", "1."), ("a", "a-2", "a)")]
)
def test_every_table_has_a_file_of_its_own(ids: tuple[str, ...]) -> None:
    slugs = [slug.lower() for slug in make_question_slugs(iter(ids))]
    assert len(set(slugs)) == len(ids)
    assert slugs[0] == ids[0].lower()


def test_a_number_of_a_part_in_brackets_is_no_number_in_words() -> None:
    answer = make_partial_answer()
    questions = tuple(
        msgspec.structs.replace(question, id=name)
        for question, name in zip(answer.questions, ("(1)", "(2)", "(3)"), strict=True)
    )
    renamed = msgspec.structs.replace(answer, questions=questions)
    assert "parts (1) and (3) and some of part (2)" in read_letter_words(renamed)["letter.txt"]
