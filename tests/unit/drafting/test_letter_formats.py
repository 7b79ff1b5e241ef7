"""A letter gives the same draft in whatever file it comes: the letters of the project, rewritten."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import format_datetime
from html import escape
from pathlib import Path

import docx
import pytest

from queries.drafting.draft import Draft
from queries.drafting.drafting import draft_request
from queries.drafting.letter_text import LetterText
from queries.drafting.lines.line import split_plain_lines
from queries.drafting.lines.mail_chain import read_head
from queries.drafting.lines.written_date import parse_written_datetime
from queries.drafting.readers.formats import read_letter_bytes
from queries.drafting.request_mapping import build_request_mapping
from tests.support.letter_files import make_mail, save_word, write_outlook
from tests.support.paths import DATA

LETTERS = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.long] if number >= 4 else [])
    for number, path in enumerate(sorted((DATA / "letters").glob("*.txt")))
]


def read_draft(ending: str, data: bytes) -> Draft:
    reading = read_letter_bytes(ending, data)
    return draft_request(
        LetterText(file_name=f"letter{ending}", messages=reading.messages, blocks=reading.blocks)
    )


def split_head(text: str) -> tuple[dict[str, str], str]:
    """The lines of a head at the start of a letter, by name, and the text after them."""
    head = read_head(split_plain_lines(text))
    lines = text.splitlines()
    length = head.length if head else 0
    fields = (line.partition(":") for line in lines[:length])
    return {name.lower(): value.strip() for name, _, value in fields}, "\n".join(lines[length:])


def write_word_lines(text: str) -> bytes:
    """A text as a Word file: a paragraph for each of its own, with its line breaks."""
    document = docx.Document()
    for paragraph in text.split("\n\n"):
        document.add_paragraph(paragraph.strip("\n"))
    return save_word(document)


def write_html_lines(text: str) -> str:
    """A text as HTML: a paragraph for each of its own, with its line breaks."""
    paragraphs = (escape(paragraph.strip("\n")) for paragraph in text.split("\n\n"))
    return "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>\r\n" for paragraph in paragraphs)


def write_pdf_lines(text: str) -> bytes:
    """A text as a PDF file on wide paper, so that no line is broken again."""
    import typst

    def quote(line: str) -> str:
        return '#"{}"'.format(line.replace("\\", "\\\\").replace('"', '\\"'))

    paragraphs = (
        " \\\n".join(quote(line) for line in paragraph.strip("\n").split("\n"))
        for paragraph in text.split("\n\n")
    )
    setup = "#set page(width: 900mm, height: 297mm)\n#set text(size: 10pt)\n\n"
    pdf: bytes = typst.compile((setup + "\n\n".join(paragraphs)).encode(), format="pdf")
    return pdf


def write_mail(text: str, *, outlook: bool = False, html: bool = False) -> bytes:
    """A letter with a head as the mail that it was; without one, as a mail without a sender."""
    head, body = split_head(text)
    mail = make_mail("-" if html else body, write_html_lines(body) if html else None)
    for name, field in (("From", "from"), ("Subject", "subject")):
        del mail[name]
        if head.get(field):
            mail[name] = head[field]
    del mail["Date"]
    if sent := parse_written_datetime(head.get("sent") or head.get("date") or ""):
        mail["Date"] = format_datetime(sent)
    if not outlook:
        return mail.as_bytes()
    return write_outlook(mail)


FORMS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "Word": (".docx", write_word_lines),
    "PDF": (".pdf", write_pdf_lines),
    "mail": (".eml", write_mail),
    "HTML mail": (".eml", lambda text: write_mail(text, html=True)),
    "Outlook": (".msg", lambda text: write_mail(text, outlook=True)),
}


@pytest.mark.parametrize("path", LETTERS)
@pytest.mark.parametrize("form", FORMS)
def test_a_letter_gives_the_same_draft_in_every_form(form: str, path: Path) -> None:
    text = path.read_text("utf-8")
    ending, write = FORMS[form]
    expected = build_request_mapping(read_draft(".txt", text.encode()))
    assert build_request_mapping(read_draft(ending, write(text))) == expected
