"""A letter that is not for publication and lacks details of the force says so on every page."""

from __future__ import annotations

import io
from datetime import date

import docx
import msgspec
import pypdf
import pytest

from indexer.config.model import ForceSettings
from queries.answer.types import Answer, Disclosure
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import render_documents
from tests.support.answers import FORCE, sample_answer

DAY = date(2018, 8, 15)

DRAFT = "DRAFT: not to be sent. Details of the force are missing."

LETTERS = ("txt", "html", "docx", "pdf")


def letters(answer: Answer, force: ForceSettings) -> dict[str, bytes]:
    """The letters, by their format."""
    documents = render_documents(answer, DocumentSettings(force, DAY))
    return {
        path.rpartition(".")[2]: content
        for path, content in documents.items()
        if ".letter." in path
    }


def text_by_format(contents: dict[str, bytes]) -> dict[str, str]:
    """All that each letter says, with what stands in the head of a page."""
    word = docx.Document(io.BytesIO(contents["docx"]))
    pages = pypdf.PdfReader(io.BytesIO(contents["pdf"])).pages
    return {
        "txt": contents["txt"].decode(),
        "html": contents["html"].decode(),
        "docx": "\n".join(line.text for line in word.sections[0].header.paragraphs),
        "pdf": "\n".join(page.extract_text() for page in pages),
    }


def test_every_page_says_draft() -> None:
    contents = letters(sample_answer(12), ForceSettings())
    pages = pypdf.PdfReader(io.BytesIO(contents["pdf"])).pages
    assert len(pages) > 1
    for page in pages:
        assert DRAFT in page.extract_text()
    (section,) = docx.Document(io.BytesIO(contents["docx"])).sections
    assert [line.text for line in section.header.paragraphs] == [DRAFT]
    assert not section.different_first_page_header_footer
    lines = contents["txt"].decode().splitlines()
    assert (lines[0], lines[-1]) == (DRAFT, DRAFT)
    html = contents["html"].decode()
    assert f'@page {{ @top-center {{ content: "{DRAFT}";' in html
    assert f'<p class="draft" role="note">{DRAFT}</p>' in html


@pytest.mark.parametrize("form", LETTERS)
def test_one_missing_detail_is_enough(form: str) -> None:
    force = msgspec.structs.replace(FORCE, signatory="  ")
    assert "DRAFT" in text_by_format(letters(sample_answer(12), force))[form]


@pytest.mark.parametrize("form", LETTERS)
def test_a_letter_of_a_complete_force_is_not_a_draft(form: str) -> None:
    assert FORCE.missing_keys == ()
    assert "DRAFT" not in text_by_format(letters(sample_answer(12), FORCE))[form]


@pytest.mark.parametrize("form", LETTERS)
def test_a_published_letter_is_not_a_draft(form: str) -> None:
    published = msgspec.structs.replace(
        sample_answer(12), disclosure=Disclosure(5, 0, "withhold", 0)
    )
    assert "DRAFT" not in text_by_format(letters(published, ForceSettings()))[form]
