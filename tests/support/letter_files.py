"""Letters of invented people, written as the files that they come in."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence
from email.message import EmailMessage
from html import escape
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from queries.drafting.letter_text import BlockKind, LetterBlock

#: A level of a list of Word: its format and its pattern.
LEVELS = (("decimal", "%1."), ("lowerLetter", "(%2)"), ("lowerRoman", "(%3)"))


def write_plain_text(blocks: Iterable[LetterBlock], width: int | None = 72) -> str:
    """Blocks as a person types them, with lines of a width as a mail program breaks them."""
    paragraphs = []
    for block in blocks:
        indent = "    " * block.level
        marker = f"{block.number or '-'} " if block.kind is BlockKind.ITEM else ""
        if width is None:
            paragraphs.append(indent + marker + block.text)
            continue
        paragraphs.append(
            textwrap.fill(
                block.text,
                width,
                initial_indent=indent + marker,
                subsequent_indent=indent + " " * len(marker),
                break_on_hyphens=False,
                break_long_words=False,
            )
        )
    return "\n\n".join(paragraphs) + "\n"


def write_html(blocks: Iterable[LetterBlock]) -> str:
    """Blocks as paragraphs of HTML, with the numbers typed."""
    paragraphs = "".join(
        f"<p>{escape(' '.join(filter(None, (block.number, block.text))))}</p>\r\n"
        for block in blocks
    )
    return f"<html><head><style>p {{ margin: 0 }}</style></head><body>{paragraphs}</body></html>"


def make_mail(
    text: str,
    html: str | None = None,
    *,
    sender: str = "Ida Pell <ida.pell@post.example.org>",
    subject: str = "Information request",
    date: str = "Tue, 6 Jun 2023 08:02:11 +0100",
) -> EmailMessage:
    """A mail with a plain text and, if given, the same as HTML."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = "foi@northshire.example.org"
    mail["Subject"] = subject
    mail["Date"] = date
    mail.set_content(text)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    return mail


def add_word_list(
    document: Any, levels: Sequence[tuple[str, str]] = LEVELS, extra: str = ""
) -> int:
    """Add a list of Word to a document; returns its number, for ``number_word_paragraph``.

    ``extra`` is XML that the second number of the list has (``w:lvlOverride``): without it the
    number returned shares nothing with others.
    """
    numbering = document.part.numbering_part.element
    taken = [int(num.get(qn("w:numId"))) for num in numbering.findall(qn("w:num"))]
    families = [
        int(each.get(qn("w:abstractNumId"))) for each in numbering.findall(qn("w:abstractNum"))
    ]
    family, number = max(families, default=0) + 1, max(taken, default=0) + 1
    entries = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{pattern}"/></w:lvl>'
        for level, (form, pattern) in enumerate(levels)
    )
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{family}">{entries}</w:abstractNum>'
    )
    first_num = numbering.find(qn("w:num"))
    if first_num is None:
        numbering.append(abstract)
    else:
        first_num.addprevious(abstract)
    add_word_num(document, family, number, extra)
    return number


def add_word_num(document: Any, family: int, number: int, extra: str = "") -> None:
    """Add another number for a list that is there, which shares its counters."""
    document.part.numbering_part.element.append(
        parse_xml(
            f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="{family}"/>{extra}</w:num>'
        )
    )


def number_word_paragraph(paragraph: Any, number: int, level: int = 0) -> None:
    """Let Word number a paragraph."""
    properties = paragraph.paragraph_format.element.get_or_add_pPr()
    properties.append(
        parse_xml(
            f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
        )
    )


def save_word(document: Any) -> bytes:
    """A document of Word as a file."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def write_word(blocks: Iterable[LetterBlock]) -> bytes:
    """Blocks as a Word file, with the numbers left to Word."""
    document = docx.Document()
    number = add_word_list(document)
    for block in blocks:
        paragraph = document.add_paragraph(block.text)
        if block.kind is BlockKind.ITEM:
            number_word_paragraph(paragraph, number, block.level)
    return save_word(document)


def write_pdf(blocks: Iterable[LetterBlock], setup: str = "") -> bytes:
    """Blocks as a PDF file; ``setup`` is Typst before them, such as columns."""
    import typst

    paragraphs = []
    for block in blocks:
        text = " ".join(filter(None, (block.number, block.text)))
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        paragraphs.append(f'#pad(left: {block.level * 8}mm)[#"{quoted}"]')
    source = f'#set page(paper: "a4")\n{setup}\n\n' + "\n\n".join(paragraphs)
    pdf: bytes = typst.compile(source.encode(), format="pdf")
    return pdf


def write_outlook(mail: EmailMessage) -> bytes:
    """A mail as a file of Outlook."""
    from aspose.email_foss.msg import MapiMessage

    data: bytes = MapiMessage.from_email_message(mail).to_bytes()
    return data
