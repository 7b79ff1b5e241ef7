"""A set that is not for publication, or lacks details of the force, says so on every page."""

from __future__ import annotations

import io
from datetime import date

import docx
import msgspec
import openpyxl
import pypdf
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from indexer.config.model import ForceSettings
from queries.answer.types import Answer, Disclosure
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import render_documents
from tests.support.answers import FORCE, sample_answer

DAY = date(2018, 8, 15)

DRAFT = "DRAFT: not to be sent. Details of the force are missing."

UNPUBLISHED = "NOT FOR PUBLICATION: small numbers are not withheld."

LETTERS = ("txt", "html", "docx", "pdf")

PUBLISHED = Disclosure(5, 0, "withhold", 0)


def documents(answer: Answer, force: ForceSettings) -> dict[str, bytes]:
    """The letters and the workbook, by their format."""
    contents = render_documents(answer, DocumentSettings(force, DAY))
    return {
        path.rpartition(".")[2]: content
        for path, content in contents.items()
        if ".letter." in path or path.endswith(".xlsx")
    }


def pages(pdf: bytes) -> list[str]:
    """The text of each page, with single spaces."""
    return [
        " ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages
    ]


def text_by_format(contents: dict[str, bytes]) -> dict[str, str]:
    """All that each letter says, with what stands in the head of a page."""
    word = docx.Document(io.BytesIO(contents["docx"]))
    return {
        "txt": contents["txt"].decode(),
        "html": contents["html"].decode(),
        "docx": "\n".join(line.text for line in word.sections[0].header.paragraphs),
        "pdf": "\n".join(pages(contents["pdf"])),
    }


def page_head(sheet: Worksheet) -> str | None:
    """What a sheet prints at the head of each page."""
    header = sheet.oddHeader
    assert header is not None
    text: str | None = header.center.text
    return text


@pytest.mark.parametrize(
    ("force", "mark"), [(ForceSettings(), f"{DRAFT} {UNPUBLISHED}"), (FORCE, UNPUBLISHED)]
)
def test_every_page_bears_what_keeps_it_from_being_sent(force: ForceSettings, mark: str) -> None:
    contents = documents(sample_answer(12), force)
    assert len(pages(contents["pdf"])) > 1
    for page in pages(contents["pdf"]):
        assert mark in page
    (section,) = docx.Document(io.BytesIO(contents["docx"])).sections
    assert [line.text for line in section.header.paragraphs] == [mark]
    assert not section.different_first_page_header_footer
    text = contents["txt"].decode()
    assert " ".join(text.split()).startswith(mark)
    assert " ".join(text.split()).endswith(mark)
    assert " ".join(text.split()).count(mark) == 2
    html = contents["html"].decode()
    assert f'@page {{ @top-center {{ content: "{mark}";' in html
    assert f'<aside class="draft">{mark}</aside>' in html
    book = openpyxl.load_workbook(io.BytesIO(contents["xlsx"]))
    assert len(book.worksheets) == 5
    for sheet in book.worksheets:
        assert sheet["A1"].value.startswith(mark)
        assert page_head(sheet) == f"&B{mark}"


@pytest.mark.parametrize("form", LETTERS)
def test_a_published_letter_bears_no_mark(form: str) -> None:
    published = msgspec.structs.replace(sample_answer(12), disclosure=PUBLISHED)
    text = text_by_format(documents(published, ForceSettings()))[form]
    assert "DRAFT" not in text
    assert "NOT FOR PUBLICATION" not in text


def test_a_published_workbook_bears_no_mark() -> None:
    published = msgspec.structs.replace(sample_answer(12), disclosure=PUBLISHED)
    book = openpyxl.load_workbook(io.BytesIO(documents(published, FORCE)["xlsx"]))
    for sheet in book.worksheets:
        assert sheet["A1"].value.startswith(("FOI/1", "Q"))
        assert page_head(sheet) is None


def test_a_refusal_without_numbers_is_not_said_to_hold_small_ones() -> None:
    refusal = msgspec.structs.replace(sample_answer(12), questions=())
    text = documents(refusal, FORCE)["txt"].decode()
    assert text.startswith("NOT FOR PUBLICATION: written without --publish.\n")
    assert UNPUBLISHED not in text


@pytest.mark.parametrize("form", LETTERS)
def test_one_missing_detail_is_enough(form: str) -> None:
    force = msgspec.structs.replace(FORCE, signatory="  ")
    assert "DRAFT" in text_by_format(documents(sample_answer(12), force))[form]


@pytest.mark.parametrize("form", LETTERS)
def test_a_letter_of_a_complete_force_is_not_a_draft(form: str) -> None:
    assert FORCE.missing_keys == ()
    assert "DRAFT" not in text_by_format(documents(sample_answer(12), FORCE))[form]
